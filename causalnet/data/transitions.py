"""Transitions (s, a, r, s') of a networked system, pooled over domains: validated, frozen, agent by agent.

A row is one step of one episode in one domain, for all n agents at once. Domains share the mechanism and differ in a
domain factor only (arXiv 2510.21427, section 2); the sources of causal masks, domain factors and off-line critics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ..base.arrays import AnyArray, Array, Codes, Ints
from ..base.asked import asks
from ..base.checks import array_of, distinct, shaped, whole
from ..errors import DataError, UnknownNameError, nearest
from .sealed import freeze

FIELDS = ("states", "actions", "rewards", "next_states")
PLACE = ("domain", "episode", "step")  # where a row stands, (R,) each
MOST_CODES = 1 << 16  # states and actions are codes of categories, not measurements


@dataclass(frozen=True, eq=False, repr=False)
class Transitions:
    """R rows of n agents with c state components each; build it with :func:`as_transitions`. Arrays are read-only.

    states, next_states: (R, n, c) int32 codes. actions: (R, n) int32 codes. rewards: (R, n) float64.
    domain: (R,) int32, an index into ``domains``. episode, step: (R,) int32.
    neighbours: (n, n) bool CSR without a diagonal; row i holds the agents whose states and actions may reach i.
    components: c names. domains: M names. agents: n names.
    """

    states: Codes
    actions: Codes
    rewards: Array
    next_states: Codes
    domain: Codes
    episode: Codes
    step: Codes
    neighbours: sparse.csr_matrix
    components: tuple[str, ...]
    domains: tuple[str, ...]
    agents: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Number of steps, over all episodes and domains."""
        return int(self.states.shape[0])

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return int(self.states.shape[1])

    @property
    def n_components(self) -> int:
        """Number of state components of an agent."""
        return int(self.states.shape[2])

    def of_domain(self, which: int | str) -> Transitions:
        """The rows of one domain, by index or name; the other domains' names are dropped with their rows."""
        if isinstance(which, str):
            if which not in self.domains:
                raise UnknownNameError(f"there is no domain {which!r}.{nearest(which, self.domains)}")
            which = self.domains.index(which)
        which = whole("domain", which, 0, len(self.domains) - 1)
        part = self.take(np.flatnonzero(self.domain == which))
        return replace(part, domain=freeze(np.zeros(part.rows, np.int32)), domains=(self.domains[which],))

    @asks()
    def take(self, rows: Ints) -> Transitions:
        """The given rows (repeats allowed). Not validated again."""
        try:
            rows = np.atleast_1d(np.arange(self.rows)[rows])
        except IndexError as error:
            raise DataError(f"rows are whole numbers from 0 to {self.rows - 1}, or a bool for each: {error}") from None
        return replace(self, **{name: freeze(getattr(self, name)[rows]) for name in (*FIELDS, *PLACE)})

    def __repr__(self) -> str:
        sizes = f"{self.rows} rows x {self.n_agents} agents x {self.n_components} components"
        return f"Transitions({sizes}, {len(self.domains)} domain{'s' if len(self.domains) != 1 else ''})"


def as_transitions(
    fields: Mapping[str, ArrayLike],
    neighbours: Any,
    *,
    components: Sequence[str] | None = None,
    domains: Sequence[str] | None = None,
    agents: Sequence[str] | None = None,
) -> Transitions:
    """Validate and freeze transitions; DataError, naming the field and the place, for anything missing or impossible.

    fields: "states" and "next_states" (R, n, c) or (R, n), "actions" (R, n), "rewards" (R, n), and optionally
    "domain", "episode", "step" (R,), which default to one domain, one episode and the row number. Where steps are given,
    a row and the next step of its episode right after it must join. Without names for them, domains that do not occur
    are left out, and the others keep their number in the name.
    neighbours: (n, n) adjacency, dense or sparse, or a networkx graph whose nodes in order are the agents; a directed
    edge j -> i says that j reaches i.
    """
    if not isinstance(fields, Mapping):
        raise DataError(f"fields is {type(fields).__name__}, and must be a dict with {', '.join(FIELDS)}")
    lacking, known = [name for name in FIELDS if name not in fields], [*FIELDS, *PLACE]
    if lacking:
        raise DataError(
            f"the transitions lack {' and '.join(repr(name) for name in lacking)}; give {', '.join(FIELDS)}, each with a "
            f"row a step (got {', '.join(sorted(map(str, fields))) or 'nothing'})"
        )
    odd = sorted(set(fields) - set(known))
    if odd:
        raise UnknownNameError(f"transitions have no field {odd[0]!r}.{nearest(odd[0], known)}")
    states, actions = _codes(fields["states"], "states"), _codes(fields["actions"], "actions")
    after = _codes(fields["next_states"], "next_states")
    states, after = (a[..., None] if a.ndim == 2 else a for a in (states, after))
    rewards = _finite(fields["rewards"], "rewards")
    if states.ndim != 3 or 0 in states.shape:
        raise DataError(f"states have shape (rows, agents, components), none of them 0; got {np.shape(states)}")
    rows, n, c = states.shape
    shaped("next_states", after, (rows, n, c), "those of the states")
    shaped("actions", actions, (rows, n), "a row a step, a column an agent")
    shaped("rewards", rewards, (rows, n), "a row a step, a column an agent")
    index, labels = _placed(fields, states, after, domains)
    arrays = {"states": states, "actions": actions, "rewards": rewards, "next_states": after, **index}
    return Transitions(
        **{name: freeze(array) for name, array in arrays.items()},
        neighbours=as_neighbours(neighbours, n),
        components=_names(components, c, "components", "s", exactly=True),
        domains=labels,
        agents=_names(agents, n, "agents", "", exactly=True),
    )


