"""Effects on the treated against what the simulation put in, and the likelihood rows against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from causalnet.search.hazard_graph import closing
from causalnet.stats.hawkes import hop_weights, reach_of
from causalnet.stats.hazard_fit import choose, fit, scaled
from causalnet.stats.parent_evidence import Rows, read_run
from causalnet.stats.treatment_effect import Sums, add_step, effect, nothing

UNITS, TYPES = 6, 3


def repairs(seed: int, steps: int, taken: float, growth: float, background: float = 0.0) -> Sums:
    """Repairs of random types on a line of units; a repair of type 0 takes each type 1 alarm nearby along."""
    rng = np.random.default_rng(seed)
    near = np.abs(np.subtract.outer(np.arange(UNITS), np.arange(UNITS))) <= 1
    sums = nothing(TYPES)
    for _ in range(steps):
        unit, variable = int(rng.integers(UNITS)), int(rng.integers(TYPES))
        before = rng.integers(1, 5, (UNITS, TYPES))
        cleared = rng.binomial(before, background)
        cleared[unit, variable] = before[unit, variable]
        if variable == 0:
            left = before[near[unit], 1] - cleared[near[unit], 1]
            cleared[near[unit], 1] += rng.binomial(left, taken)
        after = before - cleared + rng.poisson(growth, before.shape)
        sums = add_step(sums, before, after, cleared, unit, variable, near[unit], ~near[near[unit]].any(axis=0))
    return sums


@pytest.mark.parametrize("background", [0.0, 0.1])
def test_the_control_arm_finds_the_effect_and_only_that(background: float) -> None:
    seen = effect(repairs(1, 4000, 0.3, 1.0, background))
    held = 2.5 * (3 * 4 + 2 * 2) / 6  # expected alarms of one type in reach
    true = -held * (1 - background) * 0.3
    assert seen.att[0, 1] == pytest.approx(true, abs=4 * seen.error[0, 1])
    z = seen.att / seen.error
    assert z[0, 1] < -20
    others = ~np.eye(TYPES, dtype=bool)
    others[0, 1] = False
    assert np.abs(z[others]).max() < 4


def test_growth_fools_before_minus_after_and_not_the_control_arm() -> None:
    sums = repairs(2, 3000, 0.05, 1.0)
    assert effect(sums, "before").att[0, 1] > 0, "growth hides the effect of the published form"
    assert effect(sums).att[0, 1] < -4 * effect(sums).error[0, 1]
    against = effect(sums, "others")
    assert against.att[0, 1] < -4 * against.error[0, 1]


def test_standard_errors_are_right() -> None:
    found = np.array([effect(repairs(seed, 150, 0.3, 0.0)).att[0, 1] for seed in range(60)])
    said = effect(repairs(99, 150, 0.3, 0.0)).error[0, 1]
    assert said == pytest.approx(found.std(), rel=0.35)


def test_acting_on_nothing_is_no_treatment_and_little_data_is_no_certainty() -> None:
    zero = np.zeros((UNITS, TYPES), dtype=int)
    near = np.ones(UNITS, dtype=bool)
    sums = add_step(nothing(TYPES), zero, zero, zero, 0, 0, near, ~near)
    assert sums.n.sum() == 0 and np.isinf(effect(sums).error).all()
    full = zero + 1
    once = add_step(nothing(TYPES), full, zero, full, 0, 0, near, ~near)
    assert once.n.tolist() == [1, 0, 0] and np.isinf(effect(once).error).all()


def test_a_type_hardly_seen_out_of_reach_vanishes_like_the_others() -> None:
    near, far = np.array([True, False]), np.array([False, True])
    sums, gone_alone, blind = nothing(3), nothing(3), nothing(3)
    for step in range(20):
        before = np.array([[1, 1, 0], [0, 0, 9]])  # type 1 never stands out of reach, type 2 does and hardly vanishes
        cleared = np.array([[1, step % 4 == 0, 0], [0, 0, step == 0]], dtype=int)
        sums = add_step(sums, before, before - cleared, cleared, 0, 0, near, far)
        once = before + np.array([[0, 0, 0], [0, step == 0, 0]])
        gone_alone = add_step(gone_alone, once, once - cleared, cleared, 0, 0, near, far)
        blind = add_step(blind, before, before - cleared, cleared, 0, 0, near, ~(near | far))
    pooled = 1 / 180
    assert effect(sums).att[0, 1] == pytest.approx(-(0.25 - pooled)), "a share of a half would turn the sign"
    assert np.isinf(effect(sums).error[0, 1]) and np.isfinite(effect(sums).error[0, 2]), "no control, no error"
    seen = effect(gone_alone)
    assert seen.att[0, 1] == pytest.approx(-(0.25 - (1 / 181) / 2)) and np.isfinite(seen.error[0, 1])
    assert np.isinf(effect(blind).error).all() and effect(blind).att[0, 1] == pytest.approx(-0.25)
    assert np.isfinite(effect(blind, "before").error[0]).all(), "before against after needs no control"


def rows(before, started, cleared, acted, links=None, leak=0.1, capacity=np.inf) -> Rows:  # type: ignore[no-untyped-def]
    """read_run on lists of (D, V) matrices, 10 s a step, hops 0 and 1 when there are links."""
    before, started, cleared = (np.array(a, dtype=np.int64) for a in (before, started, cleared))
    d = before.shape[1]
    links = np.zeros((d, d), dtype=bool) if links is None else links
    hops = (0, 1) if links.any() else (0,)
    reach = reach_of([w.T for w in hop_weights(links, hops, "degree")], np.ones(d, dtype=bool))
    unit, variable = np.array(acted).T
    seconds = np.full(len(before), 10.0)
    return Rows(
        *read_run(
            before,
            started,
            cleared,
            unit,
            variable,
            seconds,
            unit >= 0,
            reach.start,
            reach.device,
            reach.weight,
            len(hops),
            leak,
            capacity,
        )
    )


def test_rows_count_what_is_left_and_what_is_new() -> None:
    # one unit, types a b c: two a stay, the b acted on goes, a second c starts in the window together with a b elsewhere
    found = rows([[[2, 0, 1]]], [[[0, 0, 1]]], [[[0, 0, 0]]], [(0, 1)])
    assert found.target.tolist() == [2]
    np.testing.assert_allclose(found.phi, [[1, 0, 2, 0, 1]])  # background, log, a, b, and the other c
    np.testing.assert_allclose(found.exposure[0], [10, 0, 20, 0, 20])
    np.testing.assert_allclose(found.exposure[1], [0, 0, 0, 0, 0])  # the cell acted on is left out


def test_a_full_cell_is_not_exposed_and_leak_one_reads_no_repair() -> None:
    before, started = [[[1, 1, 0]], [[1, 1, 1]]], [[[0, 0, 1]], [[0, 0, 0]]]
    found = rows(before, started, [[[0, 0, 0]], [[0, 1, 1]]], [(0, 0), (0, 1)], leak=1.0, capacity=1)
    np.testing.assert_allclose(found.phi, [[1, 0, 1, 1, 0]])
    np.testing.assert_allclose(found.exposure[2], [20, 0, 20, 10, 10])
    np.testing.assert_allclose(found.exposure[0], 0)


def test_neighbours_reach_by_their_weight() -> None:
    links = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=bool)
    before = [[[1, 0], [0, 0], [0, 0]]]
    started = [[[0, 0], [0, 1], [0, 0]]]
    found = rows(before, started, np.zeros((1, 3, 2)), [(2, 0)], links)
    np.testing.assert_allclose(found.phi[0, 2:], [0, 0.5, 0, 0])  # a at hop 1 with 1 / (1 * 2)


def test_a_repair_tells_the_parent_of_what_vanished_and_of_what_stayed() -> None:
    # c starts under one a and one b; then the repair of b takes c along: b is the parent, a only by the leak
    before = [[[1, 1, 0]], [[1, 1, 1]]]
    started = [[[0, 0, 1]], [[0, 0, 0]]]
    took = rows(before, started, [[[0, 0, 0]], [[0, 1, 1]]], [(0, 0), (0, 1)], leak=0.1)
    np.testing.assert_allclose(took.phi, [[0.1, 0, 0.1, 1.0, 0]])
    stayed = rows(before, started, [[[0, 0, 0]], [[0, 1, 0]]], [(0, 0), (0, 1)])
    np.testing.assert_allclose(stayed.phi, [[1, 0, 1, 0, 0]])
    alone = rows(before, started, [[[0, 0, 0]], [[0, 0, 1]]], [(0, 0), (0, 2)])
    np.testing.assert_allclose(alone.phi, [[1, 0, 1, 1, 0]])


def test_one_of_several_vanishing_tells_nothing() -> None:
    before = [[[1, 1, 1]], [[1, 1, 2]]]
    started = [[[0, 0, 1]], [[0, 0, 0]]]
    found = rows(before, started, [[[0, 0, 0]], [[0, 1, 1]]], [(0, 0), (0, 1)])
    np.testing.assert_allclose(found.phi, [[1, 0, 1, 1, 1]])


def problem(seed: int, n: int, theta: np.ndarray):  # type: ignore[no-untyped-def]
    """Poisson starts in n windows under random alarms; theta: hazards of the background, (log,) and each type."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), np.zeros(n), rng.poisson(1.0, (n, len(theta) - 2))]).astype(float)
    y = rng.poisson(x @ theta)
    phi = np.repeat(x, y, axis=0)
    some = phi[:, 2:].sum(axis=1) > 0
    return phi[some], np.array([float((~some).sum()), 0.0]), x.sum(axis=0)


