"""Sensitivities against their definitions by enumeration, and estimated from transitions."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pytest

from causalnet import locality
from causalnet.envs.networked import TabularEnv, TabularNetwork
from causalnet.errors import DataError
from causalnet.locality import LocalPolicy
from causalnet.locality.estimate import row_radius, split_moves
from pipelines.locality.ring import ring


def random_subset(rng: np.random.Generator, items: list[int]) -> list[int]:
    return sorted(rng.choice(items, rng.integers(0, len(items) + 1), replace=False).tolist())


def widest(function, points: list[tuple[int, ...]], sizes: np.ndarray, share: float) -> np.ndarray:
    """(n,): sup of share * ||f(x) - f(x')||_1 over points x, x' that differ in coordinate i alone."""
    result = np.zeros(len(sizes))
    for x in points:
        for i, size in enumerate(sizes):
            for value in range(size):
                y = (*x[:i], value, *x[i + 1 :])
                result[i] = max(result[i], share * np.abs(function(x) - function(y)).sum())
    return result


@pytest.mark.parametrize("seed", range(8))
def test_matrices_are_their_definitions(seed: int) -> None:
    """E^s, E^a, Pi, C, H and the moves of rewards, over every global state and action: any sizes, parents, observations."""
    rng, n = np.random.default_rng(seed), 3
    graph = nx.path_graph(n) if seed % 2 else nx.complete_graph(n)
    sizes, acts = rng.integers(1, 4, n), rng.integers(1, 4, n)
    names = ("state_parents", "action_parents", "reward_states", "reward_actions")
    links = {name: [random_subset(rng, sorted({i, *graph[i]})) for i in range(n)] for name in names}
    kernels = [
        rng.dirichlet(np.ones(sizes[i]), size=(*sizes[links["state_parents"][i]], *acts[links["action_parents"][i]]))
        for i in range(n)
    ]
    rewards = [
        rng.normal(size=(*sizes[links["reward_states"][i]], *acts[links["reward_actions"][i]])) for i in range(n)
    ]
    model = TabularNetwork(graph, kernels, rewards, 0.8, n_actions=acts, **links)  # type: ignore[arg-type]
    seen = [random_subset(rng, list(range(n))) for _ in range(n)]
    policy = LocalPolicy.softmax([rng.normal(size=(*sizes[seen[k]], acts[k])) for k in range(n)], 1.0, seen)

    def at(table: np.ndarray, x: tuple[int, ...], states: list[int], actions: list[int]) -> np.ndarray:
        return table[(*(x[i] for i in states), *(x[n + k] for k in actions))]

    def closed_loop(j: int, s: tuple[int, ...]) -> np.ndarray:
        total = np.zeros(sizes[j])
        for a in product(*map(range, acts)):
            chance = np.prod([policy.tables[k][(*(s[i] for i in seen[k]), a[k])] for k in range(n)])
            total += chance * at(kernels[j], s + a, links["state_parents"][j], links["action_parents"][j])
        return total

    both, states = np.concatenate([sizes, acts]), list(product(*map(range, sizes)))
    pairs = list(product(*map(range, both)))
    here, e = locality.analyse(model, policy), locality.environment(model)
    c = locality.exact_interdependence(model, policy)
    for j in range(n):
        law = widest(lambda x, j=j: at(kernels[j], x, links[names[0]][j], links[names[1]][j]), pairs, both, 0.5)
        reward = widest(lambda x, j=j: at(rewards[j], x, links[names[2]][j], links[names[3]][j]), pairs, both, 1.0)
        acting = widest(lambda s, j=j: at(policy.tables[j], s, seen[j], []), states, sizes, 0.5)
        loop = widest(lambda s, j=j: closed_loop(j, s), states, sizes, 0.5)
        for found, want in [
            (e.state, law[:n]), (e.action, law[n:]), (e.reward_state, reward[:n]), (e.reward_action, reward[n:]),
            (here.pi, acting), (c, loop),
        ]:  # fmt: skip
            np.testing.assert_allclose(found.toarray()[j], want, atol=1e-12)
    np.testing.assert_allclose(here.h.toarray(), e.state.toarray() + e.action.toarray() @ here.pi.toarray(), atol=1e-15)
    assert e.reward_range == max(np.ptp(r) for r in rewards)


# ---- from transitions ----------------------------------------------------------------------------------------------


def roll(model: TabularNetwork, policy: LocalPolicy, copies: int, seed: int, steps: int = 10) -> tuple[np.ndarray, ...]:
    """(s, a, s') of own-state binary policies, (steps * copies, n) each."""
    env, rng, parts = TabularEnv(model, n_envs=copies, horizon=None), np.random.default_rng([seed, 1]), []
    s, _ = env.reset(seed=seed)
    for _ in range(steps):
        p = np.stack([t[s[:, k], 1] for k, t in enumerate(policy.tables)], axis=1)
        a = (rng.random(p.shape) < p).astype(np.int64)
        after = env.step(a)[0]
        parts.append((s, a, after))
        s = after
    return tuple(np.concatenate(x) for x in zip(*parts, strict=True))


@pytest.mark.parametrize("outcomes", [2, 4])
def test_rows_lie_within_their_radius_at_every_count(outcomes: int) -> None:
    """At risk .2 at most 20 % of 1,000 runs ever leave the radius, and some do: it is not wide for nothing."""
    rng, steps = np.random.default_rng(outcomes), 400
    law = np.full(outcomes, 1 / outcomes)
    draws = rng.choice(outcomes, (1000, steps), p=law)
    count = np.arange(1, steps + 1)
    share = np.stack([(draws == k).cumsum(1) / count for k in range(outcomes)], axis=-1)
    outside = (0.5 * np.abs(share - law).sum(-1) > row_radius(count, outcomes, 0.2, 100.0)).any(axis=1).mean()
    assert 0.005 < outside <= 0.2


def test_a_split_sample_does_not_feed_on_its_noise() -> None:
    """Ten equal laws: the plug-in supremum sees a wide gap, the split sample none; a true gap it does see."""
    rng, errors = np.random.default_rng(0), []
    for true in (0.0, 0.4):
        law = np.full((10, 2), 0.5)
        law[3] += [true, -true]
        found = np.array([split_moves(rng.multinomial(30, np.stack([law] * 2)).astype(float))[0] for _ in range(200)])
        errors.append(found.mean() - true)
    assert 0 <= errors[0] < 0.06 and abs(errors[1]) < 0.06


def test_the_advised_number_of_transitions_is_about_right() -> None:
    """Ring at temperature 20: about 31,000 transitions certify it; logs of 2,000 say so within a factor of three."""
    model, policy = ring(20.0)
    pi, needed = locality.policy_sensitivity(policy), 31_000
    for seed in range(6):
        data = roll(model, policy, 200, seed)
        advice = locality.estimate_sensitivities(*data, model.state_parents, model.action_parents).advice(pi, 1.0)
        times = float(advice.split("about ")[1].split(" times")[0].replace(",", ""))
        assert needed / 3 < 2000 * times < 3 * needed
    for copies, certified in ((2000, False), (4500, True)):
        data = roll(model, policy, copies, 11)
        found = locality.estimate_sensitivities(*data, model.state_parents, model.action_parents)
        assert (found.radius(pi).high < 1) is certified


def test_intervals_hold_and_close_and_decide() -> None:
    """Every interval holds the truth (joint 95 %, 40 logs); more transitions narrow them until the verdict is there."""
    model, policy = ring(20.0)
    truth, missed, verdicts = locality.environment(model), 0, []
    for seed in range(40):
        data = roll(model, policy, 1000, seed)
        found = locality.estimate_sensitivities(*data, model.state_parents, model.action_parents)
        for name in ("state", "action"):
            low, high, true = (getattr(x, name).toarray() for x in (found.low, found.high, truth))
            missed += bool((low > true + 1e-12).any() or (high < true - 1e-12).any())
    assert missed <= 2
    for copies in (3, 1000, 20_000):
        data = roll(model, policy, copies, 99)
        found = locality.estimate_sensitivities(*data, model.state_parents, model.action_parents)
        verdicts.append(locality.certificate(found, policy, gamma=1.0))
    assert [v.certified for v in verdicts] == [None, None, True]
    assert "local situations never seen" in str(verdicts[0]) and "Too few to tell" in str(verdicts[0])
    assert "times as many" not in str(verdicts[0]) and "no number of transitions" in str(verdicts[0])
    assert "times as many would certify it" in str(verdicts[1]) and "UNDECIDED" in str(verdicts[1])
    assert verdicts[2].rho.low <= locality.certificate(model, policy).rho.low
    seen = locality.estimate_sensitivities(
        *roll(model, policy, 3, 99), model.state_parents, model.action_parents, on_support=True
    )
    assert "support alone" in str(locality.certificate(seen, policy, gamma=1.0))


def test_wrong_transitions_are_refused_in_a_sentence() -> None:
    model, policy = ring(2.0)
    s, a, after = roll(model, policy, 5, 0)

    def estimate(s=s, a=a, after=after, parents=model.state_parents, **more):
        return locality.estimate_sensitivities(s, a, after, parents, model.action_parents, **more)

    for make, words in [
        (lambda: estimate(s=s[:-1]), "have shapes"),
        (lambda: estimate(s=s[:0], a=a[:0], after=after[:0]), "T at least 1"),
        (lambda: estimate(s=np.where(s == 1, np.nan, s)), "finite integer codes"),
        (lambda: estimate(a=a - 1), "codes are integers from 0"),
        (lambda: estimate(after=after + 0.5), "codes are integers from 0"),
        (lambda: estimate(n_states=[1] * 5), "n_states is"),
        (lambda: estimate(parents=[[0]] * 4), "state_parents has 4 rows, and the graph 5 nodes"),
        (
            lambda: estimate(parents=[[9]] * 5),
            r"agent in state_parents\[0\] is 9, and must be a whole number from 0 to 4",
        ),
        (lambda: estimate(parents=[[0.5]] * 5), r"agent in state_parents\[0\] is 0.5"),
        (lambda: estimate(parents=[["a"]] * 5), r"agent in state_parents\[0\] is 'a'"),
        (lambda: estimate(parents=[[1, 1]] * 5), r"state_parents\[0\] names an agent twice"),
        (lambda: estimate(parents=None), "state_parents is a list of rows, not None"),
        (lambda: estimate(n_states="x"), "n_states is 'x', and must be a whole number, or 5 of them"),
        (lambda: estimate(n_states=[2.5] * 5), r"n_states is \[2.5, 2.5, 2.5, 2.5, 2.5\], and must be a whole number"),
        (lambda: estimate(n_states=[50] * 5), "fewer parents, states or actions: no data fill such a table"),
        (lambda: estimate(n_states=10**6), "no data fill such a table"),
        (lambda: estimate(a=a * 10**6), "no data fill such a table"),
        (lambda: estimate(confidence="x"), "confidence is 'x'"),
        (lambda: estimate(reward_range="x"), "reward_range is 'x'"),
        (lambda: estimate(on_support="x"), "on_support is 'x'"),
        (
            lambda: locality.certificate(estimate(s * 0, a, after * 0), policy, gamma=1.0),
            "give estimate_sensitivities n_states",
        ),
        (lambda: estimate(confidence=1.0), "confidence is 1.0"),
        (lambda: locality.certificate(estimate(), policy), "give gamma"),
        (lambda: locality.certificate(estimate(), [np.eye(2)] * 4, gamma=1.0), "4 agents and the network 5"),
    ]:
        with pytest.raises(DataError, match=words):
            make()
    assert estimate(n_states=2).n_states.tolist() == [2] * 5  # one number stands for all agents
    assert locality.certificate(estimate(s * 0, a, after * 0, n_states=2), policy, gamma=1.0).certified is not True
