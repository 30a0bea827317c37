"""Locality of a networked decision process under a policy: a certificate, and what a critic may safely not look at.

``certificate(model, policy)`` asks whether rho(H) < 1 for H = E^s + E^a Pi(pi), the spectral condition of Rege,
Monteleoni, Chen et al. (arXiv 2602.16966): then the influence of one agent on another's value dies out with their
distance, and a critic that sees kappa hops misses little. Its first version speaks of discounted values
(gamma rho(H) < 1), its second of average-reward (Poisson) ones (rho(H) < 1): both are reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import scipy.sparse as sp

from ..base.arrays import Array
from ..base.asked import asks
from ..base.checks import number, whole
from ..envs.networked import TabularNetwork
from ..errors import DataError
from .bounds import Locality, analyse, influence, kappa_by_agent, tolerated, truncation_error
from .estimate import EstimatedSensitivities
from .policy import LocalPolicy, as_policy
from .sensitivity import interdependence, tempered_sensitivity
from .spectral import Radius, spectral_radius
from .verdict import Certificate, calls_for_a_smoother_policy

Errors = float | Sequence[float] | None
_SHARES = (0.1, 0.01, 0.001)  # default errors, as shares of the range of values
_CURVE = (0, 1, 2, 3, 4, 6, 8)
_FEW = (
    "numbers of states and actions that are not given are read off the transitions, where the last may never occur: give "
    "estimate_sensitivities n_states and n_actions, or was the policy made for another network?"
)


def certificate(
    model: TabularNetwork | EstimatedSensitivities,
    policy: LocalPolicy | Sequence[Array],
    gamma: float | None = None,
    reward: Sequence[Array] | None = None,
    *,
    errors: Errors = None,
    top: int = 5,
) -> Certificate:
    """Is rho(E^s + E^a Pi(pi)) < 1, and how many hops must a critic see for an error? For any size of network.

    model: a known network, or what :func:`estimate_sensitivities` found in transitions (give gamma then): "certified" is
    then as good as its confidence, and "undecided" comes with the number of transitions that would tell.
    policy: a LocalPolicy, or own-state tables (n_states[i], n_actions[i]). gamma: the model's by default, 1 for the
    average reward. reward: other tables in place of the model's, such as shadow rewards, with the same axes.
    errors: what to advise kappa for, one or several, in units of the value (by default 10, 1 and 0.1 % of ``scale``). top: agents named.
    """
    policy = as_policy(policy)
    if isinstance(model, EstimatedSensitivities):
        if gamma is None or reward is not None:
            raise DataError("with estimated sensitivities give gamma (1: average reward), and no reward tables")
        policy.require(model.n_states, model.n_actions, _FEW)
        here = analyse((model.high, model.adjacency), policy, gamma)
        rho = Radius(model.radius(here.pi).low, here.radius.high, here.radius.iterations)
        return conclude(here, policy, rho, errors, top, model.advice(here.pi, here.gamma))
    here = analyse(model, policy, gamma, reward)
    return conclude(here, policy, here.radius, errors, top)


def conclude(
    locality: Locality, policy: LocalPolicy, rho: Radius, errors: Errors, top: int, note: str = ""
) -> Certificate:
    """The certificate of an analysis. rho: its radius, or wider bounds where the sensitivities are upper estimates."""
    top = whole("top", top, 0)
    gamma, width = locality.gamma, locality.environment.reward_range
    verdicts = {  # of rho(H) < 1 and gamma rho(H) < 1, which are one at gamma 1; None: the bounds do not tell
        factor: True if factor * rho.high < 1 else False if factor * rho.low >= 1 else None for factor in (1.0, gamma)
    }
    smoother = {
        factor: _smoother(locality, policy, factor) if calls_for_a_smoother_policy(told, note) else (None, None)
        for factor, told in verdicts.items()
    }
    scale = width / (1 - gamma) if gamma < 1 else width
    given = [s * scale for s in _SHARES if scale > 0] if errors is None else errors
    wanted = [tolerated(error) for error in (given if isinstance(given, Iterable) else [given])]
    usable = locality.bounded or gamma < 1
    kappa = tuple((e, *(_hops(locality, e) if usable else (None, None))) for e in wanted)
    shown = sorted({*_CURVE, *(k for _, k, _ in kappa if k is not None)})
    moved = influence(locality) if locality.bounded else np.zeros(0)
    return Certificate(
        n_agents=locality.n_agents,
        gamma=gamma,
        rho=rho,
        state_rho=spectral_radius(locality.environment.state),
        certified=verdicts[1.0],
        discounted=verdicts[gamma],
        norms=norm_tests(locality, policy),
        temperature=policy.temperature,
        certified_at=smoother[1.0][0],
        discounted_at=smoother[gamma][0],
        mixture=smoother[1.0][1],
        discounted_mixture=smoother[gamma][1],
        kappa=kappa,
        curve=tuple(zip(shown, map(float, truncation_error(locality, shown)), strict=True)) if usable else (),
        scale=scale,
        influential=tuple((int(i), float(moved[i])) for i in np.argsort(-moved, kind="stable")[:top]),
        reach=locality.reach,
        diameter=locality.diameter,
        note=note,
    )


@asks()
def norm_tests(locality: Locality, policy: LocalPolicy) -> dict[str, float]:
    """Older sufficient conditions, each "< 1": induced norms of H, and the row sum that holds for every policy.

    "any policy" is the largest row sum of E^s + E^a O, O = what the policies observe: no policy is smoother than that
    in the worst case (the condition of arXiv 2006.06626 in this notation).
    """
    h, e, observes = locality.h, locality.environment, policy.observes or ()
    columns, ends = np.array([i for row in observes for i in row], int), np.cumsum([0, *map(len, observes)])
    seen = sp.csr_array((np.ones(len(columns)), columns, ends), shape=h.shape)
    return {
        "max row sum": float(h.sum(axis=1).max()),
        "max column sum": float(h.sum(axis=0).max()),
        "spectral norm": float(np.sqrt(spectral_radius(sp.csr_array(h.T @ h), 1e-4).high)),
        "row sum for any policy": float((e.state + e.action @ seen).sum(axis=1).max()),
    }


@asks()
def certified_temperature(locality: Locality, policy: LocalPolicy, gamma: float | None = None) -> float | None:
    """A temperature, near the least, at which gamma rho(H) < 1 for the same logits; None if E^s alone forbids any.

    gamma: that of the analysis by default; 1 is the undiscounted criterion.

    TV between softmax(x / tau) and softmax(y / tau) is at most tanh(osc(x - y) / (4 tau)), which falls to 0 as tau rises:
    doubling finds a temperature that is certified, and bisection with the exact Pi comes down from there. Pi itself need
    not fall at every step, so a lower one may do as well.
    """
    e, pi_at = locality.environment, tempered_sensitivity(policy)
    gamma = locality.gamma if gamma is None else number("gamma", gamma, 0.0, 1.0)
    now = 1.0 if policy.temperature is None else policy.temperature

    def passes(temperature: float) -> bool:
        return _passes(interdependence(e, pi_at(temperature)), gamma)

    if passes(now):
        return now
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


@asks()
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


def _hops(locality: Locality, error: float) -> tuple[int, int]:
    each = kappa_by_agent(locality, error)
    return int(each.max()), int(np.sort(each)[(len(each) - 1) // 2])


def _passes(h: sp.csr_array, gamma: float) -> bool:
    return gamma == 0 or gamma * spectral_radius(h, 1e-5, threshold=1 / gamma).high < 1
