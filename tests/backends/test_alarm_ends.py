"""Alarms that are cleared: what is felt of them until then, and the graphs of logs that tell it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

import causalnet as cn
from causalnet import discover
from causalnet.datasets.incidents import AlarmSystem
from causalnet.incidents.event_model import EventModel
from causalnet.stats.alarm_ends import felt, until_cleared
from causalnet.stats.hawkes_paths import Log, hop_matrices, paths_to
from causalnet.stats.hawkes_traces import trace

DECAY = np.array([0.3, 0.02])


def log_of(seed: int, n: int = 60) -> tuple[Log, np.ndarray, np.ndarray]:
    """A log of three types on three devices in a row, with ends for half of it; its kinds, and the weights (K, M, M) of its paths."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, 200, n)).astype(float)
    device, kind = rng.integers(0, 3, n).astype(np.int32), rng.integers(0, 3, n).astype(np.int32)
    lasting = np.where(rng.random(n) < 0.5, rng.integers(1, 60, n), np.inf)
    links = sp.csr_array(np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    matrices = hop_matrices(links, (0, 1), "degree")
    weight = np.stack([matrix.toarray() for matrix in matrices])
    return Log(time, device, paths_to(matrices), lasting), kind, weight


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), tie=st.sampled_from([0.0, 0.5]))
def test_traces_hold_the_effects_of_alarms_that_stand(seed: int, tie: float) -> None:
    log, kind, weight = log_of(seed)
    assert log.lasting is not None
    seen = trace(log, kind, DECAY, 3, tie)
    by_device = np.argsort(log.device, kind="stable")
    for i in range(3):
        mine = by_device[kind[by_device] == i]
        want = np.zeros((3, 2, 2, len(mine)))
        for column, e in enumerate(mine):
            for c in range(len(kind)):
                lag, reach = log.time[e] - log.time[c], weight[:, log.device[c], log.device[e]]
                if 0 < lag <= log.lasting[c]:
                    want[kind[c], :, :, column] += reach[:, None] * np.exp(-DECAY * lag)
                if lag == 0 and kind[c] != i:
                    want[kind[c], :, :, column] += tie * reach[:, None]
        found = seen.dense(i, np.arange(12))
        place = np.argsort(np.argsort(mine))  # rows of traces go by the order of the log
        assert np.allclose(found[:, place], want.reshape(12, -1), atol=1e-12)
    left = np.minimum(log.lasting, log.time[-1] - log.time)
    for q, rate in enumerate(DECAY):
        for k in range(2):
            whole = (1 - np.exp(-rate * left)) / rate * weight[k].sum(axis=1)[log.device]
            want = np.bincount(kind, whole, 3)
            assert np.allclose(seen.integral[:12].reshape(3, 2, 2)[:, k, q], want)


def test_alarms_that_never_end_are_events() -> None:
    log, kind, _ = log_of(3)
    without = trace(log._replace(lasting=None), kind, DECAY, 3, share=np.ones(3))
    never = trace(log._replace(lasting=np.full(len(kind), np.inf)), kind, DECAY, 3, share=np.ones(3))
    assert (without.integral == never.integral).all()
    for one, other in zip((*without.value, *without.event), (*never.value, *never.event), strict=True):
        assert (one == other).all()


def test_an_episode_ends_with_its_last_alarm() -> None:
    time = np.array([0.0, 5.0, 8.0, 20.0, 30.0, 40.0])
    duration = np.array([3.0, 10.0, 0.0, 4.0, np.nan, 0.0])
    kind, device = np.array([0, 0, 1, 0, 1, 0]), np.zeros(6, int)
    opens = np.array([True, False, True, True, True, True])
    lasting = until_cleared(time, duration, kind, device, opens)
    assert lasting is not None and lasting.tolist() == [15.0, np.inf, 4.0, np.inf, np.inf]
    assert until_cleared(time, np.zeros(6), kind, device, opens) is None
    apart = until_cleared(time, duration, kind, np.array([0, 1, 0, 0, 0, 0]), np.ones(6, bool))
    assert apart is not None and apart[:2].tolist() == [3.0, 10.0]


