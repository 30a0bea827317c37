"""Networked environments: published returns, exact kernels against frequencies, streams, and sentences for bad input."""

from __future__ import annotations

import time
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from causalnet.envs.networked import (
    CodedNetwork,
    Epidemic,
    Line,
    TabularEnv,
    TabularNetwork,
    Traffic,
    policy_returns,
    traffic_grid,
    uniform_policy,
)
from causalnet.envs.networked.neighbourhoods import adjacency_of, hop_neighbourhoods, padded
from causalnet.envs.networked.policies import cumulated, sample_batch
from causalnet.envs.networked.streams import spawn
from causalnet.envs.networked.wireless import (
    Wireless,
    action_places,
    collision_free_ceiling,
    dedicated_access_points,
    gsac_grid,
    lin_grid,
    localized_aloha,
    utility_grid,
    wireless_network,
)
from causalnet.errors import DataError, NotApplicable

EPISODES = 4000


def mean_return(env: CodedNetwork, policy: Any = None, discount: float = 1.0) -> tuple[float, float]:
    """Per-agent mean return and its standard error over the batch."""
    policy = uniform_policy(env) if policy is None else policy
    each = policy_returns(env, policy, discount=discount, seed=7).mean(1)
    return float(each.mean()), float(each.std() / len(each) ** 0.5)


# ---------------------------------------------------------------- published and calibrated returns


@pytest.mark.parametrize(
    ("env", "discount", "want", "slack"),
    [
        (gsac_grid(3, n_envs=EPISODES), 1.0, 2.44, 0.01),
        (gsac_grid(4, n_envs=EPISODES), 1.0, 2.31, 0.01),
        (gsac_grid(5, n_envs=EPISODES), 1.0, 2.24, 0.01),
        (gsac_grid(3, arrival=0.6, n_envs=EPISODES), 1.0, 2.36, 0.02),
        (gsac_grid(3, arrival=0.7, n_envs=EPISODES), 1.0, 2.52, 0.01),
        (lin_grid(n_envs=EPISODES), 0.7, 0.0203, 0.0003),
        (utility_grid(n_envs=EPISODES), 1.0, 1.801, 0.001),
    ],
    ids=["gsac-3", "gsac-4", "gsac-5", "gsac-p.6", "gsac-p.7", "lin", "utility"],
)
def test_uniform_policy_earns_what_is_known(env: Wireless, discount: float, want: float, slack: float) -> None:
    mean, error = mean_return(env, discount=discount)
    assert abs(mean - want) < slack + 3 * error  # slack: the known figures are themselves sampled


def test_geometry_is_the_papers() -> None:
    def sizes(env: Wireless) -> list[int]:
        return sorted(set(np.diff(env.neighbourhoods(1).indptr).tolist()))

    assert sizes(gsac_grid(4)) == sizes(utility_grid()) == [4, 6, 9]
    assert sizes(lin_grid()) == [8, 12, 18]
    lin = lin_grid()
    assert lin.n_agents == 24 and lin.tables.n_places == 6
    assert sorted(set(lin.n_actions.tolist())) == [3, 5, 9]  # 1 + d |Y_i|
    assert (np.bincount(lin.tables.access_points[:, 1:].ravel())[:6] == 8).all()
    published = [0.5488, 0.7152, 0.6028, 0.5449, 0.4237, 0.6459, 0.0]
    links = np.array(published)[lin_grid().tables.access_points]
    np.testing.assert_allclose(lin_grid().tables.link, links, atol=5e-5)
    assert lin_grid(4, 4).n_agents == 32 and lin_grid(2, 2).tables.link.max() == lin_grid().tables.link[0].max()
    assert gsac_grid(3).n_agents == 9 and gsac_grid(3).tables.n_places == 16
    assert (utility_grid().n_actions == 5).all() and utility_grid().action_masks().sum() == 25 + 4 + 12 * 2 + 9 * 4


def test_line_follows_its_exact_marginals() -> None:
    env = Line(n_envs=EPISODES)
    m, want = np.ones(10), 0.0
    for _ in range(125):  # s_i' depends on s_{i+1} and the own coin alone, so marginals close
        m = np.concatenate([[m[1]], 0.5 * (m[2:] + 0.8 * (1 - m[2:])), [0.5]])
        want += (m[0] + 0.1 * m[1:].sum()) / 10
    mean, error = mean_return(env)
    assert abs(mean - want) < 4 * error
    assert want == pytest.approx(10.6, abs=0.11)  # 10.6 from the stationary law, 10.7 with the start


def test_aloha_is_best_near_035() -> None:
    env = lin_grid(n_envs=EPISODES)
    found = {x: mean_return(env, localized_aloha(env, x), 0.7) for x in (0.0, 0.2, 0.35, 0.5)}
    assert found[0.0][0] == 0
    assert abs(found[0.35][0] - 0.179) < 0.0005 + 3 * found[0.35][1]
    assert found[0.35][0] > max(found[0.2][0], found[0.5][0])


