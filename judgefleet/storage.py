"""Lists, reads and writes objects in any location. A write is there whole or not at all."""

import errno
import io
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from judgefleet.errors import ConfigError, JudgefleetError, MissingError, StoreError
from judgefleet.location import Location, open_location

__all__ = [
    "Location",
    "ObjectInfo",
    "ensure_writable",
    "explained",
    "list_objects",
    "open_location",
    "read_bytes",
    "write_atomic",
    "write_table_atomic",
]

_HIDDEN = ("_", ".")
# As Arrow calls its file system.
_AZURE = "abfs"
_USER_CAN_FIX = {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EROFS}
# What an object store says in words; pyarrow passes no code for it.
_REFUSED_WORDS = (
    "ACCESS_DENIED",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "AuthorizationPermissionMismatch",
    "HTTP status 403",
    "INVALID_ACCESS_KEY_ID",
    "PERMISSION_DENIED",
    "SIGNATURE_DOES_NOT_MATCH",
)
# Where they are looked for, by the name that pyarrow gives a file system.
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_PROFILE or ",
    _AZURE: "AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or ",
    "gcs": "GOOGLE_APPLICATION_CREDENTIALS or ",
}
_NO_BUCKET_WORDS = ("NO_SUCH_BUCKET", "ContainerNotFound")
_USER_CAN_FIX_WORDS = (*_REFUSED_WORDS, *_NO_BUCKET_WORDS, "is a directory")


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectInfo:
    """One object: an address that ``read_bytes`` takes, its size in bytes, when it was written (seconds since 1970)."""

    uri: str
    size: int
    modified: float = field(default=0.0, compare=False)


def list_objects(uri: str | Path) -> list[ObjectInfo]:
    """All objects below ``uri``, sorted by address; a single file is a list of one.

    Names that begin with ``_`` or ``.`` below ``uri`` are passed over: markers and writes not finished.
    Raises ConfigError (missing, no permission, no such bucket) and StoreError (the store does not answer).
    """
    location = open_location(uri)
    with explained("list", location):
        listed = _list_local(location) if location.is_local else _list_remote(location)
        return sorted(listed, key=lambda info: info.uri)


def exists(location: Location) -> bool:
    """Whether there is a file, folder or object. Raises ConfigError and StoreError as ``read_bytes`` does."""
    with explained("read", location):
        return bool(location.fs.get_file_info(location.path).type is not fs.FileType.NotFound)


def ensure_listable(uri: str | Path) -> None:
    """Raises ConfigError and StoreError as ``list_objects`` does, without going through all there is."""
    location = open_location(uri)
    with explained("list", location):
        _must_be_there(location)


def folder_entries(folder: Location) -> list[fs.FileInfo]:
    """What lies in ``folder`` itself, markers included; nothing where there is no such folder."""
    with explained("list", folder):
        found: list[fs.FileInfo] = folder.fs.get_file_info(fs.FileSelector(folder.path, allow_not_found=True))
    return found


def read_table(location: Location, columns: list[str] | None = None) -> pa.Table:
    """One Parquet file, all of it or ``columns``; folders above it are no columns. Raises as ``read_bytes`` does."""
    with explained("read", location):
        return pq.read_table(location.path, filesystem=location.fs, columns=columns, partitioning=None)


def read_bytes(uri: str | Path) -> bytes:
    """The object as it is stored; compression is left alone, whatever its name ends in.

    Raises ConfigError (missing, a folder, no permission) and StoreError (the store does not answer).
    """
    location = open_location(uri)
    with explained("read", location):
        if location.is_local:
            return Path(location.path).read_bytes()
        with location.fs.open_input_stream(location.path, compression=None) as stream:
            return bytes(stream.read())


def write_atomic(location: Location, data: bytes) -> str:
    """Write ``data`` so that a reader sees all of it or none; folders are made. Returns the address.

    Local: a hidden file beside it, flushed to disk, then renamed. Object stores: one upload, seen when complete; on
    Azure a hidden object, then copied.
    Raises ConfigError (a file in the way, read-only, no permission) and StoreError (disk full, no answer).
    """
    with explained("write", location):
        _write(location, data)
    return location.uri


