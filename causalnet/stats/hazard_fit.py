"""Constant hazards with a choice of causes: non-negative fit by Newton's method, choice of columns by a penalty.

    L(theta) = sum_e log(phi_e . theta) + sum_g lone_g log theta_g - C . theta,    theta >= 0

is concave. theta is scaled by C, so that it counts the starts that a column explains and every C is one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FLOOR = 1e-3  # the background explains at least so many starts: no start is ever impossible


class Target(NamedTuple):
    """What is known of one type's starts: phi (N, P) rows over C, lone (2,), the exposure C (P,); scaled."""

    phi: Floats
    lone: Floats
    exposure: Floats


class Fit(NamedTuple):
    """columns (p,) chosen, ascending, the backgrounds 0 and 1 first; theta (p,) starts explained; L at the optimum."""

    columns: NDArray[np.int64]
    theta: Floats
    value: float


def scaled(phi: Floats, lone: Floats, exposure: Floats) -> Target:
    """Rows (N, P) and exposure (P,) of one target, every column divided by its exposure (0 where there is none)."""
    inverse = np.where(exposure > 0, 1.0 / np.where(exposure > 0, exposure, 1.0), 0.0)
    return Target(phi * inverse, lone, exposure)


@njit(cache=True)
def _value(x, lone, theta):  # type: ignore[no-untyped-def]
    total = -theta.sum()
    for g in range(2):
        if lone[g] > 0:
            total += lone[g] * np.log(theta[g])
    for e in range(x.shape[0]):
        rate = 0.0
        for a in range(x.shape[1]):
            rate += x[e, a] * theta[a]
        total += np.log(rate)
    return total


@njit(cache=True)
def _newton(x, lone, theta, tol, max_iter):  # type: ignore[no-untyped-def]
    """Projected Newton on L; x (N, p) with the backgrounds first, theta (p,) to start from. Returns theta, L."""
    n, p = x.shape
    low = np.zeros(p)
    low[:2] = FLOOR
    theta = np.maximum(theta, low)
    value = _value(x, lone, theta)
    for _ in range(max_iter):
        g, h = np.full(p, -1.0), np.zeros((p, p))
        for e in range(n):
            rate = 0.0
            for a in range(p):
                rate += x[e, a] * theta[a]
            inverse = 1.0 / rate
            for a in range(p):
                if x[e, a] > 0.0:
                    q = x[e, a] * inverse
                    g[a] += q
                    for b in range(a + 1):
                        h[a, b] += q * x[e, b] * inverse
        for k in range(2):
            g[k] += lone[k] / theta[k]
            h[k, k] += lone[k] / theta[k] ** 2
        free = np.flatnonzero((theta > low) | (g > 0))
        if len(free) == 0:
            break
        hf, gf = np.empty((len(free), len(free))), g[free]
        for a in range(len(free)):
            for b in range(a + 1):
                hf[a, b] = hf[b, a] = h[free[a], free[b]]
            hf[a, a] += 1e-9 + 1e-9 * hf[a, a]
        step = np.linalg.solve(hf, gf)
        size, improved = 1.0, 0.0
        for _ in range(30):
            new = theta.copy()
            for a in range(len(free)):
                new[free[a]] = max(low[free[a]], theta[free[a]] + size * step[a])
            moved = _value(x, lone, new)
            if moved >= value:
                improved = moved - value
                theta, value = new, moved
                break
            size *= 0.5
        if improved < tol:
            break
    return theta, value


def fit(target: Target, columns: NDArray[np.int64], guess: Floats | None = None, tol: float = 1e-3) -> Fit:
    """Maximise L over theta >= 0 supported on ``columns``; guess: theta (p,) to start from."""
    x = np.ascontiguousarray(target.phi[:, columns])
    if guess is None:
        guess = np.full(len(columns), max(1.0, (len(x) + target.lone.sum()) / len(columns)))
    theta, value = _newton(x, target.lone, guess, tol, 60)
    return Fit(columns, theta, value)


