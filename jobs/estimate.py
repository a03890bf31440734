"""What a run would cost, counted and not guessed: every prompt is written, none is asked.

Prompts in messages have no tokens of ours to count: theirs are reckoned from characters, and the estimate says so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jobs.engines.budget import Tokens, cost
from jobs.engines.config import EngineConfig
from jobs.engines.wire import request, size
from jobs.judging import JudgeSetup, open_units
from jobs.plan import Chunk
from jobs.remaining import load_chunk
from judgefleet.ids import IdSet
from judgefleet.storage import Location
from judges.judge import Unit
from judges.prompt import Prompt


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenCount:
    """Prompts, their tokens, and the tokens that are left to compute when shared prefixes are computed once."""

    prompts: int
    tokens: int
    computed: int

    @property
    def shared(self) -> float:
        """The share of tokens that the prefix cache saves."""
        return 1 - self.computed / self.tokens if self.tokens else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """``seconds`` and ``cost`` follow from ``tokens_per_second``, ``cost_per_hour`` and prices in the configuration.

    ``approximate``: the tokens were reckoned from characters; what a prefix cache would save is then not known.
    """

    prompts: int
    tokens: int
    tokens_computed: int
    seconds: float
    seconds_without_cache: float
    cost: float
    approximate: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


class PrefixCount:
    """Counts as a prefix cache does: whole blocks of ``block`` tokens, each known by all that stands before it."""

    def __init__(self, block: int) -> None:
        self._block, self._seen = block, set[int]()
        self.prompts = self.tokens = self.computed = 0

    def add(self, prompt: Sequence[int]) -> None:
        """One more prompt."""
        chain, fresh = 0, len(prompt) % self._block
        # The cache never serves a whole prompt: the last token is computed to get the next one.
        last = len(prompt) // self._block - (fresh == 0)
        for position in range(len(prompt) // self._block):
            chain = hash((chain, *prompt[position * self._block : (position + 1) * self._block]))
            if chain not in self._seen or position >= last:
                fresh += self._block
            self._seen.add(chain)
        self.prompts, self.tokens, self.computed = self.prompts + 1, self.tokens + len(prompt), self.computed + fresh


def count_tokens(prompts: Iterable[Sequence[int]], block: int) -> TokenCount:
    """What one prefix cache makes of ``prompts``, in their order.

    >>> count_tokens([[1, 2, 3, 4, 5], [1, 2, 3, 4, 6]], block=2)
    TokenCount(prompts=2, tokens=10, computed=6)
    """
    count = PrefixCount(block)
    for prompt in prompts:
        count.add(prompt)
    return TokenCount(prompts=count.prompts, tokens=count.tokens, computed=count.computed)


def estimate(
    store: Location, setup: JudgeSetup, chunks: Sequence[Chunk], done: IdSet, engines: Mapping[str, EngineConfig]
) -> Estimate:
    """Write every prompt that is still to be asked, and count. One chunk at a time in memory."""
    return estimate_prompts((prompt for _, prompt in asked(store, setup, chunks, done)), engines)


def asked(store: Location, setup: JudgeSetup, chunks: Sequence[Chunk], done: IdSet) -> Iterator[tuple[Unit, Prompt]]:
    """Every prompt that is still to be asked, in the order of the pipeline, beside what it is about."""
    judges = setup.judges()
    for chunk in chunks:
        for _, unit in open_units(load_chunk(store, chunk), judges, done):
            yield from ((unit, prompt) for prompt in unit.prompts)


def tokens_of(prompt: Prompt, engine: EngineConfig) -> Tokens:
    """What the request for ``prompt`` takes at most; tokens of messages are reckoned."""
    return size(prompt, request(prompt, engine, engine.model)[1])


def estimate_prompts(prompts: Iterable[Prompt], engines: Mapping[str, EngineConfig]) -> Estimate:
    """Count ``prompts``, each for its engine, with a cache of its own; each is looked at once and not kept.

    Engines work beside each other, so the slowest decides when all is done.
    """
    tallies = {name: _Tally(engine) for name, engine in engines.items()}
    for prompt in prompts:
        tallies[prompt.engine].add(prompt)
    found = tallies.values()
    return Estimate(
        prompts=sum(one.count.prompts for one in found),
        tokens=sum(one.tokens for one in found),
        tokens_computed=sum(one.count.computed + one.reckoned for one in found),
        seconds=max(one.seconds for one in found),
        seconds_without_cache=max(one.tokens / one.rate for one in found),
        cost=sum(one.cost for one in found),
        approximate=any(one.reckoned for one in found),
    )


class _Tally:
    """What one engine is asked. ``reckoned``: tokens of messages, which have no ids."""

    def __init__(self, engine: EngineConfig) -> None:
        self._engine, self.count = engine, PrefixCount(engine.block_size)
        self.reckoned = self._written = 0
        self.rate = engine.tokens_per_second * engine.replicas

    def add(self, prompt: Prompt) -> None:
        taken = tokens_of(prompt, self._engine)
        self.reckoned += taken.read if prompt.messages else 0
        self._written += taken.written
        self.count.add(prompt.token_ids)

    @property
    def tokens(self) -> int:
        return self.count.tokens + self.reckoned

    @property
    def seconds(self) -> float:
        counted = self.count.computed if self._engine.prefix_caching else self.count.tokens
        return (counted + self.reckoned) / self.rate

    @property
    def cost(self) -> float:
        """By the hour of its machines, and by the token."""
        hours = self.seconds / 3600 * self._engine.cost_per_hour * self._engine.replicas
        return hours + cost(self._engine, Tokens(read=self.tokens, written=self._written))
