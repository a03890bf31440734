"""Finds e-mail addresses, phone numbers, payment cards and IBANs in text; small, pure, and quick on text without them.

Nothing but the standard library is imported before a candidate is seen: text without ``@`` and digits costs a few
microseconds. In a request path, ask ``judges.guard``: it loads at start-up what a datum would load.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from judges.checks.pii_email import find_emails
from judges.checks.pii_numbers import find_cards, find_ibans
from judges.checks.pii_phone import find_phones
from judges.checks.pii_text import plain


class Kind(StrEnum):
    """A kind of personal datum, in the order in which they are looked for."""

    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    PHONE = "phone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One datum: where it stands in the text, and its one form (``key``), which no log and no row may hold."""

    kind: Kind
    start: int
    end: int
    key: str = field(repr=False)

    @property
    def masked(self) -> str:
        """What may be shown: the top-level domain of an address, the country of an IBAN, the last digits of a number.

        >>> next(find_pii("Pay to DE89 3704 0044 0532 0130 00.")).masked
        'DE***00'
        """
        if self.kind is Kind.EMAIL:
            return f"***@***.{self.key.rpartition('.')[2]}"
        if self.kind is Kind.IBAN:
            return f"{self.key[:2]}***{self.key[-2:]}"
        return f"***{self.key[-4:] if self.kind is Kind.CARD else self.key[-2:]}"


Tick: TypeAlias = Callable[[], None]
Place: TypeAlias = tuple[int, int, str]

_DIGIT = re.compile(r"[0-9]")


def find_pii(
    text: str,
    kinds: Collection[Kind] = tuple(Kind),
    regions: Sequence[str] = (),
    timeout_s: float = 1.0,
    tick: Tick | None = None,
) -> Iterator[Found]:
    """Every datum of ``kinds`` in ``text``, kind by kind, left to right.

    Addresses as RFC 5322 has them without quoted local parts. In a script without spaces between words, text of the
    same script that touches an address counts as part of it.

    Card numbers of 13 to 19 digits in the ranges of issuers (ISO/IEC 7812) with a right check digit (Luhn), in one
    block, in groups as on a card, or digit by digit; a longer row of groups of four is nothing but cards, or none.
    IBANs of the registry's lengths and structures with right check digits (ISO 13616).

    Phone numbers that the numbering plan of their country knows (ITU-T E.164): those with ``+`` or ``00`` always, those
    without for the two-letter ``regions``.

    A kind is searched for ``timeout_s``, then the next; TimeoutError is raised at the end, after all that was found.
    With ``tick``, which is called at every candidate, what that raises instead.

    >>> [(f.kind.value, f.key) for f in find_pii("Anna@shop.example, 4111-1111-1111-1111, +49 89 1234567")]
    [('email', 'anna@shop.example'), ('card', '4111111111111111'), ('phone', '+49891234567')]
    >>> [f.key for f in find_pii("Call 089/1234567.", regions=["DE"])]
    ['+49891234567']
    """
    readable, offsets = plain(text)
    taken: list[tuple[int, int]] = []
    late: TimeoutError | None = None
    for kind in (k for k in Kind if k in kinds):
        try:
            for start, end, key in _places(kind, readable, regions, tick or _clock(timeout_s)):
                if not any(start < b and a < end for a, b in taken):
                    taken.append((start, end))
                    yield Found(kind=kind, start=offsets[start], end=offsets[end - 1] + 1, key=key)
        except TimeoutError as error:
            late = error
    if late:
        raise late


def _clock(timeout_s: float) -> Tick:
    deadline = time.monotonic() + timeout_s

    def tick() -> None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the search for personal data was ended after {timeout_s:g} s")

    return tick


def _places(kind: Kind, text: str, regions: Sequence[str], tick: Tick) -> Iterator[Place]:
    if kind is Kind.EMAIL:
        return find_emails(text, tick)
    if not _DIGIT.search(text):
        return iter(())
    if kind is Kind.PHONE:
        return find_phones(text, regions, tick)
    return (find_ibans if kind is Kind.IBAN else find_cards)(text, tick)
