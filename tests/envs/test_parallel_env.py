"""The PettingZoo face: its own checkers, the same numbers as the arrays, masks, and sentences for bad input."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import networkx as nx
import numpy as np
import pytest

pytest.importorskip("pettingzoo", reason="the PettingZoo face needs pettingzoo")

from pettingzoo.test import parallel_api_test, parallel_seed_test

from causalnet.envs.networked import Epidemic, Line, TabularEnv, TabularNetwork, to_parallel_env, traffic_grid
from causalnet.envs.networked.wireless import gsac_grid, lin_grid, utility_grid
from causalnet.errors import DataError

MAKERS: dict[str, Any] = {
    "gsac": lambda: gsac_grid(3, distractors=True),
    "lin": lin_grid,
    "utility": utility_grid,
    "line": Line,
    "epidemic": lambda: Epidemic(nx.cycle_graph(5)),
    "traffic": lambda: traffic_grid(3),
    "tabular": lambda: TabularEnv(TabularNetwork.random(nx.path_graph(4), 0)),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("options", [{}, {"mask_in_observation": True}, {"kappa": 1}], ids=["plain", "mask", "kappa"])
def test_pettingzoos_own_checks(name: str, options: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    parallel_api_test(to_parallel_env(MAKERS[name](), **options), num_cycles=30)
    parallel_seed_test(lambda: to_parallel_env(MAKERS[name](), **options), num_cycles=15)
    assert "Passed" in capsys.readouterr().out


@pytest.mark.parametrize("name", MAKERS)
def test_same_numbers_as_the_arrays(name: str) -> None:
    core, face = MAKERS[name](), to_parallel_env(MAKERS[name](), kappa=1)
    s, _ = core.reset(3)
    seen, infos = face.reset(3)
    near = core.neighbourhoods(1)
    rng = np.random.default_rng(0)
    while face.agents:
        parts = core.components(s)
        for i, agent in enumerate(face.possible_agents):
            row = near.indices[near.indptr[i] : near.indptr[i + 1]]
            assert np.array_equal(seen[agent], parts[np.append(i, row[row != i])].ravel())
            assert seen[agent] in face.observation_space(agent)
            assert infos[agent]["action_mask"].size == face.action_space(agent).n
        assert np.array_equal(face.state(), parts.ravel()) and face.state() in face.state_space
        a = rng.integers(0, core.n_actions)
        s, r, _, over, _ = core.step(a)
        seen, rewards, terminated, truncated, infos = face.step(dict(zip(face.possible_agents, a, strict=True)))
        assert list(rewards.values()) == r.tolist()
        assert not any(terminated.values()) and all(truncated.values()) == over
    assert over


def test_masks_tell_what_reaches_an_access_point() -> None:
    face = to_parallel_env(utility_grid(), mask_in_observation=True)
    seen, infos = face.reset(0)
    assert infos["agent_0"]["action_mask"].tolist() == [1, 0, 0, 0, 1]  # the corner reaches its south-east one
    assert infos["agent_12"]["action_mask"].tolist() == [1] * 5
    assert np.array_equal(seen["agent_0"]["action_mask"], infos["agent_0"]["action_mask"])
    infos["agent_0"]["action_mask"][:] = 9
    assert face.reset(0)[1]["agent_0"]["action_mask"].max() == 1  # a fresh copy every time


def test_infos_keep_what_the_arrays_say_and_any_kappa_is_taken() -> None:
    core, face = traffic_grid(2, room=2, arrival=1.0), to_parallel_env(traffic_grid(2, room=2, arrival=1.0), kappa=99)
    core.reset(0)
    seen, _ = face.reset(0)
    assert all(x.size == face.state().size for x in seen.values())  # beyond the diameter everyone sees everything
    for _ in range(20):
        lost = core.step(np.zeros(4, int))[-1]["lost"]
        infos = face.step(dict.fromkeys(face.agents, 0))[-1]
    assert lost > 0 and all(info["lost"] == lost for info in infos.values())


def test_bad_input() -> None:
    with pytest.raises(DataError, match="no batch axis"):
        to_parallel_env(gsac_grid(3, n_envs=2))
    with pytest.raises(DataError, match="horizon"):
        to_parallel_env(gsac_grid(3, horizon=None))
    with pytest.raises(DataError, match="env is object, and must be a networked environment"):
        to_parallel_env(object())  # type: ignore[arg-type]
    with pytest.raises(DataError, match="kappa is -1, and must be"):
        to_parallel_env(gsac_grid(3), kappa=-1)
    with pytest.raises(DataError, match="mask_in_observation is 'x'"):
        to_parallel_env(gsac_grid(3), mask_in_observation="x")  # type: ignore[arg-type]
    face = to_parallel_env(gsac_grid(3))
    with pytest.raises(DataError, match="call reset first"):
        face.step({})
    face.reset(0)
    for bad in (None, [0] * 9):
        with pytest.raises(DataError, match="step takes a dictionary of actions by agent"):
            face.step(bad)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="'agent_8' has no action"):
        face.step({f"agent_{i}": 0 for i in range(8)})
    with pytest.raises(DataError, match="'agent_9' is no agent"):
        face.step({f"agent_{i}": 0 for i in range(10)})
    with pytest.raises(DataError, match="action of agent 2 is 7"):
        face.step({f"agent_{i}": 7 * (i == 2) for i in range(9)})
    for bad in (0.7, True, "1", np.array([1]), np.float64(1)):
        with pytest.raises(DataError, match=r"the action of 'agent_2' is .*, and must be a whole number"):
            face.step({f"agent_{i}": bad if i == 2 else 0 for i in range(9)})
    face.step({f"agent_{i}": np.array(1) for i in range(9)})  # an integer without axes is one
    with pytest.raises(DataError, match="no agent 'bob'"):
        face.action_space("bob")


def test_all_but_the_face_does_without_pettingzoo() -> None:
    code = (
        "import sys; sys.modules['pettingzoo'] = None; from causalnet.envs import gsac_grid, to_parallel_env, NetworkedEnv; "
        "from causalnet.errors import NotInstalled\n"
        "try: to_parallel_env(gsac_grid(3))\n"
        "except NotInstalled as error: sys.exit('causalnet[marl]' not in str(error))\n"
        "sys.exit('nothing was raised')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
