"""What is seen of the traffic at an instant, what a light observes of it, and what it earns. Leading axis E: copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ....base.arrays import Array, Floats, Ints
from .network import RoadNetwork

MOST_MINUTES = 2.0  # of a phase, after which its age no longer counts


@dataclass(frozen=True)
class Traffic:
    """Vehicles at each light's lanes (E, n, m), 0 where a light has fewer lanes; ``outside`` (E, n) wait to enter the network there.

    vehicles: all before the stop line; queue: those that stand; beyond: mean of the lanes that follow; lost: vehicles times
    the share of the allowed speed that they do not drive; waiting: seconds that those standing have stood (nan unless measured).
    """

    vehicles: Array
    queue: Array
    beyond: Array
    lost: Array
    waiting: Array
    outside: Array

    @property
    def pressure(self) -> Array:
        """(E, n, m): vehicles before a lane's stop line less those beyond it (Varaiya, 2013)."""
        return self.vehicles - self.beyond


def read_traffic(network: RoadNetwork, numbers: Floats, waits: bool) -> Traffic:
    """From the numbers (E, ...) that the simulators measured, in the order vehicles, standing, speed, seconds waited, outside."""
    size = len(network.lanes)
    parts = numbers.astype(np.float64)
    vehicles, queue, speed = parts[:, :size], parts[:, size : 2 * size], parts[:, 2 * size : 3 * size]
    lost = vehicles * np.clip(1 - speed / network.speed, 0, 1)
    shape = (len(numbers), network.n, network.width)

    def by_lane(table: sparse.csr_matrix, x: Array) -> Array:
        return np.asarray((table @ x.T).T).reshape(shape)

    return Traffic(
        by_lane(network.near, vehicles),
        by_lane(network.near, queue),
        by_lane(network.beyond, vehicles),
        by_lane(network.near, lost),
        by_lane(network.near, parts[:, 3 * size : 4 * size]) if waits else np.full(shape, np.nan),
        np.asarray((network.entering @ parts[:, -len(network.roads) :].T).T),
    )


# every reward is minus a cost of the instant, (E, n), in vehicles (waiting: in minutes of vehicles)
REWARDS: Mapping[str, Callable[[Traffic], Array]] = {
    "delay": lambda t: -(t.lost.sum(-1) + t.outside),  # summed over time: the seconds that vehicles lose
    "queue": lambda t: -(t.queue.sum(-1) + t.outside),
    "waiting": lambda t: -t.waiting.sum(-1) / 60,
    "pressure": lambda t: -np.abs(t.pressure.sum(-1)),
}


def phase_sums(network: RoadNetwork, x: Array) -> Array:
    """x (E, n, m) -> (E, n, P): its sum over the lanes that each phase opens."""
    return np.einsum("npm,enm->enp", network.green.astype(float), x)


def observe(network: RoadNetwork, traffic: Traffic, phase: Ints, age: Array) -> Floats:
    """Local states (E, n, d), see :func:`names_of`. phase (E, n); age (E, n) in seconds."""
    shown = np.arange(network.allowed.shape[1]) == phase[..., None]
    minutes = np.minimum(age / 60, MOST_MINUTES)
    parts = [
        shown,
        minutes[..., None],
        traffic.queue,
        traffic.vehicles - traffic.queue,
        traffic.beyond,
        phase_sums(network, traffic.pressure),
        traffic.outside[..., None],
    ]
    return np.concatenate(parts, axis=-1).astype(np.float32)


def names_of(network: RoadNetwork) -> tuple[str, ...]:
    """The d components of a local state; lights with fewer phases or lanes have zeros in the last places."""
    phases, lanes = range(network.allowed.shape[1]), range(network.width)
    return (
        *(f"phase {p} is shown" for p in phases),
        "minutes in the phase",
        *(f"queue of lane {j}" for j in lanes),
        *(f"vehicles approaching on lane {j}" for j in lanes),
        *(f"vehicles beyond lane {j}" for j in lanes),
        *(f"pressure of phase {p}" for p in phases),
        "vehicles waiting to enter",
    )
