"""How fast masked PPO learns beside sb3-contrib's MaskablePPO: the same update work, in the same run, on CPU seconds."""

from __future__ import annotations

import time
import warnings
from typing import Any

import gymnasium
import numpy as np
import torch

from causalnet.agents import PPO


class MaskedNoise(gymnasium.Env[np.ndarray, int]):
    """Drawn states and masks that cost nothing: ``active`` inputs are non-zero, ``allowed`` actions are allowed.

    Like alarms, activity keeps to some of the cells: each state takes its non-zero inputs and allowed actions from the
    first ``spread`` share of them. spread=1, active=n_obs is noise everywhere. The reward depends on the action.
    """

    def __init__(
        self, n_obs: int, n_actions: int, *, active: int, allowed: int, spread: float, length: int = 100
    ) -> None:
        rng = np.random.default_rng(0)
        self._x = np.zeros((512, n_obs), np.float32)
        self._mask = np.zeros((512, n_actions), np.bool_)
        inputs, actions = max(active, int(n_obs * spread)), max(allowed, int(n_actions * spread))
        for x, mask in zip(self._x, self._mask, strict=True):
            x[rng.choice(inputs, active, replace=False)] = rng.integers(1, 12, active)
            mask[rng.choice(actions, allowed, replace=False)] = True
        self.observation_space = gymnasium.spaces.Box(0.0, 1000.0, (n_obs,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(n_actions)
        self._gain = rng.normal(size=n_actions)
        self._length, self._step, self._row = length, 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self._step, self._row = 0, int(self.np_random.integers(512))
        return self._x[self._row].copy(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._step, self._row = self._step + 1, (self._row * 5 + int(action)) % 512
        return self._x[self._row].copy(), float(self._gain[action]), False, self._step >= self._length, {}

    def action_masks(self) -> np.ndarray:
        return self._mask[self._row]


CASES = {
    "sparse": {"active": 20, "allowed": 10, "spread": 0.3},
    "dense": {"active": 1800, "allowed": 30, "spread": 1.0},
}


def measure_learning_speed(
    n_obs: int = 1800,
    n_actions: int = 900,
    *,
    epochs: int = 10,
    steps: int = 1024,
    repeats: int = 3,
    case: str = "sparse",
) -> dict[str, float]:
    """Environment steps per CPU second, learning included, of ours and of MaskablePPO, and their ratio.

    Both: separate tanh networks 2 x 128, 256 steps a rollout, minibatches of 64, ``epochs`` passes, Adam 3e-4, one thread.
    case: "sparse", states like those of alarms (20 of 1800 inputs), or "dense", where nothing can be left out.
    Runs alternate, ``repeats`` times; the medians are compared.
    """
    from sb3_contrib import MaskablePPO
    from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy

    network = {"net_arch": {"pi": [128, 128], "vf": [128, 128]}, "activation_fn": torch.nn.Tanh}
    settings: dict[str, Any] = {"n_steps": 256, "batch_size": 64, "n_epochs": epochs, "learning_rate": 3e-4}
    settings |= {"ent_coef": 0.01, "policy_kwargs": network, "device": "cpu"}
    threads, ours, theirs = torch.get_num_threads(), [], []
    torch.set_num_threads(1)
    try:
        for repeat in range(repeats):
            agent = PPO(_env(n_obs, n_actions, case), seed=repeat, network="mlp", epochs=epochs)
            ours.append(_rate(lambda n, agent=agent: agent.learn(steps=n), steps))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                peer = MaskablePPO(MaskableActorCriticPolicy, _env(n_obs, n_actions, case), seed=repeat, **settings)
                theirs.append(_rate(lambda n, peer=peer: peer.learn(n, reset_num_timesteps=False), steps))
    finally:
        torch.set_num_threads(threads)
    mine, other = float(np.median(ours)), float(np.median(theirs))
    return {"causalnet": mine, "maskable_ppo": other, "ratio": mine / other}


def _env(n_obs: int, n_actions: int, case: str) -> MaskedNoise:
    given: dict[str, Any] = dict(CASES[case])
    return MaskedNoise(n_obs, n_actions, **{**given, "active": min(given["active"], n_obs)})


def _rate(learn: Any, steps: int) -> float:
    """Steps per CPU second after a first rollout has warmed everything up."""
    learn(256)
    start = time.process_time()
    learn(steps)
    return steps / (time.process_time() - start)


if __name__ == "__main__":
    for name in CASES:
        for passes in (10, 50):
            found = measure_learning_speed(case=name, epochs=passes, steps=1024 if passes == 10 else 512)
            print(name, passes, {key: round(value, 2) for key, value in found.items()})
