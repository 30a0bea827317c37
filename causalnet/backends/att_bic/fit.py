"""What att_bic does with its state: take one action in, fit when due, write the graph."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ...base.arrays import Array, Bools, Ints
from ...data import NOTHING, Events, Interactions
from ...errors import DataError
from ...graph import Graph, PairEvidence, by_chain
from ...graph.random_dags import sized_dag
from ...search.hazard_graph import closing, search
from ...stats.hazard_fit import Fit, Target, scaled
from ...stats.parent_evidence import GROUND, Rows, read_run
from ...stats.treatment_effect import Effect, add_pause, add_step, effect
from ...stats.unit_shares import shares
from .. import thp
from .paper import oriented, pruned
from .state import STEADY, Run, Setup, State, columns_of, log_exposure

LONGEST = 200  # a run is read in pieces of at most so many actions
STARTS_NEEDED = 10  # starts of a variable before its own choice of causes replaces the starting graph
SETTLED = 0.2  # relative change of the units' shares below which causes are not chosen anew
ROUNDS = 3  # at most, of choosing causes and sharing out the background, in turn
THP_SCALE = 0.2  # times BIC, for the graph of an earlier log that learning starts from


def starting_graph(
    setup: Setup, start: Graph | str | None, log: Events | None, rng: int | np.random.Generator
) -> Bools:
    """(V, V) bool: the graph before any action, acyclic and within the knowledge."""
    v = len(setup.variables)
    if log is not None:
        _check_log(setup, log)
    weight = np.zeros((v, v))
    if isinstance(start, Graph):
        graph = start.align(setup.variables)
        adj = graph.directed
        weight = weight if graph.weight is None else np.abs(graph.weight)
    elif start in (None, "empty"):
        adj = np.zeros((v, v), dtype=bool)
    elif start == "random":
        adj = sized_dag(v, min(2 * v, v * (v - 1) // 2), np.random.default_rng(rng))
    elif start == "thp":
        if log is None:
            raise DataError("start='thp' learns its graph from an earlier event log; give it as log=Events(...)")
        told: dict[str, Any] = {"hops": setup.hops, "normalization": setup.normalization, "decay": STEADY}
        found = thp.learn(log, rng=np.random.default_rng(rng), penalty_scale=THP_SCALE, acyclic=False, **told)
        return starting_graph(setup, found, None, rng)
    else:
        raise DataError(f"start is {start!r}, and must be 'empty', 'random', 'thp' or a Graph")
    adj = (adj & setup.allowed) | setup.required
    return adj & ~closing(adj, weight, setup.required)


def _check_log(setup: Setup, log: Events) -> None:
    for what, mine, theirs in (("variables", setup.variables, log.types), ("units", setup.units, log.devices)):
        extra = sorted(set(theirs) - set(mine)) or (sorted(set(mine) ^ set(theirs)) if what == "variables" else [])
        if extra:
            raise DataError(f"the log and the {what} do not match: {extra[0]!r} is in one of them only")


def log_rows(setup: Setup, log: Events) -> Rows:
    """The earlier log as rows: every event is a start, every earlier event nearby a possible parent."""
    v, k = len(setup.variables), len(setup.hops)
    seen = log_exposure(setup, log)
    target = np.concatenate([np.full(e.shape[1], i) for i, e in enumerate(seen.effects)])
    phi = np.zeros((len(target), GROUND + v * k))
    phi[:, GROUND:] = np.concatenate([e.T for e in seen.effects])
    phi[:, 1] = 1.0
    some = phi[:, GROUND:].sum(axis=1) > 0
    lone = np.zeros((v, GROUND))
    np.add.at(lone[:, 1], target[~some], 1.0)
    exposure = np.zeros((v, GROUND + v * k))
    exposure[:, 1] = seen.horizon
    exposure[:, GROUND:] = seen.integral
    nowhere = np.full(int(some.sum()), -1)
    units = (len(setup.units), v)
    return Rows(target[some], phi[some], lone, exposure, nowhere, np.zeros(units), np.zeros(units))


def take(state: State, data: Interactions, t: int = 0) -> State:
    """The state with row ``t`` of ``data`` counted in; nothing is fitted."""
    setup, run = state.setup, state.run
    before, after = data.before[t], data.after[t]
    unit, variable = int(data.unit[t]), int(data.variable[t])
    fresh, gone, reads = _change(setup, data, t)
    if run.after is not None and (not np.array_equal(run.after, before) or len(run.unit) == LONGEST):
        state = replace(state, rows=(*state.rows, read(setup, run)), run=Run())
        run = state.run
    if unit == NOTHING:
        sums = add_pause(state.sums, before, gone)
    else:
        near = setup.near[unit].copy()
        near[unit] = True
        far = ~(near | setup.near[near].any(axis=0))
        sums = add_step(state.sums, before, after, gone, unit, variable, near, far)
    new = {"before": before, "started": fresh, "cleared": gone, "unit": unit, "variable": variable}
    new |= {"seconds": float(data.seconds[t]), "reads": reads}
    run = Run(after=after, **{name: (*getattr(run, name), one) for name, one in new.items()})
    return replace(state, run=run, sums=sums, steps=state.steps + 1)


def _change(setup: Setup, data: Interactions, t: int) -> tuple[Ints, Ints, bool]:
    """What started and what was cleared in row ``t``, (D, V), and whether what vanished went with the cell acted on.

    Without the two arrays a cell's net change stands in, but for the cell acted on: a repair empties it, so what it
    holds afterwards is new. An action that leaves no fewer alarms in its cell is not read as a repair, nor is any under
    counterfactual="others".
    """
    fresh, gone = data.started[t], data.cleared[t]
    unit, variable = int(data.unit[t]), int(data.variable[t])
    if unit == NOTHING:
        return fresh, gone, False
    if not data.net:
        return fresh, gone, True
    held, left = data.before[t, unit, variable], data.after[t, unit, variable]
    if setup.counterfactual == "others" or left >= held:
        return fresh, gone, False
    fresh, gone = fresh.copy(), gone.copy()
    fresh[unit, variable], gone[unit, variable] = left, held
    return fresh, gone, True


def read(setup: Setup, run: Run) -> Rows:
    """The rows of one run."""
    counts = (np.stack(part) for part in (run.before, run.started, run.cleared))
    acts = (np.array(part) for part in (run.unit, run.variable, run.seconds, run.reads))
    reach = (setup.reach.start, setup.reach.device, setup.reach.weight)
    return Rows(*read_run(*counts, *acts, *reach, len(setup.hops), setup.leak, setup.capacity))


def gathered(state: State) -> Rows:
    """All rows as one, and the sums of what they were exposed to."""
    rows = list(state.rows)
    if state.run.unit:
        rows.append(read(state.setup, state.run))
    v, d, p = len(state.setup.variables), len(state.setup.units), state.setup.columns
    shapes = {"lone": (v, GROUND), "exposure": (v, p), "alone": (d, v), "span": (d, v)}
    parts: dict[str, Any] = {n: sum((getattr(r, n) for r in rows), np.zeros(shape)) for n, shape in shapes.items()}
    for name, none in (("target", np.zeros(0, np.int64)), ("unit", np.zeros(0, np.int64)), ("phi", np.zeros((0, p)))):
        parts[name] = np.concatenate([none, *(getattr(r, name) for r in rows)])
    return Rows(**parts)


def targets(rows: Rows, share: Array) -> list[Target]:
    """One :class:`Target` for each variable, its background at unit d weighted by share (D, V)."""
    there = rows.unit >= 0
    phi, exposure = rows.phi.copy(), rows.exposure.copy()
    phi[there, 0] *= share[rows.unit[there], rows.target[there]]
    exposure[:, 0] += ((share - 1.0) * rows.span).sum(axis=0)
    return [scaled(phi[rows.target == j], rows.lone[j], exposure[j]) for j in range(len(exposure))]


def share_of(rows: Rows, each: list[Target], fits: tuple[Fit, ...]) -> Array:
    """(D, V) how the background of each variable falls on the units: what the fits leave unexplained, where."""
    starts = rows.alone.copy()
    for j, (one, found) in enumerate(zip(each, fits, strict=True)):
        unit = rows.unit[rows.target == j]
        ground = one.phi[:, 0] * found.theta[0] / (one.phi[:, found.columns] @ found.theta)
        starts[:, j] += np.bincount(unit[unit >= 0], ground[unit >= 0], len(starts))
    return shares(starts, rows.span)


def fitted(state: State, until: float = math.inf) -> State:
    """The state with its graph fitted to all that was taken in, as far as there is time (time.monotonic)."""
    setup = state.setup
    due = state.steps + max(1.0, setup.refresh * state.steps)
    state = replace(state, fitted=state.steps, due=due)
    if setup.mode == "default":
        return _chosen(state, setup.allowed, until)
    adj = oriented(state)
    if state.scorer is not None:
        return replace(state, adj=pruned(state.scorer, adj, setup.required))
    kept = _chosen(replace(state, chosen=columns_of(adj, len(setup.hops))), adj, until)
    return replace(kept, adj=np.where(_starts(gathered(state)) < STARTS_NEEDED, adj, kept.adj))


def _starts(rows: Rows) -> Array:
    """(V,) how often each variable started."""
    return np.bincount(rows.target, minlength=len(rows.lone)) + rows.lone.sum(axis=1)


def _chosen(state: State, allowed: Bools, until: float) -> State:
    """Let every variable with enough starts choose its causes among ``allowed``; the others keep the start's edges.

    The choice and the units' shares of the background are made in turn until the shares settle.
    """
    setup, rows = state.setup, gathered(state)
    starts = _starts(rows)
    if starts.sum() == 0:
        return state
    v, k = len(setup.variables), len(setup.hops)
    price = setup.penalty_scale * math.log(max(starts.sum(), 2.0)) / 2.0
    share, chosen = state.share, state.chosen
    for _ in range(ROUNDS):
        each = targets(rows, share)
        found = search(each, allowed, setup.required, k, price, list(chosen), until)
        before, share = share, share_of(rows, each, found.fits)
        if np.abs(share / before - 1.0).max() < SETTLED or time.monotonic() > until:
            break
        chosen = np.zeros((v, setup.columns), dtype=bool)  # the next choice starts from this one
        for i, one in enumerate(found.fits):
            chosen[i, one.columns] = True
    adj = np.where(starts < STARTS_NEEDED, state.start, found.adj)
    adj &= ~closing(adj, found.loss, setup.required)
    theta = np.zeros((v, setup.columns))
    chosen = np.zeros((v, setup.columns), dtype=bool)
    for i, one in enumerate(found.fits):
        chosen[i, one.columns] = True
        theta[i, one.columns] = one.theta / np.where(each[i].exposure > 0, each[i].exposure, 1.0)[one.columns]
    return replace(state, adj=adj, chosen=chosen, theta=theta, loss=found.loss, share=share)


def as_graph(state: State) -> Graph:
    """The graph of the last fit: weights are hazards per second (paper mode: alarms that a repair removes)."""
    setup = state.setup
    v, k = len(setup.variables), len(setup.hops)
    seen = effect(state.sums, setup.counterfactual)
    hazard = state.theta[:, GROUND:].reshape(v, v, k).transpose(1, 0, 2)  # [cause, effect, hop]
    weight = np.abs(seen.att) if setup.mode == "paper" else hazard.sum(axis=2)
    describe = partial(_describe, seen, hazard, (setup.variables, state.adj, state.loss))
    evidence = PairEvidence(setup.variables, ~np.eye(v, dtype=bool), describe)
    meta = {"mode": setup.mode, "actions": state.steps, "fitted_at": state.fitted}
    return Graph(setup.variables, state.adj, weight=weight, evidence=evidence, meta=meta)


def _describe(
    seen: Effect, hazard: Array, among: tuple[tuple[str, ...], Bools, Array], i: int, j: int
) -> dict[str, Any]:
    """The evidence of one pair, from a state's effects, hazards (V, V, hops), and variables, edges and losses (V, V)."""
    error = float(seen.error[i, j])
    return {
        "effect_on_treated": float(seen.att[i, j]),
        "standard_error": error if math.isfinite(error) else None,
        "treated": int(seen.n[i]),
        "hazard_by_hop": [float(h) for h in hazard[i, j]],
        "log_likelihood_gain": float(among[2][i, j]),
        **by_chain(*among, i, j),
    }
