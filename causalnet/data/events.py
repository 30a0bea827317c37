"""An event log: which type of event happened when, on which device, and how the devices are wired."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Array, Bools, Codes, Ints
from ..base.asked import asks
from ..base.checks import names, number, rows_of, whole
from ..errors import DataError, nearest
from .frames import as_frame
from .kinds import data_kind
from .reading import shown_rows
from .sealed import Sealed, freeze
from .times import NAMES, seconds, seconds_and_unit
from .topology import as_topology, links, undirected

NEEDED = ("event", "timestamp", "device")
BLOCKS = 20  # stretches of time that a bootstrap of a wired log draws from


@data_kind
class Events(Sealed):
    """N events of V types on M devices, validated and frozen.

    frame: columns ``event``, ``timestamp`` (seconds, or datetimes) and ``device``; ``duration`` (seconds) if known.
    topology: networkx.Graph whose nodes are the devices, or links as :func:`causalnet.data.topology.as_topology` takes them; None
    when the wiring is unknown (each device on its own).
    unit: of timestamps that are numbers, "s", "ms", "us", "ns" or "d" (days of a spreadsheet); None judges by their size and warns where they are no
    seconds. duration_unit: of durations that are numbers; None takes seconds, or the unit of the timestamps where in seconds
    the events would outlast the log, and warns where the timestamps are in another unit. Devices that the topology lacks are taken to have no link, with a warning.
    event_types: the full vocabulary; a type that never occurs keeps its row in every graph.

    types (V,) str; devices (M,) str; type_index, device_index (N,) int32; time (N,) float64 seconds, ascending;
    duration (N,) float64 or None. Raises DataError, naming the row, for anything that cannot be right.
    """

    kind = "events"
    _frozen = ("an event log is", "build another with Events(frame)")

    def __init__(
        self,
        frame: pd.DataFrame,
        topology: Any = None,
        event_types: Sequence[Any] | None = None,
        *,
        unit: str | None = None,
        duration_unit: str | None = None,
    ):
        frame = _log(frame)
        topology = as_topology(topology, frame["device"])
        time, found = seconds_and_unit(frame["timestamp"], unit)
        duration = None
        if "duration" in frame.columns:
            duration = durations(frame["duration"], duration_unit, found, float(time.max() - time.min()))
        order = np.argsort(time, kind="stable")
        late = np.flatnonzero(np.diff(time) < 0)
        if len(late):
            warnings.warn(
                f"timestamps are not in order (row {late[0] + 2} lies before row {late[0] + 1}); "
                "the events were sorted by time, ties in the order given",
                UserWarning,
                stacklevel=2,
            )
        known_types = None if event_types is None else names("event_types", event_types)
        self.types, type_index = _vocabulary(frame["event"], known_types, "event_types", "event type")
        device_names = None if topology is None else [*topology.nodes, *_isolated(frame["device"], topology)]
        self.devices, device_index = _vocabulary(frame["device"], device_names, "the topology", "device")
        self.time: Array = freeze(time[order])
        self.type_index: Codes = freeze(type_index[order])
        self.device_index: Codes = freeze(device_index[order])
        self.duration: Array | None = None if duration is None else freeze(duration[order])
        self.topology = None if topology is None else _wired(topology, self.devices)
        self._seal()

    @property
    def columns(self) -> tuple[str, ...]:
        """The variables that a graph is learnt over: the event types."""
        return self.types

    @property
    def n(self) -> int:
        """Number of events."""
        return len(self.time)

    @property
    def d(self) -> int:
        """Number of event types."""
        return len(self.types)

    @cached_property
    def adjacency(self) -> Bools:
        """(M, M) bool: which devices are neighbours, in the order of ``devices``; all False without a topology."""
        return freeze(links(self.topology, self.devices))

    @cached_property
    def counts(self) -> Ints:
        """(V,) how often each type occurs."""
        return freeze(np.bincount(self.type_index, minlength=self.d))

    def binned(self, width: float) -> pd.DataFrame:
        """Counts of each type in consecutive windows of ``width`` seconds: (bins, V), all devices together."""
        number("width", width, above=0.0)
        bins = np.floor((self.time - self.time[0]) / width).astype(np.int64)
        counts = np.zeros((int(bins[-1]) + 1, self.d))
        np.add.at(counts, (bins, self.type_index), 1.0)
        return pd.DataFrame(counts, columns=list(self.types))

    @asks()
    def resample(self, rng: np.random.Generator) -> Events:
        """A bootstrap resample: of whole devices without a topology, where they are independent copies of the process.

        Wired devices depend on each other: then of 20 consecutive time blocks.
        """
        m = len(self.devices)
        if self.topology is None and m > 1:
            return self.take_devices(rng.integers(0, m, m))
        return self.take_blocks(rng.integers(0, BLOCKS, BLOCKS), BLOCKS)

    @asks()
    def part(self, rng: np.random.Generator, share: float) -> Events:
        """A share of the devices, or of the time blocks of a wired log, each at most once."""
        m, alone = len(self.devices), self.topology is None and len(self.devices) > 1
        all_of = m if alone else BLOCKS
        drawn = np.sort(rng.permutation(all_of)[: max(1, round(number("share", share, 0.0, 1.0) * all_of))])
        return self.take_devices(drawn) if alone else self.take_blocks(drawn, BLOCKS)

    def fingerprint_parts(self) -> Iterator[Any]:
        """Devices, what happened where and when since the first event, the links, and how long it lasted."""
        yield from (self.devices, self.type_index, self.device_index, np.round(self.time - self.time[0], 6))
        yield self.adjacency
        if self.duration is not None:
            yield self.duration.astype(np.float32)

    @asks()
    def take_devices(self, devices: Ints) -> Events:
        """The log with the given devices (repeats allowed, as copies): a bootstrap over devices without topology."""
        if self.topology is not None:
            raise DataError("devices of a wired network cannot be resampled one by one; use take_blocks")
        rows, label = _drawn(self.device_index, rows_of("devices", devices, len(self.devices)))
        return self._subset(rows, self.time[rows], label, len(devices))

    @asks()
    def take_blocks(self, blocks: Ints, n_blocks: int) -> Events:
        """The log made of the given time blocks (repeats allowed), laid one after the other: a block bootstrap."""
        blocks = rows_of("blocks", blocks, whole("n_blocks", n_blocks, 1, self.n + BLOCKS))
        edges = np.linspace(self.time[0], self.time[-1], n_blocks + 1)
        of = np.clip(np.searchsorted(edges, self.time, side="right") - 1, 0, n_blocks - 1)
        span = edges[1] - edges[0]
        rows, slot = _drawn(of, blocks)
        if len(rows) == 0:
            raise DataError("the chosen time blocks hold no event; use fewer blocks")
        time = self.time[rows] - edges[blocks][slot] + slot * span + self.time[0]
        return self._subset(rows, time, None, len(self.devices))

    def _subset(self, rows: AnyArray, clock: AnyArray, label: AnyArray | None, m: int) -> Events:
        """The events ``rows`` at the times ``clock``, on their own devices or on the copies 0 .. m-1 of ``label``."""
        order = np.argsort(clock, kind="stable")
        twin = object.__new__(Events)
        twin.types, twin.topology = self.types, self.topology
        twin.devices = self.devices if label is None else tuple(f"device{k}" for k in range(m))
        twin.time = freeze(clock[order])
        twin.type_index = freeze(self.type_index[rows][order])
        device = self.device_index[rows] if label is None else label
        twin.device_index = freeze(device[order].astype(np.int32))
        twin.duration = None if self.duration is None else freeze(self.duration[rows][order])
        twin._seal()
        return twin

    def frame(self) -> pd.DataFrame:
        """A fresh DataFrame with the columns event, timestamp, device (and duration)."""
        events, devices = [self.types[i] for i in self.type_index], [self.devices[i] for i in self.device_index]
        frame = pd.DataFrame({"event": events, "timestamp": self.time.copy(), "device": devices})
        if self.duration is not None:
            frame["duration"] = self.duration.copy()
        return frame

    def __repr__(self) -> str:
        wired = "no topology" if self.topology is None else f"{self.topology.number_of_edges()} links"
        return f"Events({self.n} events, {self.d} types, {len(self.devices)} devices, {wired})"


def _log(given: Any) -> pd.DataFrame:
    """A frame of any library that has what a log needs; DataError with all that is missing."""
    if isinstance(given, list | tuple | dict | np.ndarray | None | str):
        raise DataError(
            f"an event log is a DataFrame with the columns event, timestamp and device, not {type(given).__name__}"
        )
    frame = as_frame(given, None)
    lacking = [repr(name) for name in NEEDED if name not in frame.columns]
    if lacking:
        have = ", ".join(map(str, frame.columns))
        raise DataError(
            f"an event log needs event, timestamp and device; {', '.join(lacking)} is missing among: {have}"
        )
    twice = [name for name in (*NEEDED, "duration") if list(frame.columns).count(name) > 1]
    if twice:
        raise DataError(f"the column {twice[0]!r} occurs twice; rename one")
    if len(frame) == 0:
        raise DataError("the event log is empty: there is not one row to learn from")
    gaps = {name: np.flatnonzero(frame[name].isna().to_numpy()) for name in NEEDED}
    told = [f"column {name!r} is empty in row {shown_rows(rows)}" for name, rows in gaps.items() if len(rows)]
    if told:
        raise DataError(f"{'; '.join(told)}; fill it in or drop the row")
    return frame


def _drawn(of: AnyArray, groups: Ints) -> tuple[Ints, Ints]:
    """The rows of the groups drawn, one group after the other, and for each the number of its draw; ``of``: (N,) groups."""
    parts = [np.flatnonzero(of == group) for group in groups] or [np.zeros(0, np.int64)]
    return np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _isolated(column: pd.Series, topology: nx.Graph) -> list[Any]:
    """Devices of the log that the topology lacks, with a warning; none where it has not one of the log's."""
    there = {str(_whole(node)) for node in topology.nodes}
    names = {str(_whole(device)): device for device in pd.unique(column)}
    alone = [device for name, device in names.items() if name not in there]
    if not alone or len(alone) == len(names):
        return []
    shown = ", ".join(f"{str(_whole(d))!r}{nearest(str(d), there)}" for d in alone[:3])
    warnings.warn(
        f"{len(alone)} devices are not in the topology and are taken to have no link: {shown}",
        UserWarning,
        stacklevel=3,
    )
    return alone


