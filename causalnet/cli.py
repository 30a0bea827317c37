"""The command line: ``causalnet discover``, ``compare``, ``train``, ``quickstart``, ``backends``, ``datasets``, ``score``, ``report``.

Exit codes: 0 done; 1 nothing could be compared, or something unexpected; 2 the input or an option is wrong (a
sentence on stderr says what to write instead); 130 interrupted. A comparison whose cells are all recorded and of
which at least one succeeded is done: failed cells are findings, listed with their reasons.
"""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from . import __version__
from ._inputs import (
    available,
    named_or_file,
    parse_backend_settings,
    parse_seeds,
    parse_settings,
    read_data,
    read_graph,
    read_knowledge,
)
from ._labels import split
from ._terminal import (
    say,
    say_json,
    show_graph,
    show_reasons,
    show_results,
    show_table,
    show_training,
)
from .errors import CausalnetError, UnknownNameError, nearest

if TYPE_CHECKING:
    from .graph import Graph

QUICKSTART = (
    "pc",
    "notears",
    "thp",
    "granger",
    "causal-learn/ges",
    "pgmpy/hill-climb",
    "gcastle/notears",
    "random",
    "empty",
)


class _Spoken(TyperGroup):
    """Commands whose errors are sentences; ``--debug`` gives the traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CausalnetError as error:
            if ctx.params.get("debug"):
                raise
            say(f"error: {error}", style="red", stderr=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            say("interrupted; files that were finished are kept", style="red", stderr=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            raise
        except Exception as error:
            if ctx.params.get("debug") or type(error).__module__.startswith(("typer", "click")):
                raise
            told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            say(f"unexpected error: {told}\nRun `causalnet --debug ...` for the traceback.", style="red", stderr=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_Spoken,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Causal discovery and structure learning: learn graphs, compare methods, read the report.",
)


def main() -> None:
    """Entry point of the ``causalnet`` command."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"causalnet {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    pass


# ---- one graph ----------------------------------------------------------------------------------------------


@app.command()
def discover(
    file: Annotated[Path, typer.Argument(help="A table (.csv, .tsv, .parquet) or an event log.")],
    backend: Annotated[
        str, typer.Option("--backend", "-b", help="The method; `causalnet backends` lists them.")
    ] = "pc",
    topology: Annotated[Path | None, typer.Option(help="Links between devices: .csv (two columns) or .npy.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A parameter, as in --set alpha=0.05.")] = None,
    knowledge: Annotated[Path | None, typer.Option(help="JSON: required, forbidden, tiers, roots, leaves.")] = None,
    discrete: Annotated[str | None, typer.Option(help="Names of the categorical columns, comma-separated.")] = None,
    seed: Annotated[int, typer.Option(help="Decides all randomness.")] = 0,
    max_seconds: Annotated[float | None, typer.Option(help="Bound on learning, in seconds.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the graph as JSON.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a one-file HTML report.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the graph as JSON on stdout.")] = False,
) -> None:
    """Learn a graph from a file."""
    from ._files import check_writable, write_atomic
    from .backends import discover as learn
    from .backends import get
    from .provenance import versions

    method = get(backend)
    params = parse_settings(set_ or [])
    hard = read_knowledge(knowledge) if knowledge else None
    for path in (out, report):
        if path is not None:
            check_writable(path)
    _refuse_overwriting(
        {"--out": out, "--report": report}, {"FILE": file, "--topology": topology, "--knowledge": knowledge}
    )
    for name in params.keys() & {"seed", "knowledge", "max_seconds", "data", "backend"}:
        raise UnknownNameError(
            f"{name} is no parameter of a method; use the option --{name.replace('_', '-')} instead of --set"
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        data = read_data(file, method, topology, discrete)
        graph = learn(data, backend, knowledge=hard, seed=seed, max_seconds=max_seconds, **params)
    told = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
    remarks = list(dict.fromkeys([*_listed(graph.meta.get("warnings")), *told]))
    command = _repeat(file, backend, topology, set_ or [], knowledge, discrete, seed, max_seconds)
    record = {"file": file.name, "command": command, "versions": versions(backend)}
    graph = graph.replace(meta={**record, **({"warnings": remarks} if remarks else {})})
    if out is not None:
        write_atomic(out, graph.to_json(indent=1) + "\n")
    if report is not None:
        from .report import write_graph_report

        write_graph_report(graph, report, title=f"{file.name}: the graph learned by {backend}", data=data)
    _tell(graph, remarks, out, report, json_)


def _refuse_overwriting(written: dict[str, Path | None], read: dict[str, Path | None]) -> None:
    """What is written must not replace what is read, or each other."""
    taken = {path.resolve(): option for option, path in read.items() if path is not None}
    for option, path in written.items():
        if path is not None:
            other = taken.setdefault(path.resolve(), option)
            if other != option:
                raise CausalnetError(f"{option} would overwrite {path}, which is also {other}; choose another file")


def _repeat(
    file: Path,
    backend: str,
    topology: Path | None,
    settings: list[str],
    knowledge: Path | None,
    discrete: str | None,
    seed: int,
    max_seconds: float | None,
) -> str:
    """The line that learns the same graph again."""
    words = ["causalnet", "discover", str(file), "--backend", backend]
    options = {"--topology": topology, "--knowledge": knowledge, "--discrete": discrete, "--seed": seed or None}
    for option, value in {**options, "--max-seconds": max_seconds}.items():
        words += [] if value is None else [option, str(value)]
    for text in settings:
        words += ["--set", text]
    return shlex.join(words)


def _tell(graph: Graph, remarks: list[str], out: Path | None, report: Path | None, json_: bool) -> None:
    if json_:
        say_json(graph.to_dict())
    else:
        show_graph(graph)
    for text in remarks:
        say(f"warning: {text}", style="yellow", stderr=True)
    if graph.meta.get("complete") is False:
        say("the time limit ended the search: this is the best graph so far", style="yellow", stderr=True)
    for what, path in (("graph", out), ("report", report)):
        if path is not None:
            say(f"{what} written to {path}", stderr=json_)


def _listed(value: Any) -> list[str]:
    return [] if not value else [value] if isinstance(value, str) else [str(item) for item in value]


# ---- comparisons --------------------------------------------------------------------------------------------


@app.command()
def compare(
    data: Annotated[
        str, typer.Option("--data", "-d", help="Data sets and files, comma-separated: sachs,alarm:n=2000,my.csv")
    ],
    backend: Annotated[
        str, typer.Option("--backend", "-b", help="Methods, comma-separated: pc,notears,causal-learn/ges")
    ],
    seeds: Annotated[str, typer.Option(help="How many (5), or which (0,3,7).")] = "5",
    out: Annotated[Path, typer.Option(help="Folder of the results; run again to resume.")] = Path("runs/compare"),
    max_seconds: Annotated[float | None, typer.Option(help="Bound on learning, in seconds, for every cell.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", "--n-jobs", "-j", help="Cells at once (-1: all cores).")] = 1,
    engine: Annotated[str, typer.Option(help="local, or dask:ADDRESS of a running scheduler.")] = "local",
    set_: Annotated[list[str] | None, typer.Option("--set", help="A parameter, as in --set pc.alpha=0.05.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run recorded failures again.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the results as JSON on stdout.")] = False,
) -> None:
    """Compare methods on data sets over seeds; interrupted runs resume, and a report is written.

    Exits with 0 when every cell is recorded and at least one succeeded, 1 when none did.
    """
    datasets = [named_or_file(item) for item in split(data, ",")]
    settings = {"seeds": parse_seeds(seeds), "n_jobs": jobs, "max_seconds": max_seconds, "engine": engine}
    results = _compare(
        datasets,
        split(backend, ","),
        out,
        params=parse_backend_settings(set_ or []),
        retry_failed=retry_failed,
        **settings,
    )
    _show_comparison(results, out, json_)


def _compare(datasets: list[Any], backends: list[str], out: Path, **settings: Any) -> Any:
    from .compare import compare as run

    try:
        return run(datasets, backends, out=out, progress=True, **settings)
    except KeyboardInterrupt:
        say(
            f"interrupted; every finished cell is kept in {out}: run the same command again to go on",
            style="red",
            stderr=True,
        )
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


@app.command()
def quickstart(
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("runs/quickstart"),
    json_: Annotated[bool, typer.Option("--json", help="Print the results as JSON on stdout.")] = False,
) -> None:
    """Compare methods on the Sachs protein data and a telecom alarm log; under three minutes on two cores."""
    import os

    from .backends import registry

    known = registry()
    chosen = [name for name in QUICKSTART if name in known and known[name].installed]
    absent = [name for name in QUICKSTART if name in known and not known[name].installed]
    log = _real_log()
    say(f"comparing {len(chosen)} methods on sachs and {log}, three seeds each", stderr=True)
    for name in absent:
        say(f"{name} is left out: {known[name].how_to_install}", style="dim", stderr=True)
    results = _compare(["sachs", log], chosen, out, seeds=3, n_jobs=min(2, os.cpu_count() or 1), max_seconds=20.0)
    _show_comparison(results, out, json_)


def _real_log() -> str:
    """The real telecom log, from disk or downloaded; without network the fault-alarm network stands in."""
    from .datasets import MissingFile, load_dataset

    try:
        load_dataset("pcic-18v")
    except MissingFile as error:
        say(f"the real alarm log is left out: {error}", style="dim", stderr=True)
        return "fault-alarm"
    return "pcic-18v"


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="The folder of a comparison.")]) -> None:
    """Write report.html of a comparison again."""
    from .report import write_report
    from .results import Results

    say(f"report: {write_report(Results(folder), folder / 'report.html')}")


