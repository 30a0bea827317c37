"""The causal mask: who is kept, what stands in for an empty mask, and the three dialects in real wrappers."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from cascade import CHAIN, KINDS, REVERSED, Cascade
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit
from hypothesis import given, settings
from hypothesis import strategies as st

import causalnet as cn
from causalnet.graph.order import ancestry, causal_order
from causalnet.representation import CausalMask, RootCauseMask

NAMES = ("a", "b", "c", "d", "e")
pytestmark = pytest.mark.filterwarnings("ignore:the graph has the cycle")


def rule(graph: cn.Graph | None, k: object = 1, units: int = 1, **more: object) -> RootCauseMask:
    """A mask over ``units`` copies of the graph's nodes whose observation is the (A,) cells themselves."""
    names = NAMES if graph is None else graph.nodes
    told = {"cells": lambda obs: np.asarray(obs) > 0, **more}
    return RootCauseMask(graph, k, variables=names, action_variables=np.tile(np.arange(len(names)), units), **told)


@st.composite
def graphs(draw: st.DrawFn, acyclic: bool = False) -> cn.Graph:
    d = draw(st.integers(2, 7))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    adj = rng.random((d, d)) < draw(st.floats(0.05, 0.8))
    np.fill_diagonal(adj, False)
    if acyclic:
        rank = rng.permutation(d)
        adj &= rank[:, None] < rank[None, :]
    else:
        adj &= ~(adj & adj.T & np.tri(d, dtype=bool))  # no pair without a direction: cycles of three and more
    return cn.Graph(tuple("abcdefg"[:d]), adj, rng.random((d, d)) if draw(st.booleans()) else None)


# ---- which variables are kept -------------------------------------------------------------------------------


@settings(max_examples=150)
@given(graphs(acyclic=True), st.integers(0, 10_000))
def test_order_is_causal_and_k_takes_its_head(graph: cn.Graph, seed: int) -> None:
    here = np.random.default_rng(seed).random(graph.d) < 0.7
    order = rule(graph).order(here)
    assert sorted(order) == list(np.flatnonzero(here))
    for a, i in enumerate(order):
        assert not any(graph.adj[j, i] for j in order[a + 1 :])
    for k in range(1, graph.d + 2):
        assert list(np.flatnonzero(rule(graph, k).kept(here))) == sorted(order[:k])


@settings(max_examples=100)
@given(graphs(), st.integers(0, 10_000))
def test_cycles_have_an_order_that_respects_their_condensation(graph: cn.Graph, seed: int) -> None:
    here = np.random.default_rng(seed).random(graph.d) < 0.8
    order = rule(graph).order(here)
    assert sorted(order) == list(np.flatnonzero(here))
    reach = ancestry(graph.directed & here & here[:, None])
    for a, i in enumerate(order):
        for j in order[a + 1 :]:
            assert not reach[j, i] or reach[i, j]  # nothing later is a one-way ancestor of something earlier
            between = order[a + 1 : order.index(j)]
            assert not (reach[i, j] and reach[j, i]) or all(reach[i, m] and reach[m, i] for m in between)
    roots = set(np.flatnonzero(rule(graph, "roots").kept(here)))
    expected = {j for j in order if not any(reach[i, j] and not reach[j, i] for i in order)}
    assert roots == expected
    assert bool(roots) == bool(order)


def test_ties_prefer_what_explains_more_and_then_weight() -> None:
    graph = cn.Graph.from_edges(NAMES, [("d", "e"), ("d", "c")])
    assert [NAMES[i] for i in rule(graph).order(np.ones(5, bool))] == ["d", "a", "b", "c", "e"]
    assert set(np.flatnonzero(rule(graph, "roots").kept(np.ones(5, bool)))) == {0, 1, 3}
    cycle = cn.Graph.from_edges(("a", "b", "c"), [("a", "b"), ("b", "c"), ("c", "a")])
    weight = np.where(cycle.adj, [[0, 1, 0], [0, 0, 5.0], [2.0, 0, 0]], 0.0)  # b receives 1 and gives 5
    assert rule(cycle.replace(weight=weight)).order(np.ones(3, bool)) == [1, 2, 0]
    assert rule(cycle).order(np.ones(3, bool)) == [0, 1, 2]


def test_undirected_edges_say_nothing() -> None:
    graph = cn.Graph.from_edges(("a", "b", "c"), [("c", "a")], undirected=[("a", "b")])
    assert rule(graph).order(np.ones(3, bool)) == [2, 1, 0]


