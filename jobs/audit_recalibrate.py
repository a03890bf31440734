"""From an audit to a judge that is worth auditing again: what can be fitted, and where judge and people part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from calibration.audit import PAIR
from calibration.audit_folder import Audit
from calibration.audit_report import Auditor
from calibration.disagreement import Disagreement, Note, notes_of, training_disagreements
from calibration.judgements import JudgeRun
from calibration.recalibrate import Refit, refit_map, refit_pairs
from jobs.audit_rubric import CandidateRubric, write_rubric
from jobs.audit_run import judges_of
from judgefleet.errors import ConfigError, did_you_mean


@dataclass(frozen=True, kw_only=True, slots=True)
class Recalibration:
    """``refit`` is None where nothing could be fitted; ``why`` says the reason. ``worst``: disagreements of the half
    that is fitted on, ``notes``: what people wrote about them. ``rubric``: the candidate with examples; ``written``:
    the new configuration, with the rubric if there is one, else with what was fitted."""

    scorer: str
    axis: str
    fingerprint: str
    refit: Refit | None
    why: str
    worst: Sequence[Disagreement]
    notes: Sequence[Note] = ()
    rubric: CandidateRubric | None = None
    written: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What to write. ``rubric_out``: a rubric with at most ``examples`` worked examples; ``worst``: how many
    disagreements to list."""

    config: Path | None = None
    out: Path | None = None
    rubric_out: Path | None = None
    examples: int = 4
    worst: int = 10


def recalibrate(audit_uri: str, store: str, wanted: Wanted, chosen: Mapping[str, str | None]) -> Recalibration:
    """Fit on half of the audit, report on the other half; with ``config`` write a new rubric or configuration.

    Raises ConfigError: several judges and none chosen, or a configuration without the scorer.
    """
    if wanted.rubric_out and not wanted.config:
        raise ConfigError("a new rubric is made from the judge's own: name the configuration that it is in by --config")
    audit = Audit(audit_uri)
    info, items = audit.info, audit.items
    [run] = judges_of(store, info, items, chosen)
    auditor = Auditor(info, items, audit.labels)
    cut = info.cut if info.cut is not None else sum(info.scale) / 2 if info.scale else 0.5
    refit = (
        refit_pairs(items, auditor.people, run)
        if info.kind == PAIR
        else refit_map(items, auditor.people, run, run.prompt, cut)
    )
    found = training_disagreements(info, items, auditor.people, run)
    rubric = None
    if wanted.config and wanted.rubric_out:
        name = scorer_of(wanted.config, run.judge)[1].get("rubric")
        rubric = write_rubric(
            wanted.rubric_out, str(name), run, items, auditor.people, found, audit.labels, wanted.examples
        )
    options = {"rubric": rubric.path} if rubric else refit.options if refit else None
    return Recalibration(
        scorer=run.judge,
        axis=run.prompt,
        fingerprint=run.fingerprint,
        refit=refit,
        why="" if refit else "fewer than 20 items with numbers from both sides to fit on, or none to hold out",
        worst=found[: wanted.worst],
        notes=list(notes_of(found, audit.labels)),
        rubric=rubric,
        written=str(_write(wanted.config, wanted.out, run, options))
        if options and wanted.config and wanted.out
        else None,
    )


def scorer_of(config: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The configuration as it is written, and its scorer of that name. Raises ConfigError where it has none."""
    whole = yaml.safe_load(config.read_text(encoding="utf-8"))
    scorers = {s.get("name", s.get("use")): s for s in whole.get("scorers", [])}
    if name not in scorers:
        raise ConfigError(f"{config}: no scorer {name!r}; {did_you_mean(name, scorers)}")
    return whole, scorers[name]


def _write(config: Path, out: Path, run: JudgeRun, options: Mapping[str, Any]) -> Path:
    """The configuration with the scorer's new options: another fingerprint, so another judge to the gate."""
    whole, before = scorer_of(config, run.judge)
    if "rubric" in options:  # what was fitted to the judge of the old rubric says nothing about this one
        for name in ("value_map", "order_bias", "temperature", "tie_band"):
            before.pop(name, None)
    elif set(options) & set(before) - {"value_map", "tie_band"} or run.prompt in before.get("value_map", {}):
        raise ConfigError(f"{config}: {run.judge!r} was recalibrated before; start from the configuration without that")
    for name, value in options.items():
        before[name] = before.get(name, {}) | value if isinstance(value, dict) else value
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return out
