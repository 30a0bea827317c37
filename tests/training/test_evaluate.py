"""Evaluation: the table of episodes against a hand count, the controls, and the statistics against scipy."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from cascade import CHAIN, KINDS, REVERSED, Cascade
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import trim_mean

import causalnet as cn
from causalnet.graph import is_acyclic
from causalnet.representation import CausalMask, RootCauseMask
from causalnet.stats.intervals import bootstrap_interval, iqm, summarize
from causalnet.training import mask_of
from causalnet.training.controls import greedy, random_graph, uniform
from causalnet.training.evaluation import FIRST_SEED, evaluate

runs = st.lists(st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=2, max_size=40)


def limited(graph: cn.Graph | None, steps: int = 25) -> gymnasium.Env:
    return gymnasium.wrappers.TimeLimit(CausalMask(Cascade(), graph), steps)


def rule(graph: cn.Graph) -> RootCauseMask:
    return RootCauseMask(graph, 1, variables=CHAIN.nodes, action_variables=KINDS, cells=lambda obs: obs > 0)


# ---- episodes -----------------------------------------------------------------------------------------------


def test_rows_equal_a_hand_count() -> None:
    frame = evaluate(uniform, limited(CHAIN), seeds=[5, 6], truth=rule(CHAIN))
    assert list(frame["seed"]) == [5, 6] and list(frame["episode"]) == [0, 1]
    env = limited(CHAIN)
    obs, info = env.reset(seed=5)
    rng = np.random.default_rng([0x6576616C, 5])
    total, alarms, done = 0.0, [], False
    while not done:
        obs, reward, terminated, truncated, info = env.step(uniform(obs, mask_of(env, obs, info), rng))
        total, done = total + reward, terminated or truncated
        alarms.append(info["counts"].sum())
    row = frame.iloc[0]
    assert row["return"] == pytest.approx(total) and row["interventions"] == len(alarms)
    assert row["mean_alarms"] == pytest.approx(np.mean(alarms))
    assert row["terminated"] == terminated and row["truncated"] == truncated
    assert row["cleared"] == float(terminated)
    assert row["invalid"] == 0.0 and row["mask_recall"] == 1.0


def test_the_same_seeds_give_the_same_table() -> None:
    one, two = (evaluate(uniform, limited(None), 4) for _ in range(2))
    assert one.equals(two)
    assert list(one["seed"]) == list(range(FIRST_SEED, FIRST_SEED + 4))


def test_default_seeds_are_none_of_training() -> None:
    pytest.importorskip("torch")
    from causalnet.agents.single.episodes import episode_seed

    drawn = [episode_seed(seed, number) for seed in range(40) for number in range(50)]
    assert min(drawn) >= 0 and 0.99 * FIRST_SEED < max(drawn) < FIRST_SEED


def test_controls_are_ranked_as_they_should() -> None:
    env = limited(None)
    mean = {
        name: evaluate(policy, env, 60, truth=rule(CHAIN))["return"].mean()
        for name, policy in {
            "true": greedy(rule(CHAIN)),
            "presence": uniform,
            "reversed": greedy(rule(REVERSED)),
        }.items()
    }
    assert mean["true"] > mean["presence"] > mean["reversed"]
    same = evaluate(uniform, limited(CHAIN), 5)["return"]  # greedy is uniform on the graph's mask
    assert list(same) == list(evaluate(greedy(rule(CHAIN)), limited(None), 5)["return"])


def test_invalid_actions_and_recall_are_shares() -> None:
    def stubborn(obs, mask, rng):
        return 11

    frame = evaluate(stubborn, limited(REVERSED), 10, truth=lambda obs, info, env: int(np.argmax(obs)))
    assert (frame["invalid"] > 0).all() and (frame["invalid"] <= 1).all()
    assert frame["mask_recall"].between(0, 1).all()
    assert frame["mask_size"].between(1, 12).all()


def test_without_counts_or_mask_the_columns_are_nan() -> None:
    env = gymnasium.make("CartPole-v1")
    row = evaluate(lambda obs, mask, rng: rng.integers(2), env, seeds=[0]).iloc[0]
    assert np.isnan(row["mean_alarms"]) and np.isnan(row["cleared"]) and np.isnan(row["mask_recall"])
    assert row["mask_size"] == 2 and row["return"] == row["interventions"]


class Agent:
    """Predicts as causalnet's agents, or as sb3-contrib's."""

    def predict(self, obs, mask=None, deterministic=True):
        assert deterministic
        return int(np.flatnonzero(mask)[0])


@pytest.mark.parametrize(
    ("says", "told", "best"),
    [
        (False, {}, True),
        (False, {"mode": "best"}, True),
        (None, {"mode": "drawn"}, False),
        (None, {"deterministic": False}, False),
        (False, {"mode": "own"}, False),
        (None, {"mode": "own"}, True),
    ],
)
def test_every_policy_is_played_in_one_mode_whatever_it_says(says: bool | None, told: dict, best: bool) -> None:
    found = []

    class Mine(Agent):
        def predict(self, obs, mask=None, deterministic=None):
            found.append(deterministic)
            return super().predict(obs, mask)

    policy = Mine()
    if says is not None:
        policy.DETERMINISTIC = says
    frame = evaluate(policy, limited(CHAIN), 1, **told)
    assert set(found) == {best} and set(frame["mode"]) == {"best" if best else "drawn"}


@pytest.mark.parametrize("told", [{"mode": "draws"}, {"mode": "best", "deterministic": True}])
def test_modes_that_do_not_exist_or_contradict_are_told(told: dict) -> None:
    with pytest.raises(cn.DataError, match="mode"):
        evaluate(Agent(), limited(CHAIN), 1, **told)


def test_drawn_episodes_repeat_and_leave_the_streams_of_others_alone() -> None:
    torch = pytest.importorskip("torch")
    agent, env = cn.PPO(limited(None), seed=0), limited(None)

    class Other:  # draws from torch's global stream, as stable-baselines3 does
        def predict(self, obs, deterministic=False, action_masks=None):
            p = torch.tensor(action_masks, dtype=torch.float32)
            return p.argmax().item() if deterministic else torch.multinomial(p, 1).item()

    for policy in (agent, Other()):
        before = torch.random.get_rng_state()
        one, two = (evaluate(policy, env, 3, mode="drawn") for _ in range(2))
        assert one.equals(two) and torch.equal(before, torch.random.get_rng_state())
        assert not one["return"].equals(evaluate(policy, env, 3)["return"])


def test_ppo_draws_and_dqn_takes_the_best() -> None:
    pytest.importorskip("torch")
    assert (cn.PPO.DETERMINISTIC, cn.DQN.DETERMINISTIC, cn.D3QN.DETERMINISTIC) == (False, True, True)


class Contrib:
    def predict(self, obs, state=None, episode_start=None, deterministic=False, action_masks=None):
        return np.array(np.flatnonzero(action_masks)[0]), None


class Plain:
    def predict(self, obs, state=None, episode_start=None, deterministic=False):
        return np.array(0), None


def test_agents_of_three_kinds() -> None:
    env = limited(CHAIN)
    one, two = evaluate(Agent(), env, 3), evaluate(Contrib(), env, 3)
    assert one.equals(two) and (one["invalid"] == 0).all()
    assert (evaluate(Plain(), env, 3)["invalid"] > 0).any()


def test_privileged_masks_are_reported() -> None:
    pytest.importorskip("causalnet.envs")
    network = gymnasium.make("causalnet/FaultAlarm-v0", instance=3, n_devices=8)
    graph = network.unwrapped.instance.graph
    assert evaluate(uniform, CausalMask(network, graph, top_units=2), 2)["privileged"].all()
    frame = evaluate(uniform, CausalMask(network, graph), 4, truth=lambda obs, info, env: env.unwrapped.oracle())
    assert not frame["privileged"].any() and frame["mean_alarms"].gt(0).all() and frame["cleared"].isin([0, 1]).all()


def test_random_graphs_have_equal_density() -> None:
    truth = cn.Graph(tuple("abcdef"), np.triu(np.ones((6, 6), bool), 1) & (np.arange(36).reshape(6, 6) % 3 > 0))
    drawn = [random_graph(truth, seed) for seed in range(20)]
    assert all(g.adj.sum() == truth.adj.sum() and is_acyclic(g.adj) and g.nodes == truth.nodes for g in drawn)
    assert len(set(drawn)) > 15
    assert random_graph(truth, 3) == random_graph(truth, np.random.default_rng(3))


def test_wrong_policies_and_environments_are_told() -> None:
    env = limited(CHAIN)
    with pytest.raises(cn.NotApplicable, match="has predict"):
        evaluate(3, env)
    with pytest.raises(cn.DataError, match="chose action 12"):
        evaluate(lambda obs, mask, rng: 12, env)
    with pytest.raises(cn.DataError, match="episodes"):
        evaluate(uniform, env, 0)
    with pytest.raises(cn.DataError, match="seeds is empty"):
        evaluate(uniform, env, seeds=[])
    with pytest.raises(cn.DataError, match="TimeLimit"):
        evaluate(greedy(rule(REVERSED)), CausalMask(Cascade(), None), seeds=[1], max_steps=3)
    with pytest.raises(cn.DataError, match="truth gave"):
        evaluate(uniform, env, 1, truth=lambda obs, info, env: np.ones(3, bool))


# ---- statistics ---------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(runs)
def test_iqm_is_scipys_trimmed_mean(x: list[float]) -> None:
    assert iqm(x) == pytest.approx(trim_mean(x, 0.25), abs=1e-9)
    assert np.allclose(iqm(np.tile(x, (3, 1)), axis=1), iqm(x))


def test_intervals_cover_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for i in range(300):
        low, high = bootstrap_interval(rng.standard_normal(25), "mean", reps=400, rng=i)
        hits += low <= 0.0 <= high
    assert 0.88 < hits / 300 < 0.98


def test_intervals_are_stratified_and_reproducible() -> None:
    x = np.array([[0.0, 100.0], [1.0, 101.0], [2.0, 102.0], [3.0, 103.0]])
    low, high = bootstrap_interval(x, "mean")
    assert 50 <= low < high <= 53  # tasks are never mixed up: each keeps its number of runs
    assert bootstrap_interval(x[:, 0]) == bootstrap_interval(x[:, 0])
    assert bootstrap_interval(x[:, 0], lambda v: v.max(axis=-1))[1] == 3.0
    assert np.isnan(bootstrap_interval([1.0])).all()
    found = summarize([1.0, 2.0, 3.0, 10.0])
    assert found["mean"] == 4.0 and found["iqm"] == 2.5 and found["n"] == 4
    assert found["low"] <= found["mean"] <= found["high"]


def test_wrong_numbers_are_told() -> None:
    with pytest.raises(cn.DataError, match="no values"):
        iqm([])
    with pytest.raises(cn.DataError, match="value 1 is not finite"):
        iqm([0.0, np.nan])
    with pytest.raises(cn.UnknownNameError, match="'median'"):
        bootstrap_interval([1.0, 2.0], "medain")
    with pytest.raises(cn.DataError, match="level"):
        bootstrap_interval([1.0, 2.0], level=95)
    with pytest.raises(cn.DataError, match="runs, tasks"):
        bootstrap_interval(np.ones((2, 2, 2)))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"episodes": 1.5}, "episodes is 1.5, and must be a whole number from 1 up"),
        ({"seeds": [-1]}, "each of seeds is -1, and must be a whole number from 0 up"),
        ({"seeds": ["a"]}, "each of seeds"),
        ({"seeds": 3}, "seeds lists one seed for each episode"),
        ({"policy": lambda obs, mask, rng: None}, "the policy returned None"),
        ({"policy": lambda obs, mask, rng: 1.7}, "the policy returned 1.7"),
    ],
)
def test_what_cannot_be_played_is_told(told: dict, words: str) -> None:
    with pytest.raises(cn.DataError, match=words):
        evaluate(**{"policy": uniform, "env": limited(CHAIN), **told})


def test_environments_that_cannot_be_played_are_told() -> None:
    with pytest.raises(
        cn.NotApplicable, match="needs a Discrete, MultiDiscrete or MultiBinary action space; this one has Box"
    ):
        evaluate(uniform, gymnasium.make("Pendulum-v1"))
    with pytest.raises(cn.NotApplicable, match="evaluate needs a Gymnasium environment"):
        evaluate(uniform, "CartPole-v1")
    broken = gymnasium.wrappers.TransformReward(limited(CHAIN), lambda reward: float("nan"))
    with pytest.raises(cn.DataError, match="step 0 of the episode with seed 4: the reward is nan"):
        evaluate(uniform, broken, seeds=[4])


def test_the_table_says_how_a_policy_was_played_and_a_gate_learns_nothing_from_it() -> None:
    env = gymnasium.wrappers.TimeLimit(CausalMask(Cascade(), CHAIN, gate=True), 20)
    frame = evaluate(uniform, env, 3)
    assert set(frame["mode"]) == {"rule"}
    gate = env.get_wrapper_attr("gate")
    assert not gate.to_json()["logs"]["presence"]["shape"][0] and env.get_wrapper_attr("settled") is False

    class Agent:
        DETERMINISTIC = False

        def predict(self, obs: object, deterministic: bool, mask: np.ndarray) -> int:
            return int(np.flatnonzero(mask)[0])

    assert set(evaluate(Agent(), env, 1, mode="own")["mode"]) == {"drawn"}
    assert set(evaluate(Agent(), env, 1)["mode"]) == {"best"}