@pytest.mark.parametrize("lasting", [0.5, 30.0, 1e4, np.inf])
def test_what_is_felt_is_the_integral_of_the_kernel(lasting: float) -> None:
    found = felt(np.full(4, lasting), np.array([0, 0, 1, 1]), DECAY, 3)
    for q, rate in enumerate(DECAY):
        end = min(lasting, 60.0 / rate)
        whole = quad(lambda t, b: np.exp(-b * t), 0.0, end, (rate,), limit=200)[0]
        lag = quad(lambda t, b: t * np.exp(-b * t), 0.0, end, (rate,), limit=200)[0] / whole
        assert found.seconds[:2, q] == pytest.approx(whole, rel=1e-6) and found.lag[:2, q] == pytest.approx(
            lag, rel=1e-6
        )
        assert found.seconds[2, q] == 0.0 and found.lag[2, q] == 1.0 / rate


def standing(seed: int, n: int = 10_000) -> tuple[cn.Events, cn.Graph]:
    rng = np.random.default_rng(seed)
    system = AlarmSystem.draw(rng, 12, 30, stands=(60.0, 1200.0))
    return system.log(n, rng), system.graph


def blind(log: cn.Events) -> cn.Events:
    return cn.Events(log.frame().drop(columns="duration"), log.topology, log.types)


def test_ends_tell_causes_from_what_follows_the_same_causes() -> None:
    found = []
    for seed in range(3):
        log, truth = standing(seed)
        learned = discover(log, "thp")
        assert learned.meta["until_cleared"] is True
        assert 30.0 < learned.meta["delay_seconds"][0] < 1200.0, "the usual time from cause to effect"
        found.append([cn.score(truth, g)["precision"] for g in (learned, discover(blind(log), "thp"))])
        for a, b in learned.edges:
            why = learned.explain(a, b)
            assert sum(why["effects_by_hop"].values()) < 2.0
        model = EventModel.from_graph(learned)
        assert model.delay == pytest.approx(learned.meta["delay_seconds"][0])
    told, untold = np.mean(found, axis=0)
    assert told >= 0.95 and told > untold


def test_ends_that_say_nothing_change_nothing() -> None:
    rng = np.random.default_rng(5)
    system = AlarmSystem.draw(rng, 12, 30)
    log = system.log(5000, rng)
    frame = log.frame()
    plain = discover(log, "thp")
    assert "until_cleared" not in plain.meta
    for duration in (np.zeros(log.n), rng.exponential(20.0, log.n), np.full(log.n, np.nan)):
        frame["duration"] = duration
        told = discover(cn.Events(frame, log.topology, log.types), "thp")
        assert told.meta["until_cleared"] is False and (told.adj == plain.adj).all()
        assert told.meta["delay_seconds"] == plain.meta["delay_seconds"]


def test_ends_that_the_clock_does_not_tell_are_none() -> None:
    log, _ = standing(2, 1500)
    frame = log.frame().assign(timestamp=lambda f: f["timestamp"] + 1.7e9, duration=1e-8)
    told, plain = (
        discover(cn.Events(f, log.topology, log.types), "thp") for f in (frame, frame.drop(columns="duration"))
    )
    assert told.meta["until_cleared"] is False and (told.adj == plain.adj).all() and plain.adj.any()


def test_the_unit_of_ends_plays_no_part() -> None:
    log, _ = standing(7, 4000)
    frame = log.frame()
    slow = frame.assign(timestamp=frame["timestamp"] * 60.0, duration=frame["duration"] * 60.0)
    one, other = discover(log, "thp"), discover(cn.Events(slow, log.topology, log.types), "thp")
    assert (one.adj == other.adj).all()
    assert other.meta["delay_seconds"][0] == pytest.approx(60.0 * one.meta["delay_seconds"][0], rel=1e-3)
