"""Zhang's rules R0 to R10: the end marks that all ancestral graphs of a Markov equivalence class share.

Zhang, "On the completeness of orientation rules for causal discovery in the presence of latent confounders and selection
bias", Artificial Intelligence 172, 2008; his letters are kept (a, b, c, t for alpha, beta, gamma, theta). R0 to R4 and R8
to R10 are complete without selection, R5 to R7 add what selection bias leaves.

The rules work in rounds: what the marks at the start of a round imply is collected first and then written together (see
:meth:`causalnet.search.pag.ends.Ends.settle`), so on contradictory input nothing depends on the order of the columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations

from ...base.clock import now
from ...graph.marks import ARROW, CIRCLE, TAIL
from ...graph.separation import bits
from .ends import End, Ends

Wanted = Iterator[tuple[End, int, int]]
SepSets = Mapping[tuple[int, int], int]  # of pairs i < j that were separated: the set that did it


def colliders(ends: Ends, separators: SepSets) -> list[tuple[int, int, int]]:
    """The unshielded a *-* b *-* c of which b did not separate a and c."""
    near, apart = ends.near, ends.apart
    found = []
    for (a, c), given in separators.items():
        middle = near[a] & near[c] & ~given
        if middle and apart[a] >> c & 1:
            found += [(a, b, c) for b in bits(middle)]
    return found


def draw_colliders(ends: Ends, triples: Iterable[tuple[int, int, int]]) -> None:
    """R0: a *-> b <-* c, where both ends at b are open or arrows."""
    into = [0] * ends.d
    for a, b, c in triples:
        both = 1 << a | 1 << c
        if not both & ~(ends.open_at(b) | ends.own[ARROW][b]):
            into[b] |= both
    ends.settle([((e, b), ARROW, 0) for b, members in enumerate(into) for e in bits(members & ends.open_at(b))])


def close(ends: Ends, separators: SepSets, deadline: float = math.inf) -> bool:
    """Apply R1 to R10 until none applies, in place; False where the clock (time.monotonic) ended it first.

    The cheap rules come first, and without looking at the clock, but where it had ended the search for what is joined: a dear one
    is tried when they have nothing left to say.
    """
    if now() > deadline:
        return False
    ladder: tuple[Callable[[], Wanted], ...] = (
        lambda: _near_rules(ends),
        lambda: _discriminating(ends, separators),
        lambda: _undirected(ends),
        lambda: _tails(ends),
        lambda: _uncovered(ends),
    )
    step = 0
    while step < len(ladder):
        if step > 1 and now() > deadline:
            return False
        step = 0 if ends.settle(list(ladder[step]())) else step + 1
    return True


def _fit(ends: Ends, *wanted: tuple[End, int]) -> bool:
    """Does every end have this mark already, or is it open?"""
    return all(ends.own[mark][v] >> u & 1 or ends.is_open((u, v)) for (u, v), mark in wanted)


def _write(ends: Ends, rule: int, *wanted: tuple[End, int]) -> Wanted:
    """These marks, if all of them fit."""
    if _fit(ends, *wanted):
        for end, mark in wanted:
            yield end, mark, rule


def _near_rules(ends: Ends) -> Wanted:
    """R1 to R3, which look at neighbours alone."""
    arrow, circle, ahead, behind = ends.own[ARROW], ends.own[CIRCLE], ends.far[ARROW], ends.far[TAIL]
    for b in range(ends.d):
        for c in bits(circle[b]):  # R1: a *-> b o-* c, a and c apart: b -> c
            if arrow[b] & ends.apart[c]:
                yield from _write(ends, 1, ((c, b), TAIL), ((b, c), ARROW))
    for c in range(ends.d):
        for a in bits(circle[c]):
            # R2: a -> b *-> c or a *-> b -> c, and a *-o c: a *-> c
            if ahead[a] & arrow[c] & (ends.own[TAIL][a] | behind[c]):
                yield (a, c), ARROW, 2
            # R3: d *-> c <-* e, d *-o a o-* e, d and e apart, a *-o c: a *-> c
            both = arrow[c] & circle[a]
            if any(both & ends.apart[d] for d in bits(both)):
                yield (a, c), ARROW, 3


def _discriminating(ends: Ends, separators: SepSets) -> Wanted:
    """R4: (t, ..., a, b, c) discriminates b, and b o-* c: b -> c if b separated t and c, else a <-> b <-> c.

    t and c are apart; every node between t and b is a collider on the path and a parent of c. Of several paths the
    shortest ones speak, and where they disagree the ends stay open.
    """
    for c in range(ends.d):
        parents = ends.parents(c)
        for b in bits(ends.far[CIRCLE][c] if parents else 0):
            for a in bits(ends.far[ARROW][b] & parents):
                for t in _path_ends(ends, a, b, c, parents):
                    given = separators.get((min(t, c), max(t, c)))
                    if given is None:
                        continue
                    if given >> b & 1:
                        yield from _write(ends, 4, ((c, b), TAIL), ((b, c), ARROW))
                    else:
                        yield from _write(ends, 4, ((c, b), ARROW), ((b, c), ARROW), ((a, b), ARROW))


def _path_ends(ends: Ends, a: int, b: int, c: int, parents: int) -> Iterator[int]:
    """The far ends t of the shortest discriminating paths (t, ..., a, b, c)."""
    arrow = ends.own[ARROW]
    seen, fresh = 1 << a | 1 << b | 1 << c, 1 << a
    while fresh:
        last, ahead = 0, 0
        for v in bits(fresh):
            into = arrow[v] & ~seen
            last |= into & ends.apart[c]
            ahead |= into & parents & ends.far[ARROW][v]
        if last:
            yield from bits(last)
            return
        seen |= ahead
        fresh = ahead


def _undirected(ends: Ends) -> Wanted:
    """R5 to R7, which find the tails of selection bias."""
    tail, circle = ends.own[TAIL], ends.own[CIRCLE]
    loose = [circle[v] & ends.far[CIRCLE][v] for v in range(ends.d)]
    for a in range(ends.d):
        for b in bits(loose[a] & -(1 << a)):
            # R5: a o-o b on an uncovered cycle (a, c, ..., last, b) of circles: a - b, and all edges of it likewise
            around = (end for c in bits(loose[a] & ends.apart[b]) for end in _walk(ends, a, c, loose))
            if any(v == b and ends.apart[a] >> last & 1 for last, v in around):
                yield from _write(ends, 5, ((a, b), TAIL), ((b, a), TAIL))
    for b in range(ends.d):
        if tail[b] & ends.far[TAIL][b]:  # R6: a - b o-* c: b -* c
            yield from (((c, b), TAIL, 6) for c in bits(circle[b]))
        line = circle[b] & ends.far[TAIL][b]  # R7: a -o b o-* c, a and c apart: b -* c
        yield from (((c, b), TAIL, 7) for c in bits(circle[b]) if line & ends.apart[c])


def _tails(ends: Ends) -> Wanted:
    """R8: a -> b -> c or a -o b -> c, and a o-> c: a -> c."""
    for c in range(ends.d):
        parents = ends.parents(c)
        for a in bits(ends.own[ARROW][c] & ends.far[CIRCLE][c]):
            if ends.own[TAIL][a] & (ends.far[ARROW][a] | ends.far[CIRCLE][a]) & parents:
                yield (c, a), TAIL, 8


def _uncovered(ends: Ends) -> Wanted:
    """R9 and R10: a o-> c, and uncovered possibly directed paths from a that c would have to be a cause of."""
    ahead = [ends.near[v] & ~ends.own[ARROW][v] & ~ends.far[TAIL][v] for v in range(ends.d)]
    for a in range(ends.d):
        targets = ends.far[ARROW][a] & ends.own[CIRCLE][a]
        if not targets:
            continue
        reach = {first: _reached(ends, a, first, ahead) for first in bits(ahead[a])}
        for c in bits(targets):
            if any(reach[b] >> c & 1 for b in bits(ahead[a] & ends.apart[c])):  # R9: (a, b, ..., c), b and c apart
                yield (c, a), TAIL, 9
            elif _two_ways(ends, c, reach):
                yield (c, a), TAIL, 10


def _two_ways(ends: Ends, c: int, reach: Mapping[int, int]) -> bool:
    """R10: b -> c <- t, paths from a to b by m and to t by w, m and w apart."""
    parents = ends.parents(c)
    useful = {first: found & parents for first, found in reach.items() if found & parents and first != c}
    return any(ends.apart[m] >> w & 1 and (useful[m] | useful[w]).bit_count() > 1 for m, w in combinations(useful, 2))


def _reached(ends: Ends, a: int, first: int, ahead: list[int]) -> int:
    """All nodes that an uncovered path (a, first, ...) along ``ahead`` leads to."""
    found = 1 << first
    for _, v in _walk(ends, a, first, ahead):
        found |= 1 << v
    return found


def _walk(ends: Ends, a: int, first: int, ahead: list[int]) -> Iterator[End]:
    """The edges (u, v) after the first that uncovered paths (a, first, ...) along ``ahead`` take, shortest paths first.

    Of the paths that end in one edge the shortest goes on, which misses none where the marks are those of a class: there
    an uncovered path has no chord.
    """
    seen, fresh = {(a, first)}, [(a, first, 1 << a | 1 << first)]
    while fresh:
        later = []
        for u, v, path in fresh:
            for w in bits(ahead[v] & ends.apart[u] & ~path):
                if (v, w) not in seen:
                    seen.add((v, w))
                    later.append((v, w, path | 1 << w))
                    yield v, w
        fresh = later
