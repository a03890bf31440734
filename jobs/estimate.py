"""What a run would cost, counted and not guessed: every prompt is written, none is asked."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jobs.config import EngineConfig
from jobs.judging import JudgeSetup, open_units
from jobs.plan import Chunk
from jobs.remaining import load_chunk
from judgefleet.ids import IdSet
from judgefleet.storage import Location


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
    """``seconds`` and ``cost`` follow from ``tokens_per_second`` and ``cost_per_hour`` of the configuration."""

    prompts: int
    tokens: int
    tokens_computed: int
    seconds: float
    seconds_without_cache: float
    cost: float

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
    judges = setup.judges()
    prompts = (
        prompt.token_ids
        for chunk in chunks
        for samples in [load_chunk(store, chunk)]
        for _, unit in open_units(samples, judges, done)
        for prompt in unit.prompts
    )
    counted = count_tokens(prompts, engine.block_size)
    rate = engine.tokens_per_second * engine.replicas
    computed = counted.computed if engine.prefix_caching else counted.tokens
    return Estimate(
        prompts=counted.prompts,
        tokens=counted.tokens,
        tokens_computed=counted.computed,
        seconds=computed / rate,
        seconds_without_cache=counted.tokens / rate,
        cost=computed / rate / 3600 * engine.cost_per_hour * engine.replicas,
    )
