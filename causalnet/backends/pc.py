"""PC: join x and y iff no set of their neighbours separates them, then orient what that implies (Spirtes et al. 2000).

The stable variant (Colombo and Maathuis 2014): the skeleton does not depend on the column order. Assumes that there
are no hidden common causes and that the only independences are those of the graph (faithfulness); Fisher's z also
that the variables are jointly Gaussian. Cost: a compiled test takes nanoseconds (Gaussian) or about a microsecond
(discrete); their number grows with the power of the largest neighbourhood.

References: Spirtes, Glymour and Scheines, Causation, Prediction, and Search, 2nd ed., 2000; Colombo and Maathuis,
JMLR 15, 2014; Meek, UAI 1995.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.arrays import Bools, Ints
from ..base.checks import share, whole
from ..data import Counts, Moments, Table, as_table
from ..errors import DataError, NotApplicable, UnknownNameError, nearest
from ..graph import Graph, Knowledge, PairEvidence
from ..search.contingency import discrete_skeleton
from ..search.orientation import COLLIDER, KNOWN, Orientation, orient
from ..search.skeleton import Search, Skeleton, callable_skeleton, gaussian_skeleton
from ..stats.independence import chi2_p, normal_p

TAKES = frozenset({"continuous", "discrete", "mixed"})
GIVES = "cpdag"
HANDLES = frozenset({"streamed"})
KNOWLEDGE = frozenset({"forbidden", "required"})
ASSUMES = ("sufficiency", "faithfulness", "acyclicity", "linearity (fisher-z)", "Gaussian noise (fisher-z)")
REQUIRES = ()
CAVEAT = "mixed tables need a ci_test function"

Test = Callable[[int, int, tuple[int, ...], Table], float]
TESTS = ("auto", "fisher-z", "chi2", "g2")
RULES = {
    1: "Meek rule 1: otherwise a new collider",
    2: "Meek rule 2: otherwise a cycle",
    3: "Meek rule 3: otherwise a new collider or a cycle",
    4: "Meek rule 4: otherwise a new collider or a cycle",
    KNOWN: "knowledge",
}


def learn(
    table: Table | Moments | Counts,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.01,
    ci_test: str | Test = "auto",
    max_cond: int | None = None,
    max_seconds: float | None = None,
) -> Graph:
    """The CPDAG by stable PC.

    alpha: a pair is separated iff some p-value exceeds it. ci_test: "auto" is "fisher-z" on continuous and "chi2" on
    discrete tables; "g2" is the likelihood ratio; or a function (x, y, z, table) -> p-value of column x against
    column y given the tuple of columns z. max_cond: largest conditioning set, None for no limit. max_seconds: stop
    testing then; the pairs not yet separated stay joined and meta["complete"] is False. rng is not used.

    ``graph.explain(a, b)`` tells of every pair the test with the largest p-value (for a pair that is not joined, the
    one that separated it), its conditioning set and what oriented the edge. How contradictions are settled:
    :mod:`causalnet.search.orientation`.
    """
    deadline = math.inf if max_seconds is None else time.monotonic() + max_seconds
    share("alpha", alpha)
    if max_cond is not None:
        whole("max_cond", max_cond, 0)
    name = _test_name(table, ci_test)
    allowed, required = _compiled(knowledge, table.columns)
    # pairs forbidden both ways are never tested
    search = Search(allowed | allowed.T, required | required.T, max_cond, deadline)
    skeleton = _skeleton(table, ci_test, name, alpha, search)
    oriented = orient(skeleton, allowed, required)
    meta: dict[str, Any] = {
        "ci_test": name,
        "alpha": alpha,
        "tests": skeleton.tests,
        "largest_set": skeleton.depth,
        "conflicts": oriented.conflicts,
        "complete": skeleton.complete,
    }
    if len(oriented.dropped):
        meta["warnings"] = [_no_room(table.columns, oriented.dropped)]
        warnings.warn(meta["warnings"][0], UserWarning, stacklevel=2)
    own = callable(ci_test)
    every = np.triu(np.ones_like(allowed), 1)
    evidence = PairEvidence(table.columns, every, _Why(table.columns, name, own, skeleton, oriented, allowed, required))
    return Graph(table.columns, oriented.adj, evidence=evidence, meta=meta)


def warm_up() -> None:
    """Compile (or load) the kernels on a small table of each kind."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((50, 4)) @ np.array([[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]])
    for discrete in (False, True):
        table = as_table((values > 0).astype(float) if discrete else values, discrete=discrete)
        learn(table, rng=rng, knowledge=Knowledge(required=(("x0", "x1"),)), max_seconds=60.0)


def _compiled(knowledge: Knowledge | None, columns: tuple[str, ...]) -> tuple[Bools, Bools]:
    """Knowledge.compile, without its checks when there is nothing to check."""
    if knowledge:
        return knowledge.compile(columns)
    return ~np.eye(len(columns), dtype=bool), np.zeros((len(columns), len(columns)), dtype=bool)


