"""Edge confidence: a strong edge is certain, an absent one is rare, and the seed decides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import causalnet as cn
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
    table = conf.frame()
    assert {*table.iloc[0][["a", "b"]]} <= {"a", "b", "c"} and table["p_edge"].is_monotonic_decreasing
    same = cn.edge_confidence(frame(), "pc", n=20, seed=1)
    np.testing.assert_array_equal(conf.directed, same.directed)
    with pytest.raises(cn.DataError, match="from 1 up"):
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


def test_halves_are_drawn_for_scores_and_bootstraps_for_tests() -> None:
    for backend, draw, other in (("order", "half", "bootstrap"), ("pc", "bootstrap", "half")):
        chosen, same, else_ = (
            cn.edge_confidence(frame(), backend, n=12, seed=2, **kwargs)
            for kwargs in ({}, {"draw": draw}, {"draw": other})
        )
        np.testing.assert_array_equal(chosen.directed, same.directed)
        assert (chosen.joined != else_.joined).any() or (chosen.directed != else_.directed).any()


def test_a_half_holds_every_row_at_most_once() -> None:
    seen = []

    def keep(data, *, knowledge, rng):  # type: ignore[no-untyped-def]
        seen.append(data.values)
        return cn.Graph.from_edges(data.columns)

    from causalnet.discovery import stability
    from causalnet.discovery.contract import Backend

    found = Backend("keep", keep, frozenset({"continuous"}), "dag", "test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("causalnet.discovery.dispatch.get", lambda name: found)
        stability.edge_confidence(frame(), "keep", n=3, draw="half")
    for values in seen:
        assert values.shape == (200, 4) and len(np.unique(values, axis=0)) == 200
    assert not np.array_equal(seen[0], seen[1])


def test_repeated_rows_do_not_count_as_evidence_to_a_score() -> None:
    """Ten columns that have nothing to do with one another: what is joined is chance, and in halves it is rare."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame({f"v{j}": rng.integers(0, 2 + j % 2, 400) for j in range(10)})
    half, repeated = (
        cn.edge_confidence(data, "order", n=10, draw=draw).joined.mean() for draw in ("half", "bootstrap")
    )
    assert half < repeated / 2


def test_only_tables_are_halved() -> None:
    log = pd.DataFrame({"event": ["x", "y"] * 4, "timestamp": np.arange(8.0), "device": 0})
    with pytest.raises(cn.NotApplicable, match="halves the rows of tables, and this is events"):
        cn.edge_confidence(cn.Events(log), "empty", draw="half")
    with pytest.raises(cn.DataError, match="draw is 'thirds'; write one of auto, bootstrap, half"):
        cn.edge_confidence(frame(), draw="thirds")


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
