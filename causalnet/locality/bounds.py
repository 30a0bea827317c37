"""What H says about values: who moves whose value, and how much a critic misses that sees kappa hops only.

delta_i(f) is the largest change of f(s) when s_i alone changes. One closed-loop step gives delta(P f) <= H^T delta(f)
(change s with the actions fixed: E^s; then the product of the local policies: E^a Pi), hence
delta(V_j) <= (I - gamma H^T)^{-1} delta(r_j) for discounted values, and gamma = 1 for the Poisson (average-reward) ones.
The spectral condition is that of arXiv 2602.16966; these bounds are derived here in full and checked by enumeration.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any

import networkx as nx
import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components, dijkstra

from ..base.arrays import Array, Ints
from ..base.checks import entries, instance, known, number, whole
from ..envs.networked import NetworkedEnv, TabularNetwork
from ..errors import DataError
from .policy import LocalPolicy, as_policy
from .reach import Reach, hops, unreached
from .sensitivity import Sensitivities, environment, interdependence, policy_sensitivity
from .spectral import Radius, resolvent, spectral_radius, supporting_vector

Targets = Sequence[int] | None  # agents by number, None: all of them
KINDS = ("action-value", "value")
_ALL_TARGETS = 300  # up to this many agents, truncation is bounded for each target by itself
_LONGEST = 100_000  # steps that a search for kappa looks ahead


@dataclass(frozen=True, eq=False)
class Locality:
    """Everything that follows from the local tables of a model and a policy; all matrices (n, n) CSR.

    environment: E^s, E^a and the rewards' moves. pi: the policy's. h = E^s + E^a Pi. reward = delta(r_j) in row j,
    actions drawn by the policy. gamma: 1 stands for the average reward. radius: bounds of rho(H).
    adjacency: of the graph, whose hops kappa counts; row = affected agent, as everywhere here.
    """

    environment: Sensitivities
    pi: sp.csr_array
    h: sp.csr_array
    reward: sp.csr_array
    gamma: float
    radius: Radius
    adjacency: sp.csr_array

    @property
    def n_agents(self) -> int:
        """Number of agents n."""
        return int(self.h.shape[0])

    @property
    def bounded(self) -> bool:
        """gamma rho(H) < 1 for certain: the bounds below exist."""
        return self.gamma * self.radius.high < 1

    @cached_property
    def reach(self) -> Reach:
        """How far rewards and transitions look, where the tables really depend on what they name."""
        e = self.environment
        pairs = e.reward_state + e.reward_action, self.reward, e.state + e.action, self.h
        return Reach(*(hops(self.adjacency, each) for each in pairs))

    @cached_property
    def diameter(self) -> int:
        """Hops beyond which nobody is: exact up to 300 agents, else twice the distances from one agent of each part."""
        if self.n_agents <= _ALL_TARGETS:
            far = dijkstra(self.adjacency, unweighted=True)
            return int(far[np.isfinite(far)].max())
        _, part = connected_components(self.adjacency, directed=False)
        if (self.adjacency != self.adjacency.T).nnz:  # one way: no path is longer than its part has agents
            return int(np.bincount(part).max()) - 1
        far = dijkstra(self.adjacency, unweighted=True, indices=np.unique(part, return_index=True)[1], min_only=True)
        return 2 * int(far.max())

    @cached_property
    def along(self) -> tuple[Array, float]:
        """Supporting vector of H (see spectral.supporting_vector)."""
        return supporting_vector(self.h, self.gamma, self.radius.high)

    @cached_property
    def against(self) -> tuple[Array, float]:
        """Supporting vector of H^T."""
        return supporting_vector(sp.csr_array(self.h.T), self.gamma, self.radius.high)


def analyse(
    model: TabularNetwork | tuple[Sensitivities, sp.csr_array],
    policy: LocalPolicy | Sequence[Array],
    gamma: float | None = None,
    reward: Sequence[Array] | None = None,
) -> Locality:
    """H, rho(H) and the reach of a model under a policy; gamma defaults to the model's, gamma = 1 is the average reward.

    In place of a model: (sensitivities, adjacency), with gamma given.
    """
    policy = as_policy(policy)
    if isinstance(model, TabularNetwork):
        policy.require(model.n_states, model.n_actions)
        gamma = model.gamma if gamma is None else gamma
        around = environment(model, reward)
        linked = nx.to_scipy_sparse_array(model.graph, weight=None, dtype=bool, format="csr")
        adjacency = sp.csr_array(linked.T if model.graph.is_directed() else linked)
    elif isinstance(model, tuple):
        around, adjacency = model
    else:
        networked = isinstance(model, NetworkedEnv)
        how = "call env.to_tabular(gamma) and give the result" if networked else "make one of its tables"
        raise DataError(f"the model must be a TabularNetwork, not {type(model).__name__}; {how}")
    gamma = number("gamma", gamma, 0, 1)  # a discount, or 1 for the average reward
    pi = policy_sensitivity(policy)
    _same_part(adjacency, sp.csr_array(around.state + around.action + around.reward_state + around.reward_action + pi))
    h = interdependence(around, pi)
    own = sp.csr_array(around.reward_state + around.reward_action @ pi)
    return Locality(around, pi, h, own, gamma, spectral_radius(h), adjacency)


def influence(locality: Locality, targets: Targets = None) -> Array:
    """How far each agent's state can move each target's value: bounds of delta_i(V_j), (targets, n).

    targets None: of the mean value (1/n) sum_j V_j, (n,). With gamma = 1 the Poisson (relative) value; else never more
    than the range of values, rbar / (1 - gamma).
    """
    targets = _known(locality, targets, KINDS[0])
    _need(locality)
    rows = locality.reward
    source = rows.sum(axis=0) / locality.n_agents if targets is None else rows[targets].toarray().T
    moved = resolvent(sp.csr_array(locality.h.T), np.asarray(source), locality.gamma, locality.against)
    if locality.gamma < 1:
        moved = np.minimum(moved, locality.environment.reward_range / (1 - locality.gamma))
    return moved if targets is None else moved.T


def truncation_error(
    locality: Locality, kappas: Iterable[int], *, targets: Targets = None, of: str = "action-value"
) -> Array:
    """Bound of sup |Q_j(s, a) - Q_j(s', a')| over pairs equal within kappa hops of j: what a truncated critic can miss.

    (kappas,) over every agent, or (targets, kappas). of: "action-value", or "value" for V_j(s). For gamma < 1 never more
    than the classical bound. Without targets and beyond 300 agents the bound counts the time at which a reward can first
    be reached, which costs one sparse product a step for all agents together.
    """
    targets = _known(locality, targets, of)
    kappas = _whole_hops(kappas)
    classical = decay_bound(locality, kappas, of=of) if locality.gamma < 1 else np.full(len(kappas), np.inf)
    classical[np.array(kappas) >= locality.diameter] = 0.0
    if not locality.bounded:
        if locality.gamma == 1:
            _need(locality)
        return classical if targets is None else np.tile(classical, (len(targets), 1))
    if targets is None and locality.n_agents > _ALL_TARGETS:
        steps = [locality.reach.first_step(k, of) for k in kappas]
        last = max((int(t) for t in steps if np.isfinite(t)), default=0)
        by_step = [float(tail.max()) for tail in _tails(locality, of, last)]
        return np.minimum(classical, [by_step[int(t)] if np.isfinite(t) else 0.0 for t in steps])
    far = _by_distance(locality, range(locality.n_agents) if targets is None else targets, of)
    each = np.minimum(classical, far[:, [min(k, far.shape[1] - 1) for k in kappas]])
    return np.asarray(each.max(axis=0) if targets is None else each)


def decay_bound(locality: Locality, kappas: Iterable[int], *, of: str = "action-value") -> Array:
    """The classical (c, rho) decay c gamma^{t*}, c = rbar / (1 - gamma), with the exponent of the information pattern.

    t*(kappa) = kappa + 1 for P(s_N, a_i) with own-state policies (Lemma 3 of arXiv 1912.02906), max(1, kappa) for one-hop
    policies, kappa for P(s_N, a_N) with own-state policies, ceil(kappa / 2) for both: gamma^{kappa + 1}, which is printed
    for all of them, is violated by the last three. Attained with equality by copy chains.
    """
    _known(locality, None, of)
    if not locality.gamma < 1:
        raise DataError("the classical bound needs a discount below 1; give gamma")
    t = np.array([locality.reach.first_step(k, of) for k in _whole_hops(kappas)])
    c = locality.environment.reward_range / (1 - locality.gamma)
    return np.where(np.isinf(t), 0.0, c * locality.gamma ** np.where(np.isinf(t), 0.0, t))


def smallest_kappa(locality: Locality, error: float, *, targets: Targets = None, of: str = "action-value") -> int:
    """The least kappa whose truncation error is at most ``error`` for every agent (or target); the diameter at most."""
    return int(kappa_by_agent(locality, error, targets=targets, of=of).max())


def kappa_by_agent(locality: Locality, error: float, *, targets: Targets = None, of: str = "action-value") -> Ints:
    """(n,) or (targets,): the least kappa of each agent's own critic for an error; calm corners need fewer hops."""
    targets = _known(locality, targets, of)
    error = tolerated(error)
    if locality.gamma == 1:
        _need(locality)
    gamma, reach, last, farthest = locality.gamma, locality.reach, locality.diameter, 0
    rows = list(range(locality.n_agents)) if targets is None else targets
    if locality.bounded and (targets is not None or locality.n_agents <= _ALL_TARGETS):
        return np.argmax(truncation_error(locality, range(last + 1), targets=rows, of=of) <= error, axis=1)
    c = locality.environment.reward_range / (1 - gamma) if gamma < 1 else np.inf
    result = np.full(locality.n_agents, -1, dtype=np.int64)
    tails = _tails(locality, of, _LONGEST) if locality.bounded else repeat(np.array(np.inf))
    for t, tail in zip(range(_LONGEST), tails, strict=False):
        bound = np.minimum(tail, c * gamma**t if gamma < 1 else np.inf)
        result[(result < 0) & (bound <= error)] = min(farthest, last)
        if result.min() >= 0 or farthest >= last or (t > 1 and reach.step == 0):
            break
        farthest = max(farthest, reach.radius(t, of))
    result[result < 0] = last if reach.step else min(farthest, last)
    return result[rows]


