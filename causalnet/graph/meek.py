"""Largest set of orientations that every DAG of a Markov equivalence class shares.

Meek's rules close a partially directed graph under the orientations it implies (Meek 1995, "Causal inference and
causal explanation with background knowledge"); a DAG's class is its skeleton plus its unshielded colliders (Verma
and Pearl 1990); a partially directed graph is turned into one of its DAGs by Dor and Tarsi (1992, "A simple
algorithm to construct a consistent extension of a partially oriented graph").

Everywhere ``adj[i, j]`` is i -> j and both bits are i - j. Neighbourhoods are rows of 64-bit words, so each rule is
a few word operations. The closure works in rounds: what the graph at the start of a round implies is collected
first and then drawn, strongest edge first and equally strong ones together, so on contradictory input the answer does
not depend on the column order. Arrows that would close a directed cycle, and edges pulled both ways in one round, stay
undirected.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from ..base.arrays import AnyArray, Bools
from ..base.sorting import sorted_places
from ..errors import DataError
from .order import is_acyclic

R1, R2, R3, R4 = 1, 2, 3, 4  # codes in the rule matrix of `close`; 0 is "not oriented here"


@njit(cache=True)
def bit_rows(matrix: AnyArray) -> AnyArray:
    """Rows of a (d, d) bool matrix as bit sets: (d, ceil(d / 64)) uint64."""
    d = matrix.shape[0]
    rows = np.zeros((d, (d + 63) // 64), np.uint64)
    for i in range(d):
        for j in range(d):
            if matrix[i, j]:
                rows[i, j >> 6] |= np.uint64(1) << np.uint64(j & 63)
    return rows


@njit(cache=True, inline="always")
def has(row: AnyArray, j: int) -> bool:
    """Is j in the bit set?"""
    return (row[j >> 6] >> np.uint64(j & 63)) & np.uint64(1) != 0


@njit(cache=True)
def add_arrow(a: int, b: int, adj: AnyArray, below: AnyArray) -> None:
    """Draw a -> b in place and keep below (d, w) uint64, the descendants of every node, up to date."""
    adj[a, b] = True
    adj[b, a] = False
    put_below(a, b, below)


@njit(cache=True)
def put_below(a: int, b: int, below: AnyArray) -> None:
    """Make b and all that is below it descendants of a and of all above it, in place; below: (d, w) uint64."""
    if has(below[a], b):
        return
    for u in range(below.shape[0]):
        if u == a or has(below[u], a):
            for w in range(below.shape[1]):
                below[u, w] |= below[b, w]
            below[u, b >> 6] |= np.uint64(1) << np.uint64(b & 63)


@njit(cache=True)
def descendants(adj: AnyArray) -> AnyArray:
    """Descendants along directed edges: (d, w) uint64; a node on a directed cycle is below itself."""
    d = adj.shape[0]
    arrows = np.zeros((d, d), np.bool_)
    below = np.zeros((d, (d + 63) // 64), np.uint64)
    for i in range(d):
        for j in range(d):
            if adj[i, j] and not adj[j, i]:
                add_arrow(i, j, arrows, below)
    return below


@njit(cache=True)
def _implied(a: int, b: int, undirected: AnyArray, parents: AnyArray, children: AnyArray, shield: AnyArray) -> int:
    """The first of Meek's rules that turns a - b into a -> b, or 0. All sets are (d, w) uint64 rows."""
    words = undirected.shape[1]
    for w in range(words):  # R1: c -> a - b, c and b not adjacent
        if parents[a, w] & ~shield[b, w]:
            return R1
    for w in range(words):  # R2: a -> c -> b
        if children[a, w] & parents[b, w]:
            return R2
    for w in range(words):  # R3: a - c -> b, a - e -> b, c and e not adjacent
        both = undirected[a, w] & parents[b, w]
        c = w << 6
        while both:
            if both & np.uint64(1):
                for v in range(words):
                    rest = undirected[a, v] & parents[b, v] & ~shield[c, v]
                    if v == w:
                        rest &= ~(np.uint64(1) << np.uint64(c & 63))
                    if rest:
                        return R3
            both >>= np.uint64(1)
            c += 1
    for w in range(words):  # R4: a - c -> e -> b, a and e adjacent, c and b not adjacent
        middle = parents[b, w] & (undirected[a, w] | parents[a, w] | children[a, w])
        e = w << 6
        while middle:
            if middle & np.uint64(1):
                for v in range(words):
                    if parents[e, v] & undirected[a, v] & ~shield[b, v]:
                        return R4
            middle >>= np.uint64(1)
            e += 1
    return 0


