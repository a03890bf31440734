from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from experiments.comparison import compare
from experiments.preference import position_bias, prefer, winner
from judgefleet.proportions import wilson_interval
from judgefleet.sample import Sample
from judgefleet.score import SCORE_SCHEMA, OrderVerdict, Outcome, RunContext, Status, failure, score_row
from judgefleet.scorer import ScorerInfo, ScorerKind
from judgefleet.trace import Trace

RUN = RunContext(run_id="r", job="batch", scored_at=datetime(2026, 1, 1, tzinfo=UTC))
INFO = ScorerInfo(name="rubric", version="1", kind=ScorerKind.LLM, axes=("clarity",))
MISSING = failure(Status.UNPARSED, "no label")


def row(trace_id: str, variant: str, outcome: Outcome | float, item: str | None = None, **more: Any) -> dict[str, Any]:
    probability = more.pop("probability", 1.0)
    attributes = {} if item is None else {"judgefleet.item_id": item}
    trace = Trace(trace_id=trace_id, variant=variant, attributes=attributes, **more)
    sample = Sample(trace=trace, stratum="all", inclusion_probability=probability, plan_hash="p")
    found = outcome if isinstance(outcome, Outcome) else Outcome(value=outcome)
    return score_row(RUN, sample, INFO, "clarity", found)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


def paired_rows(a: list[float], b: list[float]) -> list[dict[str, Any]]:
    return [row(f"{v}{i}", v, x, item=f"i{i}") for v, arm in (("A", a), ("B", b)) for i, x in enumerate(arm)]


A, B = [3.0, 4.5, 2.0, 4.0, 3.5], [3.5, 4.5, 3.5, 3.5, 4.5]


class TestPaired:
    def test_the_interval_is_the_paired_t_interval_of_scipy(self) -> None:
        d = compare(table(paired_rows(A, B)), baseline="A", candidate="B")
        low, high = stats.ttest_rel(B, A).confidence_interval(0.95)
        assert d.paired
        assert d.estimate.value == pytest.approx(0.5)
        assert (d.estimate.low, d.estimate.high) == pytest.approx((low, high))
        assert (d.used, d.possible, d.coverage) == (5, 5, 1.0)

    def test_a_failure_drops_its_pair_and_lowers_the_coverage(self) -> None:
        rows = [*paired_rows(A, B), row("A9", "A", 5.0, item="i9"), row("B9", "B", MISSING, item="i9")]
        d = compare(table(rows), baseline="A", candidate="B")
        assert d.estimate.value == pytest.approx(0.5)
        assert (d.used, d.possible) == (5, 6)

    def test_an_item_of_one_variant_only_is_possible_but_not_used(self) -> None:
        d = compare(table([*paired_rows(A, B), row("A9", "A", 1.0, item="i9")]), baseline="A", candidate="B")
        assert (d.estimate.n, d.used, d.possible) == (5, 5, 6)

    def test_repeated_traces_of_an_item_are_one_pair(self) -> None:
        rows = [*paired_rows(A, B), row("A0again", "A", 4.0, item="i0")]
        d = compare(table(rows), baseline="A", candidate="B")
        assert d.estimate.n == 5
        assert d.estimate.value == pytest.approx(np.mean([0.0, 0, 1.5, -0.5, 1]))

    def test_pairing_finds_what_the_spread_of_items_hides(self) -> None:
        easy = [float(x) for x in np.linspace(1, 5, 20)]
        rows = paired_rows(easy, [x + 0.1 + 0.01 * (i % 3) for i, x in enumerate(easy)])
        paired = compare(table(rows), baseline="A", candidate="B").estimate
        unpaired = compare(table(rows), baseline="A", candidate="B", key=None).estimate
        assert paired.low is not None
        assert paired.low > 0
        assert unpaired.low is not None
        assert unpaired.low < 0
        assert unpaired.value == pytest.approx(paired.value)

    def test_differences_that_are_all_equal_have_no_interval(self) -> None:
        d = compare(table(paired_rows([1.0] * 4, [1.0] * 4)), baseline="A", candidate="B")
        assert d.estimate.value == 0
        assert not d.estimate.has_interval
        assert "all equal" in d.estimate.method

    def test_swapping_the_variants_turns_the_sign(self) -> None:
        rows = table(paired_rows(A, B))
        forth, back = (compare(rows, baseline=x, candidate=y).estimate for x, y in (("A", "B"), ("B", "A")))
        assert forth.value == pytest.approx(-(back.value or 0))
        assert forth.low == pytest.approx(-(back.high or 0))

    def test_a_pair_weighs_as_much_as_pairs_like_it_were_left_out(self) -> None:
        rows = [
            *(row(f"{v}1", v, x, item="i1") for v, x in (("A", 1.0), ("B", 2.0))),
            *(row(f"{v}2", v, x, item="i2", probability=0.5) for v, x in (("A", 1.0), ("B", 1.0))),
        ]
        d = compare(table(rows), baseline="A", candidate="B")
        assert d.estimate.value == pytest.approx((1 * 1 + 4 * 0) / 5)


