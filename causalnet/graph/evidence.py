"""Why a pair is joined or not, kept as arrays and read as dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..base.arrays import Bools


class PairEvidence(Mapping[tuple[str, str], Mapping[str, Any]]):
    """Evidence per pair kept as arrays and turned into dicts only when read.

    nodes: the graph's names. present: (d, d) bool, the pairs that have evidence (read for i < j when symmetric).
    describe(i, j): builds the dict of one pair from the backend's own arrays; it must be picklable.
    """

    def __init__(self, nodes: Sequence[str], present: Bools, describe: Callable[[int, int], Mapping[str, Any]]) -> None:
        self._nodes = tuple(nodes)
        self._index = {name: i for i, name in enumerate(self._nodes)}
        self._present = present
        self._describe = describe

    def __getitem__(self, pair: tuple[str, str]) -> Mapping[str, Any]:
        i, j = self._index[pair[0]], self._index[pair[1]]
        if not self._present[i, j]:
            raise KeyError(pair)
        return self._describe(i, j)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((self._nodes[i], self._nodes[j]) for i, j in np.argwhere(self._present))

    def __len__(self) -> int:
        return int(self._present.sum())
