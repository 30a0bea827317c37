"""``causalnet train``: any environment by an action map, resumed to the same result, with errors that are sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cascade import CHAIN, REVERSED
from typer.testing import CliRunner

import causalnet as cn
from causalnet.cli.app import app
from causalnet.representation.action_map import ActionMap, Presence, read_action_map
from causalnet.training.environment import Plan, build
from causalnet.training.session import train

pytest.importorskip("torch")
NAMES = list(CHAIN.nodes) * 4
MODULE = '''
import gymnasium
from cascade import Cascade


class Network(gymnasium.Env):
    """Without attributes that name variables; one more action does nothing."""

    def __init__(self, spare=0):
        self.inner = Cascade()
        self.observation_space = self.inner.observation_space
        self.action_space = gymnasium.spaces.Discrete(13)

    def reset(self, *, seed=None, options=None):
        return self.inner.reset(seed=seed)

    def step(self, action):
        if action == 12:
            return self.inner._read()[0], -1.0, False, False, self.inner._read()[1]
        return self.inner.step(action)


def who(obs):
    return obs.reshape(4, 3).any(axis=0)


gymnasium.register("Network-v0", Network, max_episode_steps=20)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import gymnasium

    (tmp_path / "my_network.py").write_text(MODULE)
    (tmp_path / "graph.json").write_text(CHAIN.to_json())
    (tmp_path / "actions.json").write_text(json.dumps({"actions": [*NAMES, None], "observation": NAMES}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    import sys

    sys.modules.pop("my_network", None)
    gymnasium.registry.pop("Network-v0", None)


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["train", *words])


def plan(**more: Any) -> Plan:
    told = {"actions": ActionMap((*NAMES, None), tuple(NAMES), (*range(12), None)), "graph": CHAIN, **more}
    return Plan("my_network:Network-v0", **told)


def test_the_command_trains_and_tells(folder: Path) -> None:
    words = ["my_network:Network-v0", "--graph", "graph.json", "--actions", "actions.json", "--episodes", "4"]
    done = run(*words, "--out", "run", "--json", "--evaluate", "5")
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert summary["episodes"] == 4 and summary["resumed_at"] == 0
    assert set(summary["evaluation"]) == {"agent", "uniform_in_mask", "uniform"}
    assert summary["agent_acts"] == "drawn"  # ppo
    assert set(summary["evaluation"]["agent"]["return"]) >= {"mean", "low", "high", "iqm", "n"}
    assert {p.name for p in (folder / "run").iterdir()} == {
        ".lock",
        "run.json",
        "episodes.csv",
        "agent.npz",
        "summary.json",
    }
    assert len((folder / "run" / "episodes.csv").read_text().splitlines()) == 5
    again = run(*words, "--out", "run", "--evaluate", "0")
    assert again.exit_code == 0 and "4 episodes" in again.stdout and "nothing was learned" in again.stdout
    other = run(*words, "--out", "run", "--k", "2")
    assert other.exit_code == 2 and "other k (k: 1 there, 2 here)" in " ".join(other.output.split())


def test_the_help_tells_the_files(tmp_path: Path) -> None:
    told = run("--help").stdout
    assert "causalnet discover data.csv --out g.json" in " ".join(told.split())
    (tmp_path / "a.json").write_text(told[told.index('{"actions"') : told.index("null]}") + 6].replace("│", ""))
    table = told[told.index("action,variable,entry") :].splitlines()
    (tmp_path / "a.csv").write_text("\n".join(line.strip() for line in table if "," in line))
    one, two = read_action_map(tmp_path / "a.json"), read_action_map(tmp_path / "a.csv")
    assert one.actions == two.actions == ("power", "link", None) and one.entries == two.entries == (0, 1, None)


@pytest.mark.parametrize("learner", ["ppo", "dqn", "d3qn"])
def test_a_resumed_run_is_the_whole_run(folder: Path, learner: str) -> None:
    settings = {"n_steps": 32} if learner == "ppo" else {"random_steps": 20, "batch_size": 8}
    one = plan(learner=learner, settings=settings, eta=0.2)
    whole = train(one, 6, folder / "whole", evaluate_episodes=3)
    train(one, 2, folder / "parts", evaluate_episodes=0)
    parts = train(one, 6, folder / "parts", evaluate_episodes=3)
    assert parts["resumed_at"] == 2
    assert parts["evaluation"] == whole["evaluation"] and parts["steps"] == whole["steps"]
    assert columns(folder / "whole") == columns(folder / "parts")


def columns(out: Path) -> list[tuple[str, str]]:
    import csv

    with (out / "episodes.csv").open() as file:
        return [(row["rollout/return"], row["rollout/length"]) for row in csv.DictReader(file)]


def test_a_killed_run_goes_on_from_its_last_checkpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import causalnet.training.session as module

    whole = train(plan(), 5, folder / "whole", evaluate_episodes=2)
    monkeypatch.setattr(module, "SAVE_SECONDS", 0.0)
    real, calls = module._Log.write, []

    def killed(self: Any, scalars: Any) -> None:
        real(self, scalars)
        calls.append(scalars)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(module._Log, "write", killed)
    words = ["my_network:Network-v0", "--graph", "graph.json", "--episodes", "5"]
    (folder / "full.json").write_text(
        json.dumps({"actions": [*NAMES, None], "observation": NAMES, "entries": [*range(12), None]})
    )
    stopped = run(*words, "--actions", "full.json", "--out", "cut")
    assert stopped.exit_code == 130 and "run the same command again" in stopped.output
    done = train(plan(), 5, folder / "cut", evaluate_episodes=2)
    assert done["resumed_at"] == 3 and done["evaluation"] == whole["evaluation"]
    assert columns(folder / "cut") == columns(folder / "whole")


def test_masks_by_the_map(folder: Path) -> None:
    env = build(plan())
    obs, info = env.reset(seed=0)
    first = CHAIN.nodes.index("power")
    expected = np.append((obs > 0) & (np.tile(np.arange(3), 4) == first), True)  # and doing nothing
    assert np.array_equal(info["action_mask"], expected)
    env = build(plan(graph=REVERSED, present="my_network:who", actions=ActionMap((*NAMES, None))))
    _, info = env.reset(seed=0)
    assert np.array_equal(np.flatnonzero(info["action_mask"]), [2, 5, 8, 11, 12])
    presence = build(plan(graph=None))
    obs, info = presence.reset(seed=0)
    assert np.array_equal(info["action_mask"], np.append(obs > 0, True))


def test_environments_that_name_their_variables_need_no_map(tmp_path: Path) -> None:
    told = {"instance": 1, "n_devices": 6}
    env = build(Plan("causalnet/FaultAlarm-v0", make=told))
    assert not hasattr(env, "mask")
    graph = env.unwrapped.instance.graph
    summary = train(Plan("causalnet/FaultAlarm-v0", graph=graph, make=told), 2, tmp_path / "run", evaluate_episodes=3)
    assert summary["evaluation"]["uniform_in_mask"]["return"]["n"] == 3
    assert build(Plan("CartPole-v1")).action_space.n == 2


# ---- maps ---------------------------------------------------------------------------------------------------


def test_maps_in_json_and_csv_agree(tmp_path: Path) -> None:
    listed, numbered, table = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "c.csv"
    listed.write_text(json.dumps({"actions": ["a", "b", None], "entries": [0, 1, None]}))
    numbered.write_text(json.dumps({"actions": {"1": "b", "0": "a", "2": None}, "entries": [0, 1, None]}))
    table.write_text("action,variable,entry\n1,b,1\n0,a,0\n2,,\n")
    found = {read_action_map(path) for path in (listed, numbered, table)}
    assert found == {ActionMap(("a", "b", None), None, (0, 1, None))}


def test_presence_by_entries_and_observation() -> None:
    one = Presence(ActionMap(("a", "b")), ["b", "a"], 2, "positive")
    assert one.functions["present"] is None
    assert list(one.cells(np.array([1.0, -1.0]))) == [True, False]
    assert list(one.action_variables) == [1, 0]
    two = Presence(ActionMap(("a", "b"), ("b", None, "a")), ["a", "b"], 3)
    assert two.functions["cells"] is None
    assert list(two.present(np.array([0, 1, -1]))) == [True, False]
    with pytest.raises(cn.DataError, match="2 entries"):
        two.present(np.ones(2))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ("[]", 'no "actions"'),
        ('{"actions": ["a"], "observations": []}', "Did you mean 'observation'"),
        ('{"actions": ["a", 3]}', "3 at actions\\[1\\]"),
        ('{"actions": {"0": "a", "2": "b"}}', "leaves out number 1"),
        ('{"actions": [null]}', "no action a variable"),
        ('{"actions": "a"}', "no list"),
        ('{"actions": ["a"], "entries": [0, 1]}', "1 actions and 2 entries"),
    ],
)
def test_wrong_json_maps_are_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "map.json").write_text(text)
    with pytest.raises(cn.DataError, match=words):
        read_action_map(tmp_path / "map.json")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("number,variable\n0,a\n", "needs action and variable"),
        ("action,variable\nx,a\n", "line 2"),
        ("action,variable\n0,a\n0,b\n", "line 3: action 0 stands there twice"),
        ("action,variable\n0,a\n2,b\n", "leaves out number 1"),
    ],
)
def test_wrong_csv_maps_are_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "map.csv").write_text(text)
    with pytest.raises(cn.DataError, match=words):
        read_action_map(tmp_path / "map.csv")


@pytest.mark.parametrize(
    ("told", "n_obs", "words"),
    [
        (ActionMap(("a", "c")), 2, "'c', no variable"),
        (ActionMap(("a", "b")), 3, "what shows what"),
        (ActionMap(("a", "b"), ("a",)), 2, "1 observation entries of 2"),
        (ActionMap(("a", "b"), None, (0, 2)), 2, "entry 2; there are 0 to 1"),
    ],
)
def test_maps_that_do_not_fit_are_told(told: ActionMap, n_obs: int, words: str) -> None:
    with pytest.raises(cn.CausalnetError, match=words):
        Presence(told, ["a", "b"], n_obs)


# ---- wrong plans --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["Netwrk-v0"], "no environment 'Netwrk-v0' is registered"),
        (["nowhere:Env-v0"], "cannot be imported"),
        (["CartPole-v1", "--learner", "sac"], "no learner 'sac'"),
        (["CartPole-v1", "--make", "size=3"], "--make"),
        (["CartPole-v1", "--make", "size"], "write --make name=value"),
        (["CartPole-v1", "--set", "learning_rate=1"], "no setting 'learning_rate'"),
        (["CartPole-v1", "--set", "lr=abc"], "lr is 'abc', and must be a finite number"),
        (["CartPole-v1", "--seed", "-1"], "seed is -1, and must be a whole number from 0 up"),
        (["CartPole-v1", "--set", "seed=1"], "seed is no setting"),
        (["CartPole-v1", "--k", "2"], "belong to a graph"),
        (["CartPole-v1", "--present", "positive"], "belongs to an action map"),
        (["CartPole-v1", "--graph", "graph.json"], "--actions FILE"),
        (["CartPole-v1", "--graph", "none.json"], "no such file"),
        (["CartPole-v1", "--actions", "actions.json"], "13 actions"),
        (["CartPole-v1", "--actions", "none.json"], "cannot be read"),
        (["CartPole-v1", "--episodes", "0"], "from 1 up"),
        (["my_network:Network-v0", "--graph", "graph.json", "--actions", "actions.json", "--k", "0"], "whole number"),
        (["my_network:Network-v0", "--actions", "actions.json", "--present", "nonzro"], "nonzero, positive or module"),
        (["my_network:Network-v0", "--actions", "actions.json", "--present", "my_network:x"], "no function 'x'"),
        (["CartPole-v1", "--out", "graph.json"], "is a file"),
    ],
)
def test_wrong_options_are_sentences(folder: Path, words: list[str], told: str) -> None:
    done = run(*words, *([] if "--out" in words else ["--out", "run"]))
    assert done.exit_code == 2, done.output
    assert told in " ".join(done.output.split())
    assert not (folder / "run").exists()


def test_a_run_that_failed_at_once_does_not_block_its_folder(folder: Path) -> None:
    broken = MODULE.replace("def step(self, action):", "def step(self, action):\n        1 / self.spare")
    broken = broken.replace("self.inner = Cascade()", "self.inner, self.spare = Cascade(), spare")
    (folder / "my_network.py").write_text(broken)
    with pytest.raises(ZeroDivisionError):
        train(plan(), 1, folder / "run", evaluate_episodes=0)
    assert (folder / "run" / "run.json").is_file()
    assert train(plan(make={"spare": 1}), 1, folder / "run", evaluate_episodes=0)["episodes"] == 1
    with pytest.raises(cn.DataError, match=r"other make \(make: ."):
        train(plan(), 1, folder / "run")


def test_a_folder_of_something_else_is_left_alone(folder: Path) -> None:
    (folder / "run").mkdir()
    (folder / "run" / "agent.npz").write_text("mine")
    with pytest.raises(cn.DataError, match=r"without the run\.json"):
        train(Plan("CartPole-v1"), 1, folder / "run")
    (folder / "run" / "run.json").write_text("{}")
    with pytest.raises(cn.DataError, match="no record of such a run"):
        train(Plan("CartPole-v1"), 1, folder / "run")
    assert (folder / "run" / "agent.npz").read_text() == "mine"


def test_rows_of_episodes_after_the_last_checkpoint_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan("CartPole-v1", "dqn")
    train(plan, 3, tmp_path, evaluate_episodes=0)
    log = tmp_path / "episodes.csv"
    before = log.read_text()
    (tmp_path / "agent.npz").unlink()  # as if it had been killed before it was written
    with monkeypatch.context() as patch:
        patch.setattr(cn.DQN, "learn", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            train(plan, 3, tmp_path, evaluate_episodes=0)
    assert log.read_text() == before
    train(plan, 3, tmp_path, evaluate_episodes=0)
    assert log.read_text() == before
    assert train(plan, 4, tmp_path, evaluate_episodes=0)["resumed_at"] == 3
    assert log.read_text().startswith(before.splitlines()[0]) and len(log.read_text().splitlines()) == 5
