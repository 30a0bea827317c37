"""Data from play: what any Gymnasium environment shows before and after each action, as Interactions or Transitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np

from ..agents.single.episodes import ENDLESS, Step
from ..agents.single.play import Play, steps_of
from ..agents.single.reader import Reader
from ..base.arrays import Bools
from ..base.checks import one_of, whole
from ..data import NOTHING, Interactions, Transitions, as_transitions
from ..envs import answers
from ..envs.actions import Parts, finite_env
from ..envs.copies import one_copy
from ..envs.masks import MaskReader
from ..errors import DataError, NotApplicable
from .controls import Policy
from .evaluation import MODES, acting
from .sight import NAMES, Sight

KINDS = ("interactions", "transitions")


def collect(
    env: Any,
    policy: Any = None,
    *,
    seed: int = 0,
    episodes: int | None = None,
    steps: int | None = None,
    kind: str = "interactions",
    mode: str = "drawn",
    domain: str = "domain0",
    **told: Any,
) -> Interactions | Transitions:
    """Play ``episodes`` whole episodes, or ``steps`` steps, and keep what was seen before and after every action.

    env: one environment or a vector of them (whose copies' episodes follow one another in the data), with the map from
    actions to variables that a causal mask asks for: attributes of ``env.unwrapped``, or given here as variables,
    action_variables, and present or cells. policy: what ``evaluate`` takes, played as ``mode`` says; None draws uniformly
    among the allowed actions. seed: decides all of it.

    kind "interactions": a row an action, for online backends and ``learn_posterior``; ``started`` and ``cleared`` of the
    info are kept where they are there. "transitions": agents are the units, components the variables; an agent's action is
    0, or 1 + the variable acted on at its unit; each gets an equal share of the reward, which sums to the environment's.
    An episode that ``steps`` cuts is kept up to there. An action of several parts may act on one variable of a unit alone.
    """
    one_of("kind", kind, KINDS)
    one_of("mode", mode, MODES)
    odd = sorted(set(told) - set(NAMES))
    if odd:
        raise DataError(f"collect has no argument {odd[0]!r}; what names the variables is {', '.join(NAMES)}")
    finite_env("collect", env, copies=True)
    if episodes is None and steps is None:
        raise DataError("say how much to collect: collect(env, episodes=50) or collect(env, steps=2000)")
    if episodes is not None and steps is not None:
        raise DataError("episodes and steps say the same; give one of them")
    many = whole("episodes", episodes, 1) if steps is None else whole("steps", steps, 1)
    one = one_copy(env) if isinstance(env, gymnasium.vector.VectorEnv) else env
    core = env.unwrapped if one is None else one.unwrapped
    space = getattr(env, "single_action_space", env.action_space)
    sight = Sight.of("collect", core, space, told)
    parts = Parts.of(space)
    act = _uniform(parts) if policy is None else acting(policy, mode == "best" or (mode == "own" and _is_best(policy)))
    rows = _Rows(sight, parts)
    numbers = np.random.SeedSequence(whole("seed", seed, 0))
    for step in _played(env, act, numbers, many, steps is not None):
        rows.add(step)
    return rows.interactions() if kind == "interactions" else rows.transitions(domain)


def _uniform(parts: Parts) -> Policy:
    """Any allowed value of each part of an action, all equally likely."""

    def act(obs: Any, mask: Bools, rng: np.random.Generator) -> Any:
        allowed = [
            begin + np.flatnonzero(m) for begin, m in zip(parts.begins, np.split(mask, parts.begins[1:]), strict=True)
        ]
        return parts.action(np.array([values[rng.integers(len(values))] for values in allowed]))

    return act


def _is_best(policy: Any) -> bool:
    return bool(getattr(policy, "DETERMINISTIC", True))


def _played(env: Any, act: Policy, numbers: np.random.SeedSequence, many: int, in_steps: bool) -> Iterator[Step]:
    """The steps, of copies in turn; ``many`` episodes, or steps."""
    draws, resets = numbers.spawn(2)
    rng = np.random.default_rng(draws)

    def seed_of() -> tuple[int, int]:
        child = resets.spawn(1)[0]
        return child.spawn_key[-1], int(child.generate_state(1)[0] >> 1)

    play = _one if not isinstance(env, gymnasium.vector.VectorEnv) else _copies
    steps = episodes = 0
    for step, wanted in play(env, act, rng, seed_of, many if not in_steps else None):
        if wanted:
            steps, episodes = steps + 1, episodes + (step.terminated or step.truncated)
            yield step
        if (steps if in_steps else episodes) >= many:
            return


def _one(env: Any, act: Policy, rng: np.random.Generator, seed_of: Any, _: int | None) -> Iterator[tuple[Step, bool]]:
    read, parts, number, episode = MaskReader(env), Parts.of(env.action_space), 0, 0
    while True:
        obs, info = answers.reset(env, seed=seed_of()[1])
        over, length = False, 0
        while not over:
            if length >= ENDLESS:
                raise DataError(
                    f"episode {episode} did not end within {ENDLESS} steps; wrap the environment in "
                    "gymnasium.wrappers.TimeLimit"
                )
            mask = read(obs, info)
            action = act(obs, np.ones(parts.n, dtype=bool) if mask is None else mask, rng)
            after, reward, terminated, truncated, info = answers.step(env, action)
            value, (ended, cut) = answers.finite_reward(reward, f"step {number}"), answers.ends(terminated, truncated)
            over = ended or cut
            yield Step(obs, action, value, after, ended, cut, info, mask, number, episode), True
            obs, number, length = after, number + 1, length + 1
        episode += 1


def _copies(
    env: Any, act: Policy, rng: np.random.Generator, seed_of: Any, episodes: int | None
) -> Iterator[tuple[Step, bool]]:
    """The steps of all copies; of ``episodes`` the first to start count, so that short ones are not preferred."""
    play = Play(env, Reader(env), seed_of)
    play.begin(lambda: None)
    number, of = 0, np.arange(play.n)
    started = play.n
    while True:
        seen = list(gymnasium.vector.utils.iterate(env.observation_space, play.obs))
        everything = np.ones(play.reader.n_actions, dtype=bool)
        columns = np.stack(
            [
                play.reader.parts.columns(act(obs, everything if play.masks is None else play.masks[i], rng))
                for i, obs in enumerate(seen)
            ]
        )
        before, masks = play.obs, play.masks
        moved = play.step(columns, f"step {number} of the copies")
        for step in steps_of(play, before, columns, masks, moved, (number, 0)):
            at = int(of[step.copy])
            told = replace(step, episode=at)
            yield told, episodes is None or at < episodes
        number += len(moved.copies)
        ended = moved.copies[moved.ended]
        of[ended], started = started + np.arange(len(ended)), started + len(ended)
        play.renew(ended, f"reset after step {number}")


@dataclass
class _Rows:
    """Rows as they come, and the data that they make, episode by episode."""

    sight: Sight
    parts: Parts

    def __post_init__(self) -> None:
        self.steps: list[tuple[int, int, Any, Any, Any, list[tuple[int, int]], float, Any, Any]] = []

    def add(self, step: Step) -> None:
        """One step, with what it acted on: (unit, variable) pairs."""
        columns, sight = self.parts.columns(step.action), self.sight
        acted = sorted({(int(sight.unit[c]), int(sight.variable[c])) for c in columns if sight.variable[c] >= 0})
        before, after = (np.asarray(sight.counts(obs)) for obs in (step.obs, step.next_obs))
        order = (step.episode, len(self.steps))
        told = (step.info.get("started"), step.info.get("cleared"))
        self.steps.append((*order, step.copy, before, after, acted, step.reward, *told))

    def interactions(self) -> Interactions:
        """A row an action."""
        rows, sight = sorted(self.steps, key=lambda row: row[:2]), self.sight
        several = [row for row in rows if len(row[5]) > 1]
        if several:
            raise NotApplicable(
                f"{len(several)} actions acted on several variables at once, and a row of interactions holds one; collect "
                'with kind="transitions", or with a policy that acts on one at a time'
            )
        flows: dict[str, Any] = {}
        if all(row[7] is not None and row[8] is not None for row in rows):
            flows = {"started": np.stack([row[7] for row in rows]), "cleared": np.stack([row[8] for row in rows])}
        none = (NOTHING, NOTHING)
        unit, variable = np.array([row[5][0] if row[5] else none for row in rows]).T
        return Interactions(
            sight.variables,
            sight.names(rows[0][3].shape),
            np.stack([row[3] for row in rows]),
            np.stack([row[4] for row in rows]),
            unit=unit,
            variable=variable,
            seconds=sight.seconds,
            topology=sight.topology,
            **flows,
        )

    def transitions(self, domain: str) -> Transitions:
        """A row a step, a column a unit."""
        rows, sight = sorted(self.steps, key=lambda row: row[:2]), self.sight
        units = sight.names(rows[0][3].shape)
        actions = np.zeros((len(rows), len(units)), np.int64)
        for t, row in enumerate(rows):
            for unit, variable in row[5]:
                if actions[t, unit]:
                    raise NotApplicable(
                        f"step {t} acts on {sight.variables[actions[t, unit] - 1]} and {sight.variables[variable]} of unit "
                        f"{units[unit]!r} at once, and a transition holds one action a unit"
                    )
                actions[t, unit] = 1 + variable
        episode = np.unique([row[0] for row in rows], return_inverse=True)[1]
        starts = np.flatnonzero(np.diff(episode, prepend=-1))
        fields = {
            "states": np.stack([row[3] for row in rows]).astype(np.int64),
            "next_states": np.stack([row[4] for row in rows]).astype(np.int64),
            "actions": actions,
            "rewards": np.array([[row[6] / len(units)] * len(units) for row in rows]),
            "episode": episode,
            "step": np.arange(len(rows)) - starts[episode],
        }
        links = np.zeros((len(units), len(units)), dtype=bool) if sight.topology is None else sight.topology
        return as_transitions(fields, links, components=sight.variables, agents=units, domains=[domain])