def tolerated(error: Any) -> float:
    """An error that a critic may make, above 0, in units of the value."""
    return number("error", error, above=0)


def _same_part(adjacency: sp.csr_array, pairs: sp.csr_array) -> None:
    """Refuse entries (k, i) of ``pairs`` without a path of the graph from i to k: no number of hops would count how far."""
    part = connected_components(adjacency, connection="strong")[1]
    agent, moved_by = pairs.nonzero()
    across = np.flatnonzero(part[agent] != part[moved_by])
    if len(across):  # in a directed graph there may still be a path from the one to the other
        left = sp.csr_array((np.ones(len(across)), (agent[across], moved_by[across])), pairs.shape)
        agent, moved_by = unreached(adjacency, left)
        across = np.arange(len(agent))
    if len(across):
        k, i = int(agent[across[0]]), int(moved_by[across[0]])
        raise DataError(
            f"agent {k} depends on agent {i}, or observes it, and no path of the graph joins them; add the edge, or drop "
            "the agent"
        )


def _whole_hops(kappas: Iterable[int]) -> list[int]:
    """The kappas as whole numbers from 0, or a sentence."""
    return [whole("a kappa", k, 0) for k in entries("kappas", kappas, "hops, such as [0, 1, 2]")]


def _known(locality: Locality, targets: Targets, of: str) -> list[int] | None:
    """The targets as a list, after refusing an analysis, a kind of value, or agents, that do not exist."""
    instance("locality", locality, Locality, "what analyse(model, policy) gives")
    known(of, KINDS, f"of is one of {', '.join(KINDS)}, not {of!r}")
    if targets is None:
        return None
    found = [whole("a target", i, 0, locality.n_agents - 1) for i in entries("targets", targets, "agents")]
    if not found:
        raise DataError("targets is empty; name an agent, or leave targets out for all of them")
    return found


