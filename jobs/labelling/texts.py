"""Foreign text for the page: its beginning, and where the whole of it is."""

from dataclasses import dataclass

from calibration.audit import AuditItem

LONGEST_SHOWN = 20_000
# Longer contexts and references are folded up until somebody wants them.
LONGEST_OPEN = 1_500


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """``text``: the first characters; ``total``: how many there are; ``href``: the page with all of them."""

    text: str
    total: int
    href: str

    @property
    def cut(self) -> bool:
        """Whether more was left out."""
        return len(self.text) < self.total

    @property
    def short(self) -> bool:
        """Whether it may stand open on the page from the start."""
        return self.total <= LONGEST_OPEN


def parts_of(item: AuditItem, order: tuple[int, ...]) -> dict[str, str]:
    """The texts of an item by name; the responses are ``1`` and ``2`` as shown. Missing texts are left out."""
    given = {"question": item.question, "context": item.context, "reference": item.reference}
    answers = {str(place): item.responses[position] for place, position in enumerate(order, start=1)}
    return {name: text for name, text in (given | answers).items() if text is not None}


def shown_parts(key: str, parts: dict[str, str]) -> dict[str, Shown]:
    """Each text cut to what the page holds."""
    return {
        name: Shown(text=text[:LONGEST_SHOWN], total=len(text), href=f"/text/{key}/{name}")
        for name, text in parts.items()
    }
