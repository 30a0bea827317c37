"""What an online backend is: an explicit state takes one action and its outcome at a time, and gives the graph so far.

    state = backend.init(variables, units, ...)
    state = backend.step(state, before=..., after=..., unit=..., variable=...)
    graph = backend.graph(state)

A module with these functions will do, as :mod:`causalnet.backends.att_bic` is one. States are values: a step leaves the
one that it was given as it is. ``learn_by_doing(discovery=state)`` takes the state of any backend, of yours too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from numpy.typing import ArrayLike

from ..graph import Graph


class OnlineBackend(Protocol):
    """The functions on states. ``init(variables, units, **settings) -> state`` is theirs to define, and not asked here."""

    def step(
        self,
        state: Any,
        *,
        before: ArrayLike,
        after: ArrayLike,
        unit: Any,
        variable: Any,
        started: ArrayLike | None = None,
        cleared: ArrayLike | None = None,
        seconds: float = 1.0,
    ) -> Any:
        """The state after one action on ``variable`` of ``unit``, codes or names, which took ``seconds``.

        before, after: (D, V) counts; started, cleared: (D, V) what began and what ended meanwhile, None where not told.
        """
        ...

    def graph(self, state: Any) -> Graph:
        """The graph over the variables that was learned so far, possibly a few actions old."""
        ...

    def setup(self, state: Any) -> Mapping[str, Any]:
        """What the state was opened with: "variables" and "units", (V,) and (D,) names, and every setting that matters.

        A run is resumed only where the settings read the same as text.
        """
        ...

    def save(self, state: Any, path: str | Path) -> None:
        """Write the state to one file, whole or not at all."""
        ...

    def load(self, path: str | Path) -> Any:
        """The state that ``save`` wrote, to the bit; DataError for any other file."""
        ...


@runtime_checkable
class OnlineState(Protocol):
    """All that an online backend knows after some actions; it knows whose it is."""

    @property
    def backend(self) -> OnlineBackend:
        """The functions that take this state."""
        ...
