"""LiNGAM: the order against its definition and against causal-learn, directions only where the noise supports them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from causallearn.search.FCMBased.lingam import DirectLiNGAM

import causalnet as cn
from causalnet.datasets.sem import NOISES, random_weights
from causalnet.graph.meek import cpdag, orient
from causalnet.graph.random_dags import random_dag
from causalnet.search.direct_lingam import causal_order
from causalnet.search.non_gaussian_dag import Likelihood

ALL = ("uniform", "exponential", "laplace", "gumbel")


def sample(
    seed: int, d: int, n: int = 1000, noises: tuple[str, ...] = ALL
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A random DAG (d, d), rows (n, d) with weights +-[.5, 2], and whose noise is not Gaussian (d,)."""
    rng = np.random.default_rng([seed, d])
    adj = random_dag(d, min(4, d - 1), rng)
    names = rng.choice(noises, d)
    noise = np.column_stack([NOISES[name](rng, n) for name in names])
    return adj, noise @ np.linalg.inv(np.eye(d) - random_weights(adj, rng)), names != "gaussian"


def frame(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"v{j}" for j in range(values.shape[1])])


def learn(data: pd.DataFrame, backend: str = "lingam", **kwargs) -> cn.Graph:  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return cn.discover(data, backend, **kwargs)


def free(d: int) -> np.ndarray:
    return np.zeros((d, d), dtype=bool)


# ---- the order --------------------------------------------------------------------------------------------------


def entropy(u: np.ndarray) -> float:
    even = np.mean(np.log(np.cosh(u))) - 0.37457
    return (1 + np.log(2 * np.pi)) / 2 - 79.047 * even**2 - 7.4129 * np.mean(u * np.exp(-(u**2) / 2)) ** 2


def defined_order(x: np.ndarray) -> list[int]:
    """Shimizu et al. 2011 with the measure of Hyvärinen and Smith 2013, every pair of every step."""
    left, order = list(range(x.shape[1])), []
    while left:
        z = {j: (x[:, j] - x[:, j].mean()) / x[:, j].std() for j in left}
        cost = dict.fromkeys(left, 0.0)
        for i in left:
            for j in left:
                if i != j:
                    rho = np.mean(z[i] * z[j])
                    scale = np.sqrt(1 - rho**2)
                    there = entropy(z[j]) + entropy((z[i] - rho * z[j]) / scale)
                    cost[i] += min(0.0, there - entropy(z[i]) - entropy((z[j] - rho * z[i]) / scale)) ** 2
        first = min(left, key=cost.__getitem__)
        order.append(first)
        left.remove(first)
        x = x - np.outer(z[first], z[first] @ x / len(x))
    return order


@pytest.mark.parametrize("noises", [("uniform",), ALL, ("gaussian",)])
def test_same_order_as_the_definition(noises: tuple[str, ...]) -> None:
    for seed in range(6):
        _, x, _ = sample(seed, 3 + seed, 300, noises)
        found = causal_order(x, free(3 + seed), free(3 + seed))
        assert list(found.order) == defined_order(x) and found.complete


def test_same_order_as_causal_learn_for_fewer_pairs() -> None:
    for seed in range(12):
        d = 3 + seed % 6
        _, x, _ = sample(100 + seed, d, 400)
        model = DirectLiNGAM()
        model.fit(x)
        found = causal_order(x, free(d), free(d))
        assert list(found.order) == [int(v) for v in model.causal_order_]
        assert found.pairs <= (d - 1) * d * (d + 1) // 6


def test_measure_is_that_of_the_pair_once_all_before_are_regressed_out() -> None:
    _, x, _ = sample(3, 5, 500)
    found = causal_order(x, free(5), free(5))
    i, j = found.order[0], found.order[3]
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    rho = np.mean(z[:, i] * z[:, j])
    residuals = [(z[:, a] - rho * z[:, b]) / np.sqrt(1 - rho**2) for a, b in ((i, j), (j, i))]
    wanted = entropy(z[:, j]) + entropy(residuals[0]) - entropy(z[:, i]) - entropy(residuals[1])
    assert found.measure[i, j] == pytest.approx(wanted, abs=1e-10) and found.measure[j, i] == 0


# ---- the graph --------------------------------------------------------------------------------------------------


def f1(truth: np.ndarray, found: np.ndarray) -> float:
    return 2 * (truth & found).sum() / (truth.sum() + found.sum())


@pytest.mark.parametrize("noises", [("uniform",), ALL])
def test_finds_the_whole_dag_where_all_noise_tells(noises: tuple[str, ...]) -> None:
    scores = []
    for seed in range(4):
        adj, x, _ = sample(seed, 30, 1000, noises)
        scores.append(f1(adj, learn(frame(x)).directed))
    assert np.mean(scores) >= 0.985


def test_gaussian_tables_give_the_graph_of_order_and_say_so() -> None:
    same = 0
    for seed in range(6):
        _, x, _ = sample(seed, 12, 800, ("gaussian",))
        g = learn(frame(x))
        same += np.array_equal(g.adj, learn(frame(x), "order").adj)
    assert same >= 5  # one in a hundred may take chance for non-Gaussian noise
    with pytest.warns(UserWarning, match=r"no direction beyond the CPDAG"):
        cn.discover(frame(sample(0, 12, 800, ("gaussian",))[1]), "lingam")


