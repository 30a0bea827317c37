"""Learning by doing: a policy masked by the graph, and the graph learned from what the policy does.

Algorithm 1 of Cai et al., "Learning by Doing" (arXiv 2402.04869): each episode is played by a policy that may act only
on likely root causes of the current graph; every action is an intervention whose outcome goes to the online discovery;
after the episode the graph is learned anew, and the mask follows it. The discovery is any online backend.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..base.asked import asks
from ..base.checks import function, number, numbers, whole
from ..discovery.online import OnlineState
from ..envs.actions import finite_env
from ..envs.protocols import HasFingerprint
from ..errors import DataError, NotApplicable
from ..graph import Graph
from ..representation.mask import CausalMask
from ..storage.folder import alone_in
from .environment import learner_class
from .episodes import COLUMNS, EpisodeRow, Saved
from .sight import Sight

MASKING = (
    "cost",
    "gate",
    "variables",
    "action_variables",
    "present",
    "cells",
    "empty",
    "eta",
    "obs_dict",
    "top_units",
)  # arguments of CausalMask
__all__ = ["COLUMNS", "EpisodeRow", "OnlineRun", "learn_by_doing"]


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


@asks("folder", "on_episode", "truth")
def learn_by_doing(
    env: Any,
    learner: str = "ppo",
    *,
    discovery: Any | None = None,
    graph: Any | None = None,
    k: Any = "roots",
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

    env: any Gymnasium environment that a CausalMask takes: its ``unwrapped`` is
    :class:`causalnet.envs.protocols.ActsOnVariables`, or variables, action_variables, and present or cells are given.
    ``started`` and ``cleared`` in its info are used where they are there, as in ``causalnet/FaultAlarm-v0``.
    seconds: what a step takes; None asks ``env.unwrapped.step_seconds``, and takes 1 where that is not told.
    discovery: a state of an online backend (:mod:`causalnet.discovery.online`), such as ``att_bic.init(...)``; None keeps
    ``graph`` (None: presence only; or a mask function). k: what the mask keeps, "roots" or how many variables of the
    causal order. explore: share of the steps of the next episode that are masked by
    presence alone (the paper's epsilon-causal ratio), from the numbers of episodes and steps so far. truth: scores the graph in the rows; nothing is learned from it.
    folder: rows and checkpoints are kept there, and the same call goes on from the last one, to the bit; another call
    is refused, and a run that is longer already stays as it is.
    options: hyper-parameters of the agent, and arguments of CausalMask by their names (cost, gate, variables,
    action_variables, present, cells, empty, eta, obs_dict, top_units). graph may be anything that CausalMask takes.
    """
    core = finite_env("learn_by_doing", env, several=discovery is None).unwrapped
    masking = {name: options.pop(name) for name in MASKING if name in options}
    agent = learner_class(learner)
    episodes, checkpoint_every = whole("episodes", episodes, 1), whole("checkpoint_every", checkpoint_every, 1)
    function("explore", explore, "episodes, steps", "a share in [0, 1]")
    function("on_episode", on_episode, "row")
    sight = Sight.of("learn_by_doing", core, env.action_space, masking)
    _check(discovery, graph, sight)
    seconds = sight.seconds if seconds is None else number("seconds", seconds, above=0.0)
    masked = CausalMask(env, graph if discovery is None else discovery.backend.graph(discovery), k=k, **masking)
    run = OnlineRun(agent(masked, seed=seed, **options), masked, discovery)
    told = {"learner": learner, "seed": seed, "k": k, "seconds": seconds, "options": options}
    told |= {"masking": {name: repr(value) for name, value in masking.items()}} if masking else {}
    with nullcontext() if folder is None else alone_in(Path(folder)):
        saved = None if folder is None else Saved(Path(folder), {**told, **_about(sight, run)})
        if saved is not None:
            saved.restore(run, agent)
        watch = _Watch(run, truth, explore, on_episode, saved, seconds, sight)
        while len(run.rows) < episodes:  # in stretches that end at a checkpoint
            many = min(checkpoint_every - len(run.rows) % checkpoint_every, episodes - len(run.rows))
            run.agent.learn(episodes=many, on_step=watch.step, on_episode=watch.episode)
            if saved is not None:
                saved.keep(run)
    return run


