"""json_valid: the output is JSON, and follows a schema where one is given."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, JsonValue

from judgefleet.score import Outcome, Status, failure
from judges.checks.base import TextCheck, check_info, failed, passed
from judges.checks.json_schema import build_validator, first_error, read_schema
from judges.checks.json_text import kind_of, parse_answer


class JsonValid(TextCheck):
    """Passes when the whole output is one JSON document (RFC 8259) that follows ``schema``.

    With ``within_fence`` an output that is not JSON as a whole may hold it in a fenced block of Markdown (the first
    counts; one that is never closed ends with the text). ``schema`` is a JSON Schema or the path of a file with one,
    checked as ``json_schema`` says.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> trace = Trace(trace_id="t", output="{'a': 1}")
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> check = JsonValid("is_json", JsonValid.Options(within_fence=True))
    >>> check.score([sample])[0]["valid"].reason
    'not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'
    """

    USE = "json_valid"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``schema`` as a mapping or as the path of a JSON file."""

        within_fence: bool = False
        json_schema: dict[str, JsonValue] | Path | None = Field(default=None, alias="schema")

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._schema = read_schema(options.json_schema)
        self._validator = self._build()
        config: dict[str, Any] = {"within_fence": options.within_fence, "schema": self._schema}
        if self._schema is not None:
            config["jsonschema_version"] = version("jsonschema")
        self.info = check_info(name, use=self.USE, axis="valid", config=config)

    def _build(self) -> Any:
        return None if self._schema is None else build_validator(self._schema)

    def __getstate__(self) -> dict[str, Any]:
        # A validator cannot be pickled; it is built again from the schema.
        return self.__dict__ | {"_validator": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._validator = self._build()

    def check_text(self, output: str) -> Outcome:
        """Parse, then validate."""
        try:
            value, where = parse_answer(output, within_fence=self.options.within_fence)
        except ValueError as error:
            return failed(f"not JSON: {error}")
        found = f"found JSON {where}: {kind_of(value)}"
        if self._validator is None:
            return passed(found)
        try:
            broken = first_error(self._validator, value)
        except TimeoutError:
            return failure(Status.TIMEOUT, "the patterns of the schema took too long")
        except RecursionError:
            return failure(Status.ENGINE_ERROR, "the output goes too deep, or where a reference of the schema is lost")
        return passed(f"{found}, as the schema wants") if broken is None else failed(f"breaks the schema at {broken}")
