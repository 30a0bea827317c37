"""Train an agent on any Gymnasium environment under the mask of a graph, resumably, and put controls beside it."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .base.checks import whole
from .errors import DataError, NotApplicable, NotInstalled, UnknownNameError, nearest
from .graph import Graph
from .representation.action_map import TESTS, ActionMap, Presence
from .storage.files import write_atomic

LEARNERS = {"ppo": "PPO", "dqn": "DQN", "d3qn": "D3QN"}
SAVE_SECONDS = 5.0  # a killed run repeats at most so much work; what it repeats comes out the same
FORMAT = "causalnet.training/1"


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
        if self.learner not in LEARNERS:
            raise UnknownNameError(
                f"there is no learner {self.learner!r}; use {', '.join(LEARNERS)}.{nearest(self.learner, LEARNERS)}"
            )
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


def train(
    plan: Plan, episodes: int, out: Path, *, evaluate_episodes: int = 20, progress: bool = False
) -> dict[str, Any]:
    """Learn until there are ``episodes`` episodes in all, evaluate, and return the summary.

    Leaves in ``out``: run.json (the plan), episodes.csv (a row an episode), agent.npz (the checkpoint that a second
    call goes on from) and summary.json. The controls of the summary are played on the same episodes without learning:
    ``uniform_in_mask`` draws any action of the graph's mask, ``uniform`` any that is allowed without the graph. The
    agent plays as it learned to act, told by ``agent_acts``: PPO "draws" its actions, DQN and D3QN take the "best".
    """
    whole("episodes", episodes, 1)
    whole("evaluate", evaluate_episodes, 0)
    env = build(plan)
    kind = _learner(plan.learner)
    fresh = _claim(out, plan)
    checkpoint = out / "agent.npz"
    if checkpoint.is_file():
        agent = kind.load(checkpoint, env)
    else:
        agent = kind(env, seed=plan.seed, **plan.settings)
    if fresh:
        write_atomic(out / "run.json", json.dumps(plan.record(), indent=1) + "\n")
    started, resumed = time.monotonic(), agent.episodes
    if agent.episodes < episodes:
        log = _Log(agent, out / "episodes.csv", checkpoint)
        try:
            agent.learn(episodes - resumed, log=log, progress=progress)
        finally:
            log.close()
        agent.save(checkpoint)
    summary = {
        **plan.record(),
        "episodes": agent.episodes,
        "steps": agent.steps,
        "resumed_at": resumed,
        "seconds": round(time.monotonic() - started, 3),
        **(_evaluation(plan, agent, env, evaluate_episodes) if evaluate_episodes else {}),
    }
    write_atomic(out / "summary.json", json.dumps(summary, indent=1) + "\n")
    return summary


def _learner(name: str) -> Any:
    from . import agents

    try:
        return getattr(agents, LEARNERS[name])
    except ImportError as error:
        raise NotInstalled(f"learners need torch ({error}): pip install 'causalnet[rl]'") from error


class _Log:
    """Writes the row of an episode, and then the checkpoint that has it, the latter at most once in SAVE_SECONDS."""

    def __init__(self, agent: Any, path: Path, checkpoint: Path) -> None:
        from .agents import CsvLogger

        self._rows, self._agent, self._checkpoint = CsvLogger(path, agent.episodes), agent, checkpoint
        self._last = time.monotonic()

    def write(self, scalars: Mapping[str, float]) -> None:
        """Called by ``learn`` after every episode."""
        self._rows.write(scalars)
        if time.monotonic() - self._last >= SAVE_SECONDS:
            self._agent.save(self._checkpoint)
            self._last = time.monotonic()

    def close(self) -> None:
        """Close the file of episodes."""
        self._rows.close()


def _claim(out: Path, plan: Plan) -> bool:
    """True for a new folder; False to go on in one of the same plan; an error for any other."""
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file; give a folder for the results")
    path = out / "run.json"
    if not path.is_file():
        if (out / "agent.npz").exists() or (out / "episodes.csv").exists():
            raise DataError(f"{out} holds results without the run.json that says what they are; choose another folder")
        return True
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); choose another folder") from error
    now = json.loads(json.dumps(plan.record()))
    if not isinstance(before, dict) or before.get("format") != FORMAT:
        raise DataError(f"{path} is no record of a training run; choose another folder")
    if not (out / "agent.npz").exists() and _lines(out / "episodes.csv") < 2:
        return True  # that run failed before its first episode was over
    changed = [name for name in now if before.get(name) != now[name]]
    if changed:
        name = changed[0]
        raise DataError(
            f"{out} holds a run with another {name} ({before.get(name)} there, {now[name]} here); "
            "choose another folder, or repeat the options of that run to go on with it"
        )
    return False


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else 0


# ---- the environment ----------------------------------------------------------------------------------------


def build(plan: Plan, presence_only: bool = False) -> Any:
    """The environment under its mask; without graph and action map it is left as it is."""
    env = make(plan.env, plan.make, plan.imports)
    if plan.graph is None and plan.actions is None:
        return env
    from .representation import CausalMask

    facts = {} if plan.actions is None else _facts(plan, env)
    inner = env.unwrapped
    if plan.actions is None and not all(hasattr(inner, name) for name in ("variables", "action_variables", "counts")):
        raise NotApplicable(
            f"{plan.env} does not say which variable each action acts on; give an action map (--actions FILE)"
        )
    graph = None if presence_only else plan.graph
    return CausalMask(env, graph, plan.k, eta=0.0 if presence_only else plan.eta, **facts)  # type: ignore[arg-type]


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
    unknown = [name for name in told.names if name not in index]
    if unknown:
        raise UnknownNameError(f"the action map names {unknown[0]!r}, which is no variable of the graph.")
    acts = [-1 if name is None else index[name] for name in told.actions]
    return {"variables": variables, "action_variables": acts, "present": _function(plan.present), "cells": None}


def make(name: str, arguments: Mapping[str, Any], imports: Sequence[str] = ()) -> Any:
    """``gymnasium.make`` with errors that say what to write."""
    import gymnasium

    importlib.import_module(".envs", __package__)
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
        raise UnknownNameError(
            f"presence is read by {', '.join(TESTS)} or module:function, got {name!r}.{nearest(name, TESTS)}"
        )
    found = getattr(_module(module), attribute, None)
    if not callable(found):
        raise UnknownNameError(f"the module {module!r} has no function {attribute!r}")
    result: Callable[[Any], Any] = found
    return result


# ---- the result ---------------------------------------------------------------------------------------------


def _evaluation(plan: Plan, agent: Any, env: Any, episodes: int) -> dict[str, Any]:
    """Return and length of the agent and its controls, on the same fresh episodes."""
    from .evaluate import evaluate, summarize, uniform

    if env.has_wrapper_attr("eta"):
        env.set_wrapper_attr("eta", 0.0)  # no exploration while evaluating
    players: dict[str, tuple[Any, Any]] = {"agent": (agent, env)}
    if plan.graph is not None:
        players["uniform_in_mask"] = (uniform, env)
    players["uniform"] = (uniform, build(plan, presence_only=True))
    found: dict[str, Any] = {}
    for name, (policy, where) in players.items():
        frame = evaluate(policy, where, episodes)
        told = {column: summarize(frame[column]) for column in ("return", "interventions")}
        found[name] = {key: {k: _finite(v) for k, v in values.items()} for key, values in told.items()}
    return {"agent_acts": "best" if agent.DETERMINISTIC else "draws", "evaluation": found}


def _finite(value: float) -> float | None:
    return value if value == value else None


def _digest(value: Any) -> str | None:
    return None if value is None else hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
