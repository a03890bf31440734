"""Files of labels and verdicts into an audit's folder."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from calibration.audit import PAIR, PAIR_LABELS, AuditInfo, AuditItem, Label, Recorded
from calibration.audit_folder import Audit
from calibration.import_form import Found, NotHumanError, RowError
from calibration.import_rows import kind_of, label_name, read_row
from judgefleet.errors import ConfigError
from judgefleet.hashing import stable_hash
from judgefleet.location import open_location
from judgefleet.storage import read_bytes

_LISTS = ("data", "rows", "assessments", "scores", "annotations", "items")


@dataclass(slots=True)
class Imported:
    """What was found. ``rejects``: where, and why; ``not_human``: scores passed over because no person gave them;
    ``other_names``: labels of tracing tools passed over because they have another name."""

    items: dict[str, AuditItem] = field(default_factory=dict)
    labels: dict[str, list[Label]] = field(default_factory=dict)
    verdicts: dict[str, list[Recorded]] = field(default_factory=dict)
    rejects: list[str] = field(default_factory=list)
    not_human: int = 0
    kinds: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    other_names: int = 0
    scales: set[tuple[Any, ...]] = field(default_factory=set)


def import_files(audit: Audit, uris: list[str], name: str | None = None) -> Imported:
    """Read ``uris`` and add what they hold to ``audit``, which is made where there is none. The same file again
    takes the place of what it gave before. ``name``: which of the labels that a tracing tool keeps under names.
    Raises ConfigError: a file that is none, pairs and ratings together, or labels of several names.
    """
    return import_rows(audit, {uri: rows_of(uri) for uri in uris}, name)


def import_rows(
    audit: Audit, sources: Mapping[str, Iterable[tuple[str, Any]]], name: str | None = None, *, write: bool = True
) -> Imported:
    """As ``import_files``, with the rows of each source, and where each stands, already read. ``write``: else nothing
    is written, and the counts are what an import would give."""
    found = Imported(items=audit.items)
    before = audit.info if audit.exists else None
    found.kinds |= {before.kind} if before else set()
    for uri, rows in sources.items():
        _read_rows(uri, rows, found, name)
    if len(found.names) > 1:
        names = ", ".join(sorted(found.names))
        raise ConfigError(f"found labels of several names: {names}; an audit is about one: choose it by --name")
    if len(found.kinds) > 1:
        raise ConfigError("found pairs and ratings; an audit holds one kind: import them into two folders")
    if not found.kinds:
        raise ConfigError("found verdicts and no labels; import the labelled items with them, or before them")
    if write:
        _write(audit, found, before)
    return found


def _read_rows(uri: str, rows: Iterable[tuple[str, Any]], found: Imported, wanted: str | None) -> None:
    path = open_location(uri).path
    source = PurePosixPath(path).stem
    labels: list[Label] = []
    verdicts: dict[tuple[str, str, str], Recorded] = {}
    for where, row in rows:
        if isinstance(row, Mapping) and wanted is not None and label_name(row) not in (None, wanted):
            found.other_names += 1
            continue
        # What a row says about an item that cannot be kept is not kept either.
        all(
            _keep(thing, labels, verdicts, found, f"{uri}, {where}")
            for thing in _things(row, source, uri, where, found)
        )
    # The same file takes the place of what it gave before; a file of the same name elsewhere, or a rater's, does not.
    name = f"import-{source}-{stable_hash(str(Path(path).resolve()), 8)}"
    if labels:
        found.labels[name] = labels
    if verdicts:
        found.verdicts[name] = list(verdicts.values())


def _things(row: Any, source: str, uri: str, where: str, found: Imported) -> list[Found]:
    """What the row holds; nothing, and a reject, where it cannot be used."""
    try:
        things = (
            list(read_row(row, source, PurePosixPath(uri).parent.name)) if isinstance(row, Mapping) else _not_a_row(row)
        )
        _note_kind(row, things, found)
        if (name := label_name(row)) is not None:
            found.names.add(name)
        return things
    except NotHumanError:
        found.not_human += 1
    except RowError as error:
        found.rejects.append(f"{uri}, {where}: {error}")
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        found.rejects.append(f"{uri}, {where}: a value has a form that is not expected ({error})")
    return []


def _not_a_row(row: Any) -> list[Found]:
    raise RowError(f"found {type(row).__name__}; an object with named fields belongs here")


def _note_kind(row: Mapping[str, Any], things: list[Found], found: Imported) -> None:
    if any(isinstance(thing, AuditItem | Label) for thing in things) and (kind := kind_of(row)):
        found.kinds.add(kind)
    if isinstance(row.get("scale"), list):
        found.scales.add(tuple(row["scale"]))


def _keep(
    thing: Found, labels: list[Label], verdicts: dict[tuple[str, str, str], Recorded], found: Imported, where: str
) -> bool:
    """Whether it was kept; if not, the reason is among the rejects."""
    if isinstance(thing, Label):
        labels.append(thing)
        return True
    if isinstance(thing, AuditItem):
        return _keep_item(thing, found, where)
    key = (thing.item_id, thing.judge, thing.prompt)
    if verdicts.setdefault(key, thing) == thing:
        return True
    found.rejects.append(f"{where}: a second verdict of {thing.judge!r} about {thing.item_id!r}; the first is kept")
    return False


def _keep_item(item: AuditItem, found: Imported, where: str) -> bool:
    old = found.items.get(item.item_id)
    if old and old.responses and item.responses and old.responses != item.responses:
        found.rejects.append(f"{where}: item {item.item_id!r} was there before with other answers; the first is kept")
        return False
    if old is None or item.responses:
        found.items[item.item_id] = item if old is None else replace(item, anchor=old.anchor)
    return True


def _write(audit: Audit, found: Imported, before: AuditInfo | None) -> None:
    audit.write_items(found.items.values())
    for name, labels in found.labels.items():
        audit.write_labels(name, labels)
    for name, verdicts in found.verdicts.items():
        audit.write_verdicts(name, verdicts)
    if before is None:
        audit.write_info(_info(audit, found))


def _info(audit: Audit, found: Imported) -> AuditInfo:
    [kind] = found.kinds
    if kind == PAIR:
        return AuditInfo(audit_id=audit.name, kind=kind, labels=list(PAIR_LABELS), question="Which answer is better?")
    given = [label for labels in found.labels.values() for label in labels]
    words = sorted({label.label for label in given if label.label is not None})
    scores = [label.score for label in given if label.score is not None]
    numbers = [s for s in found.scales if all(isinstance(x, int | float) for x in s) and len(s) == 2]
    low, high = numbers[0] if numbers else (min(scores, default=0.0), max(scores, default=0.0))
    return AuditInfo(audit_id=audit.name, kind=kind, labels=words, scale=(float(low), float(high)) if scores else None)


def rows_of(uri: str) -> Iterator[tuple[str, Any]]:
    """Each row of a file with its place: JSON Lines, a JSON list, CSV or Parquet, told apart by content.

    Raises ConfigError where the file is none of them.
    """
    data = read_bytes(uri)
    head = data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1]
    try:
        if data.startswith(b"PAR1"):
            rows = pyarrow.parquet.read_table(pa.BufferReader(data)).to_pylist()
            yield from ((f"row {n}", row) for n, row in enumerate(rows, 1))
        elif head in (b"{", b"["):
            yield from _json_rows(data.decode("utf-8-sig"))
        else:
            yield from _csv_rows(data)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise ConfigError(f"{uri}: neither JSON Lines, JSON, CSV nor Parquet ({error})") from error


def _json_rows(text: str) -> Iterator[tuple[str, Any]]:
    try:
        whole = json.loads(text)
    except ValueError:
        yield from ((f"line {n}", _line(line)) for n, line in enumerate(text.split("\n"), 1) if line.strip())
        return
    if isinstance(whole, dict):
        whole = next((whole[name] for name in _LISTS if isinstance(whole.get(name), list)), [whole])
    yield from ((f"entry {n}", row) for n, row in enumerate(whole, 1))


def _line(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def _csv_rows(data: bytes) -> Iterator[tuple[str, Any]]:
    parsing = pyarrow.csv.ParseOptions(newlines_in_values=True)
    columns = data.split(b"\n", 1)[0].decode("utf-8-sig").strip().split(",")
    kinds = pyarrow.csv.ConvertOptions(column_types={name.strip('"'): pa.string() for name in columns})
    table = pyarrow.csv.read_csv(pa.BufferReader(data), parse_options=parsing, convert_options=kinds)
    yield from ((f"row {n}", row) for n, row in enumerate(table.to_pylist(), 1))
