"""policy_citation: the output cites a policy, and every policy it cites exists."""

import hashlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from judgefleet.errors import ConfigError
from judgefleet.score import Outcome
from judgefleet.yaml_model import load_yaml_model
from judges.checks.base import TextCheck, check_info, quoted
from judges.checks.cited import TIMEOUT_S, citation_outcome, find_ids, search_ended
from judges.checks.patterns import compile_python
from judges.checks.unicode_text import plain_hyphens


class Section(BaseModel, extra="forbid", frozen=True):
    """One section of a policy; ``id`` is what an answer cites."""

    id: str = Field(min_length=1)
    title: str
    text: str


class Policy(BaseModel, extra="forbid", frozen=True):
    """A policy file: its sections."""

    sections: tuple[Section, ...] = Field(min_length=1)


class PolicyCitation(TextCheck):
    r"""Passes when at least one policy id is cited and every cited id is a section of the policy file.

    What looks like an id is said by ``pattern`` (default: two to eight capitals, a hyphen, one to three digits, beside
    them no letter of English and no digit). Hyphens of any kind count as ``-``. With the default pattern ``UTF-8`` and
    ``COVID-19`` look like ids, and an answer that has one fails as it does with an unknown id; a pattern that names the
    capitals (``\b(RET|SHIP)-\d+\b``) does not find them. Raises ConfigError when the policy file is missing, is not a
    policy, has an id twice or one that ``pattern`` does not find.

    >>> import tempfile
    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> trace = Trace(trace_id="t", output="You have 30 days (RET-1, RET-9).")
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "policy.yaml"
    ...     _ = path.write_text("sections: [{id: RET-1, title: Returns, text: Within 30 days.}]")
    ...     check = PolicyCitation("cites", PolicyCitation.Options(policy=path))
    >>> check.score([sample])[0]["cited"].reason
    'unknown: RET-9'
    """

    EXAMPLE = "policy: datasets/support/policy.yaml"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``policy`` is the path of a YAML file with ``sections``, each with ``id``, ``title`` and ``text``.

        ``pattern`` is what an id looks like, in the syntax of Python's ``re``.
        """

        policy: Path
        pattern: str = Field(default=r"(?<![A-Za-z0-9])[A-Z]{2,8}-\d{1,3}(?![A-Za-z0-9])", min_length=1)

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._pattern = compile_python(options.pattern)
        self._known = _section_ids(options.policy, self._pattern)
        digest = hashlib.sha256(options.policy.read_bytes()).hexdigest()
        config = {"pattern": options.pattern, "policy_sha256": digest}
        self.info = check_info(name, use="policy_citation", axis="cited", config=config)

    def check_text(self, output: str) -> Outcome:
        """Look up every id in the output."""
        try:
            return citation_outcome(find_ids(self._pattern, plain_hyphens(output)), self._known)
        except TimeoutError:
            return search_ended()


def _section_ids(path: Path, pattern: Any) -> frozenset[str]:
    ids = [plain_hyphens(section.id) for section in load_yaml_model(path, Policy).sections]
    for found in ids:
        if ids.count(found) > 1:
            raise ConfigError(f"{path}: the section id {found!r} stands twice; give each section an id of its own")
        if not pattern.fullmatch(found, timeout=TIMEOUT_S):
            raise ConfigError(
                f"{path}: the section id {found!r} does not match the pattern {quoted(pattern.pattern)}, so that no "
                "citation of it would be found; change the option pattern or the id"
            )
    return frozenset(ids)
