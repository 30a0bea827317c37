"""fci, and causal-learn's, told the truth about every independence: how many marks are those that it proves."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from causalnet import Graph, as_table, discover
from causalnet.backends.causal_learn.marks import marks_of
from causalnet.discovery.guests import guest
from causalnet.graph.marks import CIRCLE, Marks
from causalnet.graph.random_dags import random_dag
from causalnet.graph.separation import Separation, ancestral_graph, marks_of_dag
from causalnet.search.pag import pag_of
from pipelines.hidden_causes.classes import enumerate_classes
from pipelines.hidden_causes.runs import PEER, Run

Separated = Callable[[int, int, Iterable[int]], bool]


def enumerated(d: int, seed: int) -> Iterator[Run]:
    """Every class over d variables: does each get exactly the ends that its members share?"""
    for shape in enumerate_classes(d):
        found = by_fci(Separation(shape.member), list(range(d)))
        yield Run(f"all classes of {d} variables", "fci", exact=float(np.array_equal(found, shape.shared)))


def told_all(problem: str, seed: int) -> Iterator[Run]:
    """One random graph of 5 to 15 observed and 0 to 4 hidden variables, and both methods on what it says of independence."""
    rng = np.random.default_rng([seed, 0xFC1])
    d, hidden = int(rng.integers(5, 16)), int(rng.integers(0, 5))
    dag = random_dag(d + hidden, float(rng.uniform(1.5, 3.0)), rng)
    gone = sorted(rng.choice(d + hidden, hidden, replace=False).tolist())
    seen = [v for v in range(d + hidden) if v not in gone]
    truth, apart = ancestral_graph(dag, gone), Separation(marks_of_dag(dag))
    right = pag_of(truth)
    own = by_fci(apart, seen)
    yield Run(problem, "fci", **judged(own, truth, right))
    if importlib.util.find_spec("causallearn") is None:
        return
    theirs = by_peer(apart, seen)
    differ = (own != theirs) | (own != theirs).T
    yield Run(problem, PEER, differ=float(np.triu(differ).sum()), **judged(theirs, truth, right))


def judged(found: Marks, truth: Marks, right: Marks) -> dict[str, float]:
    """Is it the true PAG, and does no mark contradict the true graph?"""
    decided = (found > 0) & (found != CIRCLE)
    sound = np.array_equal(found > 0, truth > 0) and np.array_equal(found[decided], truth[decided])
    return {"exact": float(np.array_equal(found, right)), "sound": float(sound)}


def by_fci(separated: Separated, seen: list[int]) -> Marks:
    """The marks of fci when separation in a graph answers for its tests; seen: the node of each column."""

    def test(x: int, y: int, z: tuple[int, ...], data: Any) -> float:
        return float(separated(seen[x], seen[y], [seen[v] for v in z]))

    values = np.random.default_rng(0).standard_normal((len(seen) + 10, len(seen)))
    table = as_table(values, names=[f"x{k}" for k in range(len(seen))])
    found: Graph = discover(table, "fci", ci_test=test)
    assert found.marks is not None
    return found.marks


def by_peer(separated: Separated, seen: list[int]) -> Marks:
    """The marks of causal-learn's FCI on the same answers."""
    with guest("causal-learn", np.random.default_rng(0)):
        from causallearn.search.ConstraintBased.FCI import fci
        from causallearn.utils.cit import CIT_Base, register_ci_test

        class Answers(CIT_Base):  # type: ignore[misc]
            """1 where two columns are separated, 0 elsewhere."""

            method = "separation"

            def __call__(self, x: int, y: int, given: Any = None) -> float:
                z = [] if given is None else [seen[int(v)] for v in given]
                return float(separated(seen[int(x)], seen[int(y)], z))

        register_ci_test("separation", Answers)
        graph, _ = fci(np.zeros((len(seen) + 1, len(seen))), "separation", 0.5, show_progress=False)
    return marks_of(graph.graph)
