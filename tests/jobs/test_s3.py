"""A whole run on an object store: a real S3 server on loopback, real Ray Data, the scripted engine."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from judgefleet.storage import open_location, write_atomic

Run = Callable[..., CompletedProcess[str]]
SCORERS = [
    {"use": "not_empty"},
    {"use": "judge_pairwise", "name": "preference", "rubric": "support_preference", "variants": ["A", "B"]},
]


@pytest.fixture
def address(s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Addresses in the bucket, each test's under its own prefix; reports are written where the command is called."""
    monkeypatch.chdir(tmp_path)
    return lambda name, bucket="bucket": (
        f"s3://{bucket}/{tmp_path.name}/{name}?endpoint_override={s3_endpoint}&scheme=http"
    )


@pytest.fixture
def configured(
    address: Callable[..., str], write_traces: Callable[..., Path], make_config: Callable[..., Path]
) -> Callable[..., str]:
    """Uploads traces; keywords replace the address of the input or of the store."""
    for path in write_traces(4).iterdir():
        write_atomic(open_location(address("traces")).child(f"day=1/{path.name}"), path.read_bytes())

    def write(uri: str = address("traces"), store: str = address("store")) -> str:
        return str(make_config(input={"uri": uri}, store=store, scorers=SCORERS))

    return write


def scores_in(uri: str) -> pd.DataFrame:
    """The store as pandas reads it through pyarrow's own S3 client."""
    place = open_location(uri)
    found = pd.read_parquet(place.path, filesystem=place.fs).astype({"date": str, "scorer": str})
    return found.sort_values("score_id").reset_index(drop=True)


@pytest.mark.slow
def test_input_and_store_in_a_bucket(
    tmp_path: Path, address: Callable[..., str], configured: Callable[..., str], run: Run
) -> None:
    config, store = configured(), address("store")
    done = run("batch", config)
    assert done.returncode == 0, done.stderr
    assert f"store: {store}\nreport: store-report.html" in done.stdout
    first = scores_in(store)
    assert (first.groupby(["scorer", "axis"]).trace_id.nunique() == 8).all()
    assert not first.score_id.duplicated().any()
    assert pd.read_parquet(store).shape == first.shape

    again = run("batch", config)
    assert again.returncode == 0, again.stderr
    assert "16 rows to give, 16 in the store already" in again.stderr
    assert " 0 new rows" in again.stderr
    pd.testing.assert_frame_equal(scores_in(store), first)

    place = open_location(store)
    file = next(path for path in files_below(store) if "scorer=preference/" in path)
    lost = pq.read_table(file, filesystem=place.fs, partitioning=None)["score_id"].to_pylist()
    place.fs.delete_file(file)
    resumed = run("batch", config)
    assert resumed.returncode == 0, resumed.stderr
    assert f" {len(lost)} new rows" in resumed.stderr
    assert lost
    after = scores_in(store)
    assert after.score_id.tolist() == first.score_id.tolist()
    assert set(after[after.scored_at > first.scored_at.max()].score_id) == set(lost)

    page = tmp_path / "reports" / "s3.html"
    reported = run("report", store, "--out", str(page))
    assert reported.returncode == 0, reported.stderr
    assert "Question 3?" in page.read_text()
    assert run("gate", store).returncode == 3


def files_below(uri: str) -> list[str]:
    """Paths of all objects of the store's scores."""
    place = open_location(uri)
    found = place.fs.get_file_info(fs.FileSelector(place.child("scores").path, recursive=True))
    return [info.path for info in found if info.type == fs.FileType.File]


def fails(done: CompletedProcess[str], *says: str) -> None:
    """One message, the exit code of a user's mistake, no result and no stack trace."""
    assert done.returncode == 2, done.stderr
    *progress, message = done.stderr.strip().splitlines()
    assert all(line.startswith("[") for line in progress), done.stderr
    assert message.startswith(("configuration error: s3://", "configuration error: no "))
    assert not done.stdout
    for words in says:
        assert words in done.stderr


@pytest.mark.usefixtures("strict_s3")
def test_wrong_credentials(address: Callable[..., str], make_config: Callable[..., Path], run: Run) -> None:
    config = make_config(input={"uri": address("traces")}, store=address("store"), scorers=SCORERS)
    fails(run("batch", str(config)), address("store"), "INVALID_ACCESS_KEY_ID", "check the credentials")
    config = make_config(input={"uri": address("traces")}, scorers=SCORERS)
    fails(run("batch", str(config)), address("traces"), "cannot list", "check the credentials")
    fails(run("report", address("store")), address("store"), "check the credentials")
    fails(run("gate", address("store")), address("store"), "check the credentials")


def test_a_bucket_that_is_not_there(address: Callable[..., str], configured: Callable[..., str], run: Run) -> None:
    none = address("store", bucket="nobody")
    fails(run("batch", configured(store=none)), none, "NO_SUCH_BUCKET", "make the bucket first")
    fails(run("batch", configured(uri=none)), none, "no such file or folder")
    fails(run("report", none), none, "no finished run")
    fails(run("gate", none), none, "no score store")
