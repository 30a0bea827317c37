"""Series to sample: sparse autoregressions whose links are known, linear or not."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Array
from ..base.checks import flag, whole
from ..data import Series, as_series
from ..graph import LaggedGraph

OWN = 0.5  # coefficient of every variable's own last value
BURN_IN = 200
SHRINK = 0.8
STABLE = 0.99  # largest modulus of a root of the autoregression


def lagged_series(
    rng: np.random.Generator,
    *,
    d: int = 10,
    n: int = 1000,
    lags: int = 3,
    causes: float = 1.5,
    low: float = 0.25,
    high: float = 0.45,
    nonlinear: bool = False,
) -> tuple[Series, LaggedGraph]:
    """x_j(t) = .5 x_j(t - 1) + sum_i b_ij f(x_i(t - l_ij)) + e_j(t), noise standard normal; its links are the truth.

    Each ordered pair is linked with probability causes / (d - 1), at one lag from 1 to ``lags``, with b uniform on
    +-[low, high]; f(x) = x, or nonlinear=True (1 - 4 exp(-x^2 / 2)) x. Draws whose linear part would not be stable have
    their coefficients shrunk by .8 until it is. n rows are left after a burn-in of 200.
    """
    d, n, lags = whole("d", d, 2), whole("n", n, 1), whole("lags", lags, 1)
    joined = (rng.random((d, d)) < causes / (d - 1)) & ~np.eye(d, dtype=bool)
    at = rng.integers(1, lags + 1, (d, d))
    size = rng.uniform(low, high, (d, d)) * rng.choice([-1.0, 1.0], (d, d))
    weight = np.where(joined & (at == np.arange(lags + 1)[:, None, None]), size, 0.0)  # [lag, cause, effect]
    own = np.eye(d) * OWN
    while _radius(weight, own) >= STABLE:
        weight, own = SHRINK * weight, SHRINK * own
    noise = rng.standard_normal((n + BURN_IN, d))
    x = np.zeros((n + BURN_IN, d))
    bent = flag("nonlinear", nonlinear)
    for t in range(n + BURN_IN):
        past = x[max(t - lags, 0) : t][::-1]
        sent = (1.0 - 4.0 * np.exp(-past * past / 2.0)) * past if bent else past
        x[t] = noise[t] + (past[0] @ own if len(past) else 0.0)
        x[t] += np.einsum("li,lij->j", sent, weight[1 : 1 + len(past)])
    names = [f"x{j}" for j in range(d)]
    weight[1] += own
    return as_series(x[BURN_IN:]), LaggedGraph.from_links(names, weight != 0, weight)


def _radius(weight: Array, own: Array) -> float:
    """Largest modulus of an eigenvalue of the companion matrix; weight (lags + 1, d, d), own (d, d)."""
    lags, d = len(weight) - 1, len(own)
    companion = np.eye(lags * d, k=-d)
    companion[:d] = np.concatenate([weight[1].T + own.T, *weight[2:].transpose(0, 2, 1)], axis=1)
    return float(np.abs(np.linalg.eigvals(companion)).max())
