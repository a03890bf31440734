"""Figures about whole conversations, computed from score rows: what a successful session costs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.ratios import ratio_ci
from judgefleet.statistics import Estimate

Axis: TypeAlias = tuple[str, str]
Rule: TypeAlias = Literal["last", "every"]

_TIME = "trace_started_at"
_COLUMNS = ["trace_id", "span_id", "conversation_id", _TIME, "inclusion_probability", "value", "direction"]
_NEVER = -(2**63)


class _Row(NamedTuple):
    """What one score says about its trace."""

    when: int
    trace: tuple[str, str]
    session: tuple[str, str]
    probability: float
    value: float | None
    lower: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionCost:
    """``estimate`` rests on the ``counted`` of all ``sessions``: those with a cost for each trace, and with a verdict.

    ``without_cost`` and ``without_verdict`` may overlap. ``successful`` is among the counted; ``total_cost`` is theirs.
    """

    estimate: Estimate
    sessions: int
    counted: int
    successful: int
    without_cost: int
    without_verdict: int
    total_cost: float

    @property
    def coverage(self) -> float | None:
        """Share of the sessions that is counted; None where there is no session."""
        return self.counted / self.sessions if self.sessions else None


def cost_per_successful_session(
    rows: pa.Table,
    *,
    success: Axis,
    threshold: float,
    rule: Rule = "last",
    cost: Axis = ("cost", "cost"),
    alpha: float = 0.05,
) -> SessionCost:
    """Cost of all sessions over the number of successful ones: what failed sessions cost counts too.

    ``rows``: score rows (SCORE_SCHEMA). ``success`` and ``cost``: scorer and axis. A session is a conversation, or a
    trace without one. It is successful when the value of its last trace (``rule="last"``), or of each of them
    (``"every"``), is at least ``threshold``, or at most where a lower value is better. Where several traces may be the
    last, since they began at one time or the time of one is not known, and their verdicts differ, there is none. A
    session with a trace that has no cost, or without a verdict, is left out and counted. Sessions weigh by the inverse
    of their inclusion probability, so whole conversations must have been drawn (``unit: conversation``).

    Raises ConfigError for another rule, a scorer and axis of which there is no row (though there are others), two
    scores of one trace (two versions of a scorer), or traces of one conversation with different inclusion
    probabilities.

    >>> scores = [("a", "cost", 0.02), ("a", "solved", 1.0), ("b", "cost", 0.04), ("b", "solved", 0.0)]
    >>> names = ("trace_id", "scorer", "value")
    >>> fixed = {"span_id": "", "conversation_id": None, "trace_started_at": None, "inclusion_probability": 1.0}
    >>> fixed |= {"axis": "cost", "status": "ok", "direction": "higher_is_better"}
    >>> rows = pa.Table.from_pylist([dict(zip(names, s)) | fixed for s in scores])
    >>> found = cost_per_successful_session(rows, success=("solved", "cost"), threshold=1)
    >>> round(found.estimate.value, 9), found.successful, found.coverage
    (0.06, 1, 1.0)
    """
    if rule not in ("last", "every"):
        raise ConfigError(f"found the rule {rule!r}; allowed: last, every")
    spent, judged = _scores(rows, cost), _scores(rows, success)
    sessions: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in (*spent.values(), *judged.values()):
        sessions[row.session].append(row)
    costs, verdicts, weights = [], [], []
    for session, found in sessions.items():
        times = {row.trace: row.when for row in found}
        costs.append(_sum(spent.get(trace) for trace in times))
        decisive = _last(times) if rule == "last" else times
        verdicts.append(_verdict([judged.get(trace) for trace in decisive], threshold, rule))
        weights.append(_weight(session, found))
    return _summary(costs, verdicts, weights, alpha)


def _summary(costs: list[float | None], verdicts: list[bool | None], weights: list[float], alpha: float) -> SessionCost:
    whole = [
        (spent, won, weight)
        for spent, won, weight in zip(costs, verdicts, weights, strict=True)
        if spent is not None and won is not None
    ]
    spent, won, weight = (list(column) for column in zip(*whole, strict=True)) if whole else ([], [], [])
    return SessionCost(
        estimate=ratio_ci(spent, won, weight, alpha),
        sessions=len(costs),
        counted=len(whole),
        successful=sum(won),
        without_cost=costs.count(None),
        without_verdict=verdicts.count(None),
        total_cost=float(sum(spent)),
    )


def _scores(rows: pa.Table, axis: Axis) -> Mapping[tuple[str, str], _Row]:
    """The rows of one scorer and axis, by trace. Raises ConfigError where there are only others."""
    mine = rows.filter(pc.and_(pc.equal(rows["scorer"], axis[0]), pc.equal(rows["axis"], axis[1])))
    if rows.num_rows and not mine.num_rows:
        there = sorted(set(zip(rows["scorer"].to_pylist(), rows["axis"].to_pylist(), strict=True)))
        known = [f"{scorer}/{name}" for scorer, name in there]
        raise ConfigError(
            f"no row is of the scorer and axis '{axis[0]}/{axis[1]}'; {did_you_mean('/'.join(axis), known)}"
        )
    columns = {name: mine[name] for name in _COLUMNS}
    columns[_TIME] = pc.fill_null(columns[_TIME].cast(pa.int64()), _NEVER)
    found = [_row(*values) for values in zip(*(column.to_pylist() for column in columns.values()), strict=True)]
    by_trace = {row.trace: row for row in found}
    if len(by_trace) < len(found):
        raise ConfigError(
            f"scorer {axis[0]!r} has several rows on axis {axis[1]!r} for one trace; pass the rows of one fingerprint"
        )
    return by_trace


def _row(
    trace: str, span: str | None, conversation: str | None, when: int, p: float | None, value: float | None, to: str
) -> _Row:
    session = ("trace", trace) if conversation is None else ("conversation", conversation)
    lower = to == "lower_is_better"
    return _Row(when, (trace, span or ""), session, 1.0 if p is None else p, value, lower)


def _sum(rows: Iterable[_Row | None]) -> float | None:
    values = [None if row is None else row.value for row in rows]
    known = [value for value in values if value is not None]
    return float(sum(known)) if len(known) == len(values) else None


def _last(times: Mapping[tuple[str, str], int]) -> list[tuple[str, str]]:
    """The traces of which each may be the last: the latest, and those of which the time is not known."""
    latest = max(times.values())
    return [trace for trace, when in times.items() if when in (latest, _NEVER)]


def _verdict(rows: list[_Row | None], threshold: float, rule: Rule) -> bool | None:
    """None where nobody knows: under ``last`` all must agree, under ``every`` one failed trace is enough to know."""
    verdicts = {_good(row, threshold) for row in rows}
    if rule == "last":
        return verdicts.pop() if len(verdicts) == 1 else None
    return False if False in verdicts else None if None in verdicts else True


def _good(row: _Row | None, threshold: float) -> bool | None:
    if row is None or row.value is None:
        return None
    return row.value <= threshold if row.lower else row.value >= threshold


def _weight(session: tuple[str, str], rows: Iterable[_Row]) -> float:
    drawn = {row.probability for row in rows}
    if len(drawn) > 1:
        raise ConfigError(
            f"the traces of {' '.join(session)!r} have the inclusion probabilities {sorted(drawn)}, so that part of it "
            "may not have been drawn; sample whole conversations at one rate"
        )
    return 1 / drawn.pop()
