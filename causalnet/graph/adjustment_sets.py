"""Which variables to adjust for, in a DAG or in a class of DAGs: is an effect identified, by which sets, by which best.

A class is a completed graph, or one that knowledge has directed further, closed under Meek's rules (a maximal PDAG). The
total effect of x on y is identified in it iff every possibly directed path from x to y starts with an arrow out of x (the
class is *amenable*; Perković, Kalisch and Maathuis, UAI 2017). Then a set Z is valid iff it holds nothing forbidden, that
is x and the possible descendants of the nodes on possibly directed paths from x to y, and blocks every other path
(Perković, Textor, Kalisch and Maathuis, JMLR 18, 2018); and of all valid sets

    O(x, y) = pa(cn(x, y)) \\ (de(cn(x, y)) + x),    cn: the nodes on directed paths from x to y, but for x

gives the least asymptotic variance of a least-squares estimate, whatever the noise, and is the same in every DAG of the
class (Henckel, Perković and Maathuis, JRSSB 84, 2022, definition 3.12 and theorem 3.13).

Everywhere ``adj[i, j]`` is i -> j and both bits are i - j; sets are (d,) bool.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..base.arrays import Bools, Ints
from ..base.checks import instance
from ..errors import DataError, NotApplicable
from .adjustment import valid_adjustment
from .graph import Graph
from .lagged import LaggedGraph
from .meek import cpdag, extension, orient
from .order import ancestry, find_cycle


def class_of(graph: Graph) -> Bools:
    """(d, d) bool: the DAG as it is, or the class closed under Meek's rules; a sentence for a graph that stands for no DAG."""
    instance("graph", graph, Graph, "a Graph; Graph.from_networkx and Graph(nodes, adj) make one")
    if graph.marks is not None:
        raise NotApplicable(
            "effects are read off DAGs and their classes, and this is a partial ancestral graph, whose marks allow hidden "
            "common causes; give the graph of a method that assumes there are none, such as order or pc"
        )
    if isinstance(graph, LaggedGraph) or "lags" in graph.meta:
        raise NotApplicable(
            "effects are read off graphs whose variables stand in one row, and this one tells what acts on what some steps "
            "later; pair each row with its past in a table, with a column for each lag, and give a graph over those columns"
        )
    cycle = find_cycle(graph.directed)
    if cycle is not None:
        names = [graph.nodes[i] for i in [*cycle, cycle[0]]]
        raise DataError(
            f"this graph has the directed cycle {' -> '.join(names)}, and effects are read off graphs without; "
            "drop or reverse one of these edges with graph.replace(adj=...)"
        )
    if not (graph.adj & graph.adj.T).any():
        return graph.adj
    if extension(graph.adj) is None:
        raise DataError(
            "this partly directed graph stands for no DAG: every way to direct its undirected edges makes a cycle or a "
            "new collider; direct some of them with graph.replace(adj=...)"
        )
    return orient(graph.adj)


def reachable(step: Bools, start: Bools) -> Bools:
    """(d,) bool: the nodes of ``start`` (d,) and all that steps (d, d) lead to from them."""
    seen = np.array(start, dtype=bool)
    fresh = seen
    while fresh.any():
        fresh = step[fresh].any(axis=0) & ~seen
        seen |= fresh
    return seen


def single(d: int, x: int) -> Bools:
    """(d,) bool: the set of one node."""
    return np.arange(d) == x


def possible_descendants(adj: Bools, x: int) -> Bools:
    """(d,) bool: x and what possibly directed paths lead to from it, edge by edge."""
    return reachable(adj, single(len(adj), x))


def is_amenable(adj: Bools, x: int, y: int) -> bool:
    """True iff every possibly directed path from x to y starts with an arrow out of x: the effect is identified.

    For each v with x - v a path from v to y is sought that no arrow points against, keeps off x and its parents, and joins
    no two nodes two steps apart: any possibly directed path can be shortened to such a one, and in a class closed under
    Meek's rules none of those is turned back further on (Perković et al. 2017, lemmas 3.6 and 3.7).
    """
    loose = adj[x] & adj[:, x]
    free = ~(adj[:, x] & ~adj[x]) & ~single(len(adj), x)
    if not reachable(adj & free, loose)[y]:
        return True
    joined = adj | adj.T
    seen = np.zeros(adj.shape, dtype=bool)  # [v, w]: the step from v to w was made
    todo = [(x, int(v)) for v in np.flatnonzero(loose)]
    while todo:
        before, v = todo.pop()
        if v == y:
            return False
        onward = adj[v] & free & ~seen[v]
        if before != x:
            onward &= ~joined[before] & ~single(len(adj), before)
        seen[v] |= onward
        todo += [(v, int(w)) for w in np.flatnonzero(onward)]
    return True


