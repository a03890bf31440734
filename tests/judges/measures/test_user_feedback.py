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
        ({"scores": '[{"name": "helpful", "value": null, "string_value": "good", "source": "ANNOTATION"}]'}, 1.0),
        ({"score": '{"name": "thumbs", "value": 0}'}, 0.0),
        ({OTEL: '[{"gen_ai.evaluation.name": "feedback", "gen_ai.evaluation.score.label": "up"}]'}, 1.0),
        ({"gen_ai.evaluation.name": "user_feedback", "gen_ai.evaluation.score.label": "down"}, 0.0),
        (
            {
                "annotations.0.annotation.name": "user satisfaction",
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
        ({"kind": "auto"}, '{"thumbs_down": true}', Status.UNPARSED, None),
        ({"kind": "auto"}, "{}", Status.NOT_APPLICABLE, None),
        ({"kind": "auto"}, "[]", Status.NOT_APPLICABLE, None),
        ({"kind": "auto"}, "NaN", Status.NOT_APPLICABLE, None),
        ({"kind": "auto"}, "null", Status.NOT_APPLICABLE, None),
        ({"kind": "auto"}, '{"rating": null}', Status.NOT_APPLICABLE, None),
        ({"kind": "auto"}, '{"value": NaN, "name": "thumbs"}', Status.NOT_APPLICABLE, None),
        ({"kind": "rating"}, '{"rating": null}', Status.NOT_APPLICABLE, None),
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
    assert {o.status for o in found.values()} == {Status.NOT_APPLICABLE}
    assert {o.reason for o in both(run, output="up").values()} == {"the trace has no feedback among its attributes"}


@pytest.mark.parametrize(
    ("record", "value"),
    [
        ({"name": "thumbs_down", "score": 1}, 0.0),
        ({"name": "thumbsDown", "score": 1.0}, 0.0),
        ({"name": "user-thumbs-down", "value": True}, 0.0),
        ({"name": "thumbs_down", "score": -1}, 0.0),
        ({"name": "dislike", "value": True}, 0.0),
        ({"name": "not helpful", "value": "yes"}, 0.0),
        ({"name": "thumbs_up", "score": 1}, 1.0),
        ({"name": "like", "value": 1}, 1.0),
        ({"name": "helpful", "value": False}, 0.0),
        ({"label": "thumbs-down", "score": 1}, 0.0),
        ({"label": "thumbs-down", "score": 0}, 0.0),
        ({"label": "👎", "score": 0.9}, 0.0),
        ({"label": "👍", "score": 1}, 1.0),
        ({"label": "👍", "score": 1, "name": "rating"}, 1.0),
        ({"label": "positive", "value": 1}, 1.0),
        ({"value": 0, "string_value": "down"}, 0.0),
        ({"value": 0, "stringValue": "down", "dataType": "CATEGORICAL"}, 0.0),
        ({"value": 1, "dataType": "BOOLEAN"}, 1.0),
        ({"value": 1, "type": "thumbs"}, 1.0),
        ({"value": 1, "type": "thumbs_down"}, 0.0),
        ({"name": "thumbs_up_or_down", "value": 0}, 0.0),
    ],
)
def test_a_name_or_a_label_that_is_a_thumb_decides(run: Any, record: dict[str, Any], value: float) -> None:
    for attribute in ("feedback", "annotations"):
        found = both(run, **{attribute: json.dumps([record | {"annotator_kind": "HUMAN"}])})
        assert (found["thumbs"].value, found["rating"].value) == (value, None), attribute


@pytest.mark.parametrize(
    "record",
    [
        {"name": "thumbs_down", "value": "up"},
        {"name": "thumbs_down", "label": "👍", "score": 1},
        {"name": "thumbs_down", "value": False},
        {"name": "thumbs_down", "score": 0},
        {"name": "thumbs_up", "score": 0},
        {"label": "thumbs_up", "score": 0},
        {"label": "positive", "value": False},
        {"label": "down", "string_value": "up"},
        {"value": True, "score": 0},
    ],
)
def test_a_contradiction_is_unparsed(run: Any, record: dict[str, Any]) -> None:
    found = both(run, feedback=json.dumps(record))["thumbs"]
    assert (found.status, found.value) == (Status.UNPARSED, None)
    assert "up and down" in found.reason or "may not be meant" in found.reason


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("thumbs_up", "0", 0.0), ("liked", "false", 0.0), ("thumbs_down", "1", 0.0), ("thumbs_down", "0", None)],
)
def test_an_attribute_that_is_called_as_a_thumb(run: Any, name: str, text: str, value: float | None) -> None:
    assert both(run, {"attribute": name, "kind": "thumbs"}, **{name: text})["thumbs"].value == value


