"""docs/sampling.md: the hash as other languages reckon it, from its words alone, and the plan that it shows."""

import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from judgefleet.hashing import unit_interval
from judgefleet.sampling import SamplingPlan
from judgefleet.yaml_model import parse_yaml_model

PAGE = (Path(__file__).resolve().parents[2] / "docs/sampling.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| (?:`(.+?)`|\(empty\)) \| (?:`(.+?)`|\(empty\)) \| `(\w{16})` \| ([\d.e-]+) \|$", re.MULTILINE)
VECTORS = [(key, salt, digits, float(number)) for key, salt, digits, number in _ROW.findall(PAGE)]
# Each takes salt and key and prints the number with 17 significant digits, enough for every double.
NODE = """
const bytes = Buffer.concat([Buffer.from(process.argv[1]), Buffer.from([0]), Buffer.from(process.argv[2])]);
const digest = require("crypto").createHash("sha256").update(bytes).digest();
console.log((Number(digest.readBigUInt64BE(0) >> 11n) / 2 ** 53).toPrecision(17));
"""
PERL = """
use Digest::SHA qw(sha256);
printf "%.17g\\n", (unpack("Q>", sha256("$ARGV[0]\\0$ARGV[1]")) >> 11) / 2**53;
"""
SHELL = """
hex=$(printf '%s\\0%s' "$1" "$2" | sha256sum | cut -c1-16)
awk -v n="$(( 0x$hex >> 11 & (1 << 53) - 1 ))" 'BEGIN { printf "%.17g\\n", n / 9007199254740992 }'
"""
LANGUAGES = {"node": ["node", "-e", NODE], "perl": ["perl", "-e", PERL], "bash": ["bash", "-c", SHELL, "bash"]}


def test_the_page_has_vectors() -> None:
    assert len(VECTORS) >= 7
    assert {len(key.encode()) for key, *_ in VECTORS} > {0, 32}


@pytest.mark.parametrize(("key", "salt", "digits", "number"), VECTORS)
def test_what_we_draw_by(key: str, salt: str, digits: str, number: float) -> None:
    assert unit_interval(key, salt) == number == (int(digits, 16) >> 11) / 2**53


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("key", "salt", "digits", "number"), VECTORS)
def test_what_other_languages_draw_by(language: str, key: str, salt: str, digits: str, number: float) -> None:
    command = LANGUAGES[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} on this machine")
    ran = subprocess.run([*command, salt, key], capture_output=True, text=True, check=True)
    assert float(ran.stdout) == number


@pytest.mark.parametrize(("key", "salt", "digits", "number"), VECTORS)
def test_what_a_database_draws_by(key: str, salt: str, digits: str, number: float) -> None:
    [found] = re.findall(r"`(\('0x' .+?)`", PAGE)
    query = found.replace("'demo'", "$salt").replace("trace_id", "$key")
    [(integer,)] = duckdb.execute(f"select {query}", {"salt": salt, "key": key}).fetchall()
    assert integer / 2**53 == number


def test_the_plan_on_the_page_is_one() -> None:
    [text] = re.findall(r"```yaml\nsampling:\n(.+?)```", PAGE, flags=re.DOTALL)
    plan = parse_yaml_model(text, SamplingPlan, source="docs/sampling.md")
    assert plan.needs_whole_input
    assert [stratum.name for stratum in plan.strata] == ["gold", "rare"]
