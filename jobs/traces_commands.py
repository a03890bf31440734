"""``judgefleet traces``: what is there, in one form, and what a plan would draw of it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from jobs.command_options import Json

traces_app = typer.Typer(
    help="Look at traces, bring them into one form, and see what a sampling plan would draw.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Uri = Annotated[str, typer.Argument(help="A file or folder of traces: a local path, file://, s3://, gs:// or az://.")]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", help="Read everything as this format; auto goes by each object's content. [default: auto]"
    ),
]
Config = Annotated[
    Path | None, typer.Option(help="Read as the input of this batch configuration says: format, columns, limits.")
]


@traces_app.command("inspect")
def inspect(
    uri: Uri,
    limit: Annotated[int, typer.Option(min=1, help="Objects that are read; of more, so many spread over all.")] = 100,
    rubric: Annotated[
        str, typer.Option(help="The rubric whose judge's view is shown: a name or a YAML file.")
    ] = "support_quality",
    format: Format = None,  # noqa: A002
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Say what is there: formats, traces, rejects and why, which fields are filled, when it began, who asked.

    Ends with the first trace as a judge would read it. No model is asked and nothing is written. Where there are more
    objects than --limit, some are read and the rest is only listed, which the output says; a trace with spans in one
    that is not read may then be a reject.
    """
    from jobs.console import ConsoleReporter
    from jobs.json_text import json_text
    from jobs.traces_input import input_of
    from jobs.traces_look import inspect as look
    from jobs.traces_text import inspected, judged, print_inspected
    from judgefleet.rubric import load_rubric
    from judges.judge import RUBRICS

    graded = load_rubric(rubric, RUBRICS)
    with ConsoleReporter(unit="objects") as reporter:
        found = look(input_of(uri, format, config), limit, reporter.progress)
    parts = judged(found.example, graded)
    if as_json:
        print(json_text(inspected(found, parts)))  # noqa: T201
    else:
        print_inspected(found, parts, graded.name, Console(highlight=False))


@traces_app.command("convert")
def convert(
    uri: Uri,
    out: Annotated[str, typer.Argument(help="A folder for the Parquet files; new, or of the same conversion.")],
    max_rejected: Annotated[
        float, typer.Option(min=0, max=1, help="Share of rejects that is allowed; above it the exit code is 4.")
    ] = 0.05,
    format: Format = None,  # noqa: A002
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Write traces of any known format as Parquet that 'judgefleet batch', pandas and DuckDB read.

    Part by part, with some traces in memory; stopped or killed, the same command goes on. What cannot be read is listed
    in OUT/_rejects, with its reason. A trace whose spans lie in several objects is put together, as 'judgefleet batch'
    does, for which OUT/_spans keeps the spans. Copies of what is whole stay.
    """
    from jobs.console import ConsoleReporter
    from jobs.json_text import json_text
    from jobs.traces_convert import convert as run
    from jobs.traces_input import input_of
    from jobs.traces_text import converted

    with ConsoleReporter(unit="parts") as reporter:
        done = run(input_of(uri, format, config), out, reporter.progress)
    result = converted(done, out)
    if as_json:
        print(json_text(result))  # noqa: T201
    else:
        console = Console(highlight=False)
        for name, value in result.items():
            console.print(f"{name.replace('_', ' '):<22}{value}", markup=False, soft_wrap=True)
    if done.rejected_share > max_rejected:
        said = f"too many rejects: {done.rejects:,} of {done.rejects + done.traces:,} (allowed: {max_rejected:.0%}, "
        Console(stderr=True, highlight=False).print(f"{said}--max-rejected)", markup=False, soft_wrap=True)
        raise typer.Exit(4)


@traces_app.command("label-import")
def label_import(
    uri: Annotated[
        str, typer.Argument(help="An export of a tracing tool: a file or folder, local, s3://, gs:// or az://.")
    ],
    audit: Annotated[str, typer.Argument(help="The audit's folder; made where there is none.")],
    name: Annotated[str | None, typer.Option(help="Which labels: the name they are kept under in the tool.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what is there, name by name.")] = False,
    as_json: Json = False,
) -> None:
    """Find what people said in an export of a tracing tool, and put it into an audit.

    Langfuse scores (source ANNOTATION), Phoenix annotations (annotator_kind HUMAN) and MLflow assessments (source_type
    HUMAN); gzip or not, JSON, JSON Lines, CSV or Parquet. A label that lies in several windows of an export counts
    once, in its newest version. Exit code 4 where rows could not be used; they are listed.
    """
    from jobs.console import ConsoleReporter
    from jobs.json_text import json_text
    from jobs.trace_labels import import_labels, told
    from jobs.traces_text import print_labels

    with ConsoleReporter(unit="objects") as reporter:
        done = import_labels(uri, audit, name, dry_run=dry_run, progress=reporter.progress)
    result = told(done)
    if as_json:
        print(json_text(result))  # noqa: T201
    else:
        print_labels(result, audit, Console(highlight=False))
    bad = result["unreadable"] or any(one["rejects"] for one in result["names"].values())
    raise typer.Exit(4 if bad else 0)


@traces_app.command("sample")
def sample(
    uri: Annotated[
        str | None, typer.Argument(help="Traces, as for inspect; with --config, by default those of its input.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(help="A sampling plan (YAML): what stands below 'sampling:'.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Instead: the configuration of a batch run; says also what its judges cost.")
    ] = None,
    format: Annotated[  # noqa: A002
        str | None, typer.Option("--format", help="Read everything as this format. [default: auto]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a sampling plan would draw, stratum by stratum, and score nothing.

    All objects are read, as floors and caps need. 'judgefleet batch' draws the same traces of the same input. Tokens
    are those of every first prompt about what is drawn, also where a store has its rows already.
    """
    from jobs.console import ConsoleReporter
    from jobs.json_text import json_text
    from jobs.traces_sample import read_config, read_plan
    from jobs.traces_sample import sample as draw
    from jobs.traces_sample_text import drawn_dict, print_drawn
    from judgefleet.errors import ConfigError

    if plan is not None and config is None and uri is not None:
        chosen = read_plan(plan, uri, format or "auto")
    elif config is not None and plan is None:
        chosen = read_config(config, uri, format)
    else:
        found = f"found URI {uri!r}, --plan {plan and str(plan)!r}, --config {config and str(config)!r}"
        raise ConfigError(f"{found}; give URI --plan FILE, or [URI] --config FILE")
    with ConsoleReporter(unit="objects") as reporter:
        drawn = draw(chosen, reporter)
    if as_json:
        print(json_text(drawn_dict(drawn)))  # noqa: T201
    else:
        print_drawn(drawn, Console(highlight=False))