def write_table_atomic(folder: Location, relative_path: str, table: pa.Table) -> str:
    """Write ``table`` as zstd Parquet to ``relative_path`` below ``folder``, as ``write_atomic`` does."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return write_atomic(folder.child(relative_path), buffer.getvalue())


def ensure_writable(uri: str | Path) -> Location:
    """The folder at ``uri``, made if need be and tried by writing to it; call this before any work.

    Raises ConfigError that says why it cannot be written.
    """
    location = open_location(uri)
    probe = location.child(f".judgefleet-{uuid.uuid4().hex}")
    with explained("write", location):
        _write(probe, b"")
    # A store may allow writes and no deletes; a hidden object of no bytes does no harm.
    with suppress(OSError):
        location.fs.delete_file(probe.path)
    return location


def _list_local(location: Location) -> Iterator[ObjectInfo]:
    """Follows links to folders, each real folder once; pyarrow's own listing runs in circles there."""
    root = Path(location.path)
    info = root.stat()
    if not stat.S_ISDIR(info.st_mode):
        yield ObjectInfo(uri=location.uri, size=info.st_size, modified=info.st_mtime)
        return
    seen: set[Path] = set()
    for folder, names, files in os.walk(root, followlinks=True, onerror=_raise):
        if (real := Path(folder).resolve()) in seen:
            names.clear()
            continue
        seen.add(real)
        names[:] = [name for name in names if not name.startswith(_HIDDEN)]
        for name in files:
            path = Path(folder, name)
            if not name.startswith(_HIDDEN) and path.is_file():
                relative = path.relative_to(root).as_posix()
                yield _local_info(location.child(relative).uri, path)


def _local_info(uri: str, path: Path) -> ObjectInfo:
    found = path.stat()
    return ObjectInfo(uri=uri, size=found.st_size, modified=found.st_mtime)


def _raise(error: OSError) -> None:
    raise error


def _must_be_there(location: Location) -> fs.FileInfo:
    info = location.fs.get_file_info(location.path)
    if info.type == fs.FileType.NotFound:
        raise FileNotFoundError(errno.ENOENT, "no such object or folder")
    return info


def _list_remote(location: Location) -> Iterator[ObjectInfo]:
    info = _must_be_there(location)
    if info.type == fs.FileType.File:
        yield _remote_info(location.uri, info)
        return
    for found in location.fs.get_file_info(fs.FileSelector(location.path, recursive=True)):
        relative = found.path[len(location.path) :].strip("/")
        if found.type == fs.FileType.File and not any(p.startswith(_HIDDEN) for p in relative.split("/")):
            yield _remote_info(location.child(relative).uri, found)


def _remote_info(uri: str, info: fs.FileInfo) -> ObjectInfo:
    return ObjectInfo(uri=uri, size=info.size, modified=(info.mtime_ns or 0) / 1e9)


def _write(location: Location, data: bytes) -> None:
    if location.is_local:
        _write_local(Path(location.path), data)
        return
    if location.fs.type_name == _AZURE:
        _write_azure(location, data)
        return
    with location.fs.open_output_stream(location.path, compression=None) as stream:
        stream.write(data)


def _write_azure(location: Location, data: bytes) -> None:
    """Arrow's stream makes an empty object first; a copy of a hidden one is seen when it is complete (to 256 MiB)."""
    folder, _, name = location.path.rpartition("/")
    hidden = f"{folder}/.{name}.{uuid.uuid4().hex}.tmp"
    with location.fs.open_output_stream(hidden, compression=None) as stream:
        stream.write(data)
    location.fs.copy_file(hidden, location.path)
    with suppress(OSError):
        location.fs.delete_file(hidden)


def _write_local(path: Path, data: bytes) -> None:
    with hidden_copy(path, data) as hidden:
        hidden.replace(path)
    _sync_folder(path.parent)


@contextmanager
def hidden_copy(path: Path, data: bytes) -> Iterator[Path]:
    """``data`` in a hidden file beside ``path``, flushed to disk; gone at the end if it still has that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with hidden.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield hidden
    finally:
        hidden.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself survive a power cut; some file systems do not offer it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def explained(doing: str, location: Location) -> Iterator[None]:
    """Turns what the operating system or the store says while ``doing`` (list, read, write) into our errors.

    Raises ConfigError for what a user can mend, StoreError for what may pass.
    """
    try:
        yield
    except OSError as error:
        raise _our_error(doing, location, error) from error
    except pa.ArrowInvalid as error:
        raise StoreError(
            f"{location.uri}: found something damaged or foreign ({error}); remove it and try again"
        ) from error


def _our_error(doing: str, location: Location, error: OSError) -> JudgefleetError:
    said = error.strerror or str(error)
    if isinstance(error, FileNotFoundError) and doing != "write":
        return MissingError(f"{location.uri}: no such file or folder; give a path that exists")
    if error.errno in _USER_CAN_FIX or any(words in said for words in _USER_CAN_FIX_WORDS):
        return ConfigError(f"{location.uri}: cannot {doing} ({said}); {_hint(doing, said, location)}")
    return StoreError(f"{location.uri}: cannot {doing} ({said}); try again when the store answers")


def _hint(doing: str, said: str, location: Location) -> str:
    if any(words in said for words in _NO_BUCKET_WORDS):
        return "make the bucket first, or name another"
    if any(words in said for words in _REFUSED_WORDS):
        names = _CREDENTIALS.get(location.fs.type_name, "")
        return f"check the credentials ({names}the machine's role) and what they may do"
    return "give a folder that can be written" if doing == "write" else "give a path that can be read"
