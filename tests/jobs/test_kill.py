"""A run that is killed and started again ends as if nobody had disturbed it (``chaos.py``, in short)."""

import runpy
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
CHAOS = runpy.run_path(str(Path(__file__).with_name("chaos.py")))


@pytest.mark.parametrize(("engine", "kills", "items"), [("scripted", 3, 16), ("vllm", 2, 8)])
def test_killed_runs_end_like_undisturbed_ones(tmp_path: Path, engine: str, kills: int, items: int) -> None:
    said = list(CHAOS["trial"](tmp_path / "trial", kills=kills, seed=3, engine=engine, items=items))
    assert sum("killed" in line and "ended with" in line for line in said) >= 1
    assert "none twice" in said[-1]
