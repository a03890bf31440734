"""Items that both people and a judge have answered, as arrays."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration.audit import PAIR, TIE, A, AuditInfo, AuditItem, B
from calibration.consensus import Consensus
from calibration.judgements import Judgement, JudgeRun

PASS, FAIL = "pass", "fail"
FIRST_ORDER, BOTH_ORDERS = "first_order", "both_orders"
_PAIR_ORDER = (A, TIE, B)


@dataclass(frozen=True, kw_only=True, slots=True)
class Matched:
    """Answers of people and of a judge to the same items; one entry an item, shape (n,).

    ``classes``: the labels, in the order of the scale. ``human`` and ``judge``: positions in ``classes``. ``weights``:
    inverse inclusion probabilities. ``unparsed``: how many items with a human label the judge gave no verdict about,
    and ``silent`` which;
    ``disputed``: items that raters disagree about.
    """

    classes: tuple[str, ...]
    items: tuple[AuditItem, ...]
    human: npt.NDArray[np.intp]
    judge: npt.NDArray[np.intp]
    weights: npt.NDArray[np.float64]
    labelled: int
    unparsed: int
    disputed: int
    silent: tuple[AuditItem, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    @property
    def agree(self) -> npt.NDArray[np.float64]:
        """1 where judge and people say the same, else 0."""
        return np.asarray(self.human == self.judge, dtype=np.float64)

    @property
    def clusters(self) -> npt.NDArray[Any]:
        """The cluster of each item, as 0..G-1."""
        return (
            np.unique([item.cluster for item in self.items], return_inverse=True)[1] if self.items else np.zeros(0, int)
        )

    @property
    def per_cluster(self) -> npt.NDArray[np.float64]:
        """Weighted counts by cluster, human class and judge class: shape (G, q, q)."""
        clusters, q = self.clusters, len(self.classes)
        tables = np.zeros((int(clusters.max()) + 1 if len(self) else 0, q, q))
        np.add.at(tables, (clusters, self.human, self.judge), self.weights)
        return tables

    def where(self, mask: npt.NDArray[np.bool_]) -> "Matched":
        """The items for which ``mask`` is true."""
        return Matched(
            classes=self.classes,
            items=tuple(item for item, keep in zip(self.items, mask, strict=True) if keep),
            human=self.human[mask],
            judge=self.judge[mask],
            weights=self.weights[mask],
            labelled=int(mask.sum()),
            unparsed=0,
            disputed=0,
        )


def match(
    info: AuditInfo, items: Mapping[str, AuditItem], people: Mapping[str, Consensus], run: JudgeRun, verdict: str
) -> Matched:
    """Join by item. ``verdict``: for pairs, the one with A shown first, or the one reconciled over both orders."""
    asked = [items[item_id] for item_id in run.judgements if item_id in items]
    said = [human_label(info, people.get(item.item_id)) for item in asked]
    answered = [judge_label(info, run.judgements[item.item_id], verdict) for item in asked]
    both = [(i, h, j) for i, h, j in zip(asked, said, answered, strict=True) if h is not None and j is not None]
    classes = classes_of(info, [h for _, h, _ in both] + [j for _, _, j in both])
    place = {label: n for n, label in enumerate(classes)}
    return Matched(
        classes=classes,
        items=tuple(item for item, _, _ in both),
        human=np.array([place[h] for _, h, _ in both], dtype=np.intp),
        judge=np.array([place[j] for _, _, j in both], dtype=np.intp),
        weights=np.array([1 / item.inclusion_probability for item, _, _ in both], dtype=np.float64),
        labelled=sum(h is not None for h in said),
        unparsed=sum(h is not None and j is None for h, j in zip(said, answered, strict=True)),
        disputed=sum(c.disputed for item in asked if (c := people.get(item.item_id))),
        silent=tuple(i for i, h, j in zip(asked, said, answered, strict=True) if h is not None and j is None),
    )


def classes_of(info: AuditInfo, seen: Collection[str]) -> tuple[str, ...]:
    """The labels in the order of their scale: declared ones first, then what was seen besides."""
    if info.kind == PAIR:
        # A label that nobody gave and nobody was offered would lower the agreement expected by chance.
        return _PAIR_ORDER if TIE in seen else (A, B)
    declared = (FAIL, PASS) if info.cut is not None else tuple(info.labels)
    return declared + tuple(sorted(set(seen) - set(declared), key=_scale_order))


def human_label(info: AuditInfo, said: Consensus | None) -> str | None:
    """What people said about an item, as one of the classes."""
    return None if said is None else class_of(info, said.label, said.score)


def judge_label(info: AuditInfo, said: Judgement, verdict: str) -> str | None:
    """What the judge said, as one of the classes."""
    if info.kind == PAIR:
        return said.combined if verdict == BOTH_ORDERS else said.first
    return class_of(info, said.first, said.score)


def class_of(info: AuditInfo, label: str | None, score: float | None) -> str | None:
    """A label or a score as one of the classes: pass or fail where the audit has a cut, else the label itself."""
    if info.cut is None:
        return label if label is not None else None if score is None else f"{score:g}"
    if label in (PASS, FAIL):
        return label
    number = score if score is not None else _number(label)
    return None if number is None else PASS if number >= info.cut else FAIL


def _number(label: str | None) -> float | None:
    try:
        return None if label is None else float(label)
    except ValueError:
        return None


def _scale_order(label: str) -> tuple[float, str]:
    number = _number(label)
    return (np.inf if number is None else number, label)
