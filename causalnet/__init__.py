"""causalnet: causal discovery and structure learning whose graphs get used.

The public names below load on first use, so that ``import causalnet`` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Graph": "graph",
    "Knowledge": "graph",
    "Events": "data",
    "Table": "data",
    "as_table": "data",
    "read_events": "data",
    "read_table": "data",
    "Dataset": "datasets",
    "load_dataset": "datasets",
    "dataset_names": "datasets:names",
    "discover": "discovery",
    "backends": ":backends",
    "Backend": "discovery",
    "score": "graph.metrics",
    "compare": "comparison.grid",
    "Results": "comparison.results",
    "Discovery": "discovery.estimator",
    "edge_confidence": "discovery.stability",
    "CausalMask": "representation",
    "RootCauseMask": "representation",
    "PPO": "agents",
    "DQN": "agents",
    "D3QN": "agents",
    "ScalableActorCritic": "agents",
    "learn_by_doing": "training",
    "evaluate": "training",
    "Interactions": "data",
    "Transitions": "data",
    "locality": ":locality",
    "envs": ":envs",
    "agents": ":agents",
    "CausalnetError": "errors",
    "DataError": "errors",
    "KnowledgeError": "errors",
    "UnknownNameError": "errors",
    "NotApplicable": "errors",
    "NotInstalled": "errors",
    "TimeLimit": "errors",
}
__all__ = [*_HOME, "__version__"]

if TYPE_CHECKING:
    from . import agents, envs, locality
    from .agents import D3QN, DQN, PPO, ScalableActorCritic
    from .comparison import Results, compare
    from .data import Events, Interactions, Table, Transitions, as_table, read_events, read_table
    from .datasets import Dataset, load_dataset
    from .datasets import names as dataset_names
    from .discovery.contract import Backend
    from .discovery.dispatch import discover
    from .discovery.estimator import Discovery
    from .discovery.register import backends
    from .discovery.stability import edge_confidence
    from .errors import (
        CausalnetError,
        DataError,
        KnowledgeError,
        NotApplicable,
        NotInstalled,
        TimeLimit,
        UnknownNameError,
    )
    from .graph import Graph, Knowledge
    from .graph.metrics import score
    from .representation import CausalMask, RootCauseMask
    from .training.by_doing import learn_by_doing
    from .training.evaluation import evaluate


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'causalnet' has no attribute {name!r}")
    module, _, attribute = _HOME[name].partition(":")
    if not module:  # a module that is called like its main function
        return importlib.import_module(f".{attribute}", __name__)
    value = getattr(importlib.import_module(f".{module}", __name__), attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
