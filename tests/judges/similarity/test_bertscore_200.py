"""BERTScore of 200 generated pairs, against the package of the paper's authors."""

import random
from typing import Any

import pytest

from judges.catalogue import create_scorer
from judges.models import resolve_model
from judges.similarity.baseline import AXES

WITHIN = 1e-4
# As empty for the model as "", which the package cannot take under transformers 5.
NOTHING = "\u200b"
SEED, MOST = 20_261, 200

WORDS = {
    "en": "the a refund parcel order is was late free arrives within thirty days you we can return it by post today no",
    "de": "die der Rückgabe Paket Bestellung ist war spät kostenlos innerhalb von dreißig Tagen Sie wir können heute",
    "zh": "退款 包裹 订单 今天 明天 免费 三十天 之内 可以 退货 我们 您 已经 到达 邮寄",
    "ar": "الطرد وصل اليوم غدا مجانا خلال ثلاثين يوما يمكنك إرجاع الطلب بالبريد نحن لا",
    "he": "החבילה הגיעה היום מחר חינם תוך שלושים יום אפשר להחזיר את ההזמנה בדואר לא",
    "hi": "पार्सल आज कल मुफ़्त तीस दिनों के भीतर वापस कर सकते हैं डाक से आदेश नहीं",
    "ja": "荷物 は 今日 明日 無料 三十日 以内 に 返品 できます 注文 郵送 です いいえ",
    "emoji": "👍 👎 📦 🚚 😀 👩\u200d👧 🇩🇪 ❤️ 🎉 ⏰",
}
SENTENCES = (
    "Your refund is on its way.",
    "Your money will be returned soon.",
    "The courier could not find the door, so the parcel went back.",
    "Bananas are yellow; lemons are, too.",
    "Order 44310: 2 x kettle (blue), EUR 89.90, paid by card ending in 1111.",
    "<p>See <b>RET-1</b> &amp; SHIP-12</p>",
    "antidisestablishmentarianism zqzqzqzqzq",
)


def sentence(draw: random.Random, most: int = 25) -> str:
    words = WORDS[draw.choice(list(WORDS))].split()
    return " ".join(draw.choices(words, k=draw.randint(1, most)))


def changed(draw: random.Random, text: str) -> str:
    """``text`` with some of its words left out, swapped or replaced."""
    words = [word for word in text.split() if draw.random() > 0.2] or [text]
    draw.shuffle(words)
    return " ".join([*words, *draw.choices(WORDS["en"].split(), k=draw.randint(0, 3))])


def pair(draw: random.Random, number: int) -> tuple[str, str]:
    if number % 25 == 0:
        return ("", draw.choice(SENTENCES)) if number % 50 else (draw.choice(SENTENCES), "")
    if number % 25 == 1:
        word = draw.choice(WORDS["en"].split())
        return (word, sentence(draw)) if number % 50 == 1 else (sentence(draw), word)
    if number % 50 == 2:
        long = " ".join(draw.choices(WORDS["en"].split() + WORDS["hi"].split(), k=600))
        return (long, sentence(draw)) if number % 100 == 2 else (changed(draw, sentence(draw)), long)
    first = draw.choice([draw.choice(SENTENCES), sentence(draw), " ".join(sentence(draw, 6) for _ in range(3))])
    if number % 10 == 3:
        return first, first
    return draw.choice([changed(draw, first), changed(draw, first), sentence(draw), draw.choice(SENTENCES)]), first


@pytest.fixture(scope="module")
def generated() -> list[tuple[str, str]]:
    draw = random.Random(SEED)
    return [pair(draw, number) for number in range(MOST)]


def by_the_package(pairs: list[tuple[str, str]], idf: bool) -> list[list[float]]:
    from bert_score import score

    outputs, references = ([text or NOTHING for text in side] for side in zip(*pairs, strict=True))
    model = str(resolve_model("embedded/all-minilm-l6-v2").path)
    # One long text pads all of its batch. Of the longest pair of a batch the package counts cosines below 0, which it
    # does not of others; batches of 16 are large enough that no pair here is one of these.
    more = {"idf": idf, "device": "cpu", "nthreads": 0, "batch_size": 16}
    found = score(outputs, references, model_type=model, num_layers=6, **more)
    return [[float(axis[n]) for axis in found] for n in range(len(pairs))]


def test_the_pairs_are_of_every_kind(generated: list[tuple[str, str]]) -> None:
    texts = [text for both in generated for text in both]
    assert len(generated) == MOST
    assert texts.count("") == 8
    assert len(set(generated)) > 190
    assert sum(len(text.split()) == 600 for text in texts) == 4
    assert sum(first == second for first, second in generated) >= 15
    for words in WORDS.values():
        assert sum(bool(set(words.split()) & set(text.split())) for text in texts) > 20


@pytest.mark.parametrize("idf", [False, True], ids=["plain", "idf"])
def test_equal_to_the_package(generated: list[tuple[str, str]], samples: Any, idf: bool) -> None:
    options = {"idf": True, "idf_corpus": [reference for _, reference in generated]} if idf else {}
    found = create_scorer("bertscore", None, options).score(samples(*generated))
    ours = [[outcomes[axis].value for axis in AXES] for outcomes in found]
    theirs = by_the_package(generated, idf)
    far = [n for n in range(MOST) if ours[n] != pytest.approx(theirs[n], abs=WITHIN)]
    assert {n: (generated[n], ours[n], theirs[n]) for n in far} == {}
    assert len({tuple(row) for row in theirs}) > 150
