"""What a run would cost, counted and not guessed: every prompt is written, none is asked.

Prompts in messages have no tokens of ours to count: theirs are reckoned from characters, and the estimate says so.
"""

from collections.abc import Iterable, Iterator, Sequence
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


def count_tokens(prompts: Iterable[Sequence[int]], block: int) -> TokenCount:
    """Count as a prefix cache does: whole blocks of ``block`` tokens, each known by all that stands before it.

    >>> count_tokens([[1, 2, 3, 4, 5], [1, 2, 3, 4, 6]], block=2)
    TokenCount(prompts=2, tokens=10, computed=6)
    """
    seen: set[int] = set()
    number = total = computed = 0
    for prompt in prompts:
        number, total, chain = number + 1, total + len(prompt), 0
        fresh = len(prompt) % block
        # The cache never serves a whole prompt: the last token is computed to get the next one.
        last = len(prompt) // block - (fresh == 0)
        for position in range(len(prompt) // block):
            chain = hash((chain, *prompt[position * block : (position + 1) * block]))
            if chain not in seen or position >= last:
                fresh += block
            seen.add(chain)
        computed += fresh
    return TokenCount(prompts=number, tokens=total, computed=computed)


def estimate(
    store: Location, setup: JudgeSetup, chunks: Sequence[Chunk], done: IdSet, engine: EngineConfig
) -> Estimate:
    """Write every prompt that is still to be asked, and count. One chunk at a time in memory."""
    return estimate_prompts((prompt for _, prompt in asked(store, setup, chunks, done)), engine)


def asked(store: Location, setup: JudgeSetup, chunks: Sequence[Chunk], done: IdSet) -> Iterator[tuple[Unit, Prompt]]:
    """Every prompt that is still to be asked, in the order of the pipeline, beside what it is about."""
    judges = setup.judges()
    for chunk in chunks:
        for _, unit in open_units(load_chunk(store, chunk), judges, done):
            yield from ((unit, prompt) for prompt in unit.prompts)


def tokens_of(prompt: Prompt, engine: EngineConfig) -> Tokens:
    """What the request for ``prompt`` takes at most; tokens of messages are reckoned."""
    return size(prompt, request(prompt, engine, engine.model)[1])


def estimate_prompts(prompts: Iterable[Prompt], engine: EngineConfig) -> Estimate:
    """Count ``prompts`` for ``engine``; each is looked at once and not kept."""
    tally = _Tally()
    counted = count_tokens(tally.seen(prompts, engine), engine.block_size)
    tokens = counted.tokens + tally.reckoned
    computed = (counted.computed if engine.prefix_caching else counted.tokens) + tally.reckoned
    rate = engine.tokens_per_second * engine.replicas
    per_token = cost(engine, Tokens(read=tokens, written=tally.written))
    return Estimate(
        prompts=counted.prompts,
        tokens=tokens,
        tokens_computed=counted.computed + tally.reckoned,
        seconds=computed / rate,
        seconds_without_cache=tokens / rate,
        cost=computed / rate / 3600 * engine.cost_per_hour * engine.replicas + per_token,
        approximate=tally.reckoned > 0,
    )


@dataclass
class _Tally:
    """What is counted beside token ids while prompts pass by."""

    reckoned: int = 0
    written: int = 0

    def seen(self, prompts: Iterable[Prompt], engine: EngineConfig) -> Iterator[Sequence[int]]:
        """The token ids of each prompt; none for messages, whose tokens are added to ``reckoned``."""
        for prompt in prompts:
            found = tokens_of(prompt, engine)
            self.reckoned += found.read if prompt.messages else 0
            self.written += found.written
            yield prompt.token_ids
