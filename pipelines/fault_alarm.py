"""Learning by doing on the fault-alarm network: Table 1 and Figure 3 of arXiv 2402.04869, and every control beside them.

``python -m pipelines.fault_alarm`` runs masks x learners x starts x modes over seeds and writes tables and curves,
published and measured side by side. Every finished run is kept: start it again to finish or extend it.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import gymnasium
import joblib
import numpy as np
import pandas as pd

import causalnet as cn
import causalnet.envs  # registers causalnet/FaultAlarm-v0
from causalnet._files import write_atomic
from causalnet.backends import att_bic
from causalnet.envs.fault_alarm_log import observational_log
from causalnet.evaluate import evaluate, greedy, random_graph, uniform
from causalnet.online import OnlineRun, learn_by_doing
from causalnet.representation.mask import CausalMask
from causalnet.simulate import sized_dag
from pipelines import _fault_alarm_report as report
from pipelines import _fault_alarm_speed as speed
from pipelines._run import Table, options, positive, steps

LEARNERS, MODES = ("ppo", "dqn", "d3qn"), ("default", "paper")
MASKS, INITS = ("causal", "none", "presence", "random", "true"), ("thp", "random", "empty")
RULES = ("oracle", "oldest", "greedy-true", "greedy-random", "uniform")
JUDGED = 300  # episodes of training after which a policy is judged; discovery may go on
CONTROL_STEPS = (
    4000  # interventions after which a control stops earlier: more than the causal runs need for 300 episodes
)
EVALUATION = 200  # fresh episodes played by the policy that came out of training
EXPLORE = 8  # episodes under the presence mask alone, at first, in the default mode
PAPER_K, PAPER_STEPS, PAPER_ETA = (
    8,
    512,
    {"ppo": 0.3, "dqn": 0.2, "d3qn": 0.2},
)  # Table 4; K from the published code, after K = 3 had scored lower
LOG = "events_seed40.csv"  # of the published instance
RANDOM_EDGES = 36  # of the random start, as the published code draws it
COLUMNS = [
    "instance", "learner", "mask", "init", "mode", "seed", "episodes", "evaluation", "return", "interventions", "mean_alarms",
    "cleared", "f1", "precision", "recall", "f1_judged", "f1_20", "f1_50", "f1_200", "trained_episodes", "trained_steps", "train_return", "cpu_seconds",
]  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One run: a learner (or a rule that does not learn) on an instance, with a mask, a start and a mode."""

    instance: str
    learner: str
    mask: str
    init: str
    mode: str
    seed: int
    episodes: int
    evaluation: int

    @property
    def key(self) -> str:
        """Name of the run, and of its folder."""
        return "-".join(str(getattr(self, f.name)).replace("/", "_") for f in fields(self))


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run what is asked and not yet there; write results.csv, episodes.csv, summary.json and report.html."""
    args = _arguments(argv)
    table, plan = Table(args.out, COLUMNS, args.quick), _runs(args)
    runs = [run for run in plan if not table.has(run.key)]
    work = joblib.Parallel(args.jobs, return_as="generator_unordered")
    for rows in steps_over(work(joblib.delayed(play)(run, args.out) for run in runs), len(runs)):
        table.add(*rows)
    alike = {(run.episodes, run.evaluation) for run in plan}  # other lengths are other experiments
    table.rows = [r for r in table.rows if (int(r["episodes"]), int(r["evaluation"])) in alike]
    _join_episodes(args.out, alike)
    fast = {} if args.no_speed else speed.measure(args.out, make(args.instance[0]), 1 if args.quick else 5)
    return report.write(args.out, table, fast)


def steps_over(results: Any, n: int) -> Any:
    """The finished runs, behind a progress bar."""
    bar = steps(range(n), "runs")
    for result in results:
        next(bar)
        yield result
    next(bar, None)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = options(__doc__ or "", "runs/fault_alarm")
    many: Callable[[Sequence[str]], Any] = lambda known: lambda text: _choices(text, known)  # noqa: E731
    parser.add_argument(
        "--instance",
        default=None,
        help="official, official-logs, a seed, or a folder; hard or hard:NAME for its hard form; several with commas",
    )
    parser.add_argument("--learner", type=many(LEARNERS), default=LEARNERS, help=f"of {', '.join(LEARNERS)}")
    parser.add_argument("--mask", type=many(MASKS), default=MASKS, help=f"of {', '.join(MASKS)}")
    parser.add_argument("--init", type=many(INITS), default=INITS, help=f"of {', '.join(INITS)}")
    parser.add_argument("--mode", type=many(MODES), default=MODES, help=f"of {', '.join(MODES)}")
    parser.add_argument("--episodes", type=positive, default=600, help="training episodes a run (default 600)")
    parser.add_argument("--evaluation", type=positive, default=EVALUATION, help="fresh episodes that judge the result")
    parser.add_argument("--no-speed", action="store_true", help="leave the measurement of speeds out")
    parser.add_argument("--jobs", type=positive, default=1, help="processes at a time")
    args = parser.parse_args(argv)
    args.instance = (args.instance or ("official,hard" if official() else "0,hard:0")).split(",")
    args.seeds = args.seeds or (2 if args.quick else 4)
    if args.quick:
        args.learner, args.init, args.mode = args.learner[:1], args.init[1:2] or args.init[:1], args.mode[:1]
        args.episodes, args.evaluation = min(args.episodes, 12), min(args.evaluation, 5)
    return args


def _choices(text: str, known: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(part.strip() for part in text.split(","))
    odd = [part for part in chosen if part not in known]
    if odd:
        raise argparse.ArgumentTypeError(f"there is no {odd[0]!r}; choose of {', '.join(known)}")
    return chosen


def official() -> Path | None:
    """The folder of the published instance, where it is on disk: $CAUSALNET_DATA/fault_alarm_official."""
    folder = Path(os.environ.get("CAUSALNET_DATA", "")) / "fault_alarm_official"
    return folder if (folder / "model.npz").exists() else None


def _runs(args: argparse.Namespace) -> list[Run]:
    """Every run that is asked for; a mask without a learned graph has neither start nor mode."""
    found, n = [], args.evaluation
    short = min(args.episodes, JUDGED)
    for seed in range(args.seeds):
        for instance in args.instance:
            found += [Run(instance, rule, "", "", "", seed, 0, n) for rule in RULES]
            found += [Run(instance, "start", "", init, "", seed, 0, n) for init in args.init]
            for learner in args.learner:
                for mask in args.mask:
                    if mask != "causal":
                        found.append(Run(instance, learner, mask, "", "", seed, short, n))
                        if mask == "none" and "paper" in args.mode:
                            found.append(Run(instance, learner, mask, "", "paper", seed, short, n))
                        continue
                    found += [
                        Run(instance, learner, mask, init, mode, seed, args.episodes, n)
                        for mode in args.mode
                        for init in args.init
                        if init != "empty" or mode == "default"  # the paper has two starts
                    ]
    return found


def make(instance: str) -> gymnasium.Env[Any, Any]:
    """The environment of an instance's name, counts only; "official-logs" differs from "official" in its logs alone."""
    hard = instance == "hard" or instance.startswith("hard:")
    name = instance.removeprefix("hard").removeprefix(":") if hard else instance
    given: Any = int(name) if name.isdigit() else name
    if name in ("", "official", "official-logs"):
        given = official()
        if given is None:
            raise SystemExit(
                f"{instance} needs the published instance, folder fault_alarm_official in $CAUSALNET_DATA; without it use "
                "a generated one, such as --instance 0,hard:0"
            )
    return gymnasium.make("causalnet/FaultAlarm-v0", instance=given, hard=hard)


