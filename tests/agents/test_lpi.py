"""Localized policy improvement: colours, the proximal step, monotone returns against the exact solver, and races on the grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalnet.agents import (
    Cooling,
    LocalizedPolicyImprovement,
    Rate,
    ScalableActorCritic,
    Settings,
    exact_improvement,
    returns,
)
from causalnet.agents.networked.colours import colour_agents
from causalnet.agents.networked.lpi_exact import proximal
from causalnet.envs.networked import Line, TabularEnv, TabularNetwork, exact
from causalnet.envs.networked.wireless import gsac_grid, lin_grid, utility_grid
from causalnet.errors import CausalnetError, DataError, NotApplicable
from causalnet.locality import LocalPolicy, analyse, certificate, estimate_sensitivities
from causalnet.storage.checkpoint import read, write


@given(st.integers(1, 25), st.integers(0, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_agents_of_a_colour_are_far_apart(n: int, kappa: int, seed: int) -> None:
    graph = nx.gnp_random_graph(n, 0.15, seed=seed)
    found = colour_agents(nx.to_scipy_sparse_array(graph, format="csr"), kappa)
    hops = dict(nx.all_pairs_shortest_path_length(graph))
    for i in range(n):
        for j in range(i):
            assert found[i] != found[j] or hops[i].get(j, np.inf) > 2 * kappa
    around = max(sum(d <= 2 * kappa for d in hops[i].values()) for i in range(n))
    assert sorted(set(found.tolist())) == list(range(found.max() + 1)) and found.max() < around
    assert (np.bincount(colour_agents(gsac_grid(30).adjacency, 1)) > 0).sum() < 20  # 900 users in few turns


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 20), st.floats(0, 2))
@settings(max_examples=60)
def test_the_proximal_step_is_the_argmax(seed: int, eta: float, tau: float) -> None:
    rng = np.random.default_rng(seed)
    pi, advantage = rng.dirichlet(np.ones(4)), rng.normal(size=4)

    def worth(p: np.ndarray) -> np.ndarray:
        log = np.log(np.where(p > 0, p, 1))
        return p @ advantage - tau * (p * log).sum(-1) - (p * (log - np.log(pi))).sum(-1) / eta

    best = proximal(pi, advantage, eta, tau)
    assert best.sum() == pytest.approx(1) and worth(best) >= worth(rng.dirichlet(np.ones(4), 200)).max() - 1e-9
    assert proximal(np.array([0.0, 1.0]), np.array([5.0, 0.0]), eta, tau)[0] == 0


def random_case(seed: int) -> tuple[TabularNetwork, int, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    model = TabularNetwork.random(
        nx.gnp_random_graph(n, 0.6, seed=seed), seed, gamma=float(rng.choice([0.4, 0.7, 0.9])),
        coupling=("states", "actions")[seed % 2], concentration=float(rng.choice([0.3, 1.0, 5.0])),
    )  # fmt: skip
    return model, int(rng.integers(0, 4)), [exact.softmax(rng.normal(size=(2, 2))) for _ in range(n)]


def test_no_update_lowers_the_return_by_more_than_the_truncation_bias() -> None:
    moved = together = spectral = 0
    for seed in range(100):
        model, kappa, start = random_case(seed)
        policy, record = exact_improvement(model, start, kappa=kappa, rounds=4)
        untruncated = kappa >= 3 or all(r.bias < 1e-12 for r in record)
        for r in record:
            assert r.after - r.before >= r.guaranteed - r.bias - 1e-9 and r.guaranteed >= 0
            assert not untruncated or r.after >= r.before - 1e-12
        moved += record[-1].after > record[0].before + 1e-3
        together += len(set(colour_agents(nx.to_scipy_sparse_array(model.graph, format="csr"), kappa))) < model.n_agents
        spectral += record[0].certified
        assert record[-1].after == pytest.approx(exact.objective(exact.joint(model, policy)))
    assert moved > 70 and together > 20 and spectral > 15


def test_the_locality_of_the_policy_allows_longer_steps() -> None:
    """Where rho(H) is small the spectral bound is the tighter one: a weakly coupled chain moves further in one round."""
    model = TabularNetwork.random(nx.path_graph(4), 5, gamma=0.9, concentration=40.0)
    local = analyse(model, LocalPolicy([np.full((2, 2), 0.5)] * 4))
    assert local.radius.high < 0.5
    _, record = exact_improvement(model, kappa=3, rounds=3)
    best = exact.exact_policy_gradient(model, steps=60)[1][-1]
    assert record[-1].after - record[0].before > 0.9 * (best - record[0].before)
    assert all(r.certified and r.rho[0] <= r.rho[1] < 1 for r in record)


def test_exact_improvement_climbs_to_what_the_exact_gradient_reaches() -> None:
    model = TabularNetwork.random(nx.cycle_graph(4), 1, gamma=0.7)
    policy, record = exact_improvement(model, kappa=2, rounds=40)
    best = exact.exact_policy_gradient(model, steps=150)[1][-1]
    assert record[-1].after >= best - 1e-3
    again, more = exact_improvement(model, policy, kappa=2, rounds=1)
    assert more[-1].after >= record[-1].after - 1e-12 and len(again) == 4
    soft, _ = exact_improvement(model, kappa=2, rounds=10, tau=[0.5, 0.2])
    assert min(p.min() for p in soft) > 0.02  # entropy keeps every action alive


def test_distant_blocks_together_beat_everyone_at_once() -> None:
    o = Settings(gamma=0.7, steps=12, critic="linear", critic_rate=Rate(0.5), actor_rate=Rate(1.0))
    turns = LocalizedPolicyImprovement(utility_grid(n_envs=6), o, learners=3, seed=7, cooling=Cooling(0.15, 1250))
    rush = LocalizedPolicyImprovement(utility_grid(n_envs=6), o, learners=3, seed=7, cooling=Cooling(0.15, 1250))
    rush.colour = np.zeros(25, np.int64)
    test = utility_grid(n_envs=99)
    found = [returns(test, a.learn(2500).policy, gamma=1.0, episodes=300).mean(1) for a in (turns, rush)]
    assert found[0].min() > 3.4 and found[0].mean() > found[1].mean() + 0.05
    assert turns.colour.max() + 1 == 9 and len(turns.reports) == 0 and turns.tau == 0


def test_fewer_samples_than_scalable_actor_critic() -> None:
    test, learners = utility_grid(n_envs=100), 4
    o = Settings(gamma=0.7, steps=12, critic="linear", critic_rate=Rate(0.5), actor_rate=Rate(1.0))
    ours = LocalizedPolicyImprovement(
        utility_grid(n_envs=8), o, learners=learners, seed=21, cooling=Cooling(0.15, 1250)
    )
    plain = ScalableActorCritic(utility_grid(n_envs=40), Settings(gamma=0.7, steps=12), learners=learners, seed=21)
    values = [returns(test, a.learn(2500).policy, gamma=1.0, episodes=300).mean() for a in (ours, plain)]
    assert values[0] > values[1] + 0.05


def test_reports_and_certificates_along_the_way() -> None:
    model = TabularNetwork.random(nx.cycle_graph(5), 3, gamma=0.7)
    env = TabularEnv(model, n_envs=4)
    o = Settings(gamma=0.7, actor_rate=Rate(2.0))
    agent = LocalizedPolicyImprovement(env, o, model=model, report_every=20, cooling=Cooling(0.3, 40)).learn(400)
    assert [r.update for r in agent.reports] == [0, 20, 40, 60, 80] and [r.tau for r in agent.reports][2:] == [0.0] * 3
    assert agent.reports[0].rho[1] < agent.reports[-1].rho[1]  # a sharper policy is less local
    uniform = analyse(model, LocalPolicy([np.full((2, 2), 0.5)] * 5)).radius
    assert agent.reports[0].rho == (uniform.low, uniform.high) and agent.reports[0].certified is (uniform.high < 1)
    tables = [p[: int(s)] for p, s in zip(agent.policy[0], model.n_states, strict=True)]
    assert str(agent.certify()).splitlines()[1] == str(certificate(model, tables)).splitlines()[1]
    before, after = exact.joint(model, [np.full((2, 2), 0.5)] * 5), exact.joint(model, tables)
    assert exact.objective(after) > exact.objective(before)


def test_reports_from_estimated_sensitivities() -> None:
    model = TabularNetwork.random(nx.path_graph(3), 3, gamma=0.7)
    env = TabularEnv(model, n_envs=50, horizon=40, seed=0)
    s, _ = env.reset(seed=0)
    rng, rows = np.random.default_rng(0), []
    for _ in range(40):
        a = rng.integers(0, 2, s.shape)
        after, r, *_ = env.step(a)
        rows.append((s, a, r, after))
        s = after
    s, a, r, after = (np.concatenate(x) for x in zip(*rows, strict=True))
    found = estimate_sensitivities(s, a, after, model.state_parents, model.action_parents)
    agent = LocalizedPolicyImprovement(env, Settings(gamma=0.7), model=found, report_every=5).learn(400)
    exactly = analyse(model, LocalPolicy([np.full((2, 2), 0.5)] * 3))
    assert agent.reports[0].rho[0] <= exactly.radius.high and agent.reports[0].rho[1] >= exactly.radius.low
    assert "rho(H)" in str(agent.certify())


def test_a_saved_agent_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    make = lambda: LocalizedPolicyImprovement(gsac_grid(3, n_envs=4), learners=2, seed=3, cooling=Cooling(0.2, 30))  # noqa: E731
    whole, half = make().learn(60), make().learn(30)
    rest = LocalizedPolicyImprovement.load(half.save(tmp_path / "a.npz"), gsac_grid(3, n_envs=4)).learn(30)
    assert (rest.theta == whole.theta).all() and rest.tau == whole.tau == 0 and half.tau > 0
    with pytest.raises(DataError, match="another network"):
        LocalizedPolicyImprovement.load(tmp_path / "a.npz", gsac_grid(4, n_envs=4))
    header, arrays = read(tmp_path / "a.npz")
    for odd in (3, {"begin": 1.0}):
        write(tmp_path / "b.npz", {**header, "cooling": odd}, arrays)
        with pytest.raises(DataError, match="its cooling is"):
            LocalizedPolicyImprovement.load(tmp_path / "b.npz", gsac_grid(3, n_envs=4))


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: LocalizedPolicyImprovement(lin_grid(), Settings.paper()), NotApplicable, "use 'own' or 'linear'"),
        (lambda: LocalizedPolicyImprovement(lin_grid(), Settings(temperature=0.5)), NotApplicable, "must be 1"),
        (lambda: LocalizedPolicyImprovement(lin_grid()).certify(), NotApplicable, "needs a model"),
        (
            lambda: LocalizedPolicyImprovement(lin_grid(), model=TabularNetwork.random(nx.path_graph(3), 0)),
            DataError,
            "another network",
        ),
        (lambda: LocalizedPolicyImprovement(lin_grid(), report_every=0), DataError, "report_every is 0"),
        (lambda: LocalizedPolicyImprovement(Line(5), model=TabularNetwork.random(nx.cycle_graph(5), 0)), DataError, "joins agents 0 and 4"),
        (lambda: LocalizedPolicyImprovement(Line(5), model=TabularNetwork.random(nx.empty_graph(5), 0)), DataError, "joins 0 pairs"),
        (lambda: LocalizedPolicyImprovement(Line(5), cooling=0.3), DataError, "must be Cooling"),  # type: ignore[arg-type]
        (lambda: LocalizedPolicyImprovement(Line(5), model=TabularNetwork.random(nx.path_graph(5), 0)).certify(3), DataError, "learner is 3"),
        (lambda: LocalizedPolicyImprovement(lin_grid(), {"gamma": 0.7}), DataError, r"must be ProximalSettings\("),  # type: ignore[arg-type]
        (lambda: LocalizedPolicyImprovement(lin_grid(), report_every=1.5), DataError, "report_every is 1.5"),  # type: ignore[arg-type]
        (lambda: LocalizedPolicyImprovement(lin_grid(), model=3), DataError, "model is 3"),  # type: ignore[arg-type]
        (lambda: Cooling(-1.0), DataError, "start of a cooling is -1.0"),
        (lambda: Cooling("x"), DataError, "start of a cooling is 'x'"),  # type: ignore[arg-type]
        (lambda: Cooling(0.1, 0), DataError, "updates of a cooling is 0"),
        (lambda: Cooling(0.1, 10, 0.0), DataError, "power of a cooling is 0"),
        (lambda: colour_agents(lin_grid().adjacency, -1), DataError, "kappa"),
        (lambda: exact_improvement(TabularNetwork.random(nx.path_graph(2), 0), [np.full((2, 2), 0.7)] * 2), DataError, r"policy\[0\]\[0\] sums to 1.4"),
        (lambda: exact_improvement(TabularNetwork.random(nx.path_graph(2), 0), kappa=-1), DataError, "kappa is -1"),
        (lambda: exact_improvement(TabularNetwork.random(nx.path_graph(2), 0), kappa=0.5), DataError, r"kappa is 0\.5"),  # type: ignore[arg-type]
        (lambda: exact_improvement(TabularNetwork.random(nx.path_graph(2), 0), [np.full((2, 2), 0.5)]), DataError, "1 tables"),
        (lambda: exact_improvement(TabularNetwork.random(nx.path_graph(2), 0), steps=()), DataError, r"steps is \(\)"),
        (lambda: exact_improvement(TabularNetwork.random(nx.path_graph(2), 0), steps=[np.nan]), DataError, "steps is nan"),
        (lambda: exact_improvement(TabularNetwork.random(nx.path_graph(2), 0), tau=0.1), DataError, "tau is 0.1"),  # type: ignore[arg-type]
        (lambda: exact_improvement(TabularNetwork.random(nx.path_graph(2), 0), rounds=1.5), DataError, "rounds is 1.5"),  # type: ignore[arg-type]
        (lambda: exact_improvement(TabularNetwork.random(nx.path_graph(20), 0)), CausalnetError, "too many to enumerate"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_a_sentence(make: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        make()
