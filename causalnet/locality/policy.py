"""Localized tabular policies of a networked decision process: pi(a | s) = prod_k pi_k(a_k | s_{O_k})."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.arrays import Array, Ints
from ..base.asked import asks
from ..base.checks import entries, improper, laws, number, shaped
from ..envs.networked.checks import agent_rows, frozen
from ..envs.networked.exact import softmax
from ..errors import DataError

Links = Sequence[Sequence[int]]  # of each agent, other agents by number


@dataclass(frozen=True, eq=False)
class LocalPolicy:
    """Agent k draws its action from tables[k], axes (s of each agent in observes[k]..., a_k); rows sum to one.

    observes[k]: the agents whose states agent k reads, in the order of the axes; by default itself alone.
    logits, temperature: what the tables are the softmax of, where they are (see :meth:`softmax`).
    """

    tables: Sequence[Array]
    observes: Links | None = None
    logits: Sequence[Array] | None = None
    temperature: float | None = None

    def __post_init__(self) -> None:
        tables = entries("tables", self.tables, "policy tables")
        if not tables:
            raise DataError("tables is empty; give one policy table an agent")
        object.__setattr__(self, "tables", tuple(_kept(f"policy table {k}", t) for k, t in enumerate(tables)))
        object.__setattr__(self, "observes", _observes(self.tables, self.observes))
        for indices, stack in shape_groups(self.tables):
            off = improper(stack).reshape(len(stack), -1).any(axis=1)
            if off.any():
                k = indices[int(off.argmax())]
                laws(f"policy table {k}", self.tables[k])

    @property
    def n_agents(self) -> int:
        """Number of agents n."""
        return len(self.tables)

    @classmethod
    def softmax(cls, logits: Sequence[Any], temperature: float = 1.0, observes: Links | None = None) -> LocalPolicy:
        """pi_k(a | o) = exp(logits[k][o, a] / temperature) / sum: smoother, so more local, as the temperature rises."""
        temperature = number("temperature", temperature, above=0)  # small is greedy, large is uniform
        kept = tuple(_kept(f"logits {k}", x) for k, x in enumerate(entries("logits", logits, "tables")))
        tables: dict[int, Array] = {}
        for indices, stack in shape_groups(kept):
            tables |= dict(zip(indices, softmax(stack / temperature), strict=True))
        return cls([tables[k] for k in range(len(kept))], observes, kept, temperature)

    def known_logits(self) -> Sequence[Array]:
        """The logits, or log pi where they are not known."""
        if self.logits is not None:
            return self.logits
        for k, table in enumerate(self.tables):
            if not table.min() > 0:
                raise DataError(
                    f"policy table {k} holds a probability 0, which no temperature changes; use mixed(share), or give "
                    f"logits to LocalPolicy.softmax"
                )
        return [np.log(table) for table in self.tables]

    def at(self, temperature: float) -> LocalPolicy:
        """The same logits at another temperature; log pi stands for logits that are not known."""
        return LocalPolicy.softmax(self.known_logits(), temperature, self.observes)

    def mixed(self, share: float) -> LocalPolicy:
        """(1 - share) pi + share uniform: every sensitivity of the policy shrinks by the factor 1 - share."""
        share = number("share", share, 0, 1)
        return LocalPolicy([(1 - share) * t + share / t.shape[-1] for t in self.tables], self.observes)

    @asks()
    def require(self, n_states: Ints, n_actions: Ints, why: str = "was it made for another network?") -> None:
        """Refuse a policy that was made for another network: (n,) numbers of states and of actions; why: the likely cause."""
        if self.n_agents != len(n_states):
            raise DataError(f"the policy has {self.n_agents} agents and the network {len(n_states)}: use its own")
        axes = f"the states observed, then the own actions; {why}"
        for k, (seen, table) in enumerate(zip(self.observes or (), self.tables, strict=True)):
            far = [i for i in seen if i >= len(n_states)]
            if far:
                raise DataError(f"the policy of agent {k} observes agent {far[0]}, and the last is {len(n_states) - 1}")
            want = (*(int(n_states[i]) for i in seen), int(n_actions[k]))
            shaped(f"policy table {k}", table, want, axes)


def as_policy(policy: LocalPolicy | Sequence[Array]) -> LocalPolicy:
    """A LocalPolicy as it is, or the one of own-state tables (n_states[i], n_actions[i])."""
    return policy if isinstance(policy, LocalPolicy) else LocalPolicy(policy)


def shape_groups(tables: Sequence[Array], limit: int = 1 << 23) -> list[tuple[list[int], Array]]:
    """Tables of one shape stacked, at most ``limit`` numbers at a time: [(indices, (G, *shape))]."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for i, table in enumerate(tables):
        by_shape.setdefault(table.shape, []).append(i)
    parts = []
    for shape, indices in by_shape.items():
        step = max(1, limit // max(1, int(np.prod(shape))))
        for start in range(0, len(indices), step):
            part = indices[start : start + step]
            parts.append((part, np.array([tables[i] for i in part])))
    return parts


def _kept(name: str, table: Any) -> Array:
    """A read-only copy of a table of finite numbers, actions on its last axis."""
    out = frozen(name, table)
    if not out.ndim or not out.size:
        raise DataError(f"{name} has shape {out.shape}, and must be a table with actions on the last axis")
    return out


def _observes(tables: Sequence[Array], given: Links | None) -> tuple[tuple[int, ...], ...]:
    """Whose states each agent reads, one axis of its table each."""
    rows = tuple((k,) for k in range(len(tables))) if given is None else agent_rows("observes", given, len(tables))
    for k, (row, table) in enumerate(zip(rows, tables, strict=True)):
        if table.ndim != len(row) + 1:
            said = f"observes[{k}] names {len(row)} agents" if given is not None else "its agent observes itself alone"
            raise DataError(
                f"policy table {k} has {table.ndim} axes, and {said}; say in observes whose states its axes are, one each, "
                "then comes one of actions"
            )
    return rows
