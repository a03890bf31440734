"""What a span logged as its input and its output, under the names that its operation has for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from judgefleet.traces.free_form import answer_of, documents_of, messages_of
from judgefleet.traces.model_calls import COSTS
from judgefleet.traces.span import ARGUMENTS, DOCUMENTS, INPUT, MODEL, OPERATION, OUTPUT, RESULT, TOOL, USAGE
from judgefleet.traces.values import as_number, first_given

_TOTALS = ("total", "total_cost")


@dataclass(frozen=True, kw_only=True)
class Logged:
    """The attributes of a dialect. ``operations``: kind, in capitals, to operation; ``counts``: its tokens to ours.

    ``cost``: that of all of a call (``total`` or ``total_cost``), or of its parts.
    """

    kind: str
    given: str
    gave: str
    tokens: str
    model: str
    cost: str
    operations: Mapping[str, str]
    counts: Mapping[str, str]

    def said(self, found: Mapping[str, Any], name: str) -> dict[str, Any]:
        """``found`` of the span ``name``, and what it logged under current names."""
        operation = self.operations.get(str(found.get(self.kind)).upper())
        known = {OPERATION: operation} | self._exchange(operation, found.get(self.given), found.get(self.gave), name)
        gone: set[str] = {self.given, self.gave} if operation == "chat" else set()
        if operation not in ("retrieval", "execute_tool"):
            read = self._usage(found.get(self.tokens)) | self._priced(found)
            known |= {new: value for new, (_, value) in read.items()}
            gone |= {old for old, value in read.values() if value is not None}
        return {k: v for k, v in found.items() if k not in gone} | {k: v for k, v in known.items() if v is not None}

    def _exchange(self, operation: str | None, given: Any, gave: Any, name: str) -> dict[str, Any]:
        if operation == "retrieval":
            return {DOCUMENTS: [] if gave is None else documents_of(gave)}
        if operation == "execute_tool":
            return {TOOL: name, ARGUMENTS: given, RESULT: gave}
        asked, answered = None if given is None else messages_of(given), None if gave is None else answer_of(gave)
        return {INPUT: asked, OUTPUT: answered}

    def _priced(self, found: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
        """Model and cost where no attribute has them under a name of its own, each with where it was."""
        own = {MODEL: found.get(MODEL), COSTS[0]: first_given(found, COSTS)}
        told = {MODEL: (self.model, found.get(self.model)), COSTS[0]: (self.cost, _total(found.get(self.cost)))}
        return {name: pair for name, pair in told.items() if own[name] is None}

    def _usage(self, tokens: Any) -> dict[str, tuple[str, Any]]:
        counted = tokens if isinstance(tokens, Mapping) else {}
        return {f"{USAGE}{self.counts.get(name, name)}": (self.tokens, count) for name, count in counted.items()}


def _total(spent: Any) -> Any:
    """The cost of all, else the sum of its parts; None where there are none, and as it is where one is no cost."""
    if not isinstance(spent, Mapping) or not spent:
        return None if spent in ("", {}) else spent
    if (total := first_given(spent, _TOTALS)) is not None:
        return total
    known = [part for part in map(as_number, spent.values()) if part is not None]
    return sum(known) if len(known) == len(spent) else spent
