"""No room is told with what to do, other errors stay what they are, and nothing is left behind."""

from errno import ENOSPC
from pathlib import Path

import pytest

from jobs.working_folder import working_folder
from judgefleet.errors import StoreError


def fail(error: OSError) -> None:
    with working_folder() as folder:
        Path(folder, "rows").write_bytes(b"some")
        raise error


@pytest.mark.parametrize("error", [OSError("20000 requested and 2083 written"), OSError(ENOSPC, "No space left")])
def test_no_room_is_told_with_what_to_do(error: OSError) -> None:
    with pytest.raises(StoreError, match="make room there, or name another folder in TMPDIR") as told:
        fail(error)
    assert not Path(str(told.value).split(": ")[0].removeprefix("working files in ")).exists()


def test_another_error_is_not_about_room() -> None:
    with pytest.raises(ConnectionError):
        fail(ConnectionResetError("the store is gone"))
