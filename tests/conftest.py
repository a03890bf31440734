"""What tests of several packages share: a quiet environment, the command as a user runs it, a real S3 server.

No test reaches a model hub or sends usage statistics, however pytest is called.
"""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping

import pytest

os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "VLLM_NO_USAGE_STATS": "1",
}
_S3_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``judgefleet`` as a user would and gives its exit code and output."""

    def call(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        whole = os.environ | {"COLUMNS": "100"} | dict(env or {})
        command = [sys.executable, "-c", "from jobs.cli import main; main()", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=whole, timeout=600, check=False)

    return call


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """``host:port`` of an S3 server on loopback with one empty bucket, ``bucket``; the environment has its keys."""
    import boto3

    from tests.s3_server import S3Server

    server = S3Server(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _S3_KEYS.items():
            patch.setenv(name, value)
        _reset(f"{host}:{port}", "reset", b"")
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def strict_s3(s3_endpoint: str) -> Iterator[str]:
    """The server, checking who asks: the test's keys belong to nobody."""
    _reset(s3_endpoint, "reset-auth", b"0")
    yield s3_endpoint
    _reset(s3_endpoint, "reset-auth", b"inf")


def _reset(endpoint: str, what: str, content: bytes) -> None:
    url = f"http://{endpoint}/moto-api/{what}"
    ask = urllib.request.Request(url, data=content, headers={"Content-Type": "text/plain"}, method="POST")
    urllib.request.urlopen(ask).close()
