"""One request to an endpoint, tried again where that can help."""

import email.utils
import math
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from jobs.engines.config import EngineConfig

_AGAIN = {409, 425, 429}
# Somebody on the way did not wait for the answer any longer.
_SLOW = {408, 504, 524}
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
# A server that asks for a longer pause is not waited for: the run would seem to hang.
_LONGEST_RETRY_AFTER = 120.0
_SHOWN = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """Why there is no answer. ``again``: whether it may come on another try, ``wait``: seconds that were asked for.

    ``billed``: the endpoint may have done the work all the same.
    """

    error: str
    again: bool = False
    wait: float | None = None
    billed: bool = False


class Endpoint:
    """An address, a key that stays in the environment, and a limit of connections. Several threads may post at once."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._url = (config.base_url or "").rstrip("/")
        limits = httpx.Limits(max_connections=config.max_in_flight, max_keepalive_connections=config.max_in_flight)
        # Nobody waits long for a connection that is refused or swallowed; an answer may take its time.
        timeout = httpx.Timeout(config.timeout_s, connect=min(config.timeout_s, 15.0), pool=None)
        self._client = httpx.Client(timeout=timeout, limits=limits)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any] | Failed:
        """The answer to ``body``, or why there is none. Never raises, never shows the key."""
        key = self._key()
        if isinstance(key, Failed):
            return key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            response = self._client.post(f"{self._url}{path}", json=dict(body), headers=headers)
            found = _read(response, again_when_slow=_is_settled(body))
        except httpx.TimeoutException as error:
            early = isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
            said = f"timeout: {type(error).__name__} after {self._config.timeout_s:g} s"
            found = Failed(error=said, again=early or _is_settled(body), billed=not early)
        except httpx.TransportError as error:
            found = Failed(error=f"no answer from {self._config.host}: {type(error).__name__}: {error}", again=True)
        except Exception as error:  # noqa: BLE001 - whatever one request raises is the answer to it
            found = Failed(error=f"{type(error).__name__}: {error}")
        return _without(key, found) if isinstance(found, Failed) else found

    def _key(self) -> str | Failed:
        name = self._config.api_key_env
        if name is None:
            return ""
        if value := os.environ.get(name, "").strip():
            return value
        return Failed(error=f"the environment variable {name} (engine.api_key_env) is not set where the engine runs")


def pause(attempt: int, asked_for: float | None, jitter: Callable[[], float] = random.random) -> float:
    """Seconds before the next try: what the server asked for, else twice as long each time, up to 30 s.

    Up to a quarter is left to chance, so that many who were refused together do not come back together.

    >>> pause(0, None, lambda: 0.0), pause(1, None, lambda: 1.0), pause(20, None, lambda: 0.0), pause(0, 7, lambda: 0.0)
    (0.5, 0.75, 30.0, 7.0)
    """
    if asked_for is not None:
        return asked_for * (1 + 0.25 * jitter())
    return float(min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT)) * (1 - 0.25 * jitter())


def _is_settled(body: Mapping[str, Any]) -> bool:
    """Whether asking again can only bring the same answer. What a model that samples would have written late is not to
    be replaced by what it writes soon: short verdicts would be counted more often than long ones."""
    return body.get("temperature") == 0


def _read(response: httpx.Response, *, again_when_slow: bool) -> dict[str, Any] | Failed:
    if response.is_success:
        try:
            found = response.json()
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
        return Failed(error=f"the answer is no JSON object: {response.text[:_SHOWN]!r}", billed=True)
    error, wait = f"HTTP {response.status_code}: {_said(response)}", _retry_after(response.headers.get("retry-after"))
    if wait is not None and wait > _LONGEST_RETRY_AFTER:
        return Failed(error=f"{error} (asks to wait {wait:.0f} s; run again with --retry-failed then)")
    status = response.status_code
    again = again_when_slow if status in _SLOW else status in _AGAIN or status >= 500
    return Failed(error=error, again=again, wait=wait)


def _said(response: httpx.Response) -> str:
    """The message of an error in OpenAI's form, or the text that came instead."""
    try:
        found = response.json()
        error = found.get("error", found.get("message"))
        said = error.get("message") if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        said = None
    return " ".join(str(said or response.text or response.reason_phrase).split())[:_SHOWN]


def _retry_after(header: str | None) -> float | None:
    """Seconds in a Retry-After header, which has a number or a date (RFC 9110, section 10.2.3).

    >>> _retry_after("1.5"), _retry_after("soon"), _retry_after("nan"), _retry_after(None)
    (1.5, None, None, None)
    """
    if not header:
        return None
    try:
        seconds = float(header)
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        return max(email.utils.parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None


def _without(key: str, failed: Failed) -> Failed:
    if not key or key not in failed.error:
        return failed
    return Failed(error=failed.error.replace(key, "***"), again=failed.again, wait=failed.wait, billed=failed.billed)
