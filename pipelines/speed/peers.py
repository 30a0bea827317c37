"""The peers, called directly with their own parameters; each answer as (d, d) bool with [i, j]: i -> j."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalnet import Events, Graph, discover, load_dataset
from causalnet.base.arrays import Bools


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back a peer's prints, bars, logs and warnings."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)


with quiet():
    from castle.algorithms import TTPM, Notears
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


# ---- topological Hawkes processes --------------------------------------------------------------------------------

# the settings of the official implementation on the official sample (67 edges, 53 of them in the truth)
OFFICIAL_THP = {
    "decay": 5e-5,
    "hops": (0, 1),
    "penalty_scale": 0.2,
    "acyclic": False,
    "normalization": "degree",
    "tol": 0.1,
}
_DELTA, _HOPS, _SWEEPS = 0.02, 1, 20


def ttpm_problem(seed: int, n_events: int) -> Events:
    """A simulated log on a wired network, small enough for TTPM to finish."""
    name = f"hawkes:n_types=12:n_devices=20:n_events={n_events}:decay={_DELTA}"
    data = load_dataset(name, seed).data
    assert isinstance(data, Events)
    return data


def gcastle_ttpm(events: Events) -> Bools:
    """gcastle's TTPM; types and devices as integers, the diagonal (self-excitation) cleared."""
    frame = pd.DataFrame({"event": events.type_index, "timestamp": events.time, "node": events.device_index})
    with quiet():
        model = TTPM(events.adjacency.astype(int), delta=_DELTA, max_hop=_HOPS, max_iter=_SWEEPS)
        model.learn(frame.copy())
    adj = np.zeros((events.d, events.d), dtype=bool)
    seen = np.unique(events.type_index)  # TTPM leaves out types that never occur
    adj[np.ix_(seen, seen)] = np.asarray(model.causal_matrix) != 0
    np.fill_diagonal(adj, False)
    return adj


def thp_like_ttpm(events: Events) -> Graph:
    """thp on the same search: 0/1 weight at the shortest-path distance, one decay, BIC, at most 20 changes."""
    hops = tuple(range(_HOPS + 1))
    settings = {"decay": _DELTA, "hops": hops, "normalization": "none", "tol": 0.1, "max_changes": _SWEEPS}
    return discover(events, "thp", **settings)
