"""Environments that nobody here made: plain classes, PettingZoo's dictionaries, vectors, one-way influence, and bad input."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from gymnasium import spaces

from causalnet.agents import GSAC, LocalizedPolicyImprovement, ScalableActorCritic, Settings
from causalnet.agents.networked.colours import colour_agents
from causalnet.data.rollouts import collect
from causalnet.envs import (
    CodedEnv,
    ContinuousEnv,
    NetworkedEnv,
    TabularEnv,
    TabularNetwork,
    from_parallel_env,
    policy_returns,
    to_parallel_env,
    uniform_policy,
)
from causalnet.envs.networked.neighbourhoods import hop_neighbourhoods, surround
from causalnet.envs.networked.wireless import gsac_grid
from causalnet.errors import DataError
from causalnet.locality import certificate, estimate_sensitivities, truncation_error
from causalnet.locality.bounds import analyse

ARROWS = nx.DiGraph([(0, 1), (1, 2), (2, 3), (0, 3), (3, 1)])


class Plain:
    """A network of a stranger's: only the attributes, nothing inherited; ``spoil`` breaks a part of what it gives."""

    def __init__(self, env: Any, spoil: str = "", **change: Any) -> None:
        self.env, self.spoil, self.t = env, spoil, 0
        for name in ("n_agents", "n_envs", "horizon", "n_states", "n_actions", "adjacency"):
            setattr(self, name, change.get(name, getattr(env, name)))

    def reset(self, seed: Any = None) -> Any:
        self.t = 0
        return self.env.reset(seed)

    def step(self, actions: Any) -> Any:
        s, r, ended, over, info = self.env.step(actions)
        self.t += 1
        if self.t >= 3 and self.spoil == "shape":
            s = s[..., :-1]
        if self.t >= 3 and self.spoil == "nan":
            r = np.where(np.arange(r.shape[-1]) == 2, np.nan, r)
        if self.t >= 3 and self.spoil == "real":
            s = s + 0.5
        if self.t >= 3 and self.spoil == "early":
            ended, r = ended | True, r + 1.0
        return s, r, ended, over, info


def arrows(**options: Any) -> TabularEnv:
    """A directed network of four agents, with states that matter to their neighbours."""
    return TabularEnv(TabularNetwork.random(ARROWS, 3, n_states=3, gamma=0.8), **options)


# ---------------------------------------------------------------- influence that runs one way


def test_neighbourhoods_are_those_who_reach_an_agent() -> None:
    graph = nx.gnp_random_graph(12, 0.15, seed=4, directed=True)
    matrix = nx.to_scipy_sparse_array(graph, format="csr")
    for kappa in range(4):
        found, around = hop_neighbourhoods(matrix, kappa), surround(matrix, kappa)
        for i in range(12):
            near = sorted(nx.ego_graph(graph.reverse(), i, radius=kappa))
            reached = sorted(nx.ego_graph(graph, i, radius=kappa))
            assert found.indices[found.indptr[i] : found.indptr[i + 1]].tolist() == near
            for rows, want in zip(around, (near, reached), strict=True):
                assert rows.indices[rows.indptr[i] : rows.indptr[i + 1]].tolist() == want
        colour = colour_agents(matrix, kappa)
        balls = found.toarray()
        assert all(len(set(colour[ball])) == ball.sum() for ball in balls)


