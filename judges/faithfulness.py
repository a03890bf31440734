"""Faithfulness: which share of an answer's claims its contexts support, one guided verdict a claim."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from judgefleet.errors import ConfigError
from judgefleet.rubric import load_rubric
from judges.claim_check import BoundFaithfulness
from judges.claims import check_language
from judges.judge import RUBRICS, RubricOptions, writer_of
from judges.prompt import DEFAULT_ENGINE, Writer


class FaithfulnessOptions(RubricOptions):
    """``rubric``: a name in judges/rubrics, or a YAML file, with one axis of two labels, worth 0 and 1.

    ``engine``: the name of the engine that is asked. ``claims``: ``asked`` has the judge list the claims of the answer
    before it checks them, ``sentences`` takes the sentences, which small models cannot get wrong. ``max_claims``: the
    first so many are checked; an answer with more than twice as many is not judged. ``claim_tokens``: how long the list
    may be; one that is longer is not judged. ``counted``: a claim counts by the ``probability`` that it is supported,
    or by its ``label``, 0 or 1. ``language``: of the sentences, as two letters.
    """

    rubric: str = "claim_support"
    engine: str = DEFAULT_ENGINE
    claims: Literal["asked", "sentences"] = "asked"
    max_claims: int = Field(default=20, ge=1, le=200)
    claim_tokens: int = Field(default=512, ge=16, le=8192)
    counted: Literal["probability", "label"] = "probability"
    language: str = "en"


class FaithfulnessJudge:
    """Which share of the claims in an answer follows from its contexts; each claim is one guided verdict.

    The method is that of FActScore (Min et al. 2023) and of the faithfulness of Ragas (Es et al. 2024): take the answer
    apart into claims, check each against the contexts, take the mean. A row lists every claim with its verdict. Its
    label is that of the least supported claim. One verdict that fails leaves the row without a value.

    >>> judge = FaithfulnessJudge("faithfulness", FaithfulnessOptions(claims="sentences"))
    >>> judge.rubric.axes[0].name, judge.options.counted
    ('faithfulness', 'probability')
    """

    EXAMPLE = "claims: sentences"
    AXES = "the one of the rubric, `faithfulness`"
    VALUE = "share of claims that the contexts support, 0 to 1"

    Options = FaithfulnessOptions
    together: str | None = None

    def __init__(self, name: str, options: FaithfulnessOptions) -> None:
        self.name, self.options = name, options
        self.rubric = load_rubric(options.rubric, RUBRICS)
        found = [sorted(axis.scale.values.values()) for axis in self.rubric.axes]
        if found != [[0.0, 1.0]]:
            raise ConfigError(
                f"rubric {self.rubric.name!r} has axes with the values {found}; "
                "faithfulness needs one axis with two labels, worth 0 and 1, as in the rubric 'claim_support'"
            )
        if self.rubric.examples:
            raise ConfigError(f"rubric {self.rubric.name!r} has examples; faithfulness checks claims and takes none")
        if options.claims == "sentences":
            check_language(options.language)

    @property
    def engines(self) -> frozenset[str]:
        """The one engine it asks."""
        return frozenset({self.options.engine})

    def bind(self, writers: Mapping[str, Writer]) -> BoundFaithfulness:
        """The judge for one model. Raises ConfigError when its tokenizer does not tell the two labels apart."""
        options, writer = self.options, writer_of(writers, self.options.engine, self.name)
        listing = None if options.claims == "sentences" else options.claim_tokens
        return BoundFaithfulness(
            self.name,
            self.rubric,
            writer,
            claim_tokens=listing,
            max_claims=options.max_claims,
            counted=options.counted,
            language=options.language,
        )