def test_aloha_as_published_acts_on_a_stale_queue() -> None:
    """The published line of .136: the first action of an episode is drawn from the last queue of the one before."""
    env = lin_grid(n_envs=EPISODES, seed=1)
    sums, own = cumulated(localized_aloha(env, 0.3), env), spawn(2, EPISODES)
    action, total = np.empty(env.state.shape, np.int64), np.zeros(EPISODES)
    env.reset()
    for episode in range(2):
        for t in range(10):
            if t or not episode:
                sample_batch(sums, env.state, action, own)
            r = env.step(action)[1].mean(1)
            total += episode * 0.7**t * r
        sample_batch(sums, env.state, action, own)
        env.reset()
    assert abs(total.mean() - 0.1362) < 0.001 + 3 * total.std() / EPISODES**0.5


@pytest.mark.parametrize(("p", "want"), [(0.5, 3.22), (0.6, 3.74), (0.65, 3.97), (0.7, 4.18), (0.2, 1.40), (0.8, 4.56)])
def test_ceiling_is_what_dedicated_access_points_earn(p: float, want: float) -> None:
    ceiling = collision_free_ceiling(p, 0.5, 10)
    x = total = 0.0
    for _ in range(10):
        total += 0.5 * (1 - (1 - x) * (1 - p))
        x = x * p + (1 - x) * p * 0.5
    assert ceiling == pytest.approx(total, rel=1e-12)
    assert ceiling == pytest.approx(want, abs=0.0065)
    env = gsac_grid(3, arrival=p, n_envs=EPISODES)
    mean, error = mean_return(env, dedicated_access_points(env))
    assert abs(mean - ceiling) < 4 * error


def test_ceiling_for_other_deadlines() -> None:
    assert collision_free_ceiling(0.6, 0.4, 7, deadline=1) == pytest.approx(7 * 0.6 * 0.4)
    env = gsac_grid(2, arrival=0.6, success=0.4, deadline=3, n_envs=EPISODES)
    mean, error = mean_return(env, dedicated_access_points(env))
    assert abs(mean - collision_free_ceiling(0.6, 0.4, 10, deadline=3)) < 4 * error


def test_no_dedicated_policy_without_enough_access_points() -> None:
    with pytest.raises(NotApplicable, match="24 users cannot each have one of 6"):
        dedicated_access_points(lin_grid())


# ---------------------------------------------------------------- the step itself


def one_user(**options: Any) -> Wireless:
    return Wireless([[0]], 1, success=1.0, **options)


def test_arrival_shift_and_expiry_in_their_order() -> None:
    env = one_user(arrival=1.0, deadline=3)
    s, _ = env.reset()
    seen = [s[0]]
    for _ in range(3):
        seen.append(env.step(np.array([0]))[0][0])
    assert seen == [0b100, 0b110, 0b111, 0b111]  # a new packet enters b_3; from then on b_1 expires unserved
    s, r, *_ = env.step(np.array([1]))
    assert (s[0], r[0]) == (0b111, 1)  # b_1 went out in time, the rest moved up
    env = one_user(arrival=0.0, deadline=2, start="uniform")
    env.reset()
    env.state[:] = 0b10
    s, r, *_ = env.step(np.array([1]))
    assert (s[0], r[0]) == (0, 1)  # b_2 was the earliest packet


def test_collisions_with_and_without_ghosts() -> None:
    for ghost, want in ((False, 1.0), (True, 0.0)):
        env = Wireless([[0], [0]], 1, success=1.0, ghost=ghost)
        env.reset()
        env.state[0] = [0b10, 0b00]  # the second buffer is empty
        assert env.step(np.array([1, 1]))[1].tolist() == [want, 0.0]
        env.state[0] = [0b10, 0b10]
        assert env.step(np.array([1, 1]))[1].tolist() == [0.0, 0.0]


def test_explicit_slots() -> None:
    env = Wireless([[0, 1]], 2, success=1.0, arrival=0.0, slots=True)
    assert env.n_actions.tolist() == [5]
    for action, s_next in ((1, 0b01), (2, 0b00), (3, 0b01), (4, 0b00)):  # slot b_1, then b_2, of each access point
        env.reset()
        env.state[:] = 0b11
        s, r, *_ = env.step(np.array([action]))
        assert (s[0], r[0]) == (s_next, 1.0)


SMALL: dict[str, Any] = {
    "wireless": lambda **k: Wireless(
        [[0, 2], [0, 1], [1, 2]], 2, success=[0.3, 0.6, 0.9], arrival=[0.2, 0.5, 0.7], **k
    ),
    "ghost": lambda **k: Wireless([[0], [0], [0]], 1, ghost=True, slots=True, arrival=0.4, start="uniform", **k),
    "distractors": lambda **k: Wireless([[0], [0]], 1, distractors=True, coordinate=[1, 0], levels=3, stay=0.3, **k),
    "line": lambda **k: Line(3, **k),
    "epidemic": lambda **k: Epidemic(nx.path_graph(3), infection=[0.2, 0.5, 0.9], **k),
    "traffic": lambda **k: traffic_grid(2, room=2, capacity=1.3, arrival=0.6, **k),
    "tabular": lambda **k: TabularEnv(odd_tables(), **k),
}


