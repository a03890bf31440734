"""Mistakes on the command line and in configurations: one message, exit code 2, before any work."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]
SCORER = [{"use": "not_empty"}]


def fails(run: Run, *arguments: str, says: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"scorer": SCORER}, "did you mean 'scorers'"),
        ({"scorers": [{"use": "regx", "pattern": "x"}]}, "did you mean 'regex'"),
        ({"scorers": [{"use": "regex", "pattern": "("}]}, "pattern"),
        ({"scorers": [{"use": "regex", "patern": "x"}]}, "patern"),
        ({"scorers": SCORER * 2}, "two scorers are called 'not_empty'"),
        ({"scorers": []}, "scorers"),
        ({"engine": {"kind": "vlm"}}, "'vllm'"),
        ({"engine": {"kind": "scripted", "model": "/no/such/model"}}, "/no/such/model"),
        ({"input": {"uri": "/no/such/traces"}}, "/no/such/traces"),
        ({"input": {"uri": "x", "format": "jsnl"}}, "jsonl"),
        ({"engine": {"kind": "scripted", "engine_kwargs": {"dtype": "float32"}}}, "fields of their own"),
        ({"input": {"uri": "ftp://host/traces"}}, "ftp"),
        ({"store": "/dev/null/store"}, "/dev/null"),
        ({"scorers": [{"use": "judge_pointwise", "rubric": "suport_quality"}]}, "did you mean 'support_quality'"),
    ],
)
def test_a_wrong_configuration(
    run: Run, write_traces: Callable[..., Path], make_config: Callable[..., Path], changed: dict[str, object], says: str
) -> None:
    write_traces(1)
    fails(run, "batch", str(make_config(**changed)), says=says)


def test_a_model_folder_that_is_not_one(
    run: Run, tmp_path: Path, write_traces: Callable[..., Path], make_config: Callable[..., Path]
) -> None:
    write_traces(1)
    (tmp_path / "model").mkdir()
    engine = {"kind": "scripted", "model": str(tmp_path / "model")}
    fails(run, "batch", str(make_config(engine=engine)), says="config.json")


def test_a_rubric_no_tokenizer_can_do(
    run: Run, tmp_path: Path, write_traces: Callable[..., Path], make_config: Callable[..., Path]
) -> None:
    write_traces(1)
    axis = "{name: a, question: 'Good?', scale: {labels: {'': 0, good: 1}}}"
    (tmp_path / "blank.yaml").write_text(f"name: r\nversion: '1'\ninstructions: Grade.\naxes: [{axis}]\n")
    scorers = [{"use": "judge_pointwise", "rubric": str(tmp_path / "blank.yaml")}]
    fails(run, "batch", str(make_config(scorers=scorers)), says="cannot be asked of")


def test_an_engine_that_is_not_configured(
    run: Run, write_traces: Callable[..., Path], make_config: Callable[..., Path]
) -> None:
    write_traces(1)
    scorers = [{"use": "judge_pointwise", "rubric": "support_quality", "engine": "panel"}]
    config = make_config(scorers=scorers, engines={"panels": {"kind": "scripted"}})
    fails(run, "batch", str(config), says="did you mean 'panels'")


def test_a_configuration_that_is_not_there(run: Run, tmp_path: Path) -> None:
    fails(run, "batch", str(tmp_path / "none.yaml"), says="none.yaml")


def test_an_empty_store_has_no_report(run: Run, tmp_path: Path) -> None:
    fails(run, "report", str(tmp_path), says="no finished run")


def test_an_unknown_command_and_an_unknown_option(run: Run) -> None:
    fails(run, "bach", says="bach")
    fails(run, "batch", "x.yaml", "--frsh", says="--frsh")


def test_help_names_the_exit_codes(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "3 not enough evidence" in " ".join(done.stdout.split())
    for name in ("demo", "batch", "report", "gate", "models"):
        assert name in done.stdout


def test_models_are_listed(run: Run) -> None:
    assert "embedded/smollm2-135m-instruct" in run("models", "list").stdout
