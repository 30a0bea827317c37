"""How far a learned graph is from the truth. Every definition is printed beside the number it defines."""

from __future__ import annotations

import numpy as np
from numba import njit

from .base.arrays import Bools
from .graph import Graph, is_acyclic
from .stats.meek import cpdag

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
    "shd": "structural Hamming distance: pairs on which the two graphs differ in any way; a reversed or unoriented edge counts once",
    "cpdag_shd": "the same distance between the truth's CPDAG and the learned CPDAG",
    "sid": "structural intervention distance: ordered pairs whose intervention effect is wrong when adjusting for the "
    "learned parents (Peters & Buhlmann 2015); only for DAGs",
    "true_edges": "edges of the truth",
    "learned_edges": "adjacencies learned, oriented or not",
}


def score(truth: Graph, learned: Graph) -> dict[str, float | None]:
    """All metrics of DEFINITIONS, aligned by name. Ratios 0/0 count as 1 when both graphs are empty, else 0."""
    found = learned.align(truth.nodes)
    t, g = truth.directed, found.directed
    right = int((t & g).sum())
    skeleton = int(np.triu(truth.skeleton & found.skeleton).sum())
    joined, joined_truth = int(np.triu(found.skeleton).sum()), int(np.triu(truth.skeleton).sum())
    t_class, g_class = equivalence_class(truth), equivalence_class(found)
    agree = joined_in_same_way(t_class, g_class)
    has_class = is_acyclic(truth.directed)
    result: dict[str, float | None] = {}
    for prefix, hits, claimed, wanted in (
        ("", right, int(g.sum()), int(t.sum())),
        ("cpdag_", agree, joined, joined_truth),
        ("skeleton_", skeleton, joined, joined_truth),
    ):
        precision, recall = _ratio(hits, claimed, wanted), _ratio(hits, wanted, claimed)
        if prefix == "cpdag_" and not has_class:
            result |= dict.fromkeys(("cpdag_f1", "cpdag_precision", "cpdag_recall"))
            continue
        total = precision + recall
        result[f"{prefix}f1"] = 2 * precision * recall / total if total else 0.0
        result[f"{prefix}precision"], result[f"{prefix}recall"] = precision, recall
    result["shd"] = shd(truth.adj, found.adj)
    result["cpdag_shd"] = shd(t_class, g_class) if has_class else None
    result["sid"] = sid(truth.adj, found.adj) if truth.is_dag and found.is_dag else None
    result["true_edges"], result["learned_edges"] = joined_truth, joined
    return result


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
    return int(_sid(np.ascontiguousarray(truth), np.ascontiguousarray(learned), reachable(truth)))


def reachable(adj: Bools) -> Bools:
    """(d, d): ``[i, j]`` iff there is a directed path i -> ... -> j; every node reaches itself."""
    closure = adj | np.eye(len(adj), dtype=bool)
    for _ in range(max(1, int(np.ceil(np.log2(max(len(adj), 2)))))):
        closure = (closure.astype(np.float32) @ closure.astype(np.float32)) > 0
    return closure


def _ratio(hits: int, out_of: int, other: int) -> float:
    if out_of == 0:
        return 1.0 if other == 0 else 0.0
    return hits / out_of


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
            elif not _valid_adjustment(truth, reach, i, j, z):
                wrong += 1
    return wrong


@njit(cache=True)
def _valid_adjustment(adj: Bools, reach: Bools, i: int, j: int, z: Bools) -> bool:
    """Is z (d,) a valid adjustment set for the effect of i on j in the DAG adj? (Shpitser et al. 2010)"""
    d = adj.shape[0]
    for w in range(d):  # no member of z may descend from a node on a causal path i -> ... -> j
        if w != i and reach[i, w] and reach[w, j]:
            for k in range(d):
                if z[k] and reach[w, k]:
                    return False
    # z must block every other path: d-separation once the causal first steps i -> w are removed
    ancestor = np.zeros(d, dtype=np.bool_)  # of z: opens colliders
    for k in range(d):
        if z[k]:
            for w in range(d):
                if reach[w, k]:
                    ancestor[w] = True
    # reach was computed before removing the steps; a lost ancestor of z would lie on a causal path, excluded above
    seen = np.zeros((d, 2), dtype=np.bool_)  # arrived at node from a child (0) or from a parent (1)
    stack = np.empty((2 * d + 2, 2), dtype=np.int64)
    top = 1
    stack[0, 0], stack[0, 1] = i, 0
    seen[i, 0] = True
    while top > 0:
        top -= 1
        v, came = stack[top, 0], stack[top, 1]
        if v == j:
            return False
        down, up = not z[v], ancestor[v] if came == 1 else not z[v]  # may a path go on to children, to parents?
        for u in range(d):
            if down and adj[v, u] and not seen[u, 1] and not (v == i and reach[u, j]):
                seen[u, 1] = True
                stack[top, 0], stack[top, 1] = u, 1
                top += 1
            if up and adj[u, v] and not seen[u, 0] and not (u == i and reach[v, j]):
                seen[u, 0] = True
                stack[top, 0], stack[top, 1] = u, 0
                top += 1
    return True
