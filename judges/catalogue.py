"""Which scorers there are, by the name that a configuration uses; nothing is imported before it is asked for."""

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, cast

from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.scorer import Scorer
from judgefleet.validation import validate_mapping

ENTRY_POINT_GROUP = "judgefleet.scorers"

# A class named here has a pydantic model `Options` and takes `(name, options)`.
CATALOGUE = {
    "citations": "judges.checks.citations:Citations",
    "code_tests": "judges.checks.code_tests:CodeTests",
    "contains": "judges.checks.contains:Contains",
    "exact_match": "judges.checks.exact_match:ExactMatch",
    "json_schema": "judges.checks.json_schema_check:JsonSchema",
    "json_valid": "judges.checks.json_valid:JsonValid",
    "language": "judges.checks.language:Language",
    "length": "judges.checks.length:Length",
    "not_empty": "judges.checks.not_empty:NotEmpty",
    "numeric_answer": "judges.checks.numeric_answer:NumericAnswer",
    "pii": "judges.checks.pii:Pii",
    "policy_citation": "judges.checks.policy_citation:PolicyCitation",
    "refusal": "judges.checks.refusal:Refusal",
    "regex": "judges.checks.regex:Regex",
    "tool_call_arguments": "judges.checks.tool_call_arguments:ToolCallArguments",
    "cost": "judges.measures.cost:Cost",
    "error": "judges.measures.error:Error",
    "latency": "judges.measures.latency:Latency",
    "tokens": "judges.measures.tokens:Tokens",
    "user_feedback": "judges.measures.user_feedback:UserFeedback",
    "bertscore": "judges.similarity.bertscore:BertScore",
    "embedding_cosine": "judges.similarity.embedding_cosine:EmbeddingCosine",
    "judge_faithfulness": "judges.faithfulness:FaithfulnessJudge",
    "judge_pairwise": "judges.pairwise:PairwiseJudge",
    "judge_panel": "judges.panel:PanelJudge",
    "judge_pointwise": "judges.pointwise:PointwiseJudge",
}

# Names become folder names: no separators, nothing that starts with a dot, nothing a file system would cut.
_SLUG = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,99}")


def available() -> dict[str, str]:
    """Every scorer by name as ``module:Class``: ours and those of installed packages (group ``judgefleet.scorers``).

    Raises ConfigError when a package brings a name that is taken.
    """
    table = dict(CATALOGUE)
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda p: (p.name, p.value)):
        if table.setdefault(point.name, point.value) != point.value:
            raise ConfigError(
                f"two scorers are called {point.name!r}: {table[point.name]} and {point.value}; "
                "uninstall one of the packages, or have it rename its entry point"
            )
    return table


def create(use: str, name: str | None = None, options: Mapping[str, object] | None = None) -> Any:
    """The scorer or judge that ``use`` stands for, called ``name`` (default: ``use``), with validated ``options``.

    Raises ConfigError: an unknown ``use``, a name that cannot be a folder, an option that is unknown or wrong.

    >>> create("length", options={"max_words": 3}).info.name
    'length'
    >>> create("lenght", options={})
    Traceback (most recent call last):
    judgefleet.errors.ConfigError: no scorer 'lenght'; did you mean 'length'? allowed: ...
    """
    name = use if name is None else name
    kind = _load(use)
    if not isinstance(name, str) or not _SLUG.fullmatch(name):
        raise ConfigError(
            f"found the name {name!r}; allowed: 1 to 100 of a-z, 0-9, '_', '-' and '.', the first no '.' or '-'"
        )
    given = {} if options is None else options
    return kind(name, validate_mapping(given, kind.Options, f"scorer {name!r}", lambda _: None))


def create_scorer(use: str, name: str | None = None, options: Mapping[str, object] | None = None) -> Scorer:
    """As ``create``, for scorers that answer by themselves. Raises ConfigError for a judge, which needs an engine.

    >>> create_scorer("not_empty", "answered").info.axes
    ('not_empty',)
    """
    made = create(use, name, options)
    if not callable(getattr(made, "score", None)):
        raise ConfigError(f"found {use!r}, which needs an engine; a check or a similarity belongs here")
    return cast("Scorer", made)


def create_all(entries: Iterable[tuple[str, str | None, Mapping[str, object]]]) -> list[Any]:
    """One scorer or judge for each ``(use, name, options)``. Raises ConfigError when two have the same name.

    >>> create_all([("not_empty", None, {}), ("not_empty", None, {})])
    Traceback (most recent call last):
    judgefleet.errors.ConfigError: two scorers are called 'not_empty'; give one of them another name
    """
    made: dict[str, Any] = {}
    for use, name, options in entries:
        called = name or use
        if called in made:
            raise ConfigError(f"two scorers are called {called!r}; give one of them another name")
        made[called] = create(use, name, options)
    return list(made.values())


def _load(use: object) -> Any:
    table = available()
    if not isinstance(use, str) or use not in table:
        found = str(use)
        raise ConfigError(f"no scorer {use!r}; {did_you_mean(found, table)}")
    module, _, attribute = table[use].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"scorer {use!r} cannot be loaded from {table[use]!r} ({error}); install or repair its package"
        ) from error
