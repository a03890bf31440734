"""``judgefleet audit``: labels in, judges measured, the gate decided."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from jobs.command_options import Json

audit_app = typer.Typer(
    help="Measure a judge against people, and decide its gate.", no_args_is_help=True, rich_markup_mode=None
)
AuditDir = Annotated[str, typer.Argument(help="The audit's folder: audit.yaml, items.jsonl, labels/, verdicts/.")]


@audit_app.command("import")
def audit_import(
    audit: AuditDir,
    files: Annotated[
        list[str],
        typer.Argument(
            help="Files of labels or verdicts: JSON Lines, JSON, CSV or Parquet; or hub:NAME for a set of the Hugging "
            "Face hub: mt_bench, llmbar, halueval."
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Which labels of a tracing tool: the name they are kept under there.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read human labels and recorded verdicts into an audit, which is made where there is none.

    Told apart by their keys: labelled pairs (pair_id, response_a, response_b, human_label, human_votes), ratings
    (item_id, response, human_label or human_score), verdicts (pair_id, judge, prompt, verdict_ab, verdict_ba), Langfuse
    scores (source ANNOTATION), Phoenix annotations (annotator_kind HUMAN), MLflow assessments (source_type HUMAN). A
    spreadsheet has the same names as columns, with one row a label: item_id, rater, label. The same file again takes
    the place of what it gave before. Rows that cannot be used are listed; exit code 4 where there are any.
    """
    from calibration.audit_folder import Audit
    from calibration.hub_sets import PREFIX, files_of
    from calibration.importing import import_files
    from jobs.audit_text import print_import

    folder = Audit(audit)
    paths = [p for f in files for p in (files_of(f.removeprefix(PREFIX)) if f.startswith(PREFIX) else [f])]
    found = import_files(folder, paths, name)
    counts = {
        "audit": audit,
        "kind": folder.info.kind,
        "items": len(found.items),
        "labels": sum(map(len, found.labels.values())),
        "verdicts": sum(map(len, found.verdicts.values())),
        "not_human": found.not_human,
        "other_names": found.other_names,
        "rejects": found.rejects,
    }
    print(json.dumps(counts)) if as_json else print_import(counts)  # noqa: T201
    raise typer.Exit(4 if found.rejects else 0)


@audit_app.command("draw")
def audit_draw(
    store: Annotated[str, typer.Argument(help="The score store to draw from.")],
    audit: AuditDir,
    scorer: Annotated[str, typer.Option(help="The judge to be measured: the scorer's name.")],
    axis: Annotated[str, typer.Option(help="The axis that people will label.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many items.")] = 120,
    by: Annotated[str | None, typer.Option(help="Stratify by this, too: variant, service, or an attribute.")] = None,
    cut: Annotated[
        float | None, typer.Option(help="Scores from here on are a pass; agreement is on pass and fail.")
    ] = None,
    scale: Annotated[
        tuple[float, float] | None, typer.Option(help="People give a number on this scale, not pass or fail.")
    ] = None,
    anchors: Annotated[int, typer.Option(min=0, help="How many of the items are the frozen anchor set.")] = 0,
    salt: Annotated[str, typer.Option(help="Another word draws other items.")] = "audit",
    policy: Annotated[Path | None, typer.Option(help="Say how many labels this policy needs.")] = None,
    as_json: Json = False,
) -> None:
    """Draw scored traces to label: by verdict and segment, more where the judge is unsure, with known probabilities.

    A folder that exists grows by n items that it has not yet; that is how an audit rotates. Next: judgefleet label.
    """
    from calibration.audit_folder import Audit
    from calibration.policy import load_policy
    from jobs.audit_draw import Plan, draw_audit, labels_for
    from jobs.audit_text import print_drawn

    plan = Plan(scorer=scorer, axis=axis, n=n, salt=salt, by=by, anchors=anchors, cut=cut, scale=scale)
    drawn = draw_audit(store, Audit(audit), plan)
    strata = Counter(d.stratum for d in drawn)
    told = {"audit": audit, "drawn": len(drawn), "strata": strata, "needed": list(labels_for(load_policy(policy)))}
    print(json.dumps(told)) if as_json else print_drawn(told)  # noqa: T201


