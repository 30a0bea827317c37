"""What the reader of a graph found by a score has to know of its data, a sentence each."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Array, Codes
from ...data import Counts, Table
from ...stats.coding import MOST, RARE, Coding
from ...stats.dependence import list_some


def tell_missing(data: Table, treatment: str, **more: Any) -> dict[str, Any]:
    gone = data.missing
    told = {"cells": int(gone.sum()), "columns": int(gone.any(axis=0).sum()), "treatment": treatment}
    return {"missing": told | more}


def tell_lumped(data: Table, coded: Coding) -> list[str]:
    """The columns whose states are so many, or so rare, that hardly any are told apart."""
    lumped = [
        f"{data.columns[j]!r} ({coded.states[j]} states, {coded.kept[j]} kept)"
        for j in np.flatnonzero((coded.kept < coded.states) & ((coded.states > MOST) | (coded.kept == 1)))
    ]
    if not lumped:
        return []
    return [
        f"states of fewer than {RARE} rows, and those beyond the {MOST} commonest, count as one state in {list_some(lumped)}; "
        "a column with one state kept gets no edge: group its states, or give it as a number"
    ]


def tell_flat(data: Table | Counts, codes: Codes) -> list[str]:
    """The columns of categories that are in one state in all rows."""
    flat = [repr(data.columns[j]) for j in np.flatnonzero(codes.max(axis=0) == codes.min(axis=0))]
    return [f"the same in all rows, and so without an edge: {list_some(flat)}"] if flat else []


def tell_scattered(data: Table | Counts, codes: Codes) -> list[str]:
    """The columns whose states have fewer than RARE rows each in the mean."""
    found = [f"{data.columns[j]!r} ({k} states)" for j, k in enumerate(codes.max(axis=0) + 1) if k * RARE > data.n]
    if not found:
        return []
    return [
        f"states have fewer than {RARE} rows each in {list_some(found)}, too few to tell edges by; group them, or drop the column"
    ]


def tell_strangers(data: Table, pairs: Array) -> list[str]:
    """The pairs of columns that no row observes together."""
    apart = [f"{data.columns[i]!r} and {data.columns[j]!r}" for i, j in np.argwhere(np.triu(pairs == 0, 1))]
    return [f"no row has values of both {list_some(apart)}, so that no edge can be between them"] if apart else []
