"""What all checks have in common: one axis, pass or fail, and a reason that says what was found."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from judgefleet.sample import Sample
from judgefleet.score import Outcome
from judgefleet.scorer import Need, ScorerInfo, ScorerKind

_LONGEST_REASON = 300
# Raise it when the same answer would be judged otherwise.
VERSION = "2"


class Check(ABC):
    """A deterministic check of a sample. A subclass has ``Options``, sets ``info`` and answers ``check``."""

    VALUE = "1.0 pass, 0.0 fail"

    info: ScorerInfo

    @abstractmethod
    def check(self, sample: Sample) -> Outcome:
        """The outcome for one sample, in time that the length of its texts bounds."""

    def score(self, samples: Sequence[Sample]) -> list[Mapping[str, Outcome]]:
        """One mapping of the only axis to its outcome for each sample, in order."""
        return [{self.info.axes[0]: self.check(sample)} for sample in samples]


class TextCheck(Check):
    """A check that reads nothing but the output."""

    @abstractmethod
    def check_text(self, output: str) -> Outcome:
        """The outcome for one output."""

    def check(self, sample: Sample) -> Outcome:
        """The outcome for the output of ``sample``."""
        return self.check_text(sample.trace.output or "")


def check_info(
    name: str,
    *,
    use: str,
    axis: str,
    config: Mapping[str, Any],
    needs: frozenset[Need] = frozenset({Need.OUTPUT}),
) -> ScorerInfo:
    """What a check states about itself; ``config`` must hold everything that can change its outcome."""
    return ScorerInfo(
        name=name, version=VERSION, kind=ScorerKind.CODE, axes=(axis,), needs=needs, config={"use": use, **config}
    )


def passed(reason: str) -> Outcome:
    """Value 1.0 with the label ``pass``.

    >>> passed("12 words").value
    1.0
    """
    return Outcome(value=1.0, label="pass", reason=readable(reason))


def failed(reason: str) -> Outcome:
    """Value 0.0 with the label ``fail``.

    >>> failed("the output is empty").label
    'fail'
    """
    return Outcome(value=0.0, label="fail", reason=readable(reason))


def readable(text: str) -> str:
    """``text`` cut to 300 characters, with what cannot be stored or shown (null bytes, lone surrogates) escaped.

    >>> readable("found a\\x00b \\ud800")
    'found a\\\\x00b \\\\ud800'
    """
    head = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:_LONGEST_REASON])
    return head if len(text) <= _LONGEST_REASON else f"{head}..."


def quoted(text: str, longest: int = 60) -> str:
    """``text`` in quotes, cut to ``longest`` characters.

    >>> quoted("abcdef", longest=3)
    "'abc'..."
    """
    return repr(text) if len(text) <= longest else f"{text[:longest]!r}..."


def some(items: Sequence[str], most: int = 5) -> str:
    """The first ``most`` of ``items``, and how many more there are.

    >>> some(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
