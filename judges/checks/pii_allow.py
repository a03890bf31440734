"""Personal data that are no leak: the addresses, numbers and domains that an allow list names."""

from collections.abc import Iterable, Sequence

from judgefleet.errors import ConfigError
from judges.checks.pii_find import Found, Kind, find_pii


def allowed_keys(allow: Iterable[str], regions: Sequence[str] = ()) -> frozenset[str]:
    """The one form of each entry: a datum, or ``@domain`` for all its addresses. Raises ConfigError for anything else.

    >>> sorted(allowed_keys(["4111 1111 1111 1111", "@Shop.example"]))
    ['4111111111111111', '@shop.example']
    """
    return frozenset(key for entry in allow for key in _keys_of(entry, regions))


def is_allowed(found: Found, allowed: frozenset[str]) -> bool:
    """Whether ``allowed`` (of ``allowed_keys``) has the datum itself or the domain of the address."""
    domain = f"@{found.key.rpartition('@')[2]}"
    return found.key in allowed or (found.kind is Kind.EMAIL and domain in allowed)


def check_regions(regions: Sequence[str]) -> Sequence[str]:
    """``regions``, if the library of phone numbers knows them all. Raises ValueError."""
    if regions:
        from phonenumbers import SUPPORTED_REGIONS

        for region in set(regions) - set(SUPPORTED_REGIONS):
            raise ValueError(f"no region {region!r}; allowed: two capital letters of a country, such as DE")
    return regions


def _keys_of(entry: str, regions: Sequence[str]) -> set[str]:
    text = f"a{entry}" if entry.startswith("@") else entry
    found = {f.key for f in find_pii(text, regions=regions)}
    if len(found) != 1:
        raise ConfigError(
            f"allow: found {entry!r}; allowed: one e-mail address, phone number (with + or of the regions), card "
            "number or IBAN an entry, or @ and a domain"
        )
    return {key.removeprefix("a") for key in found} if text != entry else found
