"""Graphs as sheets of cells: a labelled matrix, row cause and column effect, or a list of edges."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from ..base.text import guarded, unguarded
from ..errors import DataError
from .labels import CODES
from .marks import ARROW, CIRCLE, directions, spell
from .networks import Drawn, marks_of_arcs

ENDS = (("from", "to"), ("source", "target"), ("cause", "effect"), ("parent", "child"))
MARK = ("mark", "edge", "type", "interaction", "edge_type")  # of a list of edges: the column of -->, <->, o->, ---
NONE = re.compile(r"([+-]?(0+\.?0*|\.0+)(e[+-]?\d+)?|nan|na|false|)", re.IGNORECASE)  # no edge
WHOLE = re.compile(r"\s*[+-]?\d+\s*")


class Weighed(Drawn, Protocol):
    """A graph that may have weights."""

    @property
    def weight(self) -> Any:
        """(d, d), or None."""


def to_sheet(graph: Weighed) -> str:
    """CSV text: 1 or 0; with weights the weight or 0; of a partial ancestral graph its marks, such as o->, or 0."""
    for name in graph.nodes:
        if "\r" in name:
            raise DataError(
                f"the name {name!r} has a carriage return, which CSV loses; rename the node, or save as .json"
            )
    out = io.StringIO(newline="")
    write = csv.writer(out, lineterminator="\n").writerow
    write(["", *map(guarded, graph.nodes)])
    for i, name in enumerate(graph.nodes):
        cells: list[Any] = []
        for j in range(len(graph.nodes)):
            if not graph.adj[i, j] and not (graph.marks is not None and graph.marks[i, j]):
                cells.append(0)
            elif graph.marks is not None:
                cells.append(guarded(spell(graph.adj, graph.marks, i, j)))
            else:
                cells.append(1 if graph.weight is None else repr(float(graph.weight[i, j])))
        write([guarded(name), *cells])
    return out.getvalue()


def fields_of_sheet(text: str) -> dict[str, Any]:
    """The fields of a graph from a labelled matrix or a list of edges; DataError for anything else."""
    first = text.partition("\n")[0]
    mark = next((mark for mark in ";\t" if mark in first and "," not in first), ",")
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=mark) if row]
    except csv.Error as error:
        raise DataError(f"it is no CSV ({error})") from error
    if not rows:
        raise DataError("it is empty")
    ends = _ends(rows[0])
    if ends is not None:
        return _of_edges([cell.strip().lower() for cell in rows[0]], rows[1:], ends)
    names = [unguarded(cell) for cell in rows[0][1:]]
    labels = [unguarded(row[0]) for row in rows[1:]]
    if sorted(labels) != sorted(names) or len(set(names)) != len(names):
        raise DataError(
            "it is no matrix whose rows and columns have the same distinct names, and no list of edges with the columns "
            "from and to"
        )
    short = [label for label, row in zip(labels, rows[1:], strict=True) if len(row) != len(names) + 1]
    if short:
        raise DataError(f"the row {short[0]!r} has another number of cells than the first line")
    cells = [[unguarded(cell.strip()) for cell in rows[1 + labels.index(name)][1:]] for name in names]
    return _of_matrix(tuple(names), cells)


def is_headed(text: str) -> bool:
    """Does the first line say that it is a list of edges, or the corner of a matrix?"""
    first = [cell.strip().strip('"') for cell in re.split("[,;\t]", text.lstrip("\ufeff").partition("\n")[0])]
    return _ends(first) is not None or (len(first) > 2 and not first[0])


def _ends(header: Sequence[str]) -> tuple[int, int] | None:
    words = [cell.strip().lower() for cell in header]
    return next(((words.index(a), words.index(b)) for a, b in ENDS if a in words and b in words and words[0]), None)


def _of_edges(header: list[str], rows: Sequence[Sequence[str]], ends: tuple[int, int]) -> dict[str, Any]:
    if any(len(row) != len(header) for row in rows):
        raise DataError("a row of the list of edges has another number of cells than the first line")
    mark, weight = (next((k for k, name in enumerate(header) if name in names), None) for names in (MARK, ("weight",)))
    others = [name for k, name in enumerate(header) if k not in (*ends, mark, weight)]
    if others:
        raise DataError(
            f"the list of edges has the column {others[0]!r} beside those of the ends, mark and weight; leave out the rows that are no "
            "edges, and then the column"
        )
    pairs = [tuple(unguarded(row[k]).strip() for k in ends) for row in rows]
    names = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    if "" in names:
        raise DataError(
            "a row of the list of edges names no node; write both ends, and a graph with lonely nodes as a matrix"
        )
    place = {name: k for k, name in enumerate(names)}
    adj, weights = np.zeros((len(names), len(names)), bool), np.zeros((len(names), len(names)))
    for (a, b), row in zip(pairs, rows, strict=True):
        adj[place[a], place[b]] = True
        weights[place[a], place[b]] = 0.0 if weight is None else _weight(row[weight], f"the edge {a} to {b}")
        if weight is not None and weights[place[a], place[b]] == 0.0:
            raise DataError(f"the edge {a} to {b} has the weight 0, which is no edge; leave the row out")
    if mark is None:
        return {"nodes": names, "adj": adj, "weight": None if weight is None else weights}
    spelt = [
        (*pair, re.sub("-{2,}(?=[->])", "-", unguarded(row[mark]).strip()))
        for pair, row in zip(pairs, rows, strict=True)
    ]
    marks = marks_of_arcs(names, spelt, adj | adj.T)  # type: ignore[arg-type]
    partial = bool(((marks == CIRCLE) | ((marks == ARROW) & (marks.T == ARROW))).any())
    adj = directions(marks)
    held = None if weight is None else np.where(adj, np.where(weights != 0.0, weights, weights.T), 0.0)
    return {"nodes": names, "adj": adj, "weight": held, "marks": marks if partial else None}


def _weight(cell: str, where: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise DataError(f"{where} has {cell!r}, neither a number nor a mark") from None


def _of_matrix(names: tuple[str, ...], cells: list[list[str]]) -> dict[str, Any]:
    d = len(names)
    cells = [["1" if cell.lower() == "true" else cell for cell in row] for row in cells]
    pairs = [cells[i][j] for i in range(d) for j in range(d) if i != j]
    blank = sum(cell.lower() in ("", "na", "nan") for cell in pairs)
    if blank:
        warnings.warn(
            f"{blank} cells of the matrix that are empty or not a number are read as no edge", UserWarning, stacklevel=5
        )
    there = [(i, j, cells[i][j]) for i in range(d) for j in range(d) if not NONE.fullmatch(cells[i][j])]
    if any(re.search(r"[<>o]|--", cell) for _, _, cell in there):
        joined = np.zeros((d, d), bool)
        for i, j, _ in there:
            joined[i, j] = joined[j, i] = True
        marks = marks_of_arcs(names, [(names[i], names[j], cell) for i, j, cell in there], joined)
        return {"nodes": names, "adj": directions(marks), "marks": marks}
    odd = sorted({cell for _, _, cell in there if WHOLE.fullmatch(cell) and int(cell) != 1})
    if odd:
        raise DataError(
            f"the matrix holds {', '.join(odd[:5])}, and its entries are 0 or 1, or weights with a point (0.5)", **CODES
        )
    adj, weight = np.zeros((d, d), bool), np.zeros((d, d))
    for i, j, cell in there:
        weight[i, j] = _weight(cell, f"row {names[i]!r}, column {names[j]!r}")
        adj[i, j] = True
    plain = all(re.fullmatch(r"1(\.0*)?", cell) for _, _, cell in there)
    return {"nodes": names, "adj": adj, "weight": None if plain else weight}
