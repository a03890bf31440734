"""Which span of a trace is its root, and which one answers: see docs/decisions/spans-become-a-trace.md."""

from typing import TypeAlias

from judgefleet.traces.content import ReadOptions
from judgefleet.traces.messages import first_answer
from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.span import CHAT_OPERATIONS, INPUT, OPERATION, OUTPUT, Span

# The span that answers, and its output: None where it failed.
Answer: TypeAlias = tuple[Span, str | None]
# What is asked as a whole, and not of a model itself.
_REQUESTS = (None, "invoke_agent", "invoke_workflow")


def root_of(spans: list[Span]) -> Span:
    """The span without a parent; where it lies in another object, the earliest whose parent is not here."""
    here = {span.span_id for span in spans}
    tops = [span for span in spans if span.parent_id not in here] or spans
    return next((span for span in tops if span.parent_id is None), tops[0])


def answering(spans: list[Span], root: Span, options: ReadOptions) -> Answer:
    """The span that holds the answer, by the rule in docs/decisions/spans-become-a-trace.md, and its output."""
    if options.answer_span is not None:
        return _latest(_named(spans, root, options.answer_span))
    chats = [(span, _output(span)) for span in spans if span.operation in CHAT_OPERATIONS]
    if answered := [answer for answer in chats if answer[1] is not None]:
        return _latest(answered)
    if INPUT in root.attributes and (output := _output(root)) is not None:
        return root, output
    if failed := [answer for answer in chats if answer[0].failed] or _unasked(spans, root):
        return _latest(failed)
    if chats:
        raise UnreadableError(f"no {OUTPUT} on any chat span; switch the capture of message content on")
    raise UnreadableError(
        f"no chat span: none of its {len(spans)} spans has {OPERATION} {', '.join(CHAT_OPERATIONS)} or says in another "
        "convention that it asked a model, and its root has no input and output"
    )


def _unasked(spans: list[Span], root: Span) -> list[Answer]:
    """The request that failed before a model answered: the root, else another top, or an agent.

    An agent that failed says nothing of the request where models were asked and the root does not call it failed.
    """
    failed = [span for span in spans if span.failed and span.operation in _REQUESTS and span.attributes.get(INPUT)]
    agents = root.failed or not any(span.operation in CHAT_OPERATIONS for span in spans)
    tops = [span for span in failed if span.parent_id is None or (agents and span.operation is not None)]
    return [(span, None) for span in ([root] if root in failed else tops)]


def _named(spans: list[Span], root: Span, name: str) -> list[Answer]:
    found = [(span, _output(span)) for span in spans if span.name == name]
    failed = [each for each in found if each[0].failed] or _unasked(spans, root)
    answered = [answer for answer in found if answer[1] is not None] or failed
    if not answered:
        raise UnreadableError(
            f"no span {name!r} with an output (answer_span): {len(found)} of {len(spans)} have the name"
        )
    return answered


def _latest(answers: list[Answer]) -> Answer:
    return max(answers, key=lambda answer: answer[0].end_ns or answer[0].start_ns or 0)


def _output(span: Span) -> str | None:
    """What the span answered, "" for an answer of nothing; None where it has no answer."""
    found = span.attributes.get(OUTPUT)
    return "" if found == "" else first_answer(found or [], OUTPUT)
