"""The bias ledger of a judge: position, length, style and its own kind, each with an interval and a plain sentence."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import expit

from calibration.audit import TIE, A, AuditItem, B
from calibration.consensus import Consensus
from calibration.judgements import Judgement, JudgeRun
from calibration.logistic import Fit, fit_logistic
from calibration.rates import rate_ci
from judgefleet.statistics import Estimate, weighted_mean_ci

_SIGN = {A: 1.0, B: -1.0, TIE: 0.0}
_MARKS = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s|^#{1,6}\s|\*\*|^\|", re.MULTILINE)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bias:
    """One entry. ``neutral``: what the figure is for a judge without the bias, None where there is no such value.
    ``p_value``: exact or Wald test against it. ``found``: True where the interval leaves ``neutral`` out."""

    name: str
    estimate: Estimate
    neutral: float | None
    p_value: float | None
    sentence: str

    @property
    def found(self) -> bool | None:
        """Whether the bias was seen; None where it cannot be said."""
        e = self.estimate
        if self.neutral is None or e.low is None or e.high is None:
            return None
        return not e.low <= self.neutral <= e.high


def ledger(items: Mapping[str, AuditItem], people: Mapping[str, Consensus], run: JudgeRun) -> list[Bias]:
    """Every entry that the data of a pairwise judge allow."""
    both = [j for j in run.judgements.values() if j.first is not None and j.second is not None and j.item_id in items]
    known = [j for j in run.judgements.values() if j.order_consistent is not None and j.item_id in items]
    found = [flips(items, known)] if known else []
    found += [first_slot(items, both)] if both else []
    judged = [(items[j.item_id], said) for j in run.judgements.values() if j.item_id in items and (said := _verdict(j))]
    found += [entry for entry in (longer(judged), *length_and_style(judged, people)) if entry]
    return found + self_preference(judged, people, run.judge)


def flips(items: Mapping[str, AuditItem], known: Sequence[Judgement]) -> Bias:
    """How often the verdict changes with the order of the answers."""
    changed = [float(not j.order_consistent) for j in known]
    estimate = rate_ci(changed, clusters=[items[j.item_id].cluster for j in known])
    sentence = f"The verdict changed with the order of the answers in {int(sum(changed))} of {len(known)} pairs."
    return Bias(name="position_flips", estimate=estimate, neutral=None, p_value=None, sentence=sentence)


def first_slot(items: Mapping[str, AuditItem], both: Sequence[Judgement]) -> Bias:
    """Of the pairs that flipped to a slot, the share that went to the answer shown first; exact McNemar test."""
    towards = [(1.0 if j.first == A else 0.0, items[j.item_id].cluster) for j in both if {j.first, j.second} == {A, B}]
    first = int(sum(value for value, _ in towards))
    estimate = rate_ci([value for value, _ in towards], clusters=[cluster for _, cluster in towards])
    p = float(stats.binomtest(first, len(towards)).pvalue) if towards else None
    sentence = (
        f"Where the order decided the winner, the answer shown first won {first} of {len(towards)} times."
        if towards
        else "The order of the answers never decided the winner."
    )
    return Bias(name="first_slot", estimate=estimate, neutral=0.5, p_value=p, sentence=sentence)


def longer(judged: Sequence[tuple[AuditItem, str]]) -> Bias | None:
    """Share of decisive verdicts for the longer answer. Without human labels this confuses length with quality."""
    rows = [
        (float((said == A) == (size > 0)), item.cluster)
        for item, said in judged
        if said != TIE and (size := _length_difference(item))
    ]
    if len(rows) < 2:
        return None
    estimate = rate_ci([value for value, _ in rows], clusters=[cluster for _, cluster in rows])
    hits = int(sum(value for value, _ in rows))
    p = float(stats.binomtest(hits, len(rows)).pvalue)
    sentence = f"The longer answer won {hits} of {len(rows)} decided pairs; longer answers may of course be better."
    return Bias(name="longer_answer_wins", estimate=estimate, neutral=0.5, p_value=p, sentence=sentence)


def length_and_style(judged: Sequence[tuple[AuditItem, str]], people: Mapping[str, Consensus]) -> list[Bias]:
    """Odds of the judge's choice by length and by markdown, with what people preferred held fixed.

    Logistic regression of "the judge chose A" on the log ratio of the lengths, the difference in marks (lists,
    headings, bold) and the human label (+1, 0, -1); as the length control of Dubois et al. 2024, with labels.
    """
    rows = [
        (item, said, human)
        for item, said in judged
        if said != TIE
        and _length_difference(item) is not None
        and (human := _human(people.get(item.item_id))) is not None
    ]
    if not rows:
        return []
    lengths = np.array([_log_ratio(item) for item, _, _ in rows])
    marks = np.array([_marks(item) for item, _, _ in rows])
    columns = [np.ones(len(rows)), lengths, np.array([_SIGN[human] for *_, human in rows])]
    styled = bool(np.ptp(marks))
    x = np.column_stack([*columns, marks] if styled else columns)
    y = np.array([float(said == A) for _, said, _ in rows])
    fit = fit_logistic(x, y, np.array([item.cluster for item, *_ in rows]))
    if fit is None:
        return []
    found = [
        _odds("length", fit, 1, len(rows), float(np.log(2)), "an answer twice as long"),
        _equal_length(fit, len(rows)),
    ]
    return found + (
        [_odds("style", fit, 3, len(rows), 1.0, "one more list item, heading or bold mark")] if styled else []
    )


def self_preference(judged: Sequence[tuple[AuditItem, str]], people: Mapping[str, Consensus], judge: str) -> list[Bias]:
    """Win rate that the judge gives its own model's answers, minus what people give them; pairs that name models."""
    rows = []
    for item, said in judged:
        human = _human(people.get(item.item_id))
        sides = [_same_model(judge, item.segments.get(name, "")) for name in ("model_a", "model_b")]
        if human is None or sides[0] == sides[1]:
            continue
        own = A if sides[0] else B
        rows.append((_credit(said, own) - _credit(human, own), item.cluster))
    if len(rows) < 2:
        return []
    estimate = weighted_mean_ci([gap for gap, _ in rows], clusters=[cluster for _, cluster in rows])
    sentence = f"The judge's win rate for {judge} is {estimate.value:+.3f} from that of people, over {len(rows)} pairs."
    return [Bias(name="self_preference", estimate=estimate, neutral=0.0, p_value=None, sentence=sentence)]


