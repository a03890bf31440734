"""Creates an object only where none is: what two writers that know nothing of each other can agree by."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from pyarrow import fs

from judgefleet.location import client_settings
from judgefleet.storage import Location, exists, explained, hidden_copy, read_bytes, write_atomic

_TAKEN = {409, 412}


def create_exclusive(location: Location, data: bytes) -> bool:
    """Write ``data`` where nothing is yet; of several writers one gets True. What is there stays as it is.

    ``data`` must differ from writer to writer, since an upload whose answer was lost is known by its content.
    Local: a hard link, which the file system makes once. S3: a PUT with ``If-None-Match: *`` (RFC 9110, 13.1.2), which
    AWS, Ceph, MinIO and R2 honour. gs:// and az://: looked up first, then written, so two writers may both get True.
    Raises ConfigError and StoreError as ``write_atomic`` does.
    """
    with explained("write", location):
        if location.is_local:
            return _create_local(Path(location.path), data)
        if isinstance(location.fs, fs.S3FileSystem):
            return _create_s3(location, data) or read_bytes(location.uri) == data
    if exists(location):
        return False
    write_atomic(location, data)
    return True


def _create_local(path: Path, data: bytes) -> bool:
    try:
        with hidden_copy(path, data) as hidden:
            os.link(hidden, path)
    except FileExistsError:
        return False
    return True


def _create_s3(location: Location, data: bytes) -> bool:
    """pyarrow's client has no conditions. Raises OSError, as pyarrow does."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = location.path.partition("/")
    try:
        _client(client_settings(location)).put_object(Bucket=bucket, Key=key, Body=data, IfNoneMatch="*")
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status in _TAKEN:
            return False
        raise OSError(f"{_words(error)} HTTP status {status}") from error
    except BotoCoreError as error:
        raise OSError(str(error)) from error
    return True


def _words(error: Any) -> str:
    """The error's code as pyarrow spells it (NO_SUCH_BUCKET), which the hints of an error go by."""
    code = str(error.response["Error"].get("Code", ""))
    return "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(code)).upper()


@lru_cache(maxsize=4)
def _client(settings: tuple[tuple[str, Any], ...]) -> Any:
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    given = dict(settings)
    more = {"signature_version": UNSIGNED} if given.pop("anonymous") else {}
    config = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard"}, **more)
    return boto3.client("s3", config=config, **given)
