"""Checkpoints of agents: going on to the bit, surviving a kill, and saying what is wrong with a file."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from agent_envs import Echo, Repair  # noqa: E402

from causalnet.agents import D3QN, DQN, PPO  # noqa: E402
from causalnet.envs import FaultAlarmEnv  # noqa: E402
from causalnet.errors import DataError, NotApplicable  # noqa: E402
from causalnet.storage import checkpoint  # noqa: E402

LEARNERS = [PPO, DQN, D3QN]
SETTINGS = {  # small rings and rollouts, so that one wraps around and the other is half full
    "PPO": {"n_steps": 48, "epochs": 3},
    "DQN": {"random_steps": 20, "buffer_size": 70},
    "D3QN": {"random_steps": 20, "buffer_size": 70},
}


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def everything(agent: Any, folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """All that a checkpoint holds."""
    return checkpoint.read(agent.save(folder / "everything.npz"))


def assert_same(a: Any, b: Any, folder: Path) -> None:
    (header, arrays), (other_header, others) = everything(a, folder), everything(b, folder)
    assert header == other_header and arrays.keys() == others.keys()
    for name, array in arrays.items():
        assert array.dtype == others[name].dtype and np.array_equal(array, others[name]), name


@pytest.mark.parametrize("cls", LEARNERS)
@pytest.mark.parametrize("env", [Repair, Echo])
@pytest.mark.parametrize("inputs", ["auto", "standard"])
def test_going_on_is_the_same_as_never_having_stopped(cls: Any, env: Any, inputs: str, tmp_path: Path) -> None:
    given = {**SETTINGS[cls.__name__], "inputs": inputs}
    episodes = 20 if env is Repair else 70
    whole = cls(env(), seed=4, **given).learn(episodes=episodes)
    first = cls(env(), seed=4, **given).learn(episodes=episodes // 2)
    if cls is PPO:
        assert 0 < (first.frames.action[: first.frames.used] >= 0).sum() < 48  # half full
    second = cls.load(first.save(tmp_path / "half.npz"), env()).learn(episodes=episodes - episodes // 2)
    assert whole.updates > 0 and whole.steps == second.steps
    assert_same(whole, second, tmp_path)


@pytest.mark.parametrize("cls", LEARNERS)
def test_predicting_between_does_not_change_learning(cls: Any, tmp_path: Path) -> None:
    a = cls(Repair(), seed=1, **SETTINGS[cls.__name__]).learn(episodes=10)
    b = cls(Repair(), seed=1, **SETTINGS[cls.__name__]).learn(episodes=5)
    obs = np.eye(30, dtype=np.float32)[3]
    assert {b.predict(obs, deterministic=False) for _ in range(5)} == {3}
    b._predict_rng = np.random.default_rng(0)
    a._predict_rng = np.random.default_rng(0)
    b.learn(episodes=5)
    assert_same(a, b, tmp_path)


CHILD = """
import sys
sys.path.insert(0, sys.argv[2])
from agent_envs import Repair
import torch
torch.set_num_threads(1)
from causalnet.agents import {cls}
{cls}(Repair(), seed=7, **{given}).learn(
    episodes=100_000, checkpoint=sys.argv[1], on_episode=lambda e: print(e.number + 1, flush=True) and None
)
"""


@pytest.mark.parametrize("cls", [PPO, D3QN])
def test_a_kill_loses_no_finished_episode(cls: Any, tmp_path: Path) -> None:
    """kill -9 at a random moment; then on from the file, in another process, as if nothing had happened."""
    file, given = tmp_path / "run.npz", SETTINGS[cls.__name__]
    code = CHILD.format(cls=cls.__name__, given=given)
    root = Path(__file__).parent
    command = [sys.executable, "-c", code, str(file), str(root)]
    env = {**os.environ, "PYTHONPATH": str(root.parent)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= 12:
                break
        time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        reported = 12 + sum(1 for _ in child.stdout)
    agent = cls.load(file, Repair())
    assert agent.episodes >= reported - 1  # the last one may have been reported just before its file was written
    assert_same(cls(Repair(), seed=7, **given).learn(episodes=agent.episodes + 3), agent.learn(episodes=3), tmp_path)


def test_a_failure_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.npz"
    agent = PPO(Repair(), seed=0, **SETTINGS["PPO"]).learn(episodes=2, checkpoint=file)
    before = file.read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_put", full)
    with pytest.raises(Exception, match=r"No space left.*make room"):
        agent.learn(episodes=1, checkpoint=file)
    assert file.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["run.npz"]


# ---- files that cannot be used -----------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return DQN(Repair(), seed=0, **SETTINGS["DQN"]).learn(episodes=4).save(tmp_path / "good.npz")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_cut_short(saved: Path, share: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match="cut short or damaged"):
        DQN.load(saved, Repair())


def test_a_flipped_bit_anywhere(saved: Path) -> None:
    """Wherever it is, either the error says so, or it hit a byte that means nothing and the agent is the same."""
    whole, rng = saved.read_bytes(), np.random.default_rng(0)
    good = DQN.load(saved, Repair())
    caught = 0
    for place in rng.integers(len(whole), size=40):
        broken = bytearray(whole)
        broken[place] ^= 1 << rng.integers(8)
        saved.write_bytes(broken)
        try:
            agent = DQN.load(saved, Repair())
        except DataError:
            caught += 1
        else:
            assert all(np.array_equal(a, agent.network.arrays[k]) for k, a in good.network.arrays.items())
    assert caught > 30


def rewritten(path: Path, change: Any) -> Path:
    """The file with a changed header."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    header = json.loads(arrays["header"].tobytes())
    change(header, arrays)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda h, a: h.update(version=99), "checkpoint version 99"),
        (lambda h, a: h.update(format="x"), "not written by an agent"),
        (lambda h, a: h.pop("counts"), "lacks a part"),
        (lambda h, a: h.pop("spaces"), "in which spaces it learned"),
        (lambda h, a: h.update(spaces=["a"]), "in which spaces it learned"),
        (lambda h, a: a["network.own"].fill(np.nan), "weight own holds NaN or infinity"),
        (lambda h, a: h["settings"].update(colour=3), "colour"),
        (lambda h, a: a.pop("network.own"), "lacks a part"),
        (lambda h, a: a.update({"network.own": np.zeros((2, 2), np.float32)}), "lacks a part"),
        (lambda h, a: a.pop("replay.reward"), "lacks a part"),
        (lambda h, a: a.update({"replay.x": a["replay.x"][:, :3]}), "lacks a part"),
    ],
)
def test_a_file_of_another_kind(saved: Path, change: Any, told: str) -> None:
    with pytest.raises((DataError, ValueError), match=told):
        DQN.load(rewritten(saved, change), Repair())


