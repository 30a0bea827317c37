"""PetShop's faults as frames of metrics with the start of the incident, and where the true root lands by each rule.

Hardt et al., "The PetShop dataset", 2023: a shop of micro-services with faults injected; systems are its traffic
scenarios. The rules were settled on the "train" faults, and the "test" faults were scored once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import pandas as pd

import causalnet as cn

FOLDER = Path(os.environ.get("CAUSALNET_DATA", "data")) / "petshop"
SYSTEM = "low_traffic"  # one of its traffic scenarios, by default


class Fault(NamedTuple):
    """A fault: the past and the incident, one column a (component, metric, statistic)."""

    frame: pd.DataFrame
    start: float
    metric: str
    alarmed: str
    root: str


def systems() -> list[str]:
    """The traffic scenarios that are on disk."""
    return sorted(p.name for p in FOLDER.iterdir() if (p / "graph.csv").exists()) if FOLDER.exists() else []


def calls(system: str = SYSTEM) -> nx.DiGraph:
    """The call graph, caller -> callee."""
    return nx.from_pandas_adjacency(pd.read_csv(FOLDER / system / "graph.csv", index_col=0), create_using=nx.DiGraph)


def faults(part: str, system: str = SYSTEM) -> Iterator[Fault]:
    """The faults of "train" or "test", each set behind the two quiet days."""
    past = _metrics(FOLDER / system / "noissue")
    for folder in sorted((FOLDER / system / part).iterdir(), key=lambda p: int(p.name.split("_")[1])):
        told = json.loads((folder / "target.json").read_text())
        now = _metrics(folder)
        now.index = now.index - now.index[0] + past.index[-1] + 300.0
        target = told["target"]
        yield Fault(pd.concat([past, now]), now.index[0], target["metric"], target["node"], told["root_cause"]["node"])


def _metrics(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "metrics.csv", header=[0, 1, 2], index_col=0)


def ranks(part: str, learned: bool = False, alarmed: bool = True, system: str = SYSTEM) -> pd.DataFrame:
    """Columns metric, rule, rank: where the true root lands, from 1."""
    graph, rows = None if learned else calls(system), []
    for fault in faults(part, system):
        seen = fault.alarmed if alarmed else None
        found = cn.root_causes(
            graph, fault.frame, start=fault.start, metric=(fault.metric, "Average"), alarmed=seen, compare=True
        )
        for rule, suspects in found.frame().groupby("rule"):
            names = list(suspects["device"])
            rows.append((fault.metric, rule, names.index(fault.root) + 1 if fault.root in names else len(names) + 1))
    return pd.DataFrame(rows, columns=["metric", "rule", "rank"])