@njit(cache=True)
def _alone(phi, rate, columns):  # type: ignore[no-untyped-def]
    """(len(columns),) gain of each column alone: max over t >= 0 of sum_e log(1 + t phi_e / rate_e) - t."""
    gain = np.zeros(len(columns))
    for a in range(len(columns)):
        ratio = phi[:, columns[a]] / rate
        ratio = ratio[ratio > 0]
        t = 0.0
        for _ in range(20):
            slope, bend = -1.0, 0.0
            for q in ratio:
                part = q / (1.0 + t * q)
                slope += part
                bend += part * part
            move = max(slope / bend, -0.5 * t)
            # from below Newton never overshoots: the slope is convex and falling
            t += move
            if abs(move) < 1e-2 * (1.0 + t):
                break
        for q in ratio:
            gain[a] += np.log1p(t * q)
        gain[a] -= t
    return gain


def curvature(target: Target, found: Fit) -> tuple[Floats, Floats]:
    """Gradient (P,) and Fisher information (P, P) of L over all columns, at the optimum of ``found``."""
    rate = target.phi[:, found.columns] @ found.theta
    q = target.phi / rate[:, None]
    gradient, information = q.sum(axis=0) - (target.exposure > 0), q.T @ q
    ground = np.flatnonzero(found.columns < 2)
    for g in found.columns[ground]:
        at = found.theta[found.columns == g][0]
        gradient[g] += target.lone[g] / at
        information[g, g] += target.lone[g] / at**2
    return gradient, information


def choose(
    target: Target, allowed: NDArray[np.bool_], required: NDArray[np.bool_], price: float, start: NDArray[np.int64]
) -> Fit:
    """Maximise L - price * (columns beyond the backgrounds) by adding and dropping one column at a time.

    allowed, required: (P,) bool over columns. start: columns to begin with. A column is tried when a quadratic
    approximation of its gain (efficient score) or loss (Wald) does not rule it out, and kept on the exact gain.
    """
    keep = (np.isin(np.arange(len(allowed)), start) & allowed) | required
    keep[:2] = True
    now = fit(target, np.flatnonzero(keep))
    refused = np.zeros(len(allowed), dtype=bool)  # tried at this set, and not worth it
    for _ in range(4 * len(allowed)):
        gradient, information = curvature(target, now)
        gain, loss = _quadratic(target, now, gradient, information, allowed & ~refused, required | refused)
        drop = int(np.argmin(loss))
        add = int(np.argmax(gain))
        if loss[drop] < 1.5 * price:
            move, wanted = drop, -price
        elif gain[add] > 0.5 * price:
            move, wanted = add, price
        else:
            break
        columns = np.setxor1d(now.columns, [move])
        guess = np.maximum(_spread(now, len(allowed))[columns], 1e-2)
        new = fit(target, columns, guess)
        if new.value - now.value > wanted + 1e-9:
            now = new
            refused[:] = False
        else:
            refused[move] = True
    return now


def _quadratic(
    target: Target,
    now: Fit,
    gradient: Floats,
    information: Floats,
    addable: NDArray[np.bool_],
    pinned: NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """(P,) gains of adding and (P,) losses of dropping each column, to second order; -inf / inf where not open."""
    width = len(gradient)
    gain, loss = np.full(width, -np.inf), np.full(width, np.inf)
    inside = now.theta > 0
    s = now.columns[inside]
    ridge = 1e-9 * (1.0 + np.diag(information)[s])
    inverse = np.linalg.inv(information[np.ix_(s, s)] + np.diag(ridge))
    here = now.columns[(now.columns >= 2) & ~pinned[now.columns]]
    loss[here] = 0.0
    for at, column in enumerate(s):
        if column >= 2 and not pinned[column]:
            loss[column] = now.theta[inside][at] ** 2 / (2.0 * inverse[at, at])
    outside = np.setdiff1d(np.flatnonzero(addable & (gradient > 0)), now.columns)
    if len(outside):
        cross = information[np.ix_(outside, s)]
        efficient = np.diag(information)[outside] - np.einsum("ab,bc,ac->a", cross, inverse, cross)
        refitted = gradient[outside] ** 2 / (2.0 * np.maximum(efficient, 1e-9))
        rate = target.phi[:, now.columns] @ now.theta
        gain[outside] = np.maximum(refitted, _alone(target.phi, rate, outside))
    return gain, loss


def _spread(found: Fit, width: int) -> Floats:
    theta = np.zeros(width)
    theta[found.columns] = found.theta
    return theta
