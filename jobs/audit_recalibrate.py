"""From an audit to a judge that is worth auditing again: what can be fitted, and where judge and people part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from calibration.audit import PAIR, AuditItem
from calibration.audit_folder import Audit
from calibration.audit_report import Auditor
from calibration.judgements import JudgeRun
from calibration.recalibrate import Refit, refit_map, refit_pairs
from jobs.audit_run import judges_of
from judgefleet.errors import ConfigError, did_you_mean


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """An item on which the judge is furthest from people. ``distance``: on the audit's scale, 1 for a wrong winner."""

    item_id: str
    trace_ids: tuple[str, ...]
    human: str
    judge: str
    distance: float
    question: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recalibration:
    """``refit`` is None where nothing could be fitted; ``why`` says the reason. ``written``: the new configuration."""

    scorer: str
    axis: str
    fingerprint: str
    refit: Refit | None
    why: str
    worst: Sequence[Disagreement]
    written: str | None = None


def recalibrate(
    audit_uri: str, store: str, *, config: Path | None, out: Path | None, chosen: Mapping[str, str | None], worst: int
) -> Recalibration:
    """Fit on half of the audit, report on the other half; with ``config`` and ``out`` write the configuration anew.

    Raises ConfigError: several judges and none chosen, or a configuration without the scorer.
    """
    audit = Audit(audit_uri)
    info, items = audit.info, audit.items
    runs = judges_of(store, info, items, chosen)
    if len(runs) > 1:
        raise ConfigError(f"found {len(runs)} judges: {'; '.join(r.name for r in runs)}; choose by --scorer and --axis")
    [run] = runs
    auditor = Auditor(info, items, audit.labels)
    cut = info.cut if info.cut is not None else sum(info.scale) / 2 if info.scale else 0.5
    refit = (
        refit_pairs(items, auditor.people, run)
        if info.kind == PAIR
        else refit_map(items, auditor.people, run, run.prompt, cut)
    )
    written = None
    if refit and config and out:
        written = str(_write(config, out, run, refit.options))
    return Recalibration(
        scorer=run.judge,
        axis=run.prompt,
        fingerprint=run.fingerprint,
        refit=refit,
        why="" if refit else "fewer than 20 items with numbers from both sides to fit on, or none to hold out",
        worst=_worst(auditor, run, items, worst),
        written=written,
    )


def _write(config: Path, out: Path, run: JudgeRun, options: Mapping[str, Any]) -> Path:
    """The configuration with the scorer's new options: another fingerprint, so another judge to the gate."""
    whole = yaml.safe_load(config.read_text(encoding="utf-8"))
    scorers = {s.get("name", s.get("use")): s for s in whole.get("scorers", [])}
    if run.judge not in scorers:
        raise ConfigError(f"{config}: no scorer {run.judge!r}; {did_you_mean(run.judge, scorers)}")
    before = scorers[run.judge]
    if set(options) & set(before) - {"value_map", "tie_band"} or run.prompt in before.get("value_map", {}):
        raise ConfigError(f"{config}: {run.judge!r} was recalibrated before; start from the configuration without that")
    for name, value in options.items():
        before[name] = before.get(name, {}) | value if isinstance(value, dict) else value
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return out


def _worst(auditor: Auditor, run: JudgeRun, items: Mapping[str, AuditItem], most: int) -> list[Disagreement]:
    found = []
    for item_id, judged in run.judgements.items():
        said, item = auditor.people.get(item_id), items.get(item_id)
        if said is None or item is None:
            continue
        human, judge = (said.score, judged.score) if auditor.info.kind != PAIR else (None, None)
        words = (said.label, judged.combined or judged.first)
        if human is not None and judge is not None:
            distance, shown = abs(human - judge), (f"{human:g}", f"{judge:.2f}")
        elif None not in words:
            distance = {frozenset({"A", "B"}): 1.0}.get(frozenset(map(str, words)), 0.5 * (words[0] != words[1]))
            shown = (str(words[0]), str(words[1]))
        else:
            continue
        if distance > 0:
            found.append(
                Disagreement(
                    item_id=item_id,
                    trace_ids=item.trace_ids,
                    human=shown[0],
                    judge=shown[1],
                    distance=distance,
                    question=item.question,
                )
            )
    return sorted(found, key=lambda d: (-d.distance, d.item_id))[:most]
