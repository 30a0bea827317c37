"""Compiled parts of the actor: sampling own-state softmax policies, and their gradients, for all agents at once.

Shapes: L learners (seeds), E = L * B copies of the environment (copy e belongs to learner e // B), n agents,
S local states and A local actions (the widest agent's; what an agent does not have gets probability zero).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Codes, Floats, Ints
from ...envs.networked.neighbourhoods import Rows
from ...envs.networked.policies import act
from ...envs.networked.streams import Words

NEVER = np.float32(2.0)  # a cumulative probability that no uniform number reaches


@njit(cache=True)
def cumulate(theta: Array, n_actions: Ints, temperature: float, out: Floats) -> None:
    """Cumulative softmax(theta / temperature) along the last axis: theta, out (L, n, S, A)."""
    learners, n, states, width = theta.shape
    for learner in range(learners):
        for i in range(n):
            m = n_actions[i]
            for s in range(states):
                row, to = theta[learner, i, s], out[learner, i, s]
                top = row[0]
                for a in range(1, m):
                    top = max(top, row[a])
                total = np.float32(0.0)
                for a in range(m):
                    total += np.float32(np.exp((row[a] - top) / temperature))
                    to[a] = total
                for a in range(m - 1):
                    to[a] /= total
                for a in range(m - 1, width):
                    to[a] = NEVER


@njit(cache=True)
def act_all(
    s: AnyArray, view: Codes, cumulative: Floats, streams: Words, n_states: Ints, codes: Codes, a: Ints
) -> bool:
    """``act`` in every copy: s, codes, a (E, n), cumulative (L, n, S, A), streams (E, 2)."""
    per = s.shape[0] // cumulative.shape[0]
    known = True
    for e in range(s.shape[0]):
        known &= act(s[e], view, cumulative[e // per], streams[e], n_states, codes[e], a[e])
    return known


@njit(cache=True)
def sum_rows(x: Array, rows: Rows) -> Array:
    """sum over the agents j of row i of x[..., j], for each agent i: x (T, E, n) -> (T, E, n)."""
    out = np.empty_like(x)
    for t in range(x.shape[0]):
        for e in range(x.shape[1]):
            row, to = x[t, e], out[t, e]
            for i in range(row.size):
                total = 0.0
                for k in range(rows.indptr[i], rows.indptr[i + 1]):
                    total += row[rows.indices[k]]
                to[i] = total
    return out


@njit(cache=True)
def over_baseline(codes: Codes, advantage: Array, baseline: Array, rate: float) -> Array:
    """advantage (T + 1, E, n) less the baseline (L, n, S) of the own state, which then moves towards it visit by visit."""
    steps, copies, n = codes.shape
    per = copies // baseline.shape[0]
    out = np.empty_like(advantage)
    for t in range(steps):
        for e in range(copies):
            for i in range(n):
                out[t, e, i] = advantage[t, e, i] - baseline[e // per, i, codes[t, e, i]]
    for t in range(steps):
        for e in range(copies):
            for i in range(n):
                cell = (e // per, i, codes[t, e, i])
                baseline[cell] += rate * (advantage[t, e, i] - baseline[cell])
    return out


@njit(cache=True)
def score_gradient(
    codes: Codes, a: Ints, advantage: Array, weight: Array, cumulative: Floats, temperature: float, gradient: Array
) -> None:
    """sum_t weight[t] adv_i(t) grad log pi_i(a_i(t) | s_i(t)), averaged over the copies of each learner.

    codes, a, advantage (T + 1, E, n); weight (T + 1,): gamma^t; cumulative, gradient (L, n, S, A).
    """
    steps, copies, n = codes.shape
    per = copies // gradient.shape[0]
    gradient[:] = 0.0
    for t in range(steps):
        for e in range(copies):
            learner = e // per
            for i in range(n):
                gradient[learner, i, codes[t, e, i], a[t, e, i]] += weight[t] / per * advantage[t, e, i]
    for learner in range(gradient.shape[0]):
        for i in range(n):
            for s in range(gradient.shape[2]):
                row, passed = gradient[learner, i, s], cumulative[learner, i, s]
                total = row.sum()
                if total == 0.0 and not row.any():
                    continue
                last = np.float32(0.0)
                for k in range(row.size):  # d log pi(a | s) / d theta[s, k] = (1[k = a] - pi(k | s)) / temperature
                    now = min(passed[k], np.float32(1.0))
                    row[k] = (row[k] - (now - last) * total) / temperature
                    last = now


@njit(cache=True)
def expected_gradient(
    codes: Codes,
    q: Array,
    weight: Array,
    cumulative: Floats,
    n_actions: Ints,
    temperature: float,
    natural: bool,
    gradient: Array,
) -> None:
    """sum_t weight[t] sum_a grad pi_i(a | s_i(t)) q_i[s_i(t), a]: the score gradient with its mean over a_i taken exactly.

    q, gradient (L, n, S, A). natural: multiplied by the inverse Fisher matrix of the softmax in each state, so that
    the step is the advantage q - E_pi q itself, times the temperature.
    """
    steps, copies, n = codes.shape
    per = copies // gradient.shape[0]
    gradient[:] = 0.0
    for t in range(steps):  # the first column gathers the discounted visits
        for e in range(copies):
            for i in range(n):
                gradient[e // per, i, codes[t, e, i], 0] += weight[t] / per
    for learner in range(gradient.shape[0]):
        for i in range(n):
            for s in range(gradient.shape[2]):
                row, passed, values = gradient[learner, i, s], cumulative[learner, i, s], q[learner, i, s]
                visits = row[0]
                if visits == 0.0:
                    continue
                mean, last = 0.0, np.float32(0.0)
                for k in range(n_actions[i]):
                    now = min(passed[k], np.float32(1.0))
                    mean += (now - last) * values[k]
                    last = now
                last = np.float32(0.0)
                for k in range(n_actions[i]):
                    now = min(passed[k], np.float32(1.0))
                    share = temperature if natural else (now - last) / temperature
                    row[k] = visits * share * (values[k] - mean)
                    last = now
