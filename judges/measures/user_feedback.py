"""user_feedback: what the people who got the answer thought of it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import Direction, ScorerKind
from judgefleet.trace import Trace
from judges.checks.base import readable
from judges.measures.base import Measure, measure_info, unknown
from judges.measures.feedback_found import find_feedback
from judges.measures.feedback_piece import Found
from judges.measures.feedback_values import OffScaleError, UnreadableFeedbackError

AXES = {"thumbs": ("thumbs",), "rating": ("rating",), "auto": ("thumbs", "rating")}


class UserFeedback(Measure):
    """Feedback on the trace: thumbs as 1.0 (label ``up``) and 0.0 (``down``), ratings as their number. Of kind HUMAN.

    It is looked for in the attributes of the trace called ``user_feedback``, ``feedback``, ``feedback_value``,
    ``feedback_score``, ``feedback_rating``, ``feedback_type``, ``user_rating``, ``rating``, ``star_rating``, ``stars``,
    ``thumbs`` or ``thumb`` (dots, hyphens, underscores and capitals make no difference), also as keys of ``metadata``
    (Langfuse), as a value or as a JSON record with ``value``, ``score``, ``rating``, ``label`` or the like. Records
    under ``score``, ``scores``, ``annotations``, ``evaluations`` (Langfuse), flattened ``annotations.N.annotation.*``
    (OpenInference) and ``gen_ai.evaluation.result`` (OpenTelemetry) count where they are called as one of those above,
    or where a person is their author (``annotator_kind: HUMAN``, ``source: ANNOTATION``) and their name, if they have
    one, says feedback and no more: whole words such as thumb, rating, feedback, like, vote, star, csat, helpful and
    satisfaction, beside words such as user and answer; a "difficulty rating" is a grade. A record whose author is an
    LLM, code or an evaluator is none. Attributes are those of the root and the answering span: what stands on another
    span of the trace is not seen.

    Where there are several the last counts: by time where each has one (``timestamp``, ``created_at``, ``updated_at``),
    else as they are listed, records before attributes. A later null under the same name takes feedback back. Where
    nothing is left it is not applicable.

    A thumb is a word (up, like, positive), a picture, true or false, yes or no; 1, and 0 or -1 for down. A label or a
    name that is a thumb ("thumbs_down") decides over the number beside it; where they contradict it is unparsed, also a
    0 or false under such a name, since the other thumb may not be meant (under ``attribute`` a no to "thumbs_up" is
    down). A rating is a number on ``scale``, "4/5", "4 stars" or stars. Since 1 may be a thumb or the worst rating,
    ``auto`` reads a bare number only where a name beside it says thumb or rating; else it is unparsed, and ``kind``
    settles it. A rating outside the scale is off_scale.

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
        """``attribute`` is the only one looked at, by its exact name; whatever stands there is feedback, unless a
        machine is its author. ``kind`` says what the feedback is: ``thumbs`` or ``rating`` (one axis of that name), or
        ``auto`` (both); what its name says to be the other is left out, except under ``attribute``. ``scale`` has the
        lowest and the highest rating. ``names`` are exact names of records that are feedback besides."""

        attribute: str | None = Field(default=None, min_length=1)
        kind: Literal["thumbs", "rating", "auto"] = "auto"
        scale: tuple[float, float] = (1.0, 5.0)
        names: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()

        @model_validator(mode="after")
        def _in_order(self) -> Self:
            low, high = self.scale
            if not -1e9 < low < high < 1e9:
                belongs = "the lowest rating, then a higher one, both between -1e9 and 1e9, belong here"
                raise ValueError(f"found the scale {list(self.scale)}; {belongs}")
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
        found = find_feedback(trace.attributes, self.options.attribute, self.options.names)
        return {axis: self._axis(axis, found) for axis in self.info.axes}

    def _axis(self, axis: str, found: Iterable[Found]) -> Outcome:
        outcomes = [self._read(axis, piece) for piece in found]
        for wanted in (Status.OK, Status.OFF_SCALE, Status.UNPARSED, Status.NOT_APPLICABLE):
            if mine := [outcome for outcome in outcomes if outcome.status is wanted]:
                return mine[-1]
        exact = self.options.attribute
        return unknown(
            f"the trace has no attribute {exact!r}" if exact else "the trace has no feedback among its attributes"
        )

    def _read(self, axis: str, piece: Found) -> Outcome:
        if piece.no:
            return unknown(str(piece))
        kind = self._kind(piece)
        if kind is None:
            return _unreadable(Status.UNPARSED, f"{piece}: {_why(piece)}")
        if kind != axis:
            return unknown(f"{piece}, which is no {'thumb' if axis == 'thumbs' else 'rating'}")
        try:
            return self._outcome(axis, piece)
        except UnreadableFeedbackError as error:
            return _unreadable(Status.UNPARSED, f"{piece}: {error}")
        except OffScaleError as error:
            return _unreadable(Status.OFF_SCALE, f"{piece}: {error}")

    def _kind(self, piece: Found) -> str | None:
        """What the option says, unless a name says the other and nothing contradicts it."""
        if self.options.kind == "auto":
            return piece.kind
        named = None if self.options.attribute else piece.named
        return named if named and piece.kind in (named, None) else self.options.kind

    def _outcome(self, axis: str, piece: Found) -> Outcome:
        if axis == "thumbs":
            up = piece.thumb(exact=self.options.attribute is not None)
            return Outcome(value=float(up), label="up" if up else "down", reason=readable(str(piece)))
        rating = piece.rating(*self.options.scale)
        scale = "from {:g} to {:g}".format(*self.options.scale)
        return Outcome(value=rating, label=f"{rating:g}", reason=readable(f"{piece}, on the scale {scale}"))


def _unreadable(status: Status, reason: str) -> Outcome:
    return failure(status, readable(reason))


def _why(piece: Found) -> str:
    if piece.is_number:
        return "a bare number may be a thumb or a rating; set the option kind to thumbs or rating"
    return "neither a thumb nor a rating"
