import json
import math
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.scorer import Direction, ScorerKind
from judgefleet.trace import Latency, Usage
from judges.catalogue import create_scorer

CHUNKS = "judgefleet.chunk_times_ms"


def latency(run: Any, ttft: Any = None, total: Any = None, tokens: Any = None, **attributes: str) -> Any:
    return run(
        "latency",
        latency=Latency(ttft_ms=ttft, total_ms=total),
        usage=Usage(output_tokens=tokens),
        attributes={CHUNKS if k == "chunks" else k: v for k, v in attributes.items()},
    )


@pytest.mark.parametrize(
    ("ttft", "total", "tokens", "tpot"),
    [
        (200.0, 700.0, 11, 50.0),
        (250.0, 1250.0, 2, 1000.0),
        (250.0, 1250.0, 34, 1000 / 33),
        (0.0, 90.0, 10, 10.0),
        (300.0, 300.0, 7, 0.0),
        (10326.21, 26803.220355, 25, 16477.010355 / 24),
        (1e-3, 2e-3, 3, 5e-4),
        (812, 1812, 101, 10.0),
    ],
)
def test_time_per_output_token(run: Any, ttft: float, total: float, tokens: int, tpot: float) -> None:
    found = latency(run, ttft, total, tokens)
    assert found["tpot_ms"].value == pytest.approx(tpot, rel=1e-12)
    assert (found["ttft_ms"].value, found["total_ms"].value) == (ttft, total)
    assert {found[axis].label for axis in ("ttft_ms", "total_ms", "tpot_ms")} == {None}


@pytest.mark.parametrize(
    ("ttft", "total", "tokens", "reason"),
    [
        (200.0, 700.0, 1, "undefined: the answer has 1 output token, none after the first"),
        (200.0, 700.0, 0, "undefined: the answer has 0 output tokens, none after the first"),
        (None, 700.0, 11, "the trace has no ttft_ms"),
        (200.0, None, 11, "the trace has no total_ms"),
        (200.0, 700.0, None, "the trace has no output_tokens"),
        (800.0, 700.0, 11, "the whole answer (700 ms) came before its first token (800 ms)"),
        (-1.0, 700.0, 11, "ttft_ms is -1.0, and cannot be"),
        (200.0, math.nan, 11, "total_ms is nan, and cannot be"),
        (200.0, math.inf, 11, "total_ms is inf, and cannot be"),
        (200.0, 700.0, -4, "output_tokens is -4, and cannot be"),
        (True, 700.0, 11, "ttft_ms is True, and cannot be"),
        ("soon", 700.0, 11, "ttft_ms is 'soon', and cannot be"),
    ],
)
def test_what_is_undefined_is_not_applicable_and_never_0(
    run: Any, ttft: Any, total: Any, tokens: Any, reason: str
) -> None:
    found = latency(run, ttft, total, tokens)["tpot_ms"]
    assert (found.status, found.value, found.reason) == (Status.NOT_APPLICABLE, None, reason)


@pytest.mark.parametrize("axis", ["ttft_ms", "total_ms"])
@pytest.mark.parametrize("value", [None, -0.5, math.nan, -math.inf])
def test_a_time_that_cannot_be_is_not_applicable(run: Any, axis: str, value: float | None) -> None:
    found = run("latency", latency=Latency(**{axis: value}))[axis]
    assert (found.status, found.value) == (Status.NOT_APPLICABLE, None)
    assert axis in found.reason


@pytest.mark.parametrize(
    ("chunks", "gap"),
    [
        ("[100, 150, 200]", 50.0),
        ("[250.5, 260.5]", 10.0),
        ("[0, 10, 10, 40]", 40 / 3),
        ('["100", "130"]', 30.0),
        ("[1795078800244.0, 1795078800264.0, 1795078800344.0]", 50.0),
        ("[5, 5, 5]", 0.0),
    ],
)
def test_inter_token_latency_is_the_mean_gap(run: Any, chunks: str, gap: float) -> None:
    assert latency(run, chunks=chunks)["itl_ms"].value == pytest.approx(gap, rel=1e-12)


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ("", "the trace has no attribute 'judgefleet.chunk_times_ms'"),
        ("[]", "has 0 of the times"),
        ("[100]", "no gap: judgefleet.chunk_times_ms has 1 of the times"),
        ("[100, 90]", "none before the last"),
        ("[100, null]", "a JSON list of milliseconds"),
        ("[-5, 10]", "a JSON list"),
        ("[1, NaN]", "a JSON list"),
        ("[1, true]", "a JSON list"),
        ("fast", "is 'fast'; a JSON list"),
        ('{"a": 1}', "a JSON list"),
        ("[100, 200", "a JSON list"),
        ("[" * 500_000, "a JSON list"),
        ("\x00\ud800", "a JSON list"),
        ("1" * 2_000_000, "a JSON list"),
    ],
)
def test_chunk_times_that_say_nothing(run: Any, chunks: str, said: str) -> None:
    found = latency(run, chunks=chunks)["itl_ms"]
    assert (found.status, found.value) == (Status.NOT_APPLICABLE, None)
    assert said in found.reason
    found.reason.encode()


def test_chunk_times_by_another_name(run: Any) -> None:
    attributes = {"token_times": json.dumps([1, 3]), CHUNKS: "[1, 100]"}
    found = run("latency", {"chunk_times": "token_times"}, attributes=attributes)["itl_ms"]
    assert (found.value, found.reason) == (2.0, "mean of 1 gaps in token_times")


def test_what_it_says_about_itself() -> None:
    info = create_scorer("latency").info
    assert info.axes == ("ttft_ms", "total_ms", "tpot_ms", "itl_ms")
    assert (info.kind, info.direction, info.needs) == (ScorerKind.CODE, Direction.LOWER, frozenset())
    assert info.fingerprint != create_scorer("latency", None, {"chunk_times": "other"}).info.fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chunk_times": ""}, "chunk_times: found ''"),
        ({"chunks": "x"}, "did you mean 'chunk_times'"),
        ([], "a mapping"),
    ],
)
def test_bad_options(options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("latency", None, options)
