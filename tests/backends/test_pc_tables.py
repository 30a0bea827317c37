"""pc on the tables that people have: mixed, with holes, short, with hubs; and that only their content matters."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.backends import pc
from causalnet.data import Table, as_table
from causalnet.errors import DataError
from causalnet.graph.meek import cpdag
from causalnet.graph.metrics import shd
from causalnet.stats.degenerate_gaussian import as_blocks, likelihood_ratio
from causalnet.stats.independence import chi_square, fisher_z

RNG = np.random.default_rng(0)
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def sample(
    rng: np.random.Generator, d: int, degree: float, n: int, kind: str = "continuous"
) -> tuple[Table, np.ndarray]:
    """A linear model cut into 2 to 4 states where discrete, every variable of variance 1 when it is drawn; its DAG."""
    dag = np.triu(rng.random((d, d)) < degree / (d - 1), 1)
    weight = dag * rng.uniform(0.4, 0.9, (d, d)) * rng.choice([-1, 1], (d, d))
    discrete = {"continuous": np.zeros(d, bool), "discrete": np.ones(d, bool), "mixed": np.arange(d) % 2 == 1}[kind]
    values = rng.standard_normal((n, d))
    for j in range(d):
        values[:, j] += values[:, :j] @ weight[:j, j]
        values[:, j] /= values[:, j].std()
        if discrete[j]:
            states = rng.integers(2, 5)
            values[:, j] = np.digitize(values[:, j], np.quantile(values[:, j], np.arange(1, states) / states))
    order = rng.permutation(d)
    columns = tuple(f"v{k}" for k in range(d))
    levels = tuple(tuple(range(int(values[:, k].max()) + 1)) if discrete[k] else None for k in order)
    return Table(columns, values[:, order], discrete[order], levels), dag[np.ix_(order, order)]


def with_holes(table: Table, rng: np.random.Generator, share: float) -> Table:
    missing = rng.random(table.values.shape) < share
    return Table(table.columns, np.where(missing, np.nan, table.values), table.discrete, table.levels)


# ---- mixed, nonlinear -------------------------------------------------------------------------------------


def test_a_mixed_table_is_learnt_and_its_evidence_is_the_test_alone() -> None:
    rng, right = np.random.default_rng(0), []
    for _ in range(5):
        table, dag = sample(rng, 8, 2.0, 3000, "mixed")
        graph = pc.learn(table, rng=RNG)
        right.append((graph.skeleton == (dag | dag.T)).mean())
    assert np.mean(right) > 0.94
    assert graph.meta["ci_test"] == "mixed"
    blocks = as_blocks(table.values, table.discrete, None)
    for (i, a), (j, b) in itertools.combinations(enumerate(table.columns), 2):
        why = graph.explain(a, b)
        given = np.array([table.columns.index(name) for name in why["given"]], np.int64)
        statistic, df, _ = likelihood_ratio(blocks, i, j, given)
        assert (why["statistic"], why["df"]) == (pytest.approx(statistic), df)
        assert "n" not in why


def test_rcit_joins_a_number_with_its_modulus() -> None:
    rng = np.random.default_rng(1)
    x, z = rng.standard_normal((2, 400))
    table = as_table(pd.DataFrame({"x": x, "y": np.abs(x) + 0.2 * rng.standard_normal(400), "z": z}))
    assert not pc.learn(table, rng=np.random.default_rng(0)).skeleton.any()
    graph = pc.learn(table, rng=np.random.default_rng(0), ci_test="rcit")
    assert graph.undirected == (("x", "y"),)
    assert graph == pc.learn(table, rng=np.random.default_rng(0), ci_test="rcit")
    assert "statistic" not in graph.explain("x", "y")


# ---- missing cells, few rows ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["continuous", "discrete", "mixed"])
def test_missing_cells_cost_little_and_every_test_tells_its_rows(kind: str) -> None:
    rng, whole, holed = np.random.default_rng(2), [], []
    for _ in range(4):
        table, dag = sample(rng, 10, 2.0, 1500, kind)
        truth, gaps = cpdag(dag), with_holes(table, rng, 0.1)
        whole.append(shd(pc.learn(table, rng=RNG).adj, truth))
        graph = pc.learn(gaps, rng=RNG)
        holed.append(shd(graph.adj, truth))
    assert np.mean(holed) <= 1.5 * np.mean(whole) + 2
    lacking = np.isnan(gaps.values)
    assert graph.meta["missing"]["cells"] == lacking.sum()
    for (i, a), (j, b) in itertools.combinations(enumerate(table.columns), 2):
        why = graph.explain(a, b)
        given = [table.columns.index(name) for name in why["given"]]
        rows = ~lacking[:, [i, j, *given]].any(axis=1)
        assert why["n"] == rows.sum()
        part = gaps.values[rows]
        if kind == "continuous":
            assert why["statistic"] == pytest.approx(fisher_z(np.corrcoef(part.T), int(rows.sum()), i, j, given)[0])
        elif kind == "discrete":
            codes = np.nan_to_num(part).astype(np.int32)
            assert why["statistic"] == pytest.approx(chi_square(codes, i, j, given)[0])


def test_a_missing_category_may_be_one_of_its_own() -> None:
    rng = np.random.default_rng(3)
    table, _ = sample(rng, 5, 2.0, 800, "discrete")
    told = table.values[:, 0] > 0  # which cells are missing tells of another column
    values = table.values.copy()
    values[told & (rng.random(800) < 0.5), 1] = np.nan
    gaps = Table(table.columns, values, table.discrete, table.levels)
    assert pc.learn(gaps, rng=RNG, missing="category").skeleton[0, 1]
    assert "category" in pc.learn(gaps, rng=RNG, missing="category").meta["missing"]["how"]
    with pytest.raises(DataError, match="'v1' and missing='refuse'"):
        pc.learn(gaps, rng=RNG, missing="refuse")
    with pytest.raises(DataError, match="missing"):
        pc.learn(gaps, rng=RNG, missing="mean")


def test_a_table_with_fewer_rows_than_columns_is_learnt_with_a_warning() -> None:
    table, _ = sample(np.random.default_rng(4), 40, 2.0, 25)
    with pytest.warns(UserWarning, match="fewer rows"):
        graph = pc.learn(table, rng=RNG)
    assert graph.skeleton.any()
    assert "fewer rows (25) than columns (40)" in graph.meta["warnings"][0]
    full = np.random.default_rng(0).standard_normal((6, 1)) + 0.01 * np.random.default_rng(1).standard_normal((6, 6))
    with pytest.warns(UserWarning, match="more than 2 columns were not tried"):
        pc.learn(Table(tuple("abcdef"), full, np.zeros(6, bool), (None,) * 6), rng=RNG, alpha=0.9)


@pytest.mark.filterwarnings("ignore:column")
@pytest.mark.parametrize("test", ["fisher-z", "mixed", "rcit"])
def test_sums_of_columns_are_named_and_never_break_the_search(test: str) -> None:
    values = np.random.default_rng(5).standard_normal((100, 5))
    values[:, 4] = values[:, 0] + values[:, 1] - values[:, 2]
    table = Table(tuple("abcde"), values, np.zeros(5, bool), (None,) * 5)
    if test == "fisher-z":
        with pytest.warns(UserWarning, match="column '[abce]' is a linear function of ('[abce]'(, )?){3}"):
            pc.learn(table, rng=RNG)
    graph = pc.learn(table, rng=RNG, ci_test=test)
    assert not graph.skeleton[3].any()


# ---- false discoveries, budget ----------------------------------------------------------------------------


def test_the_rate_of_false_discoveries_is_held_where_alpha_alone_is_not() -> None:
    share: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(12):
        table, dag = sample(np.random.default_rng(seed), 40, 1.0, 500)
        for fdr in share:
            found = np.triu(pc.learn(table, rng=RNG, alpha=0.05, fdr=fdr).skeleton)
            share[fdr].append((found & ~(dag | dag.T)).sum() / max(found.sum(), 1))
    assert np.mean(share[True]) < 0.06 < np.mean(share[False])


def test_a_hub_ends_in_bounded_time_and_what_was_left_out_is_told() -> None:
    rng = np.random.default_rng(6)
    values = rng.standard_normal((800, 61))
    values[:, 1:] += 0.8 * values[:, :1]
    values[:, 1:] += 0.3 * rng.standard_normal((800, 1))
    table = as_table(values)
    with pytest.warns(UserWarning, match="not tested given every set"):
        graph = pc.learn(table, rng=RNG, max_sets=200)
    assert graph.meta["complete"] is True
    assert graph.meta["partial"] == sum("not all sets" in why.get("note", "") for why in graph.evidence.values()) > 0
    assert graph.meta["tests"] < 3_000_000
    free = pc.learn(table, rng=RNG, max_cond=1)  # a bound by hand takes the place of the budget
    assert free.meta["partial"] == 0


def test_evidence_keeps_sets_only_of_pairs_that_were_tested_given_some() -> None:
    table, _ = sample(np.random.default_rng(7), 300, 2.0, 500)
    graph = pc.learn(table, rng=RNG)
    assert len(pickle.dumps(graph)) < 300 * 300 * 14  # a statistic of each pair, some bits of each, little else
    assert len(graph.evidence) == 300 * 299 // 2


# ---- only the content matters -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "kind", "trials"),
    [
        ("fisher-z", "continuous", 200),
        ("chi2", "discrete", 60),
        ("g2", "discrete", 60),
        ("mixed", "mixed", 60),
        ("rcit", "continuous", 2),
        ("missing", "continuous", 20),
        ("fdr", "continuous", 40),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_order_names_and_units_of_columns_do_not_matter(test: str, kind: str, trials: int) -> None:
    d = 8 if test == "rcit" else 20
    for seed in range(trials):
        rng = np.random.default_rng([seed, 9])
        table, _ = sample(rng, d, 3.0, 300 if test != "rcit" else 150, kind)
        options = {"fdr": True} if test == "fdr" else {"ci_test": test} if test != "missing" else {}
        if test == "missing":
            table = with_holes(table, rng, 0.1)
        order, names = rng.permutation(d), [f"w{k}" for k in rng.permutation(d)]
        unit = np.where(table.discrete, 1.0, rng.choice([-1.0, 1.0], d) * 10.0 ** rng.integers(-3, 4, d))
        values = (table.values * unit)[:, order]
        levels = tuple(table.levels[k] for k in order)
        other = Table(tuple(names[k] for k in order), values, table.discrete[order], levels)
        one = pc.learn(table, rng=np.random.default_rng(0), alpha=0.05, **options)
        two = pc.learn(other, rng=np.random.default_rng(0), alpha=0.05, **options)
        np.testing.assert_array_equal(one.adj, two.align(names).adj, err_msg=f"trial {seed}")


def test_discover_offers_it_all() -> None:
    table, _ = sample(np.random.default_rng(10), 6, 2.0, 300, "mixed")
    assert cn.discover(table, "pc").meta["ci_test"] == "mixed"


def test_too_few_rows_separate_nothing() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal(400)
    frame = pd.DataFrame({"a": a, "b": a + rng.standard_normal(400), "c": 0.0})
    frame["c"] = frame["b"] + rng.standard_normal(400)
    frame.loc[:199, "a"] = frame.loc[200:, "c"] = np.nan  # no row has a and c
    with pytest.warns(UserWarning, match="no test could be made of 'a' and 'c'"):
        graph = cn.discover(frame, "pc")
    assert graph.edges == ()
    assert set(graph.undirected) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert graph.explain("a", "c")["note"] == "not tested"


def test_a_name_for_every_row_has_no_edges() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal(300)
    frame = pd.DataFrame({"a": a, "b": a + rng.standard_normal(300), "name": [f"r{k}" for k in range(300)]})
    table = cn.as_table(frame, discrete=["name"])
    with pytest.warns(UserWarning, match=r"'name' \(300 states, 1 kept\)"):
        graph = cn.discover(table, "pc")
    assert (graph.edges, graph.undirected) == ((), (("a", "b"),))
