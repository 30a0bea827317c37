"""The scikit-learn shell over any backend: ``Discovery(backend="pc", alpha=0.05).fit(X).graph_``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..base.arrays import Bools
from ..data import Data
from ..data.frames import Frame
from ..errors import DataError, UnknownNameError, nearest
from ..graph import Graph, Knowledge
from .choice import AUTO
from .dispatch import discover
from .register import registry

_OWN = ("backend", "knowledge", "random_state")


class Discovery(BaseEstimator):
    """Learn a causal graph with any backend, as a scikit-learn estimator.

    backend: a name from ``cn.backends()``, or "auto": chosen by the kind of X; further keyword arguments are that
    backend's parameters. After ``fit``: ``graph_`` (cn.Graph), ``n_features_in_``, and ``feature_names_in_`` when X has
    names.
    """

    def __init__(
        self, backend: str = AUTO, *, knowledge: Knowledge | None = None, random_state: int | None = 0, **params: Any
    ) -> None:
        self.backend = backend
        self.knowledge = knowledge
        self.random_state = random_state
        self._params = params

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments, the backend's parameters among them."""
        return {name: getattr(self, name) for name in _OWN} | dict(self._params)

    def set_params(self, **params: Any) -> Discovery:
        """Change arguments; a name that the backend does not know is refused with the nearest one (values are not judged)."""
        method = registry().get(params.get("backend", self.backend))
        known = method.parameters if method else {}
        for name, value in params.items():
            if name in _OWN:
                setattr(self, name, value)
            elif name in known:
                self._params = {**self._params, name: value}
            else:
                raise UnknownNameError(
                    f"Discovery({self.backend!r}) has no parameter {name!r}.{nearest(name, [*known, *_OWN])}"
                )
        return self

    def __sklearn_tags__(self) -> Tags:
        """Missing cells are taken where the backend takes them."""
        tags = super().__sklearn_tags__()
        method = registry().get(self.backend)
        tags.input_tags.allow_nan = method is None or "missing" in method.handles
        return tags

    def fit(self, X: Any, y: Any = None) -> Discovery:
        """Learn the graph of X: a DataFrame or array (n_samples, n_features), or data of any kind. y is ignored."""
        if isinstance(X, Data):
            data: Any = X
            self.n_features_in_ = len(X.columns)
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        else:
            try:
                checked = validate_data(self, X, dtype=None, ensure_min_samples=2, ensure_all_finite=False)
            except ValueError as error:
                raise DataError(str(error)) from error
            data = X if isinstance(X, pd.DataFrame | Frame) else checked
        seed: Any = np.random.default_rng(self.random_state) if self.random_state is None else self.random_state
        self.graph_: Graph = discover(data, self.backend, knowledge=self.knowledge, seed=seed, **self._params)
        return self

    @property
    def adjacency_matrix_(self) -> Bools:
        """(d, d) bool: ``[i, j]`` means feature i -> feature j."""
        check_is_fitted(self, "graph_")
        return self.graph_.adj
