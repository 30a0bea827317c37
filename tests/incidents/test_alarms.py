"""Root causes from alarms: exact small cases, simulated cascades, and what an operator gets wrong."""

from __future__ import annotations

import warnings

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.datasets.incidents import AlarmSystem
from causalnet.incidents.declustering import kernel, spreads
from causalnet.incidents.event_model import EventModel

CHAIN = cn.Graph.from_edges(["a", "b", "c", "d"], [("a", "b"), ("b", "c")])
LINE = nx.Graph([("x", "y"), ("y", "z")])


def alarms(*rows: tuple[str, float, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["event", "timestamp", "device"])


INCIDENT = alarms(("a", 100.0, "x"), ("b", 130.0, "x"), ("c", 150.0, "y"), ("d", 160.0, "z"))


def test_a_pair_has_the_probabilities_of_the_formula() -> None:
    model = EventModel(("a", "b"), [[0, 1]], [[0.4]], [50.0], [1e-4, 2e-4], hops=(0,))
    found = cn.root_causes(model, alarms(("a", 0.0, "x"), ("b", 20.0, "x")))
    push = 0.4 / 50.0 * np.exp(-20.0 / 50.0)
    root = 2e-4 / (2e-4 + push)
    assert [(one.type, one.device) for one in found] == [("a", "x"), ("b", "x")]
    assert found[0].probability == pytest.approx(1.0)
    assert found[0].explains == pytest.approx(1.0 + (1.0 - root))
    assert (found[1].probability, found[1].explains) == (pytest.approx(root), pytest.approx(root))
    assert found[0].stands_out and not found[1].stands_out


def test_the_root_of_a_chain_explains_it_and_noise_stands_apart() -> None:
    found = cn.root_causes(CHAIN, INCIDENT, LINE)
    assert (found[0].device, found[0].type) == ("x", "a")
    assert [one.type for one in found.causes] == ["a"] and [one.type for one in found.noise] == ["d"]
    assert "a at x -> b at x" in found[0].because and "c at y" in found[0].because
    assert sum(one.explains for one in found) == pytest.approx(4.0)  # every alarm goes back to one root
    assert list(found.frame()["type"]) == [one.type for one in found] and "a at x" in repr(found)
    assert found.to_dict()["nothing_stands_out"] is False


def test_nothing_stands_out_where_nothing_hangs_together() -> None:
    found = cn.root_causes(CHAIN, alarms(("a", 0.0, "x"), ("d", 5.0, "y"), ("c", 9.0, "z")), LINE)
    assert found.causes == () and len(found) == 3 and "nothing stands out" in repr(found)


def test_an_effect_stamped_before_its_cause_is_explained_by_the_clocks() -> None:
    early = alarms(("b", 80.0, "y"), ("a", 100.0, "x"))
    with_skew, without = (cn.root_causes(CHAIN, early, LINE, skew=skew) for skew in (30.0, 0.0))
    assert with_skew[0].type == "a" and with_skew[0].explains > 1.9
    assert without.causes == ()
    same = alarms(("b", 80.0, "x"), ("a", 100.0, "x"))  # one clock: no excuse
    assert cn.root_causes(CHAIN, same, LINE, skew=30.0).causes == ()


def test_the_kernel_is_the_integral_over_the_clocks() -> None:
    lag, s, d = np.array([-40.0, 0.0, 25.0, 300.0]), 30.0, 60.0
    grid = np.linspace(-240.0, 240.0, 200_001)
    law = np.exp(-0.5 * (grid / s) ** 2) / (s * np.sqrt(2 * np.pi))
    shifted = lag[:, None] - grid
    exact = (np.where(shifted >= 0, np.exp(-np.maximum(shifted, 0) / d) / d, 0.0) * law).sum(axis=1) * (
        grid[1] - grid[0]
    )
    found = kernel(lag, np.full(4, d), np.full(4, s))
    np.testing.assert_allclose(found, exact, rtol=1e-3)
    np.testing.assert_allclose(kernel(lag, np.full(4, d), np.zeros(4)), np.where(lag >= 0, np.exp(-lag / d) / d, 0.0))


def test_effects_spread_evenly_over_the_devices_at_a_distance() -> None:
    here, near = spreads(LINE, ["x", "y", "z", "lost"], (0, 1))
    np.testing.assert_array_equal(here.toarray(), np.eye(4))
    np.testing.assert_array_equal(near.toarray(), [[0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 1, 0, 0], [0, 0, 0, 0]])


def test_order_of_rows_and_names_do_not_matter() -> None:
    first = cn.root_causes(CHAIN, INCIDENT, LINE)
    with pytest.warns(UserWarning, match="not in order"):
        again = cn.root_causes(CHAIN, INCIDENT.iloc[::-1], LINE)
    assert again.ranked == first.ranked
    other = cn.root_causes(CHAIN.align(["d", "c", "b", "a"]), INCIDENT.rename(columns={"event": "alarm_id"}), LINE)
    assert [(o.type, o.device) for o in other] == [(o.type, o.device) for o in first]


# ---- fitted models ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def system() -> tuple[AlarmSystem, EventModel]:
    rng = np.random.default_rng(7)
    drawn = AlarmSystem.draw(rng)
    return drawn, EventModel.fit(drawn.log(20_000, rng), drawn.graph)


def test_a_fit_finds_the_rates_that_made_the_log(system: tuple[AlarmSystem, EventModel]) -> None:
    drawn, model = system
    true = np.array([drawn.strength[j, v] for j, v in model.edges])
    weight = drawn.base[model.edges[:, 0]] > 0.02  # an edge that hardly ever had a cause is hardly known
    assert np.abs(model.alpha.sum(axis=1) - true)[weight].max() < 0.1
    assert np.median(model.delay) == pytest.approx(60.0, rel=0.1)
    assert np.average(model.alpha[:, 1] / model.alpha.sum(axis=1), weights=true) == pytest.approx(0.4, abs=0.05)


def test_a_model_comes_back_from_its_file(system: tuple[AlarmSystem, EventModel], tmp_path) -> None:
    drawn, model = system
    back = EventModel.load(model.save(tmp_path / "model.json"))
    assert back.to_dict() == model.to_dict()
    seen, _ = drawn.incident(np.random.default_rng(0))
    assert cn.root_causes(back, seen) == cn.root_causes(model, seen)
    (tmp_path / "old.json").write_text('{"format": "causalnet.event-model/0"}')
    with pytest.raises(cn.DataError, match=r"event-model/1.*event-model/0"):
        EventModel.load(tmp_path / "old.json")
    (tmp_path / "cut.json").write_text((tmp_path / "model.json").read_text()[:200])
    with pytest.raises(cn.DataError, match=r"cut\.json cannot be read"):
        EventModel.load(tmp_path / "cut.json")
    (tmp_path / "part.json").write_text('{"format": "causalnet.event-model/1", "types": ["a"]}')
    with pytest.raises(cn.DataError, match="lacks 'edges'"):
        EventModel.load(tmp_path / "part.json")


@pytest.mark.parametrize(("roots", "noise", "asked"), [(1, 0, 0.95), (2, 5, 0.85)])
def test_true_roots_come_first_under_skew(roots: int, noise: int, asked: float) -> None:
    hits = []
    for seed in range(4):
        rng = np.random.default_rng(500 + seed)
        drawn = AlarmSystem.draw(rng)
        for model in (EventModel.fit(drawn.log(5000, rng), drawn.graph), drawn.graph):
            for _ in range(10):
                seen, truth = drawn.incident(rng, roots=roots, noise=noise, skew=30.0, least=3)
                found = cn.root_causes(model, seen)
                hits.append({(one.device, one.type) for one in found.ranked[:roots]} == set(truth))
    assert np.mean(hits) >= asked


# ---- bad input --------------------------------------------------------------------------------------------------


def test_strangers_are_named_and_kept() -> None:
    odd = pd.concat([INCIDENT, alarms(("smoke", 170.0, "w"))])
    with pytest.warns(UserWarning, match="no type of the model|no device of the topology") as told:
        found = cn.root_causes(CHAIN, odd, LINE)
    assert "smoke: no type of the model" in found.notes[0] and "w: no device of the topology" in found.notes[1]
    assert [str(w.message) for w in told] == list(found.notes)
    assert (found[0].device, found[0].type) == ("x", "a") and ("w", "smoke") in [(o.device, o.type) for o in found]
    with pytest.raises(cn.UnknownNameError, match="knows none of the alarms' types: smoke"):
        cn.root_causes(CHAIN, alarms(("smoke", 1.0, "w")))


def test_duplicates_and_repeats_count_once() -> None:
    twice = pd.concat([INCIDENT, INCIDENT.iloc[:1], alarms(("a", 170.0, "x"))]).sort_values("timestamp")
    found = cn.root_causes(CHAIN, twice, LINE)
    assert "1 of 6 alarms are there twice" in found.notes[0] and "1 of 6 alarms repeat" in found.notes[1]
    assert found.ranked == cn.root_causes(CHAIN, INCIDENT, LINE).ranked


def test_what_cannot_be_used_is_refused_in_a_sentence() -> None:
    with pytest.raises(cn.DataError, match="the incident has no alarms"):
        cn.root_causes(CHAIN, INCIDENT.iloc[:0])
    with pytest.raises(cn.DataError, match="an EventModel, the state of a watched stream, or a Graph"):
        cn.root_causes(None, INCIDENT)
    with pytest.raises(cn.DataError, match="skew is -1"):
        cn.root_causes(CHAIN, INCIDENT, skew=-1)
    with pytest.raises(cn.DataError, match="the topology is directed"):
        cn.root_causes(CHAIN, INCIDENT, nx.DiGraph([("x", "y")]))
    with pytest.raises(cn.DataError, match="types that the graph lacks: d"):
        EventModel.fit(cn.Events(INCIDENT), cn.Graph.from_edges(["a", "b", "c"], [("a", "b")]))
    with pytest.raises(cn.DataError, match="delay holds a number that is not above 0"):
        EventModel(("a", "b"), [[0, 1]], [[0.4]], [0.0], [1e-4, 2e-4], hops=(0,))


def test_a_graph_of_both_directions_and_one_without_edges_work() -> None:
    loop = cn.Graph.from_edges(["a", "b", "c", "d"], [("b", "c")], undirected=[("a", "b")])
    found = cn.root_causes(loop, INCIDENT, LINE)
    assert sum(one.explains for one in found) == pytest.approx(4.0) and found[0].type == "a"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cn.root_causes(cn.Graph.from_edges(["a", "b", "c", "d"]), INCIDENT).causes == ()


@pytest.mark.parametrize("backend", ["thp", "att-bic"])
def test_graphs_of_either_backend_serve_as_they_are(backend: str) -> None:
    rng = np.random.default_rng(2)
    drawn = AlarmSystem.draw(rng, n_types=6, n_devices=8, strength=(0.6, 0.9))
    log = drawn.log(2000, rng)
    if backend == "thp":
        graph = cn.discover(log, "thp")
    else:
        seen = np.array([[[1, 0]], [[1, 1]], [[1, 2]], [[0, 0]]])
        repairs = {"before": seen[:-1], "after": seen[1:], "unit": [0, 0, 0], "variable": [0, 0, 0]}
        graph = cn.discover(cn.Interactions(["type0", "type1"], ["device0"], **repairs), "att-bic")
    pair = alarms(("type0", 0.0, "device0"), ("type1", 10.0, "device0"))
    found = cn.root_causes(graph, pair)
    assert sum(one.explains for one in found) == pytest.approx(2.0)
    assert bool(found.causes) == bool(graph.adj[graph.nodes.index("type0"), graph.nodes.index("type1")])
