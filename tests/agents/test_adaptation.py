"""Deployment by an estimated factor, and what policies see after the masks: what is refused, and what is warned of."""

from __future__ import annotations

import numpy as np
import pytest

from causalnet.agents.networked.adaptation import adapt, compact_view
from causalnet.agents.networked.gsac import GSAC
from causalnet.envs.networked.wireless import gsac_grid, true_masks
from causalnet.errors import DataError
from causalnet.graph.causal_masks import CausalMasks
from causalnet.representation.domain import bernoulli_factor

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
