"""Smooth measures h(W) of how far a weighted graph is from a DAG, with their gradients; h(W) = 0 iff W is acyclic.

W[i, j] is the weight of i -> j; only the squares A = W o W enter. Both functions are compiled and allocate their answer;
loops in place of array expressions, each of which takes a second to compile.

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
    d, norm, scale, squarings = a.shape[0], 0.0, 1.0, 0
    for j in range(d):
        total = 0.0
        for i in range(d):
            total += a[i, j]
        norm = max(norm, total)
    while norm * scale > 0.5:
        scale *= 0.5
        squarings += 1
    x, e = np.empty((d, d)), np.empty((d, d))
    for i in range(d):
        for j in range(d):
            x[i, j] = a[i, j] * scale
    x2 = x @ x
    x3 = x2 @ x
    x4 = x2 @ x2
    for i in range(d):
        for j in range(d):
            e[i, j] = _TAYLOR[12] * x4[i, j]
    for k in (12, 8, 4):  # degree 9 .. 12, then Horner in x^4 (Paterson and Stockmeyer 1973)
        if k < 12:
            for i in range(d):
                e[i, i] += _TAYLOR[k]
            e = e @ x4
        for i in range(d):
            for j in range(d):
                e[i, j] += _TAYLOR[k - 1] * x3[i, j] + _TAYLOR[k - 2] * x2[i, j] + _TAYLOR[k - 3] * x[i, j]
    for i in range(d):
        e[i, i] += 1.0
    for _ in range(squarings):
        e = e @ e
    return e


@njit(cache=True)
def h_expm(w: Array) -> tuple[float, Array]:
    """h(W) = tr e^(W o W) - d and its gradient (e^(W o W))^T o 2W, both (d, d) inputs and outputs."""
    d, h = w.shape[0], 0.0
    gradient = np.empty((d, d))
    for i in range(d):
        for j in range(d):
            gradient[i, j] = w[i, j] * w[i, j]
    e = expm_nonnegative(gradient)
    for i in range(d):
        h += e[i, i] - 1.0
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
    m = np.empty((d, d))
    for i in range(d):
        for j in range(d):
            m[i, j] = (s if i == j else 0.0) - w[i, j] * w[i, j]
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
