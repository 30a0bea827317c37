"""Corrections for many tests, against statsmodels."""

from __future__ import annotations

import numpy as np
from statsmodels.stats.multitest import multipletests

from causalnet.stats.many_tests import holm


def test_holm_agrees_with_statsmodels() -> None:
    rng = np.random.default_rng(3)
    for d in (1, 2, 10):
        for _ in range(20):
            p = rng.uniform(size=d) ** 4
            np.testing.assert_array_equal(holm(p, 0.05), multipletests(p, 0.05, "holm")[0])