def test_absent_variables_leave_the_graph() -> None:
    here = np.array([True, False, True])
    assert list(rule(CHAIN, "roots").kept(here)) == [True, False, True]  # G without link has no path to service
    assert rule(CHAIN).order(here) == [0, 2]


@settings(max_examples=80)
@given(graphs())
def test_a_cycle_is_opened_so_that_few_edges_stand_against_the_order(graph: cn.Graph) -> None:
    place = np.argsort(list(causal_order(graph.directed)))
    against = sum(place[i] > place[j] for i, j in np.argwhere(graph.directed))
    assert against <= graph.directed.sum() / 2


@settings(max_examples=60)
@given(graphs(), st.integers(0, 10_000), st.sampled_from([1, 2, 3, 9, "roots"]))
def test_some_action_is_always_allowed_and_a_large_k_is_presence(graph: cn.Graph, seed: int, k: object) -> None:
    rng = np.random.default_rng(seed)
    units, d = 3, graph.d
    states = (rng.random((12, units * d)) < rng.random((12, 1)) * 0.6).astype(np.float32)
    mask = rule(graph, k, units)
    told = rule(graph, k, units, present=lambda obs: obs.reshape(units, d).any(axis=0))
    for obs in states:
        found = mask(obs)
        assert found.dtype == np.bool_ and found.shape == (units * d,) and found.any()
        assert np.array_equal(found, told(obs))
        if k == 9:  # at least as many as there are variables: presence
            assert np.array_equal(found, obs > 0) if obs.any() else found.all()


def test_update_replaces_graph_and_memory() -> None:
    mask, obs = rule(CHAIN, units=2), np.ones(6)
    assert list(np.flatnonzero(mask(obs))) == [0, 3]
    mask.update(REVERSED.align(["link", "power", "service"]))  # the same names in another order
    assert list(np.flatnonzero(mask(obs))) == [2, 5]
    mask.update(None)
    assert mask(obs).all()


@pytest.mark.parametrize(("empty", "expected"), [("present", [0, 1, 1]), ("all", [1, 1, 1])])
def test_empty_masks_follow_the_rule_and_are_counted(empty: str, expected: list[int]) -> None:
    mask = rule(CHAIN, empty=empty, present=lambda obs: np.array([True, True, True]))  # power has no cell to act on
    assert list(mask(np.array([0, 1, 1]))) == [bool(x) for x in expected]
    assert mask(np.zeros(3)).all()
    assert mask.n_empty == 2
    assert not mask.allowed(np.zeros(3)).any()


@pytest.mark.parametrize("with_present", [False, True])
def test_actions_on_no_variable_are_never_forbidden_by_the_graph(with_present: bool) -> None:
    entry = np.array([0, 1, 2, -1])  # the last action does nothing
    how = {"present": lambda obs: obs > 0} if with_present else {"cells": lambda obs: np.append(obs > 0, True)}
    mask = RootCauseMask(CHAIN, variables=CHAIN.nodes, action_variables=entry, **how)
    states = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0]])
    expected = [[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 0, 1]]
    assert np.array_equal(np.stack([mask(s) for s in states]), np.array(expected, bool))
    assert mask.n_empty == 0


def test_one_call_is_fast() -> None:
    import time

    rng = np.random.default_rng(0)
    graph = cn.Graph(tuple(f"v{i}" for i in range(18)), np.triu(rng.random((18, 18)) < 0.5, 1))
    mask = rule(graph, units=50)
    states = [(rng.random(900) < 0.02).astype(np.float32) for _ in range(200)]
    best = np.inf
    for _ in range(10):
        start = time.process_time()
        for obs in states:
            mask(obs)
        best = min(best, (time.process_time() - start) / len(states))
    assert best < 60e-6  # about 7 us on a free core


# ---- bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"k": 0}, "whole number"),
        ({"k": True}, "whole number"),
        ({"k": "root"}, "roots"),
        ({"cells": None}, "which variables are present"),
        ({"empty": "none"}, "present, all, raise"),
        ({"action_variables": [0, 1, 3]}, "action_variables\\[2\\] is 3"),
        ({"action_variables": [0.0, 1.0]}, "index of its variable"),
        ({"graph": "graph.json"}, "graph is .graph.json., and must be a causalnet Graph"),
        ({"graph": cn.Graph.from_edges(("power", "link", "disk"), [])}, "lacks service, and has disk besides"),
    ],
)
def test_wrong_arguments_are_told(change: dict[str, object], words: str) -> None:
    told = {"graph": CHAIN, "k": 1, "variables": CHAIN.nodes, "action_variables": KINDS, "cells": lambda obs: obs > 0}
    told.update(change)
    with pytest.raises(cn.CausalnetError, match=words):
        RootCauseMask(told.pop("graph"), told.pop("k"), **told)


