"""The command ``judgefleet label``."""

from typing import Annotated

import typer


def label(
    audit: Annotated[str, typer.Argument(help="The folder of an audit: audit.yaml, items.jsonl, labels/.")],
    host: Annotated[
        str, typer.Option(help="Where to listen. Any address that other machines reach needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8484,
    token: Annotated[
        str | None,
        typer.Option(help="What the address must carry; default: a new one where --host is not this machine."),
    ] = None,
    adjudicate: Annotated[
        bool, typer.Option("--adjudicate", help="Only items that raters disagree about, for somebody to decide.")
    ] = False,
    export: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Write the labels of all raters as CSV and stop; - is stdout.")
    ] = None,
) -> None:
    """Label an audit on a local web page: blind, by keyboard, several people at once.

    Nobody sees which variant wrote an answer, what a judge said, or what others labelled. Each rater gets the items,
    and the two answers of a pair, in an order of their own. Labels are appended to AUDIT/labels; stop and start as
    you like. In the CSV a text that begins like a spreadsheet formula gets an apostrophe before it.
    """
    from calibration.audit_folder import Audit

    opened = Audit(audit)
    if export is not None:
        from jobs.labelling.export import export_labels

        count = export_labels(opened, export)
        typer.echo(f"{count:,} labels of {audit} written to {'stdout' if export == '-' else export}", err=True)
        return
    from jobs.labelling.serve import serve

    serve(opened, host=host, port=port, token=token, adjudicate=adjudicate)
