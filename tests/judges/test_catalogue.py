import importlib
import importlib.util
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from judgefleet.errors import ConfigError
from judgefleet.scorer import ScorerInfo
from judges import catalogue
from judges.catalogue import CATALOGUE, available, create, create_all, create_scorer
from judges.checks.length import Length


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    points: list[EntryPoint] = []
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [p for p in points if p.group == group])
    return points


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group="judgefleet.scorers")


@pytest.mark.parametrize("use", sorted(name for name in CATALOGUE if not name.startswith("judge_")))
def test_every_local_entry_keeps_the_contract(use: str) -> None:
    module, _, attribute = CATALOGUE[use].partition(":")
    kind = getattr(importlib.import_module(module), attribute)
    assert kind.Options.model_config["extra"] == "forbid"
    assert callable(kind.score)
    assert ">>> " in (kind.__doc__ or "")


def test_name_defaults_to_use_and_can_be_given() -> None:
    assert create_scorer("not_empty").info.name == "not_empty"
    assert create_scorer("not_empty", "answered.v2").info.name == "answered.v2"
    assert create_scorer("not_empty", "a").info.fingerprint != create_scorer("not_empty", "b").info.fingerprint


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "A", "a b", "a\n", "-a", "é", "a" * 101, 5])
def test_a_name_must_be_a_safe_folder_name(name: str) -> None:
    with pytest.raises(ConfigError, match=r"found the name .*; allowed"):
        create_scorer("not_empty", name)


@pytest.mark.parametrize(
    ("use", "options", "message"),
    [
        ("regx", {}, "no scorer 'regx'; did you mean 'regex'"),
        ("", {}, "no scorer ''"),
        (["regex"], {}, r"no scorer \['regex'\]"),
        ("not_empty", {"strict": True}, "scorer 'not_empty': strict: unknown key 'strict'"),
        ("length", {"max_words": "x"}, "scorer 'length': max_words: found 'x'"),
        ("length", [1], "a mapping"),
    ],
)
def test_mistakes_are_named(use: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create(use, None, options)


def test_two_scorers_of_one_name() -> None:
    two = [("length", None, {"max_words": 3}), ("length", "short", {"max_words": 2})]
    assert [s.info.name for s in create_all(two)] == ["length", "short"]
    with pytest.raises(ConfigError, match="two scorers are called 'short'"):
        create_all([*two, ("not_empty", "short", {})])


def test_a_third_party_scorer(installed: list[EntryPoint]) -> None:
    installed.append(point("their_length", "judges.checks.length:Length"))
    assert isinstance(create("their_length", None, {"max_words": 1}), Length)
    assert set(available()) == {*CATALOGUE, "their_length"}


def test_a_third_party_name_that_is_taken(installed: list[EntryPoint]) -> None:
    installed.append(point("regex", "theirs.regex:Regex"))
    with pytest.raises(ConfigError, match=r"two scorers are called 'regex': judges\.checks.* and theirs\.regex"):
        available()


def test_two_third_parties_of_one_name(installed: list[EntryPoint]) -> None:
    installed += [point("tone", "a:Tone"), point("tone", "b:Tone")]
    with pytest.raises(ConfigError, match="two scorers are called 'tone': a:Tone and b:Tone"):
        create_scorer("not_empty")


@pytest.mark.parametrize("value", ["no_such_module_here:Tone", "judges.checks.length:Tone"])
def test_a_third_party_that_cannot_be_loaded(installed: list[EntryPoint], value: str) -> None:
    installed.append(point("tone", value))
    with pytest.raises(ConfigError, match="scorer 'tone' cannot be loaded"):
        create("tone")


class Engineless:
    """A judge as the catalogue sees it: options and a name, but no ``score``."""

    Options = Length.Options

    def __init__(self, name: str, options: Length.Options) -> None:
        self.info = ScorerInfo(name=name, version="1", kind=Length(name, options).info.kind, axes=("a",))


def test_a_judge_is_created_but_is_no_scorer(installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "their_judges", sys.modules[__name__])
    installed.append(point("their_judge", "their_judges:Engineless"))
    assert create("their_judge", "j", {"max_words": 1}).info.name == "j"
    with pytest.raises(ConfigError, match="'their_judge', which needs an engine"):
        create_scorer("their_judge", "j", {"max_words": 1})


def test_creating_a_check_loads_no_model_library() -> None:
    code = (
        "import sys; from judges.catalogue import create_scorer; create_scorer('not_empty');"
        "create_scorer('bertscore'); create_scorer('embedding_cosine');"
        "print(sorted({'torch', 'transformers', 'sentence_transformers', 'vllm', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert importlib.util.find_spec("torch") is not None
