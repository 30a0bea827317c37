"""Maximise packets delivered before their deadline, per user, on access points that two senders at once make useless.

Users hold packets with deadlines 1..d; a user may send one packet a step to one access point in reach. The network of
GSAC (arXiv 2510.21427, appendix H.1), of Lin et al. (arXiv 2006.06555), of the general-utility experiments
(arXiv 2305.17568) and of any bipartite graph: :func:`gsac_grid`, :func:`lin_grid`, :func:`utility_grid`,
:func:`wireless_network`. The domain factor omega is the arrival probability p.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse

from ....base.arrays import AnyArray, Array, Bools, Codes, Floats, Ints
from ....base.asked import asks
from ....base.checks import array_of, flag, number, numbers, one_of, whole, whole_numbers
from ....errors import DataError
from ..base import CodedNetwork
from ..checks import MOST_AGENTS, count_agents
from ..neighbourhoods import bipartite_table, sharing
from ..protocols import Parts
from ..streams import Seed, Words
from .kernels import EMPTY, FRESH, UNIFORM, WirelessTables, wireless_reset, wireless_rollout, wireless_step_batch

_STARTS = {"fresh": FRESH, "uniform": UNIFORM, "empty": EMPTY}


@dataclass(frozen=True)
class WirelessRules:
    """How packets come, are sent and get lost."""

    success: Any = 0.5  # (n,): alone, user i reaches access point k with probability success[i] * place_success[k]
    place_success: Any = 1.0  # (n_places,), or a number for all
    deadline: int = 2  # d: steps that a packet lives, so the bits of a buffer
    slots: bool = False  # True: actions name the slot too, code 1 + (k - 1) d + (slot - 1); False: the earliest, code k
    ghost: bool = False  # sending from an empty buffer (or slot) still occupies the access point
    start: str = "fresh"  # first buffers: "fresh" (a packet with probability p in b_d), "uniform" bits or "empty"
    distractors: bool = False  # two components that nothing depends on, z_1 and z_2
    levels: int = 3  # values of z_1
    stay: float = 0.5  # probability that z_1 is kept; else it is redrawn
    coordinate: Any = 0  # z_2, (n,): a constant of each agent


class Wireless(CodedNetwork):
    """Wireless network: state bits b_1..b_d (b_1 the earliest deadline), action 0 idle or one of the own access points.

    access_points (n, m) int: the access points of each user, padded with ``n_places`` (padding allowed anywhere; sending
    there fails). arrival: p, a number, (n,) or (E, n) or (E, 1), a domain an environment. rules: the keywords of
    :class:`WirelessRules`.
    """

    def __init__(
        self,
        access_points: Any,
        n_places: int,
        *,
        arrival: Any = 0.5,
        horizon: int | None = 10,
        n_envs: int | None = None,
        seed: Seed = None,
        labels: Sequence[Hashable] | None = None,
        **rules: Any,
    ) -> None:
        self.rules = o = WirelessRules(**rules)
        self._places, width = _access_points(access_points, n_places)
        n, m = self._places.shape
        d, start = whole("deadline", o.deadline, 1, 16), one_of("start", o.start, _STARTS)
        slots, more = flag("slots", o.slots), flag("distractors", o.distractors)
        levels = whole("levels", o.levels, 2, 1000) if more else 1
        where = whole_numbers("coordinate", o.coordinate if more else 0, n, 0, 10**6).astype(np.int32)
        sizes = [2] * d + ([levels, int(where.max()) + 1] if more else [])
        self.component_names = tuple(f"b_{k + 1}" for k in range(d)) + (("z_1", "z_2") if more else ())
        radices, n_actions = np.tile(sizes, (n, 1)), 1 + width * (d if slots else 1)
        super().__init__(radices, n_actions, horizon=horizon, n_envs=n_envs, seed=seed, labels=labels)
        own = numbers("success", o.success, (n,), 0, 1)
        place = np.append(numbers("place_success", o.place_success, (n_places,), 0, 1), 0.0)
        table = np.column_stack([np.full(n, n_places, np.int32), self._places])
        code = np.arange(1, 1 + m * (d if slots else 1))
        self.tables = WirelessTables(
            access_points=table,
            link=own[:, None] * place[table],
            port=np.append(0, (code - 1) // d + 1 if slots else code),
            slots=np.append(0, 1 << ((code - 1) % d) if slots else np.full(m, (1 << d) - 1)),
            coordinate=where,
            n_places=n_places,
            deadline=d,
            levels=levels,
            stay=number("stay", o.stay, 0, 1),
            start=_STARTS[start],
            ghost=flag("ghost", o.ghost),
        )
        one = array_of("arrival", arrival).ndim < 2  # the environments of the batch share their domain
        self.arrival = numbers("arrival", arrival, (1 if one else (n_envs or 1), n), 0, 1)

    def in_domain(self, arrival: Any, *, n_envs: int | None = None, seed: Seed = None) -> Wireless:
        """The same network with another domain factor p."""
        same: dict[str, Any] = {**vars(self.rules), "horizon": self.horizon, "labels": self.labels}
        return Wireless(self._places, self.tables.n_places, arrival=arrival, n_envs=n_envs, seed=seed, **same)

    def domain_parts(self) -> Parts:
        """The arrival probabilities, and the real numbers of the tables."""
        return [("arrival", self.arrival), *super().domain_parts()]

    def roll_out(self, view: Codes, cumulative: Floats, streams: Words, codes: Codes, a: Ints, r: Array) -> AnyArray:
        """Whole trajectories in one compiled loop: see ``CompiledRollout``."""
        own = self.tables, self.arrival, self.state, self.streams
        wireless_rollout(*own, view, cumulative, streams, self.n_states, codes, a, r)
        self.reward[:] = r[-1]
        self.time = (self.time or 0) + len(r)
        return self.state

    def congestion(self, s: AnyArray, a: Ints) -> Ints:
        """How many others send to the access point that an agent sends to, for s, a (..., n); 0 while it is idle."""
        net = self.tables
        place = net.access_points[np.arange(self.n_agents), net.port[a]].astype(np.int64)
        if not net.ghost:
            place = np.where(s & net.slots[a] & ((1 << net.deadline) - 1), place, net.n_places)
        rows = place.reshape(-1, self.n_agents) + np.arange(place[..., 0].size)[:, None] * (net.n_places + 1)
        load = np.bincount(rows.ravel())[rows].reshape(place.shape)
        return np.where(place < net.n_places, load - 1, 0)

    @cached_property
    def adjacency(self) -> sparse.csr_matrix:
        """Users are neighbours where they share an access point."""
        return sharing(self._places, self.tables.n_places)

    def action_masks(self) -> Bools:
        """(E, n, A) bool: idle, and the actions that reach one of the agent's own access points."""
        ports = self.tables.access_points[:, self.tables.port] < self.tables.n_places
        ports[:, 0] = True
        return self._out(np.broadcast_to(ports, (self.n_envs or 1, *ports.shape)).copy())

    def _start(self) -> None:
        wireless_reset(self.tables, self.arrival, self.state, self.streams)

    def _advance(self, actions: Ints) -> None:
        wireless_step_batch(self.tables, self.arrival, self.state, actions, self.reward, self.streams)

    def _domain(self, agent: int) -> float:
        if not (self.arrival[:, agent] == self.arrival[0, agent]).all():
            raise DataError("the environments of this batch differ in arrival; ask in_domain(p) of one domain instead")
        return float(self.arrival[0, agent])

    def _initial(self, agent: int) -> Array:
        net, p = self.tables, self._domain(agent)
        law = np.zeros((int(self.n_states[agent]) >> net.deadline, 1 << net.deadline))
        buffers = np.arange(law.shape[1])
        fresh = np.where(buffers == 1 << (net.deadline - 1), p, np.where(buffers == 0, 1 - p, 0.0))
        first = {FRESH: fresh, UNIFORM: np.full(buffers.size, 2.0**-net.deadline), EMPTY: buffers == 0}
        law[net.levels * net.coordinate[agent] :][: net.levels] = first[net.start]
        return law.ravel() / net.levels

    def _outcomes(self, agent: int, neighbours: Ints, s: Ints, a: Ints) -> tuple[Array, Array]:
        net, p, full = self.tables, self._domain(agent), (1 << self.tables.deadline) - 1
        held = (s & full) & net.slots[a]
        aimed = net.access_points[neighbours, net.port[a]]  # (K, m)
        if not net.ghost:
            aimed = np.where(held > 0, aimed, net.n_places)
        me = int(np.flatnonzero(neighbours == agent)[0])
        alone = ((aimed == aimed[:, [me]]).sum(1) == 1) & (aimed[:, me] < net.n_places) & (held[:, me] > 0)
        win = np.where(alone, net.link[agent, net.port[a[:, me]]], 0.0)
        packets, sent = s[:, me] & full, held[:, me]
        rows = np.arange(len(s))
        law = np.zeros((len(s), full + 1))
        for chance, left in ((win, packets ^ (sent & -sent)), (1 - win, packets)):
            np.add.at(law, (rows, left >> 1), chance * (1 - p))
            np.add.at(law, (rows, (left >> 1) | 1 << (net.deadline - 1)), chance * p)
        if net.levels > 1:
            rest = s[:, me] >> net.deadline
            n_rest = int(self.n_states[agent]) >> net.deadline
            other = np.zeros((len(s), n_rest))
            base = rest - rest % net.levels
            np.add.at(other, (rows, rest), net.stay)
            for z in range(net.levels):
                np.add.at(other, (rows, base + z), (1 - net.stay) / net.levels)
            law = (other[:, :, None] * law[:, None, :]).reshape(len(s), -1)
        return law, win