def test_wrong_states_are_told() -> None:
    with pytest.raises(cn.DataError, match="shape \\(2,\\)"):
        rule(CHAIN)(np.ones(2))
    with pytest.raises(cn.DataError, match="counts > 0"):
        rule(CHAIN, cells=lambda obs: obs)(np.array([0.0, 2.0, 1.0]))
    with pytest.raises(cn.DataError, match="values such as 2"):
        rule(CHAIN, cells=lambda obs: obs)(np.array([0, 2, 1]))
    with pytest.raises(cn.DataError, match="NaN at entry 1"):
        rule(CHAIN)(np.array([0.0, np.nan, 1.0]))
    with pytest.raises(cn.DataError, match="allows no action"):
        rule(CHAIN, empty="raise")(np.zeros(3))
    with pytest.raises(cn.UnknownNameError, match="not the environment's variables"):
        rule(CHAIN).update(cn.Graph.from_edges(("a",), []))


# ---- the wrapper --------------------------------------------------------------------------------------------


def play(env: gymnasium.Env, seed: int, steps: int = 30) -> list[tuple[bytes, bool]]:
    """Masks and fallbacks of an episode under a uniform masked policy."""
    rng, seen = np.random.default_rng(seed), []
    _, info = env.reset(seed=seed)
    for _ in range(steps):
        seen.append((info["action_mask"].tobytes(), bool(info.get("mask_fallback", False))))
        action = rng.choice(np.flatnonzero(info["action_mask"]))
        _, _, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            break
    return seen


def test_dialects_agree_and_are_fresh() -> None:
    env = CausalMask(Cascade(), CHAIN, obs_dict=True)
    obs, info = env.reset(seed=3)
    mask = env.action_masks()
    assert mask.dtype == np.bool_ and info["action_mask"].dtype == np.int8 and obs["action_mask"].dtype == np.int8
    assert np.array_equal(mask, info["action_mask"]) and np.array_equal(mask, obs["action_mask"])
    assert np.array_equal(mask, env.mask(obs["observation"]))
    assert set(KINDS[mask]) == {0}
    mask[:], info["action_mask"][:] = False, 0
    assert env.action_masks().any()
    assert env.observation_space.contains(env.step(env.action_space.sample(obs["action_mask"]))[0])
    env.reset(seed=3)
    _, _, _, _, info = env.step(int(np.flatnonzero(KINDS == 2)[0]))
    assert info["invalid_action"] and env.n_invalid == 1