def _wired(topology: nx.Graph, devices: Sequence[str]) -> nx.Graph:
    named = undirected(topology, lambda node: str(_whole(node)))
    named.add_nodes_from(devices)
    return nx.freeze(named)


def durations(column: pd.Series, unit: str | None, of_times: str, span: float) -> Array:
    """(n,) seconds that events last; of_times: the unit of their timestamps; span: seconds from the first to the last."""
    plain = pd.api.types.is_numeric_dtype(column.dtype)
    taken = unit or "s"
    if unit is None and plain and of_times != "s":
        longest = float(np.nanmax(column.to_numpy(np.float64, na_value=np.nan), initial=0.0))
        taken = of_times if longest > span else "s"
        other = "s" if taken == of_times else of_times
        warnings.warn(
            f"column {column.name!r} is read as {NAMES[taken]}, beside times in {NAMES[of_times]}; pass duration_unit={other!r} "
            f"(--duration-unit {other}) if it holds {NAMES[other]}",
            UserWarning,
            stacklevel=3,
        )
    duration = seconds(column, taken if plain else None)
    bad = np.flatnonzero(duration < 0)
    if len(bad):
        more = f" ({len(bad)} such rows: {shown_rows(bad)})" if len(bad) > 1 else ""
        raise DataError(
            f"row {bad[0] + 1} has the negative duration {duration[bad[0]]:g} s{more}; an event cannot end before it "
            "starts: correct the row or drop the duration column"
        )
    return duration


