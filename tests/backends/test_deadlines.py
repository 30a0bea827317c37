"""``max_seconds`` on data made to hold a method up, in small; :mod:`deadlines` has the whole."""

from __future__ import annotations

import sys

import numpy as np
import pytest

if sys.platform != "linux":
    pytest.skip("forks with limits", allow_module_level=True)

import deadlines

import causalnet as cn
from causalnet.base import memory
from causalnet.discovery import dispatch
from causalnet.discovery.register import registry
from causalnet.search import skeleton
from causalnet.stats.coding import choose_states
from causalnet.stats.correlation import correlate_coded

SMALL = (  # data, size, method, settings: each would take five seconds and more
    ("hub", 0.2, "pc", {"max_cond": 8}),
    ("hub", 0.2, "pc", {"ci_test": "rcit"}),
    ("mixed hub", 0.2, "fci", {"max_cond": 8}),
    ("two factors", 1.0, "order", {}),
    ("two factors", 0.5, "notears", {"acyclicity": "expm"}),
    ("two factors", 1.0, "lingam", {}),
    ("200 series", 0.5, "pcmci", {"lags": 10}),
    ("200 series", 0.5, "granger", {"lags": 20}),
    ("repairs", 0.4, "att-bic", {}),
    ("500 types", 0.1, "thp", {}),
)


@pytest.mark.parametrize(("data", "size", "name", "settings"), SMALL)
def test_the_time_limit_is_kept(data: str, size: float, name: str, settings: dict[str, object]) -> None:
    made = deadlines.CASES[data][0](np.random.default_rng(0), size)
    deadlines.warm(name, made)
    told = deadlines.forked(lambda: deadlines.verdict(name, made, 0.2, settings))
    assert told.startswith("kept") and "cut short" in told, told


def test_every_native_method_has_a_limit() -> None:
    assert all(b.bounded for b in registry().values() if "/" not in b.name)


def test_what_cannot_fit_is_refused_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "room", lambda: 2000.0)
    monkeypatch.setattr(dispatch, "FREE", 0)
    table = cn.as_table(np.random.default_rng(0).normal(size=(20, 6)))
    with pytest.raises(cn.DataError, match=r"over 6 variables holds about .* keep at most 5 variables"):
        cn.discover(table, "order")


def test_many_variables_and_no_time_for_their_pairs_leave_what_is_known() -> None:
    table = cn.as_table(np.random.default_rng(0).normal(size=(20, 1200)))
    with pytest.warns(UserWarning, match="no pair was looked at"):
        graph = cn.discover(table, "pc", knowledge=cn.Knowledge(required=[("x0", "x1")]), max_seconds=0.01)
    assert graph.edges == (("x0", "x1"),) and not graph.meta["complete"]


def test_rows_are_read_as_far_as_the_time_goes() -> None:
    values = np.random.default_rng(0).normal(size=(40_000, 4))
    values[:, 0] = values[:, 0] > 0
    values[:, 1] += values[:, 0]
    coding = choose_states(values, np.array([True, False, False, False]))
    part, rows = correlate_coded(values, coding, 0.0)  # a moment that is over
    whole, n = correlate_coded(values, coding)
    assert rows < n == len(values)
    np.testing.assert_allclose(np.abs(whole), np.abs(np.corrcoef(values.T)), atol=1e-12)
    np.testing.assert_allclose(part, whole, atol=0.05)


def test_knowledge_is_kept_among_pairs_that_were_not_come_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skeleton, "BLOCK", 20)  # a row of pairs at a time
    table = cn.as_table(np.random.default_rng(0).normal(size=(50, 20)))
    known = cn.Knowledge(required=[("x19", "x18")], forbidden=[("x10", "x11")])
    graph = cn.discover(table, "pc", knowledge=known, ci_test=lambda x, y, z, t: 0.0, max_seconds=1e-9)
    assert not graph.meta["complete"] and graph.skeleton.sum() == 20 * 19
    assert set(graph.edges) == {("x19", "x18"), ("x11", "x10")}
