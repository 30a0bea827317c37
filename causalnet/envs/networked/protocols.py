"""What a networked environment offers: the contract that learners ask for, and what an environment may offer beyond it.

``NetworkedEnv`` is the base class of this package's own; anything else with these attributes and methods does as well. E is
the number of copies (no such axis where ``n_envs`` is None), n that of agents, T of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...base.arrays import AnyArray, Array, Codes, Floats, Ints

Parts = Sequence[tuple[str, AnyArray]]


@runtime_checkable
class Networked(Protocol):
    """The array contract: agent i has ``n_states[i]`` local states and ``n_actions[i]`` local actions, numbered from 0."""

    n_agents: int
    n_states: Ints  # (n,)
    n_actions: Ints  # (n,)
    n_envs: int | None  # copies that step together; None: one, without the axis E
    horizon: int | None  # steps of an episode; None: no end

    @property
    def adjacency(self) -> sparse.csr_matrix:
        """(n, n) bool, symmetric, no diagonal: who influences whom within one step."""

    def reset(self, seed: Any = None) -> tuple[Ints, dict[str, Any]]:
        """First states (E, n), info; with a seed the whole future is fixed."""

    def step(self, actions: Any) -> tuple[Ints, Array, Any, Any, dict[str, Any]]:
        """actions (E, n) -> states (E, n), local rewards (E, n), terminated (E,), truncated (E,), info."""


@runtime_checkable
class Described(Networked, Protocol):
    """States made of named components, and what tells networks and domains apart (see ``identity``)."""

    component_names: tuple[str, ...]
    radices: Ints  # (n, c): agent i's component k takes values 0 .. radices[i, k] - 1

    def network_parts(self) -> Parts:
        """Whole-number arrays that belong to the network, beside sizes, neighbours and components."""

    def domain_parts(self) -> Parts:
        """Real-number arrays that set the domain apart on its network, such as arrival probabilities, by name."""


@runtime_checkable
class CompiledRollout(Protocol):
    """Whole trajectories of own-state policies in one compiled loop; asked of a class, once, by ``issubclass``."""

    def roll_out(
        self, view: Codes, cumulative: Floats, streams: NDArray[np.uint64], codes: Codes, a: Ints, r: Array
    ) -> AnyArray:
        """Go on for T steps from the state now: fill codes, a (T + 1, E, n), what agents see and do, and r (T, E, n).
        Returns the last states (E, n).

        view (1 or n, S): the code seen in each local state. cumulative (L, n, S, A): of L policies, copy e follows
        e // (E / L); see ``policies.act``. streams (E, 2): the policies'. The last pair is drawn, and not carried out.
        """


@runtime_checkable
class Congested(Networked, Protocol):
    """Agents get into each other's way on shared places."""

    def congestion(self, s: AnyArray, a: Ints) -> Ints:
        """s, a (..., n) -> (..., n): how many others use the place that an agent's action uses; 0 where it uses none."""
