"""Prompts: what an engine is asked, and the protocol of those who write it for one model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from judgefleet.trace import Message
from judges.choice import Choice
from judges.judge_model import JudgeModel
from judges.material import Part

DEFAULT_ENGINE = "default"

LAYOUT_VERSION = "3"


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """Free text that a judge writes before its verdict: at most ``max_tokens`` of it, up to one of ``stop``."""

    max_tokens: int
    stop: tuple[str, ...] = ()
    thinking: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """One thing to ask an engine: token ids, or messages where an engine takes only text.

    Without a ``draft`` the reply is one of ``labels``: ``allowed`` has the token of each, nothing where the engine
    takes text. ``engine`` names the engine of the configuration that is asked.
    """

    token_ids: tuple[int, ...] = ()
    messages: tuple[Message, ...] = ()
    labels: tuple[str, ...] = ()
    allowed: tuple[int, ...] = ()
    draft: Draft | None = None
    engine: str = DEFAULT_ENGINE


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """A conversation with the judge up to the place where it goes on; grows by questions and drafts."""

    token_ids: tuple[int, ...] = ()
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """Everything before the question. ``cut`` says what was shortened; ``script`` is None when it does not fit."""

    script: Script | None
    cut: str | None


class Writer(Protocol):
    """Writes prompts for one judge model."""

    @property
    def model(self) -> JudgeModel:
        """The model that reads them."""
        ...

    def choice(self, labels: Sequence[str]) -> Choice:
        """How the model is asked for one of ``labels``. Raises ConfigError when it cannot be asked exactly."""
        ...

    def body(self, rubric: str, parts: Sequence[Part], room: int) -> Body:
        """Rubric and material, with ``room`` tokens left for what follows. The rubric is never cut."""
        ...

    def room(self, question: str) -> int:
        """Tokens that ``question`` takes at the end of a prompt."""
        ...

    def ask(self, script: Script, question: str) -> Script:
        """The question that ends the user's turn; the judge speaks next."""
        ...

    def go_on(self, script: Script, draft: str, question: str, *, thinking: bool = False) -> Script:
        """What the judge wrote, and the place of what it writes next; ``question`` is repeated where it must be."""
        ...

    def prompts(self, script: Script, choice: Choice) -> tuple[Prompt, ...]:
        """What to ask at the end of ``script`` to learn the probability of each label."""
        ...

    def draft(self, script: Script, draft: Draft) -> Prompt:
        """What to ask for free text at the end of ``script``."""
        ...