@pytest.mark.parametrize(
    ("record", "rating"),
    [
        ({"name": "rating", "value": 2, "label": "bad"}, 2.0),
        ({"rating": 4, "score": 0.8}, 4.0),
        ({"score": 4, "type": "rating"}, 4.0),
        ({"score": 4, "feedback_type": "star-rating"}, 4.0),
        ({"rating": 3.3333333333333335}, 3.3333333333333335),
        ({"value": 4, "stringValue": "4/5"}, 4.0),
    ],
)
def test_a_rating_beside_other_words(run: Any, record: dict[str, Any], rating: float) -> None:
    found = both(run, feedback=json.dumps(record))
    assert (found["thumbs"].value, found["rating"].value) == (None, rating)


@pytest.mark.parametrize(
    ("options", "text", "value"),
    [
        ({}, "3.3333333333333335", 3.3333333333333335),
        ({"scale": [0, 1]}, "0.6666666666666666", 0.6666666666666666),
        ({"scale": [-1, 1]}, "-0.3333333333333333", -0.3333333333333333),
        ({"scale": [0, 1]}, "5e-05", 5e-05),
        ({}, "3,3333333333333335 stars", 3.3333333333333335),
    ],
)
def test_a_mean_has_as_many_decimals_as_it_has(run: Any, options: dict[str, Any], text: str, value: float) -> None:
    assert both(run, options, rating=text)["rating"].value == value


@pytest.mark.parametrize(
    ("attributes", "rating", "thumb"),
    [
        ({"feedback_type": "rating", "feedback_value": "4"}, 4.0, None),
        ({"feedback_type": "thumbs", "feedback.value": "0"}, None, 0.0),
        ({"feedback_type": "rating", "thumbs": "1"}, None, 1.0),
        ({"feedback_type": "thumbs_down"}, None, 0.0),
        ({"metadata.user_feedback": "up"}, None, 1.0),
        ({"langfuse.trace.metadata.user_feedback": "up"}, None, 1.0),
        ({"metadata": '{"userFeedback":{"rating":2},"thumbs":true}'}, 2.0, 1.0),
        ({"metadata.user_feedback": "up", "user_feedback": "down"}, None, 0.0),
        ({"userRating": "4"}, 4.0, None),
    ],
)
def test_where_it_is_found(run: Any, attributes: dict[str, str], rating: float | None, thumb: float | None) -> None:
    found = both(run, **attributes)
    assert (found["rating"].value, found["thumbs"].value) == (rating, thumb)


@pytest.mark.parametrize(
    "name", ["hallucination", "toxic", "is_grounded", "difficulty rating", "generating", "thumbnail", "tone", "not"]
)
def test_what_a_person_says_on_a_criterion_is_no_feedback(run: Any, name: str) -> None:
    record = {"name": name, "value": 1, "data_type": "BOOLEAN", "source": "ANNOTATION"}
    found = both(run, scores=json.dumps([record]))["thumbs"]
    assert (found.status, found.reason) == (
        Status.NOT_APPLICABLE,
        f"scores[0] ({name}): a person left it, but its name says no feedback; the option names may list it",
    )
    before = [
        {"name": "user_rating", "value": 2, "source": "ANNOTATION"},
        {"name": "user thumb", "value": 0, "source": "ANNOTATION"},
    ]
    both_of_it = both(run, scores=json.dumps([*before, record]))
    assert (both_of_it["thumbs"].value, both_of_it["rating"].value) == (0.0, 2.0)
    listed = both(run, {"names": [name]}, scores=json.dumps([record]))
    assert listed["thumbs"].value == 1.0


