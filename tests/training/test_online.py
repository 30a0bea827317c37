"""The loop of acting and discovering: it resumes to the bit, loses no episode, and says what is wrong."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

pytest.importorskip("torch")

import causalnet as cn
import causalnet.envs
from causalnet.backends import att_bic
from causalnet.storage.folder import alone_in
from causalnet.training import by_doing
from causalnet.training.by_doing import OnlineRun, learn_by_doing

CODE = """
import gymnasium, sys, causalnet.envs
from causalnet.backends import att_bic
from causalnet.training.by_doing import learn_by_doing
env = gymnasium.make("causalnet/FaultAlarm-v0", instance=3, n_devices=6)
core = env.unwrapped
state = att_bic.init(core.variables, core.instance.devices, topology=core.instance.topology, rng=0)
learn_by_doing(env, "dqn", discovery=state, episodes=100_000, checkpoint_every=2, folder=sys.argv[1], random_steps=30)
"""


def small(**more: Any) -> gymnasium.Env[Any, Any]:
    return gymnasium.make("causalnet/FaultAlarm-v0", instance=3, n_devices=6, **more)


def play(episodes: int, folder: Path | None, learner: str = "dqn", every: int = 2) -> OnlineRun:
    env = small()
    core: Any = env.unwrapped
    state = att_bic.init(core.variables, core.instance.devices, topology=core.instance.topology, rng=0)
    options: dict[str, Any] = {"n_steps": 32} if learner == "ppo" else {"random_steps": 30}
    return learn_by_doing(
        env,
        learner,
        discovery=state,
        episodes=episodes,
        checkpoint_every=every,
        folder=folder,
        truth=core.instance.graph,
        explore=lambda n, steps: float(n < 3),
        **options,
    )


@pytest.mark.parametrize("learner", ["ppo", "d3qn"])
def test_resuming_gives_the_same_run_to_the_bit(tmp_path: Path, learner: str) -> None:
    whole = play(8, None, learner)
    play(5, tmp_path, learner)  # stops between checkpoints: its last one is after 5 episodes all the same
    parts = play(8, tmp_path, learner)
    assert parts.rows == whole.rows
    assert parts.graph is not None and whole.graph is not None
    np.testing.assert_array_equal(parts.graph.adj, whole.graph.adj)
    assert set(parts.agent.network.weights) == set(whole.agent.network.weights)
    for name, tensor in whole.agent.network.weights.items():
        np.testing.assert_array_equal(parts.agent.network.weights[name].detach().numpy(), tensor.detach().numpy())
    lines = (tmp_path / "episodes.csv").read_text().splitlines()
    assert len(lines) == 9 and lines[0].startswith("episode,return,interventions,mean_alarms,cleared,edges,f1")


def test_the_graph_and_the_policy_get_better() -> None:
    run = play(40, None, "ppo", every=40)
    assert run.rows[-1].f1 is not None and run.rows[-1].f1 > 0.5
    assert np.mean([r.interventions for r in run.rows[-10:]]) < np.mean([r.interventions for r in run.rows[:3]])
    assert all(r.cleared for r in run.rows[-5:])


def test_a_kill_loses_no_finished_episode(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", CODE, str(tmp_path)], stderr=subprocess.PIPE)
    table, deadline = tmp_path / "episodes.csv", time.monotonic() + 120
    while time.monotonic() < deadline and not (table.exists() and table.read_text().count("\n") > 7):
        assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = table.read_text().splitlines()
    kept = kept if table.read_text().endswith("\n") else kept[:-1]
    env = small()
    core: Any = env.unwrapped
    state = att_bic.init(core.variables, core.instance.devices, topology=core.instance.topology, rng=0)
    learn_by_doing(
        env, "dqn", discovery=state, episodes=len(kept), checkpoint_every=2, folder=tmp_path, random_steps=30
    )
    assert table.read_text().splitlines()[: len(kept)] == kept


def test_finished_episodes_stay_while_they_are_played_again(tmp_path: Path) -> None:
    def stop_after(episode: int) -> Any:
        def stop(row: Any) -> None:
            if row.episode == episode:
                raise KeyboardInterrupt

        return stop

    def go(folder: Path, last: int | None) -> list[str]:
        env = small()
        core: Any = env.unwrapped
        state = att_bic.init(core.variables, core.instance.devices, topology=core.instance.topology, rng=0)
        stop = None if last is None else stop_after(last)
        how: dict[str, Any] = {"discovery": state, "episodes": 5, "checkpoint_every": 4, "random_steps": 30}
        with contextlib.suppress(KeyboardInterrupt):
            learn_by_doing(env, "dqn", folder=folder, on_episode=stop, **how)
        return (folder / "episodes.csv").read_text().splitlines()[1:]

    whole = go(tmp_path / "whole", None)
    for last, rows in ((2, 3), (0, 3), (None, 5)):  # before the first checkpoint, and then still earlier
        assert go(tmp_path / "cut", last) == whole[:rows]
    (tmp_path / "odd").mkdir()
    go(tmp_path / "odd", 2)
    text = (tmp_path / "odd" / "episodes.csv").read_text()
    (tmp_path / "odd" / "episodes.csv").write_text(text.replace(whole[1], whole[1].replace(",True,", ",False,")))
    assert go(tmp_path / "odd", None) == whole


def test_fixed_masks_and_bad_input(tmp_path: Path) -> None:
    env = small()
    truth = env.unwrapped.instance.graph  # type: ignore[attr-defined]
    run = learn_by_doing(env, "ppo", graph=truth, episodes=2, truth=truth)
    assert run.state is None and run.graph is not None and run.rows[0].f1 == 1.0
    assert learn_by_doing(small(), "ppo", episodes=1).graph is None
    with pytest.raises(cn.UnknownNameError, match="no learner 'pp'"):
        learn_by_doing(small(), "pp")
    with pytest.raises(cn.DataError, match="not both"):
        learn_by_doing(env, graph=truth, discovery=object())
    other = cn.Graph(("a", "b"), np.zeros((2, 2), dtype=bool))
    with pytest.raises(cn.UnknownNameError, match="not the environment's variables"):
        learn_by_doing(env, graph=other)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "episodes.csv").write_text("precious\n")
    with pytest.raises(cn.DataError, match=r"holds episodes.csv without the settings.json"):
        play(1, tmp_path / "mine")
    assert (tmp_path / "mine" / "episodes.csv").read_text() == "precious\n"
    with pytest.raises(
        cn.NotApplicable, match=r"reads action_units, action_variables, counts, variables.*or give variables"
    ):
        learn_by_doing(gymnasium.make("CartPole-v1"))
    tmp_path = tmp_path / "run"
    play(2, tmp_path)
    with (tmp_path / "episodes.csv").open("a") as file:
        file.write("2,-1.0")  # torn by a kill
    assert len(play(3, tmp_path).rows) == 3
    with pytest.raises(cn.DataError, match="other learner, options"):
        play(4, tmp_path, "ppo")
    (tmp_path / "episodes.csv").write_text("episode\n")
    with pytest.raises(cn.DataError, match="other columns"):
        play(4, tmp_path)
    (tmp_path / "episodes.csv").write_text(",".join(by_doing.COLUMNS) + "\n")
    with pytest.raises(cn.DataError, match="was taken after 3"):
        play(4, tmp_path)


def test_a_discovery_of_something_else_and_a_busy_folder_are_refused(tmp_path: Path) -> None:
    core: Any = small().unwrapped
    wired = {"topology": core.instance.topology}
    turned = att_bic.init(core.variables[::-1], core.instance.devices, **wired)
    with pytest.raises(cn.DataError, match="variables are not the environment's"):
        learn_by_doing(small(), discovery=turned, episodes=1)
    moved = att_bic.init(core.variables, core.instance.devices[::-1], **wired)
    with pytest.raises(cn.DataError, match="units are not the environment's"):
        learn_by_doing(small(), discovery=moved, episodes=1)
    with pytest.raises(cn.NotApplicable, match="a state of an online backend"):
        learn_by_doing(small(), discovery="att-bic", episodes=1)
    with pytest.raises(cn.DataError, match=r"episodes is .*, and must be a whole number"):
        learn_by_doing(small(), episodes=0)
    with pytest.raises(cn.DataError, match=r"explore is 0\.3, and must be a function"):
        learn_by_doing(small(), episodes=1, explore=0.3)  # type: ignore[arg-type]
    with pytest.raises(cn.DataError, match=r"what explore gives for episode 0 holds a number that is 1\.5"):
        learn_by_doing(small(), episodes=1, explore=lambda episodes, steps: 1.5)
    play(2, tmp_path)
    other = gymnasium.make("causalnet/FaultAlarm-v0", instance=4, n_devices=6)
    with pytest.raises(cn.DataError, match="other network"):
        learn_by_doing(
            other,
            "dqn",
            episodes=3,
            folder=tmp_path,
            random_steps=30,
            discovery=att_bic.init(core.variables, core.instance.devices, **wired),
        )
    with alone_in(tmp_path), pytest.raises(cn.DataError, match="another run is writing"):
        play(3, tmp_path)
    (tmp_path / "episodes.csv").unlink()
    with pytest.raises(cn.DataError, match="a checkpoint and no"):
        play(3, tmp_path)


def test_scores_are_those_of_the_metrics() -> None:
    rng = np.random.default_rng(0)
    for density in (0.0, 0.1, 0.5):
        a, b = (cn.Graph(tuple("abcde"), np.triu(rng.random((5, 5)) < d, 1)) for d in (density, 0.4))
        want = cn.score(a, b)
        assert by_doing._directed(a, b) == pytest.approx({k: want[k] for k in ("f1", "precision", "recall")})
