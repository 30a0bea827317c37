"""The scikit-learn shell keeps scikit-learn's contract."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import causalnet as cn
from causalnet import Discovery

EXPECTED = {  # check -> why it cannot hold here
    "check_dtype_object": "a dictionary among numbers is refused with our own sentence, which names column and row",
    "check_do_not_raise_errors_in_init_or_set_params": "the backend's parameters arrive as **params, not by that name",
}


@parametrize_with_checks([Discovery("pc")], expected_failed_checks=lambda _: EXPECTED)
def test_scikit_learn_contract(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


def test_parameters_travel() -> None:
    model = Discovery("pc", alpha=0.2, random_state=3)
    twin = clone(model)
    assert twin.get_params() == {"backend": "pc", "knowledge": None, "random_state": 3, "alpha": 0.2}
    twin.set_params(alpha=0.3, backend="pc")
    assert twin.get_params()["alpha"] == 0.3 and model.get_params()["alpha"] == 0.2
    with pytest.raises(cn.UnknownNameError, match="Did you mean 'alpha'"):
        twin.set_params(alhpa=1)


def test_fit_keeps_names_and_matches_discover() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    frame = pd.DataFrame({"x": x, "y": x + rng.normal(size=300), "z": rng.normal(size=300)})
    model = Discovery("pc", alpha=0.05).fit(frame)
    assert model.graph_ == cn.discover(frame, "pc", alpha=0.05)
    assert list(model.feature_names_in_) == ["x", "y", "z"] and model.n_features_in_ == 3
    assert model.adjacency_matrix_[0, 1]
    assert Discovery("pc").fit(frame.to_numpy()).graph_.nodes == ("x0", "x1", "x2")
