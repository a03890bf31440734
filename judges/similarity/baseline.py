"""What unrelated texts score: BERTScore's baseline rescaling, as numbers or as the package's file of them."""

import csv
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from judgefleet.errors import ConfigError

AXES = ("precision", "recall", "f1")
_COLUMNS = ("LAYER", "P", "R", "F")
_BelowOne = Annotated[float, Field(gt=-1, lt=1, allow_inf_nan=False)]


class Baseline(BaseModel, extra="forbid", frozen=True):
    """What unrelated texts score on each axis; rescaling maps it to 0 and leaves 1 where it is."""

    precision: _BelowOne
    recall: _BelowOne
    f1: _BelowOne

    def rescaled(self, axis: str, value: float) -> float:
        """(value - b) / (1 - b).

        >>> Baseline(precision=0.5, recall=0.2, f1=0.3).rescaled("precision", 0.75)
        0.5
        """
        base = float(getattr(self, axis))
        return (value - base) / (1 - base)


def named_axes(given: object) -> object:
    """A list of three numbers stands for precision, recall and f1.

    >>> named_axes([0.1, 0.2, 0.3])
    {'precision': 0.1, 'recall': 0.2, 'f1': 0.3}
    """
    return dict(zip(AXES, given, strict=True)) if isinstance(given, list | tuple) and len(given) == 3 else given


def read_baseline(path: Path, layer: int) -> Baseline:
    """The row of ``layer`` in a file as the ``bert-score`` package has them: columns LAYER, P, R, F, comma or tab.

    Raises ConfigError when there is no such file, column, row or number.
    """
    rows = [row for row in _rows(path) if (row["LAYER"] or "").strip() == str(layer)]
    if len(rows) != 1:
        raise ConfigError(f"{_where(path)} has {len(rows)} rows for layer {layer}; it must have one: choose its layer")
    try:
        return Baseline.model_validate({axis: rows[0][column] for axis, column in zip(AXES, "PRF", strict=True)})
    except ValidationError as error:
        found = ", ".join(f"{e['loc'][0]} {e['input']!r}" for e in error.errors())
        raise ConfigError(
            f"{_where(path)} has for layer {layer} the {found}; numbers between -1 and 1 belong there"
        ) from error


def _rows(path: Path) -> list[dict[str, str | None]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"{_where(path)} cannot be read as text ({error}); give a UTF-8 file") from error
    lines = [line for line in text.splitlines() if line.strip()]
    columns = [name.strip() for name in lines[0].replace("\t", ",").split(",")] if lines else []
    if missing := [name for name in _COLUMNS if name not in columns]:
        raise ConfigError(f"{_where(path)} has no column {missing[0]!r}; its first line must be {','.join(_COLUMNS)}")
    return list(csv.DictReader((line.replace("\t", ",") for line in lines[1:]), fieldnames=columns))


def _where(path: Path) -> str:
    return f"rescale_with_baseline: {str(path)!r}"
