"""Which component of whom acts on what: the causal masks of a networked system, agent by agent.

Component k of agent i moves by s_ik' = f_ik(c^{s->s} * s_{N_i}, c^{a->s} * a_{N_i}, c^{w->s} * w_i, noise) and its reward is
r_i(c^{s->r} * s_{N_i}, c^{a->r} * a_{N_i}, c^{w->r} * w_i) (arXiv 2510.21427, section 2). The paper lets only the agent's own
action act, and only the own state be rewarded; where agents collide the neighbours' actions and states do both, so
every mask here has a part for the agent itself and one for each neighbour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ..base.arrays import Bools, Ints
from ..base.checks import array_of, distinct, instance, known, names, shaped
from ..data.sealed import freeze
from ..data.transitions import as_neighbours
from ..errors import DataError


@dataclass(frozen=True, eq=False, repr=False)
class CausalMasks:
    """The masks of n agents with c components each and P directed pairs (i, j), j a neighbour of i; read-only.

    Targets are the c next components and, last, the reward; sources the c components and, last, the action.
    own: (n, c + 1, c + 1) bool, [agent, target, source]. other: (P, c + 1, c + 1) bool, the same for a neighbour's
    sources, pairs in the order of ``neighbours.indices``. domain: (n, c + 1) bool, does the domain factor act directly.
    neighbours: (n, n) bool CSR without a diagonal; a dense adjacency or a networkx graph becomes one, pairs row by row.
    components: c names. meta: how they came about.
    """

    own: Bools
    other: Bools
    domain: Bools
    neighbours: sparse.csr_matrix
    components: tuple[str, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "components", distinct("components", self.components))
        object.__setattr__(self, "neighbours", _csr(self.neighbours, self.own))
        n, width = self.neighbours.shape[0], self.n_components + 1
        shapes = {"own": (n, width, width), "other": (self.neighbours.nnz, width, width), "domain": (n, width)}
        for name, shape in shapes.items():
            given = shaped(name, array_of(name, getattr(self, name)), shape, "this network's, with these components")
            if given.dtype != bool and ((given != 0) & (given != 1)).any():
                odd = given[(given != 0) & (given != 1)][0]
                raise DataError(f"{name} holds {odd!r}; a mask is yes or no: compare weights with a threshold first")
            object.__setattr__(self, name, freeze(given.astype(bool)))

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return int(self.own.shape[0])

    @property
    def n_components(self) -> int:
        """Number of state components of an agent."""
        return len(self.components)

    @property
    def pairs(self) -> tuple[Ints, Ints]:
        """(P,), (P,): the agents i and j of every directed pair, in order."""
        return directed_pairs(self.neighbours)

    def state_to_state(self) -> sparse.csr_matrix:
        """(n c, n c) bool: [i c + k, j c + l] says that component l of agent j acts on next component k of agent i."""
        return self._states_on(slice(self.n_components))

    def state_to_reward(self) -> sparse.csr_matrix:
        """(n, n c) bool: [i, j c + l] says that component l of agent j acts on the reward of agent i."""
        return self._states_on(slice(self.n_components, None))

    def _states_on(self, targets: slice) -> sparse.csr_matrix:
        """(n t, n c) bool: which agents' components act on which of the t targets of an agent."""
        c, t = self.n_components, len(range(self.n_components + 1)[targets])
        i, k, source = np.nonzero(self.own[:, targets, :c])
        p, k2, source2 = np.nonzero(self.other[:, targets, :c])
        first, second = self.pairs
        row = np.concatenate([i * t + k, first[p] * t + k2])
        col = np.concatenate([i * c + source, second[p] * c + source2])
        return sparse.csr_matrix((np.ones(row.size, bool), (row, col)), shape=(self.n_agents * t, self.n_agents * c))

    def wrong(self, truth: CausalMasks, components: Sequence[str] | None = None) -> dict[str, int]:
        """Entries that differ from the truth, by part: how many agents' or pairs' entries are wrong in each.

        components: score only these next components and the reward; a component that is constant for every agent has
        no identifiable causes. Keys: "own" (own components), "own_action", "domain", "other_action", "other_state",
        and "distractors": components that truly act on no scored target but themselves, found as causes of another.
        """
        instance("truth", truth, CausalMasks, "the CausalMasks to compare with")
        components = (components,) if isinstance(components, str) else components
        components = None if components is None else names("components", components)
        same = self.components == truth.components and self.n_agents == truth.n_agents
        if not same or (self.neighbours != truth.neighbours).nnz:
            raise DataError("the masks are of different networks or components and cannot be compared")
        c = self.n_components
        for name in components or ():
            known(name, self.components, f"there is no component {name!r}")
        rows = [k for k, name in enumerate(self.components) if components is None or name in components] + [c]
        own, other = (self.own ^ truth.own)[:, rows], (self.other ^ truth.other)[:, rows]
        apart = ~np.eye(c + 1, dtype=bool)[rows, :c]  # (scored, c): the target is not the source itself
        acts = (truth.own[:, rows, :c] & apart).any(axis=(0, 1)) | truth.other[:, rows, :c].any(axis=(0, 1))
        return {
            "own": int(own[:, :, :c].sum()),
            "own_action": int(own[:, :, c].sum()),
            "domain": int((self.domain ^ truth.domain)[:, rows].sum()),
            "other_action": int(other[:, :, c].sum()),
            "other_state": int(other[:, :, :c].sum()),
            "distractors": int((own[:, :, :c] & apart)[:, :, ~acts].sum() + other[:, :, :c][:, :, ~acts].sum()),
        }

    def __repr__(self) -> str:
        edges = int(self.own.sum() + self.other.sum() + self.domain.sum())
        return f"CausalMasks({self.n_agents} agents x {self.n_components} components, {edges} edges)"


