"""The conformance suite: what every native backend promises, whatever it computes.

Adapters of other packages have the same promises checked on smaller problems in test_adapters.py.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from joblib.externals.loky import get_reusable_executor

import causalnet as cn
from causalnet.data import Events, Interactions, Table, as_table
from causalnet.discovery.contract import Backend
from causalnet.discovery.dispatch import discover
from causalnet.discovery.register import get, registry
from causalnet.graph import is_acyclic

NATIVE = sorted(name for name in registry() if "/" not in name)
CASES = [(name, kind) for name in NATIVE for kind in sorted(get(name).takes - {"mixed"})]


@cache
def problem(kind: str) -> Table | Events | Interactions:
    """A causes b causes c, d stands alone; strong enough for every method to see something."""
    rng = np.random.default_rng(5)
    if kind == "events":
        start = np.sort(rng.uniform(0, 4000, 150))
        device = rng.integers(0, 6, 150)
        rows = [("a", t, m) for t, m in zip(start, device, strict=True)]
        rows += [("b", t + rng.exponential(3), m) for _, t, m in rows[:120]]
        rows += [("c", t + rng.exponential(3), m) for e, t, m in rows[150:240] if e == "b"]
        rows += [("d", t, m) for t, m in zip(rng.uniform(0, 4000, 90), rng.integers(0, 6, 90), strict=True)]
        frame = pd.DataFrame(rows, columns=["event", "timestamp", "device"]).sort_values("timestamp", ignore_index=True)
        return Events(frame)
    if kind == "interactions":
        return repairs(rng)
    a = rng.uniform(-1, 1, 600)
    b = 1.2 * a + 0.5 * rng.uniform(-1, 1, 600)
    c = 1.2 * b + 0.5 * rng.uniform(-1, 1, 600)
    d = rng.uniform(-1, 1, 600)
    frame = pd.DataFrame({"a": a, "b": b, "c": c, "d": d})
    return as_table(frame if kind == "continuous" else (frame > 0).astype(int), discrete=kind == "discrete")


def repairs(rng: np.random.Generator) -> Interactions:
    """300 repairs on 2 units: an alarm a starts b, b starts c, d comes alone; a repair takes the children along."""
    now = np.zeros((2, 4), dtype=int)
    rows = []
    for _ in range(300):
        unit, variable = rng.integers(2), rng.integers(4)
        before, cleared = now.copy(), np.zeros_like(now)
        end = {0: 3, 1: 3, 2: 3, 3: 4}[variable]  # a and b take along what lies below them
        cleared[unit, variable:end] = before[unit, variable:end] if before[unit, variable] else 0
        now = now - cleared
        started = rng.poisson(0.3 * (np.array([1, 0, 0, 1])))[None] * np.ones((2, 1), dtype=int)
        started[:, 1] = rng.poisson(0.5 * (now[:, 0] + started[:, 0]))
        started[:, 2] = rng.poisson(0.5 * (now[:, 1] + started[:, 1]))
        started *= now + started < 6
        now = now + started
        rows.append((before, now, started, cleared, unit, variable))
    before, after, started, cleared, unit, variable = (np.array(part) for part in zip(*rows, strict=True))
    return Interactions(
        list("abcd"),
        ["u", "v"],
        before,
        after,
        started=started,
        cleared=cleared,
        unit=unit,
        variable=variable,
    )


Data = Table | Events | Interactions


def rename(data: Data, names: dict[str, str], order: list[str]) -> Data:
    if isinstance(data, Events):
        frame = data.frame()
        frame["event"] = frame["event"].map(names)
        return Events(frame, data.topology, [names[t] for t in order])
    if isinstance(data, Interactions):
        at = [data.variables.index(name) for name in order]
        parts = [getattr(data, part)[:, :, at] for part in ("before", "after")]
        more = {part: getattr(data, part)[:, :, at] for part in ("started", "cleared")}
        acted = [names[data.variables[k]] for k in data.variable]
        return Interactions([names[n] for n in order], data.units, *parts, unit=data.unit, variable=acted, **more)
    return as_table(data.frame()[order].rename(columns=names), discrete=data.kind == "discrete")


def learn(name: str, data: Data, **kwargs) -> cn.Graph:  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # advice on the data, not failures
        return discover(data, name, **kwargs)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_names_kinds_and_records(name: str, kind: str) -> None:
    data = problem(kind)
    g = learn(name, data)
    assert g.nodes == tuple(data.columns) == ("a", "b", "c", "d")
    assert g.meta["backend"] == name and g.meta["seconds"] >= 0 and g.meta["complete"] is True
    assert cn.Graph.from_json(g.to_json()) == g
    gives = get(name).gives
    if gives == "dag":
        assert g.is_dag
    elif gives == "cpdag":
        assert is_acyclic(g.directed)
    if g.weight is not None:
        assert np.isfinite(g.weight).all()
    assert name in {"random", "empty"} or g.skeleton[0, 1], "no backend may miss the strong a - b"


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_same_seed_same_answer_and_input_untouched(name: str, kind: str) -> None:
    data = problem(kind)
    before = data.frame().copy(deep=True)
    assert learn(name, data, seed=3) == learn(name, data, seed=3)
    pd.testing.assert_frame_equal(data.frame(), before)


@pytest.mark.parametrize(("name", "kind"), [c for c in CASES if c[0] != "random"])
def test_column_order_and_names_do_not_matter(name: str, kind: str) -> None:
    data = problem(kind)
    g = learn(name, data)
    order = ["c", "a", "d", "b"]
    names = {"a": "z w", "b": "ä<b>", "c": "0", "d": "long name"}
    moved = learn(name, rename(data, names, order))
    assert moved.nodes == tuple(names[n] for n in order)
    back = moved.replace(nodes=tuple(order)).align(g.nodes)
    assert back == g


@pytest.mark.parametrize(("name", "kind"), [c for c in CASES if get(c[0]).knowledge >= {"required", "forbidden"}])
def test_knowledge_is_never_broken(name: str, kind: str) -> None:
    data = problem(kind)
    for k in (
        cn.Knowledge(forbidden=[("a", "b"), ("b", "a")]),
        cn.Knowledge(required=[("d", "a")]),
        cn.Knowledge(tiers=[["c"], ["b"], ["a", "d"]]),
        cn.Knowledge(required=[("c", "d")], forbidden=[("a", "b")], leaves=["d"]),
    ):
        k.check(learn(name, data, knowledge=k, seed=1))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_runs_in_another_process(name: str, kind: str) -> None:
    data = problem(kind)
    there = get_reusable_executor(max_workers=1).submit(learn, name, data, seed=1).result()
    assert there == learn(name, data, seed=1)


def test_refusals_are_sentences() -> None:
    table, events = problem("continuous"), problem("events")
    with pytest.raises(cn.UnknownNameError, match="Did you mean 'notears'"):
        discover(table, "no-tears")
    with pytest.raises(cn.UnknownNameError, match=r"no parameter 'alhpa'\. Did you mean 'alpha'"):
        discover(table, "pc", alhpa=0.1)
    for bad in ({"alpha": "x"}, {"alpha": None}, {"alpha": float("nan")}, {"alpha": [0.1]}):
        with pytest.raises(cn.DataError, match=r"alpha is a finite number, such as 0\.01"):
            discover(table, "pc", **bad)
    with pytest.raises(cn.DataError, match="hops is a list"):
        discover(events, "thp", hops=-1)
    for seed in (-1, "a", 1.5):
        with pytest.raises(cn.DataError, match=r"seed is .*, and must be a whole number from 0 up"):
            discover(table, "random", seed=seed)
    with pytest.raises(cn.NotApplicable, match="this is continuous"):
        discover(table, "thp")
    with pytest.raises(cn.NotApplicable, match="this is events"):
        discover(events, "notears")
    with pytest.raises(cn.KnowledgeError, match="not a variable"):
        discover(table, "pc", knowledge=cn.Knowledge(forbidden=[("a", "bb")]))
    with pytest.raises(cn.DataError, match="max_seconds is -1, and must be a finite number above 0"):
        discover(table, "pc", max_seconds=-1)


def test_a_backend_that_breaks_the_contract_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong_names(data, *, knowledge, rng):  # type: ignore[no-untyped-def]
        return cn.Graph(("x", "y", "z", "w"), np.zeros((4, 4)))

    def breaks_knowledge(data, *, knowledge, rng):  # type: ignore[no-untyped-def]
        return cn.Graph.from_edges(data.columns, [("a", "b")])

    def deaf(data, *, knowledge, rng):  # type: ignore[no-untyped-def]
        return cn.Graph.from_edges(data.columns)

    made = {
        "wrong-names": Backend("wrong-names", wrong_names, frozenset({"continuous"}), "dag", "test"),
        "breaks": Backend(
            "breaks", breaks_knowledge, frozenset({"continuous"}), "dag", "test", frozenset({"forbidden"})
        ),
        "deaf": Backend("deaf", deaf, frozenset({"continuous"}), "dag", "test"),
        "absent": Backend("absent", deaf, frozenset({"continuous"}), "dag", "test", requires=("no_such_package",)),
    }
    monkeypatch.setattr("causalnet.discovery.register.registry", lambda: made)
    table, k = problem("continuous"), cn.Knowledge(forbidden=[("a", "b")])
    with pytest.raises(cn.CausalnetError, match="instead of the data's columns"):
        discover(table, "wrong-names")
    with pytest.raises(cn.KnowledgeError, match="a -> b is ruled out"):
        discover(table, "breaks", knowledge=k)
    with pytest.raises(cn.KnowledgeError, match="cannot honour forbidden"):
        discover(table, "deaf", knowledge=k)
    with pytest.raises(cn.NotApplicable, match="cannot stop itself"):
        discover(table, "deaf", max_seconds=1)
    with pytest.raises(cn.NotInstalled, match="not installed: pip install no_such_package"):
        discover(table, "absent")


def test_listing_needs_no_optional_package_and_names_every_native_backend() -> None:
    listed = {b.name: b for b in cn.backends()}
    assert {"pc", "order", "lingam", "notears", "thp", "granger", "att-bic", "random", "empty"} <= set(listed)
    assert all(b.summary and b.takes for b in listed.values())
    assert listed["pc"].parameters["alpha"] == 0.01


TERMS = {
    "sufficiency",
    "pseudo-sufficiency",
    "faithfulness",
    "sparsest Markov representation",
    "acyclicity",
    "missing at random",
    "linearity",
    "low rank",
    "one parent a variable",
    "additive effects",
    "no inhibition",
    "additive noise",
    "Gaussian noise",
    "non-Gaussian noise",
    "equal noise variances",
    "non-linearity or non-Gaussian noise",
    "stationarity",
    "no instantaneous effects",
    "repairs take effects along",
}


@pytest.mark.parametrize("name", sorted(registry()))
def test_says_what_it_assumes_in_the_terms_of_the_field(name: str) -> None:
    assumes = registry()[name].assumes
    assert {term.split(" (")[0] for term in assumes} <= TERMS and len(set(assumes)) == len(assumes)
    assert bool(assumes) == (name not in {"random", "empty"})
    assert next(info for info in cn.backends() if info.name == name).assumes == assumes


def test_knowledge_that_is_a_dictionary() -> None:
    with pytest.raises(cn.KnowledgeError, match=r"must be a causalnet\.Knowledge"):
        cn.discover(np.random.default_rng(0).standard_normal((30, 2)), knowledge={"required": [("x0", "x1")]})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["random", "empty"])
def test_controls_take_series_and_read_a_frame_as_a_table(name: str) -> None:
    rows = np.random.default_rng(0).standard_normal((60, 3))
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    assert discover(cn.Series(frame), name).nodes == ("a", "b", "c")
    assert discover(frame.assign(c=["x", "y"] * 30), name).meta["data"].startswith("Table")  # no series of numbers
