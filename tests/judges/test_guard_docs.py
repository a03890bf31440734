"""docs/guard.md: its service runs as it stands there, and its options are those there are."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from judges.guard import Guard
from judges.guard.options import GuardArguments, GuardOptions

PAGE = (Path(__file__).resolve().parents[2] / "docs/guard.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(code)


@pytest.fixture
def service() -> dict[str, Any]:
    answers = {"parcel": "It is on its way.", "whose": "Ask anna@post.example.", "mail": "Write to help@shop.example."}
    names: dict[str, Any] = {"ask_the_model": answers.__getitem__}
    exec(block("python"), names)
    return names


def test_the_service_answers_and_blocks(service: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    client = TestClient(service["app"])
    for question in ("parcel", "mail"):
        assert client.post("/answer", json={"text": question}).status_code == 200
    blocked = client.post("/answer", json={"text": "whose"})
    assert blocked.status_code == 422
    assert blocked.json()["guard"]["findings"] == [{"check": "pii", "kind": "email", "start": 4, "end": 21}]
    assert "anna" not in blocked.text + capsys.readouterr().out


def test_the_file_says_the_same_as_the_code(service: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "guard.yaml").write_text(block("yaml"), encoding="utf-8")
    assert Guard.from_yaml(tmp_path / "guard.yaml").options == service["guard"].options


def test_every_option_is_in_the_table_and_has_a_type() -> None:
    named = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"(?m)^\| `.*", PAGE))))
    assert set(GuardOptions.model_fields) == set(GuardArguments.__annotations__)
    assert set(GuardOptions.model_fields) <= named
