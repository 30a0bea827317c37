"""The forms of a graph's file, and the JSON one read back into its fields and checked on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..base.checks import file_name, known
from ..errors import DataError
from .marks import directions, read

FORMAT = "causalnet.graph/1"
FORMS = (".json", ".graphml", ".csv", ".dot", ".svg")  # what a graph is written as
READ = (*FORMS[:4], ".gv", ".gml", ".bif", ".txt")  # and what it is read from


def form(path: str | Path, known: Sequence[str] = FORMS) -> str:
    """The ending of the name of a graph's file; DataError for another than those known."""
    file = file_name(path, "graph.json")
    if file.suffix.lower() not in known:
        raise DataError(f"{file.name!r} does not end in {' or '.join(known)}, the forms of a graph's file")
    return file.suffix.lower()


def format_of(text: str) -> str:
    """The format that the text of a graph's file names at its begin; empty where it names none."""
    found = re.match(r'\s*\{\s*"format"\s*:\s*"([^"]*)"', text) if isinstance(text, str) else None
    return found[1] if found else ""


def fields_of_json(text: str) -> dict[str, Any]:
    """The fields of the graph that ``Graph.to_json`` wrote. Malformed input is a DataError that says what is missing."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError, TypeError) as error:
        raise DataError(f"not a causalnet graph: the text is not valid JSON ({error})") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise DataError(
            f'not a causalnet graph: expected an object with "format": "{FORMAT}"; write other graphs as .graphml, or as .csv with the '
            "columns from and to"
        )
    try:
        return _fields(raw)
    except (TypeError, ValueError) as error:
        raise DataError(f"not a causalnet graph: {error}") from error


def _fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    nodes = tuple(_part(raw, "nodes", list, "a graph"))
    odd = [name for name in nodes if not isinstance(name, str)]
    if odd:
        raise ValueError(f"'nodes' of a graph holds {odd[0]!r:.60}, and a node is a text")
    index = {name: i for i, name in enumerate(nodes)}
    d = len(nodes)
    marks = np.zeros((d, d), dtype=np.int8)
    weight = np.zeros((d, d)) if raw.get("weighted") else None
    for edge in _part(raw, "edges", list, "a graph"):
        ends = [_part(edge, end, str, "an edge") for end in ("from", "to")]
        for name in ends:
            known(name, index, f"an edge names {name!r}, no node")
        i, j = (index[name] for name in ends)
        if marks[i, j]:
            raise ValueError(f"the pair {', '.join(ends)} has two edges")
        marks[j, i], marks[i, j] = read(_part(edge, "mark", str, "an edge"))
        if weight is not None:
            weight[i, j] = _part(edge, "weight", (int, float), "an edge")
            weight[j, i] = edge.get("weight_back", 0.0)
    evidence = {}
    for item in raw.get("evidence") or []:
        a, b = _part(item, "pair", list, "a piece of evidence")
        evidence[a, b] = {k: v for k, v in item.items() if k != "pair"}
    return {
        "nodes": nodes,
        "adj": directions(marks),
        "weight": weight,
        "marks": marks if raw.get("pag") else None,
        "evidence": evidence,
        "meta": raw.get("meta", {}),
    }


def _part(holder: Any, name: str, kind: type | tuple[type, ...], what: str) -> Any:
    """``holder[name]``, which must be there and of the kind."""
    found = holder.get(name) if isinstance(holder, dict) else None
    if found is None:
        raise ValueError(f"{what} lacks {name!r}")
    if not isinstance(found, kind):
        raise ValueError(f"{name!r} of {what} is {found!r:.60}")
    return found


def plain(value: Any) -> Any:
    """What JSON does not know, in the nearest form that it knows."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    return str(value)
