"""As many rows as there is time for: a sample searched to the end beats a table cut short."""

from __future__ import annotations

import numpy as np

from ...data import Table

PACE = 2e6  # rows times squared columns of categories that are searched in a second, about
ENOUGH = 10_000  # rows of which none is left out


def in_time(data: Table, seconds: float, seed: int) -> tuple[Table, list[str]]:
    """As many rows of a table of categories, by ``seed``, as a search of so many seconds is enough for, of every regime; and what
    the reader of the graph has to know of it.

    Their number is that of all rows halved, so that the moment of the question does not decide it.
    """
    limit, used = max(ENOUGH, seconds * PACE / data.d**2), data.n
    while used > limit:
        used //= 2
    if used == data.n:
        return data, []
    some = data.part(np.random.default_rng(seed), used / data.n)
    return some, [
        f"max_seconds is too short to count all {data.n:,} rows, and {some.n:,} drawn of them were used; allow more seconds"
    ]