@asks()
def pool(parts: Sequence[Transitions]) -> Transitions:
    """Source domains as one data set, in this order; the same agents, components and network are required of all."""
    parts = list(parts)
    if not all(isinstance(part, Transitions) for part in parts):
        raise DataError("pool takes a list of Transitions, one or more source domains: pool([first, second])")
    if not parts:
        raise DataError("there are no source domains to pool; give at least one, collected from its environment")
    first = parts[0]
    names: list[str] = []
    for k, part in enumerate(parts):
        alike = part.components == first.components and part.agents == first.agents
        if not alike or (part.neighbours != first.neighbours).nnz:
            raise DataError(f"part {k} has other agents, components or neighbours than part 0; pool one network only")
        for name in part.domains:
            while name in names:
                name = f"{name}#{len(names)}"
            names.append(name)
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in (*FIELDS, *PLACE)}
    widths = [len(part.domains) for part in parts]
    joined["domain"] += np.repeat(np.cumsum([0, *widths[:-1]]), [part.rows for part in parts]).astype(np.int32)
    return replace(first, domains=tuple(names), **{name: freeze(array) for name, array in joined.items()})


def from_rollouts(
    states: ArrayLike, actions: ArrayLike, rewards: ArrayLike, neighbours: Any, *, domain: str = "domain0", **names: Any
) -> Transitions:
    """Transitions of one domain from whole episodes. states: (E, T + 1, n[, c]); actions, rewards: (E, T, n)."""
    path, moves, gains = _codes(states, "states"), _codes(actions, "actions"), _finite(rewards, "rewards")
    if path.ndim not in (3, 4) or not moves.shape == gains.shape == (len(path), path.shape[1] - 1, path.shape[2]):
        raise DataError(
            "rollouts need states (E, T + 1, n[, c]), actions (E, T, n) and rewards (E, T, n); "
            f"got {path.shape}, {moves.shape} and {gains.shape}"
        )
    E, T, n = moves.shape
    fields = {
        "states": path[:, :-1].reshape(E * T, *path.shape[2:]),
        "next_states": path[:, 1:].reshape(E * T, *path.shape[2:]),
        "actions": moves.reshape(E * T, n),
        "rewards": gains.reshape(E * T, n),
        "episode": np.repeat(np.arange(E), T),
        "step": np.tile(np.arange(T), E),
    }
    return as_transitions(fields, neighbours, domains=[domain], **names)


def as_neighbours(neighbours: Any, n: int) -> sparse.csr_matrix:
    """(n, n) bool CSR with sorted indices and without a diagonal, from an adjacency matrix or a networkx graph."""
    if isinstance(neighbours, nx.Graph):
        for u, v, weight in neighbours.edges(data="weight"):
            if weight is not None and weight != 1:
                raise DataError(
                    f"edge {u!r} - {v!r} of the network has weight {weight!r}; weights mean nothing here: remove them, or "
                    f"leave out the edges that do not count"
                )
        matrix = nx.to_scipy_sparse_array(neighbours, weight=None, dtype=bool, format="csr")
        matrix = matrix.T if neighbours.is_directed() else matrix  # row i: who reaches i
    else:
        matrix = neighbours if sparse.issparse(neighbours) else array_of("the network", neighbours)
    if np.shape(matrix) != (n, n):
        raise DataError(
            f"the network is a {type(neighbours).__name__} of shape {np.shape(matrix)}, and there are {n} agents; give "
            "their (n, n) adjacency, or a networkx graph of them"
        )
    found = sparse.coo_matrix(matrix)
    odd = np.flatnonzero((found.data != 1) & (found.data != 0))
    if odd.size:
        i, j = found.row[odd[0]], found.col[odd[0]]
        raise DataError(f"entry ({i}, {j}) of the network is {found.data[odd[0]]}; weights mean nothing: give 0 and 1")
    real = (found.data != 0) & (found.row != found.col)
    result = sparse.csr_matrix((np.ones(int(real.sum()), bool), (found.row[real], found.col[real])), shape=(n, n))
    result.sort_indices()
    return result


