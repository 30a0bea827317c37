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
from ..base.clock import now

SWAP = 2.0  # prices that a column may be worth for the search to try without it
TOLERANCE, MOST = 1e-3, 60  # of L, and steps, at which Newton's method ends
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
    total = 0.0
    for a in range(len(theta)):
        total -= theta[a]
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
def _newton(x, lone, theta, tol):  # type: ignore[no-untyped-def]
    """Projected Newton on L; x (N, p) with the backgrounds first, theta (p,) to start from. Returns theta, L."""
    n, p = x.shape
    low = np.zeros(p)
    low[:2] = FLOOR
    begin, theta = theta, low.copy()
    for a in range(p):
        theta[a] = max(begin[a], low[a])
    free = np.empty(p, np.int64)
    value = _value(x, lone, theta)
    for _ in range(MOST):
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
        count = 0
        for a in range(p):
            if theta[a] > low[a] or g[a] > 0:
                free[count] = a
                count += 1
        if count == 0:
            break
        hf, gf = np.empty((count, count)), np.empty(count)
        for a in range(count):
            gf[a] = g[free[a]]
            for b in range(a + 1):
                hf[a, b] = hf[b, a] = h[free[a], free[b]]
            hf[a, a] += 1e-9 + 1e-9 * hf[a, a]
        step = np.linalg.solve(hf, gf)
        size, improved = 1.0, 0.0
        for _ in range(30):
            new = theta.copy()
            for a in range(count):
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


def fit(target: Target, columns: Ints, guess: Array | None = None, tol: float = TOLERANCE) -> Fit:
    """Maximise L over theta >= 0 supported on ``columns``; guess: theta (p,) to start from."""
    x = np.ascontiguousarray(target.phi[:, columns])
    if guess is None:
        guess = np.full(len(columns), max(1.0, (len(x) + target.lone.sum()) / len(columns)))
    theta, value = _newton(x, target.lone, guess, tol)
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
    inside, part, p = np.empty(len(columns), np.int64), np.empty(len(columns)), 0
    for a in range(len(columns)):
        if theta[a] > 0.0:
            inside[p], part[p] = columns[a], theta[a]
            p += 1
    now, cross = np.empty((p, p)), np.empty(p)
    for a in range(p):
        for b in range(a + 1):
            now[a, b] = now[b, a] = h[inside[a], inside[b]]
        if inside[a] < 2:
            now[a, a] += lone[inside[a]] / part[a] ** 2
        now[a, a] += 1e-9 * (1.0 + now[a, a])
    inverse = np.linalg.inv(now)
    gain, loss = np.full(width, -np.inf), np.full(width, np.inf)
    for a in range(len(columns)):
        if droppable[columns[a]]:
            loss[columns[a]] = 0.0
    for a in range(p):
        if droppable[inside[a]]:
            loss[inside[a]] = part[a] ** 2 / (2.0 * inverse[a, a])
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
    ratio, count = np.empty(len(rate)), 0
    for e in range(len(rate)):
        if source[e] > 0.0:
            ratio[count] = source[e] / rate[e]
            count += 1
    t = 0.0
    for _ in range(20):
        first = second = 0.0
        for e in range(count):
            part = ratio[e] / (1.0 + t * ratio[e])
            first += part
            second += part * part
        move = max((first - 1.0) / second, -0.5 * t)
        t += move
        if abs(move) < 1e-2 * (1.0 + t):
            break
    total = 0.0
    for e in range(count):
        total += np.log1p(t * ratio[e])
    return total - t


