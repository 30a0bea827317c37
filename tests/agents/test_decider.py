"""A policy without its environment: the decision of ``predict``, in under a millisecond, for other devices too."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import causalnet as cn
from causalnet.agents import DQN, PPO, Decider, export_policy
from causalnet.cli.app import app
from causalnet.envs.fault_alarm import FaultAlarmEnv
from causalnet.storage.tensors import read_tensors, write_tensors


def trained(kind: Any, observation: Any = "counts", **settings: Any) -> Any:
    env = FaultAlarmEnv(0, n_devices=12, seed=1, observation=observation)
    return kind(cn.CausalMask(env, env.instance.graph, k=2), seed=0, **settings).learn(episodes=2)


@pytest.mark.parametrize(
    ("kind", "observation", "settings"), [(PPO, "counts", {}), (DQN, "counts", {"network": "mlp"}), (PPO, "ages", {})]
)
def test_it_decides_as_predict_does(tmp_path: Path, kind: Any, observation: str, settings: dict[str, Any]) -> None:
    agent = trained(kind, observation, **settings)
    decider = Decider.load(export_policy(agent, tmp_path / "p.safetensors"))
    rng, v = np.random.default_rng(0), len(decider.variables)
    states = rng.poisson(0.1, (1000, 12, v, decider.channels)) * (rng.random((1000, 12, v, 1)) < 0.3)
    states[:, 0, 0, :] = 1
    started = time.process_time()
    found = [decider.decide(state) for state in states]
    assert (time.process_time() - started) / len(states) < 1e-3
    for state, one in zip(states, found, strict=True):
        assert one is not None and 0 < one.probability <= 1
        assert decider.units.index(one.unit) * v + decider.variables.index(one.variable) == agent.predict(
            state.reshape(-1).astype(np.float32)
        )
        assert one.variable in one.roots and "held for" in one.because


def test_devices_come_and_go(tmp_path: Path) -> None:
    decider = Decider.load(export_policy(trained(PPO), tmp_path / "p.safetensors"))
    counts, units = decider.counts_of({"new": {"HARD_BAD": 1}})
    one = decider.decide(counts, units)
    assert one is not None and (one.unit, one.variable, one.roots) == ("new", "HARD_BAD", ("HARD_BAD",))
    assert "1 units are new" in one.notes[0] and "nothing was checked" in one.notes[0]
    few = decider.decide(counts[[3, 12]], ["device3", "new"])
    assert few is not None and few.unit == "new" and "nothing was checked" not in few.notes[0]
    assert decider.decide(np.zeros((12, 18))) is None, "no alarm, no repair"
    plain = Decider.load(export_policy(trained(DQN, network="mlp"), tmp_path / "q.safetensors"))
    with pytest.raises(cn.NotApplicable, match="bound to its 12 units, and 13 were given"):
        plain.decide(counts, units)
    for wrong, message in (
        (np.full((12, 18), -1), "negative"),
        (np.zeros((3, 18)), "give units="),
        ([["a"] * 18] * 12, "write numbers"),
    ):
        with pytest.raises(cn.DataError, match=message):
            decider.decide(wrong)
    with pytest.raises(cn.UnknownNameError, match="has an alarm 'XX'"):
        decider.counts_of({"device3": {"XX": 1}})


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = export_policy(trained(PPO), tmp_path / "p.safetensors")
    arrays, told = read_tensors(path)
    whole = path.read_bytes()
    for raw in (whole[:-5], whole[:100], b"hello, this is text", b""):
        (tmp_path / "bad.safetensors").write_bytes(raw)
        with pytest.raises(cn.DataError, match="cut short or damaged"):
            Decider.load(tmp_path / "bad.safetensors")
    schema = json.loads(told["causalnet.policy"])
    for change, message in (
        ({"version": 2}, "schema has version 2, and this causalnet reads"),
        ({"hidden": None}, "lacks a"),
    ):
        write_tensors(path, arrays, {"causalnet.policy": json.dumps(schema | change)})
        with pytest.raises(cn.DataError, match=message):
            Decider.load(path)
    write_tensors(path, arrays, {})
    with pytest.raises(cn.DataError, match="no policy of causalnet"):
        Decider.load(path)


def test_from_the_shell(tmp_path: Path) -> None:
    path = str(export_policy(trained(PPO), tmp_path / "p.safetensors"))
    (tmp_path / "now.csv").write_text("device,event\ndevice3,LTI\ndevice3,LTI\ndevice5,HARD_BAD\n")
    (tmp_path / "none.csv").write_text("device,event\n")
    run = CliRunner().invoke
    done = run(app, ["act", path, str(tmp_path / "now.csv"), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["variable"] in json.loads(done.stdout)["roots"]
    assert run(app, ["act", path, str(tmp_path / "none.csv")]).exit_code == 3
    lines = '{"device3": {"LTI": 1}}\n{"device3": {"XX": 1}}\nnonsense\n{}\n'
    answers = [json.loads(line) for line in run(app, ["act", path, "-"], input=lines).stdout.splitlines()]
    assert (
        answers[0]["unit"] == "device3"
        and "'XX'" in answers[1]["error"]
        and "error" in answers[2]
        and answers[3] is None
    )
