"""Maximum-likelihood domain factors: which member of a family of domains do these transitions come from?

omega = argmin over Omega of -(1 / n) sum_i (1 / T) sum_t log P(s_i(t + 1), r_i(t) | s_{N_i}(t), a_{N_i}(t), omega)
(arXiv 2510.21427, section 4 and Algorithm 1, phases 1 and 4). Only the components that the masks tie to the factor enter; the
others do not depend on it. A component that is one with probability omega has a closed form: its mean, with standard
deviation sqrt(omega (1 - omega) / rows). The error of the estimate falls as 1 / sqrt(rows); the policy's loss is linear in it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize, minimize_scalar, nnls

from ..base.arrays import Array, Bools
from ..base.asked import asks
from ..base.checks import flag, function, instance, known, whole
from ..data.transitions import Transitions
from ..errors import DataError
from ..graph.causal_masks import CausalMasks

LocalLogProb = Callable[[Array, Transitions], Array]  # (omega (k,), data) -> (R, n, c + 1)
STARTS = 8  # deterministic starting points of the search for a vector


@dataclass(frozen=True)
class DomainFactor:
    """An estimate. value: () or (k,) for a factor shared by all agents, (n,) or (n, k) for one an agent. standard_error: same
    shape; nan where the estimate lies on the boundary of Omega, whose curvature says nothing. rows: transitions behind each
    value. log_likelihood: at the estimate, summed over what was used."""

    value: Array
    standard_error: Array
    rows: int
    log_likelihood: float


def bernoulli_factor(
    transitions: Transitions, component: str | int, *, value: int = 1, shared: bool = True
) -> DomainFactor:
    """The probability that a next component takes ``value``, in closed form: its relative frequency.

    The wireless arrival probability is that of the newest slot, ``bernoulli_factor(data, "b_2")``. shared: one number for
    all agents, else one for each. A value that the component never shows is warned of, unless it is 0 or 1.
    """
    _check(transitions, shared)
    k, value = _component(transitions, component), whole("value", value, 0)
    hits = transitions.next_states[:, :, k] == value
    rows = transitions.rows * (transitions.n_agents if shared else 1)
    most = max(int(transitions.states[:, :, k].max()), int(transitions.next_states[:, :, k].max()))
    if value > max(most, 1):
        warnings.warn(
            f"component {transitions.components[k]!r} is never {value} in these {transitions.rows} transitions (its largest "
            f"value is {most}): the factor is estimated as 0; check the value, or collect more",
            UserWarning,
            stacklevel=2,
        )
    p = np.asarray(hits.mean() if shared else hits.mean(axis=0), dtype=np.float64)
    within = (p > 0) & (p < 1)
    inside = np.where(within, p, 0.5)
    likelihood = np.where(within, p * np.log(inside) + (1 - p) * np.log(1 - inside), 0.0)
    error = np.where(within, np.sqrt(p * (1 - p) / rows), np.nan)  # 0 or 1: the curvature says nothing
    return DomainFactor(p, error, rows, float(rows * likelihood.sum()))


@asks("masks")
def maximum_likelihood(
    transitions: Transitions,
    log_prob: LocalLogProb,
    bounds: Sequence[tuple[float, float]],
    *,
    masks: CausalMasks | None = None,
    shared: bool = True,
) -> DomainFactor:
    """The factor in the box Omega = bounds that makes the transitions most likely, with standard errors.

    log_prob(omega (k,), transitions) -> (R, n, c + 1): log-probability of every next component and, last, of the reward,
    given the step before. bounds: k pairs (low, high). masks: use only what their domain part marks; None: everything.
    shared: one factor for all agents, else one for each. Standard errors are those of the observed information. A
    likelihood that is flat, so that the value is one of many, is warned of.
    """
    _check(transitions, shared)
    function("log_prob", log_prob, "omega, transitions", "(R, n, c + 1)", needed=True)
    try:
        box = np.asarray(bounds, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        box = np.empty(0)
    if box.ndim != 2 or box.shape[1] != 2 or not (np.isfinite(box).all() and (box[:, 0] < box[:, 1]).all()):
        raise DataError(f"bounds takes pairs (low, high) with low < high, one a factor; got {bounds!r}")
    used = _used(transitions, masks, shared)

    def total(omega: Array, agents: slice | int) -> float:
        part = np.asarray(log_prob(omega, transitions), dtype=np.float64)
        if part.shape != (transitions.rows, *used.shape):
            raise DataError(f"log_prob returned shape {part.shape}; it must be {(transitions.rows, *used.shape)}")
        value = float(part[:, agents][:, used[agents]].sum())
        if np.isnan(value) or value == np.inf:
            raise DataError(f"log_prob returned a sum of {value} at omega = {omega}; log-probabilities are at most 0")
        return value

    which: list[slice | int] = [slice(None)] if shared else list(range(transitions.n_agents))
    found = [_maximise(lambda omega, w=w: total(omega, w), box) for w in which]  # type: ignore[misc]
    value, error = np.array([f[0] for f in found]), np.array([f[1] for f in found])
    if box.shape[0] == 1:
        value, error = value[:, 0], error[:, 0]
    flat = [w for w, f in enumerate(found) if f[3]]
    if flat:
        whose = "" if shared else f" of agent {flat[0]} (one of {len(flat)})"
        warnings.warn(
            f"the likelihood{whose} is flat at the factor {np.round(value[flat[0]], 4)}: these {transitions.rows} transitions "
            f"do not tell it from others in Omega; collect others, check that log_prob uses omega, or drop a factor",
            UserWarning,
            stacklevel=2,
        )
    rows = transitions.rows * (transitions.n_agents if shared else 1)
    value, error = (value[0], error[0]) if shared else (value, error)
    return DomainFactor(np.asarray(value), np.asarray(error), rows, float(sum(f[2] for f in found)))


def _used(transitions: Transitions, masks: CausalMasks | None, shared: bool) -> Bools:
    """(n, c + 1): the components, and last the reward, whose likelihood counts."""
    shape = (transitions.n_agents, transitions.n_components + 1)
    used = np.ones(shape, bool) if masks is None else masks.domain
    if used.shape != shape:
        raise DataError(
            f"the masks are of {len(used)} agents with {used.shape[1] - 1} components, the transitions of "
            f"{transitions.n_agents} with {transitions.n_components}; match them"
        )
    blind = np.flatnonzero(~used.any(axis=1))
    if blind.size == len(used) or (blind.size and not shared):
        who = "any agent" if shared else f"agent {blind[0]}"
        raise DataError(f"the masks say that the domain factor acts on nothing of {who}, so it has no estimate there")
    return used


def hull_distance(target: ArrayLike, sources: ArrayLike) -> float:
    """Euclidean distance of a factor from the convex hull of the sources' factors; 0 inside. target: () or (k,);
    sources: (M,) or (M, k)."""
    spots = np.atleast_1d(np.asarray(sources, dtype=np.float64))
    if spots.shape[0] == 0 or spots.size == 0:
        raise DataError("there are no source domains, so nothing the target could be between; give at least one")
    spots = spots.reshape(spots.shape[0], -1)
    point = np.asarray(target, dtype=np.float64).reshape(-1)
    if point.size != spots.shape[1] or not (np.isfinite(point).all() and np.isfinite(spots).all()):
        raise DataError(f"the target has {point.size} factors and the sources {spots.shape[1]}; both must be finite")
    if point.size == 1:
        return float(max(spots.min() - point[0], point[0] - spots.max(), 0.0))
    centred = spots - point  # least |sum_m w_m centred_m| over weights of the simplex, as in Wolfe (1976)
    heavy = 1e4 * max(float(np.abs(centred).max()), 1e-300)
    weights, _ = nnls(np.vstack([centred.T, np.full(len(spots), heavy)]), np.append(np.zeros(point.size), heavy))
    distance = float(np.linalg.norm(weights @ centred / weights.sum()))
    return distance if distance > 1e-7 * float(np.abs(centred).max()) else 0.0


def warn_outside(target: ArrayLike, sources: ArrayLike, standard_error: float = 0.0, *, stacklevel: int = 2) -> float:
    """:func:`hull_distance`, with a warning that names it when a policy would have to extrapolate.

    standard_error: distances up to two of them are estimation error, and pass; nan, that of an estimate on the boundary,
    lets nothing pass. stacklevel: as in ``warnings.warn``, the caller whose line the warning names.
    """
    distance = hull_distance(target, sources)
    if distance > 2.0 * (0.0 if np.isnan(standard_error) else standard_error):
        low, high = np.min(np.asarray(sources), axis=0), np.max(np.asarray(sources), axis=0)
        warnings.warn(
            f"the target's domain factor {np.round(np.asarray(target), 4)} lies {distance:.4g} outside the hull of the sources' "
            f"(from {np.round(low, 4)} to {np.round(high, 4)}): the policy extrapolates; add a source beyond it",
            UserWarning,
            stacklevel=stacklevel,
        )
    return distance


def _maximise(objective: Callable[[Array], float], box: Array) -> tuple[Array, Array, float, bool]:
    """(argmax (k,), standard errors (k,), maximum, is it flat there?) over a box; a scalar by Brent's method, a vector by
    L-BFGS-B. Flat: inside the box, and no curvature, or a standard error wider than the box."""
    low, width = box[:, 0], box[:, 1] - box[:, 0]

    def cost(unit: Array | float) -> float:
        value = objective(low + width * np.clip(np.atleast_1d(unit), 0.0, 1.0))
        return -value if np.isfinite(value) else 1e300

    if len(box) == 1:
        grid = np.linspace(0.0, 1.0, STARTS + 2)
        values = [cost(g) for g in grid]
        at = int(np.argmin(values))
        around = (grid[max(at - 1, 0)], grid[min(at + 1, STARTS + 1)])
        done = minimize_scalar(cost, bounds=around, method="bounded", options={"xatol": 1e-10})
        best = np.array([done.x if done.fun <= values[at] else grid[at]])
    else:
        starts = (np.arange(1, STARTS + 1)[:, None] * _irrational(len(box))) % 1.0
        ends = [minimize(cost, 0.02 + 0.96 * s, method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(box)) for s in starts]
        best = min(ends, key=lambda end: float(end.fun)).x
    if cost(best) >= 1e300:
        raise DataError("the transitions are impossible for every factor in Omega; check log_prob, or widen the bounds")
    errors = _errors(cost, best)
    flat = bool(_inside(best) and not (errors <= 1.0).all())
    return low + width * best, width * errors, -cost(best), flat


def _inside(at: Array, step: float = 1e-4) -> bool:
    """Is a point of the unit cube far enough from its boundary for differences of this step?"""
    return bool(((at >= 2 * step) & (at <= 1 - 2 * step)).all())


def _errors(cost: Callable[[Array], float], at: Array, step: float = 1e-4) -> Array:
    """(k,) square roots of the diagonal of the inverse Hessian, by central differences; nan at the boundary."""
    k = len(at)
    if not _inside(at, step):
        return np.full(k, np.nan)
    moves, hessian = step * np.eye(k), np.empty((k, k))
    for a in range(k):
        for b in range(a + 1):
            corners = [cost(at + s * moves[a] + t * moves[b]) * s * t for s in (1, -1) for t in (1, -1)]
            hessian[a, b] = hessian[b, a] = sum(corners) / (4 * step * step)
    if np.linalg.eigvalsh(hessian)[0] <= 0:
        return np.full(k, np.nan)
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(hessian))))


def _irrational(k: int) -> Array:
    """(k,) generators of a sequence that fills the unit cube evenly (Roberts's generalised golden ratio)."""
    root = 2.0
    for _ in range(50):
        root = (1.0 + root) ** (1.0 / (k + 1))
    return np.asarray((1.0 / root) ** np.arange(1, k + 1), dtype=np.float64)


def _check(transitions: Transitions, shared: bool) -> None:
    instance("transitions", transitions, Transitions, "Transitions, see as_transitions")
    flag("shared", shared)
    if transitions.rows == 0:
        raise DataError("there are no transitions to estimate the domain factor from; collect at least one step")


def _component(transitions: Transitions, component: str | int) -> int:
    names = transitions.components
    if isinstance(component, str):
        known(component, names, f"there is no component {component!r}")
        return names.index(component)
    return whole("component", component, 0, len(names) - 1)
