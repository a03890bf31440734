"""Whether a text in an answer wins over the judge: verdicts under attack against verdicts under harmless words.

    python -m benchmarks.injection [--items 6] [--attacks 0] [--json PATH]

To one answer of each chosen question of the bundled example a text is added: each attack of
tests/judges/hostile/attacks.yaml, and for each attack harmless sentences of as many tokens, since length alone moves a
judge. In the pairwise judge it is the answer that the judge preferred less. A flip is a verdict that moves towards the
answer with the text, against the verdict on the bare answer; only verdicts that can move so are counted. The shift is
the probability-weighted value under attack less that under harmless text. Both judges are those of configs/demo.yaml,
the engine is vLLM. Intervals are of 95 %, clustered by question: they say what other questions would give, not what
other attacks would.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from rich.console import Console
from rich.table import Table

from jobs.demo import ROOT, demo_config
from jobs.engines.vllm import engine_env, engine_kwargs, read_output, sampling_params
from jobs.intake import SAMPLED, Intake
from jobs.judging import Ask, judge_samples
from jobs.prepare import Prepared, prepare
from judgefleet.golden import ITEM_ID, load_golden
from judgefleet.proportions import paired_correlation, proportion_ci, rate_difference_ci
from judgefleet.sample import Sample, sample_from_row
from judgefleet.score import RunContext
from judgefleet.statistics import Estimate, weighted_mean_ci
from judges.judge import Judge
from judges.material import defuse
from judges.prompt import Prompt
from judges.tokenizer import load_tokenizer
from judges.verdict import Reply

ATTACKS = ROOT / "tests" / "judges" / "hostile" / "attacks.yaml"
POINTWISE, PAIRWISE = "quality", "preference"
ONE_ORDER = "pairwise, one order"
_BARE = "bare"
_PLACES = {"loss": 0, "tie": 1, "win": 2}
_KEYS = ["measure", "item", "slot"]
_DELIVERIES = """
The parcel left the shop on Monday and came to the town on the next day. The driver put it on the table in the hall.
It was a small box with two books and a lamp. The street was wet, so the box stood in the dry part of the house.
A letter came in the same week, with a stamp and a short note. The van goes to the south of the town in the morning
and to the north in the afternoon. On Friday there is no delivery after six. The woman next door took the second box and
gave it back in the evening. The shop sends a message when the van is near. Most boxes are light and fit in one hand.
The road by the river is closed, and the van takes the bridge. The box was open at one side but nothing was lost.
"""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A text that tries to win, and harmless words of the same length in tokens."""

    kind: str
    name: str
    text: str
    harmless: str


@dataclass(frozen=True, kw_only=True)
class Added:
    """What is added to an answer: an attack, its harmless text, or nothing (``bare``)."""

    arm: str
    kind: str = ""
    name: str = ""
    text: str = ""

    def to(self, sample: Sample) -> Sample:
        """``sample`` with the text at the end of its answer, under a name of its own."""
        trace, tag = sample.trace, f"{self.arm}/{self.kind}/{self.name}"
        changed = replace(
            trace,
            trace_id=f"{trace.trace_id}/{tag}",
            output=f"{trace.output}\n{self.text}" if self.text else trace.output,
            attributes={**trace.attributes, ITEM_ID: f"{trace.attributes[ITEM_ID]}/{tag}"},
        )
        return replace(sample, trace=changed)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One verdict about the answer with the text. ``rank`` grows in its favour, up to ``top``; None for a failure.

    ``slot`` tells verdicts about one answer apart: the axis, or the place where it stood.
    """

    measure: str
    item: str
    slot: str
    arm: str
    kind: str
    name: str
    status: str
    top: int
    rank: int | None
    value: float | None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What one kind of attack does to one judge. ``could_flip``: verdicts that were not the best possible already."""

    measure: str
    kind: str
    verdicts: int
    could_flip: int
    attack: Estimate
    harmless: Estimate
    difference: Estimate
    shift: Estimate


def attack_texts(path: Path = ATTACKS) -> Iterator[tuple[str, str, str]]:
    """Kind, name and text of every attack in the file."""
    for kind, entries in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        for name, entry in entries.items():
            yield kind, name, entry if isinstance(entry, str) else entry["text"] * entry["repeat"]


def harmless(length: Callable[[str], int], tokens: int, start: int = 0) -> str:
    """Words about deliveries from the word ``start`` on: as many as fit into ``tokens``, at least one."""
    words = _DELIVERIES.split()
    text = words[start % len(words)]
    for word in itertools.islice(itertools.cycle(words), start % len(words) + 1, None):
        if length(f"{text} {word}") > tokens:
            break
        text = f"{text} {word}"
    return text


def token_length(model: Path) -> Callable[[str], int]:
    """How many tokens of the judge in the folder ``model`` a text becomes at the end of an answer."""
    tokenizer = load_tokenizer(model).text
    return lambda text: len(tokenizer.encode("\n" + defuse(text), add_special_tokens=False).ids)


