"""The log of a stream: one entry a micro-batch, numbered without a gap, each created where none was.

An entry is the commit. What it names (rows, samples, dead letters) is written before it and belongs to nobody until
the entry is there; so a crash between the two leaves files that no entry names, and nothing else.
"""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict

from judgefleet.errors import MissingError, StoreError
from judgefleet.exclusive import create_exclusive
from judgefleet.storage import Location, folder_entries, read_bytes

# Entries in one folder: a start lists the newest folders only.
_A_FOLDER = 1000


class Spent(BaseModel):
    """What scoring took: tokens read (of them cached) and written, seconds, and cost in the unit of the prices."""

    model_config = ConfigDict(frozen=True)
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cost: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(**{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields})

    @property
    def tokens(self) -> int:
        """Read and written."""
        return self.prompt_tokens + self.completion_tokens


class Entry(BaseModel):
    """One micro-batch, committed.

    ``objects``: keys of the input objects that are done with it. ``opened``: of those read and not done, by key, the
    traces that are decided. ``rows``, ``samples``, ``dead``, ``rejects``: files below the stream's folder.
    ``newer``: the file of samples that supersede others; ``versions``: that of what traces were put together from.
    ``published``: every entry up to this one is in the score store. ``counts``: traces by decision. ``statuses``: rows
    by scorer and status.
    """

    model_config = ConfigDict(frozen=True)
    number: int
    nonce: str
    epoch: int
    run_id: str
    fingerprints: tuple[str, ...] = ()
    plan_hash: str = ""
    factor: float = 1.0
    objects: tuple[str, ...] = ()
    opened: Mapping[str, tuple[str, ...]] = {}
    rows: str | None = None
    samples: str | None = None
    dead: str | None = None
    rejects: str | None = None
    versions: str | None = None
    newer: str | None = None
    replayed: tuple[str, ...] = ()
    published: int = 0
    counts: Mapping[str, int] = {}
    statuses: Mapping[str, int] = {}
    spent: Spent = Spent()
    started_at: str = ""
    finished_at: str = ""
    newest_object: float = 0.0


class Log:
    """Entries below ``root``; the first has number 1."""

    def __init__(self, root: Location) -> None:
        self._root = root

    def append(self, entry: Entry) -> bool:
        """Commit ``entry``; False where another writer has that number. Raises ConfigError and StoreError."""
        return create_exclusive(self._root.child(_path(entry.number)), entry.model_dump_json().encode())

    def read(self, number: int) -> Entry | None:
        """The entry, or None where there is none yet."""
        try:
            return Entry.model_validate_json(read_bytes(self._root.child(_path(number)).uri))
        except MissingError:
            return None

    def after(self, number: int) -> Iterator[Entry]:
        """All entries with a higher number, in order. Raises StoreError where one is missing between others."""
        for found in self.numbers(number):
            entry = self.read(found)
            if entry is None or found != number + 1:
                raise StoreError(
                    f"{self._root.uri}: entry {number + 1} of the log is missing; restore it from a backup"
                )
            yield entry
            number = found

    def numbers(self, above: int = 0) -> list[int]:
        """Numbers of the entries above ``above``, in order."""
        folder = above // _A_FOLDER
        found: list[int] = []
        while names := self._names(folder):
            found += [number for number in names if number > above]
            folder += 1
        return found

    def _names(self, folder: int) -> list[int]:
        infos = folder_entries(self._root.child(f"log/{folder:06d}"))
        return sorted(int(info.base_name.split(".")[0]) for info in infos if info.base_name.endswith(".json"))


def _path(number: int) -> str:
    return f"log/{number // _A_FOLDER:06d}/{number:09d}.json"
