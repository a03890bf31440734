"""The scripted engine: verdicts from a hash of the prompt. Public, for tests and for trying a configuration out."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from judgefleet.hashing import unit_interval

ERROR = "__inference_error__"


class ScriptedEngine:
    """Answers prompt rows as a vLLM stage would, without a model: the same prompt always gets the same verdict.

    ``delay_ms`` is slept for every prompt that is asked.

    >>> engine = ScriptedEngine()
    >>> engine.verdict([1, 2, 3], [7, 8]) == engine.verdict([1, 2, 3], [7, 8])
    True
    """

    def __init__(self, delay_ms: float = 0.0) -> None:
        self._delay = delay_ms / 1000

    def verdict(self, prompt: Sequence[int], allowed: Sequence[int]) -> dict[int, float]:
        """Log-probability of each allowed token."""
        key = ",".join(map(str, prompt))
        masses = {token: 0.05 + unit_interval(f"{key}|{token}", "scripted") for token in allowed}
        return {token: math.log(mass / sum(masses.values())) for token, mass in masses.items()}

    def reply(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """``row`` with the columns that an engine adds; a row that is settled already passes untouched."""
        if row[ERROR]:
            return {**row, "generated_tokens": [], "logprobs": [], "num_input_tokens": 0, "time_taken_llm": 0.0}
        started = time.perf_counter()
        time.sleep(self._delay)
        logprobs = self.verdict(row["tokenized_prompt"], row["sampling_params"]["allowed_token_ids"])
        return {
            **row,
            "generated_tokens": [max(logprobs, key=lambda token: logprobs[token])],
            "logprobs": [{"token": token, "logprob": logprob} for token, logprob in logprobs.items()],
            "num_input_tokens": len(row["tokenized_prompt"]),
            "time_taken_llm": time.perf_counter() - started,
        }

    def __call__(self, batch: pa.Table) -> pa.Table:
        """All rows of one block."""
        return pa.Table.from_pylist([self.reply(row) for row in batch.to_pylist()])
