"""The clipped objective's gradient with respect to logits, a row at a time in one compiled loop."""

from __future__ import annotations

import math

from numba import njit

from ....base.arrays import Array, Bools, Floats, Ints


@njit(cache=True)
def objective(
    logits: Floats,
    allowed: Bools,
    action: Ints,
    old: Floats,
    advantage: Floats,
    clip: float,
    entropy: float,
    slopes: Floats,
    sums: Array,
) -> None:
    """Gradient of -min(rho A, clip(rho) A) - e entropy with respect to logits (R, A), into ``slopes``.

    allowed (R, A), or of size 0: all are. action, old (log probability then), advantage (R,). Added to sums: minus the gain,
    minus the entropy, and rho - 1 - log rho.
    """
    rows, count = logits.shape
    masked = allowed.size > 0
    for r in range(rows):
        top = logits[r, action[r]]
        for k in range(count):
            if not masked or allowed[r, k]:
                top = max(top, logits[r, k])
        total = logits[r, 0] * 0
        for k in range(count):
            slopes[r, k] = math.exp(logits[r, k] - top) if not masked or allowed[r, k] else 0.0
            total += slopes[r, k]
        base, spread = top + math.log(total), total * 0
        for k in range(count):
            slopes[r, k] /= total
            if slopes[r, k] > 0:
                spread -= slopes[r, k] * (logits[r, k] - base)
        log_ratio = logits[r, action[r]] - base - old[r]
        ratio, gained = math.exp(log_ratio), advantage[r]
        cut = min(max(ratio, 1 - clip), 1 + clip)
        slope = -ratio * gained if ratio * gained <= cut * gained else 0.0
        for k in range(count):  # d log pi(a) = 1[k = a] - p_k, d entropy = -p_k (log p_k + entropy)
            p = slopes[r, k]
            if p > 0:
                slopes[r, k] = entropy * p * (logits[r, k] - base + spread) - slope * p
        slopes[r, action[r]] += slope
        sums[0] -= min(ratio * gained, cut * gained)
        sums[1] -= spread
        sums[2] += ratio - 1 - log_ratio
