"""Where methods stand: chance over seeds of one truth and of many, ranks over data sets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.comparison.standing import place_methods, rank_over
from causalnet.graph.chance import Chance, draw_chance
from causalnet.graph.random_dags import random_dag


class Told:
    """A comparison of scores alone: k data sets, of which a seed draws the first ones."""

    def __init__(self, values: dict[str, list[list[float]]], sampled: int) -> None:
        cells = [
            {"dataset": f"d{i}", "backend": name, "seed": seed, "status": "ok", "f1": v, "cpdag_f1": v, "seconds": 1.0}
            for name, rows in values.items()
            for i, row in enumerate(rows)
            for seed, v in enumerate(row)
        ]
        self.frame, self._sampled = pd.DataFrame(cells), {f"d{i}" for i in range(sampled)}

    def data(self, dataset: str) -> dict[str, Any]:
        return {"sampled": dataset in self._sampled}

    def truth(self, dataset: str, seed: int | None = None) -> cn.Graph:
        return cn.Graph.from_edges("ab", [("a", "b")])

    def chance(self, dataset: str, backend: str, seed: int) -> None:
        return None

    def graph(self, dataset: str, backend: str, seed: int = 0) -> None:
        return None

    def claims(self, backend: str) -> str:
        return "cpdag" if backend == "good" else "dag"


@pytest.mark.parametrize("sampled", [0, 4, 9])
def test_ranks_over_data_sets_need_six_of_them(sampled: int) -> None:
    rng = np.random.default_rng(0)
    good = (0.8 + 0.05 * rng.random((9, 6))).tolist()
    values = {
        "poor": (0.2 + 0.05 * rng.random((9, 6))).tolist(),
        "good": good,
        "twin": [[v + 0.01 * rng.normal() for v in row] for row in good],
        "empty": np.zeros((9, 6)).tolist(),
        "rare": good[:3],
    }
    told = Told(values, sampled)
    places = {name: place_methods(told, name) for name in told.frame["dataset"].unique()}
    assert not any(place.better for found in places.values() for place in found)  # no chance is known
    tied = {p.backend: p.tied for p in places["d8"]}
    assert (tied["poor"], tied["twin"], tied["good"], tied["empty"]) == (False, True, True, None)
    ranks = rank_over(told, places)
    assert set(ranks.methods) == {"good", "twin", "poor"}  # no control, and none that lacks most data sets
    assert ranks.blocks == 9
    assert sum(ranks.means) == pytest.approx(6.0)
    assert ranks.means[2] == 3.0
    assert ranks.groups == ((0, 1),)
    assert ranks.p < 1e-3
    (_, low, _), (lead, lowest, _) = ranks.leads
    assert low <= 0 < lowest < lead == pytest.approx(0.6, abs=0.03)
    if sampled == 0:  # fixed data of which seed 0 is missing: a value of resamples, of which nothing is claimed
        told.frame = told.frame[told.frame["seed"] > 0]
        assert math.isnan(place_methods(told, "d0")[0].p)
    assert ranks.apart == pytest.approx(2.343 * np.sqrt(3 * 4 / 54), abs=1e-3)  # q of three (Demsar 2006, table 5a)
    few = {name: found for name, found in places.items() if name < "d5"}
    assert "here 5 at most" in rank_over(told, few).why


class Guessed(Told):
    """One data set on which a method answered without looking; truths and answers by seed, the last one again and again."""

    def __init__(self, truths: list[cn.Graph], answers: list[cn.Graph], seeds: int) -> None:
        self._pairs = [(truths[min(k, len(truths) - 1)], answers[min(k, len(answers) - 1)]) for k in range(seeds)]
        super().__init__({"guess": [[cn.score(*pair)["f1"] for pair in self._pairs]]}, sampled=1)

    def truth(self, dataset: str, seed: int | None = None) -> cn.Graph:
        return self._pairs[seed or 0][0]

    def chance(self, dataset: str, backend: str, seed: int) -> Chance | None:  # type: ignore[override]
        return draw_chance(*self._pairs[seed], np.random.default_rng(seed), draws=300)

    def claims(self, backend: str) -> str:
        return "dag"


@pytest.mark.parametrize("luck", ["once", "each seed"])
def test_no_guess_is_better_than_chance_however_many_seeds_repeat_it(luck: str, times: int) -> None:
    """One truth and one guess for all seeds is one piece of luck; a truth and a guess for each seed are many."""
    runs, seeds, names = 100 * times, 8, tuple("abcdefgh")
    told = []
    for run in range(runs):
        rng = np.random.default_rng([run, 9])
        graphs = [cn.Graph(names, random_dag(8, 2.5, rng)) for _ in range(2 * seeds)]
        many = luck == "each seed"
        (place,) = place_methods(
            Guessed(graphs[:seeds] if many else graphs[:1], graphs[seeds:] if many else graphs[-1:], seeds), "d0"
        )
        told.append((place.p, place.p_skeleton, place.p_orientation, 1.0 - place.better))
        assert place.chance_low < place.chance < place.chance_high
    level = 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)
    share = (np.array(told) <= 0.05).mean(axis=0)
    assert share.max() <= level, share
    wide = place.chance_high - place.chance_low
    assert wide < 0.2 if luck == "each seed" else wide > 0.2  # the mean of eight draws, or one draw
