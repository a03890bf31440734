"""The report: one HTML file that needs nothing else, runs only its own script, and shows foreign text as text."""

import base64
import hashlib
import os
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
from markupsafe import Markup

from calibration.trends import Trend
from jobs import report_cards, report_figures, report_preference, report_run, report_trends
from jobs.figures import Summary, distrusted
from jobs.report_cases import select_cases
from jobs.report_tags import TagBook
from jobs.templating import environment
from jobs.wording import one_line
from judgefleet.errors import StoreError

MAX_TRACES = 300
MAX_INDEX = 40


def write_report(
    summary: Summary,
    scores: pa.Table,
    samples: pa.Table,
    path: Path | str,
    *,
    max_traces: int = MAX_TRACES,
    trends: Sequence[Trend] = (),
) -> Path:
    """Write the report to the local file ``path``, whole or not at all, and return it.

    At most ``max_traces`` traces are on the page: pairs whose verdict changed with the order first, then the lowest
    scored. Raises StoreError when the file cannot be written.
    """
    target = Path(path)
    page = render_report(summary, scores, samples, max_traces=max_traces, trends=trends).encode()
    try:
        _replace(target, page)
    except OSError as error:
        raise StoreError(f"cannot write the report to {str(target)!r}: {error.strerror}; name another path") from error
    return target


def _replace(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def render_report(
    summary: Summary,
    scores: pa.Table,
    samples: pa.Table,
    *,
    max_traces: int = MAX_TRACES,
    trends: Sequence[Trend] = (),
) -> str:
    """The page as text; its size is bounded by ``max_traces`` and the lengths in ``report_cards``.

    ``trends``: of judges whose gate is open; others are left out.
    """
    book = TagBook()
    figures = {
        "sections": report_figures.sections(summary, book),
        "preferences": report_preference.preferences(summary, book),
        "positions": report_preference.positions(summary, book),
        "failures": report_run.failures(summary, book),
    }
    selection = select_cases(summary, scores, samples, max_traces)
    cards = report_cards.cards(selection.cases, summary, book)
    return (
        environment("jobs")
        .get_template("report.html.j2")
        .render(
            **figures,
            **_assets(),
            selection=selection,
            cards=cards,
            index=_index(cards, book),
            max_index=MAX_INDEX,
            limits=report_cards,
            title=one_line(summary.facts.get("name") or "Scores of a run", 160),
            facts=report_run.facts(summary),
            scorers=report_run.scorers(summary),
            headlines=report_run.headlines(summary),
            trends=report_trends.views([trend for trend in trends if trend.gate.trusted]),
            warnings=[str(w) for w in summary.facts.get("warnings") or ()],
            distrust=[d.sentence("marked “untrusted” here") for d in distrusted(summary)],
            variants=sorted(summary.slots().items(), key=lambda v: v[1]),
            share_ticks=report_preference.SHARE_TICKS,
            half=report_preference.HALF,
        )
    )


def _index(cards: list[report_cards.Card], book: TagBook) -> list[tuple[Any, list[Any]]]:
    """For each figure the cards behind it, by rising value: what the page's links lead to without JavaScript."""
    found: dict[str, list[tuple[float, report_cards.Card]]] = {}
    for card in cards:
        for tag, value in card.tags.items():
            found.setdefault(tag, []).append((value if value is not None else float("-inf"), card))
    return [
        (target, [(card, card.tags[tag]) for _, card in sorted(found.get(tag, []), key=lambda x: x[0])])
        for tag, target in book.targets.items()
    ]


def _assets() -> dict[str, Markup]:
    """The page's own style and script, and the policy that allows these two and nothing else."""
    folder = files("jobs") / "templates"
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    rules = (
        "default-src 'none'",
        f"style-src '{_digest(style)}'",
        f"script-src '{_digest(script)}'",
        "base-uri 'none'",
        "form-action 'none'",
    )
    # Our own files: the only text on the page that is not escaped.
    return {"style": Markup(style), "script": Markup(script), "policy": Markup("; ".join(rules))}  # noqa: S704


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
