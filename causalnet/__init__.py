"""causalnet: causal discovery and structure learning whose graphs get used.

The public names below load on first use, so that ``import causalnet`` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base.doors import door

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "data.outlook": "look",
        "data": "Events Interactions Series Table Transitions as_table read_events read_table stream_table",
        "datasets": "Dataset load_dataset dataset_names=names",
        "graph": "Graph Knowledge LaggedGraph",
        "graph.metrics": "score",
        "graph.lagged_metrics": "score_lags",
        "discovery": "Backend discover",
        "discovery.checkup": "doctor",
        "discovery.estimator": "Discovery",
        "discovery.stability": "edge_confidence",
        "incidents": "EventModel RootCauses root_causes",
        "comparison.grid": "compare",
        "comparison.results": "Results",
        "representation": "CausalMask RootCauseMask",
        "agents": "D3QN DQN PPO ScalableActorCritic",
        "training": "evaluate learn_by_doing",
        "errors": "CausalnetError DataError KnowledgeError NotApplicable NotInstalled TimeLimit UnknownNameError",
        "": "agents backends envs locality",
    },
)
__all__ += ["__version__"]

if TYPE_CHECKING:
    from . import agents, envs, locality
    from .agents import D3QN, DQN, PPO, ScalableActorCritic
    from .comparison import Results, compare
    from .data import Events, Interactions, Series, Table, Transitions, as_table, read_events, read_table, stream_table
    from .data.outlook import look
    from .datasets import Dataset, load_dataset
    from .datasets import names as dataset_names
    from .discovery.checkup import doctor
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
    from .graph import Graph, Knowledge, LaggedGraph
    from .graph.lagged_metrics import score_lags
    from .graph.metrics import score
    from .incidents import EventModel, RootCauses, root_causes
    from .representation import CausalMask, RootCauseMask
    from .training.by_doing import learn_by_doing
    from .training.evaluation import evaluate
