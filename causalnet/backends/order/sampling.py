"""As many rows as there is time for: a sample searched to the end beats a table cut short."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Ints

PACE = 3e6  # rows times squared columns of categories that are searched in a second, about
ENOUGH = 10_000  # rows that are always used


def rows_in_time(n: int, d: int, seconds: float, seed: int) -> Ints | None:
    """The rows, of n with d categories each, that a search of so many seconds is enough for, by ``seed``; None for all.

    Their number is n halved, so that the moment of the question does not decide it.
    """
    limit, used = max(ENOUGH, seconds * PACE / d**2), n
    while used // 2 >= limit:
        used //= 2
    return None if used == n else np.sort(np.random.default_rng(seed).choice(n, used, replace=False))


def tell_sample(n: int, rows: Ints | None) -> list[str]:
    """What the reader of the graph has to know of it."""
    if rows is None:
        return []
    return [
        f"max_seconds is too short to count all {n:,} rows, and {len(rows):,} drawn of them were used; allow more seconds"
    ]
