"""PetShop's faults as frames of metrics with the start of the incident, and where the true root lands by each rule.

``python -m tests.incidents.petshop train`` prints top-1 and top-3 by metric; the test faults are for one look at the end.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import pandas as pd

import causalnet as cn

FOLDER = Path(os.environ.get("CAUSALNET_DATA", "data")) / "petshop" / "low_traffic"


class Fault(NamedTuple):
    """A fault: the past and the incident, one column a (component, metric, statistic)."""

    frame: pd.DataFrame
    start: float
    metric: str
    alarmed: str
    root: str


def calls() -> nx.DiGraph:
    """The call graph, caller -> callee."""
    return nx.from_pandas_adjacency(pd.read_csv(FOLDER / "graph.csv", index_col=0), create_using=nx.DiGraph)


def faults(part: str) -> Iterator[Fault]:
    """The faults of "train" or "test", each set behind the two quiet days."""
    past = _metrics(FOLDER / "noissue")
    for folder in sorted((FOLDER / part).iterdir(), key=lambda p: int(p.name.split("_")[1])):
        told = json.loads((folder / "target.json").read_text())
        now = _metrics(folder)
        now.index = now.index - now.index[0] + past.index[-1] + 300.0
        target = told["target"]
        yield Fault(pd.concat([past, now]), now.index[0], target["metric"], target["node"], told["root_cause"]["node"])


def _metrics(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "metrics.csv", header=[0, 1, 2], index_col=0)


def ranks(part: str, learned: bool = False, alarmed: bool = True) -> pd.DataFrame:
    """Columns metric, rule, rank: where the true root lands, from 1."""
    graph, rows = None if learned else calls(), []
    for fault in faults(part):
        seen = fault.alarmed if alarmed else None
        found = cn.root_causes(
            graph, fault.frame, start=fault.start, metric=(fault.metric, "Average"), alarmed=seen, compare=True
        )
        for rule, suspects in found.frame().groupby("rule"):
            names = list(suspects["device"])
            rows.append((fault.metric, rule, names.index(fault.root) + 1 if fault.root in names else len(names) + 1))
    return pd.DataFrame(rows, columns=["metric", "rule", "rank"])


if __name__ == "__main__":
    for learned, alarmed in ((False, True), (False, False), (True, False)):
        table = ranks(sys.argv[1], learned, alarmed)
        tops = table.assign(top1=table["rank"] == 1, top3=table["rank"] <= 3).groupby(["metric", "rule"])
        print("learned graph" if learned else "call graph", "alarm told" if alarmed else "no alarm told")
        print(tops.agg({"top1": "sum", "top3": "sum", "rank": list}).to_string())
