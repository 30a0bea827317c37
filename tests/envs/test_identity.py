"""What tells networks and their domains apart: the literal marks that checkpoints hold, and what moves them."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

from causalnet.envs.networked import Epidemic, Line, TabularEnv, TabularNetwork, traffic_grid
from causalnet.envs.networked.identity import domain, fingerprint, network
from causalnet.envs.networked.wireless import gsac_grid, lin_grid, utility_grid
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
