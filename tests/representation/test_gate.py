"""The gate between a graph's mask and presence: it watches the choices that the graph would forbid."""

from __future__ import annotations

import numpy as np
import pytest
from cascade import CHAIN, REVERSED, Cascade
from gymnasium.wrappers import TimeLimit
from scipy import stats

import causalnet as cn
from causalnet.representation import CausalMask, Gate
from causalnet.representation.gate import DISCOUNT, SURE, TRACE, evidence, gains


def played(graph: object, episodes: int = 60, gate: Gate | bool = True) -> CausalMask:
    """The mask after so many episodes of uniform play."""
    env, rng = CausalMask(TimeLimit(Cascade(), 25), graph, gate=gate), np.random.default_rng(0)
    for episode in range(episodes):
        env.reset(seed=episode)
        done = False
        while not done:
            action = rng.choice(np.flatnonzero(env.action_masks()))
            _, _, terminated, truncated, info = env.step(int(action))
            done = terminated or truncated
        assert info["mask_arm"] in ("causal", "presence")
    return env


def test_the_gate_learns_that_a_wrong_graph_hurts_and_the_right_one_does_not() -> None:
    for graph, arm in ((CHAIN, "causal"), (REVERSED, "presence")):
        env = played(graph)
        assert env.gate.best == arm and (env.gate.evidence > 0.0) == (arm == "causal")
        env.settled, before = True, env.mask_state["gate"]
        _, info = env.reset(seed=0)
        env.step(int(np.flatnonzero(info["action_mask"])[0]))
        assert info["mask_arm"] == arm and env.mask_state["gate"] == before


def test_what_it_has_seen_tells_of_every_graph() -> None:
    gate = played(None).gate
    assert gate.best == "presence" and gate.evidence == 0.0
    again = Gate()
    again.from_json(gate.to_json())
    assert again.to_json() == gate.to_json()
    with pytest.raises(cn.DataError, match="compared pairs of episodes"):
        again.from_json({"pairs": [0, 0, 0, 0, 0], "owed": [], "due": [0, 0], "seed": [], "causal": [], "presence": []})
    for graph, arm in ((REVERSED, "presence"), (CHAIN, "causal")):
        env = CausalMask(TimeLimit(Cascade(), 25), None, gate=again)
        env.update(graph)
        for episode in range(15):  # read again when it has grown
            env.reset(seed=episode)
            for _ in range(25):
                env.step(int(np.flatnonzero(env.action_masks())[0]))
        assert again.best == arm


def test_a_graph_that_never_proves_itself_leaves_no_trace() -> None:
    def returns(graph: object, gate: bool) -> list[float]:
        env = CausalMask(TimeLimit(Cascade(), 25), graph, gate=gate)
        return cn.PPO(env, seed=0, n_steps=32, hidden=(8,), epochs=2).learn(episodes=12)._recent

    assert returns(REVERSED, True) == returns(None, False) != returns(CHAIN, False)


def test_what_the_graph_forbids_stays_in_sight() -> None:
    env, rng, free = played(CHAIN), np.random.default_rng(0), []
    for episode in range(60):
        _, info = env.reset(seed=episode)
        over = False
        while not over:
            free.append("mask_fallback" in info)
            _, _, over, _, info = env.step(int(rng.choice(np.flatnonzero(env.action_masks()))))
    assert 0.05 < np.mean(free) < 0.16
    env.settled = True
    assert not any("mask_fallback" in env.reset(seed=k)[1] for k in range(40))


def choices(tau: np.ndarray, steps: int = 600) -> tuple[np.ndarray, ...]:
    """Variable 0 is kept and all others are forbidden; acting on i gains tau_i less than acting on 0, under unit noise."""
    rng, v = np.random.default_rng(1), len(tau) + 1
    here, kept = np.ones((steps, v), bool), np.arange(v) == np.zeros((steps, 1))
    on = rng.integers(v, size=steps)
    return here, kept, np.arange(v) == on[:, None], np.ones(steps, bool), rng.normal(size=steps) - np.append(0, tau)[on]


def test_a_graph_is_trusted_for_being_right_everywhere_and_not_on_average() -> None:
    everywhere, average = (evidence(*choices(np.array(tau))) for tau in ([1.0] * 4, [5.0, 5.0, -3.0, -3.0]))
    assert everywhere > 1.5 * SURE and average < SURE / 2
    assert evidence(*choices(np.array([-1.0] * 4))) < -SURE
    one = choices(np.array([1.0]))
    on = one[2][:, 1]
    student = stats.ttest_ind(one[4][~on], one[4][on]).statistic
    assert evidence(*one) == pytest.approx(student)  # of one variable there is no spread
    here, kept, acted, free, gained = one
    assert evidence(here, kept, acted, ~free, gained) == 0.0 == evidence(here, here, acted, free, gained)
    nothing = [np.random.default_rng(k).normal(size=600) for k in range(30)]
    assert abs(np.mean([evidence(here, kept, acted, free, luck) for luck in nothing])) < 0.6


def test_a_gain_is_what_followed_beyond_what_the_state_is_worth() -> None:
    rng, n = np.random.default_rng(0), 4000
    here = rng.random((n, 2)) < 0.5  # nothing depends on anything: a state is worth its own reward, and a constant
    over = np.arange(n) % 20 == 19
    reward = 3.0 * here[:, 0] - 2.0 + rng.normal(size=n)
    gained = gains(here, reward, over, np.zeros(n, bool))
    assert np.corrcoef(gained, here[:, 0])[0, 1] == pytest.approx(0.0, abs=0.05)
    worth = 3.0 * here[:, 0] - 1.5 - 0.5 / (1 - DISCOUNT)
    wanted, after = np.zeros(n + 1), np.where(over, worth, np.append(worth[1:], 0.0))
    for t in reversed(range(n)):
        wanted[t] = reward[t] + DISCOUNT * after[t] - worth[t] + DISCOUNT * TRACE * wanted[t + 1] * (not over[t])
    assert np.corrcoef(gained, wanted[:-1])[0, 1] > 0.99


def test_a_function_is_watched_as_a_graph_is() -> None:
    def first(obs: object, info: object, env: object) -> np.ndarray:
        return np.arange(12) % 3 == 0  # power alone, at whichever unit

    env = played(first, episodes=5)
    assert env.gate.to_json()["logs"]["presence"]["shape"][0] > 0 and np.isfinite(env.gate.evidence)
