"""One run of the fault-alarm pipeline: its environment, its mask and its start, training, and the episodes that judge it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pandas as pd

import causalnet as cn
import causalnet.envs  # registers causalnet/FaultAlarm-v0
from causalnet.backends import att_bic
from causalnet.envs.fault_alarm.log import observational_log
from causalnet.graph.random_dags import sized_dag
from causalnet.representation.mask import CausalMask
from causalnet.storage.files import write_atomic
from causalnet.storage.rows import Row
from causalnet.training.by_doing import OnlineRun, learn_by_doing
from causalnet.training.controls import greedy, random_graph, uniform
from causalnet.training.evaluation import evaluate

LEARNERS = ("ppo", "dqn", "d3qn")
PLAYED, SCORES = ("return", "interventions", "mean_alarms", "cleared"), ("f1", "precision", "recall")
EARLY = (20, 50, 200)  # episodes after which the graph is scored on the way
RULES = ("oracle", "oldest", "greedy-true", "greedy-random", "uniform")
JUDGED = 300  # episodes of training after which a policy is judged; discovery may go on
# interventions after which a control stops earlier: more than the causal runs need for 300 episodes
CONTROL_STEPS = 4000
EXPLORE = 8  # episodes under the presence mask alone, at first, in the default mode
# Table 4; K from the published code, after K = 3 had scored lower
PAPER_K, PAPER_STEPS, PAPER_ETA = 8, 512, {"ppo": 0.3, "dqn": 0.2, "d3qn": 0.2}
LOG = "events_seed40.csv"  # of the published instance
RANDOM_EDGES = 36  # of the random start, as the published code draws it


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


def official() -> Path | None:
    """The folder of the published instance, where it is on disk: $CAUSALNET_DATA/fault_alarm_official."""
    folder = Path(os.environ.get("CAUSALNET_DATA", "")) / "fault_alarm_official"
    return folder if (folder / "model.npz").exists() else None


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


def play(run: Run, out: Path) -> list[Row]:
    """Train if the run trains, then play fresh episodes: the run's row, and that of the greedy rule on its graph."""
    env = make(run.instance)
    truth = env.unwrapped.instance.graph  # type: ignore[attr-defined]
    if run.learner == "start":
        told = cn.score(truth, start_graph(run, env))
        return [asdict(run) | {name: told[name] for name in SCORES}]
    if run.learner in RULES:
        return [_judge(run, rule_policy(run.learner, env, truth, run.seed), env)]
    folder = out / "runs" / run.key
    settings = _settings(run, env, truth)
    masked = Unmasked(env) if run.mask == "none" and run.mode != "paper" else env

    def train(episodes: int) -> OnlineRun:
        how = {"seed": run.seed, "truth": truth, "folder": folder, "checkpoint_every": 25, **settings}
        return learn_by_doing(masked, run.learner, episodes=episodes, **how)

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
    rows[0] |= {name: getattr(last, name) for name in SCORES}
    rows[0] |= {f"f1_{n}": done.rows[n - 1].f1 for n in EARLY if n <= len(done.rows)}
    return rows


def _train_and_judge(run: Run, train: Callable[[int], OnlineRun], env: Any) -> list[Row]:
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
    network, rng = env.unwrapped.instance, np.random.default_rng([run.seed, 7])
    how = {"topology": network.topology, "mode": run.mode, "start": start_graph(run, env), "log": log, "rng": rng}
    state = att_bic.init(env.unwrapped.variables, network.devices, **how)
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
    kinds, devices = np.array(network.types)[frame["alarm_type"]], np.array(network.devices)[frame["device"]]
    alarms = pd.DataFrame({"event": kinds, "timestamp": frame["timestamp"], "device": devices})
    return cn.Events(alarms, network.topology, list(network.types))


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


def _judge(run: Run, policy: Any, env: Any) -> Row:
    """Means over fresh episodes; policies act as they learned to, at random where they are."""
    first = 2**31 + 10**6 * run.seed  # training draws its seeds below 2^31
    played = evaluate(policy, env, seeds=range(first, first + run.evaluation), deterministic=run.learner != "ppo")
    return asdict(run) | {c: float(played[c].mean()) for c in PLAYED}


def everything(obs: Any, info: Any, env: Any) -> np.ndarray[Any, Any]:
    """The mask that forbids nothing."""
    return np.ones(int(env.action_space.n), dtype=bool)


class Unmasked(gymnasium.Wrapper[Any, Any, Any, Any]):
    """The environment without any mask: every action is allowed, present or not."""

    def action_masks(self) -> np.ndarray[Any, Any]:
        """(A,) all True."""
        return np.ones(int(self.action_space.n), dtype=bool)  # type: ignore[attr-defined]
