"""contains: the output has the phrases it should have, and none that it must not have."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, Field, model_validator

from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judges.checks.base import Check, check_info, failed, passed, quoted, some
from judges.checks.json_text import parse_json
from judges.checks.unicode_text import UNICODE_VERSION, can_be_seen, seen
from judges.checks.words import compared

Rule: TypeAlias = Literal["all_of", "any_of", "none_of"]
RULES: tuple[Rule, ...] = ("all_of", "any_of", "none_of")

# A trace is not to be trusted with how long a check takes.
_MOST_PHRASES = 200
_MOST_SHOWN = 3


Phrase: TypeAlias = Annotated[str, AfterValidator(seen)]


class Contains(Check):
    """Passes when the output has all phrases of ``all_of``, one of ``any_of``, and none of ``none_of``.

    Text is compared in NFC, with any run of white space equal to one space. ``from_attributes`` takes the phrases of a
    rule (also) from an attribute of the trace: a JSON list of texts, or one phrase a line; a trace without it is not
    applicable. With ``whole_words`` a phrase must not begin or end inside a word (letters, marks, digits, underscore).

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> trace = Trace(trace_id="t", output="Returns are free for 30 days.")
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> Contains("says", Contains.Options(all_of=["30 days"], none_of=["14 days"])).score([sample])[0]["contains"].value
    1.0
    >>> Contains("says", Contains.Options(all_of=["prepaid label"])).score([sample])[0]["contains"].reason
    "lacks 'prepaid label'"
    """

    EXAMPLE = "all_of: [30 days], none_of: [14 days], ignore_case: true"

    class Options(BaseModel, extra="forbid", frozen=True):
        """At least one phrase, or one attribute to take phrases from.

        ``all_of``: phrases that must all be there. ``any_of``: phrases of which one must be there. ``none_of``: phrases
        that must not be there, of which none may stand in one of ``all_of``. ``from_attributes`` names an attribute for
        a rule (``all_of: expected_facts``). ``ignore_case`` is the caseless match of Unicode; ``whole_words`` finds no
        phrase inside a longer word.
        """

        all_of: tuple[Phrase, ...] = ()
        any_of: tuple[Phrase, ...] = ()
        none_of: tuple[Phrase, ...] = ()
        from_attributes: dict[Rule, Annotated[str, Field(min_length=1)]] = {}
        ignore_case: bool = False
        whole_words: bool = False

        @model_validator(mode="after")
        def _has_phrases(self) -> Self:
            if not (self.all_of or self.any_of or self.none_of or self.from_attributes):
                raise ValueError("give phrases in all_of, any_of or none_of, or an attribute in from_attributes")
            return self

        @model_validator(mode="after")
        def _can_pass(self) -> Self:
            for wanted in self.all_of:
                inside = [phrase for phrase in self.none_of if self.compared(phrase) in self.compared(wanted)]
                if inside:
                    raise ValueError(f"all_of has {quoted(wanted)}, so none_of must not have {quoted(inside[0])}")
            return self

        def compared(self, text: str) -> str:
            """``text`` as phrases are looked for in it."""
            return compared(text, ignore_case=self.ignore_case, whole_words=self.whole_words)

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        config = {**options.model_dump(mode="json"), "unicode_version": UNICODE_VERSION}
        self.info = check_info(name, use="contains", axis="contains", config=config)

    def check(self, sample: Sample) -> Outcome:
        """Look for every phrase."""
        try:
            phrases = {rule: self._phrases(rule, sample.trace.attributes) for rule in RULES}
        except ValueError as error:
            return failure(Status.NOT_APPLICABLE, str(error))
        text = self.options.compared(sample.trace.output or "")
        found = {rule: [p for p in phrases[rule] if self.options.compared(p) in text] for rule in RULES}
        broken = _broken(phrases, found)
        if broken:
            return failed("; ".join(broken))
        good = [quoted(p) for p in (*found["all_of"], *found["any_of"])]
        return passed(f"has {some(good, _MOST_SHOWN) or 'nothing that it must not have'}")

    def _phrases(self, rule: Rule, attributes: Mapping[str, str]) -> list[str]:
        key = self.options.from_attributes.get(rule)
        written: tuple[str, ...] = getattr(self.options, rule)
        return [*written, *(_listed(key, attributes.get(key)) if key else ())]


def _broken(phrases: Mapping[Rule, list[str]], found: Mapping[Rule, list[str]]) -> list[str]:
    lacking = [p for p in phrases["all_of"] if p not in found["all_of"]]
    none_of_them = phrases["any_of"] if not found["any_of"] else []
    return [
        f"{what} {some([quoted(p) for p in which], _MOST_SHOWN)}"
        for what, which in (("lacks", lacking), ("has none of", none_of_them), ("must not have", found["none_of"]))
        if which
    ]


def _listed(key: str, value: str | None) -> list[str]:
    """The phrases in an attribute. Raises ValueError saying why there are none."""
    if value is None or not can_be_seen(value):
        raise ValueError(f"the trace has no attribute {key!r}" if value is None else f"the attribute {key!r} is blank")
    phrases = list(dict.fromkeys(p.strip() for p in _texts(key, value) if can_be_seen(p)))
    if not phrases or len(phrases) > _MOST_PHRASES:
        raise ValueError(f"the attribute {key!r} lists {len(phrases)} phrases; allowed: 1 to {_MOST_PHRASES}")
    return phrases


def _texts(key: str, value: str) -> list[str]:
    if not value.lstrip().startswith("["):
        return value.splitlines()
    try:
        listed = parse_json(value)
    except ValueError:
        return value.splitlines()
    if not all(isinstance(text, str) for text in listed):
        raise ValueError(f"the attribute {key!r} holds a JSON list with something other than texts")
    return list(listed)
