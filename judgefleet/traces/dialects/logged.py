"""What a span logged as its input and its output, under the names that its operation has for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from judgefleet.traces.free_form import answer_of, documents_of, messages_of
from judgefleet.traces.span import ARGUMENTS, DOCUMENTS, INPUT, OPERATION, OUTPUT, RESULT, TOOL, USAGE


@dataclass(frozen=True, kw_only=True)
class Logged:
    """The attributes of a dialect. ``operations``: kind, in capitals, to operation; ``counts``: its tokens to ours."""

    kind: str
    given: str
    gave: str
    tokens: str
    operations: Mapping[str, str]
    counts: Mapping[str, str]

    def said(self, found: Mapping[str, Any], name: str) -> dict[str, Any]:
        """``found`` of the span ``name``, and what it logged under current names."""
        operation = self.operations.get(str(found.get(self.kind)).upper())
        known = {OPERATION: operation} | self._exchange(operation, found.get(self.given), found.get(self.gave), name)
        if operation in ("retrieval", "execute_tool"):
            gone: set[str] = set()
        else:
            known |= self._usage(found.get(self.tokens))
            gone = {self.given, self.gave, self.tokens} if operation == "chat" else set()
        return {k: v for k, v in found.items() if k not in gone} | {k: v for k, v in known.items() if v is not None}

    def _exchange(self, operation: str | None, given: Any, gave: Any, name: str) -> dict[str, Any]:
        if operation == "retrieval":
            return {DOCUMENTS: [] if gave is None else documents_of(gave)}
        if operation == "execute_tool":
            return {TOOL: name, ARGUMENTS: given, RESULT: gave}
        asked, answered = None if given is None else messages_of(given), None if gave is None else answer_of(gave)
        return {INPUT: asked, OUTPUT: answered}

    def _usage(self, tokens: Any) -> dict[str, Any]:
        counted = tokens if isinstance(tokens, Mapping) else {}
        return {f"{USAGE}{self.counts.get(name, name)}": count for name, count in counted.items()}
