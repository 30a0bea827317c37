"""The commands ``causalnet compare`` and ``causalnet quickstart``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..base.text import split
from .doubt import EngineOption, JobsOption, Resamples, ask_resamples, say_confidence
from .inputs import parse_backend_settings, parse_seeds
from .own_data import read_data_sets
from .reading_options import AS_IT_IS, EVERY, Options, reading
from .terminal import say, say_json, show_graph, show_reasons, show_results

QUICKSTART = ["order", "pc", "notears", "thp", "random", "empty"]
QUICK_DATA = ["random-mixed:d=10", "sachs:truth=17", "sachs-interventional", "pcic-18v"]
QUICK_SEEDS = 3
EFFECT_OF = ("sachs-interventional", "sachs")  # whose graph, and in which rows
SHOWN, RESAMPLES = 12, 50  # edges of a graph that are printed; resamples for the confidence of one graph


@reading(*EVERY)
def compare_methods(
    data: Annotated[
        list[str],
        typer.Option(
            "--data", "-d", help="Data sets and files, comma-separated or repeated: sachs,alarm:n=2000,my.csv"
        ),
    ],
    backend: Annotated[
        str, typer.Option("--backend", "-b", help="Methods, comma-separated: pc,notears,causal-learn/ges")
    ],
    truth: Annotated[
        list[Path] | None,
        typer.Option(
            help="The true graph of a file: .json, .graphml, or .csv of causes and effects; one, or one a file."
        ),
    ] = None,
    seeds: Annotated[str, typer.Option(help="How many (5), or which (0,3,7).")] = "5",
    out: Annotated[Path, typer.Option(help="Folder of the results; run again to resume.")] = Path("runs/compare"),
    max_seconds: Annotated[float | None, typer.Option(help="Bound on learning, in seconds, for every cell.")] = None,
    jobs: JobsOption = 1,
    engine: EngineOption = "local",
    set_: Annotated[list[str] | None, typer.Option("--set", help="A parameter, as in --set pc.alpha=0.05.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run recorded failures again.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the results as JSON on stdout.")] = False,
    how: Options = AS_IT_IS,
) -> None:
    """Compare methods on data sets over seeds; interrupted runs resume, and a report is written.

    The options of reading say how the files in --data are read; data sets with names have their own.

    Exits with 0 when every cell is recorded and at least one succeeded, 1 when none did.
    """
    datasets = read_data_sets(data, truth or [], how)
    settings: dict[str, Any] = {"seeds": parse_seeds(seeds), "params": parse_backend_settings(set_ or [])}
    settings |= {"n_jobs": jobs, "max_seconds": max_seconds, "engine": engine, "retry_failed": retry_failed}
    results = _compare(datasets, split(backend, ","), out, **settings)
    _show_comparison(results, out, json_)


def _compare(datasets: list[Any], backends: list[str], out: Path, **settings: Any) -> Any:
    from ..comparison import compare as run

    try:
        return run(datasets, backends, out=out, progress=True, **settings)
    except KeyboardInterrupt:
        told = f"interrupted; every finished cell is kept in {out}: run the same command again to go on"
        say(told, style="red", stderr=True)
        raise typer.Exit(130) from None


def _show_comparison(results: Any, out: Path, json_: bool) -> None:
    if json_:
        cells = results.frame.to_dict("records")
        tables = {"ranking": results.ranking().to_dict("records"), "summary": results.summary().to_dict("records")}
        say_json({"settings": results.settings, "rules": results.rules, **tables, "cells": cells})
    else:
        show_results(results)
        show_reasons(results)
        say(f"report: {out / 'report.html'}   cells: {out / 'results.csv'}")
    if not (results.frame["status"] == "ok").any():
        say("no cell succeeded: the reasons are above and in the report", style="red", stderr=True)
        raise typer.Exit(1)


def quickstart(
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("runs/quickstart"),
    json_: Annotated[bool, typer.Option("--json", help="Print the results as JSON on stdout.")] = False,
) -> None:
    """Compare methods on two networks with known truth, proteins, and a telecom alarm log, offline; each beside its chance."""
    import os

    from ..discovery.register import registry

    known = registry()
    chosen = [name for name in QUICKSTART if name in known and known[name].installed]
    data = _quick_data()
    say(f"comparing {', '.join(chosen)} on {', '.join(data)}, {QUICK_SEEDS} seeds each", stderr=True)
    results = _compare(data, chosen, out, seeds=QUICK_SEEDS, n_jobs=min(2, os.cpu_count() or 1), max_seconds=60.0)
    _show_comparison(results, out, json_)
    if not json_:
        _show_best(results, out)


def _quick_data() -> list[str]:
    """What is compared on: a Bayesian network where there is pgmpy to sample it, else a simulated one."""
    import importlib.util

    network = "asia:n=2000" if importlib.util.find_spec("pgmpy") else "random-categorical"
    return [network, *QUICK_DATA]


def _show_best(results: Any, out: Path) -> None:
    """The first method's graph of each data set edge by edge; of one with the confidence of each, drawn, and one effect."""
    for name, places in results.places.items():
        best = next((p.backend for p in places if not p.control), None)
        graph = None if best is None else results.graph(name, best)
        if graph is None or name == EFFECT_OF[0]:
            continue
        edges = [
            f"{a} {sign} {b}" for joined, sign in ((graph.edges, "->"), (graph.undirected, "--")) for a, b in joined
        ]
        more = f" and {len(edges) - SHOWN} more" if len(edges) > SHOWN else ""
        say(f"{name}, the graph of {best}: {', '.join(edges[:SHOWN]) or 'no edges'}{more}")
    _show_doubt(results, out)


def _show_doubt(results: Any, out: Path) -> None:
    """The best graph of one data set again, with what resamples say of each edge, as a report of its own; and one effect."""
    from ..datasets import load_dataset
    from ..discovery import discover
    from ..effects import effect
    from ..report import write_graph_report

    name, rows = EFFECT_OF
    best = next((p.backend for p in results.places.get(name, ()) if not p.control), None)
    if best is None:
        return
    source = load_dataset(name)
    say(f"\n{name}, the graph of {best}, and how sure each edge is:")
    asked = Resamples(RESAMPLES, 0, 1, "local", None, None)
    graph = ask_resamples(discover(source, best), source.data, asked)
    show_graph(graph)
    say_confidence(graph)
    path = write_graph_report(
        graph, out / "graph.html", source.truth, f"{name}: the graph learned by {best}", source.data
    )
    pairs = [*graph.edges, *graph.undirected]
    if pairs:
        told = effect(graph, *pairs[0], load_dataset(rows).data)
        say(f"what the graph says would happen, estimated from {rows}: {told}")
    say(f"drawn beside the truth: {path}")
