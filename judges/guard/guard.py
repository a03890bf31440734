"""Guard: built once at start-up, asked in every request, by any number of threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from judges.guard.finding import TIMEOUT, CannotRedactError, Finding, Verdict, masked, whole

if TYPE_CHECKING:
    from typing import Unpack

    from judges.guard.options import GuardArguments, GuardOptions
    from judges.guard.searches import Deadline, Search

_CONTENT = ("pii", "forbidden", "patterns")
_MOST_PASSES = 5


class Guard:
    """Deterministic checks of a text that is about to be sent to a user.

    ``Guard(pii=("email", "card"), forbidden=("as an AI",))``: the options are those of ``judges.guard.options``.
    Building loads libraries and data, which takes up to a second; asking loads nothing. It keeps no state: the same
    text gets the same verdict, but for a search that ran out of time, which is a finding too. Raises ConfigError for
    options that are not allowed.

    >>> guard = Guard(pii=("email", "card"), forbidden=("project bluebird",))
    >>> guard("Your parcel left the warehouse.").ok
    True
    >>> guard("Ask anna@post.example about Project  Bluebird.").findings[0]
    Finding(check='pii', kind='email', start=4, end=21)
    >>> guard.redact("Ask anna@post.example about Project  Bluebird.")
    'Ask [email] about [phrase 1].'
    """

    def __init__(self, **options: Unpack[GuardArguments]) -> None:
        from judgefleet.validation import validate_mapping
        from judges.guard.options import GuardOptions

        self._build(validate_mapping(options, GuardOptions, "Guard", lambda _: None))

    @classmethod
    def from_yaml(cls, path: Path | str) -> Guard:
        """A guard with the options in a YAML file. Raises ConfigError with the line of every mistake."""
        from judgefleet.yaml_model import load_yaml_model
        from judges.guard.options import GuardOptions

        guard = cls.__new__(cls)
        guard._build(load_yaml_model(Path(path), GuardOptions))
        return guard

    def _build(self, options: GuardOptions) -> None:
        from judges.guard.searches import Deadline, searches

        self.options = options
        self._deadline = partial(Deadline, options.timeout_ms / 1000)
        self._searches = searches(options)

    def __call__(self, text: str) -> Verdict:
        """What is wrong with ``text``. Raises TypeError unless it is a ``str``."""
        too_long = self._too_long(text)
        findings = [too_long] if too_long else _search(text, self._searches, self._deadline())
        return Verdict(findings=tuple(sorted(findings, key=lambda f: (f.start, f.end))))

    def redact(self, text: str) -> str:
        """``text`` with what ``pii``, ``forbidden`` and ``patterns`` find replaced by its name, such as ``[email]``.

        What only shows when something beside it is gone goes too. Raises CannotRedactError for a text that is too long
        or took too long, so that a part of it was not searched, and where a name is itself something to be found.
        """
        if self._too_long(text):
            raise CannotRedactError(f"found {len(text)} characters; max_chars allows {self.options.max_chars}")
        searches = {name: search for name, search in self._searches.items() if name in _CONTENT}
        deadline = self._deadline()
        for _ in range(_MOST_PASSES):
            findings = _search(text, searches, deadline)
            if not findings:
                return text
            if late := next((found.check for found in findings if found.kind == TIMEOUT), None):
                raise CannotRedactError(f"the search for {late} took too long (timeout_ms); send something else")
            text = masked(text, findings)
        raise CannotRedactError("what was redacted is found again; no phrase or pattern may match a name like [email]")

    def _too_long(self, text: str) -> Finding | None:
        if not isinstance(text, str):
            raise TypeError(f"found {type(text).__name__}; a guard reads the text of an answer (str)")
        most = self.options.max_chars
        return Finding(check="max_chars", kind="too long", start=most, end=len(text)) if len(text) > most else None


def _search(text: str, searches: Mapping[str, Search], deadline: Deadline) -> list[Finding]:
    return [found for name, search in searches.items() for found in _in_time(name, search(text, deadline), text)]


def _in_time(name: str, findings: Iterable[Finding], text: str) -> Iterator[Finding]:
    """What a search finds; where it runs out of time, that."""
    try:
        yield from findings
    except TimeoutError:
        yield whole(name, TIMEOUT, text)