@audit_app.command("run")
def audit_run(
    audit: AuditDir,
    store: Annotated[
        str | None, typer.Option(help="A score store: measure its judges, and keep the gate's decision there.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Run this batch configuration first (it resumes), then measure its store.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="The policy (YAML). Default: policy.yaml of the audit, else agreement >= 0.80.")
    ] = None,
    scorer: Annotated[str | None, typer.Option(help="Of a store: the scorer, if not the one in audit.yaml.")] = None,
    axis: Annotated[str | None, typer.Option(help="Of a store: the axis, if not the one in audit.yaml.")] = None,
    judge: Annotated[str | None, typer.Option(help="Of recorded verdicts: only this judge.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Of recorded verdicts: only this prompt.")] = None,
    segment: Annotated[list[str] | None, typer.Option(help="Give figures by this segment, too; repeatable.")] = None,
    earlier: Annotated[
        bool,
        typer.Option("--earlier", help="Of a store: measure the judges that the newest one replaced, and compare."),
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write all figures and the reliability diagram to this file, one HTML page.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure judges against an audit's labels and decide the gate.

    Without --store, the judges are those whose verdicts were imported, and nothing is decided unless there is a policy.
    With a store or a policy the exit code is the gate's: 0 OPEN, 1 CLOSED, 3 INSUFFICIENT or STALE; with several judges
    the worst of them.
    """
    from jobs.audit_page import write_audit_page
    from jobs.audit_run import measure, own_policy
    from jobs.audit_text import print_report
    from jobs.json_text import json_text

    store = _judged(config) if config else store
    chosen = {"scorer": scorer, "axis": axis, "judge": judge, "prompt": prompt}
    report = measure(audit, store=store, policy_path=policy, chosen=chosen, segments=segment or [], earlier=earlier)
    if html:
        write_audit_page(report, html)
    if as_json:
        print(json_text(report))  # noqa: T201
    else:
        print_report(report)
    # The newest judge of a store comes last; the exit code is about it, not about those it replaced.
    codes = [j.gate.exit_code for j in (report.judges[-1:] if store else report.judges)]
    decided = store is not None or policy is not None or own_policy(audit) is not None
    raise typer.Exit((1 if 1 in codes else max(codes, default=3)) if decided else 0)


@audit_app.command("recalibrate")
def audit_recalibrate(
    audit: AuditDir,
    store: Annotated[str, typer.Option(help="The score store with the judge's rows.")],
    config: Annotated[
        Path | None, typer.Option(help="The configuration that made them; with --out, rewritten.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the recalibrated configuration goes.")] = None,
    scorer: Annotated[str | None, typer.Option(help="The judge, if not the one in audit.yaml.")] = None,
    axis: Annotated[str | None, typer.Option(help="The axis, if not the one in audit.yaml.")] = None,
    rubric_out: Annotated[
        Path | None,
        typer.Option(help="Write the judge's rubric, with worked examples from disagreements, to this file."),
    ] = None,
    examples: Annotated[int, typer.Option(min=1, max=20, help="At most so many worked examples in it.")] = 4,
    worst: Annotated[int, typer.Option(min=0, help="How many of the worst disagreements to list.")] = 10,
    as_json: Json = False,
) -> None:
    """What to do when the gate is closed: fit what can be fitted, and list where judge and people part.

    Fitted on half of the audit's clusters, reported on the other half: a map of grades that never falls, or for pairs
    the pull of the first slot, a temperature and a tie band. The new configuration is another judge: score with it
    and audit it again, on fresh labels where you can.

    --rubric-out makes a candidate of another kind: the worst disagreements of the half that is fitted on, each of
    people's answers in turn, become worked examples of the rubric. With --out the new configuration asks with it.
    Score with that, then 'judgefleet audit run AUDIT --store STORE --earlier' compares both on the other half. What
    raters wrote about disagreements is listed, for whoever words the rubric.

    Exit code 0 where a fit helps or a rubric was written, 1 where nothing helps: then the rubric or the model has to
    change, and the disagreements are where to look.
    """
    from jobs.audit_recalibrate import Wanted, recalibrate
    from jobs.audit_text import print_recalibration
    from jobs.json_text import json_text

    chosen = {"scorer": scorer, "axis": axis}
    wanted = Wanted(config=config, out=out, rubric_out=rubric_out, examples=examples, worst=worst)
    found = recalibrate(audit, store, wanted, chosen)
    print(json_text(found)) if as_json else print_recalibration(found)  # noqa: T201
    raise typer.Exit(0 if found.rubric or (found.refit and found.refit.helps) else 1)


def _judged(config: Path) -> str:
    """Run the configuration; returns its store."""
    from jobs.batch import run_batch
    from jobs.config import load_batch_config
    from jobs.console import ConsoleReporter

    loaded = load_batch_config(config)
    with ConsoleReporter() as reporter:
        run_batch(loaded, reporter, fresh=False)
    return loaded.store