@app.command()
def score(
    truth: Annotated[Path, typer.Argument(help="The true graph, JSON.")],
    learned: Annotated[Path, typer.Argument(help="The learned graph, JSON.")],
    json_: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON on stdout.")] = False,
) -> None:
    """Score a learned graph against the truth; both are files that --out wrote."""
    from .metrics import DEFINITIONS
    from .metrics import score as measure

    found = measure(read_graph(truth), read_graph(learned))
    if json_:
        say_json(found)
        return
    rows = [
        (k, "-" if v is None else f"{v:g}" if isinstance(v, int) else f"{v:.3f}", DEFINITIONS[k])
        for k, v in found.items()
    ]
    show_table(["metric", "value", "meaning"], rows)


# ---- policies -----------------------------------------------------------------------------------------------

FILES = (
    "The graph is what causalnet discover writes: causalnet discover data.csv --out g.json\n\n"
    "The action map says for every action which variable it acts on (none: null, or nothing). JSON, for an action on "
    "power, one on link, and one that does nothing, where observation entry 0 shows power and entry 1 shows link:\n\n"
    '{"actions": ["power", "link", null],\n"observation": ["power", "link"],\n"entries": [0, 1, null]}\n\n'
    "observation: for each entry the variable that it shows. entries: for each action the entry that shows whether "
    "there is something to act on. Either will do; with neither, entry number a shows action number a. As CSV:\n\n"
    "action,variable,entry\n0,power,0\n1,link,1\n2,,"
)


