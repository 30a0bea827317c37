"""Write a comparison, one learned graph, or a run's figures as a single HTML file that needs nothing else to be read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from markupsafe import Markup

from ..base.asked import asks
from ..base.checks import instance
from ..errors import DataError
from ..graph import Graph, is_acyclic
from ..storage.files import write_atomic
from ..storage.rows import Row
from .curves import Chart
from .diagrams import Point, chart_pareto, chart_ranks
from .embedding import embed
from .figures import legend, picture
from .leaderboard import CHANCE, CONTROLS, Line, columns_of, glance, lines, troubles
from .page import Grid, grid, render, script
from .plots import whisker_axis
from .publish import METRIC_NAMES
from .summary import met, shown
from .svg import arrow_text, edges_of
from .values import heading, number, short, texts

PICTURES = 24  # drawings of a page; the graphs beyond are there as data
_OPEN = 3  # drawings of the best methods that are unfolded
CYCLIC = "the truth has a directed cycle, so it has no class: CPDAG scores, adjustment distances and SID are left out"
EDGE_ROWS = 2000  # of the table of edges
_ROWS = 400  # rows of the table of pairs without an edge


# ---- a run -------------------------------------------------------------------------------------------------


@asks()
def write_run_report(
    path: str | Path,
    title: str,
    figures: Mapping[str, Row],
    notes: Sequence[str],
    rows: Sequence[Row],
    charts: Sequence[Chart] = (),
    warning: str = "",
) -> Path:
    """The report of a run: its figures beside their goals, charts, notes, and the rows behind them.

    rows: of a table for each value of their first column, which becomes its heading.
    """
    for name, figure in figures.items():
        instance(f"the figure {name!r}", figure, Mapping, "a dict with mean, low, high, n, published and goal")
    told = [
        {"figure": name, "mean [95 % interval]": shown(f), "n": f["n"], "published": f["published"], "goal": f["goal"]}
        for name, f in figures.items()
    ]
    for one in charts:
        instance("a chart", one, Chart, "what chart() draws")
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        instance("a row", row, Mapping, "a dict, its kind first")
        (_, kind), *rest = [(k, v) for k, v in row.items() if k != "cell"]
        kinds.setdefault(str(kind), []).append(dict(rest))
    states = [met(item) for item in figures.values()]
    return write_atomic(
        path,
        render(
            "run.html.j2",
            title=title,
            figures=grid(told),
            states=states,
            counts=(states.count(True), len(states) - states.count(None)),
            notes=notes,
            charts=[Markup(chart.svg) for chart in charts],
            kinds={kind: grid(found) for kind, found in kinds.items()},
            warning=warning,
        ),
    )


# ---- a comparison ------------------------------------------------------------------------------------------


@runtime_checkable
class Compared(Protocol):
    """What is told of a comparison: ``causalnet.Results``."""

    settings: Any
    frame: Any


@asks("path")
def write_report(results: Any, path: str | Path) -> Path:
    """The report of a comparison: leaderboards with intervals, graphs beside the truth, how to repeat it."""
    from ..graph.metrics import DEFINITIONS

    instance("results", results, Compared, "the Results of a comparison")
    settings = dict(results.settings)
    names = list(dict.fromkeys(str(name) for name in results.frame["dataset"]))
    room = [PICTURES]
    sections = [_section(results, name, k, room) for k, name in enumerate(names)]
    graphs, embedded = embed(results, sections)
    scored = [s["name"] for s in sections if s["scored"]]
    text = render(
        "comparison.html.j2",
        title="Comparison of discovery methods",
        sections=sections,
        names=names,
        glance=glance(results, names) if len(names) > 1 and scored else [],
        ranked_by={s["name"]: s["metric"] for s in sections},
        ranks=_ranks(results) if len(scored) > 1 else {},
        chance=CHANCE,
        columns=columns_of(results.summary()),
        axis=Markup(whisker_axis()),
        definitions=DEFINITIONS,
        legend=legend(),
        graphs=graphs if embedded else "",
        embedded=embedded,
        controls=CONTROLS,
        script=script(),
        settings=settings,
        versions=settings.get("versions") or {},
        created=settings.get("created", ""),
        command=settings.get("command", ""),
        statuses=results.frame["status"].value_counts().to_dict(),
        total_seconds=float(results.frame["seconds"].sum()),
    )
    return write_atomic(path, text)


def _section(results: Any, name: str, index: int, room: list[int]) -> dict[str, Any]:
    """What the page shows of a data set; room: [how many drawings it may still hold], counted down."""
    truth = results.truth(name)
    board = lines(results, name, truth is not None)
    pictures, undrawn = [], 0
    for place, line in enumerate(board):
        found = _first_graph(results, name, line.backend)
        if found is None:
            continue
        seed, learned = found
        if room[0] <= 0:
            undrawn += 1
            continue
        room[0] -= 1
        shown = picture(results.truth(name, seed), learned, f"d{index}m{place}", line.backend)
        pictures.append({"line": line, "picture": shown, "open": place < _OPEN, "seed": seed})
    places = results.places.get(name, [])
    return {
        "name": name,
        "id": f"data-{index}",
        "scored": truth is not None,
        "metric": METRIC_NAMES[places[0].metric] if places else "",
        "notes": _notes(results, name, places),
        "pareto": Markup(chart_pareto(_points(places, board), METRIC_NAMES[places[0].metric], f"d{index}p"))
        if places
        else "",
        "card": _card(results, name, truth),
        "lines": board,
        "troubles": troubles(results, name),
        "pictures": pictures,
        "undrawn": undrawn,
        "seed_told": "learned from the data itself" if not results.data(name)["sampled"] else "of seed 0",
    }


def _points(places: Sequence[Any], board: Sequence[Line]) -> list[Point]:
    seconds = {line.backend: line.cells[-1][2] for line in board}
    return [
        Point(p.backend, seconds[p.backend], p.value, (p.chance_low, p.chance_high), p.control)
        for p in places
        if p.backend in seconds
    ]


def _notes(results: Any, name: str, places: Sequence[Any]) -> list[str]:
    """What a reader must know before the table: what ranks, what the values are of, what can and cannot be scored."""
    if not places:
        return []
    notes = [f"Ranked by {results.rules[name]}."]
    n, orders = places[0].n, places[0].orders_high
    if results.data(name)["sampled"]:
        notes.append(
            f"Values are means over {n} seed{'s' * (n != 1)}, each of which draws a sample; under them their 95 % interval."
        )
    else:
        more = (
            " Resamples tell how stable an answer is and how large a difference counts; they are no part of the values."
        )
        notes.append(f"Fixed data: the values are of the data itself (seed 0).{more if n == 1 else ''}")
    if math.isfinite(orders):
        notes.append(
            f"Grey: 5 % to 95 % of 1,000 random graphs of each answer's size. Dashed: 95 % of complete graphs along random orders, {number(orders, 3)}."
        )
    best = [p.backend for p in places if p.better]
    if not best:
        notes.append("No method is above chance here, which is both: random graphs of its size, and complete ones.")
    elif not any(p.better and (p.tied or p.rank == 1) for p in places):
        notes.append("The first is not above chance here, so none is marked.")
    truth = results.truth(name)
    if truth is not None and not is_acyclic(truth.directed):
        notes.append(f"{CYCLIC[0].upper()}{CYCLIC[1:]}.")
    return notes


def _ranks(results: Any) -> dict[str, Any]:
    """The diagram of mean ranks with what it says, or why there is none."""
    found = results.ranks
    if not found.methods:
        return {"why": f"{found.why[0].upper()}{found.why[1:]}.", "chart": "", "leads": []}
    p = "< .001" if found.p < 0.001 else f"{found.p:.3f}"
    why = (
        f"Mean ranks over {found.blocks} data sets. All methods alike: p {p} (Friedman's test, as Iman and Davenport's F); "
        "methods under one bar are not told apart (Nemenyi, 5 %)."
    )
    leads = [
        (other, number(mean, 3), f"{number(low, 3)} – {number(high, 3)}", low <= 0)
        for other, (mean, low, high) in zip(found.methods[1:], found.leads, strict=True)
    ]
    chart = chart_ranks(found.methods, found.means, found.apart, found.groups, "ranks")
    return {"why": why, "chart": Markup(chart), "first": found.methods[0], "leads": leads}


def _first_graph(results: Any, name: str, backend: str) -> tuple[int, Graph] | None:
    """The smallest seed for which the method learned a graph, with that graph."""
    frame = results.frame
    mine = frame.loc[(frame["dataset"] == name) & (frame["backend"] == backend), "seed"]
    found = ((seed, results.graph(name, backend, seed)) for seed in sorted(map(int, mine)))
    return next(((seed, graph) for seed, graph in found if graph is not None), None)


def _card(results: Any, name: str, truth: Graph | None) -> dict[str, str]:
    """Title, source, licence, size of a data set as far as they are known."""
    found = results.data(name)
    card = found["card"]
    nested = card.get("truth")
    facts = {
        "": card.get("title"),
        "Data": found["text"],
        "Truth": "not known, so nothing is scored"
        if truth is None
        else f"{truth.d} variables, {int(truth.skeleton.sum()) // 2} edges",
        "About the truth": nested.get("note") if isinstance(nested, Mapping) else None,
        "Variables": card.get("columns"),
        "Source": card.get("source"),
        "Licence": card.get("licence") or card.get("license"),
        "Remarks": card.get("remarks"),
        "Used here": card.get("used"),
    }
    return {key: str(value).strip() for key, value in facts.items() if value}


# ---- one graph ---------------------------------------------------------------------------------------------


@asks()
def write_graph_report(
    graph: Graph, path: str | Path, truth: Graph | None = None, title: str = "Learned graph", data: Any = None
) -> Path:
    """The report of one graph: drawing (beside ``truth`` if given), edges with their evidence, settings, versions."""
    if truth is not None and sorted(truth.nodes) != sorted(graph.nodes):
        odd = sorted(set(truth.nodes) ^ set(graph.nodes))
        raise DataError(f"the truth and the graph are over different variables; not in both: {', '.join(odd[:5])}")
    meta = dict(graph.meta)
    absent, left_out = _absent(graph)
    text = render(
        "graph.html.j2",
        title=title,
        graph=graph,
        picture=picture(truth, graph, "g", str(meta.get("backend", "the method"))),
        edges=edge_grid(graph),
        more_edges=max(0, int(graph.skeleton.sum()) // 2 - EDGE_ROWS),
        absent=absent,
        left_out=left_out,
        warnings=texts(meta.get("warnings")),
        incomplete=meta.get("complete") is False,
        scores={} if truth is None else _scores(truth, graph),
        settings=_settings(meta, data),
        command=str(meta.get("command", "")),
        versions=meta.get("versions") or {},
    )
    return write_atomic(path, text)


def _scores(truth: Graph, graph: Graph) -> dict[str, tuple[str, str]]:
    """(value, what it means) of each metric."""
    from ..graph.metrics import DEFINITIONS, score

    return {
        key: (str(v) if isinstance(v, int) else number(float("nan") if v is None else v, 3), DEFINITIONS.get(key, ""))
        for key, v in score(truth, graph).items()
    }


def edge_grid(graph: Graph, evidence: Sequence[str] | None = None, most: int = EDGE_ROWS) -> Grid:
    """One row an edge, the first ``most``: from, end marks, to, weight if there is one, then every field of evidence (or the first three of
    those named that there are)."""
    edges = edges_of(graph, most=most)
    found = [_evidence(graph, e.i, e.j) for e in edges]
    keys = _keys(found) if evidence is None else [k for k in evidence if any(k in item for item in found)][:3]
    weighted = ["Weight"] * (graph.weight is not None)
    rows = [
        (graph.nodes[e.i], arrow_text(e), graph.nodes[e.j], *[e.weight for _ in weighted], *(item.get(k) for k in keys))
        for e, item in zip(edges, found, strict=True)
    ]
    return Grid(("From", "", "To", *weighted, *map(heading, keys)), tuple(rows))


def _absent(graph: Graph) -> tuple[Grid, int]:
    """The pairs without an edge for which evidence was kept, and how many rows there was no room for."""
    index = {name: k for k, name in enumerate(graph.nodes)}
    known = [(index[a], index[b]) for a, b in graph.evidence if a in index and b in index]
    pairs = sorted({(min(i, j), max(i, j)) for i, j in known if not graph.skeleton[i, j]})
    found = [_evidence(graph, i, j) for i, j in pairs[:_ROWS]]
    keys = _keys(found)
    rows = [
        (graph.nodes[i], graph.nodes[j], *(item.get(key) for key in keys))
        for (i, j), item in zip(pairs, found, strict=False)
    ]
    return Grid(("Variable", "Variable", *map(heading, keys)), tuple(rows)), max(0, len(pairs) - _ROWS)


def _evidence(graph: Graph, i: int, j: int) -> Mapping[str, Any]:
    a, b = graph.nodes[i], graph.nodes[j]
    return graph.evidence.get((a, b)) or graph.evidence.get((b, a)) or {}


def _keys(found: Sequence[Mapping[str, Any]]) -> list[str]:
    return [key for key in dict.fromkeys(key for item in found for key in item) if key != "joined"]


def _settings(meta: Mapping[str, Any], data: Any) -> dict[str, str]:
    hidden = {"warnings", "versions", "command"}
    shown = {heading(key): _long(value) for key, value in meta.items() if key not in hidden}
    return shown if data is None else {**shown, "Data": shown.get("Data", repr(data))}


def _long(value: Any, limit: int = 600) -> str:
    text = json.dumps(value, default=str) if isinstance(value, Mapping) else short(value) or "–"
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"
