import json
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.scorer import Direction, ScorerKind
from judges.catalogue import create_scorer

OTEL = "gen_ai.evaluation.result"


def both(run: Any, options: dict[str, Any] | None = None, /, **attributes: str) -> Any:
    return run("user_feedback", options, attributes=attributes)


@pytest.mark.parametrize(
    ("attributes", "value"),
    [
        ({"user_feedback": "up"}, 1.0),
        ({"user_feedback": "thumbs_down"}, 0.0),
        ({"user.feedback": "Thumbs Up"}, 1.0),
        ({"User-Feedback": "thumbs-down"}, 0.0),
        ({"feedback": "👍"}, 1.0),
        ({"feedback": "👎🏿"}, 0.0),
        ({"feedback": " LIKED "}, 1.0),
        ({"feedback": "not helpful"}, 0.0),
        ({"feedback": "true"}, 1.0),
        ({"feedback.value": "false"}, 0.0),
        ({"thumbs": "1"}, 1.0),
        ({"thumbs": "0"}, 0.0),
        ({"thumb": "-1"}, 0.0),
        ({"thumbs": "1.0"}, 1.0),
        ({"feedback": '{"rating": true, "comment": "Thanks!"}'}, 1.0),
        ({"feedback": '{"type": "negative"}'}, 0.0),
        ({"feedback": '{"thumbs": 1}'}, 1.0),
        ({"feedback": '{"value": 0, "data_type": "BOOLEAN"}'}, 0.0),
        ({"feedback": '{"value": 1, "label": "thumbs_up"}'}, 1.0),
        ({"feedback": '["up", "down"]'}, 0.0),
        ({"feedback": "down", "user_feedback": "up"}, 1.0),
        ({"scores": '[{"name": "user-feedback", "value": 1, "data_type": "BOOLEAN", "source": "API"}]'}, 1.0),
        ({"scores": '[{"name": "tone", "value": null, "string_value": "good", "source": "ANNOTATION"}]'}, 1.0),
        ({"score": '{"name": "thumbs", "value": 0}'}, 0.0),
        ({OTEL: '[{"gen_ai.evaluation.name": "feedback", "gen_ai.evaluation.score.label": "up"}]'}, 1.0),
        ({"gen_ai.evaluation.name": "user_feedback", "gen_ai.evaluation.score.label": "down"}, 0.0),
        (
            {
                "annotations.0.annotation.name": "tone",
                "annotations.0.annotation.label": "negative",
                "annotations.0.annotation.annotator_kind": "HUMAN",
            },
            0.0,
        ),
    ],
)
def test_thumbs(run: Any, attributes: dict[str, str], value: float) -> None:
    found = both(run, **attributes)
    assert (found["thumbs"].value, found["thumbs"].label) == (value, "up" if value else "down")
    assert found["rating"].status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("attributes", "value", "label"),
    [
        ({"rating": "4"}, 4.0, "4"),
        ({"user_rating": "3.5"}, 3.5, "3.5"),
        ({"stars": "1"}, 1.0, "1"),
        ({"feedback": "4/5"}, 4.0, "4"),
        ({"feedback": "2 out of 5"}, 2.0, "2"),
        ({"feedback": "5 stars"}, 5.0, "5"),
        ({"feedback": "★★★★☆"}, 4.0, "4"),
        ({"feedback": "⭐⭐"}, 2.0, "2"),
        ({"feedback": "4,5 of 5"}, 4.5, "4.5"),
        ({"feedback": '{"rating": 2, "comment": "slow"}'}, 2.0, "2"),
        ({"feedback": '{"score": 3, "name": "star_rating"}'}, 3.0, "3"),
        (
            {"scores": '[{"name": "rating", "value": 5}, {"name": "accuracy", "value": 0.1, "source": "EVAL"}]'},
            5.0,
            "5",
        ),
        ({"evaluations": '[{"name": "rating", "score": "4", "annotator_kind": "HUMAN"}]'}, 4.0, "4"),
        ({"gen_ai.evaluation.name": "rating", "gen_ai.evaluation.score.value": "2"}, 2.0, "2"),
        ({OTEL: '[{"gen_ai.evaluation.name":"rating","gen_ai.evaluation.score.value":4}]'}, 4.0, "4"),
    ],
)
def test_ratings(run: Any, attributes: dict[str, str], value: float, label: str) -> None:
    found = both(run, **attributes)
    assert (found["rating"].value, found["rating"].label) == (value, label)
    assert found["thumbs"].status is Status.NOT_APPLICABLE


@pytest.mark.parametrize("number", ["1", "0", "-1", "3", "4.5"])
def test_a_bare_number_under_a_neutral_name_is_not_guessed(run: Any, number: str) -> None:
    found = both(run, feedback=number)
    assert {o.status for o in found.values()} == {Status.UNPARSED}
    assert "may be a thumb or a rating; set the option kind" in found["thumbs"].reason