def forbidden(adj: Bools, x: int, y: int) -> Bools:
    """(d,) bool: x, and the possible descendants of the nodes on possibly directed paths from x to y, but for x.

    Paths are judged edge by edge, which in a class that knowledge has directed may forbid more than need be.
    """
    d = len(adj)
    free = ~single(d, x)
    below = reachable(adj & free, adj[x] & free)
    above = reachable(adj.T & free, single(d, y))
    return reachable(adj, below & above) | single(d, x)


def optimal_set(dag: Bools, x: int, y: int) -> Bools:
    """(d,) bool: O(x, y) in a DAG; a set that is not valid where y does not descend from x."""
    d = len(dag)
    causal = reachable(dag, single(d, x)) & reachable(dag.T, single(d, y)) & ~single(d, x)
    return np.asarray(dag[:, causal].any(axis=1) & ~reachable(dag, causal) & ~single(d, x))


def member(adj: Bools) -> Bools:
    """(d, d) bool: a DAG of the class; a DAG is its own."""
    if not (adj & adj.T).any():
        return adj
    dag = extension(adj)
    assert dag is not None  # class_of has looked
    return dag


def is_valid(adj: Bools, x: int, y: int, z: Bools) -> bool:
    """True iff adjusting for z (d,) gives the effect of x on y in every DAG of the class."""
    if z[x] or z[y] or not is_amenable(adj, x, y) or (z & forbidden(adj, x, y)).any():
        return False
    return _blocks(member(adj), x, y, z)


def _blocks(dag: Bools, x: int, y: int, z: Bools) -> bool:
    """The criterion in one DAG; of what descends from the effect's way the class has judged."""
    reach = ancestry(dag) | np.eye(len(dag), dtype=bool)
    return bool(valid_adjustment(np.ascontiguousarray(dag), reach, x, y, np.ascontiguousarray(z)))


def best_adjustment(adj: Bools, x: int, y: int, seen: Bools) -> Bools | None:
    """(d,) bool: O(x, y) if all of it is among ``seen`` (d,), else a valid set that is, of which no member can go; None: none is.

    The effect must be identified in the class ``adj``, and not be zero. A valid set among the seen exists iff the ancestors of
    x and y among them that are not forbidden make one (van der Zander, Liskiewicz and Textor, AIJ 270, 2019, theorem 2).
    """
    dag = member(adj)
    best = optimal_set(dag, x, y)
    if not (best & ~seen).any():
        return best
    own = single(len(adj), x) | single(len(adj), y)
    some = reachable(dag.T, own) & seen & ~own & ~forbidden(adj, x, y)
    if not _blocks(dag, x, y, some):
        return None
    for k in np.flatnonzero(some & ~best):
        fewer = some & ~single(len(adj), int(k))
        some = fewer if _blocks(dag, x, y, fewer) else some
    return some


class Directed(NamedTuple):
    """One way in which the undirected edges at a node can point. parents: (d,) bool, of the node. dag: (d, d) bool, a DAG of
    the class that agrees."""

    parents: Bools
    dag: Bools


def directions_at(adj: Bools, x: int) -> Iterator[Directed]:
    """Every way in which the undirected edges at x can point, over the DAGs of the class (Maathuis et al., AoS 37, 2009).

    Those that point at x come from nodes joined pairwise, or they would make a new collider; each such choice is closed
    under Meek's rules, and counts if it leaves a DAG of the class.
    """
    loose, joined = np.flatnonzero(adj[x] & adj[:, x]), adj | adj.T
    if not loose.size:
        yield Directed(np.asarray(adj[:, x] & ~adj[x]), member(adj))
        return
    same = cpdag(adj)
    for into in _cliques(loose, joined):
        turned = adj.copy()
        turned[x, into] = False
        turned[np.setdiff1d(loose, into), x] = False
        dag = extension(orient(turned))
        if dag is not None and np.array_equal(cpdag(dag), same):
            yield Directed(dag[:, x], dag)


def _cliques(nodes: Ints, joined: Bools) -> Iterator[Ints]:
    """Every set of nodes joined pairwise, the empty one first, smaller ones before larger."""
    level: list[list[int]] = [[]]
    while level:
        yield from (np.array(clique, dtype=np.int64) for clique in level)
        level = [
            [*clique, int(v)]
            for clique in level
            for v in nodes
            if v > max(clique, default=-1) and joined[v, clique].all()
        ]
