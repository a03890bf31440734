"""Files that are gone when the work is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from tempfile import TemporaryDirectory

from judgefleet.errors import StoreError

# What numpy says, without a number, of a file that took less than it was given.
_CUT_SHORT = "requested and"


@contextmanager
def working_folder() -> Iterator[Path]:
    """A folder that is gone at the end. Raises StoreError, with what to do, where there is no room in it."""
    with TemporaryDirectory(prefix="judgefleet-") as folder:
        try:
            yield Path(folder)
        except OSError as error:
            if error.errno not in (ENOSPC, EDQUOT, EFBIG) and _CUT_SHORT not in str(error):
                raise
            told = f"working files in {folder}: {error}; make room there, or name another folder in TMPDIR"
            raise StoreError(told) from error
