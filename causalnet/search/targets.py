"""Which variables each regime acts on, where that is not known: chosen with the graph, by one score.

A variable v that nobody acts on has one mechanism in all regimes: the same coefficients, intercept and variance. With A_v
the regimes in which v is left alone,

    f_v = n_A ln s2_A(v | P) + sum_{k not in A_v} min(n_k ln s2_k(v), n_k ln s2_k(v | P) + price |P|) + 2 price |not A_v|

a regime outside A_v has a mean and a variance of its own, two more numbers, and either no causes (a hard intervention) or
coefficients of its own (a soft one). The parents P come from a search in which each regime but the largest is a root that may shift
any variable (Mooij, Magliacane and Claassen, JMLR 21, 2020), then from searches with the targets found, in turns.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..base.arrays import Array, Bools, Ints
from ..stats.regimes import SINGULAR, Moments, correlate_some
from ..stats.scores import gaussian_score
from .orders import canonical_order, search_orders

TURNS = 10


def find_targets(
    moments: Moments,
    acted: Bools,
    unknown: Bools,
    price: float,
    first: Bools,
    learn: Callable[[Bools], Bools],
) -> tuple[Bools, int]:
    """(r, d) bool, the targets of each regime, and the turns made.

    acted: (r, d) the targets that are known; unknown: (r,) the regimes whose are not. price: of one parameter. first:
    (d, d) a DAG to begin with. learn: the DAG for given targets.
    """
    dag, targets, seen = first, acted, set[bytes]()
    for turn in range(TURNS):
        seen.add(targets.tobytes())
        targets = np.column_stack(
            [
                choose_regimes(moments, v, np.flatnonzero(dag[:, v]), acted[:, v], unknown, price)
                for v in range(len(dag))
            ]
        )
        if targets.tobytes() in seen:
            return targets, turn + 1
        dag = learn(targets)
    return targets, TURNS


def choose_regimes(moments: Moments, v: int, parents: Ints, acted: Bools, unknown: Bools, price: float) -> Bools:
    """(r,) bool: the regimes that act on v, by greedy steps, in or out, while the score falls; at least one leaves v alone."""
    scale = moments.scatter[:, v, v].sum() / moments.n.sum()
    own = np.array([_apart(moments, k, v, parents, scale, price) for k in range(len(moments.n))])
    target = acted.copy()

    def score(alone: Bools) -> float:
        return _shared(moments, alone, v, parents, scale) + float(own[~alone].sum())

    least = score(~target)
    while True:
        best, which = least - 1e-7, -1
        for k in np.flatnonzero(unknown):
            target[k] ^= True
            if not target.all():
                value = score(~target)
                if value < best:
                    best, which = value, int(k)
            target[k] ^= True
        if which < 0:
            return target
        target[which] ^= True
        least = best


def _shared(moments: Moments, alone: Bools, v: int, parents: Ints, scale: float) -> float:
    """n_A ln s2_A(v | P), one intercept for all regimes of A."""
    at = np.append(parents, v)
    n, mean = moments.n[alone], moments.mean[alone][:, at]
    shift = mean - n @ mean / n.sum()
    products = moments.scatter[alone][:, at[:, None], at].sum(axis=0) + (shift * n[:, None]).T @ shift
    return float(n.sum()) * math.log(max(_rest(products) / n.sum() / scale, SINGULAR))


def _apart(moments: Moments, k: int, v: int, parents: Ints, scale: float, price: float) -> float:
    """What regime k costs as one that acts on v: cut from its causes, or with coefficients of its own."""
    n, at = float(moments.n[k]), np.append(parents, v)
    cut = n * math.log(max(moments.scatter[k, v, v] / n / scale, SINGULAR))
    if not len(parents) or n <= len(parents) + 2:
        return cut + 2.0 * price
    kept = n * math.log(max(_rest(moments.scatter[k][np.ix_(at, at)]) / n / scale, SINGULAR)) + price * len(parents)
    return min(cut, kept) + 2.0 * price


def _rest(products: Array) -> float:
    """The residual sum of squares of the last variable given the others; products: (k + 1, k + 1)."""
    k = len(products) - 1
    if not k:
        return float(products[0, 0])
    slope = np.linalg.lstsq(products[:k, :k], products[:k, k], rcond=SINGULAR)[0]
    return float(products[k, k] - products[k, :k] @ slope)


def shifted_graph(
    moments: Moments,
    acted: Bools,
    unknown: Bools,
    allowed: Bools,
    required: Bools,
    penalty: float,
    seed: int,
    seconds: float,
) -> Bools:
    """(d, d) bool: the DAG of a search in which regimes are roots that may shift what they act on, or anything if that is not known."""
    n, total = moments.n, float(moments.n.sum())
    base = int(np.argmax(n))
    others = np.flatnonzero(np.arange(len(n)) != base)
    r, d = len(others), moments.mean.shape[1]
    shift = moments.mean - n @ moments.mean / total
    products = np.empty((d + r, d + r))
    products[:d, :d] = moments.scatter.sum(axis=0) + (shift * n[:, None]).T @ shift
    products[d:, :d] = n[others, None] * shift[others]  # of the indicator of a regime with a variable
    products[:d, d:] = products[d:, :d].T
    products[d:, d:] = np.diag(n[others]) - np.outer(n[others], n[others]) / total
    corr = correlate_some(products)
    may, must = np.zeros((d + r, d + r), bool), np.zeros((d + r, d + r), bool)
    may[:d, :d], must[:d, :d] = allowed, required
    may[d:, :d] = acted[others] | unknown[others, None]
    place = canonical_order(corr)
    grid = np.ix_(place, place)
    score, slots = gaussian_score(
        np.ascontiguousarray(corr[grid]), round(total), penalty, max(1, min(d + r - 1, int(total) // 3))
    )
    near = np.ascontiguousarray(corr[grid])
    found = search_orders(score, slots, near, may[grid], must[grid], restarts=5, seed=seed, max_seconds=seconds)
    dag = np.zeros((d + r, d + r), bool)
    dag[grid] = found.dag
    return dag[:d, :d]
