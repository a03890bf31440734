"""Looks at data that still comes in: planned looks, and bounds that hold at any time."""

from typing import Any

from judgefleet.alpha_spending import Shape
from judgefleet.anytime_rates import bernoulli_confidence_sequence, betting_e_process
from judgefleet.anytime_valid import (
    asymptotic_radius,
    asymptotic_rho,
    msprt_radius,
    normal_mixture_bound,
    normal_mixture_rho,
    poly_stitching_bound,
)
from judgefleet.group_sequential import Boundaries, classic_constant, lan_demets, peeking_error


def spending(information: Any, alpha: float, spending: str, sided: int = 2) -> dict[str, Any]:
    return _boundaries(lan_demets(information, alpha=alpha, sided=sided, spending=_shape(spending)))


def total_alpha(information: Any, alpha: float, note: str) -> dict[str, Any]:
    if "once with total alpha" not in note.lower():
        raise LookupError(f"no convention in the note {note!r}")
    return _boundaries(lan_demets(information, alpha=alpha, convention="total"))


def classic(K: int, alpha: float, boundary: str, sided: int = 2) -> dict[str, Any]:  # noqa: N803
    shapes: dict[str, Shape] = {"z_k = C*sqrt(K/k)": "obrien_fleming", "z_k = C": "pocock"}
    if boundary not in shapes:
        raise LookupError(f"no boundary {boundary!r}")
    constant = classic_constant(K, alpha=alpha, sided=sided, shape=shapes[boundary])
    return {"C": constant, "published": constant}


def peeking(looks: int, z: float, equally_spaced: bool, sided: int = 2) -> dict[str, Any]:
    if not equally_spaced:
        raise LookupError("looks that are not equally spaced need their information")
    error = peeking_error(looks, z, sided=sided)
    return {"type1_error": error, "published": error}


def normal_mixture(
    intrinsic_time_v: float, alpha: float, v_opt: float, alpha_opt: float = 0.05, two_sided: bool = True
) -> dict[str, Any]:
    bound = normal_mixture_bound(intrinsic_time_v, alpha, v_opt=v_opt, alpha_opt=alpha_opt, two_sided=two_sided)
    return {"bound_on_sum": bound, "rho": normal_mixture_rho(v_opt, alpha_opt, two_sided=two_sided)}


def normal_mixture_of_v(
    v: float, alpha: float, v_opt: float, alpha_opt: float = 0.05, two_sided: bool = True
) -> dict[str, Any]:
    return normal_mixture(v, alpha, v_opt, alpha_opt, two_sided)


def stitching(v: float, alpha: float, v_min: float, c: float = 0, s: float = 1.4, eta: float = 2) -> dict[str, Any]:
    return {"bound_on_sum": poly_stitching_bound(v, alpha, v_min=v_min, c=c, s=s, eta=eta)}


def bernoulli(successes: int, n: int, alpha: float, t_opt: float, alpha_opt: float = 0.05) -> dict[str, Any]:
    low, high = bernoulli_confidence_sequence(successes, n, alpha, t_opt=t_opt, alpha_opt=alpha_opt)
    return {"lower": low, "upper": high}


def msprt(n: float, variance: float, tau2: float, alpha: float) -> dict[str, Any]:
    return {"radius": msprt_radius(n, variance=variance, tau2=tau2, alpha=alpha)}


def asymptotic(t: float, sigma: float, alpha: float, t_opt: float) -> dict[str, Any]:
    radius = asymptotic_radius(t, sigma=sigma, t_opt=t_opt, alpha=alpha)
    return {"radius": radius, "rho": asymptotic_rho(t_opt, alpha)}


def betting(x: Any, m: float, bet: Any) -> dict[str, Any]:
    return {"e_process": betting_e_process(x, m, bet)}


def _shape(words: str) -> Shape:
    if "total" in words.lower():
        raise LookupError(f"no spending {words!r}: ours is per side")
    if "O'Brien-Fleming" in words:
        return "obrien_fleming"
    if "Pocock" in words:
        return "pocock"
    raise LookupError(f"no spending {words!r}")


def _boundaries(found: Boundaries) -> dict[str, Any]:
    nominal = found.nominal_p_two_sided
    return {"z": found.z, "nominal_p_two_sided": nominal, "cumulative_alpha": found.cumulative_alpha}


KINDS = {
    "group_sequential": [spending, total_alpha, classic, peeking],
    "anytime_valid": [
        normal_mixture,
        normal_mixture_of_v,
        stitching,
        bernoulli,
        msprt,
        asymptotic,
        betting,
    ],
}
