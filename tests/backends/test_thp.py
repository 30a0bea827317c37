"""Topological Hawkes processes: the likelihood by brute force, exact search, known truths, official and real logs."""

from __future__ import annotations

import itertools
import math
import pickle
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import causalnet as cn
from causalnet.datasets import load_dataset
from causalnet.datasets.hawkes import fault_alarm_log, simulate_hawkes
from causalnet.discovery.dispatch import discover
from causalnet.search.hawkes_search import Scorer, climb
from causalnet.stats.hawkes import em_fit, expose, hop_weights
from causalnet.stats.repeats import clock_tick, episode_gap, gaps_before

OFFICIAL = {
    "decay": 5e-5,
    "hops": (0, 1),
    "penalty_scale": 0.2,
    "acyclic": False,
    "normalization": "degree",
    "tol": 0.1,
}


def small_log(seed: int, n: int = 60, v: int = 3, m: int = 4):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, 50, n)).astype(float)  # many ties
    links = np.triu(rng.random((m, m)) < 0.5, 1)
    return time, rng.integers(0, v, n).astype(np.int32), rng.integers(0, m, n).astype(np.int32), links | links.T


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    normalization=st.sampled_from(["degree", "symmetric", "none"]),
    tie=st.sampled_from([0.0, 0.5]),
)
def test_effects_in_one_scan_equal_the_double_sum(seed: int, normalization: str, tie: float) -> None:
    time, kind, device, links = small_log(seed)
    weights = hop_weights(links, (0, 1, 2), normalization)  # type: ignore[arg-type]
    decay = np.array([0.3, 0.02])
    got = expose(time, kind, device, weights, decay, 3, tie)
    active = np.unique(device)
    assert got.slots == 6 and got.horizon == (time[-1] - time[0]) * len(active)
    for i in range(3):
        for col, e in enumerate(np.flatnonzero(kind == i)):
            for j, k, q in itertools.product(range(3), range(3), range(2)):
                earlier = (kind == j) & (time < time[e])
                lag = time[e] - time[earlier]
                want = (weights[k][device[earlier], device[e]] * np.exp(-decay[q] * lag)).sum()
                if j != i:
                    want += tie * weights[k][device[(kind == j) & (time == time[e])], device[e]].sum()
                assert got.effects[i][j * 6 + k * 2 + q, col] == pytest.approx(want, abs=1e-10)
    for j, k, q in itertools.product(range(3), range(3), range(2)):
        of = kind == j
        lasting = (1 - np.exp(-decay[q] * (time[-1] - time[of]))) / decay[q]
        want = (lasting * weights[k][np.ix_(device[of], active)].sum(axis=1)).sum()
        assert got.integral[j * 6 + k * 2 + q] == pytest.approx(want, rel=1e-12)


