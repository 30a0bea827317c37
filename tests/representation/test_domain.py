"""Domain factors: unbiased, as exact as the closed form allows, and honest about targets beyond the sources."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from causalnet.data.rollouts import collect
from causalnet.data.transitions import Transitions, as_transitions
from causalnet.envs.networked.wireless import gsac_grid, true_masks
from causalnet.errors import DataError, UnknownNameError
from causalnet.representation.domain import (
    bernoulli_factor,
    hull_distance,
    maximum_likelihood,
    warn_outside,
)
from causalnet.representation.recovery import factor_errors, log_slope

P = 0.65


def wireless(seed: int, trajectories: int, p: float = P) -> Transitions:
    return collect(gsac_grid(3, arrival=p, n_envs=trajectories), seed=seed)


def arrivals(omega: NDArray[np.float64], data: Transitions) -> NDArray[np.float64]:
    """(R, n, c + 1) log P under the wireless law of arrivals: the newest slot is one with probability omega."""
    result = np.full((data.rows, data.n_agents, 3), np.nan)  # the others do not depend on omega and must not be asked
    with np.errstate(divide="ignore"):
        result[:, :, 1] = np.where(data.next_states[:, :, 1] == 1, np.log(omega[0]), np.log1p(-omega[0]))
    return result


def test_error_is_that_of_the_closed_form() -> None:
    """sqrt(p (1 - p) / rows): 0.034 a user and 0.011 pooled over nine, from 20 trajectories of 10 steps."""
    closed = math.sqrt(P * (1 - P) / 200)
    assert closed == pytest.approx(0.034, abs=5e-4) and closed / 3 == pytest.approx(0.011, abs=5e-4)
    one = factor_errors(wireless, lambda d: bernoulli_factor(d, "b_2", shared=False), P, [20], range(120))[0]
    assert one["error"] == pytest.approx(closed, rel=0.1) and one["claimed"] == pytest.approx(closed, rel=0.02)
    every = factor_errors(wireless, lambda d: bernoulli_factor(d, "b_2"), P, [20], range(1000, 1400))[0]
    assert every["error"] == pytest.approx(closed / 3, rel=0.1)


def test_error_falls_as_one_over_root_of_trajectories() -> None:
    sizes = [5, 20, 80, 320]
    records = factor_errors(wireless, lambda d: bernoulli_factor(d, "b_2", shared=False), P, sizes, range(40))
    assert log_slope(sizes, [r["error"] for r in records]) == pytest.approx(-0.5, abs=0.05)


def test_general_likelihood_agrees_with_the_closed_form() -> None:
    data, masks = wireless(3, 20), true_masks(gsac_grid(3))
    for shared in (True, False):
        closed = bernoulli_factor(data, "b_2", shared=shared)
        general = maximum_likelihood(data, arrivals, [(0.0, 1.0)], masks=masks, shared=shared)
        assert general.value == pytest.approx(closed.value, abs=1e-6)
        assert general.standard_error == pytest.approx(closed.standard_error, rel=1e-3)
        assert general.log_likelihood == pytest.approx(
            closed.log_likelihood if shared else bernoulli_sum(data), rel=1e-6
        )
        assert general.rows == closed.rows


def bernoulli_sum(data: Transitions) -> float:
    p = bernoulli_factor(data, "b_2", shared=False).value
    return float(data.rows * (p * np.log(p) + (1 - p) * np.log(1 - p)).sum())


def test_estimate_stays_in_omega_and_says_when_it_is_at_its_edge() -> None:
    found = maximum_likelihood(wireless(0, 20), arrivals, [(0.1, 0.5)], masks=true_masks(gsac_grid(3)))
    assert found.value == pytest.approx(0.5, abs=1e-6) and np.isnan(found.standard_error)


def test_vector_factor() -> None:
    """p from the arrivals and q from the rewards of lone senders, at once."""
    p, q = 0.35, 0.7
    env = gsac_grid(3, arrival=p, success=q, n_envs=400)
    data = collect(env, seed=1)
    used = np.where(data.actions > 0, env.tables.access_points[np.arange(9), data.actions], -1)
    used = np.where(data.states.any(axis=2), used, -1)
    alone = np.array([[(row == place).sum() == 1 and place >= 0 for place in row] for row in used])

    def law(omega: NDArray[np.float64], rows: Transitions) -> NDArray[np.float64]:
        result = np.zeros((rows.rows, 9, 3))
        with np.errstate(divide="ignore", invalid="ignore"):
            result[:, :, 1] = np.where(rows.next_states[:, :, 1] == 1, np.log(omega[0]), np.log1p(-omega[0]))
            win = np.where(rows.rewards == 1, np.log(omega[1]), np.log1p(-omega[1]))
        result[:, :, 2] = np.where(alone, win, 0.0)
        return result

    found = maximum_likelihood(data, law, [(0.01, 0.99)] * 2, masks=true_masks(gsac_grid(3), ("arrival", "success")))
    closed = [data.next_states[:, :, 1].mean(), data.rewards[alone].mean()]
    assert found.value == pytest.approx(closed, abs=1e-4)
    assert (np.abs(found.value - [p, q]) < 4 * found.standard_error).all()
    assert found.standard_error[1] == pytest.approx(math.sqrt(closed[1] * (1 - closed[1]) / alone.sum()), rel=1e-2)


@pytest.mark.parametrize("shared", [True, False])
def test_what_the_masks_do_not_show_cannot_be_estimated(shared: bool) -> None:
    masks = true_masks(gsac_grid(3), ())
    with pytest.raises(DataError, match="acts on nothing of"):
        maximum_likelihood(wireless(0, 2), arrivals, [(0, 1)], masks=masks, shared=shared)
    with pytest.raises(DataError, match="the masks are of 16 agents with 2 components, the transitions of 9 with 2"):
        maximum_likelihood(wireless(0, 2), arrivals, [(0, 1)], masks=true_masks(gsac_grid(4)))


@pytest.mark.parametrize("bounds", [[(1, 0)], [(0, np.inf)], [0, 1], [], [("a", "b")], [(0, 1), (2,)]])
def test_bounds(bounds: list) -> None:
    with pytest.raises(DataError, match="pairs"):
        maximum_likelihood(wireless(0, 2), arrivals, bounds)


def test_bad_log_prob() -> None:
    with pytest.raises(DataError, match="log_prob returned shape"):
        maximum_likelihood(wireless(0, 2), lambda w, d: np.zeros(3), [(0, 1)])
    with pytest.raises(DataError, match="log_prob returned a sum of nan"):
        maximum_likelihood(wireless(0, 2), arrivals, [(0, 1)])
    with pytest.raises(UnknownNameError, match="no component 'b_3'"):
        bernoulli_factor(wireless(0, 2), "b_3")
    for component in (5, 1.5, True):
        with pytest.raises(DataError, match=f"component is {component!r}, and must be a whole number from 0 to 1"):
            bernoulli_factor(wireless(0, 2), component)  # type: ignore[arg-type]


def test_what_cannot_be_estimated_is_told() -> None:
    data = wireless(0, 2)
    for value in ("x", 1.5, -1, None):
        with pytest.raises(DataError, match=f"value is {value!r}, and must be a whole number from 0 up"):
            bernoulli_factor(data, "b_2", value=value)  # type: ignore[arg-type]
    with pytest.warns(
        UserWarning, match=r"component 'b_2' is never 7 in these 20 transitions \(its largest value is 1\)"
    ):
        assert bernoulli_factor(data, "b_2", value=7).value == 0
    for call in (
        lambda **k: bernoulli_factor(data, "b_2", **k),
        lambda **k: maximum_likelihood(data, arrivals, [(0, 1)], **k),
    ):
        with pytest.raises(DataError, match="shared is 'no'; write True or False"):
            call(shared="no")
    with pytest.raises(DataError, match="transitions is None, and must be Transitions, see as_transitions"):
        bernoulli_factor(None, "b_2")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="log_prob is None, and must be a function"):
        maximum_likelihood(data, None, [(0, 1)])  # type: ignore[arg-type]


def test_impossible_everywhere_is_not_an_estimate() -> None:
    fields = {"states": [[0], [0]], "actions": [[0], [0]], "rewards": [[0.0], [0.0]], "next_states": [[1], [0]]}
    data = as_transitions(fields, np.zeros((1, 1)))
    found = bernoulli_factor(data, 0)
    assert found.value == 0.5 and found.standard_error == pytest.approx(math.sqrt(0.125))
    with pytest.raises(DataError, match="impossible for every factor"):
        maximum_likelihood(data, lambda w, d: np.full((2, 1, 2), -np.inf), [(0, 1)])


def test_few_rows_do_not_look_certain() -> None:
    fields = {"states": [[0, 0]], "actions": [[0, 0]], "rewards": [[0.0, 0.0]], "next_states": [[1, 0]]}
    data = as_transitions(fields, np.zeros((2, 2)))
    each = bernoulli_factor(data, 0, shared=False)
    assert each.value.tolist() == [1.0, 0.0] and np.isnan(each.standard_error).all()
    assert bernoulli_factor(data, 0).standard_error == pytest.approx(math.sqrt(0.125))
    with pytest.warns(UserWarning, match="is flat at the factor .* 1 transitions"):
        maximum_likelihood(data, lambda w, d: np.full((1, 2, 2), -1.0), [(0, 1)])
    with pytest.warns(UserWarning, match=r"likelihood of agent 0 \(one of 2\) is flat"):
        maximum_likelihood(data, lambda w, d: np.full((1, 2, 2), -1.0), [(0, 1), (2, 3)], shared=False)
    with pytest.warns(UserWarning, match="outside the hull"):
        warn_outside(1.0, [0.2, 0.8], standard_error=math.nan)


def test_distance_from_the_hull() -> None:
    assert hull_distance(0.65, [0.2, 0.5, 0.8]) == 0.0
    assert hull_distance(0.9, [0.2, 0.5, 0.8]) == pytest.approx(0.1)
    triangle = [[0, 0], [1, 0], [0, 1]]
    assert hull_distance([0.2, 0.2], triangle) == 0.0
    assert hull_distance([1, 1], triangle) == pytest.approx(math.sqrt(0.5), rel=1e-6)
    assert hull_distance([-3, 4], triangle) == pytest.approx(math.hypot(3, 3), rel=1e-6)
    with pytest.raises(DataError, match="no source domains"):
        hull_distance(0.5, [])
    with pytest.raises(DataError, match="the target has 2 factors"):
        hull_distance([0.5, 0.5], [0.2, 0.8])


def test_warning_names_the_distance() -> None:
    with pytest.warns(UserWarning, match=r"0\.9 lies 0\.1 outside the hull .*from 0\.2 to 0\.8"):
        warn_outside(0.9, [0.2, 0.5, 0.8])
    assert warn_outside(0.81, [0.2, 0.8], standard_error=0.011) == pytest.approx(0.01)  # no warning: within the error
    assert warn_outside(0.65, [0.2, 0.8]) == 0.0
