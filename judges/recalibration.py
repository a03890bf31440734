"""Corrections of a judge that labels have shown to be needed: a monotone map of grades, and the pull of a slot."""

import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

Knot = tuple[float, float]


def _monotone(knots: tuple[Knot, ...]) -> tuple[Knot, ...]:
    raw, mapped = ([knot[side] for knot in knots] for side in (0, 1))
    if len(knots) < 2 or raw != sorted(set(raw)) or mapped != sorted(mapped):
        raise ValueError("a map has two points or more, [raw, value], raw rising and value never falling")
    return knots


ValueMap = Annotated[tuple[Knot, ...], AfterValidator(_monotone)]


def mapped(value: float, knots: tuple[Knot, ...]) -> float:
    """``value`` on the line through ``knots``, flat beyond its ends; no knots leave it as it is.

    >>> mapped(2.0, ((1.0, 1.0), (3.0, 5.0))), mapped(9.0, ((1.0, 1.0), (3.0, 5.0))), mapped(2.0, ())
    (3.0, 5.0, 2.0)
    """
    if not knots:
        return value
    place = bisect_right([raw for raw, _ in knots], value)
    if place in (0, len(knots)):
        return knots[min(place, len(knots) - 1)][1]
    (x0, y0), (x1, y1) = knots[place - 1 : place + 1]
    return round(y0 + (y1 - y0) * (value - x0) / (x1 - x0), 6)


def nearest_label(value: float, values: Mapping[str, float]) -> str:
    """The label whose number is nearest, the lower one halfway between two.

    >>> nearest_label(3.4, {"1": 1.0, "3": 3.0, "5": 5.0})
    '3'
    """
    return min(values, key=lambda label: (abs(values[label] - value), values[label]))


def without_slot_bias(place: Mapping[str, float], order_bias: float, temperature: float) -> dict[str, float]:
    """One order's distribution over first, second and tie, without the pull of the first slot.

    ``order_bias``: log-odds that the first slot has by being first; ``temperature``: what the log-odds are divided by
    afterwards. The share of ties stays.

    >>> without_slot_bias({"first": 0.8, "second": 0.2, "tie": 0.0}, math.log(4), 1.0)
    {'first': 0.5, 'second': 0.5, 'tie': 0.0}
    """
    first, second = (max(place.get(name, 0.0), 1e-9) for name in ("first", "second"))
    odds = (math.log(first / second) - order_bias) / temperature
    share = place.get("first", 0.0) + place.get("second", 0.0)
    likely = share / (1 + math.exp(-odds))
    return {"first": round(likely, 6), "second": round(share - likely, 6), "tie": place.get("tie", 0.0)}