def _tails(locality: Locality, of: str, last: int) -> Iterable[Array]:
    """t = 0, 1, ..: (n,) all that can move r_j from time t on (delta of the rewards, through H, summed)."""
    e, gamma, ones = locality.environment, locality.gamma, np.ones(locality.n_agents)
    once = ones if of == "value" else (e.state + e.action) @ ones
    w = resolvent(locality.h, once, gamma, locality.along)  # sum_t (gamma H)^t once
    if of != "value":
        w = gamma * w
        yield (e.reward_state + e.reward_action) @ ones + locality.reward @ w
    for _ in range(last + 1):
        yield locality.reward @ w
        w = gamma * (locality.h @ w)


def _by_distance(locality: Locality, targets: Sequence[int], of: str) -> Array:
    """(targets, D + 1): the moves of Q_j (or V_j) by agents more than kappa = 0..D hops away, added up; 0 at D."""
    targets, e, v = list(targets), locality.environment, influence(locality, list(targets))
    if of != "value":  # delta(Q_j) <= delta(r_j) + gamma E^T delta(V_j), for states and for actions
        direct = sp.csr_array(e.reward_state + e.reward_action)[targets].toarray()
        v = direct + locality.gamma * ((e.state + e.action).T @ v.T).T
    far = dijkstra(locality.adjacency, unweighted=True, indices=targets)
    far = np.where(np.isfinite(far), far, 0).astype(np.int64)  # nothing moves across parts of the graph
    at = np.stack([np.bincount(d, weights=w, minlength=int(far.max()) + 1) for d, w in zip(far, v, strict=True)])
    beyond = np.cumsum(at[:, ::-1], axis=1)[:, ::-1]
    return np.hstack([beyond[:, 1:], np.zeros((len(targets), 1))])


def _need(locality: Locality) -> None:
    """Refuse where no bound follows from H."""
    if not locality.bounded:
        low, high = locality.gamma * locality.radius.low, locality.gamma * locality.radius.high
        raise DataError(
            f"gamma rho(H) lies in [{low:.4g}, {high:.4g}], not below 1, so no bound follows from H; raise the policy's "
            "temperature (certificate says to what) or lower gamma"
        )
