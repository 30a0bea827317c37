"""Traffic lights in SUMO: the network in arrays, what lights see and earn, bad input; with the simulator where it is installed."""

from __future__ import annotations

import importlib.util
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from causalnet.envs import Signals, Sumo, draw_roads, fixed_time, greedy, max_pressure
from causalnet.envs.simulators.sumo.network import read_network, through_yellow
from causalnet.envs.simulators.sumo.scenarios import resco_scenarios
from causalnet.envs.simulators.sumo.traffic import REWARDS, names_of, observe, phase_sums, read_traffic
from causalnet.envs.simulators.sumo.worker import delays
from causalnet.errors import Crashed, DataError, NotInstalled

installed = importlib.util.find_spec("libsumo") is not None and "cologne1" in resco_scenarios()
simulator = pytest.mark.skipif(not installed, reason="needs libsumo and the road networks of sumo-rl")
SHORT = Signals(end=25200 + 120)


def lane(edge: str, length: float, *following: str) -> dict[str, Any]:
    return {"edge": edge, "length": length, "speed": 10.0, "next": list(following), "shape": [[0, 0], [length, 0]]}


def facts() -> dict[str, Any]:
    """West a -> A -> b -> c -> B -> out, and a side road s into A that leads to b as well; C has one phase and is no agent."""
    one = {"name": "A", "phases": [["Gr", 20], ["yr", 3], ["rG", 10]], "links": [[["a_0", "b_0"]], [["s_0", "b_0"]]]}
    two = {"name": "B", "phases": [["G", 20], ["r", 3], ["g", 5]], "links": [[["c_0", "out_0"]]]}
    return {
        "lights": [one, two, {"name": "C", "phases": [["G", 5]], "links": [[["out_0", "x_0"]]]}],
        "lanes": {
            "a_0": lane("a", 100, "b_0"),
            "s_0": lane("s", 50, "b_0"),
            "b_0": lane("b", 200, "c_0"),
            "c_0": lane("c", 30, "out_0"),
            "out_0": lane("out", 100, "x_0"),
            "x_0": lane("x", 10),
        },
    }


def test_a_network_in_arrays() -> None:
    network = read_network(facts(), reach=100)
    assert [light.name for light in network.lights] == ["A", "B"]
    assert network.adjacency.toarray().tolist() == [
        [False, True],
        [False, False],
    ]  # directed, across the lane that joins
    assert network.green[0].tolist() == [[True, False], [False, True]] and network.allowed.all()
    near = network.near.toarray()[:, [network.lanes.index(name) for name in ("a_0", "s_0", "c_0", "b_0")]]
    assert near.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]]  # b is within 100 m of B's line
    assert read_network(facts(), reach=10).near.nnz == 3
    assert through_yellow("GgrsG", "rGGss") == "ygrsy"


def test_what_lights_see_and_earn() -> None:
    network = read_network(facts(), reach=10)
    place = {name: k for k, name in enumerate(network.lanes)}
    numbers = np.zeros((1, 4 * len(place) + len(network.roads)), np.float32)
    size = len(place)
    numbers[0, place["a_0"]], numbers[0, size + place["a_0"]], numbers[0, 2 * size + place["a_0"]] = 6, 4, 2.5
    numbers[0, place["b_0"]], numbers[0, 3 * size + place["a_0"]] = 2, 90
    numbers[0, 4 * size + network.roads.index("s")] = 3
    traffic = read_traffic(network, numbers, True)
    assert traffic.outside.tolist() == [[3, 0]]
    assert phase_sums(network, traffic.pressure)[0, 0].tolist() == [4, -2]  # 6 - 2 on a; 0 - 2 on s
    earned = {name: reward(traffic)[0].tolist() for name, reward in REWARDS.items()}
    assert earned["delay"] == [-(6 * 0.75 + 3), 0] and earned["queue"] == [-7, 0]
    assert earned["waiting"] == [-1.5, 0] and earned["pressure"] == [-2, 0]
    seen = observe(network, traffic, np.zeros((1, 2), np.int64), np.full((1, 2), 30.0))
    told = dict(zip(names_of(network), seen[0, 0].tolist(), strict=True))
    assert told["phase 0 is shown"] == 1 and told["minutes in the phase"] == 0.5 and told["queue of lane 0"] == 4
    assert told["vehicles approaching on lane 0"] == 2 and told["vehicles waiting to enter"] == 3
    assert "4 stand on a_0" in draw_roads(network, traffic.queue[0], np.zeros(2, np.int64), "Now").svg


