"""docs/scorers.md is what the catalogue says, and every entry explains itself."""

import inspect
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from judges.catalogue import CATALOGUE
from judges.checks.length import Length
from judges.describe import describe, document, section

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # examples name files of the repository


def class_of(use: str) -> Any:
    path, _, attribute = CATALOGUE[use].partition(":")
    return getattr(import_module(path), attribute)


def test_the_document_is_up_to_date() -> None:
    written = (ROOT / "docs/scorers.md").read_text(encoding="utf-8")
    assert written == document([describe(use) for use in CATALOGUE]), "run 'make docs' and commit docs/scorers.md"


@pytest.mark.parametrize("use", CATALOGUE)
def test_every_entry_has_an_example_that_runs(use: str) -> None:
    kind = class_of(use)
    documented = [inspect.getdoc(kind), inspect.getdoc(import_module(kind.__module__))]
    assert any(">>> " in (text or "") for text in documented), f"{kind.__name__} has no example in its docstring"


@pytest.mark.parametrize("use", CATALOGUE)
def test_every_entry_explains_itself(use: str) -> None:
    found = describe(use)
    assert found.problem == ""
    assert found.prose
    assert found.axes
    assert found.value, f"{class_of(use).__name__} has no VALUE that says what its values mean"
    assert [option.name for option in found.options if not option.text] == []


def patched(monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    monkeypatch.setitem(CATALOGUE, "extra", f"judges.measures.base:{kind.__name__}")
    monkeypatch.setattr("judges.measures.base." + kind.__name__, kind, raising=False)


def test_an_entry_without_an_example_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoExample(Length):
        EXAMPLE = ""

    patched(monkeypatch, NoExample)
    problem = describe("extra").problem
    assert problem.startswith("'extra' with the example '' cannot be built (scorer 'extra': found {}; give min_words")
    assert "give the class NoExample an EXAMPLE" in problem


@pytest.mark.parametrize("example", ["max_words: [", "max_words: many", "max_wrods: 3"])
def test_an_example_that_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, example: str) -> None:
    patched(monkeypatch, type("Wrong", (Length,), {"EXAMPLE": example}))
    found = describe("extra")
    assert "cannot be built" in found.problem
    assert "### extra" in document([found])


def test_a_section_shows_options_types_and_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shown(Length):
        """Says ``a | b``.

        More of it.

        >>> 1
        1
        """

        VALUE = "words"
        EXAMPLE = "limit: 3"

        class Options(BaseModel, extra="forbid"):
            """``limit`` is the most. ``tags`` are kept; ``tags`` again."""

            limit: int
            tags: Mapping[str, tuple[str, ...]] = {}

        def __init__(self, name: str, options: Any) -> None:
            super().__init__(name, Length.Options(max_words=options.limit))

    patched(monkeypatch, Shown)
    shown = section(describe("extra"))
    assert shown.splitlines() == [
        "### extra",
        "",
        "Says `a | b`.",
        "",
        "More of it.",
        "",
        "- kind CODE; axes: `length`",
        "- needs: output",
        "- direction: higher is better; value: words",
        "",
        "```yaml",
        "- {use: extra, limit: 3}",
        "```",
        "",
        "| option | type | default | what it does |",
        "|---|---|---|---|",
        "| `limit` | whole number | required | `limit` is the most. |",
        "| `tags` | mapping of text to list of text | `{}` | `tags` are kept |",
    ]
    assert r"| [extra](#extra) | CODE | `length` | Says `a \| b`. |" in document([describe("extra")]).splitlines()
