"""What all learners here share: the loop of episodes, masks, hooks, logs and checkpoints. A subclass adds the learning."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import gymnasium
import numpy as np

from ...base.arrays import Bools, Floats
from ...base.checks import whole
from ...errors import DataError
from ...storage import checkpoint
from .. import loop
from ..logging import RETURN, Logger
from .cells import find_layout
from .frames import Frames
from .networks import Network
from .optimiser import Optimiser
from .reader import Reader, ReturnScale, Scaler, choose_scaling, finite_reward
from .settings import by_network

_RECENT = 100  # episodes in rollout/ep_rew_mean
ENDLESS = 100_000  # steps after which an episode is taken for one that never ends, where nothing else ends learning


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One transition as it happened; ``mask`` is the one its action was chosen under, ``number`` counts all steps."""

    obs: Any
    action: int
    reward: float
    next_obs: Any
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    mask: Bools | None
    number: int
    episode: int


@dataclasses.dataclass(frozen=True, slots=True)
class Episode:
    """A finished episode: ``number`` from 0, undiscounted ``return_``, ``length`` in steps, the last step's ``info``."""

    number: int
    return_: float
    length: int
    terminated: bool
    info: dict[str, Any]
    steps: int
    train: dict[str, float]


OnStep = Callable[[Step], object]
OnEpisode = Callable[[Episode], "Mapping[str, float] | None"]


