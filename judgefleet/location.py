"""What an address means: a local path, ``file://``, ``s3://``, ``gs://`` or ``az://``, and the file system behind it.

A query says what the address of an object store cannot: ``s3://bucket/traces?endpoint_override=127.0.0.1:9000&scheme=http``.
Credentials come from the usual places (``AWS_ACCESS_KEY_ID``, a profile, the instance's role), never from the address.
``AWS_ENDPOINT_URL`` and ``AWS_REGION`` are honoured. A store that refuses the newer upload checksums (older Ceph)
wants ``AWS_REQUEST_CHECKSUM_CALCULATION=when_required``. Azure goes by ``AZURE_STORAGE_ACCOUNT`` with
``AZURE_STORAGE_KEY`` or ``AZURE_STORAGE_SAS_TOKEN``, else by what its default credential finds.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pyarrow import fs

from judgefleet.errors import ConfigError, did_you_mean

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_QUERY = re.compile(r"(.*)\?(\w+=[^?]*)", re.DOTALL)
_OPTIONS = {
    "s3": ("anonymous", "endpoint_override", "region", "scheme"),
    "gs": ("anonymous", "endpoint_override", "scheme"),
    "az": ("account", "endpoint_override", "scheme"),
}
_AZURE_ACCOUNT = "AZURE_STORAGE_ACCOUNT"
_SECONDS_TO_CONNECT = 5.0
_SECONDS_TO_ANSWER = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """A file or folder: its file system, its path there, and the address that leads back to it."""

    fs: Any
    path: str
    uri: str

    @property
    def is_local(self) -> bool:
        """Whether the location lies on this machine's file system."""
        return isinstance(self.fs, fs.LocalFileSystem)

    def child(self, relative: str) -> "Location":
        """The location ``relative`` below this one. Raises ConfigError where it would lead out of it.

        >>> open_location("s3://bucket/out?scheme=http").child("date=1/x.parquet").uri
        's3://bucket/out/date=1/x.parquet?scheme=http'
        """
        if relative.startswith("/") or ".." in relative.split("/"):
            raise ConfigError(f"found the relative path {relative!r}; it must stay inside {self.uri}")
        base, query = (self.uri, "") if self.is_local else _split_query(self.uri)
        name = quote(relative, errors="surrogateescape") if self.is_local and _SCHEME.match(base) else relative
        uri = f"{base.rstrip('/')}/{name}" + (f"?{query}" if query else "")
        return Location(fs=self.fs, path=f"{self.path.rstrip('/')}/{relative}", uri=uri)

    def above(self, levels: int) -> "Location":
        """The folder so many levels above this one.

        >>> open_location("s3://bucket/a/b/c.json?scheme=http").above(2).uri
        's3://bucket/a?scheme=http'
        """
        path = self.path.rsplit("/", levels)[0]
        if self.is_local:
            return Location(fs=self.fs, path=path, uri=path)
        base, query = _split_query(self.uri)
        uri = base.rsplit("/", levels)[0]
        return Location(fs=self.fs, path=path, uri=f"{uri}?{query}" if query else uri)


def open_location(uri: str | Path) -> Location:
    """What ``uri`` means; nothing is read and nothing need exist.

    Keys of object stores are taken as they are written, without percent-decoding; ``file://`` is decoded as usual.
    Raises ConfigError: an unknown scheme or option, no bucket, ``file://`` with a host.

    >>> open_location("s3://bucket/a b/%20.json").path
    'bucket/a b/%20.json'
    """
    text = str(uri)
    match = _SCHEME.fullmatch(text)
    if not match:
        return _local(text, text)
    scheme, rest = match[1].lower(), match[2]
    if scheme == "file":
        return _local(_file_path(text), text)
    if scheme not in _OPTIONS:
        raise ConfigError(f"{text}: found the scheme {scheme!r}; {did_you_mean(scheme, ['file', *_OPTIONS])}")
    path, query = _split_query(rest)
    if not path.strip("/"):
        raise ConfigError(f"{text}: no bucket; write {scheme}://BUCKET/PATH")
    options = _options(text, scheme, query)
    if scheme == "az" and not (dict(options).get("account") or os.environ.get(_AZURE_ACCOUNT)):
        raise ConfigError(f"{text}: no storage account; write az://BUCKET/PATH?account=NAME, or set {_AZURE_ACCOUNT}")
    return Location(fs=_object_store(scheme, options, _environment()), path=path.strip("/"), uri=text)


