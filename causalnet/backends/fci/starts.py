"""Where the search begins: at PC's skeleton, at the best DAG, or at its class and there it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from ...base.arrays import Bools
from ...data import Counts, Moments, Table
from ...graph import Knowledge, topological_order
from ...graph.knowledge import KnownEnds
from ...graph.meek import extension
from ...search.pag import (
    Ends,
    Second,
    Separators,
    draw_colliders,
    none_yet,
    open_ends,
    possible_d_sep,
    separate_further,
    taken_apart,
)
from ...search.sets import Lists, Tests
from ...search.skeleton import Search, Skeleton, find_skeleton
from ..order import learn as search_orders


class Setting(NamedTuple):
    """What a start is given: the data, its tests, how far to go, and what is known."""

    data: Table | Moments | Counts
    tests: Tests
    alpha: float
    search: Search
    ends: KnownEnds
    knowledge: Knowledge
    rng: np.random.Generator
    missing: str


class Joined(NamedTuple):
    """adj: (d, d) symmetric bool. separators: what took the other pairs apart. skeleton, second: the tests of the two
    phases, None where there were none. order: what the order search says of itself."""

    adj: Bools
    separators: Separators
    skeleton: Skeleton | None = None
    second: Second | None = None
    order: Mapping[str, object] | None = None


def from_skeleton(setting: Setting) -> Joined:
    """PC's skeleton, then possible-d-sep."""
    return _by_tests(setting, setting.search, none_yet(len(setting.search.adj)))


def from_order(setting: Setting) -> Joined:
    """The pairs of the best DAG, less those that tests separate, then possible-d-sep."""
    dag, told = _best_dag(setting, 0.5)
    joined = dag | dag.T | setting.search.fixed
    found = _by_tests(setting, setting.search._replace(adj=joined & setting.search.adj), _separators(dag))
    return found._replace(order=told)


def from_dag(setting: Setting) -> Joined:
    """The pairs of the best DAG."""
    dag, told = _best_dag(setting, 1.0)
    return Joined((dag | dag.T) & setting.search.adj, _separators(dag), order=told)


STARTS: Mapping[str, Callable[[Setting], Joined]] = {"skeleton": from_skeleton, "order": from_order, "dag": from_dag}


def _by_tests(setting: Setting, search: Search, before: Separators) -> Joined:
    """Both phases over the pairs of ``search``. before: what separates pairs that are apart from the start."""
    skeleton = find_skeleton(setting.tests, setting.alpha, search)
    first = taken_apart(before, search.adj, skeleton.adj, skeleton.weakest)
    reach = skeleton.adj  # where the time is over nothing more is asked
    if skeleton.complete:
        reach = possible_d_sep(draw(skeleton.adj, setting, first), search.deadline)
    second = separate_further(setting.tests, setting.alpha, search, skeleton, reach)
    return Joined(second.adj, taken_apart(first, skeleton.adj, second.adj, second.weakest), skeleton, second)


def draw(adj: Bools, setting: Setting, separators: Separators) -> Ends:
    """Ends of these pairs with what is known and the colliders drawn in; apart is what has been separated."""
    ends = open_ends(adj, (separators.place >= 0) & ~adj, setting.ends)
    draw_colliders(ends, separators, setting.search.deadline)
    return ends


def _best_dag(setting: Setting, share: float) -> tuple[Bools, Mapping[str, object]]:
    """(d, d) bool: a DAG of the class that the order search finds in this share of the time; and what is said of it."""
    left = setting.search.deadline - time.monotonic()
    limit = None if left == np.inf else max(1e-3, share * left)
    known, missing = setting.knowledge, setting.missing
    how = {"rng": setting.rng, "missing": missing, "max_seconds": limit}
    found = search_orders(setting.data, knowledge=known, **how)  # type: ignore[arg-type]
    dag = extension(found.adj)
    assert dag is not None
    return dag, found.meta


def _separators(dag: Bools) -> Separators:
    """Of every pair that is not joined the parents of the later one, which d-separate the two."""
    order = np.array(topological_order(dag))
    place = np.empty(len(dag), np.int64)
    place[order] = np.arange(len(dag))
    later = np.where(place[:, None] < place, np.arange(len(dag)), np.arange(len(dag))[:, None])
    later[dag | dag.T | np.eye(len(dag), dtype=bool)] = -1
    child, parent = np.ascontiguousarray(np.nonzero(dag.T))
    return Separators(later.astype(np.int32), Lists(np.searchsorted(child, np.arange(len(dag) + 1)), parent))
