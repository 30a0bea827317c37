"""Which test a table gets, and how many sets of one size it may cost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...base.arrays import Array, Bools
from ...base.checks import function, one_of, share, whole
from ...data import Counts, Moments, Table
from ...errors import DataError, NotApplicable, UnknownNameError, nearest
from ...search.contingency import Contingency
from ...search.one_by_one import AnyFunction, LikelihoodRatio
from ...search.partial_correlation import PartialCorrelation
from ...search.sets import Tests
from ...stats.correlation import correlate_until
from ...stats.degenerate_gaussian import as_blocks
from ...stats.rcit import Rcit

Test = Callable[[int, int, tuple[int, ...], Table], float]
TESTS = ("auto", "fisher-z", "chi2", "g2", "mixed", "rcit")
KIND = {"fisher-z": "continuous", "chi2": "discrete", "g2": "discrete"}  # the others take every kind
AUTO = {"continuous": "fisher-z", "discrete": "chi2", "mixed": "mixed"}
MOST_SETS = {"fisher-z": 1024, "chi2": 1024, "g2": 1024, "mixed": 1024, "rcit": 256}
MISSING = ("auto", "category", "refuse")


class Chosen(NamedTuple):
    """name: of the test. tests: what makes them. bare: are its statistics p-values? counted: do its tests differ in the
    rows they use? max_sets: sets of one size around one variable, None for no limit. cells: how many are missing; how:
    what became of them."""

    name: str
    tests: Tests
    bare: bool = False
    counted: bool = False
    max_sets: int | None = None
    cells: int = 0
    how: str = ""


def check_limits(alpha: float, max_cond: int | None, max_sets: int | None, max_seconds: float | None) -> float:
    """When to stop, by time.monotonic; DataError where a level or a largest number is none."""
    share("alpha", alpha)
    for name, value, least in (("max_cond", max_cond, 0), ("max_sets", max_sets, 1)):
        if value is not None:
            whole(name, value, least)
    return math.inf if max_seconds is None else time.monotonic() + max_seconds


def choose_test(
    table: Table | Moments | Counts,
    ci_test: str | Test,
    missing: str,
    rng: np.random.Generator,
    deadline: float = math.inf,
) -> Chosen:
    """The test of this name on this table; NotApplicable where it does not suit it. deadline: after which no test will be made."""
    if not isinstance(table, Table):
        return _streamed(table, ci_test)
    cells = int(table.missing.sum()) if table.incomplete else 0
    if callable(ci_test):
        name = str(getattr(ci_test, "__name__", type(ci_test).__name__))
        return Chosen(
            name, AnyFunction(_checked(ci_test, table), table.d), bare=True, cells=cells, how="left to the test"
        )
    name, how = _name(table, ci_test), one_of("missing", missing, MISSING)
    values, lacking = _present(table, how) if cells else (table.values, None)
    counted = lacking is not None
    told = "each test on the rows that lack none of its variables" if counted else "a category of its own"
    tests = _make(name, table, values, lacking, rng, deadline)
    return Chosen(name, tests, name == "rcit", counted, MOST_SETS[name], cells, told)


def _streamed(table: Moments | Counts, ci_test: str | Test) -> Chosen:
    """The test of a table of which means and covariances are known, or the counts."""
    if callable(ci_test) or ci_test in ("mixed", "rcit"):
        raise NotApplicable(
            "this test reads the rows, and a streamed table has none; use ci_test='auto', or read the table whole"
        )
    name = _name(table, ci_test)
    if isinstance(table, Counts):
        return Chosen(name, Contingency(table.codes, name == "g2"), max_sets=MOST_SETS[name])
    if table.n < 4:
        raise DataError(f"Fisher's z needs at least 4 rows, got {table.n}")
    return Chosen(name, PartialCorrelation(table.correlation, table.n), max_sets=MOST_SETS[name])


def _make(
    name: str, table: Table, values: Array, lacking: Bools | None, rng: np.random.Generator, deadline: float
) -> Tests:
    n, d = values.shape
    if name in ("chi2", "g2"):
        return Contingency(np.where(np.isnan(values), -1.0, values).astype(np.int32), name == "g2")
    if name == "fisher-z" and n < 4:
        raise DataError(f"Fisher's z needs at least 4 rows, got {n}")
    if name == "fisher-z" and lacking is None:
        return PartialCorrelation(correlate_until(table.values, table.columns, deadline), n)
    blocks = as_blocks(values, table.discrete, lacking, fisher=name == "fisher-z")
    if name != "rcit":
        return LikelihoodRatio(blocks)
    seen = None if lacking is None else ~lacking
    return AnyFunction(Rcit(blocks.values, blocks.first.tolist(), seen, int(rng.integers(2**63))), d)


def _present(table: Table, how: str) -> tuple[Array, Bools | None]:
    """Values, with "category" a missing category one of its own, and the cells still missing, (n, d), if any."""
    absent = table.missing
    if how == "refuse":
        names = ", ".join(repr(table.columns[k]) for k in np.flatnonzero(absent.any(axis=0)))
        raise DataError(
            f"cells are missing in {names} and missing='refuse'; missing='auto' tests on the rows there are"
        )
    if how == "auto":
        return table.values, absent
    values = np.where(absent & table.discrete, np.nanmax(table.values, axis=0) + 1.0, table.values)
    rest = absent & ~table.discrete
    return values, rest if rest.any() else None


def _name(table: Table | Moments | Counts, ci_test: str) -> str:
    if ci_test not in TESTS:
        hint = nearest(str(ci_test), TESTS) or f" It is one of {', '.join(TESTS)}, or a function."
        raise UnknownNameError(f"there is no ci_test {ci_test!r}.{hint}")
    kind = table.kind
    wanted = KIND.get(ci_test, kind)
    if wanted != kind:
        remedy = "as_table(..., discrete=False)" if wanted == "continuous" else "bins, or as_table(..., discrete=True)"
        both = "'mixed' takes both; or use" if kind == "mixed" else "use"
        raise NotApplicable(f"ci_test={ci_test!r} is for {wanted} tables and this one is {kind}; {both} {remedy}")
    return AUTO[kind] if ci_test == "auto" else ci_test


def _checked(ci_test: Test, table: Table) -> Callable[[int, int, tuple[int, ...]], float]:
    function("ci_test", ci_test, "x, y, z, table", "a p-value, of numbers of columns and the table", needed=True)

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
