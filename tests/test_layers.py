"""The import rules hold, and the linter that says so can fail: the layering is broken on purpose and must be named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("judgefleet", "judges", "calibration", "experiments", "jobs")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The five packages and their rules, free to be broken."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_imports_run_one_way() -> None:
    found = lint_imports(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("judgefleet/errors.py", "import jobs", "Imports run one way"),
        ("judges/__init__.py", "import calibration", "Imports run one way"),
        ("judges/checks/__init__.py", "def f() -> None:\n    import ray", "Ray is imported in jobs only"),
        ("experiments/__init__.py", "import torch", "The spine, calibration and experiments need no model library"),
    ],
)
def test_a_broken_layer_is_named(copied: Path, module: str, statement: str, contract: str) -> None:
    with (copied / module).open("a", encoding="utf-8") as file:
        file.write(f"\n\n{statement}\n")
    found = lint_imports(copied)
    assert found.returncode == 1, found.stdout + found.stderr
    assert f"{contract} BROKEN" in found.stdout
    assert str(Path(module).with_suffix("")).replace("/", ".").removesuffix(".__init__") in found.stdout
