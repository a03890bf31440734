"""Human labels that lie in exports of tracing tools, into an audit: those that ``audit import`` knows, and no others.

Of a Langfuse export the tables of scores are read, by the manifests where there are some; of anything else, tables
with the columns of Phoenix annotations or MLflow assessments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from calibration.audit_folder import Audit
from calibration.import_rows import label_name
from calibration.importing import Imported, import_rows
from jobs.traces_look import objects_at
from judgefleet.errors import ConfigError
from judgefleet.storage import read_bytes
from judgefleet.traces.content import Content, unpacked
from judgefleet.traces.langfuse_manifest import SCORES, files_of
from judgefleet.traces.langfuse_manifest import recognises as is_manifest
from judgefleet.traces.reject import Reject, UnreadableError, shown
from judgefleet.traces.tables import columns_of, rows_of

_LABEL_COLUMNS = ("annotator_kind", "source")


@dataclass(kw_only=True)
class Collected:
    """Rows with a label, each once, and how many there are under each name. ``objects``, ``without``: read, and those
    of them in which there are no labels. ``older``: versions that a newer one replaced."""

    rows: dict[str, tuple[str, Any]] = field(default_factory=dict)
    names: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    without: int = 0
    older: int = 0
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class LabelImport:
    """What was found, and what would be or was imported of each name."""

    collected: Collected
    by_name: Mapping[str, Imported]
    written: bool


def import_labels(
    uri: str,
    audit: str,
    name: str | None = None,
    *,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> LabelImport:
    """Read the labels below ``uri``; write those called ``name`` into ``audit``, or, with ``dry_run``, nothing.

    Raises ConfigError: no objects, no labels, or labels of several names and no ``name``.
    """
    found = _collect(uri, progress)
    folder = Audit(audit)
    wanted = [name] if name is not None else sorted(found.names)
    if not found.names or (name is not None and name not in found.names):
        raise ConfigError(_nothing(uri, found, name))
    if len(wanted) > 1 and not dry_run:
        raise ConfigError(
            f"found labels of several names: {', '.join(wanted)}; an audit is about one: choose it by --name"
        )
    done = {one: import_rows(folder, {uri: found.rows.values()}, one, write=not dry_run) for one in wanted}
    return LabelImport(collected=found, by_name=done, written=not dry_run)


def _collect(uri: str, progress: Callable[[int, int], None]) -> Collected:
    found = Collected()
    objects = objects_at(uri)
    for number, info in enumerate(objects, 1):
        before = len(found.rows) + found.older
        _read(info.uri, found)
        found.objects += 1
        found.without += len(found.rows) + found.older == before
        progress(number, len(objects))
    found.names.update(name for _, row in found.rows.values() if (name := label_name(row)) is not None)
    return found


def _read(uri: str, found: Collected) -> None:
    try:
        for content in _tables(uri):
            for row in rows_of(content):
                _keep(content.uri, row, found)
    except UnreadableError as error:
        found.unreadable.append(f"{uri}: {error}")


def _tables(uri: str) -> Iterator[Content]:
    """The object where it is a table of labels; those that it lists where it is a manifest. Raises UnreadableError."""
    content = Content(uri=uri, data=read_bytes(uri))
    data, problem = unpacked(content.data, content.options.max_bytes)
    if problem is not None:
        raise UnreadableError(problem)
    content = Content(uri=uri, data=data)
    if is_manifest(content):
        yield from files_of(content, (SCORES,))
    elif any(column in columns_of(content) for column in _LABEL_COLUMNS):
        yield content


def _keep(uri: str, row: Any, found: Collected) -> None:
    """Of rows with one id the one that was updated last, of equals the later one."""
    if isinstance(row, Reject):
        found.unreadable.append(f"{uri}, {row.position}: {row.reason}")
    elif not isinstance(row.value, Mapping):
        found.unreadable.append(f"{uri}, {row.position}: found {shown(row.value)}; an object belongs here")
    elif label_name(row.value) is not None:
        where = f"{uri.rpartition('/')[2]}, {row.position}"
        key = str(row.value.get("id") or f"{uri}, {row.position}")
        old = found.rows.pop(key, None)
        found.older += old is not None
        keeps = old is not None and _updated(old[1]) > _updated(row.value)
        found.rows[key] = old if old is not None and keeps else (where, row.value)


def _updated(row: Mapping[str, Any]) -> str:
    return str(row.get("updated_at") or row.get("updatedAt") or "")


def _nothing(uri: str, found: Collected, name: str | None) -> str:
    if name is not None and found.names:
        return f"{uri}: no labels called {name!r}; there are {', '.join(sorted(found.names))}"
    why = f" ({found.unreadable[0]})" if found.unreadable else ""
    return (
        f"{uri}: no labels in {found.objects:,} objects{why}; give the scores/ or manifests/ folder of a Langfuse "
        "export, annotations of Phoenix or assessments of MLflow. A table of your own: 'judgefleet audit import'"
    )


def told(done: LabelImport) -> dict[str, Any]:
    """All of it as plain data."""
    found = done.collected
    return {
        "objects": found.objects,
        "objects_without_labels": found.without,
        "older_versions": found.older,
        "unreadable": found.unreadable,
        "written": done.written,
        "names": {
            name: {
                "labels": sum(map(len, one.labels.values())),
                "raters": len({label.rater for labels in one.labels.values() for label in labels}),
                "not_human": one.not_human,
                "rejects": one.rejects,
            }
            for name, one in done.by_name.items()
        },
    }