def test_another_class_another_environment_no_file(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds a DQN, not a D3QN; write DQN\.load"):
        D3QN.load(saved, Repair())
    with pytest.raises(NotApplicable, match="an agent needs a Gymnasium environment"):
        DQN.load(saved)
    with pytest.raises(DataError, match="'x' is no observation of the space"):
        DQN.load(saved, Repair()).predict("x")
    with pytest.raises(DataError, match="another environment: its observation"):
        DQN.load(saved, Repair(devices=7))
    with pytest.raises(DataError, match="another environment: its masked"):
        DQN.load(saved, Repair(masks=None))
    with pytest.raises(DataError, match="there is no checkpoint"):
        DQN.load(tmp_path / "none.npz", Repair())
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(DataError, match="no whole checkpoint"):
        DQN.load(tmp_path / "text.npz", Repair())
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as file:
        file.writestr("a.txt", "b")
    with pytest.raises(DataError, match="no whole checkpoint"):
        DQN.load(tmp_path / "zip.npz", Repair())


@pytest.mark.parametrize("name", ["variables", "action_variables", "action_units", "fingerprint"])
def test_another_environment_of_the_same_size(name: str, tmp_path: Path) -> None:
    """The same spaces, and the columns or actions mean something else."""

    def named() -> Repair:
        env = Repair()
        env.variables, env.fingerprint = tuple("abcde"), "rates"
        return env

    file, other = PPO(named(), seed=0, network="mlp").save(tmp_path / "named.npz"), named()
    setattr(other, name, getattr(other, name)[::-1])
    with pytest.raises(DataError, match=f"another environment of the same size: its .*{name}.* are not those of"):
        PPO.load(file, other)
    PPO.load(file, named())
    plain = named()
    delattr(plain, name)
    PPO.load(file, plain)  # an environment that does not tell
    PPO.load(PPO(plain, seed=0, network="mlp").save(tmp_path / "plain.npz"), other)  # and a file that does not
    rewritten(file, lambda h, a: h["spaces"].pop(name))
    PPO.load(file, other)


def test_another_instance_of_the_same_size_and_names(tmp_path: Path) -> None:
    first, second = FaultAlarmEnv(0, n_devices=5), FaultAlarmEnv(1, n_devices=5)
    file = PPO(first, seed=0).save(tmp_path / "first.npz")
    with pytest.raises(DataError, match=r"same size: its rates, links or rules \(its fingerprint\) are not those of"):
        PPO.load(file, second)
    PPO.load(file, FaultAlarmEnv(0, n_devices=5))
    PPO.load(rewritten(file, lambda h, a: h["spaces"].pop("fingerprint")), second)  # a file from before there were any


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (os.mkdir, (str(tmp_path / "boom"),))

    np.savez(tmp_path / "bomb.npz", header=np.array([Bomb()], dtype=object))
    with pytest.raises(DataError, match="no whole checkpoint"):
        PPO.load(tmp_path / "bomb.npz", Repair())
    assert not (tmp_path / "boom").exists()


def test_another_run_is_not_overwritten(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(DataError, match=r"exists, and this agent does not continue it; go on with DQN\.load"):
        DQN(Repair(), seed=0).learn(episodes=1, checkpoint=saved)
    assert saved.read_bytes() == before
    agent = DQN.load(saved, Repair()).learn(episodes=1, checkpoint=saved)
    assert DQN.load(saved, Repair()).episodes == agent.episodes == 5


def test_the_log_of_another_run_is_not_cut(tmp_path: Path) -> None:
    log = tmp_path / "l.csv"
    first = PPO(Echo()).learn(5, log=log).learn(1, log=log)  # its own goes on
    before = log.read_text()
    with pytest.raises(DataError, match="episodes of another run"):
        PPO(Echo(), seed=1).learn(2, log=log)
    assert log.read_text() == before
    PPO.load(first.save(tmp_path / "a.npz"), Echo()).learn(1, log=log)
    assert len(log.read_text().splitlines()) == 8


def test_what_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder; give the name of a CSV file"):
        PPO(Echo()).learn(1, log=tmp_path)
    with pytest.raises(NotApplicable, match="a logger with write and close; got 3"):
        PPO(Echo()).learn(1, log=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("learner", [PPO, DQN])
def test_a_deep_copy_goes_on_alone_and_alike(learner: Any) -> None:
    agent = learner(Echo(), seed=1).learn(episodes=40)
    twin = copy.deepcopy(agent)
    kept = {name: array.copy() for name, array in agent.network.arrays.items()}
    twin.learn(episodes=40)
    assert all(np.array_equal(kept[name], array) for name, array in agent.network.arrays.items())
    agent.learn(episodes=40)
    assert all(np.array_equal(twin.network.arrays[name], array) for name, array in agent.network.arrays.items())
