"""Control: no edges but the required ones. What a method must beat to say anything at all."""

from __future__ import annotations

import numpy as np

from ..data import Events, Series, Table
from ..data.regimes import DEMANDS
from ..graph import Graph, Knowledge

TAKES = frozenset({"continuous", "discrete", "mixed", "events", "series"})
GIVES = "dag"
HANDLES = frozenset({"missing", "few rows", "streamed", *DEMANDS})
KNOWLEDGE = frozenset({"required", "forbidden"})


def learn(
    data: Table | Series | Events,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    max_seconds: float | None = None,
) -> Graph:
    """The graph without edges (d nodes), or with the required edges alone. max_seconds: asks nothing of this."""
    _, required = (knowledge or Knowledge()).compile(data.columns)
    return Graph(data.columns, required)
