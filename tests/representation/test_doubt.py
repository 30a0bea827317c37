"""Masks that know their doubt: P(root | present) against a count by hand, the rule of costs, and learning the graph."""

from __future__ import annotations

import numpy as np
import pytest
from cascade import CHAIN, Cascade

import causalnet as cn
from causalnet.data import Interactions
from causalnet.graph.confidence import Confidence
from causalnet.representation import (
    CausalMask,
    GraphPosterior,
    RootCauseMask,
    as_posterior,
    from_probabilities,
    learn_posterior,
    near_ties,
)

NAMES = ("a", "b", "c", "d")


def doubted(graph: object, **more: object) -> RootCauseMask:
    names = NAMES if graph is None else as_posterior(graph).nodes
    told = {"variables": names, "action_variables": np.arange(len(names)), "cells": lambda obs: np.asarray(obs) > 0}
    return RootCauseMask(graph, **told, **more)


@pytest.mark.parametrize("many", [40, 70])  # one word of bits, and two
def test_root_probability_is_the_share_of_graphs_without_a_present_ancestor(many: int) -> None:
    rng = np.random.default_rng(0)
    posterior = GraphPosterior(NAMES, rng.random((many, 4, 4)) < 0.3)
    here = np.array([True, True, False, True])
    count = np.zeros(4)
    for adj in posterior.samples:
        reach = adj & here & here[:, None]
        for _ in range(4):
            reach = reach | (reach.astype(int) @ reach > 0)
        count += here & ~(reach & ~reach.T).any(axis=0)
    assert np.allclose(posterior.root_probability(here), count / many)
    assert posterior.align(NAMES[::-1]).root_probability(here[::-1])[::-1] == pytest.approx(count / many)


def test_the_cost_of_leaving_the_right_action_out_decides_who_stays() -> None:
    posterior = from_probabilities(("a", "b"), [[0, 0.7], [0, 0]], draws=4000)
    assert posterior.edges[0, 1] == pytest.approx(0.7, abs=0.03)
    for cost, kept in ((0.0, [1, 0]), (1.0, [1, 0]), (4.0, [1, 1])):  # P_root(b) = .3 against 1, .5 and .2
        assert list(doubted(posterior, cost=cost)(np.ones(2))) == [bool(x) for x in kept]
    vote = Confidence(("a", "b"), np.array([[0, 0.95], [0, 0]]), np.zeros((2, 2)), 20)
    assert list(doubted(vote)(np.ones(2))) == [True, False]
    weak = Confidence(("a", "b"), np.array([[0, 0.2], [0, 0]]), np.full((2, 2), 0.2) - 0.2 * np.eye(2), 20)
    assert doubted(weak)(np.ones(2)).all()  # presence, where the evidence is weak
    assert doubted([CHAIN, CHAIN])(np.ones(3)).sum() == doubted(CHAIN)(np.ones(3)).sum() == 1


