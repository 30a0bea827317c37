"""A gate between the graph's mask and presence alone, which learns from what became of choices that the graph would forbid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from scipy.signal import lfilter

from ..base.arrays import Array, Bools
from ..base.asked import asks
from ..base.checks import one_of
from ..errors import DataError

ARMS = ("causal", "presence")
SURE = 4.0  # evidence from which on the mask of a graph is played, in standard errors, until half of that is lost
DOUBTED = 1.5  # the same for a graph with its doubt, which was learned from something and forbids little
EXPLORE = 0.1  # of the steps are masked by presence while the graph's mask is played: what it forbids stays in sight;
EXPLORE_DOUBTED = 0.05  # of those of a graph with its doubt
DISCOUNT, TRACE = 0.98, 0.8  # of what a choice gained
FEW = 20  # choices that tell of a variable, all together, up to which nothing is told
WINDOW = 10_000  # steps of either arm that are remembered, the last ones
GROWTH = 1.1  # by which the memory has grown when it is read again


class Choice(NamedTuple):
    """A step: the variables present, those that the graph keeps and those acted on, (V,) each, and what followed."""

    here: Bools
    kept: Bools
    acted: Bools
    free: bool
    "masked by presence alone"
    reward: float
    over: bool = False
    "the last step of its episode"
    terminated: bool = False
    "nothing follows, whatever the state"


class Gate:
    """Two arms, an episode each: "causal", the graph's mask, and "presence", the mask without a graph.

    It starts from presence and watches. Where the graph would forbid to act on a present variable i, some choices act on i all the
    same and others on what the graph keeps; tau_i is by how much the latter gain more, the worth of the state taken off:
        gain of a step = sum over k of (DISCOUNT TRACE)^k (r_k + DISCOUNT V(s_k+1) - V(s_k)), V linear in what is present;
    tau_i by least squares over the steps that presence masks, mu and sigma the mean and the spread of tau over the variables
    (DerSimonian and Laird), se the error of mu. A wrong graph is right here and there, so its mask is played only while
        mu / sqrt(se^2 + (sigma / SURE)^2) > SURE,
    which asks that mu be beyond SURE standard errors and beyond the spread; DOUBTED is enough of a graph that knows its doubt. One
    that never gets there leaves no trace: a policy learns as under presence, to the last random number. While the graph's mask is
    played, presence masks a share ``explore`` of the steps, and the verdict may turn.

    The numbers were settled on services of 10 and 24, inventories of 12 and 14 and machines of 14 and 24, under uniform play and PPO.
    """

    def __init__(self) -> None:
        self._logs: dict[str, list[Choice]] = {arm: [] for arm in ARMS}  # neither drives the other out
        self._seen = self._read = 0  # steps so far, and when the memory was read last
        self._evidence, self._open, self._sure = 0.0, False, SURE
        self._keep: Callable[[Bools], Bools] | None = None  # of a graph that has come since

    @asks()
    def see(self, arm: str, episode: Sequence[Choice]) -> None:
        """The steps of a finished episode of this arm."""
        one_of("arm", arm, ARMS)
        if (
            not isinstance(episode, list | tuple)
            or not episode
            or not all(isinstance(step, Choice) for step in episode)
        ):
            raise DataError("the episode holds no steps; each is a Choice")
        self._logs[arm] = [*self._logs[arm], *episode][-WINDOW:]
        self._seen += len(episode)
        if self._seen >= min(GROWTH * self._read, self._read + WINDOW / 10):
            self._judge()

    @asks()
    def update(self, keep: Callable[[Bools], Bools] | None, doubted: bool) -> None:
        """Another graph, by what it keeps of the present variables: all that is remembered is read anew when it is due, and the verdict stands until then."""
        self._keep, self._sure = keep, DOUBTED if doubted else SURE

    @property
    def evidence(self) -> float:
        """That the graph is right in what it forbids, in standard errors; 0 while nothing tells."""
        return self._evidence

    @property
    def explore(self) -> float:
        """The share of steps that presence masks while the graph's mask is played: less for a graph that knows its doubt."""
        return EXPLORE if self._sure == SURE else EXPLORE_DOUBTED

    @property
    def best(self) -> str:
        """The arm of the next episode: presence until the graph's mask is surely the better one."""
        return "causal" if self._open else "presence"

    def _judge(self) -> None:
        self._read = self._seen
        if self._keep is not None:
            known = {step.here.tobytes(): step.here for log in self._logs.values() for step in log}
            known = {name: here & self._keep(here) for name, here in known.items()}
            for arm, log in self._logs.items():
                self._logs[arm] = [step._replace(kept=known[step.here.tobytes()]) for step in log]
            self._keep = None
        columns = zip(*chain(*self._logs.values()), strict=True)
        here, kept, acted, free, reward, over, terminated = map(np.array, columns)
        self._evidence = evidence(here, kept, acted, free, gains(here, reward, over, terminated))
        self._open = self._evidence > self._sure / (2.0 if self._open else 1.0)

    def to_json(self) -> dict[str, Any]:
        """What it has seen, for a checkpoint."""
        logs = {arm: packed(log) for arm, log in self._logs.items()}
        return {"counts": [self._seen, self._read], "evidence": [self._evidence, self._open], "logs": logs}

    @asks()
    def from_json(self, told: Mapping[str, Any]) -> None:
        """Take back what ``to_json`` gave; DataError for a gate of before, which compared pairs of episodes."""
        if "evidence" not in told:
            raise DataError(
                "this gate was saved by a version that compared pairs of episodes, which nothing reads now; train anew"
            )
        try:
            self._seen, self._read = map(int, told["counts"])
            self._evidence, self._open = float(told["evidence"][0]), bool(told["evidence"][1])
            self._logs = {arm: unpacked(told["logs"][arm]) for arm in ARMS}
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DataError(f"this is not what a gate has seen ({type(error).__name__}: {error})") from error

    def __repr__(self) -> str:
        return "Gate()"


