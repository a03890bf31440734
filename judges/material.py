"""Material: the parts of a trace that a judge reads, fenced so that no text can leave its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judgefleet.rubric import Rubric
from judgefleet.sample import Sample
from judgefleet.scorer import Need

# A fence is written by us only: the same characters inside a text are replaced before it is shown.
_OPEN, _CLOSE = "<<<", ">>>"
_NEUTRAL = str.maketrans({"<": "\u2039", ">": "\u203a"})


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
    """
    for fence in (_OPEN, _CLOSE):
        while fence in text:
            text = text.replace(fence, fence.translate(_NEUTRAL))
    return text


def opening(part: Part) -> str:
    """What stands before the text of a part."""
    return f"\n{part.title}:\n{_OPEN}\n"


CLOSING = f"\n{_CLOSE}\n"


def shared_parts(sample: Sample, rubric: Rubric) -> list[Part]:
    """What both answers to a question share: it stands first, so that it is computed once."""
    trace, titles = sample.trace, rubric.titles
    contexts = "\n\n".join(trace.contexts)
    parts = [Part(title=titles.contexts, text=contexts, yields=0, keep=0.25)] if contexts else []
    parts.append(Part(title=titles.question, text=trace.question or "", yields=2, keep=0.5))
    if Need.REFERENCE in rubric.needs:
        parts.append(Part(title=titles.reference, text=trace.reference or "", yields=2, keep=0.5))
    return parts


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
