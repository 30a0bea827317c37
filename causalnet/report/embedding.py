"""The graphs of a comparison as data of its page: one layout a data set, each graph's edges with their evidence and share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from ..base.arrays import Array
from ..graph import Graph
from .svg import Edge, edges_of, place, shorten
from .values import heading, short

MOST_NODES, MOST_EDGES = 300, 1500  # of a graph that is embedded
ROOM = 1_600_000  # characters of all embedded graphs of a page
NOTE = 110  # characters of the evidence of an edge
UNTOLD = frozenset({"joined", "lag_matrix"})


def embed(results: Any, sections: Iterable[Mapping[str, Any]]) -> tuple[Markup, dict[str, int]]:
    """JSON for a script element, and how many graphs each section has in it: for its id its nodes, their places, and the edges of truth and answers.

    An edge is [i, j, mark at i, mark at j, share of the other draws that join the pair, evidence]; the last two where known.
    Graphs that there is no room for are left out, the later data sets first.
    """
    found: dict[str, Any] = {}
    left = ROOM
    for section in sections:
        part = _part(results, section["name"], [line.backend for line in section["lines"]], left)
        if part is not None:
            found[section["id"]] = part
            left -= len(json.dumps(part, ensure_ascii=False))
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text), {key: len(part["graphs"]) for key, part in found.items()}


def _part(results: Any, name: str, methods: Sequence[str], room: int) -> dict[str, Any] | None:
    graphs: dict[str, tuple[Graph, Array | None]] = {}
    truth = results.truth(name, 0)
    for method in methods:
        learned = results.graph(name, method, 0)
        if learned is not None and learned.d <= MOST_NODES and int(learned.skeleton.sum()) <= 2 * MOST_EDGES:
            graphs[method] = (learned, results.edge_shares(name, method))
    whole = truth if truth is not None else next((graph for graph, _ in graphs.values()), None)
    if whole is None or whole.d > MOST_NODES or int(whole.skeleton.sum()) > 2 * MOST_EDGES:
        return None
    layout = place(whole, 1100.0 if whole.d > 40 else 700.0)
    part: dict[str, Any] = {
        "nodes": list(whole.nodes),
        "labels": [shorten(node) for node in whole.nodes],
        **{key: [round(float(v)) for v in getattr(layout, of)] for key, of in (("x", "x"), ("y", "y"), ("w", "width"))},
        "h": layout.height,
        "size": [round(float(v)) for v in layout.size],
        "graphs": {} if truth is None else {"truth": _edges(truth, None)},
    }
    for method, (graph, shares) in graphs.items():
        edges = _edges(graph.align(whole.nodes), shares)
        room -= 40 * len(edges)
        if room < 0:
            break
        part["graphs"]["the truth's rival" if method == "truth" else method] = edges
    return part if part["graphs"] else None


def _edges(graph: Graph, shares: Array | None) -> list[list[Any]]:
    found = []
    for edge in edges_of(graph):
        row: list[Any] = [edge.i, edge.j, edge.at_i, edge.at_j]
        why = note(graph, edge.i, edge.j)
        if shares is not None or why:
            row.append(None if shares is None else round(float(shares[edge.i, edge.j]), 2))
        found.append([*row, why] if why else row)
    return found


def tell(graph: Graph, edge: Edge) -> Edge:
    """The edge with what it rests on and how sure it is, as far as the graph's evidence says."""
    share = _evidence(graph, edge.i, edge.j).get("confidence")
    return replace(edge, note=note(graph, edge.i, edge.j), sure=None if share is None else float(share))


def _evidence(graph: Graph, i: int, j: int) -> Mapping[str, Any]:
    a, b = graph.nodes[i], graph.nodes[j]
    return graph.evidence.get((a, b)) or graph.evidence.get((b, a)) or {}


def note(graph: Graph, i: int, j: int) -> str:
    """What an edge rests on, in a line: its evidence, or nothing."""
    found = _evidence(graph, i, j)
    text = "; ".join(
        f"{heading(key).lower()} {short(value)}" for key, value in found.items() if key not in UNTOLD and short(value)
    )
    return text if len(text) <= NOTE else f"{text[: NOTE - 1]}…"