def _odds(name: str, fit: Fit, place: int, n: int, step: float, what: str) -> Bias:
    value = float(np.exp(step * fit.coefficients[place]))
    low, high = (float(np.exp(step * end)) for end in fit.interval(place))
    z = float(fit.coefficients[place] / fit.covariance[place, place] ** 0.5)
    estimate = Estimate(
        value=value,
        low=low,
        high=high,
        n=n,
        n_clusters=fit.n_clusters,
        method="odds ratio, clustered logistic regression",
    )
    sentence = f"With people's preference held fixed, {what} multiplies the odds of winning by {value:.2f}."
    p = float(2 * stats.t.sf(abs(z), fit.n_clusters - 1))
    return Bias(name=name, estimate=estimate, neutral=1.0, p_value=p, sentence=sentence)


def _equal_length(fit: Fit, n: int) -> Bias:
    low, high = fit.interval(0)
    value = float(expit(fit.coefficients[0]))
    estimate = Estimate(
        value=value,
        low=float(expit(low)),
        high=float(expit(high)),
        n=n,
        n_clusters=fit.n_clusters,
        method="length-controlled win rate of A, clustered logistic regression",
    )
    sentence = (
        f"At equal length, style and human preference, answer A wins {value:.0%} of the judge's decided verdicts."
    )
    return Bias(name="length_controlled_win_rate", estimate=estimate, neutral=0.5, p_value=None, sentence=sentence)


def _verdict(said: Judgement) -> str | None:
    return said.combined or said.first


def _human(said: Consensus | None) -> str | None:
    return None if said is None else said.label


def _credit(said: str, own: str) -> float:
    return 0.5 if said == TIE else float(said == own)


def _length_difference(item: AuditItem) -> int | None:
    """Characters of A minus those of B; None where a text is missing or both are equally long."""
    if len(item.responses) != 2 or None in item.responses:
        return None
    a, b = (len(text or "") for text in item.responses)
    return a - b or None


def _log_ratio(item: AuditItem) -> float:
    a, b = (len(text or "") + 1 for text in item.responses)
    return float(np.log(a / b))


def _marks(item: AuditItem) -> float:
    a, b = (len(_MARKS.findall(text or "")) for text in item.responses)
    return float(a - b)


def _same_model(judge: str, model: str) -> bool:
    """Whether a model's name is the judge's, as names are written: case, dashes and dots apart."""
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in (judge, model)]
    return bool(plain[1]) and (plain[0] == plain[1] or plain[0] in plain[1] or plain[1] in plain[0])
