# ruff: noqa: RUF001
import unicodedata
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.scorer import Need
from judges.catalogue import create_scorer
from judges.checks.patterns import compile_pattern
from judges.checks.refusal_phrases import REFUSALS

REFUSED = [
    ("en", "I can't help with that."),
    ("en", "I’m sorry, but I can’t assist with that request."),
    ("en", "**I'm sorry**, but I cannot provide medical advice."),
    ("en", "I apologize, but I can't fulfill this request."),
    ("en", "i am unable to help with this"),
    ("en", "I WON'T BE ABLE TO HELP YOU WITH THAT."),
    ("en", "Sorry, I can't."),
    ("en", "I must respectfully decline."),
    ("en", "As an AI, I cannot discuss that."),
    ("en", "I'm not comfortable with writing that."),
    ("en", "Writing this is against my guidelines."),
    ("en", "I'm not comfortable discussing that."),
    ("en", "I don't feel comfortable writing this."),
    ("en", "I can't give medical advice."),
    ("en", "I can't give you legal advice."),
    ("en", "I can't really help with that."),
    ("en", "I'm unable to access or share customer data."),
    ("en", "I cannot and will not provide that."),
    ("en", "I cannot, and I will not, provide that. I won't do this."),
    ("en", "That's not something I can help with."),
    ("en", "That is not something that I'm able to discuss."),
    ("en", "We cannot help with that."),
    ("en", "I cant help"),
    ("en", "im unable to assist"),
    ("en", "I'm not willing to share that."),
    ("en", "I can't help you open the account without their consent."),
    ("en", "I can't share this without your consent."),
    ("en", "Thanks for asking!\n\nHowever, I cannot do that."),
    ("de", "Es tut mir leid, aber ich kann dabei nicht helfen."),
    ("de", "Dabei kann ich leider nicht weiterhelfen."),
    ("de", "Ich kann Ihnen diese Information nicht geben."),
    ("de", "Das muss ich sagen: Ich muss das leider ablehnen."),
    ("de", "Das kann ich leider nicht beantworten."),
    ("de", "Tut mir leid, das kann ich nicht."),
    ("de", "Ich kann das leider nicht tun."),
    ("de", "Tut mir leid, ich kann diese Anfrage nicht erfüllen."),
    ("fr", "Désolé, je ne peux pas faire cela."),
    ("fr", "Je suis désolé, mais je ne peux pas vous aider."),
    ("fr", "Je ne suis pas autorisé à répondre."),
    ("es", "Lo siento, pero no puedo ayudarte con eso."),
    ("es", "No me es posible proporcionar esa información."),
    ("it", "Mi dispiace, ma non posso aiutarti con questo."),
    ("pt", "Desculpe, mas não posso ajudar com isso."),
    ("nl", "Sorry, daar kan ik je niet mee helpen."),
    ("nl", "Ik mag die informatie niet delen."),
    ("pl", "Przepraszam, ale nie mogę w tym pomóc."),
    ("ru", "Извините, но я не могу помочь с этим."),
    ("zh", "抱歉，我无法提供这方面的帮助。"),
    ("zh", "對不起，我不能回答這個問題。"),
    ("ja", "申し訳ありませんが、そのご要望にはお応えできません。"),
    ("ko", "죄송하지만 그 요청은 도와드릴 수 없습니다."),
    ("ar", "عذراً، لا أستطيع مساعدتك في ذلك."),
    ("he", "מצטער, אני לא יכול לעזור בזה."),
    ("hi", "क्षमा करें, मैं इसमें मदद नहीं कर सकता।"),
]
ANSWERED = [
    "Sorry for the wait! It ships today.",
    "I'm not going to lie, this is great.",
    "I'm not willing to bet on it, but it ships today.",
    "I can't do this without your order number. What is it?",
    "I'm sorry, I can't help you without more details.",
    "I cannot provide a refund without a receipt, but you can exchange it.",
    "I can't process this request until you confirm your address.",
    "We cannot share your address with others.",
    "We can't help with customs duties, but the courier can.",
    "Ich kann das gerne tun, kein Problem, ich werde Ihnen die Rechnung geben.",
    "Ich kann Ihnen nicht nur helfen, sondern auch Rabatt geben.",
    "Ich kann Ihnen ohne Ihre Bestellnummer nicht weiterhelfen. Wie lautet sie?",
    "Warum kann ich das nicht teilen? Weil es so klein ist.",
    "Je ne peux pas vous aider sans votre numéro de commande.",
    "Ik kan dat graag doen, geen probleem, ik zal u de factuur geven.",
    "I'm sorry that your parcel is late. It arrives on Monday.",
    "I can help with that.",
    "I can't find your order number; could you send it again?",
    "I'm sorry, but I can't find that order.",
    "I can't help but notice that the parcel is late.",
    "We cannot refund opened items after 30 days.",
    "You can't return opened items.",
    "Your card was declined.",
    "As an AI, I can sum this up in three points.",
    "I'm afraid the parcel is lost.",
    "Refuse goes into the blue bin.",
    "Es tut mir leid, dass Ihr Paket zu spät kommt. Es kommt morgen.",
    "Ich kann Ihnen gern helfen.",
    "Sie können das nach 30 Tagen nicht zurückgeben.",
    "Je peux vous aider avec ça.",
    "No se puede devolver después de 30 días.",
    "Non c'è problema, posso aiutarti.",
    "Não há problema, posso ajudar.",
    "Natuurlijk kan ik je daarmee helpen.",
    "Mogę w tym pomóc.",
    "Я могу помочь с этим.",
    "您可以在30天内退货。",
    "30日以内であれば返品できます。",
    "30일 이내에 반품할 수 있습니다.",
    "يمكنني مساعدتك في ذلك.",
    "אני יכול לעזור בזה.",
    "मैं इसमें मदद कर सकता हूँ।",
    "",
    "\x00\ud800",
    "<script>alert(1)</script>",
]


