# ruff: noqa: RUF001
import pickle
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.scorer import Need
from judgefleet.trace import Message
from judges.catalogue import create_scorer
from judges.checks.language_guess import known_languages, letters, probabilities, prose, same, sum_of

TEXTS = {
    "en": "Your parcel will arrive tomorrow morning between nine and eleven.",
    "de": "Ihr Paket kommt morgen Vormittag zwischen neun und elf Uhr an.",
    "fr": "Votre colis arrivera demain matin entre neuf heures et onze heures.",
    "es": "Su paquete llegará mañana por la mañana entre las nueve y las once.",
    "it": "Il suo pacco arriverà domani mattina tra le nove e le undici.",
    "pt": "O seu pacote chegará amanhã de manhã entre as nove e as onze horas.",
    "nl": "Uw pakket komt morgenochtend tussen negen en elf uur aan.",
    "pl": "Twoja paczka dotrze jutro rano między dziewiątą a jedenastą.",
    "ru": "Ваша посылка прибудет завтра утром между девятью и одиннадцатью часами.",
    "tr": "Paketiniz yarın sabah dokuz ile on bir arasında ulaşacak.",
    "zh": "您的包裹将在明天上午九点到十一点之间送达。",
    "ja": "お荷物は明日の午前九時から十一時の間に到着します。",
    "ko": "소포는 내일 오전 아홉 시에서 열한 시 사이에 도착합니다.",
    "ar": "ستصل طردك صباح الغد بين الساعة التاسعة والحادية عشرة.",
    "he": "החבילה שלך תגיע מחר בבוקר בין תשע לאחת עשרה.",
    "hi": "आपका पार्सल कल सुबह नौ से ग्यारह बजे के बीच पहुँचेगा।",
    "sr": "Ваш пакет ће стићи сутра ујутро између девет и једанаест часова.",
    "hr": "Vaš paket stiže sutra ujutro između devet i jedanaest sati.",
    "id": "Paket Anda akan tiba besok pagi antara pukul sembilan dan sebelas.",
    "ms": "Bungkusan anda akan tiba pagi esok antara pukul sembilan dan sebelas.",
    "nn": "Pakken din kjem i morgon tidleg mellom klokka ni og elleve.",
    "yue": "你嘅包裹聽日朝早九點到十一點之間會送到,唔該晒。",
}
KIKUYU = "Nĩ wega mũno, mũthenya mwega na ũhoro waku nĩ atĩa rĩu."
CODE = "```python\ndef where(parcel):\n    return find_the_parcel(parcel).place_of_the_parcel\n```\n"


@pytest.mark.parametrize("code", TEXTS)
def test_each_language_is_told_and_is_not_another(run: Any, code: str) -> None:
    assert run("language", TEXTS[code], {"expected": code}).label == "pass"
    other = "en" if code != "en" else "de"
    outcome = run("language", TEXTS[code], {"expected": [other]})
    assert (outcome.label, outcome.value) == ("fail", 0.0)


@pytest.mark.parametrize(
    ("code", "text"),
    [("nb", TEXTS["nn"]), ("no", TEXTS["nn"]), ("ki", KIKUYU), ("kik", KIKUYU)],
)
def test_a_language_may_have_two_codes(run: Any, code: str, text: str) -> None:
    assert run("language", text, {"expected": code}).label == "pass"
    assert run("language", text, {"expected": ["en"], "among": [code, "en"]}).label == "fail"


@pytest.mark.parametrize(
    ("asked", "answered", "label"),
    [
        ("en", "en", "pass"),
        ("de", "de", "pass"),
        ("en", "de", "fail"),
        ("zh", "en", "fail"),
        ("yue", "zh", "pass"),
        ("hr", "sr", "pass"),
        ("id", "ms", "pass"),
        ("es", "pt", "fail"),
        ("ja", "zh", "fail"),
    ],
)
def test_the_language_of_the_question(run: Any, asked: str, answered: str, label: str) -> None:
    outcome = run("language", TEXTS[answered], messages=(Message(role="user", content=TEXTS[asked]),))
    assert outcome.label == label
    assert outcome.reason.endswith(f"expected {same(asked)}, the language of the question")


@pytest.mark.parametrize(
    ("output", "options", "label"),
    [
        (TEXTS["de"], {"expected": ["en", "de"]}, "pass"),
        (TEXTS["fr"], {"expected": ["en", "de"]}, "fail"),
        (TEXTS["en"].upper(), {"expected": "en"}, "pass"),
        (f"**{TEXTS['en']}**\n\n- 1 parcel\n- 2 lamps", {"expected": "en"}, "pass"),
        (CODE + TEXTS["de"], {"expected": "de"}, "pass"),
        (TEXTS["de"] + "\n" + CODE.rstrip("`\n"), {"expected": "de"}, "pass"),
        (TEXTS["zh"] + " https://shop.example/where/is/my/parcel/and/when/will/it/come", {"expected": "zh"}, "pass"),
        (TEXTS["en"] + " \x00", {"expected": "en"}, "pass"),
        (TEXTS["en"] * 30_000, {"expected": "en"}, "pass"),
        ("Pakken kommer i morgen.", {"expected": "da", "among": ["da", "sv", "en"]}, "pass"),
        (TEXTS["zh"] * 1000, {"expected": "de", "among": ["de", "en"]}, "fail"),
        (TEXTS["fr"], {"expected": "en", "among": ["de", "en"]}, "fail"),
    ],
)
def test_cases(run: Any, output: str, options: dict[str, object], label: str) -> None:
    outcome = run("language", output, options)
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))


