"""The causal mask as a Gymnasium wrapper, in the three dialects that learners read (arXiv 2402.04869, Def. 4.1)."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import gymnasium
import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Bools
from ..base.checks import number, one_of, whole
from ..envs.masks import MaskReader, as_mask
from ..envs.protocols import ActsOnVariables, HasUnits, discrete_env
from ..errors import DataError, NotApplicable
from .gate import Gate
from .root_causes import COST, EMPTY, Doubtful, Read, RootCauseMask, instead

MaskFunction = Callable[[Any, Any, Any], Any]  # (obs, info, env) -> (A,) bool
_STREAM = 0x6D61736B  # keeps the draws of eta apart from other streams of the same seed


class CausalMask(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Restrict a policy to the likely root causes: pi_G(a|s) proportional to M_s(G)_a pi(a|s) (Eq. 4).

    The mask of the current observation is offered as ``action_masks()`` ((A,) bool, read by sb3-contrib and found by
    ``get_wrapper_attr``), as ``info["action_mask"]`` ((A,) int8, a fresh copy, as Gymnasium's ``sample`` wants it),
    and with ``obs_dict`` as ``obs["action_mask"]`` beside ``obs["observation"]``. A mask that the environment
    supplies itself is combined by AND, also where ``empty`` has to step in (see RootCauseMask; ``n_empty`` counts).
    Actions outside the mask are passed on and counted (``n_invalid``).

    graph: a Graph; a Confidence, GraphPosterior or list of Graphs, whose doubt the mask knows; None for presence only;
        or a mask function ``(obs, info, env) -> (A,) bool``. With a graph,
        ``variables``, ``action_variables`` and ``cells`` are taken from ``env.unwrapped`` (its ``variables``,
        ``action_variables``, ``action_units`` and ``counts(obs) -> (units, V)``) unless given; see RootCauseMask for
        their meaning and for ``k``, ``cost``, ``present`` and ``empty``.
    gate: True, or a Gate that several copies share: every episode is masked by the graph or by presence alone, as the
        returns of finished episodes have it (:class:`causalnet.representation.gate.Gate`), and info["mask_arm"] says
        which. While ``settled`` is True the better arm is played and nothing is learned: set it to judge a policy. A
        time limit belongs inside this wrapper, where the gate sees it.
    eta: in [0, 1], the paper's epsilon-causal ratio: with this probability, drawn afresh for every observation, the
        mask falls back to presence only, and ``info["mask_fallback"]`` is True. This is the soft option of the mask,
        for any learner. The draws follow from the seed given to ``reset``, so an episode repeats; without one they go
        on from ``seed``. To anneal, assign ``env.eta`` between episodes.
    top_units: keep only the actions on that many units of highest degree in ``env.unwrapped.topology``, where
        any of them is allowed. The official code does so; in its simulator this gives away the devices on which
        faults start, so ``info["privileged_mask"]`` is True then, and results must say so.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        graph: Doubtful | MaskFunction,
        k: int | Literal["roots"] = "roots",
        *,
        cost: float = COST,
        gate: bool | Gate = False,
        variables: Sequence[str] | None = None,
        action_variables: ArrayLike | None = None,
        present: Read | None = None,
        cells: Read | None = None,
        empty: Literal["present", "all", "raise"] = "present",
        eta: float = 0.0,
        seed: int = 0,
        obs_dict: bool = False,
        top_units: int | None = None,
    ) -> None:
        super().__init__(discrete_env("a causal mask", env))
        self._n, self._start = int(env.action_space.n), int(env.action_space.start)
        self.eta = eta
        self.empty, self.obs_dict = one_of("empty", empty, EMPTY), obs_dict
        self.mask: RootCauseMask | None
        self._function: MaskFunction
        told = {"variables": variables, "action_variables": action_variables, "present": present, "cells": cells}
        if callable(graph):
            _check_function(graph, told)
            self._function = graph
            self.mask = graph if isinstance(graph, RootCauseMask) else None
        else:
            facts = _facts(env.unwrapped, told)
            self.mask = self._function = RootCauseMask(graph, k, empty=empty, cost=cost, **facts)
        if self.mask is not None and len(self.mask.action_variables) != self._n:
            raise DataError(
                f"action_variables names the variables of {len(self.mask.action_variables)} actions, and the "
                f"environment has {self._n}"
            )
        self._own = MaskReader(env)
        self.gate = Gate() if gate is True else gate or None
        if self.gate is not None and not isinstance(self.gate, Gate):
            raise DataError(f"gate is True, False or a Gate, got {gate!r}")
        self.settled, self._arm, self._return = False, "causal", 0.0
        self._preferred = None if top_units is None else _preferred(env.unwrapped, top_units, self._n)
        self._rng = np.random.default_rng([_STREAM, whole("seed", seed, 0)])
        self._taken = 0
        self._current: Bools | None = None
        self._fallback = False
        self.n_empty = self.n_invalid = 0
        space = env.observation_space  # {"observation", "action_mask"}, where it has masks itself
        self._nested = isinstance(space, gymnasium.spaces.Dict) and set(space) == {"observation", "action_mask"}
        if obs_dict:
            self.observation_space = _with_mask(space, self._n)

    @property
    def eta(self) -> float:
        """With this probability an observation's mask is by presence only."""
        return self._eta

    @eta.setter
    def eta(self, value: float) -> None:
        self._eta = number("eta", value, 0.0, 1.0)

    # ---- for learners -------------------------------------------------------------------------------------

    def action_masks(self) -> Bools:
        """(A,) bool: the actions allowed in the current observation."""
        if self._current is None:
            raise DataError("there is no mask before the first observation; call reset() first")
        return self._current.copy()

    def update(self, graph: Doubtful) -> None:
        """Mask by another graph, or other doubt, from the next observation on; the current mask stays, as it may be in use."""
        if self.mask is None:
            raise NotApplicable("this mask is a plain function and has no graph to replace; give the wrapper a Graph")
        self.mask.update(graph)

    # ---- the environment's interface ----------------------------------------------------------------------

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset, with the mask of the first observation."""
        if seed is not None:
            self._rng = np.random.default_rng([_STREAM, seed])
        obs, info = self.env.reset(seed=seed, options=options)
        self._taken, self._return = 0, 0.0
        if self.gate is not None:
            self._arm = self.gate.best if self.settled else self.gate.choose(self._rng)
        self._look(obs, info, last=False)
        return self._offer(obs, info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step; ``info["invalid_action"]`` tells whether the action was outside the mask."""
        invalid = self._is_invalid(action)
        obs, reward, terminated, truncated, info = self.env.step(action)
        self.n_invalid += invalid
        self._taken += 1
        self._return += float(reward)
        if self.gate is not None and (terminated or truncated) and not self.settled:
            self.gate.see(self._arm, self._return)
        self._look(obs, info, last=bool(terminated))
        obs, info = self._offer(obs, info)
        info["invalid_action"] = invalid
        return obs, reward, terminated, truncated, info

    # ---- parts --------------------------------------------------------------------------------------------

    def _look(self, obs: Any, info: dict[str, Any], last: bool) -> None:
        """Set the mask of this observation; after the last one of an episode no action follows, and none is missed."""
        own = self._own(obs, info, last=True)  # it may allow nothing: that is what `empty` is about
        inner = obs["observation"] if self._nested else obs
        self._fallback = self._arm == "presence" or (self.eta > 0.0 and bool(self._rng.random() < self.eta))
        if self._fallback:
            mask = self._presence(inner)
        elif self.mask is not None:
            try:
                mask = self.mask.allowed(inner)
            except DataError as error:
                raise DataError(f"state {self._taken} after the reset of {self.env.unwrapped}: {error}") from error
        else:
            mask = as_mask(self._function(inner, info, self.env), self._n, "the mask function's answer")
        if own is not None:
            mask &= own
        if self._preferred is not None and not self._fallback and (mask & self._preferred).any():
            mask &= self._preferred
        if not mask.any():
            legal = np.ones(self._n, dtype=bool) if own is None else own
            if self.mask is None and self.empty == "present" and not last and not self.n_empty:
                warnings.warn(
                    'the mask function allows no action here, so every legal action is allowed; write empty="all" if '
                    'that is meant, or empty="raise" for an error (n_empty counts such states)',
                    UserWarning,
                    stacklevel=3,
                )
            mask = instead("present" if last else self.empty, self._presence(inner) & legal) & legal
            mask = mask if mask.any() else np.ones(self._n, dtype=bool)
            self.n_empty += not last
        self._current = mask

    def _presence(self, obs: Any) -> Bools:
        return np.ones(self._n, dtype=bool) if self.mask is None else self.mask.presence(obs)

    def _offer(self, obs: Any, info: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        assert self._current is not None
        told = {**info, "action_mask": self._current.astype(np.int8)}
        if self.eta > 0.0 or self._fallback:
            told["mask_fallback"] = self._fallback
        if self.gate is not None:
            told["mask_arm"] = self._arm
        if self._preferred is not None:
            told["privileged_mask"] = True
        if self.obs_dict:
            inner = obs if isinstance(obs, dict) else {"observation": obs}
            obs = {**inner, "action_mask": self._current.astype(np.int8)}
        return obs, told

    def _is_invalid(self, action: Any) -> bool:
        if isinstance(action, bool | np.bool_) or not self.action_space.contains(action):
            raise DataError(
                f"the action {action!r} is outside the action space; write an integer from {self._start} to "
                f"{self._start + self._n - 1}"
            )
        return self._current is not None and not self._current[int(action) - self._start]


def _with_mask(space: gymnasium.Space[Any], n: int) -> gymnasium.spaces.Dict:
    """The observation space with ``action_mask`` beside it."""
    inner = dict(space.spaces) if isinstance(space, gymnasium.spaces.Dict) else {"observation": space}
    return gymnasium.spaces.Dict({**inner, "action_mask": gymnasium.spaces.Box(0, 1, (n,), np.int8)})


def _facts(env: Any, told: dict[str, Any]) -> dict[str, Any]:
    """What RootCauseMask needs, from the arguments first and the environment second."""
    found = dict(told)
    for name in ("variables", "action_variables"):
        found[name] = getattr(env, name, None) if found[name] is None else found[name]
        if found[name] is None:
            raise DataError(
                f"{type(env).__name__} has no attribute {name!r}, so give it: variables=[names], "
                "action_variables=[for every action the index of the variable it acts on]"
            )
    if found["present"] is None and found["cells"] is None:
        if not isinstance(env, ActsOnVariables):
            raise DataError(
                f"{type(env).__name__} does not tell which variables are present: give present=, a function from an "
                "observation to (V,) bools, or cells=, one to (A,) bools"
            )
        found["cells"] = _Cells(env)
    return found


class _Cells:
    """Observation -> (A,) bool, the actions whose unit and variable have a positive count; reads ``env.counts``."""

    def __init__(self, env: ActsOnVariables) -> None:
        self._env = env
        kinds = np.asarray(env.action_variables)
        self._flat = np.where(kinds < 0, -1, np.asarray(env.action_units) * len(env.variables) + kinds)
        self._in_order = np.array_equal(self._flat, np.arange(len(kinds)))

    def __call__(self, obs: Any) -> Bools:
        positive: Bools = (self._env.counts(obs) > 0).ravel()
        return (
            positive if self._in_order else np.append(positive, True)[self._flat]
        )  # an action on none is never in vain


def _preferred(env: Any, top: int, n: int) -> Bools:
    """(A,) bool: the actions on the ``top`` units of highest degree; of equal degrees the higher index comes first."""
    if not isinstance(env, HasUnits) or not isinstance(env, ActsOnVariables):
        raise NotApplicable(
            f"top_units ranks units by degree, and {type(env).__name__} lacks units with a topology, or action_units; "
            "leave top_units out"
        )
    degree = np.array([env.topology.degree(name) for name in env.units])
    first = np.lexsort((-np.arange(len(degree)), -degree))[: whole("top_units", top, 1, len(degree))]
    return as_mask(np.isin(np.asarray(env.action_units), first), n, "action_units")


def _check_function(function: Any, told: dict[str, Any]) -> None:
    """Refuse what belongs to a graph beside a mask function, and one that does not take three arguments."""
    if any(value is not None for value in told.values()):
        raise DataError(
            f"{type(function).__name__} decides the mask alone: {', '.join(told)} belong to a graph; leave them out"
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some built-in callables do not tell
        return
    try:
        signature.bind(None, None, None)
    except TypeError as error:
        raise NotApplicable(
            f"a mask function takes (obs, info, env) and returns one bool for every action; this one takes {signature}"
        ) from error
