"""Graphs as other programs write them: DOT, of Graphviz and of DAGitty, GML, and the structure of a BIF file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import DataError
from .marks import ARROW, TAIL, directions
from .networks import SHAPES, marks_of_arcs, read_graphml
from .sheets import fields_of_sheet

DEEP = 50  # groups within groups
ENDS = dict(zip(SHAPES.values(), "->o", strict=True))
TOKEN = re.compile(
    r"""(?:\s|//[^\n]*|/\*.*?\*/|^\#[^\n]*)*+  # blanks and comments; possessive: no other reading of them is tried
    (?:(?P<edge>[<@]?--?[>@]|[<@]?--|<-)|(?P<quoted>"(?:[^"\\]|\\.)*+")|(?P<name>(?:(?<![\w.])-)?[\w.\x80-\U0010ffff]++)
    |(?P<sign>[][{}=;,:])|(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
UNQUOTED = {"\\n": "\n"}


def fields_of_dot(text: str) -> dict[str, Any]:
    """The fields of the graph in a DOT text; what its drawing looks like, and weights, are not read."""
    return _fields(*_Dot(text).read())


def fields_of_bif(text: str) -> dict[str, Any]:
    """The fields of the graph of a Bayesian network in a BIF text, without its tables."""
    name = r'"[^"]*"|[^\s"{}()|,]+'
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)
    nodes = [found.strip('"') for found in re.findall(rf"\bvariable\s+({name})\s*\{{", text)]
    laws = re.findall(rf"\bprobability\s*\(\s*({name})\s*(?:\|([^)]*))?\)", text)
    if not nodes:
        raise DataError("it is no BIF file: it has no variable { ... }")
    told = Counter(law[0].strip('"') for law in laws)
    odd = [node for node in nodes if told[node] != 1]
    if odd:
        raise DataError(
            f"it tells the probability of {odd[0]!r} {told[odd[0]]} times, and must once; was it cut short?"
        )
    arcs = [(a.strip('"'), b.strip('"'), "->") for b, causes in laws for a in re.findall(name, causes)]
    return _fields(dict.fromkeys(nodes), arcs)


def _fields(nodes: Mapping[str, Any], arcs: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Of nodes in their order and arcs (u, v, mark)."""
    names = tuple(nodes)
    odd = [name for arc in arcs for name in arc[:2] if name not in nodes] + [u for u, v, _ in arcs if u == v]
    if odd:
        raise DataError(f"an edge names {odd[0]!r} twice, or it is no node")
    marks = marks_of_arcs(names, arcs, np.zeros((len(names), len(names)), bool))
    plain = ((marks == TAIL) | ((marks == ARROW) & (marks.T == TAIL)) | (marks == 0)).all()
    return {"nodes": names, "adj": directions(marks), "marks": None if plain else marks}


class _Dot:
    """A reader of one DOT text: nodes in their order, and arcs (u, v, mark)."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                raise DataError(f"it is no DOT: {text[at:].strip()[:20]!r} in line {text.count(chr(10), 0, at) + 1}")
            at = found.end()
            if found.lastgroup != "end":
                self.tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
        self.at, self.nodes, self.arcs = 0, dict[str, None](), list[tuple[str, str, str]]()

    def read(self) -> tuple[dict[str, None], list[tuple[str, str, str]]]:
        words = [word.lower() for _, word in self.tokens[:4]]
        words = words[words[:1] == ["strict"] :]
        if words[:1] not in (["digraph"], ["graph"], ["dag"], ["pdag"], ["mag"], ["pag"]) or "{" not in words:
            raise DataError("it is no DOT: it begins with digraph {, graph { or dag {")
        if words[0] not in ("digraph", "graph"):
            self._refuse_circles()
        while self._next()[1] != "{":
            pass
        self._group({}, 0)
        if self.at < len(self.tokens):
            raise DataError("it holds more than one graph; keep one")
        return self.nodes, self.arcs

    def _refuse_circles(self) -> None:
        """DAGitty writes @ for a circle; others' o would be read as a node."""
        for (kind, word), (after, _) in pairwise(self.tokens):
            if kind == "name" and (word == "-o" or (word == "o" and after == "edge")):
                raise DataError('it writes a circle as o; write @, as in a @-> b (or "o" for a node of that name)')

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise DataError("it ends before its graph does; was it cut short?")
        self.at += 1
        return self.tokens[self.at - 1]

    def _sees(self, *words: str) -> bool:
        """Is the next one of these? It stays the next."""
        return self.at < len(self.tokens) and self.tokens[self.at][1].lower() in words

    def _name(self) -> str:
        kind, word = self._next()
        if kind == "quoted":
            return re.sub(r"\\(.)", lambda found: UNQUOTED.get(found[0], found[1]), word[1:-1], flags=re.DOTALL)
        if kind != "name":
            raise DataError(f"it is no DOT: {word!r} where a name belongs")
        return word

    def _group(self, usual: Mapping[str, str], depth: int) -> list[str]:
        """Statements up to the closing brace; the nodes that they name. usual: attributes of edges."""
        if depth > DEEP:
            raise DataError(f"it has more than {DEEP} groups within groups")
        usual, named = dict(usual), dict[str, None]()
        while not self._sees("}"):
            if self._sees(";", ","):
                self._next()
            elif self._sees("graph", "node", "edge", "bb") and self.tokens[self.at + 1 : self.at + 2] != [
                ("sign", "=")
            ]:
                kind = self._name().lower()
                told = self._attributes()
                usual |= told if kind == "edge" else {}
            else:
                named |= dict.fromkeys(self._statement(usual, depth))
        self._next()
        return list(named)

    def _statement(self, usual: Mapping[str, str], depth: int) -> list[str]:
        """A node, an attribute of the graph, or a chain of edges."""
        chain, marks = [self._end(usual, depth)], list[str]()
        if self._sees("="):
            self._next(), self._name()
            return []
        while self.at < len(self.tokens) and self.tokens[self.at][0] == "edge":
            marks.append(self._next()[1])
            chain.append(self._end(usual, depth))
        told = {**usual, **self._attributes()}
        self.nodes |= dict.fromkeys(name for end in chain for name in end)
        for (left, right), mark in zip(pairwise(chain), marks, strict=True):
            self.arcs += [(u, v, _mark(mark, told)) for u in left for v in right]
        return [name for end in chain for name in end]

    def _end(self, usual: Mapping[str, str], depth: int) -> list[str]:
        """The nodes at one end of an edge: one, or those of a group."""
        if self._sees("subgraph"):
            self._next()
            if not self._sees("{"):
                self._name()
        if self._sees("{"):
            self._next()
            return self._group(usual, depth + 1)
        name = self._name()
        while self._sees(":"):  # a port
            self._next(), self._name()
        return [name]

    def _attributes(self) -> dict[str, str]:
        found = {}
        while self._sees("["):
            self._next()
            while not self._sees("]"):
                if self._sees(",", ";"):
                    self._next()
                    continue
                key, value = self._name(), "true"
                if self._sees("="):
                    self._next()
                    value = self._name()
                found[key.lower()] = value
            self._next()
        return found


def _mark(edge: str, told: Mapping[str, str]) -> str:
    """The mark of an edge, read from left to right: as it is written, or as Graphviz is told to draw its ends."""
    left, right = edge[0].replace("@", "o"), edge[-1].replace("@", "o")
    way = told.get("dir", "forward" if right == ">" and left == "-" else "")
    if edge in ("->", "--") and way in ("forward", "back", "both", "none") and (edge == "->" or "dir" in told):
        head, tail = (ENDS.get(told.get(f"arrow{end}", "normal"), ">") for end in ("head", "tail"))
        right = head if way in ("forward", "both") else "-"
        left = tail if way in ("back", "both") else "-"
    left = "<" if left == ">" else left
    return f"{left}{right}" if left == "-" else f"{left}-{right}"


def read_gml(text: str) -> Any:
    """The networkx graph in a GML text, its nodes by their labels where all have one; DataError for anything else."""
    import networkx as nx

    try:
        graph = nx.parse_gml(text.splitlines(), label="id")
        labels = nx.get_node_attributes(graph, "label")
        if labels and len(set(labels.values())) < len(graph):
            raise DataError("its nodes do not have a label each, or not labels of their own")
        return nx.relabel_nodes(graph, labels) if labels else graph
    except (nx.NetworkXError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"it is not GML ({error})") from error


FIELDS: dict[str, Callable[[str], dict[str, Any]]] = {
    ".csv": fields_of_sheet,
    ".dot": fields_of_dot,
    ".gv": fields_of_dot,
    ".txt": fields_of_dot,
    ".bif": fields_of_bif,
}
NETWORKS: dict[str, Callable[[str], Any]] = {".graphml": read_graphml, ".gml": read_gml}
"""By the endings of files: what reads the fields of a graph, or a graph of networkx."""
