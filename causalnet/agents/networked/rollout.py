"""Trajectories of all copies of a networked environment under own-state policies, and the returns that they bring."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import AnyArray, Array, Codes, Floats, Ints
from ...base.checks import array_of, improper, number, numbers, shaped, whole
from ...envs import answers
from ...envs.networked.checks import check_codes
from ...envs.networked.identity import network
from ...envs.networked.policies import as_rewards
from ...envs.networked.protocols import CompiledRollout
from ...envs.networked.streams import Words, spawn
from ...errors import DataError
from .actor_kernels import NEVER, act_all


@dataclass(eq=False)
class Trajectory:
    """codes (T + 1, E, n) int32 what each agent saw, a (T + 1, E, n) int64 what it did, r (T, E, n) its rewards.

    The last pair (codes[T], a[T]) is drawn but not carried out: temporal differences need T rewards and T + 1 pairs.
    """

    codes: Codes
    a: Ints
    r: Array

    @classmethod
    def empty(cls, steps: int, copies: int, n: int) -> Trajectory:
        """Buffers for ``steps`` transitions."""
        pairs = (steps + 1, copies, n)
        return cls(np.empty(pairs, np.int32), np.empty(pairs, np.int64), np.empty((steps, copies, n)))


Play = Callable[[Any, int, Trajectory, Any], Any]  # (environment, seed, path to fill, first states) -> last states


def roll(env: Any, cumulative: Floats, view: Codes, policy_streams: Words, out: Trajectory, s: Any) -> Any:
    """Fill ``out`` with len(out.r) steps of every copy from the state codes s, and return the last ones.

    cumulative (L, n, S, A): cumulative probabilities; copy e follows learner e // (E / L). Works on any environment
    with the array contract; one that offers a compiled rollout runs in one loop.
    """
    if issubclass(type(env), CompiledRollout):  # remembered by class: an instance would be looked at anew each time
        return env.roll_out(view, cumulative, policy_streams, out.codes, out.a, out.r)
    sizes = np.asarray(env.n_states, dtype=np.int64)

    def decide(s: AnyArray, codes: Codes, a: Ints) -> None:
        if not act_all(s, view, cumulative, policy_streams, sizes, codes, a):
            check_states(s, sizes)

    return walk(env, decide, out, s)


def walk(env: Any, decide: Callable[[AnyArray, Codes, Ints], None], out: Trajectory, s: Any) -> Any:
    """Fill ``out`` by ``env.step``; decide(s, codes, a), (E, n) each, writes what the agents see in s and what they do."""
    steps, copies, n = out.r.shape
    done = np.zeros(copies, bool)
    for t in range(steps + 1):
        decide(_local_states(s, env, t, (copies, n)), out.codes[t], out.a[t])
        if t < steps:
            s, r, ended, cut, _ = answers.step(env, out.a[t] if env.n_envs is not None else out.a[t, 0])
            out.r[t] = as_rewards(env, r)
            if done.any() and out.r[t, done].any():
                raise DataError(
                    f"the environment ended the episode of copy {np.flatnonzero(done)[0]} after {t} steps or fewer, and pays for more: a "
                    f"copy that is over stays as it is, with rewards of 0, until reset; or play shorter episodes, in "
                    f"Settings(steps=...)"
                )
            ended, cut = answers.ends(ended, cut, (copies,) if env.n_envs is not None else ())
            done |= ended | cut
    return s


def _local_states(s: Any, env: Any, t: int, shape: tuple[int, int]) -> AnyArray:
    """Whole numbers (E, n) of an environment, for the (E, n) agents that it said it has."""
    states, want = np.asarray(s), shape if env.n_envs is not None else shape[1:]
    if states.shape != want or states.dtype.kind not in "iu":
        raise DataError(
            f"after {t} steps the environment gave states {states.dtype} of shape {states.shape}, and must give codes, whole "
            f"numbers of shape {want}: one for each of the {shape[1]} agents that it has from the first step to the last"
        )
    return states.reshape(shape)


def seen(view: Codes, s: Ints) -> Codes:
    """The codes (..., n) that the agents see in the states s (..., n)."""
    return np.asarray(view[np.arange(s.shape[-1]) if len(view) > 1 else 0, s])


def check_states(s: AnyArray, n_states: Any) -> None:
    """Refuse states (E, n) that an environment should not have given."""
    wrong = np.argwhere((s < 0) | (s >= n_states))
    if len(wrong):
        e, i = wrong[0]
        raise DataError(
            f"the environment gave agent {i} the state code {s[e, i]}, and n_states says 0 to {n_states[i] - 1}"
        )


def state_codes(s: Any, n_states: Any, learners: int | None = None) -> Ints:
    """States of the caller's as codes (..., n), or (L, n) with a row for each of so many learners."""
    limits = np.asarray(n_states, dtype=np.int64)
    return check_codes("state", s, limits, None if learners is None else (learners, len(limits)))