def odd_tables() -> TabularNetwork:
    """Parents in no order, unlike numbers of states and actions, a reward that hangs on nothing."""
    rng = np.random.default_rng(0)
    kernels = [
        rng.dirichlet(np.ones(2), (3, 2, 3)),
        rng.dirichlet(np.ones(3), (2, 3, 2)),
        rng.dirichlet(np.ones(2), ()),
    ]
    rewards = [np.array(0.4), rng.random((2, 3)), rng.random(2)]
    return TabularNetwork(
        nx.path_graph(["a", "b", "c"]), kernels, rewards, initial=[[0.3, 0.7], [0.2, 0.5, 0.3], [1, 0]],
        state_parents=[[1, 0], [2], []], action_parents=[[1], [1, 0], []],
        reward_states=[[], [2], [2]], reward_actions=[[], [1], []],
    )  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6))
def test_frequencies_match_the_exact_kernels(name: str, seed: int) -> None:
    count, rng = 4000, np.random.default_rng(seed)
    env = SMALL[name](n_envs=count, seed=seed)
    env.reset()
    start = rng.integers(0, env.n_states)
    a = rng.integers(0, env.n_actions)
    env.state[:] = start
    after, r, *_ = env.step(np.broadcast_to(a, env.state.shape))
    for table in env.transition_tables():
        i, near = table.agent, table.neighbours
        p = table.probability[(*start[near], *a[near])]
        assert p.sum() == pytest.approx(1)
        frequency = np.bincount(after[:, i], minlength=p.size) / count
        assert (np.abs(frequency - p) <= 5.5 * np.sqrt(p * (1 - p) / count) + 1e-12).all()
        spread = max(r[:, i].std(), 1e-3)
        assert abs(r[:, i].mean() - table.reward[(*start[near], *a[near])]) < 5.5 * spread / count**0.5


@pytest.mark.parametrize("name", SMALL)
def test_exact_tables_make_the_same_process(name: str) -> None:
    env = SMALL[name](n_envs=3000, horizon=6)
    model = env.to_tabular(0.9)
    for i, law in enumerate(model.initial):
        s, _ = env.reset(5)
        assert (np.abs(np.bincount(s[:, i], minlength=law.size) / 3000 - law) < 0.05).all()
    twin = TabularEnv(model, n_envs=3000, horizon=6, seed=0)
    twin.reset(0)
    rng, total = np.random.default_rng(0), 0.0
    for _ in range(6):
        total += twin.step(rng.integers(0, env.n_actions, (3000, env.n_agents)))[1].mean()
    mean, error = mean_return(env)
    assert abs(mean - total) < 6 * error + 1e-9


def test_distractors_matter_to_nothing() -> None:
    env = SMALL["distractors"]()
    plain = Wireless([[0], [0]], 1)
    assert env.component_names == ("b_1", "b_2", "z_1", "z_2") and plain.component_names == ("b_1", "b_2")
    table, want = env.local_kernel(0), plain.local_kernel(0)
    codes = np.arange(env.n_states[0])
    bits, z1, z2 = codes & 3, (codes >> 2) % 3, (codes >> 2) // 3
    marginal = np.stack([table.probability[..., bits == b].sum(-1) for b in range(4)], axis=-1)
    same = want.probability[np.ix_(bits, bits, range(2), range(2))]
    assert np.allclose(marginal, same)  # the next packets depend on packets and actions alone
    assert np.array_equal(table.reward, want.reward[np.ix_(bits, bits, range(2), range(2))])
    env = gsac_grid(3, distractors=True, horizon=None)
    s, _ = env.reset(1)
    first = env.components(s)
    for _ in range(30):
        s = env.step(np.zeros(9, int))[0]
    assert np.array_equal(env.components(s)[:, 3], first[:, 3])  # a constant, the column
    assert first[:, 3].tolist() == [0, 1, 2] * 3
    moves = table.probability[0, 0, 0, 0].reshape(-1, 3, 4).sum((0, 2))
    assert np.allclose(moves, [0.3 + 0.7 / 3, 0.7 / 3, 0.7 / 3]) and z1.max() == 2 and z2.max() == 1


def test_distractors_leave_the_return() -> None:
    mean, error = mean_return(gsac_grid(3, distractors=True, n_envs=EPISODES))
    assert abs(mean - 2.44) < 0.01 + 3 * error


# ---------------------------------------------------------------- batch, seeds, codes


