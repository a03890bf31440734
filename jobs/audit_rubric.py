"""A candidate rubric: the present one, with the worst disagreements that may be looked at as worked examples."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from calibration.audit import AuditItem, Label
from calibration.consensus import Consensus
from calibration.disagreement import Disagreement, Note, balanced, notes_of
from calibration.judgements import JudgeRun
from jobs.wording import one_line
from judgefleet.errors import ConfigError
from judgefleet.rubric import Rubric, load_rubric
from judgefleet.rubric_example import PREFERENCE, Example
from judges.judge import RUBRICS
from judges.recalibration import nearest_label

# Longer ones would take the room that the material needs.
MOST_CHARACTERS = 2400
_MOST_NOTES = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class CandidateRubric:
    """``path``: the file. ``examples``: items shown, by the classes of people's answers. ``passed_over``: disagreements
    without texts, too long, or with a label that is not on the scale."""

    path: str
    version: str
    examples: Sequence[str]
    classes: Mapping[str, int]
    passed_over: int


def write_rubric(
    out: Path,
    name: str,
    run: JudgeRun,
    items: Mapping[str, AuditItem],
    people: Mapping[str, Consensus],
    found: Sequence[Disagreement],
    labels: Iterable[Label],
    most: int,
) -> CandidateRubric:
    """Write the rubric called ``name`` with at most ``most`` examples of ``found`` to ``out``, as another version.

    What people wrote about disagreements stands above it as comments: material for its author, not for the judge.
    Raises ConfigError where no disagreement can be shown.
    """
    rubric = load_rubric(name, RUBRICS)
    made = {d.item_id: e for d in found if (e := _example(rubric, run.prompt, items[d.item_id], people[d.item_id]))}
    shown = balanced([d for d in found if d.item_id in made], most)
    if not shown:
        raise ConfigError(
            f"none of {len(found):,} disagreements in the half that is fitted on can be an example: their items have "
            f"no texts, more than {MOST_CHARACTERS:,} characters, or labels that are not on the scale of {run.prompt!r}"
        )
    examples = tuple(made[d.item_id] for d in shown)
    candidate = rubric.model_copy(
        update={"version": f"{rubric.version}+{len(examples)}-examples", "examples": examples}
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_text(candidate, run, list(notes_of(found, labels))), encoding="utf-8")
    classes = [d.said for d in shown]
    return CandidateRubric(
        path=str(out),
        version=candidate.version,
        examples=[d.item_id for d in shown],
        classes={said: classes.count(said) for said in dict.fromkeys(classes)},
        passed_over=len(found) - len(made),
    )


def _example(rubric: Rubric, axis: str, item: AuditItem, said: Consensus) -> Example | None:
    """The item as an example; None where it cannot be one."""
    texts = [text for text in item.responses if text]
    long = sum(map(len, (*texts, item.question or "", item.context or "")))
    grade = _grade(rubric, axis, said)
    if grade is None or len(texts) != (1 if rubric.axes else 2) or long > MOST_CHARACTERS:
        return None
    return Example(
        item=item.item_id,
        context=item.context,
        question=item.question,
        answers=tuple(texts),
        grades={axis if rubric.axes else PREFERENCE: grade},
    )


def _grade(rubric: Rubric, axis: str, said: Consensus) -> str | None:
    scale = next((a.scale.values for a in rubric.axes if a.name == axis), None)
    if scale is None:
        return None if rubric.axes else said.label
    if said.label in scale:
        return said.label
    return None if said.score is None else nearest_label(said.score, scale)


def _text(rubric: Rubric, run: JudgeRun, notes: Sequence[Note]) -> str:
    body = rubric.model_dump(mode="json", exclude_defaults=True)
    if "needs" in body:
        body["needs"] = sorted(body["needs"])
    return "\n".join([*_comments(run, notes), yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=118)])


def _comments(run: JudgeRun, notes: Sequence[Note]) -> Iterator[str]:
    yield f"# Candidate after an audit of {one_line(run.name, 80)} ({run.fingerprint}). The examples are items of that"
    yield "# audit on which the judge was furthest from people; it is measured on the half that they are not from."
    if notes:
        yield "# What people wrote where they disagreed with the judge, for whoever writes this rubric:"
    for note in notes[:_MOST_NOTES]:
        yield f"#   people {one_line(note.human, 20)}, judge {one_line(note.judge, 20)}: {one_line(note.note, 300)}"