def _placed(
    fields: Mapping[str, ArrayLike], states: Codes, after: Codes, domains: Sequence[str] | None
) -> tuple[dict[str, Codes], tuple[str, ...]]:
    """Domain, episode and step of every row, (R,) each, and the names of the domains."""
    index = {name: _index(fields.get(name), name, len(states)) for name in PLACE}
    if fields.get("step") is None:
        index["step"] = np.arange(len(states), dtype=np.int32)
    else:
        joined = np.diff(index["step"]) == 1  # does the row below go on with this one?
        joined &= (np.diff(index["domain"]) == 0) & (np.diff(index["episode"]) == 0)
        torn = np.flatnonzero(joined & (after[:-1] != states[1:]).any(axis=(1, 2)))
        if torn.size:
            raise DataError(
                f"next_states of row {torn[0]} differs from states of row {torn[0] + 1}, which is the next step of its episode "
                f"({torn.size} such rows); correct them, number the episodes, or leave out 'step' where rows have no order"
            )
    if domains is None:
        occurring, place = np.unique(index["domain"], return_inverse=True)
        index["domain"], domains = place.astype(np.int32), [f"domain{k}" for k in occurring]
    labels = _names(domains, int(index["domain"].max()) + 1, "domains", "domain")
    if index["domain"].max() >= len(labels):
        raise DataError(f"domain holds {index['domain'].max()}, but there are {len(labels)} domains, counted from 0")
    return index, labels


def _codes(values: ArrayLike, what: str) -> Codes:
    codes = isinstance(values, np.ndarray) and values.dtype.kind in "iub"
    array: AnyArray = np.asarray(values) if codes else _finite(values, what)
    if array.ndim < 2:
        raise DataError(f"{what} needs a row a step and a column an agent; got shape {array.shape}")
    if array.size and (array.min() < 0 or array.max() >= MOST_CODES):
        place = tuple(int(k) for k in np.argwhere((array < 0) | (array >= MOST_CODES))[0])
        raise DataError(f"{what} holds the code {array[place]} at {place}; codes run from 0 to {MOST_CODES - 1}")
    result = array.astype(np.int32)
    if not codes and (result != array).any():
        place = tuple(int(k) for k in np.argwhere(result != array)[0])
        raise DataError(f"{what} holds {array[place]} at {place}; it takes whole codes from 0 up: bin it first")
    return result


def _finite(values: ArrayLike, what: str) -> Array:
    try:
        if np.asarray(values).dtype.kind in "US":
            raise TypeError  # "3" is text, not a number
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} holds something that is no number; give a numeric array") from None
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = tuple(int(k) for k in bad[0])
        where = ", ".join(f"{axis} {k}" for axis, k in zip(("row", "agent"), place, strict=False)) or "all of it"
        raise DataError(f"{what} is {array[place]} in {where} ({len(bad)} such values); drop or correct those rows")
    return array


def _index(values: ArrayLike | None, what: str, rows: int) -> Codes:
    if values is None:
        return np.zeros(rows, np.int32)
    array, most = np.asarray(values), MOST_CODES if what == "domain" else 2**31
    if array.shape != (rows,) or array.dtype.kind not in "iu":
        raise DataError(f"{what} is a whole number from 0 up for each of {rows} rows, not {array.dtype} {array.shape}")
    if array.min() < 0 or array.max() >= most:
        raise DataError(f"{what} runs from {array.min()} to {array.max()}; it takes numbers from 0 to {most - 1}")
    return array.astype(np.int32)


def _names(names: Sequence[str] | None, least: int, what: str, stem: str, exactly: bool = False) -> tuple[str, ...]:
    if names is None:
        return tuple(f"{stem}{k}" for k in range(least))
    result = distinct(what, names)
    if exactly and len(result) != least:
        raise DataError(f"{what} needs {least} names, got {len(result)}: {', '.join(result[:5])}")
    return result
