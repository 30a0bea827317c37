"""Which variable makes which other one start: a posterior over graphs from steps of a system, in two time slices.

While j is absent at the start of a step, it starts within it with the hazard (noisy-or, Pearl 1988)

    P(j starts) = 1 - exp(-h_j),    h_j = mu_j + sum over present i of theta_ij,    theta >= 0

so causes only promote. log(1 - exp(-h)) = log h - h / 2 up to h^2 / 24, which makes it the likelihood of constant hazards
(:mod:`causalnet.stats.hazard_fit`) in which a step with a start counts half. Time gives the directions: cycles are allowed.
A variable acted on may be back when its step ends, with a share nu_j of its own (the action failed) in the place of mu_j and
the same theta_ij, unless the action shields it from its causes for that step: what these steps say is used where it
explains them better than a constant share does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Bools, Ints
from ..base.asked import asks
from ..base.checks import array_of, distinct, shaped, whole
from ..data import Interactions
from ..errors import DataError
from ..graph import Knowledge
from ..graph.posterior import DRAWS, GraphPosterior
from ..search.hazard_posterior import draw_parents, price_of
from ..stats.hazard_fit import Target, choose, scaled


@asks("knowledge", "seed")
def learn_posterior(
    before: ArrayLike | Interactions,
    after: ArrayLike | None = None,
    acted: ArrayLike | None = None,
    variables: tuple[str, ...] | None = None,
    *,
    knowledge: Knowledge | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> GraphPosterior:
    """Graphs over the V variables, drawn from what T steps leave possible.

    before: Interactions (as ``causalnet.data.collect`` gives them), whose units count as rows alike; or the arrays:
    before, after: (T, V) bool, which variables were present when a step began and when it ended (of several units: a row
    a unit and step). acted: (T,) the variable acted on, -1 for none; it is no cause in its step.
    Rows of different episodes may follow one another, as no row is tied to the next. T = 0: nothing is known, and every
    graph is the knowledge's own, which masks by presence.
    What is repaired as soon as it is there does not show what it brings about: let the play wait at times, as ``collect`` of a
    masked environment does. Of 17 edges of 10 services, 500 such steps leave 1 unknown, and 13 where no failure waits.
    """
    if isinstance(before, Interactions):
        before, after, acted, variables = _rows_of(before)
    if after is None or acted is None or variables is None:
        raise DataError("give Interactions, or before, after, acted and variables")
    names = distinct("variables", variables)
    v = len(names)
    here, then = array_of("before", before), array_of("after", after)
    if here.ndim != 2 or here.shape[1] != v:
        raise DataError(f"before has shape {here.shape}; give (steps, {v}) bools, a column a variable")
    shaped("after", then, here.shape, "that of before")
    on = shaped("acted", array_of("acted", acted), (len(here),), "one variable a step")
    if len(on) and (on.dtype.kind not in "iu" or on.min() < -1 or on.max() >= v):
        raise DataError(
            f"acted holds the variables acted on, from 0 to {v - 1}, and -1 for none; got {on.min()} to {on.max()}"
        )
    allowed, required = (knowledge or Knowledge()).compile(names)
    rng, draws = np.random.default_rng(seed), whole("draws", draws, 1, 10**6)
    samples = np.zeros((draws, v, v), dtype=bool)
    for j, target in enumerate(_targets(here.astype(bool), then.astype(bool), on, allowed, required)):
        samples[:, :, j] = draw_parents(target, j, allowed[:, j], required[:, j], draws, rng)
    return GraphPosterior(names, samples, {"source": "two time slices", "steps": len(here)})


def _rows_of(data: Interactions) -> tuple[Bools, Bools, Ints, tuple[str, ...]]:
    """A row a unit and action: which variables were there before and after, and the one acted on at this unit."""
    d, v = data.before.shape[1:]
    on = np.where(np.arange(d) == data.unit[:, None], data.variable[:, None], -1)
    return (data.before > 0).reshape(-1, v), (data.after > 0).reshape(-1, v), on.ravel(), data.variables


def _targets(before: Bools, after: Bools, acted: Ints, allowed: Bools, required: Bools) -> list[Target]:
    """The starts of every variable, from steps in which it was absent, and where that helps from those that acted on it."""
    v = before.shape[1]
    touched = acted[:, None] == np.arange(v)
    causes = before & ~touched
    idle = [_target(causes, after[:, j], ~before[:, j] & ~touched[:, j], None) for j in range(v)]
    if not touched.any():
        return idle
    every = [_target(causes, after[:, j], ~before[:, j] & ~touched[:, j], touched[:, j]) for j in range(v)]
    gain = 0.0
    for j in range(v):
        mine = touched[:, j]
        others, told = (np.r_[False, False, part[:, j]] for part in (allowed, required))
        back = float(after[mine, j].sum())
        exposure = float(mine.sum()) - back / 2
        constant = back * (np.log(back / exposure) - 1.0) if back else 0.0
        gain += _worth(every[j], others, told) - every[j].lone[1] * np.log(max(exposure, 1.0))
        gain -= _worth(idle[j], others, told) + constant
    return every if gain > 0 else idle


def _target(causes: Bools, after: Bools, absent: Bools, mended: Bools | None) -> Target:
    """Starts of a variable while it was absent, under the first background, and after an action on it, under the second."""
    second = np.zeros_like(absent) if mended is None else mended
    x = np.column_stack([absent, second, causes]).astype(np.float64)
    started, stayed = (absent | second) & after, (absent | second) & ~after
    exposure = x[stayed].sum(axis=0) + 0.5 * x[started].sum(axis=0)
    phi = x[started]
    alone = ~phi[:, 2:].any(axis=1)
    return scaled(phi[~alone], phi[alone, :2].sum(axis=0), exposure)


def _worth(target: Target, allowed: Bools, required: Bools) -> float:
    """The penalised likelihood of the best set of causes."""
    price = price_of(len(target.phi) + target.lone.sum(), len(allowed) - 2)
    best = choose(target, (allowed & (target.exposure > 0)) | required, required, price, np.flatnonzero(required))
    return best.value - price * (len(best.columns) - 2)
