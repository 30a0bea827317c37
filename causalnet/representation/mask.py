"""The causal mask as a Gymnasium wrapper, in the three dialects that learners read (arXiv 2402.04869, Def. 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import gymnasium
import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Bools
from ..base.asked import asks
from ..base.checks import flag
from ..envs import answers
from ..envs.actions import finite_env
from ..envs.masks import MaskReader
from ..errors import DataError
from .gate import Gate
from .masking import Masker, MaskFunction, new_turns
from .root_causes import COST, Doubtful, Read
from .vector_mask import VectorCausalMask
from .wrapping import Masking, nests, with_mask


class CausalMask(Masking, gymnasium.Wrapper[Any, Any, Any, Any]):
    """Restrict a policy to the likely root causes: pi_G(a|s) proportional to M_s(G)_a pi(a|s) (Eq. 4).

    The mask of the current observation is offered as ``action_masks()`` ((A,) bool, read by sb3-contrib and found by
    ``get_wrapper_attr``), as ``info["action_mask"]`` ((A,) int8, a fresh copy, as Gymnasium's ``sample`` wants it),
    and with ``obs_dict`` as ``obs["action_mask"]`` beside ``obs["observation"]``. A mask that the environment
    supplies itself is combined by AND, also where ``empty`` has to step in (see RootCauseMask; ``n_empty`` counts).
    Actions outside the mask are passed on and counted (``n_invalid``).

    env: one environment with a Discrete, MultiDiscrete or MultiBinary action space, or a vector of them (SyncVectorEnv,
        AsyncVectorEnv), which gives a VectorCausalMask: masks (E, A), one gate for all copies. A has a column for every
        value of every part, as sb3-contrib has it; of switches (MultiBinary) one variable each will do.
    graph: a Graph; a Confidence, GraphPosterior or list of Graphs, whose doubt the mask knows; None for presence only;
        or a mask function ``(obs, info, env) -> (A,) bool``. With a graph,
        ``variables``, ``action_variables`` and ``cells`` are taken from ``env.unwrapped`` (its ``variables``,
        ``action_variables``, ``action_units`` and ``counts(obs) -> (units, V)``) unless given; see RootCauseMask for
        their meaning and for ``k``, ``cost``, ``present`` and ``empty``.
    gate: True, or a Gate that several copies share: an episode is masked by presence alone until what became of the choices
        that the graph would forbid tells that it is right (:class:`causalnet.representation.gate.Gate`), and by the graph from
        then on, but for the share of its steps in which ``info["mask_fallback"]`` is True; info["mask_arm"] says which. While
        ``settled`` is True the better arm is played and nothing is learned: set it to judge a policy. A time limit belongs
        inside this wrapper, where the gate sees it.
    eta: in [0, 1], the paper's epsilon-causal ratio: with this probability, drawn afresh for every observation, the
        mask falls back to presence only, and ``info["mask_fallback"]`` is True. This is the soft option of the mask,
        for any learner. The draws follow from the seed given to ``reset``, so an episode repeats; without one they go
        on from ``seed``. To anneal, assign ``env.eta`` between episodes.
    top_units: keep only the actions on that many units of highest degree in ``env.unwrapped.topology``, where
        any of them is allowed. The official code does so; in its simulator this gives away the devices on which
        faults start, so ``info["privileged_mask"]`` is True then, and results must say so.
    """

    def __new__(cls, env: Any = None, *args: Any, **settings: Any) -> Any:
        """A VectorCausalMask for a vector of environments."""
        if cls is CausalMask and isinstance(env, gymnasium.vector.VectorEnv):
            return VectorCausalMask(env, *args, **settings)
        return super().__new__(cls)

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
        super().__init__(finite_env("a causal mask", env))
        told: dict[str, Any] = {
            "variables": variables,
            "action_variables": action_variables,
            "present": present,
            "cells": cells,
        }
        told |= {"cost": cost, "gate": gate, "empty": empty, "eta": eta, "top_units": top_units}
        self.masker = Masker.of(env.unwrapped, env.action_space, graph, k, told)
        self.masker.turns = new_turns(1, seed)
        self._own = MaskReader(env)
        self.obs_dict, space = flag("obs_dict", obs_dict), env.observation_space
        self._nested = nests(space)
        if obs_dict:
            self.observation_space = with_mask(space, self.masker.parts.n)

    # ---- for learners -------------------------------------------------------------------------------------

    def action_masks(self) -> Bools:
        """(A,) bool: the actions allowed in the current observation."""
        mask = self.masker.turns[0].mask
        if mask is None:
            raise DataError("there is no mask before the first observation; call reset() first")
        return mask.copy()

    # ---- the environment's interface ----------------------------------------------------------------------

    @asks()
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset, with the mask of the first observation."""
        self.masker.begin(self.masker.turns[0], seed)
        obs, info = answers.reset(self.env, seed=seed, options=options)
        self._look(obs, info, last=False)
        return self._offer(obs, info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step; ``info["invalid_action"]`` tells whether the action was outside the mask."""
        if isinstance(action, bool | np.bool_) or not self.action_space.contains(action):
            raise DataError(f"the action {action!r} is outside the action space; write {self._example()}")
        masker, turn = self.masker, self.masker.turns[0]
        columns = masker.parts.columns(action)
        invalid = masker.invalid(turn, columns)
        obs, reward, terminated, truncated, info = answers.step(self.env, action)
        masker.n_invalid += invalid
        value, (terminated, truncated) = answers.finite_reward(reward, "a step"), answers.ends(terminated, truncated)
        masker.went(turn, columns, value, terminated, truncated)
        self._look(obs, info, last=terminated)
        obs, info = self._offer(obs, info)
        info["invalid_action"] = invalid
        return obs, reward, terminated, truncated, info

    # ---- parts --------------------------------------------------------------------------------------------

    def _look(self, obs: Any, info: dict[str, Any], last: bool) -> None:
        own = self._own(obs, info, last=True)  # it may allow nothing: that is what `empty` is about
        self.masker.look(self.masker.turns[0], obs["observation"] if self._nested else obs, info, self.env, own, last)

    def _offer(self, obs: Any, info: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        told = self.masker.told(self.masker.turns[0])
        if self.obs_dict:
            inner = obs if isinstance(obs, dict) else {"observation": obs}
            obs = {**inner, "action_mask": told["action_mask"].copy()}
        return obs, {**info, **told}

    def _example(self) -> str:
        if isinstance(self.action_space, gymnasium.spaces.Discrete):
            start = int(self.action_space.start)
            return f"an integer from {start} to {start + int(self.action_space.n) - 1}"
        return f"an action of {self.action_space}"
