"""``judgefleet sessions`` and ``judgefleet pass-at-k``: figures about more than one answer."""

from typing import Annotated, Any

import typer

from jobs.command_options import By, Json, Store

Untrusted = Annotated[bool, typer.Option("--untrusted", help="Show figures of a judge whose gate is not open.")]


def sessions(
    store: Store,
    success: Annotated[str, typer.Option(help="What says whether a trace went well: SCORER or SCORER:AXIS.")],
    threshold: Annotated[float, typer.Option(help="A success has this or more; or less, where that is better.")] = 1.0,
    rule: Annotated[str, typer.Option(help="last: the last trace of a session decides; every: all must do.")] = "last",
    cost: Annotated[str, typer.Option(help="What says what a trace cost: SCORER or SCORER:AXIS.")] = "cost",
    by: By = None,
    untrusted: Untrusted = False,
    as_json: Json = False,
) -> None:
    """What a successful session costs: the cost of all sessions over the number of those that succeeded.

    A session is a conversation, or a trace without one. Sessions with a trace that has no cost, or without a verdict,
    are left out and counted. Of several versions of a scorer the one that scored last is taken.

    Nothing is shown by a judge whose gate is not OPEN: exit code 1 where it is CLOSED, 3 where evidence is lacking or
    stale.
    """
    from jobs.figure_text import show_sessions

    asked: dict[str, Any] = {"success": success, "threshold": threshold, "rule": rule, "cost": cost, "by": by}
    raise typer.Exit(show_sessions(store, **asked, untrusted=untrusted, as_json=as_json))


def pass_at_k(
    store: Store,
    k: Annotated[list[int], typer.Option("--k", min=1, help="May be given several times.")] = [1],  # noqa: B006 - Typer's
    scorer: Annotated[str, typer.Option(help="Whose passes and fails: SCORER or SCORER:AXIS.")] = "code_tests",
    task: Annotated[str, typer.Option(help="The attribute that names the task.")] = "judgefleet.item_id",
    by: By = None,
    untrusted: Untrusted = False,
    as_json: Json = False,
) -> None:
    """How often one of k answers to a task passes, from several answers to each: unbiased pass@k.

    Tasks with fewer than k answers that carry a value, and rows that name no task, are left out and counted. Of several
    versions of a scorer the one that scored last is taken.
    """
    from jobs.figure_text import show_pass_at_k

    raise typer.Exit(show_pass_at_k(store, k=k, scorer=scorer, task=task, by=by, untrusted=untrusted, as_json=as_json))
