"""Claims: what is read out of a list that a judge wrote, and out of an answer."""

import time

import pytest

from judgefleet.errors import ConfigError
from judges.claims import check_language, parse_claims, sentences


@pytest.mark.parametrize(
    ("said", "claims"),
    [
        ("It takes 7 days.", ("It takes 7 days.",)),
        ("- It takes 7 days.\n- It is free.", ("It takes 7 days.", "It is free.")),
        ("1. One.\n2) Two.\n(3) Three.\n4: Four.", ("One.", "Two.", "Three.", "Four.")),
        ("a) One.\n(b) Two.", ("One.", "Two.")),
        ("\u2022 One.\r\n\u2013 Two.", ("One.", "Two.")),
        ("Here are the claims:\n\n* One.\n", ("One.",)),
        ("One.\none\nONE.", ("One.",)),
        ("  spaced \t out  ", ("spaced out",)),
        ("I. M. Pei built it.", ("I. M. Pei built it.",)),
        ("7 days is the limit.\n1.5 kg is too.", ("7 days is the limit.", "1.5 kg is too.")),
        ("None of it is free.", ("None of it is free.",)),
        ("---\n...\n\n", ()),
        ("", ()),
        ("None.", None),
        (" no claims ", None),
        ("N/A", None),
    ],
)
def test_a_list_is_read_line_by_line(said: str, claims: tuple[str, ...] | None) -> None:
    assert parse_claims(said) == claims


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("It is free.", ("It is free.",)),
        ("Dr. Lee pays 3.5 kg! Really? Yes.", ("Dr. Lee pays 3.5 kg!", "Really?", "Yes.")),
        ("- It is free.\n- It takes 7 days.", ("It is free.", "It takes 7 days.")),
        ("It is free. It is free.", ("It is free.",)),
        ("...", ()),
        ("\n \t", ()),
    ],
)
def test_an_answer_is_its_sentences(answer: str, found: tuple[str, ...]) -> None:
    assert sentences(answer) == found


def test_a_long_answer_is_split_whole_and_in_time() -> None:
    started = time.monotonic()
    found = sentences(" ".join(f"Rule {n} holds." for n in range(3000)))
    assert found[0] == "Rule 0 holds."
    assert found[-1] == "Rule 2999 holds."
    assert len(found) == 3000
    assert sentences("(" * 100_000) == ()
    assert time.monotonic() - started < 30


def test_a_language_without_rules_is_refused() -> None:
    check_language("de")
    with pytest.raises(ConfigError, match=r"no rules for sentences of the language 'xx'; .*allowed"):
        check_language("xx")
