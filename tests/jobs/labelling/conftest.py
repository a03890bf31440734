"""Small audits and a browser without a window: what the tests of the labelling page share."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from calibration.audit import AuditInfo, AuditItem, Label
from calibration.audit_folder import Audit
from jobs.labelling.app import create_app
from jobs.labelling.desk import Desk
from jobs.labelling.security import Access

ORIGIN = "http://127.0.0.1"


def pair_item(number: int, **changed: Any) -> AuditItem:
    """A pair that carries everything a rater must not see."""
    given: dict[str, Any] = {
        "item_id": f"secret-id-{number}",
        "question": f"Question {number}?",
        "context": f"Context {number}.",
        "responses": (f"first response {number}", f"second response {number}"),
        "trace_ids": (f"trace-secret-{number}a", f"trace-secret-{number}b"),
        "group_id": "group-secret",
        "stratum": "stratum-secret",
        "segments": {"variant": "segment-secret"},
        "anchor": True,
    }
    return AuditItem(**(given | changed))


@pytest.fixture
def make_audit(tmp_path: Path) -> Callable[..., Audit]:
    """Writes an audit of pairs; keywords replace what audit.yaml says."""

    def make(items: int | list[AuditItem] = 10, **changed: Any) -> Audit:
        audit = Audit(tmp_path / "audit")
        given: dict[str, Any] = {
            "audit_id": "audit-secret",
            "kind": "pair",
            "labels": ["A", "B", "TIE"],
            "question": "Which answer helps more?",
            "guide": "Be fair.\nBe brief.",
            "scorer": "scorer-secret",
            "axis": "axis-secret",
            "description": "description-secret",
        }
        audit.write_info(AuditInfo(**(given | changed)))
        audit.write_items([pair_item(n) for n in range(items)] if isinstance(items, int) else items)
        audit.write_verdicts("verdict-secret", [])
        return audit

    return make


class Person:
    """A rater with a browser of their own, without scripts: follows links, sends the page's forms."""

    def __init__(self, app: Any, name: str | None = None, **headers: str) -> None:
        self.client = TestClient(app, base_url=ORIGIN, headers={"Origin": ORIGIN} | headers)
        if name is not None:
            self.client.post("/rater", data={"name": name, "same": "yes"})

    def get(self, path: str = "/", **more: Any) -> Any:
        return self.client.get(path, **more)

    def post(self, path: str, data: Mapping[str, str] | None = None, **more: Any) -> Any:
        return self.client.post(path, data=dict(data or {}), **more)

    def item(self) -> str:
        """The address of the item that is next."""
        return str(self.get("/").url.path)

    def answer(self, value: str, **more: str) -> Any:
        """Answer the next item."""
        return self.post(self.item(), {"answer": value, **more})


@pytest.fixture
def open_desk() -> Iterator[Callable[..., Callable[..., Person]]]:
    """Given an audit, gives what lets people in: ``enter = open_desk(audit)``, then ``enter("ana")``."""
    people: list[Person] = []

    def open_it(audit: Audit, *, adjudicate: bool = False, access: Access | None = None) -> Callable[..., Person]:
        app = create_app(Desk(audit, adjudicate=adjudicate), access or Access(hosts=("127.0.0.1",)))

        def enter(name: str | None = None, **headers: str) -> Person:
            people.append(Person(app, name, **headers))
            return people[-1]

        return enter

    yield open_it
    for person in people:
        person.client.close()


@pytest.fixture
def label_lines(tmp_path: Path) -> Callable[[str], list[dict[str, Any]]]:
    """The lines of one file of labels, as they are on disk."""

    def read(name: str) -> list[dict[str, Any]]:
        text = (tmp_path / "audit" / "labels" / f"{name}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    return read


@pytest.fixture
def label() -> Callable[..., Label]:
    """A label as another rater would have left it."""
    return Label


@pytest.fixture
def make_item() -> Callable[..., AuditItem]:
    """A pair by number; keywords replace fields."""
    return pair_item