class TestRates:
    def test_pairs_that_all_agree_have_an_interval_all_the_same(self) -> None:
        d = compare(table(paired_rows([0.0] * 24, [1.0] * 24)), baseline="A", candidate="B", rate=True)
        assert d.estimate.value == 1
        assert d.estimate.low == pytest.approx(1 - 2**0.5 * wilson_interval(0, 24)[1])
        assert d.estimate.high == pytest.approx(1)
        assert (d.paired, d.estimate.n) == (True, 24)

    def test_agreement_within_pairs_is_used(self) -> None:
        a, b = [1.0, 1, 0, 1, 0] * 8, [1.0, 1, 1, 1, 0] * 8
        rows = table(paired_rows(a, b))
        paired = compare(rows, baseline="A", candidate="B", rate=True).estimate
        apart = compare(rows, baseline="A", candidate="B", rate=True, key=None).estimate
        assert paired.low is not None
        assert apart.low is not None
        assert paired.value == pytest.approx(apart.value)
        assert paired.low > apart.low

    def test_repeated_traces_that_average_to_no_rate_fall_back_to_t(self) -> None:
        rows = [*paired_rows([1.0, 0.0, 1.0], [1.0, 1.0, 0.0]), row("A0again", "A", 0.0, item="i0")]
        d = compare(table(rows), baseline="A", candidate="B", rate=True)
        assert d.estimate.value == pytest.approx((0.5 + 1 - 1) / 3)
        assert "t with 2" in d.estimate.method


class TestUnpaired:
    def test_without_items_it_is_welch(self) -> None:
        rows = [row(f"{v}{i}", v, x) for v, arm in (("A", A), ("B", B)) for i, x in enumerate(arm)]
        d = compare(table(rows), baseline="A", candidate="B")
        low, high = stats.ttest_ind(B, A, equal_var=False).confidence_interval(0.95)
        assert not d.paired
        assert (d.estimate.low, d.estimate.high) == pytest.approx((low, high))

    def test_turns_of_one_conversation_are_one_cluster(self) -> None:
        rows = [row(f"{v}{i}", v, float(i), conversation_id=f"{v}{i // 3}") for v in "AB" for i in range(12)]
        d = compare(table(rows), baseline="A", candidate="B")
        assert (d.estimate.n, d.estimate.n_clusters) == (24, 8)

    def test_one_stray_item_does_not_make_the_comparison_paired(self) -> None:
        rows = [row(f"{v}{i}", v, float(i), item="only" if i == 0 else None) for v in "AB" for i in range(5)]
        assert not compare(table(rows), baseline="A", candidate="B").paired

    def test_a_variant_without_rows_or_values_has_no_difference(self) -> None:
        nothing = compare(table([row("A1", "A", 1.0)]), baseline="A", candidate="B")
        failed = compare(table([row("A1", "A", 1.0), row("B1", "B", MISSING)]), baseline="A", candidate="B")
        assert (nothing.estimate.value, failed.estimate.value) == (None, None)
        assert (failed.used, failed.possible) == (1, 2)
        assert compare(table([]), baseline="A", candidate="B").coverage is None


SEEN = {"win": "loss", "loss": "win", "tie": "tie"}


def pair(i: int, when_a_first: str, when_b_first: str, **more: Any) -> list[dict[str, Any]]:
    """Two mirrored rows from the slots that won in the two orders."""
    orders = (OrderVerdict(first=f"A{i}", label=when_a_first), OrderVerdict(first=f"B{i}", label=when_b_first))
    said = [winner({"first": o.first, "label": o.label}, f"B{i}") for o in orders]
    label = (said[0] if said[0] == said[1] else "tie") or "tie"
    consistent = said[0] == said[1]
    share = {"win": 0.8, "tie": 0.5, "loss": 0.2}

    def side(variant: str, other: str, mine: str) -> dict[str, Any]:
        outcome = Outcome(
            value=share[mine],
            label=mine,
            pair_id=f"p{i}",
            other_trace_id=f"{other}{i}",
            order_consistent=consistent,
            orders=orders,
        )
        return row(f"{variant}{i}", variant, outcome, **({"item": f"i{i}"} | more))

    return [side("A", "B", SEEN[label]), side("B", "A", label)]


def pairs(*verdicts: tuple[str, str, int]) -> list[dict[str, Any]]:
    flat = [(x, y) for x, y, count in verdicts for _ in range(count)]
    return [r for i, (x, y) in enumerate(flat) for r in pair(i, x, y)]


# B wins both orders 5 times, A 3 times, the first slot wins twice 8 times, the second 2 times, 2 honest ties.
TWENTY = pairs(
    ("second", "first", 5), ("first", "second", 3), ("first", "first", 8), ("second", "second", 2), ("tie", "tie", 2)
)


