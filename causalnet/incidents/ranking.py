"""What a root-cause analysis answers: every suspect with its reasons, those that stand out first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class RootCause:
    """One suspect: a type of alarm on a device, or a metric of a component.

    probability: of being a root, that is of having no cause among the rest. explains: how many of the alarms (or
    anomalous components) are expected to go back to it, itself included. stands_out: worth acting on.
    """

    device: str
    type: str
    probability: float
    explains: float
    because: str
    stands_out: bool = True
    rule: str = "graph"


@dataclass(frozen=True)
class RootCauses:
    """Suspects of one incident, best first; iterating gives all of them, ``causes`` those that stand out.

    seen: how many alarms (or components) the incident has. notes: what was left out or taken for granted.
    """

    ranked: tuple[RootCause, ...]
    seen: int
    notes: tuple[str, ...] = ()
    others: tuple[RootCause, ...] = ()  # what the simple rules say, where they were asked for

    @property
    def causes(self) -> tuple[RootCause, ...]:
        """The suspects that stand out; empty where nothing does."""
        return tuple(one for one in self.ranked if one.stands_out)

    @property
    def noise(self) -> tuple[RootCause, ...]:
        """Set apart: what most likely has no cause here and explains nothing else."""
        return tuple(one for one in self.ranked if not one.stands_out and one.probability >= 0.5)

    def frame(self) -> pd.DataFrame:
        """A row a suspect, best first within each rule."""
        columns = list(RootCause.__dataclass_fields__)
        rows = [asdict(one) for one in (*self.ranked, *self.others)]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able form."""
        return {
            "seen": self.seen,
            "nothing_stands_out": not self.causes,
            "ranked": [asdict(one) for one in (*self.ranked, *self.others)],
            "notes": list(self.notes),
        }

    def __iter__(self) -> Iterator[RootCause]:
        return iter(self.ranked)

    def __len__(self) -> int:
        return len(self.ranked)

    def __getitem__(self, rank: int) -> RootCause:
        return self.ranked[rank]

    def __repr__(self) -> str:
        head = f"RootCauses({self.seen} seen, {len(self.ranked)} suspects): "
        if not self.causes:
            return head + "nothing stands out"
        lines = [f"{at}. {told(one)}" for at, one in enumerate(self.causes[:5], 1)]
        more = [f"and {len(self.causes) - 5} more that stand out"] if len(self.causes) > 5 else []
        apart = [f"{len(self.noise)} set apart as noise"] if self.noise else []
        return "\n  ".join([head.rstrip(": "), *lines, *more, *apart])


def told(one: RootCause) -> str:
    """A suspect in a line."""
    where = f"{one.type} at {one.device}" if one.type else one.device
    return f"{where} (root with probability {one.probability:.2f}): {one.because}"
