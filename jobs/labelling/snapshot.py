"""The audit as it is on disk, read again when one of its files has changed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from calibration.audit import PAIR, AuditInfo, AuditItem, Label
from calibration.audit_folder import Audit
from jobs.labelling.disagreement import disputed
from jobs.labelling.history import holding
from jobs.labelling.order import item_key
from judgefleet.errors import ConfigError

T = TypeVar("T")
Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Snapshot:
    """``items``: those whose texts are there, by id; ``without_text``: how many are not; ``log``: every line."""

    info: AuditInfo
    items: dict[str, AuditItem]
    without_text: int
    log: list[Label]

    @cached_property
    def by_key(self) -> dict[str, AuditItem]:
        """Items by what stands for them on the page."""
        return {item_key(self.info.audit_id, item.item_id): item for item in self.items.values()}

    @cached_property
    def labels(self) -> list[Label]:
        """The labels that hold."""
        return holding(self.log)

    @cached_property
    def disputed(self) -> set[str]:
        """Ids of the items that raters disagree about."""
        return disputed(self.labels) & set(self.items)


class Reader:
    """Reads a local audit. Not for several threads at once: the desk holds a lock."""

    def __init__(self, audit: Audit) -> None:
        if not audit.location.is_local:
            raise ConfigError(f"found the audit {audit.uri!r}; people label a local folder only: copy it here")
        self._audit, self._folder = audit, Path(audit.location.path)
        self._what = _Kept(lambda: (audit.info, audit.items))
        self._snapshot = _Kept(self._read)

    def read(self) -> Snapshot:
        """The audit now. Raises ConfigError where a file is missing or wrong."""
        return self._snapshot.get(_signature([*self._described(), *self._folder.glob("labels/*.jsonl")]))

    def _read(self) -> Snapshot:
        # Labels come every few seconds and items hardly ever; items may be megabytes.
        info, items = self._what.get(_signature(self._described()))
        wanted = 2 if info.kind == PAIR else 1
        whole = {k: v for k, v in items.items() if len(v.responses) == wanted and None not in v.responses}
        return Snapshot(info, whole, len(items) - len(whole), self._audit.label_log)

    def _described(self) -> list[Path]:
        return [self._folder / "audit.yaml", self._folder / "items.jsonl"]


class _Kept(Generic[T]):
    """What was made from some files, until their signature changes."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._last: tuple[Signature, T] | None = None

    def get(self, signature: Signature) -> T:
        if self._last is None or self._last[0] != signature:
            self._last = (signature, self._make())
        return self._last[1]


def _signature(paths: Iterable[Path]) -> Signature:
    """Name, time and size of each file that is there; labels are only ever appended, so their size tells."""
    stats = ((str(path), path.stat()) for path in sorted(paths) if path.is_file())
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