@pytest.mark.parametrize("name", [name for name in SMALL if name != "tabular"])  # its copies share one generator
def test_batch_element_equals_a_single_environment(name: str) -> None:
    batch = SMALL[name](n_envs=5, horizon=20)
    rng = np.random.default_rng(0)
    actions = rng.integers(0, batch.n_actions, (20, 5, batch.n_agents))
    s, _ = batch.reset(11)
    path = [(s, np.zeros(s.shape))] + [batch.step(a)[:2] for a in actions]
    for e in (0, 3):
        alone = SMALL[name](horizon=20)
        s, _ = alone.reset(spawn(11, 1, first=e))
        assert s.shape == (batch.n_agents,) and np.array_equal(s, path[0][0][e])
        for t in range(20):
            s, r, terminated, truncated, _ = alone.step(actions[t, e])
            assert np.array_equal(s, path[t + 1][0][e]) and np.array_equal(r, path[t + 1][1][e])
            assert not terminated and bool(truncated) == (t == 19)


def test_streams() -> None:
    assert np.array_equal(spawn(3, 10)[:4], spawn(3, 4)) and np.array_equal(spawn(3, 2, first=8), spawn(3, 10)[8:])
    assert (spawn(0, 10**5)[:, 1] % 2 == 1).all() and len(np.unique(spawn(0, 10**5)[:, 0])) == 10**5
    assert np.array_equal(spawn(np.random.default_rng(1), 3), spawn(np.random.default_rng(1), 3))
    assert not np.array_equal(spawn(None, 3), spawn(None, 3))
    for bad in (-1, 1.5, True, "0"):
        with pytest.raises(DataError, match="whole number from 0 up"):
            spawn(bad, 1)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"shape \(4, 2\)"):
        spawn(spawn(0, 3), 4)


def test_streams_are_those_of_splitmix() -> None:
    """In whole numbers of Python, after Steele, Lea and Flood: positions and gammas of the n-th split."""
    words, golden, weak = 2**64 - 1, 0x9E3779B97F4A7C15, 0

    def mix(z: int) -> int:
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & words
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & words
        return z ^ (z >> 31)

    root = int(np.random.SeedSequence(7).generate_state(1, np.uint64)[0])
    for e, (position, stride) in enumerate(spawn(7, 5000).tolist()):
        gamma = mix((root + (2 * e + 2) * golden) & words) | 1
        few = (gamma ^ (gamma >> 1)).bit_count() < 24
        weak += few
        assert position == mix((root + (2 * e + 1) * golden) & words)
        assert stride == gamma ^ (0xAAAAAAAAAAAAAAAA if few else 0)
    assert weak > 10


def test_reset_without_a_seed_goes_on() -> None:
    env = gsac_grid(3, seed=5)
    first, second = env.reset()[0], env.reset()[0]
    again = gsac_grid(3, seed=5)
    assert np.array_equal(again.reset()[0], first) and np.array_equal(again.reset()[0], second)
    assert np.array_equal(env.reset(5)[0], first)


