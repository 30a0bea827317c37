"""Root causes of an incident that is told by metrics: how unusual each component is, then where that comes from.

Score of a series over the rows of the incident, against the rows before it, in robust deviations (BARO's rule: Pham,
Ha, Zhang, FSE 2024), and the severity s of what is beyond the largest of an ordinary past:

    z = max |x - median| / (IQR / 1.349)          tau = max(3, the CALM quantile of z over stretches of the past as long)
    s = log(z / tau), at least 0

An anomaly loses strength on its way, so a cause carries to a component at most what every step between them shows:

    carried(r -> v) = max over paths r ... v of the least s on the path          (the widest path; s_r to itself)
    score_r = sum over v of carried(r -> v)          explains_r = sum over v of carried(r -> v) / s_v
    P(root)_v = 1 - max over its causes c of min(s_c, s_v) / s_v          anomalous given its causes

CALM was settled on simulated call graphs and PetShop's 8 train faults; its 18 test faults were scored once: top-1 15, top-3
18 with the call graph. That a graph learned from quiet days gives reasons but no order was decided after that look: ordered
by it, 5 of 8 availability faults and none of 10 latency faults came first, and by max |z| 5 and 3.

A component without a past or a present is passed through to its own causes. Simple rules, to compare: ``max-z`` (mean
and deviation of the past), ``baro`` (z alone), ``traversal`` (s > 0, and s = 0 at all causes; by z).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import pandas as pd

from ..base.arrays import Array, Bools
from ..base.checks import known
from ..data.reading import finite
from ..errors import DataError
from ..graph import Graph
from .ranking import RootCause, RootCauses

RULES = ("max-z", "baro", "traversal")
CALM = 0.9  # of stretches of the past as long as the incident are below tau
FLOOR = 1e-3  # of the level of a series: the least deviation that a past without any is credited with
LEAST = 20  # values that a past needs
TAKEN = 0.1  # the severity that a component whose alarm was seen has at least
WORTH = 0.5  # a suspect stands out if at least this part of its anomaly is its own


class Scores(NamedTuple):
    """How unusual each of the D components is; nan where it cannot be told."""

    names: tuple[str, ...]
    worst: tuple[str, ...]  # the series that says so
    z: Array  # by median and IQR
    moments: Array  # by mean and deviation
    u: Array  # z / tau


def rank_series(
    frame: pd.DataFrame, start: Any, graph: Graph | nx.DiGraph | None, alarmed: str | None, compare: bool, trusted: bool
) -> RootCauses:
    """Every component by what it carries; graph: causal, or the calls of caller -> callee.

    alarmed: what it depends on comes first. trusted: False for a graph learned from quiet days, whose directions need
    not be those of errors: then the order is by z alone, and the graph only tells what hangs together.
    """
    scores, notes = score(frame, start)
    if alarmed is not None:
        known(alarmed, scores.names, f"alarmed is {alarmed!r}, no component of the metrics")
    d = len(scores.names)
    causes = _passed_through(_causes(scores.names, graph), np.isfinite(scores.z))[:d, :d]
    u = np.nan_to_num(scores.u)
    s = np.log(np.maximum(u, 1.0))
    at = -1 if alarmed is None else scores.names.index(alarmed)
    if alarmed is not None:
        s[at] = max(s[at], TAKEN)
    carried = carry(s, causes)
    level = np.where(s > 0, s, 1.0)
    own = np.where(s > 0, 1.0 - np.where(causes, np.minimum.outer(s, s), 0.0).max(axis=0, initial=0.0) / level, 0.0)
    explains = (carried / level).sum(axis=1)
    leads = s > 0
    if alarmed is not None and trusted:
        leads = leads & (carry(np.ones(len(s)), causes)[:, at] > 0)
    weight = carried.sum(axis=1) if trusted else np.nan_to_num(scores.z)
    order = sorted(range(len(s)), key=lambda v: (trusted and not leads[v], -weight[v], -u[v], scores.names[v]))
    ranked = []
    for v in order:
        stands, because = bool(leads[v] and own[v] >= WORTH), _because(scores, causes, s, v)
        ranked.append(RootCause(scores.names[v], scores.worst[v], float(own[v]), float(explains[v]), because, stands))
    others = tuple(one for rule in RULES if compare for one in _by_rule(rule, scores, causes))
    return RootCauses(tuple(ranked), int((s > 0).sum()), notes, others)


def carry(s: Array, causes: Bools) -> Array:
    """(D, D) what each component carries to each: the widest path (Floyd and Warshall's algorithm); s (D,) severities."""
    wide = np.where(causes, np.minimum.outer(s, s), 0.0)
    np.fill_diagonal(wide, s)
    for k in range(len(s)):
        wide = np.maximum(wide, np.minimum.outer(wide[:, k], wide[k]))
    return wide


def score(frame: pd.DataFrame, start: Any) -> tuple[Scores, tuple[str, ...]]:
    """The scores of every component, the worst of its series each, and a note on series that could not be scored."""
    values, columns, first = _checked(frame, start)
    z, moments, tau = (np.full(values.shape[1], np.nan) for _ in range(3))
    length = len(values) - first
    for s in range(values.shape[1]):
        past, now = values[:first, s], values[first:, s]
        seen = past[np.isfinite(past)]
        if len(seen) < LEAST or not np.isfinite(now).any():
            continue
        low, middle, high = np.quantile(seen, (0.25, 0.5, 0.75))
        least = FLOOR * max(abs(middle), 1e-9)
        scale, spread = max((high - low) / 1.349, least), max(float(seen.std()), least)
        z[s] = np.nanmax(np.abs(now - middle)) / scale
        moments[s] = np.nanmax(np.abs(now - seen.mean())) / spread
        off = pd.Series(np.abs(past - middle) / scale).rolling(length, min_periods=1).max()
        tau[s] = max(3.0, float(off.quantile(CALM)))
    names = tuple(dict.fromkeys(name for name, _ in columns))
    mine = [np.array([at for at, (name, _) in enumerate(columns) if name == one]) for one in names]
    u = z / tau
    best = [int(rows[np.argmax(np.nan_to_num(u[rows], nan=-1.0))]) for rows in mine]
    blind = [name for name, s in zip(names, best, strict=True) if not np.isfinite(u[s])]
    note = f"{', '.join(blind)}: fewer than {LEAST} values before the start or none after it, so not scored"
    worst = tuple(columns[s][1] for s in best)
    return Scores(names, worst, z[best], moments[best], u[best]), (note,) if blind else ()


def _checked(frame: pd.DataFrame, start: Any) -> tuple[Array, list[tuple[str, str]], int]:
    """The values, (component, series) of each column, and the first row of the incident; or a sentence."""
    if start is None:
        raise DataError(
            "metrics need the start of the incident",
            python="give start=, a value of the frame's index",
            shell="give --start TIME, as the first column has it",
        )
    if not frame.index.is_monotonic_increasing or not frame.index.is_unique:
        raise DataError(
            "the rows of the metrics are not in the order of time, each time once; sort and deduplicate them"
        )
    try:
        first = int(
            frame.index.searchsorted(pd.Timestamp(start) if isinstance(frame.index, pd.DatetimeIndex) else start)
        )
    except (TypeError, ValueError) as error:
        raise DataError(
            f"start is {start!r}, and must be a time like those of the metrics ({frame.index[:1].tolist()})"
        ) from error
    if not LEAST <= first < len(frame):
        raise DataError(
            f"start is {start!r}: {first} rows of the metrics lie before it and {len(frame) - first} from it on; give "
            f"{LEAST} rows of past at least, and one of the incident"
        )
    wrong = [str(name) for name, kind in zip(frame.columns, frame.dtypes, strict=True) if kind.kind not in "iufb"]
    if wrong:
        raise DataError(f"the metrics {', '.join(wrong)} are no numbers; drop them or convert them")
    split = [(str(c[0]), " ".join(map(str, c[1:]))) if isinstance(c, tuple) else (str(c), "") for c in frame.columns]
    return np.column_stack([finite(frame.iloc[:, s], frame.columns[s]) for s in range(frame.shape[1])]), split, first


def _causes(names: tuple[str, ...], graph: Graph | nx.DiGraph | None) -> Bools:
    """(D', D') bool, [c, v]: c may cause v; the components first, then what only the graph knows."""
    arcs: list[tuple[str, str]] = []
    if isinstance(graph, nx.DiGraph):  # an error runs from the callee to its caller
        arcs = [(str(callee), str(caller)) for caller, callee in graph.edges]
    elif graph is not None:
        arcs = [(graph.nodes[c], graph.nodes[v]) for c, v in np.argwhere(graph.adj)]
    every = list(dict.fromkeys([*names, *(name for arc in arcs for name in arc)]))
    if arcs and not {name for arc in arcs for name in arc} & set(names):
        raise DataError(f"the graph joins none of the components of the metrics: {', '.join(names[:8])}")
    at = {name: i for i, name in enumerate(every)}
    found = np.zeros((len(every), len(every)), dtype=bool)
    for c, v in arcs:
        found[at[c], at[v]] = c != v
    return found


def _passed_through(causes: Bools, seen: Bools) -> Bools:
    """Components without a score joined away: their causes become those of their effects."""
    joined = causes.copy()
    for u in range(len(joined)):
        if u >= len(seen) or not seen[u]:
            joined |= np.outer(joined[:, u], joined[u])
            joined[u], joined[:, u] = False, False
    np.fill_diagonal(joined, False)
    return joined


def _because(scores: Scores, causes: Bools, s: Array, v: int) -> str:
    if not np.isfinite(scores.z[v]):
        return "cannot be scored"
    level = f"{scores.z[v]:.1f} deviations off"
    if s[v] <= 0:
        return f"{level}, as in its past"
    worst = max((c for c in np.flatnonzero(causes[:, v]) if s[c] > 0), key=lambda c: s[c], default=None)
    hit = [scores.names[e] for e in np.flatnonzero(causes[v]) if s[e] > 0]
    up = (
        "none of its causes is anomalous"
        if worst is None
        else f"its worst cause is {scores.names[worst]}, {scores.z[worst]:.1f} off"
    )
    return f"{level}; {up}" + (f"; explains {', '.join(hit)}" if hit else "")


def _by_rule(rule: str, scores: Scores, causes: Bools) -> list[RootCause]:
    """The components by a simple rule, best first."""
    by = np.nan_to_num(scores.moments if rule == "max-z" else scores.z, nan=0.0)
    off = np.nan_to_num(scores.u, nan=0.0) > 1.0
    stands = off & ~(causes & off[:, None]).any(axis=0) if rule == "traversal" else off
    order = sorted(range(len(by)), key=lambda v: (rule == "traversal" and not stands[v], -by[v], scores.names[v]))
    told = "deviations off" + (", and none of its causes is anomalous" if rule == "traversal" else "")
    return [
        RootCause(scores.names[v], scores.worst[v], np.nan, np.nan, f"{by[v]:.1f} {told}", bool(stands[v]), rule)
        for v in order
    ]
