"""Many small files of one date and scorer become one; readers see every row all the time."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath

from judgefleet.storage import Location, ObjectInfo, open_location
from judgefleet.store import score_files
from judgefleet.upkeep import merge_files

# A file of this size is left alone: it is not small any more.
_LARGE = 64 * 2**20


def compact(store: Location, most: int) -> int:
    """Merge the small files of every partition that has ``most`` of them or more; returns the files that went.

    Call it when every committed entry is in the store and the log says so: an entry that is published again after its
    file was merged would put its rows there twice.
    """
    partitions: dict[str, list[ObjectInfo]] = defaultdict(list)
    for info in score_files(store):
        if info.size < _LARGE:
            partitions[str(PurePosixPath(open_location(info.uri).path).parent)].append(info)
    return sum(merge_files(store, files) for files in partitions.values() if len(files) >= most)
