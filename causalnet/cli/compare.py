"""The commands ``causalnet compare`` and ``causalnet quickstart``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..base.text import split
from .inputs import Options, parse_backend_settings, parse_seeds
from .look import (
    ContinuousOption,
    DeviceOption,
    DiscreteOption,
    DropOption,
    EventOption,
    MissingOption,
    RegimeOption,
    SegmentOption,
    SkipOption,
    TargetsOption,
    TimeOption,
    TimesOption,
    UnitOption,
)
from .own_data import read_data_sets
from .terminal import say, say_json, show_reasons, show_results

PEERS = ["causal-learn/ges", "pgmpy/hill-climb", "gcastle/notears"]
QUICKSTART = ["order", "pc", "notears", "thp", "granger", *PEERS, "random", "empty"]


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
    jobs: Annotated[int, typer.Option("--jobs", "--n-jobs", "-j", help="Cells at once (-1: all cores).")] = 1,
    engine: Annotated[str, typer.Option(help="local, or dask:ADDRESS of a running scheduler.")] = "local",
    set_: Annotated[list[str] | None, typer.Option("--set", help="A parameter, as in --set pc.alpha=0.05.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run recorded failures again.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the results as JSON on stdout.")] = False,
    topology: Annotated[
        Path | None, typer.Option(help="Links between the devices of a log: .csv, .npy, .graphml.")
    ] = None,
    discrete: DiscreteOption = None,
    continuous: ContinuousOption = None,
    missing: MissingOption = None,
    drop: DropOption = None,
    event_column: EventOption = None,
    time_column: TimeOption = None,
    device_column: DeviceOption = None,
    unit: UnitOption = None,
    skip_bad_rows: SkipOption = None,
    regime: RegimeOption = None,
    targets: TargetsOption = None,
    time: TimesOption = None,
    segment: SegmentOption = None,
) -> None:
    """Compare methods on data sets over seeds; interrupted runs resume, and a report is written.

    The options of reading say how the files in --data are read; data sets with names have their own.

    Exits with 0 when every cell is recorded and at least one succeeded, 1 when none did.
    """
    how = Options(
        *(topology, discrete, continuous, missing, drop, event_column, time_column, device_column, unit),
        skip_bad_rows=skip_bad_rows,
        regime=regime,
        targets=targets,
        time=time,
        segment=segment,
    )
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
        say_json({"settings": results.settings, "summary": results.summary().to_dict("records"), "cells": cells})
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
    """Compare methods on the Sachs protein data and a telecom alarm log; under three minutes on two cores."""
    import os

    from ..discovery.register import registry

    known = registry()
    chosen = [name for name in QUICKSTART if name in known and known[name].installed]
    log = _real_log()
    say(f"comparing {len(chosen)} methods on sachs and {log}, three seeds each", stderr=True)
    for name in (name for name in QUICKSTART if name in known and name not in chosen):
        say(f"{name} is left out: {known[name].how_to_install}", style="dim", stderr=True)
    results = _compare(["sachs", log], chosen, out, seeds=3, n_jobs=min(2, os.cpu_count() or 1), max_seconds=20.0)
    _show_comparison(results, out, json_)


def _real_log() -> str:
    """The real telecom log, from disk or downloaded; without network the fault-alarm network stands in."""
    from ..datasets import MissingFile, load_dataset

    try:
        load_dataset("pcic-18v")
    except MissingFile as error:
        say(f"the real alarm log is left out: {error}", style="dim", stderr=True)
        return "fault-alarm"
    return "pcic-18v"
