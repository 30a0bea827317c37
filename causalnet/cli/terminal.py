"""What the command line prints."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..base import log_lines
from ..base.text import printable, writable

if TYPE_CHECKING:
    from rich.console import Console

    from ..graph import Graph, LaggedGraph

LEVELS = {"red": "error", "yellow": "warning"}  # by style, in lines of JSON
SHOWN_EDGES = 40
MOST_WIDE = 400
_FIRST_EVIDENCE = (
    *("confidence", "confidence_direction"),
    *("p_value", "statistic", "score_if_dropped", "score_if_reversed", "gain", "log_likelihood_gain", "score_gain"),
    *("directed_by", "lag", "given", "rule"),
)


def console(stderr: bool = False) -> Console:
    """A console; a pipe or file gets wide lines, so that tables are not squeezed."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else 140, highlight=False, soft_wrap=False)


def say(text: str, style: str = "", stderr: bool = False) -> None:
    """Print plain text: brackets in names are not markup, long lines are left to the terminal; on stderr perhaps as JSON."""
    if stderr and log_lines.asked():
        log_lines.write(text, LEVELS.get(style, "info"))
        return
    console(stderr).print(printable(text), style=style or None, markup=False, soft_wrap=True)


def say_json(value: Any) -> None:
    """Print pure JSON on stdout; numbers that JSON does not know become null."""
    sys.stdout.write(writable(json.dumps(_plain(value), indent=1, ensure_ascii=False)) + "\n")


def _plain(value: Any) -> Any:
    import numpy as np

    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int | str | bool | None) else str(value)


# ---- tables -------------------------------------------------------------------------------------------------