def test_answers_are_copies_and_inputs_stay() -> None:
    env, a = gsac_grid(3), np.ones(9, np.int32)
    a.setflags(write=False)
    s, _ = env.reset(0)
    s[:] = 1
    assert (env.state != 1).all()  # a fresh packet is code 2, an empty buffer 0
    s, r, *_ = env.step(a)
    s[:], r[:] = 9, 9
    assert env.state.max() <= 3 and env.reward.max() <= 1 and (a == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        env.n_states[0] = 1


def test_domains() -> None:
    env = gsac_grid(3, arrival=np.array([[0.0], [1.0]]), n_envs=2, success=0.0)
    env.reset(0)
    s, *_ = env.step(np.zeros((2, 9), int))
    assert (s[0] == 0).all() and (s[1] == 3).all()
    with pytest.raises(DataError, match="in_domain"):
        env.local_kernel(0)
    target = env.in_domain(0.65, n_envs=3, seed=1)
    assert target.n_envs == 3 and target.horizon == 10 and (target.arrival == 0.65).all()
    assert np.array_equal(target.tables.link, env.tables.link)
    slow = traffic_grid(3, capacity=np.array([[0.0], [50.0]]), n_envs=2, arrival=0.0, start=1)
    slow.reset(0)
    before = slow.state.copy()
    s, *_ = slow.step(np.broadcast_to(slow.n_actions - 1, (2, 9)))
    assert np.array_equal(s[0], before[0]) and not np.array_equal(s[1], before[1])


@pytest.mark.parametrize("name", SMALL)
def test_components_and_encode(name: str) -> None:
    env = SMALL[name]()
    s = np.random.default_rng(0).integers(0, env.n_states, (7, 3, env.n_agents))
    parts = env.components(s)
    assert parts.shape == (7, 3, env.n_agents, len(env.component_names))
    assert np.array_equal(env.encode(parts), s)
    with pytest.raises(DataError, match=f"{env.component_names[0]!r} of agent 1 is 99"):
        env.encode(np.where(np.arange(env.n_agents)[:, None] == 1, 99, 0) * np.ones((1, len(env.component_names)), int))
    with pytest.raises(DataError, match="state of agent 0 is -1"):
        env.components(np.full(env.n_agents, -1))


def test_traffic_counts_its_vehicles() -> None:
    env = traffic_grid(3, capacity=20.0, arrival=1.0, room=3, n_envs=50, horizon=30)
    env.reset(0)
    before = env.components(env.state.astype(int)).sum((1, 2))
    for _ in range(30):  # nothing may leave: entries only, until the queues are full
        s, r, _, _, info = env.step(np.zeros((50, 9), int))
        now = env.components(s).sum((1, 2))
        assert np.array_equal(now, before + 5 - info["lost"])  # five entries north and west
        assert np.array_equal(-r.sum(1), before)
        before = now
    assert info["lost"].min() > 0
    shifted = traffic_grid(3, shifted=True)
    shifted.reset(0)
    assert (shifted.step(np.zeros(9, int))[1] >= 0).all()


def test_epidemic_extremes() -> None:
    env = Epidemic(nx.star_graph(3), infection=1.0, recovery=0.0, protection=1.0, start=0.0)
    env.reset(0)
    env.state[0] = [1, 0, 0, 0]
    s, r, *_ = env.step(np.array([0, 1, 0, 0]))
    assert s.tolist() == [1, 0, 1, 1] and r[0] == pytest.approx(0.2 / 1.2) and r[1] == pytest.approx(1 / 1.2)
    island = nx.path_graph(2)
    island.add_node("alone")
    env = Epidemic(island, infection=1.0, start=0.0)
    env.reset(0)
    env.state[0] = [1, 0, 0]
    assert env.step(np.zeros(3, int))[0][2] == 0 and env.labels == [0, 1, "alone"]


# ---------------------------------------------------------------- topology


@settings(max_examples=40)
@given(n=st.integers(1, 25), p=st.floats(0, 0.4), kappa=st.integers(0, 30), seed=st.integers(0, 999))
def test_balls_are_networkx_balls(n: int, p: float, kappa: int, seed: int) -> None:
    graph = nx.gnp_random_graph(n, p, seed=seed)
    balls = hop_neighbourhoods(adjacency_of(graph), kappa)
    table = padded(balls)
    for i in range(n):
        want = sorted(nx.ego_graph(graph, i, radius=kappa))
        assert balls.indices[balls.indptr[i] : balls.indptr[i + 1]].tolist() == want
        assert table[i][table[i] < n].tolist() == want


def test_an_adjacency_is_copied_and_left_as_it_was() -> None:
    given = sparse.csr_matrix((np.ones(4, bool), np.array([1, 2, 0, 0], np.int32), [0, 2, 3, 4]), shape=(3, 3))
    given.indices[:2] = [2, 1]  # not in order
    given.indices.setflags(write=False)
    env = Epidemic(given)
    assert given.indices.tolist() == [2, 1, 0, 0] and env.adjacency.indices.tolist() == [1, 2, 0, 0]
    assert not np.shares_memory(env.adjacency.data, given.data)
    with pytest.raises(DataError, match="number of agents is 0, and must be a whole number from 1"):
        Epidemic(sparse.csr_matrix((0, 0)))


def test_graph_and_adjacency_agree() -> None:
    for env in (gsac_grid(4), lin_grid(), Line(6), traffic_grid(3), Epidemic(nx.cycle_graph(5))):
        assert (nx.to_numpy_array(env.graph) == env.adjacency.toarray()).all()
        assert (env.adjacency != env.adjacency.T).nnz == 0 and not env.adjacency.diagonal().any()
    moore = nx.Graph(nx.strong_product(nx.path_graph(4), nx.path_graph(4)))
    assert nx.is_isomorphic(gsac_grid(4).graph, moore)


def bipartite() -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(["u", "v", "w"], bipartite=0)
    graph.add_nodes_from(["A", "B"], bipartite=1)
    graph.add_edges_from([("u", "A"), ("v", "A"), ("v", "B"), ("w", "B")])
    return graph


def test_any_bipartite_graph() -> None:
    env = wireless_network(bipartite(), arrival=0.3)
    assert env.labels == ["u", "v", "w"] and env.n_actions.tolist() == [2, 3, 2]
    assert sorted(env.graph.edges) == [(0, 1), (1, 2)]
    named = wireless_network(bipartite(), users=["w", "u", "v"])
    assert named.labels == ["w", "u", "v"] and named.n_actions.tolist() == [2, 2, 3]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda g: g.add_edge("u", "v"), "does not join a user to an access point"),
        (lambda g: g.add_edge("u", "B", weight=0.5), "has weight 0.5"),
        (lambda g: g.add_node("x"), "says neither bipartite=0"),
        (lambda g: g.add_node("x", bipartite=0), "'x' reaches no access point"),
        (lambda g: g.add_edge("u", "u"), "an edge to itself"),
        (lambda g: g.remove_nodes_from(list(g)), "has no nodes"),
    ],
    ids=["user-user", "weight", "unmarked", "isolated", "loop", "empty"],
)
def test_topologies_refused(change: Any, sentence: str) -> None:
    graph = bipartite()
    change(graph)
    with pytest.raises(DataError, match=sentence):
        wireless_network(graph)


