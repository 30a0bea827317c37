"""Exact solutions of small networked decision processes, by enumerating every global state and action.

For tests, for locality bounds and as a baseline: the model is a TabularNetwork with up to 5-8 binary agents, or with
about 16 where a policy's values alone are asked for (:func:`state_values`).
Global states and actions are numbered in the order of ``numpy.unravel_index`` over (n_states...) and (n_actions...).
A policy is one table an agent: pi_i, axes (s of each agent in observes[i]..., a_i); by default an agent observes itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import Array, Ints
from ...base.checks import entries, laws, number, numbers, rows_of, shaped, whole
from ...errors import DataError
from .checks import agent_rows
from .model import TabularNetwork

Policy = Sequence[Array]
Balls = Sequence[Sequence[int]] | None
_CELLS = 2**27  # of the global transition table: one gigabyte


@dataclass(frozen=True, eq=False)
class Joint:
    """The global process under a policy: S states, A actions.

    transition: (S, A, S) P(s' | s, a). policy: (S, A) pi(a | s). rewards: (n, S, A) r_i(s, a). initial: (S,).
    local_states, local_actions: (S, n), (A, n) the agents' codes in each global one.
    """

    transition: Array
    policy: Array
    rewards: Array
    initial: Array
    gamma: float
    local_states: Ints
    local_actions: Ints


def joint(model: TabularNetwork, policy: Policy, observes: Sequence[Sequence[int]] | None = None) -> Joint:
    """The global process that a model and a policy make: products of the local tables (eq. 1 of arXiv 1912.02906)."""
    n, sizes, acts = model.n_agents, model.n_states, model.n_actions
    n_s, n_a = math.prod(sizes.tolist()), math.prod(acts.tolist())
    if n_s * n_s * n_a > _CELLS:
        raise DataError(
            f"{n} agents make about 10^{math.log10(n_s):.0f} global states and 10^{math.log10(n_a):.0f} actions: too many to "
            "enumerate; use fewer agents, or simulate"
        )
    looks = agent_rows("observes", [[i] for i in range(n)] if observes is None else observes, n, n - 1)
    tables = entries("policy", policy, "tables", n)
    s = np.stack(np.unravel_index(np.arange(n_s), sizes), axis=1).astype(np.int64)
    a = np.stack(np.unravel_index(np.arange(n_a), acts), axis=1).astype(np.int64)
    transition, pi = np.ones((n_s, n_a, 1)), np.ones((n_s, n_a))
    rewards, initial = np.empty((n, n_s, n_a)), np.ones(n_s)
    for i in range(n):
        kernel = model.kernels[i][_at(s, a, model.state_parents[i], model.action_parents[i])]  # type: ignore[index]
        kernel = np.broadcast_to(kernel, (n_s, n_a, int(sizes[i])))
        transition = (transition[:, :, :, None] * kernel[:, :, None, :]).reshape(n_s, n_a, -1)
        rewards[i] = model.rewards[i][_at(s, a, model.reward_states[i], model.reward_actions[i])]  # type: ignore[index]
        table = numbers(f"policy[{i}]", tables[i])
        want = (*sizes[[*looks[i]]].tolist(), int(acts[i]))
        shaped(f"policy[{i}]", table, want, "the states observed, then the actions")
        pi *= laws(f"policy[{i}]", table, 1e-6)[_at(s, a, looks[i], [i])]
        initial *= model.initial[i][s[:, i]]  # type: ignore[index]
    return Joint(transition, pi, rewards, initial, model.gamma, s, a)


def q_values(process: Joint) -> Array:
    """Q_i(s, a) = E[sum_t gamma^t r_i(t) | s(0) = s, a(0) = a] (eq. 3): (n, S, A), by one linear solve."""
    p, pi, gamma = process.transition, process.policy, process.gamma
    closed = np.einsum("sa,sat->st", pi, p)
    v = np.linalg.solve(np.eye(len(closed)) - gamma * closed, np.einsum("sa,nsa->sn", pi, process.rewards))
    return process.rewards + gamma * np.einsum("sat,tn->nsa", p, v)


def state_values(model: TabularNetwork, policy: Policy, tolerance: float = 1e-9) -> Array:
    """V_i(s) = E[sum_t gamma^t r_i(t) | s(0) = s], of each agent: (n_states[0], ..., n_states[n - 1], n), within ``tolerance``.

    For own-state policies and the model of eq. 1, P_i(s_i' | s_{N_i}, a_i) and r_i(s_i, a_i). Given s the next states are
    independent, so the table of all pairs (s, s') is never made: a step of V <- r + gamma P V sums s_1', s_2', ... out one
    after the other, and each brings in the states of its parents alone.
    """
    n, own = model.n_agents, [(i,) for i in range(model.n_agents)]
    if any(list(part or ()) != own for part in (model.action_parents, model.reward_states, model.reward_actions)):
        raise DataError(
            "values agent by agent need kernels and rewards that read no action but the agent's own; use joint"
        )
    if int(np.prod(model.n_states, dtype=float)) * n > _CELLS:
        raise DataError(f"{n} agents make too many global states for a value of each; use fewer agents, or simulate")
    tables = entries("policy", policy, "tables", n)
    moves, r = [], np.zeros((*model.n_states.tolist(), n))
    for i, (table, kernel) in enumerate(zip(tables, model.kernels, strict=True)):
        sees = list(model.state_parents[i])  # type: ignore[index]
        shaped(
            f"policy[{i}]", table, (int(model.n_states[i]), int(model.n_actions[i])), "the own state, then the actions"
        )
        keep = sorted({*sees, i})
        moves.append((_contracted((kernel, [*sees, 2 * n, n + i]), (table, [i, 2 * n]), [*keep, n + i]), keep))
        r[..., i] += (model.rewards[i] * table).sum(1).reshape([-1 if k == i else 1 for k in range(n)])
    values, gap = r, np.inf
    while gap * model.gamma > tolerance * (1 - model.gamma):
        ahead, axes = values, {*range(n, 2 * n)}  # n + i stands for s_i'
        for i, (move, sees) in enumerate(moves):
            left = (axes | set(sees)) - {n + i}
            ahead = _contracted((ahead, [*sorted(axes), 2 * n]), (move, [*sees, n + i]), [*sorted(left), 2 * n])
            axes = left
        after = r + model.gamma * ahead
        values, gap = after, float(np.abs(after - values).max())
    return values


def _contracted(one: tuple[Array, list[int]], other: tuple[Array, list[int]], left: list[int]) -> Array:
    """The product of two tables with named axes, summed over those that are not ``left``."""
    (a, of_a), (b, of_b) = one, other
    return np.asarray(np.einsum(a, of_a, b, of_b, left))  # type: ignore[arg-type]


def occupancy(process: Joint) -> Array:
    """d(s, a) = (1 - gamma) sum_t gamma^t P(s(t) = s, a(t) = a) (Lemma 1): (S, A), sums to one."""
    closed = np.einsum("sa,sat->st", process.policy, process.transition)
    d = np.linalg.solve(np.eye(len(closed)) - process.gamma * closed.T, (1 - process.gamma) * process.initial)
    return d[:, None] * process.policy


def stationary(process: Joint) -> Array:
    """The law of (s, a) that the policy keeps: (S, A); the chain must have one class only."""
    closed = np.einsum("sa,sat->st", process.policy, process.transition)
    system = np.vstack([closed.T - np.eye(len(closed)), np.ones(len(closed))])
    d, _, rank, _ = np.linalg.lstsq(system, np.append(np.zeros(len(closed)), 1.0), rcond=None)
    if rank < len(closed):
        raise DataError("the chain under this policy has more than one stationary law; make every state reachable")
    return np.clip(d, 0, None)[:, None] / np.clip(d, 0, None).sum() * process.policy


def differential_q(process: Joint) -> tuple[Array, Array]:
    """Average reward: mu_i (n,) and Q_i = r_i - mu_i + E[Q_i'] (n, S, A), with sum_{s,a} d(s, a) Q_i(s, a) = 0."""
    d = stationary(process)
    mu = np.einsum("sa,nsa->n", d, process.rewards)
    closed = np.einsum("sa,sat->st", process.policy, process.transition)
    rest = np.einsum("sa,nsa->sn", process.policy, process.rewards) - mu
    v = np.linalg.solve(np.eye(len(closed)) - closed + d.sum(1)[None, :], rest)  # d.v = 0
    return mu, process.rewards - mu[:, None, None] + np.einsum("sat,tn->nsa", process.transition, v)


def objective(process: Joint) -> float:
    """J = E[sum_t gamma^t (1/n) sum_i r_i(t)] from the initial law (eq. 2)."""
    v = np.einsum("sa,nsa->s", process.policy, q_values(process)) / len(process.rewards)
    return float(process.initial @ v)


def keys(process: Joint, agents: Sequence[int]) -> Ints:
    """(S, A): the number of the joint local state and action of these agents, from 0; equal where all of them agree."""
    columns = np.sort(np.asarray(agents, dtype=np.int64))
    s = np.unique(process.local_states[:, columns], axis=0, return_inverse=True)[1].ravel()
    a = np.unique(process.local_actions[:, columns], axis=0, return_inverse=True)[1].ravel()
    return s[:, None] * (a.max() + 1) + a[None, :]


def truncated(q: Array, key: Ints, weights: Array) -> tuple[Array, float]:
    """Average Q_i over what lies outside the neighbourhood (eq. 5): q, key, weights (S, A) -> (S, A), and the widest gap.

    The gap is the largest |Q_i(x) - Q_i(x')| over pairs that agree inside: what Definition 2 bounds by c rho^(kappa+1).
    """
    k = key.ravel()
    mass = np.bincount(k, weights.ravel())
    mean = np.bincount(k, (weights * q).ravel()) / np.where(mass > 0, mass, 1.0)
    top, low = np.full(mass.shape, -np.inf), np.full(mass.shape, np.inf)
    np.maximum.at(top, k, q.ravel())
    np.minimum.at(low, k, q.ravel())
    return np.where(mass > 0, mean, (top + low) / 2)[key], float((top - low).max())


def td_fixed_point(process: Joint, reward: Array, key: Ints, weights: Array) -> Array:
    """Where TD(0) with entries shared by ``key`` ends: Q(z) = E_w[r + gamma Q(z') | z], as (S, A).

    reward, weights (S, A): one agent's reward, and the law of (s, a) along the trajectory. It differs from the average
    of eq. 5 by at most c rho^(kappa+1) / (1 - gamma).
    """
    k, w = key.ravel(), weights.ravel()
    mass = np.bincount(k, w)
    w = w / np.where(mass > 0, mass, 1.0)[k]
    drawn = np.zeros((len(key), len(mass)))  # P(z' | s'), the next action being the policy's
    np.add.at(drawn, (np.arange(len(key))[:, None], key), process.policy)
    move = np.zeros((len(mass), len(mass)))  # P(z' | z)
    np.add.at(move, k, w[:, None] * (process.transition @ drawn).reshape(len(k), -1))
    q = np.linalg.solve(np.eye(len(mass)) - process.gamma * move, np.bincount(k, w * reward.ravel()))
    return np.asarray(q[key])


def policy_gradient(
    model: TabularNetwork, policy: Policy, temperature: float = 1.0, balls: Balls = None
) -> list[Array]:
    """Gradient of J in the logits of own-state softmax policies: one (n_states[i], n_actions[i]) table an agent.

    balls[i]: the agents of N_i^kappa, for the truncated gradient of Lemma 4 (eq. 7), with the occupancy as weights;
    None: the exact gradient (Lemma 1).
    """
    number("temperature", temperature, above=0)
    process = joint(model, policy)
    q, d, n = q_values(process), occupancy(process), model.n_agents
    if balls is not None:
        each = entries("balls", balls, "lists of agents", n)
        balls = [rows_of(f"balls[{i}]", ball, n).tolist() for i, ball in enumerate(each)]
        q = np.stack([truncated(q[j], keys(process, balls[j]), d)[0] for j in range(n)])
    gradients = []
    for i in range(n):
        total = q.sum(0) if balls is None else q[list(balls[i])].sum(0)
        h = d * total / n / (1 - process.gamma)  # the weight of grad log pi_i(a_i | s_i) at each (s, a)
        local = np.zeros((int(model.n_states[i]), int(model.n_actions[i])))
        np.add.at(local, (process.local_states[:, None, i], process.local_actions[None, :, i]), h)
        pi = np.asarray(policy[i])
        gradients.append((local - pi * local.sum(1, keepdims=True)) / temperature)
    return gradients


def exact_policy_gradient(
    model: TabularNetwork, *, steps: int = 200, step_size: float = 10.0, temperature: float = 1.0, balls: Balls = None
) -> tuple[list[Array], Array]:
    """Climb J by exact (or exactly truncated) gradients from the uniform policy: final policy, and J (steps + 1,)."""
    theta = [np.zeros((int(s), int(a))) for s, a in zip(model.n_states, model.n_actions, strict=True)]
    values = []
    for step in range(whole("steps", steps, 0) + 1):
        policy = [softmax(t / temperature) for t in theta]
        values.append(objective(joint(model, policy)))
        if step < steps:
            slope = policy_gradient(model, policy, temperature, balls)
            theta = [t + step_size * g for t, g in zip(theta, slope, strict=True)]
    return policy, np.array(values)


def softmax(x: Array) -> Array:
    """exp(x) over its sum along the last axis, without overflow."""
    z = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(z / z.sum(axis=-1, keepdims=True))


def _at(s: Ints, a: Ints, states: Sequence[int], actions: Sequence[int]) -> tuple[Any, ...]:
    return tuple(s[:, None, j] for j in states) + tuple(a[None, :, j] for j in actions)