def _test_name(table: Table | Moments | Counts, ci_test: str | Test) -> str:
    """Which test to run; NotApplicable when the table does not suit it."""
    if callable(ci_test):
        return str(getattr(ci_test, "__name__", type(ci_test).__name__))
    if ci_test not in TESTS:
        hint = nearest(str(ci_test), TESTS) or f" It is one of {', '.join(TESTS)}, or a function."
        raise UnknownNameError(f"pc has no ci_test {ci_test!r}.{hint}")
    kind = table.kind
    if kind == "mixed":
        numeric = table.columns[int(np.flatnonzero(~table.discrete)[0])]
        coded = table.columns[int(np.flatnonzero(table.discrete)[0])]
        raise NotApplicable(
            f"pc has no built-in test for mixed tables ({numeric!r} is continuous, {coded!r} is discrete); bin the "
            "continuous columns, read all as numbers with as_table(..., discrete=False), or pass "
            "ci_test=a function (x, y, z, table) -> p-value"
        )
    wanted = {"fisher-z": "continuous", "chi2": "discrete", "g2": "discrete"}.get(ci_test, kind)
    if wanted != kind:
        remedy = "as_table(..., discrete=False)" if wanted == "continuous" else "bins, or as_table(..., discrete=True)"
        raise NotApplicable(f"ci_test={ci_test!r} is for {wanted} tables and this one is {kind}; use {remedy}")
    if ci_test == "auto":
        return "fisher-z" if kind == "continuous" else "chi2"
    return ci_test


def _skeleton(
    table: Table | Moments | Counts, ci_test: str | Test, name: str, alpha: float, search: Search
) -> Skeleton:
    if callable(ci_test):
        return callable_skeleton(_checked(ci_test, table), alpha, search)
    if isinstance(table, Moments) or (isinstance(table, Table) and name == "fisher-z"):
        if table.n < 4:
            raise DataError(f"Fisher's z needs at least 4 rows, got {table.n}")
        return gaussian_skeleton(table.correlation, table.n, alpha, search)
    return discrete_skeleton(table.codes, alpha, name == "g2", search)


def _checked(ci_test: Test, table: Any) -> Callable[[int, int, tuple[int, ...]], float]:
    def p_value(x: int, y: int, z: tuple[int, ...]) -> float:
        p = ci_test(x, y, z, table)
        try:
            value = math.nan if isinstance(p, str) else float(p)
        except (TypeError, ValueError):
            value = math.nan
        if not 0.0 <= value <= 1.0:
            given = ", ".join(repr(table.columns[k]) for k in z) or "nothing"
            raise DataError(
                f"ci_test returned {p!r} for {table.columns[x]!r} and {table.columns[y]!r} given {given}; "
                "it must return a p-value between 0 and 1"
            )
        return value

    return p_value


def _no_room(columns: tuple[str, ...], dropped: Ints) -> str:
    pairs = ", ".join(f"{columns[a]} -> {columns[b]}" for a, b in dropped)
    return (
        f"the data join these pairs, but the knowledge leaves them only a direction that closes a cycle, so they are "
        f"left out: {pairs}; relax the forbidden edges around them"
    )


@dataclass(frozen=True)
class _Why:
    """Builds the evidence of one pair from the arrays of the search."""

    columns: tuple[str, ...]
    test: str
    own_test: bool  # a function of the user: only its p-value is known
    skeleton: Skeleton
    oriented: Orientation
    allowed: Bools
    required: Bools

    def __call__(self, i: int, j: int) -> dict[str, Any]:
        joined = bool(self.oriented.adj[i, j] or self.oriented.adj[j, i])
        item: dict[str, Any] = {"joined": joined}
        if self.skeleton.size[i, j] >= 0:
            item |= {"test": self.test, "p_value": self._p_value(i, j), "given": self._given(i, j)}
            if not self.own_test:
                item["statistic"] = float(self.skeleton.statistic[i, j])
            if self.skeleton.df[i, j]:
                item["df"] = int(self.skeleton.df[i, j])
        elif self.required[i, j] or self.required[j, i]:
            item["note"] = "required by the knowledge: not tested"
        elif not (self.allowed[i, j] or self.allowed[j, i]):
            item["note"] = "forbidden both ways by the knowledge: not tested"
        else:
            item["note"] = "not tested"
        if joined:
            item["rule"] = self._rule(i, j)
        elif self.skeleton.adj[i, j]:
            item["rule"] = "left out: the only direction that the knowledge allows closes a cycle"
        return item

    def _given(self, i: int, j: int) -> list[str]:
        return [self.columns[k] for k in self.skeleton.separator(i, j)]

    def _p_value(self, i: int, j: int) -> float:
        statistic = float(self.skeleton.statistic[i, j])
        if self.own_test:
            return statistic
        return normal_p(statistic) if self.test == "fisher-z" else chi2_p(statistic, int(self.skeleton.df[i, j]))

    def _rule(self, i: int, j: int) -> str:
        for a, b in ((i, j), (j, i)):
            code = int(self.oriented.rule[a, b])
            if code == COLLIDER:
                other = self.columns[self.oriented.partner[a, b]]
                return f"collider {self.columns[a]} -> {self.columns[b]} <- {other}"
            if code:
                return RULES[code]
        return "not oriented: both directions fit"