def play(run: Run, out: Path) -> tuple[str, list[dict[str, Any]]]:
    """Train if the run trains, then play fresh episodes: the run's row, and that of the greedy rule on its graph."""
    env = make(run.instance)
    truth = env.unwrapped.instance.graph  # type: ignore[attr-defined]
    if run.learner == "start":
        told = cn.score(truth, start_graph(run, env))
        return run.key, [asdict(run) | {name: told[name] for name in ("f1", "precision", "recall")}]
    if run.learner in RULES:
        return run.key, [_judge(run, rule_policy(run.learner, env, truth, run.seed), env)]
    folder = out / "runs" / run.key
    settings = _settings(run, env, truth)
    masked = Unmasked(env) if run.mask == "none" and run.mode != "paper" else env

    def train(episodes: int) -> OnlineRun:
        return learn_by_doing(
            masked, run.learner, episodes=episodes, seed=run.seed, truth=truth, folder=folder, checkpoint_every=25,
            **settings,
        )  # fmt: skip

    judged = folder.with_name(f"{run.key}.judged.json")
    if not judged.exists():  # before discovery goes on: nothing may be judged twice
        timed = not folder.exists()  # a resumed run does not know what it has cost
        judged_rows = _train_and_judge(run, train, env)
        judged_rows[0]["cpu_seconds"] = judged_rows[0]["cpu_seconds"] if timed else None
        write_atomic(judged, json.dumps(judged_rows) + "\n")
    rows = json.loads(judged.read_text(encoding="utf-8"))
    done = train(run.episodes if run.mask == "causal" else rows[0]["trained_episodes"])
    write_atomic(folder / "run.json", json.dumps(asdict(run)) + "\n")
    last = done.rows[-1]
    rows[0] |= {"f1": last.f1, "precision": last.precision, "recall": last.recall}
    rows[0] |= {f"f1_{n}": done.rows[n - 1].f1 for n in (20, 50, 200) if n <= len(done.rows)}
    return run.key, rows


