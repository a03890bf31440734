"""Who labels: a name that people type, made comparable. It is a name and not an account: nobody proves who they are."""

import unicodedata
from collections.abc import Iterable

from calibration.audit import Label
from jobs.labelling.choices import SubmitError

LONGEST_NAME = 60
_ADJUDICATING = " (adjudicating)"


def rater_name(text: str) -> str:
    """The name with one form for the same letters and single spaces. Raises SubmitError: empty, too long, controls.

    >>> rater_name("  Ana   B. ")
    'Ana B.'
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise SubmitError("the name is empty; type one, or initials")
    if len(name) > LONGEST_NAME:
        raise SubmitError(f"the name has {len(name)} characters; allowed: {LONGEST_NAME}")
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") for c in name):
        raise SubmitError("the name holds characters that cannot be seen; type it with letters")
    if name.endswith(_ADJUDICATING.strip()):
        raise SubmitError(f"the name ends in {_ADJUDICATING.strip()!r}, which is added to decisions; type it without")
    return name


def known_rater(name: str, log: Iterable[Label]) -> str | None:
    """The name as it stands in the labels already, whatever its capitals: ``ana`` and ``Ana`` are one person."""
    names = {label.rater.removesuffix(_ADJUDICATING) for label in log}
    if name in names:
        return name
    return next((known for known in sorted(names) if known.casefold() == name.casefold()), None)


def adjudicator(name: str) -> str:
    """The name under which decisions are stored, so that the same person's own label of an item stays as it is.

    >>> adjudicator("Ana")
    'Ana (adjudicating)'
    """
    return name + _ADJUDICATING
