"""Listing, reading and atomic writing, on the local file system and against a real S3 server process."""

import base64
import hmac
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.s3.models import s3_backends

from judgefleet.errors import ConfigError, StoreError
from judgefleet.storage import (
    ensure_writable,
    exists,
    list_objects,
    open_location,
    read_bytes,
    write_atomic,
    write_table_atomic,
)

# The account that Azurite has; its key is in Azurite's documentation.
_AZURITE = "devstoreaccount1"
_AZURITES_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> str:
    """The options of an address at an Azurite that is up: JUDGEFLEET_AZURITE=HOST:PORT."""
    if not (endpoint := os.environ.get("JUDGEFLEET_AZURITE")):
        pytest.skip("JUDGEFLEET_AZURITE names no host:port of an Azurite")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", _AZURITE)
    monkeypatch.setenv("AZURE_STORAGE_KEY", _AZURITES_KEY)
    options = f"endpoint_override={endpoint}&scheme=http"
    open_location(f"az://bucket/x?{options}").fs.create_dir("bucket")
    return options


@pytest.fixture
def gcs() -> str:
    """The options of an address at an emulator of Google's storage that is up: JUDGEFLEET_GCS=HOST:PORT."""
    if not (endpoint := os.environ.get("JUDGEFLEET_GCS")):
        pytest.skip("JUDGEFLEET_GCS names no host:port of an emulator")
    options = f"endpoint_override={endpoint}&scheme=http&anonymous=true"
    make_bucket = Request(
        f"http://{endpoint}/storage/v1/b?project=tests", b'{"name": "bucket"}', {"Content-Type": "application/json"}
    )
    with suppress(HTTPError):  # it is there
        urlopen(make_bucket).close()
    return options


