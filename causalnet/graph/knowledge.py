"""Background knowledge: required and forbidden edges, tiers, roots and leaves. Knowledge is hard: never broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ..base.arrays import Bools
from ..base.asked import asks
from ..base.checks import names
from ..errors import KnowledgeError, nearest
from .graph import Graph
from .labels import node_names
from .marks import ARROW, TAIL, spell
from .order import find_cycle

Pair = tuple[str, str]


class KnownEnds(NamedTuple):
    """What knowledge says of a partial ancestral graph over d nodes, (d, d) bool each.

    apart: pairs that nothing joins, no hidden cause either. arrow: [i, j] where j is no cause of i, so that the mark at j of
    an edge i *-* j is an arrow. tail: [i, j] where it is a tail, for j is a cause of i or has no causes itself.
    """

    apart: Bools
    arrow: Bools
    tail: Bools


@dataclass(frozen=True)
class Knowledge:
    """What is known before looking at the data.

    required: edges (cause, effect) that must be in the graph, in this direction.
    forbidden: edges (cause, effect) that must not be. Forbid both directions to keep a pair apart.
    tiers: groups of variables in causal order, or {name: tier}; nothing in a later tier causes anything in an earlier one.
    roots: variables without causes. leaves: variables without effects.
    A name with a ``*`` that is no variable itself stands for all that match: forbidden=[("trait", "gene_*")].
    Contradictions (an edge both required and forbidden, a required cycle, ...) are errors when it is built.
    """

    required: tuple[Pair, ...] = ()
    forbidden: tuple[Pair, ...] = ()
    tiers: tuple[tuple[str, ...], ...] = ()
    roots: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "required", _pairs(self.required, "required"))
        object.__setattr__(self, "forbidden", _pairs(self.forbidden, "forbidden"))
        object.__setattr__(self, "tiers", _tiers(self.tiers))
        object.__setattr__(self, "roots", names("roots", self.roots, KnowledgeError))
        object.__setattr__(self, "leaves", names("leaves", self.leaves, KnowledgeError))
        seen: dict[str, int] = {}
        for k, tier in enumerate(self.tiers):
            for name in tier:
                if seen.setdefault(name, k) != k:
                    raise KnowledgeError(f"{name!r} stands in tier {seen[name]} and in tier {k}; keep one")
        self.compile(sorted(self._mentioned))

    @property
    def names(self) -> set[str]:
        """Every variable that is mentioned; patterns (``gene_*``) are none."""
        return {name for name in self._mentioned if "*" not in name}

    @property
    def _mentioned(self) -> set[str]:
        pairs = {name for pair in (*self.required, *self.forbidden) for name in pair}
        return pairs | {name for tier in self.tiers for name in tier} | set(self.roots) | set(self.leaves)

    def over(self, nodes: Sequence[str]) -> Knowledge:
        """The same with every pattern replaced by the nodes that match it; KnowledgeError where none does."""
        nodes = node_names(nodes)
        there = set(nodes)
        patterns = sorted(name for name in self._mentioned - there if "*" in name)
        if not patterns:
            return self
        forms = {name: re.compile(".*".join(map(re.escape, name.split("*"))), re.DOTALL) for name in patterns}
        matched = {name: tuple(node for node in nodes if form.fullmatch(node)) for name, form in forms.items()}
        for pattern, found in matched.items():
            if not found:
                raise KnowledgeError(f"knowledge names {pattern!r}, which matches no variable here: {_few(nodes)}")

        def each(given: Iterable[str]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(node for name in given for node in matched.get(name, (name,))))

        def pairs(given: tuple[Pair, ...]) -> tuple[Pair, ...]:
            return tuple((a, b) for x, y in given for a in each([x]) for b in each([y]) if a != b)

        tiers = tuple(each(tier) for tier in self.tiers)
        return Knowledge(pairs(self.required), pairs(self.forbidden), tiers, each(self.roots), each(self.leaves))

    def __bool__(self) -> bool:
        return bool(self.required or self.forbidden or self.tiers or self.roots or self.leaves)

    def compile(self, nodes: Sequence[str]) -> tuple[Bools, Bools]:
        """(allowed, required): two (d, d) bool matrices over ``nodes``; the diagonal is never allowed.

        A required edge also forbids its reverse.
        """
        nodes = node_names(nodes)
        if not self:
            return ~np.eye(len(nodes), dtype=bool), np.zeros((len(nodes), len(nodes)), dtype=bool)
        index = {name: i for i, name in enumerate(nodes)}
        known = self.over(nodes)
        unknown = sorted(known._mentioned - set(index))
        if unknown:
            raise KnowledgeError(f"knowledge names {unknown[0]!r}, not a variable here.{nearest(unknown[0], index)}")
        d = len(nodes)
        allowed = ~np.eye(d, dtype=bool)
        required = np.zeros((d, d), dtype=bool)
        for a, b in known.forbidden:
            allowed[index[a], index[b]] = False
        for early, late in combinations(known.tiers, 2):
            allowed[np.ix_([index[n] for n in late], [index[n] for n in early])] = False
        allowed[:, [index[n] for n in known.roots]] = False
        allowed[[index[n] for n in known.leaves], :] = False
        for a, b in known.required:
            if not allowed[index[a], index[b]]:
                raise KnowledgeError(f"{a} -> {b} is required, but the same knowledge forbids it; drop one of the two")
            required[index[a], index[b]] = True
        cycle = find_cycle(required) if known.required else None
        if cycle is not None:
            loop = " -> ".join(nodes[i] for i in [*cycle, cycle[0]])
            raise KnowledgeError(f"the required edges form a cycle: {loop}; remove one of them")
        return allowed & ~required.T, required

    def ends(self, nodes: Sequence[str]) -> KnownEnds:
        """What this says where common causes may be hidden; an edge then speaks of causes near and far.

        A forbidden a -> b says that a is no cause of b, and so do tiers and leaves; two such variables may still have a
        hidden common cause. Apart are pairs forbidden both ways by name, and those that only a cause of a root could join.
        """
        nodes = node_names(nodes)
        known = self.over(nodes)
        allowed, required = known.compile(nodes)
        index = {name: i for i, name in enumerate(nodes)}
        named = np.eye(len(nodes), dtype=bool)
        for a, b in known.forbidden:
            named[index[a], index[b]] = True
        root = np.isin(np.arange(len(nodes)), [index[name] for name in known.roots])
        apart = (named & named.T) | (root[:, None] & ~allowed) | (root & ~allowed.T)
        tail = (required.T | root) & ~apart
        return KnownEnds(apart, ~allowed.T & ~apart, tail)

    @asks()
    def check(self, graph: Graph) -> None:
        """Raise KnowledgeError, naming the edge, if ``graph`` breaks this knowledge; see ``ends`` for one with end marks."""
        allowed, required = self.compile(graph.nodes)
        if graph.marks is not None:
            _check_marks(graph, self.ends(graph.nodes), required)
            return
        for i, j in np.argwhere(graph.adj & ~allowed):
            a, b = graph.nodes[i], graph.nodes[j]
            what = f"{a} -- {b}, left unoriented," if graph.adj[j, i] else f"{a} -> {b}"
            raise KnowledgeError(f"the result has {what} although {a} -> {b} is ruled out by the knowledge")
        for i, j in np.argwhere(required & ~graph.directed):
            raise KnowledgeError(f"the result lacks the required edge {graph.nodes[i]} -> {graph.nodes[j]}")


def _check_marks(graph: Graph, known: KnownEnds, required: Bools) -> None:
    marks, nodes = graph.marks, graph.nodes
    assert marks is not None
    joined = marks > 0
    wrong = joined & (known.apart | (known.arrow & (marks != ARROW)) | (known.tail & (marks != TAIL)))
    for i, j in np.argwhere(wrong):
        edge = f"{nodes[i]} {spell(graph.adj, marks, i, j)} {nodes[j]}"
        if known.apart[i, j]:
            raise KnowledgeError(f"the result has {edge} although the knowledge keeps the two apart")
        why = f"{nodes[j]} is no cause of {nodes[i]}" if known.arrow[i, j] else f"the mark at {nodes[j]} is a tail"
        raise KnowledgeError(f"the result has {edge} although by the knowledge {why}")
    for i, j in np.argwhere(required & ~joined):
        raise KnowledgeError(f"the result lacks the required edge {nodes[i]} -> {nodes[j]}")


def _few(nodes: Sequence[str]) -> str:
    return ", ".join(nodes[:5]) + (", ..." if len(nodes) > 5 else "")


def _tiers(given: Any) -> tuple[tuple[str, ...], ...]:
    if isinstance(given, Mapping) and given and all(isinstance(tier, int) for tier in given.values()):  # {name: tier}
        return tuple(tuple(str(name) for name in given if given[name] == tier) for tier in sorted(set(given.values())))
    if isinstance(given, Mapping):
        raise KnowledgeError(
            f"tiers is a list of groups in causal order, not a dict; write tiers={list(given.values())!r}"
        )
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise KnowledgeError(f"tiers is {given!r}, and must be a list of groups; write tiers=[['early'], ['late']]")
    return tuple(names("tiers", tier, KnowledgeError) for tier in given)


def as_knowledge(given: Any) -> Knowledge | None:
    """Knowledge or None as it is; KnowledgeError, saying what to write, for anything else."""
    if given is None or isinstance(given, Knowledge):
        return given
    hint = f"; write Knowledge(**{given!r})" if isinstance(given, Mapping) and len(repr(given)) < 80 else ""
    raise KnowledgeError(f"knowledge is of type {type(given).__name__}, and must be a causalnet.Knowledge{hint}")


def _pairs(pairs: Iterable[Sequence[str]], what: str) -> tuple[Pair, ...]:
    result = []
    if isinstance(pairs, str | Mapping) or not isinstance(pairs, Iterable):
        raise KnowledgeError(f"{what} takes pairs (cause, effect), got {pairs!r}; write {what}=[('A', 'B')]")
    for pair in pairs:
        if isinstance(pair, str) or not isinstance(pair, Iterable) or len(tuple(pair)) != 2:
            raise KnowledgeError(f"{what} takes pairs (cause, effect), got {pair!r}; write {what}=[('A', 'B')]")
        a, b = (str(name) for name in pair)
        if a == b and "*" not in a:
            raise KnowledgeError(f"{what} holds ({a!r}, {a!r}); a variable cannot cause itself")
        result.append((a, b))
    return tuple(result)
