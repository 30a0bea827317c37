"""Files of one's own as data sets of a comparison, each with its truth where one is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.text import split
from ..errors import DataError, nearest
from .inputs import read_graph, read_sets, require_file
from .reading_options import Options
from .terminal import say

if TYPE_CHECKING:
    from ..datasets import Dataset
    from ..graph import Graph

EXAMPLE = "write a graph that --out made (.json, .graphml), or a .csv with a cause and an effect in each row"


def read_data_sets(items: Sequence[str], truths: Sequence[Path], how: Options | None = None) -> list[str | Dataset]:
    """Data sets by name and files, in the order given; the k-th truth is that of the k-th file, a single one that of all files."""
    names = [name for item in items for name in split(item, ",")]
    found = read_sets(names, how or Options(), scored=bool(truths))
    files = [k for k, one in enumerate(found) if not isinstance(one, str)]
    if len(truths) not in (0, 1, len(files)):
        raise DataError(
            f"--truth is given {len(truths)} times for {len(files)} file{'s' * (len(files) != 1)}; give one for all files, or one "
            "for each, in their order (data sets with a name have their truth)"
        )
    twice = Counter(one.name for one in found if not isinstance(one, str))
    for place, k in enumerate(files):
        one: Any = found[k]
        if twice[one.name] > 1:
            one = replace(one, name=names[k])
        if truths:
            path = truths[place if len(truths) > 1 else 0]
            truth = read_truth(path, one.data.columns)
            card = {**one.card, "truth_path": str(path), "truth": {"note": f"read from {path.name}"}}
            one = replace(one, truth=truth, card=card)
        found[k] = one
    return found


def read_truth(path: Path, columns: Sequence[str]) -> Graph:
    """The true graph over a table's columns: a graph's file, or a table of causes and effects; what cannot be scored is told."""
    from ..graph import is_acyclic
    from ..graph.forms import READ
    from ..report.html import CYCLIC

    require_file(path)
    pairs = path.suffix.lower() not in READ or path.suffix.lower() in (".csv", ".txt")
    graph = _read_pairs(path, columns) if pairs else read_graph(path)
    if sorted(graph.nodes) != sorted(columns):
        told = [
            f"{what}: {', '.join(sorted(odd)[:5])}"
            for what, odd in (
                ("only in the truth", set(graph.nodes) - set(columns)),
                ("only in the data", set(columns) - set(graph.nodes)),
            )
            if odd
        ]
        raise DataError(f"the truth {path} is over other variables than the data ({'; '.join(told)})")
    if not is_acyclic(graph.directed):
        say(f"{path.name}: {CYCLIC}", style="yellow", stderr=True)
    return graph


def _read_pairs(path: Path, columns: Sequence[str]) -> Graph:
    """A graph from a sheet that ``Graph.load`` reads, or rows of (cause, effect); a first row that names neither is a heading."""
    import csv

    from ..graph import Graph
    from ..graph.sheets import fields_of_sheet, is_headed

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the truth {path} cannot be read: {error}; {EXAMPLE}") from error
    if is_headed(text):
        try:
            return _widened(Graph(**fields_of_sheet(text)), columns)
        except DataError as error:
            raise DataError(f"the truth {path} cannot be read as a graph: {error}") from error
    delimiter = next((mark for mark in "\t;," if mark in text.split("\n", 1)[0]), ",")
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(row)]
    if not rows or any(len(row) < 2 for row in rows):
        raise DataError(f"a row of the truth {path} has fewer than two columns, or it has none; {EXAMPLE}")
    if any(cell for row in rows for cell in row[2:]):
        raise DataError(
            f"the truth {path} has more than two columns; call them from, to and mark or weight in a first line"
        )
    if rows and not set(rows[0][:2]) & set(columns):
        rows = rows[1:]
    for k, row in enumerate(rows, 1):
        for name in row[:2]:
            if name not in columns:
                raise DataError(
                    f"edge {k} of the truth {path} names {name!r}, no column of the data.{nearest(name, columns)}"
                )
    return Graph.from_edges(columns, [(row[0], row[1]) for row in rows])


def _widened(graph: Graph, columns: Sequence[str]) -> Graph:
    """The graph with the columns that it does not name as lonely nodes."""
    import numpy as np

    from ..graph import Graph

    more = [name for name in columns if name not in graph.nodes]
    if not more or graph.marks is not None:
        return graph
    return Graph((*graph.nodes, *more), np.pad(graph.adj, (0, len(more))))
