"""Rows of files that people bring, told apart by their keys: labelled pairs and ratings, labels of tools, verdicts.

Forms: pairs (``pair_id`` with ``human_label`` or ``label``), ratings (``item_id`` with a label or score), verdicts
(``judge``), sets with the columns of the hub (``calibration.hub_rows``), Langfuse scores (``source: ANNOTATION``),
Phoenix annotations (``annotator_kind: HUMAN``) and MLflow assessments (``source.source_type: HUMAN``). The same names
are the columns of a spreadsheet.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from calibration.audit import PAIR, PAIR_LABELS, RATING, AuditItem, Label, Recorded
from calibration.hub_rows import PAIRS, hub_set, read_hub_row
from calibration.import_form import Found, NotHumanError, RowError

Row = Mapping[str, Any]
PUBLISHED = "published"
_LANGFUSE = ("ANNOTATION", "API", "EVAL")
_FALSE = (False, 0, "0", "0.0", "false", "False", "FALSE", "no")
_SEGMENTS = ("category", "source", "model_a", "model_b", "model", "variant")
_LABEL_NAMES = ("human_label", "label", "preference", "winner")
_SCORE_NAMES = ("human_score", "score", "rating")


def kind_of(row: Row) -> str | None:
    """``pair`` or ``rating``; None where the row does not say (a verdict, or a label about an item known already)."""
    if _text(row, "pair_id") is not None or "response_a" in row or hub_set(row) in PAIRS:
        return PAIR
    return None if "judge" in row else RATING


_CAMEL = {
    "traceId": "trace_id",
    "observationId": "observation_id",
    "sessionId": "session_id",
    "stringValue": "string_value",
    "dataType": "data_type",
    "authorUserId": "author_user_id",
}


def label_name(row: Row) -> str | None:
    """The name under which a tracing tool keeps a label; None for other rows."""
    tool = "annotator_kind" in row or "source_type" in str(row.get("source")) or row.get("source") in _LANGFUSE
    return str(row.get("name") or row.get("assessment_name") or "unnamed") if tool else None


def read_row(row: Row, source: str, folder: str = "") -> Iterator[Found]:
    """What one row holds: an item and its labels, labels alone, or a verdict. ``folder``: that of its file. Raises
    RowError."""
    row = {_CAMEL.get(name, name): value for name, value in row.items()}
    if (name := hub_set(row)) is not None:
        yield from read_hub_row(name, row, source, folder)
    elif row.get("judge") is not None:
        yield _verdict(row, source)
    elif "annotator_kind" in row:
        yield from _annotation(row, row["annotator_kind"] == "HUMAN", row, row.get("identifier") or "phoenix")
    elif isinstance(row.get("source"), Mapping) and "source_type" in row["source"]:
        yield from _assessment(row)
    elif row.get("source") in _LANGFUSE and ("trace_id" in row or "session_id" in row):
        yield from _langfuse(row)
    else:
        yield from _labelled(row)


def _labelled(row: Row) -> Iterator[Found]:
    """The forms of this project, and a spreadsheet with the same names as columns."""
    pair = kind_of(row) == PAIR
    item_id = _text(row, "pair_id" if pair else "item_id") or _text(row, "item_id", "pair_id", "trace_id", "id")
    if item_id is None:
        raise RowError(f"found the keys {', '.join(map(str, row))}; a row needs pair_id, item_id or trace_id")
    yield _item(row, item_id, pair)
    yield from _labels(row, item_id, pair)


def _item(row: Row, item_id: str, pair: bool) -> AuditItem:
    texts = [_text(row, name) for name in (("response_a", "response_b") if pair else ("response", "answer", "output"))]
    responses = texts if pair else [next((text for text in texts if text is not None), None)]
    segments = {name: text for name in _SEGMENTS if (text := _text(row, name))}
    segments |= {k[8:]: str(v) for k, v in row.items() if str(k).startswith("segment.") and _given(v)}
    traces = ("trace_id_a", "trace_id_b") if pair else ("trace_id",)
    return AuditItem(
        item_id=item_id,
        question=_text(row, "question", "input", "prompt"),
        context=_text(row, "context", "contexts"),
        responses=tuple(responses) if any(text is not None for text in responses) else (),
        reference=_text(row, "reference"),
        trace_ids=tuple(text for name in traces if (text := _text(row, name))),
        group_id=_text(row, "group_id", "conversation_id"),
        stratum=_text(row, "stratum"),
        inclusion_probability=_probability(row.get("inclusion_probability")),
        segments=segments,
    )


def _labels(row: Row, item_id: str, pair: bool) -> Iterator[Label]:
    """The votes, and the published label where there are none or where it is not what the votes say."""
    from calibration.consensus import consensus

    known: dict[str, Any] = {
        "item_id": item_id,
        "note": _text(row, "note", "reason", "comment"),
        "at": _text(row, "at", "labelled_at"),
    }
    votes = [_said(vote, pair) for vote in _list(row.get("human_votes")) if _given(vote)]
    names = [str(name) for name in _list(row.get("annotators"))]
    raters = names if len(names) == len(votes) == len(set(names)) else [f"vote-{n}" for n in range(1, len(votes) + 1)]
    given = [Label(rater=rater, **known, **said) for rater, said in zip(raters, votes, strict=True)]
    yield from given
    label, score = (_first(row, names) for names in (_LABEL_NAMES, _SCORE_NAMES))
    if label is None and score is None:
        return
    said = _said(label if label is not None else score, pair)
    agreed = consensus(item_id, given, PAIR if pair else RATING)
    if not given:
        yield Label(rater=_text(row, "rater", "annotator", "labeler") or PUBLISHED, **known, **said)
    elif "label" in said and said["label"] != agreed.label:
        yield Label(rater=PUBLISHED, adjudicated=True, **known, **said)


def _said(value: Any, pair: bool) -> dict[str, Any]:
    """A label as ``label`` or ``score``. Raises RowError."""
    if pair:
        word = str(value).strip().upper()
        if word not in PAIR_LABELS:
            raise RowError(f"found the label {value!r}; a pair is labelled A, B or TIE")
        return {"label": word}
    number = _number(value)
    return {"label": str(value).strip()} if number is None else {"score": number}


def _verdict(row: Row, source: str) -> Recorded:
    item_id = _text(row, "pair_id", "item_id", "trace_id")
    if item_id is None:
        raise RowError("a verdict needs pair_id or item_id")
    pair = any(name in row for name in ("pair_id", "verdict_ba", "verdict_combined"))
    first = row.get("verdict_ab") if _given(row.get("verdict_ab")) else row.get("verdict")
    values = (first, row.get("verdict_ba"), row.get("verdict_combined"))
    verdicts = [_verdict_word(value, pair) for value in values]
    flipped = row.get("order_inconsistent")
    return Recorded(
        item_id=item_id,
        judge=str(row["judge"]),
        prompt=_text(row, "prompt") or "",
        source=source,
        verdict_ab=verdicts[0],
        verdict_ba=verdicts[1],
        combined=verdicts[2],
        order_inconsistent=flipped not in _FALSE if _given(flipped) else None,
        score=None if pair else _number(row.get("score")),
    )


def _verdict_word(value: Any, pair: bool) -> str | None:
    if not _given(value):
        return None
    said = _said(value, pair)
    return str(said["label"]) if "label" in said else f"{said['score']:g}"


def _langfuse(row: Row) -> Iterator[Found]:
    value = row.get("string_value") or row.get("stringValue")
    if row.get("data_type") == "BOOLEAN" and not _given(value):
        value = "no" if row.get("value") in _FALSE else "yes"
    known = {"label": value, "score": row.get("value"), "note": row.get("comment"), "at": row.get("timestamp")}
    yield from _annotation(row, row["source"] == "ANNOTATION", known, row.get("author_user_id") or "langfuse")


def _assessment(row: Row) -> Iterator[Found]:
    value = (row.get("feedback") or row.get("expectation") or {}).get("value")
    said = {"label": ("yes" if value else "no") if isinstance(value, bool) else value, "note": row.get("rationale")}
    human = row["source"].get("source_type") == "HUMAN"
    yield from _annotation(row, human, said, row["source"].get("source_id") or "mlflow")


def _annotation(row: Row, human: bool, said: Row, rater: Any) -> Iterator[Found]:
    """A label about a trace, as a tracing tool keeps it."""
    if not human:
        raise NotHumanError("a score that no person gave")
    inner = said.get("result")
    result = inner if isinstance(inner, Mapping) else said
    value = next((result.get(name) for name in ("label", "score") if _given(result.get(name))), None)
    item_id = _text(row, "trace_id", "span_id", "observation_id", "session_id")
    if value is None or item_id is None:
        raise RowError("a human label needs a trace_id or span_id, and a label or score")
    yield AuditItem(item_id=item_id, trace_ids=(item_id,))
    note = next((text for name in ("note", "explanation") if (text := _text(result, name))), None)
    yield Label(item_id=item_id, rater=str(rater), note=note, at=_text(said, "at"), **_said(value, pair=False))


def _first(row: Row, names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if _given(row.get(name))), None)


def _given(value: Any) -> bool:
    return value is not None and value != "" and not (isinstance(value, float) and math.isnan(value))


def _text(row: Row, *names: str) -> str | None:
    """The first of ``names`` that is given, as text. An empty response is a text; an empty cell elsewhere is none."""
    for name in names:
        value = row.get(name)
        if name.startswith("response") and value == "":
            return ""
        if _given(value):
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return None


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        value = json.loads(value) if value.startswith("[") else value.split("|")
    return list(value) if value is not None and not isinstance(value, float) else []


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _probability(value: Any) -> float:
    number = _number(value) if _given(value) else 1.0
    if number is None or not 0 < number <= 1:
        raise RowError(f"found the inclusion probability {value!r}; it lies above 0 and at most at 1")
    return number