def test_wrong_kinds_of_graph() -> None:
    with pytest.raises(DataError, match="to_undirected"):
        Epidemic(nx.DiGraph([(0, 1)]))
    with pytest.raises(DataError, match="parallel edges"):
        Epidemic(nx.MultiGraph([(0, 1), (0, 1)]))
    with pytest.raises(DataError, match="must be directed"):
        Traffic(nx.path_graph(3))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"the network is \[\(0, 1\)\], and must be a networkx graph"):
        Epidemic([(0, 1)])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="one direction only"):
        Epidemic(sparse.csr_matrix(np.array([[0, 1], [0, 0]])))
    with pytest.raises(DataError, match="no vehicle ever enters"):
        Traffic(nx.DiGraph([(0, 1), (1, 0)]))
    for wrong, sentence in [
        ({"capacity": -1}, "capacity holds a number that is -1.0, and must be a finite number from 0 up"),
        ({"room": 0}, "room is 0"),
        ({"arrival": 2}, "arrival is 2, and must be a finite number from 0 to 1"),
        ({"start": -1}, "start is -1"),
    ]:  # what the caller wrote comes before what the graph lacks
        with pytest.raises(DataError, match=sentence):
            Traffic(nx.DiGraph([(0, 1), (1, 0)]), **wrong)
    with pytest.raises(DataError, match="could never leave"):
        Traffic(nx.DiGraph([(0, 1)]), exits=[])
    with pytest.raises(DataError, match="whole number from 0 up"):
        gsac_grid(3).neighbourhoods(-1)


def test_disconnected_networks_and_large_kappa_are_fine() -> None:
    graph = nx.disjoint_union(nx.path_graph(3), nx.cycle_graph(4))
    env = Epidemic(graph)
    assert np.diff(env.neighbourhoods(100).indptr).tolist() == [3] * 3 + [4] * 4


def test_masks_are_as_wide_as_the_most_actions() -> None:
    """Also where no agent reaches as many access points as the table has columns."""
    for env in (
        lin_grid(2, 4, place_success=0.5, n_envs=2),
        lin_grid(),
        gsac_grid(2),
        utility_grid(2),
        SMALL["wireless"](),
    ):
        shape = (env.n_agents, env.n_actions.max())
        assert env.action_masks().shape[-2:] == action_places(env).shape == shape


# ---------------------------------------------------------------- bad input


