"""Learning by doing: a policy masked by the graph, and the graph learned from what the policy does.

Algorithm 1 of Cai et al., "Learning by Doing" (arXiv 2402.04869): each episode is played by a policy that may act only
on likely root causes of the current graph; every action is an intervention whose outcome goes to the online discovery;
after the episode the graph is learned anew, and the mask follows it.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ._files import write_atomic
from .agents import D3QN, DQN, PPO
from .backends import att_bic
from .errors import DataError, NotApplicable, UnknownNameError, nearest
from .graph import Graph
from .representation.mask import CausalMask

LEARNERS: dict[str, Any] = {"ppo": PPO, "dqn": DQN, "d3qn": D3QN}


@dataclass(frozen=True)
class EpisodeRow:
    """One finished episode: what the policy got, and how right the graph was afterwards (None without a truth)."""

    episode: int
    total: float
    interventions: int
    mean_alarms: float
    cleared: bool
    edges: int | None = None
    f1: float | None = None
    precision: float | None = None
    recall: float | None = None


COLUMNS = ["return" if f.name == "total" else f.name for f in fields(EpisodeRow)]


@dataclass
class OnlineRun:
    """What is left after learning: the agent, its masked environment, the discovery's state, and the episodes."""

    agent: Any
    env: CausalMask
    state: Any
    rows: list[EpisodeRow] = field(default_factory=list)

    @property
    def graph(self) -> Graph | None:
        """The graph that the mask uses now; None when it only asks for presence."""
        return None if self.env.mask is None else self.env.mask.graph


def learn_by_doing(
    env: Any,
    learner: str = "ppo",
    *,
    discovery: Any | None = None,
    graph: Any | None = None,
    k: Any = 1,
    episodes: int = 300,
    explore: Callable[[int, int], float] | None = None,
    truth: Graph | None = None,
    seed: int = 0,
    seconds: float | None = None,
    folder: str | Path | None = None,
    checkpoint_every: int = 50,
    on_episode: Callable[[EpisodeRow], None] | None = None,
    **options: Any,
) -> OnlineRun:
    """Maximise the expected return of a masked policy while its graph is learned from its own interventions.

    env: a Gymnasium environment whose ``unwrapped`` has ``counts(obs)`` (units x variables), ``action_units`` and
    ``action_variables``; ``started`` and ``cleared`` in its info are used where they are there, as in
    ``causalnet/FaultAlarm-v0``. seconds: what a step takes; None asks ``env.unwrapped.instance.rules.window``. discovery: a state of
    :mod:`causalnet.backends.att_bic`; None keeps ``graph`` (None: presence only; or a mask function). k: how many
    variables of the causal order the mask keeps. explore: share of the steps of the next episode that are masked by
    presence alone (the paper's epsilon-causal ratio), from the numbers of episodes and steps so far. truth: scores the graph in the rows; nothing is learned from it.
    folder: rows and checkpoints are kept there, and the same call goes on from the last one, to the bit; another call
    is refused.
    options: hyper-parameters of the agent.
    """
    if learner not in LEARNERS:
        raise UnknownNameError(
            f"there is no learner {learner!r}.{nearest(learner, LEARNERS) or ' Write ppo, dqn or d3qn.'}"
        )
    if discovery is not None and graph is not None:
        raise DataError("give discovery=, a state that learns the graph, or graph=, which stays; not both")
    core = env.unwrapped
    missing = [name for name in ("counts", "action_units", "action_variables") if not hasattr(core, name)]
    if missing:
        raise NotApplicable(
            f"learn_by_doing reads {', '.join(missing)} of env.unwrapped, and {type(core).__name__} has none: "
            "counts(obs) -> (units, variables), and for every action its unit and its variable"
        )
    if seconds is None:
        seconds = float(core.instance.rules.window) if hasattr(core, "instance") else 1.0
    masked = CausalMask(env, att_bic.graph(discovery) if discovery is not None else graph, k=k)
    run = OnlineRun(LEARNERS[learner](masked, seed=seed, **options), masked, discovery)
    told = {"learner": learner, "seed": seed, "k": k, "seconds": seconds, "options": options}
    about = {"variables": list(core.variables), "units": len(set(np.asarray(core.action_units).tolist()))}
    start = run.graph if discovery is None else None
    fixed = {"discovers": discovery is not None, "edges": None if start is None else start.adj.astype(int).tolist()}
    saved = None if folder is None else _Saved(Path(folder), {**told, **about, **fixed})
    if saved is not None:
        saved.restore(run, LEARNERS[learner])
    watch = _Watch(run, truth, explore, on_episode, saved, seconds)
    while len(run.rows) < episodes:
        many = min(checkpoint_every - len(run.rows) % checkpoint_every, episodes - len(run.rows))
        run.agent.learn(episodes=many, on_step=watch.step, on_episode=watch.episode)
        if saved is not None:
            saved.keep(run)
    return run


