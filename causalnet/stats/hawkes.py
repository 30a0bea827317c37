"""Topological Hawkes process: kernel effects in one scan, the log-likelihood of one event type, its EM fit.

    lambda_i(n, t) = mu_i + sum_{j in Pa(i)} sum_k alpha[k, j, i] * phi[j, k](n, t)
    phi[j, k](n, t) = sum over devices m and events of type j at m, at times s < t, of W_k[m, n] exp(-decay (t - s))

(Cai, Wu, Qiao, Hao, Zhang, Zhang, "THPs: Topological Hawkes Processes for learning causal structure on event
sequences", IEEE TNNLS 2024; Hawkes, Biometrika 1971.) Times are in seconds. N events, V types, M devices, K slots
(a slot is a hop and a decay), p selected rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import Array, Bools, Codes, Ints
from ..base.checks import entries, whole
from ..errors import DataError

Normalization = Literal["degree", "symmetric", "none"]


def distances(hops: Sequence[int], *, linked: bool = True) -> tuple[int, ...]:
    """Distinct topology distances, checked; without links (``linked``) only 0 exists, and the others are left out."""
    found = [whole("each of hops", hop, 0) for hop in entries("hops", hops, "topology distances")]
    if not found or len(set(found)) != len(found):
        raise DataError(f"hops is {hops!r}, and must be distinct topology distances 0, 1, 2, ..., one at least")
    use = tuple(hop for hop in found if linked or hop == 0)
    if not use:
        raise DataError(
            f"hops={tuple(found)!r} holds no distance that exists here: without links between devices events act only "
            "on their own device; write hops=(0,), or give a topology"
        )
    return use


def hop_weights(adjacency: Bools, hops: tuple[int, ...], normalization: Normalization) -> list[Array]:
    """One (M, M) matrix W_k per hop: how strongly an event at device m (row) reaches device n (column).

    "degree": (D^-1 A D^-1)^k; "symmetric": (D^-1/2 A D^-1/2)^k; "none": 1 where the shortest path has k links.
    A device without links reaches itself alone (hop 0).
    """
    links = adjacency.astype(np.float64)
    m = len(links)
    if normalization == "none":
        distance = np.full((m, m), -1)
        distance[np.diag_indices(m)] = 0
        front = np.eye(m, dtype=bool)
        for k in range(1, max(hops) + 1):
            front = (front.astype(np.float64) @ links > 0) & (distance < 0)
            distance[front] = k
        return [(distance == k).astype(np.float64) for k in hops]
    degree = links.sum(axis=1)
    power = -1.0 if normalization == "degree" else -0.5
    scale = np.where(degree > 0, np.maximum(degree, 1.0) ** power, 0.0)
    step = scale[:, None] * links * scale[None, :]
    return [np.linalg.matrix_power(step, k) for k in hops]


class Reach(NamedTuple):
    """Non-zeros of the hop weights: row k * M + m lists the devices that an event at m reaches at hop k."""

    start: Ints
    device: Ints
    weight: Array


def reach_of(weights: list[Array], active: Bools) -> Reach:
    """Sparse rows of the hop weights (each (M, M)), kept only where the receiving device is ``active`` (M,)."""
    start, device, weight = [0], [], []
    for matrix in weights:
        for row in matrix:
            to = np.flatnonzero((row > 0) & active)
            device.append(to)
            weight.append(row[to])
            start.append(start[-1] + len(to))
    return Reach(np.array(start), np.concatenate(device), np.concatenate(weight))


@njit(cache=True)
def _scan(time, kind, device, start, to, weight, decay, n_types, n_devices, n_hops, tie):  # type: ignore[no-untyped-def]
    """(N, V, H, B) effects before each event: each state decays by exp(-decay dt), so one pass is enough."""
    n, b = len(time), len(decay)
    state = np.zeros((n_devices, n_types, n_hops, b))
    last = np.zeros((n_devices, n_types, n_hops))
    effect = np.zeros((n, n_types, n_hops, b))
    first = 0
    while first < n:
        end = first
        while end < n and time[end] == time[first]:
            end += 1
        now = time[first]
        for e in range(first, end):
            here = device[e]
            for j in range(n_types):
                for k in range(n_hops):
                    if state[here, j, k, 0] > 0:
                        dt = now - last[here, j, k]
                        for q in range(b):
                            effect[e, j, k, q] = state[here, j, k, q] * math.exp(-decay[q] * dt)
        for e in range(first, end):
            j = kind[e]
            for k in range(n_hops):
                row = k * n_devices + device[e]
                for s in range(start[row], start[row + 1]):
                    there = to[s]
                    dt = now - last[there, j, k]
                    for q in range(b):
                        state[there, j, k, q] = state[there, j, k, q] * math.exp(-decay[q] * dt) + weight[s]
                    last[there, j, k] = now
                    if tie > 0.0:
                        for other in range(first, end):
                            if device[other] == there and kind[other] != j:
                                for q in range(b):
                                    effect[other, j, k, q] += tie * weight[s]
        first = end
    return effect


class Exposure(NamedTuple):
    """All that the likelihood needs: effects by target, their integrals, the observed device-seconds."""

    effects: tuple[Array, ...]  # per target i: (V * K, n_i), rows j * K + slot, columns the events of type i
    integral: Array  # (V * K,) integral of each effect over devices and time
    horizon: float  # T = (t_max - t_min) * number of devices with events
    slots: int  # K = number of hops times number of decays
    common: bool = False  # no block of what all types raise together

    @property
    def size(self) -> Ints:
        """(V,) events of each target."""
        return np.array([phi.shape[1] for phi in self.effects])

    def solve(self, target: int, rows: Ints, tol: float, max_iter: int) -> tuple[float, float, Array]:
        """Log-likelihood, mu and alpha (p,) of a target given the effects in ``rows`` (p,), by EM."""
        value, mu, alpha, _ = em_fit(self.effects[target], self.integral, rows, self.horizon, tol, max_iter)
        return value, mu, alpha


def expose(
    time: Array,
    kind: Codes,
    device: Codes,
    weights: list[Array],
    decay: Array,
    n_types: int,
    tie: float = 0.0,
) -> Exposure:
    """Effects and integrals of a log sorted by ``time`` (N,); kind, device (N,); weights: one (M, M) per hop.

    tie: weight of an event of another type in the same instant as a cause (0: only strictly earlier ones).
    """
    m, hops = len(weights[0]), len(weights)
    active = np.zeros(m, dtype=bool)
    active[device] = True
    reach = reach_of(weights, active)
    effect = _scan(time, kind, device, *reach, decay, n_types, m, hops, tie)
    slots = hops * len(decay)
    left = time[-1] - time
    integral = np.zeros((n_types, hops, len(decay)))
    for q, rate in enumerate(decay):
        lasting = -np.expm1(-rate * left) / rate  # (N,) integral of the kernel until t_max
        for k, matrix in enumerate(weights):
            out = matrix[:, active].sum(axis=1)
            integral[:, k, q] = np.bincount(kind, weights=lasting * out[device], minlength=n_types)
    flat = effect.reshape(len(time), n_types * slots)
    effects = tuple(np.ascontiguousarray(flat[kind == i].T) for i in range(n_types))
    return Exposure(effects, integral.ravel(), float((time[-1] - time[0]) * active.sum()), slots)


@njit(cache=True, fastmath={"reassoc", "contract"})
def em_fit(effects, integral, rows, horizon, tol, max_iter, empty=0):  # type: ignore[no-untyped-def]
    """max over mu, alpha >= 0 of sum_e log(mu + alpha . phi_e) - mu T - alpha . C; starts at mu = alpha = 1.

    effects (V*K, n), integral C (V*K,), rows (p,): the selected rows; empty: further events that no effect reaches.
    Stops when a step gains less than ``tol`` nats.
    Returns the log-likelihood, mu, alpha (p,) and the number of iterations.
    """
    p, n = len(rows), effects.shape[1]
    phi, c = np.empty((p, n)), np.empty(p)
    for a in range(p):
        phi[a] = effects[rows[a]]
        c[a] = integral[rows[a]]
    mu, alpha = 1.0, np.ones(p)
    rate = np.empty(n)
    previous, value, step = -np.inf, 0.0, 0
    while True:
        for e in range(n):
            rate[e] = mu
        for a in range(p):
            weight = alpha[a]
            if weight > 0.0:
                source = phi[a]
                for e in range(n):
                    rate[e] += weight * source[e]
        value = empty * math.log(mu) - mu * horizon
        for a in range(p):
            value -= alpha[a] * c[a]
        e = 0
        while e + 4 <= n:  # the logarithm of a product of four: the same sum at a quarter of the price
            value += math.log(rate[e] * rate[e + 1] * rate[e + 2] * rate[e + 3])
            e += 4
        while e < n:
            value += math.log(rate[e])
            e += 1
        if value - previous < tol or step >= max_iter:
            return value, mu, alpha, step
        previous = value
        total = empty / mu
        for e in range(n):
            rate[e] = 1.0 / rate[e]
            total += rate[e]
        mu *= total / horizon  # mu <- (1 / T) sum_e mu / lambda_e
        for a in range(p):  # alpha <- (1 / C) sum_e alpha phi_e / lambda_e
            if c[a] > 0.0:
                source, total = phi[a], 0.0
                for e in range(n):
                    total += source[e] * rate[e]
                alpha[a] *= total / c[a]
            else:
                alpha[a] = 0.0
        step += 1