def test_the_truncated_gradient_follows_the_arrows() -> None:
    """kappa 1: agent 0 is paid by what it does to 1 and 3, and nobody is paid by what reaches only itself."""
    env = arrows(n_envs=4, horizon=6)
    sees = ScalableActorCritic(env, Settings(kappa=1), seed=0)
    path = sees.sample()
    summed = sees.critic.rewards(path)
    assert np.allclose(summed[..., 0], path.r[..., [0, 1, 3]].sum(-1)) and np.allclose(
        summed[..., 2], path.r[..., [2, 3]].sum(-1)
    )
    linear = ScalableActorCritic(env, Settings(kappa=1, critic="linear"), seed=0)
    q = linear.critic.learn(linear.sample(), 0)
    near = linear.critic.around.near
    w, x = linear.critic.weights[0], path.codes * 2 + path.a  # type: ignore[attr-defined]
    for i in range(4):
        mine = range(near.indptr[i], near.indptr[i + 1])
        want = sum(w[p][x[..., near.indices[p]]] for p in mine)
        assert np.allclose(q[..., i], want)
    owners = [[p for p, j in enumerate(near.indices) if j == i] for i in range(4)]
    assert np.allclose(linear.critic.marginals()[0], [w[rows].sum(0).reshape(3, 2) for rows in owners])


def test_certificates_count_hops_along_the_arrows() -> None:
    model = TabularNetwork.random(ARROWS, 3, gamma=0.8, concentration=30.0)
    pi = [np.full((2, 2), 0.5)] * 4
    here = analyse(model, pi)  # type: ignore[arg-type]
    assert here.reach.first == 1 and here.diameter == 2
    bounds = truncation_error(here, range(4), targets=[1])[0]
    assert bounds[2] == 0 and bounds[1] > 0  # 0 and 3 reach agent 1 in a step, 2 in two, and nobody from further away
    assert truncation_error(here, [0, 1], targets=[0])[0].tolist() == [0, 0]  # nothing reaches agent 0
    told = certificate(
        TabularEnv(model, n_envs=None).to_tabular(0.8), pi
    )  # the tables of the environment are the model's
    assert told.diameter == 2 and np.isclose(told.rho.high, certificate(model, pi).rho.high, rtol=1e-3)
    data = collect(TabularEnv(model, n_envs=20, horizon=50), seed=1)
    parents = [[*data.neighbours.indices[slice(*data.neighbours.indptr[i : i + 2])].tolist(), i] for i in range(4)]
    assert [sorted(row) for row in parents] == [[0], [0, 1, 3], [1, 2], [0, 2, 3]]
    found = estimate_sensitivities(
        data.states[..., 0], data.actions, data.next_states[..., 0], parents, [[i] for i in range(4)]
    )
    agent = LocalizedPolicyImprovement(TabularEnv(model, n_envs=2), model=found)
    assert agent.certify().diameter == 2
    LocalizedPolicyImprovement(TabularEnv(model, n_envs=2), model=model).learn(4)
    turned = TabularEnv(TabularNetwork.random(ARROWS.reverse(), 3, n_states=2), n_envs=2)
    with pytest.raises(DataError, match="joins agents 0 and 1, and the environment does not"):
        LocalizedPolicyImprovement(turned, model=model)


# ---------------------------------------------------------------- plain classes


