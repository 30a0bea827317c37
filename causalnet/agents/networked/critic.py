"""The critic of Scalable Actor-Critic: what each agent knows about Q_i, and one pass of temporal differences over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.arrays import Array
from ...base.checks import function
from ...envs.networked.wireless import Wireless
from ...errors import DataError, NotApplicable
from .actor_kernels import neighbourhood_sums
from .critic_kernels import (
    TableFull,
    first_visits,
    gather_marginals,
    insert,
    neighbour_features,
    neighbourhood_keys,
    pairs,
    temporal_differences,
)
from .rollout import Trajectory
from .settings import Settings

Counts = Callable[[Trajectory], NDArray[Any]]


class Critic:
    """Q_i = sum of the weights in agent i's active slots; which slots, says ``settings.critic``.

    shape (L, n, S, A); table (n, f) the padded neighbourhoods N_i^kappa. weights (L, n, W), or (E, n, T + 1) for tables
    that live for one episode; visits likewise, or empty; keys (L, n, W) of kept tables, zero where empty; mu (L, n).
    """

    def __init__(
        self, settings: Settings, shape: tuple[int, int, int, int], copies: int, table: NDArray[np.int32],
        counts: Counts | None = None,
    ) -> None:  # fmt: skip
        if settings.critic == "counts" and counts is None:
            raise NotApplicable(
                "critic 'counts' needs to know what to count; pass counts=access_point_loads(env), for instance"
            )
        function("counts", counts)
        self.settings, self.shape, self.table, self.counts = settings, shape, table, counts
        (learners, n, states, width), f, kind = shape, table.shape[1], settings.critic
        steps = (settings.length + 1, copies, n)
        brief = kind == "table" and settings.fresh
        own, lumps = states * width, settings.most_counted + 1
        slots = {"own": own, "linear": f * own, "table": settings.capacity, "counts": own * lumps}[kind]
        of_all = (copies, n, settings.length + 1) if brief else (learners, n, slots)
        try:
            self.weights: Array = np.zeros(of_all)
            self.visits: Array = np.zeros(of_all if settings.by_visits else (1, 1, 0))
            self.keys: NDArray[np.uint64] = np.zeros(of_all if kind == "table" and not brief else (1, 1, 0), np.uint64)
        except MemoryError:
            raise DataError(
                f"a critic of {of_all} entries does not fit into memory; write a smaller capacity, or use critic='own'"
            ) from None
        self.mu: Array = np.zeros((learners, n))
        self._x, self._slots = np.empty(steps, np.int32), np.empty((*steps, f if kind == "linear" else 1), np.int32)
        self._keys = np.empty(steps if kind == "table" else 0, np.uint64)
        self._summed = np.empty((settings.length, copies, n) if kind == "own" else 0)
        self._q = np.empty(steps)
        self._where = _places(table) if kind == "linear" else table
        self._marginal = np.empty(shape if kind == "linear" else 0)

    def learn(self, path: Trajectory, update: int) -> Array:
        """Lines 6-8 of Algorithm 1 along the trajectories of one update; the final estimates there, (T + 1, E, n)."""
        o, discounted = self.settings, self.settings.objective == "discounted"
        slots, r = self.slots(path), path.r
        if o.critic == "own":
            neighbourhood_sums(path.r, self.table, self._summed)
            r = self._summed
        if o.fresh:
            self.weights[:] = 0.0
            self.visits[:] = 0.0
        rates = o.critic_rate.at(0 if o.fresh else update, o.length)
        mu_rates = np.zeros(o.length) if discounted else o.average_rate.at(update, o.length)
        gamma = o.gamma if discounted else 1.0
        clock = np.array([o.critic_rate.start, o.critic_rate.power, o.critic_rate.offset])
        temporal_differences(
            slots, r, self.weights, self.visits, clock, rates, gamma, o.trace, self.mu, mu_rates, self._q
        )
        return self._q

    def slots(self, path: Trajectory) -> NDArray[np.int32]:
        """The active slots along the trajectories, (T + 1, E, n, F); makes room for new ones, or raises TableFull."""
        o, (_, _, states, width) = self.settings, self.shape
        if o.critic == "own":
            pairs(path.codes, path.a, width, self._slots[..., 0])
            return self._slots
        pairs(path.codes, path.a, width, self._x)
        if o.critic == "counts":
            assert self.counts is not None  # the constructor saw to it
            c = np.asarray(self.counts(path))
            if c.shape != path.a.shape or c.dtype.kind not in "iu" or c.min() < 0:
                raise DataError(
                    f"counts gave {c.dtype} of shape {c.shape}; it must give whole numbers from 0 up of shape {path.a.shape}"
                )
            self._slots[..., 0] = self._x * (o.most_counted + 1) + np.minimum(c, o.most_counted)
            return self._slots
        if o.critic == "linear":
            neighbour_features(self._x, self.table, states * width, self._slots)
            return self._slots
        neighbourhood_keys(self._x, self.table, self._keys)
        if o.fresh:
            first_visits(self._keys, self._slots)
            return self._slots
        full = insert(self._keys, self.keys, self._slots)
        if full >= 0:
            raise TableFull(
                f"the critic of agent {full} holds {o.capacity} neighbourhood states, all that capacity allows; policy and "
                f"critic are as before this update: call grow({2 * o.capacity}) and go on, or use critic='own' or 'linear'"
            )
        return self._slots

    def marginals(self) -> Array:
        """What each own state and action is worth to the neighbourhood: (L, n, S, A), up to a constant in each state."""
        learners, n, states, width = self.shape
        if self.settings.critic == "linear":
            out = self._marginal.reshape(learners, n, states * width)
            gather_marginals(self.weights, self.table, self._where, states * width, out)
            return self._marginal
        return self.weights.reshape(self.shape)

    def grown(self, settings: Settings) -> Critic:
        """The same critic with room for ``settings.capacity`` entries an agent; nothing learnt is lost."""
        new = Critic(settings, self.shape, self._q.shape[1], self.table, self.counts)
        new.mu = self.mu
        if not self.keys.size:
            new.weights, new.visits = self.weights, self.visits
            return new
        if settings.capacity < self.settings.capacity:
            raise DataError(
                f"tables of {self.settings.capacity} entries cannot shrink to {settings.capacity}; nothing was changed"
            )
        found = np.empty((1, *self.keys.shape[:2], 1), np.int32)
        for c in range(self.settings.capacity):  # an empty place finds an empty place, and keeps its zeros
            insert(np.ascontiguousarray(self.keys[None, ..., c]), new.keys, found)
            np.put_along_axis(new.weights, found[0], self.weights[..., c : c + 1], axis=2)
            if self.visits.size:
                np.put_along_axis(new.visits, found[0], self.visits[..., c : c + 1], axis=2)
        return new


def access_point_loads(env: Wireless) -> Counts:
    """Counts for critic "counts": how many others send to the access point that an agent sends to; 0 while idle.

    With (s_i, a_i) this is all that the next reward of agent i depends on. The agents must see their whole state.
    """
    if not isinstance(env, Wireless):
        raise DataError(
            f"env is {type(env).__name__}, and has no access points; give a wireless network, such as lin_grid()"
        )
    net = env.tables

    def loads(path: Trajectory) -> NDArray[np.int64]:
        agents = np.arange(env.n_agents)
        place = net.access_points[agents, net.port[path.a]].astype(np.int64)  # (T + 1, E, n)
        if not net.ghost:
            place = np.where(path.codes & net.slots[path.a] & ((1 << net.deadline) - 1), place, net.n_places)
        rows = place.reshape(-1, env.n_agents) + np.arange(place[..., 0].size)[:, None] * (net.n_places + 1)
        load = np.bincount(rows.ravel())[rows].reshape(place.shape)
        return np.where(place < net.n_places, load - 1, 0)

    return loads


def _places(table: NDArray[np.int32]) -> NDArray[np.int32]:
    """(n, f): the place of agent i in the neighbourhood of its k-th neighbour; neighbourhoods are symmetric."""
    n = len(table)
    rows = np.vstack([table, np.full((1, table.shape[1]), -1, table.dtype)])
    return np.asarray((rows[table] == np.arange(n)[:, None, None]).argmax(-1), dtype=np.int32)