@pytest.fixture(params=["path", "file", "s3", "az", "gs"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "gs":
        return f"gs://bucket/{uuid.uuid4().hex}?{request.getfixturevalue('gcs')}"
    if request.param == "az":
        options = request.getfixturevalue("azure")
        return f"az://bucket/{uuid.uuid4().hex}?{options}"
    if request.param == "s3":
        s3_endpoint = request.getfixturevalue("s3_endpoint")
        return f"s3://bucket/{tmp_path.name}?endpoint_override={s3_endpoint}&scheme=http&region=us-east-1"
    return str(tmp_path) if request.param == "path" else tmp_path.as_uri()


def put(folder: str, name: str, data: bytes = b"x") -> str:
    return write_atomic(open_location(folder).child(name), data)


# Names that addresses mangle easily.
NAMES = ["a.json", "b c/d%20e?.json", "date=2026-11-22/scorer=é/part#1.parquet"]


def test_what_is_written_is_listed_and_read_back(folder: str) -> None:
    written = [put(folder, name, name.encode()) for name in NAMES]
    put(folder, "_delta/x")
    put(folder, "sub/.hidden/x")
    put(folder, "sub/_SUCCESS")
    listed = list_objects(folder)
    assert [info.uri for info in listed] == sorted(written)
    assert [info.size for info in listed] == [len(read_bytes(info.uri)) for info in listed]
    assert {read_bytes(uri).decode() for uri in written} == set(NAMES)


def test_a_single_object_is_a_list_of_one_even_if_its_name_is_hidden(folder: str) -> None:
    uri = put(folder, "_one", b"abc")
    assert [(info.uri, info.size) for info in list_objects(uri)] == [(uri, 3)]


def test_an_overwrite_replaces_all_of_it(folder: str) -> None:
    put(folder, "a", b"long" * 1000)
    assert read_bytes(put(folder, "a", b"short")) == b"short"


def test_compressed_bytes_come_as_they_are_stored(folder: str) -> None:
    assert read_bytes(put(folder, "x.gz", b"\x1f\x8bnot really")) == b"\x1f\x8bnot really"


def test_many_megabytes_in_one_object(folder: str) -> None:
    data = os.urandom(1024) * 12_000
    assert read_bytes(put(folder, "big", data)) == data


def test_a_table_is_zstd_parquet(folder: str) -> None:
    table = pa.table({"a": [1, 2]})
    uri = write_table_atomic(open_location(folder), "date=1/x.parquet", table)
    file = pq.ParquetFile(pa.BufferReader(read_bytes(uri)))
    assert file.read().equals(table)
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("act", [list_objects, read_bytes])
def test_what_is_missing_says_so(folder: str, act: Callable[[str], object]) -> None:
    missing = open_location(folder).child("nothing/here").uri
    with pytest.raises(ConfigError, match="no such file or folder"):
        act(missing)


def test_a_folder_cannot_be_read_as_an_object(folder: str) -> None:
    put(folder, "sub/x")
    with pytest.raises(ConfigError, match=r"cannot read|no such file"):
        read_bytes(open_location(folder).child("sub").uri)


def test_ensure_writable_leaves_nothing_to_list(folder: str) -> None:
    location = ensure_writable(open_location(folder).child("new/out").uri)
    if location.uri.startswith("gs://"):
        assert not exists(location)  # Google's storage has no folders: one without objects is not there
    else:
        assert list_objects(location.uri) == []
    assert put(location.uri, "x") == location.child("x").uri


@pytest.mark.parametrize("place", ["{file}", "{file}/below/it", "/proc/judgefleet", "/dev/null/x"])
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path: Path, place: str) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    uri = place.format(file=file)
    with pytest.raises(ConfigError, match=r"cannot write .*; give a folder that can be written") as caught:
        ensure_writable(uri)
    assert str(caught.value).startswith(f"{uri}: cannot write")
    assert file.read_text() == "in the way"


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Root may write everywhere; the test then runs as nobody."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.mark.usefixtures("ordinary_user")
@pytest.mark.parametrize("act", [ensure_writable, list_objects, read_bytes])
def test_no_permission(act: Callable[[str], object]) -> None:
    with pytest.raises(ConfigError, match="Permission denied"):
        act("/proc/1/root/x")


@pytest.mark.parametrize("act", [ensure_writable, list_objects, read_bytes])
def test_no_permission_on_an_object_store(strict_s3: str, act: Callable[[str], object]) -> None:
    with pytest.raises(ConfigError, match=r"cannot (write|list|read) .*; check the credentials"):
        act(f"s3://bucket/x?endpoint_override={strict_s3}&scheme=http")


def test_a_write_that_fails_half_way_leaves_the_old_object_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = put(str(tmp_path), "a", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("judgefleet.storage.os.fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        put(str(tmp_path), "a", b"new")
    assert read_bytes(uri) == b"old"
    assert os.listdir(tmp_path) == ["a"]  # noqa: PTH208


def test_links_are_followed_once_and_dead_ones_passed_over(tmp_path: Path) -> None:
    put(str(tmp_path), "in/data/a")
    put(str(tmp_path), "outside/b")
    data = tmp_path / "in/data"
    (data / "circle").symlink_to(tmp_path / "in")
    (data / "dead").symlink_to("nowhere")
    (data / "link").symlink_to(tmp_path / "outside")
    assert [Path(info.uri).name for info in list_objects(tmp_path / "in")] == ["a", "b"]


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff")).write_bytes(b"x")
    for uri in (tmp_path, tmp_path.as_uri()):
        (info,) = list_objects(uri)
        assert read_bytes(info.uri) == b"x"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3a://bucket/x", "found the scheme 's3a'; did you mean 's3'? allowed: az, file, gs, s3"),
        ("http://host/x", "found the scheme 'http'; allowed: az, file, gs, s3"),
        ("s3://", "no bucket; write s3://BUCKET/PATH"),
        ("gs:///", "no bucket; write gs://BUCKET/PATH"),
        ("s3://b/x?endpoint=h", "found the option 'endpoint'; did you mean 'endpoint_override'?"),
        ("s3://b/x?scheme=ftp", "found scheme='ftp'; allowed: http, https"),
        ("s3://b/x?anonymous=yes", "found anonymous='yes'; allowed: true, false"),
        ("file://host/x", "found the host 'host'; a local path is written file:///PATH"),
        ("", "found the path ''"),
        ("a\0b", "found the path 'a\\x00b'"),
    ],
)
def test_addresses_that_mean_nothing(uri: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_location(uri)
    assert said in str(caught.value)


def test_a_relative_path_cannot_leave_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must stay inside"):
        open_location(tmp_path).child("../x")


def test_a_local_name_may_look_like_a_query(tmp_path: Path) -> None:
    assert open_location(f"{tmp_path}/a?b=c").path == f"{tmp_path}/a?b=c"
    assert open_location("~/x").path == str(Path.home() / "x")


def test_google_storage_opens_without_credentials() -> None:
    location = open_location("gs://bucket/a?anonymous=true&endpoint_override=127.0.0.1:9&scheme=http")
    assert (location.fs.type_name, location.path, location.is_local) == ("gcs", "bucket/a", False)


def test_azure_without_an_account_says_what_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT", raising=False)
    with pytest.raises(ConfigError, match=r"no storage account; write az://BUCKET/PATH\?account=NAME, or set AZURE_"):
        open_location("az://bucket/a")
    location = open_location("az://bucket/a?account=mine")
    assert (location.fs.type_name, location.path, location.is_local) == ("abfs", "bucket/a", False)


def test_azure_shows_an_object_when_it_is_complete(azure: str) -> None:
    place = open_location(f"az://bucket/{uuid.uuid4().hex}/x?{azure}")
    place.fs.create_dir("bucket")
    seen: set[int] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            info = place.fs.get_file_info(place.path)
            seen.add(-1 if info.size is None else info.size)

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(5):
        write_atomic(place, b"x" * 1_000_000)
        place.fs.delete_file(place.path)
    stop.set()
    watcher.join()
    assert seen <= {-1, 1_000_000}, seen


def test_azure_refuses_another_key(azure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_KEY", "AAAA")
    with pytest.raises(ConfigError, match=r"(?s)AuthorizationFailure.*; check the credentials \(AZURE_STORAGE_KEY"):
        list_objects(f"az://bucket/x?{azure}")
    with pytest.raises(ConfigError, match=r"(?s)check the credentials \(AZURE_STORAGE_KEY"):
        ensure_writable(f"az://bucket/x?{azure}")


@pytest.mark.parametrize("before", ["", "?"])
def test_azure_goes_by_a_token_where_there_is_no_key(azure: str, monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    monkeypatch.delenv("AZURE_STORAGE_KEY")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", before + shared_access(permissions="rwdlac"))
    place = open_location(f"az://bucket/{uuid.uuid4().hex}/x?{azure}")
    assert read_bytes(write_atomic(place, b"here")) == b"here"
    assert [info.size for info in list_objects(place.above(1).uri)] == [4]
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", before + shared_access(permissions="rl"))
    assert read_bytes(place.uri) == b"here"
    with pytest.raises(ConfigError, match=r"check the credentials \(AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN"):
        ensure_writable(f"az://bucket/out?{azure}")


def shared_access(*, permissions: str) -> str:
    """A token for all of Azurite's account (learn.microsoft.com/rest/api/storageservices/create-account-sas)."""
    said = {"sp": permissions, "ss": "b", "srt": "sco", "st": "", "se": "2099-01-01", "sip": "", "spr": "https,http"}
    signed = "\n".join([_AZURITE, *said.values(), "2021-06-08", "", ""])
    key = base64.b64decode(_AZURITES_KEY)
    signature = base64.b64encode(hmac.digest(key, signed.encode(), "sha256")).decode()
    return urlencode({name: value for name, value in said.items() if value} | {"sv": "2021-06-08", "sig": signature})


def test_no_such_container(azure: str) -> None:
    with pytest.raises(ConfigError, match="make the bucket first"):
        ensure_writable(f"az://nobody/out?{azure}")


def test_no_such_bucket(s3_endpoint: str) -> None:
    with pytest.raises(ConfigError, match=r"NO_SUCH_BUCKET.*; make the bucket first"):
        ensure_writable(f"s3://nobody/out?endpoint_override={s3_endpoint}&scheme=http")


def test_the_endpoint_may_come_from_the_environment(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{s3_endpoint}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert read_bytes(put("s3://bucket/env", "x", b"here")) == b"here"


def test_objects_that_others_wrote_page_by_page(s3_endpoint: str) -> None:
    # Straight into the server's memory: a thousand uploads would take most of the time of this file.
    backend = s3_backends["123456789012"]["aws"]
    for number in range(10_001):
        backend.put_object("bucket", f"many/{number:05}", b"x")
    listed = list_objects(f"s3://bucket/many/?endpoint_override={s3_endpoint}&scheme=http")
    assert len(listed) == 10_001
    assert read_bytes(listed[-1].uri) == b"x"


def test_a_store_that_does_not_answer_may_answer_later(s3_endpoint: str) -> None:
    with pytest.raises(StoreError, match="try again"):
        list_objects("s3://bucket/x?endpoint_override=127.0.0.1:1&scheme=http")


def test_a_process_that_used_s3_ends_quietly(s3_endpoint: str) -> None:
    code = f"from judgefleet.storage import *; list_objects('s3://bucket?endpoint_override={s3_endpoint}&scheme=http')"
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
