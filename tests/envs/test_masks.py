"""One reader of masks: whatever dialect an environment speaks, training, evaluation and CausalMask see the same mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

pytest.importorskip("torch")

from agent_envs import Repair

from causalnet import DataError
from causalnet.agents import D3QN, DQN, PPO
from causalnet.envs.actions import Parts
from causalnet.envs.masks import MaskReader, as_mask, mask_of, some_mask
from causalnet.representation import CausalMask
from causalnet.training import evaluate

LEARNERS = (PPO, DQN, D3QN)
FOUR = Parts.of(gymnasium.spaces.Discrete(4))
OPTIONS: dict[Any, dict[str, int]] = {PPO: {"n_steps": 32}, DQN: {"random_steps": 30}, D3QN: {"random_steps": 30}}
DIALECTS = [("info",), ("method",), ("obs",), ("info", "method"), ("info", "obs"), ("method", "obs")]


class Told(Repair):
    """Present cells of even number are allowed, cell 0 always: told in the first of the dialects. The others lie."""

    def __init__(self, *dialects: str, empty: bool = False) -> None:
        super().__init__(masks=None)
        self.dialects, self.empty, self.forbidden, self.steps = dialects, empty, 0, 0
        if "method" in dialects:
            self.action_masks = lambda: self.said("method")
        if "obs" in dialects:
            box = gymnasium.spaces.Box(0, 1, (30,), np.int8)
            self.observation_space = gymnasium.spaces.Dict({"cells": self.observation_space, "action_mask": box})

    mask = None  # no rule for observations at large

    def right(self) -> np.ndarray:
        cells = np.arange(30)
        return ((self.c > 0).ravel() & (cells % 2 == 0) & (not self.empty)) | ((cells == 0) & (not self.empty))

    def said(self, dialect: str) -> np.ndarray:
        return self.right() if dialect == self.dialects[0] else ~self.right()

    def told(self, obs: np.ndarray, info: dict) -> tuple[Any, dict]:
        if "info" in self.dialects:
            info = {**info, "action_mask": self.said("info").astype(np.int8)}
        return {"cells": obs, "action_mask": self.said("obs").astype(np.int8)} if "obs" in self.dialects else obs, info

    def reset(self, **more: Any) -> tuple[Any, dict]:
        return self.told(*super().reset(**more))

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict]:
        self.forbidden += not self.right()[action]
        self.steps += 1
        obs, *rest, info = super().step(action)
        obs, info = self.told(obs, info)
        return obs, *rest, info


@pytest.mark.parametrize("dialects", DIALECTS, ids="+".join)
@pytest.mark.parametrize("learner", LEARNERS)
def test_no_dialect_lets_a_forbidden_action_through(learner: Any, dialects: tuple[str, ...]) -> None:
    env = Told(*dialects)
    agent = learner(env, seed=0, **OPTIONS[learner]).learn(steps=100)
    assert env.steps == 100 and env.forbidden == 0 and agent.updates > 0
    frame = evaluate(agent, env, 2)
    assert env.forbidden == 0 and (frame["invalid"] == 0).all() and (frame["mask_size"] < 20).all()


def test_without_a_mask_forbidden_actions_are_taken() -> None:
    env = Told("none")
    DQN(env, seed=0, random_steps=30).learn(steps=100)
    assert env.forbidden > 30, "the tests above could fail"


@pytest.mark.parametrize("dialects", DIALECTS, ids="+".join)
def test_evaluation_and_causal_masks_read_what_training_reads(dialects: tuple[str, ...]) -> None:
    env, seen, trained = Told(*dialects), [], []

    def first(obs: Any, mask: np.ndarray, rng: np.random.Generator) -> int:
        seen.append((mask.tolist(), env.right().tolist()))
        return int(np.flatnonzero(mask)[0])

    evaluate(first, env, 3)
    assert seen and all(mask == right for mask, right in seen)
    obs, info = env.reset(seed=1)
    assert np.array_equal(mask_of(env, obs, info), env.right())
    PPO(env, seed=0).learn(steps=20, on_step=lambda step: trained.append((step.mask, step.action)))
    assert all(mask is not None and mask[action] for mask, action in trained)
    wrapped = CausalMask(env, lambda obs, info, env: np.ones(30, dtype=bool))
    wrapped.reset(seed=1)
    assert np.array_equal(wrapped.action_masks(), env.right())


def test_masks_in_info_survive_a_checkpoint(tmp_path: Path) -> None:
    for learner in LEARNERS:
        path = tmp_path / f"{learner.__name__}.npz"
        whole = learner(Told("info"), seed=2, **OPTIONS[learner]).learn(episodes=8)
        learner(Told("info"), seed=2, **OPTIONS[learner]).learn(episodes=4).save(path)
        env = Told("info")
        parts = learner.load(path, env)
        obs, info = env.reset(seed=0)
        with pytest.raises(DataError, match=r"mask=info\['action_mask'\]"):
            parts.predict(obs)
        assert info["action_mask"][parts.predict(obs, info["action_mask"])] == 1
        parts.learn(episodes=4)
        assert env.forbidden == 0
        for name, array in whole.network.arrays.items():
            np.testing.assert_array_equal(parts.network.arrays[name], array)


@pytest.mark.parametrize(("dialect", "source"), [("info", "info.*"), ("method", "action_masks"), ("obs", "obs.*")])
def test_a_mask_that_allows_nothing_is_told(dialect: str, source: str) -> None:
    for play in (lambda env: PPO(env).learn(steps=3), lambda env: evaluate(lambda obs, mask, rng: 0, env, 1)):
        with pytest.raises(DataError, match=f"environment's {source}.*allows no action"):
            play(Told(dialect, empty=True))
    read = MaskReader(Told(dialect, empty=True))
    first = Told(dialect, empty=True).reset(seed=0)
    assert dialect == "method" or not read(*first, last=True).any(), "after the last step none is needed"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.ones(3, bool), r"shape \(3,\), and \(4,\) is needed"),
        (np.array([0, 1, 2, 0]), "int64 values such as 2"),
        (np.array([0, np.nan, 1, 0]), "float64 values such as nan"),
        (np.array(["a", "b", "c", "d"]), "<U1 values"),
        (np.zeros(4), "allows no action"),
    ],
)
def test_what_is_no_mask_is_told(value: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        some_mask(value, FOUR, "the mask")


def test_amounts_are_no_masks_and_copies_are_fresh() -> None:
    with pytest.raises(DataError, match="counts > 0"):
        as_mask(np.ones(4), 4, "present(obs)")
    assert some_mask(np.ones(4), FOUR, "the mask").dtype == np.bool_
    own = np.ones(4, dtype=bool)
    assert not np.shares_memory(as_mask(own, 4, "the mask"), own)
