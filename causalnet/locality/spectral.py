"""Spectral radius and resolvent of a sparse non-negative matrix, with bounds that hold whatever the iteration reached.

Collatz and Wielandt: for non-negative M and any x > 0, min_i (Mx)_i / x_i <= rho(M) <= max_i (Mx)_i / x_i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.sparse.linalg import bicgstab

from ..base.arrays import Array
from ..base.asked import asks
from ..base.checks import number
from ..errors import DataError

_TINY = 1e-200  # entries of a positive vector are kept above this
_LOCAL = (10, 40, 160)  # agents in the neighbourhoods that bound rho from below
_DENSE = 300  # agents up to which linear systems are solved densely


@dataclass(frozen=True)
class Radius:
    """low <= rho <= high, both rigorous up to the rounding that is added outward."""

    low: float
    high: float
    iterations: int


@asks("tolerance", "max_iterations", "threshold")
def spectral_radius(
    matrix: sp.csr_array, tolerance: float = 1e-6, max_iterations: int = 3000, threshold: float | None = None
) -> Radius:
    """rho(M) of a non-negative (n, n) matrix by power iteration on its strongly connected parts.

    Ends when high - low <= tolerance * high, or as soon as the bounds lie on one side of ``threshold``.

    rho is the largest over the parts, so entries between parts are dropped: within a part, power iteration on M + cI
    (c > 0 removes periods) closes both bounds. On a long chain the lower one lags: a small neighbourhood of the fastest
    agent bounds rho from below, as rho of a principal submatrix never exceeds rho.
    """
    matrix, tolerance = non_negative(matrix), number("tolerance", tolerance, above=0.0)
    count, part = connected_components(matrix, connection="strong")
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    inside = part[rows] == part[matrix.indices]
    kept = sp.csr_array((matrix.data[inside], (rows[inside], matrix.indices[inside])), shape=matrix.shape)
    if not kept.nnz:
        return Radius(0.0, 0.0, 0)
    slack = 4 * np.finfo(float).eps * (int(np.diff(kept.indptr).max()) + 2)
    shift = 0.1 * float(kept.sum(axis=1).max())
    x, low, high, done, look = np.ones(kept.shape[0]), 0.0, np.inf, 0, 8
    while True:
        moved = kept @ x
        done += 1
        if done == look or done >= max_iterations:
            ratio = moved / x
            least = np.full(count, np.inf)
            np.minimum.at(least, part, ratio)
            low, high = max(low, float(least.max())), min(high, float(ratio.max()))
            if high - low > tolerance * high and done > 50:
                low = max(low, _local(kept, int(ratio.argmax())), _local(kept, int(x.argmax())))
            told = threshold is not None and (high * (1 + slack) < threshold or low * (1 - slack) >= threshold)
            if told or high - low <= tolerance * high or done >= max_iterations:
                return Radius(float(low * (1 - slack)), float(high * (1 + slack)), done)
            look = int(1.5 * look)
        x = moved + shift * x
        x = np.maximum(x / x.max(), _TINY)


def _local(matrix: sp.csr_array, centre: int) -> float:
    """A lower bound of rho from the agents nearest to one: the best of three principal submatrices."""
    order = breadth_first_order(matrix, centre, return_predecessors=False)
    best = 0.0
    for size in _LOCAL:
        ball = order[:size]
        dense = matrix[ball][:, ball].toarray()
        power = dense + 0.1 * dense.sum(axis=1).max() * np.eye(len(ball))
        for _ in range(14):  # (M + cI)^(2^14)
            power = power @ power
            power /= power.max()
        x = power.sum(axis=1)
        there = x > _TINY
        best = max(best, float(((dense[there][:, there] @ x[there]) / x[there]).min()))
        if size >= len(order):
            break
    return best


def non_negative(matrix: sp.csr_array) -> sp.csr_array:
    """The matrix as CSR, after refusing what is not square, finite and non-negative."""
    try:
        matrix = sp.csr_array(matrix)
    except (TypeError, ValueError):
        raise DataError(f"a spectral radius needs a matrix of numbers, not {matrix!r}") from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"the matrix has shape {matrix.shape}; a spectral radius needs a square one")
    if matrix.nnz and not (np.isfinite(matrix.data).all() and matrix.data.min() >= 0):
        raise DataError("the matrix holds a number that is negative or not finite; sensitivities are distances")
    return matrix


def supporting_vector(matrix: sp.csr_array, discount: float, high: float) -> tuple[Array, float]:
    """(x > 0 (n,), b < 1) with discount * M x <= b x, for a matrix whose rho is at most ``high`` < 1 / discount.

    x = (I - discount M)^{-1} 1 gives b = 1 - 1 / max x. Where it is not found, x = sum_k (theta M)^k 1 with 1 / theta
    between rho and 1 / discount: then M x <= x / theta. Either way b is read off x, so it holds.
    """
    x = _solution(matrix, np.ones(matrix.shape[0]), discount)
    if x.min() > 0 and (b := _factor(matrix, x, discount)) < 1:
        return x, b
    theta = np.sqrt(discount / max(high, 1e-3))
    x = term = np.ones(matrix.shape[0])
    for _ in range(100_000):
        term = theta * (matrix @ term)
        x = x + term
        if not x.max() < 1 / _TINY:
            break
        if term.max() <= 1e-3 * x.max() and (b := _factor(matrix, x, discount)) < 1:
            return x, b
    raise DataError(f"{discount:g} rho = {discount * high:.6g} is too close to 1 for a bound; raise the temperature")


def resolvent(
    matrix: sp.csr_array, source: Array, discount: float, support: tuple[Array, float], tolerance: float = 1e-8
) -> Array:
    """Upper bound of (I - discount M)^{-1} source: an approximate solution, refined by its residuals, and what is left.

    source (n,) or (n, m), and the answer alike. support (x, b) with discount * M x <= b x: a residual of at most c x
    leaves at most c / (1 - b) x to add.
    """
    x, b = (support[0] if source.ndim == 1 else support[0][:, None]), support[1]
    total = _solution(matrix, source, discount)
    for _ in range(200_000):
        residual = source + discount * (matrix @ total) - total
        left = max(float((residual / x).max()), 0.0) / (1 - b)
        if left * x.max() <= tolerance * max(float(total.max()), _TINY):
            break
        total = total + residual
    return np.asarray(total + left * x)


def _factor(matrix: sp.csr_array, x: Array, discount: float) -> float:
    return float((discount * (matrix @ x) / x).max()) * (1 + 1e-12)


def _solution(matrix: sp.csr_array, source: Array, discount: float) -> Array:
    """About (I - discount M)^{-1} source: densely, or by BiCGSTAB (van der Vorst 1992), with 0 where that went astray."""
    n = matrix.shape[0]
    if n <= _DENSE:
        return np.linalg.solve(np.eye(n) - discount * matrix.toarray(), source)
    system, found = sp.csr_array(sp.eye_array(n, format="csr") - discount * matrix), []
    for column in np.atleast_2d(source.T):
        with np.errstate(all="ignore"):
            x = bicgstab(system, column, rtol=1e-12, maxiter=500)[0]
            near = np.abs(column - system @ x).max() <= np.abs(column).max()
        found.append(x if near else np.zeros(n))
    return np.asarray(found[0] if source.ndim == 1 else np.stack(found, axis=1))