def _train_and_judge(run: Run, train: Callable[[int], OnlineRun], env: Any) -> list[dict[str, Any]]:
    """The rows of the policy after JUDGED episodes, and of the greedy rule on its graph."""
    until, began = min(run.episodes, JUDGED), time.process_time()
    done = train(min(25, until))
    while len(done.rows) < until and (run.mask == "causal" or _steps(done) < CONTROL_STEPS):
        done = train(min(len(done.rows) + 25, until))
    trained = time.process_time() - began
    done.env.eta = 0.0
    rows = [_judge(run, done.agent, done.env)]
    if run.mask == "causal":
        rows.append(_judge(replace(run, learner=f"greedy-{run.learner}"), uniform, CausalMask(env, done.graph, k=1)))
    rows[0] |= {"cpu_seconds": trained, "trained_episodes": len(done.rows), "trained_steps": _steps(done)}
    rows[0] |= {"train_return": float(np.mean([r.total for r in done.rows[-50:]])), "f1_judged": done.rows[-1].f1}
    return rows


def _settings(run: Run, env: Any, truth: cn.Graph) -> dict[str, Any]:
    """What the learner and its mask are given. Natives: a plain network; in the paper's mode its settings and its mask."""
    if run.mode == "paper":
        longer = {"n_steps": 512} if run.mask == "none" and run.learner == "ppo" else {}  # Table 4
        return {"preset": "paper", **longer, **_masking(run, env, truth)}
    return ({"network": "mlp"} if run.mask == "none" else {}) | _masking(run, env, truth)


def _steps(run: OnlineRun) -> int:
    return sum(row.interventions for row in run.rows)


def _masking(run: Run, env: Any, truth: cn.Graph) -> dict[str, Any]:
    """What the mask of a run knows: a graph that is learned, a fixed one, or none."""
    if run.mask in ("none", "presence"):
        return {"graph": everything if run.mask == "none" and run.mode != "paper" else None}
    if run.mask in ("random", "true"):
        return {"graph": truth if run.mask == "true" else random_graph(truth, run.seed), "k": 1}
    log = log_of(run.instance, env, run.seed) if run.mode == "paper" else None
    state = att_bic.init(
        env.unwrapped.variables,
        env.unwrapped.instance.devices,
        topology=env.unwrapped.instance.topology,
        mode=run.mode,
        start=start_graph(run, env),
        log=log,
        rng=np.random.default_rng([run.seed, 7]),
    )
    if run.mode == "default":
        return {"discovery": state, "k": 1, "explore": lambda episodes, steps: float(episodes < EXPLORE)}
    eta = PAPER_ETA[run.learner]
    return {"discovery": state, "k": PAPER_K, "explore": lambda episodes, steps: eta * (steps < PAPER_STEPS)}


