"""Root causes from metrics: small call graphs by hand, simple rules beside, and frames that cannot be used."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.incidents.series import carry

CALLS = nx.DiGraph([("front", "cart"), ("front", "search"), ("cart", "db"), ("search", "db")])
NAMES = ["front", "cart", "search", "db", "mail"]


def metrics(faults: dict[str, float], seed: int = 0) -> pd.DataFrame:
    """100 quiet rows, then 5 in which each component named is so many deviations off."""
    values = np.random.default_rng(seed).standard_normal((105, len(NAMES)))
    for name, size in faults.items():
        values[100:, NAMES.index(name)] += size
    return pd.DataFrame(values, columns=NAMES)


FAULT = metrics({"db": 20.0, "cart": 12.0, "front": 30.0})


def test_an_error_runs_from_callee_to_caller() -> None:
    found = cn.root_causes(CALLS, FAULT, start=100)
    assert found[0].device == "db" and "explains cart" in found[0].because
    assert cn.root_causes(None, FAULT, CALLS, start=100).causes[0].device == "db"
    causal = cn.Graph.from_edges(NAMES, [("db", "cart"), ("cart", "front")])
    assert cn.root_causes(causal, FAULT, start=100)[0].device == "db"
    backwards = cn.Graph.from_edges(NAMES, [("front", "cart"), ("cart", "db")])
    assert cn.root_causes(backwards, FAULT, start=100)[0].device == "front"


def test_carried_is_the_widest_path() -> None:
    causes = np.zeros((4, 4), dtype=bool)
    causes[0, 1] = causes[1, 3] = causes[0, 2] = causes[2, 3] = True
    wide = carry(np.array([3.0, 1.0, 2.0, 5.0]), causes)
    np.testing.assert_array_equal(wide[0], [3.0, 1.0, 2.0, 2.0])
    np.testing.assert_array_equal(wide[3], [0.0, 0.0, 0.0, 5.0])


def test_the_alarm_that_was_seen_says_whose_fault_matters() -> None:
    two = metrics({"db": 20.0, "cart": 15.0, "mail": 80.0, "front": 8.0})
    assert cn.root_causes(CALLS, two, start=100, alarmed="front")[0].device == "db"
    assert {one.device for one in cn.root_causes(CALLS, two, start=100).causes} >= {"db", "mail"}


def test_a_component_without_a_past_is_passed_through() -> None:
    blind = FAULT.assign(cart=np.nan)
    found = cn.root_causes(CALLS, blind, start=100)
    assert found[0].device == "db" and found[0].explains > 1.5 and "cart" in found.notes[0]  # itself, and much of front
    assert cn.root_causes(CALLS, FAULT.drop(columns="cart"), start=100)[0].explains == pytest.approx(found[0].explains)


def test_nothing_stands_out_on_a_quiet_day() -> None:
    found = cn.root_causes(CALLS, metrics({}, seed=3), start=100)
    assert all(one.explains < 2 for one in found) and len(found.causes) <= 2
    flat = pd.DataFrame(np.ones((105, 5)), columns=NAMES)
    assert cn.root_causes(CALLS, flat, start=100).causes == ()


def test_simple_rules_are_rows_of_the_same_table() -> None:
    frame = cn.root_causes(CALLS, FAULT, start=100, compare=True).frame()
    best = frame.groupby("rule")["device"].first().to_dict()
    assert best == {"graph": "db", "max-z": "front", "baro": "front", "traversal": "db"}
    assert set(frame.groupby("rule").size()) == {5}


def test_a_graph_is_learned_where_none_is_given() -> None:
    found = cn.root_causes(None, FAULT, start=100)
    assert [one.device for one in found][:3] == [
        "front",
        "db",
        "cart",
    ]  # by z: its directions need not be those of errors
    assert "no graph was given" in found.notes[-1]


def test_further_levels_choose_the_series_and_columns_may_come_in_any_order() -> None:
    wide = pd.concat({("latency", "p50"): FAULT, ("errors", "sum"): metrics({"mail": 50.0})}, axis=1)
    wide.columns = pd.MultiIndex.from_tuples([(c[2], c[0], c[1]) for c in wide.columns])
    assert cn.root_causes(CALLS, wide, start=100, metric="latency")[0].device == "db"
    assert cn.root_causes(CALLS, wide, start=100, metric=("errors", "sum"))[0].device == "mail"
    both = cn.root_causes(CALLS, wide, start=100)
    assert {(o.device, o.type) for o in both.causes} >= {("db", "latency p50"), ("mail", "errors sum")}
    shuffled = cn.root_causes(CALLS, FAULT[NAMES[::-1]], start=100)
    assert shuffled.ranked == cn.root_causes(CALLS, FAULT, start=100).ranked
    with pytest.raises(cn.UnknownNameError, match="no series has the metric 'latncy'"):
        cn.root_causes(CALLS, wide, start=100, metric="latncy")


def test_what_cannot_be_used_is_refused_in_a_sentence() -> None:
    for frame, start, said in (
        (FAULT, None, "give start="),
        (FAULT, 5, "5 rows of the metrics lie before it"),
        (FAULT, 200, "0 from it on"),
        (FAULT.iloc[::-1], 100, "not in the order of time"),
        (FAULT.assign(cart="high"), 100, "the metrics cart are no numbers"),
    ):
        with pytest.raises(cn.DataError, match=said):
            cn.root_causes(CALLS, frame, start=start)
    with pytest.raises(cn.DataError, match="the call graph has no directions"):
        cn.root_causes(None, FAULT, CALLS.to_undirected(), start=100)
    with pytest.raises(cn.DataError, match="joins none of the components"):
        cn.root_causes(nx.DiGraph([("p", "q")]), FAULT, start=100)
    with pytest.raises(cn.UnknownNameError, match="alarmed is 'frnt'"):
        cn.root_causes(CALLS, FAULT, start=100, alarmed="frnt")
