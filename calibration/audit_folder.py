"""The folder of an audit: plain files that people and version control can read.

audit.yaml            what is labelled: kind, labels allowed, how items were drawn
items.jsonl           one item a line
labels/NAME.jsonl     labels, append-only, one file a rater or source
verdicts/NAME.jsonl   verdicts of judges that were recorded elsewhere
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from calibration.audit import AuditInfo, AuditItem, Label, Recorded
from judgefleet.errors import ConfigError
from judgefleet.hashing import stable_hash
from judgefleet.location import open_location
from judgefleet.storage import exists, explained, list_objects, read_bytes, write_atomic
from judgefleet.yaml_model import parse_yaml_model

R = TypeVar("R", AuditItem, Label, Recorded)
_TUPLES = ("responses", "trace_ids", "order")


class Audit:
    """The audit in a folder: a local path, or any address that ``judgefleet.location`` opens."""

    def __init__(self, uri: str | Path) -> None:
        self.location = open_location(uri)
        self.uri = str(uri)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.location.path.rstrip("/").rsplit("/", 1)[-1]

    @property
    def exists(self) -> bool:
        """Whether the folder holds an audit."""
        return self._has("audit.yaml")

    @property
    def info(self) -> AuditInfo:
        """``audit.yaml``. Raises ConfigError where there is none, or it is wrong."""
        if not self.exists:
            raise ConfigError(
                f"no audit in {self.uri!r}; 'judgefleet audit import' or 'judgefleet audit draw' makes one"
            )
        uri = self.location.child("audit.yaml").uri
        return parse_yaml_model(read_bytes(uri).decode(), AuditInfo, source=uri)

    def write_info(self, info: AuditInfo) -> None:
        """Write ``audit.yaml``."""
        known = {k: v for k, v in info.model_dump(mode="json").items() if v not in (None, [], {}, False)}
        write_atomic(self.location.child("audit.yaml"), yaml.safe_dump(known, sort_keys=False).encode())

    @property
    def items(self) -> dict[str, AuditItem]:
        """Items by id, in the order of the file."""
        rows = self._lines("items.jsonl") if self._has("items.jsonl") else ()
        return {item.item_id: item for item in (_record(AuditItem, row) for row in rows)}

    def write_items(self, items: Iterable[AuditItem]) -> None:
        """Write ``items.jsonl`` anew."""
        write_atomic(self.location.child("items.jsonl"), lines_of(items))

    @property
    def label_log(self) -> list[Label]:
        """Every line of every label file, file by file."""
        return [_record(Label, row) for name in self._names("labels") for row in self._lines(name)]

    @property
    def labels(self) -> list[Label]:
        """The label of each rater about each item that holds: the last line, unless it skips or withdraws."""
        last = {(label.rater, label.item_id): label for label in self.label_log}
        return [label for label in last.values() if not (label.withdrawn or label.skipped)]

    def write_labels(self, name: str, labels: Iterable[Label]) -> None:
        """Write ``labels/NAME.jsonl`` anew; for imports. Raters append, with ``append_label``."""
        write_atomic(self.location.child(f"labels/{file_name(name)}.jsonl"), lines_of(labels))

    def append_label(self, label: Label) -> None:
        """Add one line to the rater's file in one unbuffered write, so that lines of several writers do not mix.

        Raises ConfigError where the audit is not in a local folder.
        """
        if not self.location.is_local:
            raise ConfigError(f"found the audit {self.uri!r}; labels are appended in a local folder only: copy it here")
        path = Path(self.location.child(f"labels/{file_name(label.rater)}.jsonl").path)
        with explained("write", self.location):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab", buffering=0) as file:
                file.write(lines_of([label]))

    @property
    def verdicts(self) -> list[Recorded]:
        """Every recorded verdict."""
        return [_record(Recorded, row) for name in self._names("verdicts") for row in self._lines(name)]

    def write_verdicts(self, name: str, verdicts: Iterable[Recorded]) -> None:
        """Write ``verdicts/NAME.jsonl`` anew."""
        write_atomic(self.location.child(f"verdicts/{file_name(name)}.jsonl"), lines_of(verdicts))

    def _has(self, name: str) -> bool:
        return exists(self.location.child(name))

    def _names(self, folder: str) -> list[str]:
        found = list_objects(self.location.child(folder).uri) if self._has(folder) else []
        names = (open_location(info.uri).path.rsplit("/", 1)[-1] for info in found)
        return [f"{folder}/{name}" for name in names if name.endswith(".jsonl")]

    def _lines(self, name: str) -> Iterator[Mapping[str, Any]]:
        uri = self.location.child(name).uri
        for number, line in enumerate(read_bytes(uri).decode().split("\n"), start=1):
            if line.strip():
                yield _parsed(line, f"{uri}:{number}")


def file_name(name: str) -> str:
    """A name that any file system takes, different for different ``name``.

    >>> file_name("ana"), file_name("Ana B./x")
    ('ana', 'Ana-B-x-4abc09ae')
    """
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:60]
    return plain if plain == name else f"{plain}-{stable_hash(name, 8)}".lstrip("-")


def lines_of(records: Iterable[AuditItem | Label | Recorded]) -> bytes:
    """Records as JSON Lines, without the fields that say nothing."""
    rows = (_told(record) for record in records)
    return "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows).encode()


def _told(record: AuditItem | Label | Recorded) -> dict[str, Any]:
    """The fields that are not what a record without them has."""
    defaults = {f.name: f.default_factory() if f.default_factory is not MISSING else f.default for f in fields(record)}
    return {name: value for name, value in asdict(record).items() if value != defaults[name]}


def _parsed(line: str, where: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{where}: not JSON ({error}); one object a line belongs here") from error
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: found {type(row).__name__}; one object a line belongs here")
    return row


def _record(kind: type[R], row: Mapping[str, Any]) -> R:
    names = {f.name for f in fields(kind)}
    known: dict[str, Any] = {k: tuple(v) if k in _TUPLES else v for k, v in row.items() if k in names}
    try:
        return kind(**known)
    except TypeError as error:
        raise ConfigError(f"found {dict(row)!r:.200}; not a whole {kind.__name__.lower()} ({error})") from error