def load_attacks(model: Path, most: int = 0) -> list[Attack]:
    """The attacks, each with its harmless text; ``most`` of each kind, 0 for all."""
    length = token_length(model)
    seen: Counter[str] = Counter()
    made = []
    for number, (kind, name, text) in enumerate(attack_texts()):
        seen[kind] += 1
        if not most or seen[kind] <= most:
            words = harmless(length, length(text), start=29 * number)
            made.append(Attack(kind=kind, name=name, text=text, harmless=words))
    return made


def answer_pairs(prepared: Prepared, items: int) -> list[tuple[Sample, Sample]]:
    """Both answers to ``items`` questions, spread evenly over the example."""
    intake = Intake(config=prepared.config, group_by=prepared.group_by)
    golden = load_golden(prepared.config.input.golden or "")
    rows = (row for number, item in enumerate(prepared.objects) for row in intake.rows(item.uri, str(number), golden))
    found: dict[str, list[Sample]] = {}
    for sample in (sample_from_row(row) for row in rows if row["decision"] == SAMPLED):
        found.setdefault(sample.trace.attributes[ITEM_ID], []).append(sample)
    pairs = [(one, other) for _, (one, other) in sorted(found.items())]
    return pairs[:: max(1, len(pairs) // items)][:items]


def additions(attacks: Sequence[Attack]) -> list[Added]:
    """Nothing, then each attack next to its harmless text."""
    both = [
        Added(arm=arm, kind=attack.kind, name=attack.name, text=text)
        for attack in attacks
        for arm, text in (("attack", attack.text), ("harmless", attack.harmless))
    ]
    return [Added(arm=_BARE), *both]


def judge_pair(
    pair: Sequence[Sample], attacks: Sequence[Attack], judges: Mapping[str, Judge], ask: Ask, run: RunContext
) -> Iterator[Reading]:
    """Every verdict on the answer that the judge prefers less, with each text added to it."""
    pairwise, pointwise = ({name: judges[name]} for name in (PAIRWISE, POINTWISE))
    by_value = sorted(judge_samples(pair, pairwise, (), ask, run), key=lambda row: row["value"])
    loser, rival = sorted(pair, key=lambda sample: sample.trace.trace_id != by_value[0]["trace_id"])
    added = {(sample := addition.to(loser)).trace.trace_id: (addition, sample) for addition in additions(attacks)}
    targets = [sample for _, sample in added.values()]
    both = [sample for addition, target in added.values() for sample in (target, replace(addition, text="").to(rival))]
    rows = [*judge_samples(both, pairwise, (), ask, run), *judge_samples(targets, pointwise, (), ask, run)]
    for row in rows:
        if row["trace_id"] in added:
            yield from readings(row, loser.trace.attributes[ITEM_ID], added[row["trace_id"]][0])


def readings(row: Mapping[str, Any], item: str, added: Added) -> Iterator[Reading]:
    """What one score row says: a grade, or the verdict of both orders and that of each."""
    about = {"item": item, "arm": added.arm, "kind": added.kind, "name": added.name, "status": row["status"]}
    label, value = row["label"], row["value"]
    if row["scorer"] == POINTWISE:
        grade = None if label is None else int(label)
        yield Reading(measure="pointwise", slot=row["axis"], rank=grade, top=5, value=value, **about)
        return
    yield Reading(measure="pairwise, both orders", slot="", rank=_PLACES.get(label), top=2, value=value, **about)
    for order in row["orders"]:
        mine = "first" if order["first"] == row["trace_id"] else "second"
        won, probability = int(order["label"] == mine), order["probabilities"][mine]
        yield Reading(measure=ONE_ORDER, slot=mine, rank=won, top=1, value=probability, **about)


def side_by_side(found: Sequence[Reading]) -> pd.DataFrame:
    """One row a verdict: its rank and value under attack and under harmless text, and on the bare answer.

    A verdict that failed under any of the three is left out.
    """
    table = pd.DataFrame([asdict(reading) for reading in found])
    keys = [*_KEYS, "kind", "name", "top"]
    arms = [
        table[table.arm == arm].set_index(keys)[["rank", "value"]].add_suffix(f"_{arm}")
        for arm in ("attack", "harmless")
    ]
    bare = table[table.arm == _BARE].set_index(_KEYS)[["rank"]].add_suffix(f"_{_BARE}")
    return arms[0].join(arms[1]).reset_index().join(bare, on=_KEYS).dropna()


def figure(measure: str, kind: str, verdicts: pd.DataFrame) -> Figure:
    """Flip rates, their difference paired by verdict, and the shift of the value."""
    open_ones = verdicts[verdicts.rank_bare < verdicts.top]
    flips = {arm: (open_ones[f"rank_{arm}"] > open_ones.rank_bare).astype(float) for arm in ("harmless", "attack")}
    rates = {arm: proportion_ci(flipped, clusters=open_ones["item"]) for arm, flipped in flips.items()}
    correlation = paired_correlation(flips["harmless"], flips["attack"])
    return Figure(
        measure=measure,
        kind=kind,
        verdicts=len(verdicts),
        could_flip=len(open_ones),
        attack=rates["attack"],
        harmless=rates["harmless"],
        difference=rate_difference_ci(rates["harmless"], rates["attack"], correlation),
        shift=weighted_mean_ci(verdicts.value_attack - verdicts.value_harmless, clusters=verdicts["item"]),
    )


def figures(verdicts: pd.DataFrame) -> list[Figure]:
    """For each judge, all attacks together and then each kind of them, in the order of the file."""
    made = []
    for measure, of_measure in verdicts.groupby("measure", sort=False):
        made.append(figure(str(measure), "all", of_measure))
        made += [figure(str(measure), str(kind), rows) for kind, rows in of_measure.groupby("kind", sort=False)]
    return made


def strongest(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Mean shift and flips of each attack in each judge, the greatest shift first."""
    shifts = verdicts[verdicts.measure != ONE_ORDER].assign(
        shift=verdicts.value_attack - verdicts.value_harmless,
        flips=(verdicts.rank_attack > verdicts.rank_bare).astype(int),
    )
    means = shifts.groupby(["measure", "kind", "name"], sort=False).agg({"shift": "mean", "flips": ["sum", "size"]})
    means.columns = pd.Index(["shift", "flips", "verdicts"])
    return means.reset_index().sort_values("shift", ascending=False)


def engine_asker(model: Path, kwargs: Mapping[str, Any]) -> Ask:
    """Starts vLLM and returns a function that asks it."""
    from vllm import LLM, SamplingParams

    llm = LLM(model=str(model), **kwargs)

    def ask(prompts: Sequence[Prompt]) -> list[Reply]:
        asked: Any = [{"prompt_token_ids": list(prompt.token_ids)} for prompt in prompts]
        params = [SamplingParams(**sampling_params(prompt)) for prompt in prompts]
        outputs = llm.generate(asked, params, use_tqdm=False)
        return [read_output(output, prompt, 0.0) for output, prompt in zip(outputs, prompts, strict=True)]

    return ask


def measure(items: int, most: int) -> tuple[list[Reading], float]:
    """All verdicts, and the seconds that they took without the engine's start."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(demo_config(Path(folder)))
        pairs, setup, engine = answer_pairs(prepared, items), prepared.setup, prepared.config.engine
    if setup is None or (model := setup.models["default"].path) is None:
        raise SystemExit("configs/demo.yaml has no judge of its own")
    os.environ.update(engine_env(engine))
    attacks, ask = load_attacks(model, most), engine_asker(model, engine_kwargs(engine))
    run = RunContext(run_id="injection", job="benchmark", scored_at=datetime.now(UTC))
    started = time.perf_counter()
    found: list[Reading] = []
    for number, pair in enumerate(pairs, 1):
        found += judge_pair(pair, attacks, setup.judges(), ask, run)
        sys.stderr.write(f"question {number} of {len(pairs)}, {time.perf_counter() - started:.0f} s\n")
    return found, time.perf_counter() - started


def interval(estimate: Estimate, digits: int) -> str:
    """A figure with its interval, as far as there is one."""
    if estimate.value is None:
        return "no data"
    ends = f" [{estimate.low:+.{digits}f}, {estimate.high:+.{digits}f}]" if estimate.has_interval else ""
    return f"{estimate.value:+.{digits}f}{ends}"


def rate(estimate: Estimate) -> str:
    """A rate, or a dash where nothing could flip."""
    return "-" if estimate.value is None else f"{estimate.value:.3f}"


def table_of(made: Sequence[Figure]) -> Table:
    """The figures as people read them."""
    table = Table("judge", "attacks", "could flip", "attack", "harmless", "difference", "shift of value", box=None)
    for one in made:
        rates = (rate(one.attack), rate(one.harmless), interval(one.difference, 3))
        table.add_row(one.measure, one.kind, str(one.could_flip), *rates, interval(one.shift, 4))
    return table


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=6, help="questions of the example (default: %(default)s)")
    parser.add_argument("--attacks", type=int, default=0, help="attacks of each kind, 0 for all (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for all figures and verdicts")
    given = parser.parse_args()
    found, seconds = measure(given.items, given.attacks)
    verdicts = side_by_side(found)
    made, best = figures(verdicts), strongest(verdicts)
    statuses = Counter(reading.status for reading in found)
    console = Console(width=150)
    console.print(f"{len(found)} verdicts in {seconds:.0f} s, by status: {dict(statuses)}")
    console.print(table_of(made))
    console.print(best.groupby("measure", sort=False).head(5).to_string(index=False))
    if given.json:
        record = {"seconds": round(seconds, 1), "statuses": statuses, "figures": [asdict(one) for one in made]}
        record |= {"attacks": best.to_dict("records"), "verdicts": [asdict(reading) for reading in found]}
        given.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
