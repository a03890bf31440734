"""Rows in parts are all the rows, those of one key together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from jobs.parted import Parted
from judgefleet.columns import Codes, Rows, shared


@dataclass(frozen=True, kw_only=True, slots=True)
class Some(Rows):
    """Rows of a kind made up here."""

    keys: Codes
    values: npt.NDArray[np.float64]
    small: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.keys)


def some(seed: int, count: int) -> Some:
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, 1 << 63, 40, np.uint64)[rng.integers(0, 40, count)]
    return Some(keys=keys, values=rng.normal(size=count), small=shared(np.full(count, 7, np.int8)))


@pytest.mark.parametrize("parts", [1, 3, 64])
def test_parts_hold_all_rows_and_each_key_once(tmp_path: Path, parts: int) -> None:
    given = [some(seed, count) for seed, count in ((1, 200), (1, 0), (2, 50))]
    held = Parted(tmp_path / "rows", parts, given[0])
    for rows in given:
        held.add(rows, rows.keys)
    found = list(held)
    assert len(found) == parts
    for column in ("keys", "values", "small"):
        told = np.concatenate([getattr(rows, column) for rows in found])
        wanted = np.concatenate([getattr(rows, column) for rows in given])
        assert told.dtype == wanted.dtype
        assert sorted(told.tolist()) == sorted(wanted.tolist())
    pairs = {(key, value) for rows in found for key, value in zip(rows.keys, rows.values, strict=True)}
    assert pairs == {(key, value) for rows in given for key, value in zip(rows.keys, rows.values, strict=True)}
    keys = [set(rows.keys.tolist()) for rows in found]
    assert sum(map(len, keys)) == len(set().union(*keys))


def test_rows_keep_their_order_within_a_part(tmp_path: Path) -> None:
    held = Parted(tmp_path / "rows", 4, some(1, 0))
    for start in (0, 100):
        keys = np.arange(100, dtype=np.uint64) % np.uint64(9)
        held.add(Some(keys=keys, values=np.linspace(start, start + 99, 100), small=np.zeros(100, np.int8)), keys)
    assert all((np.diff(rows.values) > 0).all() for rows in held)


def test_nothing_is_an_empty_part(tmp_path: Path) -> None:
    [part] = Parted(tmp_path / "rows", 1, some(1, 10))
    assert len(part) == 0
    assert part.values.dtype == np.float64