def test_a_plain_class_does_for_every_learner_view_and_facade() -> None:
    env, plain = arrows(n_envs=2), Plain(arrows(n_envs=2))
    assert isinstance(plain, CodedEnv) and isinstance(plain, NetworkedEnv) and not isinstance(plain, ContinuousEnv)
    for learner in (ScalableActorCritic, LocalizedPolicyImprovement):
        assert (learner(plain, seed=1).learn(6).theta == learner(env, seed=1).learn(6).theta).all()
    for inputs in ("own", "neighbours"):
        both = [GSAC([one], [0.5], conditioning="none", inputs=inputs, seed=1).learn(6) for one in (plain, env)]  # type: ignore[arg-type]
        assert (both[0].theta == both[1].theta).all()
    assert (
        policy_returns(plain, uniform_policy(plain), seed=3) == policy_returns(env, uniform_policy(env), seed=3)
    ).all()
    data = collect(plain, seed=2)
    assert data.components == ("state",) and (data.states == collect(env, seed=2).states).all()
    face = to_parallel_env(Plain(arrows()), kappa=1)
    seen, _ = face.reset(0)
    assert [len(seen[agent]) for agent in face.possible_agents] == [1, 3, 2, 3]
    assert all(seen[agent] in face.observation_space(agent) for agent in face.possible_agents)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_states": None}, "n_states of env is None"),
        ({"n_actions": np.array([2, 2])}, "n_actions of env is array.*4 whole numbers from 1 up"),
        ({"adjacency": np.zeros((3, 3))}, r"the adjacency of env is \(3, 3\), and there are 4 agents"),
        ({"n_agents": 5}, "n_actions of env is .* 5 whole numbers"),
        ({"horizon": 0}, "horizon of env is 0"),
    ],
)
def test_numbers_that_do_not_fit(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        ScalableActorCritic(Plain(arrows(n_envs=2), **change))


def test_what_is_missing_is_named() -> None:
    plain = Plain(arrows(n_envs=2))
    del plain.n_states, plain.adjacency
    with pytest.raises(
        DataError, match=r"env is Plain, and must be a networked environment, .*: it lacks adjacency, n_states"
    ):
        ScalableActorCritic(plain)
    plain = Plain(arrows(n_envs=2))
    del plain.n_states
    with pytest.raises(DataError, match=r"lacks n_states .*NetworkedPPO for observations that are vectors"):
        LocalizedPolicyImprovement(plain)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("shape", r"after 3 steps the environment gave states int64 of shape \(2, 3\).*each of the 4 agents"),
        ("real", "states float64"),
        ("nan", "gave agent 2 the reward nan in copy 0; rewards are finite"),
        ("early", "ended the episode of copy 0 after 3 steps or fewer, and pays for more"),
    ],
)
def test_what_goes_wrong_on_the_way_loses_nothing_learnt(spoil: str, sentence: str) -> None:
    plain = Plain(arrows(n_envs=2))
    agent = ScalableActorCritic(plain, seed=1).learn(4)
    before, plain.spoil = agent.theta.copy(), spoil
    with pytest.raises(DataError, match=sentence):
        agent.learn(2)
    assert agent.episodes == 4 and (agent.theta == before).all()
    plain.spoil = ""
    assert (agent.learn(2).theta == ScalableActorCritic(Plain(arrows(n_envs=2)), seed=1).learn(6).theta).all()


# ---------------------------------------------------------------- PettingZoo


class Zoo:
    """A parallel environment without PettingZoo; ``lives[name]``: the first step at which an agent is gone (late: not yet there)."""

    def __init__(
        self, lives: dict[str, int], length: int = 6, space: Any = None, actions: Any = None, late: str = ""
    ) -> None:
        self.lives, self.length, self.late, self.spoil = lives, length, late, ""
        self.space, self.actions = space or spaces.Discrete(5), actions or spaces.Discrete(2)
        self.possible_agents = list(lives)

    def observation_space(self, agent: str) -> Any:
        return self.space

    def action_space(self, agent: str) -> Any:
        return self.actions

    def reset(self, seed: Any = None, options: Any = None) -> Any:
        self.t, self.did = 0, []
        self.agents = [a for a in self.possible_agents if a != self.late]
        return self.look(self.agents), {}

    def look(self, who: list[str]) -> dict[str, Any]:
        one: Any = min(self.t, 4) if isinstance(self.space, spaces.Discrete) else np.full(3, self.t, np.float32)
        if self.spoil == "wide" and self.t == 2:
            one = np.zeros(4, np.float32)
        if self.spoil == "code" and self.t == 2:
            one = 7
        return dict.fromkeys(who, one)

    def step(self, actions: dict[str, Any]) -> Any:
        assert set(actions) == set(self.agents)
        self.t += 1
        self.did.append(actions)
        acted, over = self.agents, self.t >= self.length
        gone = {a: self.t >= self.lives[a] for a in acted}
        self.agents = (
            [] if over else [a for a in self.possible_agents if (a in acted or self.t == 2) and self.t < self.lives[a]]
        )
        if self.spoil == "stranger" and self.t == 2:
            self.agents = [*self.agents, "zed"]
        paid = dict.fromkeys(acted, float("nan") if self.spoil == "nan" and self.t == 2 else 1.0)
        return self.look(sorted({*acted, *self.agents} - {"zed"})), paid, gone, dict.fromkeys(acted, over), {}