def gsac_grid(size: int, width: int | None = None, *, arrival: Any = 0.65, **options: Any) -> Wireless:
    """The grid of GSAC: a user in each of size x width cells, access points on the lattice points, four for each user.

    Defaults of arXiv 2510.21427, appendix H.1, with its unstated choices as calibrated on its plotted start values:
    q = 0.5, no ghost collisions, T = 10. The second distractor is the column of the cell, so ``n_states`` grows with
    the width where ``distractors=True``; coordinate=0 keeps it small.
    """
    rows, columns = whole("size", size, 1, 10**5), whole("width", size if width is None else width, 1, 10**5)
    r, c = np.divmod(np.arange(count_agents(rows * columns)), columns)
    places = _corners(r + 1, c + 1, rows + 1, columns + 1, False)  # also those on the border
    options.setdefault("coordinate", c)
    return Wireless(places, (rows + 1) * (columns + 1), arrival=arrival, **options)


def lin_grid(
    height: int = 3, width: int = 4, per_cell: int = 2, *, place_success: Any = None, **options: Any
) -> Wireless:
    """The grid of Lin et al. (arXiv 2006.06555): 24 users, two a cell, and 6 access points on the inner lattice points.

    A corner cell reaches one access point, an edge cell two, an inner one four; actions choose the slot too, an empty
    slot still collides, p = 0.5, T = 10 (their discount is 0.7). place_success: of the (height - 1)(width - 1) access
    points; by default numpy's RandomState(0).rand, whose first six numbers are theirs.
    """
    height, width = whole("height", height, 2, 10**5), whole("width", width, 2, 10**5)
    per_cell = whole("per_cell", per_cell, 1, 10**5)
    count_agents(height * width * per_cell)
    cells = np.repeat(np.arange(height * width), per_cell)
    r, c = np.divmod(cells, width)
    n_places = (height - 1) * (width - 1)
    place_success = np.random.RandomState(0).rand(n_places) if place_success is None else place_success
    options = {"arrival": 0.5, "success": 1.0, "slots": True, "ghost": True, "coordinate": c, **options}
    return Wireless(_corners(r, c, height - 1, width - 1, True), n_places, place_success=place_success, **options)


