"""What gets installed: the lock covers what the project asks for, and a wheel carries every file of the packages."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("judgefleet", "judges", "calibration", "experiments", "jobs")


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def lock() -> list[Requirement]:
    return [Requirement(line) for line in (ROOT / "requirements/lock.txt").read_text(encoding="utf-8").splitlines()]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def unmet(wanted: list[Requirement], pins: list[Requirement]) -> list[str]:
    """Requirements that no pin for this interpreter satisfies. torch is left out: requirements/setup.sh installs it."""
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    version = {normal(pin.name): str(pin.specifier).removeprefix("==") for pin in here}
    asked = [want for want in wanted if want.name != "torch" and (want.marker is None or want.marker.evaluate())]
    return [str(want) for want in asked if not want.specifier.contains(version.get(normal(want.name), "0"))]


def test_the_lock_satisfies_what_the_project_asks_for() -> None:
    extras = project()["optional-dependencies"]
    wanted = [Requirement(line) for line in (*project()["dependencies"], *extras["cpu"], *extras["dev"])]
    assert unmet(wanted, lock()) == [], "run `make lock`"


def test_a_requirement_that_the_lock_misses_is_found() -> None:
    wanted = [Requirement("numpy>=99"), Requirement("no_such.package>=1"), Requirement("pyarrow>=1")]
    assert unmet(wanted, lock()) == ["numpy>=99", "no_such.package>=1"]


def test_the_lock_pins_versions_alone() -> None:
    # No torch: its build depends on the machine. Nothing that breaks `import transformers` beside a CPU torch.
    assert all(re.fullmatch(r"==[\w.+]+", str(pin.specifier)) and pin.url is None for pin in lock())
    assert {normal(pin.name) for pin in lock()}.isdisjoint(
        {"torch", "torchvision", "torchaudio", "torchcodec", "triton"}
    )


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    listed = subprocess.run(["git", "ls-files", "--", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}


def test_a_wheel_carries_every_file_of_the_packages(tracked: set[str], tmp_path: Path) -> None:
    for name in [*tracked, "pyproject.toml", "README.md", "LICENSE"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        "dist",
        ".",
    ]
    built = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next((tmp_path / "dist").glob("judgefleet-*.whl"))) as wheel:
        carried = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert tracked - carried == set(), "name the package or its data in pyproject.toml, [tool.setuptools]"
    assert carried - tracked == set()