LIVES = {"a": 9, "b": 9, "c": 9}
LINE = nx.DiGraph([("c", "b"), ("b", "a")])


def test_there_and_back_again_is_the_same_network() -> None:
    pytest.importorskip("pettingzoo")
    for make in (lambda: arrows(horizon=5), lambda: gsac_grid(2, distractors=True)):
        env, back = (
            make(),
            from_parallel_env(to_parallel_env(make()), adjacency=make().adjacency, horizon=make().horizon),
        )
        assert isinstance(back, CodedEnv) and back.n_envs is None
        assert (back.n_states == env.n_states).all() and (back.n_actions == env.n_actions).all()
        assert (back.action_masks() == env.action_masks()).all() and (back.adjacency != env.adjacency).nnz == 0
        one, two = ScalableActorCritic(env, seed=2).learn(20), ScalableActorCritic(back, seed=2).learn(20)
        assert (one.theta == two.theta).all() and one.theta.any()
        assert len(back.episodes) == 20 and back.episodes[3].steps == env.horizon and not back.episodes[3].terminated
        face = to_parallel_env(back)
        seen, _ = face.reset(3)
        assert [seen[a].tolist() for a in face.possible_agents] == env.components(env.reset(3)[0]).tolist()


def test_agents_that_leave_and_come() -> None:
    env = from_parallel_env(Zoo({**LIVES, "b": 3}), adjacency=LINE)
    env.reset(0)
    env.step([0, 0, 0])
    env.step([0, 0, 0])
    with pytest.raises(
        DataError, match="2 steps after reset, is without agent 'b' while 2 others go on; write absent=True"
    ):
        env.step([0, 0, 0])
    zoo = [Zoo({**LIVES, "b": 3}, late="c"), Zoo(LIVES, length=3)]
    env = from_parallel_env(zoo, adjacency=LINE, absent=True, horizon=8)
    assert (env.n_states == 6).all() and env.adjacency.toarray().tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    s, _ = env.reset(1)
    assert s.tolist() == [[0, 0, 5], [0, 0, 0]]
    for t in range(1, 9):
        s, r, ended, cut, _ = env.step([[1, 0, 1], [0, 1, 0]])
        assert (
            s[0, 1] == (min(t, 4) if t < 3 else 5 if t < 6 else s[0, 1])
            and r[0, 1] == (t <= 3)
            and r[0, 2] == (3 <= t <= 6)
        )
        assert s[1].tolist() == [min(t, 3)] * 3 and r[1, 0] == (t <= 3) and cut[1] == (t >= 3) and not ended.any()
    assert [(one.copy, one.steps, one.returns.tolist()) for one in env.episodes] == [
        (1, 3, [3, 3, 3]),
        (0, 6, [6, 3, 4]),
    ]
    assert zoo[0].did[1] == {"a": 1, "b": 0} and zoo[0].did[3] == {"a": 1, "c": 1}
    with pytest.raises(DataError, match="8 steps is over"):
        env.step(np.zeros((2, 3), int))
    learnt = ScalableActorCritic(env, Settings(kappa=1)).learn(4)
    assert learnt.episodes == 4 and len(env.episodes) == 6


