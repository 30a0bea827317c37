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
from pipelines import _fault_alarm_report as report
from pipelines import _fault_alarm_speed as speed
from pipelines._run import Table, options, steps

LEARNERS, MODES = ("ppo", "dqn", "d3qn"), ("default", "paper")
MASKS, INITS = ("causal", "none", "presence", "random", "true"), ("thp", "random", "empty")
RULES = ("oracle", "oldest", "greedy-true", "greedy-random", "uniform")
JUDGED = 300  # episodes of training after which a policy is judged; discovery may go on
CONTROL_STEPS = (
    4000  # interventions after which a control stops earlier: more than the causal runs need for 300 episodes
)
EVALUATION = 200  # fresh episodes played by the policy that came out of training
EXPLORE = 8  # episodes under the presence mask alone, at first, in the default mode
PAPER_K, PAPER_STEPS, PAPER_ETA = 8, 512, {"ppo": 0.3, "dqn": 0.2, "d3qn": 0.2}  # Table 4; K from the published code
LOG = "events_seed40.csv"  # of the published instance
RANDOM_EDGES = 36  # of the random start, as the published code draws it
COLUMNS = [
    "instance", "learner", "mask", "init", "mode", "seed", "episodes", "return", "interventions", "mean_alarms",
    "cleared", "f1", "precision", "recall", "f1_20", "f1_50", "f1_200", "trained_episodes", "trained_steps", "train_return", "cpu_seconds",
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

    @property
    def key(self) -> str:
        """Name of the run, and of its folder."""
        return "-".join(str(getattr(self, f.name)).replace("/", "_") for f in fields(self))


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run what is asked and not yet there; write results.csv, episodes.csv, summary.json and report.html."""
    args = _arguments(argv)
    table = Table(args.out, COLUMNS)
    runs = [run for run in _runs(args) if not table.has(run.key)]
    work = joblib.Parallel(args.jobs, return_as="generator_unordered")
    for rows in steps_over(work(joblib.delayed(play)(run, args.out, args.evaluation) for run in runs), len(runs)):
        table.add(*rows)
    _join_episodes(args.out)
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
        "--instance", default=None, help="official, official-logs, hard, a seed, or a folder; several with commas"
    )
    parser.add_argument("--learner", type=many(LEARNERS), default=LEARNERS, help=f"of {', '.join(LEARNERS)}")
    parser.add_argument("--mask", type=many(MASKS), default=MASKS, help=f"of {', '.join(MASKS)}")
    parser.add_argument("--init", type=many(INITS), default=INITS, help=f"of {', '.join(INITS)}")
    parser.add_argument("--mode", type=many(MODES), default=MODES, help=f"of {', '.join(MODES)}")
    parser.add_argument("--episodes", type=int, default=600, help="training episodes a run (default 600)")
    parser.add_argument("--evaluation", type=int, default=EVALUATION, help="fresh episodes that judge the result")
    parser.add_argument("--no-speed", action="store_true", help="leave the measurement of speeds out")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    args = parser.parse_args(argv)
    args.instance = (args.instance or _default_instances()).split(",")
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


def _default_instances() -> str:
    return "official,hard" if official() else "0,hard"


def _runs(args: argparse.Namespace) -> list[Run]:
    """Every run that is asked for; a mask without a learned graph has neither start nor mode."""
    found = []
    for seed in range(args.seeds):
        for instance in args.instance:
            found += [Run(instance, rule, "", "", "", seed, 0) for rule in RULES]
            found += [Run(instance, "start", "", init, "", seed, 0) for init in args.init]
            for learner in args.learner:
                for mask in args.mask:
                    if mask != "causal":
                        found.append(Run(instance, learner, mask, "", "", seed, min(args.episodes, JUDGED)))
                        continue
                    found += [
                        Run(instance, learner, mask, init, mode, seed, args.episodes)
                        for mode in args.mode
                        for init in args.init
                        if init != "empty" or mode == "default"  # the paper has two starts
                    ]
    return found


def make(instance: str) -> gymnasium.Env[Any, Any]:
    """The environment of an instance's name, counts only; "official-logs" differs from "official" in its logs alone."""
    hard = instance.startswith("hard")
    name = instance.removeprefix("hard").removeprefix(":") if hard else instance
    given: Any = official() or 0 if name in ("", "official", "official-logs") else int(name) if name.isdigit() else name
    return gymnasium.make("causalnet/FaultAlarm-v0", instance=given, hard=hard)


def play(run: Run, out: Path, evaluation: int) -> tuple[str, list[dict[str, Any]]]:
    """Train if the run trains, then play fresh episodes: the run's row, and that of the greedy rule on its graph."""
    began = time.process_time()
    env = make(run.instance)
    truth = env.unwrapped.instance.graph
    if run.learner == "start":
        told = cn.score(truth, start_graph(run, env))
        return run.key, [asdict(run) | {name: told[name] for name in ("f1", "precision", "recall")}]
    if run.learner in RULES:
        return run.key, [_judge(run, rule_policy(run.learner, env, truth, run.seed), env, evaluation, began)]
    folder = out / "runs" / run.key
    native = {"network": "mlp"} if run.mask == "none" else {}
    settings = {"preset": "paper" if run.mode == "paper" else None, **native, **_masking(run, env, truth)}
    masked = Unmasked(env) if run.mask == "none" else env

    def train(episodes: int) -> OnlineRun:
        return learn_by_doing(
            masked, run.learner, episodes=episodes, seed=run.seed, truth=truth, folder=folder, checkpoint_every=25,
            **settings,
        )  # fmt: skip

    until = min(run.episodes, JUDGED)
    done = train(min(25, until))
    while len(done.rows) < until and (run.mask == "causal" or _steps(done) < CONTROL_STEPS):
        done = train(min(len(done.rows) + 25, until))
    trained = time.process_time() - began
    done.env.eta = 0.0
    rows = [_judge(run, done.agent, done.env, evaluation, began)]
    if run.mask == "causal":
        rule = replace(run, learner=f"greedy-{run.learner}")
        rows.append(_judge(rule, uniform, CausalMask(env, done.graph, k=1), evaluation, time.process_time()))
    rows[0]["train_return"] = float(np.mean([r.total for r in done.rows[-50:]]))
    rows[0] |= {"cpu_seconds": trained, "trained_episodes": len(done.rows), "trained_steps": _steps(done)}
    if run.episodes > JUDGED:
        done = train(run.episodes)
    write_atomic(folder / "run.json", json.dumps(asdict(run)) + "\n")
    last = done.rows[-1]
    rows[0] |= {"f1": last.f1, "precision": last.precision, "recall": last.recall}
    rows[0] |= {f"f1_{n}": done.rows[n - 1].f1 for n in (20, 50, 200) if n <= len(done.rows)}
    return run.key, rows


def _steps(run: OnlineRun) -> int:
    return sum(row.interventions for row in run.rows)


def _masking(run: Run, env: Any, truth: cn.Graph) -> dict[str, Any]:
    """What the mask of a run knows: a graph that is learned, a fixed one, or none."""
    if run.mask in ("none", "presence"):
        return {"graph": None if run.mask == "presence" else everything}
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
    rng = np.random.default_rng([run.seed, 36])
    rank = rng.permutation(len(variables))
    pairs = np.argwhere(rank[:, None] < rank[None, :])
    adj = np.zeros((len(variables),) * 2, dtype=bool)
    adj[tuple(pairs[rng.choice(len(pairs), RANDOM_EDGES, replace=False)].T)] = True
    return cn.Graph(variables, adj)


def rule_policy(name: str, env: Any, truth: cn.Graph, seed: int) -> Callable[[Any, Any, np.random.Generator], int]:
    """A policy that does not learn."""
    core = env.unwrapped
    if name in ("oracle", "oldest"):
        return lambda obs, mask, rng: int(getattr(core, name)())
    if name == "uniform":
        return uniform
    graph = truth if name == "greedy-true" else random_graph(truth, seed)
    return greedy(CausalMask(env, graph, k=1).mask)


def _judge(run: Run, policy: Any, env: Any, evaluation: int, began: float) -> dict[str, Any]:
    """Means over fresh episodes; policies act as they learned to, at random where they are."""
    first = 10**9 + 10**6 * run.seed
    played = evaluate(policy, env, seeds=range(first, first + evaluation), deterministic=run.learner != "ppo")
    means = {c: float(played[c].mean()) for c in ("return", "interventions", "mean_alarms", "cleared")}
    return asdict(run) | means | {"cpu_seconds": time.process_time() - began}


def everything(obs: Any, info: Any, env: Any) -> np.ndarray[Any, Any]:
    """The mask that forbids nothing."""
    return np.ones(int(env.action_space.n), dtype=bool)


class Unmasked(gymnasium.Wrapper[Any, Any, Any, Any]):
    """The environment without any mask: every action is allowed, present or not."""

    def action_masks(self) -> np.ndarray[Any, Any]:
        """(A,) all True."""
        return np.ones(int(self.action_space.n), dtype=bool)  # type: ignore[attr-defined]


def _join_episodes(out: Path) -> None:
    """episodes.csv: the episodes of every run that is there, a row a run and episode."""
    names = ["instance", "learner", "mask", "init", "mode", "seed"]
    lines: list[list[str]] = []
    head: list[str] = []
    for path in sorted((out / "runs").glob("*/run.json")):
        key = json.loads(path.read_text(encoding="utf-8"))
        with (path.parent / "episodes.csv").open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        lines += [[str(key[n]) for n in names] + row for row in rows]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[*names, *head], *lines] if lines else [])
    write_atomic(out / "episodes.csv", text.getvalue())


if __name__ == "__main__":
    main()
