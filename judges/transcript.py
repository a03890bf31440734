"""Transcript: a trace with all that was said before it, or all traces of a conversation, as a judge reads them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from judgefleet.rubric import Rubric
from judgefleet.sample import Sample
from judgefleet.trace import Message, Trace
from judges.material import Part, answer_part, context_parts, question_part, reference_parts, tool_parts

UnitOfJudgement = Literal["turn", "trace", "conversation"]
# Whatever else a trace calls a role is shown as "other": it is text of the trace, and would stand outside a fence.
_ROLES = {"system", "developer", "user", "assistant", "tool"}


def conversations(samples: Sequence[Sample]) -> Iterator[tuple[Sample, ...]]:
    """The samples of each conversation in the order of time; one without a conversation stands alone.

    Traces of two variants are never one conversation: each variant answered by itself.
    """
    groups: defaultdict[tuple[str | None, ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        trace = sample.trace
        alone = None if trace.conversation_id else f"{trace.trace_id} {trace.span_id}"
        groups[trace.conversation_id or None, trace.variant, alone].append(sample)
    return (tuple(sorted(group, key=_time)) for group in groups.values())


def whole(group: Sequence[Sample]) -> Sample:
    """A conversation as one sample: everything said, the contexts and tool calls of all its traces, the last answer."""
    said: list[Message] = []
    for sample in group:
        said += _unheard(said, sample.trace)
    traces = [sample.trace for sample in group]
    answers = [trace.output for trace in traces if (trace.output or "").strip()]
    one = replace(
        traces[-1],
        messages=tuple(said),
        output=answers[-1] if answers else None,
        contexts=tuple(dict.fromkeys(text for trace in traces for text in trace.contexts)),
        tool_calls=tuple(call for trace in traces for call in trace.tool_calls),
    )
    return replace(group[-1], trace=one)


def material(unit: UnitOfJudgement, sample: Sample, rubric: Rubric) -> list[Part]:
    """What a judge reads of ``sample``, for a conversation the whole of it: what is shared first, the answer last.

    ``turn`` is the last question and the answer, ``trace`` every message and the answer, ``conversation`` every
    message, answers among them. Each message has a fence of its own, so that none can speak for another role.
    """
    said = [question_part(sample, rubric)] if unit == "turn" else _turns(sample.trace.messages)
    tools = tool_parts(sample, rubric, rubric.titles.tool_calls)
    answer = [] if unit == "conversation" else [answer_part(sample, rubric.titles.answer)]
    return [*context_parts(sample, rubric), *said, *reference_parts(sample, rubric), *tools, *answer]


def _turns(messages: Sequence[Message]) -> list[Part]:
    spoken = [message for message in messages if message.content.strip()]
    return [
        Part(
            title=f"Turn {number}, {message.role if message.role in _ROLES else 'other'}",
            text=message.content,
            yields=1,
            keep=0.5,
        )
        for number, message in enumerate(spoken, 1)
    ]


def _unheard(said: Sequence[Message], trace: Trace) -> list[Message]:
    """What ``trace`` adds to what was said: its messages less the history that it repeats, then its answer."""
    system = [m for m in trace.messages if m.role == "system" and m not in said]
    spoken = [m for m in trace.messages if m.role != "system"]
    heard = [(m.role, m.content.strip()) for m in said if _is_heard(m)]
    told = [(place, (m.role, m.content.strip())) for place, m in enumerate(spoken, 1) if _is_heard(m)]
    most = range(min(len(heard), len(told)), 0, -1)
    repeated = next((told[k - 1][0] for k in most if heard[-k:] == [turn for _, turn in told[:k]]), 0)
    answer = [Message(role="assistant", content=trace.output)] if trace.output and trace.output.strip() else []
    return [*system, *spoken[repeated:], *answer]


def _is_heard(message: Message) -> bool:
    """Whether a history repeats it: many leave out what a model and its tools said to each other."""
    return message.role not in ("system", "tool") and bool(message.content.strip())


def _time(sample: Sample) -> tuple[float, str, str]:
    trace = sample.trace
    return (trace.started_at.timestamp() if trace.started_at else float("-inf"), trace.trace_id, trace.span_id)
