"""The randomised test: what it finds, its level, and that only the content of the columns matters."""

from __future__ import annotations

import numpy as np
import pytest

from causalnet.stats.rcit import Rcit


def rcit(*columns: np.ndarray, seed: int = 0, present: np.ndarray | None = None) -> Rcit:
    values = np.column_stack(columns)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    return Rcit(values, list(range(len(columns) + 1)), present, seed)


@pytest.mark.parametrize("seed", range(5))
def test_dependence_without_correlation_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, z, e, f = rng.standard_normal((4, 500))
    test = rcit(x, np.abs(x) + 0.3 * e, z, z**2 + 0.3 * f)
    assert test(0, 1, ()) < 1e-3
    assert test(0, 1, (2,)) < 1e-3
    assert test(0, 2, (1,)) > 1e-3
    assert test(2, 3, (0,)) < 1e-3


def test_the_level_under_a_nonlinear_common_cause() -> None:
    rng, p, raw = np.random.default_rng(0), [], []
    for trial in range(150):
        z, e, f = rng.standard_normal((3, 400))
        test = rcit(np.abs(z) + 0.5 * e, z**2 + 0.5 * f, z, seed=trial)
        p.append(test(0, 1, (2,)))
        raw.append(test(0, 1, ()))
    assert np.mean(np.array(p) < 0.05) < 0.12
    assert np.mean(np.array(raw) < 0.05) > 0.5  # and without z they are not


def test_places_names_units_and_signs_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    x, y, z, w = rng.exponential(1.0, (4, 300))
    y, w = y + x, w + z * x
    one = rcit(x, y, z, w)
    two = rcit(w, -5.0 * z, y, 0.1 * x)
    assert one(0, 1, (2, 3)) == pytest.approx(two(2, 3, (0, 1)), rel=1e-6)
    assert one(0, 3, (1,)) == pytest.approx(two(0, 3, (2,)), rel=1e-6)
    assert one(0, 3, (1,)) != rcit(x, y, z, w, seed=1)(0, 3, (1,))


def test_missing_rows_are_left_out() -> None:
    rng = np.random.default_rng(4)
    x, z = rng.standard_normal((2, 400))
    y = np.abs(x) + 0.3 * rng.standard_normal(400)
    present = rng.random((400, 3)) > 0.2
    test = rcit(*(np.where(present[:, k], c, 0.0) for k, c in enumerate((x, y, z))), present=present)
    assert test(0, 1, (2,)) < 1e-3
    assert test(0, 2, (1,)) > 1e-3
    assert test(0, 1, ()) < 1e-3
    assert rcit(x[:12], y[:12], z[:12])(0, 1, ()) == 1.0  # too few rows to say anything
