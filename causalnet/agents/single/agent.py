"""What all learners here share: the loop of episodes, masks, hooks, logs and checkpoints. A subclass adds the learning."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ...base.arrays import Bools, Floats, Ints
from ...base.checks import flag, whole
from ...envs import answers
from ...envs.copies import learned_state, restore_state
from ...errors import DataError
from ...storage import checkpoint
from .. import loop
from ..logging import RETURN, Logger
from .cells import find_layout
from .episodes import ENDLESS, Episode, OnEpisode, OnStep, Step, episode_seed
from .frames import Frames
from .networks import Network
from .optimiser import FlatOptimiser
from .play import Moved, Play, one_of, steps_of
from .reader import Reader, ReturnScale, Scaler, choose_scaling
from .settings import Usual, by_network

_RECENT = 100  # episodes in rollout/ep_rew_mean


class Agent(ABC):
    """Base of PPO and DQN: maximise the expected discounted return over policies that only take allowed actions.

    env: one Gymnasium environment, or a vector of them (SyncVectorEnv, AsyncVectorEnv, ``gymnasium.make_vec``).
    """

    DETERMINISTIC: ClassVar[bool] = True
    "how ``evaluate`` plays it unless told: by its best action, or by drawing from its policy"
    FRAMES: ClassVar[str]
    "what a checkpoint calls the experience"
    SEVERAL: ClassVar[bool]
    "it takes actions of several parts, MultiDiscrete and MultiBinary"
    SEES_STEPS: ClassVar[bool]
    "the inputs' scale is learned from each state as it comes, not from many at once in ``_improve``"
    settings: Any
    frames: Frames

    def __init__(self, env: Any, others: tuple[Any, ...], seed: int, settings: Any, usual: Usual) -> None:
        loop.refuse_policy_name(type(self).__name__, others)
        self.env, self.seed = env, whole("seed", seed, 0)
        self.reader = Reader(env, self.SEVERAL)
        layout = find_layout(env, self.reader.n_obs, self.reader.n_actions)
        self.settings = s = by_network(settings, layout is not None and len(self.reader.parts.sizes) == 1, usual)
        self.scaler = Scaler(s.inputs if s.inputs != "auto" else choose_scaling(self.reader.space), self.reader.n_obs)
        self.reward_scale = ReturnScale(s.gamma, s.scale_rewards)
        streams = np.random.SeedSequence(self.seed).spawn(4)
        init_rng, self._act_rng, self._sample_rng, self._predict_rng = map(np.random.default_rng, streams)
        self.steps = self.episodes = self._starts = self.updates = 0
        self.rounds = self._new = 0  # steps of all copies at once; how many steps the last of them was
        self.play = Play(env, self.reader, self._start) if self.reader.copies else None
        self._ended: list[tuple[float, int, bool, dict[str, Any]]] = []  # of copies, not yet reported
        self._recent: list[tuple[float, int]] = []
        self._learned: Any = None  # by the masks of the environment, when the checkpoint was written
        self._train: dict[str, float] = {}
        self.files = loop.Files()
        self.network = self._build(init_rng)
        self.optimiser = FlatOptimiser(self.network, s.lr, s.max_grad_norm)

    # ---- what a learner adds --------------------------------------------------------------------------------------

    @abstractmethod
    def _build(self, rng: np.random.Generator) -> Any:
        """A new network."""

    @abstractmethod
    def _sample(self, scores: Callable[[], Floats], n: int, rng: np.random.Generator, learning: bool) -> int:
        """Which of the n allowed actions the policy draws, while it learns or afterwards; scores: the network's, (n,)."""

    @abstractmethod
    def _sample_all(self, scores: Floats, masks: Bools | None, rng: np.random.Generator, learning: bool) -> Ints:
        """The columns (E, m) that the policy draws, one a part; scores: (E, A), -inf where forbidden."""

    @abstractmethod
    def _improve(self) -> dict[str, float] | None:
        """Learn if it is time to; what to log."""

    def _networks(self) -> dict[str, Network]:
        """All networks, as a checkpoint calls them."""
        return {"network": self.network}

    # ---- learning -------------------------------------------------------------------------------------------------

    def learn(
        self,
        episodes: int | None = None,
        steps: int | None = None,
        *,
        on_step: OnStep | None = None,
        on_episode: OnEpisode | None = None,
        log: str | Path | Logger | None = None,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 1,
        progress: bool = False,
        **other: Any,
    ) -> Self:
        """Learn for so many more episodes or steps, whichever ends first.

        on_step sees each transition before the learner asks for the next state's mask. (A CausalMask fixed that one in
        ``step``: a graph given to its ``update`` there holds from the observation after.) on_episode may return numbers
        to log. log: a CSV file's name, or a logger. checkpoint: a file replaced after every ``checkpoint_every`` episodes
        and at the end; an existing one, and an existing CSV file, is only replaced by its own continuation.
        An episode cut by ``steps`` is bootstrapped like a truncated one, and not reported; in a vector of copies, whose
        steps count together, it goes on with the next call, also of an agent loaded from a checkpoint: its actions are
        played again from the seed of its reset. Without ``steps``, an episode of more than 100,000 steps is an error.
        """
        loop.refuse_other(other, on_step=on_step)
        records = loop.Records(log, checkpoint, checkpoint_every, progress)
        advance = self._episode if self.play is None else self._episode_of_copies
        loop.train(self, partial(advance, on_step), on_episode, records, episodes=episodes, steps=steps)
        return self

    def _episode(self, on_step: OnStep | None, last_step: int | None, tick: loop.Tick) -> Episode | None:
        """One episode from its own seed; None if it was cut at ``last_step``."""
        env, reader = self.env, self.reader
        here = f"reset of episode {self.episodes}"
        obs, info = answers.reset(env, seed=self._start()[1])
        x, mask = reader.vector(obs, here), reader.mask(obs, info, here)
        self.frames.begin(x, mask)
        self._see(x)
        self.reward_scale.running = 0.0
        total, length, ended, truncated = 0.0, 0, False, False
        while not (ended or truncated):
            if self.steps == last_step:
                return None
            if last_step is None and length >= ENDLESS:
                raise DataError(
                    f"episode {self.episodes} did not end within {ENDLESS} steps; wrap the environment in "
                    "gymnasium.wrappers.TimeLimit, or say learn(steps=...)"
                )
            action = self._choose(x, mask, self._act_rng, learning=True)
            taken = self._told(action)
            next_obs, reward, ended, truncated, info = answers.step(env, taken)
            here = f"step {self.steps} (step {length} of episode {self.episodes})"
            value, (ended, truncated) = answers.finite_reward(reward, here), answers.ends(ended, truncated)
            x = reader.vector(next_obs, here)
            total, length = total + value, length + 1
            if on_step is not None:
                at = (self.steps, self.episodes)
                on_step(Step(obs, taken, value, next_obs, ended, truncated, info, mask, *at))
            mask = None if ended else reader.mask(next_obs, info, here)
            self.reward_scale.see(value, ended or truncated)
            self.frames.add(action, value, ended, x, mask)
            self._see(x)
            self.steps, self.rounds, self._new, obs = self.steps + 1, self.rounds + 1, 1, next_obs
            tick(1)
            self._train = self._improve() or self._train
        return self._finished(total, length, ended, info)

    def _finished(self, total: float, length: int, terminated: bool, info: dict[str, Any]) -> Episode:
        self.episodes += 1
        self._recent = [*self._recent[1 - _RECENT :], (total, length)]
        return Episode(self.episodes - 1, total, length, terminated, info, self.steps, self._train)

    def _start(self) -> tuple[int, int]:
        """The number of the next episode to start, and the seed of its reset."""
        self._starts += 1
        return self._starts - 1, episode_seed(self.seed, self._starts - 1)

    def _episode_of_copies(self, on_step: OnStep | None, last_step: int | None, tick: loop.Tick) -> Episode | None:
        """The copies play on until an episode of one of them has ended; None if ``last_step`` came first."""
        play, frames = self.play, self.frames
        assert play is not None
        if play.begin(lambda: restore_state(self.env, self._learned)):
            frames.current = frames.begin_all(play.x, play.masks)
            self._see(play.x)
            self.reward_scale.running = np.zeros(play.n)
        while not self._ended:
            if last_step is not None and self.steps >= last_step:
                return None
            if last_step is None and play.length.max() >= ENDLESS:
                raise DataError(
                    f"episode {self.episodes} did not end within {ENDLESS} steps; wrap each environment in "
                    "gymnasium.wrappers.TimeLimit, or say learn(steps=...)"
                )
            before, masks = play.obs, play.masks
            columns = self._choose_all(play.x, masks, self._act_rng, learning=True)
            moved = play.step(columns, f"step {self.rounds} of the copies")
            if on_step is not None:
                for step in steps_of(play, before, columns, masks, moved, (self.steps, self.episodes)):
                    on_step(step)
            self._keep(columns, moved)
            ended = moved.copies[moved.ended]
            for i in ended:
                at = moved.terminated[moved.copies == i][0]
                self._ended.append((float(play.total[i]), int(play.length[i]), bool(at), one_of(moved.info, int(i))))
            begun = play.renew(ended, f"reset after step {self.rounds} of the copies")
            if len(begun):
                first = None if play.masks is None else play.masks[begun]
                frames.current[begun] = frames.begin_all(play.x[begun], first)
                self._see(play.x[begun])
            self._new = len(moved.copies)
            self.steps, self.rounds = self.steps + self._new, self.rounds + 1
            tick(self._new)
            self._train = self._improve() or self._train
        return self._finished(*self._ended.pop(0))

    def _keep(self, columns: Ints, moved: Moved) -> None:
        """Put the transitions of one step of the copies down."""
        taken = columns[moved.copies] if columns.shape[1] > 1 else columns[moved.copies, 0]
        if self.SEES_STEPS and moved.unmasked.any():  # the target needs what was allowed in the last state
            taken = np.where(moved.unmasked & ~moved.terminated, -1, taken)
        reward = np.zeros(self.reader.copies)
        reward[moved.copies] = moved.reward
        ended = np.zeros(self.reader.copies, dtype=bool)
        ended[moved.copies] = moved.ended
        self.reward_scale.see_all(reward, ended)
        self.frames.add_all(taken, moved.reward, moved.terminated, moved.x, moved.masks, moved.copies)
        self._see(moved.x)

    def scalars(self) -> dict[str, float]:
        """The last episode, means over the last 100, and what the last update told."""
        returns, lengths = zip(*self._recent or [(np.nan, 0)], strict=True)
        return {
            RETURN: returns[-1],
            "rollout/length": lengths[-1],
            "rollout/ep_rew_mean": sum(returns) / len(returns),
            "rollout/ep_len_mean": sum(lengths) / len(lengths),
            **self._train,
        }

    # ---- acting ---------------------------------------------------------------------------------------------------

    def predict(
        self, obs: Any, mask: Any = None, deterministic: bool = True, rng: np.random.Generator | None = None
    ) -> Any:
        """An allowed action for one observation, any one the environment (or a copy of it) might return.

        Without ``mask``, it comes from the environment's rule ``mask(obs)``. A CausalMask's rule is that of its graph
        alone; where the wrapped environment forbids more, or eta or top_units are in use, write
        ``mask=env.get_wrapper_attr("action_masks")()``, the mask of the state the environment is in. rng: what is drawn
        from unless deterministic; None: a stream of the agent's own.
        """
        rng = None if flag("deterministic", deterministic) else rng or self._predict_rng
        return self._told(self._choose(self.reader.vector(obs, "predict"), self.reader.mask_of(obs, mask), rng))

    def _told(self, action: Any) -> Any:
        """An action as the environment has it, from its column, or from columns (m,)."""
        return action + self.reader.first_action if self.reader.parts.shape == () else self.reader.parts.action(action)

    def _choose(self, x: Floats, mask: Bools | None, rng: np.random.Generator | None, learning: bool = False) -> Any:
        """An action that the mask allows (None: any): one that the policy draws, or without rng the best."""
        if self.reader.parts.shape != ():
            return self._choose_all(x[None], None if mask is None else mask[None], rng, learning)[0]
        allowed = None if mask is None else np.flatnonzero(mask)

        def scores() -> Floats:
            return self.network.single(self.scaler(x), allowed)

        n = self.reader.n_actions if allowed is None else len(allowed)
        k = int(scores().argmax()) if rng is None else self._sample(scores, n, rng, learning)
        return k if allowed is None else int(allowed[k])

    def _choose_all(
        self, x: Floats, masks: Bools | None, rng: np.random.Generator | None, learning: bool = False
    ) -> Ints:
        """(E, m) columns, one a part of the action, for the states x (E, n_obs) under masks (E, A)."""
        scores = self.network.many(self.scaler(x), masks)
        if masks is not None:
            scores = np.where(masks, scores, -np.inf)
        if rng is not None:
            return self._sample_all(scores, masks, rng, learning)
        parts = self.reader.parts
        blocks = np.split(scores, parts.begins[1:], axis=1)
        return np.stack([block.argmax(axis=1) for block in blocks], axis=1) + parts.begins

    def _see(self, x: Floats) -> None:
        if self.SEES_STEPS:
            self.scaler.see(np.atleast_2d(x))

    # ---- checkpoints ----------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write everything needed to go on to the bit: weights, optimiser, experience, counters, random states."""
        header = {
            "class": type(self).__name__,
            "spaces": self.reader.spaces(),
            "seed": self.seed,
            "settings": dataclasses.asdict(self.settings),
            "counts": [self.steps, self.episodes, self._starts, self.updates],
            "recent": self._recent,
            "train": self._train,
            "reward_scale": self.reward_scale.to_json(),
            "rounds": self.rounds,
            "ended": [ended[:3] for ended in self._ended],
            "env": learned_state(self.env),
            "rng": [rng.bit_generator.state for rng in (self._act_rng, self._sample_rng, self._predict_rng)],
        }
        groups = {name: network.arrays for name, network in self._networks().items()}
        groups |= {"optimiser": self.optimiser.to_arrays(), "scaler": self.scaler.to_arrays()}
        groups[self.FRAMES] = self.frames.to_arrays()
        groups["play"] = {} if self.play is None else self.play.to_arrays()
        arrays = {k: v for prefix, group in groups.items() for k, v in checkpoint.flat(prefix, group).items()}
        self.files.checkpoint = checkpoint.write(path, header, arrays)
        return self.files.checkpoint

    @classmethod
    def load(cls, path: str | Path, env: Any = None) -> Self:
        """The agent as it was saved, to go on in ``env``; DataError if class, version, spaces or what they mean differ.

        The attributes of ``env`` that say what a number stands for (variables, action_variables, action_units) and
        how it behaves (fingerprint, a text) are compared where both the file and ``env`` tell them.
        """
        header, arrays = checkpoint.read(path)
        name = header.get("class")
        if name != cls.__name__:
            raise DataError(f"{path} holds a {name}, not a {cls.__name__}; write {name}.load(path, env)")
        Reader(env, cls.SEVERAL).refuse_other(path, header.get("spaces"))
        try:
            settings: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in header["settings"].items()
            }
            agent = cls(env, seed=header["seed"], **settings)
            agent._restore(header, arrays)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            raise DataError(f"{path} lacks a part, or has a foreign one ({error}); take an older copy") from error
        agent.files = loop.Files(Path(path).resolve(), loaded=True)
        return agent

    def _restore(self, header: dict[str, Any], arrays: checkpoint.Arrays) -> None:
        self.steps, self.episodes, self._starts, self.updates = header["counts"]
        self._recent, self._train = [(r, n) for r, n in header["recent"]], header["train"]
        self.reader.masked |= "masks_in_info" in header["spaces"]
        self.reward_scale.from_json(header["reward_scale"])
        for rng, state in zip((self._act_rng, self._sample_rng, self._predict_rng), header["rng"], strict=True):
            rng.bit_generator.state = state
        for name, network in self._networks().items():
            network.fill(checkpoint.nested(arrays, name))
        self.optimiser.from_arrays(checkpoint.nested(arrays, "optimiser"))
        self.scaler.from_arrays(checkpoint.nested(arrays, "scaler"))
        self.frames.from_arrays(checkpoint.nested(arrays, self.FRAMES))
        self.rounds, self._ended = header.get("rounds", self.steps), [(*e, {}) for e in header.get("ended", ())]
        if self.play is None or len(self.frames.current) != self.play.n:  # other copies: they start anew
            self.frames.current, self.reward_scale.running = np.zeros(0, np.int64), 0.0
        if self.play is not None:
            self.play.from_arrays(checkpoint.nested(arrays, "play"))
        self._learned = header.get("env")
        restore_state(self.env, self._learned)