@pytest.mark.parametrize("obs_dict", [False, True])
def test_checkers_pass(obs_dict: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checker remarks on wrapped environments and missing specifications
        check_env(CausalMask(Cascade(), CHAIN, obs_dict=obs_dict, eta=0.3), skip_render_check=True)
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    sb3.check_env(CausalMask(Cascade(), CHAIN, obs_dict=obs_dict))


@pytest.fixture
def registered() -> str:
    name = "causalnet-tests/Cascade-v0"
    if name not in gymnasium.registry:
        gymnasium.register(name, Cascade, max_episode_steps=20)
    return name


def test_survives_make_and_wrappers_on_both_sides(registered: str) -> None:
    env = RecordEpisodeStatistics(TimeLimit(CausalMask(gymnasium.make(registered), CHAIN), 15))
    play(env, 0)
    assert env.get_wrapper_attr("action_masks")().any()
    assert env.get_wrapper_attr("mask").k == "roots"
    env.get_wrapper_attr("update")(REVERSED)
    env.set_wrapper_attr("eta", 0.5)
    assert any(fallback for seed in range(5) for _, fallback in play(env, seed))


def test_vector_environments_stack_the_masks(registered: str) -> None:
    def build() -> gymnasium.Env:
        return CausalMask(gymnasium.make(registered), CHAIN)

    envs = gymnasium.vector.SyncVectorEnv([build] * 3)
    _, info = envs.reset(seed=0)
    for _ in range(30):
        assert info["action_mask"].shape == (3, 12) and info["action_mask"].dtype == np.int8
        assert info["action_mask"].any(axis=1).all()
        _, _, _, _, info = envs.step(info["action_mask"].argmax(axis=1))
    envs.close()


def test_maskable_ppo_trains_on_it_unchanged(registered: str) -> None:
    contrib = pytest.importorskip("sb3_contrib")
    env = CausalMask(gymnasium.make(registered), CHAIN)
    model = contrib.MaskablePPO("MlpPolicy", env, n_steps=32, batch_size=16, n_epochs=1, seed=0, device="cpu")
    model.learn(64)
    assert env.n_invalid == 0
    obs, _ = env.reset(seed=0)
    action, _ = model.predict(obs, action_masks=env.action_masks())
    assert env.action_masks()[action]


def test_eta_follows_the_reset_seed_and_never_leaves_presence() -> None:
    env = CausalMask(Cascade(), CHAIN, eta=0.5)
    first, _, again = play(env, 7), play(env, 8), play(env, 7)
    assert first == again
    assert first == play(CausalMask(Cascade(), CHAIN, eta=0.5, seed=99), 7)
    share = np.mean([fallback for seed in range(60) for _, fallback in play(env, seed)])
    assert 0.4 < share < 0.6
    env = CausalMask(Cascade(), CHAIN, eta=1.0)
    obs, info = env.reset(seed=0)
    assert info["mask_fallback"] and np.array_equal(info["action_mask"], obs > 0)
    assert "mask_fallback" not in CausalMask(Cascade(), CHAIN).reset(seed=0)[1]


def test_unseeded_resets_go_on_with_the_stream() -> None:
    env = CausalMask(Cascade(), CHAIN, eta=0.5)
    env.reset(seed=1)
    found = {env.reset()[1]["mask_fallback"] for _ in range(20)}
    assert found == {True, False}


class Own(gymnasium.Wrapper):
    """An environment that forbids unit 0 by itself, in one of three dialects."""

    def __init__(self, env: gymnasium.Env, how: str) -> None:
        super().__init__(env)
        self.how, self.legal = how, np.repeat([False, True, True, True], 3)
        if how == "method":
            self.action_masks = lambda: self.legal
        if how == "obs":
            box = gymnasium.spaces.Box(0, 1, (12,), np.int8)
            self.observation_space = gymnasium.spaces.Dict({"observation": env.observation_space, "action_mask": box})

    def _out(self, obs, info):
        obs = {"observation": obs, "action_mask": self.legal.astype(np.int8)} if self.how == "obs" else obs
        return obs, {**info, "action_mask": self.legal} if self.how == "info" else info

    def reset(self, **more):
        return self._out(*self.env.reset(**more))

    def step(self, action):
        obs, reward, terminated, truncated, info = self.env.step(action)
        obs, info = self._out(obs, info)
        return obs, reward, terminated, truncated, info


@pytest.mark.parametrize("how", ["info", "method", "obs"])
@pytest.mark.parametrize("empty", ["present", "all"])
def test_own_masks_are_combined_by_and(how: str, empty: str) -> None:
    env = CausalMask(Own(Cascade(), how), CHAIN, empty=empty)
    for seed in range(30):
        for raw, _ in play(env, seed, 5):
            mask = np.frombuffer(raw, np.int8)
            assert mask.any() and not mask[:3].any()
    assert env.n_empty > 0  # the power cut was at unit 0


def test_presence_only_and_plain_functions() -> None:
    env = CausalMask(Cascade(), None)
    obs, info = env.reset(seed=0)
    assert np.array_equal(info["action_mask"], obs > 0)
    seen = []

    def only_links(obs, info, env):
        seen.append(set(info))
        return KINDS == 1

    env = CausalMask(Cascade(), only_links)
    _, info = env.reset(seed=0)
    assert np.array_equal(info["action_mask"], KINDS == 1) and seen == [{"counts"}] and env.mask is None
    with pytest.raises(cn.NotApplicable, match="no graph to replace"):
        env.update(CHAIN)
    shared = RootCauseMask(CHAIN, variables=CHAIN.nodes, action_variables=KINDS, cells=lambda obs: obs > 0)
    assert CausalMask(Cascade(), shared).mask is shared


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.ones(11, bool), "mask function's answer has shape \\(11,\\)"),
        (np.ones(12), "float64"),
        (np.zeros(12, bool), "allows no action"),
        (None, "shape \\(\\)"),
    ],
)
def test_wrong_mask_functions_are_told(answer: object, words: str) -> None:
    env = CausalMask(Cascade(), lambda obs, info, env: answer, empty="raise")
    with pytest.raises(cn.DataError, match=words):
        env.reset(seed=0)


