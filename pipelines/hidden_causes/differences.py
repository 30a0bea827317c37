"""Where fci and causal-learn's FCI differ on the same table: what makes the difference."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from causalnet import Table, discover
from causalnet.backends.causal_learn.marks import marks_of
from causalnet.discovery.guests import guest
from causalnet.graph.marks import Marks
from causalnet.search.pag import close, draw_colliders, open_ends, separators_of
from pipelines.hidden_causes.runs import ALPHA, PEER, Problem, Run, draw

SAME, SETS = "the same answer", "other separating sets"
CONTRADICTION, RULES = "sets that contradict one another", "R4 by new tests"
REASONS = (SAME, SETS, CONTRADICTION, RULES)


def explained(problem: Problem, seed: int) -> Iterator[Run]:
    """The reason why the two answers differ, in ``note``; same: 1 where the peer's sets give its marks by fci's rules.

    Its possible-d-sep sets are smaller than the published ones, its sets depend on the order of the columns, and it keeps the
    first that separates. Where our rules, on its sets, give other marks, either the sets contradict one another, and fci
    leaves the ends open that it draws in turn; or it decided a discriminating path by tests of its own, given the path
    with and without the node, where Zhang's R4 reads the separating set.
    """
    if importlib.util.find_spec("causallearn") is None:
        return
    data, _ = draw(problem, seed)
    own = discover(data, "fci", alpha=ALPHA).marks
    theirs, sets = by_peer(data)
    separators = separators_of(len(theirs), sets)
    again = open_ends(theirs > 0, ~(theirs > 0) & ~np.eye(len(theirs), dtype=bool))
    draw_colliders(again, separators)
    close(again, separators, math.inf)
    alike = np.array_equal(again.marks, theirs)
    reason = SAME if np.array_equal(own, theirs) else SETS if alike else CONTRADICTION if again.stuck.any() else RULES
    yield Run(str(problem), PEER, exact=float(alike), note=reason)


def by_peer(data: Table) -> tuple[Marks, dict[tuple[int, int], list[int]]]:
    """The marks of causal-learn's FCI, and the sets that separated pairs i < j."""
    kept: dict[tuple[int, int], list[int]] = {}
    with guest("causal-learn", np.random.default_rng(0)):
        from causallearn.search.ConstraintBased import FCI as package

        shipped = package.removeByPossibleDsep

        def listening(graph: Any, test: Any, alpha: float, sets: Any) -> None:
            shipped(graph, test, alpha, sets)
            kept.update({(min(i, j), max(i, j)): [int(v) for v in z] for (i, j), z in sets.items() if z is not None})

        package.removeByPossibleDsep = listening
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                graph, _ = package.fci(data.values, "fisherz", ALPHA, show_progress=False)
        finally:
            package.removeByPossibleDsep = shipped
    return marks_of(graph.graph), kept
