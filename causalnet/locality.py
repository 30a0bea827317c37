"""Locality of a networked decision process under a policy: a certificate, and what a critic may safely not look at.

``certificate(model, policy)`` asks whether rho(H) < 1 for H = E^s + E^a Pi(pi), the spectral condition of Rege,
Monteleoni, Chen et al. (arXiv 2602.16966): then the influence of one agent on another's value dies out with their
distance, and a critic that sees kappa hops misses little. Its first version speaks of discounted values
(gamma rho(H) < 1), its second of average-reward (Poisson) ones (rho(H) < 1): both are reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ._influence import (
    Locality,
    Reach,
    analyse,
    decay_bound,
    influence,
    kappa_by_agent,
    smallest_kappa,
    truncation_error,
)
from ._sensitivity import (
    Sensitivities,
    environment,
    exact_interdependence,
    interdependence,
    policy_sensitivity,
    tempered_sensitivity,
)
from ._sensitivity_data import EstimatedSensitivities, estimate_sensitivities
from ._spectral import Radius, spectral_radius
from .envs.tabular import TabularNetwork
from .errors import DataError
from .local_policy import LocalPolicy

__all__ = [
    "Certificate",
    "EstimatedSensitivities",
    "LocalPolicy",
    "Locality",
    "Radius",
    "Reach",
    "Sensitivities",
    "analyse",
    "certificate",
    "certified_mixture",
    "certified_temperature",
    "decay_bound",
    "environment",
    "estimate_sensitivities",
    "exact_interdependence",
    "influence",
    "interdependence",
    "kappa_by_agent",
    "norm_tests",
    "policy_sensitivity",
    "smallest_kappa",
    "spectral_radius",
    "truncation_error",
]
Array = NDArray[np.float64]
_SHARES = (0.1, 0.01, 0.001)  # default errors, as shares of the range of values
_CURVE = (0, 1, 2, 3, 4, 6, 8)


@dataclass(frozen=True, repr=False)
class Certificate:
    """A verdict on locality; printed, it is the text for people.

    n_agents, gamma (1: average reward). rho: bounds of rho(H). state_rho: of rho(E^s), which no policy can go below.
    certified: rho(H) < 1 (True), >= 1 (False), or None where the bounds, or the data, do not tell.
    discounted: the same for gamma rho(H) < 1. norms: the older tests, each an upper bound of rho(H) that must be < 1.
    temperature: the policy's. certified_at: a temperature at which rho(H) < 1, discounted_at: at which gamma rho(H) < 1;
    mixture, discounted_mixture: shares of uniform play that do the same, for policies that no temperature changes (None
    where not needed, or not to be had). kappa: ((error, hops that do for every agent, and for half of them;
    or None), ...). curve: ((hops, error bound), ...).
    scale: what shares of errors refer to: rbar / (1 - gamma), or rbar for the average reward.
    influential: ((agent, bound of what its state can move in the mean value), ...), largest first.
    reach: the information pattern in hops. note: how the sensitivities were come by.
    """

    n_agents: int
    gamma: float
    rho: Radius
    state_rho: Radius
    certified: bool | None
    discounted: bool | None
    norms: dict[str, float]
    temperature: float | None
    certified_at: float | None
    discounted_at: float | None
    mixture: float | None
    discounted_mixture: float | None
    kappa: tuple[tuple[float, int | None, int | None], ...]
    curve: tuple[tuple[int, float], ...]
    scale: float
    influential: tuple[tuple[int, float], ...]
    reach: Reach
    note: str

    def __str__(self) -> str:
        return "\n".join([*_verdict(self), *_advice(self), *([self.note] if self.note else [])])

    __repr__ = __str__


def certificate(
    model: TabularNetwork | EstimatedSensitivities, policy: LocalPolicy | Sequence[Array], gamma: float | None = None,
    reward: Sequence[Array] | None = None, *, errors: Sequence[float] | None = None, top: int = 5,
) -> Certificate:  # fmt: skip
    """Is rho(E^s + E^a Pi(pi)) < 1, and how many hops must a critic see for an error? For any size of network.

    model: a known network, or what :func:`estimate_sensitivities` found in transitions (give gamma then): "certified" is
    then as good as its confidence, and "undecided" comes with the number of transitions that would tell.
    policy: a LocalPolicy, or own-state tables (n_states[i], n_actions[i]). gamma: the model's by default, 1 for the
    average reward. reward: other tables in place of the model's, such as shadow rewards, with the same axes.
    errors: what to advise kappa for, in units of the value (by default 10, 1 and 0.1 % of its range). top: agents named.
    """
    policy = policy if isinstance(policy, LocalPolicy) else LocalPolicy(policy)
    if isinstance(model, EstimatedSensitivities):
        if gamma is None or reward is not None:
            raise DataError("with estimated sensitivities give gamma (1: average reward), and no reward tables")
        policy.require(model.n_states, model.n_actions)
        here = analyse((model.high, model.adjacency), policy, gamma)
        note = model.advice(here.pi, here.gamma)
        return conclude(here, policy, errors=errors, top=top, least=model.radius(here.pi), note=note)
    return conclude(analyse(model, policy, gamma, reward), policy, errors=errors, top=top)


def conclude(
    locality: Locality, policy: LocalPolicy, *, errors: Sequence[float] | None = None, top: int = 5,
    least: Radius | None = None, note: str = "",
) -> Certificate:  # fmt: skip
    """The certificate of an analysis. least: bounds of rho from below, where the sensitivities are upper estimates."""
    rho, gamma, width = locality.radius, locality.gamma, locality.environment.reward_range
    rho = rho if least is None else Radius(least.low, rho.high, rho.iterations)
    certified, discounted = _below_one(rho, 1.0), _below_one(rho, gamma)
    at, mixture = _smoother(locality, policy, 1.0) if _to_advise(certified, note) else (None, None)
    sooner = (at, mixture)
    if gamma < 1:
        sooner = _smoother(locality, policy, gamma) if _to_advise(discounted, note) else (None, None)
    scale = width / (1 - gamma) if gamma < 1 else width
    wanted = [s * scale for s in _SHARES if scale > 0] if errors is None else list(errors)
    usable = locality.bounded or gamma < 1
    kappa = tuple((float(e), *(_hops(locality, e) if usable else (None, None))) for e in wanted)
    curve = tuple(zip(_CURVE, map(float, truncation_error(locality, _CURVE)), strict=True)) if usable else ()
    moved = influence(locality) if locality.bounded else np.zeros(0)
    order = np.argsort(-moved, kind="stable")[:top]
    return Certificate(
        locality.n_agents, gamma, rho, spectral_radius(locality.environment.state), certified, discounted,
        norm_tests(locality, policy), policy.temperature, at, sooner[0], mixture, sooner[1], kappa, curve, scale,
        tuple((int(i), float(moved[i])) for i in order), locality.reach, note,
    )  # fmt: skip


def norm_tests(locality: Locality, policy: LocalPolicy) -> dict[str, float]:
    """Older sufficient conditions, each "< 1": induced norms of H, and the row sum that holds for every policy.

    "any policy" is the largest row sum of E^s + E^a O, O = what the policies observe: no policy is smoother than that
    in the worst case (the condition of arXiv 2006.06626 in this notation).
    """
    h, e = locality.h, locality.environment
    seen = sp.csr_array(
        (np.ones(sum(map(len, policy.observes or ()))), np.fromiter((i for r in policy.observes or () for i in r), int),
         np.cumsum([0, *map(len, policy.observes or ())])), shape=h.shape
    )  # fmt: skip
    return {
        "max row sum": float(h.sum(axis=1).max()),
        "max column sum": float(h.sum(axis=0).max()),
        "spectral norm": float(np.sqrt(spectral_radius(sp.csr_array(h.T @ h), 1e-3).low)),
        "row sum for any policy": float((e.state + e.action @ seen).sum(axis=1).max()),
    }


def certified_temperature(locality: Locality, policy: LocalPolicy, gamma: float | None = None) -> float | None:
    """A temperature, near the least, at which gamma rho(H) < 1 for the same logits; None if E^s alone forbids any.

    gamma: that of the analysis by default; 1 is the undiscounted criterion.

    TV between softmax(x / tau) and softmax(y / tau) is at most tanh(osc(x - y) / (4 tau)), which falls as tau rises: it
    gives a temperature that is certified, and bisection with the exact Pi comes down from there.
    """
    e, pi_at = locality.environment, tempered_sensitivity(policy)
    gamma = locality.gamma if gamma is None else gamma
    now = 1.0 if policy.temperature is None else policy.temperature

    def passes(temperature: float) -> bool:
        return _passes(interdependence(e, pi_at(temperature)), gamma)

    if not _passes(e.state, gamma):
        return None
    low, high = now, 2 * now
    while not passes(high):
        low, high = high, 2 * high
        if high > 1e9 * now:
            return None
    for _ in range(8):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if passes(middle) else (middle, high)
    rounded = float(f"{high:.2e}")
    rounded = rounded if rounded >= high else rounded + 10.0 ** (np.floor(np.log10(high)) - 2)
    return rounded if passes(rounded) else high


def certified_mixture(locality: Locality, gamma: float | None = None) -> float | None:
    """The least share of uniform play, to 1 %, at which gamma rho(E^s + (1 - share) E^a Pi) < 1; None if E^s forbids any."""
    e, pi, gamma = locality.environment, locality.pi, locality.gamma if gamma is None else gamma
    ends = [0, 101]  # in percent: 101 stands for none
    while ends[1] - ends[0] > 1:
        share = sum(ends) // 2
        h = interdependence(e, (1 - share / 100) * pi)
        ends[_passes(h, gamma)] = share
    return None if ends[1] == 101 else ends[1] / 100


def _smoother(locality: Locality, policy: LocalPolicy, gamma: float) -> tuple[float | None, float | None]:
    """(temperature, None), or (None, share of uniform play) for policies with zeros, at which gamma rho(H) < 1."""
    if policy.logits is not None or min(t.min() for t in policy.tables) > 0:
        return certified_temperature(locality, policy, gamma), None
    return None, certified_mixture(locality, gamma)


def _to_advise(verdict: bool | None, note: str) -> bool:
    """Estimated sensitivities (with a note) that do not tell call for more data, not for a smoother policy."""
    return verdict is False or (verdict is None and not note)


def _hops(locality: Locality, error: float) -> tuple[int, int]:
    each = kappa_by_agent(locality, error)
    return int(each.max()), int(np.sort(each)[(len(each) - 1) // 2])


def _passes(h: sp.csr_array, gamma: float) -> bool:
    return gamma == 0 or gamma * spectral_radius(h, 1e-5, threshold=1 / gamma).high < 1


def _below_one(rho: Radius, factor: float) -> bool | None:
    return True if factor * rho.high < 1 else False if factor * rho.low >= 1 else None


def _verdict(c: Certificate) -> list[str]:
    kind = "average reward" if c.gamma == 1 else f"discount {c.gamma:g}"
    at = "" if c.temperature is None else f", softmax policy at temperature {c.temperature:g}"
    words = {True: "CERTIFIED", False: "NOT CERTIFIED", None: "UNDECIDED"}
    lines = [
        f"Locality of {c.n_agents:,} agents, {kind}{at}",
        f"rho(H) in [{_number(c.rho.low)}, {_number(c.rho.high)}]: {words[c.certified]} (needs to be below 1).",
    ]
    if c.gamma < 1 and c.certified is not True:
        lines.append(f"{c.gamma:g} rho(H) for discounted values: {words[c.discounted]}.")
    passing = [name for name, value in c.norms.items() if value < 1]
    tests = ", ".join(f"{name} {value:.3f}" for name, value in c.norms.items())
    said = "none below 1" if not passing else f"below 1: {', '.join(passing)}"
    lines.append(f"Norm tests: {tests} ({said}).")
    if c.discounted is not True and _to_advise(c.discounted, c.note):
        lines.append(
            "The condition is sufficient: without it influence may still die out, but nothing here promises it."
        )
    if c.gamma < 1 and _to_advise(c.discounted, c.note):
        lines += _remedy(c, c.gamma, c.discounted_at, c.discounted_mixture)
    if _to_advise(c.certified, c.note):
        lines += _remedy(c, 1.0, c.certified_at, c.mixture)
    return lines


def _remedy(c: Certificate, gamma: float, temperature: float | None, mixture: float | None) -> list[str]:
    """What would bring gamma rho(H) below 1."""
    factor = "" if gamma == 1 else f"{gamma:g} "
    if temperature is not None:
        unit = "of these logits" if c.temperature is not None else "of log pi (now 1)"
        return [f"Raise the temperature {unit} to {temperature:g}: there {factor}rho(H) < 1."]
    if mixture is not None:
        return [f"Mix {mixture:.0%} of uniform play into the policy: there {factor}rho(H) < 1."]
    last = " Give critics the whole network, or cut it where coupling is weak." if gamma == c.gamma else ""
    return [
        f"No smoother policy helps: {factor}rho(E^s) is up to {gamma * c.state_rho.high:.4g} without any action.{last}"
    ]


def _advice(c: Certificate) -> list[str]:
    lines = []
    if c.kappa or c.curve:
        lines.append("A critic that sees kappa hops around its agent misses at most the error in its action values:")
    for error, kappa, half in c.kappa:
        hops = "no bound" if kappa is None else f"kappa = {kappa} (half of the agents: {half})"
        share = f" ({error / c.scale:.3g} of their range)" if c.scale > 0 else ""
        lines.append(f"  error {error:.3g}{share}: {hops}")
    if c.curve:
        lines.append("  bound by kappa: " + ", ".join(f"{k}: {e:.3g}" for k, e in c.curve))
    if c.influential:
        lines.append(
            "Agents whose state moves the mean value most: " + ", ".join(f"{i} ({v:.3g})" for i, v in c.influential)
        )
    return lines


def _number(x: float) -> str:
    return f"{x:.6g}"