def test_vectors_boxes_and_encoders() -> None:
    box = spaces.Box(-9, 9, (3,))
    env = from_parallel_env(Zoo(LIVES, space=box), adjacency=LINE, absent=True)
    assert isinstance(env, NetworkedEnv) and not isinstance(env, CodedEnv)
    s, _ = env.reset(0)
    assert s.shape == (3, 4) and s.dtype == np.float32 and not s.any()
    with pytest.raises(DataError, match="lacks n_states"):
        ScalableActorCritic(env)
    zoo = Zoo(LIVES, space=box, actions=spaces.Box(np.array([0, -2], np.float32), np.array([4, 2], np.float32)))
    real = from_parallel_env([zoo], adjacency=LINE)
    assert isinstance(real, ContinuousEnv) and not isinstance(real, NetworkedEnv) and real.action_size == 2
    real.reset(0)
    real.step(np.tile([[-1.0, 0.5]], (1, 3, 1)))
    assert zoo.did[0]["a"].tolist() == [0, 1]
    with pytest.raises(DataError, match=r"an action of agent 0 is .* from -1 to 1"):
        real.step(np.full((1, 3, 2), 1.5))
    coded = from_parallel_env(Zoo(LIVES, space=box), adjacency=LINE, encode=lambda agent, o: int(o[0] > 2), n_states=2)
    ScalableActorCritic(coded, Settings(steps=6)).learn(2)
    assert len(coded.episodes) == 2 and (coded.n_states == 2).all()
    wide = from_parallel_env(Zoo(LIVES), adjacency=LINE, encode=lambda agent, o: [o, agent == "a"])
    assert wide.reset(0)[0].tolist() == [[0, 1], [0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: from_parallel_env(Zoo(LIVES), adjacency=np.zeros((2, 2))), r"the adjacency is \(2, 2\), and there are 3 agents"),
        (lambda: from_parallel_env(Zoo(LIVES), adjacency=nx.path_graph(3)), "the adjacency lacks 'a', and its nodes must be the 3"),
        (lambda: from_parallel_env(Zoo(LIVES), adjacency=np.eye(3)), "agent 0 is its own neighbour"),
        (lambda: from_parallel_env(Zoo(LIVES), adjacency=0.5 * (1 - np.eye(3))), r"entry \(0, 1\) of the adjacency is 0.5"),
        (lambda: from_parallel_env(object(), adjacency=LINE), "must be a PettingZoo parallel environment: it lacks action_space, "),
        (lambda: from_parallel_env([], adjacency=LINE), "an empty list"),
        (lambda: from_parallel_env(Zoo({}), adjacency=LINE), "at least one agent"),
        (lambda: from_parallel_env([Zoo(LIVES), Zoo({"a": 1})], adjacency=LINE), "copy 1 has other agents"),
        (lambda: from_parallel_env(Zoo(LIVES), adjacency=LINE, n_states=3), "give encode as well"),
        (lambda: from_parallel_env(Zoo(LIVES, space=spaces.Text(3)), adjacency=LINE), "agent 'a' are Text.* neither a code"),
        (lambda: from_parallel_env(Zoo(LIVES, actions=spaces.MultiBinary(2)), adjacency=LINE), "must be Discrete for every"),
        (lambda: from_parallel_env(Zoo(LIVES, actions=spaces.Box(0, np.inf, (1,))), adjacency=LINE), "have no bounds"),
    ],
)  # fmt: skip
def test_parallel_environments_refused(make: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("spoil", "space", "sentence"),
    [
        (
            "wide",
            spaces.Box(-9, 9, (3,)),
            "agent 'a' sees has 4 numbers, and must have 3 from the first step to the last",
        ),
        ("code", spaces.Discrete(5), "shows agent 'a' 7, which is not in the observation space"),
        ("nan", spaces.Discrete(5), "the reward of agent 'a' holds nan"),
        ("stranger", spaces.Discrete(5), "has an agent 'zed', and possible_agents names 3 others"),
    ],
)
def test_a_foreign_environment_that_goes_wrong_keeps_its_finished_episodes(
    spoil: str, space: Any, sentence: str
) -> None:
    zoo = Zoo(LIVES, length=4, space=space)
    env = from_parallel_env(zoo, adjacency=LINE)
    env.reset(0)
    for _ in range(4):
        env.step([0, 1, 0])
    zoo.spoil = spoil
    env.reset(1)
    env.step([0, 1, 0])
    with pytest.raises(DataError, match=sentence):
        env.step([0, 1, 0])
    assert [one.steps for one in env.episodes] == [4]
    with pytest.raises(DataError, match="action of agent 1 is 2, and it has 2"):
        env.step([0, 2, 0])