def choose(target: Target, allowed: Bools, required: Bools, price: float, start: Ints, until: float = math.inf) -> Fit:
    """Maximise L - price * (columns beyond the backgrounds) by adding and dropping one column at a time.

    allowed, required: (P,) bool over columns. start: columns to begin with. A column is tried when a quadratic
    approximation of its gain (efficient score) or loss (Wald) does not rule it out, and kept on the exact gain. until:
    time.monotonic; the best so far then.
    """
    keep = required.copy()
    keep[start] |= allowed[start]
    keep[:2] = True
    best = _climb(target, allowed, required, price, fit(target, np.flatnonzero(keep)), until)
    while True:  # a column may stand in for another that explains more: leave each of the weak ones out once
        _, loss = _survey(target.phi, target.lone, best.columns, best.theta, ~allowed, _mask(best, allowed) & ~required)
        weak = [c for c in np.argsort(loss)[: len(best.columns)] if loss[c] < SWAP * price]
        for column in weak:
            if time.monotonic() > until:
                return best
            may = allowed.copy()
            may[column] = False
            rest = best.columns != column
            other = _climb(
                target, may, required, price, fit(target, best.columns[rest], np.maximum(best.theta[rest], 1e-2)), until
            )
            if other.value - best.value > price * (len(other.columns) - len(best.columns)) + 1e-9:
                best = _climb(target, allowed, required, price, other, until)
                break
        else:
            return best


def _mask(found: Fit, like: Bools) -> Bools:
    """(P,) bool: the chosen columns beyond the backgrounds."""
    inside = np.zeros_like(like)
    inside[found.columns[2:]] = True
    return inside


def _climb(target: Target, allowed: Bools, required: Bools, price: float, start: Fit, until: float) -> Fit:
    """Add and drop single columns from ``start`` on until neither raises the penalised likelihood."""
    return Fit(
        *_climbed(target.phi, target.lone, allowed, required, price, start.columns, start.theta, start.value, until)
    )


@njit(cache=True)
def _begun(phi, keep, columns, theta):  # type: ignore[no-untyped-def]
    """The columns kept, phi of them, and what to start from: theta (p,) at ``columns`` where it is not small."""
    at = np.full(len(keep), 1e-2)
    for a in range(len(columns)):
        at[columns[a]] = max(theta[a], 1e-2)
    p = 0
    for c in range(len(keep)):
        p += keep[c]
    new, x, guess = np.empty(p, np.int64), np.empty((len(phi), p)), np.empty(p)
    a = 0
    for c in range(len(keep)):
        if keep[c]:
            new[a], guess[a] = c, at[c]
            for e in range(len(phi)):
                x[e, a] = phi[e, c]
            a += 1
    return new, x, guess


@njit(cache=True)
def _climbed(phi, lone, allowed, required, price, columns, theta, value, until):  # type: ignore[no-untyped-def]
    """Columns, theta and value that ``_climb`` gets to."""
    flags = np.zeros((4, len(allowed)), np.bool_)
    keep, addable, droppable, refused = (
        flags[0],
        flags[1],
        flags[2],
        flags[3],
    )  # refused: tried at this set, not worth it
    for c in columns:
        keep[c] = True
    for _ in range(4 * len(allowed)):
        if until < np.inf and now() > until:
            break
        for c in range(len(allowed)):
            addable[c] = allowed[c] and not (keep[c] or refused[c])
            droppable[c] = c > 1 and keep[c] and not (required[c] or refused[c])
        gain, loss = _survey(phi, lone, columns, theta, addable, droppable)
        drop = add = 0
        for c in range(1, len(allowed)):
            drop, add = c if loss[c] < loss[drop] else drop, c if gain[c] > gain[add] else add
        if loss[drop] < 1.4 * price:
            move, wanted = drop, -price
        elif gain[add] > 0.7 * price:
            move, wanted = add, price
        else:
            break
        keep[move] = not keep[move]
        new, x, guess = _begun(phi, keep, columns, theta)
        moved, better = _newton(x, lone, guess, TOLERANCE)
        if better - value > wanted + 1e-9:
            columns, theta, value = new, moved, better
            refused[:] = False
        else:
            keep[move] = not keep[move]
            refused[move] = True
    return columns, theta, value