def directed_pairs(neighbours: sparse.csr_matrix) -> tuple[Ints, Ints]:
    """(P,), (P,): the agents i and j of every directed pair, j a neighbour of i, row by row of the CSR adjacency."""
    return np.repeat(np.arange(neighbours.shape[0]), np.diff(neighbours.indptr)), neighbours.indices.astype(np.int64)


def offset_relations(neighbours: sparse.csr_matrix, positions: ArrayLike) -> Ints:
    """(P,) labels of directed pairs on a grid: which pairs stand to each other alike. positions: (n, k) whole numbers."""
    where = np.asarray(positions)
    neighbours = _csr(neighbours, where)
    if where.ndim != 2 or where.shape[0] != neighbours.shape[0]:
        raise DataError(f"positions has shape {where.shape}; give a row for each of the {neighbours.shape[0]} agents")
    first, second = directed_pairs(neighbours)
    return np.unique(where[second] - where[first], axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def own_frame(neighbours: sparse.csr_matrix, places: ArrayLike) -> Ints:
    """(P, A): a neighbour's action in the agent's own codes, for actions that each use one place (an access point).

    places: (n, A) whole numbers, the place that an action of an agent uses, negative for none. An action of neighbour j
    becomes the code of the agent's own action at the same place, A for a place the agent does not reach, and 0 for none.
    """
    where = array_of("places", places)
    neighbours = _csr(neighbours, where)
    if where.ndim != 2 or where.shape[0] != neighbours.shape[0] or where.dtype.kind not in "iu":
        raise DataError(f"places has shape {where.shape}; give whole numbers, {neighbours.shape[0]} rows of them")
    first, second = directed_pairs(neighbours)
    same = where[second][:, :, None] == where[first][:, None, :]  # (P, action of j, action of i)
    mine = np.where(same.any(axis=2), same.argmax(axis=2), where.shape[1])
    return np.where(where[second] >= 0, mine, 0).astype(np.int64)


def _csr(neighbours: Any, rows: ArrayLike) -> sparse.csr_matrix:
    """A CSR adjacency as it is, whose order of pairs others refer to; anything else as one, with an agent for each row."""
    if sparse.issparse(neighbours) and neighbours.format == "csr":
        return neighbours
    return as_neighbours(neighbours, len(np.atleast_1d(np.asarray(rows))))


def sample_law(d_i: int, d_max: int, n: int, delta: float, strength: float) -> float:
    """Transitions that suffice for the masks up to a constant: d_i d_max log(d_i n / delta) / lambda^2.

    arXiv 2510.21427, Proposition 4 as printed (its proof gives (d_max^2 log d_i + d_max log(n / delta)) / lambda^2).
    d_i: variables of a neighbourhood; d_max: most parents of one; strength: lambda, the least conditional mutual
    information of a true edge, in nats.
    """
    if min(d_i, d_max, n) < 1 or not 0 < delta < 1 or strength <= 0:
        raise DataError(
            f"sample_law needs counts from 1 up, 0 < delta < 1, strength > 0; got {d_i=}, {d_max=}, {n=}, {delta=}, {strength=}"
        )
    return d_i * d_max * math.log(d_i * n / delta) / strength**2
