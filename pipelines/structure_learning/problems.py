"""The problems: what is drawn by a seed, and how a problem is written in results.csv."""

from __future__ import annotations

import warnings
import zlib
from typing import Any, NamedTuple

import numpy as np

from causalnet import Graph, Table, load_dataset
from causalnet.datasets import hide_cells, mixed_table, sem_table

# raw: variances follow the order. fair: every variance is 1 and neither it nor the explained variance tells the order.
# plain: moderate weights, unit noise. standard: plain, and each column divided by its standard deviation
DESIGNS: dict[str, dict[str, Any]] = {
    "raw": {"low": 0.5, "high": 2.0},
    "fair": {"low": 0.25, "high": 0.8, "standardize": "iscm"},
    "plain": {"low": 0.25, "high": 1.0},
    "standard": {"low": 0.25, "high": 1.0, "standardize": True},
    "uniform": {"low": 0.5, "high": 2.0, "noise": "uniform"},
}


class Linear(NamedTuple):
    """A linear structural equation model: family of the graph, design, variables, average degree, rows."""

    graph: str
    design: str
    d: int
    degree: int = 4
    n: int = 1000

    def __str__(self) -> str:
        return f"{self.graph.upper()} {self.design} d={self.d} degree {self.degree} n={self.n}"


class Mixed(NamedTuple):
    """A mixed table: the model behind it and its variables."""

    model: str
    d: int = 20

    def __str__(self) -> str:
        return f"{self.model} d={self.d}"


class Holed(NamedTuple):
    """A fair linear table with a share of its cells missing completely at random; "dropped": rows with one are left out."""

    share: float
    dropped: bool = False
    d: int = 50

    def __str__(self) -> str:
        return f"d={self.d} {self.share:.0%} missing" + ", rows dropped" * self.dropped


def stream(problem: Any, seed: int) -> np.random.Generator:
    """The Generator of a problem and a seed."""
    return np.random.default_rng([seed, zlib.crc32(str(problem).encode())])


def draw_linear(problem: Linear, seed: int) -> tuple[Table, Graph]:
    """A table and its graph."""
    graph, design, d, degree, n = problem
    return sem_table(stream(problem, seed), d=d, degree=degree, n=n, graph=graph, **DESIGNS[design])


def draw_mixed(problem: Mixed, seed: int) -> tuple[Table, Graph]:
    """A table, half of whose columns are categorical, and its graph."""
    return mixed_table(stream(problem, seed), d=problem.d, degree=min(3, problem.d - 1), model=problem.model)


def draw_holed(problem: Holed, seed: int) -> tuple[Table, Graph]:
    """The same complete tables for every share."""
    table, truth = draw_linear(Linear("er", "fair", problem.d), seed)
    table = hide_cells(table, problem.share, stream("hide", seed)) if problem.share else table
    whole = np.flatnonzero(~np.isnan(table.values).any(axis=1))
    return (table.take(whole) if problem.dropped else table), truth


def draw_network(name: str, seed: int) -> tuple[Table, Graph]:
    """Rows drawn from a named network, such as "alarm:n=20000"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = load_dataset(name, seed)
    assert isinstance(drawn.data, Table) and drawn.truth is not None
    return drawn.data, drawn.truth
