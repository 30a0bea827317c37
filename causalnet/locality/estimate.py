"""E^s and E^a from transitions, with intervals, where the model is not known: the limitation arXiv 2602.16966 names.

The plug-in total variation between two estimated rows is biased upwards, and a supremum over many pairs more so. Here
every row's law is known up to a radius in total variation, jointly for all rows, so [low, high] holds for every entry
at once with the stated confidence, and "certified" is as good as that confidence. The estimate between them chooses the
widest pair on one half of the visits and measures it on the other: it says how many transitions would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..base.arrays import Array, Ints
from ..base.checks import array_of, flag, number, share, whole_numbers
from ..envs.networked.checks import agent_rows
from ..errors import DataError
from .policy import Links
from .sensitivity import Sensitivities, both_links, interdependence, link_matrix
from .spectral import Radius, spectral_radius

_LARGEST = 1 << 24  # numbers in one agent's table of counts
_WORK = 1 << 28  # differences of two of them: a second or two an agent
_MOST = 1e9  # times the data beyond which "more" is no advice


@dataclass(frozen=True, eq=False)
class EstimatedSensitivities:
    """Lower, estimated and upper E^s, E^a of n agents; entries lie in [low, high] jointly with probability ``confidence``.

    estimate: of the split sample (see :func:`split_moves`). slack: how far the widest interval reaches beyond it, uncut.
    rows, unvisited: local (s, a) combinations, and those never seen. least_visits: of the visited ones, the fewest.
    """

    low: Sensitivities
    estimate: Sensitivities
    high: Sensitivities
    slack: Sensitivities
    adjacency: sp.csr_array
    n_states: Ints
    n_actions: Ints
    transitions: int
    rows: int
    unvisited: int
    least_visits: int
    confidence: float
    on_support: bool

    def radius(self, pi: sp.csr_array) -> Radius:
        """Bounds of rho(H) under a policy with sensitivities Pi, at the stated confidence."""
        low, high = (spectral_radius(interdependence(end, pi)) for end in (self.low, self.high))
        return Radius(low.low, high.high, 0)

    def advice(self, pi: sp.csr_array, gamma: float) -> str:
        """What the data say, and where every situation was seen, about how many more transitions would settle it."""
        text = (
            f"Sensitivities estimated from {self.transitions:,} transitions, {self.unvisited:,} of {self.rows:,} local "
            f"situations never seen; bounds at {self.confidence:.0%} confidence."
        )
        if self.on_support:
            text += " Situations that were never seen are left out: this speaks of the support alone."
        both, gamma = self.radius(pi), number("gamma", gamma, 0.0, 1.0)
        if gamma * both.high < 1 or gamma * both.low >= 1:
            return text
        if self.unvisited:  # counts as 0 in the estimate, which then tells nothing about how many are needed
            more = "to reach them" if self.on_support else "to reach them, or leave them out with on_support=True"
            return (
                f"{text} Too few to tell: {self.unvisited:,} situations were never seen, and before they are no number of "
                f"transitions that would do can be named; collect more {more}."
            )
        name, point = "rho(H)" if gamma == 1 else f"{gamma:g} rho(H)", gamma * self._expected(pi, np.inf)
        text += f" Too few to tell: half of the data put {name} near {point:.3g} for the worst of the other half"
        if point >= 1:
            return f"{text}, so more may show either."
        if gamma * self._expected(pi, _MOST) >= 1:
            return f"{text}, too close to 1 for any number of them."
        few, many = 1.0, _MOST
        while many > 1.1 * few:
            middle = (few * many) ** 0.5
            few, many = (few, middle) if gamma * self._expected(pi, middle) < 1 else (middle, many)
        return f"{text}; if so, about {float(f'{many:.2g}'):,g} times as many would certify it."

    def _expected(self, pi: sp.csr_array, times: float) -> float:
        """rho(H) of the upper bounds that so many times the transitions would give, were the estimate right."""
        e, wider, share = self.estimate, self.slack, times**-0.5
        state, action = (e.state + share * wider.state).minimum(1.0), (e.action + share * wider.action).minimum(1.0)
        return spectral_radius(state + action @ pi, 1e-4).high


def estimate_sensitivities(
    s: Any,
    a: Any,
    s_next: Any,
    state_parents: Links,
    action_parents: Links,
    *,
    n_states: int | Sequence[int] | None = None,
    n_actions: int | Sequence[int] | None = None,
    confidence: float = 0.95,
    reward_range: float = 1.0,
    on_support: bool = False,
) -> EstimatedSensitivities:
    """E^s_{j<-i}, E^a_{j<-k} with joint intervals from T transitions: s, a, s_next (T, n) integer codes.

    state_parents[j], action_parents[j]: whose states and actions P_j may depend on. Numbers of states and actions,
    one for all agents or one each, are the largest code plus one by default: give them where not every state was seen.
    Rewards are taken to be of the own state and action, within ``reward_range``.
    on_support: leave out situations never seen, which a worst case must count as able to do anything. Each row's counts
    are draws of one law, however the trajectory came to visit it: the intervals hold at all counts at once.
    """
    s, a, s_next = _codes("s", s), _codes("a", a), _codes("s_next", s_next)
    if not s.shape == a.shape == s_next.shape or len(s) == 0:
        raise DataError(f"s, a, s_next have shapes {s.shape}, {a.shape}, {s_next.shape}; give (T, n), T at least 1")
    n = s.shape[1]
    confidence, reward_range = share("confidence", confidence), number("reward_range", reward_range, above=0.0)
    on_support = flag("on_support", on_support)
    sizes = _sizes("n_states", n_states, np.maximum(s, s_next))
    acts = _sizes("n_actions", n_actions, a)
    of_states = agent_rows("state_parents", state_parents, n, n - 1)
    links = both_links(of_states, agent_rows("action_parents", action_parents, n, n - 1), n)
    both, codes = np.concatenate([sizes, acts]), np.hstack([s, a])
    rows = [both[link].prod(dtype=float) for link in links]
    _refuse_large(rows, sizes, [float((both[link] - 1.0).sum()) for link in links])
    risk = (1 - confidence) / sum(rows)
    found: list[Array] = []
    unvisited, least = 0, len(s)
    for j, link in enumerate(links):
        halves = _counts(codes[:, link], both[link], s_next[:, j], int(sizes[j]))
        visits = halves.sum(axis=(0, -1)).astype(np.int64)
        unvisited, least = unvisited + int((visits == 0).sum()), min(least, int(visits[visits > 0].min()))
        found.append(np.vstack([_moves(halves.sum(0), visits, risk, on_support), split_moves(halves)]))
    own = sp.csr_array(reward_range * sp.eye_array(n))
    moves = [link_matrix(np.concatenate([f[x] for f in found]), links, 2 * n) for x in range(4)]
    low, high, slack, estimate = (Sensitivities(m[:, :n], m[:, n:], own, own, reward_range) for m in moves)
    seen = len(s), int(sum(rows)), unvisited, least
    named = link_matrix(np.ones(sum(map(len, links))), [[i % n for i in link] for link in links], n)
    named.sum_duplicates()
    adjacency = sp.csr_array(named.astype(bool))  # row = affected agent: whom it has as parents
    return EstimatedSensitivities(low, estimate, high, slack, adjacency, sizes, acts, *seen, confidence, on_support)


def row_radius(visits: Ints, outcomes: int, risk: float, typical: float) -> Array:
    """e(N): TV(estimated row, its law) <= e(N) for all N at once with probability 1 - risk; 1 where N = 0.

    TV is the largest |p(B) - P(B)| over the M = 2^(S-1) - 1 pairs of a set B of outcomes and its complement. With
    X = N (p(B) - P(B)) and V = N / 4, the mixture over x of exp(x X - x^2 V / 2), x ~ Normal(0, 1 / v), is at most a
    martingale, so X^2 <= (V + v) (2 log(M / risk) + log(1 + V / v)) at every N (Robbins 1970). The width is least near
    the ``typical`` count that v is chosen for, before the counts are seen.
    """
    if outcomes < 2:
        return np.zeros(visits.shape)
    count, prior = np.maximum(visits, 1), max(typical, 1.0) / 32
    log_sets = (outcomes - 1) * np.log(2) + np.log1p(-(2.0 ** (1 - outcomes)))
    spread = (count / 4 + prior) * (2 * (log_sets - np.log(risk)) + np.log1p(count / 4 / prior))
    return np.where(visits > 0, np.minimum(np.sqrt(spread) / count, 1.0), 1.0)


def _refuse_large(rows: list[float], sizes: Ints, pairs: list[float]) -> None:
    """Refuse agents whose table of counts no memory holds, or whose rows are too many to compare in pairs."""
    for j, (situations, outcomes, others) in enumerate(zip(rows, sizes, pairs, strict=True)):
        table = situations * outcomes
        if table > _LARGEST or table * (others / 2) > _WORK:
            raise DataError(
                f"agent {j} has {situations:.3g} local situations, each with {outcomes} next states; give it fewer parents, "
                "states or actions: no data fill such a table"
            )


def _moves(counts: Array, visits: Ints, risk: float, on_support: bool) -> Array:
    """counts (d_1..d_k, m), visits (d_1..d_k): low and high largest moves along each axis, and their slack, (3, k)."""
    p, seen = counts / np.maximum(visits, 1)[..., None], visits > 0
    e = row_radius(visits, counts.shape[-1], risk, visits.sum() / visits.size)
    result = np.zeros((3, visits.ndim))
    for axis, size in enumerate(visits.shape):
        law, radius, known = (np.moveaxis(x, axis, 0) for x in (p, e, seen))
        for x, y in combinations(range(size), 2):
            both = known[x] & known[y]
            distance = np.where(both, 0.5 * np.abs(law[x] - law[y]).sum(-1), 0.0)
            slack = np.where(both, radius[x] + radius[y], 0.0 if on_support else 1.0 * (counts.shape[-1] > 1))
            each = np.stack([distance - slack, np.minimum(distance + slack, 1.0), slack])
            result[:, axis] = np.maximum(result[:, axis], each.reshape(3, -1).max(axis=1))
    return result


def split_moves(halves: Array) -> Array:
    """Largest moves along each axis, the pair and set of outcomes chosen on one half and measured on the other: (k,).

    halves (2, d_1..d_k, m) counts. The mean of both directions, at least 0: it does not feed on its own noise, as the
    plug-in supremum does, and errs downwards where the choice does.
    """
    visits = halves.sum(-1)
    p, seen = halves / np.maximum(visits, 1)[..., None], (visits > 0).all(axis=0)
    result = np.zeros(seen.ndim)
    for axis, size in enumerate(seen.shape):
        law, known = np.moveaxis(p, axis + 1, 0), np.moveaxis(seen, axis, 0)
        looks, measured = np.zeros(2), np.zeros(2)
        for x, y in combinations(range(size), 2):
            gap = law[x] - law[y]
            for half in (0, 1):
                up = gap[half] > 0  # the set B of outcomes whose P_x(B) - P_y(B) is the distance
                seems = np.where(known[x] & known[y], (gap[half] * up).sum(-1), 0.0)
                if seems.max() > looks[half]:
                    looks[half] = seems.max()
                    measured[half] = (gap[1 - half] * up).sum(-1).flat[seems.argmax()]
        result[axis] = max(measured.mean(), 0.0)
    return result


def _counts(codes: Ints, sizes: Ints, after: Ints, outcomes: int) -> Array:
    """(2, d_1..d_k, outcomes): every other visit of each situation in one half."""
    situation = np.zeros(len(codes), np.int64)
    for column, size in zip(codes.T, sizes, strict=True):
        situation = situation * size + column
    half = np.empty_like(situation)
    half[np.argsort(situation, kind="stable")] = np.arange(len(situation)) % 2
    shape = (2, *(int(k) for k in sizes), outcomes)
    flat = (half * int(np.prod(sizes)) + situation) * outcomes + after
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(float)


def _codes(name: str, values: Any) -> Ints:
    values = array_of(name, values)
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.number) or not np.isfinite(values).all():
        raise DataError(f"{name} must be (T, n) finite integer codes; this is {values.shape} {values.dtype}")
    odd = (values != np.floor(values)) | (values < 0)
    if odd.any():
        raise DataError(f"{name} holds {values[odd][0]}; codes are integers from 0")
    return values.astype(np.int64)


def _sizes(name: str, given: int | Sequence[int] | None, codes: Ints) -> Ints:
    """(n,) numbers of codes: the largest plus one, or those given, one number or one an agent."""
    top = codes.max(axis=0) + 1
    sizes = top if given is None else whole_numbers(name, given, len(top), 1, _LARGEST)
    if (sizes < top).any():
        raise DataError(f"{name} is {sizes.tolist()[:8]}, and the codes need at least {top.tolist()[:8]}")
    return sizes
