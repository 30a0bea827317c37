"""Actors: softmax policies whose logits are linear in the states that an agent reads, its own or all neighbours'.

Shapes: L learners, E = L B copies, n agents, f states read, S states, A actions. A table (L, n, f, S, A) gives the logits
z_i(a) = sum_k table[i, k, s_{j_k}, a], j_k the k-th agent that i reads; pi_i = softmax(z_i / temperature).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Codes, Ints
from ...envs.networked.neighbourhoods import Neighbourhoods
from ...envs.networked.streams import Words, spawn, uniform
from ...errors import NotApplicable
from .actor_kernels import cumulate, expected_gradient, over_baseline, score_gradient
from .critic import Counts, Critic, NeighbourCritic, Shape, make_critic
from .rollout import Trajectory, check_states, roll, seen, walk
from .settings import LearningSettings, Settings


class OwnState:
    """pi_i(a_i | s_i): f = 1, compiled tables of cumulative probabilities."""

    def __init__(self, shape: Shape, n_actions: Ints, view: Codes, temperature: float) -> None:
        self.n_actions, self.view, self.temperature = n_actions, view, temperature
        self.shape = (*shape[:2], 1, *shape[2:])
        self._cumulative = np.empty(shape, np.float32)
        self._gradient = np.empty(shape)

    def critic(self, o: LearningSettings, copies: int, around: Neighbourhoods, counts: Counts | None) -> Critic:
        """The one that the settings name."""
        return make_critic(o, self._gradient.shape, copies, around, counts)

    def use(self, table: Array) -> None:
        """Act by this table (L, n, 1, S, A) from now on."""
        cumulate(np.ascontiguousarray(table[:, :, 0]), self.n_actions, self.temperature, self._cumulative)

    def roll(self, env: Any, seed: int, path: Trajectory, first: Any) -> Any:
        """Fill ``path`` with an episode of every copy from the state codes ``first``, and return the last ones."""
        return roll(env, self._cumulative, self.view, spawn(seed, path.r.shape[1]), path, first)

    def gradient(self, o: Settings, path: Trajectory, q: Array, critic: Critic, baseline: Array) -> Array:
        """The step of equation (7) for the tables acted by, (L, n, 1, S, A), as ``o.gradient`` says."""
        weight, cumulative, out = _weights(o), self._cumulative, self._gradient
        if o.gradient == "score":
            advantage = _advantage(o, path, q, critic, baseline)
            score_gradient(path.codes, path.a, advantage, weight, cumulative, self.temperature, out)
        else:
            values, natural = critic.marginals(), o.gradient == "natural"
            expected_gradient(path.codes, values, weight, cumulative, self.n_actions, self.temperature, natural, out)
        return out[:, :, None]

    def probabilities(self, table: Array) -> Array:
        """(L, n, S, A) of a table (L, n, 1, S, A), zero for actions that an agent does not have."""
        return softmax(table[:, :, 0], self.n_actions[:, None], self.temperature)

    def sample(self, table: Array, s: Ints, rng: np.random.Generator) -> Ints:
        """Actions (L, n) in the states s (L, n)."""
        rows = np.arange(len(s))[:, None], np.arange(s.shape[1]), seen(self.view, s)
        return draw(self.probabilities(table)[rows], rng)


class NeighbourStates:
    """pi_i(a_i | s_{N_i}): logits and critic are sums over the neighbours' states.

    Q_i = sum_k w_i[k, s_{j_k}, a_i] reads what the policy reads, so that its weights are the natural gradient's direction
    (compatible features: Sutton et al., NIPS 1999). seen (n, f): whom each agent reads, padded with n.
    """

    def __init__(self, shape: Shape, n_actions: Ints, view: Codes, temperature: float, seen: Codes) -> None:
        self.n_actions, self.view, self.temperature, self.seen = n_actions, view, temperature, seen
        self.shape = (*shape[:2], seen.shape[1], *shape[2:])
        self._table = np.zeros(self.shape)
        self._gradient = np.empty(self.shape)

    def critic(self, o: Settings, copies: int, around: Neighbourhoods, counts: Counts | None) -> Critic:
        """The one that the settings name, and the compatible one in place of "own"."""
        shape = (*self.shape[:2], *self.shape[3:])
        if o.critic == "own":
            return NeighbourCritic(o, shape, copies, around, self.seen)
        if o.gradient != "score":
            raise NotApplicable(
                f"the {o.gradient} gradient of a policy that reads its neighbours needs the worth of (s_j, a_i), which critic "
                f"{o.critic!r} lacks; use critic 'own', or gradient 'score'"
            )
        return make_critic(o, shape, copies, around, counts)

    def use(self, table: Array) -> None:
        """Act by this table (L, n, f, S, A) from now on."""
        self._table[:] = table

    def roll(self, env: Any, seed: int, path: Trajectory, first: Any) -> Any:
        """Fill ``path`` with an episode of every copy from the state codes ``first``, and return the last ones."""
        own = spawn(seed, path.r.shape[1])

        def decide(s: AnyArray, codes: Codes, a: Ints) -> None:
            check_states(s, env.n_states)
            codes[:] = seen(self.view, s)
            _act(codes, self._table, self.seen, self.n_actions, self.temperature, own, a)

        return walk(env, decide, path, first)

    def gradient(self, o: Settings, path: Trajectory, q: Array, critic: Critic, baseline: Array) -> Array:
        """The step of equation (7) for the tables acted by, (L, n, f, S, A), as ``o.gradient`` says."""
        mode, policy = ("score", "expected", "natural").index(o.gradient), (self._table, self.seen, self.n_actions)
        values = critic.marginals() if mode else self._table
        advantage = q if mode else _advantage(o, path, q, critic, baseline)
        _gradient(path.codes, path.a, advantage, values, _weights(o), *policy, self.temperature, mode, self._gradient)
        return self._gradient

    def sample(self, table: Array, s: Ints, rng: np.random.Generator) -> Ints:
        """Actions (L, n) in the states s (L, n)."""
        learners, n = s.shape
        read = seen(self.view, s)[:, np.minimum(self.seen, n - 1)]  # (L, n, f)
        axes = np.ix_(np.arange(learners), np.arange(n), np.arange(self.seen.shape[1]))
        logits = (table[(*axes, read)] * (self.seen < n)[:, :, None]).sum(2)
        return draw(softmax(logits, self.n_actions, self.temperature), rng)

    def probabilities(self, table: Array) -> Array:
        """Refused: what the policy reads is more than the own state."""
        raise NotApplicable("a policy that reads its neighbours is no table over own states; use evaluate or act")


Actor = OwnState | NeighbourStates


def softmax(logits: Array, n_actions: Ints, temperature: float) -> Array:
    """softmax(logits / temperature) along the last axis, zero beyond an agent's actions (n_actions: (n,) or (n, 1))."""
    z = np.where(np.arange(logits.shape[-1]) < n_actions[..., None], logits / temperature, -np.inf)
    z = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(z / z.sum(axis=-1, keepdims=True))


