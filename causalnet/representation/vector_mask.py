"""The causal mask over a vector of environments: a mask for each copy, one rule and one gate for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space, iterate

from ..base.arrays import Bools, Ints
from ..base.checks import array_of, entries, flag, instance, whole
from ..envs import answers
from ..envs.actions import finite_env
from ..envs.copies import autoreset_mode, copies_of, one_copy
from ..envs.masks import KEY, VectorMaskReader, as_mask
from ..errors import DataError
from .masking import Masker, new_turns
from .root_causes import COST, Doubtful
from .wrapping import Masking, nests, with_mask

DEFAULTS: Mapping[str, Any] = {
    "cost": COST,
    "gate": False,
    "variables": None,
    "action_variables": None,
    "present": None,
    "cells": None,
    "empty": "present",
    "eta": 0.0,
    "top_units": None,
}


class VectorCausalMask(Masking, VectorWrapper[Any, Any, Any, Any, Any]):
    """:class:`CausalMask` over E copies: ``action_masks()`` and ``info["action_mask"]`` are (E, A).

    All arguments mean what they mean there. Every copy plays its own episodes, arms and draws of eta, from the seeds given
    to ``reset`` (one number s: s + i for copy i); the gate learns from the episodes of all. Every autoreset mode of
    Gymnasium is kept: what ``final_info`` tells of a last state holds its mask. An environment in other processes, or
    vectorised by itself, is asked for its variables in a copy of its own; give them, with present or cells, if it has none.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        graph: Doubtful | Any,
        k: Any = "roots",
        *,
        seed: int = 0,
        obs_dict: bool = False,
        **settings: Any,
    ) -> None:
        instance("env", env, VectorEnv, "a vector of environments; CausalMask takes a single one too")
        super().__init__(finite_env("a causal mask", env, copies=True))
        unknown = sorted(set(settings) - set(DEFAULTS))
        if unknown:
            raise DataError(
                f"CausalMask has no argument {unknown[0]!r}; it takes {', '.join(DEFAULTS)}, seed and obs_dict"
            )
        one = one_copy(env)
        core = env.unwrapped if one is None else one.unwrapped
        self.masker = Masker.of(core, env.single_action_space, graph, k, {**DEFAULTS, **settings})
        self.masker.turns = new_turns(self.num_envs, seed)
        self._one, self._mode = copies_of(env, one), autoreset_mode(env)
        self._own = VectorMaskReader(env)
        self._over = np.zeros(self.num_envs, dtype=bool)  # copies whose episode has ended, and that are not reset yet
        self.obs_dict, space = flag("obs_dict", obs_dict), env.single_observation_space
        self._nested = nests(space)
        if obs_dict:
            self.single_observation_space = with_mask(space, self.masker.parts.n)
            self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def action_masks(self) -> Bools:
        """(E, A) bool: the actions allowed in the current observations."""
        masks = [turn.mask for turn in self.masker.turns]
        if any(mask is None for mask in masks):
            raise DataError("there is no mask before the first observation; call reset() first")
        return np.stack(masks)  # type: ignore[arg-type]

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset all copies, or those of ``options["reset_mask"]``, with the masks of their first observations."""
        asked = np.ones(self.num_envs, dtype=bool)
        instance("options", options, (dict, type(None)), "a dict, or None")
        seeds = _seeds(seed, self.num_envs)
        if options is not None and "reset_mask" in options:
            asked = as_mask(options["reset_mask"], self.num_envs, 'options["reset_mask"]')
        obs, info = answers.reset(self.env, seed=seed, options=options)
        which = np.flatnonzero(asked)
        for i in which:
            self.masker.begin(self.masker.turns[i], seeds[i])
        self._over[which] = False
        self._look(obs, info, which, np.zeros(self.num_envs, dtype=bool))
        return self._offer(obs, info)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step all copies; ``info["invalid_action"]`` (E,) tells whose action was outside its mask."""
        masker, only_reset = self.masker, self._over & (self._mode == AutoresetMode.NEXT_STEP)
        given, want = array_of("actions", actions), (self.num_envs, *masker.parts.shape)
        if given.dtype.kind not in "biu" or given.shape != want:
            raise DataError(
                f"actions are {given.dtype} of shape {given.shape}, and must be whole numbers of shape {want}"
            )
        columns = masker.parts.columns(given)
        invalid = np.array(
            [
                not only_reset[i] and masker.invalid(turn, np.clip(columns[i], 0, masker.parts.n - 1))
                for i, turn in enumerate(masker.turns)
            ]
        )
        obs, reward, terminated, truncated, info = answers.step(self.env, actions)
        masker.n_invalid += int(invalid.sum())
        terminated, truncated = answers.ends(terminated, truncated, (self.num_envs,))
        reward = answers.finite_rewards(reward, self.num_envs, "a step of the copies")
        ended = (terminated | truncated) & ~only_reset
        for i, turn in enumerate(masker.turns):
            if only_reset[i]:
                masker.begin(turn, None)
            else:
                masker.went(turn, columns[i], float(reward[i]), bool(terminated[i]), bool(truncated[i]))
        everyone, last = np.arange(self.num_envs), np.asarray(terminated) & ~only_reset
        if self._mode == AutoresetMode.SAME_STEP:
            info = self._finish(info, np.flatnonzero(ended), last)
            for i in map(int, np.flatnonzero(ended)):
                masker.begin(masker.turns[i], None)
            last = np.zeros_like(last)
        self._over = ended if self._mode != AutoresetMode.SAME_STEP else np.zeros_like(ended)
        self._look(obs, info, everyone, last)
        obs, info = self._offer(obs, info)
        return obs, reward, terminated, truncated, {**info, "invalid_action": invalid}

    # ---- parts --------------------------------------------------------------------------------------------

    def _look(self, obs: Any, info: dict[str, Any], which: Ints, last: Bools) -> None:
        """Set the masks of these copies' states; ``last``: no action follows."""
        asked = np.isin(np.arange(self.num_envs), which)
        own = self._own(obs, info, "a state of the copies", live=np.zeros_like(asked), asked=asked)
        seen = list(iterate(self.env.observation_space, obs))
        for i in map(int, which):
            inner = seen[i]["observation"] if self._nested else seen[i]
            of = None if own is None else own[i]
            self.masker.look(self.masker.turns[i], inner, info, self._one[i], of, bool(last[i]))

    def _finish(self, info: dict[str, Any], ended: Ints, last: Bools) -> dict[str, Any]:
        """The info with the masks of the last states, of episodes that were followed by a reset in the same step."""
        if not len(ended):
            return info
        final, n = dict(info.get("final_info", {})), self.masker.parts.n
        masks = np.zeros((self.num_envs, n), np.int8)
        for i in ended:
            obs = info["final_obs"][i]
            told = final[KEY][i] if KEY in final and final.get(f"_{KEY}", np.ones(self.num_envs))[i] else None
            own = None if told is None else as_mask(told, n, f'the mask of copy {i} in info["final_info"]', "biuf")
            inner = obs["observation"] if self._nested else obs
            masks[i] = self.masker.look(self.masker.turns[i], inner, final, self._one[i], own, bool(last[i]))
        there = np.isin(np.arange(self.num_envs), ended)
        return {**info, "final_info": {**final, KEY: masks, f"_{KEY}": there}, "_final_info": there}

    def _offer(self, obs: Any, info: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        masks, everyone = self.action_masks().astype(np.int8), np.ones(self.num_envs, dtype=bool)
        told: dict[str, Any] = {KEY: masks}
        each = [self.masker.told(turn) for turn in self.masker.turns]
        for name in sorted({name for one in each for name in one} - {KEY}):
            told[name] = np.array([one.get(name, False) for one in each])
        if self.obs_dict:
            inner = obs if isinstance(obs, dict) else {"observation": obs}
            obs = {**inner, KEY: masks.copy()}
        return obs, {**info, **told, **{f"_{name}": everyone for name in told}}


def _seeds(given: Any, n: int) -> list[int | None]:
    """A seed, or None, for each of n copies: one number s is s + i for copy i."""
    if given is None:
        return [None] * n
    if isinstance(given, int | np.integer):
        return [whole("seed", given, 0) + i for i in range(n)]
    found = entries("seed", given, "seeds")
    if len(found) != n:
        raise DataError(f"seed has {len(found)} entries, and there are {n} copies; give one a copy, or one number")
    return [None if one is None else whole("a seed", one, 0) for one in found]
