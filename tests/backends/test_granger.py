"""Granger tests: parity with statsmodels, recovery on a known autoregression, false discoveries, event counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

import causalnet as cn
from causalnet.backends.granger import lagged_tests
from causalnet.datasets.hawkes import simulate_hawkes
from causalnet.discovery.dispatch import discover


def chain(n: int, rng: np.random.Generator, d: int = 4) -> np.ndarray:
    """x0 -> x1 -> ... with lag 1 (x0 -> x1 with lag 2)."""
    x = np.zeros((n + 10, d))
    for t in range(2, n + 10):
        x[t] = 0.3 * x[t - 1] + rng.standard_normal(d)
        x[t, 1] += 0.6 * x[t - 2, 0]
        x[t, 2:] += 0.6 * x[t - 1, 1:-1]
    return x[10:]


def test_p_values_equal_those_of_statsmodels(rng: np.random.Generator) -> None:
    values = chain(300, rng)
    p, _, _ = lagged_tests(values, 2)
    fit = VAR(values).fit(2)
    for j in range(4):
        for i in range(4):
            if i != j:
                theirs = fit.test_causality(i, j, kind="wald").test_statistic
                from scipy import stats

                assert p[j, i] == pytest.approx(stats.f.sf(theirs / 2, 2, 300 - 2 - 9), abs=1e-9)


def test_finds_the_lagged_chain_and_its_order(rng: np.random.Generator) -> None:
    frame = pd.DataFrame(chain(1500, rng), columns=list("abcd"))
    g = discover(frame, "granger", alpha=0.01)
    assert set(g.edges) == {("a", "b"), ("b", "c"), ("c", "d")}
    assert g.meta["lags"] == 2
    assert g.explain("a", "b")["p_value"] < 1e-6
    assert g.weight is not None and g.weight[0, 1] == pytest.approx(0.6, abs=0.1)


def test_false_discovery_rate_on_noise(rng: np.random.Generator) -> None:
    wrong = 0
    for _ in range(60):
        frame = pd.DataFrame(rng.standard_normal((200, 5)), columns=list("abcde"))
        wrong += bool(discover(frame, "granger", alpha=0.1, instantaneous=False).adj.any())
    assert wrong <= 14  # on noise the rate is the chance of any discovery, 0.1 of 60; 14 is beyond the 99.9 % point


def test_instant_links_are_undirected_and_can_be_left_out(rng: np.random.Generator) -> None:
    a = rng.standard_normal(800)
    frame = pd.DataFrame({"a": a, "b": a + rng.standard_normal(800), "c": rng.standard_normal(800)})
    g = discover(frame, "granger")
    assert g.adj[0, 1] and g.adj[1, 0] and not g.adj[2].any()
    assert g.explain("a", "b")["p_value"] < 1e-6 < g.explain("a", "b")["lagged_p_value"]
    assert not discover(frame, "granger", instantaneous=False).adj.any()
    one_way = discover(frame, "granger", knowledge=cn.Knowledge(forbidden=[("b", "a")]))
    assert one_way.edges == (("a", "b"),) or list(one_way.edges) == [("a", "b")]


def test_event_counts_and_a_type_that_never_occurs(rng: np.random.Generator) -> None:
    events, _ = simulate_hawkes(
        n_devices=5, n_events=4000, rng=rng, truth=np.triu(np.ones((3, 3)), 1) > 0, decay=0.02, wired=False
    )
    log = cn.Events(events.frame(), None, [*events.types, "silent"])
    g = discover(log, "granger", bin_width=60.0)
    assert g.nodes[-1] == "silent" and not g.adj[3].any() and not g.adj[:, 3].any()
    assert g.adj[0, 1] and g.adj[1, 2]
    assert g.meta["bin_width"] == 60.0


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"alpha": 2.0}, "between 0 and 1"),
        ({"lags": 0}, "lags is 0, and must be a whole number from 1 up"),
        ({"bin_width": 3.0}, "time steps already"),
        ({"lags": 40}, "too few"),
    ],
)
def test_refusals(params: dict[str, float], says: str, rng: np.random.Generator) -> None:
    frame = pd.DataFrame(rng.standard_normal((60, 3)), columns=list("abc"))
    with pytest.raises(cn.DataError, match=says):
        discover(frame, "granger", **params)


@pytest.mark.parametrize("backend", ["granger", "notears"])
def test_a_column_constant_in_the_sample_is_named(backend: str, rng: np.random.Generator) -> None:
    frame = pd.DataFrame(rng.standard_normal((60, 3)), columns=list("abc"))
    frame["b"] = 0.1
    frame.loc[7, "b"] = 5.0
    sample = cn.data.as_table(frame).take(np.delete(np.arange(60), 7))
    with pytest.raises(cn.DataError, match="'b' is constant in this sample"):
        discover(sample, backend)