def log_of(instance: str, env: Any, seed: int) -> cn.Events:
    """The alarms before anyone repairs: the published log for the published instance, else a simulated one a seed."""
    network, folder = env.unwrapped.instance, official()
    if instance != "official" or folder is None or not (folder / LOG).exists():
        return observational_log(network, seed=seed)
    frame = pd.read_csv(folder / LOG)
    return cn.Events(
        pd.DataFrame(
            {
                "event": np.array(network.types)[frame["alarm_type"]],
                "timestamp": frame["timestamp"],
                "device": np.array(network.devices)[frame["device"]],
            }
        ),
        network.topology,
        list(network.types),
    )


def start_graph(run: Run, env: Any) -> cn.Graph:
    """The graph at episode 0: of the Hawkes process on a log without repairs, at random, or empty."""
    variables = env.unwrapped.variables
    if run.init == "thp":
        return cn.discover(log_of(run.instance, env, run.seed), "thp", decay=5e-5, penalty_scale=0.2, acyclic=False)
    if run.init == "empty":
        return cn.Graph(variables, np.zeros((len(variables),) * 2, dtype=bool))
    return cn.Graph(variables, sized_dag(len(variables), RANDOM_EDGES, np.random.default_rng([run.seed, 36])))


def rule_policy(name: str, env: Any, truth: cn.Graph, seed: int) -> Callable[[Any, Any, np.random.Generator], int]:
    """A policy that does not learn."""
    core = env.unwrapped
    if name in ("oracle", "oldest"):
        return lambda obs, mask, rng: int(getattr(core, name)())
    if name == "uniform":
        return uniform
    graph = truth if name == "greedy-true" else random_graph(truth, seed)
    return greedy(CausalMask(env, graph, k=1).mask)


def _judge(run: Run, policy: Any, env: Any) -> dict[str, Any]:
    """Means over fresh episodes; policies act as they learned to, at random where they are."""
    first = 2**31 + 10**6 * run.seed  # training draws its seeds below 2^31
    played = evaluate(policy, env, seeds=range(first, first + run.evaluation), deterministic=run.learner != "ppo")
    return asdict(run) | {c: float(played[c].mean()) for c in ("return", "interventions", "mean_alarms", "cleared")}


def everything(obs: Any, info: Any, env: Any) -> np.ndarray[Any, Any]:
    """The mask that forbids nothing."""
    return np.ones(int(env.action_space.n), dtype=bool)


class Unmasked(gymnasium.Wrapper[Any, Any, Any, Any]):
    """The environment without any mask: every action is allowed, present or not."""

    def action_masks(self) -> np.ndarray[Any, Any]:
        """(A,) all True."""
        return np.ones(int(self.action_space.n), dtype=bool)  # type: ignore[attr-defined]


def _join_episodes(out: Path, alike: set[tuple[int, int]]) -> None:
    """episodes.csv: the episodes of every run of these lengths, a row a run and episode."""
    names = ["instance", "learner", "mask", "init", "mode", "seed"]
    lines: list[list[str]] = []
    head: list[str] = []
    for path in sorted((out / "runs").glob("*/run.json")):
        key = json.loads(path.read_text(encoding="utf-8"))
        if (key["episodes"], key["evaluation"]) not in alike:
            continue
        with (path.parent / "episodes.csv").open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        lines += [[str(key[n]) for n in names] + row for row in rows]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[*names, *head], *lines] if lines else [])
    write_atomic(out / "episodes.csv", text.getvalue())


if __name__ == "__main__":
    main()
