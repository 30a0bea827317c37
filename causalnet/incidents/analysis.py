"""One call for an incident, whether it is told by alarms or by metrics."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from ..base.checks import flag, instance, names, number
from ..data import Events, as_table
from ..data.logs import event_columns, is_log
from ..data.topology import undirected
from ..discovery import discover
from ..errors import DataError, UnknownNameError, nearest
from ..graph import Graph
from ..search.stream_state import State
from .alarms import rank_alarms
from .event_model import EventModel
from .ranking import RootCauses
from .series import LEAST, rank_series
from .watched import stream_model

LEARNED = (
    "no graph was given: ranked by how unusual each is; the reasons use a graph learned from the rows before start"
)
SKEW = 30.0  # seconds; where clocks agree, expecting this costs little (measured on simulated cascades)


def root_causes(
    model: EventModel | Graph | State | nx.DiGraph | None,
    alarms_or_metrics: Events | pd.DataFrame,
    topology: nx.Graph | None = None,
    *,
    skew: float = SKEW,
    start: Any = None,
    metric: str | tuple[str, ...] | None = None,
    alarmed: str | None = None,
    compare: bool = False,
) -> RootCauses:
    """Rank who is to blame for an incident, by how much of it is expected to go back to each.

    Alarms (an event log, or a frame with the columns event, timestamp, device): suspects are (device, type); ``model``
    is an :class:`EventModel` fitted to a log, the state of a watched stream (``thp.step``, ``causalnet watch``), or a
    graph over the types, which gets default rates. topology: the links
    between devices; None takes that of the alarms, else of the model. skew: deviation in seconds of the difference
    between two devices' clocks.

    Metrics (a frame of series, rows in time order, columns of components, or with further levels such as metric and
    statistic): suspects are components; ``model`` is the causal graph over them, or the call graph, a networkx.DiGraph
    of caller -> callee (``topology`` may give it too); None learns one from the past, for the reasons only. start: when the incident began,
    a value of the index. metric: the series to judge by, as in the further levels. alarmed: the component whose alarm
    was seen; only what it depends on is suspected first. compare: add the simple rules to ``frame()``.

    DataError or UnknownNameError, a sentence, for what cannot be used; UserWarning and ``notes`` for what was left out.
    """
    number("skew", skew, 0.0)
    flag("compare", compare)
    instance("topology", topology, (nx.Graph, type(None)), "a networkx graph, or None")
    data = alarms_or_metrics
    if isinstance(data, Events) or _is_log(data):
        log = data if isinstance(data, Events) else _log(data)
        rates = EventModel.from_graph(model) if isinstance(model, Graph) else model
        rates = stream_model(rates) if isinstance(rates, State) else rates
        what = "an EventModel, the state of a watched stream, or a Graph over the types of alarms"
        rates = instance("model", rates, EventModel, what)
        given = topology if topology is not None else log.topology
        return rank_alarms(rates, log, None if given is None else undirected(given), float(skew))
    instance("alarms_or_metrics", data, pd.DataFrame, "an event log, a frame of one, or a frame of metrics")
    frame = (
        data if metric is None else _of_metric(data, (metric,) if isinstance(metric, str) else names("metric", metric))
    )
    calls = model if isinstance(model, nx.DiGraph) else topology
    if calls is not None and not calls.is_directed():
        raise DataError("the call graph has no directions; give a networkx.DiGraph of caller -> callee")
    if not isinstance(model, nx.DiGraph):
        instance("model", model, (Graph, type(None)), "for metrics, a Graph over components, a call graph, or None")
    given = calls if calls is not None else model
    graph = learn_from_past(frame, start) if given is None else given
    found = rank_series(frame, start, graph, alarmed, compare, trusted=given is not None)
    return found if given is not None else replace(found, notes=(*found.notes, LEARNED))


def learn_from_past(frame: pd.DataFrame, start: Any) -> Graph:
    """A graph over the components, learned from the rows before ``start``: the first series of each, gaps at its median.

    Components that hardly vary, or are mostly missing, are left out of it.
    """
    past = frame[frame.index < start] if start is not None else frame.iloc[:0]
    first = past.loc[:, ~past.columns.get_level_values(0).duplicated()]
    first = first.set_axis([str(name) for name in first.columns.get_level_values(0)], axis=1)
    use = [name for name in first if first[name].count() >= max(LEAST, len(first) / 2) and first[name].nunique() > 10]
    if len(use) < 2:
        return Graph(tuple(map(str, first.columns)), np.zeros((first.shape[1],) * 2, dtype=bool))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return discover(as_table(first[use].fillna(first[use].median())), "order")


def _is_log(data: Any) -> bool:
    """Does the frame have a column for each of event, timestamp and device, in some spelling?"""
    if not isinstance(data, pd.DataFrame) or data.columns.nlevels > 1:
        return False
    return is_log(data.columns)


def _log(frame: pd.DataFrame) -> Events:
    if len(frame) == 0:
        raise DataError("the incident has no alarms: there is not one row, so there is nothing to explain")
    took = event_columns([str(name) for name in frame.columns], "the incident")
    return Events(pd.DataFrame({role: frame[column] for role, column in took.items()}))


def _of_metric(frame: pd.DataFrame, metric: tuple[str, ...]) -> pd.DataFrame:
    """The series whose further levels are ``metric``, or start with it."""
    n = len(metric)
    chosen = [isinstance(c, tuple) and tuple(map(str, c[1 : 1 + n])) == metric for c in frame.columns]
    if not any(chosen):
        have = sorted({" ".join(map(str, c[1:])) for c in frame.columns if isinstance(c, tuple)})
        told = f" It is one of {', '.join(have)}" if have else " The columns have one level only; leave metric out"
        raise UnknownNameError(f"no series has the metric {' '.join(metric)!r}.{nearest(' '.join(metric), have)}{told}")
    return frame.loc[:, chosen]
