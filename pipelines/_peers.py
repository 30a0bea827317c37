"""The peers, called directly with their own parameters; each answer as (d, d) bool with [i, j]: i -> j."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back a peer's prints, bars, logs and warnings."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


with quiet():
    from castle.algorithms import Notears
    from causallearn.search.ConstraintBased.PC import pc as _causal_learn_pc
    from dagma.linear import DagmaLinear


def causal_learn_pc(x: NDArray[np.float64], test: str, alpha: float) -> Bools:
    """Stable PC of causal-learn; an endpoint -1 at i and 1 at j is i -> j, -1 at both ends is i - j."""
    with quiet():
        g = _causal_learn_pc(np.asarray(x), alpha, test, stable=True, show_progress=False).G.graph
    return (g == -1) & ((g.T == 1) | (g.T == -1))  # graph[i, j] is the mark at i


def gcastle_notears(x: NDArray[np.float64]) -> Bools:
    """gcastle's Notears with its defaults (l1 0.1, threshold 0.3)."""
    with quiet():
        model = Notears()
        model.learn(np.array(x))
    return np.asarray(model.causal_matrix) != 0


def dagma_linear(x: NDArray[np.float64]) -> Bools:
    """DAGMA with its published defaults (l1 0.02, threshold 0.3)."""
    with quiet():
        return DagmaLinear(loss_type="l2").fit(np.array(x), lambda1=0.02, w_threshold=0.3) != 0


CONTINUOUS: dict[str, Callable[[NDArray[np.float64]], Bools]] = {"gcastle": gcastle_notears, "dagma": dagma_linear}
