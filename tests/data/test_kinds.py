"""What every kind of data answers: digests and resamples are those that folders of comparisons were written with."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.data import KINDS, Data, Interactions
from causalnet.discovery.provenance import fingerprint


def table() -> cn.Table:
    rng = np.random.default_rng(20)
    a = rng.normal(size=60)
    frame = pd.DataFrame({"a": a, "b": 2 * a + rng.normal(size=60), "c": rng.integers(0, 3, 60)})
    return cn.as_table(frame.assign(d=rng.choice(["hi", "lo"], 60)))


def real() -> cn.Table:
    mixing = np.array([[1, 0.8, 0], [0, 1, 0.5], [0, 0, 1.0]])
    return cn.as_table(pd.DataFrame(np.random.default_rng(22).normal(size=(50, 3)) @ mixing, columns=list("xyz")))


def log(wired: bool) -> cn.Events:
    rng = np.random.default_rng(21)
    event, time = rng.choice(list("pqr"), 80), np.sort(rng.uniform(0, 900, 80)).round(3)
    frame = pd.DataFrame({"event": event, "timestamp": time, "device": rng.choice(["m", "n", "o"], 80)})
    if not wired:
        return cn.Events(frame)
    return cn.Events(frame.assign(duration=rng.integers(1, 9, 80)), nx.Graph([("m", "n"), ("n", "o")]))


def actions() -> Interactions:
    counts = np.ones((3, 1, 2), dtype=int)
    return Interactions(["a", "b"], ["u"], counts, counts, unit=[0, 0, 0], variable=[0, 1, 0])


TRUTH = cn.Graph.from_edges(list("abcd"), [("a", "b"), ("c", "d")])
KNOWN = cn.Knowledge(required=[("p", "q")], roots=["p"])
DIGESTS = [  # (data set, digest of itself, of its resamples by seeds 1 and 7), written down from version 0.1.0
    (cn.Dataset("t", table(), TRUTH), "c73cbddf6ae891d0", "322916efa66bd936", "f606d314ea621d49"),
    (cn.Dataset("t", real()), "30a5e22b32cde462", "26c21b3401e7b95f", "b51b0e2954d2ea3e"),
    (cn.Dataset("w", log(True), knowledge=KNOWN), "459a74c77952f193", "d2b06242eecd5256", "cb5e3d4a60996e81"),
    (cn.Dataset("l", log(False)), "7fcbbe059e62a4fd", "099aa66abbd00e98", "cd889559a631fce3"),
]


@pytest.mark.parametrize(("dataset", "own", "one", "seven"), DIGESTS, ids=["mixed", "continuous", "wired", "loose"])
def test_fingerprints_and_resamples_stay_what_they_were(dataset: cn.Dataset, own: str, one: str, seven: str) -> None:
    assert [fingerprint(dataset.resample(seed))[:16] for seed in (0, 1, 7)] == [own, one, seven]


@pytest.mark.parametrize(("data", "backend"), [(real(), "pc"), (log(False), "thp"), (log(True), "thp")])
def test_edge_confidence_counts_the_graphs_of_resamples(data: Data, backend: str) -> None:
    found = cn.edge_confidence(data, backend, n=3, seed=4, draw="bootstrap")
    seeds = np.random.default_rng(4).integers(1, 2**31, 3)
    source = cn.Dataset("data", data)
    graphs = [cn.discover(source.resample(int(s)).data, backend, seed=int(s)) for s in seeds]
    np.testing.assert_array_equal(found.directed, np.mean([g.directed for g in graphs], axis=0))
    np.testing.assert_array_equal(found.undirected, np.mean([g.adj & g.adj.T for g in graphs], axis=0))


def test_interactions_have_a_fingerprint_and_no_resample() -> None:
    dataset = cn.Dataset("i", actions())
    assert fingerprint(dataset) == fingerprint(cn.Dataset("j", actions())) and dataset.resample(0) is dataset
    with pytest.raises(cn.NotApplicable, match=r"depend on one another and cannot be resampled; learn .* several logs"):
        dataset.resample(1)


def test_each_house_kind_is_declared_and_answers() -> None:
    assert set(KINDS) >= {"continuous", "discrete", "mixed", "events", "interactions"}
    for data in (table(), log(True), actions()):
        assert isinstance(data, Data) and isinstance(data, KINDS[data.kind]) and list(data.fingerprint_parts())
    for other in (pd.DataFrame({"kind": [1], "n": [2], "columns": [3]}), np.zeros((3, 2)), None):
        assert not isinstance(other, Data)
