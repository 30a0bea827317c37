"""Traffic lights of RESCO's road networks in SUMO: lights that learn beside fixed time, greedy and max-pressure, one hour each.

``python -m pipelines.traffic_signals`` needs the extra ``sumo`` and, for the road networks, ``pip install --no-deps sumo-rl``.
Mean delay is time loss plus departure delay a vehicle, vehicles that never departed included. Every policy plays the same
seeds after training, none of which was trained on; learning policies play their likeliest phase. Start it again to finish it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from causalnet.envs import Signals, Sumo, fixed_time, greedy, max_pressure
from pipelines.common import complete, in_a_sentence, open_table, options, positive
from pipelines.traffic_signals import report
from pipelines.traffic_signals.learner import Lights, LightSettings

CONTROLS = {"fixed time": fixed_time, "greedy": greedy, "max-pressure": max_pressure}
JUDGED = 10**6  # seeds of the episodes that judge a policy start here; training's are below


@dataclass(frozen=True)
class Problem:
    """interval: seconds between decisions, the better for max-pressure's rivals of 5 and 10 tried; goal, published: mean delay in s."""

    name: str
    interval: float
    settings: LightSettings
    seeds: int
    goal: float
    published: dict[str, float]


PROBLEMS = (
    Problem("grid4x4", 5, LightSettings(), 5, 34, {"max-pressure": 34, "lights that learn": 44}),
    Problem("cologne8", 10, LightSettings(shared=False, parts=8), 5, 22, {"max-pressure": 22, "lights that learn": 22}),
    Problem("arterial4x4", 5, LightSettings(), 2, 650, {"max-pressure": 820, "lights that learn": 690}),
)
QUICK = (Problem("cologne1", 10, LightSettings(shared=False, parts=4), 1, np.inf, {}),)


@dataclass(frozen=True)
class Point:
    """Mean delay in seconds; x: the episode of training, or the number of an episode that judges."""

    part: str
    problem: str
    method: str
    seed: int
    x: float
    delay: float


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run what is not yet there; write results.csv, summary.json and report.html."""
    parser = options(__doc__, "runs/traffic_signals")
    parser.add_argument("--episodes", type=positive, default=None, help="of training (default 30; 2 with --quick)")
    parser.add_argument("--problems", nargs="+", default=None, choices=[p.name for p in PROBLEMS], help="default: all")
    args = parser.parse_args(argv)
    problems = QUICK if args.quick else [p for p in PROBLEMS if p.name in (args.problems or [q.name for q in PROBLEMS])]
    episodes = args.episodes or (2 if args.quick else 30)
    table = open_table(args.out, Point, args.quick)
    cells = {}
    for problem in problems:
        for seed in range(min(problem.seeds, args.seeds or problem.seeds)):
            cells[f"{problem.name} controls {seed}"] = partial(judge_controls, problem, seed)
            cells[f"{problem.name} learn {seed} K={episodes}"] = partial(learn, problem, seed, episodes)
    with in_a_sentence():
        complete(table, cells, "parts")
    return report.write(args.out, table, problems, args.quick)


def _env(problem: Problem) -> Sumo:
    return Sumo(problem.name, n_envs=1, signals=Signals(interval=problem.interval))


def judge_controls(problem: Problem, seed: int) -> list[Point]:
    """The controls in the episode that judges this seed."""
    with _env(problem) as env:
        found = {}
        for name, control in CONTROLS.items():
            found[name] = play(env, lambda s, control=control: control(env), JUDGED + seed)
    return [Point("judged", problem.name, name, seed, 0, delay) for name, delay in found.items()]


def learn(problem: Problem, seed: int, episodes: int) -> list[Point]:
    """Train one team of lights, then let it play the episode that judges this seed."""
    with _env(problem) as env:
        lights = Lights(env, problem.settings, seed)
        curve = [
            lights.learn_episode(env, 1 - k / episodes, seed if k == 0 else None)
            for k in range(episodes)
        ]  # fmt: skip
        delay = play(env, partial(lights.act, draw=False), JUDGED + seed)
    name = "lights that learn"
    rows = [Point("training", problem.name, name, seed, k, one) for k, one in enumerate(curve)]
    return [*rows, Point("judged", problem.name, name, seed, 0, delay)]


def play(env: Sumo, policy: Any, seed: int) -> float:
    """Mean delay in seconds of an episode."""
    s, _ = env.reset(seed)
    over = False
    while not over:
        s, _, _, truncated, info = env.step(policy(s))
        over = bool(truncated.all())
    return float(info["mean_delay"][0])
