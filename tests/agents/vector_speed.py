"""Steps a CPU second of PPO on a vector environment beside sb3-contrib's MaskablePPO at the same update work.

    python -m tests.agents.vector_speed [--steps 16384] [--repeat 3]

Same network (two towers of 64, 64), epochs, batch, steps a copy and copies; CPU seconds of this one-threaded process, the
environment's included; the two take turns, and the ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
from agent_envs import Services

from causalnet.agents import PPO

COPIES, EACH = 16, 128
WORK = {"n_steps": EACH, "batch_size": 64}


class Light(Services):
    """Sixteen services, told and stepped in as few operations as will do, so that the learners are what is measured."""

    def allowed(self) -> np.ndarray:
        return np.append(self.failed, True)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        gymnasium.Env.reset(self, seed=seed)
        self.t, self.failed = 0, self.np_random.random(self.n) < 0.2
        return self.failed.astype(np.float32), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        spread, fault = self.np_random.random((2, self.n))
        self.failed = self.failed | (spread < 1 - 0.4 ** (self.failed @ self.needs)) | (fault < 0.01)
        if action < self.n:
            self.failed[action] = False
        self.t += 1
        reward = -2.0 * self.failed.sum() / self.n - 0.3 * (action < self.n)
        return self.failed.astype(np.float32), float(reward), False, self.t >= self.steps, {}


def make() -> Any:
    return Light(16, "method", steps=60)


def ours() -> Any:
    from gymnasium.vector import SyncVectorEnv

    agent = PPO(SyncVectorEnv([make] * COPIES), seed=0, network="mlp", hidden=(64, 64), epochs=10, **WORK)
    return lambda steps: agent.learn(steps=steps)


def theirs() -> Any:
    from sb3_contrib import MaskablePPO
    from stable_baselines3.common.vec_env import DummyVecEnv

    told = {"n_epochs": 10, "policy_kwargs": {"net_arch": [64, 64]}, "device": "cpu", "seed": 0}
    model = MaskablePPO("MlpPolicy", DummyVecEnv([make] * COPIES), **WORK, **told)
    return lambda steps: model.learn(steps, reset_num_timesteps=False)


def main() -> None:
    reader = argparse.ArgumentParser()
    reader.add_argument("--steps", type=int, default=16_384)
    reader.add_argument("--repeat", type=int, default=3)
    told = reader.parse_args()
    torch.set_num_threads(1)
    learners, spent = {"causalnet": ours(), "sb3-contrib": theirs()}, {"causalnet": [], "sb3-contrib": []}
    for learn in learners.values():
        learn(COPIES * EACH)
    for _ in range(told.repeat):
        for name, learn in learners.items():
            start = time.process_time()
            learn(told.steps)
            spent[name].append(told.steps / (time.process_time() - start))
    for name, rates in spent.items():
        print(f"{name}: {np.median(rates):.0f} steps a CPU second ({min(rates):.0f} to {max(rates):.0f})")
    print(f"ratio {np.median(spent['causalnet']) / np.median(spent['sb3-contrib']):.2f}")


if __name__ == "__main__":
    main()
