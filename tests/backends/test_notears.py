"""NOTEARS: gradients, the exact lasso and the order search against brute force, recovery, knowledge, limits, warnings."""

from __future__ import annotations

import itertools
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.optimize import minimize

import causalnet as cn
from causalnet.backends.notears import follows_variance, learn, warm_up
from causalnet.data import Table, as_table
from causalnet.datasets.sem import linear_sem, random_weights
from causalnet.discovery.dispatch import discover
from causalnet.graph import is_acyclic
from causalnet.graph.random_dags import random_dag
from causalnet.search.acyclicity import expm_nonnegative, h_expm, h_logdet
from causalnet.search.least_squares_dag import (
    Effort,
    Problem,
    augmented_lagrangian,
    central_path,
    cut,
    first_order,
    order_of,
    refine,
    regress,
)
from causalnet.search.order_search import descend_by_coordinates, fit_variable, lasso, predecessors
from causalnet.search.sparse_descent import EXPM, LOGDET, Form, smooth

SEEDS = st.integers(0, 2**32 - 1)
ADVICE = "ignore:.*smaller variance.*:UserWarning"  # the problems below are on the raw scale on purpose


def sample(d: int, seed: int, n: int = 1000, family: str = "er") -> tuple[np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng([seed, d])
    adj = random_dag(d, min(4, d - 1), rng, family)
    values = linear_sem(random_weights(adj, rng), n, rng)
    return adj, pd.DataFrame(values, columns=[f"v{j}" for j in range(d)])


def problem(frame: pd.DataFrame, l1: float = 0.02) -> Problem:
    d = frame.shape[1]
    return Problem(
        np.cov(frame.to_numpy().T, bias=True), np.full((d, d), l1), ~np.eye(d, dtype=bool), np.zeros((d, d), dtype=bool)
    )


def shd(a: np.ndarray, b: np.ndarray) -> int:
    wrong = a != b
    return int(np.triu(wrong | wrong.T, 1).sum())


def numerical(f, w: np.ndarray, step: float = 1e-6) -> np.ndarray:  # type: ignore[no-untyped-def]
    out = np.empty_like(w)
    for k in np.ndindex(*w.shape):
        e = np.zeros_like(w)
        e[k] = step
        out[k] = (f(w + e) - f(w - e)) / (2 * step)
    return out


# ---- acyclicity -------------------------------------------------------------------------------------------------


@given(SEEDS, st.integers(1, 8), st.floats(0.01, 3.0))
@settings(max_examples=40)
def test_expm_agrees_with_scipy(seed: int, d: int, size: float) -> None:
    a = size * np.random.default_rng(seed).random((d, d))
    np.testing.assert_allclose(expm_nonnegative(a), expm(a), rtol=1e-10)


@pytest.mark.parametrize("d", [2, 5, 9])
def test_gradients_against_finite_differences(d: int) -> None:
    rng = np.random.default_rng(d)
    w = rng.normal(size=(d, d)) * 0.7 / np.sqrt(d)
    np.testing.assert_allclose(h_expm(w)[1], numerical(lambda x: h_expm(x)[0], w), rtol=1e-5, atol=1e-7)
    h, gradient, inside = h_logdet(w, 1.5)
    assert inside
    assert h == pytest.approx(d * np.log(1.5) - np.linalg.slogdet(1.5 * np.eye(d) - w * w)[1])
    np.testing.assert_allclose(gradient, numerical(lambda x: h_logdet(x, 1.5)[0], w), rtol=1e-5, atol=1e-7)
    root = rng.normal(size=(d, d))
    for kind in (EXPM, LOGDET):
        args = (root @ root.T, Form(kind, 0.7, 1.5, 0.3, 2.0))
        np.testing.assert_allclose(
            smooth(w, *args)[1], numerical(lambda x, a=args: smooth(x, *a)[0], w), rtol=1e-5, atol=1e-6
        )


def test_h_is_zero_exactly_for_dags_and_positive_on_cycles() -> None:
    rng = np.random.default_rng(0)
    w = np.triu(rng.normal(size=(6, 6)), 1)
    assert h_expm(w)[0] == pytest.approx(0.0, abs=1e-12) and h_logdet(w, 1.0)[0] == pytest.approx(0.0, abs=1e-12)
    w[4, 1] = 0.3
    w[1, 4] = 0.4
    assert h_expm(w)[0] > 1e-3 and h_logdet(w, 1.0)[0] > 1e-3


def test_outside_the_m_matrices_log_det_says_so() -> None:
    w = np.array([[0.0, 1.1], [1.0, 0.0]])  # spectral radius of W o W above 1
    assert h_logdet(w, 1.0)[0] == np.inf and not h_logdet(w, 1.0)[2]


# ---- the discrete part ------------------------------------------------------------------------------------------


@given(SEEDS, st.integers(2, 7), st.sampled_from([0.0, 0.01, 0.1, 0.5]))
@settings(max_examples=60)
def test_lasso_meets_its_optimality_conditions_from_any_start(seed: int, d: int, l1: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(50, d)) @ rng.normal(size=(d, d)) + 0.3 * rng.normal(size=(50, d))
    cov = np.cov(x.T, bias=True)
    pre = rng.random(d) < 0.7
    pre[0] = False
    penalty = np.where(rng.random(d) < 0.2, 0.0, l1)
    w = rng.normal(size=d) * (rng.random(d) < 0.5)
    value = lasso(cov, 0, pre, penalty, w)
    g = cov @ w - cov[:, 0]
    scale = 1e-7 * (1 + np.abs(cov).max())
    assert not w[~pre].any()
    assert (np.abs(g[pre]) <= penalty[pre] + scale).all()
    live = pre & (w != 0)
    np.testing.assert_allclose(g[live], -np.sign(w[live]) * penalty[live], atol=scale)
    assert value == pytest.approx(0.5 * cov[0, 0] - w @ cov[:, 0] + 0.5 * w @ cov @ w + penalty @ np.abs(w), abs=scale)


def best_over_all_orders(p: Problem) -> float:
    d = p.d
    best = np.inf
    for order in itertools.permutations(range(d)):
        into, pre = np.zeros((d, d)), predecessors(np.array(order), p.allowed)
        best = min(best, sum(fit_variable(p.covariance, j, p.penalty, into, pre) for j in range(d)))
    return best


@pytest.mark.parametrize("seed", range(6))
def test_refine_lowers_the_objective_and_often_reaches_the_best_order(seed: int) -> None:
    _, frame = sample(5, seed, n=200)
    p = problem(frame, 0.1)
    start = np.zeros((5, 5))
    w = refine(p, start, Effort())
    assert is_acyclic(w != 0) and p.objective(w) < p.objective(start)
    assert p.objective(w) <= best_over_all_orders(p) * 1.02
    again = refine(p, w, Effort())
    assert p.objective(again) <= p.objective(w) + 1e-9


def test_refine_from_the_continuous_answers_agree() -> None:
    _, frame = sample(8, 1)
    p = problem(frame)
    values = [p.objective(refine(p, method(p, Effort()), Effort())) for method in (central_path, augmented_lagrangian)]
    assert values[0] == pytest.approx(values[1], rel=1e-3)


def test_cut_raises_the_threshold_just_enough() -> None:
    w = np.zeros((4, 4))
    w[0, 1], w[1, 2], w[2, 0], w[3, 0], w[0, 3] = 0.9, 0.8, 0.5, 0.4, 0.7
    none = np.zeros((4, 4), dtype=bool)
    adj, used = cut(w, 0.3, none)
    assert used == pytest.approx(0.5) and is_acyclic(adj)
    assert {tuple(e) for e in np.argwhere(adj)} == {(0, 1), (1, 2), (0, 3)}
    assert not is_acyclic(w > used - 1e-9)
    required = none.copy()
    required[2, 0] = True
    adj, used = cut(w, 0.3, required)
    assert adj[2, 0] and is_acyclic(adj) and used == pytest.approx(0.8)
    assert cut(w, 0.6, none)[1] == 0.6


@given(SEEDS, st.integers(2, 7))
@settings(max_examples=40)
def test_cut_always_gives_a_dag_with_the_required_edges(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    required = np.triu(rng.random((d, d)) < 0.2, 1)
    adj, used = cut(rng.normal(size=(d, d)), 0.3, required)
    assert is_acyclic(adj) and (adj >= required).all() and used >= 0.3


def test_order_respects_what_is_required() -> None:
    w = np.zeros((3, 3))
    w[0, 1] = w[1, 2] = 1.0
    required = np.zeros((3, 3), dtype=bool)
    assert list(order_of(w, required)) == [0, 1, 2]
    required[2, 0] = True
    assert list(order_of(w, required))[-1] != 2 and list(order_of(w, required)).index(2) < 2


# ---- the backend ------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings(
    ADVICE, "ignore:the penalty l1=0.02 does not fit"
)  # which one hub of large variance brings on
@pytest.mark.parametrize("family", ["er", "sf"])
@pytest.mark.parametrize("d", [5, 10, 20])
def test_recovers_equal_variance_graphs(d: int, family: str) -> None:
    wrong = []
    for seed in range(6):
        truth, frame = sample(d, seed, family=family)
        g = discover(frame, "notears")
        assert g.is_dag and (g.weight[~g.adj] == 0).all() and (np.abs(g.weight[g.adj]) > 0.3).all()
        wrong.append(shd(truth, g.adj))
    assert np.mean(wrong) <= 0.5


@pytest.mark.filterwarnings(ADVICE)
@pytest.mark.parametrize("acyclicity", ["order", "log-det", "expm"])
@pytest.mark.parametrize("refine", [True, False])
def test_both_measures_with_and_without_refinement(acyclicity: str, refine: bool) -> None:
    truth, frame = sample(10, 4)
    g = discover(frame, "notears", acyclicity=acyclicity, refine=refine)
    assert g.is_dag and shd(truth, g.adj) <= (0 if refine else 5)
    assert (g.meta["order_sweeps"] > 0) is refine and g.meta["acyclicity"] == acyclicity


def test_continuous_solution_is_optimal_given_its_support() -> None:
    """On two variables the l1 solution is known: soft-thresholded regression of the larger on the smaller."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=500)
    frame = pd.DataFrame({"a": a, "b": 1.5 * a + rng.normal(size=500)})
    cov = np.cov(frame.to_numpy().T, bias=True)
    want = (cov[0, 1] - 0.1) / cov[0, 0]
    with pytest.warns(UserWarning, match="smaller variance"):
        g = discover(frame, "notears", l1=0.1)
    assert g.edges == (("a", "b"),) and g.weight[0, 1] == pytest.approx(want, rel=1e-9)
    with pytest.warns(UserWarning, match="smaller variance"):
        loose = discover(frame, "notears", l1=0.1, refine=False, acyclicity="expm", tol=1e-9)
    assert loose.weight[0, 1] == pytest.approx(want, rel=1e-3)


def test_objective_is_not_beaten_by_an_independent_optimiser_on_the_same_support() -> None:
    _, frame = sample(6, 3)
    p = problem(frame, 0.05)
    w = refine(p, central_path(p, Effort()), Effort())
    support = np.argwhere(w != 0)

    def objective(x: np.ndarray) -> float:
        full = np.zeros((6, 6))
        full[support[:, 0], support[:, 1]] = x
        return p.objective(full)

    other = minimize(objective, w[w != 0] * 0.9, method="Powell", options={"xtol": 1e-8, "ftol": 1e-12})
    assert p.objective(w) <= other.fun + 1e-6


@pytest.mark.filterwarnings(ADVICE)
@pytest.mark.parametrize("acyclicity", ["order", "log-det", "expm"])
def test_column_order_does_not_matter(acyclicity: str) -> None:
    _, frame = sample(10, 2)
    g = discover(frame, "notears", acyclicity=acyclicity)
    order = list(np.random.default_rng(0).permutation(frame.columns))
    h = discover(frame[order], "notears", acyclicity=acyclicity).align(g.nodes)
    assert np.array_equal(g.adj, h.adj)
    np.testing.assert_allclose(g.weight, h.weight, atol=1e-8)


@pytest.mark.filterwarnings(ADVICE)
@pytest.mark.parametrize("acyclicity", ["order", "log-det", "expm"])
@pytest.mark.parametrize("refine", [True, False])
def test_knowledge_is_never_broken(acyclicity: str, refine: bool) -> None:
    truth, frame = sample(8, 6)
    i, j = np.argwhere(truth)[0]
    known = cn.Knowledge(
        required=[(f"v{j}", f"v{i}")], forbidden=[("v0", f"v{k}") for k in range(1, 8) if k not in (i, j)]
    )
    g = discover(frame, "notears", knowledge=known, acyclicity=acyclicity, refine=refine)
    known.check(g)
    assert g.is_dag and g.adj[j, i]


def test_a_required_edge_without_effect_survives_the_threshold() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(400, 3)), columns=["a", "b", "c"])
    g = discover(frame, "notears", knowledge=cn.Knowledge(required=[("c", "a")]), standardize=True)
    assert g.edges == (("c", "a"),) and abs(g.weight[2, 0]) < 0.3
    free = np.cov(frame["c"], frame["a"], bias=True)
    rho = free[0, 1] / np.sqrt(free[0, 0] * free[1, 1])
    assert g.weight[2, 0] == pytest.approx(rho, rel=1e-6), "a required edge carries no penalty"


def test_standardised_answers_ignore_units_and_do_not_warn() -> None:
    _, frame = sample(10, 1)
    scaled = frame * np.logspace(-3, 3, 10)
    g, h = discover(frame, "notears", standardize=True), discover(scaled, "notears", standardize=True)
    assert np.array_equal(g.adj, h.adj) and g.is_dag and g.meta["standardized"] is True
    np.testing.assert_allclose(g.weight, h.weight, atol=1e-6)


def test_varsortability_warns_once_on_raw_data_only() -> None:
    _, frame = sample(10, 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        g = discover(frame, "notears")
        discover((frame - frame.mean()) / frame.std(ddof=0), "notears")
    messages = [str(w.message) for w in caught]
    assert len(messages) == 1 and "standardize=True" in messages[0]
    assert g.meta["follows_variance"] >= 0.8 and g.meta["warnings"] == messages


def test_follows_variance_counts_clear_differences() -> None:
    adj = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]], dtype=bool)
    assert follows_variance(adj, np.array([1.0, 2.0, 4.0]), 1000) == 1.0
    assert follows_variance(adj.T, np.array([1.0, 2.0, 4.0]), 1000) == 0.0
    assert follows_variance(adj, np.array([1.0, 1.01, 4.0]), 1000) == pytest.approx(2 / 3)
    assert np.isnan(follows_variance(np.zeros((3, 3), dtype=bool), np.ones(3), 1000))


@pytest.mark.filterwarnings(ADVICE, "ignore:the penalty l1:UserWarning")
def test_only_the_covariance_is_used() -> None:
    """A table with every row repeated has the same covariance: same path, same number of evaluations."""
    _, frame = sample(8, 3, n=300)
    long = pd.concat([frame] * 40, ignore_index=True)
    g, h = discover(frame, "notears"), discover(long, "notears")
    assert np.array_equal(g.adj, h.adj)
    np.testing.assert_allclose(g.weight, h.weight, atol=1e-6)
    assert h.meta["evaluations"] < 3 * g.meta["evaluations"]


@pytest.mark.filterwarnings(ADVICE)
def test_a_time_limit_leaves_a_dag_marked_incomplete() -> None:
    _, frame = sample(20, 5)
    for refine_too in (True, False):
        g = discover(frame, "notears", max_seconds=1e-9, refine=refine_too)
        assert g.is_dag and g.meta["complete"] is False
    full = discover(frame, "notears", max_seconds=300.0)
    assert full.meta["complete"] is True and np.array_equal(full.adj, discover(frame, "notears").adj)


@pytest.mark.filterwarnings(ADVICE)
@pytest.mark.parametrize("acyclicity", ["log-det", "expm"])
def test_a_time_limit_binds_on_wide_tables(acyclicity: str) -> None:
    _, frame = sample(200, 0)
    table = as_table(frame)
    warm_up("continuous")
    started = time.monotonic()
    g = learn(table, rng=np.random.default_rng(0), acyclicity=acyclicity, max_seconds=0.5)
    assert time.monotonic() - started < 15.0
    assert g.is_dag and g.meta["complete"] is False


def test_refining_a_dense_start_is_cut_short_to_a_dag() -> None:
    _, frame = sample(120, 1)
    p = problem(frame)
    dense = np.random.default_rng(0).normal(size=(120, 120))
    effort = Effort.within(0.05)
    started = time.monotonic()
    w = refine(p, dense, effort)
    assert time.monotonic() - started < 10.0
    assert is_acyclic(w != 0) and not effort.complete


@pytest.mark.filterwarnings(ADVICE)
def test_fewer_rows_than_variables_is_refused_or_survived() -> None:
    _, frame = sample(12, 2, n=8)
    with pytest.raises(cn.NotApplicable, match="rows for 12 variables"):
        discover(frame, "notears")
    g = learn(as_table(frame), rng=np.random.default_rng(0))
    assert g.is_dag and np.isfinite(g.weight).all()


@pytest.mark.filterwarnings(ADVICE, "ignore:the penalty l1:UserWarning")
def test_nearly_collinear_columns_are_survived() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=300)
    frame = pd.DataFrame({"a": a, "b": a + 1e-7 * rng.normal(size=300), "c": 1e4 * a + rng.normal(size=300)})
    for acyclicity in ("order", "log-det", "expm"):
        with pytest.warns(UserWarning, match="columns that others determine exactly: 'b' of 'a'"):
            g = discover(frame, "notears", acyclicity=acyclicity)
        assert g.is_dag and np.isfinite(g.weight).all()


def test_one_variable_and_independent_variables() -> None:
    rng = np.random.default_rng(3)
    table: Table = as_table(pd.DataFrame({"a": rng.normal(size=50)}))
    assert learn(table, rng=rng).edges == ()
    frame = pd.DataFrame(rng.normal(size=(2000, 4)), columns=list("abcd"))
    g = discover(frame, "notears")
    assert g.edges == () and g.meta["follows_variance"] is None
    assert cn.Graph.from_json(g.to_json()) == g


@pytest.mark.filterwarnings(ADVICE)
@pytest.mark.parametrize("scale", ["raw", "standardised", "mixed"])
def test_objective_is_no_worse_than_from_a_cold_start(scale: str) -> None:
    for seed, d in enumerate((5, 10, 20)):
        _, frame = sample(d, 30 + seed, n=500)
        if scale != "raw":
            frame = frame / frame.std(ddof=0)
        if scale == "mixed":
            frame = frame * np.exp(np.random.default_rng(seed).normal(size=d))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            warm, cold = (discover(frame, "notears", acyclicity=way).meta["objective"] for way in ("order", "log-det"))
        assert warm <= cold * (1 + 1e-9)


@pytest.mark.filterwarnings(ADVICE)
def test_wide_raw_tables_are_recovered_from_the_order() -> None:
    for family in ("er", "sf"):
        truth, frame = sample(100, 3, family=family)
        g = discover(frame, "notears")
        assert g.is_dag and shd(truth, g.adj) <= 3


def test_first_order_lowers_the_loss_that_prices_parents() -> None:
    """Not above the DAG that the data come from, scored by n s2 / sigma2 + 2 |P| ln n with noise of variance one."""
    truth, frame = sample(15, 2)
    p = problem(frame)
    w = first_order(p, Effort(), len(frame))

    def score(dag: np.ndarray) -> float:
        rest = np.eye(15) - regress(p.covariance, dag)
        return float(len(frame) * np.trace(rest.T @ p.covariance @ rest) + 2 * dag.sum() * np.log(len(frame)))

    assert is_acyclic(w != 0) and score(w != 0) <= score(truth.astype(bool)) + 1e-6


@pytest.mark.parametrize("l1", [0.02, 0.5])
def test_coordinates_and_active_set_agree(l1: float) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 45)) @ (np.eye(45) + 0.3 * rng.normal(size=(45, 45)))
    cov, pre = np.cov(x.T, bias=True), np.arange(45) != 7
    price, start, other = np.full(45, l1), np.zeros(45), np.zeros(45)
    descend_by_coordinates(cov, 7, pre, price, start)
    lasso(cov, 7, pre, price, other)
    np.testing.assert_allclose(start, other, atol=1e-3)
    assert start[7] == 0.0


@pytest.mark.parametrize("unit", [1e-4, 0.01, 1.0, 100.0, 1e4])
def test_units_leave_the_graph_or_a_warning_names_the_penalty(unit: float) -> None:
    rng = np.random.default_rng(0)
    market = rng.normal(0, 1.0, 1500)
    frame = pd.DataFrame(
        {"m": market, "a": 0.9 * market + rng.normal(size=1500), "b": 0.9 * market + rng.normal(size=1500)}
    )
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        g, h = discover(frame, "notears"), discover(unit * frame, "notears")
    named = [note for note in h.meta["warnings"] if "l1=0.02" in note and "standardize=True" in note]
    assert set(g.edges) == {("m", "a"), ("m", "b")} and bool(named) is (unit < 1)
    assert unit < 1 or g.edges == h.edges


@pytest.mark.filterwarnings(ADVICE)
def test_evidence_holds_the_weight() -> None:
    _, frame = sample(6, 1)
    g = discover(frame, "notears")
    a, b = g.edges[0]
    found = g.explain(a, b)
    assert found["kept"] and abs(found["weight"]) > found["threshold"] == 0.3


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"l1": -0.1}, "l1 is -0.1, and must be a finite number from 0 up"),
        ({"threshold": float("nan")}, "threshold is a finite number"),
        ({"tol": 0.0}, "tol is 0.0, and must be a number strictly between 0 and 1"),
        ({"acyclicity": "logdet"}, "Did you mean 'log-det'"),
    ],
)
def test_wrong_parameters_are_answered_with_a_sentence(wrong: dict[str, object], sentence: str) -> None:
    _, frame = sample(3, 0)
    with pytest.raises(cn.CausalnetError, match=sentence):
        discover(frame, "notears", **wrong)
