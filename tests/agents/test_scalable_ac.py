"""Scalable Actor-Critic against Algorithm 1 in plain Python, against exact solutions, and against nonsense."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from causalnet.agents import (
    GSAC,
    LocalizedPolicyImprovement,
    Rate,
    ScalableActorCritic,
    Settings,
    TableFull,
    access_point_loads,
    independent_learners,
    returns,
)
from causalnet.agents.networked import critic_kernels
from causalnet.data.rollouts import collect
from causalnet.envs.networked import (
    Epidemic,
    Line,
    TabularEnv,
    TabularNetwork,
    exact,
    policy_returns,
    traffic_grid,
    uniform_policy,
)
from causalnet.envs.networked.neighbourhoods import surround
from causalnet.envs.networked.wireless import gsac_grid, lin_grid, localized_aloha
from causalnet.errors import DataError, NotApplicable
from causalnet.storage.checkpoint import read, write


def chain(n: int = 4, *, gamma: float = 0.7, coupling: str = "states", seed: int = 3) -> TabularNetwork:
    return TabularNetwork.random(nx.path_graph(n), seed, gamma=gamma, coupling=coupling)


def algorithm_1(agent: ScalableActorCritic, h: float, t0: float, eta: float) -> np.ndarray:
    """One update in dictionaries, on the trajectory that the agent has just followed; theta before it was zero."""
    path, n, o = agent._path, agent.shape[1], agent.settings
    near = agent.critic.around.near
    ball = [row.tolist() for row in np.split(near.indices, near.indptr[1:-1])]
    z = [[(*path.codes[t, 0, b], *path.a[t, 0, b]) for b in ball] for t in range(o.steps + 1)]
    q: list[dict[Any, float]] = [{} for _ in range(n)]
    for t in range(1, o.steps + 1):
        alpha = h / (t - 1 + t0)
        for i in range(n):
            old, new = q[i].get(z[t - 1][i], 0.0), q[i].get(z[t][i], 0.0)
            q[i][z[t - 1][i]] = (1 - alpha) * old + alpha * (path.r[t - 1, 0, i] + o.gamma * new)
    theta = np.zeros(agent.shape[1:])
    for t in range(o.steps + 1):
        for i in range(n):
            s, a, m = path.codes[t, 0, i], path.a[t, 0, i], agent.n_actions[i]
            total = sum(q[j].get(z[t][j], 0.0) for j in ball[i]) / n
            score = (np.arange(agent.shape[3]) == a) - (np.arange(agent.shape[3]) < m) / m
            theta[i, s] += eta * o.gamma**t * total * score / o.temperature
    return theta


@pytest.mark.parametrize("kappa", [0, 1, 9])
@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("make", [lambda: TabularEnv(chain()), lambda: lin_grid(), lambda: gsac_grid(3)])
def test_the_first_update_is_algorithm_1(make: Any, kappa: int, fresh: bool) -> None:
    options = Settings.paper(h=0.8, t0=2.0, eta=3.0, kappa=kappa, gamma=0.7, temperature=0.5, fresh=fresh)
    agent = ScalableActorCritic(make(), options, seed=5)
    agent.update()
    np.testing.assert_allclose(agent.theta[0], algorithm_1(agent, 0.8, 2.0, 3.0), atol=2e-6)
    assert np.abs(agent.theta).max() > 0


class Slow:
    """A wireless network without its compiled loop: only what the array contract promises."""

    def __init__(self, env: Any) -> None:
        self.env, self.n_agents, self.n_envs, self.horizon = env, env.n_agents, env.n_envs, env.horizon
        self.n_states, self.n_actions, self.adjacency = env.n_states, env.n_actions, env.adjacency

    def reset(self, seed: int | None = None) -> Any:
        return self.env.reset(seed=seed)

    def step(self, a: Any) -> Any:
        return self.env.step(a)


def test_the_compiled_loop_and_the_array_contract_agree_to_the_bit() -> None:
    fast = ScalableActorCritic(lin_grid(n_envs=6), Settings(gamma=0.7), learners=2, seed=1).learn(12)
    slow = ScalableActorCritic(Slow(lin_grid(n_envs=6)), Settings(gamma=0.7), learners=2, seed=1).learn(12)
    assert (fast.theta == slow.theta).all() and fast.episodes == 12
    one = ScalableActorCritic(lin_grid(n_envs=3), Settings(gamma=0.7), seed=1).learn(12)
    assert (one.theta[0] == fast.theta[0]).all()  # a learner does not notice how many there are
    assert (fast.theta[0] != fast.theta[1]).any()


def still(**options: Any) -> Settings:
    """Evaluate the uniform policy on one long trajectory: no steps of the actor, rates that fall with visits."""
    base: dict[str, Any] = {
        "critic": "table", "gradient": "score", "by_visits": True, "trace": 0.0, "continuing": True, "steps": 200,
        "critic_rate": Rate(10.0, 0.85, 15.0), "actor_rate": Rate(0.0), "capacity": 2048,
    }  # fmt: skip
    return Settings(**{**base, **options})


def pairs_along(agent: ScalableActorCritic, process: exact.Joint) -> tuple[np.ndarray, np.ndarray]:
    s = np.ravel_multi_index(tuple(np.moveaxis(agent._path.codes, 2, 0)), tuple(agent.env.n_states))
    a = np.ravel_multi_index(tuple(np.moveaxis(agent._path.a, 2, 0)), tuple(agent.n_actions))
    return s, a


@pytest.mark.parametrize(("coupling", "kappa"), [("states", 0), ("states", 1), ("actions", 1), ("actions", 4)])
def test_td_converges_to_the_exact_truncated_q(coupling: str, kappa: int) -> None:
    model = chain(4, coupling=coupling)
    process = exact.joint(model, [np.full((2, 2), 0.5)] * 4)
    agent = ScalableActorCritic(TabularEnv(model, n_envs=40, horizon=None), still(kappa=kappa, gamma=0.7), seed=2)
    for update in range(50):
        found = agent.critic.learn(agent.sample(), update)
    q, law = exact.q_values(process), exact.stationary(process)
    s, a = pairs_along(agent, process)
    power = kappa + 1 if coupling == "states" else kappa  # the information pattern: actions of neighbours act at once
    for i in range(4):
        ball = [j for j in range(4) if abs(j - i) <= kappa]
        fixed = exact.td_fixed_point(process, process.rewards[i], exact.keys(process, ball), law)
        assert np.abs(found[..., i] - fixed[s, a]).mean() < 0.02  # the sampling error
        assert np.abs(fixed - q[i]).max() <= 0.7**power / 0.3 / 0.3 * (kappa < 4) + 1e-9  # c rho^(.) / (1 - gamma)
        mean, gap = exact.truncated(q[i], exact.keys(process, ball), law)
        assert gap <= 0.7**power / 0.3 * (kappa < 4) + 1e-9
        assert np.abs(found[..., i] - mean[s, a]).mean() < 0.02 + gap


@pytest.mark.parametrize("kind", ["own", "linear", "table"])
def test_the_sampled_gradient_is_the_exact_truncated_gradient(kind: str) -> None:
    model = chain(5, gamma=0.6)
    policy = [np.full((2, 2), 0.5)] * 5
    balls = [[j for j in range(5) if abs(j - i) <= 1] for i in range(5)]
    truncated, whole = exact.policy_gradient(model, policy, balls=balls), exact.policy_gradient(model, policy)
    sampled = kind == "table"
    options = Settings(
        gamma=0.6, critic=kind, gradient="score" if sampled else "expected", trace=0.0 if sampled else 1.0, steps=20,
        actor_rate=Rate(0.0), by_visits=True, baseline_rate=0.01 if sampled else 0.0,
        critic_rate={"own": Rate(1.0, 1.0), "linear": Rate(3.0, 0.6, 50.0), "table": Rate(5.0, 0.9, 8.0)}[kind],
    )  # fmt: skip
    agent = ScalableActorCritic(TabularEnv(model, n_envs=4000 if sampled else 1000, horizon=20), options, seed=1)
    gathered = []
    for _ in range(8):
        agent.update()  # moves the critic alone
        agent.settings = dataclasses.replace(options, actor_rate=Rate(1.0))
        agent.improve(agent._path, agent.critic._q)
        gathered.append(agent.theta[0].copy())
        agent.theta[:], agent.settings = 0.0, options
        agent.improve(agent._path, agent.critic._q)  # a step of zero: back to the uniform policy
    found = np.mean(gathered[3:], axis=0) / 5  # over n, as J is a mean over agents
    assert np.linalg.norm(found - truncated) < 0.03 * np.linalg.norm(truncated)
    for i in range(5):
        assert np.linalg.norm(truncated[i] - whole[i]) <= np.sqrt(2) * 0.6**2 / 0.4**2  # Lemma 4


@pytest.mark.parametrize("by_visits", [False, True])
@pytest.mark.parametrize("trace", [0.0, 0.6, 1.0])
def test_temporal_differences_by_hand(trace: float, by_visits: bool) -> None:
    rng, gamma, clock, rates = np.random.default_rng(0), 0.8, np.array([2.0, 0.7, 3.0]), np.linspace(0.5, 0.1, 9)
    slots, r = rng.integers(-1, 6, (10, 4, 3, 2)).astype(np.int32), rng.normal(size=(9, 4, 3))
    slots[..., 0] = np.abs(slots[..., 0])  # one slot at least
    w, visits = rng.normal(size=(2, 3, 6)), np.zeros((2, 3, 6) if by_visits else (1, 1, 0))
    found, q, none = w.copy(), np.empty((10, 4, 3)), np.zeros(9)
    critic_kernels.temporal_differences(slots, r, found, visits, clock, rates, gamma, trace, np.zeros((2, 3)), none, q)
    seen = np.zeros_like(w)
    for e in range(4):
        for i in range(3):
            own, count = w[e // 2, i], seen[e // 2, i]
            active = [[f for f in slots[t, e, i] if f >= 0] for t in range(10)]
            g = own[active[9]].sum()
            for t in range(9) if trace == 0 else reversed(range(9)):
                g = r[t, e, i] + gamma * ((1 - trace) * own[active[t + 1]].sum() + trace * g)
                error = g - own[active[t]].sum()
                for f in active[t]:
                    own[f] += (2 / (3 + count[f]) ** 0.7 if by_visits else rates[t]) / len(active[t]) * error
                    count[f] += 1
    np.testing.assert_allclose(found, w, atol=1e-12)
    assert not by_visits or (visits == seen).all()
    assert q[4, 3, 1] == pytest.approx(sum(w[1, 1, f] for f in slots[4, 3, 1] if f >= 0))


@pytest.mark.parametrize("make", [lambda: lin_grid(n_envs=3), lambda: gsac_grid(3, n_envs=3)])  # with ghosts, without
def test_loads_are_the_other_senders_on_the_access_point(make: Any) -> None:
    env = make()
    net, path = env.tables, ScalableActorCritic(env, Settings(steps=10), seed=4).sample()
    loads, places = access_point_loads(env)(path), np.full(path.a.shape, -1)
    for at in np.ndindex(path.a.shape):
        a, place = path.a[at], int(net.access_points[at[2], net.port[path.a[at]]])
        if a > 0 and place < net.n_places and (net.ghost or path.codes[at] & int(net.slots[a])):
            places[at] = place
    for at in np.ndindex(path.a.shape):
        same = (places[at[:2]] == places[at]).sum() - 1
        assert loads[at] == (same if places[at] >= 0 else 0)
    assert loads.max() >= 2
    won = path.r > 0
    assert won.any() and (loads[:-1][won] == 0).all()  # no packet arrives over a shared access point


def test_average_reward_critic() -> None:
    model = chain(3)
    process = exact.joint(model, [np.full((2, 2), 0.5)] * 3)
    options = still(kappa=2, objective="average", average_rate=Rate(1.0, 0.9), critic_rate=Rate(4.0, 0.8, 8.0))
    agent = ScalableActorCritic(TabularEnv(model, n_envs=40, horizon=None), options, seed=2)
    for update in range(40):
        found = agent.critic.learn(agent.sample(), update)
    mu, h = exact.differential_q(process)
    s, a = pairs_along(agent, process)
    np.testing.assert_allclose(agent.critic.mu[0], mu, atol=0.02)
    for i in range(3):
        error = found[..., i] - h[i][s, a]  # differential values are known up to a constant
        assert (error - error.mean()).std() < 0.05


def test_lin_network_passes_the_published_return_with_a_tenth_of_its_samples() -> None:
    agent = ScalableActorCritic(lin_grid(n_envs=30), Settings(gamma=0.7), learners=3, seed=11).learn(12_000)
    test = lin_grid(n_envs=150)
    each = agent.evaluate(test, 400).mean(1)
    aloha = returns(test, localized_aloha(test, 0.35), gamma=0.7, episodes=2000).mean()
    assert abs(aloha - 0.179) < 0.006
    assert each.mean() > 0.2414 and each.min() > aloha + 0.03
    alone = independent_learners(lin_grid(n_envs=10), Settings(gamma=0.7), seed=11).learn(4000)
    assert alone.evaluate(test, 300).mean() < 0.03  # everyone sends, everything collides


@pytest.mark.parametrize("kind", ["own", "table", "linear", "counts"])
def test_every_critic_learns(kind: str) -> None:
    env = lin_grid(n_envs=8)
    options = Settings(gamma=0.7, critic="linear" if kind == "linear" else "own")
    if kind in {"table", "counts"}:
        options = Settings(
            gamma=0.7, critic=kind, gradient="score", fresh=kind == "table", actor_rate=Rate(5.0), baseline_rate=0.02
        )  # type: ignore[arg-type]
    agent = ScalableActorCritic(env, options, seed=0, counts=access_point_loads(env)).learn(3000)
    assert agent.evaluate(lin_grid(n_envs=100), 300).mean() > 0.04  # from 0.0203


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("kind", ["own", "table", "counts"])
def test_a_saved_agent_goes_on_as_if_it_had_not_stopped(kind: Any, fresh: bool, tmp_path: Path) -> None:
    env = gsac_grid(3, n_envs=4, distractors=True)
    view = np.arange(env.n_states.max()) & 3  # the packets alone
    options = Settings(critic=kind, fresh=fresh, gradient="score", baseline_rate=0.1, capacity=4096, by_visits=True)
    kw = {"learners": 2, "view": view, "counts": access_point_loads(env)}
    whole = ScalableActorCritic(env, options, seed=4, **kw).learn(20)
    half = ScalableActorCritic(env, options, seed=4, **kw).learn(10)
    path = half.save(tmp_path / "agent.npz")
    rest = ScalableActorCritic.load(
        path, gsac_grid(3, n_envs=4, distractors=True), counts=access_point_loads(env)
    ).learn(10)
    assert (rest.theta == whole.theta).all() and rest.episodes == 20 and rest.settings == whole.settings
    assert rest.shape == (2, 9, 4, 5)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_keys_are_equal_exactly_where_neighbourhoods_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, size=(6, 4, 5)).astype(np.int32)
    table = [[0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4]]
    near = surround(sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(5, 5)), 1).near
    assert near.indices.tolist() == [j for row in table for j in row]
    keys = np.empty(x.shape, np.uint64)
    critic_kernels.neighbourhood_keys(x, near, keys)
    slots, first = np.empty((*x.shape, 1), np.int32), np.empty((*x.shape, 1), np.int32)
    assert critic_kernels.insert(keys, np.zeros((1, 5, 32), np.uint64), slots) == -1
    critic_kernels.first_visits(keys, first)
    for i in range(5):
        names = [tuple(row) for row in x[:, :, table[i]].reshape(24, -1).tolist()]
        for values in (keys[:, :, i].ravel(), slots[:, :, i, 0].ravel()):
            assert [[values[u] == values[v] for v in range(24)] for u in range(24)] == [
                [p == q for q in names] for p in names
            ]
        for e in range(4):
            assert [names[int(t) * 4 + e] for t in first[:, e, i, 0]] == names[e::4]


def test_a_full_table_says_so_and_loses_nothing() -> None:
    options = Settings.restarting(gamma=0.7, capacity=64)
    agent = ScalableActorCritic(lin_grid(), options, seed=0)
    with pytest.raises(TableFull, match=r"critic of agent \d+ holds 64 .* call grow\(128\)"):
        agent.learn(100)
    done, theta, weights = agent.updates, agent.theta.copy(), agent.critic.weights.sum()
    assert done > 0
    agent.grow(4096)
    assert agent.critic.weights.sum() == pytest.approx(weights) and (agent.theta == theta).all()
    agent.learn(100 - done)
    roomy = ScalableActorCritic(lin_grid(), dataclasses.replace(options, capacity=4096), seed=0).learn(100)
    np.testing.assert_allclose(agent.theta, roomy.theta, atol=1e-12)
    with pytest.raises(DataError, match="cannot shrink"):
        agent.grow(64)


@pytest.mark.parametrize(
    ("make", "steps", "rise"),
    [
        (lambda e: Epidemic(nx.cycle_graph(12), n_envs=e), 30, 0.5),
        (lambda e: Line(n_envs=e), 125, 8.0),  # 10.6 under the uniform policy
        (lambda e: traffic_grid(2, n_envs=e, room=4, start=1), 30, 8.0),
    ],
)
def test_it_learns_on_every_networked_environment(make: Any, steps: int, rise: float) -> None:
    agent = ScalableActorCritic(make(10), Settings(gamma=0.95, steps=steps, actor_rate=Rate(0.05)), seed=1)
    first = returns(make(50), agent.policy[0], steps=steps, episodes=100).mean()
    last = returns(make(50), agent.learn(600).policy[0], steps=steps, episodes=100).mean()
    assert last > first + rise


def test_isolated_agents_and_wide_neighbourhoods() -> None:
    alone = TabularEnv(TabularNetwork.random(nx.empty_graph(3), 0, gamma=0.7), n_envs=2)
    zero = ScalableActorCritic(alone, Settings(kappa=0)).learn(40)
    assert (ScalableActorCritic(alone, Settings(kappa=3)).learn(40).theta == zero.theta).all()
    line = TabularEnv(chain(), n_envs=2)
    assert (
        ScalableActorCritic(line, Settings(kappa=3)).learn(40).theta
        == ScalableActorCritic(line, Settings(kappa=100)).learn(40).theta
    ).all()


def test_actions_are_the_policys() -> None:
    agent = ScalableActorCritic(lin_grid(n_envs=10), Settings(gamma=0.7)).learn(2000)
    s, _ = lin_grid(n_envs=4000).reset(seed=1)
    drawn = agent.predict(s, seed=3)
    assert drawn.shape == s.shape and (drawn < agent.n_actions).all()
    for i in (0, 5):
        p = agent.policy[0, i, 2]
        share = np.bincount(drawn[s[:, i] == 2, i], minlength=len(p)) / (s[:, i] == 2).sum()
        assert np.abs(share - p).max() < 0.05
    assert (agent.predict(s[0]) == agent.policy[0][np.arange(24), s[0]].argmax(-1)).all()


class Wrong(Slow):
    def reset(self, seed: int | None = None) -> Any:
        s, info = self.env.reset(seed=seed)
        s[..., 3] = 7
        return s, info


COUNTS = Settings(critic="counts", gradient="score")


def counted(counts: Any) -> None:
    ScalableActorCritic(lin_grid(), COUNTS, counts=counts).update()


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (
            lambda: ScalableActorCritic(lin_grid(n_envs=5), learners=2),
            DataError,
            "5 copies cannot be shared evenly by 2",
        ),
        (lambda: ScalableActorCritic(lin_grid(), Settings(steps=11)), DataError, "ends episodes after 10 steps"),
        (lambda: ScalableActorCritic(lin_grid(), Settings(continuing=True)), DataError, "without end"),
        (lambda: ScalableActorCritic(lin_grid(), view=[0, 1]), DataError, "view maps state codes"),
        (lambda: ScalableActorCritic(lin_grid(), seed=-1), DataError, "seed is -1"),
        (lambda: ScalableActorCritic(Wrong(lin_grid())).update(), DataError, "agent 3 the state code 7"),
        (lambda: Settings(kappa=-1), DataError, "kappa is -1"),
        (lambda: Settings(gamma=1.0), DataError, "gamma is 1.0, and must lie in"),
        (lambda: Settings(critic="best"), DataError, "critic is 'best'"),  # type: ignore[arg-type]
        (lambda: Settings(critic="table"), NotApplicable, "use 'score'"),
        (lambda: Settings(capacity=100), DataError, "power of two"),
        (lambda: Rate(float("nan")), DataError, "start of a rate is nan"),
        (lambda: ScalableActorCritic(lin_grid(), COUNTS), NotApplicable, "count"),
        (lambda: ScalableActorCritic(lin_grid(), COUNTS, counts=3), DataError, "counts is 3"),  # type: ignore[arg-type]
        (lambda: counted(lambda path: np.zeros(24, int)), DataError, r"int64 of shape \(24,\)"),
        (lambda: counted(lambda path: np.full(path.a.shape, -1)), DataError, "whole numbers from 0 up"),
        (lambda: counted(lambda path: np.full(path.a.shape, 0.7)), DataError, "counts gave float64"),
        (
            lambda: access_point_loads(TabularEnv(chain())),
            DataError,
            "TabularEnv, and must be an environment whose agents share places",
        ),  # type: ignore[arg-type]
        (lambda: Settings(by_visits=True, critic_rate=Rate(1.0, 1.0, 1.0, 5)), NotApplicable, "without period"),
        (lambda: independent_learners(lin_grid(), {"gamma": 0.7}), DataError, r"must be Settings\("),  # type: ignore[arg-type]
        (lambda: ScalableActorCritic(lin_grid()).learn(1, on_update=3), DataError, "on_update is 3"),  # type: ignore[arg-type]
        (
            lambda: GSAC([Wrong(gsac_grid(2))], [0.5], inputs="neighbours").learn(1),
            DataError,
            "agent 3 the state code 7",
        ),
        (
            lambda: GSAC([gsac_grid(2)], [0.5], Settings(critic="linear"), inputs="neighbours"),
            NotApplicable,
            "natural gradient .* critic 'linear' lacks",
        ),
        (lambda: returns(lin_grid(), np.ones((9, 4, 5)) / 5), DataError, "belong to another network"),
        (lambda: returns(lin_grid(), np.ones((24, 4, 9)) / 9), DataError, "own actions"),
        (
            lambda: returns(lin_grid(), uniform_policy(lin_grid()), steps=20),
            DataError,
            "episodes of 20 steps are longer",
        ),
        (lambda: ScalableActorCritic(lin_grid()).predict(np.zeros(3, int)), DataError, r"shape \(..., 24\)"),
        (
            lambda: ScalableActorCritic(lin_grid()).predict(np.full(24, 4)),
            DataError,
            "state of agent 0 is 4, and it has 4: 0 to 3",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(make: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        make()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Settings(temperature=float("inf")), "temperature is inf"),
        (lambda: Settings(temperature=0), "temperature is 0, and must be a finite number above 0"),
        (lambda: Settings(kappa=float("nan")), "kappa is nan"),
        (lambda: Settings(kappa=None), "kappa is None"),
        (lambda: Settings(gamma=float("nan")), "gamma is nan, and must be a finite number$"),
        (lambda: Settings(gamma="0.9"), "gamma is '0.9'"),
        (lambda: Settings(trace=2), "trace is 2"),
        (lambda: Settings(steps=2.5), "steps is 2.5"),
        (lambda: Settings(steps=0), "steps is 0"),
        (lambda: ScalableActorCritic(lin_grid(), view=[0, 1, 2, 10**9]), "seen code 1000000000"),
        (lambda: ScalableActorCritic(lin_grid()).save(None), "path is None"),
        (lambda: ScalableActorCritic.load(None, lin_grid()), "path is None"),
        (lambda: Settings(most_counted=-1), "most_counted is -1"),
        (lambda: ScalableActorCritic(TabularEnv(chain(), horizon=None)), r"no horizon.* write Settings\(steps"),
        (lambda: Settings(capacity=2**50), "capacity is .* to 1073741824"),
        (lambda: Settings(fresh="no"), "fresh is 'no'; write True or False"),
        (lambda: Settings(actor_rate=-0.1), "actor_rate is -0.1"),
        (lambda: Settings(critic_rate=None), "critic_rate is None"),
        (lambda: Rate(0.1, period=0), "period of a rate is 0"),
        (lambda: Rate(0.1, period=-3), "period of a rate is -3"),
        (lambda: Rate("fast"), "start of a rate is 'fast'"),
        (lambda: ScalableActorCritic(lin_grid(), {"gamma": 0.7}), r"must be Settings\(\.\.\.\), or None"),
        (lambda: ScalableActorCritic([lin_grid()]), "env is list"),
        (lambda: ScalableActorCritic(lin_grid()).evaluate(None), "env is NoneType"),
        (lambda: returns(None, uniform_policy(lin_grid())), "env is NoneType"),
        (lambda: returns(lin_grid(), uniform_policy(lin_grid()), view=[0, 1]), "view maps state codes"),
        (lambda: returns(lin_grid(), uniform_policy(lin_grid()), view=np.arange(4) + 0.5), "view maps state codes"),
        (lambda: returns(lin_grid(), uniform_policy(lin_grid()), view=[range(4)] * 2), "view maps state codes"),
        (lambda: policy_returns(lin_grid(), "policy"), "the policy is .policy., and must be numbers"),
        (lambda: ScalableActorCritic(lin_grid(), learners=0), "learners is 0"),
        (lambda: ScalableActorCritic(lin_grid(n_envs=2), learners=2.0), "learners is 2.0"),
        (lambda: ScalableActorCritic(lin_grid()).learn(-5), "episodes is -5"),
        (
            lambda: ScalableActorCritic(lin_grid(), Settings(critic_rate=5.0)).learn(3000),
            r"diverged in update \d+; .* smaller",
        ),
        (lambda: ScalableActorCritic(lin_grid()).learn(1.5), "episodes is 1.5"),
        (lambda: ScalableActorCritic(lin_grid()).evaluate(lin_grid(), 0), "episodes is 0"),
        (lambda: ScalableActorCritic(lin_grid()).evaluate(lin_grid(), seed=-1), "seed is -1"),
        (
            lambda: ScalableActorCritic(lin_grid()).predict(np.zeros(24, int), learner=9),
            "learner is 9, and must be a whole number from 0 to 0",
        ),
        (lambda: ScalableActorCritic(lin_grid()).predict(np.zeros(24, int), seed=-1), "^seed is -1"),
        (lambda: returns(lin_grid(), uniform_policy(lin_grid()) * np.nan), "the policy holds a number that is nan"),
        (lambda: returns(lin_grid(), "policy"), "the policy is .policy., and must be numbers"),
        (lambda: returns(lin_grid(), uniform_policy(lin_grid()), gamma=1.1), "gamma is 1.1"),
        (lambda: returns(lin_grid(), uniform_policy(lin_grid()), gamma=float("nan")), "gamma is nan"),
        (lambda: returns(lin_grid(), uniform_policy(lin_grid()), steps=0), "steps is 0"),
        (
            lambda: policy_returns(lin_grid(), uniform_policy(lin_grid()) * np.nan),
            "the policy holds a number that is nan",
        ),
        (lambda: policy_returns(lin_grid(), uniform_policy(lin_grid()), discount=float("nan")), "discount is nan"),
        (lambda: policy_returns(lin_grid(), uniform_policy(lin_grid()), discount=1.5), "discount is 1.5"),
        (lambda: collect(lin_grid(n_envs=2), seed=-1), "seed is -1"),
        (lambda: collect(lin_grid(n_envs=2), seed=0, steps=2.5), "steps is 2.5, and must be a whole number from 1"),
    ],
)
def test_numbers_that_mean_nothing_are_refused_in_a_sentence(make: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        make()


def test_a_trajectory_without_end_is_not_broken_off_by_an_evaluation() -> None:
    env = TabularEnv(chain(), horizon=None)
    agent = ScalableActorCritic(env, Settings(continuing=True, steps=10)).learn(2)
    with pytest.raises(DataError, match="evaluate on another environment"):
        agent.evaluate(env, 2)
    assert agent.evaluate(TabularEnv(chain(), horizon=None), 2).shape == (1, 2)


def test_episodes_are_as_long_as_the_environment_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    env = Line(4, n_envs=2, horizon=30)
    agent = ScalableActorCritic(env, Settings(gamma=0.9)).learn(2)
    assert agent.settings == Settings(gamma=0.9, steps=30) and len(agent._path.r) == 30
    assert ScalableActorCritic.load(agent.save(tmp_path / "a.npz"), env).settings.steps == 30
    assert np.array_equal(ScalableActorCritic(env, agent.settings).learn(2).theta, agent.theta)
    assert ScalableActorCritic(env, Settings(steps=7)).settings.steps == 7


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("worth", [1e300, 1e308])
def test_an_update_that_diverges_is_undone(worth: float) -> None:
    options = Settings(gamma=0.9, actor_rate=Rate(1e10))
    for agent in (
        ScalableActorCritic(Line(4), options),
        LocalizedPolicyImprovement(Line(4), Settings(actor_rate=1e10)),
    ):
        agent.learn(1)
        agent.critic.weights[:] = worth * np.linspace(0, 1, agent.critic.weights.shape[-1])
        before, policy = agent.theta.copy(), agent.policy
        with pytest.raises(DataError, match="diverged in update 2; the policy is as before"):
            agent.learn(1)
        assert agent.updates == 1 and np.array_equal(agent.theta, before) and np.array_equal(agent.policy, policy)


def test_a_checkpoint_goes_on_in_its_own_domain_alone(tmp_path: Path) -> None:
    path = ScalableActorCritic(lin_grid()).learn(2).save(tmp_path / "a.npz")
    with pytest.raises(DataError, match="arrivals, capacities or rewards differ"):
        ScalableActorCritic.load(path, lin_grid(arrival=0.9))
    with pytest.raises(DataError, match=r"another network: class Wireless, here Line; agents 24, here 10; "):
        ScalableActorCritic.load(path, Line(10))
    header, arrays = read(path)
    del header["domain"]  # as older files
    assert ScalableActorCritic.load(write(path, header, arrays), lin_grid(arrival=0.9)).updates == 2


def test_a_number_is_a_constant_rate() -> None:
    assert Settings(actor_rate=0.2, critic_rate=1) == Settings(actor_rate=Rate(0.2), critic_rate=Rate(1.0))


def test_another_network_of_the_same_sizes_is_refused(tmp_path: Path) -> None:
    path5 = nx.path_graph(5)
    agent = ScalableActorCritic(Epidemic(path5, n_envs=4), learners=2).learn(2)
    path = agent.save(tmp_path / "sac.npz")
    for other in (Line(5, n_envs=4, horizon=50), Epidemic(nx.star_graph(4), n_envs=4)):
        with pytest.raises(DataError, match="another network"):
            ScalableActorCritic.load(path, other)
        with pytest.raises(DataError, match="another network"):
            agent.evaluate(other, 4)
    with pytest.raises(DataError, match="another network"):  # going on means episodes of the same length
        ScalableActorCritic.load(path, Epidemic(path5, n_envs=4, horizon=49))
    assert agent.evaluate(Epidemic(path5, infection=0.6, horizon=80, n_envs=4), 4).shape == (2, 4)  # another domain
    with pytest.raises(DataError, match=r"episodes of 50 steps are longer .* 20"):
        agent.evaluate(Epidemic(path5, horizon=20, n_envs=4), 4)
    plain = ScalableActorCritic(lin_grid())
    with pytest.raises(DataError, match="another network"):
        plain.evaluate(lin_grid(ghost=False), 4)
    assert plain.evaluate(lin_grid(arrival=0.3), 4).shape == (1, 4)


def test_a_damaged_checkpoint_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = ScalableActorCritic(gsac_grid(2)).learn(2).save(tmp_path / "agent.npz")
    header, arrays = read(path)
    rates = {**header["settings"], "actor_rate": {"start": 1.0}}
    cases = [
        *(({k: v for k, v in header.items() if k != name}, {}, f"lacks '{name}'") for name in ("network", "settings", "updates")),
        ({**header, "settings": {**header["settings"], "kapa": 1}}, {}, "setting 'kapa'"),
        ({**header, "settings": {}}, {}, "settings lack 'kappa'"),
        ({**header, "settings": 3}, {}, "its settings are 3"),
        ({**header, "settings": rates}, {}, "its actor_rate is"),
        ({**header, "updates": "x"}, {}, "updates in .* is 'x'"),
        ({**header, "learners": None}, {}, "learners is None"),
        (header, {"theta": arrays["theta"] * np.nan}, "holds nan in the array 'theta'"),
        (header, {"theta": arrays["theta"][:, :2]}, "its array 'theta' is float64 of shape .*, and should be float64"),
    ]  # fmt: skip
    for odd, changed, words in cases:
        write(tmp_path / "odd.npz", odd, {**arrays, **changed})
        with pytest.raises(DataError, match=words):
            ScalableActorCritic.load(tmp_path / "odd.npz", gsac_grid(2))


def test_a_policy_for_another_network_is_refused(tmp_path: Path) -> None:
    path = ScalableActorCritic(gsac_grid(3)).save(tmp_path / "agent.npz")
    for other, words in ((gsac_grid(4), "another network"), (gsac_grid(3, n_envs=2), "learnt on 1 copies")):
        with pytest.raises(DataError, match=words):
            ScalableActorCritic.load(path, other)
    (tmp_path / "cut.npz").write_bytes(b"no npz at all")
    with pytest.raises(DataError, match="no whole checkpoint"):
        ScalableActorCritic.load(tmp_path / "cut.npz", gsac_grid(3))


def test_a_return_that_does_not_rise_is_told_of() -> None:
    still = Settings(gamma=0.7, actor_rate=Rate(1e-12))
    with pytest.warns(UserWarning, match="not risen beyond its noise in 100 updates"):
        ScalableActorCritic(gsac_grid(3, n_envs=10), still).learn(1000)
    ScalableActorCritic(gsac_grid(3, n_envs=4), Settings(gamma=0.7)).learn(404)