@pytest.mark.parametrize(
    "name",
    [
        "user-feedback",
        "User Thumbs",
        "is_helpful",
        "customerSatisfaction",
        "csat",
        "Was this answer helpful?",
        "upvote",
    ],
)
def test_what_a_person_says_of_the_answer_is_feedback(run: Any, name: str) -> None:
    record = {"name": name, "value": True, "source": "ANNOTATION"}
    assert both(run, scores=json.dumps([record]))["thumbs"].value == 1.0
    assert both(run, scores=json.dumps([record | {"source": "EVAL"}]))["thumbs"].value is None


def test_names_count_without_an_author_but_not_by_a_judge(run: Any) -> None:
    record = {"name": "smile", "value": True}
    for options, more, value in (({}, {}, None), ({"names": ["smile"]}, {}, 1.0)):
        assert both(run, options, scores=json.dumps([record | more]))["thumbs"].value == value
    judged = json.dumps([record | {"annotator_kind": "LLM"}])
    assert both(run, {"names": ["smile"]}, scores=judged)["thumbs"].value is None


@pytest.mark.parametrize(
    "record",
    [
        {"annotator_kind": "LLM", "value": True},
        {"annotatorKind": "CODE", "value": True},
        {"source": {"source_type": "LLM_JUDGE"}, "value": True},
        {"source": {"sourceType": "CODE", "source_id": "x"}, "value": True},
        {"source": "EVAL", "value": True},
    ],
)
def test_a_verdict_of_a_machine_is_no_feedback_wherever_it_stands(run: Any, record: dict[str, Any]) -> None:
    for options in ({}, {"attribute": "feedback"}):
        found = both(run, options, feedback=json.dumps(record))["thumbs"]
        assert (found.status, found.reason) == (Status.NOT_APPLICABLE, "feedback: its author is no person")


@pytest.mark.parametrize("source", ["web", "user", "api", "slack", {"source_type": "HUMAN", "source_id": "ana"}, None])
def test_a_person_or_a_place_is_no_machine(run: Any, source: Any) -> None:
    assert both(run, feedback=json.dumps({"source": source, "value": True}))["thumbs"].value == 1.0


@pytest.mark.parametrize(
    ("option", "name", "text"), [("thumbs", "rating", "1"), ("thumbs", "stars", "1"), ("rating", "thumbs", "1")]
)
def test_kind_does_not_overrule_what_a_name_says(run: Any, option: str, name: str, text: str) -> None:
    found = both(run, {"kind": option}, **{name: text})[option]
    assert (found.status, found.value) == (Status.NOT_APPLICABLE, None)
    assert "which is no" in found.reason
    nested = both(run, {"kind": option}, feedback=json.dumps({name: int(text)}))[option]
    assert nested.status is Status.NOT_APPLICABLE
    exact = both(run, {"kind": option, "attribute": name}, **{name: text})[option]
    assert exact.value == 1.0


