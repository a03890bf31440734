"""A run that is killed and started again ends as if nobody had disturbed it (``chaos.py``, in short)."""

import runpy
from pathlib import Path

import pytest

CHAOS = runpy.run_path(str(Path(__file__).with_name("chaos.py")))


@pytest.mark.slow
def test_killed_runs_end_like_undisturbed_ones(tmp_path: Path) -> None:
    said = list(CHAOS["trial"](tmp_path / "trial", kills=2, seed=3, engine="scripted", items=16))
    assert sum(": killed " in line for line in said) >= 1
    assert "none twice" in said[-1]
