"""Arguments of a wrong type to public calls are answered in a sentence: every parameter with values of many types."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
import causalnet.agents
import causalnet.backends.att_bic
import causalnet.backends.thp
import causalnet.data
import causalnet.envs
from causalnet.base.asked import asks
from causalnet.errors import DataError

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
    "below": -1, "zero": 0, "half": 1.5, "infinite": float("inf"), "true": True, "empty": "", "ragged": [[1], [1, 2]], "texts": ["x", "y"],
    "objects": np.array([None, "x"], object), "cube": np.zeros((2, 3, 4)), "complex": 1j, "date": pd.Timestamp("2020-01-01"),
    "pair": (1, 2), "negative": [-1, -5], "far": [10**6], "flags": [True, False, True], "blank": np.full(3, np.nan),
}  # fmt: skip


class Later(partial):
    """A value that is made in a test: what compiles kernels does not do so in every process that collects tests."""


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
    "edge_confidence": (cn.edge_confidence, {"data": None, "backend": "empty", "n_jobs": 1, "engine": "local"}),
    "compare": (
        partial(cn.compare, [cn.Dataset("d", FRAME, GRAPH)], ["nothing"], out="runs/nowhere"),
        {"params": None, "engine": "local", "retry_failed": False, "n_jobs": 1},
    ),
    "stream_table": (partial(cn.stream_table, "nowhere.csv"), {"columns": None, "discrete": None}),
    "load_table": (cn.data.load_table, {"path": "nowhere.csv", "columns": None}),
    "outline": (cn.data.outline, {"path": "nowhere.csv"}),
    "pool": (cn.data.pool, {"parts": []}),
    "load_instance": (cn.envs.load_instance, {"folder": "nowhere"}),
    "observational_log": (cn.envs.observational_log, {"instance": None, "n_events": 20}),
    "generate_instance": (cn.envs.generate_instance, {"n_devices": 4, "graph": None, "hard": False, "rules": None}),
    "machine_network": (cn.envs.machine_network, {"n": 5}),
    "true_masks": (cn.envs.true_masks, {"env": Later(cn.envs.gsac_grid, 2), "varying": ("arrival",)}),
    "wireless_network": (partial(cn.envs.wireless_network, nx.Graph([("u", "p")])), {"users": ["u"]}),
    "gsac_grid": (partial(cn.envs.gsac_grid, 2), {"arrival": 0.5}),
    "exact_improvement": (cn.agents.exact_improvement, {"model": None, "policy": None}),
    "exact_utility": (cn.agents.exact_utility, {"model": None, "policy": [], "utility": None}),
    "full_masks": (cn.agents.full_masks, {"neighbours": None, "components": ["a"]}),
    "Decider": (cn.agents.Decider, {"schema": {}, "arrays": {}}),
    "EventModel": (
        cn.EventModel,
        {"types": "ab", "edges": [(0, 1)], "alpha": 0.1, "delay": 1.0, "background": 0.1},
    ),
    "Results": (cn.Results, {"out": "nowhere"}),
    "max_pressure": (cn.envs.max_pressure, {"env": None}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_type_is_a_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    call, given = CALLS[name]
    right = {parameter: value() if isinstance(value, Later) else value for parameter, value in given.items()}
    for parameter in right:
        for kind, value in WRONG.items():
            try:
                call(**{**right, parameter: value})
            except cn.CausalnetError:
                continue
            except Exception as error:
                pytest.fail(f"{name}({parameter}: {kind}) raised {type(error).__name__}: {error}")


HEAVY = ["compare", "load_dataset"]
"""Calls that run workers or read files whatever one of their arguments is; the first is among CALLS."""
WISHES = {"d", "episodes", "max_entries", "max_iterations", "n", "n_events", "rounds", "steps"}
"""Counts that may be as large as anyone likes."""
PICKS = 2  # of the values of WRONG, for each parameter; all of them take a minute


@pytest.mark.filterwarnings("ignore")
def test_no_public_call_answers_a_wrong_value_with_an_error_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from public import calls  # which makes an object of every class

    monkeypatch.chdir(tmp_path)
    leaks, made = [], 0
    for label, call, right in calls():
        for name, parameter in inspect.signature(call).parameters.items():
            if label in HEAVY or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            for kind in random.Random(f"{label} {name}").sample(sorted(WRONG), PICKS):
                if kind in ("huge", "beyond") and name in WISHES:
                    continue
                made += 1
                try:
                    call(**{**right, name: WRONG[kind]})
                except cn.CausalnetError:
                    pass
                except Exception as error:
                    leaks.append(f"{label}({name}: {kind}) raised {type(error).__name__}: {error}")
    print(f"{made} public calls with a wrong value")
    assert not leaks, "\n".join(leaks)


@pytest.mark.parametrize("module", [cn.backends.thp, cn.backends.att_bic])
def test_methods_that_learn_as_events_come_ask_for_their_state(module: Any, tmp_path: Path) -> None:
    thp = module is cn.backends.thp
    step = partial(module.step, events=LOG) if thp else partial(module.step, before=ZEROS[0], after=ZEROS[0])
    for call in (module.graph, partial(module.save, path=tmp_path / "s.npz"), step):
        with pytest.raises(DataError, match="state is None"):
            call(None)


def test_what_a_function_says_of_its_arguments_is_asked_of_them() -> None:
    @asks()
    def call(
        n: int,
        share: float = 0.5,
        graph: cn.Graph | None = None,
        names: Sequence[str] = (),
        *,
        by: Callable[..., Any] = len,
    ) -> int:
        return n

    assert call(np.int64(3), 1, GRAPH, ("a",), by=min) == 3
    for wrong, told in (
        ({"n": True}, "n is True, and must be a whole number"),
        ({"share": "x"}, "share is 'x', and must be a number"),
        ({"graph": 3}, "graph is 3, and must be of the type Graph or None"),
        ({"names": 3}, "names is 3, and must be a list"),
        ({"by": 3}, "by is 3, and must be a function"),
    ):
        with pytest.raises(DataError, match=told):
            call(**{"n": 1, **wrong})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="missing 1 required"):
        call()  # type: ignore[call-arg]
