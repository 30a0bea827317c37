"""Corrections for many tests, against statsmodels."""

from __future__ import annotations

import numpy as np
from statsmodels.stats.multitest import multipletests

from causalnet.stats.many_tests import false_discoveries, holm


def test_holm_agrees_with_statsmodels() -> None:
    rng = np.random.default_rng(3)
    for d in (1, 2, 3, 10, 40):  # few: each call there searches the whole process for garbage
        for _ in range(1 + (d > 2)):
            p = rng.uniform(size=d) ** 4
            np.testing.assert_array_equal(holm(p, 0.05), multipletests(p, 0.05, "holm")[0])


def test_false_discoveries_agree_with_statsmodels() -> None:
    rng = np.random.default_rng(4)
    for d in (1, 3, 12):
        for _ in range(20):
            p, tested = rng.uniform(size=(d, 2)) ** 4, rng.random((d, 2)) < 0.7
            found = false_discoveries(p, tested, 0.1)
            assert not found[~tested].any()
            if tested.any():
                np.testing.assert_array_equal(found[tested], multipletests(p[tested], 0.1, "fdr_bh")[0])
