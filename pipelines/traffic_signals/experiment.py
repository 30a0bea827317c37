"""Traffic lights of RESCO's road networks in SUMO: lights that learn beside fixed time, greedy and max-pressure, one hour each.

``python -m pipelines.traffic_signals`` needs the extra ``sumo`` and, for the road networks, ``pip install --no-deps sumo-rl``.
Mean delay is time loss plus departure delay a vehicle, vehicles that never departed included. Every policy plays the same
seeds after training, none of which was trained on; learning policies play their likeliest phase. ``--only controls,learn`` sets the
pipeline's own learner beside controls, ``kappa`` and ``demand`` are NetworkedPPO's (:mod:`.networked`). Start it again to finish it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from causalnet.envs import Signals, Sumo, fixed_time, greedy, max_pressure
from pipelines.common import Task, in_a_sentence, only, open_table, options, positive, run_tasks
from pipelines.traffic_signals import report
from pipelines.traffic_signals.learner import Lights, LightSettings
from pipelines.traffic_signals.networked import ALONE, THERE, Team, networked
from pipelines.traffic_signals.runs import JUDGED, Point, play

CONTROLS = {"fixed time": fixed_time, "greedy": greedy, "max-pressure": max_pressure}


@dataclass(frozen=True)
class Problem:
    """interval: seconds between decisions, the better for max-pressure's rivals of 5 and 10 tried; goal, published: mean delay in s.
    end: of an episode, None where SUMO's own."""

    name: str
    interval: float
    settings: LightSettings
    seeds: int
    goal: float
    published: dict[str, float]
    episodes: int = 0
    end: float | None = None

    def __str__(self) -> str:
        return self.name + f" K={self.episodes}" * bool(self.episodes)


PROBLEMS = (
    Problem("grid4x4", 5, LightSettings(), 5, 34, {"max-pressure": 34, "lights that learn": 44}),
    Problem("cologne8", 10, LightSettings(shared=False, parts=8), 5, 22, {"max-pressure": 22, "lights that learn": 22}),
    Problem("arterial4x4", 5, LightSettings(), 2, 650, {"max-pressure": 820, "lights that learn": 690}),
)
SHORT = {"network": "cologne3", "judges": 1, "end": 25200 + 120.0}
QUICK = Problem("cologne1", 10, LightSettings(shared=False, parts=4), 1, np.inf, {}, end=25200 + 300.0)
KAPPA = (
    Team("max-pressure"),
    *(
        Team(name, kappa)
        for name, kappa in (("kappa 0 (IPPO)", 0), ("kappa 1", 1), ("kappa 2", 2), ("all (MAPPO)", "all"))
    ),
)
LARGER = (
    *(Team(t.method, t.kappa, network="cologne8", episodes=90, interval=10) for t in KAPPA[:2]),
    *(Team(t.method, t.kappa, network="arterial4x4", episodes=100) for t in KAPPA[:2]),
)
TEAM_SEEDS = {"arterial4x4": 2}  # of the kappa task, 5 elsewhere
LEVELS, UNSEEN = (0.6, 1.0, 1.6), (1.3, 1.8)  # of demand: between the levels, and beyond
DEMAND = (
    Team("max-pressure", targets=UNSEEN),
    Team("several levels", 0, LEVELS, UNSEEN, 3),
    Team("levels in turns", 0, LEVELS, UNSEEN),
    *(Team(THERE, 0, (level,), (level,), 3) for level in UNSEEN),
    *(Team(ALONE, 0, (level,), (level,)) for level in UNSEEN),
    Team("trained at the least level", 0, LEVELS[:1], UNSEEN, 3),
)
TASKS = ("controls", "learn", "kappa", "demand")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run what is not yet there; write results.csv, summary.json and report.html."""
    parser = options(__doc__, "runs/traffic_signals")
    only(parser, TASKS)
    parser.add_argument("--episodes", type=positive, default=None, help="of training (default 30, demand 45; quick 2)")
    parser.add_argument("--problems", nargs="+", default=None, choices=[p.name for p in PROBLEMS], help="default: all")
    args = parser.parse_args(argv)
    problems = (
        [QUICK] if args.quick else [p for p in PROBLEMS if p.name in (args.problems or [q.name for q in PROBLEMS])]
    )
    table = open_table(args.out, Point, args.quick)
    with in_a_sentence():
        run_tasks(table, tasks(problems, args.episodes), args, "parts")
    return report.write(args.out, table, problems, args.quick)


def tasks(problems: Sequence[Problem], episodes: int | None) -> dict[str, Task]:
    """The tasks by name, with so many episodes of training."""

    def several(teams: Sequence[Team], many: int, seeds: int = 1, **more: Any) -> list[tuple[Team, int]]:
        return [
            (
                replace(t, episodes=0 if t.kappa is None else episodes or t.episodes or many, **more),
                min(seeds, TEAM_SEEDS.get(t.network, seeds)),
            )
            for t in teams
        ]

    plain = [(p, p.seeds) for p in problems]
    learnt = [(replace(p, episodes=episodes or (2 if p is QUICK else 30)), p.seeds) for p in problems]
    quick = several((KAPPA[0], *KAPPA[1::3]), 2, **SHORT), several(DEMAND[:4], 3, **SHORT, targets=UNSEEN[:1])
    return {
        "controls": Task(judge_controls, plain, plain),
        "learn": Task(learn, learnt, learnt),
        "kappa": Task(networked, several((*KAPPA, *LARGER), 30, 5), quick[0]),
        "demand": Task(networked, several(DEMAND, 45, 2), quick[1]),
    }


def _env(problem: Problem) -> Sumo:
    return Sumo(problem.name, n_envs=1, signals=Signals(interval=problem.interval, end=problem.end))


def judge_controls(problem: Problem, seed: int) -> list[Point]:
    """The controls in the episode that judges this seed."""
    with _env(problem) as env:
        found = {}
        for name, control in CONTROLS.items():
            found[name] = play(env, lambda s, control=control: control(env), JUDGED + seed)
    return [Point("judged", problem.name, name, 0, *delay_and_return) for name, delay_and_return in found.items()]


def learn(problem: Problem, seed: int) -> list[Point]:
    """Train one team of lights, then let it play the episode that judges this seed."""
    with _env(problem) as env:
        lights = Lights(env, problem.settings, seed)
        curve = [
            lights.learn_episode(env, 1 - k / problem.episodes, seed if k == 0 else None)
            for k in range(problem.episodes)
        ]  # fmt: skip
        judged = play(env, partial(lights.act, draw=False), JUDGED + seed)
    name = "lights that learn"
    rows = [Point("training", problem.name, name, k, one) for k, one in enumerate(curve)]
    return [*rows, Point("judged", problem.name, name, 0, *judged)]
