"""The command line. Results go to stdout, progress and errors to stderr; exit codes are part of the interface."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs.audit_commands import audit_app
from jobs.capacity_commands import plan
from jobs.command_options import Json, Store
from jobs.figure_commands import pass_at_k, sessions
from jobs.label_commands import label
from jobs.online_commands import online
from jobs.traces_commands import traces_app
from jobs.trend_commands import trends
from judgefleet.allocator import frugal
from judgefleet.errors import ConfigError, JudgefleetError

EXIT_CODES = """Exit codes: 0 done; 1 a negative verdict; 2 usage or configuration error; 3 not enough evidence;
4 finished, but more rows failed or were rejected than the configuration allows; 130 interrupted, state safe."""

app = typer.Typer(
    help="Score LLM traces with checks, similarity and an LLM judge that must earn trust.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
models = typer.Typer(help="The models that can judge and embed.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(models, name="models")
app.add_typer(audit_app, name="audit")
app.add_typer(traces_app, name="traces")
app.command()(trends)
app.command()(label)
app.command()(plan)
app.command()(online)
app.command()(sessions)
app.command("pass-at-k")(pass_at_k)

Fresh = Annotated[bool, typer.Option("--fresh", help="Score everything again instead of going on where a run stopped.")]


@app.command()
def batch(
    config: Annotated[Path, typer.Argument(help="The configuration (YAML); configs/ has examples.")],
    fresh: Fresh = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and what it costs.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try rows again whose engine failed.")] = False,
    as_json: Json = False,
) -> None:
    """Score a golden set or stored traces. Rows that the store has are not scored again: a run resumes by itself."""
    from jobs.commands import batch_command, dry_run_command
    from jobs.config import load_batch_config

    loaded = load_batch_config(config)
    if dry_run:
        dry_run_command(loaded, as_json=as_json)
        return
    raise typer.Exit(batch_command(loaded, fresh=fresh, as_json=as_json, retry=retry_failed))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the score store and the report go.")] = Path("out/demo"),
    fresh: Fresh = False,
    as_json: Json = False,
) -> None:
    """The bundled example, end to end, on the embedded judge: no GPU, no model hub."""
    from jobs.commands import batch_command
    from jobs.demo import demo_config

    raise typer.Exit(batch_command(demo_config(out), fresh=fresh, as_json=as_json))


@app.command()
def report(
    store: Store,
    out: Annotated[Path | None, typer.Option(help="The HTML file; default: STORE-report.html.")] = None,
) -> None:
    """Write one self-contained HTML page about a store: figures, plots, and the traces behind them."""
    from jobs.commands import report_command

    report_command(store, out)


@app.command()
def gate(store: Store, as_json: Json = False) -> None:
    """Print whether each judge in a store may be trusted, and why.

    Exit code 0 when all are OPEN, 1 when one is CLOSED, 3 when one lacks evidence or its evidence is stale.
    """
    from jobs.gate_commands import gate_command

    raise typer.Exit(gate_command(store, as_json=as_json))


@models.command("list")
def models_list(as_json: Json = False) -> None:
    """Models that are here, and those that only have to be unpacked."""
    from judges.models import list_models

    listings = list_models()
    if as_json:
        print_out(json.dumps([{"name": m.name, "kind": m.kind, "ready": m.ready, "bytes": m.size} for m in listings]))
        return
    table = Table("name", "kind", "size", "ready", "note", box=None)
    for m in listings:
        table.add_row(m.name, m.kind, f"{m.size / 1e6:,.0f} MB", "yes" if m.ready else "no", m.note)
    Console().print(table)


@models.command("pull")
def models_pull(
    name: Annotated[str, typer.Argument(help="An embedded name, a model folder, or a hub id such as org/name.")],
) -> None:
    """Unpack or download a model, and print where it is and the digest of its weights."""
    from judges.models import resolve_model

    folder = resolve_model(name)
    print_out(f"{folder.name}\npath: {folder.path}\nsha256: {folder.digest}")


def print_out(text: str) -> None:
    """A result line."""
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


@contextmanager
def explained() -> Iterator[None]:
    """A user's mistake or a failed run is one message and an exit code, never a stack trace."""
    try:
        yield
    except JudgefleetError as error:
        kind = "configuration" if isinstance(error, ConfigError) else "run"
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"{kind} error: {error}", markup=False)
        sys.exit(error.exit_code)


def main() -> None:
    """Entry point of the ``judgefleet`` command."""
    frugal()
    with explained():
        app()