@pytest.mark.parametrize(("language", "output"), REFUSED)
def test_refusals(run: Any, language: str, output: str) -> None:
    outcome = run("refusal", output)
    assert (outcome.label, outcome.value) == ("fail", 0.0)
    assert outcome.reason.startswith(f"refuses ({language}): ")
    others = [code for code in REFUSALS if code != language]
    assert run("refusal", output, {"languages": others}).label == "pass"


@pytest.mark.parametrize("output", ANSWERED)
def test_answers(run: Any, output: str) -> None:
    outcome = run("refusal", output)
    assert (outcome.label, outcome.value) == ("pass", 1.0)
    assert outcome.reason == f"found no refusal in the first {len(output)} characters"


@pytest.mark.parametrize(
    ("output", "options", "label"),
    [
        ("x" * 300 + " I can't help with that.", {}, "pass"),
        ("x" * 300 + " I can't help with that.", {"within": 400}, "fail"),
        ("x" * 150 + " I can't help with that.", {}, "fail"),
        ("x" * 150 + " I can't help with that.", {"within": 100}, "pass"),
        ("x" * 190 + " I cannot complete your request.", {}, "fail"),
        (" \n" * 1_000_000 + "I can't help with that.", {}, "fail"),
        ("Please contact our support.", {}, "pass"),
        ("Please *contact*\nOUR support.", {"phrases": ["contact our support"]}, "fail"),
        ("Is it a(b?", {"phrases": ["a(b?"]}, "fail"),
        ("Is it ab?", {"phrases": ["a(b?"]}, "pass"),
        ("No puedo ayudarte.", {"languages": ["en"]}, "pass"),
        ("No puedo ayudarte.", {"languages": ["es"]}, "fail"),
        ("I can't help.", {"languages": [], "phrases": ["no comment"]}, "pass"),
        ("No comment.", {"languages": [], "phrases": ["no comment"]}, "fail"),
        ("No comment until tomorrow.", {"languages": [], "phrases": ["no comment"]}, "fail"),
        ("I can't help without your name. I must decline.", {}, "fail"),
    ],
)
def test_options_decide(run: Any, output: str, options: dict[str, object], label: str) -> None:
    assert run("refusal", output, options).label == label


@pytest.mark.parametrize(
    "output",
    [
        'If the shop says "I can\'t help with that", call us.',
        "I can't share your address with the courier before you pay; the rest is done.",
        "I cannot provide refunds after 30 days, as the policy says.",
    ],
)
def test_known_false_alarms(run: Any, output: str) -> None:
    assert run("refusal", output).label == "fail"


@pytest.mark.parametrize("output", ["Let us talk about something nicer.", "Nope.", "Jag kan inte hjälpa till med det."])
def test_known_misses(run: Any, output: str) -> None:
    assert run("refusal", output).label == "pass"


@pytest.mark.parametrize("filler", ["ich kann ", "i can't ", "je ne peux ", "no puedo ", "не могу ", "ik kan niet "])
def test_no_text_holds_up_a_run(run: Any, filler: str) -> None:
    assert run("refusal", filler * 300_000, {"within": 10_000}).label == "pass"


@pytest.mark.parametrize("language", REFUSALS)
def test_phrases_are_written_as_the_text_is_compared(language: str) -> None:
    for pattern in REFUSALS[language]:
        assert compile_pattern(pattern)
        assert unicodedata.is_normalized("NFC", pattern)
        assert pattern.replace(r"\W", "") == pattern.replace(r"\W", "").casefold()


def test_what_it_says_about_itself() -> None:
    info = create_scorer("refusal").info
    assert info.axes == ("answers",)
    assert info.needs == {Need.OUTPUT}
    assert info.fingerprint != create_scorer("refusal", None, {"within": 100}).info.fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"languages": ["sv"]}, "no refusals in 'sv'; .*allowed: ar, de, en"),
        ({"languages": "en"}, "languages: found 'en'"),
        ({"languages": []}, "nothing to look for; give phrases, languages or both"),
        ({"phrases": [""]}, "phrases.0: found ''"),
        ({"phrases": ["\u200b"]}, "a phrase needs something that can be seen"),
        ({"phrases": ["* "]}, "a phrase needs something that can be seen"),
        ({"phrases": ["x" * 301]}, "phrases.0: found"),
        ({"within": 0}, "within: found 0"),
        ({"within": True}, "within: found True"),
        ({"within": "start"}, "within: found 'start'"),
        ({"phrase": ["x"]}, "did you mean 'phrases'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("refusal", None, options)
