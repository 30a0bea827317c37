"""The online form of thp: the same graph however a stream is cut, new names, forgetting, drift, and its file."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from typer.testing import CliRunner

import causalnet as cn
from causalnet.backends import thp
from causalnet.base import memory
from causalnet.cli.app import app
from causalnet.datasets.hawkes import simulate_hawkes
from causalnet.datasets.incidents import AlarmSystem
from causalnet.incidents.watched import stream_model
from causalnet.search.hawkes_stream import fitted, told
from causalnet.search.stream_state import SAVED
from causalnet.stats.hawkes_paths import hop_matrices, paths_to
from causalnet.stats.hawkes_sums import add, no_sums, read
from causalnet.stats.time_scales import polled_kernel
from causalnet.storage import checkpoint

SETTINGS = {"density": 0.12, "decay": 1 / 60, "strength": (0.15, 0.45), "base_rate": (1e-5, 3e-5), "resolution": 1.0}


def log(seed: int, n: int) -> tuple[cn.Events, cn.Graph]:
    return simulate_hawkes(20, 50, n, rng=np.random.default_rng(seed), **SETTINGS)


def cut(frame: pd.DataFrame, state: thp.State, seed: int, most: int = 3000) -> thp.State:
    rng, first = np.random.default_rng(seed), 0
    while first < len(frame):
        size = int(rng.integers(1, most))
        state, first = thp.step(state, frame.iloc[first : first + size]), first + size
    return state


def test_the_sums_are_the_integrals() -> None:
    """Against a fine grid of time: G and phi at the events, less what the means of each device say."""
    rng, decay, end = np.random.default_rng(0), 0.5, 40.0
    time = np.sort(rng.uniform(0, 30, 60))
    kind, device = rng.integers(2, size=60).astype(np.int32), rng.integers(3, size=60).astype(np.int32)
    links = nx.to_scipy_sparse_array(nx.path_graph(3), format="csr")
    matrices = hop_matrices(links, (0, 1), "degree")
    sums = no_sums(2, 3, 2)
    out = paths_to([m.T.tocsr() for m in matrices])
    add(sums, time, kind, device, out, decay, 0.0, np.ones((2, 5)), np.ones(3))
    grid = np.arange(0, end, 1e-3)
    phi = np.zeros((3, 4, len(grid)))  # (device, type * hops + hop, time)
    for t, i, m in zip(time, kind, device, strict=True):
        for k, w in enumerate(matrices):
            reach = w[[m], :].toarray().ravel()
            phi[:, i * 2 + k] += reach[:, None] * np.where(grid > t, np.exp(-decay * (grid - t)), 0.0)
    found = read(sums, end, end, decay)
    within = phi - phi.mean(axis=2, keepdims=True)
    assert np.allclose(found.gram, np.einsum("mct,mdt->cd", within, within) * 1e-3, rtol=0.01, atol=0.01)
    assert np.allclose(found.whole, np.einsum("mct,mct->c", phi, phi) * 1e-3, rtol=0.01, atol=0.01)
    assert np.allclose(found.ground, phi.sum(axis=(0, 2)) * 1e-3, rtol=0.01, atol=0.01)
    at = np.searchsorted(grid, time) - 1
    for i in range(2):
        mine = kind == i
        assert np.allclose(found.at[i], within[device[mine], :, at[mine]].sum(axis=0), atol=0.05)
        assert np.allclose(found.heard[i], phi[device[mine], :, at[mine]].sum(axis=0), atol=0.05)


def test_the_sums_of_polls_are_those_over_the_polls() -> None:
    """Against phi at every poll: of the polls before by the kernel between polls, of the same one by other types."""
    rng, decay, poll = np.random.default_rng(0), 0.2, 2.0
    time = np.sort(rng.integers(0, 20, 80)) * poll
    kind, device = rng.integers(2, size=80).astype(np.int32), rng.integers(3, size=80).astype(np.int32)
    links = nx.to_scipy_sparse_array(nx.path_graph(3), format="csr")
    matrices = hop_matrices(links, (0, 1), "degree")
    sums, out = no_sums(2, 3, 2, polled=True), paths_to([m.T.tocsr() for m in matrices])
    half = int(np.searchsorted(time, time[40]))
    for some in (slice(None, half), slice(half, None)):
        add(sums, time[some], kind[some], device[some], out, decay, poll, np.ones((2, 5)), np.ones(3))
    once, later = polled_kernel(decay * poll)
    count = np.zeros((3, 4, 60))  # (device, type * hops + hop, poll)
    for t, i, m in zip(time, kind, device, strict=True):
        for k, w in enumerate(matrices):
            count[:, i * 2 + k, round(t / poll)] += w[[m], :].toarray().ravel()
    past = np.zeros_like(count)
    for at in range(1, 60):
        past[:, :, at] = (past[:, :, at - 1] + count[:, :, at - 1]) * np.exp(-decay * poll)
    found = read(sums, 59 * poll, 60 * poll, decay, poll)
    for i in range(2):
        phi = later * past + once * count
        phi[:, 2 * i : 2 * i + 2] = later * past[:, 2 * i : 2 * i + 2]
        within = phi - phi.mean(axis=2, keepdims=True)
        assert np.allclose(found.gram_of(i, 2), np.einsum("mct,mdt->cd", within, within) * poll)
        assert np.allclose(found.whole[i], np.einsum("mct,mct->c", phi, phi) * poll)
        assert np.allclose(found.ground[i], phi.sum(axis=(0, 2)) * poll)
        places = device[kind == i], slice(None), np.round(time[kind == i] / poll).astype(int)
        felt = phi[places]
        assert np.allclose(found.at[i], within[places].sum(axis=0)) and np.allclose(found.heard[i], felt.sum(axis=0))
        each = np.array([felt[places[2] == at].sum(axis=0) for at in range(60)])  # of all that a poll tells of the type
        assert np.allclose(found.square[i], ((each - each.mean(axis=0)) ** 2).sum(axis=0))


def test_a_polled_stream_gives_the_graph_without_the_old_events(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    system = AlarmSystem.draw(rng)
    events = system.log(10_000, rng)
    frame = events.frame()
    frame["timestamp"] = np.ceil(frame["timestamp"] / 300) * 300
    state = cut(frame.iloc[:6000], thp.init(topology=events.topology), 1)
    assert state.poll == 300 and told(state)["poll_seconds"] == 300
    thp.save(state, tmp_path / "s.npz")
    state = cut(frame.iloc[6000:], thp.load(tmp_path / "s.npz"), 2)
    graph, whole = thp.graph(state), thp.graph(thp.step(thp.init(topology=events.topology), frame))
    assert len(state.waiting.time) < 50, "events are not kept"
    assert graph == whole and np.allclose(graph.weight, whole.weight, rtol=1e-9)
    assert cn.score(system.graph.align(graph.nodes), graph)["f1"] >= 0.9
    assert state.drift.alarms == 0 and np.isfinite(state.drift.scores).all()


def test_however_the_stream_is_cut_the_graph_is_that_of_one_fit_of_everything(tmp_path: Path) -> None:
    events, truth = log(3, 12_000)
    frame = events.frame()
    whole = thp.step(thp.init(topology=events.topology), frame)
    state = cut(frame.iloc[:7000], thp.init(topology=events.topology), 1)
    thp.save(state, tmp_path / "s.npz")
    state = cut(frame.iloc[7000:], thp.load(tmp_path / "s.npz"), 2)
    one, two = thp.graph(whole), thp.graph(state)
    assert one == two and np.allclose(one.weight, two.weight, rtol=1e-9)
    assert told(state) == pytest.approx(told(whole))
    assert len(state.waiting.time) < 10, "events are not kept"
    assert np.array_equal(one.adj, truth.align(one.nodes).adj)
    assert one.explain(*one.edges[0])["z"] > 3
    assert np.array_equal(one.adj, cn.discover(events, "thp").align(one.nodes).adj), "and that of the likelihood"


def test_the_delay_is_read_from_as_many_events_as_settle_it(tmp_path: Path) -> None:
    """Effects after 60 s, where devices are so many that the first events tell half of it."""
    rng = np.random.default_rng(0)
    log = AlarmSystem.draw(rng, 30, 500).log(12_000, rng, seconds=10_000.0)
    frame, start = log.frame(), thp.init(topology=log.topology)
    first = thp.step(start, frame.head(7000))
    assert first.poll == 0 and first.decay is None and told(first)["waiting"] == 7000 - first.twice
    assert thp.graph(thp.step(start, frame.head(2000))).meta["delay_seconds"] < 42
    state = thp.step(thp.load(thp.save(first, tmp_path / "s.npz")), frame.tail(5000))
    assert state.decay is not None and 45 < 1 / state.decay < 75
    assert state.decay == thp.step(start, frame).decay and thp.graph(first).meta["events"] == 7000 - first.twice


def test_events_that_come_in_another_order_within_the_patience_change_nothing() -> None:
    events, _ = log(4, 6000)
    frame = events.frame()
    late = frame["timestamp"] + np.random.default_rng(0).uniform(0, 500, len(frame))
    shuffled = frame.iloc[np.argsort(late.to_numpy())]
    one = thp.step(thp.init(topology=events.topology, patience=500.0), frame)
    two = cut(shuffled, thp.init(topology=events.topology, patience=500.0), 3)
    assert thp.graph(one) == thp.graph(two) and len(two.aside.time) == 0
    again = thp.step(two, frame.tail(3))  # still within the patience: known already
    assert again.twice == two.twice + 3 and thp.graph(again) == thp.graph(two)
    back = thp.step(two, frame.head(5))  # the clock jumped back
    assert len(back.aside.time) == 5 and thp.graph(back) == thp.graph(two), "set aside, and kept"


def test_a_clock_far_ahead_waits_until_the_stream_gets_there(tmp_path: Path) -> None:
    events, _ = log(4, 6000)
    frame, start = events.frame(), thp.init(topology=events.topology)
    years = frame.iloc[2500:2501].assign(timestamp=frame["timestamp"].max() + 1e9)
    spoilt = pd.concat([frame[:2500], years, frame[2500:]])
    state = thp.load(thp.save(cut(spoilt, start, 4), tmp_path / "s.npz"))
    right = thp.graph(thp.step(start, frame))
    assert thp.graph(state) == right and (told(state)["ahead"], told(state)["late"]) == (1, 0)
    assert thp.graph(thp.step(start, spoilt)) == right
    assert "was a clock wrong?" in thp.graph(state).meta["warnings"][0]
    there = thp.step(state, frame[:9].assign(timestamp=years["timestamp"].item() + np.arange(1.0, 10.0)))
    assert told(there)["ahead"] == 0 and there.newest > 1e9, "many lie there: it is the stream that leapt"
    back = thp.step(there, frame[100:102])
    assert told(back)["late"] == 2 and "2 events came late" in thp.graph(back).meta["warnings"][0]


def test_noise_gives_no_edges_and_new_names_join() -> None:
    events, _ = log(5, 6000)
    frame = events.frame()
    frame["event"] = np.random.default_rng(1).permutation(frame["event"])
    assert not thp.graph(thp.step(thp.init(topology=events.topology), frame)).edges
    polled = frame.assign(timestamp=np.floor(frame["timestamp"] / 3e4) * 3e4)
    assert not thp.graph(thp.step(thp.init(), polled)).edges
    assert "begin a state with poll" in thp.graph(thp.step(thp.init(poll=0), polled)).meta["warnings"][0]
    state = thp.step(thp.init(["a"], decay=0.1), pd.DataFrame({"event": ["b"], "timestamp": [0.0], "device": ["x"]}))
    rng = np.random.default_rng(2)
    causes = np.sort(rng.uniform(10, 50_000, 400))
    rows = [("c", t, "y") for t in causes] + [("d", t + rng.exponential(8), "y") for t in causes]
    more = pd.DataFrame(sorted(rows, key=lambda r: r[1]), columns=["event", "timestamp", "device"])
    state = cut(more, state, 4, 100)
    graph = thp.graph(state)
    assert graph.nodes == ("a", "b", "c", "d") and list(graph.edges) == [("c", "d")]
    hard = cn.Knowledge(forbidden=[("c", "d")], required=[("a", "b")])
    assert list(thp.graph(cut(more, thp.init(decay=0.1, knowledge=hard), 4, 100)).edges) == [("a", "b")]


def test_a_stream_that_changes_drifts_and_the_old_is_forgotten() -> None:
    (one, _), (two, truth) = log(6, 20_000), log(7, 20_000)
    old, new = one.frame(), two.frame()
    gap = old["timestamp"].max() - new["timestamp"].min() + 1
    new["timestamp"] += gap
    state = thp.step(thp.init(topology=two.topology, half_life=2e5), old)
    assert state.drift.alarms == 0 and np.isfinite(state.drift.scores).all()
    state = thp.step(state, new.head(10_000))
    assert state.drift.alarms > 0
    kept = thp.step(thp.step(thp.init(topology=two.topology), old), new)
    forgot = thp.step(state, new.tail(10_000))

    def f1(graph: cn.Graph) -> float:
        return float(cn.score(truth.align(graph.nodes), graph)["f1"])

    assert f1(thp.graph(forgot)) > max(0.8, f1(thp.graph(kept)))


def test_an_incident_is_read_with_the_state_of_the_stream(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    links = nx.path_graph(["x", "y", "z"])
    a = np.sort(rng.uniform(0, 1e6, 600))
    rows = [("a", t, "xyz"[k % 3]) for k, t in enumerate(a)] + [
        ("b", t + rng.exponential(60), "xyz"[k % 3]) for k, t in enumerate(a) if k % 2
    ]
    rows += [("c", t, "xyz"[k % 3]) for k, t in enumerate(rng.uniform(0, 1e6, 300))]
    frame = pd.DataFrame(sorted(rows, key=lambda r: r[1]), columns=["event", "timestamp", "device"])
    state = thp.step(thp.init(topology=links, decay=1 / 60), frame)
    now = pd.DataFrame([("c", 0, "z"), ("a", 10, "x"), ("b", 40, "x")], columns=["event", "timestamp", "device"])
    found = cn.root_causes(state, now)
    assert (found[0].device, found[0].type) == ("x", "a") and found[0].explains > 1.9
    assert [one.type for one in found.noise] == ["c"]
    model = stream_model(state)
    assert model.alpha.sum() == pytest.approx(0.5, abs=0.1), "every other a has a b"
    assert model.background[model.types.index("c")] == pytest.approx(300 / 1e6 / 3, rel=0.2)
    thp.save(state, tmp_path / "s.npz")
    now.to_csv(tmp_path / "now.csv", index=False)
    done = CliRunner().invoke(app, ["rca", str(tmp_path / "s.npz"), str(tmp_path / "now.csv"), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["ranked"][0]["type"] == "a"


def test_what_is_wrong_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(cn.DataError, match="no event yet"):
        thp.graph(thp.init())
    with pytest.raises(cn.DataError, match="half_life is 0"):
        thp.init(half_life=0)
    with pytest.raises(cn.DataError, match="'device' is missing"):
        thp.step(thp.init(), pd.DataFrame({"event": ["a"], "timestamp": [1.0]}))
    frame = pd.DataFrame({"event": ["a", None], "timestamp": [1.0, 2.0], "device": ["x", "x"]})
    with pytest.raises(cn.DataError, match="'event' is empty in row 2"):
        thp.step(thp.init(), frame)
    state = thp.step(thp.init(decay=1.0), frame.head(1))
    path = thp.save(state, tmp_path / "s.npz")
    header, arrays = checkpoint.read(path, SAVED)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(cn.DataError, match="cut short"):
        thp.load(path)
    old = {name: a for name, a in arrays.items() if not name.startswith("sums.tied")}
    checkpoint.write(path, {k: x for k, x in header.items() if k != "poll"} | {"version": 1}, old, SAVED)
    assert thp.graph(thp.step(thp.load(path), frame.head(1))) == thp.graph(thp.step(state, frame.head(1)))
    checkpoint.write(path, header | {"version": 3}, arrays, SAVED)
    with pytest.raises(cn.DataError, match="version 3, and this causalnet reads version 2"):
        thp.load(path)
    del arrays["sums.gram"]
    checkpoint.write(path, header, arrays, SAVED)
    with pytest.raises(cn.DataError, match="no whole state of a stream"):
        thp.load(path)


def test_what_does_not_fit_into_memory_is_refused_first(monkeypatch: pytest.MonkeyPatch) -> None:
    events, _ = log(4, 3000)
    monkeypatch.setattr(memory, "room", lambda: 1e4)
    with pytest.raises(cn.DataError, match=r"the effects that 3,.* events feel .*causalnet watch"):
        thp.learn(events, rng=np.random.default_rng(0), decay=1 / 60)
    with pytest.raises(cn.DataError, match=r"the sums of a stream of 200 types on 0 devices take about"):
        thp.init([f"t{k}" for k in range(200)])


@pytest.mark.parametrize("poll", [0, 30])
def test_what_chance_gains_over_two_hops_is_below_its_law_and_near_it(poll: int) -> None:
    """Independent types on a ring, 600 pairs: half the sum of the squares of the positive z of both hops."""
    rng, n, v = np.random.default_rng(0), 20_000, 25
    time = np.sort(rng.uniform(0, 2e5, n))
    frame = pd.DataFrame({"event": rng.integers(v, size=n), "device": rng.integers(10, size=n).astype(str)})
    frame["timestamp"] = np.ceil(time / poll) * poll if poll else time
    links = nx.relabel_nodes(nx.cycle_graph(10), str)
    _, found = fitted(thp.step(thp.init(topology=links, decay=1 / 60, poll=poll), frame))
    gain = np.maximum(found.z[~np.eye(v, dtype=bool)], 0.0) ** 2 / 2
    for nats in (0.5, 1.0, 2.0):
        law = 0.5 * chi2.sf(2 * nats, 1) + 0.25 * chi2.sf(2 * nats, 2)
        assert 0.4 * law < (gain > nats).mean() < 1.2 * law
    assert not found.adj.any()


def test_the_last_trace_of_a_cause_is_no_effect() -> None:
    """Two types on devices of their own, and once on one, eleven delays apart; a third one belongs to the second."""
    rng, n = np.random.default_rng(0), 400
    at = rng.uniform(0, 1e7, n)
    rows = [("b", t, "y") for t in at] + [("c", t - rng.exponential(60.0), "y") for t in at]
    rows += [("a", 0.0, "x"), ("c", 600.0, "x"), ("b", 660.0, "x")]
    frame = pd.DataFrame(rows, columns=["event", "timestamp", "device"]).sort_values("timestamp")
    state = thp.step(thp.init(decay=1 / 60, poll=0, hops=(0,)), frame)
    assert list(thp.graph(state).edges) == [("c", "b")]


def test_polled_storms_are_no_causes() -> None:
    """Independent types, and at times half of them together on a device and all around it."""
    rng, n, m = np.random.default_rng(0), 3000, 15
    links = nx.relabel_nodes(nx.star_graph(m - 1), str)
    rows = [(int(rng.integers(12)), t, str(rng.integers(m))) for t in rng.uniform(0, 2.6e6, n)]
    for t in rng.uniform(0, 2.6e6, 30):
        rows += [(int(i), t, str(k)) for i in rng.choice(12, 6, replace=False) for k in range(m)]
    frame = pd.DataFrame(rows, columns=["event", "timestamp", "device"])
    frame["timestamp"] = np.ceil(frame["timestamp"] / 300) * 300
    graph = thp.graph(thp.step(thp.init(topology=links, poll=300), frame.sort_values("timestamp")))
    assert len(graph.edges) <= 1


@pytest.mark.parametrize("poll", [1, 60, 300])
def test_ancestors_are_not_parents_of_what_their_children_cause(poll: int) -> None:
    """A chain of four and six types apart: through polls that tell whole cascades at once, no edge skips a generation."""
    rng, strength = np.random.default_rng([0, 3000]), np.zeros((10, 10))
    strength[[0, 1, 2], [1, 2, 3]] = 0.4
    names = tuple(f"type{k}" for k in range(10))
    base = np.where(strength.any(axis=0), 0.3, 1.0)
    links = nx.relabel_nodes(nx.path_graph(20), str)
    system = AlarmSystem(cn.Graph(names, strength > 0), links, strength, base / base.sum())
    frame = system.log(3000, rng).frame()
    frame["timestamp"] = np.ceil(frame["timestamp"] / poll) * poll
    graph = thp.graph(thp.step(thp.init(names, topology=links), frame))
    assert set(graph.edges) == {("type0", "type1"), ("type1", "type2"), ("type2", "type3")}


def test_devices_on_which_types_differ_are_no_causes_however_long_the_stream() -> None:
    """Independent types, each with rates of its own on every device."""
    rng, n = np.random.default_rng(0), 60_000
    rates = rng.lognormal(size=(8, 20))
    cell = rng.choice(rates.size, n, p=(rates / rates.sum()).ravel())
    frame = pd.DataFrame({"event": cell // 20, "timestamp": np.sort(rng.uniform(0, 5e5, n)), "device": cell % 20})
    for poll in (0, 60):
        frame["timestamp"] = np.ceil(frame["timestamp"] / poll) * poll if poll else frame["timestamp"]
        state = thp.step(thp.init(hops=(0,), decay=1 / 60, poll=poll), frame)
        assert not thp.graph(state).adj.any()