def client_settings(location: Location) -> tuple[tuple[str, Any], ...]:
    """What another S3 client is opened with to reach what ``location`` does: region_name, endpoint_url, anonymous."""
    given = dict(_options(location.uri, "s3", _split_query(location.uri)[1]))
    found = _s3_defaults(dict(_environment())) | given
    endpoint = found.get("endpoint_override")
    if endpoint and "://" not in endpoint:
        endpoint = f"{found.get('scheme', 'https')}://{endpoint}"
    return (
        ("anonymous", given.get("anonymous") == "true"),
        ("endpoint_url", endpoint),
        ("region_name", found.get("region") or "us-east-1"),
    )


def _local(path: str, uri: str) -> Location:
    if not path or "\0" in path:
        raise ConfigError(f"found the path {path!r}; give the path of a file or folder")
    return Location(fs=fs.LocalFileSystem(), path=str(Path(path).expanduser().absolute()), uri=uri)


def _file_path(uri: str) -> str:
    parts = urlsplit(uri.replace("?", "%3F").replace("#", "%23"))
    if parts.netloc not in ("", "localhost"):
        raise ConfigError(f"{uri}: found the host {parts.netloc!r}; a local path is written file:///PATH")
    return unquote(parts.path, errors="surrogateescape")


def _split_query(uri: str) -> tuple[str, str]:
    match = _QUERY.fullmatch(uri)
    return (match[1], match[2]) if match else (uri, "")


def _options(uri: str, scheme: str, query: str) -> tuple[tuple[str, str], ...]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS[scheme]:
            raise ConfigError(f"{uri}: found the option {name!r}; {did_you_mean(name, _OPTIONS[scheme])}")
    if options.get("scheme", "http") not in ("http", "https"):
        raise ConfigError(f"{uri}: found scheme={options['scheme']!r}; allowed: http, https")
    if options.get("anonymous", "true") not in ("true", "false"):
        raise ConfigError(f"{uri}: found anonymous={options['anonymous']!r}; allowed: true, false")
    return tuple(sorted(options.items()))


def _environment() -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith(("AWS_", "AZURE_"))))


@lru_cache(maxsize=16)
def _object_store(scheme: str, options: tuple[tuple[str, str], ...], environment: tuple[tuple[str, str], ...]) -> Any:
    """One client for one set of options: opening one costs as much as reading several small objects."""
    given = dict(options)
    anonymous = given.pop("anonymous", "false") == "true"
    if scheme == "gs":
        patience = timedelta(seconds=_SECONDS_TO_ANSWER)
        return fs.GcsFileSystem(anonymous=anonymous, retry_time_limit=patience, **given)
    if scheme == "az":
        return _azure(given, dict(environment))
    return fs.S3FileSystem(
        anonymous=anonymous,
        connect_timeout=_SECONDS_TO_CONNECT,
        request_timeout=_SECONDS_TO_ANSWER,
        # A small object goes up in one request, which is atomic and needs no multipart permission.
        allow_delayed_open=True,
        **(_s3_defaults(dict(environment)) | given),
    )


def _azure(given: Mapping[str, str], environment: Mapping[str, str]) -> Any:
    """Blobs and Data Lake are asked at one endpoint where one is named, as Azurite has them."""
    place = {"authority": given.get("endpoint_override"), "scheme": given.get("scheme")}
    asked = {
        f"{service}_storage_{name}": value for service in ("blob", "dfs") for name, value in place.items() if value
    }
    key, token = environment.get("AZURE_STORAGE_KEY"), environment.get("AZURE_STORAGE_SAS_TOKEN")
    # Arrow puts the token behind an address as it is.
    sas = f"?{token.removeprefix('?')}" if token and not key else None
    account = given.get("account") or environment[_AZURE_ACCOUNT]
    return fs.AzureFileSystem(account, account_key=key, sas_token=sas, **asked)


def _s3_defaults(environment: Mapping[str, str]) -> dict[str, str]:
    """Endpoint and region as the AWS tools take them from the environment; pyarrow does not look."""
    found = {
        "endpoint_override": environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL"),
        "region": environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"),
    }
    return {name: value for name, value in found.items() if value}