class Agent(ABC):
    """Base of PPO and DQN: maximise the expected discounted return over policies that only take allowed actions."""

    DETERMINISTIC: ClassVar[bool] = True
    "how ``evaluate`` plays it unless told: by its best action, or by drawing from its policy"
    FRAMES: ClassVar[str]
    "what a checkpoint calls the experience"
    SEES_STEPS: ClassVar[bool]
    "the inputs' scale is learned from each state as it comes, not from many at once in ``_improve``"
    settings: Any
    frames: Frames

    def __init__(
        self,
        env: gymnasium.Env,
        others: tuple[Any, ...],
        seed: int,
        settings: Any,
        usual: Mapping[str, Mapping[str, Any]],
    ) -> None:
        if others or isinstance(env, str):
            raise DataError(
                f"{type(self).__name__} takes an environment alone, not a policy's name before it; write {type(self).__name__}(env)"
            )
        self.env, self.seed = env, whole("seed", seed, 0)
        self.reader = Reader(env)
        layout = find_layout(env, self.reader.n_obs, self.reader.n_actions)
        self.settings = s = by_network(settings, layout is not None, usual)
        self.scaler = Scaler(s.inputs if s.inputs != "auto" else choose_scaling(self.reader.space), self.reader.n_obs)
        self.reward_scale = ReturnScale(s.gamma, s.scale_rewards)
        streams = np.random.SeedSequence(self.seed).spawn(4)
        init_rng, self._act_rng, self._sample_rng, self._predict_rng = map(np.random.default_rng, streams)
        self.steps, self.episodes, self._starts, self.updates = 0, 0, 0, 0
        self._recent: list[tuple[float, int]] = []
        self._train: dict[str, float] = {}
        self.files = loop.Files()
        self.network = self._build(init_rng)
        self.optimiser = Optimiser(self.network.weights, s.lr, s.max_grad_norm)

    # ---- what a learner adds --------------------------------------------------------------------------------------

    @abstractmethod
    def _build(self, rng: np.random.Generator) -> Any:
        """A new network."""

    @abstractmethod
    def _sample(self, scores: Callable[[], Floats], n: int, rng: np.random.Generator, learning: bool) -> int:
        """Which of the n allowed actions the policy draws, while it learns or afterwards; scores: the network's, (n,)."""

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
        ``step``: a graph given to its ``update`` there holds from the observation after.) on_episode may return
        numbers to log. log: a CSV file's name, or a logger. checkpoint: a file replaced after every
        ``checkpoint_every`` episodes and at the end; an existing one is only replaced by its own continuation, and so
        is an existing CSV file.
        An episode cut by ``steps`` is bootstrapped like a truncated one, and not reported. Without ``steps``, an
        episode of more than 100,000 steps is an error.
        """
        loop.refuse_other(other)
        records = loop.Records(log, checkpoint, checkpoint_every, progress)
        loop.train(self, partial(self._episode, on_step), on_episode, records, episodes=episodes, steps=steps)
        return self

    def _episode(self, on_step: OnStep | None, last_step: int | None, tick: loop.Tick) -> Episode | None:
        """One episode from its own seed; None if it was cut at ``last_step``."""
        env, reader = self.env, self.reader
        here = f"reset of episode {self.episodes}"
        obs, info = env.reset(seed=episode_seed(self.seed, self._starts))
        self._starts += 1
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
            next_obs, reward, ended, truncated, info = env.step(action + reader.first_action)
            here = f"step {self.steps} (step {length} of episode {self.episodes})"
            value, x, ended = finite_reward(reward, here), reader.vector(next_obs, here), bool(ended)
            total, length = total + value, length + 1
            if on_step is not None:
                taken, at = action + reader.first_action, (self.steps, self.episodes)
                on_step(Step(obs, taken, value, next_obs, ended, bool(truncated), info, mask, *at))
            mask = None if ended else reader.mask(next_obs, info, here)
            self.reward_scale.see(value, ended or bool(truncated))
            self.frames.add(action, value, ended, x, mask)
            self._see(x)
            self.steps, obs = self.steps + 1, next_obs
            tick(1)
            self._train = self._improve() or self._train
        self.episodes += 1
        self._recent = [*self._recent[1 - _RECENT :], (total, length)]
        return Episode(self.episodes - 1, total, length, ended, info, self.steps, self._train)

    def scalars(self) -> dict[str, float]:
        """The last episode, means over the last 100, and what the last update told."""
        returns, lengths = zip(*self._recent, strict=True)
        return {
            RETURN: returns[-1],
            "rollout/length": lengths[-1],
            "rollout/ep_rew_mean": sum(returns) / len(returns),
            "rollout/ep_len_mean": sum(lengths) / len(lengths),
            **self._train,
        }

    # ---- acting ---------------------------------------------------------------------------------------------------

    def predict(self, obs: Any, mask: Any = None, deterministic: bool = True) -> int:
        """An allowed action for one observation, any one the environment might return.

        Without ``mask``, it comes from the environment's rule ``mask(obs)``. A CausalMask's rule is that of its graph
        alone; where the wrapped environment forbids more, or eta or top_units are in use, write
        ``mask=env.get_wrapper_attr("action_masks")()``, the mask of the state the environment is in.
        """
        x = self.reader.vector(obs, "predict")
        rng = None if deterministic else self._predict_rng
        return self._choose(x, self.reader.mask_of(obs, mask), rng) + self.reader.first_action

    def _choose(self, x: Floats, mask: Bools | None, rng: np.random.Generator | None, learning: bool = False) -> int:
        """An action that the mask allows (None: any): one that the policy draws, or without rng the best."""
        allowed = None if mask is None else np.flatnonzero(mask)

        def scores() -> Floats:
            return self.network.single(self.scaler(x), allowed)

        n = self.reader.n_actions if allowed is None else len(allowed)
        k = int(scores().argmax()) if rng is None else self._sample(scores, n, rng, learning)
        return k if allowed is None else int(allowed[k])

    def _see(self, x: Floats) -> None:
        if self.SEES_STEPS:
            self.scaler.see(x[None])

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
            "rng": [rng.bit_generator.state for rng in (self._act_rng, self._sample_rng, self._predict_rng)],
        }
        groups = {name: network.arrays for name, network in self._networks().items()}
        groups |= {"optimiser": self.optimiser.to_arrays(), "scaler": self.scaler.to_arrays()}
        groups[self.FRAMES] = self.frames.to_arrays()
        arrays = {k: v for prefix, group in groups.items() for k, v in checkpoint.flat(prefix, group).items()}
        self.files.checkpoint = checkpoint.write(path, header, arrays)
        return self.files.checkpoint

    @classmethod
    def load(cls, path: str | Path, env: gymnasium.Env) -> Self:
        """The agent as it was saved, to go on in ``env``; DataError if class, version, spaces or what they mean differ.

        The attributes of ``env`` that say what a number stands for (variables, action_variables, action_units) and
        how it behaves (fingerprint, a text) are compared where both the file and ``env`` tell them.
        """
        header, arrays = checkpoint.read(path)
        name = header.get("class")
        if name != cls.__name__:
            raise DataError(f"{path} holds a {name}, not a {cls.__name__}; write {name}.load(path, env)")
        Reader(env).refuse_other(path, header.get("spaces"))
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


def episode_seed(seed: int, number: int) -> int:
    """The seed of ``env.reset`` for the episode that was the ``number``-th to start, from 0."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)
