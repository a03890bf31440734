from collections.abc import Callable

import pytest

from judgefleet.sample import Sample
from judgefleet.trace import Trace

MakeSamples = Callable[..., list[Sample]]

# Pairs of output and reference that have caught BERTScore implementations before.
PAIRS = [
    ("The parcel is late.", "A storm delayed your package."),
    ("hello", "hello"),
    ("hello", "goodbye"),
    ("a", "The refund takes five to seven business days after we receive the item."),
    ("Refund. " * 300, "We refund you. " * 20),
    ("We refund you. " * 20, "Refund. " * 300),
    ("退款需要五个工作日。", "退款在五天内完成。"),
    ("החזר כספי", "استرداد الأموال"),
    ("👩‍👧 🇩🇪", "flags and families"),
    ("  padded  \n", "padded"),
    ("<script>alert(1)</script>", "a script"),
    ("antidisestablishmentarianism", "zq" * 80),
    ("[CLS] hello [SEP]", "hello [MASK]"),
]


@pytest.fixture
def pairs() -> list[tuple[str, str]]:
    return list(PAIRS)


@pytest.fixture
def samples() -> MakeSamples:
    def make(*pairs: tuple[str, str]) -> list[Sample]:
        return [
            Sample(
                trace=Trace(trace_id=f"t{n}", output=output, reference=reference),
                stratum="all",
                inclusion_probability=1.0,
                plan_hash="p",
            )
            for n, (output, reference) in enumerate(pairs)
        ]

    return make
