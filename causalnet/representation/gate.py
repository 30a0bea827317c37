"""A gate between the graph's mask and presence alone, which learns from returns which of the two is better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import stdtr

ARMS = ("causal", "presence")
FIRST = 5  # pairs before any judgement
SURE = 0.975  # the graph's mask is played from this P(causal) on
LEAST = 0.05  # a pair begins in so many of the choices once presence is surely the better one,
OFTEN = 0.25  # and in so many once the graph's mask is: a streak of luck is found out
FORGET = (
    0.99  # weight of the last pair against the next one's: a policy that learns may come to like the other arm better
)


class Gate:
    """Two arms, an episode each: "causal", the graph's mask, and "presence", the mask without a graph.

    It starts from presence, and plays the graph's mask only while the one-sided lower bound on the mean difference between
    episodes of the two arms is above zero. Episodes are played in pairs, one of each arm in a random order, so that what a policy
    learns meanwhile does not tell for either, and both start from one seed (:meth:`start`), so that much the same comes to both:
    under uniform play with its own luck, 100 pairs told a graph worth 36 % of the return on services of 24 in .95 of the trials
    instead of .65, one worth 8 to 10 % on inventories of 14 in .87 to .95 instead of .63 to .92, and a wrong one in at most .02.
    Until the difference is sure one way or the other every choice belongs to a pair, and some of them after that.
        P(causal) = Student's distribution function of m sqrt(n - 1) / s, n - 1 degrees of freedom,
    with discounted mean m, deviation s and number n of the pairs' differences; ``best`` is causal where it exceeds SURE. Returns
    have long tails: a graph that costs a tenth of the return takes some 200 pairs of different seeds to be told from presence, and
    while it is not, presence is played. SURE and FORGET were settled on services (12, 24, a tree, a line, denser ones) and machines (14)
    under uniform play. On those same draws (``pipelines.masks --only uniform`` is the check) a random graph cost .02 % of the
    return on average after 200 episodes (8 % at most; 30 % with LEAST in the place of OFTEN), and one learned from 2,000
    interactions that is worth 45 % kept 44 %.
    """

    def __init__(self) -> None:
        self._sums = [0.0] * 4  # of the pairs' differences: weights, squared weights, values, squares
        self._count = 0
        self._owed: list[str] = []  # second halves of pairs that have begun
        self._seed: int | None = None  # of the pair that has begun last
        self._due = dict.fromkeys(ARMS, 0)  # episodes of pairs that have not ended
        self._waiting: dict[str, list[float]] = {arm: [] for arm in ARMS}  # returns of those whose partner has not

    def choose(self, rng: np.random.Generator) -> str:
        """The arm of the next episode, while it learns."""
        if self._owed:
            return self._owed.pop(0)
        share = LEAST if self.probability < 1.0 - SURE else OFTEN if self.probability > SURE else 1.0
        if rng.random() < share:
            first = int(rng.integers(2))
            self._owed.append(ARMS[1 - first])
            self._due = {arm: many + 1 for arm, many in self._due.items()}
            return ARMS[first]
        return self.best

    def start(self, rng: np.random.Generator, seed: int | None = None) -> tuple[str, int | None]:
        """The arm of the next episode, and the seed to reset it with: ``seed``, but the second of a pair starts as the first did."""
        second = bool(self._owed)
        arm = self.choose(rng)
        if second:
            return arm, self._seed
        if self._owed:
            seed = self._seed = int(rng.integers(1 << 31)) if seed is None else seed
        return arm, seed

    def see(self, arm: str, value: float) -> None:
        """The return of a finished episode; one that belongs to no pair tells nothing that a change of the policy could not."""
        if not self._due[arm]:
            return
        self._due[arm] -= 1
        self._waiting[arm].append(float(value))
        if not all(self._waiting.values()):
            return
        causal, presence = (self._waiting[one].pop(0) for one in ARMS)
        difference = causal - presence
        weights, squared, total, square = self._sums
        self._count += 1
        self._sums = [
            FORGET * weights + 1.0,
            FORGET**2 * squared + 1.0,
            FORGET * total + difference,
            FORGET * square + difference**2,
        ]

    @property
    def probability(self) -> float:
        """That the graph's mask is the better one; a half while there are too few pairs."""
        if self._count < FIRST:
            return 0.5
        weights, squared, total, square = self._sums
        n, mean = weights**2 / squared, total / weights
        spread = math.sqrt(max(square / weights - mean**2, 1e-12) / (n - 1.0))
        return float(stdtr(n - 1.0, mean / spread))

    @property
    def best(self) -> str:
        """The arm to play when nothing is to be learned: presence until the graph's mask is surely the better one."""
        return "causal" if self.probability > SURE else "presence"

    def to_json(self) -> dict[str, Sequence[float]]:
        """What it has learned, for a checkpoint: the sums of pairs, and those that are under way."""
        pairs = [self._count, *self._sums]
        return {
            "pairs": pairs,
            "owed": [ARMS.index(arm) for arm in self._owed],
            "due": list(self._due.values()),
            "seed": [] if self._seed is None else [self._seed],
            **self._waiting,
        }

    def from_json(self, told: Mapping[str, Sequence[float]]) -> None:
        """Take back what ``to_json`` gave."""
        self._count, self._sums = int(told["pairs"][0]), [float(value) for value in told["pairs"][1:]]
        self._owed = [ARMS[int(k)] for k in told["owed"]]
        self._seed = next((int(seed) for seed in told.get("seed", ())), None)
        self._due = {arm: int(many) for arm, many in zip(ARMS, told["due"], strict=True)}
        self._waiting = {arm: [float(value) for value in told[arm]] for arm in ARMS}

    def __repr__(self) -> str:
        return "Gate()"
