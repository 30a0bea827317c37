"""The environment that a plan describes: made by its name, its actions mapped to variables, masked by its graph."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..base.checks import known, whole
from ..envs import FAULT_ALARM
from ..envs.protocols import ActsOnVariables
from ..errors import DataError, NotApplicable, NotInstalled, UnknownNameError, nearest
from ..graph import Graph
from ..representation.action_map import TESTS, ActionMap, Presence

LEARNERS = {"ppo": "PPO", "dqn": "DQN", "d3qn": "D3QN"}
FORMAT = "causalnet.training/1"
OWN = (
    "this environment draws a network of its own: --make instance=FOLDER takes one with your variables, which "
    "causalnet.envs.save_instance(causalnet.envs.generate_instance(graph=graph), FOLDER) writes"
)


def check_learner(name: str) -> None:
    """UnknownNameError for what is none of LEARNERS."""
    known(name, LEARNERS, f"there is no learner {name!r}; use {', '.join(LEARNERS)}")


def learner_class(name: str) -> Any:
    """The agent of a learner's short name; NotInstalled where torch is missing."""
    check_learner(name)
    from .. import agents

    try:
        return getattr(agents, LEARNERS[name])
    except ImportError as error:
        raise NotInstalled(f"learners need torch ({error}): pip install 'causalnet[rl]'") from error


@dataclass(frozen=True)
class Plan:
    """What is trained. env: a Gymnasium id, or module:id for an environment that the module registers.

    make: arguments of the environment. graph: None masks by presence alone where there is an action map, else not at
    all. k, eta, present: see CausalMask; present is nonzero, positive or module:function (observation -> (V,) bool).
    settings: of the learner. imports: modules to import first.
    """

    env: str
    learner: str = "ppo"
    seed: int = 0
    graph: Graph | None = None
    k: int | str = 1
    eta: float = 0.0
    actions: ActionMap | None = None
    present: str = "nonzero"
    make: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    imports: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_learner(self.learner)
        if self.graph is None and (self.k != 1 or self.eta):
            raise DataError("k and eta belong to a graph; give one, or leave them out")
        if self.actions is None and self.present != "nonzero":
            raise DataError("present belongs to an action map; give one, or leave it out")
        whole("seed", self.seed, 0)
        if "seed" in self.settings:
            raise DataError("seed is no setting of the learner; give it as the seed of the run")

    def record(self) -> dict[str, Any]:
        """What decides the run, as JSON; the graph and the action map by digest."""
        edges = None if self.graph is None else self.graph.to_dict()["edges"]
        plain = {name: getattr(self, name) for name in ("env", "learner", "seed", "k", "eta", "present")}
        told = {"graph": _digest(edges), "actions": _digest(None if self.actions is None else asdict(self.actions))}
        return {"format": FORMAT, **plain, **told, "make": dict(self.make), "settings": dict(self.settings)}


def build(plan: Plan, presence_only: bool = False) -> Any:
    """The environment under its mask; without graph and action map it is left as it is."""
    env = make(plan.env, plan.make, plan.imports)
    if plan.graph is None and plan.actions is None:
        return env
    from ..representation import CausalMask

    facts = {} if plan.actions is None else _facts(plan, env)
    if plan.actions is None and not isinstance(env.unwrapped, ActsOnVariables):
        raise NotApplicable(
            f"{plan.env} does not say which variable each action acts on; give an action map (--actions FILE)"
        )
    graph = None if presence_only else plan.graph
    try:
        return CausalMask(env, graph, plan.k, eta=0.0 if presence_only else plan.eta, **facts)  # type: ignore[arg-type]
    except UnknownNameError as error:
        raise error.within(plan.env) if plan.env != FAULT_ALARM else DataError(f"{error}; {OWN}") from error


def _facts(plan: Plan, env: Any) -> dict[str, Any]:
    """What CausalMask asks for, by the action map."""
    import gymnasium

    told = plan.actions
    assert told is not None
    n = int(getattr(env.action_space, "n", 0))
    if n != len(told.actions):
        raise DataError(f"the action map describes {len(told.actions)} actions, and {plan.env} has {env.action_space}")
    variables = told.names if plan.graph is None else plan.graph.nodes
    if plan.present in TESTS:
        flat = (gymnasium.spaces.Box, gymnasium.spaces.MultiBinary, gymnasium.spaces.MultiDiscrete)
        if not isinstance(env.observation_space, flat):
            raise NotApplicable(
                f"presence cannot be read from {env.observation_space}; give --present module:function, a function "
                "from an observation to one bool for each variable"
            )
        presence = Presence(told, variables, math.prod(env.observation_space.shape), plan.present)
        return {"variables": variables, "action_variables": presence.action_variables, **presence.functions}
    index = {name: i for i, name in enumerate(variables)}
    for name in told.names:
        known(name, index, f"the action map names {name!r}, which is no variable of the graph")
    acts = [-1 if name is None else index[name] for name in told.actions]
    return {"variables": variables, "action_variables": acts, "present": _function(plan.present), "cells": None}


def make(name: str, arguments: Mapping[str, Any], imports: Sequence[str] = ()) -> Any:
    """``gymnasium.make`` with errors that say what to write."""
    import gymnasium

    importlib.import_module("..envs", __package__)
    for module in imports:
        _module(module)
    if ":" in name:
        _module(name.partition(":")[0])
    try:
        return gymnasium.make(name, **arguments)
    except gymnasium.error.UnregisteredEnv as error:
        bare = name.rpartition(":")[2]
        raise UnknownNameError(
            f"no environment {bare!r} is registered.{nearest(bare, gymnasium.registry)} An environment of your own "
            "is written module:Name-v0, where importing the module registers it"
        ) from error
    except gymnasium.error.Error as error:
        raise DataError(f"{name!r} is no environment that can be made: {error}") from error
    except TypeError as error:
        raise DataError(f"{name} does not take these arguments ({error}); see --make") from error


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataError(
            f"the module {name!r} cannot be imported ({error}); run in its folder, or install it"
        ) from error


def _function(name: str) -> Callable[[Any], Any]:
    module, colon, attribute = name.partition(":")
    if not colon:
        known(name, TESTS, f"presence is read by {', '.join(TESTS)} or module:function, got {name!r}")
    found = getattr(_module(module), attribute, None)
    if not callable(found):
        raise UnknownNameError(f"the module {module!r} has no function {attribute!r}")
    return found


def _digest(value: Any) -> str | None:
    return None if value is None else hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
