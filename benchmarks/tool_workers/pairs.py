"""The pairs that all are asked about, and the run of judgefleet that judges the same ones."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.tool_workers.worker import Shown
from jobs.config import BatchConfig
from jobs.demo import demo_config
from jobs.intake import SAMPLED, Intake
from jobs.prepare import prepare
from judgefleet.sample import sample_from_row
from judges.pairs import Pair, match_pairs

_VARIANTS = ("A", "B")


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pairs in their first order, and the rubric that they are compared by."""

    shown: Sequence[Shown]
    rubric: str

    @property
    def both_orders(self) -> list[Shown]:
        """Every pair twice, its orders next to each other."""
        return [order for one in self.shown for order in (one, swapped(one))]


def swapped(one: Shown) -> Shown:
    """The other order."""
    return Shown(question=one.question, context=one.context, answer_a=one.answer_b, answer_b=one.answer_a)


def example_pairs(folder: Path, count: int) -> Pairs:
    """The first ``count`` pairs of the shipped example. ``folder``: for a store that stays empty."""
    prepared = prepare(demo_config(folder))
    intake = Intake(config=prepared.config, group_by=prepared.group_by)
    rows = (row for n, info in enumerate(prepared.objects) for row in intake.rows(info.uri, f"{n:09d}", {}))
    samples = [sample_from_row(row) for row in rows if row["decision"] == SAMPLED]
    matched = match_pairs(samples, _VARIANTS, prepared.group_by or "")
    shown = [_shown(pair) for pair in matched if isinstance(pair, Pair)]
    return Pairs(shown=shown[:count], rubric="support_preference")


def _shown(pair: Pair) -> Shown:
    first, second = (sample.trace for sample in pair.samples)
    contexts = "\n\n".join(pair.shared.trace.contexts)
    return Shown(
        question=first.question or "", context=contexts, answer_a=first.output or "", answer_b=second.output or ""
    )


def read_pairs(path: Path, count: int) -> Pairs:
    """The first ``count`` lines of JSON Lines with question, answer_a, answer_b, and perhaps context."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()][:count]
    shown = [
        Shown(question=p["question"], context=p.get("context") or "", answer_a=p["answer_a"], answer_b=p["answer_b"])
        for p in lines
    ]
    return Pairs(shown=shown, rubric="pairwise_preference")


def fleet_config(pairs: Pairs, folder: Path, model: str) -> BatchConfig:
    """A run that judges ``pairs`` and nothing else; writes its traces below ``folder``."""
    traces = folder / "traces"
    traces.mkdir()
    lines = (json.dumps(trace) for number, one in enumerate(pairs.shown) for trace in _traces(number, one))
    (traces / "pairs.jsonl").write_text("\n".join(lines) + "\n")
    judge = {"use": "judge_pairwise", "name": "preference", "rubric": pairs.rubric, "variants": _VARIANTS}
    given = {
        "name": "tools",
        "store": str(folder / "store"),
        "input": {"uri": str(traces)},
        "engine": {"kind": "vllm", "model": model},
        "scorers": [judge],
    }
    return BatchConfig.model_validate(given)


def _traces(number: int, one: Shown) -> Iterator[dict[str, object]]:
    texts = asdict(one)
    for place, variant in enumerate(_VARIANTS):
        yield {
            "trace_id": f"{2 * number + place + 1:032x}",
            "question": one.question,
            "contexts": [one.context] if one.context else [],
            "output": texts[f"answer_{variant.lower()}"],
            "variant": variant,
            "attributes": {"judgefleet.item_id": str(number)},
        }