def utility_grid(size: int = 5, **options: Any) -> Wireless:
    """The 5 x 5 grid of the general-utility experiments (arXiv 2305.17568): users on nodes, 16 access points between.

    Five actions for everyone: idle and the four diagonal access points; off the border a transmission fails. p = 0.5,
    q = 0.8, uniform first buffers, ghost collisions, T = 12.
    """
    size = whole("size", size, 2, 10**5)
    r, c = np.divmod(np.arange(count_agents(size * size)), size)
    calibrated = {"arrival": 0.5, "success": 0.8, "start": "uniform", "ghost": True, "horizon": 12, "coordinate": c}
    options = {**calibrated, **options}
    return Wireless(_corners(r, c, size - 1, size - 1, False), (size - 1) ** 2, **options)


@asks("users")
def wireless_network(graph: nx.Graph, users: Sequence[Hashable] | None = None, **options: Any) -> Wireless:
    """A wireless network on any bipartite graph of users and access points (see ``bipartite`` of networkx).

    Users are those named, or the nodes with attribute ``bipartite=0``; ``env.labels`` keeps their names in order.
    """
    names, places, table = bipartite_table(graph, users)
    return Wireless(table, len(places), labels=names, **options)


def _corners(r: Ints, c: Ints, rows: int, columns: int, compact: bool) -> Codes:
    """The access points on the four corners of cell (r, c), NW, NE, SW, SE, of a lattice of rows x columns."""
    none = rows * columns
    table = np.full((r.size, 4), none, np.int32)
    for k, (up, left) in enumerate([(1, 1), (1, 0), (0, 1), (0, 0)]):
        y, x = r - up, c - left
        real = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
        table[real, k] = (y * columns + x)[real]
    return np.sort(table, axis=1) if compact else table


def _access_points(table: Any, n_places: int) -> tuple[Codes, Ints]:
    """The table as int32, its last columns dropped where they are padding alone, and how many codes each user has (n,)."""
    n_places = whole("n_places", n_places, 1, 4 * MOST_AGENTS)
    try:
        table = np.asarray(table)
    except ValueError:
        raise DataError(f"access_points has rows of different lengths; fill them up with {n_places}, none") from None
    if table.ndim != 2 or not table.size or table.dtype.kind not in "iu":
        raise DataError(
            f"access_points is a table (users, access points) of whole numbers, not {table.dtype} of shape {table.shape}"
        )
    for i, k in np.argwhere((table < 0) | (table > n_places))[:1]:
        raise DataError(
            f"access point {table[i, k]} of user {i} does not exist: they are numbered 0 to {n_places - 1}, and {n_places} "
            "stands for none"
        )
    real, ordered = table < n_places, np.sort(table, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] < n_places)
    for wrong, why in (
        (~real.any(1), "reaches no access point; remove or connect it"),
        (twice.any(1), "names an access point twice"),
    ):
        if wrong.any():
            raise DataError(f"user {int(np.flatnonzero(wrong)[0])} {why}")
    width = np.full(len(table), table.shape[1])
    if (real[:, :-1] >= real[:, 1:]).all():  # padding stands behind: the codes of real ones have no gap
        width = real.sum(1)
    return np.ascontiguousarray(table[:, : width.max()], np.int32), width
