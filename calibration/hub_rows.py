"""Rows of human-labelled sets with the columns that they have on the Hugging Face hub, told apart by these columns.

mt_bench   lmsys/mt_bench_human_judgments: a vote about two answers; the split ``gpt4_pair`` has a judge's verdicts
llmbar     princeton-nlp/LLMBar: two answers of which one is better by how they were made
halueval   pminervini/HaluEval, ``general``: whether people found something made up in an answer
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from calibration.audit import TIE, A, AuditItem, B, Label, Recorded
from calibration.import_form import Found, RowError
from judgefleet.hashing import stable_hash

Row = Mapping[str, Any]
_WINNERS = {"model_a": A, "model_b": B, "tie": TIE, "tie (inconsistent)": TIE}
_MIRRORED = {A: B, B: A, TIE: TIE}
_BETTER = {"1": A, "2": B}
_COLUMNS = {
    "mt_bench": ("question_id", "model_a", "model_b", "winner", "judge", "conversation_a", "conversation_b", "turn"),
    "llmbar": ("input", "output_1", "output_2", "label"),
    "halueval": ("user_query", "chatgpt_response", "hallucination"),
}
PAIRS = ("mt_bench", "llmbar")


def hub_set(row: Row) -> str | None:
    """Which of the sets a row with these columns is from; None for other rows."""
    return next((name for name, columns in _COLUMNS.items() if all(column in row for column in columns)), None)


def read_hub_row(name: str, row: Row, source: str, folder: str) -> Iterator[Found]:
    """What one row of the set holds: an item and a label, or a verdict. ``folder``: that of the file, which says the
    category of a row of llmbar. Raises RowError."""
    return _READERS[name](row, source, folder)


def _mt_bench(row: Row, source: str, _: str) -> Iterator[Found]:
    """A vote. The same two models come in either order, so an item has them in the order of their names."""
    if row["winner"] not in _WINNERS:
        raise RowError(f"found the winner {row['winner']!r}; allowed: {', '.join(_WINNERS)}")
    sides = [("model_a", "conversation_a"), ("model_b", "conversation_b")]
    models = sorted(sides, key=lambda side: str(row[side[0]]))
    swapped = models != sides
    label = _MIRRORED[_WINNERS[row["winner"]]] if swapped else _WINNERS[row["winner"]]
    (first, said), (second, other) = ((str(row[model]), _turns(row[talk], row["turn"])) for model, talk in models)
    item_id = f"mtb-{row['question_id']}-{first}-{second}-t{row['turn']}"
    if str(row["judge"]).startswith("gpt"):
        flipped = row["winner"] == "tie (inconsistent)"
        yield Recorded(
            item_id=item_id, judge=str(row["judge"]), source=source, combined=label, order_inconsistent=flipped
        )
        return
    yield AuditItem(
        item_id=item_id,
        question=said[0],
        responses=(said[1], other[1]),
        group_id=f"mtb-q{row['question_id']}",
        segments={"model_a": first, "model_b": second, "turn": str(row["turn"])},
    )
    yield Label(item_id=item_id, rater=str(row["judge"]), label=label)


def _turns(talk: Any, turn: Any) -> tuple[str, str]:
    """What was asked and what was answered up to a turn; from the second on each text says which turn it is of."""
    if len(talk) < 2 * int(turn):
        raise RowError(f"found a conversation of {len(talk)} messages; turn {turn} needs {2 * int(turn)}")
    texts = [[str(talk[2 * n + side]["content"]) for n in range(int(turn))] for side in (0, 1)]
    asked, answered = (
        said[0] if len(said) == 1 else "\n\n".join(f"[turn {n}] {text}" for n, text in enumerate(said, 1))
        for said in texts
    )
    return asked, answered


def _llmbar(row: Row, _: str, folder: str) -> Iterator[Found]:
    if str(row["label"]) not in _BETTER:
        raise RowError(f"found the label {row['label']!r}; allowed: 1 for the first output, 2 for the second")
    texts = [str(row[name]) for name in ("input", "output_1", "output_2")]
    item_id = f"llmbar-{stable_hash(texts, 12)}"
    yield AuditItem(
        item_id=item_id,
        question=texts[0],
        responses=(texts[1], texts[2]),
        group_id=f"llmbar-q{stable_hash(texts[0], 12)}",
        segments={"category": folder} if folder else {},
    )
    yield Label(item_id=item_id, rater="published", label=_BETTER[str(row["label"])])


def _halueval(row: Row, _: str, __: str) -> Iterator[Found]:
    word = str(row["hallucination"]).strip().lower()
    if word not in ("yes", "no"):
        raise RowError(f"found the hallucination {row['hallucination']!r}; allowed: yes, no")
    texts = [str(row[name]) for name in ("user_query", "chatgpt_response")]
    item_id = f"halueval-{row['ID']}" if row.get("ID") is not None else f"halueval-{stable_hash(texts, 12)}"
    yield AuditItem(item_id=item_id, question=texts[0], responses=(texts[1],), group_id=None)
    yield Label(item_id=item_id, rater="published", label=word)


_READERS: Mapping[str, Callable[[Row, str, str], Iterator[Found]]] = {
    "mt_bench": _mt_bench,
    "llmbar": _llmbar,
    "halueval": _halueval,
}