def returns(
    env: Any,
    policy: Array,
    *,
    gamma: float = 1.0,
    steps: int | None = None,
    episodes: int = 400,
    seed: int = 0,
    view: Any = None,
) -> Array:
    """Return of each episode, sum_{t < steps} gamma^t (1/n) sum_i r_i(t), under fixed own-state policies.

    policy (n, S, A), or (L, n, S, A) for L policies at once where the environment has a multiple of L copies: the
    result is (episodes,) or (L, episodes). Episodes are fixed by ``seed``, whatever the policy: common random numbers.
    """
    gamma, tables = number("gamma", gamma, 0.0, 1.0), numbers("the policy", policy)
    paths = episodes_under(env, tables, steps=steps, episodes=episodes, seed=seed, view=view)
    found = discounted(paths, gamma, 1 if tables.ndim == 3 else len(tables))[:, :episodes]
    return found[0] if tables.ndim == 3 else found


def discounted(paths: Iterable[Trajectory], gamma: float, learners: int) -> Array:
    """sum_t gamma^t (1/n) sum_i r_i(t) of each trajectory: (L, episodes)."""
    found = [np.tensordot(gamma ** np.arange(len(p.r)), p.r.mean(axis=2), axes=1).reshape(learners, -1) for p in paths]
    return np.concatenate(found, axis=1)


def episodes_under(
    env: Any, policy: Array, *, steps: int | None, episodes: int, seed: int, view: Any
) -> Iterator[Trajectory]:
    """Whole batches of ``episodes`` a policy, as :func:`batches`; arguments as in :func:`returns`."""
    tables = policy[None] if policy.ndim == 3 else policy
    view = view_table(network(env), view)
    check_policy(env, tables, view)
    inner = np.arange(tables.shape[3]) < np.asarray(env.n_actions)[:, None, None] - 1
    cumulative = np.where(inner, tables.cumsum(-1), NEVER).astype(np.float32)

    def play(env: Any, seed: int, path: Trajectory, first: Any) -> Any:
        return roll(env, cumulative, view, spawn(seed, path.r.shape[1]), path, first)

    return batches(env, play, len(tables), steps=steps, episodes=episodes, seed=seed)


def batches(
    env: Any, play: Play, learners: int, *, steps: int | None = None, episodes: int, seed: int
) -> Iterator[Trajectory]:
    """Whole batches of ``episodes`` a learner, one in each copy, in one buffer; ``seed`` alone fixes what happens in them."""
    episodes, seed = whole("episodes", episodes, 1), whole("seed", seed, 0)
    steps = None if steps is None else whole("steps", steps, 1)
    copies, horizon = env.n_envs or 1, steps or env.horizon
    if horizon is None:
        raise DataError("steps is None, and the environment has no horizon; say how many steps an episode has")
    if env.horizon is not None and horizon > env.horizon:
        raise DataError(
            f"episodes of {horizon} steps are longer than the environment's horizon of {env.horizon}; make that longer"
        )
    path = Trajectory.empty(horizon, shared(copies, learners), env.n_agents)
    for batch in range(-(-episodes // (copies // learners))):
        key = seeds(seed, batch)
        first, _ = answers.reset(env, seed=key)
        play(env, key + 1, path, first)
        yield path


def shared(copies: int, learners: int) -> int:
    """Copies of an environment as they are; DataError where they cannot be shared evenly."""
    if copies % learners:
        raise DataError(f"{copies} copies cannot be shared evenly by {learners} learners; use a multiple of {learners}")
    return copies


def seeds(seed: int, number: int) -> int:
    """The seed of an environment's ``number``-th reset under a root seed."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> np.uint64(2))


def view_table(env: Any, view: Any) -> Codes:
    """The code that each agent sees in each local state, (1 or n, most states); None: the state itself."""
    n, want = int(env.n_agents), int(np.max(env.n_states))
    codes = np.atleast_2d(np.arange(want) if view is None else array_of("view", view))
    if codes.dtype.kind not in "iu" or codes.shape not in {(1, want), (n, want)} or codes.min() < 0:
        raise DataError(f"view maps state codes to codes from 0 up: whole numbers of shape ({want},) or ({n}, {want})")
    if codes.max() >= n * want:  # more than a table of that size can hold different ones
        raise DataError(f"view has the seen code {codes.max()}, and each up to it gets a table; number them from 0")
    return np.ascontiguousarray(codes, dtype=np.int32)


def check_policy(env: Any, tables: Array, view: Codes) -> None:
    """A policy for another network, or one whose rows are no probabilities, is refused in a sentence."""
    want = (env.n_agents, int(view.max()) + 1, int(np.max(env.n_actions)))
    axes = "policies, agents, states, actions; it may belong to another network"
    shaped("the policy", tables, (*tables.shape[:1], *want), axes)
    forbidden = np.arange(want[2]) >= np.asarray(env.n_actions)[:, None]
    if improper(tables, 1e-6).any() or tables.max(axis=(0, 2))[forbidden].max(initial=0) > 0:
        raise DataError("every row of a policy must be probabilities that sum to one over the agent's own actions")
