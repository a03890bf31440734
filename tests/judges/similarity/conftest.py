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
# A text, one that says the same in other words, and one that does not.
NEARER = [
    ("Your refund is on its way.", "Your money will be returned soon.", "Bananas are yellow."),
    ("The parcel is late.", "The package is delayed.", "The weather is fine."),
    ("The parcel is late.", "A storm delayed your package.", "I like to read novels in the garden."),
    ("Returns are free within 30 days.", "You can send it back at no cost for a month.", "The cat sleeps on the sofa."),
    ("How do I reset my password?", "I forgot my password.", "Which colours does the lamp come in?"),
    ("The kettle is broken.", "The kettle does not work.", "The kettle is blue."),
    ("We ship to Norway.", "We deliver to Norway.", "We are hiring in Berlin."),
    ("The meeting is on Monday.", "We meet on Monday.", "The soup needs more salt."),
    ("He bought a car.", "He purchased an automobile.", "He painted the fence."),
    ("She is a doctor.", "She works as a physician.", "She is a pilot."),
    ("The film was great.", "I loved the movie.", "The train leaves at nine."),
    ("Payment by card failed.", "Your credit card was declined.", "The library opens at ten."),
    ("Cancel my subscription.", "I want to end my plan.", "Tell me a joke about dogs."),
    ("Two plus two is four.", "2 + 2 = 4", "Paris is the capital of France."),
    ("Paris is the capital of France.", "France's capital city is Paris.", "Two plus two is four."),
    ("The dog chased the cat.", "The cat was chased by the dog.", "The bank closed early."),
    ("Water boils at 100 degrees.", "At 100 degrees Celsius, water starts to boil.", "The shop sells hiking boots."),
    ("The lamp's shade is cracked.", "There is a crack in the lamp shade.", "The invoice is attached."),
    ("Please call the customer.", "Phone the client, please.", "Plant the tulips in autumn."),
    ("The order was shipped yesterday.", "Your order left our warehouse yesterday.", "A violin has four strings."),
    ("It costs ten euros.", "The price is 10 EUR.", "It rained all night."),
    ("I am very happy.", "I am delighted.", "The printer is out of paper."),
]


@pytest.fixture(params=NEARER, ids=[text for text, _, _ in NEARER])
def nearer(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    found: tuple[str, str, str] = request.param
    return found


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
