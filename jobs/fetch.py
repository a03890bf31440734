"""Objects ahead: the next are on their way while one is read, so that a distant store is not waited for each time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from judgefleet.errors import MissingError
from judgefleet.storage import read_bytes
from judgefleet.traces.reject import Reject

_OBJECTS_AHEAD = 8
_BYTES_AHEAD = 32 * 2**20


def contents(objects: Iterable[tuple[str, int]]) -> Iterator[bytes | MissingError]:
    """What is stored of each of ``objects`` (address, size in bytes), in their order.

    An error in the place of one that has vanished since it was listed. At most eight are on their way or held, and
    32 MiB of them; a larger one is alone. Raises at its place in the order what else ``read_bytes`` raises.
    """
    left = iter(objects)
    following = next(left, None)
    ahead: deque[tuple[Future[bytes], int]] = deque()
    held = 0
    pool = ThreadPoolExecutor(_OBJECTS_AHEAD, thread_name_prefix="fetch")
    try:
        while ahead or following:
            while following and (not ahead or (len(ahead) < _OBJECTS_AHEAD and held + following[1] <= _BYTES_AHEAD)):
                ahead.append((pool.submit(read_bytes, following[0]), following[1]))
                held += following[1]
                following = next(left, None)
            future, size = ahead.popleft()
            held -= size
            yield _content(future)
            del future
    finally:
        pool.shutdown(cancel_futures=True)


def gone(uri: str) -> Reject:
    """What is said of an object that has vanished since."""
    return Reject(uri=uri, position="object", reason="it was there when the input was listed, and is not any more")


def _content(future: Future[bytes]) -> bytes | MissingError:
    try:
        return future.result()
    except MissingError as error:
        return error
