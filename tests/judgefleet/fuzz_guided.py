"""Objects that grow towards branches of a reader that were not reached yet: coverage-guided, by atheris (libFuzzer).

    python -m tests.judgefleet.fuzz_guided [--format otlp_proto otlp_json] [--runs 200000] [--seconds 600]

``fuzz`` damages valid objects without looking; this looks at what the damage reached. Each format has a process of its
own. What failed is kept in the corpus, which ``test_traces_fuzz.py`` reads again.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from judgefleet.traces.reader import FORMATS
from tests.judgefleet import fuzz
from tests.judgefleet.fuzz_seeds import seeds

USUAL = ["otlp_proto", "otlp_framed", "otlp_json", "jsonl"]
_MOST_BYTES, _MOST_MIB = 1 << 16, 4096


def search(name: str, runs: int, seconds: int, corpus: Path) -> list[str]:
    """Looks for objects that the reader of ``name`` fails at; returns what failed, as ``reason: file``."""
    with tempfile.TemporaryDirectory() as folder:
        grown, failed = Path(folder, "grown"), Path(folder, "failed")
        grown.mkdir()
        failed.mkdir()
        for number, data in enumerate(seeds()[name]):
            (grown / f"{number}").write_bytes(data)
        limits = [f"-runs={runs}", f"-max_total_time={seconds}", f"-timeout={fuzz.SECONDS_EACH:g}"]
        sizes = [f"-max_len={_MOST_BYTES}", f"-rss_limit_mb={_MOST_MIB}"]
        here = [f"-artifact_prefix={failed}/", str(grown)]
        command = [sys.executable, "-m", "tests.judgefleet.fuzz_target", name, *limits, *sizes, *here]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = [line for line in done.stderr.splitlines() if line.strip()]
        kept = [fuzz.kept((name, path.read_bytes()), _reason(said), corpus) for path in sorted(failed.iterdir())]
        if done.returncode and not kept:
            raise RuntimeError(f"the search ended with {done.returncode}: {said[-1] if said else 'nothing said'}")
        print(f"{name}: {_last(said, 'Done ')}; {_last(said, 'cov: ')}", flush=True)  # noqa: T201
        return kept


def _last(said: list[str], words: str) -> str:
    return next((" ".join(line.split()) for line in reversed(said) if words in line), "not told")


def _reason(said: list[str]) -> str:
    return next((line.strip() for line in said if "Error" in line or "ERROR" in line), "the process ended")[:300]


def main() -> None:
    """Reads the arguments, says how it went; exit code 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", nargs="+", choices=list(FORMATS), default=USUAL)
    parser.add_argument("--runs", type=int, default=200_000, help="objects a format")
    parser.add_argument("--seconds", type=int, default=600, help="at most, a format")
    parser.add_argument("--corpus", type=Path, default=fuzz.CORPUS)
    given = parser.parse_args()
    failures = [line for name in given.format for line in search(name, given.runs, given.seconds, given.corpus)]
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
