"""The doctor is silent on clean tables, sees what was planted, and says what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.datasets.sem import internally_standardized, linear_sem, random_weights
from causalnet.discovery.checkup import Checkup, doctor
from causalnet.errors import DataError

D, N = 10, 500


def draw(
    rng: np.random.Generator, raw: bool = False, noise: str = "gaussian", d: int = D
) -> tuple[np.ndarray, np.ndarray]:
    place = rng.permutation(d)
    adj = np.triu(rng.random((d, d)) < 3 / (d - 1), 1)[np.ix_(place, place)]
    if raw:
        return adj, linear_sem(random_weights(adj, rng), N, rng, noise)
    weight, deviation = internally_standardized(random_weights(adj, rng, 0.25, 0.8))
    return adj, linear_sem(weight, N, rng, noise, deviation)


def look(values: np.ndarray, adj: np.ndarray | None) -> Checkup:
    names = tuple(f"v{j}" for j in range(values.shape[1]))
    table = cn.Table(names, values, np.zeros(len(names), dtype=bool), (None,) * len(names))
    return doctor(table, None if adj is None else cn.Graph(names, adj))


def test_clean_tables_are_healthy(times: int) -> None:
    rng, found, runs = np.random.default_rng(0), Counter(), 100 * times
    for k in range(runs):
        adj, values = draw(rng)
        values = values * np.exp(rng.normal(size=D)) if k % 2 else values
        if k % 4 == 3:
            values[rng.random(values.shape) < 0.05] = np.nan
        found.update(f.check for f in look(values, adj).sick)
    assert max(found.values(), default=0) <= 0.05 * runs, found


def copy(rng: np.random.Generator, x: np.ndarray) -> None:
    x[:, 1] = x[:, 0] + 0.01 * rng.normal(size=len(x))


def trend(rng: np.random.Generator, x: np.ndarray) -> None:
    x[:, 2] += np.linspace(0, 1, len(x))


def season(rng: np.random.Generator, x: np.ndarray) -> None:
    x[:, 1] += x[:, 1].std() * np.sin(2.0 * np.pi * np.arange(len(x)) / 24.0)


def shuffled_clock(rng: np.random.Generator, x: np.ndarray) -> None:
    x[:, 3] = rng.permutation(len(x))


def memory(rng: np.random.Generator, x: np.ndarray) -> None:
    for t in range(1, len(x)):
        x[t, 4] += 0.4 * x[t - 1, 4]


def hidden_by_another(rng: np.random.Generator, x: np.ndarray) -> None:
    x[(x[:, 0] > 0.3) & (rng.random(len(x)) < 0.5), 5] = np.nan


@pytest.mark.parametrize(
    ("plant", "check"),
    [
        (copy, "copies"),
        (trend, "trend"),
        (season, "season"),
        (shuffled_clock, "order of rows"),
        (memory, "independence of rows"),
        (hidden_by_another, "missing"),
    ],
)
def test_what_was_planted_is_seen(plant: Callable, check: str, times: int) -> None:
    rng, seen = np.random.default_rng(1), 0
    for _ in range(20 * times):
        adj, values = draw(rng)
        plant(rng, values)
        seen += check in {f.check for f in look(values, adj).sick}
    assert seen >= 18 * times


def test_scales_noise_and_missing_edges_are_seen(times: int) -> None:
    rng, seen = np.random.default_rng(2), Counter()
    for _ in range(20 * times):
        adj, values = draw(rng, raw=True, d=20)
        seen["scales"] += "variances" in {f.check for f in look(values, adj).sick}
        adj, values = draw(rng, noise="laplace")
        seen["noise"] += "Gaussianity" in {f.check for f in look(values, adj).sick}
        adj, values = draw(rng)
        k = rng.integers(adj.sum())
        adj[np.nonzero(adj)[0][k], np.nonzero(adj)[1][k]] = False
        seen["edge"] += "independences of the graph" in {f.check for f in look(values, adj).sick}
    assert min(seen.values()) >= 18 * times, seen


def test_categories_and_strangers() -> None:
    frame = pd.DataFrame({"a": list("xyxyx") * 20, "b": np.arange(100.0) ** 2})
    text = str(cn.doctor(frame))
    assert "leave it out: --drop b" in text
    with pytest.raises(DataError, match="differ in 'b', 'c'"):
        cn.doctor(frame, cn.Graph(["a", "c"], np.zeros((2, 2), dtype=bool)))


def test_a_series_is_looked_over_and_told_what_takes_a_season_out() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((480, 3)) + 2.0 * np.sin(2.0 * np.pi * np.arange(480) / 12.0)[:, None]
    graph = cn.Graph(("x0", "x1", "x2"), np.zeros((3, 3)))
    sick = {f.check: f for f in cn.doctor(cn.Series(values), graph).sick}
    assert sick["season"].write.endswith("Series(frame, season=12)")
    assert "season" not in {f.check for f in cn.doctor(cn.Series(values, season=12), graph).sick}
