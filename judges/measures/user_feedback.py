"""user_feedback: what the people who got the answer thought of it."""

import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import Direction, ScorerKind
from judgefleet.trace import Trace
from judges.checks.base import quoted, readable
from judges.measures.base import Measure, measure_info, unknown
from judges.measures.feedback_found import Found, find_feedback
from judges.measures.feedback_values import (
    OffScaleError,
    UnreadableFeedbackError,
    is_number,
    kind_of,
    read_rating,
    read_thumb,
)

AXES = {"thumbs": ("thumbs",), "rating": ("rating",), "auto": ("thumbs", "rating")}
_HINTS = {
    "thumbs": re.compile(r"thumb|\bboolean\b", re.I),
    "rating": re.compile(r"rating|(?:\b|_)stars?(?:\b|_)", re.I),
}


class UserFeedback(Measure):
    """Feedback on the trace: thumbs as 1.0 (label ``up``) and 0.0 (``down``), ratings as their number. Of kind HUMAN.

    It is looked for in attributes called ``user_feedback``, ``feedback``, ``feedback_value``, ``feedback_score``,
    ``feedback_rating``, ``feedback_type``, ``user_rating``, ``rating``, ``star_rating``, ``stars``, ``thumbs`` or
    ``thumb`` (dots, hyphens and capitals make no difference), as a value or as a JSON record with ``value``, ``score``,
    ``rating`` or the like. Records under ``score``, ``scores``, ``annotations``, ``evaluations`` (Langfuse), flattened
    ``annotations.N.annotation.*`` (OpenInference) and ``gen_ai.evaluation.result`` (OpenTelemetry) count where a person
    is their author (``annotator_kind: HUMAN``, ``source: ANNOTATION``) or their name is one of those above: a judge's
    evaluation has the same form. Where there are several the last counts.

    A thumb is a word (up, like, positive, yes), a picture, true or false; 1, and 0 or -1 for down. A rating is a number
    on ``scale``, "4/5", "4 stars" or stars. Since 1 may be a thumb or the worst rating, ``auto`` reads a bare number
    only where a name beside it says thumb or rating; else it is unparsed, and ``kind`` settles it. A rating outside the
    scale is off_scale.

    >>> from judgefleet.sample import Sample
    >>> traces = [Trace(trace_id="t", attributes={"feedback": v}) for v in ("thumbs_down", "4/5", "1")]
    >>> samples = [Sample(trace=t, stratum="all", inclusion_probability=1.0, plan_hash="p") for t in traces]
    >>> down, rated, unclear = UserFeedback("liked", UserFeedback.Options()).score(samples)
    >>> down["thumbs"].value, down["thumbs"].label, rated["rating"].value
    (0.0, 'down', 4.0)
    >>> unclear["thumbs"].status.value, down["rating"].reason
    ('unparsed', "feedback is 'thumbs_down', which is no rating")
    """

    VALUE = "thumbs: 1.0 up, 0.0 down; rating: a number on the scale"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``attribute`` is the only one looked at, by its exact name; whatever stands there is feedback. ``kind``
        says what the feedback is: ``thumbs`` or ``rating`` (one axis of that name), or ``auto`` (both). ``scale`` has
        the lowest and the highest rating."""

        attribute: str | None = Field(default=None, min_length=1)
        kind: Literal["thumbs", "rating", "auto"] = "auto"
        scale: tuple[float, float] = (1.0, 5.0)

        @model_validator(mode="after")
        def _in_order(self) -> Self:
            low, high = self.scale
            if not -1e9 < low < high < 1e9:
                raise ValueError(
                    f"found the scale {list(self.scale)}; the lowest rating, then a higher one belong here"
                )
            return self

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self.info = measure_info(
            name,
            use="user_feedback",
            axes=AXES[options.kind],
            config=options.model_dump(mode="json"),
            direction=Direction.HIGHER,
            kind=ScorerKind.HUMAN,
        )

    def measure(self, trace: Trace) -> Mapping[str, Outcome]:
        """The last feedback that each axis can read, else why there is none."""
        found = find_feedback(trace.attributes, self.options.attribute)
        return {axis: self._axis(axis, found) for axis in self.info.axes}

    def _axis(self, axis: str, found: list[Found]) -> Outcome:
        outcomes = [self._read(axis, entry) for entry in found]
        for wanted in (Status.OK, Status.OFF_SCALE, Status.UNPARSED, Status.NOT_APPLICABLE):
            if mine := [outcome for outcome in outcomes if outcome.status is wanted]:
                return mine[-1]
        where = f"attribute {self.options.attribute!r}" if self.options.attribute else "feedback"
        return unknown(f"the trace has no {where}")

    def _read(self, axis: str, found: Found) -> Outcome:
        shown = f"{found.where} is {quoted(str(found.value))}"
        kind = self._kind(found)
        if kind is None:
            return _unreadable(Status.UNPARSED, f"{shown}: {_why(found)}")
        if kind != axis:
            return unknown(f"{shown}, which is no {'thumb' if axis == 'thumbs' else 'rating'}")
        try:
            return self._outcome(axis, found, shown)
        except UnreadableFeedbackError as error:
            return _unreadable(Status.UNPARSED, f"{shown}: {error}")
        except OffScaleError as error:
            return _unreadable(Status.OFF_SCALE, f"{shown}: {error}")

    def _kind(self, found: Found) -> str | None:
        if self.options.kind != "auto":
            return self.options.kind
        hinted = [kind for kind, words in _HINTS.items() if is_number(found.value) and words.search(found.hints)]
        return kind_of(found.value) or (hinted[0] if hinted else None)

    def _outcome(self, axis: str, found: Found, shown: str) -> Outcome:
        if axis == "thumbs":
            up = read_thumb(found.value)
            return Outcome(value=float(up), label="up" if up else "down", reason=readable(shown))
        rating = read_rating(found.value, *self.options.scale)
        return Outcome(value=rating, label=f"{rating:g}", reason=readable(f"{shown}, on the scale {self._scale}"))

    @property
    def _scale(self) -> str:
        return "from {:g} to {:g}".format(*self.options.scale)


def _unreadable(status: Status, reason: str) -> Outcome:
    return failure(status, readable(reason))


def _why(found: Found) -> str:
    if is_number(found.value):
        return "a bare number may be a thumb or a rating; set the option kind to thumbs or rating"
    return "neither a thumb nor a rating"
