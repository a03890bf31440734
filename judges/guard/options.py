"""What a guard can be told, in Python and in YAML."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, TypedDict

from pydantic import AfterValidator, BaseModel, Field, JsonValue, model_validator

from judges.checks.pii_allow import allowed_keys, check_regions
from judges.checks.unicode_text import seen

KindName: TypeAlias = Literal["email", "iban", "card", "phone"]


class GuardArguments(TypedDict, total=False):
    """The options by name and type; ``GuardOptions`` says what they mean and what they are when left out."""

    max_chars: int
    timeout_ms: float
    pii: Sequence[KindName]
    phone_regions: Sequence[str]
    pii_allow: Sequence[str]
    forbidden: Sequence[str]
    ignore_case: bool
    whole_words: bool
    patterns: Sequence[str]
    json_schema: Mapping[str, Any] | Path | None
    json_within_fence: bool


class GuardOptions(BaseModel, extra="forbid", frozen=True):
    """Every part is off until it is named, but for the limits."""

    max_chars: int = Field(default=20_000, ge=1, description="Longest text; a longer one is a finding, unread.")
    timeout_ms: float = Field(default=100, gt=0, le=10_000, description="Computing time of all searches together.")
    pii: tuple[KindName, ...] = Field(default=(), description="Kinds of personal data that must not be there.")
    phone_regions: tuple[str, ...] = Field(default=(), description="Countries whose national numbers count too.")
    pii_allow: tuple[str, ...] = Field(default=(), description="Data that may be there: an address, a number, @domain.")
    forbidden: tuple[Annotated[str, AfterValidator(seen)], ...] = Field(default=(), description="Phrases.")
    ignore_case: bool = Field(default=True, description="Find phrases whatever their case.")
    whole_words: bool = Field(default=True, description="Find no phrase inside a longer word.")
    patterns: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=(), description="Regular expressions.")
    json_schema: dict[str, JsonValue] | Path | None = Field(
        default=None, description="The text must be JSON that follows this schema (or that in this file)."
    )
    json_within_fence: bool = Field(default=False, description="The JSON may stand in a fenced block.")

    @model_validator(mode="after")
    def _is_understood(self) -> Self:
        check_regions(self.phone_regions)
        allowed_keys(self.pii_allow, self.phone_regions)
        if (self.phone_regions or self.pii_allow) and not self.pii:
            raise ValueError("phone_regions and pii_allow go with pii; name the kinds that must not be there")
        if self.phone_regions and "phone" not in self.pii:
            raise ValueError("phone_regions go with pii: [phone]")
        return self
