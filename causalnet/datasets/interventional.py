"""Tables from several experiments: a linear structural equation model, and regimes that act on some of its variables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..base.arrays import Array, Bools
from ..base.checks import flag, number, one_of, whole
from ..data import Table
from ..data.regimes import Regimes
from ..data.sealed import freeze
from ..errors import DataError
from ..graph import Graph, topological_order
from ..graph.random_dags import random_dag
from .sem import internally_standardized, random_weights


def interventional_table(
    rng: np.random.Generator,
    *,
    d: int = 20,
    degree: float = 4,
    targets: int = 10,
    rows: int = 200,
    n: int = 1000,
    shift: float = 2.0,
    kind: str = "hard",
    known: bool = True,
) -> tuple[Table, Graph]:
    """A fair linear Gaussian model (:func:`internally_standardized`), n rows of it and ``rows`` rows of each of ``targets`` experiments.

    Each experiment acts on one variable, all distinct. kind: "hard" draws it from N(shift, 1) whatever its causes do;
    "soft" halves its coefficients and adds ``shift``. known: False leaves the targets out of the table. The regimes are
    "observed" and "do(x3)", "on(x3)" where soft.
    """
    d, count = whole("d", d, 2), whole("targets", targets, 1)
    if count > d:
        raise DataError(f"targets is {count}, and there are {d} variables to act on; write targets={d} at most")
    one_of("kind", kind, ("hard", "soft"))
    adj = random_dag(d, degree, rng)
    weight, deviation = internally_standardized(random_weights(adj, rng, 0.25, 0.8))
    on = rng.choice(d, count, replace=False).tolist()
    size, each = whole("n", n, 2), whole("rows", rows, 2)
    parts = [_draw(rng, weight, deviation, size, -1, shift, kind)]
    parts += [_draw(rng, weight, deviation, each, j, number("shift", shift), kind) for j in on]
    names = tuple(f"x{j}" for j in range(d))
    code = np.repeat(np.arange(count + 1), [len(part) for part in parts]).astype(np.int32)
    word = "do" if kind == "hard" else "on"
    labels = ("observed", *(f"{word}({names[j]})" for j in on))
    told = ((), *((names[j],) for j in on)) if flag("known", known) else (None,) * (count + 1)
    regimes = Regimes("regime", labels, freeze(code), told)
    table = Table(names, freeze(np.vstack(parts)), freeze(np.zeros(d, dtype=bool)), (None,) * d)
    return replace(table, regimes=regimes), Graph(names, adj, weight)


def _draw(rng: np.random.Generator, weight: Array, deviation: Array, n: int, on: int, shift: float, kind: str) -> Array:
    """(n, d) rows of the model; ``on`` is acted on, -1 for nothing."""
    values = rng.standard_normal((n, len(weight))) * deviation
    order = topological_order(weight != 0)
    assert order is not None
    for j in order:
        into: Bools = weight[:, j] != 0
        if j == on and kind == "hard":
            values[:, j] = rng.normal(shift, 1.0, n)
        else:
            acts = 0.5 if j == on else 1.0
            values[:, j] += acts * values[:, into] @ weight[into, j] + (shift if j == on else 0.0)
    return values
