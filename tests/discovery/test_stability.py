"""Edge confidence: a strong edge is certain, an absent one is rare, and the seed decides."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.base.progress import Progress
from causalnet.data.moments import Moments
from causalnet.graph.confidence import Confidence


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a, c = rng.normal(size=(2, 400))
    return pd.DataFrame({"a": a, "b": a + c + 0.5 * rng.normal(size=400), "c": c, "d": rng.normal(size=400)})


def test_confidence_of_a_collider() -> None:
    conf = cn.edge_confidence(frame(), "pc", n=20, seed=1)
    i = {name: k for k, name in enumerate(conf.nodes)}
    assert conf.joined[i["a"], i["b"]] == 1 and conf.directed[i["a"], i["b"]] > 0.5
    assert conf.joined[i["c"], i["d"]] < 0.5
    assert conf.graph().edges == (("a", "b"), ("c", "b"))
    assert repr(conf) == "Confidence(4 nodes, 20 resamples, 2 pairs joined with 0.9 or more)"
    table = conf.frame()
    assert {*table.iloc[0][["a", "b"]]} <= {"a", "b", "c"} and table["p_edge"].is_monotonic_decreasing
    same = cn.edge_confidence(frame(), "pc", n=20, seed=1)
    np.testing.assert_array_equal(conf.directed, same.directed)
    with pytest.raises(cn.DataError, match="from 1 to 1000000"):
        cn.edge_confidence(frame(), n=0)


def test_events_are_resampled_too() -> None:
    rng = np.random.default_rng(3)
    base = pd.DataFrame(
        {"event": "x", "timestamp": np.sort(rng.uniform(0, 900, 120)), "device": rng.integers(0, 8, 120)}
    )
    after = base.assign(event="y", timestamp=base["timestamp"] + rng.exponential(1.0, 120))
    log = pd.concat([base, after]).sort_values("timestamp", ignore_index=True)
    conf = cn.edge_confidence(cn.Events(log), "empty", n=3)
    assert conf.nodes == ("x", "y") and conf.joined.sum() == 0


def test_interactions_are_not_resampled() -> None:
    from causalnet.data import Interactions

    counts = np.ones((3, 1, 2), dtype=int)
    told = {"before": counts, "after": counts, "unit": [0, 0, 0], "variable": [0, 1, 0]}
    data = Interactions(["a", "b"], ["u"], **told)
    with pytest.raises(cn.NotApplicable, match="cannot be resampled"):
        cn.edge_confidence(data, "att-bic", n=2)
    with pytest.raises(cn.DataError, match=r"seconds is one positive number.*got 'a'"):
        Interactions(["a", "b"], ["u"], **told, seconds="a")


def test_two_thirds_are_drawn_unless_told_otherwise() -> None:
    chosen, same, half = (  # draws asked for by name give shares
        cn.edge_confidence(frame(), "pc", n=12, seed=2, alpha=0.3, **kw)
        for kw in ({}, {"draw": "part"}, {"draw": "half"})
    )
    np.testing.assert_array_equal(chosen.frequency, same.joined)
    assert (same.frequency is None and (chosen.joined != half.joined).any()) or (chosen.directed != half.directed).any()
    assert (chosen.draw, half.draw) == ("part", "half")


def test_more_resamples_begin_with_the_same() -> None:
    few, more = (cn.edge_confidence(frame(), "pc", n=n, seed=3, draw="part").directed * n for n in (5, 8))
    assert ((more - few) > -1e-9).all() and (more - few).max() <= 3 + 1e-9


@pytest.mark.parametrize(("share", "rows"), [(0.5, 200), (2 / 3, 267)])
def test_a_part_holds_every_row_at_most_once(share: float, rows: int) -> None:
    table = cn.as_table(frame())
    one, other = (table.part(np.random.default_rng(seed), share).values for seed in (0, 1))
    assert one.shape == (rows, 4) and len(np.unique(one, axis=0)) == rows and not np.array_equal(one, other)


def test_parts_of_logs_and_of_streamed_tables() -> None:
    rng = np.random.default_rng(5)
    log = pd.DataFrame({"event": "x", "timestamp": np.arange(400.0), "device": np.arange(400) % 4})
    free, wired = cn.Events(log), cn.Events(log, nx.path_graph(4))
    assert len(free.part(rng, 0.5).devices) == 2 and free.part(rng, 0.5).n == 200
    assert wired.part(rng, 0.5).n == pytest.approx(200, abs=10) and len(wired.part(rng, 0.5).devices) == 4
    table = cn.as_table(frame())
    moments = Moments(table.columns, table.n, table.values.mean(axis=0), np.cov(table.values.T, bias=True))
    spread = np.std([moments.part(rng, 2 / 3).covariance[0, 0] for _ in range(300)])
    rows = np.std([table.part(rng, 2 / 3).values[:, 0].var() for _ in range(300)])
    assert moments.part(rng, 2 / 3).n == 267 and 0.8 < spread / rows < 1.25


def test_repeated_rows_do_not_count_as_evidence_to_a_score() -> None:
    """Ten columns that have nothing to do with one another: what is joined is chance, and in halves it is rare."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame({f"v{j}": rng.integers(0, 2 + j % 2, 400) for j in range(10)})
    half, repeated = (
        cn.edge_confidence(data, "order", n=10, draw=draw).joined.mean() for draw in ("half", "bootstrap")
    )
    assert half < repeated / 2