def flat(*numbered: tuple[int, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, score in numbered:
        begin = f"annotations.{number}.annotation."
        found |= {f"{begin}name": "thumbs", f"{begin}annotator_kind": "HUMAN", f"{begin}score": score}
    return found


@pytest.mark.parametrize(
    "attributes",
    [
        flat((1, "1"), (0, "0")),
        dict(sorted(flat(*((number, "0") for number in range(10)), (10, "1")).items())),
    ],
)
def test_the_last_of_numbered_annotations_counts(run: Any, attributes: dict[str, str]) -> None:
    assert both(run, **attributes)["thumbs"].value == 1.0


@pytest.mark.parametrize(
    ("entries", "value"),
    [
        ([{"value": True, "timestamp": "2026-01-02T00:00:00Z"}, {"value": False, "timestamp": "2026-01-01"}], 1.0),
        ([{"value": True, "created_at": 1767312000}, {"value": False, "createdAt": "2026-01-01T00:00:00Z"}], 1.0),
        ([{"value": True, "created_at": 1, "updated_at": 3}, {"value": False, "created_at": 2}], 1.0),
        ([{"value": True, "timestamp": "2026-01-02T00:00:00Z"}, {"value": False}], 0.0),
        ([{"value": True, "timestamp": "tomorrow"}, {"value": False, "timestamp": "2026-01-01"}], 0.0),
    ],
)
def test_the_last_is_the_last_in_time_where_all_have_one(run: Any, entries: Any, value: float) -> None:
    assert both(run, feedback=json.dumps(entries))["thumbs"].value == value


def test_a_person_counts_by_time_wherever_it_stands(run: Any) -> None:
    later = {"name": "thumbs", "value": 1, "timestamp": "2026-01-02", "source": "ANNOTATION"}
    other = {"name": "tone", "value": 1, "source": "ANNOTATION"}
    feedback = json.dumps({"value": False, "timestamp": "2026-01-01"})
    assert both(run, feedback=feedback, scores=json.dumps([later, other]))["thumbs"].value == 1.0


@pytest.mark.parametrize(
    ("entries", "value"),
    [
        ([{"value": True}, {"value": None}], None),
        ([True, None], None),
        ([{"value": None}, {"value": True}], 1.0),
        ([{"name": "thumbs", "value": True}, {"name": "rating", "value": None}], 1.0),
        ([{"value": None, "timestamp": "2026-01-02"}, {"value": True, "timestamp": "2026-01-01"}], None),
    ],
)
def test_what_was_taken_back_does_not_count(run: Any, entries: Any, value: float | None) -> None:
    found = both(run, feedback=json.dumps(entries))["thumbs"]
    assert (found.status is Status.NOT_APPLICABLE, found.value) == (value is None, value)


def test_nothing_in_one_place_does_not_take_back_what_stands_in_another(run: Any) -> None:
    assert both(run, feedback="{}", thumbs="up")["thumbs"].value == 1.0
    assert both(run, feedback="null", **flat((0, "1")))["thumbs"].value == 1.0


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        (flat((3, "1")), "annotations.3 (thumbs) is '1'"),
        ({"scores": '[{"name": "tone"}, {"name": "thumbs", "value": 0}]'}, "scores[1] (thumbs) is '0'"),
        ({"feedback": '{"label": "👍", "score": 1}'}, "feedback is '1', '👍'"),
        ({"feedback": "{}"}, "feedback: nothing was left, or it was taken back"),
        ({"feedback": '{"thumbs_down": true}'}, "feedback is '{\"thumbs_down\":true}': neither a thumb nor a rating"),
        ({"feedback": '{"comment": "great"}'}, 'feedback is \'{"comment":"great"}\': neither a thumb nor a rating'),
    ],
)
def test_a_reason_names_what_was_found(run: Any, attributes: dict[str, str], reason: str) -> None:
    assert both(run, **attributes)["thumbs"].reason == reason


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
    for name in ("feedback", "scores", OTEL, "metadata", "annotations.0.annotation.score", "x" * 1000):
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
        ({"scale": [0, 1e10]}, r"a higher one, both between -1e9 and 1e9"),
        ({"names": [""]}, "names.0"),
        ({"scale": [1]}, "scale"),
        ({"attribute": ""}, "attribute: found ''"),
        ({"attributes": ["x"]}, "did you mean 'attribute'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("user_feedback", None, options)
