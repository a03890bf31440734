"""``judgefleet online``: follow a bucket, look how far that is, replay what was put aside."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from judgefleet.errors import ConfigError


def online(
    config: Annotated[Path, typer.Argument(help="The configuration (YAML); configs/online.yaml is an example.")],
    once: Annotated[bool, typer.Option("--once", help="Score what is there now, then end.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Print how far the stream is; starts nothing.")] = False,
    replay: Annotated[bool, typer.Option("--replay", help="Score the dead letters again, then end.")] = False,
    take_over: Annotated[
        bool,
        typer.Option("--take-over", help="Start beside the running loop, then ask it to hand over: a change of judge."),
    ] = False,
    json_log: Annotated[bool, typer.Option("--json-log", help="Log JSON lines to stderr.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")] = False,
    unsupervised: Annotated[
        bool, typer.Option("--unsupervised", help="End when something fails: where another supervisor starts it again.")
    ] = False,
) -> None:
    """Follow object storage, score a sample of the traces that land there, until stopped (Ctrl-C, SIGTERM).

    All progress is in the store: stop it, kill it, start it on another machine, and it goes on where it was. Two loops
    on one stream do no harm: the second stands by.
    """
    from jobs.online.config import load_online_config

    if sum((once, status, replay)) > 1 or (take_over and (once or status or replay)):
        raise ConfigError("--once, --status, --replay and --take-over exclude each other; give one of them")
    loaded = load_online_config(config)
    if status:
        _print_status(loaded, as_json=as_json)
        return
    if not (once or replay or unsupervised):
        raise typer.Exit(_supervised(config, take_over=take_over, json_log=json_log))
    raise typer.Exit(_one_life(loaded, once=once, replay=replay, take_over=take_over, logs=json_log, as_json=as_json))


def _supervised(config: Path, *, take_over: bool, json_log: bool) -> int:
    from jobs.online.journal import Journal
    from jobs.online.supervise import Supervisor, loop_command

    flags = ["--take-over"] * take_over + ["--json-log"] * json_log
    return Supervisor(loop_command([str(config), *flags]), Journal(as_json=json_log).say).run()


def _one_life(config: Any, *, once: bool, replay: bool, take_over: bool, logs: bool, as_json: bool) -> int:
    from jobs.online.journal import Journal
    from jobs.online.process import Life

    life = Life(config, Journal(as_json=logs))
    if replay:
        letters, dead = life.replay()
        result: dict[str, Any] = {"replayed": letters, "dead_again": dead, "store": config.store}
    else:
        rows = life.follow(once=once, take_over=take_over)
        result, dead = {"rows_committed": rows, "store": config.store}, 0
    if as_json:
        print(json.dumps(result))  # noqa: T201
    else:
        Console(highlight=False).print("\n".join(f"{k}: {v}" for k, v in result.items()), markup=False, soft_wrap=True)
    return 130 if life.stopped else 4 if dead else 0


def _print_status(config: Any, *, as_json: bool) -> None:
    from jobs.online.status import status as look

    found = look(config)
    if as_json:
        print(json.dumps(found))  # noqa: T201
        return
    console = Console(highlight=False)
    for name, value in found.items():
        console.print(f"{name.replace('_', ' '):<18}{_shown(value)}", markup=False, soft_wrap=True)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(_shown(inner) for inner in value) or "none"
    return f"{value:,}" if isinstance(value, int) else "none" if value is None else str(value)
