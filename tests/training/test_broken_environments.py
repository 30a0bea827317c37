"""Environments and functions of another form than they are asked for: a sentence from whoever plays them, and their own errors as they are."""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("torch")

from agent_envs import Echo

import causalnet as cn
from causalnet import agents, data, envs
from causalnet.base.checks import function
from causalnet.envs import answers
from causalnet.errors import DataError
from causalnet.training import learn_by_doing

Named = namedtuple("Named", "observation reward terminated truncated info")


class Broken(Echo):
    """An Echo with one answer of another form."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        obs, info = super().reset(seed=seed)
        return {"no info": obs, "info is none": (obs, None)}.get(self.how, (obs, info))

    def step(self, action: Any) -> Any:
        obs, reward, ended, cut, info = super().step(action)
        answers = {
            "four": (obs, reward, ended, info),
            "named": Named(obs, reward, ended, cut, info),
            "list": [obs, reward, ended, cut, info],
            "no reward": (obs, None, ended, cut, info),
            "many ends": (obs, reward, np.array([True, False]), cut, info),
        }
        if self.how == "fails":
            raise TypeError("this is mine")
        return answers.get(self.how, (obs, reward, ended, cut, info))


class NoSeed(Echo):
    """Of the interface before there were seeds."""

    def reset(self) -> Any:  # type: ignore[override]
        return super().reset()


def presence(obs: Any) -> np.ndarray:
    return np.asarray(obs) > 0


MAP: dict[str, Any] = {"variables": list("abcd"), "action_variables": range(4), "present": presence}
PLAYERS: dict[str, Callable[[Any], Any]] = {
    "evaluate": lambda env: cn.evaluate(lambda obs, mask, rng: 0, env, 1),
    "collect": lambda env: data.collect(env, episodes=1, **MAP),
    "ppo": lambda env: cn.PPO(env).learn(episodes=1),
    "dqn": lambda env: cn.DQN(env).learn(episodes=1),
    "mask": lambda env: cn.evaluate(lambda obs, mask, rng: 0, cn.CausalMask(env, None, **MAP), 1),
}
WAYS = {
    "no info": "reset of Broken returned|reset of Broken is not",
    "info is none": "reset of Broken returned",
    "four": "in place of done|step of Broken is not",
    "no reward": "the reward is None",
    "many ends": "terminated is array",
}


@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize("how", WAYS)
def test_an_answer_of_another_form_is_a_sentence(player: str, how: str) -> None:
    with pytest.raises(DataError, match=WAYS[how]):
        PLAYERS[player](Broken(how))


@pytest.mark.parametrize("how", ["named", "list"])
def test_answers_may_be_named_tuples_and_lists(how: str) -> None:
    for player in PLAYERS.values():
        player(Broken(how))


@pytest.mark.parametrize("player", PLAYERS)
def test_what_an_environment_raises_is_its_own(player: str) -> None:
    with pytest.raises(TypeError, match=r"^this is mine$"):
        PLAYERS[player](Broken("fails"))


def test_old_interfaces_inside_wrappers_and_vectors_are_told() -> None:
    limited = gymnasium.wrappers.TimeLimit(Broken("four"), 5)
    with pytest.raises(DataError, match="step of Broken is not"):
        PLAYERS["evaluate"](limited)
    for env in (NoSeed(), gymnasium.wrappers.TimeLimit(NoSeed(), 5)):
        with pytest.raises(DataError, match="reset of NoSeed is not"):
            PLAYERS["ppo"](env)
    for how in ("no info", "four", "no reward"):
        env = gymnasium.vector.SyncVectorEnv([lambda how=how: Broken(how)] * 2)
        with pytest.raises(DataError):
            PLAYERS["ppo"](env)


class Ring:
    """A network of three agents with two states and two actions each; ``change`` replaces what one method answers."""

    n_agents, n_envs, horizon = 3, 2, 4
    n_states = n_actions = np.full(3, 2)
    adjacency = sparse.csr_matrix(np.roll(np.eye(3, dtype=bool), 1, axis=1))

    def __init__(self, **change: Any) -> None:
        self.change, self.s = change, np.zeros((2, 3), np.int64)

    def reset(self, seed: Any = None) -> Any:
        return self.change.get("reset", (self.s, {}))

    def step(self, actions: Any) -> Any:
        told = {"s": self.s, "r": np.zeros((2, 3)), "ended": np.zeros(2, bool), "cut": np.zeros(2, bool), "info": {}}
        told |= self.change
        return told["all"] if "all" in told else tuple(told[name] for name in ("s", "r", "ended", "cut", "info"))


NETWORK_PLAYERS: dict[str, Callable[[Any], Any]] = {
    "collect": data.collect,
    "actor-critic": lambda env: cn.ScalableActorCritic(env).learn(2),
    "neural": lambda env: agents.NetworkedPPO(env, hidden=(4,), epochs=1).learn(2),
    "returns": lambda env: envs.policy_returns(env, envs.uniform_policy(env)),
}


@pytest.mark.parametrize("player", NETWORK_PLAYERS)
@pytest.mark.parametrize(
    "change",
    [
        {"reset": np.zeros((2, 3), np.int64)},
        {"all": (1, 2, 3, 4)},
        {"s": np.full((2, 3), 7)},
        {"s": np.zeros((2, 3))},
        {"s": np.zeros(5, np.int64)},
        {"r": np.zeros(2)},
        {"r": "much"},
        {"r": np.full((2, 3), np.nan)},
    ],
    ids=["no info", "four", "code", "floats", "shape", "few rewards", "text", "nan"],
)
def test_a_broken_network_is_a_sentence(player: str, change: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        NETWORK_PLAYERS[player](Ring(**change))


def test_a_whole_network_is_collected() -> None:
    moves = data.collect(Ring(), seed=1)
    assert moves.states.shape == (8, 3, 1) and moves.neighbours.nnz == 3
    for name, value in (("n_actions", [2, 2]), ("adjacency", np.eye(2)), ("n_states", None)):
        env = Ring()
        setattr(env, name, value)
        with pytest.raises(DataError, match=name):
            data.collect(env)


ROOM = envs.MachineRoom
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "policy": lambda f: cn.evaluate(f, ROOM(), 1),
    "truth": lambda f: cn.evaluate(lambda obs, mask, rng: 0, ROOM(), 1, truth=f),
    "policy to collect": lambda f: data.collect(ROOM(), f, steps=2),
    "policy of a network": lambda f: data.collect(Ring(), f),
    "on_step": lambda f: cn.PPO(ROOM()).learn(episodes=1, on_step=f),
    "on_episode": lambda f: cn.PPO(ROOM()).learn(episodes=1, on_episode=f),
    "on_update": lambda f: cn.ScalableActorCritic(Ring()).learn(2, on_update=f),
    "explore": lambda f: learn_by_doing(ROOM(), episodes=1, explore=f),
    "on_episode by doing": lambda f: learn_by_doing(ROOM(), episodes=1, on_episode=f),
    "mask": lambda f: cn.CausalMask(ROOM(), f).reset(seed=0),
    "ci_test": lambda f: cn.discover(np.random.default_rng(0).normal(size=(50, 3)), "pc", ci_test=f),
    "progress": lambda f: cn.edge_confidence(np.random.default_rng(0).normal(size=(50, 3)), "empty", n=2, progress=f),
    "network": lambda f: agents.NetworkedPPO(Ring(), policy=f),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_told_what_they_are_called_with_and_raise_what_they_raise(name: str) -> None:
    def fails(*given: Any) -> Any:
        raise TypeError("this is mine")

    with pytest.raises(DataError, match=r"takes \(a, b, c, d, e, f\), and is called with"):
        FUNCTIONS[name](lambda a, b, c, d, e, f: 0)
    with pytest.raises(TypeError, match=r"^this is mine$"):
        FUNCTIONS[name](fails)


@pytest.mark.parametrize("form", [np.bool_, np.uint8, float, pytest.importorskip("torch").tensor])
def test_ends_may_be_bools_of_other_packages(form: Callable[[bool], Any]) -> None:
    assert answers.ends(form(True), form(False)) == (True, False)
    assert answers.ends(form(True), False, (2,))[0].tolist() == [True, True]
    with pytest.raises(DataError, match="truncated is"):
        answers.ends(form(True), "no")
    with pytest.raises(DataError, match="terminated is"):
        answers.ends(0.5, False)


def test_a_function_is_asked_itself_and_not_what_it_wraps() -> None:
    @functools.wraps(presence)
    def first(*given: Any) -> Any:
        return presence(given[0])

    assert function("f", first, "a, b") is first
    with pytest.raises(DataError, match="f takes"):
        function("f", presence, "a, b")


def test_methods_named_predict_are_functions_too() -> None:
    class Mine:
        def predict(self, obs: Any) -> int:
            return 0

    with pytest.raises(DataError, match="predict of the policy takes"):
        cn.evaluate(Mine(), ROOM(), 1)


def test_a_torch_module_takes_what_its_forward_takes() -> None:
    module = pytest.importorskip("torch").nn.Linear(3, 3)
    with pytest.raises(DataError, match=r"policy takes \(input.*\).*, and is called with \(observation, mask, rng\)"):
        cn.evaluate(module, ROOM(), 1)


class Cells(gymnasium.Env):
    """Two units with two variables, an action each; ``change`` replaces what it says of itself."""

    variables, units, action_variables, action_units = ["v", "w"], ["u", "x"], [0, 1, 0, 1], [0, 0, 1, 1]
    observation_space, action_space = gymnasium.spaces.Box(0, 9, (4,), np.float32), gymnasium.spaces.Discrete(4)

    def __init__(self, **change: Any) -> None:
        for name, value in change.items():
            setattr(self, name, value)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return np.ones(4, np.float32), {}

    def step(self, action: Any) -> Any:
        return np.ones(4, np.float32), 1.0, True, False, {}

    def counts(self, obs: Any) -> Any:
        return getattr(self, "shown", np.ones((2, 2)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"shown": "many"}, "counts.obs. is"),
        ({"shown": [[1], [1, 2]]}, "rows have different lengths"),
        ({"shown": np.full((2, 2), np.nan)}, "counts.obs. holds NaN"),
        ({"shown": np.ones((2, 3))}, "counts.obs. is float64 of shape"),
        ({"action_units": [0, 0, 1, 7]}, "8 units or more"),
        ({"action_variables": "abcd"}, "lists an index for every action"),
        ({"variables": 3}, "variables takes a list of names"),
        ({"action_masks": lambda state: None}, "action_masks of the environment takes"),
    ],
)
def test_what_an_environment_says_of_its_actions_is_looked_at(change: dict[str, Any], told: str) -> None:
    graph = cn.Graph.from_edges("vw", [("v", "w")])
    for play in (
        lambda env: data.collect(env, episodes=1),
        lambda env: cn.evaluate(lambda obs, mask, rng: 0, cn.CausalMask(env, graph), 1),
    ):
        play(Cells())
        with pytest.raises(DataError, match=told):
            play(Cells(**change))
    with pytest.raises(DataError, match="step_seconds is 'fast'"):
        data.collect(Cells(step_seconds="fast"), episodes=1)
