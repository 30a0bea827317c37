"""Smooth measures h(W) of how far a weighted graph is from a DAG, with their gradients; h(W) = 0 iff W is acyclic.

W[i, j] is the weight of i -> j; only the squares A = W o W enter. Both functions are compiled and allocate their answer.

* ``h_expm``: tr e^A - d, the sum over all cycles weighted by 1/length! (Zheng et al. 2018, arXiv 1803.01422, eq. 8).
* ``h_logdet``: d log s - log det(s I - A), defined while s I - A is an M-matrix (Bello et al. 2022, arXiv 2209.08037).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..base.arrays import Array

_TAYLOR = 1.0 / np.array([math.factorial(k) for k in range(13)], dtype=np.float64)


@njit(cache=True)
def expm_nonnegative(a: Array) -> Array:
    """e^A for a (d, d) matrix without negative entries: Taylor to degree 12 after scaling, then squaring.

    Every term is non-negative, so nothing cancels; the scaled column sums are below 1/2 (remainder below 1e-13).
    """
    d = a.shape[0]
    norm = 0.0
    for j in range(d):
        norm = max(norm, a[:, j].sum())
    squarings = 0
    while norm > 0.5:
        norm *= 0.5
        squarings += 1
    x = a * 0.5**squarings
    x2 = x @ x
    x3 = x2 @ x
    x4 = x2 @ x2
    e = _TAYLOR[12] * x4 + _TAYLOR[11] * x3 + _TAYLOR[10] * x2 + _TAYLOR[9] * x  # degree 9 .. 12
    for k in (8, 4):  # Horner in x^4 (Paterson and Stockmeyer 1973)
        for i in range(d):
            e[i, i] += _TAYLOR[k]
        e = e @ x4 + _TAYLOR[k - 1] * x3 + _TAYLOR[k - 2] * x2 + _TAYLOR[k - 3] * x
    for i in range(d):
        e[i, i] += 1.0
    for _ in range(squarings):
        e = e @ e
    return e


@njit(cache=True)
def h_expm(w: Array) -> tuple[float, Array]:
    """h(W) = tr e^(W o W) - d and its gradient (e^(W o W))^T o 2W, both (d, d) inputs and outputs."""
    e = expm_nonnegative(w * w)
    d = w.shape[0]
    h = 0.0
    for i in range(d):
        h += e[i, i] - 1.0
    gradient = np.empty((d, d))
    for i in range(d):
        for j in range(d):
            gradient[i, j] = 2.0 * w[i, j] * e[j, i]
    return h, gradient


@njit(cache=True)
def h_logdet(w: Array, s: float) -> tuple[float, Array, bool]:
    """h(W) = d log s - log det(sI - W o W), its gradient 2W o (sI - W o W)^-T, and whether sI - W o W is an M-matrix.

    A matrix with non-positive off-diagonal entries is a non-singular M-matrix iff elimination without
    pivoting meets positive pivots only (Berman and Plemmons 1994, ch. 6), so one Gauss-Jordan pass
    gives the test, the determinant and the inverse. Outside the domain h is infinite.
    """
    d = w.shape[0]
    m = -(w * w)
    for i in range(d):
        m[i, i] += s
    h = d * math.log(s)
    for k in range(d):
        pivot = m[k, k]
        if pivot <= 1e-14:
            return math.inf, m, False
        h -= math.log(pivot)
        m[k, k] = 1.0
        for j in range(d):
            m[k, j] /= pivot
        for i in range(d):
            factor = m[i, k]
            if i != k and factor != 0.0:
                m[i, k] = 0.0
                for j in range(d):
                    m[i, j] -= factor * m[k, j]
    gradient = np.empty((d, d))
    for i in range(d):
        for j in range(d):
            gradient[i, j] = 2.0 * w[i, j] * m[j, i]
    return h, gradient, True
