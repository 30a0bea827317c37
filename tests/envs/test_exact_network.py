"""Exact networked solutions against brute force, closed forms and the bounds of arXiv 1912.02906."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest

from causalnet.envs.networked import TabularEnv, TabularNetwork, exact
from causalnet.errors import DataError


def softmax_policy(model: TabularNetwork, seed: int, scale: float = 1.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        exact.softmax(scale * rng.normal(size=(int(s), int(a))))
        for s, a in zip(model.n_states, model.n_actions, strict=True)
    ]


def balls(graph: nx.Graph, kappa: int) -> list[list[int]]:
    hops = dict(nx.all_pairs_shortest_path_length(graph, cutoff=kappa))
    index = {v: i for i, v in enumerate(graph)}
    return [sorted(index[v] for v in hops[u]) for u in graph]


def copy_chain(case: str, gamma: float = 0.7) -> tuple[TabularNetwork, list[np.ndarray], list[tuple[int, ...]]]:
    """The instances that attain the bounds: s_j' = s_{j+1}, the last one stays; agent 0 alone is rewarded."""
    n, graph = 5, nx.path_graph(5)
    copy = np.eye(2)
    kernels, parents, actions = [], [], []
    for j in range(n):
        parents.append((j + 1,) if j < n - 1 else (j,))
        actions.append(())
        kernels.append(copy)
    states: list[tuple[int, ...]] = [()] * n
    reward_actions: list[tuple[int, ...]] = [()] * n
    rewards: list[np.ndarray] = [np.zeros(())] * n
    observes: list[tuple[int, ...]] = [(j,) for j in range(n)]
    policy = [np.full((2, 2), 0.5) for _ in range(n)]
    rewards[0] = np.array([0.0, 1.0])
    if case == "a":  # r_1 = a_1, and a_1 copies s_1
        reward_actions[0], policy[0] = (0,), np.eye(2)
    elif case == "b":  # r_1 = a_1, and a_1 copies s_2
        reward_actions[0], observes[0], policy[0] = (0,), (1,), np.eye(2)
    elif case == "c":  # r_1 = s_2
        states[0] = (1,)
    else:  # d: s_j' = a_{j+1}, a_j = s_{j+1}, r_1 = a_2
        reward_actions[0] = (1,)
        for j in range(n - 1):
            parents[j], actions[j] = (), (j + 1,)
            observes[j], policy[j] = (j + 1,), np.eye(2)
        policy[n - 1] = np.eye(2)
    model = TabularNetwork(
        graph, kernels, rewards, gamma, state_parents=parents, action_parents=actions,
        reward_states=states, reward_actions=reward_actions, n_actions=2,
    )  # fmt: skip
    return model, policy, observes


