"""The report: one HTML file that needs nothing else, runs only its own script, and shows foreign text as text."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs import report_cards, report_figures, report_preference, report_run, report_trends
from jobs.figures import Summary, distrusted
from jobs.page import assets, write_page
from jobs.report_cases import select_cases
from jobs.report_tags import TagBook
from jobs.report_trends import NO_TRENDS, PageTrends
from jobs.templating import environment
from jobs.wording import one_line

MAX_TRACES = 300
MAX_INDEX = 40


def write_report(
    summary: Summary,
    scores: pa.Table,
    samples: pa.Table,
    path: Path | str,
    *,
    max_traces: int = MAX_TRACES,
    trends: PageTrends = NO_TRENDS,
) -> Path:
    """Write the report to the local file ``path``, whole or not at all, and return it.

    At most ``max_traces`` traces are on the page: pairs whose verdict changed with the order first, then the lowest
    scored. Raises StoreError when the file cannot be written.
    """
    return write_page(render_report(summary, scores, samples, max_traces=max_traces, trends=trends), path)


def render_report(
    summary: Summary,
    scores: pa.Table,
    samples: pa.Table,
    *,
    max_traces: int = MAX_TRACES,
    trends: PageTrends = NO_TRENDS,
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
            **assets(),
            selection=selection,
            cards=cards,
            index=_index(cards, book),
            max_index=MAX_INDEX,
            limits=report_cards,
            title=one_line(summary.facts.get("name") or "Scores of a run", 160),
            facts=report_run.facts(summary),
            scorers=report_run.scorers(summary),
            headlines=report_run.headlines(summary),
            trends=report_trends.views(trends),
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
