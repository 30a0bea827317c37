"""Topological Hawkes processes: the likelihood by brute force, exact search, known truths, official and real logs."""

from __future__ import annotations

import itertools
import math
import pickle
import time
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import causalnet as cn
from causalnet.datasets import load_dataset
from causalnet.datasets.hawkes import fault_alarm_log, simulate_hawkes
from causalnet.discovery.dispatch import discover
from causalnet.envs.fault_alarm import generate_instance, observational_log
from causalnet.search.hawkes_search import Scorer, climb
from causalnet.stats.hawkes import em_fit, expose, hop_weights
from causalnet.stats.hawkes_paths import Log, hop_matrices, paths_to
from causalnet.stats.hawkes_traces import trace
from causalnet.stats.repeats import clock_tick, episode_gap, gaps_before, neighbouring_gaps
from causalnet.stats.time_scales import device_share, type_share

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


@settings(max_examples=25)
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


@settings(max_examples=10)
@given(
    seed=st.integers(0, 10**6),
    normalization=st.sampled_from(["degree", "symmetric", "none"]),
    tie=st.sampled_from([0.0, 0.5]),
)
def test_sparse_traces_equal_the_dense_effects(seed: int, normalization: str, tie: float) -> None:
    time, kind, device, links = small_log(seed)
    decay, rows = np.array([0.3, 0.02]), np.arange(18)
    dense = expose(time, kind, device, hop_weights(links, (0, 1, 2), normalization), decay, 3, tie)  # type: ignore[arg-type]
    paths = paths_to(hop_matrices(sp.csr_array(links.astype(float)), (0, 1, 2), normalization))  # type: ignore[arg-type]
    log = Log(time, device, paths)
    sparse, common = (trace(log, kind, decay, 3, tie, share) for share in (None, np.ones(4)))
    assert np.allclose(sparse.integral[:18], dense.integral) and sparse.horizon == dense.horizon
    for i in range(3):
        here = device[kind == i]
        by_device = np.argsort(here, kind="stable")  # the order in which receiving devices are visited plays no part
        assert np.allclose(sparse.dense(i, rows)[:, by_device], dense.effects[i][:, by_device], atol=1e-12)
        assert sparse.solve(i, rows, 1e-6, 5000)[0] == pytest.approx(dense.solve(i, rows, 1e-6, 5000)[0], abs=1e-6)
        summed = dense.effects[i].reshape(3, 6, -1).sum(axis=0)
        assert np.allclose(common.dense(i, np.arange(18, 24)), summed, atol=1e-4)


def test_the_background_of_a_type_falls_where_the_type_is() -> None:
    """As all events do where types are alike, up to chance; and near nought where a type has none."""
    rng, n, m, v = np.random.default_rng(0), 20_000, 10, 4
    weight = np.arange(1.0, m + 1)
    device = rng.choice(m, n, p=weight / weight.sum())
    kind, share = rng.integers(v, size=n), device_share(device, m)
    alike = type_share(kind, device, v, share)
    assert np.allclose(alike, share[:, None], rtol=0.15) and np.allclose(alike.mean(axis=0), share.mean())
    apart = type_share(np.where(device < 5, 0, kind), device, v, share)
    assert (apart[:5, 1:] < 0.05).all() and np.allclose(apart.mean(axis=0), share.mean())


def test_newton_steps_reach_what_many_em_steps_reach() -> None:
    time, kind, device, links = small_log(3, n=120)
    paths = paths_to(hop_matrices(sp.csr_array(links.astype(float)), (0, 1), "degree"))
    seen = trace(Log(time, device, paths), kind, np.array([0.1]), 3, share=np.ones(4))
    value, mu, alpha = seen.solve(0, np.arange(8), 1e-9, 100)
    exact = seen._replace(common=False).solve(0, np.arange(8), 1e-12, 100_000)[0]
    assert value == pytest.approx(exact, abs=1e-3)
    assert mu * seen.horizon + alpha @ seen.integral[:8] == pytest.approx(seen.size[0], rel=1e-3)
    alone = np.array([0, 1, 6, 7])
    base, *fit = seen.solve(0, alone, 1e-9, 100)
    source, gain = seen.marginals(0, alone, *fit)
    assert source.tolist() == [0, 1, 2]
    for j in (1, 2):
        refit = seen.solve(0, np.array([0, 1, 2 * j, 2 * j + 1, 6, 7]), 1e-9, 100)[0]
        assert -0.02 <= gain[j] <= refit - base + 0.02


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
    assert np.mean(scores) >= 0.8 and np.mean(plain) >= 0.8


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
    for settings_ in ({}, {"decay": 0.02}):
        hurried = discover(events, "thp", max_seconds=1e-6, **settings_)
        assert hurried.meta["complete"] is False and hurried.is_dag
        assert hurried.adj.sum(axis=0).max() == 1  # a type takes the parent that promises most
        assert (hurried.adj & truth.adj).sum() > 0.5 * hurried.adj.sum()


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
    assert neighbouring_gaps(
        np.array([np.inf, 3.0, np.inf, 4.0, 5.0]), *np.array([[0, 0, 1, 0, 1], [0] * 5]), 2
    ).tolist() == [[3, 4]]
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
        ({"penalty": "hqc"}, "write one of auto, bic, aic"),
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


