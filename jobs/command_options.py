"""Arguments and options that several commands have."""

from typing import Annotated

import typer

Store = Annotated[str, typer.Argument(help="A score store: a local path, file://, s3://, gs:// or az://.")]
By = Annotated[str | None, typer.Option(help="Segments: variant, service, ..., or the name of an attribute.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")]
