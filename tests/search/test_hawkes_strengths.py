"""Edges of a stream by how strong its clear ones are."""

from __future__ import annotations

import math

import numpy as np
import pytest

import causalnet as cn
from causalnet.backends import thp
from causalnet.datasets.incidents import AlarmSystem
from causalnet.search.hawkes_contrast import LIKELY, fit_graph
from causalnet.search.hawkes_stream import fitted
from causalnet.search.hawkes_strengths import CLEAR, FEWEST, PARTS, log_odds
from causalnet.search.hawkes_target import target_of
from causalnet.stats.hawkes_sums import Moments, read


def moments_of(state: thp.State) -> Moments:
    return read(state.sums, state.clock, state.watched, state.decay, state.poll)


def streamed(seed: int) -> tuple[cn.Graph, thp.State]:
    rng = np.random.default_rng(seed)
    system = AlarmSystem.draw(rng, 60, 200)
    state = thp.step(thp.init(system.graph.nodes, topology=system.topology), system.log(20_000, rng, seconds=86_400.0))
    return system.graph, fitted(state)[0]


@pytest.fixture(scope="module")
def stream() -> tuple[cn.Graph, thp.State]:
    return streamed(33)


def test_the_odds_are_those_of_poisson_counts(stream: tuple[cn.Graph, thp.State]) -> None:
    state = stream[1]
    moments, hops, v = moments_of(state), 2, len(state.types)
    found = fit_graph(moments, hops, ~np.eye(v, dtype=bool), np.zeros((v, v), dtype=bool))
    odds = log_odds(moments, hops, found.adj, found.z, 0.1, -math.inf)
    assert odds is not None
    strengths = []
    for j, i in np.argwhere(found.adj & (found.z > CLEAR)):
        target = target_of(moments, i, hops)
        seen = target.counts(*target.fit(found.adj[:, i] & (np.arange(v) != j)))
        at = slice(j * hops, (j + 1) * hops)
        strengths.append(np.maximum(seen.excess[at], 0.0) / seen.felt[at])
    some = np.concatenate([part * np.array(strengths) for part in PARTS])
    weights = np.repeat([*PARTS.values()], len(strengths)) / len(strengths)
    i = int(np.argmax(found.adj.sum(axis=0)))
    target = target_of(moments, i, hops)
    seen = target.counts(*target.fit(found.adj[:, i]))
    for j in np.flatnonzero(~found.adj[:, i])[:20]:
        at = slice(j * hops, (j + 1) * hops)
        chance, more = seen.chance[at], some * seen.felt[at]
        x = np.maximum(chance + seen.excess[at], 0.0)
        # Poisson's law at counts that are no whole numbers, as a ratio: the factorials fall out
        ratio = weights @ np.exp((x * np.log((chance + more) / chance) - more).sum(axis=1))
        assert odds[j, i] == pytest.approx(math.log(ratio) + math.log(0.1 / 0.9), abs=1e-6)


def test_strengths_tell_edges_better_than_a_price(monkeypatch: pytest.MonkeyPatch) -> None:
    told, before = [], []
    for truth, state in map(streamed, (34, 36, 37)):
        learned = thp.graph(state)
        why = [learned.explain(a, b) for a, b in learned.edges]
        assert all(one["log_odds"] > LIKELY and "price" not in one for one in why)
        told.append(cn.score(truth, learned)["f1"])
        with monkeypatch.context() as patch:
            patch.setattr("causalnet.search.hawkes_strengths.FEWEST", 10**6)
            plain = thp.graph(state)
        assert "price" in plain.explain(*plain.edges[0])
        before.append(cn.score(truth, plain)["f1"])
    assert np.mean(told) > np.mean(before) + 0.005 and np.mean(told) > 0.93


def test_few_clear_edges_tell_no_strengths(stream: tuple[cn.Graph, thp.State]) -> None:
    moments = moments_of(stream[1])
    adj = np.zeros((60, 60), dtype=bool)
    adj[0, 1:FEWEST] = True
    assert log_odds(moments, 2, adj, np.full(adj.shape, 9.0), 0.1) is None