def cascade(seed: int):  # type: ignore[no-untyped-def]
    """A sparse log of short cascades with exact times: 12 types, 30 devices, delays of a minute."""
    return simulate_hawkes(
        12, 30, 6000, rng=np.random.default_rng(seed), density=0.2, decay=1 / 60, base_rate=(3e-6, 1e-5)
    )


def stamped(events: cn.Events, time: np.ndarray, names: dict[str, str] | None = None) -> cn.Events:
    frame = events.frame()
    frame["timestamp"] = time
    frame["event"] = [(names or {}).get(e, e) for e in frame["event"]]
    types = [(names or {}).get(e, e) for e in events.types]
    return cn.Events(frame.sort_values("timestamp", kind="stable"), events.topology, sorted(types))


def edges_in(g: cn.Graph, names: dict[str, str] | None = None) -> set[tuple[str, str]]:
    back = {new: old for old, new in (names or {}).items()}
    return {(back.get(a, a), back.get(b, b)) for a, b in g.edges}


def test_the_clock_decides_nothing() -> None:
    events, truth = cascade(2)

    def f1(time: np.ndarray) -> float:
        return cn.score(truth, discover(stamped(events, time), "thp"))["f1"]

    second = f1(np.floor(events.time))
    assert second >= 0.9
    for grid in (0.01, 1e-3, 1e-6):
        assert f1(np.floor(events.time / grid) * grid) == pytest.approx(second, abs=0.03)
    assert f1(np.ceil(events.time / 300) * 300) >= 0.9


@pytest.mark.parametrize("shape", [(60, 8), (60, 1), (60, 50), (20, 5)])
def test_noise_has_hardly_an_edge(shape: tuple[int, int]) -> None:
    types, each = shape
    found = []
    for seed in range(4):
        events, _ = simulate_hawkes(
            types, 50, types * each, rng=np.random.default_rng(seed), density=0.02, decay=1 / 60
        )
        frame = events.frame()
        labels = np.repeat(np.arange(types), each)
        frame["event"] = [f"type{k}" for k in np.random.default_rng(seed).permutation(labels)]
        found.append(int(discover(cn.Events(frame, events.topology, events.types), "thp").adj.sum()))
    assert np.mean(found) <= 1.0


def test_names_shifts_and_units_play_no_part() -> None:
    events, _ = cascade(2)
    plain = discover(events, "thp")
    want, delay = edges_in(plain), plain.meta["delay_seconds"][0]
    assert edges_in(discover(stamped(events, events.time + 86_400.0), "thp")) == want
    slow = discover(stamped(events, events.time * 1000.0), "thp")
    assert edges_in(slow) == want and slow.meta["delay_seconds"][0] == pytest.approx(1000.0 * delay, rel=1e-3)
    names = {f"type{k}": f"z{(5 * k + 3) % 12:02d}" for k in range(12)}
    assert edges_in(discover(stamped(events, events.time, names), "thp"), names) == want


def test_evidence_names_its_null() -> None:
    events, _ = cascade(3)
    g = discover(events, "thp")
    assert g.meta["delay_seconds"][0] == pytest.approx(60.0, rel=0.25) and g.meta["false_share"] == 0.33
    for a, b in g.edges:
        why = g.explain(a, b)
        assert why["log_likelihood_gain"] >= why["price"] == g.meta["least_gain"] or why["probability"] > 0.1
        assert 0.0 < why["null_p_value"] <= 1.0 and why["null_exceeding"] <= why["null_edges"]
        assert sum(why["effects_by_hop"].values()) == pytest.approx(why["rate_per_second"] * why["delay_seconds"])