@njit(cache=True)
def _any_arrow(adj: AnyArray) -> bool:
    for a in range(adj.shape[0]):
        for b in range(a):
            if adj[a, b] != adj[b, a]:
                return True
    return False


@njit(cache=True)
def close(
    adj: AnyArray,
    shield: AnyArray,
    i: AnyArray,
    j: AnyArray,
    strength: AnyArray,
    stuck: AnyArray,
    rule: AnyArray,
    below: AnyArray,
) -> int:
    """Close adj (d, d) bool under Meek's rules, in place; return the number of contradictions left undirected.

    shield: (d, d) bool, pairs that do not count as "not adjacent" (adjacent, or never tested). i, j: (m,) the joined
    pairs; strength: (m,), larger is drawn first within a round, equal ones together; stuck: (m,) bool, pairs that stay
    undirected, filled. rule: (d, d) int8, filled with R1..R4. below: descendants(adj), kept up to date.
    """
    if not _any_arrow(adj):
        return 0  # every rule reads one
    contradictions, shield_bits = 0, bit_rows(shield)
    while True:
        undirected = bit_rows(adj & adj.T)
        children = bit_rows(adj & ~adj.T)
        parents = bit_rows(~adj & adj.T)
        line, code, power = [0][:0], [0][:0], [0.0][:0]
        for k in range(i.size):
            a, b = i[k], j[k]
            if not (adj[a, b] and adj[b, a]) or stuck[k]:
                continue
            forward = _implied(a, b, undirected, parents, children, shield_bits)
            backward = _implied(b, a, undirected, parents, children, shield_bits)
            if forward and backward:
                stuck[k] = True
                contradictions += 1
            elif forward or backward:
                line.append(k)
                code.append(forward - backward)
                power.append(-strength[k])
        if len(line) == 0:
            return contradictions
        order = sorted_places(power)
        lo = 0
        while lo < order.size:
            hi = lo + 1
            while hi < order.size and power[order[hi]] == power[order[lo]]:
                hi += 1
            trial = below.copy() if hi > lo + 1 else below
            if hi > lo + 1:
                for e in order[lo:hi]:
                    a, b = i[line[e]], j[line[e]]
                    put_below(a if code[e] > 0 else b, b if code[e] > 0 else a, trial)
            for e in order[lo:hi]:
                k = line[e]
                a, b = (i[k], j[k]) if code[e] > 0 else (j[k], i[k])
                if has(trial[b], a):
                    stuck[k] = True
                    contradictions += 1
                else:
                    add_arrow(a, b, adj, below)
                    rule[a, b] = abs(code[e])
            lo = hi


@njit(cache=True)
def _pattern(dag: AnyArray) -> AnyArray:
    """Skeleton plus unshielded colliders of a DAG: (d, d) bool."""
    d = dag.shape[0]
    joined = dag | dag.T
    pattern = joined.copy()
    for z in range(d):
        for i in range(d):
            for j in range(i if dag[i, z] else 0):
                if dag[j, z] and not joined[i, j]:
                    pattern[z, i] = False
                    pattern[z, j] = False
    return pattern