class TestPreference:
    def test_each_pair_counts_once_for_the_candidate(self) -> None:
        p = prefer(table(TWENTY), baseline="A", candidate="B")
        assert (p.wins, p.ties, p.losses, p.failed) == (5, 12, 3, 0)
        assert p.win_rate.value == pytest.approx(11 / 20)
        assert (p.win_rate.low, p.win_rate.high) == pytest.approx(wilson_interval(0.55, 20))
        assert p.probability.value == pytest.approx((5 * 0.8 + 12 * 0.5 + 3 * 0.2) / 20)

    def test_the_other_side_is_the_mirror_image(self) -> None:
        p = prefer(table(TWENTY), baseline="B", candidate="A")
        assert (p.wins, p.ties, p.losses) == (3, 12, 5)
        assert p.win_rate.value == pytest.approx(9 / 20)

    def test_order_of_rows_does_not_matter(self) -> None:
        shuffled = [TWENTY[i] for i in np.random.default_rng(2).permutation(len(TWENTY))]
        assert prefer(table(shuffled), baseline="A", candidate="B") == prefer(
            table(TWENTY), baseline="A", candidate="B"
        )
        assert position_bias(table(shuffled)) == position_bias(table(TWENTY))

    def test_pairs_of_one_item_are_one_cluster(self) -> None:
        rows = [r for i in range(12) for r in pair(i, "second", "first", item=f"i{i % 4}")]
        p = prefer(table(rows), baseline="A", candidate="B")
        assert (p.win_rate.n, p.win_rate.n_clusters) == (12, 4)

    def test_a_failed_pair_is_counted_as_failed_only(self) -> None:
        lost = failure(Status.ENGINE_ERROR, "engine died", pair_id="p99", other_trace_id="A99")
        mirror = failure(Status.ENGINE_ERROR, "engine died", pair_id="p99", other_trace_id="B99")
        rows = [*TWENTY, row("B99", "B", lost), row("A99", "A", mirror)]
        p, bias = prefer(table(rows), baseline="A", candidate="B"), position_bias(table(rows))
        assert (p.failed, p.win_rate.n, bias.pairs) == (1, 20, 20)

    def test_only_pairs_of_the_two_variants_named(self) -> None:
        odd = Outcome(value=0.9, label="win", pair_id="q", other_trace_id="C1")
        even = Outcome(value=0.1, label="loss", pair_id="q", other_trace_id="B500")
        rows = [*TWENTY, row("B500", "B", odd), row("C1", "C", even)]
        assert prefer(table(rows), baseline="A", candidate="B").wins == 5
        assert prefer(table(rows), baseline="B", candidate="C").losses == 1

    def test_no_pairs_is_no_win_rate(self) -> None:
        p = prefer(table([]), baseline="A", candidate="B")
        assert (p.win_rate.value, p.probability.value, p.wins) == (None, None, 0)


class TestPositionBias:
    def test_flips_and_first_slot_over_all_order_verdicts(self) -> None:
        bias = position_bias(table(TWENTY))
        assert (bias.flips, bias.pairs) == (10, 20)
        assert (bias.flip_rate.low, bias.flip_rate.high) == pytest.approx(wilson_interval(0.5, 20))
        assert (bias.first, bias.second, bias.ties, bias.verdicts) == (24, 12, 4, 40)
        assert bias.first_slot.value == pytest.approx(24 / 40)
        assert bias.first_slot.n_clusters == 20

    def test_always_the_first_slot(self) -> None:
        bias = position_bias(table(pairs(("first", "first", 12))))
        assert (bias.flips, bias.first_slot.value) == (12, 1.0)
        assert bias.first_slot.low == pytest.approx(wilson_interval(1, 12)[0])

    def test_two_verdicts_of_one_pair_are_not_two_independent_ones(self) -> None:
        biased = position_bias(table(pairs(("first", "first", 15), ("second", "second", 5)))).first_slot
        assert biased.low is not None
        assert biased.low < wilson_interval(0.75, 40)[0]

    def test_verdicts_without_a_label_are_left_out(self) -> None:
        outcome = Outcome(
            value=0.5,
            label="tie",
            pair_id="p",
            other_trace_id="B1",
            orders=(OrderVerdict(first="A1", label=None), OrderVerdict(first="B1", label="first")),
        )
        bias = position_bias(table([row("A1", "A", outcome)]))
        assert (bias.verdicts, bias.pairs) == (1, 0)
        assert bias.flip_rate.value is None


def test_the_store_may_give_the_scorer_back_as_a_dictionary() -> None:
    rows = table(TWENTY)
    encoded = rows.set_column(rows.schema.get_field_index("variant"), "variant", rows["variant"].dictionary_encode())
    assert prefer(encoded, baseline="A", candidate="B") == prefer(rows, baseline="A", candidate="B")
    assert compare(encoded, baseline="A", candidate="B") == compare(rows, baseline="A", candidate="B")


def test_a_rate_of_other_values_than_zeros_and_ones_is_refused() -> None:
    scores = table([row("a", "A", 1.0), row("b", "B", 0.5)])
    with pytest.raises(ValueError, match="zeros and ones"):
        compare(scores, baseline="A", candidate="B", rate=True)
