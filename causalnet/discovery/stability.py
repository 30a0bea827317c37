"""How sure is an edge? Its frequency over resamples of the data, for any backend."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from ..base.checks import one_of, whole
from ..data import Data, Table, as_series
from ..datasets import Dataset
from ..errors import NotApplicable
from ..graph import Graph
from ..graph.confidence import Confidence
from .choice import AUTO
from .dispatch import discover
from .register import registry

DRAWS = ("auto", "bootstrap", "half")
BY_SCORE = frozenset({AUTO, "order", "lingam"})  # on tables, a bootstrap makes these too sure


def edge_confidence(
    data: Any, backend: str = AUTO, *, n: int = 50, seed: int = 0, n_jobs: int = 1, draw: str = "auto", **kwargs: Any
) -> Confidence:
    """Learn the graph on ``n`` resamples and count how often each edge appears.

    draw: "bootstrap" draws rows of tables, devices or time blocks of event logs, with repeats, as each kind of data says
    (``resample``); "half" takes half the rows of a table without repeats. "auto" is "half" for tables learnt by score,
    and "bootstrap" elsewhere; methods for time series get blocks of consecutive rows. Repeated rows count as evidence: to a score each edge that is not there gains about two
    chi-squares in place of one, against an unchanged penalty, and edges and directions of no meaning recur in a fifth
    of the resamples and more (stability selection draws halves as well: Meinshausen and Bühlmann 2010). A test at a
    small level keeps out most of these, and would miss more true edges in half of the rows than repeats let in.
    kwargs: the backend's parameters, and ``knowledge``. Every resample counts; one that fails raises.
    """
    n, seed = whole("the number of resamples n", n, 1), whole("seed", seed, 0)
    if not isinstance(data, Dataset | Data) and _in_time(backend):
        data = as_series(data)
    source = data if isinstance(data, Dataset) else Dataset("data", data)
    half = _halves(source, backend, one_of("draw", draw, DRAWS))
    seeds = 1 + np.random.default_rng(seed).choice(2**31 - 2, n, replace=False)
    graphs = Parallel(n_jobs=n_jobs)(delayed(_one)(source, int(s), backend, half, kwargs) for s in seeds)
    return Confidence.count(graphs)


def _halves(source: Dataset, backend: str, draw: str) -> bool:
    """Whether half the rows are drawn; NotApplicable where there are no rows to halve."""
    table = isinstance(source.data, Table)
    if draw == "half" and _in_time(backend):
        raise NotApplicable(f"{backend} reads rows as consecutive times, which halves would tear; write 'bootstrap'")
    if draw == "half" and not table:
        raise NotApplicable(f"draw='half' halves the rows of tables, and this is {source.data.kind}; write 'bootstrap'")
    return draw == "half" or (draw == "auto" and table and backend in BY_SCORE)


def _in_time(backend: str) -> bool:
    """Does a method read the rows of a table as consecutive times?"""
    method = registry().get(backend)
    return method is not None and "series" in method.takes


def _one(source: Dataset, seed: int, backend: str, half: bool, kwargs: dict[str, Any]) -> Graph:
    table = source.data
    if isinstance(table, Table) and _in_time(backend):
        blocks = as_series(table).resample(np.random.default_rng([seed, 0xB10C]))
        return discover(blocks, backend, seed=seed, **{"knowledge": source.knowledge, **kwargs})
    drawn = replace(source, data=_half(table, seed)) if half and isinstance(table, Table) else source.resample(seed)
    return discover(drawn.data, backend, seed=seed, **{"knowledge": source.knowledge, **kwargs})


def _half(table: Table, seed: int) -> Table:
    """Half of the rows, each at most once, in their order; of each regime half, and at least two."""
    rng = np.random.default_rng([seed, 0xB007])
    if table.regimes is None:
        return table.take(np.sort(rng.permutation(table.n)[: table.n // 2]))
    parts = [rng.permutation(rows)[: max(2, len(rows) // 2)] for rows in table.regimes.rows()]
    return table.take(np.sort(np.concatenate(parts)))