@pytest.mark.parametrize(
    ("options", "text", "status", "value"),
    [
        ({"kind": "thumbs"}, "1", Status.OK, 1.0),
        ({"kind": "thumbs"}, "0", Status.OK, 0.0),
        ({"kind": "thumbs"}, "-1", Status.OK, 0.0),
        ({"kind": "thumbs"}, "4", Status.UNPARSED, None),
        ({"kind": "thumbs"}, "4/5", Status.UNPARSED, None),
        ({"kind": "rating"}, "1", Status.OK, 1.0),
        ({"kind": "rating"}, "0", Status.OFF_SCALE, None),
        ({"kind": "rating"}, "6", Status.OFF_SCALE, None),
        ({"kind": "rating"}, "8/10", Status.OFF_SCALE, None),
        ({"kind": "rating", "scale": [1, 10]}, "8/10", Status.OK, 8.0),
        ({"kind": "rating", "scale": [0, 1]}, "0.25", Status.OK, 0.25),
        ({"kind": "rating", "scale": [1, 10]}, "★★★☆☆", Status.OFF_SCALE, None),
        ({"kind": "rating"}, "up", Status.UNPARSED, None),
        ({"kind": "rating"}, "true", Status.UNPARSED, None),
        ({"kind": "auto"}, "great, thank you", Status.UNPARSED, None),
        ({"kind": "auto"}, '{"comment": "great"}', Status.UNPARSED, None),
        ({"kind": "auto"}, "{}", Status.UNPARSED, None),
        ({"kind": "auto"}, "nan", Status.UNPARSED, None),
        ({"kind": "auto"}, "null", Status.UNPARSED, None),
    ],
)
def test_kind_and_scale(run: Any, options: dict[str, Any], text: str, status: Status, value: float | None) -> None:
    found = both(run, options, feedback=text)
    first = next(iter(found.values()))
    assert (first.status, first.value) == (status, value)
    assert first.reason


def test_a_judges_evaluation_is_no_feedback(run: Any) -> None:
    found = both(
        run,
        scores='[{"name": "rating", "value": 4, "source": "EVAL"}, {"name": "helpful", "value": 1, "source": "API"}]',
        score="0.7",
        **{
            OTEL: '[{"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 4}]',
            "evaluations.0.evaluation.name": "rating",
            "evaluations.0.evaluation.score": "4",
            "evaluations.0.evaluation.annotator_kind": "LLM",
        },
    )
    assert {(o.status, o.reason) for o in found.values()} == {(Status.NOT_APPLICABLE, "the trace has no feedback")}


def test_one_attribute_by_its_exact_name(run: Any) -> None:
    options = {"attribute": "score", "kind": "thumbs"}
    assert both(run, options, score="1", feedback="down")["thumbs"].value == 1.0
    missing = both(run, options, Score="1", feedback="down")["thumbs"]
    assert (missing.status, missing.reason) == (Status.NOT_APPLICABLE, "the trace has no attribute 'score'")


def test_a_thumb_and_a_rating_each_have_their_axis(run: Any) -> None:
    found = both(run, thumbs="up", rating="2")
    assert (found["thumbs"].value, found["rating"].value) == (1.0, 2.0)


@pytest.mark.parametrize(
    "text",
    [
        "\x00\ud800",
        "x" * 1_000_000,
        "[" * 1_000_000,
        '[{"value": ' + "9" * 5000 + "}]",
        json.dumps([{"value": [[]], "name": {"a": 1}}]),
        "9" * 1_000_000,
        "★" * 1_000_000,
        "[1, [2], null, {}]",
        '{"value": 1e999}',
        '{"value": NaN}',
        "1" + " " * 999_999 + "/",
    ],
)
def test_hostile_feedback_ends_in_a_row_with_a_reason(run: Any, text: str) -> None:
    for name in ("feedback", "scores", OTEL, "annotations.0.annotation.score", "x" * 1000):
        for outcome in both(run, **{name: text}).values():
            assert outcome.status in (Status.UNPARSED, Status.NOT_APPLICABLE)
            assert 0 < len(outcome.reason) <= 400
            outcome.reason.encode()


def test_what_it_says_about_itself() -> None:
    info = create_scorer("user_feedback").info
    assert (info.kind, info.direction, info.needs) == (ScorerKind.HUMAN, Direction.HIGHER, frozenset())
    assert info.axes == ("thumbs", "rating")
    assert create_scorer("user_feedback", None, {"kind": "rating"}).info.axes == ("rating",)
    wider = create_scorer("user_feedback", None, {"scale": [1, 10]}).info
    assert wider.fingerprint != info.fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "stars"}, "kind: found 'stars'"),
        ({"scale": [5, 1]}, r"found the scale \[5.0, 1.0\]"),
        ({"scale": [1, float("inf")]}, "found the scale"),
        ({"scale": [1]}, "scale"),
        ({"attribute": ""}, "attribute: found ''"),
        ({"attributes": ["x"]}, "did you mean 'attribute'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("user_feedback", None, options)
