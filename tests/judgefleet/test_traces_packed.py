"""Spans through bytes, and JSON through the faster of two readers: nothing is changed by it."""

import json
import math
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgefleet.traces.packed import packed, unpacked
from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.span import Span, SpanEvent
from judgefleet.traces.values import as_text, loads

TEXTS = st.text(st.characters(codec=None))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(TEXTS, VALUES, max_size=4)
SPANS = st.builds(
    Span,
    trace_id=TEXTS,
    span_id=TEXTS,
    parent_id=st.none() | TEXTS,
    start_ns=st.none() | st.integers(0, 2**70),
    attributes=ATTRIBUTES,
    resource=ATTRIBUTES,
    events=st.lists(st.builds(SpanEvent, name=TEXTS, attributes=ATTRIBUTES), max_size=2).map(tuple),
    status=st.sampled_from([None, "OK", "ERROR"]),
    of_log=st.booleans(),
)


@given(st.lists(SPANS, min_size=1, max_size=3))
def test_spans_come_back_as_they_were(spans: list[Span]) -> None:
    # NaN is no value that equals itself.
    assert repr(unpacked(packed(spans))) == repr(spans)


WHEN = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("value", [2**80, "\ud800", b"\xff\x00", WHEN, timedelta(seconds=5), WHEN.timetz(), {1, 2}])
def test_what_json_has_no_form_for_reads_the_same(value: Any, nested: bool) -> None:
    given = {"a": [value, {"b": value}]} if nested else {"a": value}
    [span] = unpacked(packed([Span(trace_id="t", span_id="s", attributes=given)]))
    assert as_text(span.attributes["a"]) == as_text(given["a"]) or (isinstance(value, set) and not nested)


@given(VALUES, st.booleans())
def test_json_reads_as_pythons_own_reader_reads_it(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert repr(loads(text)) == repr(json.loads(text))


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "1e999", '"\\ud800"', '"\ud800"'])
def test_what_python_reads_beyond_the_standard(text: str) -> None:
    assert repr(loads(text)) == repr(json.loads(text))


@pytest.mark.parametrize("text", ["[1,]", "01", "", "{", '"\x01"', "[1] x", "-", "\ud800"])
def test_what_is_no_json_is_told_in_pythons_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as told:
        json.loads(text)
    with pytest.raises(UnreadableError, match=re.escape(str(told.value))):
        loads(text)


def test_bytes_stay_bytes() -> None:
    [span] = unpacked(packed([Span(trace_id="t", span_id="s", attributes={"a": b"\xff", "b": math.inf})]))
    assert span.attributes == {"a": b"\xff", "b": math.inf}
