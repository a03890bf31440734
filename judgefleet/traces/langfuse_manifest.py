"""The manifest of one run of Langfuse's export: what it lists is read together, and nothing else is.

A run is complete once its manifest is there, so ``manifests/`` is the folder to follow: files of a run that has not
ended are never read. The listed keys are looked up below the project's folder, in which ``manifests/`` lies.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from judgefleet.errors import ConfigError
from judgefleet.location import Location, open_location
from judgefleet.storage import read_bytes
from judgefleet.trace import Trace
from judgefleet.traces.content import Content, unpacked
from judgefleet.traces.langfuse import newest, spans_of
from judgefleet.traces.reject import Reject, UnreadableError, shown
from judgefleet.traces.span import Span
from judgefleet.traces.spans import whole_traces

_KEYS = frozenset({"files", "projectId", "exportSource"})
_FOLDER = "manifests"
# Later tables know more of a row with the same id. Scores are no traces.
_TABLES = ("traces", "observations", "observations_v2")
SCORES = "scores"


def recognises(content: Content) -> bool:
    """Whether the content is one JSON object with the keys of a manifest."""
    return isinstance(content.first_record, Mapping) and content.first_record.keys() >= _KEYS


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject for each trace id in the run's files. Raises StoreError where the store does not answer."""
    return whole_traces(read_spans(content), content)


def read_spans(content: Content) -> Iterator[Span | Reject]:
    """The spans in the files of the run, the newest of each id, and a reject for each row that cannot be read.

    One reject for all of the run where a file cannot be read: what is left might be half of a trace.
    """
    try:
        yield from newest(span for file in files_of(content, _TABLES) for span in spans_of(file))
    except UnreadableError as error:
        yield content.reject("object", str(error))


def files_of(content: Content, tables: tuple[str, ...]) -> Iterator[Content]:
    """The listed files of ``tables``, in the order of these, unpacked; a quiet window has files without content.

    Raises UnreadableError and StoreError.
    """
    project, keys = _listed(content.first_record)
    folder = _project_folder(content.uri)
    found = [(table, key) for key in keys if (table := _table(key, project)) in tables]
    left = content.options.max_bytes
    for _, key in sorted(found, key=lambda pair: tables.index(pair[0])):
        file = _file(content, folder, _below(key, project), left)
        left -= len(file.data)
        if file.data.strip():
            yield file


def _listed(manifest: Any) -> tuple[str, list[str]]:
    """The project and the keys of its files. Raises UnreadableError."""
    project = manifest.get("projectId") if isinstance(manifest, Mapping) else None
    if not isinstance(project, str) or not project:
        raise UnreadableError("no manifest of a Langfuse export: one has projectId, exportSource and files")
    files = manifest["files"] if isinstance(manifest.get("files"), list) else [None]
    keys = [file.get("key") if isinstance(file, Mapping) else None for file in files]
    if not all(isinstance(key, str) for key in keys):
        raise UnreadableError(f"found files {shown(manifest.get('files'))}; a list of objects with a key belongs here")
    return project, keys  # type: ignore[return-value]


def _project_folder(uri: str) -> Location:
    """The folder above ``manifests/``. Raises UnreadableError."""
    here = open_location(uri)
    if here.path.split("/")[-2:-1] != [_FOLDER]:
        raise UnreadableError(f"a manifest lies in a folder {_FOLDER}/; from anywhere else its files are not found")
    return here.above(2)


def _table(key: str, project: str) -> str:
    """Keys are ``[prefix/]project/[integration/]table/time.format``."""
    return ("", *_below(key, project).split("/"))[-2]


def _below(key: str, project: str) -> str:
    return f"/{key}".rpartition(f"/{project}/")[2]


def _file(content: Content, folder: Location, key: str, most: int) -> Content:
    try:
        raw = read_bytes(uri := folder.child(key).uri)
    except (ConfigError, ValueError) as error:
        raise UnreadableError(f"the run lists {shown(key)}: {error}") from error
    data, problem = unpacked(raw, most)
    if problem is not None or len(data) > most:
        known = f"all its files together have more than max_bytes {content.options.max_bytes:,}"
        raise UnreadableError(f"the run lists {shown(key)}: {known if len(data) > most else problem}")
    return Content(uri=uri, data=data, options=content.options)
