"""GSAC: conditioning, gradients, training across domains, deployment, checkpoints and what it refuses."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalnet.agents import Rate, ScalableActorCritic, Settings
from causalnet.agents.networked.actor import NeighbourStates, OwnState, softmax
from causalnet.agents.networked.adaptation import adapt, compact_view, full_masks, random_masks
from causalnet.agents.networked.conditioning import KINDS, Conditioning
from causalnet.agents.networked.gsac import DEFAULTS, GSAC
from causalnet.data.transitions import Transitions
from causalnet.envs.networked import Epidemic, Line, traffic_grid
from causalnet.envs.networked.neighbourhoods import surround
from causalnet.envs.networked.wireless import collision_free_ceiling, gsac_grid, lin_grid, true_masks
from causalnet.errors import DataError, NotApplicable, UnknownNameError
from causalnet.report.networks import draw_masks, draw_network
from causalnet.representation.acr import policy_acr
from causalnet.representation.domain import DomainFactor, bernoulli_factor
from causalnet.storage.checkpoint import read, write

SOURCES = (0.2, 0.5, 0.8)
CEILING = collision_free_ceiling(0.65, 0.5, 10)


def grids(copies: int = 1, size: int = 2, **more: object) -> list:
    return [gsac_grid(size, arrival=p, n_envs=copies, **more) for p in SOURCES]


def arrivals(data: Transitions) -> DomainFactor:
    return bernoulli_factor(data, "b_2")


# ---- conditioning ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_conditioning_at_the_sources_and_between(kind: str) -> None:
    told = Conditioning.of(kind, SOURCES, 3, 4)
    at = told.sources()
    assert at.shape == (3, 1, told.width)
    between = told.target(0.65)
    if kind == "polynomial":
        assert np.allclose(at[:, 0], [[1, -0.5, 0.25], [1, 0, 0], [1, 0.5, 0.25]]) and np.allclose(
            between, [[1, 0.25, 0.0625]]
        )
    elif kind == "interpolation":
        assert np.allclose(at[:, 0], np.eye(3)) and np.allclose(between, [[0, 0.5, 0.5]])
    elif kind == "one-hot":
        assert np.allclose(at[:, 0], np.eye(4)[:3]) and np.allclose(between, [[0, 0, 0, 1]])
        assert np.allclose(told.target(0.65, "mixture"), [[1 / 3, 1 / 3, 1 / 3, 0]])
    else:
        assert (at == 1).all() and (between == 1).all()


@settings(max_examples=30)
@given(st.lists(st.floats(-5, 5), min_size=3, max_size=6, unique=True), st.integers(0, 10**6))
def test_polynomials_pass_through_any_quadratic(spots: list[float], seed: int) -> None:
    factors = np.array(spots)
    if np.diff(np.sort(factors)).min() < 0.05:
        return
    told = Conditioning.of("polynomial", factors, len(factors), 1)
    a, b, c = np.random.default_rng(seed).normal(size=3)
    theta, *_ = np.linalg.lstsq(told.sources()[:, 0], a + b * factors + c * factors**2, rcond=None)
    x = float(factors.mean())
    assert told.target(x)[0] @ theta == pytest.approx(a + b * x + c * x * x, abs=1e-6)


def test_factors_with_many_numbers_and_for_every_agent() -> None:
    two = Conditioning.of("polynomial", [[0, 1], [1, 3], [2, 5]], 3, 4)
    assert two.width == 5 and two.target([1.0, 3.0]).tolist() == [[1, 0, 0, 0, 0]]
    each = Conditioning.of("polynomial", np.arange(12.0).reshape(3, 4, 1), 3, 4)
    assert each.sources().shape == (3, 4, 3) and each.target(np.arange(4.0)).shape == (4, 3)
    assert Conditioning.of("polynomial", [0.5], 1, 4).width == 1  # one source determines nothing but a constant
    assert Conditioning.of("polynomial", [0.2, 0.5], 2, 4).width == 2


@pytest.mark.parametrize(
    ("factor", "words"),
    [([0.1, 0.2], "shape"), (np.zeros((4, 1)), "shape"), (np.nan, "finite"), ("p", "numbers"), ([[0.1, 0.2]], "shape")],
)
def test_a_factor_of_a_wrong_shape_is_refused(factor: object, words: str) -> None:
    agent = GSAC(grids(), SOURCES)
    with pytest.raises(DataError, match=words):
        agent.policy(factor)


def test_a_target_outside_the_hull_is_warned_of_with_the_distance() -> None:
    agent = GSAC(grids(), SOURCES)
    with pytest.warns(UserWarning, match=r"0\.1 outside the hull"):
        agent.policy(0.9)
    with pytest.warns(UserWarning, match=r"outside the hull"):
        adapt(agent, gsac_grid(2, arrival=0.99, n_envs=1), arrivals, 20)


# ---- gradients ------------------------------------------------------------------------------------------------


def _trajectory(agent: GSAC, seed: int = 0) -> None:
    agent.theta[:] = np.random.default_rng(seed).normal(size=agent.theta.shape)
    agent.actor.use(agent.table(agent.codes[1]))
    first, _ = agent.sources[1].reset(seed=seed)
    agent.actor.roll(agent.sources[1], seed, agent._path, first)


@pytest.mark.parametrize("inputs", ["own", "neighbours"])
def test_score_gradient_is_the_derivative_of_the_log_likelihood(inputs: str) -> None:
    agent = GSAC(grids(2), SOURCES, dataclasses.replace(DEFAULTS, baseline_rate=0.0), inputs=inputs)
    _trajectory(agent)
    path, o, rng = agent._path, agent.settings, np.random.default_rng(1)
    q = rng.normal(size=path.a.shape)
    alone = surround(np.zeros((4, 4)), 1)  # nobody's neighbour: the advantage is Q itself
    table = agent.table(agent.codes[1])
    agent.critics[1].around = alone
    got = agent.actor.gradient(o, path, q, agent.critics[1], agent.baselines[1]).copy()

    def weighted_log_likelihood(logits: np.ndarray) -> float:
        total = 0.0
        for t in range(o.steps + 1):
            for e in range(2):
                for i in range(4):
                    seen = agent.actor.seen[i] if isinstance(agent.actor, NeighbourStates) else np.array([i])
                    z = sum(logits[0, i, k, path.codes[t, e, j]] for k, j in enumerate(seen) if j < 4)
                    p = softmax(np.asarray(z), np.array(5), o.temperature)
                    total += o.gamma**t * q[t, e, i] * np.log(p[path.a[t, e, i]]) / 2
        return total

    for _ in range(12):
        where = tuple(int(rng.integers(k)) for k in table.shape)
        up, down = table.copy(), table.copy()
        up[where] += 1e-5
        down[where] -= 1e-5
        slope = (weighted_log_likelihood(up) - weighted_log_likelihood(down)) / 2e-5
        assert got[where] == pytest.approx(slope, abs=2e-5)


@pytest.mark.parametrize("gradient", ["expected", "natural", "score"])
def test_one_neighbour_who_is_oneself_is_the_own_state_policy(gradient: str) -> None:
    kind = Settings(
        gamma=0.9, steps=10, temperature=0.5, critic="own", trace=0.0, gradient=gradient,  # type: ignore[arg-type]
        baseline_rate=0.2 if gradient == "score" else 0.0,
    )  # fmt: skip
    agent = GSAC(grids(4), SOURCES, kind, learners=2)
    _trajectory(agent)
    own = agent.actor
    assert isinstance(own, OwnState)
    alone = NeighbourStates(
        (*agent.baselines.shape[1:], 5),
        agent.n_actions,
        agent.view,
        kind.temperature,
        np.arange(4)[:, None].astype(np.int32),
    )  # type: ignore[arg-type]
    table = agent.table(agent.codes[1])
    alone.use(table)
    shape = (2, 4, 4, 5)
    critics = [actor.critic(agent.settings, 4, agent.critics[0].around, None) for actor in (own, alone)]
    q = [critic.learn(agent._path, 0).copy() for critic in critics]
    assert np.allclose(q[0], q[1])
    grads = [
        a.gradient(kind, agent._path, q[0], c, np.zeros(shape[:3])).copy()
        for a, c in zip((own, alone), critics, strict=True)
    ]
    assert np.allclose(grads[0], grads[1], atol=1e-5)
    s = np.array([[0, 1, 2, 3], [3, 2, 1, 0]])
    assert np.array_equal(*(actor.sample(table, s, np.random.default_rng(4)) for actor in (own, alone)))


def test_with_one_source_it_is_scalable_actor_critic() -> None:
    kind = Settings.paper(gamma=0.95, temperature=0.5, critic_rate=Rate(0.4), actor_rate=Rate(0.3))
    env = [gsac_grid(2, arrival=0.5, n_envs=4) for _ in range(2)]
    mine = GSAC(env[:1], [0.5], kind, conditioning="none", learners=2, seed=3).learn(40)
    plain = ScalableActorCritic(env[1], kind, learners=2, seed=3).learn(40)
    assert mine.updates == plain.updates == 20
    assert np.allclose(mine.theta[:, :, 0, :, :, 0], plain.theta)


# ---- learning and deploying -----------------------------------------------------------------------------------


def test_deployed_without_training_it_reaches_the_ceiling() -> None:
    seeds = 5
    env = gsac_grid(3, distractors=True)
    view, conditioned = compact_view(env, true_masks(env))
    agent = GSAC(grids(seeds, 3, distractors=True), SOURCES, learners=seeds, view=view, conditioned=conditioned).learn(
        3000
    )
    found = adapt(agent, gsac_grid(3, arrival=0.65, n_envs=seeds, distractors=True), arrivals, 30, seed=1)
    assert found.returns.mean() > 0.95 * CEILING
    assert found.factor == pytest.approx(np.full(seeds, 0.65), abs=4 * (0.65 * 0.35 / 2700) ** 0.5)
    assert not found.distance.any()
    scratch = GSAC([gsac_grid(3, arrival=0.65, n_envs=seeds)], [0.65], conditioning="none", learners=seeds)
    start = scratch.evaluate(gsac_grid(3, arrival=0.65, n_envs=seeds * 20), episodes=200).mean()
    assert start == pytest.approx(2.44, abs=0.06) and found.returns.mean() > start + 1


def test_where_users_contend_conditioning_pays() -> None:
    def make(p: float, copies: int) -> object:
        return lin_grid(3, 3, 1, arrival=p, n_envs=copies, slots=False, ghost=False, place_success=1.0)

    got = {}
    for kind in ("polynomial", "none"):
        agent = GSAC([make(p, 4) for p in SOURCES], SOURCES, conditioning=kind, learners=4).learn(3000)
        got[kind] = agent.evaluate(make(0.35, 400), 0.35, 400).mean()
    assert got["polynomial"] > got["none"] + 0.15


def test_printed_step_sizes_do_not_learn() -> None:
    agent = GSAC(grids(4, 3), SOURCES, GSAC.paper(), learners=4, schedule="one").learn(300)
    assert agent.updates == 300
    test = gsac_grid(3, arrival=0.65, n_envs=400)
    assert agent.evaluate(test, 0.65).mean() < 2.55


def test_schedule_one_plays_one_domain_an_update() -> None:
    agent, seen = GSAC(grids(), SOURCES, schedule="one"), []
    agent.learn(60, on_update=lambda a: seen.append(np.flatnonzero(np.isfinite(a.returns[:, 0])).tolist()))
    assert {len(s) for s in seen} == {1} and {s[0] for s in seen} == {0, 1, 2}
    assert GSAC(grids(), SOURCES).learn(10).episodes == 12  # whole updates of three episodes


def test_same_seed_same_agent_and_learners_are_apart() -> None:
    first, second, other = (GSAC(grids(2), SOURCES, learners=2, seed=s).learn(30) for s in (1, 1, 2))
    assert np.array_equal(first.theta, second.theta) and not np.array_equal(first.theta, other.theta)
    assert not np.array_equal(first.theta[0], first.theta[1])


def test_baselines_share_the_code_path() -> None:
    target = gsac_grid(2, arrival=0.65, n_envs=2)
    multi = GSAC(grids(2), SOURCES, conditioning="one-hot", learners=2).learn(90)
    tuned = multi.fine_tune(target, 0.65)
    assert np.allclose(tuned.policy(0.65), 0.2) and len(multi.critics) == 3  # nobody's code: untrained
    assert not np.allclose(multi.fine_tune(target, 0.65, code="mixture").policy(0.65, code="mixture"), 0.2)
    before = multi.theta.copy()
    tuned.learn(20)
    assert np.array_equal(multi.theta, before)
    changed = tuned.theta != before
    assert changed[..., 3].any() and not changed[..., :3].any()
    plain = GSAC(grids(2), SOURCES, conditioning="none", learners=2).learn(90)
    again = plain.fine_tune(target)
    assert len(plain.critics) == 1 and np.array_equal(again.policy(), plain.policy())
    assert np.array_equal(again.baselines, plain.baselines)


def test_conditioned_says_whom_the_domain_concerns() -> None:
    agent = GSAC(grids(), SOURCES, conditioned=np.array([True, False, True, True])).learn(150)
    low, high = agent.policy(0.25), agent.policy(0.75)
    assert np.array_equal(low[0, 1], high[0, 1]) and not np.array_equal(low[0, 0], high[0, 0])


# ---- inputs ---------------------------------------------------------------------------------------------------


def test_the_view_keeps_the_packets_and_nothing_else() -> None:
    env = gsac_grid(3, distractors=True)
    view, conditioned = compact_view(env, true_masks(env))
    assert view.shape == (9, 36) and view.max() == 3 and conditioned.all()
    packets = env.components(np.minimum(np.arange(36)[:, None], env.n_states - 1))[..., :2]
    assert np.array_equal(view.T, packets[..., 0] + 2 * packets[..., 1])
    every, _ = compact_view(env, full_masks(env.adjacency, env.component_names))
    assert np.array_equal(every, np.tile(np.arange(36), (9, 1)))
    with pytest.raises(DataError, match="the masks are of 9 agents"):
        compact_view(gsac_grid(2, distractors=True), true_masks(env))


def test_random_masks_keep_the_density() -> None:
    masks = true_masks(gsac_grid(3, distractors=True))
    drawn = [random_masks(masks, k) for k in range(20)]
    for part in ("own", "other", "domain"):
        assert all(getattr(d, part).sum() == getattr(masks, part).sum() for d in drawn)
    assert len({d.own.tobytes() for d in drawn}) > 10 and all((d.own == d.own[:1]).all() for d in drawn)


def test_neighbours_states_are_read_by_any_environment() -> None:
    nets = [traffic_grid(2, capacity=c, room=2, n_envs=2, horizon=10) for c in (1.0, 3.0)]
    agent = GSAC(nets, [1.0, 3.0], inputs="neighbours", learners=2).learn(40)
    assert np.isfinite(agent.theta).all() and agent.theta.any()
    assert agent.evaluate(traffic_grid(2, capacity=2.0, room=2, n_envs=4, horizon=10), 2.0, 6).shape == (2, 6)
    a = agent.act(np.zeros((2, 4), int), 2.0, 0)
    assert a.shape == (2, 4) and (a < agent.n_actions).all()
    with pytest.raises(NotApplicable, match="neighbours"):
        agent.policy(2.0)


# ---- checkpoints ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, DEFAULTS),
        ({"conditioning": "one-hot", "schedule": "one"}, DEFAULTS),
        ({"conditioning": "none"}, Settings(critic="own", by_visits=True)),
        ({"inputs": "neighbours", "conditioning": "interpolation"}, Settings(critic="own")),
        ({}, dataclasses.replace(DEFAULTS, fresh=False, capacity=4096)),
    ],
)
def test_a_checkpoint_goes_on_as_if_nothing_had_stopped(tmp_path: Path, options: dict, kind: Settings) -> None:
    whole = GSAC(grids(2), SOURCES, kind, learners=2, **options).learn(60)
    part = GSAC(grids(2), SOURCES, kind, learners=2, **options).learn(30)
    again = GSAC.load(part.save(tmp_path / "agent.npz"), grids(2))
    assert again.episodes == 30
    again.learn(30)
    assert np.array_equal(again.theta, whole.theta) and np.array_equal(again.baselines, whole.baselines)


def test_a_fine_tuned_agent_is_kept_too(tmp_path: Path) -> None:
    target = gsac_grid(2, arrival=0.65, n_envs=2)
    tuned = GSAC(grids(2), SOURCES, learners=2).learn(30).fine_tune(target, 0.65).learn(4)
    again = GSAC.load(tuned.save(tmp_path / "tuned.npz"), [gsac_grid(2, arrival=0.65, n_envs=2)])
    assert np.array_equal(again.policy(0.65), tuned.policy(0.65))
    assert np.array_equal(again.learn(4).theta, tuned.learn(4).theta)


def test_a_foreign_or_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = GSAC(grids(), SOURCES).learn(3).save(tmp_path / "agent.npz")
    with pytest.raises(DataError, match="another network"):
        GSAC.load(path, grids(size=3))
    with pytest.raises(DataError, match="learnt in 3 domains"):
        GSAC.load(path, grids()[:2])
    with pytest.raises(DataError, match="copies"):
        GSAC.load(path, grids(2))
    other = ScalableActorCritic(gsac_grid(2)).learn(1).save(tmp_path / "other.npz")
    with pytest.raises(DataError, match="holds a ScalableActorCritic"):
        GSAC.load(other, grids())
    header, arrays = read(path)
    write(tmp_path / "odd.npz", {k: v for k, v in header.items() if k != "learners"}, arrays)
    with pytest.raises(DataError, match="damaged"):
        GSAC.load(tmp_path / "odd.npz", grids())
    for odd, changed, words in (
        (header, {"theta": arrays["theta"][:, :1]}, "its array 'theta' is"),
        (header, {"theta": arrays["theta"] * np.nan}, "holds nan in the array 'theta'"),
        ({**header, "updates": "x"}, {}, "updates in .* is 'x'"),
        ({**header, "settings": {**header["settings"], "kapa": 1}}, {}, "setting 'kapa'"),
        ({**header, "domains": 7}, {}, "learnt in 7 domains"),
        ({**header, "scale": 1.0}, {}, "factors on the scale 1.0, not 0.5"),
    ):
        write(tmp_path / "odd.npz", odd, {**arrays, **changed})
        with pytest.raises(DataError, match=words):
            GSAC.load(tmp_path / "odd.npz", grids())
    write(tmp_path / "odd.npz", header, {k: v for k, v in arrays.items() if k != "theta"})
    with pytest.raises(DataError, match="file lacks 'theta'"):
        GSAC.load(tmp_path / "odd.npz", grids())
    with pytest.raises(DataError, match="sources is a list of environments, one a domain, not"):
        GSAC.load(path, grids()[0])
    with pytest.raises(DataError, match=r"source 0 was source 2 .* had the factor 0\.2"):
        GSAC.load(path, grids()[::-1])
    with pytest.raises(DataError, match=r"source 1 was none of the sources .* had the factor 0\.5"):
        GSAC.load(path, [gsac_grid(2, arrival=p, n_envs=1) for p in (0.2, 0.6, 0.8)])
    with pytest.raises(DataError, match="horizon 10, here 12"):
        GSAC.load(path, grids(horizon=12))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="no whole checkpoint"):
        GSAC.load(path, grids())


# ---- what it refuses ------------------------------------------------------------------------------------------


DIVERGES = dataclasses.replace(DEFAULTS, critic_rate=Rate(9.0), fresh=False, capacity=4096)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: GSAC([], []), DataError, "no source domains"),
        (lambda: GSAC([*grids(), gsac_grid(3, n_envs=1)], [*SOURCES, 0.5]), DataError, "source 3 is another network"),
        (lambda: GSAC([*grids(), gsac_grid(2, n_envs=2)], [*SOURCES, 0.5]), DataError, "source 3 has 2 copies"),
        (lambda: GSAC(grids(horizon=5), SOURCES, GSAC.paper(steps=10)), DataError, "ends episodes after 5 steps"),
        (lambda: GSAC(grids(3), SOURCES, learners=2), DataError, "cannot be shared evenly by 2 learners"),
        (lambda: GSAC(grids(), SOURCES[:2]), DataError, "3 source domains of 4 agents"),
        (lambda: GSAC(grids(), np.zeros((3, 5, 1))), DataError, "factor an agent"),
        (lambda: GSAC(grids(), ["a", "b", "c"]), DataError, "must be numbers"),
        (lambda: GSAC(grids(), [0.1, np.nan, 0.2]), DataError, "finite"),
        (lambda: GSAC(grids(), SOURCES, conditioning="polinomial"), UnknownNameError, "Did you mean 'polynomial'"),
        (lambda: GSAC(grids(), [0.5, 0.5, 0.2], conditioning="interpolation"), DataError, "same factor"),
        (lambda: GSAC(grids(), np.zeros((3, 2)), conditioning="interpolation"), NotApplicable, "one shared number"),
        (lambda: GSAC(grids(), SOURCES, schedule="two"), DataError, "schedule is 'two'"),
        (lambda: GSAC(grids(), SOURCES, inputs="all"), DataError, "inputs is 'all'"),
        (lambda: GSAC(grids(), SOURCES, seed=-1), DataError, "seed is -1"),
        (lambda: GSAC(grids(), SOURCES, conditioned=[1, 0, 1, 1]), DataError, "yes or no for each of 4"),
        (lambda: GSAC(grids(), SOURCES).learn(6, on_update=3), DataError, "on_update"),
        (lambda: GSAC(grids(), SOURCES, DIVERGES).learn(9000), DataError, "diverged"),
        (lambda: GSAC(grids(), SOURCES, shared_critic="yes"), DataError, "shared_critic is 'yes'"),
        (lambda: GSAC(grids(), (0.2, 0.2, 0.2)), DataError, "same factor"),
        (lambda: GSAC(grids(), np.full((3, 4, 1), SOURCES[0]) * [[[1]], [[2]], [[3]]]).policy(0.3), DataError, r"each of 4: .*shared=False.*\(4, 1\)"),
        (lambda: GSAC(grids(), SOURCES, view=np.zeros(3, int)), DataError, "view maps"),
        (lambda: GSAC(grids(), SOURCES, Settings(objective="average")), NotApplicable, "discounted episodes"),
        (lambda: GSAC(grids(), SOURCES).policy(), DataError, "depends on the domain factor"),
        (lambda: GSAC(grids(), SOURCES).policy(0.5, code="third"), UnknownNameError, "unseen, mixture"),
        (lambda: GSAC(grids(), SOURCES).evaluate(gsac_grid(3), 0.5), DataError, "another network"),
        (lambda: GSAC(grids(2), SOURCES, learners=2).evaluate(gsac_grid(2), 0.5), DataError, "1 copies cannot be shared evenly"),
        (lambda: GSAC(grids(), SOURCES).fine_tune(gsac_grid(3), 0.5), DataError, "another network"),
        (lambda: GSAC(grids(), SOURCES).act(np.full((1, 4), 9), 0.5, 0), DataError, "state of agent 0 is 9, and it has"),
        (lambda: adapt(GSAC(grids(), SOURCES), gsac_grid(3, n_envs=1), arrivals), DataError, "another network"),
        (lambda: adapt(GSAC(grids(2), SOURCES, learners=2), gsac_grid(2, n_envs=3), arrivals), DataError, "one copy of the target"),
        (lambda: adapt(GSAC(grids(), SOURCES), gsac_grid(2, n_envs=1), arrivals, 0), DataError, "episodes is 0"),
        (lambda: adapt(GSAC(grids(), SOURCES), gsac_grid(2), arrivals), DataError, "make it with n_envs=1"),
        (lambda: adapt(GSAC(grids(), SOURCES), gsac_grid(2, n_envs=1), arrivals, seed=-1), DataError, "seed is -1"),
        (lambda: adapt(GSAC(grids(), SOURCES), gsac_grid(2, n_envs=1), lambda t: 0.5), DataError, "what estimate returns is 0.5"),
        (lambda: adapt(GSAC(grids(), SOURCES), gsac_grid(2, n_envs=1), 0.5), DataError, "estimate is 0.5"),
        (lambda: GSAC(grids()[0], SOURCES), DataError, "sources is a list of environments, one a domain, not"),
        (lambda: GSAC([3], [0.5]), DataError, "source 0 is int"),
        (lambda: GSAC([Line(5, horizon=50), Epidemic(nx.path_graph(5))], [0.2, 0.5]), DataError, "source 1 is another"),
        (lambda: GSAC(grids(), None), DataError, "factors is None"),
        (lambda: GSAC(grids(), SOURCES, conditioning=3), UnknownNameError, "not 3"),
        (lambda: GSAC(grids(), SOURCES, {"gamma": 0.7}), DataError, r"must be Settings\("),
        (lambda: GSAC(grids(), SOURCES, learners=1.0), DataError, "learners is 1.0"),
        (lambda: GSAC(grids(), SOURCES).learn(-5), DataError, "episodes is -5"),
        (lambda: GSAC(grids(), SOURCES).evaluate(gsac_grid(2), 0.5, 0), DataError, "episodes is 0"),
        (lambda: GSAC(grids(), SOURCES).evaluate(gsac_grid(2), 0.5, seed=-1), DataError, "seed is -1"),
        (lambda: GSAC(grids(), SOURCES).evaluate(gsac_grid(2), 0.5, discount=np.nan), DataError, "discount is nan"),
        (lambda: GSAC(grids(), SOURCES).evaluate(gsac_grid(2), 0.5, discount=1.5), DataError, "discount is 1.5"),
        (lambda: GSAC(grids(), SOURCES).act(np.zeros((1, 4), int), 0.5, -1), DataError, "^rng is -1"),
    ],
)  # fmt: skip
def test_refusals_are_sentences(make: partial, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


# ---- pictures and the pipeline --------------------------------------------------------------------------------


def test_networks_and_masks_are_drawn_as_valid_svg() -> None:
    masks = true_masks(gsac_grid(3, distractors=True))
    acr, positions = policy_acr(masks), np.stack(np.divmod(np.arange(9), 3), axis=1)
    network = draw_network(masks, acr, 4, positions).svg
    cells = [e.text for e in ElementTree.fromstring(network).iter("title")]
    assert len(cells) == 36 and sum("kept" in text for text in cells if text) == 18
    drawn = draw_masks(masks, 4).svg
    edges = masks.own[4].sum() + masks.other[masks.neighbours.indptr[4]].sum() + masks.domain[4].sum()
    assert sum(e.get("d", "").startswith("M190") for e in ElementTree.fromstring(drawn).iter("path")) == edges
    with pytest.raises(DataError, match="agent is 9, and must be a whole number from 0 to 8"):
        draw_masks(masks, 9)
    with pytest.raises(DataError, match="positions has shape"):
        draw_network(masks, acr, 0, positions[:5])


def test_pipeline_quick_and_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.gsac import experiment as pipeline

    wanted = ["--quick", "--seeds", "2", "--episodes", "60", "--out", str(tmp_path)]
    figures = pipeline.main(wanted)
    rows = (tmp_path / "results.csv").read_text()
    assert all(set(item) == {"mean", "low", "high", "n", "published", "goal"} for item in figures.values())
    assert figures["g=3, p=0.65: share of ceiling, first 30 target episodes"]["goal"] == ">= 0.95"
    assert "<svg" in (tmp_path / "report.html").read_text()
    pipeline.main(wanted)
    told = capsys.readouterr().out
    assert (tmp_path / "results.csv").read_text() == rows
    assert "share of ceiling" in told and "reached" not in told  # a quick run claims nothing