def test_what_cannot_be_divided_or_drawn_is_told() -> None:
    with pytest.raises(cn.NotApplicable, match="reads rows as consecutive times, which a half would tear"):
        cn.edge_confidence(frame(), "granger", draw="half")
    with pytest.raises(cn.DataError, match="draw is 'thirds'; write one of auto, bootstrap, part, half"):
        cn.edge_confidence(frame(), draw="thirds")


def test_frequencies_are_read_with_the_density_as_prior() -> None:
    """Weight 2 and a mean share of .4: k = 4 / 3; certain pairs and absent ones stay, proportions are kept."""
    votes = [
        cn.Graph.from_edges("abcde", [("a", "b"), *more])
        for more in ([("b", "c"), ("d", "e")], [("c", "b"), ("d", "e")], [("d", "e"), ("a", "e")], [("a", "d")] * 1)
    ]
    raw = Confidence.count(votes)
    density = (1 + 0.5 + 0.75 + 0.25 + 0.25) / 10
    k = 2.0 * density / (1 - density)
    found = raw.calibrate(2.0)
    assert found.joined[0, 1] == 1 and found.joined[0, 2] == 0
    assert (
        found.joined[1, 2] == pytest.approx(k * 0.5 / (0.5 + k * 0.5)) and found.directed[1, 2] == found.directed[2, 1]
    )
    assert found.joined[3, 4] == pytest.approx(k * 0.75 / (0.25 + k * 0.75))
    np.testing.assert_array_equal(found.frequency, raw.joined)
    with pytest.raises(cn.DataError, match="weight is 0"):
        raw.calibrate(0)
    whole = cn.Graph.from_edges("edcba", [("b", "c")])  # three times the odds for b - c, a third for d - e
    aided = raw.calibrate(2.0, whole=whole, worth=3.0, turn=4.0)
    assert aided.joined[0, 1] == 1 and aided.joined[0, 2] == 0
    assert aided.joined[1, 2] / (1 - aided.joined[1, 2]) == pytest.approx(3 * k)
    assert aided.joined[3, 4] / (1 - aided.joined[3, 4]) == pytest.approx(k / 3 * 0.75 / 0.25)
    assert aided.directed[1, 2] == pytest.approx(4 * aided.directed[2, 1])  # each way once, and four times by the whole
    shrunk = raw.calibrate(2.0, ~np.eye(5, dtype=bool))
    agreed = ((1 + 0.25 + 0.75 + 0.25 + 0.25) / (10 * density)) ** 2  # b and c are joined in two, once each way
    np.testing.assert_allclose(shrunk.joined, found.joined)
    assert shrunk.directed[0, 1] == pytest.approx(agreed + (1 - agreed) / 2) and shrunk.undirected.sum() == 0
    assert shrunk.directed[1, 2] == pytest.approx(found.joined[1, 2] / 2)


