"""Localized policy improvement with exact truncated advantages, and a step size that is safe without looking at J.

For small networks (global states enumerated). Write (1 - gamma) (J+ - J) = E_{d+} E_{pi+} A (the performance difference).
Blocks k of one colour are more than 2 kappa apart, so each truncated Q_j moves with one block at most, and
    (1 - gamma) (J+ - J) >= sum_k E_d[g_k] - sum_k |E_{d+} g_k - E_d g_k| - 2 eps sum_k TV_k,
    g_k(s) = sum_a (pi_k+ - pi_k)(a | s_k) q_k(s, a), q_k the share of N_k^kappa in the truncated Q,
with eps the mean truncation gap (Definition 2 of arXiv 1912.02906), TV_k the largest change of pi_k. The first sum is what the
update climbs; the second is at most gamma / (1 - gamma) sum_l E_d[TV_l] osc(g_k), and, where gamma rho(H) < 1, at most
gamma sum_l TV_l [(E^a)^T (I - gamma H^T)^{-1} delta(g_k)]_l: the locality matrices of arXiv 2602.16966 say how long a safe
step may be. Only the last term, the truncation bias, can lower J. Derived here: of that paper only abstracts were at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...base.arrays import Array, Ints
from ...base.asked import asks
from ...base.checks import number, numbers, whole
from ...envs.networked import TabularNetwork
from ...envs.networked.exact import Joint, joint, keys, objective, occupancy, q_values, truncated
from ...envs.networked.neighbourhoods import adjacency_of, hop_neighbourhoods, influencers
from ...errors import DataError
from ...locality import Locality, LocalPolicy, analyse
from .colours import colour_agents

_STEPS = tuple(np.exp2(np.arange(12.0, -13.0, -1.0)).tolist())  # 4096 to 1 / 4096


@dataclass(frozen=True)
class ExactStep:
    """One update: colour, step size eta and temperature tau; J before and after; the change that was guaranteed up to the
    truncation bias, and that bias; bounds of rho(H) under the policy before, and whether rho(H) < 1 was certified."""

    colour: int
    eta: float
    tau: float
    before: float
    after: float
    guaranteed: float
    bias: float
    rho: tuple[float, float]
    certified: bool


def proximal(pi: Array, advantage: Array, eta: float, tau: float) -> Array:
    """argmax_p <p, advantage> + tau entropy(p) - KL(p || pi) / eta, row by row: pi^(1/(1+eta tau)) exp(eta adv / (1+eta tau)).

    pi, advantage (..., A); actions of probability zero stay there.
    """
    with np.errstate(divide="ignore"):
        z = (np.log(pi) + eta * advantage) / (1 + eta * tau)
    z = np.exp(z - z.max(-1, keepdims=True))
    return np.asarray(z / z.sum(-1, keepdims=True))


@asks()
def exact_improvement(
    model: TabularNetwork,
    policy: Sequence[Array] | None = None,
    *,
    kappa: int = 1,
    rounds: int = 20,
    steps: Sequence[float] = _STEPS,
    tau: Sequence[float] = (0.0,),
) -> tuple[list[Array], list[ExactStep]]:
    """Cycle through the colours ``rounds`` times, each with the step of ``steps`` that guarantees most; policy and record.

    policy: own-state tables (n_states[i], n_actions[i]), uniform by default. tau: temperatures of the rounds (the last one
    stays). A colour for which no step guarantees an improvement is left as it is (eta 0).
    """
    adjacency = adjacency_of(model.graph)
    colour, near = colour_agents(adjacency, kappa), hop_neighbourhoods(adjacency, kappa)
    balls, reached = near.tolil().rows.tolist(), influencers(near).tolil().rows.tolist()
    uniform = [np.full((s, a), 1 / a) for s, a in zip(model.n_states, model.n_actions, strict=True)]
    tables = uniform if policy is None else [numbers("policy", p) for p in policy]
    steps, tau = _numbers("steps", steps), _numbers("tau", tau)
    record = []
    for round_ in range(whole("rounds", rounds, 1)):
        for c in range(int(colour.max()) + 1):
            at = tau[min(round_, len(tau) - 1)]
            tables, done = _update(model, tables, np.flatnonzero(colour == c), (balls, reached), steps, at, c)
            record.append(done)
    return tables, record


def _numbers(name: str, values: Sequence[float]) -> list[float]:
    if not isinstance(values, (list, tuple, np.ndarray)) or len(values) == 0:
        raise DataError(f"{name} is {values!r}; write a list of one or more numbers")
    return [number(name, value, 0.0) for value in values]


def _update(
    model: TabularNetwork,
    tables: list[Array],
    blocks: Ints,
    around: tuple[list[list[int]], list[list[int]]],
    steps: Sequence[float],
    tau: float,
    colour: int,
) -> tuple[list[Array], ExactStep]:
    process, gamma, n = joint(model, tables), model.gamma, model.n_agents
    balls, reached = around  # N_j^kappa, and for whom k is in it
    law, q = occupancy(process), q_values(process)
    found = [truncated(q[j], keys(process, balls[j]), law) for j in range(n)]
    eps = sum(gap for _, gap in found) / n
    local = analyse(model, LocalPolicy(tables))
    near = {int(k): np.sum([found[j][0] for j in reached[k]], axis=0) / n for k in blocks}
    shares = {k: _share(process, tables, k, q) for k, q in near.items()}
    before, d = objective(process), law.sum(1)
    advantage = {k: _mean_over_rest(q, d, process.local_states[:, k], len(tables[k])) for k, q in shares.items()}
    best, kept, bias, eta = 0.0, tables, 0.0, 0.0
    for step in steps:
        new = [proximal(p, advantage[k], step, tau) if k in advantage else p for k, p in enumerate(tables)]
        gain, moved = _guarantee(process, local, tables, new, shares, d, gamma)
        if gain > best:
            best, kept, bias, eta = gain, new, 2 * eps * moved / (1 - gamma), step
    after = objective(joint(model, kept)) if eta else before
    radius = local.radius
    rho = (radius.low, radius.high)
    return kept, ExactStep(colour, eta, tau, before, after, best / (1 - gamma), bias, rho, bool(radius.high < 1))


def _share(process: Joint, tables: Sequence[Array], k: int, q: Array) -> Array:
    """q_k(s, a_k): the mean of q (S, A) over the actions of everyone else; (S, n_actions[k])."""
    own = tables[k][process.local_states[:, None, k], process.local_actions[None, :, k]]
    others = np.where(own > 0, process.policy / np.where(own > 0, own, 1.0), 0.0)
    out = np.zeros((len(q), tables[k].shape[1]))
    np.add.at(out.T, process.local_actions[:, k], (others * q).T)
    return out


def _mean_over_rest(q: Array, d: Array, code: Ints, states: int) -> Array:
    """A_k(o, a) up to a constant in each o: E_d[q_k(s, a) | s_k = o]; (states, actions), zero where o never happens."""
    out, mass = np.zeros((states, q.shape[1])), np.bincount(code, d, minlength=states)
    np.add.at(out, code, d[:, None] * q)
    return out / np.where(mass > 0, mass, 1.0)[:, None]


def _guarantee(
    process: Joint,
    local: Locality,
    old: Sequence[Array],
    new: Sequence[Array],
    shares: dict[int, Array],
    d: Array,
    gamma: float,
) -> tuple[float, float]:
    """(1 - gamma) times the improvement guaranteed up to truncation, and sum_k max TV_k."""
    most, mean = np.zeros(len(old)), 0.0
    g = []
    for k, q in shares.items():
        change, code = 0.5 * np.abs(new[k] - old[k]).sum(-1), process.local_states[:, k]
        most[k], mean = change.max(), mean + float(d @ change[code])
        g.append(((new[k] - old[k])[code] * q).sum(-1))
    inverse = np.linalg.inv(np.eye(len(old)) - gamma * local.h.toarray().T) if local.bounded else None
    total = 0.0
    for value in g:
        drift = gamma / (1 - gamma) * mean * float(np.ptp(value))
        if inverse is not None:
            along = local.environment.action.T @ (inverse @ _oscillation(value, process.local_states))
            drift = min(drift, gamma * float(most @ along))
        total += float(d @ value) - drift
    return total, float(most.sum())


def _oscillation(f: Array, codes: Ints) -> Array:
    """delta_i(f): the largest change of f (S,) when s_i alone changes; (n,)."""
    cube = f.reshape(tuple(codes.max(0) + 1))
    return np.array([np.ptp(cube, axis=i).max() for i in range(cube.ndim)])