def test_hop_weights_of_a_path_and_an_isolated_device() -> None:
    links = np.zeros((4, 4), dtype=bool)
    for a, b in ((0, 1), (1, 2)):
        links[a, b] = links[b, a] = True
    assert hop_weights(links, (1,), "degree")[0][0, 1] == pytest.approx(1 / 2)
    assert hop_weights(links, (1,), "symmetric")[0][0, 1] == pytest.approx(1 / math.sqrt(2))
    assert hop_weights(links, (2,), "none")[0].tolist() == [[0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    for normalization in ("degree", "symmetric", "none"):
        assert not hop_weights(links, (1,), normalization)[0][3].any()  # type: ignore[arg-type]
        assert (hop_weights(links, (0,), normalization)[0] == np.eye(4)).all()  # type: ignore[arg-type]


def test_em_reaches_the_maximum_of_the_concave_likelihood() -> None:
    from scipy.optimize import minimize

    time, kind, device, links = small_log(3, n=120)
    e = expose(time, kind, device, hop_weights(links, (0, 1), "degree"), np.array([0.1]), 3)
    rows = np.arange(6)
    value, mu, alpha, _ = em_fit(e.effects[0], e.integral, rows, e.horizon, 1e-10, 100_000)

    def loss(theta: np.ndarray) -> float:
        return float(-np.log(theta[0] + theta[1:] @ e.effects[0]).sum() + theta[0] * e.horizon + theta[1:] @ e.integral)

    best = min(
        minimize(
            loss, np.full(7, s), bounds=[(1e-9, None)] + [(0, None)] * 6, method="L-BFGS-B", options={"ftol": 1e-14}
        ).fun
        for s in (0.01, 0.1)
    )
    assert -value == pytest.approx(best, abs=1e-3)
    assert loss(np.r_[mu, alpha]) == pytest.approx(-value, abs=1e-8)
    assert mu * e.horizon + alpha @ e.integral == pytest.approx(e.effects[0].shape[1])  # EM explains every event


@pytest.mark.parametrize("acyclic", [True, False])
def test_search_climbs_to_a_graph_that_no_single_change_improves(acyclic: bool) -> None:
    events, _ = simulate_hawkes(6, 8, 1500, rng=np.random.default_rng(1))
    e = expose(
        events.time,
        events.type_index,
        events.device_index,
        hop_weights(events.adjacency, (0, 1), "degree"),
        np.array([0.02]),
        6,
    )
    scorer = Scorer(e, math.log(1500), 1e-4)
    free = ~np.eye(6, dtype=bool)
    found = climb(scorer, free, np.zeros((6, 6), dtype=bool), acyclic)

    def total(adj: np.ndarray) -> float:
        return sum(scorer.score(i, (1 << i) | sum(1 << j for j in range(6) if adj[j, i])) for i in range(6))

    assert found.score == pytest.approx(total(found.adj))
    for j, i in itertools.permutations(range(6), 2):
        other = found.adj.copy()
        other[j, i] ^= True
        other[i, j] &= not other[j, i]
        if not acyclic or nx.is_directed_acyclic_graph(nx.DiGraph(other.astype(int))):
            assert total(other) <= found.score + 1e-9


def test_without_acyclicity_opposite_edges_still_exclude_each_other() -> None:
    events, _ = simulate_hawkes(6, 8, 1500, rng=np.random.default_rng(1))
    adj = discover(events, "thp", decay=0.02, acyclic=False, penalty_scale=0.0).adj
    assert adj.any() and not (adj & adj.T).any()


def test_known_truth_is_recovered_wired_and_not() -> None:
    for wired in (True, False):
        events, truth = simulate_hawkes(10, 20, 6000, rng=np.random.default_rng(7), wired=wired)
        assert cn.score(truth, discover(events, "thp", decay=0.02))["f1"] >= 0.95
        assert cn.score(truth, discover(events, "thp"))["f1"] >= 0.9


def test_several_time_scales_with_chatter_need_no_tuning() -> None:
    scores, plain = [], []
    for seed in range(2):
        events, truth = simulate_hawkes(
            12, 30, 6000, rng=np.random.default_rng(seed), decay=(0.3, 0.001), repeats=3.0, resolution=1.0
        )
        learned = discover(events, "thp")
        assert learned.meta["events_used"] < events.n
        scores.append(cn.score(truth, learned)["f1"])
        plain.append(cn.score(truth, discover(events, "thp", repeats=0.0))["f1"])
    assert np.mean(scores) >= 0.7
    assert np.mean(scores) >= np.mean(plain) - 0.02


def test_weight_evidence_and_meta() -> None:
    events, truth = simulate_hawkes(5, 10, 3000, rng=np.random.default_rng(2), truth=np.eye(5, k=1) > 0)
    g = pickle.loads(pickle.dumps(discover(events, "thp", decay=0.02)))
    assert g.weight is not None and (g.weight[g.adj] > 0).all() and not g.weight[~g.adj].any()
    for a, b in g.edges:
        why = g.explain(a, b)
        assert why["log_likelihood_gain"] > 0 > why["bic_change"]
        assert sum(why["alpha_by_hop"]) == pytest.approx(g.weight[g.nodes.index(a), g.nodes.index(b)])
    assert g.meta["decay"] == [0.02] and g.meta["hops"] == [0, 1] and g.meta["complete"] is True
    assert truth.weight is not None


def test_knowledge_limits_and_time() -> None:
    events, truth = simulate_hawkes(8, 15, 3000, rng=np.random.default_rng(4))
    a, b = truth.edges[0]
    g = discover(events, "thp", decay=0.02, knowledge=cn.Knowledge(required=[(b, a)]))
    assert (b, a) in g.edges and (a, b) not in g.edges
    g = discover(events, "thp", decay=0.02, knowledge=cn.Knowledge(forbidden=[(a, b)]))
    assert (a, b) not in g.edges
    assert discover(events, "thp", decay=0.02, max_parents=1).adj.sum(axis=0).max() <= 1
    assert len(discover(events, "thp", decay=0.02, max_changes=2).edges) == 2
    hurried = discover(events, "thp", max_seconds=1e-6)
    assert hurried.meta["complete"] is False and not hurried.adj.any()


def test_a_silent_type_keeps_its_row_and_ties_are_deliberate() -> None:
    rng = np.random.default_rng(0)
    start = np.cumsum(rng.exponential(200.0, 300)).round()
    rows = [(e, t, "d") for t in start for e in ("a", "b")]  # always together: no order between a and b
    events = cn.Events(pd.DataFrame(rows, columns=["event", "timestamp", "device"]), None, ["a", "b", "silent"])
    assert not discover(events, "thp", decay=0.1).adj.any()
    tied = discover(events, "thp", decay=0.1, ties=1.0)
    assert tied.skeleton[0, 1] and not tied.adj[2].any() and not tied.adj[:, 2].any()


def test_repeats_of_an_episode() -> None:
    rng = np.random.default_rng(1)
    fast, slow = rng.exponential(10.0, 2000), rng.exponential(10_000.0, 500)
    gap = episode_gap(np.r_[fast, slow], 1.0)
    assert 50.0 < gap < 200.0  # where 0.8 / 10 exp(-g / 10) = 0.2 / 10^4 exp(-g / 10^4): 83 s
    assert episode_gap(slow, 1.0) == 0.0 and episode_gap(slow[:5], 1.0) == 0.0
    time, kind, device = np.array([0.0, 1, 2, 5]), np.array([0, 1, 0, 0], np.int32), np.array([0, 0, 0, 1], np.int32)
    assert gaps_before(time, kind, device, 2).tolist() == [np.inf, np.inf, 2.0, np.inf]
    assert clock_tick(np.array([3.0, 5.0, 900.0])) == 1.0 and clock_tick(np.array([0.0, 0.25, 1.0])) == 0.01
    assert clock_tick(np.cumsum(rng.exponential(5.0, 500))) < 1.0


def test_simulated_log_has_the_rates_it_was_asked_for() -> None:
    events, truth = simulate_hawkes(
        2,
        10,
        40_000,
        rng=np.random.default_rng(3),
        truth=[[0, 1], [0, 0]],
        base_rate=(1e-4, 1e-4),
        strength=(0.5, 0.5),
        decay=0.1,
        neighbour_share=0.0,
    )
    first, second = events.counts
    assert second / first == pytest.approx(1.5, abs=0.03)  # its own 1 plus 0.5 children per event
    assert first / (events.time[-1] * 10) == pytest.approx(1e-4, rel=0.05)
    assert truth.edges == (("type0", "type1"),) or list(truth.edges) == [("type0", "type1")]
    again, _ = simulate_hawkes(2, 10, 100, rng=np.random.default_rng(3))
    same, _ = simulate_hawkes(2, 10, 100, rng=np.random.default_rng(3))
    assert (again.time == same.time).all()
    log = fault_alarm_log(truth, np.random.default_rng(0), n_events=500)
    assert log.n == 500 and len(log.devices) == 50 and log.types == truth.nodes


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"decay": -1.0}, "decay is .*must be positive"),
        ({"hops": ()}, "distinct topology distances"),
        ({"hops": (0, 0)}, "distinct topology distances"),
        ({"penalty": "hqc"}, "write one of bic, aic"),
        ({"penalty_scale": -1.0}, "penalty_scale"),
        ({"tol": 0.0}, "tol is 0.0, and must be a finite number above 0"),
        ({"ties": 2.0}, "ties is 2.0, and must be a finite number from 0 to 1"),
        ({"repeats": -3.0}, "repeats"),
        ({"normalization": "rows"}, "normalization"),
        ({"price": "free"}, "price"),
    ],
)
def test_refusals(params: dict, says: str) -> None:  # type: ignore[type-arg]
    events, _ = simulate_hawkes(3, 4, 100, rng=np.random.default_rng(0))
    with pytest.raises(cn.DataError, match=says):
        discover(events, "thp", **params)