def test_no_edge_of_a_mixed_table_is_certain_but_those_that_are_known() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 2, (2, 400))
    table = pd.DataFrame({"a": a, "b": b, "c": 3.0 * a + rng.normal(size=400), "d": 3.0 * b + rng.normal(size=400)})
    known = cn.Knowledge(required=[("a", "c")])
    conf = cn.edge_confidence(cn.as_table(table, discrete=["a", "b"]), "pc", n=5, knowledge=known)
    assert conf.frequency is not None and conf.frequency[0, 2] == conf.frequency[1, 3] == 1.0
    assert conf.directed[0, 2] == 1.0 and 0.9 < conf.joined[1, 3] < 1.0


def test_a_direction_that_is_known_stays_certain() -> None:
    known = cn.Knowledge(required=[("a", "b")])
    conf = cn.edge_confidence(frame(), "pc", n=10, seed=1, knowledge=known)
    i = {name: k for k, name in enumerate(conf.nodes)}
    assert conf.directed[i["a"], i["b"]] == 1 and conf.directed[i["b"], i["a"]] == 0
    assert conf.directed[i["c"], i["b"]] > 0.8 and conf.joined[i["c"], i["b"]] == 1


def test_the_bound_of_stability_selection() -> None:
    """Ten columns that have nothing to do with one another: every pair that is found is false."""
    rng = np.random.default_rng(6)
    data = pd.DataFrame(rng.normal(size=(300, 10)))
    half = cn.edge_confidence(data, "pc", n=40, draw="half", alpha=0.1)
    q = np.triu(half.joined).sum()
    assert half.expected_false(0.6) == pytest.approx(q**2 / (0.2 * 45))
    assert np.triu(half.joined >= 0.6).sum() <= half.expected_false(0.6) + 3
    with pytest.raises(cn.NotApplicable, match="proved for halves of the rows"):
        cn.edge_confidence(data, "empty", n=2).expected_false()
    with pytest.raises(cn.DataError, match="threshold is"):
        half.expected_false(0.5)


def test_a_graph_tells_the_confidence_of_its_edges() -> None:
    graph, conf = cn.discover(frame(), "pc"), cn.edge_confidence(frame(), "pc", n=20, seed=1)
    told = conf.annotate(graph)
    assert told == graph and told.meta["confidence"] == {"resamples": 20, "draw": "part", "calibrated": True}
    found = told.explain("b", "a")
    assert found["confidence"] == 1 and found["confidence_direction"] == conf.directed[0, 1] and "p_value" in found
    again = cn.Graph.from_json(conf.annotate(graph.align(["d", "c", "b", "a"])).to_json())
    assert again.explain("a", "b")["confidence_direction"] == conf.directed[0, 1]
    apart = conf.joined[2, 3]
    assert told.explain("c", "d").get("confidence", 0.0) == apart and "confidence_direction" not in told.explain(
        "c", "d"
    )
    assert 'style="stroke-opacity:1.00"' in told.to_svg() and 'style="stroke-opacity' not in graph.to_svg()
    with pytest.raises(cn.UnknownNameError):
        conf.annotate(cn.Graph.from_edges(["a", "z"]))