def draw(p: Array, rng: np.random.Generator) -> Ints:
    """One action for each row of probabilities (..., A)."""
    u = rng.random(p.shape[:-1])
    return np.asarray((u[..., None] >= p.cumsum(-1)[..., :-1]).sum(-1), dtype=np.int64)


def _weights(o: Settings) -> Array:
    """gamma^t of the T + 1 steps; one each for the average reward."""
    return np.asarray(o.discount ** np.arange(o.length + 1))


def _advantage(o: Settings, path: Trajectory, q: Array, critic: Critic, baseline: Array) -> Array:
    """sum of Q_j over those whom i reaches, less the baseline of the own state."""
    out = critic.summed(q)
    return over_baseline(path.codes, out, baseline, o.baseline_rate) if o.baseline_rate else out


@njit(cache=True, inline="always")
def _probabilities(codes: Codes, i: int, table: Array, seen: Codes, actions: int, temperature: float, p: Array) -> None:
    """p[:actions] = softmax of the summed logits of agent i; codes (n,), table (n, f, S, A)."""
    top = -np.inf
    for a in range(actions):
        z = 0.0
        for k in range(seen.shape[1]):
            j = seen[i, k]
            if j < codes.size:
                z += table[i, k, codes[j], a]
        p[a] = z / temperature
        top = max(top, p[a])
    total = 0.0
    for a in range(actions):
        p[a] = np.exp(p[a] - top)
        total += p[a]
    for a in range(actions):
        p[a] /= total


@njit(cache=True)
def _act(codes: Codes, table: Array, seen: Codes, n_actions: Ints, temperature: float, own: Words, a: Ints) -> None:
    """Draw the actions of every copy: codes, a (E, n), table (L, n, f, S, A), own (E, 2)."""
    per = codes.shape[0] // table.shape[0]
    p = np.empty(table.shape[4])
    for e in range(codes.shape[0]):
        for i in range(codes.shape[1]):
            _probabilities(codes[e], i, table[e // per], seen, n_actions[i], temperature, p)
            u, chosen = uniform(own[e]), 0
            for k in range(n_actions[i] - 1):
                u -= p[k]
                chosen += u >= 0.0
                if u < 0.0:
                    break
            a[e, i] = chosen


@njit(cache=True)
def _gradient(
    codes: Codes,
    a: Ints,
    advantage: Array,
    values: Array,
    weight: Array,
    table: Array,
    seen: Codes,
    n_actions: Ints,
    temperature: float,
    mode: int,
    out: Array,
) -> None:
    """Score (mode 0), expected (1) or natural (2) step; codes, a, advantage (T + 1, E, n), the rest (L, n, f, S, A)."""
    steps, copies, n = codes.shape
    per = copies // table.shape[0]
    p, g = np.empty(table.shape[4]), np.empty(table.shape[4])
    out[:] = 0.0
    for t in range(steps):
        for e in range(copies):
            row = codes[t, e]
            for i in range(n):
                actions, active = n_actions[i], 0
                _probabilities(row, i, table[e // per], seen, actions, temperature, p)
                for k in range(seen.shape[1]):
                    active += seen[i, k] < n
                if mode == 0:
                    for b in range(actions):
                        g[b] = ((b == a[t, e, i]) - p[b]) * advantage[t, e, i] / temperature
                else:
                    mean = 0.0
                    for b in range(actions):
                        g[b] = 0.0
                        for k in range(seen.shape[1]):
                            if seen[i, k] < n:
                                g[b] += values[e // per, i, k, row[seen[i, k]], b]
                        mean += p[b] * g[b]
                    for b in range(actions):
                        g[b] = (g[b] - mean) * (temperature / active if mode == 2 else p[b] / temperature)
                for k in range(seen.shape[1]):
                    j = seen[i, k]
                    if j < n:
                        for b in range(actions):
                            out[e // per, i, k, row[j], b] += weight[t] / per * g[b]
