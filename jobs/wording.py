"""How numbers, and text that nobody vouches for, are written for people: one way in the terminal and on the page."""

import math
import re
from collections.abc import Mapping

from judgefleet.statistics import Estimate

# Controls (tab and line feed stay), line separators, lone surrogates, and characters that reorder the text around
# them. Joiners and variation selectors stay: scripts and emoji need them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)

# Values up to this are told with more digits than three.
_SMALL = 0.1


def visible(text: object) -> str:
    """Foreign text with what a terminal or browser would obey, hide or choke on written out as its code point.

    >>> visible("a" + chr(0) + "b" + chr(0x202E) + "c" + chr(27) + "[2J")
    'a⟨U+0000⟩b⟨U+202E⟩c⟨U+001B⟩[2J'
    """
    return _UNSEEN.sub(lambda m: f"⟨U+{ord(m[0]):04X}⟩", str(text).replace("\r\n", "\n"))


def one_line(text: object, width: int) -> str:
    """Visible text on one line, cut to ``width`` characters with an ellipsis.

    >>> one_line("first line\\nsecond", 12)
    'first line …'
    """
    flat = " ".join(visible(str(text)[: 4 * width]).split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def decimals(scale: tuple[float, float]) -> int:
    """Digits after the point that suit values on ``scale``.

    >>> decimals((0, 1)), decimals((1, 5)), decimals((0, 500)), decimals((0, 0.0005))
    (3, 2, 1, 6)
    """
    span = scale[1] - scale[0]
    if 0 < span < _SMALL:
        return 2 - math.floor(math.log10(span))
    return 3 if span <= 2 else 2 if span <= 20 else 1


def rounded_up(value: float) -> float:
    """A number above 0, rounded up to one digit.

    >>> rounded_up(0.72), rounded_up(0.00047), rounded_up(300.0)
    (0.8, 0.0005, 300.0)
    """
    unit = 10.0 ** math.floor(math.log10(value))
    return float(f"{math.ceil(value / unit - 1e-9) * unit:.1g}")


def end_of_scale(high: float) -> float:
    """Where a scale from 0 ends whose values reach up to ``high``: at 1, at a whole number, or close to values that are
    next to nothing on either, such as costs.

    >>> end_of_scale(0.4), end_of_scale(2.5), end_of_scale(0.00047)
    (1.0, 3.0, 0.0005)
    """
    return rounded_up(high) if 0 < high < _SMALL else float(math.ceil(max(1.0, high)))


def number(value: float | None, places: int, *, signed: bool = False) -> str:
    """A number with fixed decimals, or ``n/a``; never ``-0.00``.

    >>> number(3.14159, 2), number(0.1, 2, signed=True), number(-0.001, 2), number(None, 2)
    ('3.14', '+0.10', '0.00', 'n/a')
    """
    if value is None:
        return "n/a"
    rounded = round(value, places) + 0.0
    return f"{rounded:+.{places}f}" if signed and rounded else f"{rounded:.{places}f}"


def interval(e: Estimate, places: int, *, signed: bool = False) -> str:
    """The interval in brackets, or the reason why there is none.

    >>> interval(Estimate(value=1, low=0.5, high=1.5, n=9, n_clusters=9, method="t"), 1)
    '[0.5, 1.5]'
    >>> interval(Estimate(value=1, n=9, n_clusters=1, method="mean; no interval: one cluster"), 1)
    'no interval: one cluster'
    """
    if not e.has_interval:
        return e.method.partition("; ")[2] or "no interval"
    return f"[{number(e.low, places, signed=signed)}, {number(e.high, places, signed=signed)}]"


def percent(part: int, whole: int) -> str:
    """A share in whole percent, never rounded to 0 or 100 when it is neither.

    >>> percent(1, 3), percent(999, 1000), percent(1, 1000), percent(0, 0)
    ('33 %', '> 99 %', '< 1 %', 'n/a')
    """
    if not whole:
        return "n/a"
    share = round(100 * part / whole)
    if share == 100 and part < whole:
        return "> 99 %"
    return "< 1 %" if share == 0 and part else f"{share} %"


def variant_name(variant: str | None) -> str:
    """The variant in words; traces outside any experiment have none."""
    return "no variant" if variant is None else one_line(variant, 40)


def counts(found: Mapping[str, int]) -> str:
    """Counts by name, the largest first.

    >>> counts({"refused": 1, "truncated": 3})
    '3 truncated, 1 refused'
    """
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{n} {visible(name).replace('_', ' ')}" for name, n in ordered)