def packed(choices: Sequence[Choice]) -> dict[str, Any]:
    """Choices as JSON, eight bools a byte."""
    if not choices:
        return {"shape": [0, 0]}
    columns = dict(zip(Choice._fields, map(np.array, zip(*choices, strict=True)), strict=True))
    told = {name: np.packbits(column).tobytes().hex() for name, column in columns.items() if name != "reward"}
    return {**told, "reward": columns["reward"].tolist(), "shape": list(columns["here"].shape)}


def unpacked(told: Mapping[str, Any]) -> list[Choice]:
    """What ``packed`` has packed."""
    n, v = told["shape"]

    def bools(name: str, width: int) -> Bools:
        packs = np.frombuffer(bytes.fromhex(told[name]), np.uint8)
        return np.unpackbits(packs, count=n * width).reshape(n, width).astype(bool)

    if not n:
        return []
    states = [bools(name, v) for name in ("here", "kept", "acted")]
    flags = [bools(name, 1)[:, 0].tolist() for name in ("free", "over", "terminated")]
    return [Choice(*row) for row in zip(*states, flags[0], told["reward"], *flags[1:], strict=True)]


def gains(here: Bools, reward: Array, over: Bools, terminated: Bools) -> Array:
    """(T,) what each step gained beyond the worth of its state, V fitted by least-squares temporal differences."""
    x = np.column_stack([np.ones(len(here)), here, here.sum(axis=1) ** 2]).astype(float)
    follows = np.vstack([x[1:], x[-1:]])
    follows[over] = x[over]  # where an episode is cut, its last state is worth what it was
    follows[terminated] = 0.0
    w = np.linalg.solve(x.T @ (x - DISCOUNT * follows) + np.eye(x.shape[1]), x.T @ reward)
    delta = reward + (DISCOUNT * follows - x) @ w
    parts = np.split(delta, np.flatnonzero(over)[:-1] + 1)
    return np.concatenate([lfilter([1.0], [1.0, -DISCOUNT * TRACE], part[::-1])[::-1] for part in parts])


def evidence(here: Bools, kept: Bools, acted: Bools, free: Bools, gained: Array) -> float:
    """mu / sqrt(se^2 + (sigma / SURE)^2) of the gate; 0 where no variable tells. here, kept, acted: (T, V)."""
    right = np.any(acted & kept, axis=1, keepdims=True) & ~np.any(acted & ~kept, axis=1, keepdims=True)
    told = here & ~kept & free[:, None] & (right | acted)  # the graph forbids i, and i or what it keeps was acted on
    usable = (told & acted).any(axis=0) & (told & ~acted).any(axis=0)
    told, acted = told[:, usable], acted[:, usable]
    n = told.sum(axis=0)
    if n.sum() - 2 * len(n) <= FEW:
        return 0.0
    x = np.where(told, 1.0 / (1 + kept.sum(axis=1, keepdims=True)) - acted, 0.0)
    x, y = (np.where(told, a - (a * told).sum(axis=0) / n, 0.0) for a in (x, gained[:, None]))
    size = (x**2).sum(axis=0)
    tau = (x * y).sum(axis=0) / size
    noise = ((y - tau * x) ** 2).sum() / (n.sum() - 2 * len(n))
    if not noise > 0.0 or not (size > 0.0).all():
        return 0.0
    w = size / noise
    excess = (w * (tau - (w * tau).sum() / w.sum()) ** 2).sum() - (len(tau) - 1)
    spread = max(excess, 0.0) / (w.sum() - (w**2).sum() / w.sum()) if len(tau) > 1 else 0.0
    w = 1.0 / (noise / size + spread)
    se = noise * ((x @ (w / size)) ** 2).sum() / w.sum() ** 2
    return float((w * tau).sum() / w.sum() / math.sqrt(se + spread / SURE**2))