def _vocabulary(column: pd.Series, told: Sequence[Any] | None, where: str, what: str) -> tuple[tuple[str, ...], Codes]:
    """Names in declared order, or sorted (numbers by value); and the (N,) index of each row."""
    try:
        found = list(pd.unique(column.astype(object)))
    except TypeError:
        raise DataError(f"the {what}s are lists or other objects, and must be names; write them as texts") from None
    try:
        labels = sorted(found, key=lambda v: (isinstance(v, str), v)) if told is None else told
    except TypeError:
        labels = sorted(found, key=lambda v: (type(v).__name__, str(v)))
    spelt = tuple(str(_whole(label)) for label in labels)
    if len(set(spelt)) != len(spelt):
        twice = next(name for at, name in enumerate(spelt) if name in spelt[:at])
        source = "the log" if told is None else where
        raise DataError(f"{source} names the same {what} twice ({twice!r}, once as a number and once as a text, or so)")
    index = {name: i for i, name in enumerate(spelt)}
    text = [str(_whole(v)) for v in column]
    codes = np.array([index.get(name, -1) for name in text], dtype=np.int32)
    unknown = np.flatnonzero(codes < 0)
    if len(unknown):
        name = text[int(unknown[0])]
        raise DataError(
            f"row {unknown[0] + 1} has the {what} {name!r}, which is not in {where}.{nearest(name, spelt)} "
            f"Add it there, or drop its rows"
        )
    return spelt, codes


def _whole(value: Any) -> Any:
    """1.0 and 1 are the same name: integers that went through a float column lose their '.0'."""
    return int(value) if isinstance(value, float | np.floating) and float(value).is_integer() else value
