"""The parts of a guard. Each is built once, keeps nothing of a text, and finds what the check of its name finds."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from judges.checks.json_schema import build_validator, first_violation, read_schema
from judges.checks.json_text import parse_answer
from judges.checks.patterns import compile_pattern
from judges.checks.pii_allow import allowed_keys, is_allowed
from judges.checks.pii_find import Kind, find_pii
from judges.checks.word_places import lay
from judges.checks.words import compared, plain_words
from judges.guard.finding import TIMEOUT, Finding, whole
from judges.guard.options import GuardOptions


class Deadline:
    """How long this thread may compute for a text. Waiting for a busy machine does not count: it is nobody's fault."""

    def __init__(self, timeout_s: float) -> None:
        self._ends = time.thread_time() + timeout_s

    def left(self) -> float:
        """Seconds left, above 0. Raises TimeoutError when there are none."""
        left = self._ends - time.thread_time()
        if left <= 0:
            raise TimeoutError
        return left

    def tick(self) -> None:
        """Raise TimeoutError when it is too late."""
        self.left()


Search = Callable[[str, Deadline], Iterator[Finding]]


def searches(options: GuardOptions) -> dict[str, Search]:
    """What ``options`` ask for, by the name of the check. Raises ConfigError for patterns and schemas that are none."""
    asked: dict[str, tuple[object, Callable[[GuardOptions], Search]]] = {
        "pii": (options.pii, _pii),
        "forbidden": (options.forbidden, _forbidden),
        "patterns": (options.patterns, _patterns),
        "json_schema": (options.json_schema is not None, _json_schema),
    }
    return {name: build(options) for name, (wanted, build) in asked.items() if wanted}


def _pii(options: GuardOptions) -> Search:
    kinds, regions = tuple(Kind(kind) for kind in options.pii), options.phone_regions
    allowed = allowed_keys(options.pii_allow, regions)
    _load_numbers(kinds)

    def search(text: str, deadline: Deadline) -> Iterator[Finding]:
        for found in find_pii(text, kinds, regions, tick=deadline.tick):
            if not is_allowed(found, allowed):
                yield Finding(check="pii", kind=found.kind.value, start=found.start, end=found.end)

    return search


def _load_numbers(kinds: tuple[Kind, ...]) -> None:
    """Numbering plans are read from disk at the first number of a country: now, not in a request."""
    if Kind.PHONE in kinds:
        from phonenumbers import PhoneMetadata

        PhoneMetadata.load_all()
    for _ in find_pii("a@b.example +49 89 1234567 DE89370400440532013000 4111111111111111", kinds):
        pass


def _forbidden(options: GuardOptions) -> Search:
    ignore_case, whole_words = options.ignore_case, options.whole_words
    phrases = [_Phrase.of(phrase, number, options) for number, phrase in enumerate(options.forbidden, 1)]

    def search(text: str, deadline: Deadline) -> Iterator[Finding]:
        plain = plain_words(text, ignore_case=ignore_case)
        near = [phrase for phrase in phrases if phrase.plain in plain]
        if not near:
            return
        # Looking for whole words costs much more than looking for the phrase: only where it is there.
        there = compared(text, ignore_case=ignore_case, whole_words=whole_words)
        written = lay(text, ignore_case=ignore_case)
        for phrase in (p for p in near if p.compared in there):
            for start, end in written.places(phrase.plain, ignore_case=ignore_case, whole_words=whole_words):
                deadline.tick()
                yield Finding(check="forbidden", kind=phrase.kind, start=start, end=end)

    return search


@dataclass(frozen=True, kw_only=True, slots=True)
class _Phrase:
    """A forbidden phrase in both forms in which it is looked for, and what a finding calls it."""

    kind: str
    plain: str
    compared: str

    @classmethod
    def of(cls, phrase: str, number: int, options: GuardOptions) -> Self:
        """The phrase at place ``number`` of the list."""
        return cls(
            kind=f"phrase {number}",
            plain=plain_words(phrase, ignore_case=options.ignore_case),
            compared=compared(phrase, ignore_case=options.ignore_case, whole_words=options.whole_words),
        )


def _patterns(options: GuardOptions) -> Search:
    compiled = [(f"pattern {n}", compile_pattern(pattern)) for n, pattern in enumerate(options.patterns, 1)]

    def search(text: str, deadline: Deadline) -> Iterator[Finding]:
        for kind, pattern in compiled:
            for found in pattern.finditer(text, timeout=deadline.left()):
                yield Finding(check="patterns", kind=kind, start=found.start(), end=found.end())

    return search


def _json_schema(options: GuardOptions) -> Search:
    validator = build_validator(read_schema(options.json_schema) or {})

    def search(text: str, deadline: Deadline) -> Iterator[Finding]:
        kind = _broken(validator, text, deadline, within_fence=options.json_within_fence)
        if kind is not None:
            yield whole("json_schema", kind, text)

    return search


def _broken(validator: Any, text: str, deadline: Deadline, *, within_fence: bool) -> str | None:
    try:
        value, _ = parse_answer(text, within_fence=within_fence)
        error = first_violation(validator, value, deadline.left())
    except ValueError:
        return "not JSON"
    except TimeoutError:
        return TIMEOUT
    except RecursionError:
        return "nested too deeply"
    return None if error is None else str(error.validator)
