"""causalnet: causal discovery and structure learning whose graphs get used.

The public names below load on first use, so that ``import causalnet`` stays light. The folders, from the ground up; each
imports only what stands above it here, and a test walks the imports:

base            checks of arguments, array types, doors whose names load on first use, texts, the clock
data            frozen inputs (tables, series, events, interactions, transitions), and what every kind of data answers
stats           one question to the data: tests, likelihoods, intervals; no search
storage         files whole or absent, run folders that resume, rows, checkpoints
graph           Graph, evidence, orders, Meek's rules, knowledge, metrics, confidence
search          how graphs are found: skeletons, orientation, orders, continuous descent, Hawkes
datasets        named data with their truth, simulators, downloads
report          pages, charts, networks, summaries
envs            the fault-alarm network, networks of agents, simulators, and what any environment offers
representation  masks of actions, compact states, domain factors
discovery       the contract of a backend, the register, dispatch, resampling, provenance
effects         what setting a variable does
incidents       root causes of what is wrong now
locality        certificates, bounds, advice on kappa
backends        plug-ins, a file or folder each
comparison      methods x data sets x seeds: plan, workers, store, results
agents          the loop of training; PPO, DQN, D3QN; networked actor-critics
training        learning by doing, sessions, evaluation, controls
cli             ``causalnet ...``
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
