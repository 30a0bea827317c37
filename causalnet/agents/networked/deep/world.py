"""What the neural learner asks of a network, by what it offers: neighbours, observations, actions, masks, rewards.

An environment has n_agents, n_envs (None: one copy, without the axis E), horizon, adjacency (n, n), reset(seed) and
step(actions). adjacency[i, j]: i influences j within a step. Observations are codes (E, n) where there is ``n_states``, else
vectors (E, n, d). Actions are codes below ``n_actions`` (n,), or vectors (E, n, ``action_size``) within [-1, 1].
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ....base.arrays import AnyArray, Array, Bools, Floats, Ints
from ....base.checks import whole
from ....envs import answers
from ....envs.masks import KEY
from ....envs.networked.policies import as_rewards
from ....errors import DataError, NotApplicable


@dataclass(frozen=True, eq=False)
class World:
    """env, and what is known of it. n agents, ``copies`` E; influence (n, n): row i has the agents that influence i."""

    env: Any
    n: int
    copies: int
    horizon: int | None
    influence: sparse.csr_matrix
    n_states: Ints | None
    "(n,) where observations are codes; None: vectors"
    n_actions: Ints | None
    "(n,) where actions are codes; None: vectors"
    action_size: int
    label: str
    "the environment's class"

    @classmethod
    def of(cls, env: Any) -> World:
        """Read an environment, or say in a sentence what it lacks."""
        for name in ("n_agents", "adjacency", "reset", "step"):
            if getattr(env, name, None) is None:
                raise DataError(
                    f"{type(env).__name__} has no {name!r}; a network has n_agents, adjacency, reset and step, such as gsac_grid(3)"
                )
        n = whole("n_agents", env.n_agents, 1)
        given, many = getattr(env, "n_actions", None), getattr(env, "action_size", None)
        if (given is None) == (many is None):
            raise DataError("the environment says either n_actions (n,), for codes, or action_size, for vectors")
        states = getattr(env, "n_states", None)
        copies, horizon = getattr(env, "n_envs", None), getattr(env, "horizon", None)
        return cls(
            env,
            n,
            1 if copies is None else whole("n_envs", copies, 1),
            None if horizon is None else whole("horizon", horizon, 1),
            _influence(env.adjacency, n),
            None if states is None else _sizes("n_states", states, n),
            None if given is None else _sizes("n_actions", given, n),
            0 if many is None else whole("action_size", many, 1),
            type(env).__name__,
        )

    @property
    def batched(self) -> bool:
        """Whether arrays have the axis E."""
        return getattr(self.env, "n_envs", None) is not None

    def reset(self, seed: int) -> tuple[AnyArray, Bools | None]:
        """First observations (E, n) or (E, n, d), and masks (E, n, A) or None."""
        obs, info = answers.reset(self.env, seed=seed)
        return self.observed(obs), self.masks(info)

    def step(self, actions: AnyArray) -> tuple[AnyArray, Array, Bools, Bools, Bools | None]:
        """actions (E, n) or (E, n, k) -> observations, rewards (E, n), terminated (E,), truncated (E,), masks."""
        obs, reward, terminated, truncated, info = answers.step(self.env, actions if self.batched else actions[0])
        over = answers.ends(terminated, truncated, (self.copies,) if self.batched else ())
        ends = [np.broadcast_to(end, (self.copies,)) for end in over]
        return self.observed(obs), as_rewards(self.env, reward), ends[0], ends[1], self.masks(info)

    def observed(self, obs: Any) -> AnyArray:
        """Observations with the axis E; a wrong shape, a code out of range and what is no number are refused."""
        array = np.asarray(obs) if self.batched else np.asarray(obs)[None]
        return check_observations(self, array, (self.copies,))

    def masks(self, info: Any) -> Bools | None:
        """(E, n, A) bool, which actions are allowed now: of the info, or of ``action_masks()``; None: all that there are."""
        if self.n_actions is None:
            return None
        given = info.get(KEY) if isinstance(info, dict) else None
        if given is None:
            ask = getattr(self.env, "action_masks", None)
            given = None if ask is None else ask()
        return None if given is None else check_masks(self, given if self.batched else np.asarray(given)[None])

    def fingerprint(self) -> list[Any]:
        """Class, agents, kind of observations and actions, and a checksum of sizes and neighbours."""
        digest = hashlib.sha256()
        for part in (self.influence.indptr, self.influence.indices, self.n_states, self.n_actions):
            digest.update(b"-" if part is None else np.ascontiguousarray(part, np.int64).tobytes())
        kinds = ["vectors" if part is None else "codes" for part in (self.n_states, self.n_actions)]
        return [self.label, self.n, *kinds, self.action_size, digest.hexdigest()[:16]]

    def require(self, learnt_on: Any, what: str = "this policy") -> World:
        """Refuse what was learnt on another network."""
        mine = self.fingerprint()
        if mine != list(learnt_on):
            names = ("class", "agents", "observations", "actions", "numbers of an action")
            told = [f"{k} {a}, here {b}" for k, a, b in zip(names, learnt_on, mine, strict=False) if a != b]
            why = "; ".join(told) or "neighbours, or states and actions of single agents, differ"
            raise DataError(f"{what} was learnt on another network: {why}")
        return self


def check_observations(world: World, array: AnyArray, lead: tuple[int, ...]) -> AnyArray:
    """Observations (*lead, n) of codes, or (*lead, n, d) of vectors, as they are."""
    if world.n_states is not None:
        if array.shape != (*lead, world.n) or array.dtype.kind not in "iu":
            raise DataError(
                f"observations are codes of shape {(*lead, world.n)}, and these are {array.dtype} of shape {array.shape}"
            )
        wrong = (array < 0) | (array >= world.n_states)
        if wrong.any():
            *_, i = at = tuple(np.argwhere(wrong)[0])
            raise DataError(
                f"agent {i} was given the state code {array[at]}, and n_states says 0 to {world.n_states[i] - 1}"
            )
        return array
    if array.ndim != len(lead) + 2 or array.shape[:-1] != (*lead, world.n) or array.dtype.kind not in "fiub":
        raise DataError(
            f"observations are vectors of shape {(*lead, world.n, 'd')}, and these are {array.dtype} of shape {array.shape}; "
            "an environment of codes says n_states"
        )
    if not np.isfinite(array).all():
        at = tuple(np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"agent {at[-2]} was given {array[at]} in its observation")
    return array.astype(np.float32, copy=False)


def check_masks(world: World, given: Any) -> Bools:
    """(E, n, A) bool, every row with an action that the agent has."""
    assert world.n_actions is not None
    masks, want = np.asarray(given), (world.n, int(world.n_actions.max()))
    if masks.shape[-2:] != want or masks.ndim != 3 or not ((masks == 0) | (masks == 1)).all():
        raise DataError(
            f"masks are bools of shape (E, {want[0]}, {want[1]}), and these are {masks.dtype} {masks.shape}"
        )
    masks = masks.astype(bool) & (np.arange(want[1]) < world.n_actions[:, None])
    if not masks.any(-1).all():
        e, i = np.argwhere(~masks.any(-1))[0]
        raise DataError(f"the mask of agent {i} in copy {e} allows none of its {world.n_actions[i]} actions")
    return masks


def actions_table(world: World) -> Bools | None:
    """(n, A) bool: the actions that each agent has; None where all have the same number."""
    counts = world.n_actions
    if counts is None or (counts == counts.max()).all():
        return None
    return np.asarray(np.arange(counts.max()) < counts[:, None])


def as_actions(world: World, chosen: Any) -> Ints | Floats:
    """What ``env.step`` takes: codes as int64, vectors cut to [-1, 1]."""
    if world.n_actions is not None:
        return np.asarray(chosen, np.int64)
    return np.clip(np.asarray(chosen, np.float32), -1.0, 1.0)


def _influence(adjacency: Any, n: int) -> sparse.csr_matrix:
    """Row i: who influences i. The transpose of the adjacency, checked."""
    matrix = sparse.csr_matrix(adjacency).astype(bool)
    if matrix.shape != (n, n):
        raise DataError(f"the adjacency is {matrix.shape}, and there are {n} agents: it must be ({n}, {n})")
    matrix.eliminate_zeros()
    if matrix.diagonal().any():
        raise DataError(f"agent {int(np.flatnonzero(matrix.diagonal())[0])} is its own neighbour; clear the diagonal")
    turned = sparse.csr_matrix(matrix.T)
    turned.sort_indices()
    return turned


def _sizes(name: str, given: Any, n: int) -> Ints:
    sizes = np.asarray(given)
    if sizes.dtype.kind not in "iu" or sizes.shape != (n,) or sizes.min() < 1:
        raise DataError(
            f"{name} is {sizes.dtype} of shape {sizes.shape}; it must be ({n},) whole numbers from 1 up, one an agent"
        )
    if name == "n_actions" and sizes.max() > 10**5:
        raise NotApplicable(f"an agent has {sizes.max():,} actions, more than a policy can score")
    return sizes.astype(np.int64)
