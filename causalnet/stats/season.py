"""Is there a season in a column: a line of its spectrum that stands far above those beside it?"""

from __future__ import annotations

import numpy as np

from ..base.arrays import Array, Ints

BESIDE = 8  # frequencies on either side that a line is compared with, the next one to it apart
FEWEST = 3  # repeats without which nothing is a season


def find_seasons(values: Array) -> tuple[Array, Ints]:
    """p-values and periods, in rows, of the strongest line of each column's spectrum; values (n, d), rows in order of time.

    A periodogram's value against the mean of its 2 m neighbours is F with 2 and 4 m degrees of freedom where the spectrum
    is smooth, as that of an autoregression nearly is once the last value has been taken out; the largest of all is
    corrected after Bonferroni. p is 1 where a column is too short.
    """
    x = values - values.mean(axis=0)
    last, x = x[:-1], x[1:]
    x = x - last * (last * x).sum(axis=0) / np.maximum((last**2).sum(axis=0), 1e-300)
    n, d = x.shape
    power = np.abs(np.fft.rfft(x, axis=0)) ** 2
    at = np.arange(FEWEST, len(power) - (n % 2 == 0))
    if len(at) < 2 * BESIDE + 3:
        return np.ones(d), np.ones(d, np.int64)
    away = np.arange(2, BESIDE + 2)
    near = at[:, None] + np.concatenate([-away[::-1], away])
    near = np.where(near < FEWEST, near + 2 * BESIDE + 3, near)  # as many more of the other side at the ends
    near = np.where(near > at[-1], near - 2 * BESIDE - 3, near)
    ratio = power[at] / np.maximum(power[near].mean(axis=1), 1e-300)  # (frequencies, d)
    p = len(at) * (1.0 + ratio.max(axis=0) / (2 * BESIDE)) ** (-2 * BESIDE)
    most = at[ratio.argmax(axis=0)]
    return np.minimum(p, 1.0), np.array(
        [_period(column, int(k)) for column, k in zip(x.T, most, strict=True)], np.int64
    )


def _period(x: Array, k: int) -> int:
    """The whole number of rows near n / k whose cycle fits best."""
    n = len(x)
    tried = np.arange(max(2, int(n / (k + 0.75))), int(n / (k - 0.75)) + 2)
    fit = np.abs(np.exp(2j * np.pi * np.arange(n) / tried[:, None]) @ x)
    return int(tried[fit.argmax()])
