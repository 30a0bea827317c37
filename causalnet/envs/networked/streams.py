"""Random streams for compiled environments: one SplitMix stream (Steele, Lea, Flood, OOPSLA 2014) per environment.

A stream is two unsigned 64-bit words, (position, stride), in a row of an array: element e of a batch owns row e, so its
episode is the same to the bit whatever the other elements do, and the same as a single environment on that row.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...base import checks
from ...errors import DataError

Words = NDArray[np.uint64]  # streams, (2,) or (E, 2)
Seed = int | np.random.Generator | Words | None
HALF = 2.0**-32  # turns 32 random bits into a number in [0, 1)
LOW = np.uint64(0xFFFFFFFF)
WORD = np.uint64(32)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # the odd number next to 2^64 over the golden ratio


@njit(cache=True, inline="always")
def mix(z: np.uint64) -> np.uint64:
    """The output function of SplitMix: 64 well-mixed bits of a counter."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, inline="always")
def draw(stream: Words) -> np.uint64:
    """64 random bits; moves ``stream`` (2,) on by one."""
    stream[0] += stream[1]
    return mix(stream[0])


@njit(cache=True, inline="always")
def uniform(stream: Words) -> float:
    """A number in [0, 1) with 53 random bits; moves ``stream`` (2,) on by one."""
    return (draw(stream) >> np.uint64(11)) * 2.0**-53


@njit(cache=True)
def _fill(root: np.uint64, counter: int, rows: Words) -> None:
    """Positions and odd strides: the mixed numbers root + golden k, k = counter, counter + 1, ..., two for each row."""
    for e in range(len(rows)):
        k = np.uint64(counter + 2 * e)
        rows[e, 0] = mix(root + k * _GOLDEN)
        stride = mix(root + (k + np.uint64(1)) * _GOLDEN) | np.uint64(1)
        ends = stride ^ (stride >> np.uint64(1))  # of the runs of equal bits
        count = 0
        while ends:
            ends &= ends - np.uint64(1)
            count += 1
        # a stride with long runs mixes badly; Steele et al. flip every second bit of such a one
        rows[e, 1] = stride ^ np.uint64(0xAAAAAAAAAAAAAAAA) if count < 24 else stride


def generator(seed: Seed) -> np.random.Generator:
    """The numpy Generator that a seed stands for (see :func:`spawn`)."""
    if seed is None or (isinstance(seed, np.ndarray) and seed.dtype == np.uint64):
        return np.random.default_rng(seed)
    return checks.generator("seed", seed)


def spawn(seed: Seed, count: int, first: int = 0) -> Words:
    """Rows ``first`` to ``first + count - 1`` of the streams of a seed, (count, 2): row e never depends on ``count``.

    ``seed`` is a whole number, a ``numpy.random.Generator`` (drawn from once), None (fresh entropy), or streams already
    made, (count, 2) uint64, which are copied.
    """
    if isinstance(seed, np.ndarray):
        if seed.shape != (count, 2) or seed.dtype != np.uint64:
            raise DataError(
                f"streams are unsigned 64-bit words of shape ({count}, 2), a row an environment, as spawn(seed, {count}) "
                f"makes them; this array is {seed.dtype} of shape {seed.shape}"
            )
        return seed.copy()
    if isinstance(seed, np.random.Generator):
        seed = int(seed.integers(2**63))
    entropy = None if seed is None else checks.whole("seed", seed, 0)
    root = np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0]
    rows = np.empty((count, 2), np.uint64)
    _fill(root, 2 * first + 1, rows)
    return rows
