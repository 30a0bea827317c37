"""The frame of gcastle's algorithms: an object with ``learn(values)`` that then holds ``causal_matrix``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ...base.arrays import Array
from ...data import Table
from ...discovery.contract import Backend
from ...discovery.guests import Method, family, of_causes
from ...graph import Graph

ALGORITHMS: dict[str, Backend] = {}
offer = family("gcastle", ALGORITHMS, ("castle", "torch"), "gcastle torch==2.13.0")


class Machine(Method):
    """A class of ``castle.algorithms``: made with its arguments, taught with the (n, d) values."""

    tensors = True
    algorithm = ""  # the class
    seed_as = ""  # its argument that takes a seed, if any
    weighted = False  # it leaves effects in weight_causal_matrix
    fixed: ClassVar[Mapping[str, Any]] = {}  # arguments that are no parameters of ours

    def adapt(self, data: Table) -> None:
        """Change ``theirs`` where an argument depends on the data or on another one."""

    def taught(self) -> dict[str, Any]:
        """Arguments of its ``learn`` beside the values."""
        return {}

    def values(self, data: Table) -> Array:
        """A fresh (n, d) array in the form that the algorithm wants."""
        return data.values.copy()

    def run(self, data: Table, seed: int) -> Graph:
        """The graph, with weights where the algorithm has any; its [i, j] is i -> j, as ours."""
        self.adapt(data)
        import castle.algorithms

        seeded = {self.seed_as: seed} if self.seed_as else {}
        model = getattr(castle.algorithms, self.algorithm)(**self.fixed, **self.theirs, **seeded)
        model.learn(self.values(data), **self.taught())
        return of_causes(data, model.causal_matrix, model.weight_causal_matrix if self.weighted else None)
