"""How far a learned graph is from the truth. Every definition is printed beside the number it defines."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..base.arrays import Bools
from ..base.checks import instance
from .adjustment import valid_adjustment
from .graph import Graph
from .identification import AID_DEFINITIONS, adjustment_distances
from .marks import ARROW, CIRCLE, TAIL, Marks
from .meek import cpdag
from .order import ancestry, is_acyclic

DEFINITIONS: dict[str, str] = {
    "f1": "harmonic mean of precision and recall over directed edges; an unoriented adjacency is no directed edge",
    "precision": "directed edges that are in the truth in that direction / directed edges learned",
    "recall": "directed edges of the truth learned in that direction / directed edges of the truth",
    "cpdag_f1": "harmonic mean of cpdag_precision and cpdag_recall",
    "cpdag_precision": "adjacencies whose mark (->, <- or --) agrees with the truth's own CPDAG / adjacencies learned; "
    "a learned DAG is first turned into its CPDAG; a truth with a directed cycle has none, and is not scored so",
    "cpdag_recall": "adjacencies whose mark agrees with the truth's own CPDAG / adjacencies of the truth",
    "skeleton_f1": "harmonic mean of skeleton_precision and skeleton_recall",
    "skeleton_precision": "pairs joined in both graphs / pairs joined in the learned graph",
    "skeleton_recall": "pairs joined in both graphs / pairs joined in the truth",
    "arrowhead_f1": "harmonic mean of arrowhead_precision and arrowhead_recall; like these, only where a graph has end marks",
    "arrowhead_precision": "arrowheads that are in the truth, at that end of that pair / arrowheads learned",
    "arrowhead_recall": "arrowheads of the truth that were learned / arrowheads of the truth",
    "tail_f1": "harmonic mean of tail_precision and tail_recall; the ends of -- in a graph without end marks are open",
    "tail_precision": "tails that are in the truth, at that end of that pair / tails learned",
    "tail_recall": "tails of the truth that were learned / tails of the truth",
    "shd": "structural Hamming distance: pairs on which the two graphs differ in any way; a reversed or unoriented edge counts once; <->, o-o and -- differ",
    "cpdag_shd": "the same distance between the truth's CPDAG and the learned CPDAG",
    "pag_shd": "pairs joined in one of the graphs alone, and ends that differ on pairs joined in both (Triantafillou & "
    "Tsamardinos 2016); only where a graph has end marks",
    "sid": "structural intervention distance: ordered pairs whose intervention effect is wrong when adjusting for the "
    "learned parents (Peters & Buhlmann 2015); only for DAGs, and left out where parent_aid is",
    **AID_DEFINITIONS,
    "true_edges": "edges of the truth",
    "learned_edges": "adjacencies learned, oriented or not",
}
# the metrics that lie between 0 and 1; the others count, from 0 up
_KINDS = ("", "cpdag_", "skeleton_", "arrowhead_", "tail_")
SHARES = frozenset(f"{kind}{name}" for kind in _KINDS for name in ("f1", "precision", "recall")) | set(AID_DEFINITIONS)


def score(truth: Graph, learned: Graph) -> dict[str, float | None]:
    """All metrics of DEFINITIONS, aligned by name. Ratios 0/0 count as 1 when both graphs are empty, else 0."""
    for which, given in (("truth", truth), ("learned", learned)):
        instance(which, given, Graph, "a Graph; Graph.from_networkx and Graph(nodes, adj) make one")
    found = learned.align(truth.nodes)
    t, g = truth.directed, found.directed
    right = int((t & g).sum())
    skeleton = int(np.triu(truth.skeleton & found.skeleton).sum())
    joined, joined_truth = int(np.triu(found.skeleton).sum()), int(np.triu(truth.skeleton).sum())
    t_class, g_class = class_marks(truth), class_marks(found)
    agree = int(np.triu((t_class == g_class) & (t_class.T == g_class.T) & (t_class > 0)).sum())
    marked = truth.marks is not None or found.marks is not None
    no_class = ((t_class == CIRCLE) | (g_class == CIRCLE)).any()
    has_class = is_acyclic(truth.directed) and not no_class
    result: dict[str, float | None] = {}
    for prefix, hits, claimed, wanted in (
        ("", right, int(g.sum()), int(t.sum())),
        ("cpdag_", agree, joined, joined_truth),
        ("skeleton_", skeleton, joined, joined_truth),
    ):
        known = has_class if prefix == "cpdag_" else not (marked and claimed == wanted == 0 < joined + joined_truth)
        result |= {f"{prefix}{k}": v if known else None for k, v in _shares(hits, claimed, wanted).items()}
    result |= _end_scores(truth, found, marked)
    result["shd"] = _distance(_marks(truth, truth.adj), _marks(found, found.adj))
    result["cpdag_shd"] = _distance(t_class, g_class) if has_class else None
    result |= adjustment_distances(truth, found)
    share = result["parent_aid"] if truth.is_dag and found.is_dag else None  # between DAGs the same pairs
    result["sid"] = None if share is None else round(share * truth.d * (truth.d - 1))
    result["true_edges"], result["learned_edges"] = joined_truth, joined
    return result


def _end_scores(truth: Graph, found: Graph, marked: bool) -> dict[str, float | None]:
    """How the ends agree; None for each where neither graph has end marks."""
    t, g = end_marks(truth), end_marks(found)
    result: dict[str, float | None] = {}
    for name, mark in (("arrowhead", ARROW), ("tail", TAIL)):
        shares = _shares(int(((t == mark) & (g == mark)).sum()), int((g == mark).sum()), int((t == mark).sum()))
        result |= {f"{name}_{k}": v if marked else None for k, v in shares.items()}
    both, one = (t > 0) & (g > 0), (t > 0) != (g > 0)
    result["pag_shd"] = int(np.triu(one).sum() + (both & (t != g)).sum()) if marked else None
    return result


def end_marks(graph: Graph) -> Marks:
    """(d, d) end marks; those of an unoriented edge of a graph without any are open."""
    marks = _marks(graph, graph.adj)
    return marks if graph.marks is not None else np.where(graph.adj & graph.adj.T, CIRCLE, marks).astype(np.int8)


def _marks(graph: Graph, adj: Bools) -> Marks:
    """(d, d) end marks; of a graph that has none, an arrow on i -> j, and tails on i - j."""
    if graph.marks is not None:
        return graph.marks
    return np.where(adj & ~adj.T, ARROW, np.where(adj | adj.T, TAIL, 0)).astype(np.int8)


def class_marks(graph: Graph) -> Marks:
    return (
        _marks(graph, equivalence_class(graph))
        if graph.marks is None or not graph.is_dag
        else _marks(graph.replace(marks=None), cpdag(graph.adj))
    )


def _distance(a: Marks, b: Marks) -> int:
    """Number of unordered pairs whose marks differ."""
    return int(np.triu((a != b) | (a != b).T).sum())


def equivalence_class(graph: Graph) -> Bools:
    """(d, d) the graph's CPDAG when it is a DAG; the graph itself when it is partly oriented or cyclic already."""
    return cpdag(graph.adj) if graph.is_dag else graph.adj


