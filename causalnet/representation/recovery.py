"""How often are the masks right, and how wrong the domain factor, as the number of trajectories grows?

Experiments in functions, for pipelines and tests: ``simulate(seed, trajectories)`` supplies the transitions, so that
nothing here knows an environment, and no search sees the truth that it is scored on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..data.transitions import Transitions
from ..errors import DataError
from ..graph.causal_masks import CausalMasks
from .domain import DomainFactor

Simulate = Callable[[int, int], Transitions]  # (seed, trajectories a domain) -> pooled transitions
LEVELS: Mapping[str, tuple[str, ...]] = {
    # what counts as exact, from the coarsest claim to every entry there is
    "distractors and domain": ("distractors", "domain"),
    "own and actions": ("own", "own_action", "domain", "other_action", "distractors"),
    "every entry": ("own", "own_action", "domain", "other_action", "other_state", "distractors"),
}


def recovery_rates(
    simulate: Simulate,
    learn: Callable[[Transitions], CausalMasks],
    truth: CausalMasks,
    trajectories: Sequence[int],
    seeds: Sequence[int],
    *,
    components: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """One record a number of trajectories: how many of the seeds gave exact masks, by the three meanings of exact.

    components: those that are scored, as in :meth:`CausalMasks.wrong`. Keys: "trajectories", "seeds", "rows" (transitions
    an agent), one of LEVELS each with its share, and "wrong": the mean number of wrong entries of each part.
    """
    records = []
    for size in trajectories:
        data = [simulate(seed, size) for seed in seeds]
        wrong = [learn(d).wrong(truth, components) for d in data]
        record: dict[str, Any] = {"trajectories": size, "seeds": len(wrong), "rows": data[0].rows}
        for level, parts in LEVELS.items():
            record[level] = float(np.mean([all(w[part] == 0 for part in parts) for w in wrong]))
        record["wrong"] = {part: float(np.mean([w[part] for w in wrong])) for part in wrong[0]}
        records.append(record)
    return records


def factor_errors(
    simulate: Simulate,
    estimate: Callable[[Transitions], DomainFactor],
    truth: ArrayLike,
    trajectories: Sequence[int],
    seeds: Sequence[int],
) -> list[dict[str, float]]:
    """One record a number of trajectories: root mean square error of the factor over seeds (and agents), and the mean of
    the standard errors that the estimate claims. The errors fall with slope -1/2: :func:`log_slope`."""
    records = []
    for size in trajectories:
        found = [estimate(simulate(seed, size)) for seed in seeds]
        error = np.array([f.value - np.asarray(truth) for f in found])
        rms, claimed = float(np.sqrt((error**2).mean())), float(np.nanmean([f.standard_error for f in found]))
        records.append({"trajectories": size, "error": rms, "claimed": claimed})
    return records


def log_slope(sizes: ArrayLike, errors: ArrayLike) -> float:
    """Least-squares slope of log(errors) on log(sizes)."""
    x, y = np.asarray(sizes, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if x.shape != y.shape or x.size < 2 or min(x.min(), y.min()) <= 0:
        raise DataError(f"log_slope needs two or more positive sizes and as many positive errors; got {x} and {y}")
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
