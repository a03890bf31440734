"""Finds what people left on an answer among the attributes of its trace."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.values import parsed

# As ``same_name`` writes them: user.feedback and User-Feedback are user_feedback.
NAMES = (
    "user_feedback",
    "feedback",
    "feedback_value",
    "feedback_score",
    "feedback_rating",
    "feedback_type",
    "user_rating",
    "rating",
    "star_rating",
    "stars",
    "thumbs",
    "thumb",
)
# Attributes with records of which each names its author or is called as one of NAMES.
RECORDS = ("gen_ai.evaluation.result", "score", "scores", "annotations", "evaluations")
_HUMAN = frozenset({"human", "annotation", "user", "end_user"})
_AUTHOR = ("annotator_kind", "source", "source_type", "author")
_NAME = ("gen_ai.evaluation.name", "name")
_VALUE = ("gen_ai.evaluation.score.value", "value", "string_value", "score", "rating", "stars", "thumbs", "type")
_LABEL = ("gen_ai.evaluation.score.label", "label")
_FLAT = re.compile(r"(?:trace\.)?((?:annotations|evaluations)\.\d{1,4})\.(?:annotation|evaluation)\.(\w{1,40})")
_LONGEST_JSON = 100_000
_LONGEST_NAME = 100
_LONGEST_HINTS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One piece of feedback: the attribute, its value, and the words beside it that may tell a thumb from a rating."""

    where: str
    value: Any
    hints: str = ""


def same_name(name: str) -> str:
    """``name`` in lower case with ``_`` for dots, hyphens and blanks.

    >>> same_name("User-Feedback")
    'user_feedback'
    """
    return re.sub(r"[-.\s]+", "_", name.lower())


def find_feedback(attributes: Mapping[str, str], wanted: str | None) -> list[Found]:
    """All feedback in ``attributes``, what counts most last: in ``wanted`` alone, or where it is usually found.

    >>> find_feedback({"feedback": '{"rating": true, "comment": "Thanks"}'}, None)
    [Found(where='feedback', value=True, hints='feedback rating')]
    """
    if wanted is not None:
        return list(_in_attribute(wanted, attributes[wanted])) if attributes.get(wanted) else []
    records = [found for record in _records(attributes) for found in _of_people(*record)]
    named = {same_name(key): key for key in attributes if len(key) <= _LONGEST_NAME and attributes[key]}
    keys = [named[name] for name in reversed(NAMES) if name in named]
    return records + [found for key in keys for found in _in_attribute(key, attributes[key])]


def _in_attribute(key: str, text: str) -> Iterator[Found]:
    """Everything in the attribute is feedback, whoever is said to have given it."""
    value = _value(text)
    for entry in value if isinstance(value, list) else [value]:
        yield from _in_record(key, entry) if isinstance(entry, Mapping) else (Found(where=key, value=entry, hints=key),)


def _in_record(key: str, record: Mapping[str, Any]) -> Iterator[Found]:
    """The value that the record gives, else its label."""
    given = [n for n in (*_VALUE, *_LABEL) if isinstance(record.get(n), str | bool | int | float) and record[n] != ""]
    beside = [str(record[n]) for n in (*_NAME, *_LABEL, "data_type") if isinstance(record.get(n), str)]
    hints = " ".join([key, *given[:1], *beside])[:_LONGEST_HINTS]
    yield Found(where=key, value=record[given[0]] if given else None, hints=hints)


def _records(attributes: Mapping[str, str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key in RECORDS:
        value = _value(attributes.get(key, ""))
        entries = value if isinstance(value, list) else [value]
        yield from ((key, entry) for entry in entries if isinstance(entry, Mapping))
    flat: dict[str, dict[str, Any]] = {}
    for key, text in attributes.items():
        if len(key) <= _LONGEST_NAME and (found := _FLAT.fullmatch(key)):
            flat.setdefault(found[1], {})[found[2]] = text
    yield from flat.items()
    flat_otel = {key: attributes[key] for key in (_NAME[0], _VALUE[0], _LABEL[0]) if key in attributes}
    if flat_otel:
        yield "gen_ai.evaluation", flat_otel


def _of_people(key: str, record: Mapping[str, Any]) -> Iterator[Found]:
    """The record where a person left it: an evaluation by a judge has the same form."""
    authors = {str(record[n]).lower() for n in _AUTHOR if isinstance(record.get(n), str)}
    names = {same_name(str(record[n])[:_LONGEST_NAME]) for n in _NAME if isinstance(record.get(n), str)}
    if authors & _HUMAN or (not authors - {"api"} and names & set(NAMES)):
        yield from _in_record(key, record)


def _value(text: str) -> Any:
    try:
        return parsed(text, "") if len(text) <= _LONGEST_JSON else text
    except UnreadableError:
        return text