def joined_in_same_way(a: Bools, b: Bools) -> int:
    """Number of pairs joined in both (d, d) graphs with the same mark."""
    same = (a == b) & (a.T == b.T) & (a | a.T)
    return int(np.triu(same).sum())


def shd(a: Bools, b: Bools) -> int:
    """Number of unordered pairs on which the (d, d) graphs a and b differ."""
    differ = (a != b) | (a.T != b.T)
    return int(np.triu(differ).sum())


def sid(truth: Bools, learned: Bools) -> int:
    """Structural intervention distance between two DAGs, (d, d) each (Peters & Buhlmann 2015, Definition 4)."""
    reach = ancestry(truth) | np.eye(len(truth), dtype=bool)
    return int(_sid(np.ascontiguousarray(truth), np.ascontiguousarray(learned), reach))


def _shares(hits: int, claimed: int, wanted: int) -> dict[str, float]:
    """F1, precision and recall; 1 where there is nothing to find and nothing is claimed."""
    empty = float(claimed == wanted == 0)
    precision, recall = (hits / n if n else empty for n in (claimed, wanted))
    total = precision + recall
    return {"f1": 2 * precision * recall / total if total else 0.0, "precision": precision, "recall": recall}


@njit(cache=True)
def _sid(truth: Bools, learned: Bools, reach: Bools) -> int:
    d = truth.shape[0]
    wrong = 0
    for i in range(d):
        z = learned[:, i]
        for j in range(d):
            if i == j:
                continue
            if z[j]:  # the learned graph says: no effect of i on j
                wrong += reach[i, j]
            elif not valid_adjustment(truth, reach, i, j, z):
                wrong += 1
    return wrong
