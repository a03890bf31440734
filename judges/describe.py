"""docs/scorers.md, written from the catalogue: ``python -m judges.describe > docs/scorers.md``, or ``make docs``."""

import inspect
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from judgefleet.errors import ConfigError
from judgefleet.rubric import Rubric
from judgefleet.scorer import Direction, ScorerInfo
from judges.catalogue import CATALOGUE, create
from judges.describe_text import cell, explanation, markdown, paragraphs, type_name

_GROUPS = {
    "checks": "Checks: pass or fail",
    "measures": "Measures: a number that the trace carries",
    "similarity": "Similarity to the reference",
    "": "Judges: a model is asked",
}
_HEAD = """# Scorers

What can be measured about an answer. An entry of `scorers` in a configuration names one (`use`) and gives its options.
Written by `make docs` from the catalogue and the docstrings; changes belong there. What could not be scored is a row
with a status and a reason, never a number.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One key of the options; ``default`` is None where the option must be given."""

    name: str
    type: str
    default: str | None
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """What a user reads about one entry of the catalogue; ``axes`` and ``prose`` are Markdown or nearly so."""

    use: str
    group: str
    kind: str
    prose: tuple[str, ...]
    axes: str
    needs: tuple[str, ...]
    direction: str
    value: str
    example: str
    options: tuple[Option, ...]
    problem: str


def describe(use: str) -> Description:
    """The entry called ``use``, built with the options in the ``EXAMPLE`` of its class: YAML as in a configuration.

    Without ``EXAMPLE`` it is built with its defaults; where that cannot be, ``problem`` says why. A judge has no
    ``info`` before it knows its model, and says its axes in ``AXES``. What values mean is said in ``VALUE``.
    Raises KeyError for a name that is not in the catalogue.

    >>> found = describe("tokens")
    >>> found.kind, found.axes, found.direction, found.options
    ('CODE', '`input_tokens`, `output_tokens`, `total_tokens`', 'none', ())
    """
    module, _, attribute = CATALOGUE[use].partition(":")
    kind = getattr(import_module(module), attribute)
    example = getattr(kind, "EXAMPLE", "")
    made, problem = _built(use, attribute, example)
    info: ScorerInfo | None = getattr(made, "info", None)
    rubric: Rubric | None = getattr(made, "rubric", None)
    asked = info or rubric
    return Description(
        use=use,
        group=next((part for part in module.split(".")[1:-1] if part in _GROUPS), ""),
        kind=info.kind.value if info else "LLM" if rubric else "unknown",
        prose=paragraphs(inspect.getdoc(kind)),
        axes=", ".join(f"`{axis}`" for axis in info.axes) if info else getattr(kind, "AXES", "set by the options"),
        needs=tuple(sorted(need.value for need in asked.needs)) if asked else (),
        direction=_directions(info, rubric),
        value=getattr(kind, "VALUE", ""),
        example=example,
        options=tuple(_option(name, field, kind) for name, field in kind.Options.model_fields.items()),
        problem=problem,
    )


def _built(use: str, attribute: str, example: str) -> tuple[Any, str]:
    """The scorer, or why there is none."""
    try:
        return create(use, None, yaml.safe_load(f"{{{example}}}")), ""
    except (ConfigError, yaml.YAMLError) as error:
        hint = f"give the class {attribute} an EXAMPLE: the options, as in a configuration, that it can be built with"
        return None, f"{use!r} with the example {example!r} cannot be built ({error}); {hint}"


def _directions(info: ScorerInfo | None, rubric: Rubric | None) -> str:
    if info is None and rubric and rubric.axes:
        return "as the rubric says"
    return (info.direction if info else Direction.HIGHER).replace("_", " ")


def _option(name: str, field: FieldInfo, kind: Any) -> Option:
    shown = field.alias or name
    owners = [base for base in kind.Options.__mro__ if issubclass(base, BaseModel) and base is not BaseModel]
    texts = [inspect.cleandoc(owner.__doc__) for owner in owners if owner.__doc__] + [inspect.getdoc(kind) or ""]
    return Option(
        name=shown,
        type=type_name(field.annotation, field.metadata),
        default=_default(field),
        text=field.description or next(filter(None, (explanation(shown, text) for text in texts)), ""),
    )


def _default(field: FieldInfo) -> str | None:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return None
    plain = to_jsonable_python(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def document(descriptions: Sequence[Description]) -> str:
    """All of docs/scorers.md: a table of everything, then a section for each entry."""
    rows = [
        f"| [{d.use}](#{d.use}) | {d.kind} | {d.axes} | {cell(d.prose[0] if d.prose else '')} |" for d in descriptions
    ]
    overview = "\n".join(["| name | kind | axes | what it says |", "|---|---|---|---|", *rows])
    sections = [
        "\n".join([f"## {title}\n", *(section(d) for d in descriptions if d.group == group)])
        for group, title in _GROUPS.items()
    ]
    return "\n".join([_HEAD, overview, "", *sections]).rstrip() + "\n"


def section(found: Description) -> str:
    """One entry in full."""
    of = " (by the rubric of the example)" if found.kind == "LLM" else ""
    facts = [
        f"- kind {found.kind}; axes: {found.axes}",
        f"- needs: {', '.join(need.replace('_', ' ') for need in found.needs) or 'nothing but the trace'}{of}",
        f"- direction: {found.direction}" + (f"; value: {found.value}" if found.value else ""),
    ]
    parts = [f"### {found.use}", *map(markdown, found.prose), "\n".join(facts), _example(found), _options(found)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _example(found: Description) -> str:
    return f"```yaml\n- {{{', '.join(filter(None, [f'use: {found.use}', found.example]))}}}\n```"


def _shown(default: str | None) -> str:
    return "required" if default is None else cell(f"`{default}`") if default else "empty"


def _options(found: Description) -> str:
    if not found.options:
        return "No options."
    rows = [f"| `{o.name}` | {cell(o.type)} | {_shown(o.default)} | {cell(o.text)} |" for o in found.options]
    return "\n".join(["| option | type | default | what it does |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    sys.stdout.write(document([describe(use) for use in CATALOGUE]))
