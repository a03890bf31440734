"""Two orders of one pair become one verdict, seen from either side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_SIDES = {
    "shown first": {"first": "win", "second": "loss", "tie": "tie"},
    "shown second": {"first": "loss", "second": "win", "tie": "tie"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """The verdict from one answer's side: ``value`` is the probability that it is preferred, ties as half."""

    value: float
    label: str
    probabilities: Mapping[str, float]
    order_consistent: bool


def likeliest(probabilities: Mapping[str, float]) -> str:
    """The label with the most probability; ``tie`` when two share the lead, whichever they are.

    >>> likeliest({"win": 0.4, "tie": 0.2, "loss": 0.4})
    'tie'
    """
    top = max(probabilities.values())
    leaders = [label for label, probability in probabilities.items() if probability == top]
    return leaders[0] if len(leaders) == 1 else "tie"


def within(tie_band: float, probabilities: Mapping[str, float]) -> bool:
    """Whether the value lies no further than ``tie_band`` from 0.5; the same from either side. A band of 0 holds none.

    >>> within(0.1, {"win": 0.6, "tie": 0.0, "loss": 0.4}), within(0.09, {"win": 0.4, "tie": 0.0, "loss": 0.6})
    (True, False)
    """
    # The value is win + tie / 2, so this is its distance from 0.5 without the rounding that differs between sides.
    return tie_band > 0 and abs(probabilities["win"] - probabilities["loss"]) / 2 <= tie_band + 1e-9


def reconcile(orders: Sequence[Mapping[str, float]], tie_band: float = 0.0) -> Iterator[Reconciled]:
    """The verdict for the answer that stood first in the first order, then for the other one.

    ``orders``: two distributions over first, second and tie, the answers swapped between them. The label is what
    both orders say; where they differ it is a tie and ``order_consistent`` is false. A value that lies no further than
    ``tie_band`` from 0.5 is a tie too, whatever the orders say.

    >>> flipped = [{"first": 0.9, "second": 0.1, "tie": 0.0}] * 2
    >>> [(side.value, side.label, side.order_consistent) for side in reconcile(flipped)]
    [(0.5, 'tie', False), (0.5, 'tie', False)]
    """
    as_first, as_second = orders
    for mine, theirs in (("shown first", "shown second"), ("shown second", "shown first")):
        one = {_SIDES[mine][place]: p for place, p in as_first.items()}
        two = {_SIDES[theirs][place]: p for place, p in as_second.items()}
        mean = {label: round((one[label] + two[label]) / 2, 6) for label in ("win", "tie", "loss")}
        agreed = likeliest(one) == likeliest(two)
        clear = agreed and not within(tie_band, mean)
        yield Reconciled(
            value=round(mean["win"] + mean["tie"] / 2, 6),
            label=likeliest(one) if clear else "tie",
            probabilities=mean,
            order_consistent=agreed,
        )
