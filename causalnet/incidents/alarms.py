"""Root causes of an incident that is told by alarms: follow the attribution of every alarm back to where it ends.

With P[c, e] the probability that alarm c triggered e and b_e that nothing here did (:mod:`declustering`),

    x = 1 + P x          x_e: alarms that go back to e, itself included, if e is there
    explains_e = b_e x_e          summed over e it is the number of alarms: each goes back to one root

Repeats of a type on a device within an episode are one alarm.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import networkx as nx
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from ..base.arrays import Array, Codes
from ..data import Events
from ..errors import UnknownNameError, nearest
from ..stats.repeats import gaps_before
from .declustering import PATIENCE, attribute, candidates, spreads
from .event_model import EventModel
from .ranking import RootCause, RootCauses

WORTH = 0.5  # other alarms that a suspect must be expected to explain, to stand out
CHAIN = 4  # steps of a chain that are told
SURE = 0.05  # a cause less probable than this is not told


class Alarms(NamedTuple):
    """The alarms of an incident in the model's numbers, by time; a stranger's type is numbered from V on."""

    time: Array  # (N,) seconds
    kind: Codes  # (N,)
    device: Codes  # (N,)
    types: tuple[str, ...]
    devices: tuple[str, ...]
    notes: tuple[str, ...]

    def name(self, e: int) -> str:
        """Alarm number ``e`` in words."""
        return f"{self.types[self.kind[e]]} at {self.devices[self.device[e]]}"


@dataclass(frozen=True)
class Ancestry:
    """Who triggered whom in an incident of N alarms."""

    trigger: sp.csr_array  # (N, N) P[cause, effect]
    root: Array  # (N,) b
    reach: Array  # (N,) x


def rank_alarms(model: EventModel, alarms: Events, topology: nx.Graph | None, skew: float) -> RootCauses:
    """Every (device, type) that alarms, by how many of the alarms it is expected to explain."""
    seen = _read(model, alarms, topology)
    found = trace(model, seen, topology, skew)
    mass = found.root * found.reach
    cell = seen.device.astype(np.int64) * len(seen.types) + seen.kind
    rows = []
    for group in (np.flatnonzero(cell == c) for c in np.unique(cell)):
        first = int(group[np.argmax(mass[group])])
        probability = float(1.0 - np.prod(1.0 - found.root[group]))
        explains = float(mass[group].sum())
        others = explains - float((found.root[group]).sum())
        because, stands = _because(found, seen, first, explains), others >= WORTH and probability >= SURE
        place = (seen.devices[seen.device[first]], seen.types[seen.kind[first]])
        rows.append(
            (not stands, -explains, float(seen.time[first]), RootCause(*place, probability, explains, because, stands))
        )
    rows.sort(key=lambda row: (*row[:3], row[3].device, row[3].type))
    return RootCauses(tuple(row[3] for row in rows), len(seen.time), seen.notes)


def trace(model: EventModel, seen: Alarms, topology: nx.Graph | None, skew: float) -> Ancestry:
    """Attribution of every alarm, and how many go back to each: one sparse linear system."""
    n, v = len(seen.time), len(model.types)
    known = dict(zip(model.devices, model.share, strict=True))
    share = np.array([known.get(name, 1.0) for name in seen.devices])
    rate = np.append(model.background, np.full(len(seen.types) - v, np.median(model.background)))
    reach = spreads(model.topology if topology is None else topology, seen.devices, model.hops)
    pairs = candidates(seen.time, seen.kind, seen.device, model.edges, model.delay, reach, skew)
    p, root, _ = attribute(pairs, seen.device, rate[seen.kind] * share[seen.device], model.alpha, model.delay, skew)
    trigger = sp.csr_array((p, (pairs.cause, pairs.effect)), shape=(n, n))
    return Ancestry(trigger, root, np.atleast_1d(spsolve(sp.eye_array(n, format="csc") - trigger.tocsc(), np.ones(n))))


def _read(model: EventModel, alarms: Events, topology: nx.Graph | None) -> Alarms:
    """The alarms in the model's numbers, repeats of an episode left out, and what there is to say about them."""
    strangers = [name for name in (alarms.types[i] for i in np.unique(alarms.type_index)) if name not in model.types]
    if len(strangers) == len(np.unique(alarms.type_index)):
        hint = nearest(strangers[0], model.types)
        raise UnknownNameError(
            f"the model knows none of the alarms' types: {', '.join(strangers)}.{hint} It knows {', '.join(model.types)}"
        )
    types = (*model.types, *strangers)
    at = {name: i for i, name in enumerate(types)}
    kind = np.array([at.get(name, -1) for name in alarms.types], dtype=np.int32)[alarms.type_index]
    wait = PATIENCE * float(model.delay.max(initial=0.0))
    gap = gaps_before(alarms.time, kind, alarms.device_index, len(types))
    keep = gap > wait
    used = sorted({alarms.devices[i] for i in np.unique(alarms.device_index)})
    placed = model.devices if topology is None else [str(node) for node in topology.nodes]
    lost = [name for name in used if name not in placed] if len(placed) else []
    twice, again = int((gap == 0).sum()), int((~keep & (gap > 0)).sum())
    lone, far = ", ".join(strangers), ", ".join(lost)
    notes = {
        f"{lone}: no type of the model, so nothing causes it and it causes nothing": bool(strangers),
        f"{far}: no device of the topology, so it is joined to no other": bool(lost),
        f"{twice} of {alarms.n} alarms are there twice and count once": twice > 0,
        f"{again} of {alarms.n} alarms repeat one of their type and device and were left out": again > 0,
    }
    told = tuple(note for note, holds in notes.items() if holds)
    for note in told[: bool(strangers) + bool(lost)]:  # duplicates and repeats are every day's
        warnings.warn(note, UserWarning, stacklevel=4)
    return Alarms(alarms.time[keep], kind[keep], alarms.device_index[keep], types, alarms.devices, told)


def _because(found: Ancestry, seen: Alarms, e: int, explains: float) -> str:
    """The chain from alarm ``e`` to what it most likely triggered, or who most likely triggered it."""
    n = len(seen.time)
    causes = found.trigger[:, [e]].toarray().ravel()
    if causes.max(initial=0.0) > found.root[e]:
        cause = int(causes.argmax())
        return f"most likely triggered by {seen.name(cause)} ({causes[cause]:.2f})"
    steps, now, chance = [seen.name(e)], e, 1.0
    for _ in range(CHAIN):
        gain = found.trigger[[now], :].toarray().ravel()
        chance = float(gain.max(initial=0.0))
        if chance < SURE:
            break
        now = int((gain * found.reach).argmax())
        steps.append(f"{seen.name(now)} ({gain[now]:.2f})")
    if len(steps) == 1:
        return "explains no other alarm, and none explains it"
    return f"explains {explains:.1f} of {n} alarms: {' -> '.join(steps)}"
