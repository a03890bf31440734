"""Drawing an audit: exact numbers, exact chances, and estimates that stay unbiased."""

import numpy as np
import pytest

from calibration.draw import Candidate, allocate, chances, draw


def population(n: int = 400) -> list[Candidate]:
    """A judge that is unsure about every third trace, with one verdict in ten a fail."""
    return [
        Candidate(key=f"t{i}", stratum="fail" if i % 10 == 0 else "pass", unsure=0.9 if i % 3 == 0 else 0.1)
        for i in range(n)
    ]


def test_as_many_are_drawn_as_were_asked_for_and_the_same_salt_draws_the_same() -> None:
    first = draw(population(), 120, "s")
    assert len(first) == 120
    assert len({d.key for d in first}) == 120
    assert draw(population(), 120, "s") == first
    assert draw(list(reversed(population())), 120, "s") == first
    assert {d.key for d in draw(population(), 120, "other")} != {d.key for d in first}


def test_a_rare_verdict_gets_its_floor_and_a_small_one_is_drawn_whole() -> None:
    drawn = draw(population(), 120, "s")
    assert sum(d.stratum == "fail" for d in drawn) == 30
    few = [Candidate(key=f"f{i}", stratum="tie", unsure=0.5) for i in range(4)]
    assert [d.probability for d in draw(population() + few, 120, "s") if d.stratum == "tie"] == [1.0] * 4


def test_more_than_there_are_draws_all_with_certainty() -> None:
    drawn = draw(population(50), 120, "s")
    assert len(drawn) == 50
    assert {d.probability for d in drawn} == {1.0}


def test_unsure_verdicts_are_drawn_more_often_and_none_is_left_without_a_chance() -> None:
    p = chances(np.array([0.1] * 50 + [0.9] * 50), 20)
    assert p.sum() == pytest.approx(20)
    assert p[-1] > 2 * p[0]
    assert p.min() > 0.3 * 20 / 100 * 0.9


def test_sampled_and_drawn_multiply() -> None:
    thin = [Candidate(key=str(i), stratum="pass", unsure=0.5, probability=0.1) for i in range(100)]
    assert {round(d.probability, 6) for d in draw(thin, 50, "s")} == {0.05}


def test_over_many_draws_the_weighted_total_is_the_true_one() -> None:
    """Horvitz-Thompson over 600 salts; the value depends on how unsure the judge is, so equal weights are wrong."""
    people = {c.key: float(c.unsure > 0.5 or c.stratum == "fail") for c in population()}
    truth = sum(people.values())
    totals = [sum(people[d.key] / d.probability for d in draw(population(), 80, f"s{n}")) for n in range(600)]
    error = np.std(totals) / len(totals) ** 0.5
    assert abs(np.mean(totals) - truth) < 3 * error
    naive = [sum(people[d.key] for d in draw(population(), 80, f"s{n}")) * 400 / 80 for n in range(100)]
    assert abs(np.mean(naive) - truth) > 10 * error


def test_the_shares_of_strata_add_up_whatever_their_sizes() -> None:
    for n in (1, 7, 40, 99, 100, 500):
        given = allocate({"a": 3, "b": 50, "c": 100}, n)
        assert sum(given.values()) == min(n, 153)
        assert all(given[k] <= size for k, size in {"a": 3, "b": 50, "c": 100}.items())
