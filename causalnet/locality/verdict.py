"""A locality certificate in words: the verdict, what would change it, and what a critic may leave out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .reach import Reach
from .spectral import Radius

_WORDS = {True: "CERTIFIED", False: "NOT CERTIFIED", None: "UNDECIDED"}


def calls_for_a_smoother_policy(verdict: bool | None, note: str) -> bool:
    """Estimated sensitivities (with a note) that do not tell call for more data, not for a smoother policy."""
    return verdict is False or (verdict is None and not note)


def _verdict(c: Certificate) -> list[str]:
    kind = "average reward" if c.gamma == 1 else f"discount {c.gamma:g}"
    at = "" if c.temperature is None else f", softmax policy at temperature {c.temperature:g}"
    low, high = f"{c.rho.low:.6g}", f"{c.rho.high:.6g}"
    rho = f"= {high}" if low == high else f"in [{low}, {high}]"
    lines = [
        f"Locality of {c.n_agents:,} agent{'s' * (c.n_agents != 1)}, {kind}{at}",
        f"rho(H) {rho}: {_WORDS[c.certified]} (needs to be below 1).",
    ]
    if c.gamma < 1 and c.certified is not True:
        lines.append(f"{c.gamma:g} rho(H) for discounted values: {_WORDS[c.discounted]}.")
    passing = [name for name, value in c.norms.items() if value < 1]
    tests = ", ".join(f"{name} {value:.3f}" for name, value in c.norms.items())
    said = "none below 1" if not passing else f"below 1: {', '.join(passing)}"
    return [*lines, f"Norm tests: {tests} ({said})."]


def _remedies(c: Certificate) -> list[str]:
    """What would bring gamma rho(H), and rho(H), below 1."""
    lines = []
    if calls_for_a_smoother_policy(c.discounted, c.note):
        rest = "the bounds below come from the discount alone" if c.gamma < 1 else "without it no bound follows"
        lines.append(f"The condition is sufficient, not necessary: influence may die out all the same, but {rest}.")
        least = np.floor(1e4 / c.rho.high) / 1e4
        lines.append(f"As it is, the policy is certified for discounts below {least:g}.")
        if c.gamma < 1:
            lines.append(_remedy(c, f"{c.gamma:g} ", c.discounted_at, c.discounted_mixture))
    hopeless = c.gamma < 1 and c.gamma * c.state_rho.high >= 1  # said already
    if calls_for_a_smoother_policy(c.certified, c.note) and not hopeless:
        lines.append(_remedy(c, "", c.certified_at, c.mixture))
    return lines


def _remedy(c: Certificate, factor: str, temperature: float | None, mixture: float | None) -> str:
    if temperature is not None:
        unit = "of these logits" if c.temperature is not None else "of log pi (now 1)"
        return f"Raise the temperature {unit} to {temperature:g}: there {factor}rho(H) < 1."
    if mixture is not None:
        return f"Mix {mixture:.0%} of uniform play into the policy: there {factor}rho(H) < 1."
    return (
        f"No smoother policy brings {factor}rho(H) below 1: rho(E^s) is {c.state_rho.high:.4g} whatever agents do. Give "
        f"critics the whole network, or discount more."
    )


def _hops(c: Certificate) -> list[str]:
    lines = []
    if c.curve and c.scale == 0:
        lines.append("Rewards are constant: a critic misses nothing, whatever it sees.")
    elif c.curve:
        lines.append("A critic that sees kappa hops around its agent misses at most the error in its action values:")
        of = "their range" if c.gamma < 1 else "the range of rewards"
        for error, kappa, half in c.kappa:
            share = f" ({error / c.scale:.3g} of {of})" if c.scale > 0 else ""
            whole = ", the whole network" if kappa == c.diameter else ""
            lines.append(f"  error {error:.3g}{share}: kappa = {kappa}{whole} (half of the agents: {half})")
        last = next((k for k, e in c.curve if e == 0), np.inf)  # nothing lies beyond
        lines.append("  bound by kappa: " + ", ".join(f"{k}: {e:.3g}" for k, e in c.curve if k <= last))
    else:
        lines.append("No number of hops short of the whole network is promised to be enough for a critic.")
    if c.influential:
        named = ", ".join(f"{i} ({v:.3g})" for i, v in c.influential)
        lines.append(f"Agents whose state moves the mean value most, at most by: {named}")
        if c.gamma < 1 and c.influential[0][1] >= c.scale > 0:
            lines[-1] += f"; {c.scale:.3g} is the range of values"
    return lines


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
    scale: what shares of errors refer to: the range of values rbar / (1 - gamma), or rbar for the average reward.
    influential: ((agent, bound of what its state can move in the mean value, at most its range), ...), largest first.
    reach: the information pattern in hops. diameter: hops beyond which nobody is. note: how the sensitivities were come by.
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
    diameter: int
    note: str

    def __str__(self) -> str:
        return "\n".join([*_verdict(self), *_remedies(self), *_hops(self), *([self.note] if self.note else [])])

    __repr__ = __str__
