"""What a policy is worth: episodes as a tidy table, robust means with intervals, and the controls to put beside it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from ..base.arrays import Bools
from ..base.asked import asks
from ..base.checks import function, one_of, whole
from ..envs import answers
from ..envs.actions import Parts, finite_env
from ..envs.masks import MaskReader
from ..errors import DataError, NotApplicable
from .controls import Policy

if TYPE_CHECKING:
    import pandas as pd


Truth = Callable[[Any, Mapping[str, Any], Any], Any]  # (observation, info, env) -> the right action, or (A,) bool
FIRST_SEED = 2**31  # the agents draw the seeds of training episodes from 0 to 2**31 - 1
MODES = ("best", "drawn", "own")
_STREAM = 0x6576616C


@runtime_checkable
class _Predicts(Protocol):
    """Agents here and in stable-baselines3; also told: ``mask`` or ``action_masks``, where the method takes one."""

    def predict(self, obs: Any, *, deterministic: bool) -> Any:
        """An action, or a tuple that begins with one."""
        ...


@asks("truth", "mode", "deterministic")
def evaluate(
    policy: Any,
    env: Any,
    episodes: int = 20,
    seeds: Iterable[int] | None = None,
    *,
    truth: Truth | None = None,
    max_steps: int = 100_000,
    mode: str | None = None,
    deterministic: bool | None = None,
) -> pd.DataFrame:
    """Play whole episodes and return one row for each.

    policy: a function (observation, mask, rng) -> action, or anything with ``predict``: causalnet's agents, those of
        stable-baselines3 and sb3-contrib. The mask is the environment's own (all True where it has none), and the
        rng follows from the episode's seed.
    env: one Gymnasium environment with a Discrete, MultiDiscrete or MultiBinary action space.
    seeds: one for each episode; by default from FIRST_SEED = 2**31 up, where no seed of an agent's training episode
        lies (those are below, see ``agents.single.episodes.episode_seed``), so that no episode is one learned on.
    truth: (observation, info, env) -> the right action or (A,) bools of the right actions, such as a RootCauseMask on
        the true graph, or ``lambda obs, info, env: env.unwrapped.oracle()``.
    mode: how everything that predicts is played, whoever wrote it: "best" (None), by its best action, or "drawn", by
        drawing as it does while it learns (a policy's probabilities; epsilon of DQN and D3QN), from the episode's seed.
        On policies compared in different modes nothing can be said. "own" is "drawn" for what names itself so
        (``DETERMINISTIC = False``, as ``PPO``), else "best". deterministic: the same as a bool, as ``predict`` has it.

    Columns: episode, seed, return (undiscounted), interventions (steps), terminated, truncated,
    mean_alarms (mean over the steps of the alarms alive after each) and cleared (terminated with none alive), both NaN
    unless info has "counts",
    invalid (share of the actions outside the mask), mask_size (mean number of allowed actions),
    mask_recall (share of the right actions that the mask allowed, mean over steps; NaN without ``truth``),
    privileged (True where the mask used knowledge that a learner may not have; results must say so),
    mode ("best", "drawn", or "rule" for a function). A CausalMask with a gate plays its better arm throughout.
    """
    import pandas as pd

    function("truth", truth, "observation, info, env", "the right action, or bools of the right ones")
    played = _mode(policy, mode, deterministic)
    act = acting(policy, played == "best")
    finite_env("evaluate", env)
    episodes, max_steps = whole("episodes", episodes, 1), whole("max_steps", max_steps, 1)
    if seeds is not None and (isinstance(seeds, str) or not isinstance(seeds, Iterable)):
        raise DataError(f"seeds lists one seed for each episode, such as range(5) or [3]; got {seeds!r}")
    first = range(FIRST_SEED, FIRST_SEED + episodes)
    numbers = [whole("each of seeds", seed, 0) for seed in (first if seeds is None else seeds)]
    if not numbers:
        raise DataError("seeds is empty; give one seed for each episode, or leave it out")
    rows: list[dict[str, Any]] = []
    with _settled(env), _draws(played == "drawn") as begin:
        for i, seed in enumerate(numbers):
            begin(seed)
            rows.append({"episode": i, **_play(act, env, seed, truth, max_steps)})
    return pd.DataFrame(rows).assign(mode=played)


@contextmanager
def _settled(env: Any) -> Iterator[None]:
    """A gate of the mask plays its better arm meanwhile, and learns nothing from episodes that judge."""
    gated = env.has_wrapper_attr("settled") and env.get_wrapper_attr("settled") is False
    if gated:
        env.set_wrapper_attr("settled", True)
    try:
        yield
    finally:
        if gated:
            env.set_wrapper_attr("settled", False)


@contextmanager
def _draws(drawn: bool) -> Iterator[Callable[[int], object]]:
    """What seeds an episode's draws from torch's global stream, which other packages use, and which is left as it was."""
    torch = sys.modules.get("torch")
    if not drawn or torch is None:
        yield lambda seed: None
        return
    with torch.random.fork_rng(devices=[]):
        yield torch.manual_seed


def _mode(policy: Any, mode: str | None, deterministic: bool | None) -> str:
    """How a policy is played: "best" or "drawn" for what predicts, "rule" for a function."""
    if mode is not None and deterministic is not None:
        raise DataError("mode and deterministic say the same; give one of them")
    mode = one_of("mode", mode or {None: "best", True: "best", False: "drawn"}[deterministic], MODES)
    if not isinstance(policy, _Predicts):
        return "rule"
    if mode == "own":
        return "best" if getattr(policy, "DETERMINISTIC", True) else "drawn"
    return mode


def _play(act: Policy, env: Any, seed: int, truth: Truth | None, max_steps: int) -> dict[str, Any]:
    """One episode as a row."""
    rng = np.random.default_rng([_STREAM, seed])
    parts, space = Parts.of(env.action_space), env.action_space
    obs, info = answers.reset(env, seed=seed)
    read = MaskReader(env)
    sizes: list[int] = []
    alarms: list[float] = []
    recalls: list[float] = []
    total, invalid = 0.0, 0
    terminated = truncated = False
    while not (terminated or truncated):
        if len(sizes) >= max_steps:
            raise DataError(
                f"the episode with seed {seed} did not end within {max_steps} steps; wrap the environment in "
                "gymnasium.wrappers.TimeLimit, or raise max_steps"
            )
        offered = read(obs, info)
        mask = np.ones(parts.n, dtype=bool) if offered is None else offered
        if truth is not None:
            recalls.append(_recall(mask, truth(obs, info, env), int(parts.start[0])))
        action = _checked(act(obs, mask, rng), parts, space)
        sizes.append(int(mask.sum()))
        invalid += not mask[parts.columns(action)].all()
        obs, reward, terminated, truncated, info = answers.step(env, action)
        total += answers.finite_reward(reward, f"step {len(sizes) - 1} of the episode with seed {seed}")
        terminated, truncated = answers.ends(terminated, truncated)
        if "counts" in info:
            alarms.append(float(np.sum(info["counts"])))
    return {
        "seed": seed,
        "return": total,
        "interventions": len(sizes),
        "terminated": bool(terminated),
        "truncated": bool(truncated),
        "mean_alarms": float(np.mean(alarms)) if alarms else np.nan,
        "cleared": float(terminated and alarms[-1] == 0) if alarms else np.nan,
        "invalid": invalid / len(sizes),
        "mask_size": float(np.mean(sizes)),
        "mask_recall": float(np.mean(recalls)) if recalls else np.nan,
        "privileged": bool(info.get("privileged_mask", False)),
    }


def _checked(answer: Any, parts: Parts, space: Any) -> Any:
    """An action of the environment, an int or an array of whole numbers."""
    if parts.shape == ():
        action, start, n = _whole_action(answer), int(parts.start[0]), parts.n
        if not start <= action < start + n:
            raise DataError(f"the policy chose action {action}, and the actions are {start} to {start + n - 1}")
        return action
    array = np.asarray(answer)
    if array.dtype.kind not in "iu" or not space.contains(array.astype(space.dtype)):
        raise DataError(f"the policy chose {answer!r}, and the actions are those of {space}")
    return array.astype(space.dtype)


def _whole_action(answer: Any) -> int:
    """What a policy returned as an int; an array of one whole number will do."""
    array = np.asarray(answer)
    if array.size != 1 or array.dtype.kind not in "iu":
        raise DataError(f"the policy returned {answer!r}, and an action is one whole number")
    return int(array.item())


def _recall(mask: Bools, right: Any, start: int) -> float:
    """Share of the right actions inside the mask; NaN-free: a state without a right action counts as 1."""
    wanted = np.asarray(right)
    if wanted.ndim == 0 and np.issubdtype(wanted.dtype, np.integer):
        return float(mask[int(wanted) - start])
    if wanted.shape != mask.shape:
        raise DataError(f"truth gave an array of shape {wanted.shape}; give one action, or {mask.shape} bools")
    return float(mask[wanted.astype(bool)].mean()) if wanted.any() else 1.0


def acting(policy: Any, best: bool) -> Policy:
    """Any policy as a function (observation, mask, rng) -> action."""
    if not isinstance(policy, _Predicts):
        if not callable(policy):
            raise NotApplicable(f"a policy is a function or has predict(); got {type(policy).__name__}")
        result: Policy = function("policy", policy, "observation, mask, rng", "an action")
        return result
    takes = inspect.signature(policy.predict).parameters
    name = next((word for word in ("mask", "action_masks") if word in takes), None)
    draws = "rng" in takes
    asked = ["observation", "deterministic=", *([f"{name}="] if name else []), *(["rng="] if draws else [])]
    function("predict of the policy", policy.predict, ", ".join(asked), "an action")

    def act(obs: Any, mask: Bools, rng: np.random.Generator) -> Any:
        told: dict[str, Any] = {} if name is None else {name: mask}
        if draws:
            told["rng"] = rng
        answer = policy.predict(obs, deterministic=best, **told)
        return answer[0] if isinstance(answer, tuple) else answer

    return act
