"""General utilities: shadow rewards against finite differences, bounds of every utility, constraints, and plain failures."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from causalnet import agents as gu
from causalnet.agents import Constraint, GeneralUtility, Rate, ScalableActorCritic, Settings, TableFull
from causalnet.agents.networked.occupancy import exact_occupancies, occupancies
from causalnet.agents.networked.utilities.forms import as_utility
from causalnet.envs.networked import Line, TabularEnv, TabularNetwork, exact
from causalnet.envs.networked.wireless import gsac_grid, utility_grid
from causalnet.errors import DataError
from causalnet.storage.checkpoint import read, write

N, S, A = 3, 3, 2
UNIFORM = np.full((1, 25, 4, 5), 0.2)


def table(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).random(shape)


UTILITIES: dict[str, Any] = {
    "linear": gu.Linear(table(0, N, S, A)),
    "entropy of states": gu.Entropy("state"),
    "entropy of actions": gu.Entropy("action"),
    "entropy of pairs": gu.Entropy("pair"),
    "determinism": gu.Determinism(),
    "determinism of states": gu.Determinism("state", idle=(1,)),
    "imitation": gu.Imitation(table(1, S, A) / 6),
    "risk-averse": gu.RiskAverse(table(2, S, A), 3.0),
    "penalty": gu.Penalty(gu.Entropy("state"), 1.2, 5.0),
    "total": gu.Total([gu.Entropy("state"), gu.Linear(table(3, S, A))], [0.3, 2.0]),
    "one an agent": [gu.Entropy("pair"), gu.Linear(table(4, S, A)), lambda d: -torch.exp(-3 * d[0, 1])],
    "by torch": lambda d: torch.sin(4 * d).sum() * d.sum(0).max(),
}


@pytest.mark.parametrize("name", UTILITIES)
def test_gradients_are_those_of_the_values(name: str) -> None:
    f = as_utility(UTILITIES[name])
    d = table(5, 2, N, S, A) / (S * A) + 0.02
    slope = f.gradient(d)
    assert slope.shape == d.shape and f.value(d).shape == (2, N)
    for at in np.ndindex(*d.shape):
        up, down = d.copy(), d.copy()
        up[at] += 1e-6
        down[at] -= 1e-6
        change = (f.value(up) - f.value(down)) / 2e-6
        assert change[at[:2]] == pytest.approx(slope[at], rel=1e-3, abs=2e-4)
        change[at[:2]] = 0
        assert not change.any()  # of no other agent


@pytest.mark.parametrize("kappa", [None, 0, 1, 4])
@pytest.mark.parametrize("name", UTILITIES)
def test_the_shadow_gradient_is_that_of_the_true_utility(name: str, kappa: int | None) -> None:
    model = TabularNetwork.random(nx.path_graph(N), 3, n_states=S, n_actions=A, gamma=0.8)
    rng = np.random.default_rng(1)
    theta = [rng.normal(size=(S, A)) for _ in range(N)]
    balls = None if kappa is None else [[j for j in range(N) if abs(j - i) <= kappa] for i in range(N)]
    slope = gu.exact_utility_gradient(model, [exact.softmax(x) for x in theta], UTILITIES[name], balls=balls)
    found = []
    for i in range(N):
        for at in np.ndindex(S, A):
            ends = []
            for sign in (1, -1):
                moved = [x.copy() for x in theta]
                moved[i][at] += sign * 1e-5
                ends.append(gu.exact_utility(model, [exact.softmax(x) for x in moved], UTILITIES[name]))
            found.append((ends[0] - ends[1]) / 2e-5)
    error = np.linalg.norm(np.array(found) - np.array(slope).ravel()) / np.linalg.norm(found)
    assert error < (0.01 if kappa in {None, 4} else 0.7)
    assert kappa in {None, 4} or name == "linear" or error > 1e-6  # truncation is not free


def test_a_linear_utility_is_the_discounted_return() -> None:
    model = TabularNetwork.random(nx.cycle_graph(4), 0, gamma=0.7)
    policy = [np.full((2, 2), 0.5)] * 4
    linear = gu.Linear(np.array(model.rewards))
    value = exact.objective(exact.joint(model, policy))
    assert gu.exact_utility(model, policy, linear) == pytest.approx(value)
    for ours, theirs in zip(
        gu.exact_utility_gradient(model, policy, linear), exact.policy_gradient(model, policy), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("o", [
    Settings(gamma=0.7), Settings.paper(gamma=0.7, eta=3.0), Settings(gamma=0.7, critic="linear", gradient="expected"),
    Settings(gamma=0.7, objective="average", kappa=2), Settings.restarting(gamma=0.7, capacity=1024),
])  # fmt: skip
@pytest.mark.parametrize("given_as", ["linear", "one an agent", "environment", "torch"])
def test_a_linear_utility_is_scalable_actor_critic_to_the_bit(o: Settings, given_as: str) -> None:
    model = TabularNetwork.random(nx.path_graph(5), 2, gamma=0.7)
    rewards = [torch.tensor(np.array(r)) for r in model.rewards]
    utility: Any = {
        "linear": gu.Linear(np.array(model.rewards)),
        "one an agent": [gu.Linear(r) for r in model.rewards],
        "environment": None,
        "torch": [lambda d, r=r: (r * d).sum() for r in rewards],
    }[given_as]
    plain = ScalableActorCritic(TabularEnv(model, n_envs=4), o, learners=2, seed=7).learn(20)
    ours = GeneralUtility(TabularEnv(model, n_envs=4), o, utility=utility, learners=2, seed=7).learn(20)
    assert (ours.theta == plain.theta).all() and (ours.critic.weights == plain.critic.weights).all()
    assert np.abs(plain.theta).max() > 0


def test_the_sampled_gradient_is_the_exact_truncated_one() -> None:
    model = TabularNetwork.random(nx.path_graph(4), 0, gamma=0.6)
    policy, utility = (
        [np.full((2, 2), 0.5)] * 4,
        gu.Total([gu.Entropy("pair"), gu.Determinism("state", ())], [1.0, 3.0]),
    )
    balls = [[j for j in range(4) if abs(j - i) <= 1] for i in range(4)]
    want = np.array(gu.exact_utility_gradient(model, policy, utility, balls=balls))
    o = Settings(gamma=0.6, gradient="expected", trace=1.0, steps=20, actor_rate=Rate(0.0), by_visits=True,
                 critic_rate=Rate(1.0, 1.0))  # fmt: skip
    agent = GeneralUtility(TabularEnv(model, n_envs=2000, horizon=20), o, utility=utility, seed=1, occupancy_rate=0.01)
    for _ in range(5):
        agent.update()
    agent.settings = dataclasses.replace(o, actor_rate=Rate(1.0))
    agent.improve(agent._path, agent.critic._q)
    np.testing.assert_allclose(agent.theta[0] / 4, want, atol=0.03 * np.abs(want).max() + 0.004)
    np.testing.assert_allclose(agent.d[0], exact_occupancies(model, policy), atol=0.01)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1.0))
@settings(max_examples=40)
def test_no_measure_passes_the_most(seed: int, mass: float) -> None:
    rng = np.random.default_rng(seed)
    sizes = (np.array([3, 2, 3]), np.array([2, 2, 1]))
    real = (np.arange(S)[:, None] < sizes[0][:, None, None]) & (np.arange(A) < sizes[1][:, None, None])
    d = rng.dirichlet(np.full(S * A, rng.choice([0.05, 1.0])), size=(50, N)).reshape(50, N, S, A) * real
    d *= mass / np.maximum(d.sum((-2, -1), keepdims=True), 1e-300)
    d = d[d.sum((1, 2, 3)) > 0.99 * mass * N]
    for name, given_as in UTILITIES.items():
        f = as_utility(given_as)
        top = f.most(mass, sizes)
        assert top is None or (f.value(d) <= top + 1e-9).all(), name
    even = real * mass / real.sum((1, 2), keepdims=True)
    f = gu.Entropy("pair")
    np.testing.assert_allclose(f.value(even), f.most(mass, sizes))
    assert gu.Imitation(even[0]).most(mass, sizes)[0] == pytest.approx(0, abs=1e-12)
    corner = np.zeros((N, S, A))
    corner[:, 0, 0] = mass
    np.testing.assert_allclose(gu.Determinism(idle=()).value(corner), gu.Determinism().most(mass, sizes))


def test_multipliers_follow_the_violation() -> None:
    for incremental in (False, True):
        constraint = Constraint(gu.Determinism(), 0.3, rate=7.0, incremental=incremental)
        agent = GeneralUtility(
            utility_grid(n_envs=6),
            Settings(gamma=0.7, steps=12),
            constraints=constraint,
            learners=2,
            occupancy_rate=1.0,
        )
        mu = np.zeros((1, 2, 25))
        for _ in range(5):
            agent.update()
            step = 7.0 * (0.3 - gu.Determinism().value(agent.d))
            mu = np.maximum(0, mu * incremental + step)
            np.testing.assert_allclose(agent.multipliers, mu)
        m = agent.d.sum(2)  # (L, n, A)
        np.testing.assert_allclose(agent.shadow[..., 2, 3], agent.multipliers[0] * m[..., 3])
        assert not agent.shadow[..., 0].any()  # idle pays nothing
        assert agent.d.sum((2, 3)) == pytest.approx(1 - 0.7**12)


def test_the_wireless_grid_passes_the_published_return_and_violation() -> None:
    o = Settings(gamma=0.7, steps=12)
    test, before = (
        utility_grid(n_envs=200),
        GeneralUtility(utility_grid(n_envs=2), o).score(utility_grid(n_envs=50), 2000),
    )
    assert before.return_[0] == pytest.approx(1.80, abs=0.02)
    constraint = Constraint(gu.Determinism(), 0.2, rate=100.0, incremental=False)
    agent = GeneralUtility(utility_grid(n_envs=20), o, constraints=constraint, learners=2, seed=3).learn(12_000)
    score = agent.score(test, 2000)
    assert score.return_.min() > 3.37 and score.violation.max() < 0.1926
    assert np.maximum(0, 0.2 - gu.Determinism().value(before.d)).sum() > 2.9


def test_the_line_keeps_its_entropy() -> None:
    o = Settings(kappa=2, gamma=0.99, steps=125, actor_rate=Rate(0.01, 0.5))
    bound = Constraint(gu.Entropy(), 0.31, rate=300.0, incremental=False)
    agent = GeneralUtility(Line(n_envs=10), o, constraints=bound, learners=2, occupancy_rate=0.05)
    before = agent.score(Line(n_envs=50), 200)
    after = agent.learn(1500).score(Line(n_envs=50), 400)
    assert before.return_ == pytest.approx(10.6, abs=0.15) and after.return_.min() > 20
    assert np.maximum(0, 0.3 - after.constrained).sum() < 0.02


def test_an_infeasible_constraint_says_what_can_be_had() -> None:
    o = Settings(kappa=2, gamma=0.99, steps=125)
    with pytest.raises(DataError, match=r"asks agent 0 for 0\.8, and no policy attains more than 0\.7355: 125 steps"):
        GeneralUtility(Line(), o, constraints=Constraint(gu.Entropy("state"), 0.8))
    agent = GeneralUtility(Line(), o, constraints=Constraint(gu.Entropy("state"), 0.8, best_effort=True))
    assert agent.attainable()[0, 3] == pytest.approx(0.7355, abs=1e-4)
    agent.learn(3)
    assert (agent.multipliers > 0).all()


def test_a_saved_agent_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    bound, o = Constraint(gu.Determinism(), 0.2), Settings(gamma=0.7, steps=12)
    kw: dict[str, Any] = {"utility": gu.Entropy("action"), "constraints": bound}
    make = lambda: GeneralUtility(utility_grid(n_envs=4), o, reward=True, learners=2, seed=5, **kw)  # noqa: E731
    whole, half = make().learn(20), make().learn(10)
    path = half.save(tmp_path / "agent.npz")
    rest = GeneralUtility.load(path, utility_grid(n_envs=4), **kw).learn(10)
    assert (
        (rest.theta == whole.theta).all()
        and (rest.multipliers == whole.multipliers).all()
        and (rest.d == whole.d).all()
    )
    for env, given_now, words in (
        (utility_grid(4, n_envs=4), kw, "another network"), (utility_grid(n_envs=4), {}, r"a utility \(Entropy\), and load was given the environment's reward alone"),
        (utility_grid(n_envs=4), {"utility": kw["utility"]}, r"constraints \['Determinism'\], and load was given \[\]"),
        (utility_grid(n_envs=4), {"constraints": bound}, "give the same one"),
        (utility_grid(n_envs=4), {**kw, "utility": gu.Entropy("pair")}, "'of': 'action'.* load was given .*'of': 'pair'.* other numbers"),
        (utility_grid(n_envs=4), {**kw, "constraints": Constraint(gu.Determinism(), 0.1)}, "0.2.* load was given .*0.1.* other numbers"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=words):
            GeneralUtility.load(path, env, **given_now)
    plain = ScalableActorCritic(utility_grid(n_envs=4), o).save(tmp_path / "plain.npz")
    with pytest.raises(DataError, match="holds a ScalableActorCritic"):
        GeneralUtility.load(plain, utility_grid(n_envs=4))


def test_functions_of_d_may_be_parts_of_others() -> None:
    square = lambda d: -(d**2).sum()  # noqa: E731
    d = table(7, N, S, A)
    np.testing.assert_allclose(gu.Total([square, gu.Entropy()]).gradient(d), -2 * d + gu.Entropy().gradient(d))  # type: ignore[list-item]
    assert (gu.Penalty(square, 100.0).value(d) < 0).all()  # type: ignore[arg-type]


def test_a_constant_utility_is_told() -> None:
    with pytest.warns(UserWarning, match="the utility is 0 at each of 21 .* nothing to learn"):
        made(lambda d: 0 * d.sum())()


@pytest.mark.parametrize("f", [
    lambda d: d.sum(0).max(), lambda d: (d[0, 0] - d[1, 1]).abs(), lambda d: -torch.relu(d.sum(1) - 0.2).sum(),
    lambda d: torch.sigmoid(3000 * (d.sum(0)[1] - 0.3)), lambda d: torch.log(d + 1e-6).sum(), lambda d: 1e6 * d[0, 1],
    lambda d: 100 + (d.float() ** 2).sum(), lambda d: torch.clamp(d[0], 0.1, 0.5).sum(), lambda d: torch.sqrt(d + 1e-9).sum(),
    lambda d: torch.sin(200 * d).sum(), lambda d: -d[0, 1:].sum() * 1e-3,
])  # fmt: skip
def test_kinks_and_steep_slopes_are_no_jumps(f: Any) -> None:
    assert isinstance(made(f)(), GeneralUtility)


def test_constraints_that_come_no_closer_are_told() -> None:
    pair = np.zeros((2, 4, 5))
    pair[0, :, 1], pair[1, :, 2] = 1.0, 1.0
    each = [Constraint(gu.Linear(r), 0.6) for r in pair]  # each alone can be had, and not both at once
    agent = made(constraints=each)()
    with pytest.warns(
        UserWarning, match=r"constraint [01] \(Linear\) has come no closer in 600 .* asked for 0\.6, lacks 0\.\d+ "
    ) as told:
        agent.learn(2 * 650)
    assert {str(w.message)[:12] for w in told} == {"constraint 0", "constraint 1"}
    assert {w.filename for w in told} == {__file__}  # the line that called learn
    waste = np.zeros((4, 5))
    waste[0, 1:] = -1.0
    made(constraints=Constraint(gu.Linear(waste), -0.05))().learn(2 * 650)  # warnings are errors here
    made(constraints=Constraint(gu.Linear(pair[0]), 0.6, best_effort=True))().learn(2 * 650)
    agent = made(constraints=Constraint(lambda d: d[0].sum(), 0.97))()  # an empty buffer nearly all of the time
    with pytest.warns(UserWarning, match="a function of d"):
        agent.learn(2 * 650)


def test_a_full_table_loses_and_repeats_nothing() -> None:
    ends = []
    for capacity in (64, 4096):
        o = Settings(gamma=0.7, steps=12, critic="table", gradient="score", capacity=capacity)
        agent = made(gu.Entropy("action"), constraints=Constraint(gu.Determinism(), 0.2, 3.0), settings=o)()
        while agent.updates < 20:
            try:
                agent.update()
            except TableFull:
                agent.grow(2 * agent.settings.capacity)
        ends.append(agent)
    assert ends[0].settings.capacity > 64 and (ends[0].multipliers > 0).any()
    for name in ("theta", "d", "multipliers"):
        np.testing.assert_array_equal(getattr(ends[0], name), getattr(ends[1], name))


def test_a_view_may_skip_codes() -> None:
    worth = np.repeat(np.arange(6.0)[:, None], 5, axis=1)
    agent = made(gu.Linear(worth), constraints=Constraint(gu.Linear(worth), 0.5), view=[0, 5, 5, 0])()
    assert agent.attainable() == pytest.approx(5 * (1 - 0.7**12)) and agent.learn(4).d.shape == (1, 25, 6, 5)


def test_values_are_what_they_are_called() -> None:
    d, r = table(8, 1, 1, S, A) / 8, table(9, S, A)
    d[0, 0, 1] = 0.0  # a state that is never visited
    p, rest = d.ravel(), 1 - d.sum()
    mean = p @ r.ravel()
    var = p @ (r.ravel() - mean) ** 2 + rest * mean**2  # reward 0 in the time that d lacks
    states, actions = d.sum(3).ravel(), d.sum(2).ravel()
    for f, want in (
        (gu.Linear(r), mean),
        (gu.RiskAverse(r, 3.0), mean - 1.5 * var),
        (gu.Imitation(r / r.sum()), -((d - r / r.sum()) ** 2).sum()),
        (gu.Entropy(), -sum(m * np.log(m) for m in states if m)),
        (gu.Entropy("pair"), -sum(m * np.log(m) for m in p if m)),
        (gu.Determinism(), 0.5 * actions[1] ** 2),
        (gu.Penalty(gu.Linear(r), mean + 2.0, 3.0), -6.0),
        (gu.Penalty(gu.Linear(r), mean - 2.0, 3.0), 0.0),
        (gu.Total([gu.Linear(r), gu.Imitation(d[0, 0])], [2.0, -1.0]), 2 * mean),
    ):
        assert f.value(d).item() == pytest.approx(want), f
    slope = gu.Entropy().gradient(d)[0, 0]
    assert slope[1] == pytest.approx(-(np.log(1e-6) + 1)) and slope[0] == pytest.approx(
        -(np.log(states[0]) + 1), abs=1e-4
    )


def test_load_refuses_to_forget_a_utility(tmp_path: Path) -> None:
    def mine(d: Any) -> Any:
        return -(d[0, 1] ** 2)

    path = made(mine)().save(tmp_path / "a.npz")
    with pytest.raises(DataError, match="a function of d"):
        GeneralUtility.load(path, utility_grid(n_envs=2))
    assert GeneralUtility.load(path, utility_grid(n_envs=2), utility=mine).reward is False
    other = made(gu.Penalty(gu.Entropy(), 0.5))().save(tmp_path / "c.npz")
    with pytest.raises(
        DataError, match=r"Penalty\(Entropy\)\), and load was given a utility \(Penalty\(Determinism\)\)"
    ):
        GeneralUtility.load(other, utility_grid(n_envs=2), utility=gu.Penalty(gu.Determinism(), 0.5))
    header, arrays = read(path)
    for key in ("network", "settings", "utility"):
        cut = write(tmp_path / "b.npz", {k: v for k, v in header.items() if k != key}, arrays)
        with pytest.raises(DataError, match=f"its header lacks '{key}'"):
            GeneralUtility.load(cut, utility_grid(n_envs=2), utility=mine)
    cut = write(tmp_path / "b.npz", {**header, "settings": {"kapa": 1}}, arrays)
    with pytest.raises(DataError, match="a setting 'kapa'"):
        GeneralUtility.load(cut, utility_grid(n_envs=2), utility=mine)


def test_the_pipeline_leaves_its_figures_and_repeats_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.general_utility import experiment as pipeline

    monkeypatch.setattr(pipeline, "LINES", pipeline.LINES[1:2])
    monkeypatch.setattr(pipeline, "GRIDS", pipeline.GRIDS[2:3])
    monkeypatch.setattr(pipeline, "RACES", pipeline.RACES[:3:2])
    figures = pipeline.main(["--quick", "--seeds", "2", "--out", str(tmp_path)])
    assert figures["shadow gradient: worst relative error on small networks"]["mean"] < 0.01
    assert figures["grid: uniform policy"]["mean"] == pytest.approx(1.8, abs=0.05)
    assert figures["LPI: least change of J plus truncation bias, random networks"]["mean"] > -1e-9
    before = (tmp_path / "results.csv").read_bytes()
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 6 and "nan" not in page.lower()
    monkeypatch.setattr(
        pipeline.runs, "learn", lambda *_: pytest.fail("done again")
    )  # whatever is done is not done again
    assert pipeline.main(["--quick", "--seeds", "2", "--out", str(tmp_path)]) == figures
    assert (tmp_path / "results.csv").read_bytes() == before
    assert "quick run" in page and "NOT reached" not in page and "not reached" not in page
    assert all(row["low"] >= 0 for name, row in figures.items() if "violation" in name)
    assert all(row["goal"] == "" for row in json.loads((tmp_path / "summary.json").read_text()).values())
    with pytest.raises(SystemExit, match="holds a quick run"):
        pipeline.main(["--seeds", "2", "--out", str(tmp_path)])
    text = before.decode().replace("line, entropy >= 0.3 0 400 500", "line, entropy >= 0.3 0 300 500")
    (tmp_path / "results.csv").write_text(text)  # a run of another length: kept, and not in the report
    monkeypatch.setattr(pipeline.runs, "learn", lambda *_: [])
    fewer = pipeline.main(["--quick", "--seeds", "2", "--out", str(tmp_path)])
    assert text != before.decode() and fewer["line, entropy >= 0.3: return"]["n"] == 1


def made(utility: Any = None, **options: Any) -> Any:
    o = options.pop("settings", Settings(gamma=0.7, steps=12))
    return lambda: GeneralUtility(utility_grid(n_envs=2), o, utility=utility, **options)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (made(lambda d: torch.log(d).sum()), r"the utility is -inf .* log\(d \+ 1e-6\)"),
        (made(lambda d: (1 / d).sum()), "the utility is inf"),
        (made(lambda d: torch.sqrt(d).sum()), "the gradient of the utility is inf"),
        (made(lambda d: torch.tensor(1.0)), "does not depend on d"),
        (made(lambda d: d.detach().sum()), "does not depend on d"),
        (made(lambda d: d.sum(0)), "one number for each d"),
        (made(lambda d: 3.0), "torch number"),
        (made(gu.Differentiated(lambda d: d.sum(), vectorised=True)), "one number for each d"),
        (made(lambda d: torch.round(10 * d).sum()), "moves in jumps"),
        (made(lambda d: torch.round(4 * d).sum()), "moves in jumps"),
        (made(lambda d: torch.sign(d[1, 1] - 0.5)), "moves in jumps"),
        (made(lambda d: (d**2).sum() + 0.5 * (d[0, 0] > 0.3)), "changes by 0.5 .* moves in jumps"),
        (made(lambda d: -d[0, 1:].sum() + 0.01 * (d.sum(0)[2] < 0.7)), "moves in jumps"),
        (made([gu.Entropy()] * 24 + [lambda d: d[1].sum() - (d[1, 1] > 0.4).double()]), "changes by -1 .* moves in jumps"),
        (made(lambda d: d.detach()[0, 0] * d[1, 1]), "is not its slope"),
        (made(lambda d: (2 * d - d.detach()).sum(0)[1]), "is not its slope"),
        (made(lambda d: np.log(d).sum()), "torch.log, not np.log"),
        (made(lambda d: d[9, 9]), "IndexError: index 9"),
        (made(constraints=0.5), "constraints is 0.5; write Constraint"),
        (made(constraints=[gu.Entropy()]), "write Constraint"),
        (made(gu.Determinism(idle=(7,))), "idle names action 7, and this network has 5"),
        (lambda: gu.Determinism(idle=(-1,)), "one of the idle actions is -1"),
        (lambda: gu.Total([0.5]), "a utility is Linear"),  # type: ignore[list-item]
        (lambda: gu.Total(gu.Entropy()), "terms of a total is a list of utilities"),  # type: ignore[arg-type]
        (lambda: gu.PerAgent([gu.Entropy(), 0.5]), "a utility is Linear"),  # type: ignore[list-item]
        (lambda: gu.Penalty([gu.Entropy()], 0.1), "single utilities"),  # type: ignore[arg-type]
        (lambda: made()().score(utility_grid(n_envs=2), 0), "episodes is 0"),
        (made(lambda d: torch.ones(1, requires_grad=True).sum()), "made from something else"),
        (lambda: gu.Penalty(gu.Entropy(), np.nan), "at_least of a penalty holds a number that is nan"),
        (lambda: gu.Penalty(gu.Entropy(), "x"), "at_least of a penalty is 'x'"),
        (lambda: gu.Penalty(gu.Entropy(), 0.1, -1.0), "weight of a penalty is -1"),
        (made(gu.Penalty(gu.Entropy(), np.ones(3))), r"at_least of a penalty .* shape \(25,\)"),
        (lambda: gu.Total([gu.Entropy()], 0.5), "1 terms need as many weights"),  # type: ignore[arg-type]
        (lambda: gu.Total([gu.Entropy()], [np.nan]), "weight of a total is nan"),
        (lambda: gu.PerAgent(3), "utilities is a list of utilities, one an agent, not 3"),  # type: ignore[arg-type]
        (lambda: gu.Linear([[1.0], [1.0, 2.0]]), "must be numbers"),
        (made(reward=False), "nothing to learn from"),
        (made(reward="no"), "reward is 'no'; write True or False"),
        (lambda: Constraint(gu.Entropy(), 0.1, best_effort="no"), "best_effort is 'no'"),  # type: ignore[arg-type]
        (lambda: Constraint(gu.Entropy(), 0.1, rate="fast"), "rate of a constraint is 'fast'"),  # type: ignore[arg-type]
        (lambda: made()().score(gsac_grid(5, n_envs=2)), "another network"),
        (lambda: occupancies(utility_grid(), UNIFORM, gamma=1.0), "gamma is 1"),
        (lambda: occupancies(utility_grid(), UNIFORM, gamma=0.7, objective="mean"), "objective is 'mean'"),
        (lambda: occupancies(utility_grid(), UNIFORM, gamma=0.7, steps=0), "steps is 0"),
        (lambda: occupancies(utility_grid(), UNIFORM, gamma=0.7, seed=-1), "seed is -1"),
        (lambda: occupancies(utility_grid(), "best", gamma=0.7), "the policy is .best."),  # type: ignore[arg-type]
        (lambda: occupancies(utility_grid(), UNIFORM, gamma=0.7, view=[0, 1]), "view maps state codes"),
        (lambda: gu.Total([gu.Entropy()], [1.0, 2.0]), "1 terms need as many weights"),
        (made(gu.Linear(np.zeros((24, 4, 5)))), r"shape \(24, 4, 5\), and must have \(25, 4, 5\)"),
        (made(gu.Imitation(np.zeros((4, 4)))), "another network"),
        (made([gu.Entropy()] * 24), "24 utilities and 25 agents"),
        (made(3.0), "a utility is Linear"),
        (made(gu.Entropy, reward=True), "a utility is Linear"),
        (lambda: gu.Imitation(np.full((2, 2), 9.0)), "target must be shares of discounted time"),
        (lambda: gu.Entropy("states"), "of is 'states'"),  # type: ignore[arg-type]
        (lambda: gu.Entropy(floor=0.0), "floor is 0.0"),
        (lambda: gu.Determinism("pair"), "idle"),
        (lambda: gu.Linear([[1.0, np.nan]]), "reward holds a number that is nan"),
        (lambda: gu.RiskAverse(np.zeros((2, 2)), -1.0), "aversion is -1"),
        (lambda: Constraint(gu.Entropy(), 0.1, rate=np.inf), "rate of a constraint is inf"),
        (made(constraints=Constraint(gu.Entropy(), np.zeros(7))), r"at_least of constraint 0 .* shape \(25,\)"),
        (made(constraints=Constraint(gu.Entropy(), np.nan)), "at_least of constraint 0 holds a number that is nan"),
        (made(constraints=Constraint(gu.Determinism(), 0.6)), "no policy attains more than 0.4863"),
        (made(occupancy_rate=0.0), "occupancy_rate is 0.0"),
        (lambda: occupancies(utility_grid(), np.ones((1, 9, 4, 5)) / 5, gamma=0.7), "belong to another network"),
        (lambda: occupancies(utility_grid(), np.ones((25, 4, 5)) / 5, gamma=0.7), "axes"),
        (lambda: gu.exact_utility(TabularNetwork.random(nx.path_graph(2), 0), [np.full((2, 2), 0.5)], gu.Entropy()), "1 tables"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_a_sentence(make: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        make()
