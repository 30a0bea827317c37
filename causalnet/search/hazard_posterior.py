"""Doubt about the causes of starts: parent sets drawn by a Markov chain from their posterior, target by target.

The hazard h of a cause has the prior density 4 h exp(-2 h), of mean 1, which a hazard near zero makes improbable; the s starts that it
explains best, of an exposure C, count as its own, and so the likelihood is integrated to

    integral of h^s exp(-h C) 4 h exp(-2 h) dh = 4 gamma(s + 2) / (C + 2)^(s + 2)

against (s / C)^s exp(-s) at its peak. A strong cause of few steps is cheap and a weak one of many steps dear, where BIC's price knows
the number of starts alone: with few starts it let false causes in (inventories of 14, 100 interactions, five believed to one true),
whose masks lost .07 of the return there and now lose none. The prior was settled on services of 10, 24 and a tree and inventories of 12 and
14; a density exp(-h) and one of a higher power of h come close to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import gammaln, xlogy

from ..base.arrays import Bools
from ..stats.hazard_fit import Target, choose, fit

BURN = 5  # sweeps before the first draw
EXPECTED = 2.0  # causes of a variable, before the data


def price_of(starts: float, variables: int) -> float:
    """Nats that a cause must explain: log(starts) / 2 (BIC), and the prior odds of EXPECTED causes among the others."""
    return math.log(max(starts, 2.0)) / 2.0 + odds_against(variables)


def odds_against(variables: int) -> float:
    """log of the prior odds that one of the others is no cause."""
    return math.log(max((variables - 1) / EXPECTED, 1.0))


def draw_parents(
    target: Target, i: int, allowed: Bools, required: Bools, draws: int, rng: np.random.Generator
) -> Bools:
    """(draws, V) bool: sets of causes of variable i, with probability proportional to :func:`evidence`'s exponential.

    allowed, required: (V,) bool. Metropolis steps add, drop or exchange one cause; the chain starts at the best set.
    Where a variable never started, nothing is known of its causes, and the sets are the required ones.
    """
    v = len(allowed)
    allowed = (allowed & (target.exposure[2:] > 0) & (np.arange(v) != i)) | required
    starts = len(target.phi) + target.lone.sum()
    if starts == 0:
        return np.broadcast_to(required, (draws, v)).copy()
    price = price_of(starts, v)
    ground = np.zeros(2, dtype=bool)
    best = choose(target, np.r_[ground, allowed], np.r_[ground, required], price, np.flatnonzero(required) + 2)
    now = np.zeros(v, dtype=bool)
    now[best.columns[2:] - 2] = True
    value = _remembered(target)
    free, drawn, score = np.flatnonzero(allowed & ~required), [], value(now)
    for sweep in range(-BURN, draws):
        for j in rng.choice(free, len(free)) if len(free) else free:  # anew each time, or an exchange has no way back
            new = now.copy()
            new[j] ^= True
            others, back = np.flatnonzero(now & ~required), 0.0  # log q(now | new) / q(new | now)
            if not new[j]:
                back = math.log(0.5) if len(others) > 1 else 0.0
            elif len(others) and rng.random() < 0.5:
                new[rng.choice(others)] = False  # as many ways back: sets of one size have as many members
            elif len(others):
                back = math.log(2.0)  # a cause among others is added half of the time, and dropped every time
            moved = value(new)
            if math.log(rng.random() + 1e-300) < moved - score + back:
                now, score = new, moved
        if sweep >= 0:
            drawn.append(now)
    return np.array(drawn).reshape(draws, v)


def evidence(target: Target, causes: Bools) -> float:
    """log of the probability of a set of causes (V,), up to what all sets share."""
    columns = np.flatnonzero(np.r_[True, True, causes])
    found = fit(target, columns)
    starts, steps = found.theta[2:], np.maximum(target.exposure[columns[2:]], 0.5)  # a required cause may lack any
    peak = xlogy(starts, starts / steps) - starts
    whole = math.log(4.0) + gammaln(starts + 2.0) - (starts + 2.0) * np.log(steps + 2.0)
    return float(found.value + (whole - peak).sum() - odds_against(len(causes)) * causes.sum())


def _remembered(target: Target) -> Callable[[Bools], float]:
    """The evidence of sets of causes, each worked out once."""
    known: dict[bytes, float] = {}

    def value(causes: Bools) -> float:
        key = causes.tobytes()
        if key not in known:
            known[key] = evidence(target, causes)
        return known[key]

    return value
