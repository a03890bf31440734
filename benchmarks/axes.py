"""Three axes as three cached prompts with one guided token each, against one guided JSON answer with all three.

    python -m benchmarks.axes [--items 8] [--rounds 3]

The rubric is support_quality, the material the shipped example; both layouts have the same tokens up to the question
that ends the prompt. The engine is one vllm.LLM; the layouts take turns on it, each with an emptied prefix cache. A
response is one answer with a grade on every axis.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.demo import demo_config
from jobs.engines.vllm import engine_env, engine_kwargs, sampling_params
from jobs.intake import SAMPLED, Intake
from jobs.prepare import Prepared, prepare
from judgefleet.rubric import Rubric, load_rubric
from judgefleet.sample import Sample, sample_from_row
from judges.judge import RUBRICS
from judges.judge_model import JudgeModel
from judges.material import answer_part, shared_parts
from judges.prompt import Prompt
from judges.token_writer import TokenWriter

_RUBRIC = "support_quality"
# More than a JSON answer needs, so that none is cut.
_JSON_TOKENS = 96


def answers(prepared: Prepared, count: int) -> list[Sample]:
    """The first ``count`` answers of the example."""
    intake = Intake(config=prepared.config, group_by=prepared.group_by)
    rows = (row for n, info in enumerate(prepared.objects) for row in intake.rows(info.uri, f"{n:09d}", {}))
    return [sample_from_row(row) for row in rows if row["decision"] == SAMPLED][:count]


def json_prompts(samples: Sequence[Sample], rubric: Rubric, model: JudgeModel) -> list[Prompt]:
    """The judge's own body, and one question for all axes at its end."""
    writes, question = TokenWriter(model), json_question(rubric)
    room = writes.room(question) + _JSON_TOKENS
    prompts = []
    for sample in samples:
        parts = [*shared_parts(sample, rubric), answer_part(sample, rubric.titles.answer)]
        script = writes.body(rubric.text, parts, room).script
        assert script is not None
        prompts.append(Prompt(token_ids=writes.ask(script, question).token_ids))
    return prompts


def json_question(rubric: Rubric) -> str:
    """What the judge asks about each axis, and that the answer is one JSON object."""
    asked = " ".join(f"Grade the answer on {axis.name}: {axis.question} {axis.scale.sentence}" for axis in rubric.axes)
    return f"{asked} Reply with a JSON object with the keys {', '.join(axis.name for axis in rubric.axes)}."


def json_schema(rubric: Rubric) -> dict[str, Any]:
    """One whole number an axis, within its scale."""
    grades = {
        axis.name: {"type": "integer", "enum": [int(value) for value in axis.scale.values.values()]}
        for axis in rubric.axes
    }
    return {"type": "object", "properties": grades, "required": list(grades), "additionalProperties": False}


class Engine:
    """One vLLM that both layouts ask."""

    def __init__(self, prepared: Prepared, model: Path) -> None:
        from vllm import LLM

        # Without it a small model may fill its answer with white space, which JSON allows.
        compact = {"structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True}}
        self._llm = LLM(model=str(model), **engine_kwargs(prepared.config.engine), **compact)

    def ask(self, prompts: Sequence[Prompt], params: Sequence[dict[str, Any]]) -> tuple[float, list[Any]]:
        """Seconds from an empty cache, and vLLM's outputs."""
        from vllm import SamplingParams

        asked: Any = [{"prompt_token_ids": list(prompt.token_ids)} for prompt in prompts]
        made = [SamplingParams(**given) for given in params]
        self._llm.reset_prefix_cache()
        started = time.perf_counter()
        outputs = self._llm.generate(asked, made, use_tqdm=False)
        return time.perf_counter() - started, outputs

    def close(self) -> None:
        """End the engine's processes."""
        self._llm.llm_engine.engine_core.shutdown()

    def suffixes(self, prompts: Sequence[Prompt]) -> tuple[float, int, int]:
        """Seconds, written tokens and prompts without a grade."""
        seconds, outputs = self.ask(prompts, [sampling_params(prompt) for prompt in prompts])
        written = [output.outputs[0].token_ids for output in outputs]
        unparsed = sum(ids[0] not in prompt.allowed for ids, prompt in zip(written, prompts, strict=True))
        return seconds, sum(map(len, written)), unparsed

    def objects(self, prompts: Sequence[Prompt], schema: dict[str, Any]) -> tuple[float, int, int]:
        """Seconds, written tokens and answers that are not what the schema asks for."""
        from vllm.sampling_params import StructuredOutputsParams

        given = {"max_tokens": _JSON_TOKENS, "temperature": 0.0}
        guided = [{**given, "structured_outputs": StructuredOutputsParams(json=schema)} for _ in prompts]
        seconds, outputs = self.ask(prompts, guided)
        texts = [output.outputs[0] for output in outputs]
        unparsed = sum(not parses(text.text, schema) for text in texts)
        return seconds, sum(len(text.token_ids) for text in texts), unparsed


def parses(text: str, schema: dict[str, Any]) -> bool:
    """Whether ``text`` is an object with a grade for every axis."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and set(found) == set(schema["required"])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=8, help="questions of the example, two answers each")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    prepared = prepare(demo_config(Path("out/bench")))
    setup = prepared.setup
    if setup is None or (path := setup.models["default"].path) is None:
        raise SystemExit("configs/demo.yaml has no judge of its own")
    os.environ.update(engine_env(prepared.config.engine))
    samples, rubric = answers(prepared, 2 * given.items), load_rubric(_RUBRIC, RUBRICS)
    judge = next(judge for judge in setup.judges().values() if len(judge.info.axes) == len(rubric.axes))
    short = [prompt for unit in judge.units(samples, lambda _: True) for prompt in unit.prompts]
    long, schema = json_prompts(samples, rubric, setup.models["default"]), json_schema(rubric)
    engine = Engine(prepared, path)
    engine.suffixes(short), engine.objects(long, schema)
    rounds = [(engine.suffixes(short), engine.objects(long, schema)) for _ in range(given.rounds)]
    engine.close()
    show(rounds, len(samples))


def show(rounds: Sequence[tuple[tuple[float, int, int], tuple[float, int, int]]], responses: int) -> None:
    """Medians over the rounds; the ratio is that of the rounds, not of the medians."""
    table = Table("layout", "responses", "seconds", "responses/s", "tokens written", "unparsed", box=None)
    for name, turns in zip(("three prompts", "one JSON"), zip(*rounds, strict=True), strict=True):
        seconds = statistics.median(turn[0] for turn in turns)
        rate = f"{responses / seconds:.2f}"
        table.add_row(name, str(responses), f"{seconds:.1f}", rate, str(turns[-1][1]), str(turns[-1][2]))
    console = Console()
    console.print(table)
    ratios = sorted(objects[0] / suffixes[0] for suffixes, objects in rounds)
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    console.print(f"three prompts over one JSON answer: {statistics.median(ratios):.2f} ({spread})")


if __name__ == "__main__":
    main()
