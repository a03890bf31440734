"""Asking: one verdict on its way, first what the judge writes freely, then the choice of a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from judges.choice import Choice
from judges.prompt import Draft, Prompt, Script, Writer
from judges.verdict import Reply, Verdict, reply_failure


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked at the end of a body, and how.

    ``choice`` is None where only free text is wanted. ``reason`` is written before the verdict; whatever a thinking
    model thinks comes before both and is not kept.
    """

    text: str
    choice: Choice | None
    reason: Draft | None = None

    def room(self, writer: Writer) -> int:
        """Tokens to leave for the question and all that is written before the verdict."""
        thinking = writer.model.thinking
        drafts = (thinking.max_tokens if thinking else 0) + (self.reason.max_tokens if self.reason else 0)
        nodes = self.choice.nodes if self.choice else ()
        labels = max((len(node.written) for node in nodes), default=0)
        return writer.room(self.text) + labels + (drafts + _MARKS if drafts else 0)


# Tokens for the words that lead from a draft to the verdict, with room to spare.
_MARKS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """A question on its way through an engine; each round of replies takes it one step on.

    ``drafts``: what is still to be written before the verdict. ``reason``: what the judge wrote, its thinking left out.
    ``cut``: whether a draft was ended by its limit. ``spent``: all replies so far.
    """

    writer: Writer
    question: Question
    script: Script
    drafts: tuple[Draft, ...] = ()
    reason: str | None = None
    cut: bool = False
    spent: tuple[Reply, ...] = ()
    verdict: Verdict | None = None
    done: bool = False

    def prompts(self) -> tuple[Prompt, ...]:
        """What to ask now; nothing when done."""
        if self.done:
            return ()
        if self.drafts:
            return (self.writer.draft(self.script, self.drafts[0]),)
        return () if self.question.choice is None else self.writer.prompts(self.script, self.question.choice)

    def after(self, replies: Sequence[Reply]) -> Asking:
        """One step on. A failure ends it, and a verdict that was seen is never asked for again."""
        spent = (*self.spent, *replies)
        failed = reply_failure(replies[0]) if self.drafts else None
        if failed is not None:
            return replace(self, spent=spent, verdict=failed, done=True)
        if self.drafts:
            return replace(self._written(replies[0]), spent=spent)
        choice = self.question.choice
        return replace(self, spent=spent, verdict=choice.read(replies) if choice else None, done=True)

    def _written(self, reply: Reply) -> Asking:
        draft, *left = self.drafts
        return replace(
            self,
            script=self.writer.go_on(self.script, reply.text, self.question.text, thinking=draft.thinking),
            drafts=tuple(left),
            reason=self.reason if draft.thinking else reply.text.strip(),
            cut=self.cut or not reply.finished,
            done=not left and self.question.choice is None,
        )


def ask(writer: Writer, script: Script, question: Question) -> Asking:
    """The beginning of ``question`` after the body ``script``."""
    thinking = writer.model.thinking
    first = (Draft(max_tokens=thinking.max_tokens, stop=(thinking.close,), thinking=True),) if thinking else ()
    then = (question.reason,) if question.reason else ()
    return Asking(writer=writer, question=question, script=writer.ask(script, question.text), drafts=(*first, *then))
