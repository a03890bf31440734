"""Small inputs and configurations for runs with the scripted engine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

RUBRIC = """
name: tiny
version: "1"
instructions: Grade the answer.
axes:
  - {name: clarity, question: 'Is it clear?', scale: {min: 1, max: 5, anchors: {1: muddled, 5: plain}}}
  - {name: truth, question: 'Is it true?', scale: {labels: {A: 0, B: 1}}}
"""


def trace(item: int, variant: str, **changed: Any) -> dict[str, Any]:
    """One line of the plain form."""
    day = 20 + item % 3
    return {
        "trace_id": f"{variant.lower()}{item:04d}",
        "conversation_id": f"c-{item}-{variant}",
        "question": f"Question {item}?",
        "output": f"Answer {variant} to {item}, see RET-{item % 3}.",
        "contexts": [f"RET-{item % 3}: policy number {item}."],
        "reference": f"The answer to {item}.",
        "variant": variant,
        "started_at": f"2026-11-{day}T10:00:00Z",
        "attributes": {"judgefleet.item_id": f"q{item}"},
    } | changed


@pytest.fixture
def write_traces(tmp_path: Path) -> Callable[..., Path]:
    """Writes pairs of traces as JSON Lines, some files; ``extra`` lines go into a file of their own."""

    def write(items: int = 12, extra: list[str] | None = None) -> Path:
        folder = tmp_path / "traces"
        folder.mkdir(exist_ok=True)
        lines = [json.dumps(trace(i, v)) for i in range(items) for v in "AB"]
        for number in range(3):
            (folder / f"part-{number}.jsonl").write_text("\n".join(lines[number::3]) + "\n")
        if extra:
            (folder / "extra.jsonl").write_text("\n".join(extra) + "\n")
        return folder

    return write


@pytest.fixture
def make_config(tmp_path: Path) -> Callable[..., Path]:
    """Writes a configuration with the scripted engine; keywords replace whole sections."""

    def make(**changed: Any) -> Path:
        (tmp_path / "tiny.yaml").write_text(RUBRIC)
        content = {
            "name": "test",
            "store": str(tmp_path / "store"),
            "input": {"uri": str(tmp_path / "traces")},
            "engine": {"kind": "scripted"},
            "scorers": [
                {"use": "not_empty"},
                {"use": "regex", "pattern": r"RET-\d"},
                {"use": "judge_pointwise", "name": "quality", "rubric": str(tmp_path / "tiny.yaml")},
                {"use": "judge_pairwise", "name": "preference", "rubric": "support_preference", "variants": ["A", "B"]},
            ],
            "run": {"chunk_traces": 4, "stall_seconds": 120},
        }
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(content | changed))
        return path

    return make
