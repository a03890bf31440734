"""regex: the output contains (or does not contain) what a regular expression describes."""

from pydantic import BaseModel, Field

from judgefleet.score import Outcome, Status, failure
from judges.checks.base import TextCheck, check_info, failed, passed, quoted, readable
from judges.checks.patterns import FlagName, compile_python


class Regex(TextCheck):
    """Passes when the pattern is found anywhere in the output; with ``must_match: false`` when it is found nowhere.

    A search that takes longer than ``timeout_s`` seconds ends with the status ``timeout``, whatever the pattern: no
    output can hold up a run. The limit is looked at from time to time, so a search can take about twice as long.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> trace = Trace(trace_id="t", output="Please see RET-1.")
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> check = Regex("cites", Regex.Options(pattern=r"[A-Z]+-\\d+"))
    >>> check.score([sample])[0]["match"].reason
    "found 'RET-1' at character 11"
    """

    EXAMPLE = "pattern: '[A-Z]+-[0-9]+'"

    class Options(BaseModel, extra="forbid", frozen=True):
        r"""``pattern`` is in the syntax of Python's ``re``, and ``flags`` are named as there.

        Besides, ``\p{Hebrew}`` is any character with that property of Unicode. Combining marks are part of words, so
        that ``\w`` finds them, which it does not in ``re``.
        """

        pattern: str = Field(min_length=1)
        flags: tuple[FlagName, ...] = ()
        must_match: bool = True
        timeout_s: float = Field(default=1.0, gt=0, le=60)

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self.info = check_info(name, use="regex", axis="match", config=options.model_dump(mode="json"))
        self._pattern = compile_python(options.pattern, options.flags)

    def check_text(self, output: str) -> Outcome:
        """Search the output once, for at most ``timeout_s``."""
        try:
            found = self._pattern.search(output, timeout=self.options.timeout_s)
        except TimeoutError:
            limit = f"the search was ended after {self.options.timeout_s:g} s: "
            return failure(Status.TIMEOUT, readable(limit + quoted(self.options.pattern)))
        if found is None:
            reason = f"found nothing like {quoted(self.options.pattern)} in {len(output)} characters"
        else:
            reason = f"found {quoted(found.group())} at character {found.start()}"
        return passed(reason) if (found is not None) == self.options.must_match else failed(reason)