@njit(cache=True)
def _extend(adj: AnyArray) -> tuple[bool, AnyArray]:
    """Dor and Tarsi's sinks: (found, dag (d, d) bool)."""
    d = adj.shape[0]
    words = (d + 63) // 64
    dag = adj & ~adj.T
    joined = bit_rows(adj | adj.T)
    undirected = adj & adj.T
    children = np.zeros(d, np.int64)  # among the nodes that remain
    for x in range(d):
        for y in range(d):
            children[x] += dag[x, y]
    alive = np.ones(d, np.bool_)
    for _ in range(d):
        sink = -1
        for x in range(d):
            if not alive[x] or children[x]:
                continue
            fits = True
            for y in range(d):  # every undirected neighbour is adjacent to all other neighbours of x
                if undirected[x, y]:
                    for w in range(words):
                        missing = joined[x, w] & ~joined[y, w]
                        if w == y >> 6:
                            missing &= ~(np.uint64(1) << np.uint64(y & 63))
                        if missing:
                            fits = False
                            break
                    if not fits:
                        break
            if fits:
                sink = x
                break
        if sink < 0:
            return False, dag
        alive[sink] = False
        for y in range(d):
            if has(joined[y], sink):
                if undirected[sink, y]:
                    dag[y, sink] = True
                    undirected[sink, y] = False
                    undirected[y, sink] = False
                elif adj[y, sink]:
                    children[y] -= 1
                joined[y, sink >> 6] &= ~(np.uint64(1) << np.uint64(sink & 63))
    return True, dag


def _square(adj: ArrayLike) -> Bools:
    matrix = np.array(adj, dtype=np.bool_, order="C")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"adj has shape {matrix.shape}; a square (d, d) matrix is needed")
    if matrix.diagonal().any():
        raise DataError(f"adj has a self-loop at node {int(np.flatnonzero(matrix.diagonal())[0])}; clear the diagonal")
    return matrix


def cpdag(adj: ArrayLike) -> Bools:
    """The completed graph (d, d) bool of the equivalence class of adj: a DAG, or a graph with undirected edges.

    A graph with undirected edges stands for its consistent extensions (Dor and Tarsi 1992); it must have one.
    Raises DataError when adj has a directed cycle or no consistent extension.
    """
    dag = _square(adj)
    ends = np.flatnonzero(dag.any(axis=0) | dag.any(axis=1))
    if len(ends) < len(dag):  # of thousands of nodes, few may have an edge
        whole, some = np.zeros_like(dag), np.ix_(ends, ends)
        whole[some] = cpdag(dag[some])
        return whole
    if (dag & dag.T).any():
        found = extension(dag)
        if found is None:
            raise DataError("this partially directed graph has no consistent DAG extension, so it has no CPDAG")
        dag = found
    elif not is_acyclic(dag):
        raise DataError("this graph has a directed cycle, so it has no CPDAG; check it with is_acyclic first")
    return orient(_pattern(dag))


def extension(adj: ArrayLike) -> Bools | None:
    """A DAG (d, d) bool with the skeleton, arrows and colliders of a partly directed graph; None where there is none."""
    found, dag = _extend(_square(adj))
    return dag if found else None


def orient(adj: ArrayLike) -> Bools:
    """adj (d, d) bool closed under Meek's rules 1-4; what the rules contradict stays undirected."""
    matrix = _square(adj)
    joined = matrix | matrix.T
    i, j = np.ascontiguousarray(np.argwhere(np.triu(joined)).T)
    rule, none = np.zeros(matrix.shape, np.int8), np.zeros(len(i))
    close(matrix, joined, i, j, none, none > 0, rule, descendants(matrix))
    return matrix


def restrict(adj: Bools, allowed: Bools) -> Bools:
    """adj (d, d) bool, the completed graph of a class, its undirected edges turned where one direction only is ``allowed``."""
    turned = adj & adj.T & ~allowed
    return orient(adj & ~turned) if turned.any() else adj


def known_class(dag: Bools, allowed: Bools) -> Bools:
    """(d, d) bool: the completed graph of the class of ``dag``, with the directions that knowledge leaves."""
    return restrict(cpdag(dag), allowed)
