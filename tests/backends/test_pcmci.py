"""pcmci: the links of a known autoregression, and those of tigramite at the same levels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import causalnet as cn
from causalnet.datasets.autoregression import lagged_series
from causalnet.discovery.register import find
from causalnet.errors import CausalnetError
from causalnet.search.lagged import skeleton
from causalnet.search.lagged.conditions import find_conditions
from causalnet.stats.lagged import LaggedCorrelation, lagged_correlation


@pytest.mark.parametrize("contemporaneous", [True, False])
def test_links_of_a_known_autoregression(contemporaneous: bool) -> None:
    scores = []
    for seed in range(4):
        series, truth = lagged_series(np.random.default_rng(seed), d=5, n=600)
        scores.append(cn.score_lags(truth, cn.discover(series, "pcmci", contemporaneous=contemporaneous))["lagged_f1"])
    assert np.mean(scores) > 0.93


@pytest.mark.parametrize(
    ("peer", "params"), [("tigramite/pcmci-plus", {"fdr": False}), ("tigramite/pcmci", {"contemporaneous": False})]
)
def test_links_are_those_of_tigramite(peer: str, params: dict[str, bool]) -> None:
    """Lags, directions and conflicts of now included."""
    if not find(peer).installed:
        pytest.skip(f"nothing to compare with: {find(peer).needs}")
    for seed in range(6):
        rng = np.random.default_rng(seed)
        values = lagged_series(rng, d=4, n=200)[0].values.copy()
        values[:, 1] += 0.6 * values[:, 0]  # a link of now
        table = cn.as_table(values, names=list("abcd"))
        own, theirs = cn.discover(table, "pcmci", lags=3, **params), cn.discover(table, peer, lags=3)
        assert own == theirs, seed


def test_nonlinear_links_need_the_other_test() -> None:
    x, noise = np.random.default_rng(0).normal(size=(2, 500))
    y = np.append(0.0, x[:-1] ** 2 - 1.0) + 0.5 * noise
    table = cn.as_table(np.column_stack([x, y]), names=["x", "y"])
    assert not cn.discover(table, "pcmci", lags=1).edges
    assert cn.discover(table, "pcmci", lags=1, ci_test="rcit").edges == (("x", "y"),)


def test_nonlinear_links_are_found_in_300_rows() -> None:
    """Causes enter as (1 - 4 exp(-x^2 / 2)) x, which is hardly correlated with x."""
    found: dict[str, list[float]] = {"partial-correlation": [], "rcit": []}
    for seed in range(2):
        series, truth = lagged_series(np.random.default_rng(seed), d=6, n=300, nonlinear=True)
        for test, f1 in found.items():
            f1.append(cn.score_lags(truth, cn.discover(series, "pcmci", ci_test=test))["summary_f1"])
    assert np.mean(found["rcit"]) > 0.7 > 0.3 > np.mean(found["partial-correlation"])


def test_shrinking_makes_any_draw_stable() -> None:
    series, truth = lagged_series(np.random.default_rng(1), d=4, n=500, low=0.9, high=1.2, causes=3.0)
    assert np.isfinite(series.values).all() and np.abs(series.values).max() < 1e3
    assert truth.strength is not None and np.abs(truth.strength).max() < 1.2
    with pytest.raises(CausalnetError, match="d is 1"):
        lagged_series(np.random.default_rng(0), d=1)


def test_windows_too_few_for_any_test_are_refused() -> None:
    values = np.random.default_rng(0).standard_normal((6, 2))
    assert not cn.discover(cn.Series(values), "pcmci").adj.any()  # four windows of three rows
    with pytest.raises(CausalnetError, match="3 windows of 3 rows are too few to test anything"):
        cn.discover(cn.Series(values[:5]), "pcmci")


def test_lags_go_into_no_single_matrix(tmp_path: Path) -> None:
    graph = cn.discover(lagged_series(np.random.default_rng(0), d=4, n=200)[0], "pcmci")
    graph.save(tmp_path / "g.json")
    assert cn.Graph.load(tmp_path / "g.json") == graph
    with pytest.raises(CausalnetError, match="no lags"):
        graph.save(tmp_path / "g.csv")
    assert cn.Graph.load(graph.summary.save(tmp_path / "g.csv")) == graph.summary


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_a_search_that_the_clock_ends_tells_so_and_what_it_left_untested_stays(
    looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    d, free = 70, ~np.eye(70, dtype=bool)  # more links of now than are tested between two looks at the clock
    tests = LaggedCorrelation(
        *lagged_correlation(np.random.default_rng(0).standard_normal((200, d)), np.arange(2, 200), 2)
    )
    momentary = skeleton.Momentary(tests, find_conditions(tests, np.zeros((2, d, d), dtype=bool), 0.05), until=1.0)
    clock = iter([0.0] * looks)
    monkeypatch.setattr(skeleton.time, "monotonic", lambda: next(clock, 2.0))
    begin = np.stack([free, np.zeros_like(free)])
    found = skeleton.find_links(momentary, begin, 0.05, most=0, deadline=1.0)
    assert found.complete == (looks == 2) and (found.links[0] == found.links[0].T).all()
    separated = int((free & ~found.links[0]).sum())
    assert found.tests == min(looks * skeleton.PIECE, int(free.sum())) and separated >= 0.9 * found.tests
