"""Engines by configuration: which field goes with which kind, and what makes another judge or another run."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from jobs.config import BatchConfig
from jobs.engines.config import EngineConfig, Kind
from jobs.engines.model import judge_model
from jobs.judging import writer
from judgefleet.errors import ConfigError
from judges.message_writer import MessageWriter
from judges.token_writer import TokenWriter

REMOTE: dict[str, Any] = {"kind": "openai", "base_url": "https://api.example.com/v1", "model": "judge-1"}
EMBEDDED = "embedded/smollm2-135m-instruct"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"base_url": "http://h/v1"}, "base_url is not for kind 'vllm'; it belongs to serve and openai"),
        ({"kind": "transformers", "quantization": "awq"}, "quantization is not for kind 'transformers'"),
        ({"kind": "serve", "max_cost": 3}, "max_cost is not for kind 'serve'; it belongs to openai"),
        (REMOTE | {"dtype": "float16"}, "dtype is not for kind 'openai'"),
        ({"kind": "openai"}, "lacks base_url, model"),
        (REMOTE | {"prompts": "tokens"}, "lacks tokenizer"),
        (REMOTE | {"max_cost": 1.0, "price_per_million_input": 1.0}, "lacks price_per_million_output"),
        (REMOTE | {"thinking": {}}, "engine.thinking and"),
        (REMOTE | {"prompts": "tokens", "tokenizer": EMBEDDED, "logprobs": False}, "logprobs: false is for"),
        (REMOTE | {"extra_body": {"messages": []}}, "extra_body sets ['messages']"),
        (REMOTE | {"base_url": "api.example.com/v1"}, "is http:// or https://"),
        (REMOTE | {"scripted_delay_ms": 1}, "it belongs to scripted"),
    ],
)
def test_a_field_that_does_not_go_with_the_kind_is_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        EngineConfig(**config)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "config",
    [{"api_key_env": "sk-proj-SECRET"}, {"base_url": "https://me:SECRET@h/v1"}, {"base_url": "https://h/?k=SECRET"}],
)
def test_a_secret_in_the_wrong_place_is_refused_without_repeating_it(config: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        EngineConfig(**(REMOTE | config))
    assert "SECRET" not in str(caught.value)


def test_the_scripted_engine_stands_in_for_any_other() -> None:
    assert EngineConfig(**(REMOTE | {"kind": "scripted", "block_size": 16})).block_size == 16


def run_id(**engine: Any) -> str:
    whole = {"name": "x", "store": "s", "input": {"uri": "u"}, "scorers": [{"use": "not_empty"}], "engine": engine}
    return BatchConfig.model_validate(whole).run_id


@pytest.mark.parametrize(
    "changed",
    [
        {"api_key_env": "KEY"},
        {"base_url": "http://api.example.com:8443/other"},
        {"max_in_flight": 5, "timeout_s": 1, "max_retries": 0},
        {"max_requests": 7, "max_tokens_total": 7},
        {"max_cost": 3, "price_per_million_input": 1, "price_per_million_output": 1},
    ],
)
def test_how_an_endpoint_is_reached_is_no_other_run_and_no_other_judge(
    changed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "sk-secret")
    assert run_id(**(REMOTE | changed)) == run_id(**REMOTE)
    found = judge_model(EngineConfig(**(REMOTE | changed)))
    assert found.config == judge_model(EngineConfig(**REMOTE)).config
    assert "sk-secret" not in repr(found)


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "judge-2"},
        {"base_url": "https://other.example.com/v1"},
        {"served_by": "the other one"},
        {"extra_body": {"seed": 1}},
        {"max_model_len": 4096},
        {"logprobs": False},
        {"tokenizer": EMBEDDED},
        {"prompts": "tokens", "tokenizer": EMBEDDED},
    ],
)
def test_what_can_change_a_verdict_is_another_judge(changed: dict[str, Any]) -> None:
    assert run_id(**(REMOTE | changed)) != run_id(**REMOTE)
    assert judge_model(EngineConfig(**(REMOTE | changed))).config != judge_model(EngineConfig(**REMOTE)).config


def test_what_a_run_of_vllm_is_has_no_field_of_another_kind() -> None:
    # More names here would be other ids for the runs in everybody's stores.
    names = """accelerator block_size chat_template_kwargs dtype engine_kwargs gpus_per_replica kind max_model_len
        max_num_batched_tokens max_num_seqs model prefix_caching quantization thinking"""
    assert sorted(EngineConfig().identity) == sorted(EngineConfig(kind="scripted").identity) == names.split()


def test_a_model_elsewhere_has_no_digest_and_is_asked_in_messages() -> None:
    model = judge_model(EngineConfig(**REMOTE))
    assert (model.name, model.path, model.digest, model.files_digest) == ("judge-1", None, None, None)
    assert (model.engine, model.dtype) == ("openai", "as served")
    assert isinstance(writer(model, "default"), MessageWriter)


def test_with_a_tokenizer_the_same_prompts_are_written_as_for_an_engine_of_our_own(tmp_path: Path) -> None:
    model = judge_model(EngineConfig(**(REMOTE | {"prompts": "tokens", "tokenizer": EMBEDDED})))
    assert model.digest is None
    assert isinstance(writer(model, "default"), TokenWriter)
    assert model.files_digest == judge_model(EngineConfig()).files_digest
    with pytest.raises(ConfigError, match="is no folder"):
        judge_model(EngineConfig(**(REMOTE | {"tokenizer": "org/model"})))
    with pytest.raises(ConfigError, match=r"no tokenizer\.json"):
        judge_model(EngineConfig(**(REMOTE | {"tokenizer": str(tmp_path)})))


def test_a_key_that_is_not_there_is_found_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(ConfigError, match="environment variable NO_SUCH_KEY"):
        judge_model(EngineConfig(**(REMOTE | {"api_key_env": "NO_SUCH_KEY"})))


def test_every_kind_has_an_example_in_the_documents_that_is_allowed() -> None:
    page = (Path(__file__).parents[3] / "docs" / "engines.md").read_text()
    found = [EngineConfig(**yaml.safe_load(block)["engine"]) for block in re.findall(r"```yaml\n(.*?)```", page, re.S)]
    assert {config.kind for config in found} == set(get_args(Kind))
    assert {config.asks_messages for config in found if config.kind == "openai"} == {True, False}
