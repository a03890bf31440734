"""Finds what people left on an answer among the attributes of its trace."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from judgefleet.traces.values import as_text, plain_value
from judges.measures.feedback_names import KNOWN, same_name, says_feedback
from judges.measures.feedback_piece import NOTHING, Found, in_order
from judges.measures.feedback_records import Record
from judges.measures.feedback_values import is_nothing, kind_of

# Attributes with records of which each names its author or is called as feedback is.
RECORDS = ("gen_ai.evaluation.result", "score", "scores", "annotations", "evaluations")
_FLAT_OTEL = ("gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label")
_FLAT = re.compile(r"(?:trace\.)?(annotations|evaluations)\.(\d{1,4})\.(?:annotation|evaluation)\.(\w{1,40})")
_METADATA = re.compile(r"^(?:langfuse\.)?(?:(?:trace|observation)\.)?metadata(?:\.|$)")
# What the attribute beside them, ``feedback_type``, may say the kind of.
_NEUTRAL = frozenset(map(same_name, ("user_feedback", "feedback", "feedback_value", "feedback_score")))
_TYPE = same_name("feedback_type")
_LONGEST_JSON = 100_000
_LONGEST_NAME = 100


def find_feedback(attributes: Mapping[str, str], wanted: str | None, names: Collection[str] = ()) -> list[Found]:
    """All feedback in ``attributes``, what counts most last: in ``wanted`` alone, or where it is usually found.

    ``names``: names of records that are feedback besides those that say so.

    >>> [(found.where, found.values) for found in find_feedback({"feedback": '[{"rating": true}, "up"]'}, None)]
    [('feedback[0]', (True,)), ('feedback[1]', ('up',))]
    """
    if wanted is not None:
        return in_order(_in_attribute(wanted, attributes[wanted])) if attributes.get(wanted) else []
    records = [found for where in _records(attributes) for found in _of_people(*where, names)]
    return in_order([*records, *_under_known_names(_with_metadata(attributes))])


def _under_known_names(attributes: Mapping[str, str]) -> Iterator[Found]:
    # Metadata comes first, so that of the same name the attribute itself is kept.
    keys = sorted((key for key in attributes if len(key) <= _LONGEST_NAME), key=lambda key: "metadata" not in key)
    named = {same_name(_bare(key)): key for key in keys if attributes[key]}
    sort = attributes[named[_TYPE]] if _TYPE in named else ""
    if kind_of(sort) is None:
        named.pop(_TYPE, None)
    for name in (name for name in reversed(KNOWN) if name in named):
        yield from _in_attribute(named[name], attributes[named[name]], *([sort] if name in _NEUTRAL else []))


def _bare(key: str) -> str:
    return _METADATA.sub("", key, count=1) if "metadata" in key else key


def _with_metadata(attributes: Mapping[str, str]) -> dict[str, str]:
    """``attributes``, and each key of a record of metadata as one of them."""
    whole = {key: _value(attributes[key]) for key in attributes if key.endswith("metadata") and not _bare(key)}
    inside = {(key, k): v for key, record in whole.items() if isinstance(record, Mapping) for k, v in record.items()}
    return {f"{key}.{name}": as_text(value) for (key, name), value in inside.items()} | dict(attributes)


def _in_attribute(key: str, text: str, *beside: str) -> Iterator[Found]:
    """Everything in the attribute is feedback, except what a machine is said to have given."""
    for where, entry in _entries(key, text):
        if isinstance(entry, Mapping):
            record = Record(entry)
            yield record.read(key, where, *beside, no="its author is no person" if record.by_machine else "")
        elif is_nothing(entry):
            yield Found(where=where, series=(key, ""), no=NOTHING)
        else:
            yield Found(where=where, series=(key, ""), values=(entry,), names=(key, *beside))


def _records(attributes: Mapping[str, str]) -> Iterator[tuple[str, str, Record]]:
    """The attribute of each record and where in it the record stands."""
    for key in RECORDS:
        found = _entries(key, attributes.get(key, ""))
        yield from ((key, where, Record(entry)) for where, entry in found if isinstance(entry, Mapping))
    flat: dict[tuple[str, int], dict[str, str]] = {}
    for key, text in attributes.items():
        if len(key) <= _LONGEST_NAME and (match := _FLAT.fullmatch(key)):
            flat.setdefault((match[1], int(match[2])), {})[match[3]] = text
    for (key, number), record in sorted(flat.items()):
        yield key, f"{key}.{number}", Record(record)
    yield "gen_ai.evaluation", "gen_ai.evaluation", Record({k: attributes[k] for k in _FLAT_OTEL if k in attributes})


def _of_people(key: str, where: str, record: Record, names: Collection[str]) -> Iterator[Found]:
    """The record where it is feedback: an evaluation by a judge has the same form, and so has a reviewer's grade."""
    if record.by_machine:
        return
    if record.by_person:
        fits = not record.called or record.called in names or says_feedback(record.called)
        no = "" if fits else "a person left it, but its name says no feedback; the option names may list it"
        yield record.read(key, where, no=no)
    elif record.by_nobody and (record.called in names or same_name(record.called) in KNOWN):
        yield record.read(key, where)


def _entries(key: str, text: str) -> Iterator[tuple[str, Any]]:
    value = _value(text)
    if isinstance(value, list) and value:
        yield from ((f"{key}[{number}]", entry) for number, entry in enumerate(value))
    else:
        yield key, value


def _value(text: str) -> Any:
    return plain_value(text) if len(text) <= _LONGEST_JSON else text
