"""Deployment by an estimated factor, and what policies see after the masks: what is refused, and what is warned of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from causalnet.agents import NetworkedPPO, ScalableActorCritic
from causalnet.agents.networked.adaptation import adapt, compact_view
from causalnet.agents.networked.gsac import GSAC
from causalnet.envs.networked.wireless import gsac_grid, true_masks
from causalnet.errors import DataError
from causalnet.graph.causal_masks import CausalMasks
from causalnet.representation.domain import DomainFactor, bernoulli_factor

SOURCES = (0.2, 0.8)


def agent(factors: object = SOURCES) -> GSAC:
    return GSAC([gsac_grid(2, arrival=p) for p in SOURCES], factors)


def test_estimates_are_as_many_as_the_policy_has_factors() -> None:
    target = gsac_grid(2, arrival=0.5, n_envs=1)
    each = agent(np.array(SOURCES)[:, None, None] * np.ones((2, 4, 1)))
    found = adapt(each, target, lambda t: bernoulli_factor(t, "b_2", shared=False), 3, seed=1)
    assert found.factors.shape == (1, 3, 4)
    with pytest.raises(DataError, match=r"one factor for all agents, .* one for each of 4: estimate with shared=False"):
        adapt(each, target, lambda t: bernoulli_factor(t, "b_2"), 3)
    with pytest.raises(DataError, match="agent is None, and must be a GSAC"):
        adapt(None, target, lambda t: bernoulli_factor(t, "b_2"), 3)  # type: ignore[arg-type]


def test_the_warning_of_a_target_outside_names_the_line_that_deployed() -> None:
    with pytest.warns(UserWarning, match="outside the hull") as told:
        adapt(agent(), gsac_grid(2, arrival=0.99, n_envs=1), lambda t: bernoulli_factor(t, "b_2"), 20)
    assert [w.filename for w in told] == [__file__]


def test_masks_must_be_of_this_network() -> None:
    env = gsac_grid(3, distractors=True)
    row = gsac_grid(1, 9, distractors=True)  # nine agents with these components too
    with pytest.raises(DataError, match="are neighbours in only one of the masks and this network"):
        compact_view(row, true_masks(env))
    with pytest.raises(DataError, match="env is NoneType, and must be a networked environment"):
        compact_view(None, true_masks(env))
    with pytest.raises(DataError, match="masks is None, and must be CausalMasks"):
        compact_view(env, None)  # type: ignore[arg-type]


def test_agents_that_would_see_nothing_are_named() -> None:
    env = gsac_grid(2, distractors=True)
    masks = true_masks(env)
    nothing = [np.zeros_like(part) for part in (masks.own, masks.other, masks.domain)]
    with pytest.warns(UserWarning, match="agents 0, 1, 2, 3 would see all states alike"):
        view, _ = compact_view(env, CausalMasks(*nothing, env.adjacency, env.component_names))
    assert not view.any()
    own, other = masks.own.copy(), np.zeros_like(masks.other)
    own[2] = False
    with pytest.warns(UserWarning, match="agent 2 would see"):
        compact_view(env, CausalMasks(own, other, masks.domain, env.adjacency, env.component_names))


class Coins:
    """Two agents who see coins that fall on 1 with p, the domain's factor; right is 1 where p > .5, whatever they see."""

    def __init__(self, p: float, n_envs: int = 8, pays: bool = True) -> None:
        self.p, self.n_envs, self.pays = p, n_envs, pays
        self.n_agents, self.horizon = 2, 5
        self.n_states = self.n_actions = np.array([2, 2])
        self.adjacency = sparse.csr_matrix(np.eye(2, dtype=bool)[::-1])

    def reset(self, seed: Any = None) -> Any:
        self.rng, self.time = np.random.default_rng(seed), 0
        return self.coins(), {}

    def coins(self) -> Any:
        self.shown = (self.rng.random((self.n_envs, 2)) < self.p).astype(int)
        return self.shown

    def step(self, a: Any) -> Any:
        reward = (np.asarray(a) == (self.p > 0.5)).astype(float) if self.pays else self.shown.astype(float)
        self.time += 1
        over = np.full(self.n_envs, self.time == self.horizon)
        return self.coins(), reward, np.zeros(self.n_envs, bool), over, {}


def share_of_ones(t: Any) -> DomainFactor:
    return DomainFactor(np.asarray(t.states.mean()), np.asarray(0.05), t.rows, 0.0)


@pytest.mark.parametrize("memory", [0, 3])
def test_a_neural_policy_reads_an_unseen_domain_from_a_few_transitions(memory: int) -> None:
    agent = NetworkedPPO(
        [Coins(p) for p in (0.2, 0.8)], 0, factors=[0.2, 0.8], gamma=0.0, lr=2e-2, hidden=(8,), memory=memory
    ).learn(episodes=16 * 25)
    weights = [w.detach().clone() for w in agent.policy.parameters()]
    for p in (0.3, 0.7):
        found = adapt(agent, Coins(p), share_of_ones, 6, seed=1)
        assert found.returns.shape == (1, 6) and found.factors.shape == (1, 6) and not found.distance.any()
        assert abs(found.factor[0] - p) < 0.1 and found.returns[0, 1:].mean() > 4.0
        assert agent.evaluate(Coins(p), 16, factor=1 - p).mean() < 1.5  # told the wrong domain
    assert all((a == b).all() for a, b in zip(weights, agent.policy.parameters(), strict=True))
    with pytest.raises(DataError, match="another network"):
        adapt(agent, gsac_grid(2, n_envs=1), share_of_ones, 2)
    with pytest.raises(DataError, match="train it with factors"):
        adapt(NetworkedPPO(Coins(0.2), 0, hidden=(4,)), Coins(0.3), share_of_ones, 2)


def test_learners_of_all_kinds_are_judged_on_the_same_episodes() -> None:
    """What is paid for the coins alone does not depend on the policy."""
    test = Coins(0.4, pays=False)
    tables = ScalableActorCritic(Coins(0.4)).evaluate(test, 16, discount=1.0, seed=5)[0]
    np.testing.assert_array_equal(tables, NetworkedPPO(Coins(0.4), hidden=(4,)).evaluate(test, 16, seed=5))
    discounted = ScalableActorCritic(Coins(0.4)).evaluate(test, 16, seed=5)[0]
    assert (discounted < tables).any()
