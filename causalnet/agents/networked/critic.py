"""Critics: what each agent knows about Q_i, learnt by one pass of temporal differences over an update's trajectories.

Every critic is Q_i = sum of the weights in agent i's active slots. They differ in what has a slot:
``TableCritic`` ("table", Algorithm 1): each state and action of N_i^kappa, in a hashed table.
``LinearCritic`` ("linear"): each neighbour's own pair, Q_i = sum_{j in N_i^kappa} w_ij[s_j, a_j].
``OwnCritic`` ("own"): the pair (s_i, a_i), for the summed reward of those whom i reaches in kappa steps (N_i^kappa itself where
influence runs both ways). grad log pi_i depends on (s_i, a_i) alone, so
the mean of sum_j Q_j given them is all that eq. 7 needs, and it is learnt from every visit (all steps t alike).
``CountsCritic`` ("counts"): (s_i, a_i, c_i) with a number c_i counted among the neighbours, such as the senders on the same
access point. ``NeighbourCritic``: "own" for policies that read their neighbours' states.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from scipy import sparse

from ...base.arrays import AnyArray, Array, Codes
from ...base.checks import function
from ...envs.networked.checks import networked
from ...envs.networked.neighbourhoods import Neighbourhoods
from ...envs.networked.protocols import Congested
from ...errors import DataError, NotApplicable
from . import critic_kernels as kernels
from .actor_kernels import sum_rows
from .critic_kernels import Keys, TableFull
from .rollout import Trajectory
from .settings import LearningSettings, Settings

Counts = Callable[[Trajectory], AnyArray]
Shape = tuple[int, int, int, int]
KEPT = ("weights", "visits", "keys", "mu")


class Critic(ABC):
    """What a learner asks of its critic: ``learn``, ``summed`` and ``marginals``, ``grown``, and the arrays of ``KEPT``.

    shape (L, n, S, A); around: the neighbourhoods N_i^kappa, and whom each agent reaches. weights (L, n, W), (L, P, S A) for the
    P pairs of a "linear" critic, or (E, n, T + 1) for tables that live for one episode; visits likewise, or empty; keys (L, n, W) of kept tables, zero where empty; mu (L, n).
    """

    def __init__(
        self, settings: LearningSettings, shape: Shape, copies: int, around: Neighbourhoods, size: int, active: int = 1
    ):
        """size: W, the slots of an agent. active: F, how many of them make up a Q_i."""
        self.settings, self.shape, self.around, self.copies = settings, shape, around, copies
        (learners, n, *_), steps = shape, settings.length + 1
        self._make((learners, n, size))
        self.mu: Array = np.zeros((learners, n))
        self._x, self._q = np.empty((steps, copies, n), np.int32), np.empty((steps, copies, n))
        self._slots = np.empty((steps, copies, n, active), np.int32)

    def _make(self, of_all: tuple[int, int, int], keyed: bool = False) -> None:
        try:
            self.weights: Array = np.zeros(of_all)
            self.visits: Array = np.zeros(of_all if self.settings.by_visits else (1, 1, 0))
            self.keys: Keys = np.zeros(of_all if keyed else (1, 1, 0), np.uint64)
        except MemoryError:
            raise DataError(
                f"a critic of {of_all} entries does not fit into memory; write a smaller capacity, or use critic='own'"
            ) from None

    @abstractmethod
    def slots(self, path: Trajectory) -> Codes:
        """The active slots along the trajectories, (T + 1, E, n, F), -1 where idle; raises TableFull without room for one."""

    def pairs(self, path: Trajectory) -> Codes:
        """The number of each own pair (s_i, a_i), (T + 1, E, n)."""
        kernels.pairs(path.codes, path.a, self.shape[3], self._x)
        return self._x

    def rewards(self, path: Trajectory) -> Array:
        """What is learnt from, (T, E, n)."""
        return path.r

    def learn(self, path: Trajectory, update: int) -> Array:
        """Lines 6-8 of Algorithm 1 along the trajectories of one update; the final estimates there, (T + 1, E, n)."""
        slots, r = self.slots(path), self.rewards(path)
        self._difference(kernels.temporal_differences, (slots,), r, update)
        return self._q

    def _difference(self, kernel: Callable[..., None], where: tuple[Any, ...], r: Array, update: int) -> None:
        """Run a kernel of temporal differences; ``where`` says which weights are active."""
        o = self.settings
        if o.fresh:
            self.weights[:] = 0.0
            self.visits[:] = 0.0
        rates = o.critic_rate.at(0 if o.fresh else update, o.length)
        discounted = o.objective == "discounted"
        mu_rates = np.zeros(o.length) if discounted else o.average_rate.at(update, o.length)
        clock = np.array([o.critic_rate.start, o.critic_rate.power, o.critic_rate.offset])
        followed = clock, rates, o.discount, o.trace, self.mu, mu_rates, self._q
        kernel(*where, r, self.weights, self.visits, *followed)

    def summed(self, q: Array) -> Array:
        """sum of Q_j over the agents j that i reaches, those with i in N_j^kappa, from the estimates q (T + 1, E, n)."""
        return sum_rows(q, self.around.reached)

    def marginals(self) -> Array:
        """What each own state and action is worth to the neighbourhood: (L, n, S, A), up to a constant in each state."""
        raise NotApplicable(f"{type(self).__name__} does not know what an own state and action is worth; use 'own'")

    def grown(self, settings: Settings) -> Self:
        """A critic with room for ``settings.capacity`` entries an agent; nothing to do where everything has its slot."""
        self.settings = settings
        return self


class OwnCritic(Critic):
    """Q_i of (s_i, a_i) for the summed reward of those whom i reaches."""

    def __init__(self, settings: LearningSettings, shape: Shape, copies: int, around: Neighbourhoods) -> None:
        super().__init__(settings, shape, copies, around, shape[2] * shape[3])

    def slots(self, path: Trajectory) -> Codes:
        """The pairs (s_i, a_i) themselves, (T + 1, E, n, 1)."""
        self._slots[..., 0] = self.pairs(path)
        return self._slots

    def rewards(self, path: Trajectory) -> Array:
        """sum of r_j over the agents j with i in N_j^kappa, (T, E, n)."""
        return sum_rows(path.r, self.around.reached)

    def summed(self, q: Array) -> Array:
        """q itself, which was learnt from summed rewards."""
        return q

    def marginals(self) -> Array:
        """The weights, (L, n, S, A)."""
        return self.weights.reshape(self.shape)


class NeighbourCritic(OwnCritic):
    """Q_i of the summed reward of those whom i reaches, linear in one-hot pairs (s_j, a_i) of the agents j that i reads.

    seen (n, f): those agents, padded with n.
    """

    def __init__(
        self, settings: LearningSettings, shape: Shape, copies: int, around: Neighbourhoods, seen: Codes
    ) -> None:
        super().__init__(settings, shape, copies, around)
        (learners, n, states, width), f = shape, seen.shape[1]
        self.seen = seen
        self._make((learners, n, f * states * width))
        self._slots = np.empty((settings.length + 1, copies, n, f), np.int32)

    def slots(self, path: Trajectory) -> Codes:
        """A slot for each agent read, k S A + s_j A + a_i for the k-th; -1 beyond them: (T + 1, E, n, f)."""
        (_, n, states, width), f = self.shape, self.seen.shape[1]
        read = path.codes[:, :, np.minimum(self.seen, n - 1)]
        slots = (np.arange(f) * states + read) * width + path.a[..., None]
        self._slots[:] = np.where(self.seen < n, slots, -1)
        return self._slots

    def marginals(self) -> Array:
        """The weights, what (s_j, a_i) is worth for each agent j that i reads: (L, n, f, S, A)."""
        return self.weights.reshape((*self.shape[:2], -1, *self.shape[2:]))


class LinearCritic(Critic):
    """Q_i = sum_{j in N_i^kappa} w_ij[s_j, a_j]; weights (L, P, S A), a row a pair (i, j)."""

    def __init__(self, settings: LearningSettings, shape: Shape, copies: int, around: Neighbourhoods) -> None:
        super().__init__(settings, shape, copies, around, 0)
        j = around.near.indices
        self._make((shape[0], j.size, shape[2] * shape[3]))
        one = np.ones(j.size), (j, np.arange(j.size))  # row j: the pairs (i, j), where w_i has the pairs of j
        self._gather = sparse.csr_matrix(one, (shape[1], j.size))

    def slots(self, path: Trajectory) -> Codes:
        """The own pairs, (T + 1, E, n): of which the kernel makes a slot for each neighbour."""
        return self.pairs(path)

    def learn(self, path: Trajectory, update: int) -> Array:
        """Lines 6-8 of Algorithm 1 along the trajectories of one update; the final estimates there, (T + 1, E, n)."""
        where = self.slots(path), self.around.near
        self._difference(kernels.linear_differences, where, self.rewards(path), update)
        return self._q

    def marginals(self) -> Array:
        """sum of w_ji over the j with i in N_j^kappa: what i adds to all that have it as a neighbour, (L, n, S, A)."""
        blocks = self.weights.reshape(self.shape[0], -1, self.shape[2] * self.shape[3])
        return np.stack([self._gather @ w for w in blocks]).reshape(self.shape)


class TableCritic(Critic):
    """Q_i of each state and action of N_i^kappa that was met: hashed and kept, or a table of each episode (``fresh``)."""

    settings: Settings

    def __init__(self, settings: Settings, shape: Shape, copies: int, around: Neighbourhoods) -> None:
        super().__init__(settings, shape, copies, around, 0)
        brief = (copies, shape[1], settings.length + 1)
        self._make(brief if settings.fresh else (*shape[:2], settings.capacity), keyed=not settings.fresh)
        self._keys = np.empty(self._x.shape, np.uint64)

    def slots(self, path: Trajectory) -> Codes:
        """The place of each key of N_i^kappa; makes room for new ones, or raises TableFull: (T + 1, E, n, 1)."""
        kernels.neighbourhood_keys(self.pairs(path), self.around.near, self._keys)
        if self.settings.fresh:
            kernels.first_visits(self._keys, self._slots)
            return self._slots
        full, room = kernels.insert(self._keys, self.keys, self._slots), self.settings.capacity
        if full >= 0:
            raise TableFull(
                f"the critic of agent {full} holds {room} neighbourhood states, all that capacity allows; policy and critic are "
                f"as before this update: call grow({2 * room}) and go on, or use critic='own' or 'linear'"
            )
        return self._slots

    def grown(self, settings: Settings) -> Self:
        """A critic with room for ``settings.capacity`` entries an agent, all that was learnt in it."""
        if settings.fresh:
            return super().grown(settings)
        if settings.capacity < self.settings.capacity:
            raise DataError(f"tables of {self.settings.capacity} entries cannot shrink to {settings.capacity}")
        new = type(self)(settings, self.shape, self.copies, self.around)
        new.mu = self.mu
        found = np.empty((1, *self.keys.shape[:2], 1), np.int32)
        for c in range(self.settings.capacity):  # an empty place finds an empty place, and keeps its zeros
            kernels.insert(np.ascontiguousarray(self.keys[None, ..., c]), new.keys, found)
            np.put_along_axis(new.weights, found[0], self.weights[..., c : c + 1], axis=2)
            if self.visits.size:
                np.put_along_axis(new.visits, found[0], self.visits[..., c : c + 1], axis=2)
        return new


class CountsCritic(Critic):
    """Q_i of (s_i, a_i, c_i): counts(path) gives c (T + 1, E, n), and c above ``most_counted`` counts as that."""

    def __init__(
        self, settings: Settings, shape: Shape, copies: int, around: Neighbourhoods, counts: Counts | None
    ) -> None:
        if counts is None:
            raise NotApplicable("critic 'counts' needs something to count; pass counts=access_point_loads(env), say")
        self.counts, self.most = counts, settings.most_counted
        super().__init__(settings, shape, copies, around, shape[2] * shape[3] * (self.most + 1))

    def slots(self, path: Trajectory) -> Codes:
        """The pair's number times the kinds of counts, and the count: (T + 1, E, n, 1)."""
        c = np.asarray(self.counts(path))
        if c.shape != path.a.shape or c.dtype.kind not in "iu" or c.min() < 0:
            raise DataError(f"counts gave {c.dtype} of shape {c.shape}; give whole numbers from 0 up, {path.a.shape}")
        self._slots[..., 0] = self.pairs(path) * (self.most + 1) + np.minimum(c, self.most)
        return self._slots


def make_critic(
    o: LearningSettings, shape: Shape, copies: int, around: Neighbourhoods, counts: Counts | None = None
) -> Critic:
    """The critic that ``o.critic`` names: the one place where the name is read."""
    function("counts", counts, "trajectory", "whole numbers (T + 1, E, n)")
    if isinstance(o, Settings) and o.critic == "table":
        return TableCritic(o, shape, copies, around)
    if isinstance(o, Settings) and o.critic == "counts":
        return CountsCritic(o, shape, copies, around, counts)
    return (LinearCritic if o.critic == "linear" else OwnCritic)(o, shape, copies, around)


def access_point_loads(env: Congested) -> Counts:
    """Counts for critic "counts": how many others use the place (access point) that an agent's action uses; 0 while idle.

    With (s_i, a_i) this is all that the next reward of agent i depends on. The agents must see their whole state.
    """
    networked(env, Congested, "an environment whose agents share places, a wireless one")
    return lambda path: env.congestion(path.codes, path.a)
