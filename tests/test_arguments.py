"""Arguments of a wrong type to public calls are answered in a sentence: every parameter with values of many types."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(30, 3)), columns=list("abc"))
GRAPH = cn.Graph.from_edges("abc", [("a", "b")])
LOG = pd.DataFrame({"event": ["A", "B"] * 15, "timestamp": np.cumsum(RNG.exponential(9.0, 30)), "device": "d"})
EVENTS = cn.Events(LOG)
ZEROS = np.zeros((3, 2, 2))
UNITS = {
    "variables": ["v", "w"],
    "units": ["u", "x"],
    "before": ZEROS,
    "after": ZEROS,
    "unit": [0, 1, 0],
    "variable": [0, 1, 1],
}
WRONG: dict[str, Any] = {
    "none": None, "whole": 3, "nan": float("nan"), "huge": 10**30, "beyond": 10**400, "text": "zzz", "list": [], "dict": {}, "bytes": b"x",
    "object": object(), "function": lambda *given: 1, "frame": FRAME, "array": np.ones((2, 2)), "graph": GRAPH, "type": cn.Graph,
    "nested": [[1, [2]], "a"], "set": {1}, "network": nx.DiGraph([(1, 2)]), "path": Path("nowhere"),
}  # fmt: skip
CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "as_table": (cn.as_table, {"data": FRAME}),
    "Events": (cn.Events, {"frame": LOG}),
    "event_columns": (cn.look, {"data": FRAME, "columns": None}),
    "Interactions": (cn.Interactions, UNITS),
    "Dataset": (cn.Dataset, {"name": "d", "data": FRAME, "truth": GRAPH}),
    "from_networkx": (cn.Graph.from_networkx, {"graph": nx.DiGraph([("a", "b")]), "nodes": None}),
    "Graph": (cn.Graph, {"nodes": list("abc"), "adj": GRAPH.adj, "weight": None}),
    "thp": (
        partial(cn.discover, EVENTS, "thp"),
        {"decay": 0.1, "hops": (0,), "ties": None, "repeats": None, "max_parents": None, "max_changes": None, "tol": 0.01},
    ),
    "backends": (cn.compare, {"datasets": None, "backends": ["empty"], "seeds": 1}),
    "score": (cn.score, {"truth": GRAPH, "learned": GRAPH}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_type_is_a_sentence(name: str) -> None:
    call, right = CALLS[name]
    for parameter in right:
        for kind, value in WRONG.items():
            try:
                call(**{**right, parameter: value})
            except cn.CausalnetError:
                continue
            except Exception as error:
                pytest.fail(f"{name}({parameter}: {kind}) raised {type(error).__name__}: {error}")
