"""How unevenly a background falls on units: shares of each type, drawn together as far as the data say they are alike.

A start of type j at unit v that nothing explains has the rate b_vj mu_j. With r_vj such starts (expected numbers) in
the seconds s_vj that v was watched, and b_vj of a gamma law with mean 1 and shape k,

    r_vj ~ negative binomial with mean mu_j s_vj and shape k          b_vj = (k + r_vj) / (k + mu_j s_vj)

is the posterior mean; one k for all types maximises the likelihood (empirical Bayes: Robbins 1956; Clayton and Kaldor,
Biometrics 43 (1987) 671-681). Where units do not differ, k has no end and every share is 1.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln

from ..base.arrays import Array

SHAPES = (*(10.0 ** np.arange(-1.0, 3.1, 0.25)).tolist(), math.inf)


def shares(starts: Array, seconds: Array) -> Array:
    """(D, V) b, from expected numbers of background starts and the seconds watched, both (D, V); 1 where none were."""
    total, watched = starts.sum(axis=0), seconds.sum(axis=0)
    mean = seconds * (total / np.where(watched > 0, watched, 1.0))
    shape = max(SHAPES, key=lambda k: _likelihood(starts, mean, k))
    if shape == math.inf:
        return np.ones(starts.shape)
    return (shape + starts) / (shape + mean)


def _likelihood(starts: Array, mean: Array, shape: float) -> float:
    """Log-likelihood of negative binomial counts (D, V), up to a constant."""
    watched = mean > 0
    some = watched & (starts > 0)  # most cells of a large log are empty
    r, m = starts[some], mean[some]
    if shape == math.inf:
        return float((r * np.log(m)).sum() - mean[watched].sum())
    gamma = gammaln(r + shape) - gammaln(shape) + r * (np.log(m) - np.log(shape + m))
    return float(gamma.sum() - shape * np.log1p(mean[watched] / shape).sum())