class _Watch:
    """Feeds every step to the discovery, and every finished episode to the mask and to the rows."""

    def __init__(
        self,
        run: OnlineRun,
        truth: Graph | None,
        explore: Callable[[int, int], float] | None,
        on_episode: Callable[[EpisodeRow], None] | None,
        saved: _Saved | None,
        seconds: float,
    ) -> None:
        self.seconds, self.start = seconds, int(run.env.action_space.start)
        self.run, self.truth, self.explore, self.on_episode, self.saved = run, truth, explore, on_episode, saved
        self.core = run.env.unwrapped
        self.alarms: list[float] = []
        self._set_exploration()

    def step(self, step: Any) -> None:
        """One intervention: what was there, what was repaired, what started and what ended."""
        info, action = step.info, int(step.action) - self.start
        after = self.core.counts(step.next_obs)
        self.alarms.append(float(np.sum(after)))
        if self.run.state is not None:
            self.run.state = att_bic.step(
                self.run.state,
                before=self.core.counts(step.obs),
                after=after,
                started=info.get("started"),
                cleared=info.get("cleared"),
                unit=int(self.core.action_units[action]),
                variable=int(self.core.action_variables[action]),
                seconds=self.seconds,
            )

    def episode(self, episode: Any) -> None:
        """The graph follows what the episode showed, the mask follows the graph."""
        graph = None
        if self.run.state is not None:
            graph = att_bic.graph(self.run.state)
            self.run.env.update(graph)
        elif self.run.env.mask is not None:
            graph = self.run.env.mask.graph
        told = _directed(self.truth, graph) if self.truth is not None and graph is not None else {}
        row = EpisodeRow(
            episode=len(self.run.rows),
            total=float(episode.return_),
            interventions=int(episode.length),
            mean_alarms=float(np.mean(self.alarms)),
            cleared=bool(self.alarms[-1] == 0),
            edges=None if graph is None else int(graph.adj.sum()),
            f1=told.get("f1"),
            precision=told.get("precision"),
            recall=told.get("recall"),
        )
        self.run.rows.append(row)
        self.alarms = []
        self._set_exploration()
        if self.saved is not None:
            self.saved.write(self.run.rows[-1])
        if self.on_episode is not None:
            self.on_episode(row)

    def _set_exploration(self) -> None:
        if self.explore is not None:
            steps = sum(row.interventions for row in self.run.rows)
            self.run.env.eta = float(self.explore(len(self.run.rows), steps))


def _directed(truth: Graph, graph: Graph) -> dict[str, float]:
    """F1, precision and recall of directed edges, as in metrics.score, which does much more."""
    learned = graph.align(truth.nodes).directed
    right, found, wanted = int((truth.directed & learned).sum()), int(learned.sum()), int(truth.directed.sum())
    empty = float(found == wanted == 0)
    return {
        "f1": 2 * right / (found + wanted) if found + wanted else empty,
        "precision": right / found if found else empty,
        "recall": right / wanted if wanted else empty,
    }


class _Saved:
    """A folder with settings.json, episodes.csv (a row as soon as its episode ends) and the newest whole checkpoint.

    A run that is killed goes on from the checkpoint; the episodes between it and the end are played again, to the bit.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.table = folder, folder / "episodes.csv"
        folder.mkdir(parents=True, exist_ok=True)
        path, text = folder / "settings.json", json.dumps(settings, default=str) + "\n"
        if path.exists():
            old, new = json.loads(path.read_text(encoding="utf-8")), json.loads(text)
            odd = [name for name in new if old.get(name) != new[name]]
            if odd:
                raise DataError(
                    f"{folder} holds a run with other {', '.join(odd)}; repeat its call to go on, or choose another folder"
                )
        elif any(folder.iterdir()):
            raise DataError(f"{folder} holds other files; give learn_by_doing an empty folder, or one of its own")
        else:
            write_atomic(path, text)

    def write(self, row: EpisodeRow) -> None:
        """Append one episode."""
        new = not self.table.exists()
        with self.table.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, _cells(row)] if new else [_cells(row)])

    def rewrite(self, rows: list[EpisodeRow]) -> None:
        """Replace episodes.csv whole."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *map(_cells, rows)])
        write_atomic(self.table, text.getvalue())

    def keep(self, run: OnlineRun) -> None:
        """Write a checkpoint beside the last one, then remove the last one."""
        draft, final = self.folder / "checkpoint.part", self.folder / f"checkpoint-{len(run.rows):06d}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        run.agent.save(draft / "agent.npz")
        if run.state is not None:
            att_bic.save(run.state, draft / "discovery.npz")
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        for old in self._checkpoints()[:-1]:
            shutil.rmtree(old)

    def restore(self, run: OnlineRun, learner: Any) -> None:
        """Bring ``run`` to the newest checkpoint, and episodes.csv with it."""
        found = self._checkpoints()
        if not found:
            self.table.unlink(missing_ok=True)
            return
        done = int(found[-1].name.split("-")[1])
        with self.table.open(newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        if len(lines) < done:
            raise DataError(f"{self.table} has {len(lines)} episodes, and {found[-1].name} was taken after {done}; "
                            f"choose another folder, or remove this one to start again")  # fmt: skip
        run.rows = [_row(line) for line in lines[:done]]  # a last line may be torn
        self.rewrite(run.rows)
        if run.state is not None:
            run.state = att_bic.load(found[-1] / "discovery.npz")
            run.env.update(att_bic.graph(run.state))
        run.agent = learner.load(found[-1] / "agent.npz", run.env)

    def _checkpoints(self) -> list[Path]:
        return sorted(self.folder.glob("checkpoint-[0-9]*"))


def _cells(row: EpisodeRow) -> list[Any]:
    return ["" if v is None else v for v in (getattr(row, f.name) for f in fields(row))]


def _row(text: dict[str, str]) -> EpisodeRow:
    """An episode as read back from episodes.csv."""
    whole = {k: int(text[k]) for k in ("episode", "interventions")}
    maybe: dict[str, Any] = {k: float(text[k]) if text[k] else None for k in ("f1", "precision", "recall")}
    edges = int(text["edges"]) if text["edges"] else None
    return EpisodeRow(
        total=float(text["return"]), mean_alarms=float(text["mean_alarms"]), cleared=text["cleared"] == "True",
        edges=edges, **whole, **maybe,
    )  # fmt: skip
