"""Constant hazards with a choice of causes: non-negative fit by Newton's method, choice of columns by a penalty.

    L(theta) = sum_e log(phi_e . theta) + sum_g lone_g log theta_g - C . theta,    theta >= 0

is concave. theta is scaled by C, so that it counts the starts that a column explains and every C is one.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import Array, Bools, Ints

SWAP = 2.0  # prices that a column may be worth for the search to try without it
FLOOR = 1e-3  # the background explains at least so many starts: no start is ever impossible


class Target(NamedTuple):
    """What is known of one type's starts: phi (N, P) rows over C, lone (2,), the exposure C (P,); scaled."""

    phi: Array
    lone: Array
    exposure: Array


class Fit(NamedTuple):
    """columns (p,) chosen, ascending, the backgrounds 0 and 1 first; theta (p,) starts explained; L at the optimum."""

    columns: Ints
    theta: Array
    value: float


def scaled(phi: Array, lone: Array, exposure: Array) -> Target:
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


def fit(target: Target, columns: Ints, guess: Array | None = None, tol: float = 1e-3) -> Fit:
    """Maximise L over theta >= 0 supported on ``columns``; guess: theta (p,) to start from."""
    x = np.ascontiguousarray(target.phi[:, columns])
    if guess is None:
        guess = np.full(len(columns), max(1.0, (len(x) + target.lone.sum()) / len(columns)))
    theta, value = _newton(x, target.lone, guess, tol, 60)
    return Fit(columns, theta, value)


@njit(cache=True)
def _survey(phi, lone, columns, theta, addable, droppable):  # type: ignore[no-untyped-def]
    """(P,) gain of adding and (P,) loss of dropping each column, approximately; -inf and inf where not open.

    columns, theta: the optimum now. addable, droppable: (P,) bool. The gain is the larger of the efficient score
    statistic g^2 / (2 (H_qq - H_qS H_SS^-1 H_Sq)) and the exact gain when nothing else moves; the loss is Wald's.
    """
    n, width = phi.shape
    rate, h, g = np.zeros(n), np.zeros((width, width)), np.full(width, -1.0)
    some, part = np.empty(width, np.int64), np.empty(width)
    for e in range(n):
        for a in range(len(columns)):
            rate[e] += phi[e, columns[a]] * theta[a]
        count = 0
        for c in range(width):
            if phi[e, c] > 0.0:
                some[count], part[count] = c, phi[e, c] / rate[e]
                g[c] += part[count]
                for b in range(count + 1):
                    h[c, some[b]] += part[count] * part[b]
                count += 1
    inside = columns[theta > 0.0]
    p = len(inside)
    now, cross = np.empty((p, p)), np.empty(p)
    for a in range(p):
        for b in range(a + 1):
            now[a, b] = now[b, a] = h[inside[a], inside[b]]
        if inside[a] < 2:
            now[a, a] += lone[inside[a]] / theta[columns == inside[a]][0] ** 2
        now[a, a] += 1e-9 * (1.0 + now[a, a])
    inverse = np.linalg.inv(now)
    gain, loss = np.full(width, -np.inf), np.full(width, np.inf)
    for a in range(len(columns)):
        if droppable[columns[a]]:
            loss[columns[a]] = 0.0
    for a in range(p):
        if droppable[inside[a]]:
            loss[inside[a]] = theta[columns == inside[a]][0] ** 2 / (2.0 * inverse[a, a])
    for c in range(width):
        if addable[c] and g[c] > 0.0:
            for a in range(p):
                cross[a] = h[max(c, inside[a]), min(c, inside[a])]
            efficient = max(h[c, c] - cross @ (inverse @ cross), 1e-9)
            gain[c] = max(g[c] ** 2 / (2.0 * efficient), _alone(phi[:, c], rate))
    return gain, loss


@njit(cache=True)
def _alone(source, rate):  # type: ignore[no-untyped-def]
    """max over t >= 0 of sum_e log(1 + t source_e / rate_e) - t, by Newton from below, which never overshoots."""
    ratio = source / rate
    ratio = ratio[ratio > 0.0]
    t = 0.0
    for _ in range(20):
        part = ratio / (1.0 + t * ratio)
        move = max((part.sum() - 1.0) / (part * part).sum(), -0.5 * t)
        t += move
        if abs(move) < 1e-2 * (1.0 + t):
            break
    return np.log1p(t * ratio).sum() - t


def choose(target: Target, allowed: Bools, required: Bools, price: float, start: Ints, until: float = math.inf) -> Fit:
    """Maximise L - price * (columns beyond the backgrounds) by adding and dropping one column at a time.

    allowed, required: (P,) bool over columns. start: columns to begin with. A column is tried when a quadratic
    approximation of its gain (efficient score) or loss (Wald) does not rule it out, and kept on the exact gain. until:
    time.monotonic; the best so far then.
    """
    keep = required.copy()
    keep[start] |= allowed[start]
    keep[:2] = True
    now = _climb(target, allowed, required, price, fit(target, np.flatnonzero(keep)), until)
    while True:  # a column may stand in for another that explains more: leave each of the weak ones out once
        _, loss = _survey(target.phi, target.lone, now.columns, now.theta, ~allowed, _mask(now, allowed) & ~required)
        weak = [c for c in np.argsort(loss)[: len(now.columns)] if loss[c] < SWAP * price]
        for column in weak:
            if time.monotonic() > until:
                return now
            may = allowed.copy()
            may[column] = False
            rest = now.columns != column
            other = _climb(
                target, may, required, price, fit(target, now.columns[rest], np.maximum(now.theta[rest], 1e-2)), until
            )
            if other.value - now.value > price * (len(other.columns) - len(now.columns)) + 1e-9:
                now = _climb(target, allowed, required, price, other, until)
                break
        else:
            return now


def _mask(found: Fit, like: Bools) -> Bools:
    """(P,) bool: the chosen columns beyond the backgrounds."""
    inside = np.zeros_like(like)
    inside[found.columns[2:]] = True
    return inside


def _climb(target: Target, allowed: Bools, required: Bools, price: float, now: Fit, until: float) -> Fit:
    """Add and drop single columns from ``now`` on until neither raises the penalised likelihood."""
    keep = _mask(now, allowed)
    keep[:2] = True
    refused = np.zeros(len(allowed), dtype=bool)  # tried at this set, and not worth it
    for _ in range(4 * len(allowed)):
        if time.monotonic() > until:
            break
        addable, droppable = allowed & ~keep & ~refused, keep & ~required & ~refused
        droppable[:2] = False
        gain, loss = _survey(target.phi, target.lone, now.columns, now.theta, addable, droppable)
        drop, add = int(np.argmin(loss)), int(np.argmax(gain))
        if loss[drop] < 1.4 * price:
            move, wanted = drop, -price
        elif gain[add] > 0.7 * price:
            move, wanted = add, price
        else:
            break
        keep[move] ^= True
        guess = np.full(len(allowed), 1e-2)
        guess[now.columns] = np.maximum(now.theta, 1e-2)
        new = fit(target, np.flatnonzero(keep), guess[keep])
        if new.value - now.value > wanted + 1e-9:
            now = new
            refused[:] = False
        else:
            keep[move] ^= True
            refused[move] = True
    return now
