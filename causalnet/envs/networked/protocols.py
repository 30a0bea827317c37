"""What a networked environment offers: the contract that learners ask for, and what an environment may offer beyond it.

A plain class with these attributes and methods does, and inherits nothing; ``checks.networked`` refuses one that lacks some,
by their names. E is the number of copies (no such axis where ``n_envs`` is None), n that of agents, T of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...base.arrays import AnyArray, Array, Bools, Codes, Floats, Ints

Parts = Sequence[tuple[str, AnyArray]]


@runtime_checkable
class AgentNetwork(Protocol):
    """Agents 0 .. n - 1 who influence one another along the edges of a graph; what kinds of actions they have, others say."""

    n_agents: int
    n_envs: int | None  # copies that step together; None: one, without the axis E
    horizon: int | None  # steps of an episode; None: no end

    @property
    def adjacency(self) -> sparse.csr_matrix:
        """(n, n) bool, no diagonal, symmetric or not: [i, j] says that agent i influences agent j within one step."""

    def reset(self, seed: Any = None) -> tuple[AnyArray, dict[str, Any]]:
        """First observations (E, n) or (E, n, d), info; with a seed the whole future is fixed."""

    def step(self, actions: Any) -> tuple[AnyArray, Array, Any, Any, dict[str, Any]]:
        """actions -> observations, local rewards (E, n), terminated (E,), truncated (E,), info.

        A copy that is over before the others stays where it is, with rewards of 0, until the next reset.
        """


@runtime_checkable
class NetworkedEnv(AgentNetwork, Protocol):
    """The contract: agent i takes one of ``n_actions[i]`` actions, numbered from 0, and is paid a local reward.

    Attributes: ``n_agents`` n; ``n_actions`` (n,) whole numbers; ``n_envs`` E or None; ``horizon`` or None; ``adjacency`` CSR
    (n, n) bool, [i, j]: i influences j within one step. Observations are codes (E, n), see :class:`CodedEnv`, or vectors
    (E, n, d) of numbers; actions (E, n) whole numbers; rewards (E, n). No axis E where ``n_envs`` is None. An environment of
    yours may also offer ``action_masks()``, see :class:`MaskedEnv`; with real-valued actions it is a :class:`ContinuousEnv`.
    """

    n_actions: Ints  # (n,)


@runtime_checkable
class CodedEnv(NetworkedEnv, Protocol):
    """Observations are local states in codes: (E, n) whole numbers, agent i's from 0 to ``n_states[i]`` - 1.

    What learners with tables, views, masks and certificates need.
    """

    n_states: Ints  # (n,)


@runtime_checkable
class ContinuousEnv(AgentNetwork, Protocol):
    """Actions (E, n, ``action_size``), numbers in [-1, 1], in place of ``n_actions``."""

    action_size: int


@runtime_checkable
class MaskedEnv(Protocol):
    """Some actions mean nothing in some states."""

    def action_masks(self) -> Bools:
        """(E, n, A) bool, A the largest of ``n_actions``: which actions of each agent mean anything now."""


@runtime_checkable
class Described(CodedEnv, Protocol):
    """States made of named components, and what tells networks and domains apart (see ``identity``)."""

    component_names: tuple[str, ...]
    radices: Ints  # (n, c): agent i's component k takes values 0 .. radices[i, k] - 1; code = little-endian mixed radix

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
class Congested(CodedEnv, Protocol):
    """Agents get into each other's way on shared places."""

    def congestion(self, s: AnyArray, a: Ints) -> Ints:
        """s, a (..., n) -> (..., n): how many others use the place that an agent's action uses; 0 where it uses none."""


def lacking(env: Any, protocol: type) -> list[str]:
    """The attributes and methods of a Protocol that an environment lacks, in alphabetical order."""
    kinds = [kind for kind in protocol.__mro__ if getattr(kind, "_is_protocol", False) and kind is not Protocol]
    names = {name for kind in kinds for name in (*vars(kind), *kind.__annotations__) if not name.startswith("_")}
    return sorted(name for name in names if getattr(env, name, lacking) is lacking)