def test_cycles_are_told_and_forbid_nothing() -> None:
    ring = cn.Graph.from_edges(NAMES, [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a")])
    with pytest.warns(UserWarning, match="the graph has the cycle .* -> "):
        mask = doubted(ring)
    assert mask(np.ones(4)).all() and mask.cycle is not None
    assert list(mask(np.array([0, 1, 1, 0]))) == [False, True, False, False]  # a path, without the rest of the ring


def test_what_is_no_doubt_is_refused() -> None:
    with pytest.raises(cn.DataError, match="the posterior is empty"):
        as_posterior([])
    with pytest.raises(cn.DataError, match="the posterior is empty"):
        GraphPosterior(NAMES, np.zeros((0, 4, 4)))
    with pytest.raises(cn.UnknownNameError, match="it lacks link, power, service"):
        CausalMask(Cascade(), GraphPosterior(NAMES, np.zeros((1, 4, 4))))
    with pytest.raises(cn.DataError, match="other numbers than 0 and 1"):
        GraphPosterior(NAMES, np.full((1, 4, 4), 0.5))
    with pytest.raises(cn.DataError, match="cost"):
        doubted(CHAIN, cost=-1.0)
    with pytest.raises(cn.DataError, match="gate is True, False or a Gate"):
        CausalMask(Cascade(), CHAIN, gate="yes")
    with pytest.raises(cn.DataError, match="tells no scores"):
        near_ties(CHAIN)


def test_near_ties_weigh_the_alternatives_of_the_score() -> None:
    evidence = {("a", "b"): {"score_if_dropped": 2.0, "score_if_reversed": 0.0}}
    graph = cn.Graph.from_edges(("a", "b"), [("a", "b")], evidence=evidence)
    p = near_ties(graph, draws=4000).edges
    whole = 2.0 + np.exp(-1.0)
    assert p[0, 1] == pytest.approx(1 / whole, abs=0.03) and p[1, 0] == pytest.approx(1 / whole, abs=0.03)


def services(steps: int, seed: int, shields: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Five services under random restarts; a -> b -> c, d -> c: before, after (T, 5) and the one restarted, which may be
    brought down again in its step unless that shields it."""
    rng = np.random.default_rng(seed)
    q = np.zeros((5, 5))
    q[0, 1] = q[1, 2] = q[3, 2] = 0.6
    state, rows = np.zeros(5, dtype=bool), []
    for t in range(steps):
        state = np.zeros(5, dtype=bool) if t % 30 == 0 else state
        act = int(rng.integers(-1, 5))
        left = state.copy()
        if act >= 0:
            left[act] = False
        fail = rng.random(5) < 1 - 0.97 * np.prod(1 - q * left[:, None], axis=0)
        if act >= 0 and shields:
            fail[act] = False
        rows.append((state, left | fail, act))
        state = left | fail
    before, after, acted = zip(*rows, strict=True)
    return np.array(before), np.array(after), np.array(acted)


def test_what_comes_back_after_an_action_tells_its_causes_unless_it_is_shielded() -> None:
    """Of steps that act on the variable itself only the outcome is left, and one that never comes back says nothing."""
    names = ("a", "b", "c", "d", "e")
    found = {}
    for shields in (True, False):
        before, after, acted = services(1500, 0, shields)
        own = acted == 2
        for j in (0, 1, 3, 4):  # c has no other step to learn from
            own |= acted == j
        before, after, acted = before[own], after[own], acted[own]
        before[acted != 2, 2] = after[acted != 2, 2] = True
        found[shields] = learn_posterior(before, after, acted, names, draws=40).edges[:, 2]
    assert found[False][[1, 3]].min() > 0.9 and found[False][[0, 4]].max() < 0.5
    assert found[True].max() < 0.5


def test_the_posterior_finds_the_graph_from_steps_and_knows_nothing_from_none() -> None:
    names = ("a", "b", "c", "d", "e")
    true = np.zeros((5, 5), dtype=bool)
    true[0, 1] = true[1, 2] = true[3, 2] = True
    posterior = learn_posterior(*services(1500, 0), names, draws=40)
    assert np.array_equal(posterior.edges > 0.5, true)
    before, after, acted = (a[:60] for a in services(1500, 0))
    on = np.where(acted < 0, -1, 0)
    rows = Interactions(names, ["unit"], before[:, None], after[:, None], unit=on, variable=acted)
    from_rows, from_arrays = learn_posterior(rows, draws=4), learn_posterior(before, after, acted, names, draws=4)
    assert np.array_equal(from_rows.samples, from_arrays.samples)
    nothing = learn_posterior(np.zeros((0, 5)), np.zeros((0, 5)), np.zeros(0, int), names)
    assert not nothing.samples.any() and doubted(nothing)(np.ones(5)).all()
    known = cn.Knowledge(required=[("e", "a")], forbidden=[("a", "b")])
    held = learn_posterior(*services(600, 1), names, knowledge=known, draws=20)
    assert held.samples[:, 4, 0].all() and not held.samples[:, 0, 1].any()
    with pytest.raises(cn.DataError, match="acted"):
        learn_posterior(np.zeros((3, 5)), np.zeros((3, 5)), np.zeros(2, int), names)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("action_variables", np.array(["power", "link", "service"] * 4), "action_variables"),
        ("action_units", np.full(12, -1), "below 0"),
        ("action_units", np.full(12, 9), "10 units or more x 3"),
        ("counts", lambda obs: np.ones((3, 4)), r"shape \(3, 4\)"),
        ("counts", lambda obs: None, "shape"),
    ],
)
def test_what_an_environment_says_of_its_actions_is_looked_at(name: str, value: object, words: str) -> None:
    env = Cascade()
    setattr(env, name, value)
    with pytest.raises(cn.DataError, match=words):
        CausalMask(env, CHAIN).reset(seed=0)
