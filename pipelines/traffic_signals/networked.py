"""The package's NetworkedPPO on SUMO: neighbourhoods of several sizes side by side, and a demand that was never trained on.

It starts from max-pressure, as :mod:`.learner` does: logits = network(what the policy reads) + s x pressure of each phase, s learnt, 2 at
first; the network is a torch module of its caller's. Demand levels are the domains of GSAC (arXiv 2510.21427): one team learns on
several, told the level as its factor. In a demand that it never saw it counts vehicles for an episode under max-pressure, reads
the level off the counts of its own levels, and plays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from causalnet.agents import NetworkedPPO
from causalnet.agents.networked.settings import Rate
from causalnet.envs import Signals, Sumo, max_pressure
from pipelines.traffic_signals.runs import JUDGED, Point, play

COUNTED = 5 * 10**5  # seeds of the episodes in which vehicles are counted start here
ADAPTED, UNADAPTED = ", adapted", ", told the least of them"  # what a team of several levels is told in a target
THERE, ALONE = "trained there", "trained there, one simulation"
SETTINGS: dict[str, Any] = {"batch_size": 1024, "entropy": 0.0, "lr": Rate(1e-3 * 10**0.5, 0.5, 10)}


@dataclass(frozen=True)
class Team:
    """kappa None: max-pressure. It learns on the demand ``levels``, in ``copies`` simulations side by side (one: in turns), so many
    episodes in all, and is judged on the ``targets``, in ``judges`` episodes that are the same for all teams of a seed. end: of an episode, in SUMO's
    seconds."""

    method: str
    kappa: Any = None
    levels: tuple[float, ...] = (1.0,)
    targets: tuple[float, ...] = (1.0,)
    copies: int = 1
    episodes: int = 0
    judges: int = 3
    network: str = "grid4x4"
    end: float | None = None
    interval: float = 5

    def __str__(self) -> str:
        return f"{self.network} {self.method} x {', '.join(map(str, self.targets))} K={self.episodes}"

    def simulate(self, demand: float, copies: int = 1) -> Sumo:
        """Copies of the network at a level of demand."""
        return Sumo(
            self.network, n_envs=copies, demand=[demand] * copies, signals=Signals(interval=self.interval, end=self.end)
        )


class FromPressure(nn.Module):
    """Logits of the phases from what the policy reads, whose first numbers are the light's own ``names``."""

    def __init__(self, names: Sequence[str], seed: int, width: int, phases: int, hidden: int = 64) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        sizes = [(width, hidden, 2**0.5), (hidden, hidden, 2**0.5), (hidden, phases, 0.01)]
        layers = [nn.Linear(a, b) for a, b, _ in sizes]
        for layer, (*_, gain) in zip(layers, sizes, strict=True):
            nn.init.orthogonal_(layer.weight, gain, generator=rng)
            nn.init.zeros_(layer.bias)
        self.body = nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])
        self.places = [k for k, name in enumerate(names) if name.startswith("pressure")]
        self.weight = nn.Parameter(torch.tensor(2.0))
        self.reader: Any = None  # what scaled the observations, once the learner is there

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(rows, width) -> (rows, phases)."""
        pressure = x[:, self.places]
        if self.reader is not None:  # in vehicles again
            pressure = pressure / self.reader.scale[self.places] + self.reader.mean[self.places]
        out: torch.Tensor = self.body(x) + self.weight * pressure
        return out


class Turns:
    """One simulation whose demand changes from episode to episode; the lights observe the level as well."""

    def __init__(self, env: Sumo, levels: Sequence[float]) -> None:
        self.env, self.levels, self.turn = env, levels, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.env, name)

    def reset(self, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
        """The next level's episode."""
        self.env.demand[:] = self.levels[self.turn % len(self.levels)]
        self.turn += 1
        s, info = self.env.reset(seed)
        return told(s, float(self.env.demand[0])), info

    def step(self, actions: Any) -> tuple[Any, ...]:
        """A step of the simulation."""
        s, *rest = self.env.step(actions)
        return told(s, float(self.env.demand[0])), *rest


def told(s: Any, level: float) -> Any:
    """Observations (E, n, d) with the level as one number more."""
    return np.concatenate((s, np.full((*s.shape[:-1], 1), level, s.dtype)), axis=-1)


def networked(team: Team, seed: int) -> Iterator[Point]:
    """Train a team, then let it play the episodes that judge this seed at every target."""
    agent, methods = None, [team.method]
    if team.kappa is not None:
        agent, curve = train(team, seed)
        yield from curve
        methods = [team.method + more for more in (("",) if len(team.levels) == 1 else (ADAPTED, UNADAPTED))]
    for target in team.targets:
        with team.simulate(target) as env:
            for method in methods:
                policy = partial(_pressed, env) if agent is None else _policy(agent, team, method, target, seed)
                for k in range(team.judges):
                    delay, value = play(env, policy, JUDGED + team.judges * seed + k)
                    yield Point("judged", team.network, method, k, delay, value, target)


def train(team: Team, seed: int) -> tuple[NetworkedPPO, list[Point]]:
    """A team that has learned, and its delays in training."""
    with ExitStack() as stack:
        several, turns = len(team.levels) > 1, len(team.levels) > team.copies
        levels = team.levels[:1] if turns else team.levels
        share = team.copies // len(levels)
        envs = [stack.enter_context(team.simulate(level, share)) for level in levels]
        world = Turns(envs[0], team.levels) if turns else envs if several else envs[0]
        factors = team.levels if several and not turns else None
        first = partial(FromPressure, envs[0].feature_names, seed)
        agent = NetworkedPPO(world, team.kappa, seed=seed, factors=factors, policy=first, **SETTINGS)
        agent.policy.module.reader = agent.sight.reader
        curve: list[Point] = []

        def note(learner: NetworkedPPO) -> None:
            delay = np.mean([episode.mean_delay for env in envs for episode in env.episodes[-share:]])
            point = (learner.episodes, float(delay), learner.last_return())
            curve.append(Point("training", team.network, team.method, *point, None if several else team.levels[0]))

        agent.learn(episodes=team.episodes, on_update=note)
    return agent, curve


def _policy(agent: NetworkedPPO, team: Team, method: str, target: float, seed: int) -> Any:
    """A team at play, told the demand if it learned on several."""
    if len(team.levels) == 1:
        return agent.player()
    level = min(team.levels) if method.endswith(UNADAPTED) else adapted(team, target, seed)
    if team.copies >= len(team.levels):
        return agent.player(factor=level)
    player = agent.player()
    return lambda s: player(told(s, level))


def adapted(team: Team, target: float, seed: int) -> float:
    """The demand that a team reads off what it counts in one episode there."""
    levels = sorted(team.levels)
    counts = [count(team, level, COUNTED + 2 * seed) for level in levels]
    return float(np.interp(count(team, target, COUNTED + 2 * seed + 1), counts, levels))


def count(team: Team, demand: float, seed: int) -> float:
    """Vehicles before the lights and waiting to enter, mean of an episode of max-pressure."""
    seen: list[float] = []
    with team.simulate(demand) as env:

        def act(s: Any) -> Any:
            seen.append(float(env.traffic.vehicles.sum() + env.traffic.outside.sum()))
            return max_pressure(env)

        play(env, act, seed)
    return float(np.mean(seen))


def _pressed(env: Sumo, s: Any) -> Any:
    """Max-pressure, as a policy."""
    return max_pressure(env)
