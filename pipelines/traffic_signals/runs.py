"""What all tasks of the pipeline share: the row of a result, and an episode of a policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from causalnet.envs import Sumo

JUDGED = 10**6  # seeds of the episodes that judge a policy start here; training's are others


@dataclass(frozen=True)
class Point:
    """Mean delay in seconds, and the return: rewards of all steps, mean of the lights. part: training, or judged. x: the episode
    of training, or the number of an episode that judges. demand: times the vehicles of the network's own routes."""

    part: str
    problem: str
    method: str
    x: float
    delay: float
    value: float | None = None
    demand: float | None = 1.0
    seed: int = 0
    task: str = ""


def play(env: Sumo, policy: Callable[[Any], Any], seed: int) -> tuple[float, float]:
    """Mean delay in seconds and return of an episode."""
    s, _ = env.reset(seed)
    over, value = False, 0.0
    while not over:
        s, r, _, truncated, info = env.step(policy(s))
        over, value = bool(truncated.all()), value + float(r.mean())
    return float(info["mean_delay"][0]), value
