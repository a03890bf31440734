"""An audit measured: recorded verdicts, or the judges of a score store."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from calibration.audit import AuditInfo, AuditItem
from calibration.audit_folder import Audit
from calibration.audit_report import Auditor, AuditReport
from calibration.decisions import read_decisions, write_decision
from calibration.judgements import JudgeRun, recorded_runs
from calibration.policy import Policy, load_policy
from calibration.store_runs import COLUMNS, store_runs
from jobs.gates import JUDGED, last_scored
from judgefleet.errors import ConfigError
from judgefleet.pieces import is_one_of, one_table
from judgefleet.score import SCORE_SCHEMA
from judgefleet.store import score_batches, while_files_merge


def measure(
    audit_uri: str,
    *,
    store: str | None,
    policy_path: Path | None,
    chosen: Mapping[str, str | None],
    segments: Sequence[str] = (),
    earlier: bool = False,
) -> AuditReport:
    """Measure and decide; with a ``store`` the newest judge's decision is kept there.

    ``chosen``: ``scorer`` and ``axis`` of a store, ``judge`` and ``prompt`` of recorded verdicts; None takes all.
    ``earlier``: measure the judges that the newest one replaced, too, and compare. Raises ConfigError where there is
    nothing to measure.
    """
    audit = Audit(audit_uri)
    info, items = audit.info, audit.items
    runs = _recorded(audit, chosen) if store is None else judges_of(store, info, items, chosen, earlier)
    auditor = Auditor(info, items, audit.labels)
    report = auditor.report(
        runs,
        _policy(audit, policy_path),
        now=datetime.now(UTC),
        segments=segments,
        history=[] if store is None else read_decisions(store),
        uri=str(Path(audit_uri).resolve()) if audit.location.is_local and "://" not in audit_uri else audit_uri,
    )
    if store is not None:
        for judged in report.judges[-1:]:
            write_decision(store, judged.gate)
    return report


def judges_of(
    store: str,
    info: AuditInfo,
    items: Mapping[str, AuditItem],
    chosen: Mapping[str, str | None],
    earlier: bool = False,
) -> list[JudgeRun]:
    """The newest judge of the scorer and axis in a store that the audit is about, after those it replaced where
    ``earlier`` ones are wanted. Where the audit names none: the one with rows about its items.

    Raises ConfigError for none, or several.
    """
    scorer, axis = chosen["scorer"] or info.scorer, chosen["axis"] or info.axis
    mine = is_one_of("trace_id", sorted({trace for item in items.values() for trace in item.trace_ids}))
    mine &= JUDGED if scorer is None else is_one_of("scorer", [scorer])
    mine &= ds.scalar(True) if axis is None else is_one_of("axis", [axis])
    columns = [*COLUMNS, "config"]
    rows = while_files_merge(lambda: one_table(score_batches(store, columns, mine, scorer), SCORE_SCHEMA, columns))
    if not len(rows):
        _check_names(store, scorer, axis)
    keys = sorted({f"{r['scorer']}/{r['axis']}" for r in rows.select(["scorer", "axis"]).to_pylist()})
    if len(keys) > 1:
        raise ConfigError(f"the audit is about one of {', '.join(keys)}: say which, by --scorer and --axis")
    found = store_runs(items.values(), rows.select(list(COLUMNS)).to_pylist(), info.kind)
    if not found:
        raise ConfigError(
            f"no score in {store!r} is about an item of the audit; the items' trace_ids must be those of scored traces"
        )
    return [replace(run, examples=_examples(rows, run.fingerprint)) for run in (found if earlier else found[-1:])]


def _check_names(store: str, scorer: str | None, axis: str | None) -> None:
    """Raises ConfigError where the store has no such scorer, or that scorer no such axis."""
    known = list(last_scored(store, ds.scalar(True)))
    for column, wanted in (("scorer", scorer), ("axis", axis)):
        names = sorted({getattr(judge, column) for judge in known})
        if wanted is not None and wanted not in names:
            raise ConfigError(f"found no {column} {wanted!r} in {store!r}; it has: {', '.join(names) or 'none'}")
        known = [judge for judge in known if wanted in (None, getattr(judge, column))]


def _examples(rows: pa.Table, fingerprint: str) -> frozenset[str]:
    """The items of audits that the rubric of this judge shows, by its configuration."""
    place = pc.index(rows["fingerprint"], fingerprint).as_py()
    config = json.loads(rows["config"][place].as_py() or "{}")
    return frozenset(shown["item"] for shown in config.get("examples", ()) if shown.get("item"))


def _recorded(audit: Audit, chosen: Mapping[str, str | None]) -> list[JudgeRun]:
    runs = recorded_runs(audit.verdicts)
    if not runs:
        raise ConfigError(f"no recorded verdicts in {audit.uri!r}; import some, or measure a store with --store")
    found = [run for run in runs if chosen["judge"] in (None, run.judge) and chosen["prompt"] in (None, run.prompt)]
    if not found:
        known = sorted({run.name for run in runs})
        raise ConfigError(
            f"found no verdicts of {chosen['judge']!r} with {chosen['prompt']!r}; there are: {'; '.join(known)}"
        )
    return found


def _policy(audit: Audit, path: Path | None) -> Policy:
    """The policy asked for, else the audit's own, else the default."""
    return load_policy(path or own_policy(audit.uri))


def own_policy(audit_uri: str) -> Path | None:
    """``policy.yaml`` in the audit's folder, where there is one."""
    location = Audit(audit_uri).location
    own = Path(location.path) / "policy.yaml"
    return own if location.is_local and own.is_file() else None
