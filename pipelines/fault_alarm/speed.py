"""How fast the fault-alarm environment steps and masked PPO learns: CPU seconds of one thread, beside the peers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from causalnet.envs import FaultAlarm
from causalnet.report.summary import Figures
from causalnet.storage.files import write_atomic
from causalnet.storage.rows import Row

OFFICIAL = 7.3e-3  # CPU seconds a step of the published simulator at about 11 alarms; quoted, not run here
BATCH = 256


def measure(out: Path, env: gymnasium.Env[Any, Any], repeats: int) -> dict[str, Row]:
    """Figures of speed-N.json, N repeats, measured when they are not yet there."""
    path = out / f"speed-{repeats}.json"
    if not path.exists():
        from pipelines.speed.learning import measure_learning_speed

        told: dict[str, list[float]] = {"single": [], "batch": [], "alarms": [], "learning": [], "learning-dense": []}
        single_step(env, 0, 50)  # compiles
        batch_step(env, 0, 2)
        for repeat in range(repeats):
            seconds, alarms = single_step(env, repeat)
            told["single"].append(seconds)
            told["alarms"].append(alarms)
            told["batch"].append(batch_step(env, repeat))
            told["learning"].append(measure_learning_speed(repeats=1)["ratio"])
            told["learning-dense"].append(measure_learning_speed(repeats=1, case="dense")["ratio"])
        write_atomic(path, json.dumps(told) + "\n")
    told = json.loads(path.read_text(encoding="utf-8"))
    found = Figures()
    found.add("speed: alarms during the measurement", told["alarms"])
    for name, seconds, goal in (
        ("one environment, times faster than the published simulator", told["single"], 300),
        ("batch of 256, the same per environment step", told["batch"], 3000),
    ):
        found.add(f"speed: {name}", [OFFICIAL / s for s in seconds], f">= {goal}", ratio=True)
    name = "speed: masked PPO, learning steps a CPU second over MaskablePPO"
    found.add(name, told["learning"], ">= 1.5", ratio=True)
    found.add("speed: the same where every input is busy", told["learning-dense"], ratio=True)
    return found


def single_step(env: gymnasium.Env[Any, Any], seed: int, steps: int = 4000) -> tuple[float, float]:
    """CPU seconds a Gymnasium step, and the mean number of alarms: one of the earliest type is repaired, about 11 live."""
    rank = _rank(env.unwrapped.instance)  # type: ignore[attr-defined]
    spent, seen, done = 0.0, 0.0, 0
    obs, _ = env.reset(seed=seed)
    while done < steps:
        action = int(np.where(obs > 0, rank, np.inf).argmin())
        start = time.process_time()
        obs, _, terminated, truncated, _ = env.step(action)
        spent += time.process_time() - start
        seen, done = seen + float(obs.sum()), done + 1
        if terminated or truncated:
            obs, _ = env.reset()
    return spent / steps - _clock(), seen / steps


def batch_step(env: gymnasium.Env[Any, Any], seed: int, steps: int = 120) -> float:
    """CPU seconds per environment step of a batch, observations and info included, under the same rule."""
    instance = env.unwrapped.instance  # type: ignore[attr-defined]
    rank = _rank(instance)
    core = FaultAlarm(instance, n_envs=BATCH, seed=seed)
    obs, _ = core.reset()
    spent, done = 0.0, 0
    for _ in range(steps):
        actions = np.where(obs > 0, rank, np.inf).argmin(axis=1)
        live = int((~core.finished).sum())
        start = time.process_time()
        obs, *_ = core.step(actions)
        spent, done = spent + time.process_time() - start, done + live
        if core.finished.any():
            obs, _ = core.reset(which=core.finished)
    return spent / done


def _rank(instance: Any) -> np.ndarray[Any, Any]:
    """(C,) place of each cell's type in the true causal order."""
    place = np.empty(instance.n_types)
    place[instance.order] = np.arange(instance.n_types)
    return np.tile(place, instance.n_devices)


def _clock(n: int = 2000) -> float:
    """What reading the clock costs between two readings."""
    start = time.process_time()
    for _ in range(n):
        time.process_time()
    return (time.process_time() - start) / n