def identified(dag: np.ndarray, told: np.ndarray) -> np.ndarray:
    return orient(cpdag(dag) & ~(dag & (told[:, None] | told[None, :])).T)


def test_partly_gaussian_noise_directs_what_is_identified() -> None:
    wrong = []
    for seed in range(6):
        adj, x, told = sample(seed, 15, 2000, ("gaussian", "uniform"))
        differs = learn(frame(x)).adj != identified(adj, told)
        wrong.append(int(np.triu(differs | differs.T, 1).sum()))
    assert np.mean(wrong) <= 2.0


def test_a_gaussian_pair_stays_undirected_beside_one_that_is_not() -> None:
    rng = np.random.default_rng(0)
    a, c = rng.normal(size=2000), rng.uniform(-1, 1, 2000)
    data = pd.DataFrame({"a": a, "b": a + rng.normal(size=2000), "c": c, "d": c + 0.5 * rng.normal(size=2000)})
    g = learn(data)
    assert g.edges == (("c", "d"),) and g.undirected == (("a", "b"),)
    assert g.meta["non_gaussian"] == ["c"] and min(g.meta["p_gaussian"], key=g.meta["p_gaussian"].get) == "c"
    told = g.explain("d", "c")
    assert told["directed_by"] == "noise that is not Gaussian" and told["score_if_reversed"] > 10
    assert told["pairwise_measure"]["c -> d"] > 0 and told["p_gaussian"]["c"] < 1e-6
    assert g.explain("a", "b")["directed_by"] is None and g.explain("a", "c")["joined"] is False


def test_knowledge_holds_in_the_graph_and_in_the_order() -> None:
    _, x, _ = sample(5, 8)
    tiers = [[f"v{j}" for j in range(7, 3, -1)], [f"v{j}" for j in range(4)]]
    for known in (
        cn.Knowledge(tiers=tiers),
        cn.Knowledge(required=[("v7", "v0"), ("v0", "v3")], forbidden=[("v1", "v2")]),
        cn.Knowledge(forbidden=[("v0", "v1"), ("v1", "v2"), ("v2", "v0")]),  # no order keeps all of these apart
    ):
        g = learn(frame(x), knowledge=known)
        known.check(g)
    g = learn(frame(x), knowledge=cn.Knowledge(tiers=tiers))
    assert set(g.meta["causal_order"][:4]) == set(tiers[0])


def test_units_names_and_places_of_columns_do_not_matter() -> None:
    rng = np.random.default_rng(7)
    for seed in range(4):
        _, x, _ = sample(seed, 10, 500, ("gaussian", *ALL))
        data = frame(x)
        g = learn(data)
        order = [str(name) for name in rng.permutation(data.columns)]
        moved = data[order] * 10.0 ** rng.integers(-3, 4, 10)
        h = learn(moved.rename(columns=lambda name: f"new {name}"))
        assert np.array_equal(cn.Graph(tuple(order), h.adj).align(g.nodes).adj, g.adj)


def test_score_is_the_gaussian_bic_less_negentropy() -> None:
    _, x, _ = sample(2, 4, 500)
    score = Likelihood.of(x, 2.0)
    parents = np.array([False, True, True, False])
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    rest = z[:, 0] - z[:, 1:3] @ np.linalg.lstsq(z[:, 1:3], z[:, 0])[0]
    gaussian = 500 * np.log(np.mean(rest**2)) + 2 * 2 * np.log(500)
    missing = (1 + np.log(2 * np.pi)) / 2 - entropy(rest / rest.std())
    assert score.local(0, parents) == pytest.approx(gaussian - 2 * 500 * missing, abs=1e-8)


def test_a_time_limit_returns_the_class_found_so_far() -> None:
    _, x, _ = sample(0, 40, 3000)
    g = learn(frame(x), max_seconds=1e-6)
    assert g.meta["complete"] is False and g.adj.shape == (40, 40)
    assert learn(frame(x), max_seconds=300.0).meta["complete"] is True


def test_columns_that_determine_one_another_are_survived() -> None:
    _, x, _ = sample(1, 4, 400)
    data = frame(x).assign(s=x[:, 0] + x[:, 1], t=2 * x[:, 2] + 1)
    g = learn(data)
    assert g.meta["complete"] and len(g.meta["causal_order"]) == 6 and np.isfinite(g.meta["score"])


def test_one_column_and_few_rows() -> None:
    rng = np.random.default_rng(0)
    assert learn(pd.DataFrame({"a": rng.uniform(size=50)})).edges == ()
    with pytest.raises(cn.DataError, match="at least 4 rows"):
        learn(pd.DataFrame({"a": [0.1, 0.2, 0.5]}))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"alpha": 0.0}, "alpha is 0.0, and must be a number strictly between 0 and 1"),
        ({"penalty": -1.0}, "penalty is -1.0, and must be a finite number above 0"),
        ({"restarts": -1}, "restarts is -1, and must be a whole number from 0 up"),
    ],
)
def test_wrong_parameters_are_answered_with_a_sentence(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(cn.DataError, match=sentence):
        learn(frame(sample(0, 3)[1]), **wrong)


def test_copies_and_sums_are_told() -> None:
    a, b = np.random.default_rng(0).uniform(size=(2, 300))
    with pytest.warns(UserWarning, match="columns that others determine exactly"):
        graph = cn.discover(cn.as_table(np.column_stack([a, b, 3.0 * a, a + b])), "lingam")
    assert any("determine exactly" in sentence for sentence in graph.meta["warnings"])
