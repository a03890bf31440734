"""What a guard costs in the request path: time per call on answers of several lengths, each check alone and together.

    python -m benchmarks.guard [--calls 2000] [--lengths 100 1000 2000 10000] [--markdown]

Answers are made up of sentences of a shop's support, with order numbers, dates and prices; no two are the same. Rows
end with what an answer costs that leaks: one of each kind of personal data, and a forbidden phrase. Times are of one
thread, in microseconds, without building the guard: by the clock, and of the processor, which is what a call costs also
where the machine does something else beside it.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from judges.guard import Guard

_SENTENCES = (
    "Your parcel {n} left our warehouse on 2026-11-{d:02d} and should arrive within three working days.",
    "The refund of EUR {d}.90 goes back to the account you paid from; banks take up to five days to show it.",
    "You can return the item within 30 days, unworn and with its label, at any post office or in our shops.",
    "I have changed the delivery address of order {n}, so there is nothing else that you need to do.",
    "If the lamp flickers again, please hold the button for ten seconds and let it cool down before you try.",
    "Sorry for the wait! The courier was not able to ring, so the box is with your neighbour until {d} November.",
)
_LEAK = " anna.berg@post.example +49 89 1234567 DE89370400440532013000 4111 1111 1111 1111 project bluebird"
_FORBIDDEN = ("project bluebird", "as an AI language model", "my instructions", "system prompt", "internal only")
_SCHEMA = {
    "type": "object",
    "required": ["answer", "sources"],
    "properties": {"answer": {"type": "string"}, "sources": {"type": "array", "items": {"pattern": "^RET-[0-9]+$"}}},
    "additionalProperties": False,
}
GUARDS = {
    "max_chars": Guard(),
    "pii: email": Guard(pii=("email",)),
    "pii: iban": Guard(pii=("iban",)),
    "pii: card": Guard(pii=("card",)),
    "pii: phone": Guard(pii=("phone",)),
    "pii: all four": Guard(pii=("email", "iban", "card", "phone")),
    "pii: all four, national phones of DE": Guard(pii=("email", "iban", "card", "phone"), phone_regions=("DE",)),
    "forbidden: 5 phrases": Guard(forbidden=_FORBIDDEN),
    "patterns: 1": Guard(patterns=(r"(?i)\bsk-[a-z0-9]{20,}",)),
}
_JSON, _TOGETHER = "json_schema", "all but json_schema and national phones"
GUARDS[_TOGETHER] = Guard(
    pii=("email", "iban", "card", "phone"), forbidden=_FORBIDDEN, patterns=(r"(?i)\bsk-[a-z0-9]{20,}",)
)

_HEAD = ("check", "characters", "p50, us", "p99, us", "max, us", "CPU p50, us", "CPU p99, us")


@dataclass(frozen=True, kw_only=True)
class Row:
    """Microseconds per call: by the clock, and the processor time of the thread, which knows no waiting."""

    check: str
    characters: int
    p50: float
    p99: float
    worst: float
    cpu_p50: float
    cpu_p99: float


def answer(characters: int, seed: int) -> str:
    """An answer of so many characters."""
    draw, text = random.Random(seed), ""  # noqa: S311 - made-up text
    while len(text) < characters:
        text += draw.choice(_SENTENCES).format(n=draw.randint(10_000, 99_999), d=draw.randint(10, 28)) + " "
    return text[:characters]


def measure(check: str, guard: Guard, texts: Sequence[str], calls: int, *, ok: bool) -> Row:
    """``calls`` calls on ``texts`` in turn, after one round that is not counted. Every verdict must be ``ok``."""
    for text in texts:
        if guard(text).ok != ok:
            raise SystemExit(f"{check}: the verdict about {text[:60]!r}... is not {'ok' if ok else 'a finding'}")
    clock, cpu = [], []
    for number in range(calls):
        text = texts[number % len(texts)]
        started, began = time.perf_counter_ns(), time.thread_time_ns()
        guard(text)
        cpu.append((time.thread_time_ns() - began) / 1000)
        clock.append((time.perf_counter_ns() - started) / 1000)
    cuts, cpu_cuts = statistics.quantiles(clock, n=100), statistics.quantiles(cpu, n=100)
    return Row(
        check=check,
        characters=len(texts[0]),
        p50=cuts[49],
        p99=cuts[98],
        worst=max(clock),
        cpu_p50=cpu_cuts[49],
        cpu_p99=cpu_cuts[98],
    )


def rows(lengths: Sequence[int], calls: int) -> Iterator[Row]:
    """A row for each guard and length."""
    wide = {"max_chars": max(20_000, 2 * max(lengths))}
    structured = Guard(json_schema=_SCHEMA, max_chars=wide["max_chars"])
    for length in lengths:
        texts = [answer(length, seed) for seed in range(50)]
        for check, guard in GUARDS.items():
            yield measure(check, guard, texts, calls, ok=True)
        wrapped = [json.dumps({"answer": text[60:], "sources": ["RET-1", "RET-22"]}) for text in texts]
        yield measure(_JSON, structured, [text.ljust(length) for text in wrapped], calls, ok=True)
        leaking = [text[: max(0, length - len(_LEAK))] + _LEAK for text in texts]
        yield measure("the same, on an answer that leaks", GUARDS[_TOGETHER], leaking, calls, ok=False)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000, help="calls measured for each row")
    parser.add_argument("--lengths", type=int, nargs="+", default=[100, 1000, 2000, 10_000], help="characters")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    given = parser.parse_args()
    found = list(rows(given.lengths, given.calls))
    if given.markdown:
        sys.stdout.write(f"| {' | '.join(_HEAD)} |\n|---|{'---:|' * (len(_HEAD) - 1)}\n")
        sys.stdout.writelines(f"| {' | '.join(cells(row))} |\n" for row in found)
        return
    table = Table(*_HEAD, box=None)
    for row in found:
        table.add_row(*cells(row))
    Console().print(table)


def cells(row: Row) -> list[str]:
    """A row of the table, in whole microseconds."""
    times = (row.p50, row.p99, row.worst, row.cpu_p50, row.cpu_p99)
    return [row.check, f"{row.characters:,}", *(f"{microseconds:,.0f}" for microseconds in times)]


if __name__ == "__main__":
    main()