def test_the_fit_is_the_maximum() -> None:
    theta = np.array([0.05, 0.0, 0.2, 0.0, 0.1, 0.0])
    phi, lone, exposure = problem(3, 20_000, theta)
    target = scaled(phi, lone, exposure)
    found = fit(target, np.arange(6), tol=1e-9)

    def loss(t: np.ndarray) -> float:
        rate = phi[:, [0, 2, 3, 4, 5]] @ t
        return float(-np.log(rate).sum() - lone[0] * np.log(t[0]) + exposure[[0, 2, 3, 4, 5]] @ t)

    best = minimize(loss, np.full(5, 0.1), bounds=[(1e-9, None)] * 5, method="L-BFGS-B", options={"ftol": 1e-15})
    hazard = (found.theta / np.where(exposure > 0, exposure, 1))[[0, 2, 3, 4, 5]]
    assert loss(np.maximum(hazard, 1e-12)) <= best.fun + 1e-3
    np.testing.assert_allclose(hazard, best.x, atol=2e-4)
    np.testing.assert_allclose(hazard, theta[[0, 2, 3, 4, 5]], atol=0.012)


@pytest.mark.parametrize("start", [[], [3, 5]])
def test_the_choice_finds_the_causes_from_any_start(start: list[int]) -> None:
    phi, lone, exposure = problem(4, 2000, np.array([0.05, 0.0, 0.2, 0.0, 0.1, 0.0]))
    allowed, required = np.ones(6, dtype=bool), np.zeros(6, dtype=bool)
    target = scaled(phi, lone, exposure)
    found = choose(target, allowed, required, 4.0, np.array(start, dtype=np.int64))
    assert found.columns.tolist() == [0, 1, 2, 4]
    allowed[2], required[5] = False, True
    forced = choose(target, allowed, required, 4.0, np.array([2], dtype=np.int64))
    assert 2 not in forced.columns and 5 in forced.columns


def test_cycles_are_cut_at_the_weakest_edge_that_nobody_requires() -> None:
    adj = np.zeros((3, 3), dtype=bool)
    adj[0, 1] = adj[1, 2] = adj[2, 0] = True
    loss = np.array([[0, 1.0, 0], [0, 0, 5.0], [9.0, 0, 0]])
    free = np.zeros((3, 3), dtype=bool)
    assert np.argwhere(closing(adj, loss, free)).tolist() == [[0, 1]]
    free[0, 1] = True
    assert np.argwhere(closing(adj, loss, free)).tolist() == [[1, 2]]
