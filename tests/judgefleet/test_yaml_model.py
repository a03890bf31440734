"""Every mistake in a configuration is answered with its line and with what is allowed."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator

from judgefleet.errors import ConfigError
from judgefleet.yaml_model import load_yaml_model, parse_yaml_model


class Regex(BaseModel, extra="forbid"):
    kind: Literal["regex"]
    pattern: str


class Judge(BaseModel, extra="forbid"):
    kind: Literal["judge"]
    temperature: float = 0.0


class Axis(BaseModel, extra="forbid"):
    name: str
    anchors: dict[int, str] = {}


class Nothing(BaseModel, extra="forbid"):
    pass


class Words(BaseModel, extra="forbid"):
    form: Literal["NFC", "keep"] = "NFC"


class Config(BaseModel, extra="forbid"):
    name: str
    rate: float = Field(default=1.0, ge=0, le=1)
    scorers: list[Annotated[Regex | Judge, Field(discriminator="kind")]] = []
    axes: dict[str, Axis] = {}
    first: Axis | None = None
    order: Literal["both", "single"] = "both"
    other: str = Field(default="", alias="else")
    words: Literal["squad"] | Words | None = None
    kinds: Annotated[tuple[Literal["email", "iban"], ...], Field(min_length=1)] | str = "all"
    none: Nothing = Nothing()

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        if len(name) > 20:
            raise ConfigError("a name has at most 20 characters")
        return name


def mistake(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_yaml_model(text, Config, source="c.yaml")
    return str(caught.value)


def test_a_valid_file_becomes_the_model(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "\ufeffname: é\naxes: {tone: {name: Tone, anchors: {1: rude, 5: kind}}}\nelse: x\n", encoding="utf-8"
    )
    config = load_yaml_model(path, Config)
    assert (config.name, config.other) == ("é", "x")
    assert config.axes["tone"].anchors == {1: "rude", 5: "kind"}


def test_all_mistakes_are_listed_at_once_each_with_its_line() -> None:
    text = "nam: x\nrate: fast\nscorers:\n  - kind: judge\n    temprature: 1\n  - kind: regx\n"
    assert mistake(text).splitlines() == [
        "c.yaml:1: name: is missing",
        "c.yaml:2: rate: found 'fast'; input should be a valid number, unable to parse string as a number",
        "c.yaml:5: scorers.0.temprature: unknown key 'temprature'; did you mean 'temperature'? "
        "allowed: kind, temperature",
        "c.yaml:6: scorers.1: found 'regx'; did you mean 'regex'? allowed: judge, regex",
        "c.yaml:1: nam: unknown key 'nam'; did you mean 'name'? allowed: axes, else, first, "
        "kinds, name, none, order, rate, scorers, words",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "name: a\naxes:\n  tone:\n    nmae: b\n",
            "c.yaml:4: axes.tone.nmae: unknown key 'nmae'; did you mean 'name'?",
        ),
        (
            "name: a\nfirst:\n  name: b\n  ancors: 1\n",
            "c.yaml:4: first.ancors: unknown key 'ancors'; did you mean 'anchors'?",
        ),
        ("name: a\nfirst:\n  anchors: {}\n", "c.yaml:2: first.name: is missing"),
        ("name: a\nfirst: 3\n", "c.yaml:2: first: found 3; a mapping (key: value) belongs here"),
        ("name: a\n\naxes: [x]\n", "c.yaml:3: axes: found ['x']; a mapping"),
        ("name: a\norder: bth\n", "c.yaml:2: order: found 'bth'; did you mean 'both'? allowed: both, single"),
        ("name: a\nrate: 2\n", "c.yaml:2: rate: found 2; input should be less than or equal to 1"),
        ("name: 1\n", "c.yaml:1: name: found 1; text belongs here (text in quotes)"),
        ("name: 2026-01-01\n", "c.yaml:1: name: found datetime.date(2026, 1, 1); text belongs here"),
        ("name: " + "x" * 30, "c.yaml: a name has at most 20 characters"),
        ("name: a\naxes: {t: {name: b, anchors: {one: x}}}\n", "c.yaml:2: axes.t.anchors.one: found 'one'; "),
        ("name: [" + "x, " * 90 + "]", "..."),
        ("name: no\n", "c.yaml:1: name: found False; text belongs here (text in quotes)"),
        ("name: a\nfirst: {name: b, anchors: 5}\n", "c.yaml:2: first.anchors: found 5; a mapping (key: value) belongs"),
        ("name: a\nscorers: judge\n", "c.yaml:2: scorers: found 'judge'; a list belongs here"),
        ("name: a\nnone:\n  x: 1\n", "c.yaml:3: none.x: unknown key 'x'; none is allowed"),
    ],
)
def test_what_the_model_does_not_allow(text: str, said: str) -> None:
    assert said in mistake(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "c.yaml:1: found nothing; the file must hold a mapping"),
        ("# only a comment\n", "c.yaml:1: found nothing"),
        ("- a\n", "c.yaml:1: found a list"),
        ("hello\n", "c.yaml:1: found a single value"),
        (
            "name: a\nfirst:\n\tname: b\n",
            "c.yaml:3: not YAML: found character '\\t' that cannot start any token; YAML is",
        ),
        ("name: [a\n", "c.yaml:2: not YAML:"),
        ("name: 'a\n", "c.yaml:2: not YAML:"),
        ("name: a\x00", "c.yaml: not YAML: unacceptable character #x0000"),
        ("name: !!python/object:os.system x\n", "c.yaml:1: not YAML: could not determine a constructor"),
        ("name: a\n---\nname: b\n", "c.yaml:2: not YAML: but found another document"),
        ("name: a\nname: b\n", "c.yaml:2: the key 'name' stands twice, first in line 1"),
        ("name: a\nfirst:\n  - x: 1\n    x: 2\n", "c.yaml:4: the key 'x' stands twice, first in line 3"),
        ("name: a\non: 1\n", "c.yaml:2: found the key 'on', which YAML does not read as text; put it in quotes"),
        ("name: a\n? [b]\n: 1\n", "c.yaml:2: found the key of several parts"),
        ("name: a\nother: 2026-13-45\n", "c.yaml: a value is not what it looks like (month must be in 1..12); put it"),
        ("name: a\nfirst: " + "[" * 5000, "c.yaml: nested too deeply"),
        ("name: a\nfirst: &x\n  name: b\n  y: *x\n", "c.yaml:4: first.y: unknown key 'y'"),
        ("base: &b {name: x, nme: y}\n<<: *b\n", "c.yaml:1: nme: unknown key 'nme'; did you mean 'name'?"),
    ],
)
def test_what_is_not_a_configuration_at_all(text: str, said: str) -> None:
    assert said in mistake(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("words: {form: NFD}", "c.yaml:2: words.form: found 'NFD'; did you mean 'NFC'? allowed: NFC, keep"),
        (
            "words: squd",
            "c.yaml:2: words: found 'squd'; a mapping (key: value) belongs here; or did you mean 'squad'? "
            "allowed: squad",
        ),
        ("kinds: [ssn]", "c.yaml:2: kinds.0: found 'ssn'; allowed: email, iban"),
        ("kinds: 5", "c.yaml:2: kinds: found 5; a list or text belongs here (text in quotes)"),
        (
            "kinds: []",
            "c.yaml:2: kinds: found []; text belongs here; or tuple should have at least 1 item after "
            "validation, not 0",
        ),
    ],
)
def test_what_may_be_one_of_several_is_one_mistake_where_it_is(text: str, said: str) -> None:
    assert mistake(f"name: a\n{text}\n") == said


def test_a_merge_key_may_be_overridden() -> None:
    text = "name: a\naxes:\n  x: &x {name: X, anchors: {1: low}}\n  y:\n    <<: *x\n    name: Y\n"
    assert parse_yaml_model(text, Config, source="c.yaml").axes["y"] == Axis(name="Y", anchors={1: "low"})


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such file"), (b"name: \xff", "found byte 0xff at 6; save the file as UTF-8")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "c.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load_yaml_model(path, Config)


def test_a_folder_is_not_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_yaml_model(tmp_path, Config)


@given(st.text(max_size=60))
def test_no_text_at_all_gives_anything_but_a_model_or_a_config_error(text: str) -> None:
    said = ""
    try:
        parse_yaml_model(text, Config, source="c.yaml")
    except ConfigError as error:
        said = str(error)
    assert not said or said.startswith("c.yaml")