def test_any_environment_by_arguments() -> None:
    told = {"variables": CHAIN.nodes, "action_variables": KINDS}
    env = CausalMask(Hidden(), CHAIN, **told, cells=lambda obs: obs > 0)
    play(env, 0)
    with pytest.raises(cn.DataError, match="no attribute 'variables'"):
        CausalMask(Hidden(), CHAIN)
    with pytest.raises(cn.DataError, match="which variables are present"):
        CausalMask(Hidden(), CHAIN, **told)
    with pytest.raises(cn.DataError, match="variables of 3 actions"):
        CausalMask(Hidden(), CHAIN, variables=CHAIN.nodes, action_variables=[0, 1, 2], cells=lambda obs: obs > 0)


class Hidden(gymnasium.Env):
    """Cascade without the attributes that name variables."""

    def __init__(self) -> None:
        self.inner = Cascade()
        self.observation_space, self.action_space = self.inner.observation_space, self.inner.action_space

    def reset(self, *, seed=None, options=None):
        return self.inner.reset(seed=seed)

    def step(self, action):
        return self.inner.step(action)


def test_wrong_wrapping_is_told() -> None:
    with pytest.raises(cn.DataError, match="eta"):
        CausalMask(Cascade(), CHAIN, eta=1.5)
    with pytest.raises(cn.DataError, match="decides the mask alone"):
        CausalMask(Cascade(), lambda obs, info, env: None, variables=CHAIN.nodes)
    with pytest.raises(cn.DataError, match="reset"):
        CausalMask(Cascade(), CHAIN).action_masks()
    with pytest.raises(cn.NotApplicable, match="top_units"):
        CausalMask(Cascade(), CHAIN, top_units=2)
    env = CausalMask(Cascade(), CHAIN)
    env.reset(seed=0)
    with pytest.raises(cn.DataError, match="from 0 to 11"):
        env.step(12)
    box = Cascade()
    box.action_space = gymnasium.spaces.Box(0, 1, (2,))
    with pytest.raises(cn.NotApplicable, match="Discrete"):
        CausalMask(box, CHAIN)


def test_the_mask_of_a_cleared_network_is_no_error() -> None:
    env = CausalMask(Cascade(), None, empty="raise")
    for seed in range(20):
        play(env, seed, 200)
    assert env.n_empty == 0 and env.action_masks().all()


def test_update_takes_effect_with_the_next_observation() -> None:
    env = CausalMask(Cascade(), CHAIN)
    env.reset(seed=0)
    before = env.action_masks()
    env.update(REVERSED)
    assert np.array_equal(env.action_masks(), before)
    env.step(int(np.flatnonzero(before)[0]))
    assert set(KINDS[env.action_masks()]) == {2}


def test_importing_the_representation_is_light() -> None:
    import subprocess
    import sys

    code = "import sys, causalnet.representation; sys.exit(bool({'gymnasium', 'torch', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- on the fault-alarm network -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def network() -> gymnasium.Env:
    pytest.importorskip("causalnet.envs")
    return gymnasium.make("causalnet/FaultAlarm-v0", instance=3, n_devices=8)


@pytest.mark.parametrize("observation", ["counts", "ages", "paper"])
def test_masks_of_the_fault_alarm_network(observation: str) -> None:
    pytest.importorskip("causalnet.envs")
    bare = gymnasium.make("causalnet/FaultAlarm-v0", instance=3, n_devices=8, observation=observation)
    inner = bare.unwrapped
    env = CausalMask(bare, inner.instance.graph, 2)
    seen = 0
    obs, info = env.reset(seed=1)
    for _ in range(15):
        present = inner.counts(obs) > 0
        allowed = info["action_mask"].reshape(present.shape).astype(bool)
        order = env.mask.order(present.any(axis=0))
        assert np.array_equal(allowed, present & np.isin(np.arange(18), order[:2]))
        assert np.array_equal(env.action_masks(), env.mask(obs))
        seen += 1
        obs, _, terminated, truncated, info = env.step(int(np.flatnonzero(info["action_mask"])[0]))
        if terminated or truncated:
            break
    assert seen > 3
    everything = CausalMask(bare, inner.instance.graph, 18)
    obs, info = everything.reset(seed=2)
    assert np.array_equal(info["action_mask"].astype(bool), inner.action_masks())