def test_many_types_and_devices_take_little() -> None:
    rng = np.random.default_rng(0)
    n = 3000
    frame = pd.DataFrame({"event": rng.integers(0, 1500, n).astype(str), "timestamp": np.sort(rng.uniform(0, 1e6, n))})
    frame["device"] = [f"d{k}" for k in rng.integers(0, 20_000, n)]
    ring = nx.relabel_nodes(nx.path_graph(20_000), lambda k: f"d{k}")
    assert discover(cn.Events(frame, ring), "thp").adj.sum() <= 3


def test_very_many_gaps_tell_repeats_as_all_of_few_do() -> None:
    rng = np.random.default_rng(0)
    gaps = np.append(rng.exponential(5.0, 150_000), rng.exponential(3000.0, 150_000))
    assert episode_gap(gaps, 1.0) == pytest.approx(episode_gap(gaps[100_000:200_000], 1.0), rel=0.05)


def test_fault_alarms_are_mostly_right() -> None:
    truth = cn.Graph(tuple(f"a{i}" for i in range(8)), np.triu(np.random.default_rng(0).random((8, 8)) < 0.4, 1))
    g = discover(fault_alarm_log(truth, np.random.default_rng(1), n_events=3000), "thp")
    found = cn.score(truth, g)
    assert found["precision"] >= 0.7 and found["recall"] >= 0.5
    assert g.meta["delay_seconds"][0] > 500.0, "alarms hardly end"


@pytest.mark.parametrize("seed", range(4))
def test_gaps_that_drift_are_no_repeats(seed: int) -> None:
    rng = np.random.default_rng(seed)
    slow = rng.exponential(10.0 ** rng.uniform(0.5, 3.0, (200, 1)), (200, 20))  # rates of cells, each steady
    short = rng.random((200, 20)) < 0.6
    mixed = rng.exponential(np.where(short, 10.0, 300.0))  # two laws in each cell
    often = rng.random((200, 20)) < 0.9
    regular = np.where(often, 10.0, rng.exponential(300.0, often.shape))  # told again every ten seconds
    for gaps, chatters in ((slow, False), (mixed, True), (regular, True)):
        pairs = np.stack([gaps[:, :-1], gaps[:, 1:]], axis=2).reshape(-1, 2)
        assert episode_gap(gaps.ravel(), 1.0) > 0.0
        assert (episode_gap(gaps.ravel(), 1.0, pairs) > 0.0) == chatters


def test_every_alarm_counts_where_rates_grow() -> None:
    better = []
    for seed in (3, 5, 6):
        truth = cn.Graph(tuple("abcdefgh"), np.triu(np.random.default_rng(seed).random((8, 8)) < 0.3, 1))
        log = observational_log(generate_instance(seed, graph=truth, n_devices=20), 2000, seed=seed)
        learned, fewer = discover(log, "thp"), discover(log, "thp", repeats=100.0)
        assert learned.meta["events_used"] == log.n > 1.2 * fewer.meta["events_used"]
        better.append(cn.score(truth, learned)["f1"] - cn.score(truth, fewer)["f1"])
    assert np.mean(better) > 0.05


@pytest.mark.parametrize(("name", "least"), [("pcic-18v", 0.55), ("pcic-24v", 0.25)])
def test_real_alarm_logs_with_defaults_only(name: str, least: float, outside_data: Path) -> None:
    ds = load_dataset(name)
    g = discover(ds.data, "thp")
    assert g.is_dag
    assert cn.score(ds.truth, g)["f1"] >= least
    assert g.meta["cpu_seconds"] < 5.0


@pytest.mark.parametrize("n", [50, 400])
def test_two_instants_are_a_log(n: int) -> None:
    """What comes last has effects at once and none after."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"event": rng.integers(0, 4, n).astype(str), "timestamp": np.where(np.arange(n) < 1, 0.0, 100.0)}
    )
    assert discover(cn.Events(frame.assign(device=rng.integers(0, 20, n).astype(str))), "thp").is_dag


def test_many_types_keep_to_their_time() -> None:
    rng, n = np.random.default_rng(0), 12_000
    frame = pd.DataFrame({"event": rng.integers(0, 1500, n).astype(str), "timestamp": np.sort(rng.uniform(0, 1e4, n))})
    log = cn.Events(frame.assign(device=rng.integers(0, 10, n).astype(str)))
    discover(log, "thp", max_seconds=0.1)  # compiles
    begun = time.monotonic()
    assert discover(log, "thp", max_seconds=1.0).meta["complete"] is False
    assert time.monotonic() - begun < 1.1 + 2.0
