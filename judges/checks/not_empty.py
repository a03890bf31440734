"""not_empty: there is an output, and something in it can be seen."""

from pydantic import BaseModel

from judgefleet.score import Outcome
from judges.checks.base import TextCheck, check_info, failed, passed
from judges.checks.unicode_text import can_be_seen


class NotEmpty(TextCheck):
    """Fails when the output is missing, blank, or made of characters that nobody can see. Never not applicable.

    Those are white space, controls, format characters, what Unicode says to draw nothing for (fillers, variation
    selectors), lone surrogates and blank Braille; a character that a font lacks counts as seen.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> sample = Sample(trace=Trace(trace_id="t"), stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> NotEmpty("not_empty", NotEmpty.Options()).score([sample])[0]["not_empty"].value
    0.0
    """

    class Options(BaseModel, extra="forbid", frozen=True):
        """None."""

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self.info = check_info(name, use="not_empty", axis="not_empty", config={}, needs=frozenset())

    def check_text(self, output: str) -> Outcome:
        """Look for the first character that can be seen."""
        if can_be_seen(output):
            return passed(f"the output has {len(output)} characters")
        return failed(f"the output is {len(output)} invisible characters" if output else "the output is empty")
