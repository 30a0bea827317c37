"""SysAdmin: exact kernels against frequencies, arrows, hubs, the hand rule, and bad input."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from causalnet.agents import ScalableActorCritic, Settings
from causalnet.envs import Machines, SysAdmin, reboot_worst
from causalnet.envs.networked import policy_returns, uniform_policy
from causalnet.envs.networked.identity import fingerprint
from causalnet.errors import DataError

ARROWS = nx.DiGraph()
ARROWS.add_nodes_from("abcd")
ARROWS.add_edges_from(["ac", "bc", "cd"])


def test_the_kernel_is_what_steps_do() -> None:
    env = SysAdmin(ARROWS, Machines(cost=0.25), n_envs=20_000, seed=1)
    env.reset(0)
    kernel = env.local_kernel(2)
    assert kernel.neighbours.tolist() == [0, 1, 2] and env.local_kernel(0).neighbours.tolist() == [0]
    for own in range(9):
        for act in (0, 1):
            s = np.tile([4, 5, own, 0], (20_000, 1))  # a faulty, b dead: their share is three quarters
            env.state[:] = s
            a = np.tile([0, 0, act, 0], (20_000, 1))
            env.time = 0
            after, r, *_ = env.step(a)
            law, mean = kernel.probability[4, 5, own, 0, 0, act], kernel.reward[4, 5, own, 0, 0, act]
            assert law.sum() == pytest.approx(1) and (law >= 0).all()
            assert np.abs(np.bincount(after[:, 2], minlength=9) / 20_000 - law).max() < 0.015
            assert abs(r[:, 2].mean() - mean) < 0.015
    assert env.local_kernel(2).probability[4, 5, 0, 0, 0, 0][[1, 4, 7]].sum() == pytest.approx(0.05 + 0.4 * 0.75)


def test_one_copy_is_the_first_of_many_and_graphs_are_networks() -> None:
    one, many = SysAdmin(nx.star_graph(4), horizon=9), SysAdmin(nx.star_graph(4), n_envs=3, horizon=9)
    s, t = one.reset(5)[0], many.reset(5)[0]
    rng = np.random.default_rng(1)
    for _ in range(9):
        a = rng.integers(0, 2, 5)
        s, r, _, over, _ = one.step(a)
        t, q, *_ = many.step(np.tile(a, (3, 1)))
        assert (s == t[0]).all() and (r == q[0]).all()
    assert over and (one.components(s)[:, 0] == s % 3).all()
    same = SysAdmin(sparse.csr_matrix(one.adjacency))
    assert (
        fingerprint(same)[1:4] == fingerprint(one)[1:4] == [5, 9, 2] and fingerprint(same)[-1] == fingerprint(one)[-1]
    )
    assert fingerprint(SysAdmin(ARROWS)) != fingerprint(SysAdmin(ARROWS.reverse()))


def test_the_hand_rule() -> None:
    env = SysAdmin(nx.path_graph(5), n_envs=2)
    s = np.array([[2, 1, 5, 0, 1], [0, 0, 0, 0, 0]])  # machine 1 has two failed neighbours, 0 and 2 one each
    assert reboot_worst(env, s).tolist() == [[0, 1, 0, 0, 0], [0] * 5]
    assert reboot_worst(env, s, 2).tolist()[0] == [1, 1, 0, 0, 0]
    assert reboot_worst(env, s, None).tolist()[0] == [1, 1, 1, 0, 1]
    assert reboot_worst(SysAdmin(nx.path_graph(2)), [2, 1]).tolist() == [1, 0]


def test_learning_beats_the_hand_rule_on_a_network_with_hubs() -> None:
    env = SysAdmin(nx.barabasi_albert_graph(20, 2, seed=0), n_envs=32, horizon=30)
    agent = ScalableActorCritic(env, Settings(kappa=1, steps=30), seed=0).learn(32 * 40)
    s, total = env.reset(9)[0], 0.0
    for _ in range(30):
        s, r, *_ = env.step(reboot_worst(env, s))
        total += r.sum(1).mean() / 20
    learnt = policy_returns(env, agent.policy[0], seed=9).mean()
    assert policy_returns(env, uniform_policy(env), seed=9).mean() < total < learnt - 0.3


def test_bad_input() -> None:
    for bad, sentence in [
        ({"fail": 1.5}, "fail is 1.5"),
        ({"die": 0.7}, "die \\+ spread is 1.1"),
        ({"cost": -1}, "cost is -1"),
    ]:
        with pytest.raises(DataError, match=sentence):
            Machines(**bad)
    with pytest.raises(DataError, match=r"machines is 3, and must be Machines"):
        SysAdmin(nx.path_graph(3), 3)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="the network is 3, and must be a networkx graph"):
        SysAdmin(3)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="is its own neighbour"):
        SysAdmin(sparse.eye_array(3, format="csr"))
    with pytest.raises(DataError, match="most is -1"):
        reboot_worst(SysAdmin(nx.path_graph(2)), [0, 0], -1)