def show_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str = "",
    right: Sequence[int] = (),
    dim: Container[int] = (),
) -> None:
    """A plain table on stdout; right: the columns of numbers, dim: the rows that say little."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left", title_style="bold", pad_edge=False
    )
    show, texts = console(), [[Text(printable(cell)) for cell in cells] for cells in rows]
    names = max((cells[0].cell_len for cells in texts if cells), default=0)
    for k, heading in enumerate(headings):  # long names are folded, so that no number is
        whole = k == 0 and 2 * names <= show.width
        table.add_column(heading, justify="right" if k in right else "left", overflow="fold", no_wrap=whole)
    for k, cells in enumerate(texts):
        table.add_row(*cells, style="dim" if k in dim else None)
    if not sys.stdout.isatty():  # a pipe or a file holds lines as wide as they need to be, names of columns included
        least, show.width = show.width, MOST_WIDE
        show.width = max(least, show.measure(table).maximum)
    show.print(table)


def show_graph(graph: Graph) -> None:
    """The edges as a table, with weight and the most telling piece of evidence; of a graph over lags its links."""
    from ..graph import LaggedGraph

    if isinstance(graph, LaggedGraph):
        return _show_links(graph)
    loose = len(graph.undirected)
    told = f"{len(graph.edges)} directed edge{'s' if len(graph.edges) != 1 else ''}"
    seconds = graph.meta.get("seconds")
    time = f", {seconds:.3f} s" if isinstance(seconds, float) else ""
    say(f"{graph.d} variables, {told}{f', {loose} without a direction' if loose else ''}{time}")
    from ..report.html import edge_grid
    from ..report.values import short

    edges = edge_grid(graph, _FIRST_EVIDENCE, most=SHOWN_EDGES)
    more = int(graph.skeleton.sum()) // 2 - SHOWN_EDGES
    if edges.rows:
        shown = [[short(value) for value in row] for row in edges.rows[:SHOWN_EDGES]]
        show_table([heading.lower() for heading in edges.headings], shown)
    if more > 0:
        say(f"... and {more} more edges; --out and --report hold all of them")
    _show_targets(graph.meta)


def _show_targets(meta: Mapping[str, Any]) -> None:
    """The targets that the rows tell, of each regime (``order``) or of all of them (``pc``)."""
    found = meta.get("targets_found")
    if isinstance(found, dict):
        for label in found["regimes"]:
            say(f"found: regime {label!r} acts on {', '.join(meta['targets'][label]) or 'nothing'}")
    elif found is not None:
        say(f"found: the regimes act on {', '.join(found) or 'nothing'}")


def _show_links(graph: LaggedGraph) -> None:
    """Every link, the strongest first: cause, how many steps ago, effect, strength and the p-value kept of it."""
    from ..report.values import short

    links = graph.to_dict()["links"]
    own = sum(link["from"] == link["to"] for link in links)
    seconds = graph.meta.get("seconds")
    time = f", {seconds:.3f} s" if isinstance(seconds, float) else ""
    say(
        f"{graph.d} variables, {len(links)} links up to {graph.lags} steps back, {own} of them to a variable's own past{time}"
    )
    links.sort(key=lambda link: -abs(link.get("strength", 0.0)))
    rows = []
    for link in links[:SHOWN_EDGES]:
        p = graph.evidence.get((link["from"], link["to"]), {}).get("p_values", ())
        told = [link.get("strength"), p[link["lag"]] if len(p) > link["lag"] else None]
        ago = f"{link['lag']} ago" if link["lag"] else "now"
        rows.append([link["from"], ago, {"->": "→", "--": "—"}[link["mark"]], link["to"], *map(short, told)])
    if rows:
        show_table(["from", "when", "", "to", "strength", "p value"], rows)
    if len(links) > SHOWN_EDGES:
        say(f"... and {len(links) - SHOWN_EDGES} more links; --out and --report hold all of them")


def show_results(results: Any) -> None:
    """One table a data set, best first by what ranks there, each value beside its chance; then what the columns mean."""
    from ..graph.metrics import DEFINITIONS
    from ..report.leaderboard import stat
    from ..report.publish import HEADINGS, METRIC_NAMES, NOTE, ranking_rows

    summary = results.summary()
    metrics = dict.fromkeys(places[0].metric for places in results.places.values() if places)
    for dataset in dict.fromkeys(summary["dataset"]):
        rows = {row["backend"]: row for row in summary[summary["dataset"] == dataset].to_dict("records")}
        places = results.places[dataset]
        ranked = [line for line in ranking_rows(results, dataset) if line[1] in rows] if places else []
        headings = [heading.lower() for heading in HEADINGS]
        headings[2] = METRIC_NAMES[places[0].metric] if places else "score"
        lines = [[*line[:-1], stat(rows[line[1]], "shd").text(1), line[-1], _status(rows[line[1]])] for line in ranked]
        for name in [name for name in rows if name not in {line[1] for line in ranked}]:
            seconds = stat(rows[name], "seconds").text(3)
            lines.append(["", name, *"–––––––", "" if seconds == "–" else seconds, _status(rows[name])])
        headings = [*headings[:-1], "SHD", headings[-1], "status"]
        dim = [k for k, line in enumerate(lines) if line[0] in ("", "control")]
        show_table(headings, lines, dataset, range(2, len(headings) - 1), dim)
        if places:
            say(f"{dataset} is ranked by {results.rules[dataset]}", style="dim")
    for key in metrics:
        parts = [key] if key == "f1" else [key.replace("_f1", part) for part in ("_f1", "_precision", "_recall")]
        say("; ".join(f"{part}: {DEFINITIONS[part]}" for part in parts), style="dim")
    if metrics:
        say(NOTE, style="dim")
        say(f"SHD: {DEFINITIONS['shd']}", style="dim")
    say("seconds: wall-clock time of learning; interval: of the mean over the seeds that draw samples", style="dim")


def _status(row: Mapping[str, Any]) -> str:
    """'4 ok, 1 timeout (2 stopped by the time limit)'."""
    words = ("ok", "failed", "timeout", "not applicable", "not installed")
    status = ", ".join(f"{row[name]} {name}" for name in words if row.get(name))
    return f"{status} ({row['incomplete']} stopped by the time limit)" if row.get("incomplete") else status


def show_reasons(results: Any) -> None:
    """Why cells have no score, one line for each method and reason; a method that does not apply is no trouble."""
    frame = results.frame
    unfit = frame[frame["status"] == "not applicable"].drop_duplicates(["dataset", "backend"])
    for dataset, cells in unfit.groupby("dataset", sort=False):
        say(f"not applicable to {dataset}: {', '.join(cells['backend'])}", style="dim")
    frame = frame[~frame["status"].isin(["ok", "not applicable"])]
    for key in dict.fromkeys(zip(frame["backend"], frame["dataset"], frame["status"], frame["reason"], strict=True)):
        backend, dataset, status, reason = key
        bad = status in ("failed", "timeout")
        say(f"{backend} on {dataset}: {status}: {reason}", style="red" if bad else "dim")


def show_training(summary: Mapping[str, Any]) -> None:
    """The agent of ``causalnet train`` beside its controls, which learn nothing."""
    say(f"{summary['learner']} on {summary['env']}: {summary['episodes']} episodes, {summary['steps']} steps")
    if resumed := summary.get("resumed_at"):
        more = summary["episodes"] - resumed
        say(f"went on with a run of {resumed} episodes" + ("" if more else ", which was complete: nothing was learned"))
    best = summary.get("agent_acts") == "best"
    players = {
        "agent": f"agent ({'takes its best action' if best else 'draws from its policy, as it learned'})",
        "uniform_in_mask": "no learning: any action of the graph's mask",
        "uniform": "no learning: any action allowed without the graph",
    }
    rows = []
    for name, found in summary.get("evaluation", {}).items():
        cells = [f"{found[key]['mean']:.3g} {_interval(found[key])}".strip() for key in ("return", "interventions")]
        rows.append((players.get(name, name), *cells, f"{found['return']['n']:g}"))
    if rows:
        show_table(["player", "return", "steps an episode", "episodes"], rows)


def _interval(found: Mapping[str, Any]) -> str:
    return "" if found["low"] is None else f"[{found['low']:.3g}, {found['high']:.3g}]"