@pytest.mark.parametrize(
    ("output", "options", "reason"),
    [
        ("Ja.", {}, "the output has 2 letters, too few to tell its language; needed: 12"),
        (None, {}, "the output has 0 letters"),
        ("", {}, "the output has 0 letters"),
        ("12 345 6789 - 0.5 !!!" * 99, {}, "the output has 0 letters"),
        ("👩‍👧 🇩🇪" * 99, {}, "the output has 0 letters"),
        ("\ud800" * 99, {}, "the output has 0 letters"),
        ("\x00" * 2_000_000, {}, "the output has 0 letters"),
        (CODE, {}, "the output has 0 letters"),
        ("`parcel.find_the_place()` https://shop.example/parcel help@shop.example", {}, "the output has 0 letters"),
        ("退款。", {}, "the output has 6 letters"),
        ("abc def ghi jkl", {}, "the output looks like no language: zxx (0.2"),
        (TEXTS["en"], {"min_letters": 500}, "too few to tell its language; needed: 500"),
        (f"{TEXTS['en']} {TEXTS['de']}", {"min_confidence": 0.99}, "the language of the output is unclear: "),
        ("Pakken kommer i morgen.", {}, "the language of the output is unclear: no/nn (0.5"),
        ("a" * 2_000_000, {}, "the language of the output is unclear: "),
    ],
)
def test_what_cannot_be_told_is_not_applicable(
    run: Any, output: str | None, options: dict[str, object], reason: str
) -> None:
    outcome = run("language", output, {"expected": "en", **options})
    assert (outcome.status, outcome.value) == (Status.NOT_APPLICABLE, None)
    assert reason in outcome.reason


def test_a_question_that_cannot_be_told_is_not_applicable(run: Any) -> None:
    outcome = run("language", TEXTS["en"], messages=(Message(role="user", content="RET-1?"),))
    assert outcome.status is Status.NOT_APPLICABLE
    assert outcome.reason.startswith("the question has 3 letters")


def test_the_reason_says_how_sure_it_is(run: Any) -> None:
    outcome = run("language", TEXTS["de"], {"expected": ["en", "fr"]})
    assert outcome.reason == "found de (1.00), expected en or fr"


def test_what_it_says_about_itself() -> None:
    assert create_scorer("language").info.needs == {Need.OUTPUT, Need.QUESTION}
    named = create_scorer("language", None, {"expected": ["de"]})
    assert named.info.needs == {Need.OUTPUT}
    assert len(pickle.dumps(named)) < 20_000
    assert pickle.loads(pickle.dumps(named)).info == named.info


def test_probabilities_sum_to_one() -> None:
    found = probabilities(TEXTS["hr"])
    assert sum(found.values()) == pytest.approx(1, abs=1e-3)
    assert sum_of(found, ["hr", "sr", "bs"]) == found["hr/bs/sr"]
    assert {"en", "zh", "yue"} <= known_languages()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a `b` c", "a c"),
        ("a\n```\nb\n```\nc", "a c"),
        ("a\n~~~ py\nb\n```\nb\n~~~~\nc", "a c"),
        ("a\n```\nb\nb", "a"),
        ("a www.b.example c", "a c"),
        ("a b@c.example d", "a d"),
        ("a ``` b", "a ``` b"),
        ("", ""),
    ],
)
def test_prose(text: str, kept: str) -> None:
    assert " ".join(prose(text).split()) == kept


@pytest.mark.parametrize(("text", "count"), [("", 0), ("ab1", 2), ("退款", 6), ("여", 3), ("שב", 2), ("a" * 99, 12)])
def test_letters(text: str, count: int) -> None:
    assert letters(text, 12) == count


@pytest.mark.parametrize("filler", ["a@", "`a", "```\n", "~~~x\n", "www.", "a.", "http://", "@", " ", "\n", "退"])
def test_removing_code_and_addresses_takes_linear_time(run: Any, filler: str) -> None:
    import time

    started = time.process_time()
    run("language", filler * (2_000_000 // len(filler)), {"expected": "en"})
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expected": "xx"}, "expected: found 'xx'; no language 'xx'; .*allowed: .*de"),
        ({"expected": ["en", "german"]}, "no language 'german'"),
        ({"expected": "zxx"}, "no language 'zxx'"),
        ({"expected": ""}, "expected: found ''"),
        ({"expected": []}, r"expected"),
        ({"expected": 5}, "found 5"),
        ({"among": ["EN"]}, "no language 'EN'"),
        ({"min_letters": 0}, "min_letters: found 0"),
        ({"min_letters": True}, "min_letters: found True"),
        ({"min_confidence": 0.4}, "min_confidence: found 0.4"),
        ({"min_confidence": "high"}, "min_confidence: found 'high'"),
        ({"languages": ["en"]}, "unknown key 'languages'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("language", None, options)
