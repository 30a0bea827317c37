"""What environments say of themselves: the literal marks that checkpoints hold, what moves them, and further offers."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

from causalnet.envs.networked import CodedNetwork, Epidemic, Line, TabularEnv, TabularNetwork, traffic_grid
from causalnet.envs.networked.identity import domain, fingerprint, network
from causalnet.envs.networked.policies import act
from causalnet.envs.networked.protocols import CodedEnv, CompiledRollout, Congested, Described, NetworkedEnv
from causalnet.envs.networked.streams import spawn
from causalnet.envs.networked.wireless import action_places, gsac_grid, lin_grid, utility_grid
from causalnet.errors import DataError


@pytest.mark.parametrize(
    ("make", "mark", "of_domain"),
    [
        (lambda: gsac_grid(3), ["Wireless", 9, 4, 5, 10, "718a8b6367cd954a"], "c685d37f4ddfcd5f"),
        (lin_grid, ["Wireless", 24, 4, 9, 10, "cfe4902257e590b9"], "8e9f4566e9ab3129"),
        (lambda: utility_grid(3), ["Wireless", 9, 4, 5, 12, "aa57c0819e04d59a"], "251b959926eb0402"),
        (lambda: Line(5), ["Line", 5, 2, 2, 125, "22e59c32c6b731d1"], "cdb5cfb97cb98fad"),
        (lambda: Epidemic(nx.cycle_graph(5)), ["Epidemic", 5, 2, 2, 50, "0b9b9498ae10b01e"], "4d8d3ae839cb085e"),
        (lambda: traffic_grid(3), ["Traffic", 9, 121, 4, 50, "411169b4432e155a"], "90d6f9420435b938"),
        (
            lambda: TabularEnv(TabularNetwork.random(nx.path_graph(4), 0)),
            ["TabularEnv", 4, 2, 2, 10, "980c61b043726fe1"],
            "bb3ef24f6b7f4de8",
        ),
    ],
    ids=["gsac", "lin", "utility", "line", "epidemic", "traffic", "tabular"],
)
def test_marks_are_those_of_the_checkpoints_that_exist(make: Any, mark: list[Any], of_domain: str) -> None:
    assert fingerprint(make()) == mark and domain(make()) == of_domain


def test_domains_move_the_one_mark_and_networks_the_other() -> None:
    for same, other in (
        (gsac_grid(3), gsac_grid(3, arrival=0.2)),
        (traffic_grid(2), traffic_grid(2, capacity=1.0)),
        (Line(4), Line(4, reward_first=2.0)),
        (Epidemic(nx.path_graph(4)), Epidemic(nx.path_graph(4), recovery=0.1)),
    ):
        assert fingerprint(same) == fingerprint(other) and domain(same) != domain(other)
    assert fingerprint(gsac_grid(3)) == fingerprint(gsac_grid(3, start="empty"))  # first states are no part of it
    for one, two in (
        (gsac_grid(3), gsac_grid(3, ghost=True)),
        (traffic_grid(3), traffic_grid(3, room=4)),
        (Epidemic(nx.path_graph(4)), Epidemic(nx.star_graph(3))),
    ):
        assert fingerprint(one) != fingerprint(two)


class Stranger:
    """Only what the array contract asks for."""

    def __init__(self, env: Any) -> None:
        self.env, self.n_agents, self.n_envs, self.horizon = env, env.n_agents, env.n_envs, env.horizon
        self.n_states, self.n_actions, self.adjacency = env.n_states, env.n_actions, env.adjacency

    def reset(self, seed: Any = None) -> Any:
        return self.env.reset(seed)

    def step(self, actions: Any) -> Any:
        return self.env.step(actions)


def test_a_stranger_needs_the_contract_alone() -> None:
    stranger = Stranger(gsac_grid(3))
    assert network(stranger) is stranger
    assert fingerprint(stranger) == ["Stranger", 9, 4, 5, 10, "0162594b60409507"]
    assert domain(stranger) == "e3b0c44298fc1c14"  # the checksum of nothing
    for bad in (None, 3, nx.path_graph(3), np.zeros(3)):
        with pytest.raises(DataError, match="must be a networked environment, such as gsac_grid"):
            network(bad)


# ---------------------------------------------------------------- what an environment may offer beyond the contract


def test_who_offers_what() -> None:
    tabular, wireless = TabularEnv(TabularNetwork.random(nx.path_graph(3), 0)), gsac_grid(2)
    for env in (tabular, wireless, Line(3), traffic_grid(2), Epidemic(nx.path_graph(3))):
        assert isinstance(env, NetworkedEnv) and isinstance(env, Described) and isinstance(env, CodedNetwork)
        assert isinstance(env, CompiledRollout) == isinstance(env, Congested) == (env is wireless)
    stranger = Stranger(wireless)
    assert isinstance(stranger, CodedEnv) and not isinstance(stranger, Described | CompiledRollout | Congested)


@pytest.mark.parametrize("make", [lin_grid, lambda **k: gsac_grid(3, distractors=True, **k)], ids=["lin", "gsac"])
def test_the_compiled_rollout_is_the_steps_one_by_one(make: Any) -> None:
    fast, slow, rng, steps = make(n_envs=4), make(n_envs=4), np.random.default_rng(0), 7
    n, most = fast.n_agents, int(fast.n_states.max())
    view = rng.integers(0, 3, (n, most)).astype(np.int32)
    shares = rng.dirichlet(np.ones(int(fast.n_actions.max())), (2, n, 3)).cumsum(-1).astype(np.float32)
    past = np.arange(shares.shape[-1]) >= fast.n_actions[:, None, None] - 1  # a uniform number never passes 2
    shares = np.where(past, np.float32(2.0), shares)
    codes, a = np.empty((steps + 1, 4, n), np.int32), np.empty((steps + 1, 4, n), np.int64)
    r = np.empty((steps, 4, n))
    fast.reset(3)
    fast.roll_out(view, shares, spawn(9, 4), codes, a, r)
    s, own = slow.reset(3)[0], spawn(9, 4)
    for t in range(steps + 1):
        seen, done = np.empty((4, n), np.int32), np.empty((4, n), np.int64)
        for e in range(4):
            assert act(s[e], view, shares[e // 2], own[e], slow.n_states, seen[e], done[e])
        assert (seen == codes[t]).all() and (done == a[t]).all()
        if t < steps:
            s, rewards, *_ = slow.step(done)
            assert (rewards == r[t]).all()
    assert (fast.state == slow.state).all() and (fast.reward == slow.reward).all() and fast.time == slow.time == steps
    assert (fast.streams == slow.streams).all() and r.any()


@pytest.mark.parametrize("ghost", [True, False])
def test_congestion_counts_who_else_is_there(ghost: bool) -> None:
    env, rng = gsac_grid(3, ghost=ghost), np.random.default_rng(0)
    s, a = rng.integers(0, 4, (5, 2, 9)), rng.integers(0, 5, (5, 2, 9))
    found, place = env.congestion(s, a), action_places(env)
    for at in np.ndindex(5, 2):
        used = [place[i, a[at][i]] if ghost or s[at][i] else -1 for i in range(9)]
        assert found[at].tolist() == [used.count(k) - 1 if k >= 0 else 0 for k in used]
    assert found.max() > 0