def test_resamples_that_are_done_are_kept(tmp_path: Path) -> None:
    """Stopped after three of six, the same call learns the other three; another seed is refused."""
    states: list[Progress] = []

    def stop(state: Progress) -> None:
        states.append(state)
        if state.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cn.edge_confidence(frame(), "pc", n=6, out=tmp_path, progress=stop)
    again = cn.edge_confidence(frame(), "pc", n=6, out=tmp_path, progress=states.append)
    assert [state.done for state in states] == [0, 1, 2, 3, 3, 4, 5, 6, 7]  # the whole table last
    np.testing.assert_array_equal(again.directed, cn.edge_confidence(frame(), "pc", n=6).directed)
    with pytest.raises(cn.DataError, match="a run with other seed"):
        cn.edge_confidence(frame(), "pc", n=6, seed=1, out=tmp_path)
    states.clear()  # more resamples ask about the whole table no more
    for n, told in ((2, [0, 1, 2, 3]), (3, [3, 4])):
        cn.edge_confidence(frame(), "random", n=n, out=tmp_path / "score", progress=states.append)
        assert [state.done for state in states] == told
        states.clear()


def test_the_ends_of_a_pag_are_told_apart() -> None:
    """a -> c <- b and c <- hidden -> d: c o-> and <-> are not one thing."""
    ends = {"<-o": [[0, 3], [2, 0]], "<->": [[0, 2], [2, 0]], "<-": [[0, 1], [2, 0]], "o-o": [[0, 3], [3, 0]]}
    votes = ["<->", "<->", "<->", "<-o", "<-", "o-o"]
    conf = Confidence.count([cn.Graph.from_marks("ab", ends[kind]) for kind in votes])
    row = conf.frame().iloc[0]
    assert row["p_edge"] == 1 and row["<->"] == 0.5
    assert [round(row[kind] * 6) for kind in ("<-o", "<-", "o-o", "o->", "->")] == [1, 1, 1, 0, 0]
    assert conf.graph().to_dict()["edges"][0]["mark"] == "<->" and conf.graph(1.1).adj.sum() == 0
    back = Confidence.count([cn.Graph.from_marks("ab", ends["<-"])])
    assert back.graph().edges == (("b", "a"),) and back.frame()["<-"][0] == 1
    rng = np.random.default_rng(0)
    a, b, hidden = rng.normal(size=(3, 800))
    noise = 0.5 * rng.normal(size=(2, 800))
    data = pd.DataFrame({"a": a, "b": b, "c": a + hidden + noise[0], "d": b + hidden + noise[1]})
    found = cn.edge_confidence(data, "fci", n=5)
    assert found.kinds is not None and found.kinds["<->"][2, 3] >= 0.8 and found.graph().marks[2, 3] == 2  # type: ignore[index]


def test_experiments_stay_whole_in_resamples() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=400)
    b = 0.8 * a + rng.normal(size=400)
    b[300:] = rng.normal(2.0, 1.0, 100)
    frame = pd.DataFrame({"a": a, "b": b, "what": np.repeat(["seen", "done"], [300, 100])})
    table = cn.as_table(frame, regime="what", targets={"done": ["b"]})
    drawn = table.resample(np.random.default_rng(0))
    assert drawn.regimes is not None and drawn.regimes.sizes.tolist() == [300, 100]
    found = cn.edge_confidence(table, "pc", n=6).frame().iloc[0]
    assert found["p_edge"] == 1 and found["p_a_to_b"] >= 0.8
    assert cn.discover(table, "pc").explain("a", "b")["rule"] == "collider a -> b <- what"


def test_ends_and_directions_of_a_pag_say_the_same() -> None:
    """-> is one of the ends of a PAG, and the whole counts for one kind alone, also where it is a plain graph."""
    marks = {"->": [[0, 2], [3, 0]], "o->": [[0, 2], [1, 0]], "o-o": [[0, 1], [1, 0]]}
    votes = [cn.Graph("ab", marks=np.array(marks[kind])) for kind in ("->", "o->", "o->", "o-o")]
    for whole in (votes[1], cn.Graph.from_edges("ab", [("a", "b")])):
        found = Confidence.count(votes).calibrate(3.0, whole=whole, worth=5.0, turn=4.0)
        assert found.kinds is not None
        np.testing.assert_allclose(found.directed, found.kinds["->"])
        np.testing.assert_allclose(found.joined, sum(found.kinds.values()))
