"""causal-learn's FCI with its possible-d-sep sets mended to the published ones: what its CPU seconds are when it makes all tests."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from causalnet.backends.causal_learn.marks import marks_of
from causalnet.discovery.guests import guest
from causalnet.search.pag import open_ends, possible_d_sep
from pipelines.hidden_causes.runs import ALPHA, PEER, Problem, Run, draw, prepare
from pipelines.interventions.runs import measure

MENDED = f"{PEER}, possible-d-sep as published"


def contest(problem: Problem, seed: int) -> Iterator[Run]:
    """fci and the mended peer on one table: CPU seconds, and how many pairs' ends differ."""
    if importlib.util.find_spec("causallearn") is None:
        return
    prepare()
    data, _ = draw(problem, seed)
    own, cpu, note = measure(data, "fci", alpha=ALPHA)
    yield Run(str(problem), "fci", cpu=cpu, note=note)
    with published_sets():
        peer, cpu, note = measure(data, PEER, alpha=ALPHA)
    run = Run(str(problem), MENDED, cpu=cpu, note=note)
    if own is not None and peer is not None and own.marks is not None and peer.marks is not None:
        differ = own.marks != peer.marks
        run.differ = float(np.triu(differ | differ.T).sum())
    yield run


@contextmanager
def published_sets() -> Iterator[None]:
    """Inside, the peer's sets of x are those of Definition 3.3 of Colombo et al. 2012, less y; the rest of it is its own."""
    with guest("causal-learn", np.random.default_rng(0)):
        from causallearn.search.ConstraintBased import FCI as package

        shipped = package.getPossibleDsep

        def published(node_x: Any, node_y: Any, graph: Any, longest: int) -> list[Any]:
            marks = marks_of(graph.graph)
            ends = open_ends(marks > 0, marks == 0)
            ends.marks[:] = marks
            place = graph.get_node_map()
            reached = possible_d_sep(ends, math.inf)[place[node_x]]
            return [node for node in graph.get_nodes() if reached[place[node]] and node is not node_y]

        package.getPossibleDsep = published
        try:
            yield
        finally:
            package.getPossibleDsep = shipped
