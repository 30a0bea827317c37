"""What ``causalnet discover --confidence`` adds: how often the edges come back in resamples of the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from .terminal import say

if TYPE_CHECKING:
    from ..graph import Graph

ConfidenceOption = Annotated[
    int | None,
    typer.Option("--confidence", min=1, metavar="N", help="Learn again on N resamples: how sure is each edge?"),
]
KeepOption = Annotated[
    Path | None, typer.Option("--keep", help="A folder for the resamples that are done; run again to go on.")
]
JobsOption = Annotated[
    int, typer.Option("--jobs", "--n-jobs", "-j", help="Cells or resamples at once (-1: all cores).")
]
EngineOption = Annotated[str, typer.Option(help="local, or dask:ADDRESS of a running scheduler.")]
ALSO = 0.5  # confidence from which a pair is told that the graph does not join
SURE = 0.9
MOST = 10


class Resamples(NamedTuple):
    """What the options ask for; n None: no resamples."""

    n: int | None
    seed: int
    n_jobs: int
    engine: str
    out: Path | None
    max_seconds: float | None  # of learning, each time

    def written(self) -> dict[str, Any]:
        """What decides the answer, by option."""
        return {"--max-seconds": self.max_seconds, "--confidence": self.n}


def ask_resamples(graph: Graph, data: Any, asked: Resamples, **params: Any) -> Graph:
    """The graph with the confidence of its edges and of the pairs that it does not join; as it is where none is asked."""
    from ..discovery.stability import edge_confidence

    if asked.n is None:
        return graph
    given = {name: value for name, value in {**asked._asdict(), **params}.items() if value is not None}
    found = edge_confidence(data, str(graph.meta["backend"]), progress=True, **given)
    return found.annotate(graph)


def say_confidence(graph: Graph) -> None:
    """How many edges are sure, and which pairs the graph leaves apart although most resamples join them; nothing without."""
    told = graph.meta.get("confidence")
    if not told:
        return
    share = {pair: float(found["confidence"]) for pair, found in graph.evidence.items() if "confidence" in found}
    joined = {*graph.edges, *graph.undirected}
    own = {pair: share.get(pair, share.get(pair[::-1], 0.0)) for pair in joined}
    sure, n = sum(value >= SURE for value in own.values()), len(own)
    say(
        f"confidence: how probable it is that the pair is joined, by {told['resamples']} resamples; {sure} of {n} edges have {SURE:g} or more"
    )
    other = {
        pair: value for pair, value in share.items() if pair not in own and pair[::-1] not in own and value >= ALSO
    }
    if other:
        first = sorted(other, key=lambda pair: -other[pair])[:MOST]
        listed = ", ".join(f"{a} — {b} ({other[a, b]:.2f})" for a, b in first)
        more = f" and {len(other) - MOST} more" if len(other) > MOST else ""
        say(f"not in the graph, but as probable as not or more: {listed}{more}")
