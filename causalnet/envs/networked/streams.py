"""Random streams for compiled environments: one SplitMix stream (Steele, Lea, Flood, OOPSLA 2014) per environment.

A stream is two unsigned 64-bit words, (position, stride), in a row of an array: element e of a batch owns row e, so its
episode is the same to the bit whatever the other elements do, and the same as a single environment on that row.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...errors import DataError

Seed = int | np.random.Generator | NDArray[np.uint64] | None
HALF = 2.0**-32  # turns 32 random bits into a number in [0, 1)
LOW = np.uint64(0xFFFFFFFF)
WORD = np.uint64(32)


@njit(cache=True, inline="always")
def mix(z: np.uint64) -> np.uint64:
    """The output function of SplitMix: 64 well-mixed bits of a counter."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, inline="always")
def draw(stream: NDArray[np.uint64]) -> np.uint64:
    """64 random bits; moves ``stream`` (2,) on by one."""
    stream[0] += stream[1]
    return mix(stream[0])


@njit(cache=True, inline="always")
def uniform(stream: NDArray[np.uint64]) -> float:
    """A number in [0, 1) with 53 random bits; moves ``stream`` (2,) on by one."""
    return (draw(stream) >> np.uint64(11)) * 2.0**-53


def spawn(seed: Seed, count: int, first: int = 0) -> NDArray[np.uint64]:
    """Rows ``first`` to ``first + count - 1`` of the streams of a seed, (count, 2): row e never depends on ``count``.

    ``seed`` is a whole number, a ``numpy.random.Generator`` (drawn from once), None (fresh entropy), or streams already
    made, (count, 2) uint64, which are copied.
    """
    if isinstance(seed, np.ndarray):
        if seed.shape != (count, 2) or seed.dtype != np.uint64:
            raise DataError(
                f"Streams are unsigned 64-bit words of shape ({count}, 2), a row an environment; "
                f"this array is {seed.dtype} of shape {seed.shape}. Make them with streams(seed, {count})."
            )
        return seed.copy()
    if isinstance(seed, np.random.Generator):
        seed = int(seed.integers(2**63))
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0):
        raise DataError(f"The seed must be a whole number from 0 up, a numpy Generator or None, not {seed!r}.")
    root = np.random.SeedSequence(None if seed is None else int(seed)).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        counter = root + np.arange(2 * first + 1, 2 * (first + count) + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        rows = mix.py_func(counter).reshape(count, 2)  # the same in numpy, on all counters at once
        stride = rows[:, 1] | np.uint64(1)
        # a stride with long runs of equal bits mixes badly; Steele et al. flip every second bit of such a one
        weak = np.bitwise_count(stride ^ (stride >> np.uint64(1))) < 24
        rows[:, 1] = np.where(weak, stride ^ np.uint64(0xAAAAAAAAAAAAAAAA), stride)
    return rows
