"""BERTScore beside the package of its authors: the same pairs, encoder and layer, turns taken in one process.

    python -m benchmarks.bertscore [--pairs 200] [--rounds 5]

Both have their model loaded and have scored the pairs once before the first round. The pairs are an answer and its
reference of 3 to 150 words each; in the second row four answers share a reference, as when prompts are compared.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.scale import text
from judgefleet.sample import Sample
from judgefleet.trace import Trace
from judges.catalogue import create_scorer
from judges.models import resolve_model
from judges.similarity.baseline import AXES
from judges.similarity.model_files import DEFAULT_MODEL

_LAYERS = 6
_ANSWERS = 4


def made_up(count: int, *, shared: bool) -> list[tuple[str, str]]:
    """Pairs of output and reference; the same ones every time."""
    draw = random.Random(1)  # noqa: S311 - made-up texts
    words = [draw.randint(3, 150) for _ in range(2 * count)]
    owner = [n // _ANSWERS if shared else n for n in range(count)]
    return [(text(n, words[n]), text(owner[n] + 5, words[count + owner[n]])) for n in range(count)]


def ours(pairs: Sequence[tuple[str, str]]) -> Callable[[], list[list[float]]]:
    """The scorer of the catalogue."""
    samples = [
        Sample(
            trace=Trace(trace_id=str(n), output=output, reference=reference),
            stratum="all",
            inclusion_probability=1.0,
            plan_hash="",
        )
        for n, (output, reference) in enumerate(pairs)
    ]
    scorer = create_scorer("bertscore", None, {"device": "cpu"})
    return lambda: [[outcomes[axis].value or 0.0 for axis in AXES] for outcomes in scorer.score(samples)]


def theirs(pairs: Sequence[tuple[str, str]]) -> Callable[[], list[list[float]]]:
    """The package, with its model kept from call to call."""
    from bert_score import BERTScorer

    model = str(resolve_model(DEFAULT_MODEL).path)
    scorer = BERTScorer(model_type=model, num_layers=_LAYERS, device="cpu", nthreads=0)
    outputs, references = (list(side) for side in zip(*pairs, strict=True))

    def score() -> list[list[float]]:
        found = scorer.score(outputs, references)
        return [[float(axis[n]) for axis in found] for n in range(len(pairs))]

    return score


def timed(score: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    score()
    return time.perf_counter() - started


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    table = Table("pairs", "bert-score, pairs/s", "judgefleet, pairs/s", "ratio, median", "range", "furthest", box=None)
    for shared in (False, True):
        pairs = made_up(given.pairs, shared=shared)
        mine, other = ours(pairs), theirs(pairs)
        furthest = max(abs(a - b) for x, y in zip(mine(), other(), strict=True) for a, b in zip(x, y, strict=True))
        rounds = [(timed(other), timed(mine)) for _ in range(given.rounds)]
        ratios = [package / ourselves for package, ourselves in rounds]
        speeds = [f"{len(pairs) / statistics.median(side):.1f}" for side in zip(*rounds, strict=True)]
        table.add_row(
            f"{len(pairs)}, {'four answers a reference' if shared else 'all different'}",
            *speeds,
            f"{statistics.median(ratios):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f}",
            f"{furthest:.1e}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
