"""``judgefleet gate``."""

from rich.console import Console

from jobs.audit_text import gate_line
from jobs.gates import gates_of, newest
from jobs.json_text import json_text


def gate_command(store: str, *, as_json: bool) -> int:
    """Print every judge's gate; returns the exit code."""
    gates = gates_of(store)
    if as_json:
        print(json_text(gates))  # noqa: T201
    else:
        console = Console(highlight=False)
        for gate in gates:
            console.print(gate_line(gate, f"{gate.scorer}/{gate.axis}"), markup=False, soft_wrap=True)
        if not gates:
            console.print("no LLM judge has scored in this store")
    codes = [gate.exit_code for gate in newest(gates)]
    return 1 if 1 in codes else max(codes, default=3)
