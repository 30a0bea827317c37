"""One decision maker for a network in trouble: Gymnasium's checks, the equations, presence and actions for masks, controls, bad input."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import causalnet as cn
from causalnet.envs import Inventory, MachineRoom, Services, Supply, machine_network, service_network, supply_network
from causalnet.envs.masks import mask_of
from causalnet.envs.protocols import ActsOnVariables, HasFingerprint, HasUnits
from causalnet.errors import DataError

MAKERS: dict[str, Any] = {
    "services": Services,
    "ring": lambda: MachineRoom(machine_network("ring", 12)),
    "hubs": lambda: MachineRoom(machine_network("hubs", 12)),
    "inventory": Inventory,
}
CHAIN = nx.DiGraph([("a", "b"), ("b", "c")])


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # the checker's advice about rendering
def test_gymnasium_and_the_masks_take_them(name: str) -> None:
    env = MAKERS[name]()
    check_env(env, skip_render_check=True)
    assert isinstance(env, ActsOnVariables) and isinstance(env, HasUnits) and isinstance(env, HasFingerprint)
    v = len(env.variables)
    assert env.true_graph.nodes == env.variables and env.action_space.n == v + 1 and env.action_variables[-1] == -1
    masked = cn.CausalMask(env, None)
    obs, info = masked.reset(seed=1)
    for _ in range(env.max_steps):
        allowed = info["action_mask"].astype(bool)
        assert (allowed[:-1] == env.trouble()).all() and allowed[-1]  # trouble, and doing nothing
        assert (env.counts(obs)[0] == env.trouble()).all()
        before = env.trouble().copy()
        a = int(masked.np_random.choice(np.flatnonzero(allowed)))
        obs, _, ended, over, info = masked.step(a)
        gone, begun = info["cleared"][0], info["started"][0]
        assert (before + begun - gone == env.trouble()).all() and not ended  # trouble may pass by itself as well
        assert gone[a] if a < v and before[a] else not (gone & begun).any()
        assert not (before & begun.astype(bool) & (np.arange(v) != a)).any()
    assert over
    assert cn.data.collect(masked, steps=80).n == 80


def returns(env: Any, episodes: int) -> float:
    """Mean return of uniform play over what the mask allows, doing nothing where nothing is in trouble."""
    total = 0.0
    for seed in range(episodes):
        rng = np.random.default_rng(seed)
        obs, info = env.reset(seed=seed)
        over = False
        while not over:
            allowed = mask_of(env, obs, info)
            a = int(rng.choice(np.flatnonzero(allowed[:-1]))) if allowed[:-1].any() else len(allowed) - 1
            obs, reward, _, over, info = env.step(a)
            total += reward / episodes
    return total


@pytest.mark.parametrize(
    "make",
    [lambda: Services(16, fault=0.03), lambda: MachineRoom(machine_network("star", 20))],
    ids=["services", "star"],
)
def test_the_true_graph_is_worth_something_and_a_wrong_one_is_not(make: Any) -> None:
    env = make()
    turned = cn.Graph(env.variables, env.influences.T)
    true, presence, wrong = (returns(cn.CausalMask(make(), g), 10) for g in (env.true_graph, None, turned))
    assert true > presence > wrong


def test_services_fail_as_they_say() -> None:
    env = Services(CHAIN, spread=0.6, fault=0.1)
    env.reset(seed=0)
    seen = []
    for _ in range(4000):
        env.taken, env.down = 0, np.array([True, False, False])
        _, reward, *_ = env.step(3)
        assert reward == -2 * env.down.mean()
        seen.append(env.down.copy())
    assert np.allclose(np.mean(seen, axis=0), [1, 1 - 0.9 * 0.4, 0.1], atol=0.03)
    env.down, env.fault = np.array([True, True, False]), 0.0
    _, reward, *_, info = env.step(0)
    assert info["cleared"].tolist() == [[1, 0, 0]] and not env.down[0] and reward == -2 * env.down.mean() - 0.3
    assert service_network(16).number_of_edges() == 29 and service_network(50, seed=3).number_of_edges() == 97


def test_a_blocked_road_starves_all_below_until_it_is_opened() -> None:
    env = Inventory(CHAIN, Supply(block=0.0, open=0.0, demand=4.0, cover=3.0))
    env.reset(seed=0)
    assert env.base.tolist() == [12, 12, 12] and env.shops.tolist() == [False, False, True]
    for _ in range(20):
        _, reward, *_ = env.step(3)
    assert reward > -0.5
    env.blocked[1] = True
    first = [0, 0, 0]
    for t in range(1, 15):
        env.step(3)
        first = [f or t * bool(s) for f, s in zip(first, env.trouble(), strict=True)]
    assert first[0] == 0 and 0 < first[1] <= first[2] and env.stock[1] == 0
    env.step(1)
    assert not env.blocked[1] and not env.trouble()[0]
    graph = supply_network(20)
    assert nx.is_directed_acyclic_graph(graph) and graph.number_of_nodes() == 20
    assert all(1 <= graph.in_degree(v) <= 2 for v in graph if not v.startswith("plant"))


def test_the_administrator_follows_the_hand_rule() -> None:
    env = MachineRoom(nx.path_graph(4))
    env.reset(seed=0)
    assert env.worst() == 4 and not env.true_graph.directed.any()
    env._codes = env.room.state[0] = np.array([2, 1, 1, 0])
    assert env.worst() == 1
    env.step(1)
    assert env.room.state[0, 1] % 3 == 0


class Notes:
    """An online discovery that only writes down what was acted on."""

    def __init__(self, graph: cn.Graph) -> None:
        self.known, self.acted, self.backend = graph, [], self  # type: ignore[var-annotated]

    def step(
        self, state: Any, *, before: Any, after: Any, unit: Any, variable: Any, started: Any, cleared: Any, **_: Any
    ) -> Any:
        assert (before + started - cleared == after).all() and before.shape == (1, 6)
        self.acted.append((unit, variable))
        return self

    def graph(self, state: Any) -> cn.Graph:
        return self.known

    def setup(self, state: Any) -> Any:
        return {"variables": self.known.nodes, "units": ("all",)}


@pytest.mark.parametrize("env", [Services(6, fault=0.05), Inventory(6, Supply(block=0.1))], ids=["stays", "may pass"])
def test_learning_by_doing_is_told_what_was_acted_on(env: Any) -> None:
    notes = Notes(env.true_graph)
    run = cn.learn_by_doing(env, "ppo", discovery=notes, k="roots", episodes=3, seed=0)
    assert len(run.rows) == 3 and len(notes.acted) == 180
    assert {(None, None)} < set(notes.acted) <= {(None, None), *((0, v) for v in range(6))}


def test_bad_input() -> None:
    for make, sentence in [
        (lambda: Services(nx.path_graph(3)), "must be directed"),
        (lambda: Services(4, spread=2), "spread is 2"),
        (lambda: Inventory(nx.DiGraph([(0, 1), (1, 0)])), "without a cycle"),
        (lambda: Supply(demand=0), "demand is 0"),
        (lambda: machine_network("x"), "kind is 'x'"),
        (lambda: Services(nx.DiGraph([(1, "1")])), "the same name as text"),
    ]:
        with pytest.raises(DataError, match=sentence):
            make()
    env = Services(3)
    with pytest.raises(DataError, match="call reset first"):
        env.step(0)
    env.reset(seed=0)
    for bad in (-1, 4, 0.5, True):
        with pytest.raises(DataError, match="the number of a variable or 3 for none"):
            env.step(bad)  # type: ignore[arg-type]