def test_hops_that_no_link_carries_are_refused() -> None:
    events, _ = simulate_hawkes(3, 4, 100, rng=np.random.default_rng(0), wired=False)
    assert discover(events, "thp").meta["hops"] == [0]
    with pytest.raises(cn.DataError, match="without links between devices"):
        discover(events, "thp", hops=(1,))


def test_identical_timestamps_are_refused() -> None:
    frame = pd.DataFrame({"event": ["a", "b"], "timestamp": [5, 5], "device": ["x", "x"]})
    with pytest.raises(cn.DataError, match="same timestamp"):
        discover(cn.Events(frame), "thp")


def test_official_sample_gives_the_graph_of_the_official_implementation(outside_data: Path) -> None:
    ds = load_dataset("fault-alarm")
    if ds.card.get("used") != "official sample":
        pytest.skip("needs fault_alarm_official in CAUSALNET_DATA")
    g = discover(ds.data, "thp", **OFFICIAL)
    assert int(g.adj.sum()) == 67 and int((g.adj & ds.truth.adj).sum()) == 53


@pytest.mark.parametrize(("name", "least"), [("pcic-18v", 0.66), ("pcic-24v", 0.38)])
def test_real_alarm_logs_with_defaults_only(name: str, least: float, outside_data: Path) -> None:
    ds = load_dataset(name)
    g = discover(ds.data, "thp")
    assert g.is_dag
    assert cn.score(ds.truth, g)["f1"] >= least
    assert g.meta["cpu_seconds"] < 5.0
