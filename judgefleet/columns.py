"""Columns of score rows as numbers: names as hashes, so that a million of them are 8 MB, whatever they are."""

from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from judgefleet.score import Status

Codes = npt.NDArray[np.uint64]
NO_CODES: Codes = np.empty(0, np.uint64)
_ROWS = 65_536
_MOST = 1e100


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Rows as columns: every field that is an array has one entry a row, shape (n,)."""

    def where(self, chosen: npt.NDArray[Any]) -> Self:
        """The rows that a mask, or numbers of rows, choose; where a mask chooses all, these very rows, and no copy."""
        if chosen.dtype == np.bool_ and chosen.all():
            return self
        return replace(self, **{name: chosen_of(column, chosen) for name, column in self.arrays.items()})

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The columns, by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}


T = TypeVar("T", bound=Rows)


class Gathered(Generic[T]):
    """Rows, part by part, that become one. Nothing is there twice meanwhile: parts go as they are taken over."""

    def __init__(self) -> None:
        self._parts: dict[str, list[npt.NDArray[Any]]] = {}
        self._like: T | None = None

    def add(self, part: T) -> None:
        """Take in more rows."""
        if self._like is None:
            self._like = part.where(np.empty(0, np.intp))
        for name, column in part.arrays.items():
            self._parts.setdefault(name, []).append(column)

    def whole(self) -> T:
        """All rows, and what else the first part had; to be asked once. Raises ValueError where none was taken in."""
        if self._like is None:
            raise ValueError("no rows were taken in")
        return replace(self._like, **{name: shared(joined(self._parts.pop(name))) for name in list(self._parts)})


def joined(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """All of ``parts`` in one array; they are taken out of the list, one after the other, so that each is there once.

    >>> joined([np.array([1, 2]), np.array([3])]).tolist()
    [1, 2, 3]
    """
    found = np.empty(sum(map(len, parts)), parts[0].dtype)
    end = len(found)
    while parts:
        part = parts.pop()
        found[end - len(part) : end] = part
        end -= len(part)
    return found


def shared(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same entries; where all are one, of that one alone, which takes no memory: most stores have no golden items,
    or weigh all rows alike."""
    return np.broadcast_to(column[0], column.shape) if len(column) and (column == column[0]).all() else column


def chosen_of(column: npt.NDArray[Any], chosen: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The entries that a mask, or numbers of rows, choose; of a column that is ``shared``, still that one alone.

    >>> chosen_of(shared(np.ones(3)), np.array([True, False, True])).strides
    (0,)
    """
    if len(column) and column.strides == (0,):
        count = int(np.count_nonzero(chosen)) if chosen.dtype == np.bool_ else len(chosen)
        return np.broadcast_to(column[:1].reshape(()), (count,))
    found: npt.NDArray[Any] = column[chosen]
    return found


def name_codes(names: Any) -> Codes:
    """A 64-bit hash for each name of an Arrow string array, 0 for a null or an empty one."""
    parts = [_codes(names.slice(at, _ROWS)) for at in range(0, len(names), _ROWS)]
    return np.concatenate(parts) if parts else NO_CODES


def looked_up(
    known: npt.NDArray[np.generic], wanted: npt.NDArray[np.generic]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """For each of ``wanted``, where it is in ``known``, which is sorted, and whether it is there at all."""
    if not len(known):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return at, np.asarray(known[at] == wanted)


def _codes(names: Any) -> Codes:
    if pa.types.is_dictionary(names.type):
        names = names.cast(names.type.value_type)
    given = pc.fill_null(names, "")
    empty = np.asarray(pc.equal(given, ""))
    if empty.all():
        return np.zeros(len(empty), np.uint64)
    codes = pd.util.hash_array(np.asarray(given.to_pylist(), dtype=object), categorize=False)
    return np.where(empty, np.uint64(0), codes).astype(np.uint64)


def cluster_codes(rows: Any) -> Codes:
    """The conversation of each of ``rows``, or the trace where it belongs to none."""
    conversations, traces = name_codes(rows["conversation_id"]), name_codes(rows["trace_id"])
    return np.where(conversations == 0, traces, conversations)


def numbers_of(rows: Any) -> npt.NDArray[np.float64]:
    """The value of each of ``rows``; NaN where it carries none, or one whose square is no number any more."""
    ok = pc.fill_null(pc.equal(rows["status"].cast(pa.string()), Status.OK.value), False)
    values = np.asarray(pc.fill_null(rows["value"].cast(pa.float64()), np.nan), dtype=np.float64)
    return np.where(np.asarray(ok, dtype=np.bool_) & (np.abs(values) <= _MOST), values, np.nan)


def weights_of(rows: Any) -> npt.NDArray[np.float64]:
    """The inverse of the probability with which each of ``rows`` was drawn."""
    drawn = pc.fill_null(rows["inclusion_probability"].cast(pa.float64()), 1.0)
    return 1.0 / np.where((given := np.asarray(drawn, dtype=np.float64)) == 0, 1.0, given)
