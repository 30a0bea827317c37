"""The experiments behind ``pipelines.gsac``: each returns long rows (part, setting, method, seed, x, value) for all seeds."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from causalnet.agents import GSAC, Rate
from causalnet.agents.networked.adaptation import Adaptation, adapt, compact_view, full_masks, random_masks
from causalnet.base.arrays import Array
from causalnet.data.rollouts import collect
from causalnet.envs.networked.wireless import true_masks
from pipelines.gsac.networks import Net, explored, phase_one

# how the policy depends on the domain, and the masks behind what it reads: the paper's baselines know neither, so they read
# the whole local state; SAC-FT+ACR is the control that shows what the compact state brings alone
METHODS = {
    "GSAC": ("polynomial", "learned"),
    "SAC-FT": ("none", "none"),
    "SAC-MTL": ("one-hot", "none"),
    "SAC-FT+ACR": ("none", "learned"),
}
ETAS = (0.05, 0.1, 0.2, 0.5)  # what the actor's step size is chosen from, on source domains only
TUNING_SEEDS = 10
CHECK = 200  # fresh episodes behind every point of a curve


@dataclass
class Point:
    """One line of results.csv: the value of one seed at x, in six digits."""

    part: str
    setting: str
    method: str
    seed: int
    x: float
    value: float

    def __post_init__(self) -> None:
        self.value = float(f"{self.value:.6g}")


class Team:
    """Agents that share seeds 0 .. L - 1 among them: seeds whose phase 1 found the same masks learn in one agent."""

    def __init__(self, agents: Sequence[GSAC], members: Sequence[Sequence[int]], net: Net) -> None:
        self.agents, self.members, self.net = agents, members, net

    def join(self, parts: Sequence[Array]) -> Array:
        """Parts (L_k, ...) of the agents as one (L, ...), in the order of the seeds."""
        return np.asarray(np.concatenate(parts)[np.argsort(np.concatenate([list(m) for m in self.members]))])

    def learn(self, episodes: int) -> Array:
        """Train, and return the mean training return over the sources, (L, updates)."""
        curves = []
        for agent in self.agents:
            found: list[Array] = []
            agent.learn(episodes, on_update=lambda a, kept=found: kept.append(np.nanmean(a.returns, axis=0)))
            curves.append(np.array(found).reshape(len(found), agent.learners).T)
        return self.join(curves)

    def evaluate(self, factor: Any, known: Any = None, episodes: int = CHECK, **options: Any) -> Array:
        """(L,) mean return over fresh episodes in the domain ``factor``; known: the factor that the policy is told, one a
        seed (L,), or None for the true one."""
        parts = []
        for agent, members in zip(self.agents, self.members, strict=True):
            env = self.net.make(factor, 20 * len(members))
            if known is None:
                parts.append(agent.evaluate(env, factor, episodes, **options).mean(1))
                continue
            told = np.asarray(known)[list(members)]
            parts.append(np.array([agent.evaluate(env, w, episodes, **options)[k].mean() for k, w in enumerate(told)]))
        return self.join(parts)

    def fine_tune(self, target: float, code: str = "unseen") -> Team:
        """The same agents, to go on learning in the target."""
        tuned = [
            agent.fine_tune(self.net.make(target, len(m)), target, code=code, seed=977 + k)
            for k, (agent, m) in enumerate(zip(self.agents, self.members, strict=True))
        ]
        return Team(tuned, self.members, self.net)

    def adapt(self, target: float, episodes: int, seed: int = 5) -> tuple[Array, Array]:
        """Phase 4: returns (L, T_a) as played, and the estimates (L, T_a)."""
        found: list[Adaptation] = []
        for k, (agent, m) in enumerate(zip(self.agents, self.members, strict=True)):
            found.append(adapt(agent, self.net.make(target, len(m)), self.net.estimate, episodes, seed=seed + 31 * k))
        return self.join([f.returns for f in found]), self.join([f.factors for f in found])

    def save(self, folder: Path, name: str) -> None:
        """Keep the trained agents."""
        for k, agent in enumerate(self.agents):
            agent.save(folder / "agents" / f"{name}-{k}.npz")

    def load(self, folder: Path, name: str) -> Team | None:
        """The agents as ``save`` kept them, or None."""
        paths = [folder / "agents" / f"{name}-{k}.npz" for k in range(len(self.agents))]
        if not all(path.exists() for path in paths):
            return None
        kept = [GSAC.load(path, agent.sources) for path, agent in zip(paths, self.agents, strict=True)]
        return Team(kept, self.members, self.net)


def methods(net: Net) -> list[str]:
    """The methods that differ on this network: only the grids have components that masks can drop."""
    return [name for name in METHODS if net.name.startswith("grid") or not name.endswith("+ACR")]


def views(net: Net, seeds: int, which: str) -> list[tuple[Any, Any, list[int]]]:
    """(view, conditioned, seeds) for each different view among the seeds. which: learned, true, random or none masks."""
    if not net.name.startswith("grid"):
        return [(None, None, list(range(seeds)))]
    env, found = net.make(net.sources[0], 1), {}
    for seed in range(seeds):
        if which == "learned":
            masks = phase_one(net, explored(net, seed))
        elif which == "none":
            masks = full_masks(env.adjacency, env.component_names)
        else:
            masks = true_masks(env) if which == "true" else random_masks(true_masks(env), seed)
        view, conditioned = compact_view(env, masks)
        found.setdefault((view.tobytes(), conditioned.tobytes()), (view, conditioned, []))[2].append(seed)
    return list(found.values())


def team(net: Net, groups: list[Any], kind: str, eta: float, seed: int = 1, **options: Any) -> Team:
    """Untrained agents on the sources."""
    agents = []
    options = {"settings": dataclasses.replace(net.settings, actor_rate=Rate(eta)), **options}
    for k, (view, conditioned, members) in enumerate(groups):
        made = [net.make(p, len(members)) for p in net.sources]
        seen = {"view": view, "conditioned": conditioned if kind == "polynomial" else None, "conditioning": kind}
        agents.append(GSAC(made, net.sources, learners=len(members), seed=seed + 7919 * k, **seen, **options))
    return Team(agents, [g[2] for g in groups], net)


def scratch(net: Net, seeds: int, target: float, eta: float, seed: int = 3) -> Team:
    """SAC-LFS: untrained agents that read the whole local state, and whose only domain is the target."""
    only, groups = dataclasses.replace(net, sources=(target,)), views(net, seeds, "none")
    return Team(team(only, groups, "none", eta, seed).agents, [g[2] for g in groups], net)


def points(part: str, setting: str, method: str, x: Sequence[float], values: ArrayLike) -> list[Point]:
    """values (L, len(x)), or (L,) at one x, as rows."""
    table = np.reshape(np.asarray(values, dtype=float), (-1, len(x)))
    return [Point(part, setting, method, seed, x[k], value) for (seed, k), value in np.ndenumerate(table)]


def smoothed(curve: Array, episodes: int, points: int = 60) -> tuple[list[float], Array]:
    """A training curve (L, updates) in ``points`` windows: (source episodes at their ends, (L, points))."""
    parts = np.array_split(np.arange(curve.shape[1]), min(points, curve.shape[1]))
    per = episodes / curve.shape[1]
    return [float((p[-1] + 1) * per) for p in parts], np.stack([curve[:, p].mean(1) for p in parts], axis=1)


def tune(net: Net, budgets: Sequence[int], target_episodes: int) -> list[Point]:
    """Return in the last tenth of training on the sources, for every step size: what the choice of eta looks at."""
    found = []
    for method in methods(net):
        kind, which = METHODS[method]
        groups = views(net, TUNING_SEEDS, which)
        for eta in ETAS:
            one = team(net, groups, kind, eta, seed=10_007)
            for budget, more in zip(budgets, np.diff(budgets, prepend=0).tolist(), strict=True):
                curve = one.learn(more)
                last = curve[:, -max(1, curve.shape[1] // 10) :].mean(1)
                found += points("tune", f"{net.name} K={budget}", method, [eta], last)
    for eta in ETAS:
        middle = sorted(net.sources)[len(net.sources) // 2]
        curve = scratch(net, TUNING_SEEDS, middle, eta, seed=10_009).learn(target_episodes)
        found += points("tune", net.name, "SAC-LFS", [eta], curve[:, -target_episodes // 10 :].mean(1))
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Estimates from one or two episodes often lie outside the hull: counted in the results, not warned of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*outside the hull", category=UserWarning)
        yield


@quiet()
def target_curves(
    trained: dict[str, Team], net: Net, seeds: int, target: float, episodes: int, eta: float
) -> list[Point]:
    """GSAC deployed and the baselines trained in one target domain: return against target episodes."""
    setting, found = f"{net.name} w={target:g}", []
    played, factors = trained["GSAC"].adapt(target, 30)
    found += points("deployed", setting, "GSAC", list(range(1, 31)), played)
    found += points("estimate", setting, "GSAC", list(range(1, 31)), factors)
    found += points("curve", setting, "GSAC", [20], trained["GSAC"].evaluate(target, factors[:, 19], 400))
    found += points("curve", setting, "GSAC, exact factor", [0], trained["GSAC"].evaluate(target, None, 400))
    learners = {method: one.fine_tune(target) for method, one in trained.items() if method != "GSAC"}
    learners["SAC-MTL, mean code"] = trained["SAC-MTL"].fine_tune(target, "mixture")
    learners["SAC-LFS"] = scratch(net, seeds, target, eta)
    checks = sorted({0, 10, 20, 30, 50, 75, *range(100, episodes + 1, 50)} - {c for c in (75, 50) if c > episodes})
    for method, learner in learners.items():
        values = []
        for at in checks:
            learner.learn(at - learner.agents[0].episodes)
            one_hot = {"code": "mixture" if "mean" in method else "unseen"} if "MTL" in method else {}
            values.append(learner.evaluate(target, None, CHECK if 0 < at < episodes else 400, **one_hot))
        found += points("curve", setting, method, checks, np.stack(values, axis=1))
    untrained = team(net, views(net, seeds, "none"), "none", 0.0)
    found += points("curve", setting, "uniform policy", [0], untrained.evaluate(target, None, 400))
    return found


@quiet()
def adaptation_gap(
    trained: Team, net: Net, target: float, sizes: Sequence[int], deltas: Sequence[float]
) -> list[Point]:
    """Return lost against the exact factor: for estimates from T_a random trajectories, and for errors put in by hand.

    Both sides play the same episodes (common random numbers).
    """
    seeds = len(np.concatenate([list(m) for m in trained.members]))
    setting, exact, found = f"{net.name} w={target:g}", trained.evaluate(target, np.full(seeds, target), 400), []
    for size in sizes:
        drawn = [collect(net.make(target, size), seed=seed * 613 + size) for seed in range(seeds)]
        told = np.array([net.estimate(data).value for data in drawn], float)
        lost = exact - trained.evaluate(target, told, 400)
        found += points("gap", setting, "error", [size], np.abs(told - target))
        found += points("gap", setting, "return lost", [size], lost)
    for delta in deltas:
        lost = exact - trained.evaluate(target, np.full(seeds, target + delta), 400)
        found += points("gap", setting, "return lost by error", [delta], lost)
    return found
