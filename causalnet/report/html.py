"""Write a comparison, or one learned graph, as a single HTML file that needs nothing else to be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ..errors import CausalnetError, DataError
from ..graph import Graph
from ..storage.files import write_atomic
from .figures import Picture, legend, picture
from .leaderboard import COLUMNS, glance, lines, number, troubles
from .plots import whisker_axis
from .svg import arrow_text, edges_of

_OPEN = 3  # drawings of the best methods that are unfolded
_ROWS = 400  # rows of the table of pairs without an edge


def write_report(results: Any, path: str | Path) -> Path:
    """The report of a comparison: leaderboards with intervals, graphs beside the truth, how to repeat it."""
    settings = dict(results.settings)
    names = list(dict.fromkeys(str(name) for name in results.frame["dataset"]))
    sections = [_section(results, name, k) for k, name in enumerate(names)]
    scored = [s["name"] for s in sections if s["scored"]]
    from ..graph.metrics import DEFINITIONS

    text = (
        environment()
        .get_template("comparison.html.j2")
        .render(
            title="Comparison of discovery methods",
            sections=sections,
            names=names,
            glance=glance(results, names, scored) if len(names) > 1 and scored else [],
            columns=COLUMNS,
            axis=Markup(whisker_axis()),
            definitions=DEFINITIONS,
            legend=_marked(legend()),
            settings=settings,
            versions=settings.get("versions") or {},
            created=settings.get("created", ""),
            command=settings.get("command", ""),
            statuses=results.frame["status"].value_counts().to_dict(),
            total_seconds=float(results.frame["seconds"].sum()),
        )
    )
    return write_atomic(path, text)


def _section(results: Any, name: str, index: int) -> dict[str, Any]:
    truth = results.truth(name)
    board = lines(results, name, truth is not None)
    pictures = []
    for place, line in enumerate(board):
        found = _first_graph(results, name, line.backend)
        if found is None:
            continue
        seed, learned = found
        shown = picture(results.truth(name, seed), learned, f"d{index}m{place}", line.backend)
        pictures.append({"line": line, "picture": ready(shown), "open": place < _OPEN, "seed": seed})
    return {
        "name": name,
        "id": f"data-{index}",
        "scored": truth is not None,
        "card": _card(results, name, truth),
        "lines": board,
        "troubles": troubles(results, name),
        "pictures": pictures,
    }


def _first_graph(results: Any, name: str, backend: str) -> tuple[int, Graph] | None:
    """The smallest seed for which the method learned a graph, with that graph."""
    frame = results.frame
    mine = frame[(frame["dataset"] == name) & (frame["backend"] == backend)]
    for seed in sorted(int(s) for s in mine["seed"]):
        graph = results.graph(name, backend, seed)
        if graph is not None:
            return seed, graph
    return None


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


def write_graph_report(
    graph: Graph, path: str | Path, truth: Graph | None = None, title: str = "Learned graph", data: Any = None
) -> Path:
    """The report of one graph: drawing (beside ``truth`` if given), edges with their evidence, settings, versions."""
    if truth is not None and sorted(truth.nodes) != sorted(graph.nodes):
        odd = sorted(set(truth.nodes) ^ set(graph.nodes))
        raise DataError(f"the truth and the graph are over different variables; not in both: {', '.join(odd[:5])}")
    meta = dict(graph.meta)
    name = str(meta.get("backend", "the method"))
    scores: dict[str, Any] = {}
    if truth is not None:
        from ..graph.metrics import DEFINITIONS, score

        scores = {key: (value, DEFINITIONS.get(key, "")) for key, value in score(truth, graph).items()}
    rows, headings = _edge_table(graph)
    absent, absent_headings, left_out = _absent_table(graph)
    text = (
        environment()
        .get_template("graph.html.j2")
        .render(
            title=title,
            graph=graph,
            picture=ready(picture(truth, graph, "g", name)),
            rows=rows,
            headings=headings,
            absent=absent,
            absent_headings=absent_headings,
            left_out=left_out,
            warnings=_texts(meta.get("warnings")),
            incomplete=meta.get("complete") is False,
            scores={key: (_score(value), meaning) for key, (value, meaning) in scores.items()},
            settings=_settings(meta, data),
            command=str(meta.get("command", "")),
            versions=meta.get("versions") or {},
        )
    )
    return write_atomic(path, text)


def _score(value: Any) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else number(float(value), 3)


def _edge_table(graph: Graph) -> tuple[list[list[str]], list[str]]:
    """One row an edge: from, end marks, to, weight if there is one, then every field of evidence."""
    edges = edges_of(graph)
    found = [_evidence(graph, e.i, e.j) for e in edges]
    keys = [key for key in dict.fromkeys(key for item in found for key in item) if key != "joined"]
    weighted = graph.weight is not None
    rows = []
    for edge, item in zip(edges, found, strict=True):
        row = [graph.nodes[edge.i], arrow_text(edge), graph.nodes[edge.j]]
        if weighted:
            row.append(_value(edge.weight))
        rows.append([*row, *(_value(item.get(key, "")) for key in keys)])
    return rows, ["From", "", "To", *(["Weight"] if weighted else []), *map(_heading, keys)]


def _absent_table(graph: Graph) -> tuple[list[list[str]], list[str], int]:
    """The pairs without an edge for which evidence was kept, and how many rows there was no room for."""
    index = {name: k for k, name in enumerate(graph.nodes)}
    pairs = []
    for a, b in graph.evidence:
        if a in index and b in index and not graph.skeleton[index[a], index[b]]:
            pairs.append(tuple(sorted((index[a], index[b]))))
    pairs = sorted(set(pairs))
    found = [_evidence(graph, i, j) for i, j in pairs[:_ROWS]]
    keys = [key for key in dict.fromkeys(key for item in found for key in item) if key != "joined"]
    rows = [
        [graph.nodes[i], graph.nodes[j], *(_value(item.get(key, "")) for key in keys)]
        for (i, j), item in zip(pairs, found, strict=False)
    ]
    return rows, ["Variable", "Variable", *map(_heading, keys)], max(0, len(pairs) - _ROWS)


def _evidence(graph: Graph, i: int, j: int) -> dict[str, Any]:
    for pair in ((graph.nodes[i], graph.nodes[j]), (graph.nodes[j], graph.nodes[i])):
        try:
            return dict(graph.evidence[pair])
        except KeyError:
            continue
    return {}


def _heading(key: str) -> str:
    return str(key).replace("_", " ").capitalize()


def _value(value: Any) -> str:
    """A value of a table as short text."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) or hasattr(value, "dtype"):
        try:
            return f"{float(value):.4g}"
        except (TypeError, ValueError):
            return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_value(item) for item in value) if value else "none"
    if isinstance(value, Mapping):
        return "; ".join(f"{_heading(k)}: {_value(v)}" for k, v in value.items())
    return str(value)