@app.command(epilog=FILES)
def train(
    env: Annotated[str, typer.Argument(help="A Gymnasium id, or module:Name-v0 for an environment of your own.")],
    graph: Annotated[
        Path | None,
        typer.Option(help="The graph whose root causes may be acted on: the JSON file of causalnet discover --out."),
    ] = None,
    actions: Annotated[
        Path | None,
        typer.Option(
            help="JSON or CSV: the variable that each action acts on, and what shows it; see the end of this text."
        ),
    ] = None,
    k: Annotated[str, typer.Option("--k", "-k", help="Earliest present variables to allow, or roots.")] = "1",
    eta: Annotated[float, typer.Option(help="Probability of ignoring the graph for a step.")] = 0.0,
    present: Annotated[
        str, typer.Option(help="What shows presence: nonzero or positive entries, or module:function.")
    ] = "nonzero",
    learner: Annotated[str, typer.Option("--learner", "-l", help="ppo, dqn or d3qn.")] = "ppo",
    episodes: Annotated[int, typer.Option(help="How many in all; run again with more to go on.")] = 300,
    seed: Annotated[int, typer.Option(help="Decides all randomness.")] = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting of the learner: --set lr=0.001.")] = None,
    make: Annotated[
        list[str] | None, typer.Option("--make", help="An argument of the environment: --make n_devices=8.")
    ] = None,
    import_: Annotated[list[str] | None, typer.Option("--import", help="A module to import first.")] = None,
    evaluate: Annotated[
        int,
        typer.Option(
            help="Episodes to evaluate the agent and its controls on; ppo draws its actions, dqn and d3qn take the best."
        ),
    ] = 20,
    out: Annotated[Path, typer.Option(help="Folder of the results; run again to resume.")] = Path("runs/train"),
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")] = False,
) -> None:
    """Train an agent on an environment, restricted to the likely root causes of a graph."""
    import sys

    from ._action_map import read_action_map
    from ._train import Plan
    from ._train import train as run

    if not {"", str(Path.cwd())} & set(sys.path):
        sys.path.insert(0, str(Path.cwd()))  # for an environment of the user's own
    plan = Plan(
        env,
        learner,
        seed,
        None if graph is None else read_graph(graph),
        int(k) if k.isdecimal() else k,
        eta,
        None if actions is None else read_action_map(actions),
        present,
        parse_settings(make or [], "--make"),
        parse_settings(set_ or []),
        tuple(import_ or ()),
    )
    try:
        summary = run(plan, episodes, out, evaluate_episodes=evaluate, progress=not json_)
    except KeyboardInterrupt:
        say(f"interrupted; run the same command again to go on in {out}", style="red", stderr=True)
        raise typer.Exit(130) from None
    if json_:
        say_json(summary)
    else:
        show_training(summary)
        say(f"episodes: {out / 'episodes.csv'}   agent: {out / 'agent.npz'}")


