"""Fitted models against laws that are known: lines, tables, logits, do(), networks to plan in."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.data import as_table, collect
from causalnet.effects import FittedModel, fit_network
from causalnet.envs import TabularEnv, TabularNetwork
from causalnet.graph import Graph

NODES = ("a", "b", "c", "d")
EDGES = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
DIAMOND = Graph.from_edges(NODES, EDGES)


def linear(n: int, rng: np.random.Generator) -> pd.DataFrame:
    a = rng.exponential(size=n)
    b = 2 * a + rng.normal(size=n)
    c = -a + rng.laplace(size=n)
    return pd.DataFrame({"a": a, "b": b, "c": c, "d": 0.5 * b + 3 * c + 1 + rng.normal(size=n)})


def categories(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    laws = {v: rng.dirichlet(np.ones(3), size=(3,) * len(DIAMOND.adj[:, j].nonzero()[0])) for j, v in enumerate(NODES)}
    codes: dict[str, np.ndarray] = {}
    for j, v in enumerate(NODES):
        given = tuple(codes[NODES[k]] for k in DIAMOND.adj[:, j].nonzero()[0])
        law = np.broadcast_to(laws[v][given], (n, 3)) if given else np.broadcast_to(laws[v], (n, 3))
        codes[v] = (law.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=2)
    return pd.DataFrame({v: np.array(["lo", "mid", "up"])[c] for v, c in codes.items()}), laws


def test_lines_answer_do_and_keep_the_shape_of_the_noise(rng: np.random.Generator) -> None:
    model = DIAMOND.fit(linear(20_000, rng))
    assert isinstance(model, FittedModel)
    # d = .5 b + 3 c + 1, b = 2 a, c = -a: E[d | do(a)] = 1 - 2 a; E[d | do(b)] = 1 + .5 b - 3 E[a]
    assert model.mean("d", do={"a": 2.0}) == pytest.approx(-3.0, abs=0.15)
    assert model.mean("d", do={"b": 2.0}) == pytest.approx(-1.0, abs=0.15)
    lift = model.mean("d", do={"b": 3.0}) - model.mean("d", do={"b": 2.0})
    assert lift == pytest.approx(
        DIAMOND.effect("b", "d", linear(20_000, rng)).mean, abs=0.05
    )  # the same draws: no noise
    rows = model.sample(20_000, seed=1)
    assert rows["a"].skew() > 1.5  # exponential, not normal
    assert np.allclose(rows.cov(), linear(20_000, rng).cov(), atol=0.8)


def test_categories_follow_the_truncated_factorisation(rng: np.random.Generator) -> None:
    frame, laws = categories(40_000, rng)
    model = DIAMOND.fit(frame)
    for at in range(3):
        exact = sum(
            laws["a"][a] * laws["c"][a, c] * laws["d"][at, c, 2] for a, c in itertools.product(range(3), range(3))
        )
        found = model.mean("d", do={"b": ["lo", "mid", "up"][at]}, state="up", n=40_000)
        assert found == pytest.approx(exact, abs=0.02)
    drawn = model.sample(40_000, seed=3)
    for v in NODES:
        shares = [f[v].value_counts(normalize=True).sort_index().to_numpy() for f in (frame, drawn)]
        assert np.abs(shares[0] - shares[1]).max() < 0.015


def test_a_category_below_a_number_is_a_logit(rng: np.random.Generator) -> None:
    x = rng.normal(size=8000)
    y = np.where(rng.random(8000) < 1 / (1 + np.exp(-2 * x)), "on", "off")
    model = Graph.from_edges(("x", "y"), [("x", "y")]).fit(pd.DataFrame({"x": x, "y": y}))
    for at in (-1.0, 0.0, 1.5):
        assert model.mean("y", do={"x": at}, state="on", n=20_000) == pytest.approx(1 / (1 + np.exp(-2 * at)), abs=0.03)


def test_rows_acted_on_and_missing_cells_are_left_out_of_a_mechanism(rng: np.random.Generator) -> None:
    frame = linear(4000, rng)
    frame["run"] = np.repeat(["plain", "b set"], 2000)
    frame.loc[2000:, "b"] = rng.normal(50, 1, 2000)
    frame.loc[2000:, "d"] = 0.5 * frame.b + 3 * frame.c + 1
    frame.loc[:99, "c"] = np.nan
    table = as_table(frame, regime="run", targets={"b set": ["b"]})
    model = DIAMOND.fit(table)
    assert model.rows.tolist() == [4000, 2000, 3900, 3900]
    assert model.mean("b", do={"a": 1.0}) == pytest.approx(2.0, abs=0.1)


def test_an_intervention_kept_up_has_its_effect_in_the_network(rng: np.random.Generator) -> None:
    frame, _ = categories(5000, rng)
    model = DIAMOND.fit(frame)
    worth = {"d": {"lo": 0.0, "mid": 0.5, "up": 1.0}}
    network = model.to_network(worth, cost={"b": 0.25})
    assert isinstance(network, TabularNetwork)
    env = TabularEnv(network, n_envs=20_000, horizon=4, seed=0)
    env.reset()
    act = np.zeros((20_000, 4), np.int64)
    act[:, 1] = 3  # b set to "up" at every step
    for _ in range(4):
        states, rewards, *_ = env.step(act)
    shares = np.bincount(states[:, 3], minlength=3) / 20_000
    told = [model.mean("d", do={"b": "up"}, state=s, n=20_000) for s in ("lo", "mid", "up")]
    assert np.abs(shares - told).max() < 0.02
    assert np.allclose(rewards[:, 1], -0.25) and set(np.unique(rewards[:, 3])) <= {0.0, 0.5, 1.0}


def test_a_network_fitted_to_its_transitions_has_their_laws() -> None:
    true = TabularNetwork.random(nx.path_graph(3), 4, gamma=0.8)
    data = collect(TabularEnv(true, n_envs=400, horizon=50), seed=1)
    near = np.zeros((3, 3), bool)
    for i, row in enumerate(true.state_parents or ()):
        near[list(row), i] = True
    fitted = fit_network(data, gamma=0.8, influence=near)
    for i in range(3):
        order = [list(fitted.state_parents[i]).index(j) for j in true.state_parents[i]]
        moved = np.moveaxis(fitted.kernels[i], order, range(len(order)))
        assert moved.shape == true.kernels[i].shape
        assert np.abs(moved - true.kernels[i]).max() < 0.1
        assert np.abs(moved - true.kernels[i]).mean() < 0.02


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda m: m.sample(0), "n is 0"),
        (lambda m: m.sample(5, do={"z": 1.0}), "no variable 'z'"),
        (lambda m: m.sample(5, do={"a": "high"}), "do\\['a'\\]"),
        (lambda m: m.sample(5, do={"a": [1.0, 2.0]}), "one for each of the 5 rows"),
        (lambda m: m.mean("d", state="up"), "has no state"),
        (lambda m: m.to_network({"d": {}}), "bin the numbers"),
    ],
)
def test_questions_it_cannot_answer(act: object, told: str, rng: np.random.Generator) -> None:
    model = DIAMOND.fit(linear(200, rng))
    with pytest.raises(cn.CausalnetError, match=told):
        act(model)  # type: ignore[operator]


def test_graphs_and_tables_it_cannot_be_fitted_to(rng: np.random.Generator) -> None:
    frame = linear(200, rng)
    with pytest.raises(cn.CausalnetError, match="no column 'd'"):
        DIAMOND.fit(frame[["a", "b", "c"]])
    with pytest.raises(cn.CausalnetError, match="directed cycle"):
        Graph.from_edges(("a", "b", "c"), [("a", "b"), ("b", "c"), ("c", "a")]).fit(frame)
    frame.loc[5:, "b"] = np.nan
    with pytest.raises(cn.CausalnetError, match="needs 10"):
        DIAMOND.fit(frame)
