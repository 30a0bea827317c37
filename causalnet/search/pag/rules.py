"""Zhang's rules R0 to R8: the end marks that all ancestral graphs of a Markov equivalence class share.

Zhang, "On the completeness of orientation rules for causal discovery in the presence of latent confounders and selection
bias", Artificial Intelligence 172, 2008; his letters are kept (a, b, c, t for alpha, beta, gamma, theta). R0 to R4 and R8
to R10 are complete without selection, R5 to R7 add what selection bias leaves; R5, R9 and R10, which follow paths, are in
:mod:`causalnet.search.pag.paths`.

The rules work in rounds: what the marks at the start of a round imply is collected first and then written together (see
:func:`causalnet.search.pag.ends.settle`), so on contradictory input nothing depends on the order of the columns.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ...base.arrays import AnyArray
from ...base.clock import now, over
from ...graph.marks import ARROW, CIRCLE, TAIL
from .ends import RULE, Ends, Round, around, directed, is_open, new_round, settle, want
from .paths import uncovered_cycles, uncovered_ways
from .separators import Separators

LAST = 0.5  # seconds that colliders get even if the search for what is joined took all the time there was


@njit(cache=True)
def draw_colliders(ends: Ends, separators: Separators, deadline: float) -> None:
    """R0: a *-> b <-* c where b is joined to a and c, which are apart, did not separate them, and has open ends or arrows there."""
    marks, wanted = ends.marks, new_round(ends, max(deadline, now() + LAST))
    for b in range(marks.shape[0]):
        for a in around(ends, b):
            if over(wanted.watch, around(ends, b).size):
                break
            for c in around(ends, b):
                if a < c and ends.apart[a, c] and separators.place[a, c] >= 0:
                    ready = (is_open(ends, a, b) or marks[a, b] == ARROW) and (
                        is_open(ends, c, b) or marks[c, b] == ARROW
                    )
                    if ready and not _separated_by(separators, a, c, b):
                        want(ends, wanted, a, b, ARROW, RULE[0])
                        want(ends, wanted, c, b, ARROW, RULE[0])
    settle(ends, wanted)


@njit(cache=True)
def _separated_by(separators: Separators, a: int, c: int, b: int) -> bool:
    """Is b in the set that separated a and c?"""
    number, given, found = separators.place[a, c], separators.given, False
    for v in given.member[given.first[number] : given.first[number + 1]]:
        found |= v == b
    return found


@njit(cache=True)
def close(ends: Ends, separators: Separators, deadline: float) -> bool:
    """Apply R1 to R10 until none applies, in place; False where the clock (time.monotonic) ended it first.

    The cheap rules come first: a dear one is tried when they have nothing left to say. What a rule wants that the clock ended is
    not written.
    """
    wanted, step = new_round(ends, deadline), 0
    while step < 5:
        if step == 0:
            _near_rules(ends, wanted)
        elif step == 1:
            _discriminating(ends, separators, wanted)
        elif step == 2:
            uncovered_cycles(ends, wanted)
            _undirected(ends, wanted)
        elif step == 3:
            _tails(ends, wanted)
        else:
            uncovered_ways(ends, wanted)
        if over(wanted.watch, 0):
            return False
        step = 0 if settle(ends, wanted) else step + 1
    return True


@njit(cache=True)
def _fits(ends: Ends, u: int, v: int, mark: int) -> bool:
    """Does the end at v of u *-* v have this mark already, or is it open?"""
    return ends.marks[u, v] == mark or is_open(ends, u, v)


@njit(cache=True)
def _arrow(ends: Ends, wanted: Round, b: int, c: int, rule: int) -> None:
    """Ask for b -> c, if both ends fit."""
    if _fits(ends, c, b, TAIL) and _fits(ends, b, c, ARROW):
        want(ends, wanted, c, b, TAIL, rule)
        want(ends, wanted, b, c, ARROW, rule)


@njit(cache=True)
def _near_rules(ends: Ends, wanted: Round) -> None:
    """R1 to R3, which look at neighbours alone; each is of an end with a circle."""
    marks, apart = ends.marks, ends.apart
    for c in range(marks.shape[0]):
        for a in around(ends, c):
            if over(wanted.watch, around(ends, c).size):
                return
            if marks[a, c] != CIRCLE:
                continue
            second = third = False
            for b in around(ends, c):
                # R1, its letters b, c, a here: b *-> c o-* a, a and b apart: c -> a
                if marks[b, c] == ARROW and apart[b, a]:
                    _arrow(ends, wanted, c, a, RULE[1])
                # R2: a -> b *-> c or a *-> b -> c, and a *-o c: a *-> c
                leads = marks[b, c] == ARROW and marks[a, b] == ARROW
                second |= leads and (marks[b, a] == TAIL or marks[c, b] == TAIL)
                # R3: b *-> c <-* e, b *-o a o-* e, b and e apart, a *-o c: a *-> c
                if marks[b, c] == ARROW and marks[b, a] == CIRCLE and not third:
                    over(wanted.watch, around(ends, c).size)
                    for e in around(ends, c):
                        third |= marks[e, c] == ARROW and marks[e, a] == CIRCLE and apart[b, e]
            if second:
                want(ends, wanted, a, c, ARROW, RULE[2])
            if third:
                want(ends, wanted, a, c, ARROW, RULE[3])


@njit(cache=True)
def _discriminating(ends: Ends, separators: Separators, wanted: Round) -> None:
    """R4: (t, ..., a, b, c) discriminates b, and b o-* c: b -> c if b separated t and c, else a <-> b <-> c.

    t and c are apart; every node between t and b is a collider on the path and a parent of c. Of several paths the
    shortest ones speak, and where they disagree the ends stay open.
    """
    marks = ends.marks
    for c in range(marks.shape[0]):
        for b in around(ends, c):
            if marks[c, b] != CIRCLE:
                continue
            for a in around(ends, b):
                if over(wanted.watch, 1):
                    return
                if marks[b, a] != ARROW or not directed(ends, a, c):
                    continue
                for t in _path_ends(ends, wanted, a, b, c):
                    if separators.place[t, c] < 0:
                        continue
                    if _separated_by(separators, t, c, b):
                        _arrow(ends, wanted, b, c, RULE[4])
                    elif _fits(ends, c, b, ARROW) and _fits(ends, b, c, ARROW) and _fits(ends, a, b, ARROW):
                        want(ends, wanted, c, b, ARROW, RULE[4])
                        want(ends, wanted, b, c, ARROW, RULE[4])
                        want(ends, wanted, a, b, ARROW, RULE[4])


@njit(cache=True)
def _path_ends(ends: Ends, wanted: Round, a: int, b: int, c: int) -> AnyArray:
    """The far ends t of the shortest discriminating paths (t, ..., a, b, c)."""
    marks, d = ends.marks, ends.marks.shape[0]
    depth, queue = np.full(d, -1, np.int64), np.empty(d, np.int64)  # how far before a; those on the way
    last, is_last, found = np.empty(d, np.int64), np.zeros(d, np.bool_), 0
    depth[a] = depth[b] = depth[c] = 0
    queue[0], at, fresh, layer = a, 0, 1, 1
    while at < fresh and found == 0:
        until = fresh
        while at < until:
            v = queue[at]
            at += 1
            over(wanted.watch, around(ends, v).size)
            for u in around(ends, v):
                if marks[u, v] != ARROW or 0 <= depth[u] < layer:
                    continue
                if ends.apart[u, c] and not is_last[u]:
                    last[found], is_last[u] = u, True
                    found += 1
                if depth[u] < 0 and marks[v, u] == ARROW and directed(ends, u, c):
                    depth[u], queue[fresh] = layer, u
                    fresh += 1
        layer += 1
    return last[:found]


@njit(cache=True)
def _undirected(ends: Ends, wanted: Round) -> None:
    """R6: a - b o-* c: b -* c. R7: a -o b o-* c, a and c apart: b -* c. They find the tails of selection bias."""
    marks = ends.marks
    for b in range(marks.shape[0]):
        for c in around(ends, b):
            if over(wanted.watch, around(ends, b).size):
                return
            if marks[c, b] != CIRCLE:
                continue
            for a in around(ends, b):
                if marks[b, a] == TAIL and marks[a, b] == TAIL:
                    want(ends, wanted, c, b, TAIL, RULE[6])
                elif marks[b, a] == TAIL and marks[a, b] == CIRCLE and ends.apart[a, c]:
                    want(ends, wanted, c, b, TAIL, RULE[7])


@njit(cache=True)
def _tails(ends: Ends, wanted: Round) -> None:
    """R8: a -> b -> c or a -o b -> c, and a o-> c: a -> c."""
    marks = ends.marks
    for c in range(marks.shape[0]):
        for a in around(ends, c):
            if over(wanted.watch, around(ends, a).size):
                return
            if marks[a, c] == ARROW and marks[c, a] == CIRCLE:
                for b in around(ends, a):
                    if marks[b, a] == TAIL and marks[a, b] >= ARROW and directed(ends, b, c):
                        want(ends, wanted, c, a, TAIL, RULE[8])
