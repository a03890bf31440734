"""Material: the parts of a trace that a judge reads, fenced so that no text can leave its place."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]

from judgefleet.rubric import Rubric
from judgefleet.sample import Sample
from judgefleet.scorer import Need

# A fence is written by us only: the same characters inside a text are replaced before it is shown.
_OPEN, _CLOSE = "<<<", ">>>"
# Tokenizers that normalise make angle brackets of the first (full width, small form, struck through), and drop what has
# no width of its own. Whatever could become a fence so, or looks like one, is no fence of ours either.
_LEFT, _RIGHT, _UNSEEN = "<\uff1c\ufe64\u226e", ">\uff1e\ufe65\u226f", r"[[\p{C}\p{M}\ufffd]--[\t\n\r]]*"
_FENCES = regex.compile(
    "|".join(f"(?:[{brackets}]{_UNSEEN}){{2,}}[{brackets}]" for brackets in (_LEFT, _RIGHT)), flags=regex.VERSION1
)
_NEUTRAL = str.maketrans(dict.fromkeys(_LEFT, "\u2039") | dict.fromkeys(_RIGHT, "\u203a"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One text from a trace. ``yields`` orders who gives way first when the prompt is too long (0 first).

    ``keep`` is the share of its tokens below which a judge has not really seen it.
    """

    title: str
    text: str
    yields: int
    keep: float


def defuse(text: str) -> str:
    """The text without anything that looks like our fence.

    >>> ascii(defuse("a <<<b>>> <c>")).count("u2039"), "<<<" in defuse("<<<<<")
    (3, False)
    >>> ascii(defuse("<\\u200b<\\uff1c"))
    "'\\\\u2039\\\\u200b\\\\u2039\\\\u2039'"
    """
    return str(_FENCES.sub(lambda found: found[0].translate(_NEUTRAL), text))


def opening(part: Part) -> str:
    """What stands before the text of a part."""
    return f"\n{part.title}:\n{_OPEN}\n"


CLOSING = f"\n{_CLOSE}\n"


def shared_parts(sample: Sample, rubric: Rubric) -> list[Part]:
    """What both answers to a question share: it stands first, so that it is computed once."""
    return [*context_parts(sample, rubric), question_part(sample, rubric), *reference_parts(sample, rubric)]


def context_parts(sample: Sample, rubric: Rubric) -> list[Part]:
    """The contexts of the trace, where it has any."""
    contexts = "\n\n".join(sample.trace.contexts)
    return [Part(title=rubric.titles.contexts, text=contexts, yields=0, keep=0.25)] if contexts else []


def question_part(sample: Sample, rubric: Rubric) -> Part:
    """What was asked last."""
    return Part(title=rubric.titles.question, text=sample.trace.question or "", yields=2, keep=0.5)


def reference_parts(sample: Sample, rubric: Rubric) -> list[Part]:
    """The reference, where the rubric needs it."""
    if Need.REFERENCE not in rubric.needs:
        return []
    return [Part(title=rubric.titles.reference, text=sample.trace.reference or "", yields=2, keep=0.5)]


def tool_parts(sample: Sample, rubric: Rubric, title: str) -> list[Part]:
    """The tools that were called, one a line as JSON, where the rubric needs them."""
    if Need.TOOL_CALLS not in rubric.needs:
        return []
    calls = [{"tool": c.name, "arguments": c.arguments, "result": c.result} for c in sample.trace.tool_calls]
    text = "\n".join(json.dumps(call, ensure_ascii=False) for call in calls)
    return [Part(title=title, text=text, yields=1, keep=0.5)]


def answer_part(sample: Sample, title: str) -> Part:
    """The answer to judge."""
    return Part(title=title, text=sample.trace.output or "", yields=1, keep=0.5)


def fit(lengths: Sequence[int], parts: Sequence[Part], budget: int) -> list[int] | None:
    """How many tokens of each part are kept so that all fit into ``budget``; None when they cannot.

    The parts that yield first are cut first, those that yield alike to the same length, none below the share it
    must keep. The same cut in whichever order the parts stand.

    >>> policy, answer = Part(title="", text="", yields=0, keep=0), Part(title="", text="", yields=1, keep=0.5)
    >>> fit([50, 40], [policy, answer], 60)
    [20, 40]
    >>> fit([50, 400], [policy, answer], 60) is None
    True
    """
    kept = list(lengths)
    for rank in sorted({part.yields for part in parts}):
        over = sum(kept) - budget
        if over <= 0:
            break
        members = [i for i, part in enumerate(parts) if part.yields == rank]
        floors = {i: -int(-kept[i] * parts[i].keep // 1) for i in members}
        for i, length in _level({i: kept[i] for i in members}, sum(kept[i] for i in members) - over).items():
            kept[i] = max(length, floors[i])
    return kept if sum(kept) <= budget else None


def _level(lengths: Mapping[int, int], budget: int) -> dict[int, int]:
    """Cut the longest to one common length, the same for all that are cut, so that the sum is at most ``budget``."""
    left, result = max(budget, 0), dict(lengths)
    shortest_first = sorted(lengths, key=lambda i: lengths[i])
    for position, i in enumerate(shortest_first):
        level = left // (len(shortest_first) - position)
        if lengths[i] > level:
            return result | dict.fromkeys(shortest_first[position:], level)
        left -= lengths[i]
    return result
