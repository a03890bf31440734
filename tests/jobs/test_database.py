"""DuckDB has as much memory as a statement needs, and a full disk is no reason for more."""

import duckdb
import numpy as np
import pytest

from jobs.database import database, execute, in_parts, table_of

SORT = "create temp table sorted as select range as n, hash(range)::varchar as name from range(400000) order by 2"


def limit(db: duckdb.DuckDBPyConnection) -> str:
    [[found]] = db.sql("select current_setting('memory_limit')").fetchall()
    return str(found)


def test_a_statement_that_needs_more_memory_has_it() -> None:
    with database("4MiB") as db:
        with pytest.raises(duckdb.OutOfMemoryException):
            db.execute(SORT)
        execute(db, SORT)
        assert float(limit(db).split()[0]) > 4
        assert table_of(db, "select count(*) as n from sorted")["n"].to_pylist() == [400_000]


def test_a_full_disk_is_no_reason_for_more_memory() -> None:
    with database("16MiB") as db:
        db.execute("set max_temp_directory_size = '1MiB'")
        with pytest.raises(duckdb.OutOfMemoryException, match="temp_directory"):
            execute(db, SORT.replace("400000", "2000000"))
        assert limit(db).startswith("16")


@pytest.mark.parametrize("rows", [1, 10_000])
def test_parts_are_all_rows_once(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.database._ROWS", rows)
    with database("64MiB") as db:
        db.execute("create temp table given as select range as n, nullif(range % 7, 0) as key from range(500)")
        in_parts(db, "counted", "select n, count(*) over (partition by key) as many from given "
                 "where hash(key) % {parts} = {part}", "given")  # fmt: skip
        found = table_of(db, "select n, many from counted order by n")
    assert found["n"].to_pylist() == list(range(500))
    sizes = np.bincount(np.arange(500) % 7)
    assert found["many"].to_pylist() == [sizes[n % 7] for n in range(500)]