@pytest.mark.parametrize(
    ("case", "first"),
    [("a", lambda k: k + 1), ("b", lambda k: max(1, k)), ("c", lambda k: k), ("d", lambda k: -(-k // 2))],
)
def test_copy_chains_attain_the_bound_of_their_information_pattern(case: str, first) -> None:
    model, policy, observes = copy_chain(case)
    process = exact.joint(model, policy, observes)
    q, weights = exact.q_values(process)[0], np.ones((32, 32))
    for kappa in range(3):
        gap = exact.truncated(q, exact.keys(process, range(kappa + 1)), weights)[1]
        assert gap == pytest.approx(0.7 ** first(kappa) / 0.3, abs=1e-9)


@pytest.mark.parametrize("coupling", ["states", "actions"])
@pytest.mark.parametrize("seed", range(3))
def test_decay_and_truncated_gradient_stay_within_their_bounds(coupling: str, seed: int) -> None:
    graph = [nx.path_graph(4), nx.cycle_graph(4), nx.star_graph(3)][seed]
    model = TabularNetwork.random(graph, seed, gamma=0.7, coupling=coupling, concentration=0.3)
    policy = softmax_policy(model, seed)
    process = exact.joint(model, policy)
    q, d, whole = exact.q_values(process), exact.occupancy(process), exact.policy_gradient(model, policy)
    late = 1 if coupling == "states" else 0  # t* = kappa + 1 by Lemma 3, and kappa where actions collide
    for kappa in range(3):
        around = balls(graph, kappa)
        bound = 0.7 ** (kappa + late) / 0.3  # r_bar = 1
        gaps = [exact.truncated(q[i], exact.keys(process, around[i]), d)[1] for i in range(4)]
        assert max(gaps) <= bound
        part = exact.policy_gradient(model, policy, balls=around)
        error = max(np.linalg.norm(a - b) for a, b in zip(part, whole, strict=True))
        assert error <= np.sqrt(2) * bound / 0.3  # Lemma 4, L_i = sqrt(2)
    wide = exact.policy_gradient(model, policy, balls=balls(graph, 9))
    assert max(np.abs(a - b).max() for a, b in zip(wide, whole, strict=True)) < 1e-12


def test_gradient_is_the_slope_of_the_objective() -> None:
    model = TabularNetwork.random(nx.path_graph(3), 1, gamma=0.8, coupling="actions", n_states=3)
    rng = np.random.default_rng(0)
    theta = [rng.normal(size=(3, 2)) for _ in range(3)]

    def value(parameters: list[np.ndarray]) -> float:
        return exact.objective(exact.joint(model, [exact.softmax(t / 0.5) for t in parameters]))

    slope = exact.policy_gradient(model, [exact.softmax(t / 0.5) for t in theta], temperature=0.5)
    for i, s, a in itertools.product(range(3), range(3), range(2)):
        up, down = [t.copy() for t in theta], [t.copy() for t in theta]
        up[i][s, a] += 1e-5
        down[i][s, a] -= 1e-5
        assert slope[i][s, a] == pytest.approx((value(up) - value(down)) / 2e-5, abs=1e-7)


def test_climbing_improves_and_wide_balls_change_nothing() -> None:
    model = TabularNetwork.random(nx.path_graph(3), 2, gamma=0.7)
    policy, values = exact.exact_policy_gradient(model, steps=60)
    assert (np.diff(values) > -1e-12).all() and values[-1] > values[0] + 0.05
    same = exact.exact_policy_gradient(model, steps=60, balls=balls(model.graph, 5))[1]
    np.testing.assert_allclose(same, values, atol=1e-10)
    best = max(
        exact.objective(exact.joint(model, [np.eye(2)[list(rule)] for rule in choice]))
        for choice in itertools.product(itertools.product(range(2), repeat=2), repeat=3)
    )
    assert values[-1] <= best + 1e-9
    assert all(abs(p.sum(1) - 1).max() < 1e-12 for p in policy)


def test_fixed_point_and_average_reward_solve_their_equations() -> None:
    model = TabularNetwork.random(nx.path_graph(3), 3, gamma=0.6)
    process = exact.joint(model, softmax_policy(model, 4))
    q, d = exact.q_values(process), exact.stationary(process)
    assert d.sum() == pytest.approx(1) and exact.occupancy(process).sum() == pytest.approx(1)
    every = exact.keys(process, range(3))
    np.testing.assert_allclose(exact.td_fixed_point(process, process.rewards[0], every, d), q[0], atol=1e-10)
    part = exact.td_fixed_point(process, process.rewards[0], exact.keys(process, [0, 1]), d)
    assert np.abs(part - q[0]).max() <= 0.6**2 / 0.4 / 0.4  # c rho^(kappa + 1) / (1 - gamma)
    mu, h = exact.differential_q(process)
    after = np.einsum("sat,tb,ntb->nsa", process.transition, process.policy, h)
    np.testing.assert_allclose(h, process.rewards - mu[:, None, None] + after, atol=1e-10)
    np.testing.assert_allclose(np.einsum("sa,nsa->n", d, h), 0, atol=1e-10)


@pytest.mark.parametrize("coupling", ["states", "actions"])
def test_simulation_follows_the_tables(coupling: str) -> None:
    model = TabularNetwork.random(nx.path_graph(3), 5, gamma=0.7, coupling=coupling)
    policy = softmax_policy(model, 6)
    env, rng = TabularEnv(model, n_envs=4000, horizon=25), np.random.default_rng(1)
    s, _ = env.reset(seed=2)
    total = np.zeros(4000)
    for t in range(25):
        p = np.stack([policy[i][s[:, i], 1] for i in range(3)], axis=1)
        s, r, terminated, truncated, _ = env.step((rng.random(p.shape) < p).astype(np.int64))
        total += 0.7**t * r.mean(1)
        assert not terminated.any() and truncated.all() == (t == 24)
    standard = total.std() / np.sqrt(4000)
    assert abs(total.mean() - exact.objective(exact.joint(model, policy))) < 4 * standard + 0.7**25 / 0.3


def test_a_single_copy_has_no_batch_axis_and_a_seed_fixes_it() -> None:
    model = TabularNetwork.random(nx.empty_graph(3), 0)  # isolated agents
    env = TabularEnv(model)
    first, _ = env.reset(seed=1)
    one = env.step(np.array([0, 1, 0]))[0]
    again, _ = env.reset(seed=1)
    assert first.shape == (3,) and (first == again).all() and (env.step(np.array([0, 1, 0]))[0] == one).all()


PAIR = TabularNetwork.random(nx.path_graph(2), 0)


def bad_row() -> TabularNetwork:
    good = TabularNetwork.random(nx.path_graph(2), 0)
    kernel = np.array(good.kernels[1])
    kernel[0, 1, 0] = [0.5, 0.6]
    return TabularNetwork(good.graph, [good.kernels[0], kernel], good.rewards)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (bad_row, r"kernels\[1\]\[0, 1, 0\] sums to 1.1"),
        (
            lambda: TabularNetwork(nx.DiGraph([(0, 1)]), [np.eye(2)] * 2, [np.zeros(2)] * 2, state_parents=[[1], [1]]),
            r"state_parents\[0\] holds agent 1",
        ),
        (lambda: TabularNetwork.random(nx.Graph(), 0), "no nodes"),
        (lambda: TabularNetwork.random(nx.Graph([(0, 1, {"weight": 2.5})]), 0), "weight 2.5"),
        (lambda: TabularNetwork.random(nx.path_graph(2), 0, gamma=1.0), "gamma is 1.0"),
        (lambda: TabularNetwork.random(nx.path_graph(2), 0, coupling="x"), "coupling is 'x'"),
        (lambda: TabularNetwork(nx.path_graph(2), [np.ones((2, 2))], [np.zeros(2)]), "1 tables, and the graph 2"),
        (
            lambda: TabularNetwork(nx.path_graph(3), [np.eye(2)] * 3, [np.zeros(2)] * 3, state_parents=[[2], [1], [2]]),
            r"state_parents\[0\] holds agent 2",
        ),
        (lambda: exact.joint(TabularNetwork.random(nx.path_graph(12), 0), []), "too many to enumerate"),
        (lambda: exact.joint(TabularNetwork.random(nx.path_graph(1100), 0), []), r"10\^331 global states"),
        (lambda: exact.joint(PAIR, [np.eye(2), np.eye(3)]), r"policy\[1\] has shape \(3, 3\)"),
        (lambda: exact.joint(PAIR, [np.eye(2), np.full((2, 2), np.nan)]), r"policy\[1\] holds a number that is nan"),
        (
            lambda: exact.joint(PAIR, [np.eye(2), np.array([[0.5, 0.5], [1.5, -0.5]])]),
            r"policy\[1\]\[1\] sums to 1 \(least entry -0.5\)",
        ),
        (
            lambda: exact.joint(PAIR, [np.eye(2)] * 2, [(0,), (2,)]),
            r"an agent in observes\[1\] is 2, and must be a whole number from 0 to 1",
        ),
        (lambda: exact.policy_gradient(PAIR, [np.eye(2)] * 2, 0.0), "temperature is 0.0"),
        (lambda: exact.exact_policy_gradient(PAIR, steps=-1), "steps is -1"),
        (
            lambda: exact.joint(TabularNetwork.random(nx.path_graph(2), 0), [np.eye(2)]),
            "policy has 1 tables, and the graph 2 nodes",
        ),
        (lambda: TabularEnv(TabularNetwork.random(nx.path_graph(2), 0)).step(np.zeros(2, int)), "call reset first"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(make, words: str) -> None:
    with pytest.raises(DataError, match=words):
        make()


def test_an_action_that_does_not_exist_is_named() -> None:
    env = TabularEnv(TabularNetwork.random(nx.path_graph(2), 0))
    env.reset(seed=0)
    with pytest.raises(DataError, match="agent 1 is 2, and it has 2: 0 to 1"):
        env.step(np.array([0, 2]))


def test_values_agent_by_agent_are_those_of_all_pairs_of_states() -> None:
    for seed, graph in enumerate((nx.path_graph(4), nx.cycle_graph(5), nx.star_graph(3))):
        n, rng = graph.number_of_nodes(), np.random.default_rng(seed)
        model = TabularNetwork.random(graph, seed, gamma=0.8)
        policy = [*rng.dirichlet([1.0, 1.0], size=(n, 2))]
        process = exact.joint(model, policy)
        wanted = np.einsum("sa,nsa->sn", process.policy, exact.q_values(process))
        found = exact.state_values(model, policy)
        assert found.shape == (2,) * n + (n,)
        np.testing.assert_allclose(found.reshape(-1, n), wanted, atol=1e-8)
    shared = TabularNetwork.random(nx.path_graph(3), 0, coupling="actions")
    with pytest.raises(DataError, match="no action but the agent's own; use joint"):
        exact.state_values(shared, [np.full((2, 2), 0.5)] * 3)