def test_delays_count_those_who_never_left(tmp_path: Path) -> None:
    path = tmp_path / "trips.xml"
    path.write_text(
        '<tripinfos><tripinfo depart="0" arrival="90" departDelay="1" timeLoss="9" duration="90"/>'
        '<tripinfo depart="5" arrival="-1" departDelay="0" timeLoss="20" duration="95"/>'
        '<tripinfo depart="-1" arrival="-1" departDelay="60" timeLoss="0" duration="0"/></tripinfos>'
    )
    found = delays(path)
    assert (found["vehicles"], found["arrived"], found["kept_out"]) == (3, 1, 1)
    assert (found["time_loss"], found["depart_delay"]) == (29, 61)


def test_bad_input_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("causalnet.envs.simulators.sumo.inputs.resco_scenarios", lambda: ("grid4x4",))
    (tmp_path / "a.net.xml").touch()
    town = tmp_path / "town.sumocfg"
    town.write_text(
        '<configuration><input><net-file value="a.net.xml"/><route-files value="gone.xml"/></input></configuration>'
    )
    with pytest.raises(DataError, match=r"route-files of town.sumocfg is missing.*gone.xml"):
        Sumo(town)
    with pytest.raises(DataError, match="no demand beside it"):
        Sumo(net=tmp_path / "a.net.xml")
    with pytest.raises(DataError, match="RESCO scenario: grid4x4"):
        Sumo("grid5x5")
    with pytest.raises(DataError, match="which network"):
        Sumo()
    town.write_text("<configuration>")
    with pytest.raises(DataError, match="not a configuration of SUMO"):
        Sumo(town)
    with pytest.raises(DataError, match="green must remain"):
        Signals(interval=3, yellow=3)
    with pytest.raises(DataError, match="none with two green phases"):
        read_network({"lights": facts()["lights"][2:], "lanes": facts()["lanes"]}, 10)


def test_absent_simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.net.xml", "a.rou.xml"):
        (tmp_path / name).touch()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=r"causalnet\[sumo\]"):
        Sumo(net=tmp_path / "a.net.xml", routes=tmp_path / "a.rou.xml")


def play(env: Sumo, control: Any, seed: int) -> tuple[Any, list[Any]]:
    env.reset(seed)
    states, over = [], False
    while not over:
        s, _, _, truncated, info = env.step(control(env))
        states.append(s)
        over = bool(np.all(truncated))
    return info["mean_delay"], states


@simulator
def test_episodes_repeat_and_controls_differ() -> None:
    with Sumo("cologne1", n_envs=2, signals=SHORT) as env:
        first, states = play(env, max_pressure, 3)
        again, same = play(env, max_pressure, 3)
        assert first.shape == (2,) and first.tolist() == again.tolist() and np.array_equal(states, same)
        assert len(states) == env.horizon == 12 and states[0].shape == (2, 1, len(env.feature_names))
        others = [play(env, control, 3)[0].mean() for control in (greedy, fixed_time)]
        assert len(env.episodes) == 8 and np.isfinite(others).all() and env.episodes[0].vehicles > 0
        with pytest.raises(DataError, match="call reset"):
            env.step(np.zeros((2, 1), int))
        processes = [one.process for one in env._simulators if one is not None]
    assert all(process.returncode is not None for process in processes)  # waited for: none is left


@simulator
def test_a_crash_loses_no_finished_episode() -> None:
    with Sumo("cologne1", signals=SHORT) as env:
        play(env, greedy, 0)
        env.reset(1)
        process = env._simulators[0].process  # type: ignore[union-attr]
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(Crashed, match="by signal 9"):
            env.step(greedy(env))
        assert process.returncode is not None and len(env.episodes) == 1
        play(env, greedy, 1)  # starts afresh
        assert len(env.episodes) == 2


@simulator
def test_what_sumo_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.net.xml").write_text("<nonsense/>")
    (tmp_path / "a.rou.xml").write_text("<routes/>")
    with pytest.raises((Crashed, DataError)):
        Sumo(net=tmp_path / "a.net.xml", routes=tmp_path / "a.rou.xml")
