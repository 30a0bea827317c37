"""The JSON form of a graph, read back into its fields and checked on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DataError
from .marks import directions, read

FORMAT = "causalnet.graph/1"


def fields_of_json(text: str) -> dict[str, Any]:
    """The fields of the graph that ``Graph.to_json`` wrote. Malformed input is a DataError that says what is missing."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError, TypeError) as error:
        raise DataError(f"not a causalnet graph: the text is not valid JSON ({error})") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise DataError(f'not a causalnet graph: expected an object with "format": "{FORMAT}"')
    try:
        return _fields(raw)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DataError(f"not a causalnet graph: {type(error).__name__}: {error}") from error


def _fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(raw["nodes"], list):
        raise ValueError("nodes must be a list of names")
    nodes = tuple(raw["nodes"])
    index = {name: i for i, name in enumerate(nodes)}
    d = len(nodes)
    marks = np.zeros((d, d), dtype=np.int8)
    weight = np.zeros((d, d)) if raw.get("weighted") else None
    for edge in raw["edges"]:
        i, j = index[edge["from"]], index[edge["to"]]
        if marks[i, j]:
            raise ValueError(f"the pair {edge['from']}, {edge['to']} has two edges")
        marks[j, i], marks[i, j] = read(str(edge["mark"]))
        if weight is not None:
            weight[i, j] = edge["weight"]
            weight[j, i] = edge.get("weight_back", 0.0)
    evidence = {
        (item["pair"][0], item["pair"][1]): {k: v for k, v in item.items() if k != "pair"}
        for item in raw.get("evidence", [])
    }
    return {
        "nodes": nodes,
        "adj": directions(marks),
        "weight": weight,
        "marks": marks if raw.get("pag") else None,
        "evidence": evidence,
        "meta": raw.get("meta", {}),
    }


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