# ---- what there is ------------------------------------------------------------------------------------------


@app.command()
def backends(
    kind: Annotated[
        str | None, typer.Option(help="Only those for this kind: continuous, discrete, mixed, events.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """List the discovery methods."""
    from .backends import KINDS
    from .backends import backends as known

    if kind is not None and kind not in KINDS:
        raise UnknownNameError(
            f"there is no kind {kind!r}; the kinds are {', '.join(sorted(KINDS))}.{nearest(kind, KINDS)}"
        )
    found = [info for info in known() if kind is None or kind in info.takes]
    if json_:
        say_json([info._asdict() for info in found])
        return
    rows = []
    for info in found:
        notes = [info.summary, info.caveat, "" if info.installed else f"not installed: {info.how_to_install}"]
        rows.append((info.name, ", ".join(info.takes), info.gives, "\n".join(note for note in notes if note)))
    show_table(["name", "takes", "gives", "what it does"], rows)


@app.command()
def datasets(json_: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False) -> None:
    """List the data sets."""
    from .datasets import cards

    found = [{**card, "available": available(name, card)} for name, card in cards().items()]
    if json_:
        say_json(found)
        return
    rows = [(str(c["name"]), str(c["kind"]), str(c["available"]), str(c.get("title", ""))) for c in found]
    show_table(["name", "kind", "available", "what it is"], rows)


if __name__ == "__main__":
    main()