def test_privileged_device_ranking_says_so(network: gymnasium.Env) -> None:
    instance = network.unwrapped.instance
    env = CausalMask(network, None, top_units=2)
    _, info = env.reset(seed=0)
    assert info["privileged_mask"] is True
    units = set(network.unwrapped.action_units[env.action_masks()])
    degrees = sorted((instance.topology.degree(name), i) for i, name in enumerate(instance.devices))
    assert units <= {i for _, i in degrees[-2:]}
    assert "privileged_mask" not in CausalMask(network, None).reset(seed=0)[1]
    with pytest.raises(cn.DataError, match="top_units"):
        CausalMask(network, None, top_units=9)


def test_a_graph_over_other_variables_is_refused(network: gymnasium.Env) -> None:
    with pytest.raises(cn.UnknownNameError, match="it lacks"):
        CausalMask(network, CHAIN)


@pytest.mark.parametrize("learner", ["PPO", "DQN"])
def test_own_agents_never_leave_the_mask(network: gymnasium.Env, learner: str) -> None:
    agents = pytest.importorskip("causalnet.agents")
    pytest.importorskip("torch")
    env = CausalMask(network, network.unwrapped.instance.graph, 2, eta=0.2)
    taken = []
    getattr(agents, learner)(env, seed=0).learn(episodes=3, on_step=lambda step: taken.append(step.mask[step.action]))
    assert taken and all(taken) and env.n_invalid == 0


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (
            lambda: CausalMask(Cascade(), CHAIN, eta="a"),
            cn.DataError,
            "eta is .*, and must be a finite number from 0 to 1",
        ),
        (
            lambda: CausalMask(Cascade(), CHAIN, eta=None),
            cn.DataError,
            "eta is .*, and must be a finite number from 0 to 1",
        ),
        (
            lambda: setattr(CausalMask(Cascade(), CHAIN), "eta", 7),
            cn.DataError,
            "eta is 7, and must be a finite number from 0 to 1",
        ),
        (
            lambda: CausalMask(Cascade(), CHAIN, seed=-1),
            cn.DataError,
            "seed is -1, and must be a whole number from 0 up",
        ),
        (
            lambda: rule(CHAIN, present=[True] * 3),
            cn.DataError,
            r"present is .*, and must be a function \(observation\)",
        ),
        (
            lambda: CausalMask(Cascade(), lambda obs: obs > 0),
            cn.DataError,
            r"takes \(obs\), and is called with \(obs, info, env\)",
        ),
        (lambda: CausalMask("Pumps-v0", CHAIN), cn.NotApplicable, r"gymnasium\.make\(id\); got 'Pumps-v0'"),
        (
            lambda: CausalMask(gymnasium.make_vec("CartPole-v1", 2), CHAIN),
            cn.DataError,
            "CartPoleVectorEnv has no attribute 'variables'",
        ),
    ],
)
def test_arguments_that_cannot_be(make: object, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        make()


@pytest.mark.parametrize("action", [True, np.True_, 1.0, None])
def test_only_whole_numbers_are_actions(action: object) -> None:
    env = CausalMask(Cascade(), CHAIN)
    env.reset(seed=0)
    with pytest.raises(cn.DataError, match="outside the action space; write an integer"):
        env.step(action)


def test_a_function_that_allows_nothing_is_told_once() -> None:
    def nothing(obs: object, info: object, env: object) -> np.ndarray:
        return np.zeros(12, dtype=bool)

    env = CausalMask(Cascade(), nothing)
    with pytest.warns(UserWarning, match='empty="raise"'):
        env.reset(seed=0)
    env.reset(seed=1)
    assert env.n_empty == 2 and env.action_masks().all()
    CausalMask(Cascade(), nothing, empty="all").reset(seed=0)  # said, so nothing to warn of


def test_a_state_that_is_no_number_names_its_step() -> None:
    class Broken(Cascade):
        def step(self, action: int) -> tuple:
            obs, *rest = super().step(action)
            return np.full(obs.shape, np.nan, np.float32), *rest

    env = CausalMask(Broken(), CHAIN)
    env.reset(seed=0)
    with pytest.raises(cn.DataError, match=r"state 1 after the reset of .*Broken.*NaN at entry 0"):
        env.step(0)
