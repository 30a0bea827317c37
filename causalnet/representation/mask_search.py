"""Causal masks from pooled transitions: for every next component and reward, its parents one step earlier.

Edges run from t - 1 to t only, so finding parents is finding adjacencies (arXiv 2510.21427, appendix F): for each target
(1) a grow-shrink search among the agent's own components, its action and the domain index; (2) the same among a
neighbour's components and action, given what (1) found; (3) the domain index, where anything else acts on the target
too, is kept only if the target still depends on it when the whole neighbourhood is balanced
(:mod:`causalnet.search.balancing`). Step (2) takes one neighbour at a time: it assumes that neighbours' actions and states
are not tied to one another other than through the agent and the domain, which holds for exploring policies that draw
actions independently; a backend behind :func:`causalnet.representation.two_slice.masks_by` makes no such assumption,
and needs more data.

Pooling. Agents with the same mechanism share their masks: ``pooling="agents"`` tests all of them together, one verdict for
all agents and one for all neighbours. A neighbour's action 2 may be my access point 1 if it lives to the east and 4 if it
lives to the west. Two ways to keep such meanings apart: ``relation`` labels (statistics are summed over labels, never
mixed), or ``frame``, every neighbour's action in the agent's own codes (:func:`.causal_masks.own_frame`), which needs
to know which access point an action uses and finds weaker effects in the same data.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri

from ..base.arrays import Array, Bools, Codes, Ints
from ..base.checks import array_of, instance, one_of, share, whole
from ..data.transitions import Transitions
from ..errors import DataError
from ..graph.causal_masks import CausalMasks, directed_pairs
from ..search.balancing import balanced_test, log_likelihoods
from ..search.parents import find_parents, stratified_test

POOLING = ("agents", "none")
FEW_VALUES = 10  # rewards with at most so many values are categories
POWER = 0.1  # nats: where no test can see less than this, the caller is told
SCREEN = 0.01  # level at which a variable counts as telling of the domain


def learn_masks(
    transitions: Transitions,
    *,
    pooling: str = "agents",
    relation: ArrayLike | None = None,
    frame: ArrayLike | None = None,
    classes: ArrayLike | None = None,
    delta: float = 1e-3,
    test: str = "exact",
    max_cond: int | None = None,
    max_rows: int = 200_000,
    reward_bins: int = 4,
) -> CausalMasks:
    """The masks by conditional independence tests, every one at level alpha = delta / (2 x number of tests).

    pooling: "agents" (homogeneous agents: one set of masks for all) or "none" (each agent and neighbour on its own).
    relation: (P,) labels of directed pairs in the order of ``transitions.neighbours``; None: every pair its own label,
    or with a frame one for all. frame: (P, A) whole numbers, [pair (i, j), a]: action a of j as agent i sees it.
    classes: (n,) labels of agents whose rows may be mixed; None: their number of neighbours.
    delta: chance of any wrong edge. test: "exact", "g2" or "chi2". max_cond: as in find_parents. max_rows: more pooled
    rows than this are thinned to evenly spaced agents. reward_bins: quantile bins of a reward with more than 10 values.
    meta["weakest"] is the least conditional mutual information of an edge found, in nats: the lambda of sample_law.
    meta["untested"] names the sources that never vary within an agent: nothing can be learned about what they act on.
    """
    one_of("pooling", pooling, POOLING)
    share("delta", delta)
    for name, value, least in (("max_rows", max_rows, 1), ("reward_bins", reward_bins, 2), ("max_cond", max_cond, 0)):
        if name != "max_cond" or value is not None:
            whole(name, value, least)
    instance("transitions", transitions, Transitions, "Transitions, see as_transitions")
    if transitions.rows == 0:
        raise DataError("there are no transitions to learn masks from; collect at least one step of every domain")
    if len(np.unique(transitions.domain)) < 2:
        warnings.warn(
            "transitions of one domain cannot show what its factor acts on: the domain masks stay empty; pool at least two",
            UserWarning,
            stacklevel=2,
        )
    n, c = transitions.n_agents, transitions.n_components
    first, second = directed_pairs(transitions.neighbours)
    seen = _frame(frame, first.size, transitions)
    labels = _labels(relation, first.size, "relation", np.arange(first.size) * (frame is None))
    pairs = _Pairs(first, second, labels)
    groups = _labels(classes, n, "classes", np.diff(transitions.neighbours.indptr))
    own, domain = np.zeros((n, c + 1, c + 1), bool), np.zeros((n, c + 1), bool)
    other = np.zeros((first.size, c + 1, c + 1), bool)
    alone, pointer = pooling == "none", transitions.neighbours.indptr
    tests = (c + 1) * (c + 2) * (n if alone else 1) + (c + 1) ** 2 * (first.size if alone else 1)
    options = _Options(delta / (2 * tests), test, max_cond, max_rows, reward_bins)
    meta: dict[str, Any] = {"pooling": pooling, "test": test, "alpha": options.alpha}
    meta |= {"tests": 0, "weakest": math.inf, "untested": []}
    for agents in np.arange(n)[:, None] if alone else [np.arange(n)]:
        data = _Group(transitions, agents, groups, seen, options)
        meta["pooled_rows"] = data.chosen.size * transitions.rows
        blankets = data.search_own(own, domain, meta)
        mine = np.arange(*pointer[agents[0] : agents[0] + 2]) if alone else np.arange(first.size)
        kinds = mine[:, None] if alone else [mine] * (mine.size > 0)
        for kind in kinds:
            data.search_neighbours(kind, pairs, blankets, other, meta)
        data.balance(blankets, np.any(other[mine], axis=(0, 2)), pairs.first[mine], pairs.second[mine], kinds, domain)
    _warn_of_power(meta["pooled_rows"], options.alpha)
    return CausalMasks(own, other, domain, transitions.neighbours, transitions.components, meta)


def _warn_of_power(rows: int, alpha: float) -> None:
    """G^2 = 2 n I must exceed the chi-square quantile, at best with one degree of freedom: least I that can be seen."""
    least = float(chdtri(1, alpha)) / (2 * rows)
    if least > POWER:
        warnings.warn(
            f"masks from {rows} pooled rows: tests at level {alpha:.2g} see an effect from {least:.2g} nats of information up "
            f"at best (a yes-or-no target holds 0.69), so an edge that is not found may well be there; for effects of "
            f"{POWER:g} nats collect {math.ceil(rows * least / POWER):,} rows or more",
            UserWarning,
            stacklevel=3,
        )


@dataclass(frozen=True)
class _Options:
    alpha: float
    test: str
    max_cond: int | None
    max_rows: int
    reward_bins: int


class _Pairs(NamedTuple):
    """(P,) directed pairs of neighbours: agent ``first`` looks at ``second``; pairs of different labels do not mix."""

    first: Ints
    second: Ints
    labels: Ints


class _Group:
    """Agents whose masks are learned together: their rows, stacked agent by agent."""

    def __init__(self, data: Transitions, agents: Ints, groups: NDArray, frame: NDArray, options: _Options) -> None:
        self.data, self.agents, self.options = data, agents, options
        self.chosen = _thinned(agents, data.rows, options.max_rows)
        self.rewards = reward_codes(data.rewards[:, self.chosen], options.reward_bins)
        self.groups, self.frame = groups, frame

    def targets(self, of: Ints) -> Codes:
        """(c + 1, len(of) R): next components, then the reward, of the agents named."""
        at = np.searchsorted(self.chosen, of)
        return np.vstack([_stack(self.data.next_states, of), self.rewards[:, at].T.reshape(1, -1)])

    def sources(self, of: Ints) -> Codes:
        """(c + 1, len(of) R): components, then the action, of the agents named."""
        return np.vstack([_stack(self.data.states, of), self.data.actions[:, of].T.reshape(1, -1)])

    def search_own(self, own: NDArray, domain: NDArray, meta: dict[str, Any]) -> list[list[int]]:
        """Step 1, written into own and domain; the blanket of each target as rows of sources plus, c + 1, the domain."""
        c, k = self.data.n_components, self.chosen.size
        label = np.repeat(self.groups[self.chosen], self.data.rows)
        candidates = np.vstack([self.sources(self.chosen), np.tile(self.data.domain, k)])
        blankets, varies = self._find(candidates, label[None], self.targets(self.chosen), k, [[]] * (c + 1), meta)
        own[self.agents] = [np.isin(np.arange(c + 1), found) for found in blankets]
        domain[self.agents] = [c + 1 in found for found in blankets]
        names, whose = [*self.data.components, "action"], self.data.agents[self.agents[0]]
        owner = f"of agent {whose}" if self.agents.size == 1 else "of every agent"
        meta["untested"] += [f"{names[s]} {owner}" for s in range(c + 1) if not varies[s]]
        return blankets

    def search_neighbours(
        self, kind: Ints, pairs: _Pairs, blankets: list[list[int]], other: Bools, meta: dict[str, Any]
    ) -> None:
        """Step 2, written into other[kind]: what of a neighbour acts, given the agent's own blanket. Pairs (i, j)."""
        first, second, labels = pairs.first[kind], pairs.second[kind], pairs.labels[kind]
        c, rows = self.data.n_components, self.data.rows
        keep = np.flatnonzero(np.isin(first, self.chosen))
        keep = keep[_thinned(np.arange(keep.size), rows, self.options.max_rows)]
        i, j = first[keep], second[keep]
        label = np.repeat(np.unique(labels[keep], return_inverse=True)[1], rows)
        fixed = np.vstack([label, self.sources(i), np.tile(self.data.domain, i.size)])
        theirs = self.sources(j)
        if self.frame.size:
            theirs[c] = self.frame[np.repeat(kind[keep], rows), theirs[c]]
        given = [[1 + s for s in blanket] for blanket in blankets]
        members, _ = self._find(theirs, fixed, self.targets(i), i.size, given, meta)
        other[kind] = [np.isin(np.arange(c + 1), found) for found in members]

    def balance(
        self, blankets: list[list[int]], moved: NDArray, first: NDArray, second: NDArray, kinds: Any, domain: NDArray
    ) -> None:
        """Step 3: drop the domain edges that the past of the neighbourhood explains, what step 1 found (``blankets``)
        held fixed and the rest balanced. moved: (c + 1,), targets on which step 2 found a neighbour to act."""
        surrogate = self.data.n_components + 1
        claimed = [t for t, found in enumerate(blankets) if surrogate in found and (len(found) > 1 or moved[t])]
        if not claimed:
            return
        rows, k, n_domains = self.data.rows, self.chosen.size, len(self.data.domains)
        near = np.zeros((k, rows, n_domains))
        for kind in [np.arange(first.size)] if len(kinds) == 1 else np.arange(first.size)[:, None]:
            mine = kind[np.isin(first[kind], self.chosen)]
            if mine.size:
                part = log_likelihoods(self._telling(second[mine]), np.tile(self.data.domain, mine.size), n_domains)
                np.add.at(near, np.searchsorted(self.chosen, first[mine]), part.reshape(mine.size, rows, n_domains))
        index, label = np.tile(self.data.domain, k), np.repeat(self.groups[self.chosen], rows)
        sources, targets = self.sources(self.chosen), self.targets(self.chosen)
        for target in claimed:
            fixed = [s for s in blankets[target] if s != surrogate]
            score = log_likelihoods(self._telling(self.chosen, fixed), index, n_domains) + near.reshape(-1, n_domains)
            given = np.vstack([sources[fixed], label[None]]).astype(np.int32)
            log_p = balanced_test(targets[target].astype(np.int32), index, score, given, self.options.test)
            domain[self.agents, target] = log_p < np.log(self.options.alpha)

    def _telling(self, of: Ints, without: Sequence[int] = ()) -> Ints:
        """(len(of) R,) joint code of the variables of these agents that tell the domains apart at all."""
        columns, index = self.sources(of), np.tile(self.data.domain, of.size)
        code = np.zeros(index.size, np.int64)
        for column in np.delete(columns, list(without), axis=0):
            *_, log_p = stratified_test(column.astype(np.int32), index, np.zeros((0, index.size), np.int32))
            if log_p < np.log(SCREEN):
                code = np.unique(code * (int(column.max()) + 1) + column, return_inverse=True)[1]
        return code

    def _find(
        self,
        candidates: NDArray,
        fixed: NDArray,
        targets: Codes,
        blocks: int,
        given: list[list[int]],
        meta: dict[str, Any],
    ) -> tuple[list[list[int]], Bools]:
        """Parents of each target among the candidates, given row 0 of ``fixed``, the label, and the target's rows
        ``given`` of it; and which candidates vary in any of the ``blocks`` of rows."""
        columns = np.ascontiguousarray(np.vstack([candidates, fixed, targets]), dtype=np.int32)
        varies, k, last = _varies(columns, blocks), len(candidates), len(candidates) + len(fixed)
        search = partial(find_parents, columns, alpha=self.options.alpha, test=self.options.test)
        members = []
        for row, rows in enumerate(given, last):
            usable = np.flatnonzero(varies[:k] & varies[row]).tolist()
            found = search(row, usable, given=[k, *(k + r for r in rows)], max_cond=self.options.max_cond)
            meta["tests"] += found.tests
            meta["weakest"] = min([meta["weakest"], *(found.information.get(m, math.inf) for m in found.members)])
            members.append(list(found.members))
        return members, varies[:k]


