"""Train an agent on any Gymnasium environment under the mask of a graph, resumably, and put controls beside it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..agents.logging import EPISODE, CsvLogger
from ..base.asked import asks
from ..base.checks import whole
from ..storage.files import write_atomic
from ..storage.folder import RunFolder, alone_in
from .environment import FORMAT, Plan, build, learner_class

SAVE_SECONDS = 5.0  # a killed run repeats at most so much work; what it repeats comes out the same


@asks()
def train(
    plan: Plan, episodes: int, out: str | Path, *, evaluate_episodes: int = 20, progress: bool = False
) -> dict[str, Any]:
    """Learn until there are ``episodes`` episodes in all, evaluate, and return the summary.

    Leaves in ``out``: run.json (the plan), episodes.csv (a row an episode), agent.npz (the checkpoint that a second
    call goes on from) and summary.json. The controls of the summary are played on the same episodes without learning:
    ``uniform_in_mask`` draws any action of the graph's mask, ``uniform`` any that is allowed without the graph. The
    agent plays as it learned to act, told by ``agent_acts``: PPO's are "drawn", DQN and D3QN take the "best".
    """
    out = Path(out)
    whole("episodes", episodes, 1)
    whole("evaluate", evaluate_episodes, 0)
    env, record = build(plan), plan.record()
    agent = learner_class(plan.learner)(env, seed=plan.seed, **plan.settings)  # wrong settings: an error, and no folder
    with alone_in(out):
        folder, checkpoint = RunFolder(out, "run.json", FORMAT), out / "agent.npz"
        failed = not checkpoint.exists() and folder.told() is not None and _lines(out / "episodes.csv") < 2
        if failed or not folder.holds(record, foreign=("agent.npz", "episodes.csv")):  # failed: before an episode ended
            folder.tell(record)
        if checkpoint.is_file():
            agent = type(agent).load(checkpoint, env)
        started, resumed = time.monotonic(), agent.episodes
        if resumed < episodes:
            agent.learn(episodes - resumed, log=_Log(agent, out / "episodes.csv", checkpoint), progress=progress)
            agent.save(checkpoint)
        summary = {
            **record,
            "episodes": agent.episodes,
            "steps": agent.steps,
            "resumed_at": resumed,
            "seconds": round(time.monotonic() - started, 3),
            **(_evaluation(plan, agent, env, evaluate_episodes) if evaluate_episodes else {}),
        }
        write_atomic(out / "summary.json", json.dumps(summary, indent=1) + "\n")
    return summary


class _Log(CsvLogger):
    """Writes the row of an episode, and then the checkpoint that has it, the latter at most once in SAVE_SECONDS.

    Rows of episodes that a killed run finished after its last checkpoint stay: those episodes are played again, and come out
    the same.
    """

    def __init__(self, agent: Any, path: Path, checkpoint: Path) -> None:
        super().__init__(path, sys.maxsize)
        self._again = sum(row[EPISODE] > agent.episodes for row in self._file.read().rows)
        self._agent, self._checkpoint, self._last = agent, checkpoint, time.monotonic()

    def write(self, scalars: Mapping[str, float]) -> None:
        """Called by ``learn`` after every episode."""
        if self._again:
            self._again -= 1
        else:
            super().write(scalars)
        if time.monotonic() - self._last >= SAVE_SECONDS:
            self._agent.save(self._checkpoint)
            self._last = time.monotonic()


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else 0


def _evaluation(plan: Plan, agent: Any, env: Any, episodes: int) -> dict[str, Any]:
    """Return and length of the agent and its controls, on the same fresh episodes."""
    from ..stats.intervals import summarize
    from .controls import uniform
    from .evaluation import evaluate

    if env.has_wrapper_attr("eta"):
        env.set_wrapper_attr("eta", 0.0)  # no exploration while evaluating
    players: dict[str, tuple[Any, Any]] = {"agent": (agent, env)}
    if plan.graph is not None:
        players["uniform_in_mask"] = (uniform, env)
    players["uniform"] = (uniform, build(plan, presence_only=True))
    found: dict[str, Any] = {}
    for name, (policy, where) in players.items():
        frame = evaluate(policy, where, episodes, mode="own")
        told = {column: summarize(frame[column]) for column in ("return", "interventions")}
        found[name] = {key: {k: _finite(v) for k, v in values.items()} for key, values in told.items()}
    return {"agent_acts": "best" if agent.DETERMINISTIC else "drawn", "evaluation": found}


def _finite(value: float) -> float | None:
    return value if value == value else None
