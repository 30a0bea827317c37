"""What a light can do without learning: the program of the network, the longest queue, the greatest pressure."""

from __future__ import annotations

import numpy as np

from ....base.arrays import Array, Ints
from ....base.asked import asks
from .env import Sumo
from .traffic import phase_sums


@asks()
def fixed_time(env: Sumo) -> Ints:
    """The network's own program: its green phases in their order, each for its own time to the nearest decision. (E, n)"""
    program = env.network.program
    steps = np.where(program > 0, np.maximum(np.rint(program / env.signals.interval), 1), 0)
    ends = steps.cumsum(axis=1)
    at = env.time[:, None] % ends[:, -1]  # (E, n), steps into the cycle
    return env.batched((at[..., None] >= ends).sum(axis=-1))


@asks()
def greedy(env: Sumo) -> Ints:
    """The phase that opens the longest queues, the present one where several do. (E, n)"""
    return _best(env, env.traffic.queue)


@asks()
def max_pressure(env: Sumo) -> Ints:
    """The phase with the greatest pressure over the lanes that it opens (Varaiya, 2013), the present one of several. (E, n)"""
    return _best(env, env.traffic.pressure)


def _best(env: Sumo, x: Array) -> Ints:
    score = np.where(env.network.allowed, phase_sums(env.network, x), -np.inf)
    now = np.take_along_axis(score, env.phase[..., None], -1)
    chosen = np.where(now[..., 0] >= score.max(-1), env.phase, score.argmax(-1))
    return env.batched(chosen)