def reward_codes(rewards: Array, bins: int = 4) -> Codes:
    """Rewards as categories: their distinct values, or quantile bins where there are more than ten. Same shape."""
    values = np.unique(rewards)
    if values.size > FEW_VALUES:
        values = np.unique(np.quantile(rewards, np.linspace(0, 1, bins + 1)[1:-1], method="nearest"))
        return np.searchsorted(values, rewards, side="right").astype(np.int32)
    return np.searchsorted(values, rewards).astype(np.int32)


def _stack(array: Codes, of: Ints) -> Codes:
    """(R, n, c) to (c, len(of) R): one agent's rows after the other's."""
    return array[:, of].transpose(2, 1, 0).reshape(array.shape[2], -1)


def _varies(columns: Codes, blocks: int) -> Bools:
    """(d,): does the column vary within any of the agents whose rows are stacked? A constant trait of an agent, such as
    its place, cannot be told from everything else about that agent."""
    parts = columns.reshape(len(columns), blocks, -1)
    return np.asarray((parts.max(axis=2) > parts.min(axis=2)).any(axis=1))


def _thinned(of: Ints, rows: int, most: int) -> Ints:
    """At most ``most / rows`` of them, evenly spaced; at least one."""
    room = max(1, most // max(rows, 1))
    return of if of.size <= room else of[np.linspace(0, of.size - 1, room).astype(np.int64)]


def _frame(frame: ArrayLike | None, pairs: int, data: Transitions) -> Ints:
    """(P, A) checked, or (0, 0) for none."""
    if frame is None:
        return np.zeros((0, 0), np.int64)
    table, width = array_of("frame", frame), int(data.actions.max()) + 1
    if table.ndim != 2 or table.shape[0] != pairs or table.shape[1] < width or table.dtype.kind not in "iu":
        raise DataError(
            f"frame is a table of whole numbers ({pairs} directed pairs, {width} or more actions), not {table.dtype} {table.shape}"
        )
    if pairs and table.min() < 0:
        raise DataError(f"frame holds {table.min()}; its codes run from 0 up")
    return table.astype(np.int64)


def _labels(given: ArrayLike | None, size: int, what: str, default: NDArray) -> Ints:
    """(size,) labels renumbered from 0."""
    labels = default if given is None else array_of(what, given)
    if labels.shape != (size,):
        raise DataError(
            f"{what} has shape {labels.shape}; it takes one label for each of the {size} {'directed pairs' if what == 'relation' else 'agents'}"
        )
    if labels.dtype.kind == "O":
        raise DataError(f"{what} holds labels of several kinds, such as {labels[0]!r}; give numbers, or texts")
    return np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)
