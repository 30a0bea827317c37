"""Online discovery from actions: treatment effects orient, a penalised event likelihood chooses (Cai et al. 2024).

``init / step / graph``: an explicit state takes one action at a time, and gives the graph learnt so far. ``learn`` is
the fold of ``step`` over :class:`causalnet.data.Interactions`.

mode="default" fits constant hazards to what started while acting, each start with the parents that the later repairs
leave possible, and lets every variable choose its causes by BIC (:mod:`causalnet.search.hazard_graph`). How the
background falls on the units is estimated along (:mod:`causalnet.stats.unit_shares`), or what keeps to some units would
look like cause and effect.
mode="paper" is Algorithm 1 of arXiv 2402.04869: orient every pair by the effect on the treated (Eq. 5), then prune
by the score of Eq. 6 on the log of earlier events.

Assumes: effects add up and never inhibit; removing a cause removes what it caused. Cost: linear in what started.
Reference: Cai, Huang, Qiao, Chen, Zeng, Zhang, Sun, Yu, Hao, "Learning by Doing: An Online Causal Reinforcement
Learning Framework with Causal-Aware Policy", arXiv 2402.04869.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from ...base.asked import asks
from ...data import NOTHING, Events, Interactions
from ...graph import Graph, Knowledge
from ...stats.hawkes import Normalization
from ...stats.treatment_effect import Counterfactual
from . import fit as fitting
from .state import Mode, Settings, Setup, State, load, open_state, save

TAKES = frozenset({"interactions"})
GIVES = "dag"
KNOWLEDGE = frozenset({"forbidden", "required"})
ASSUMES = (
    "sufficiency",
    "acyclicity",
    "stationarity",
    "additive effects",
    "no inhibition",
    "repairs take effects along",
)


def init(
    variables: Sequence[Any],
    units: Sequence[Any] = ("unit",),
    *,
    topology: nx.Graph | None = None,
    start: Graph | str | None = None,
    log: Events | None = None,
    knowledge: Knowledge | None = None,
    rng: int | np.random.Generator = 0,
    **settings: Any,
) -> State:
    """A state that has seen nothing yet, over V variables of D units.

    start: "empty" (None), "random" (36 edges for 18 variables: 2 each), "thp" (needs ``log``), or a Graph; it is the
        graph until actions on, and starts of, a variable say more. log: an earlier event log; mode "default" adds its
        likelihood, mode "paper" prunes on it (without one, on what started while acting).
    settings: mode, hops, normalization, penalty_scale, leak, refresh, counterfactual and capacity: see ``Settings``.
    """
    setup = Setup.of(variables, units, topology, knowledge, Settings(**settings))
    first = fitting.starting_graph(setup, start, log, rng)
    rows = (fitting.log_rows(setup, log),) if log is not None and setup.mode == "default" else ()
    return open_state(setup, first, log, rows)


@asks("state")
def step(
    state: State,
    *,
    before: ArrayLike,
    after: ArrayLike,
    unit: Any = None,
    variable: Any = None,
    started: ArrayLike | None = None,
    cleared: ArrayLike | None = None,
    seconds: float = 1.0,
) -> State:
    """The state after one action on ``variable`` of ``unit`` (codes or names), or without one; arrays (D, V), as in
    Interactions."""
    setup = state.setup
    given = {"before": before, "after": after, "started": started, "cleared": cleared}
    given |= {"unit": NOTHING if unit is None else unit, "variable": NOTHING if variable is None else variable}
    row: dict[str, Any] = {name: None if value is None else np.asarray(value)[None] for name, value in given.items()}
    data = Interactions(setup.variables, setup.units, **row, seconds=seconds)
    state = fitting.take(state, data)
    return fitting.fitted(state) if state.steps >= state.due else state


@asks("state", "fresh")
def graph(state: State, *, fresh: bool = False) -> Graph:
    """The graph learnt so far, with a record for each edge; fresh: fitted to the very last action."""
    return fitting.as_graph(fitting.fitted(state) if fresh and state.fitted < state.steps else state)


def setup(state: State) -> dict[str, Any]:
    """Names and settings of a state, as an online backend tells them (:mod:`causalnet.discovery.online`)."""
    return state.setup.told


def learn(
    data: Interactions,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    mode: Mode = "default",
    start: Graph | str | None = None,
    log: Events | None = None,
    hops: Sequence[int] = (0, 1),
    normalization: Normalization = "degree",
    penalty_scale: float | None = None,
    leak: float = 0.1,
    counterfactual: Counterfactual = "control",
    capacity: float = math.inf,
    max_seconds: float | None = None,
) -> Graph:
    """Fold ``step`` over all interactions, fit once at the end; parameters as in ``init``.

    max_seconds: the actions that half of it has time for are taken in, and the causes that the rest has time for are chosen.
    """
    begun = time.monotonic()
    half, until = (math.inf, math.inf) if max_seconds is None else (begun + max_seconds / 2, begun + max_seconds)
    told: dict[str, Any] = {"start": start, "log": log, "knowledge": knowledge, "rng": rng, "mode": mode, "hops": hops}
    told |= {"normalization": normalization, "penalty_scale": penalty_scale, "leak": leak, "capacity": capacity}
    state = init(data.variables, data.units, topology=data.topology, counterfactual=counterfactual, **told)
    for t in range(data.n):
        if time.monotonic() > half:
            break
        state = fitting.take(state, data, t)
    found = fitting.as_graph(fitting.fitted(state, until))
    return found.replace(meta={"complete": state.steps == data.n and time.monotonic() <= until})


def warm_up(kind: str) -> None:
    """Compile the kernels on three actions."""
    seen = np.array([[[1, 0]], [[1, 1]], [[1, 2]], [[0, 0]]])
    gone = np.array([[[0, 0]], [[0, 0]], [[1, 2]]])
    start = np.diff(seen, axis=0) + gone
    data = Interactions(
        ["a", "b"], ["u"], seen[:-1], seen[1:], started=start, cleared=gone, unit=[0, 0, 0], variable=[0, 0, 0]
    )
    learn(data, rng=np.random.default_rng(0))
