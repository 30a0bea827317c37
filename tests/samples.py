"""A value for every parameter of a public call, and an object of every public class, for the sweep of ``test_arguments.py``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from gymnasium.vector import SyncVectorEnv
from scipy import sparse

import causalnet as cn
from causalnet import agents, data, effects, envs, locality, report, representation
from causalnet.graph.causal_masks import CausalMasks
from causalnet.representation.gate import Choice
from causalnet.storage.tensors import read_tensors
from causalnet.training.environment import Plan

FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=list("abc"))
GRAPH = cn.Graph.from_edges("abc", [("a", "b")])
LAGGED = cn.LaggedGraph.from_links("ab", np.array([[[0, 0], [0, 0]], [[1, 1], [0, 0]]], bool))
LOG = pd.DataFrame({"event": ["A", "B"] * 15, "timestamp": np.arange(30.0) * 9.0, "device": "d"})
MODEL = envs.TabularNetwork.random(nx.path_graph(2), 0)
POLICY = locality.LocalPolicy([np.full((2, 2), 0.5)] * 2)
RING = sparse.csr_matrix(nx.to_numpy_array(nx.path_graph(2)))
ZEROS = np.zeros((3, 2, 2))
PLAYED = cn.Interactions(["v", "w"], ["u", "x"], ZEROS, ZEROS, unit=[0, 1, 0], variable=[0, 1, 1])
FIELDS = {
    "states": np.random.default_rng(1).integers(0, 2, (40, 2, 2)),
    "next_states": np.random.default_rng(2).integers(0, 2, (40, 2, 2)),
    "actions": np.random.default_rng(3).integers(0, 2, (40, 2)),
    "rewards": np.zeros((40, 2)),
}


@cache
def samples() -> dict[str, Any]:
    """A value for each name of a parameter."""
    moves = data.as_transitions(FIELDS, RING)
    masks = agents.full_masks(RING, ["x"])
    return {
        "X": FRAME,
        "a": "a",
        "acr": representation.policy_acr(masks),
        "actions": [0, 1],
        "adj": GRAPH.adj,
        "adjacency": RING,
        "agent": 0,
        "alarms": {},
        "arrival": 0.5,
        "at_least": 0.1,
        "b": "b",
        "backend": "empty",
        "backends": ["empty"],
        "before": ZEROS,
        "bounds": [(0.1, 0.9)],
        "columns": ("a", "b"),
        "component": 0,
        "components": ["x"],
        "contacts": RING,
        "curves": {"c": report.Curve([0.0, 1.0], [0.0, 1.0])},
        "d": np.full((1, 2, 2, 2), 0.25),
        "sizes": ([2, 2], [2, 2]),
        "data": FRAME,
        "dataset": "asia",
        "datasets": ["asia"],
        "depth": 1,
        "devices": np.array([0]),
        "discover": lambda *given: GRAPH,
        "env": envs.FaultAlarmEnv(n_devices=4),
        "episodes": 1,
        "error": 0.1,
        "estimate": lambda *given: 0.5,
        "events": cn.Events(LOG),
        "factor": 0.5,
        "factors": [0.4, 0.6],
        "fields": FIELDS,
        "figures": {},
        "folder": "nowhere",
        "frame": FRAME,
        "function": np.sum,
        "gamma": 0.9,
        "given": GRAPH,
        "graph": GRAPH,
        "horizon": 3,
        "instance": envs.generate_instance(n_devices=4),
        "kappa": 1,
        "kappas": [0, 1],
        "learn": cn.discover,
        "learned": GRAPH,
        "like": GRAPH,
        "links": nx.DiGraph([(0, 1)]),
        "locality": locality.analyse(MODEL, POLICY),
        "log_prob": lambda *given: 0.0,
        "logits": [np.zeros((2, 2))] * 2,
        "marks": np.zeros((3, 3), int),
        "masks": masks,
        "mass": 1.0,
        "matrix": sparse.csr_array(np.eye(2) / 2),
        "model": MODEL,
        "n": 5,
        "name": "asia",
        "neighbours": RING,
        "network": nx.path_graph(3),
        "nodes": list("abc"),
        "notes": [],
        "outcome": "b",
        "p": np.full((3, 3), 0.2),
        "path": "nowhere.json",
        "policy": POLICY,
        "present": [True, False, True],
        "q": 0.5,
        "rng": np.random.default_rng(0),
        "discrete": np.zeros(2, bool),
        "levels": (None, None),
        "blocks": np.array([0]),
        "n_blocks": 2,
        "rows": np.array([0, 1]),
        "seed": 0,
        "share": 0.5,
        "size": 2,
        "temperature": 1.0,
        "text": GRAPH.to_json(),
        "title": "t",
        "transitions": moves,
        "truth": GRAPH,
        "update": 1,
        "utility": agents.Linear(np.ones((2, 2))),
        "value": 1.0,
        "width": 10.0,
        "x": 0.1,
        "x_label": "x",
        "y_label": "y",
        "policy_table": np.full((2, 2, 2), 0.5),
        "state_acr": representation.policy_acr(masks),
        "values": FRAME.to_numpy()[:, :2],
        "table": cn.as_table(FRAME),
        "parts": [moves],
    }


@cache
def objects() -> dict[str, Callable[[], Any]]:
    """How an object of each class is made, whose methods are called."""
    grid, table = partial(envs.gsac_grid, 2), cn.as_table(FRAME)
    told = samples()
    utility = {
        "Determinism": agents.Determinism,
        "Entropy": agents.Entropy,
        "Imitation": lambda: agents.Imitation(np.full((2, 2), 0.25)),
        "Linear": lambda: agents.Linear(np.ones((2, 2))),
        "RiskAverse": lambda: agents.RiskAverse(np.ones((2, 2))),
        "Differentiated": lambda: agents.Differentiated(lambda d: (d**2).sum()),
        "PerAgent": lambda: agents.PerAgent([agents.Entropy()] * 2),
        "Penalty": lambda: agents.Penalty(agents.Entropy(), 0.1),
        "Total": lambda: agents.Total([agents.Entropy()]),
    }
    return utility | {
        "Backend": lambda: cn.backends.get("pc"),
        "CausalMask": lambda: cn.CausalMask(envs.MachineRoom(), CAUSES),
        "Cooling": agents.Cooling,
        "Dataset": lambda: cn.Dataset("d", table, GRAPH),
        "D3QN": lambda: cn.D3QN(envs.MachineRoom()),
        "DQN": lambda: cn.DQN(envs.MachineRoom()),
        "PPO": lambda: cn.PPO(envs.MachineRoom()),
        "Discovery": lambda: cn.Discovery("empty"),
        "EventModel": lambda: cn.EventModel.from_graph(GRAPH),
        "Events": lambda: cn.Events(LOG),
        "Graph": lambda: GRAPH,
        "LaggedGraph": lambda: LAGGED,
        "Knowledge": lambda: cn.Knowledge([("a", "b")]),
        "Interactions": lambda: PLAYED,
        "Table": lambda: table,
        "Series": lambda: cn.Series(FRAME),
        "Transitions": lambda: told["transitions"],
        "Counts": lambda: data.Counts(("a",), (("x", "y"),), np.array([[0], [1]]), np.array([3, 4])),
        "Moments": lambda: data.Moments(("a", "b"), 9, np.zeros(2), np.eye(2)),
        "ScalableActorCritic": lambda: cn.ScalableActorCritic(grid()),
        "GSAC": learnt,
        "GeneralUtility": lambda: agents.GeneralUtility(grid(), utility=agents.Entropy()),
        "LocalizedPolicyImprovement": lambda: agents.LocalizedPolicyImprovement(grid()),
        "NetworkedPPO": lambda: agents.NetworkedPPO(grid(), hidden=(4,)),
        "Settings": agents.Settings,
        "ProximalSettings": agents.ProximalSettings,
        "Rate": lambda: agents.Rate(0.1),
        "NeuralSettings": agents.NeuralSettings,
        "RootCauseMask": lambda: cn.RootCauseMask(
            GRAPH, variables=list("abc"), action_variables=[0, 1, 2], present=lambda obs: np.array([True, False, True])
        ),
        "Epidemic": lambda: envs.Epidemic(RING),
        "FaultAlarm": lambda: envs.FaultAlarm(n_devices=4),
        "FaultAlarmEnv": lambda: envs.FaultAlarmEnv(n_devices=4),
        "Instance": lambda: told["instance"],
        "Inventory": lambda: envs.Inventory(5),
        "Services": lambda: envs.Services(5),
        "MachineRoom": envs.MachineRoom,
        "Line": lambda: envs.Line(3),
        "SysAdmin": lambda: envs.SysAdmin(RING),
        "TabularEnv": lambda: envs.TabularEnv(MODEL),
        "TabularNetwork": lambda: MODEL,
        "Traffic": lambda: envs.traffic_grid(2),
        "Wireless": grid,
        "LocalPolicy": lambda: POLICY,
        "Reach": lambda: locality.Reach(1, 1, 1, 1),
        "Gate": representation.Gate,
        "EstimatedSensitivities": lambda: locality.estimate_sensitivities(
            *[np.zeros((9, 2), int)] * 3, MODEL.state_parents, MODEL.action_parents, n_states=2, n_actions=2
        ),
        "CausalMasks": lambda: told["masks"],
        "GraphPosterior": lambda: representation.as_posterior(GRAPH),
        "FittedModel": lambda: effects.fit_model(GRAPH, (FRAME > 0).astype(str)),
        "VectorCausalMask": lambda: cn.CausalMask(rooms(), CAUSES),
        "TensorBoardLogger": None,
        "Results": lambda: cn.Results("compared"),
        "Decider": lambda: agents.Decider.load("policy.safetensors"),
        "CsvLogger": lambda: agents.CsvLogger("nowhere.csv"),
        "Sumo": None,  # its arguments are asked before there is a simulator
    }


KEPT = (
    "D3QN",
    "DQN",
    "PPO",
    "ScalableActorCritic",
    "GSAC",
    "GeneralUtility",
    "LocalizedPolicyImprovement",
    "NetworkedPPO",
)


def rooms() -> SyncVectorEnv:
    return SyncVectorEnv([envs.MachineRoom] * 2)


def learnt() -> agents.GSAC:
    """GSAC of two domains on the network of ``NETWORK``."""
    return agents.GSAC([envs.gsac_grid(2, arrival=p) for p in (0.4, 0.6)], [0.4, 0.6])


def write_files() -> None:
    """What calls read, in the current folder: a file ``NAME.npz`` for every class that has a checkpoint, and others."""
    for name in KEPT:
        objects()[name]().save(f"{name}.npz")
    GRAPH.save("graph.json")
    LAGGED.save("lagged.json")
    objects()["EventModel"]().save("model.json")
    LOG.to_csv("events.csv", index=False)
    FRAME.to_csv("table.csv", index=False)
    envs.save_instance(samples()["instance"], "instance")
    agents.export_policy(cn.D3QN(envs.FaultAlarmEnv(n_devices=4)), "policy.safetensors")
    cn.compare([cn.Dataset("d", cn.as_table(FRAME), GRAPH)], ["empty", "pc"], seeds=1, out="compared")


PLACES: dict[str, dict[str, Any]] = {
    **{kind: {"env": envs.MachineRoom()} for kind in KEPT[:3]},
    **{kind: {} for kind in KEPT[3:]},
    "GSAC": {"sources": [envs.gsac_grid(2, arrival=p) for p in (0.4, 0.6)]},
    "GeneralUtility": {"utility": agents.Entropy()},
}
CAUSES = cn.Graph.from_edges(envs.MachineRoom().variables, [])

NETWORK = envs.gsac_grid(2)
STATE = NETWORK.reset(0)[0]
OBS = np.zeros(120, np.float32)
OWN: dict[str, dict[str, Any]] = {
    "Interactions": {
        "variables": ["v", "w"],
        "units": ["u", "x"],
        "after": ZEROS,
        "unit": [0, 1, 0],
        "variable": [0, 1, 1],
    },
    "Dataset": {"name": "d", "data": cn.as_table(FRAME)},
    "Events": {"frame": LOG},
    "Graph": {"adj": GRAPH.adj},
    "LaggedGraph": {"nodes": tuple("ab"), "adj": LAGGED.adj, "links": LAGGED.links},
    "LaggedGraph.from_links": {"nodes": "ab", "links": LAGGED.links},
    "EventModel": {
        "types": ("a", "b"),
        "edges": np.array([[0, 1]]),
        "alpha": np.ones(1),
        "delay": np.ones(1),
        "background": np.ones(2),
    },
    "EventModel.fit": {"graph": cn.Graph.from_edges("AB", [("A", "B")])},
    "Graph.from_networkx": {"graph": nx.DiGraph([("a", "b")])},
    "wireless_network": {"graph": nx.Graph([("u", "p")]), "users": ["u"]},
    "TabularNetwork.random": {"graph": nx.path_graph(2)},
    "CausalMask": {"env": envs.MachineRoom(), "graph": CAUSES},
    "CausalMask.update": {"graph": CAUSES},
    "VectorCausalMask": {"env": rooms(), "graph": CAUSES},
    "VectorCausalMask.update": {"graph": CAUSES},
    "evaluate": {"policy": lambda obs, mask, rng: 0, "env": envs.MachineRoom()},
    "learn_by_doing": {"env": envs.MachineRoom(), "graph": CAUSES, "episodes": 1, "folder": None},
    "train": {
        "plan": Plan("causalnet/FaultAlarm-v0", make={"n_devices": 4}),
        "out": Path("trained"),
        "evaluate_episodes": 0,
    },
    "compare": {"datasets": [cn.Dataset("d", cn.as_table(FRAME), GRAPH)], "seeds": 1, "out": "other"},
    "edge_confidence": {"backend": "empty", "n": 2},
    "discover": {"backend": "empty"},
    "draw": {"dataset": "linear-gaussian"},
    "Results": {"out": "compared"},
    **{
        f"Results.{name}": {"dataset": "d"}
        for name in ("chance", "consensus", "data", "edge_shares", "graph", "log", "truth")
    },
    "write_report": {"path": "report.html"},
    "Decider.load": {"path": "policy.safetensors"},
    "Decider.counts_of": {"alarms": {"device0": {}}},
    "Sumo": {"config": "nowhere.sumocfg"},
    "Graph.load": {"path": "graph.json"},
    "LaggedGraph.load": {"path": "lagged.json"},
    "EventModel.load": {"path": "model.json"},
    "read_events": {"path": "events.csv"},
    "read_table": {"path": "table.csv"},
    "stream_table": {"path": "table.csv"},
    "load_table": {"path": "table.csv"},
    "outline": {"path": "table.csv"},
    "load_instance": {"folder": "instance"},
    "get": {"name": "empty"},
    "LaggedGraph.align": {"nodes": list("ab")},
    "LaggedGraph.from_networkx": {"graph": LAGGED.to_networkx()},
    "LaggedGraph.from_json": {"text": LAGGED.to_json()},
    "TabularNetwork": {"graph": nx.path_graph(2), "kernels": MODEL.kernels, "rewards": MODEL.rewards},
    "policy_returns": {"policy": envs.uniform_policy(NETWORK)},
    "adapt": {
        "agent": learnt(),
        "target": envs.gsac_grid(2, n_envs=1),
        "estimate": lambda t: representation.bernoulli_factor(t, "b_2"),
        "episodes": 1,
    },
    "export_policy": {"agent": cn.D3QN(envs.FaultAlarmEnv(n_devices=4)), "path": "exported.safetensors"},
    "compact_view": {"masks": envs.true_masks(NETWORK)},
    "masks_by": {"discover": lambda table, knowledge: cn.Graph.from_edges(table.columns, [])},
    "maximum_likelihood": {"log_prob": lambda omega, t: np.full((t.rows, 2, 3), -((omega[0] - 0.5) ** 2))},
    "near_ties": {"graph": cn.discover(FRAME, "order")},
    "learn_posterior": {"before": PLAYED},
    "influence": {"locality": locality.analyse(MODEL, POLICY, gamma=0.1)},
    "interdependence": {"environment": locality.environment(MODEL), "pi": sparse.csr_array((2, 2))},
    "EstimatedSensitivities.advice": {"pi": sparse.csr_array((2, 2))},
    "EstimatedSensitivities.radius": {"pi": sparse.csr_array((2, 2))},
    "GSAC.act": {"s": STATE[None], "factor": 0.5},
    "GSAC.code": {"factor": 0.5},
    "GSAC.evaluate": {"factor": 0.5, "episodes": 2},
    "GSAC.fine_tune": {"factor": 0.5, "target": NETWORK},
    "GSAC.policy": {"factor": 0.5},
    "NetworkedPPO.evaluate": {"episodes": 2},
    "FaultAlarm.load_state_dict": {"state": envs.FaultAlarm(n_devices=4).state_dict()},
    "FaultAlarmEnv.load_state_dict": {"state": envs.FaultAlarmEnv(n_devices=4).state_dict()},
    "FaultAlarmEnv.counts": {"obs": envs.FaultAlarmEnv(n_devices=4).reset(seed=0)[0]},
    "Instance": {field.name: getattr(samples()["instance"], field.name) for field in dataclasses.fields(envs.Instance)},
    "Line.step": {"actions": [0] * 3},
    "Traffic.step": {"actions": [0] * 4},
    "from_parallel_env": {"env": envs.to_parallel_env(NETWORK), "adjacency": NETWORK.adjacency},
    "CausalMasks": {field.name: getattr(samples()["masks"], field.name) for field in dataclasses.fields(CausalMasks)},
    "score_lags": {"truth": LAGGED, "learned": LAGGED},
    "CausalMasks.wrong": {"truth": samples()["masks"]},
    "to_parallel_env": {"env": NETWORK},
    "Wireless": {"access_points": np.eye(2, dtype=int), "n_places": 2},
    "fit_network": {},
    "LocalPolicy": {"tables": POLICY.tables},
    "LocalPolicy.require": {"n_states": [2, 2], "n_actions": [2, 2]},
    "TabularNetwork.local_tables": {"i": 0},
    "root_causes": {"model": cn.Graph.from_edges("AB", [("A", "B")]), "alarms_or_metrics": cn.Events(LOG)},
    "returns": {"policy": envs.uniform_policy(NETWORK), "episodes": 2},
    "estimate_sensitivities": {
        "s": np.zeros((9, 2), int),
        "a": np.zeros((9, 2), int),
        "s_next": np.zeros((9, 2), int),
        "state_parents": MODEL.state_parents,
        "action_parents": MODEL.action_parents,
        "n_states": 2,
        "n_actions": 2,
    },
    "exact_utility": {"policy": list(POLICY.tables)},
    "exact_utility_gradient": {"policy": list(POLICY.tables)},
    "from_causal_learn": {"matrix": np.zeros((3, 3)), "nodes": list("abc")},
    "from_pcalg": {"matrix": np.zeros((3, 3)), "nodes": list("abc")},
    "collision_free_ceiling": {"p": 0.5},
    "draw_network": {"positions": np.zeros((2, 2))},
    "own_frame": {"places": np.zeros((2, 2), int)},
    "write_run_report": {"rows": [], "path": "run.html"},
    "RootCauseMask": {
        "variables": list("abc"),
        "action_variables": [0, 1, 2],
        "present": lambda obs: np.array([True, False, True]),
    },
    "SysAdmin": {"network": RING},
    "collect": {"steps": 5},
    "greedy": {},
    "Curve": {"x": [0.0], "y": [0.0]},
    "Gate.see": {"arm": "presence", "episode": [Choice(*np.eye(3, dtype=bool), True, 1.0, over=True)]},
    "Gate.update": {"keep": None, "doubted": False},
    "Gate.from_json": {"told": representation.Gate().to_json()},
    "GraphPosterior": {"nodes": list("abc"), "samples": np.zeros((2, 3, 3), bool)},
    "Rate": {"start": 0.1},
    "Cooling": {},
    "Wireless.congestion": {"a": [0, 0, 0, 0]},
    "Imitation": {"target": np.full((2, 2), 0.25)},
    "Linear": {"reward": np.ones((2, 2))},
    "RiskAverse": {"reward": np.ones((2, 2))},
    "Penalty": {"of": agents.Entropy()},
    "Total": {"terms": [agents.Entropy()]},
    "PerAgent": {"utilities": [agents.Entropy()] * 2},
    "GSAC": {"sources": [NETWORK], "factors": [0.5]},
    "Moments": {"mean": np.zeros(2), "covariance": np.eye(2)},
    "Counts": {"levels": (("x", "y"), ("x",)), "distinct": np.array([[0, 0]]), "times": np.array([3])},
    "Settings.eta": {"agents": 2},
    "FittedModel.mean": {"state": "True"},
    "FittedModel.to_network": {"reward": {"b": {"True": 1.0}}},
    "reboot_worst": {"env": envs.SysAdmin(RING), "s": [0, 0]},
    "FaultAlarm.step": {"actions": [0]},
    "FaultAlarm.counts": {"obs": envs.FaultAlarm(n_devices=4).reset(0)[0]},
    "Transitions.of_domain": {"which": 0},
    "find_file": {"name": "x", "entry": {}},
    "Reach.radius": {"t": 1},
    "CsvLogger": {"path": "log.csv"},
    "CsvLogger.write": {"scalars": {"x": 1.0}},
    "DomainFactor": {},
    "Epidemic.encode": {"components": np.zeros((2, 1), int)},
    "SysAdmin.encode": {"components": np.zeros((2, 2), int)},
    "Wireless.encode": {"components": np.zeros((4, 2), int)},
    "TabularEnv.encode": {"components": np.zeros((2, 1), int)},
    "Line.encode": {"components": np.zeros((3, 1), int)},
    "Traffic.encode": {"components": np.zeros((4, 2), int)},
}
"""Values for single callables, before those of ``samples``."""
for name, agents_of in (("Epidemic", 2), ("Line", 3), ("SysAdmin", 2), ("TabularEnv", 2)):
    OWN[f"{name}.components"] = {"s": np.zeros(agents_of, int)}
LATER: dict[str, Callable[[], dict[str, Any]]] = {
    "write_report": lambda: {"results": cn.Results("compared")},
    "Decider": lambda: {
        "schema": agents.Decider.load("policy.safetensors").schema,
        "arrays": read_tensors("policy.safetensors")[0],
    },
    "Decider.decide": lambda: {"counts": np.ones((4, len(agents.Decider.load("policy.safetensors").variables)))},
    "EventModel.from_dict": lambda: {"raw": objects()["EventModel"]().to_dict()},
    **{f"{kind}.load": (lambda kind=kind: {"path": f"{kind}.npz", **PLACES[kind]}) for kind in KEPT},
}
"""Those that need the files of ``write_files``."""
