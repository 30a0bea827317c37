"""What is known of a stream of events after some of it, and its file: plain arrays with a JSON header, versioned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..base.arrays import Array, Codes
from ..base.asked import asks
from ..graph import Knowledge
from ..stats.hawkes_sums import Sums, no_sums
from ..storage import checkpoint

SAVED = checkpoint.Kind("causalnet.thp_stream", 2, "thp.save")
FIRST = 5  # blocks before the first model that predicts
PLAIN = ("types", "devices", "links", "origin", "clock", "newest", "watched", "decay", "n", "twice", "tied", "place")
COUNTED = ("inside", "value", "began", "due", "z", "alarms")  # of a Drift
LISTS = ("waiting", "aside", "ahead")
MODEL = ("rates", "share", "reached", "scores")


@dataclass(frozen=True)
class Watching:
    """How a stream is watched: what ``init`` takes."""

    decay: float | None = None
    "rate of forgetting of an effect in 1/s; None: the mean delay that the first events tell"
    hops: Sequence[int] = (0, 1)
    "topology distances over which types act on each other"
    patience: float = 0.0
    "seconds that an event may come late"
    poll: float | None = None
    "seconds between the polls that events carry the time of, 0: their times are exact; None: what the first events tell"
    half_life: float | None = None
    "seconds after which what was seen counts half; None: nothing is forgotten"


@dataclass(frozen=True)
class Waiting:
    """Events that are not counted yet: seconds since the first event, type and device, each (N,)."""

    time: Array = field(default_factory=lambda: np.empty(0))
    kind: Codes = field(default_factory=lambda: np.empty(0, np.int32))
    device: Codes = field(default_factory=lambda: np.empty(0, np.int32))

    def taken(self, rows: Any) -> Waiting:
        """Some of them."""
        return Waiting(self.time[rows], self.kind[rows], self.device[rows])

    def joined(self, more: Waiting) -> Waiting:
        """With more of them."""
        return Waiting(*(np.concatenate([a, b]) for a, b in zip(vars(self).values(), vars(more).values(), strict=True)))


@dataclass(frozen=True)
class Drift:
    """How well blocks were predicted: the model that predicts, the block under way, and scores in nats per event."""

    rates: Array | None = None  # (V, 1 + C)
    share: Array | None = None  # (M,)
    inside: int = 0
    value: float = 0.0
    began: float = 0.0
    reached: Array | None = None  # (C,) the integrals when the block began
    due: int = FIRST
    scores: Array = field(default_factory=lambda: np.empty(0))
    z: float = 0.0
    alarms: int = 0


@dataclass(frozen=True)
class State:
    """All that is known of a stream."""

    settings: Watching
    types: tuple[str, ...]
    devices: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    knowledge: Knowledge | None
    sums: Sums
    waiting: Waiting = field(default_factory=Waiting)
    aside: Waiting = field(default_factory=Waiting)
    ahead: Waiting = field(default_factory=Waiting)
    "events that are too far ahead of all others to be believed"
    origin: float | None = None
    "time of the first event"
    clock: float = 0.0
    "seconds since then up to which events are counted"
    newest: float = 0.0
    watched: float = 0.0
    decay: float | None = None
    poll: float | None = None
    "seconds between polls, 0 where times are exact; None as long as neither is known"
    asked: int = 0
    "first events that were asked for polls and delay"
    n: int = 0
    "events counted"
    twice: int = 0
    tied: int = 0
    "events in the instant of another type's on the same device: many where a stream is polled"
    drift: Drift = field(default_factory=Drift)
    place: dict[str, Any] = field(default_factory=dict)
    "where in its source the stream is, for who reads it"


@asks("state")
def save(state: State, path: str | Path) -> Path:
    """Write the state to one file, whole or not at all."""
    arrays: dict[str, Any] = {f"sums.{name}": a for name, a in state.sums._asdict().items()}
    for name in LISTS:
        arrays |= {f"{name}.{part}": a for part, a in vars(getattr(state, name)).items()}
    model = {name: getattr(state.drift, name) for name in MODEL}
    arrays |= {f"drift.{name}": a for name, a in model.items() if a is not None}
    header = {name: getattr(state, name) for name in (*PLAIN, "poll", "asked")} | {"settings": asdict(state.settings)}
    header["knowledge"] = None if state.knowledge is None else asdict(state.knowledge)
    header["drift"] = {name: getattr(state.drift, name) for name in COUNTED}
    return checkpoint.write(path, header, arrays, SAVED)


def load(path: str | Path) -> State:
    """Read what ``save`` wrote; DataError when it is something else, cut short, or of another version."""
    return checkpoint.restore(path, SAVED, "state of a stream", _restored)


def _restored(header: dict[str, Any], arrays: checkpoint.Arrays) -> State:
    settings = header["settings"]
    plain = {name: header[name] for name in PLAIN} | {"poll": header.get("poll", 0.0)}  # version 1 knew exact times
    plain["asked"] = header.get("asked", 0)
    plain |= {name: tuple(plain[name]) for name in ("types", "devices")}
    plain["links"] = tuple((a, b) for a, b in plain["links"])
    drift: dict[str, Any] = {**header["drift"], **checkpoint.nested(arrays, "drift")}
    untied = {
        name: a for name, a in no_sums(0, 0, 0)._asdict().items() if name.startswith("tied")
    }  # version 1 has none
    plain |= {name: Waiting(**checkpoint.nested(arrays, name)) for name in LISTS}  # files of before have none ahead
    return State(
        settings=Watching(**{**settings, "hops": tuple(settings["hops"])}),
        knowledge=None if header["knowledge"] is None else Knowledge(**header["knowledge"]),
        sums=Sums(**(untied | checkpoint.nested(arrays, "sums"))),
        drift=Drift(**drift),
        **plain,
    )