def _texts(value: Any) -> list[str]:
    if not value:
        return []
    return [value] if isinstance(value, str) else [str(item) for item in value]


def _settings(meta: Mapping[str, Any], data: Any) -> dict[str, str]:
    hidden = {"warnings", "versions", "command"}
    shown = {_heading(key): _long(value) for key, value in meta.items() if key not in hidden}
    if data is not None and "Data" not in shown:
        shown["Data"] = repr(data)
    return shown


def _long(value: Any, limit: int = 600) -> str:
    text = json.dumps(value, default=str) if isinstance(value, Mapping) else _value(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def ready(shown: Picture) -> dict[str, Any]:
    """The picture with its SVG marked as safe: every name in it was escaped where it was drawn."""
    views = [
        {"name": v.name, "first": v.first, "figures": [(caption, Markup(svg)) for caption, svg in v.figures]}
        for v in shown.views
    ]
    return {"views": views, "legend": _marked(shown.legend), "counts": shown.counts, "wide": shown.wide}


def _marked(entries: tuple[tuple[str, str, str, str], ...]) -> list[tuple[Markup, Markup, str, str]]:
    return [(Markup(line), Markup(sign), name, meaning) for line, sign, name, meaning in entries]


@cache
def environment() -> jinja2.Environment:
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        environment.globals["style"] = Markup((folder / "style.css").read_text(encoding="utf-8"))
    except OSError as error:
        raise CausalnetError(f"the report's style sheet is missing from the installation: {error}") from error
    return environment
