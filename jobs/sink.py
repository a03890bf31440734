"""Where score rows leave the pipeline: each block is committed to the store as it comes."""

from collections.abc import Iterable
from typing import Any

from ray.data import Datasink
from ray.data.block import Block, BlockAccessor

from judgefleet.score import SCORE_SCHEMA
from judgefleet.storage import open_location
from judgefleet.store import write_scores


class ScoreSink(Datasink[int]):  # type: ignore[misc]
    """Writes blocks of SCORE_SCHEMA; a block that Ray writes twice, after a retry, is one file."""

    def __init__(self, store_uri: str) -> None:
        self._store_uri = store_uri

    def write(self, blocks: Iterable[Block], ctx: Any) -> int:  # noqa: ARG002 - Ray's signature
        """Commit every block; returns the number of rows."""
        store = open_location(self._store_uri)
        tables = [BlockAccessor.for_block(block).to_arrow() for block in blocks]
        return sum(write_scores(store, table.cast(SCORE_SCHEMA)) for table in tables if table.num_rows)

    def get_name(self) -> str:
        """Shown in Ray's own progress and dashboard."""
        return "ScoreStore"

    @property
    def supports_distributed_writes(self) -> bool:
        """Any node may write: the store is an address."""
        return True
