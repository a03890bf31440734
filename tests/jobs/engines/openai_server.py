"""A small server on 127.0.0.1 that speaks OpenAI's wire format, and misbehaves when it is told to."""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(kw_only=True)
class Answer:
    """What the server sends back: after ``delay`` seconds, or nothing at all when ``status`` is 0."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


@dataclass(kw_only=True)
class Server:
    """``answer`` makes the answer to a request; what was asked is kept. ``most`` is how many were open at once."""

    answer: Callable[[Body], Answer]
    url: str = ""
    bodies: list[Body] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    now: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, change: int) -> None:
        with self.lock:
            self.now += change
            self.most = max(self.most, self.now)

    def record(self, path: str, body: Body, headers: dict[str, str]) -> None:
        with self.lock:
            self.paths.append(path)
            self.bodies.append(body)
            self.headers.append(headers)
            self.times.append(time.monotonic())


def chat(text: str, top: Mapping[str, float] | None = None, **usage: Any) -> Answer:
    """A chat completion of ``text``; ``top`` has the probabilities of the likeliest first tokens."""
    choice: Body = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    if top is not None:
        listed = [{"token": t, "logprob": math.log(p), "bytes": None} for t, p in top.items()]
        choice["logprobs"] = {"content": [{"token": text, "logprob": math.log(top[text]), "top_logprobs": listed}]}
    whole = {"object": "chat.completion", "model": "m", "choices": [choice], "usage": spent(**usage)}
    return Answer(content=whole)


def completion(top: Mapping[int, float], **usage: Any) -> Answer:
    """A completion of one token; ``top`` has log-probabilities by token id, as vLLM writes them."""
    logprobs = {"top_logprobs": [{f"token_id:{token}": value for token, value in top.items()}]}
    choice = {"index": 0, "text": "", "finish_reason": "length", "logprobs": logprobs}
    return Answer(content={"object": "text_completion", "choices": [choice], "usage": spent(**usage)})


def spent(prompt_tokens: int = 100, completion_tokens: int = 1, cached: int | None = None) -> Body:
    details = {} if cached is None else {"prompt_tokens_details": {"cached_tokens": cached}}
    total = prompt_tokens + completion_tokens
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total, **details}


@contextmanager
def serve(answer: Callable[[Body], Answer]) -> Iterator[Server]:
    """The server, until the block ends."""
    server = Server(answer=answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            server.count(1)
            try:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.record(self.path, body, dict(self.headers))
                found = server.answer(body)
                time.sleep(found.delay)
            finally:
                # Counted out before the answer leaves: whoever has it may ask again at once.
                server.count(-1)
            if found.status == 0:
                self.close_connection = True
                return
            self.reply(found)

        def reply(self, found: Answer) -> None:
            content = found.content if isinstance(found.content, bytes) else json.dumps(found.content).encode()
            try:
                self.send_response(found.status)
                for name, value in {"Content-Length": str(len(content)), **found.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    server.url = f"http://127.0.0.1:{made.server_address[1]}/v1"
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        made.shutdown()
        made.server_close()
        thread.join()