def test_bad_steps() -> None:
    env = gsac_grid(3, n_envs=2, horizon=1)
    with pytest.raises(DataError, match="call reset first"):
        env.step(np.zeros((2, 9), int))
    env.reset(0)
    for bad, sentence in [
        ([[0] * 9, [0] * 8], "rows have different lengths"),
        (np.zeros(9, int), r"shape \(2, 9\)"),
        (np.zeros((2, 9)), "this array is float64"),
        (np.full((2, 9), 5), "action of agent 0 is 5, and it has 5: 0 to 4"),
        (np.full((2, 9), -1), "action of agent 0 is -1"),
    ]:
        with pytest.raises(DataError, match=sentence):
            env.step(bad)
    env.step(np.zeros((2, 9), int))
    with pytest.raises(DataError, match="episode of 1 steps is over"):
        env.step(np.zeros((2, 9), int))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: gsac_grid(3, arrival=1.2),
            "arrival holds a number that is 1.2, and must be a finite number from 0 to 1",
        ),
        (lambda: gsac_grid(3, arrival=np.nan), "arrival holds a number that is nan"),
        (lambda: gsac_grid(3, arrival=[0.1, 0.2]), r"fit the shape \(1, 9\)"),
        (lambda: gsac_grid(3, success=-0.1), "success holds a number that is -0.1"),
        (lambda: gsac_grid(0), "size is 0, and must be a whole number from 1"),
        (lambda: gsac_grid(3, deadline=0), "deadline is 0, and must be"),
        (lambda: gsac_grid(3, n_envs=0), "n_envs is 0, and must be"),
        (lambda: gsac_grid(3, horizon=2.5), "horizon is 2.5, and must be"),
        (lambda: gsac_grid(3, start="full"), "start is 'full'; write one of fresh, uniform, empty"),
        (lambda: gsac_grid(3, ghost="no"), "ghost is 'no'; write True or False"),
        (lambda: gsac_grid(3, slots=1), "slots is 1; write True or False"),
        (lambda: gsac_grid(3, distractors="yes"), "distractors is 'yes'; write True or False"),
        (lambda: traffic_grid(3, shifted=2), "shifted is 2; write True or False"),
        (lambda: Wireless([[2]], 1), "access point 2 of user 0 does not exist"),
        (lambda: Wireless([[1]], 1), "user 0 reaches no access point"),
        (lambda: Wireless([[0, 0]], 1), "names an access point twice"),
        (
            lambda: Wireless([[0]], 1, distractors=True, coordinate=0.5),
            "coordinate is 0.5, and must be a whole number, or 1 of them",
        ),
        (lambda: Line(3, reward_other=np.inf), "reward_other is inf, and must be a finite number"),
        (lambda: Line(3, reward_first="a"), "reward_first is 'a', and must be a finite number"),
        (lambda: Wireless([[0], [0, 1]], 2), "rows of different lengths; fill them up with 2"),
        (lambda: Wireless([[0.0]], 1), r"not float64 of shape \(1, 1\)"),
        (
            lambda: Wireless([[0]], 1, deadline=16, distractors=True, levels=1000, coordinate=99),
            "has 6,553,600,000 states",
        ),
        (
            lambda: traffic_grid(2, capacity="a"),
            r"capacity is 'a', and must be a number, or numbers that fit the shape \(1, 4\)",
        ),
        (lambda: traffic_grid(2, exits=5), "exits is a list of nodes"),
        (lambda: traffic_grid(2, entries=[[0, 0]]), r"entries names \[0, 0\]"),
        (lambda: Line(1), "n_agents is 1, and must be a whole number from 2"),
        (lambda: traffic_grid(2, capacity=-1.0), "capacity holds a number that is -1.0"),
        (lambda: traffic_grid(2, split=np.ones((4, 2))), "must share the sum 1"),
        (lambda: traffic_grid(2, exits=[(9, 9)]), "exits names"),
        (lambda: Epidemic(nx.path_graph(2), cost=-1), "cost is -1, and must be a finite number from 0"),
        (lambda: gsac_grid(3, n_envs=10**12), "n_envs is 1,000,000,000,000, and 9 agents fit at most 11,111,111 times"),
        (lambda: gsac_grid(20_000), "400,000,000 agents is too large; it may have 10,000,000 at most"),
        (lambda: lin_grid(10**5, 10**5), "20,000,000,000 agents is too large"),
        (lambda: utility_grid(10**5), "10,000,000,000 agents is too large"),
        (lambda: traffic_grid(10**5), "10,000,000,000 agents is too large"),
        (lambda: Line(10**9), "n_agents is 1000000000, and must be a whole number from 2 to 10000000"),
        (lambda: Wireless([[0]], 10**9), "n_places is 1000000000, and must be a whole number from 1 to 40000000"),
        (lambda: uniform_policy(None), "env is NoneType, and must be a networked environment"),  # type: ignore[arg-type]
        (lambda: policy_returns(None, np.ones(1)), "env is NoneType, and must be"),  # type: ignore[arg-type]
        (lambda: localized_aloha(None, 0.3), "env is NoneType, and must be a Wireless network"),  # type: ignore[arg-type]
        (lambda: localized_aloha(Line(4), 0.3), "env is Line, and must be a Wireless network"),  # type: ignore[arg-type]
        (lambda: dedicated_access_points(None), "env is NoneType, and must be a Wireless"),  # type: ignore[arg-type]
    ],
)
def test_bad_parameters(make: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        make()


def test_exact_kernels_say_when_they_are_too_large() -> None:
    with pytest.raises(NotApplicable, match="9 agents in its neighbourhood has 2,048,000,000,000 entries"):
        gsac_grid(3).local_kernel(4)
    with pytest.raises(DataError, match="agent is 9, and must be a whole number from 0 to 8"):
        gsac_grid(3).local_kernel(9)


def test_policies_of_another_network() -> None:
    env = gsac_grid(3, n_envs=2)
    with pytest.raises(DataError, match="another network"):
        policy_returns(env, uniform_policy(gsac_grid(4)))
    with pytest.raises(DataError, match="is no probability law"):
        policy_returns(env, 2 * uniform_policy(env))
    lin = lin_grid(n_envs=2)
    with pytest.raises(DataError, match="does not have"):
        policy_returns(lin, np.full((24, 4, 9), 1 / 9))
    with pytest.raises(DataError, match="horizon"):
        policy_returns(gsac_grid(3, horizon=None), uniform_policy(env))


# ---------------------------------------------------------------- scale


def test_a_hundred_thousand_agents() -> None:
    env = gsac_grid(250, 400, horizon=None)
    assert env.n_agents == 100_000 and env.state.dtype == np.int8
    a = np.random.default_rng(0).integers(0, 5, (1, 100_000))
    env.reset(0)
    env._advance(a)
    begin = time.process_time()
    for _ in range(20):
        env._advance(a)
    rate = 20 * 100_000 / (time.process_time() - begin)
    assert rate > 10e6, f"{rate:.3g} agent-steps a second"  # 80 million on an idle core
    balls = env.neighbourhoods(1)
    assert balls.nnz == env.adjacency.nnz + 100_000 and np.diff(balls.indptr).max() == 9


# ---------------------------------------------------------------- tables and weights, refused in sentences


def tables(**more: Any) -> TabularNetwork:
    return TabularNetwork(nx.empty_graph(3), [np.full((2, 2), 0.5)] * 3, [np.zeros(2)] * 3, **more, **BARE)


BARE = {"action_parents": [[]] * 3, "reward_actions": [[]] * 3}
PATH = nx.path_graph(3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: tables(initial=[[0.5, 0.5]] * 4), "initial has 4 laws, and the graph 3 nodes"),
        (lambda: tables(n_actions=[2, 2]), r"n_actions is \[2, 2\], and must be a whole number, or 3 of them"),
        (lambda: tables(n_actions=2.5), "n_actions is 2.5, and must be a whole number"),
        (lambda: tables(n_actions=0), "a number in n_actions is 0, and must be a whole number from 1"),
        (lambda: TabularNetwork.random(PATH, 0, n_states=0), "n_states is 0, and must be a whole number from 1"),
        (lambda: TabularNetwork.random(PATH, 0, n_actions=1.5), "n_actions is 1.5, and must be a whole number from 1"),
        (lambda: TabularNetwork.random(PATH, 0, concentration=-1), "concentration is -1"),
        (lambda: TabularNetwork.random(PATH, -1), "seed is -1, and must be a whole number from 0"),
        (lambda: TabularEnv(tables(), seed=-1), "seed is -1, and must be a whole number from 0"),
        (lambda: TabularEnv(tables(), n_envs=1.5), "n_envs is 1.5, and must be a whole number"),
        (lambda: TabularEnv(tables(), horizon=0), "horizon is 0, and must be a whole number"),
        (lambda: Epidemic(sparse.csr_matrix([[0, 0.3], [0.3, 0]])), r"entry \(0, 1\) of the adjacency is 0.3"),
        (lambda: Epidemic(sparse.csr_matrix([[0, np.nan], [np.nan, 0]])), "of the adjacency is nan"),
        (lambda: Epidemic(PATH, infection="a"), "infection is 'a', and must be a number, or numbers that fit"),
        (
            lambda: Epidemic(PATH, protection=[0.1, 0.2]),
            r"protection is \[0.1, 0.2\], and must be a finite number from 0 to 1",
        ),
        (lambda: Epidemic(PATH, cost="a"), "cost is 'a', and must be a finite number"),
        (lambda: tables(gamma="a"), "gamma is 'a', and must be a finite number"),
        (lambda: tables(gamma=[0.1]), r"gamma is \[0.1\], and must be a finite number"),
        (lambda: tables(gamma=1), r"gamma is 1.0, and must lie in \[0, 1\)"),
        (lambda: tables(initial=3), "initial is a list of laws, not 3"),
        (lambda: tables(initial=[["a", "b"]] * 3), r"initial\[0\] is \['a', 'b'\], and must be numbers"),
        (lambda: tables(state_parents=[0, 1, 2]), r"state_parents\[0\] is a list of agents, not 0"),
        (lambda: tables(state_parents=[[0, 0], [1], [2]]), "names an agent twice"),
        (lambda: TabularNetwork(PATH, None, []), "kernels is a list of tables, not None"),  # type: ignore[arg-type]
        (lambda: TabularEnv("model"), "model is 'model', and must be a TabularNetwork"),  # type: ignore[arg-type]
    ],
)
def test_tables_and_weights_that_mean_nothing(make: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        make()


def test_a_table_that_no_memory_holds_is_refused_before_it_is_made() -> None:
    for leaves, digits in ((50, 16), (2000, 603)):
        with pytest.raises(NotApplicable, match=rf"has {leaves} neighbours, would hold about 10\^{digits} numbers"):
            TabularNetwork.random(nx.star_graph(leaves), 0)


def test_steps_of_tables_take_what_the_contract_says() -> None:
    env = TabularEnv(TabularNetwork.random(nx.path_graph(5), 0), n_envs=2, horizon=1)
    env.reset(seed=0)
    for bad in (np.zeros((5, 2), int), np.zeros((2, 5)), np.zeros(10, int)):
        with pytest.raises(DataError, match=r"whole numbers of shape \(2, 5\)"):
            env.step(bad)
    env.step(np.zeros((2, 5), int))
    with pytest.raises(DataError, match="episode of 1 steps is over"):
        env.step(np.zeros((2, 5), int))
    assert env.components(env.reset()[0]).shape == (2, 5, 1) and env.radices.shape == (5, 1)