def _check(discovery: Any, graph: Any, sight: Sight) -> None:
    """Refuse a discovery and an environment that cannot learn together, in a sentence."""
    if discovery is None:
        return
    if graph is not None:
        raise DataError("give discovery=, a state that learns the graph, or graph=, which stays; not both")
    if not isinstance(discovery, OnlineState):
        raise NotApplicable(
            f"discovery is a state of an online backend, such as att_bic.init(...), got {type(discovery).__name__}"
        )
    setup = discovery.backend.setup(discovery)
    units = setup["units"] if sight.units is None or sight.rule is not None else sight.units
    for what, theirs in (("variables", sight.variables), ("units", tuple(map(str, units)))):
        ours = tuple(setup[what])
        if theirs != ours:
            raise DataError(
                f"the discovery's {what} are not the environment's, in its order: {', '.join(ours[:3])}, ... and "
                f"{', '.join(theirs[:3])}, ...; open its state with the environment's own"
            )


def _about(sight: Sight, run: OnlineRun) -> dict[str, Any]:
    """What a folder remembers of the network, of a fixed graph, and of the discovery."""
    told: dict[str, Any] = {"variables": list(sight.variables), "actions": len(sight.variable)}
    if isinstance(sight.core, HasFingerprint):
        told["network"] = sight.core.fingerprint
    if run.state is None:
        return {**told, "edges": None if run.graph is None else run.graph.adj.astype(int).tolist()}
    setup = run.state.backend.setup(run.state)
    return {
        **told,
        "discovery": {name: str(value) for name, value in setup.items() if name not in {"variables", "units"}},
    }


@dataclass
class _Watch:
    """Feeds every step to the discovery, and every finished episode to the mask and to the rows."""

    run: OnlineRun
    truth: Graph | None
    explore: Callable[[int, int], float] | None
    on_episode: Callable[[EpisodeRow], None] | None
    saved: Saved | None
    seconds: float
    sight: Sight
    alarms: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._set_exploration()

    def step(self, step: Any) -> None:
        """One intervention: what was there, what was repaired, what started and what ended."""
        info, sight, after = step.info, self.sight, self.sight.counts(step.next_obs)
        self.alarms.append(float(np.sum(after)))
        if self.run.state is not None:
            action = int(step.action) - int(self.run.env.action_space.start)
            acts = sight.variable[action] >= 0
            self.run.state = self.run.state.backend.step(
                self.run.state,
                before=sight.counts(step.obs),
                after=after,
                started=info.get("started"),
                cleared=info.get("cleared"),
                unit=int(sight.unit[action]) if acts else None,
                variable=int(sight.variable[action]) if acts else None,
                seconds=self.seconds,
            )

    def episode(self, episode: Any) -> None:
        """The graph follows what the episode showed, the mask follows the graph."""
        if self.run.state is not None:
            self.run.env.update(self.run.state.backend.graph(self.run.state))
        graph = self.run.graph
        told = _directed(self.truth, graph) if self.truth is not None and graph is not None else {}
        row = EpisodeRow(
            episode=len(self.run.rows),
            total=float(episode.return_),
            interventions=int(episode.length),
            mean_alarms=float(np.mean(self.alarms)),
            cleared=bool(self.alarms[-1] == 0),
            edges=None if graph is None else int(graph.adj.sum()),
            **told,
        )
        self.run.rows.append(row)
        self.alarms = []
        self._set_exploration()
        if self.saved is not None:
            self.saved.write(row)
        if self.on_episode is not None:
            self.on_episode(row)

    def _set_exploration(self) -> None:
        if self.explore is not None:
            steps = sum(row.interventions for row in self.run.rows)
            share = self.explore(len(self.run.rows), steps)
            self.run.env.eta = float(
                numbers(f"what explore gives for episode {len(self.run.rows)}", share, (), 0.0, 1.0)
            )


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
