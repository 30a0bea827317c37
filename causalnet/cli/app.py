"""The command line: ``causalnet discover``, ``compare``, ``train``, ``quickstart``, ``backends``, ``datasets``, ``score``, ``report``.

Exit codes: 0 done; 1 nothing could be compared, or something unexpected; 2 the input or an option is wrong (a
sentence on stderr says what to write instead); 130 interrupted. A comparison whose cells are all recorded and of
which at least one succeeded is done: failed cells are findings, listed with their reasons.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .. import __version__
from ..base import log_lines
from ..errors import CausalnetError
from .act import CODES as ACT_CODES
from .act import decide_repair
from .checkup import examine
from .compare import compare_methods, quickstart
from .doubt import ConfidenceOption, EngineOption, JobsOption, KeepOption, Resamples, ask_resamples, say_confidence
from .effect import CODES as EFFECT_CODES
from .effect import show_effect
from .endings import run
from .inputs import parse_settings, read_data, read_graph, read_knowledge, refuse_options
from .lists import list_backends, list_datasets
from .look import look_at
from .rca import CODES, find_root_causes
from .reading_options import AS_IT_IS, EVERY, Options, reading, with_log_json
from .terminal import say, say_json, show_graph, show_table
from .train import FILES, train_policy
from .watch import CODES as WATCH_CODES
from .watch import watch_stream

if TYPE_CHECKING:
    from ..graph import Graph


class _Spoken(TyperGroup):
    """Commands whose errors are sentences; ``--debug`` gives the traceback."""

    def invoke(self, ctx: Any) -> Any:
        log_lines.ask(False)
        try:
            return super().invoke(ctx)
        except CausalnetError as error:
            if ctx.params.get("debug"):
                raise
            say(f"error: {error.in_shell}", style="red", stderr=True)
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
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Causal discovery and structure learning: learn graphs, compare methods, read the report.",
)


def main() -> None:
    """Entry point of the ``causalnet`` command."""
    run(app)


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


LagsOption = Annotated[
    int | None, typer.Option("--lags", help="How many steps back a method for series looks, as --set lags=N.")
]
OutOption = Annotated[
    Path | None, typer.Option(help="Write the graph: g.json to go on with (.graphml, .csv), g.svg to look at (.dot).")
]


@app.command()
@reading(*EVERY)
def discover(
    file: Annotated[
        Path, typer.Argument(help="A table (.csv, .tsv, .jsonl, .parquet, ...) or an event log; - for standard input.")
    ],
    backend: Annotated[
        str, typer.Option("--backend", "-b", help="The method; auto chooses by the kind of data.")
    ] = "auto",
    set_: Annotated[list[str] | None, typer.Option("--set", help="A parameter, as in --set alpha=0.05.")] = None,
    knowledge: Annotated[Path | None, typer.Option(help="JSON: required, forbidden, tiers, roots, leaves.")] = None,
    how: Options = AS_IT_IS,
    lags: LagsOption = None,
    seed: Annotated[int, typer.Option(help="Decides all randomness.")] = 0,
    max_seconds: Annotated[float | None, typer.Option(help="Bound on learning, in seconds.")] = None,
    confidence: ConfidenceOption = None,
    keep: KeepOption = None,
    jobs: JobsOption = 1,
    engine: EngineOption = "local",
    out: OutOption = None,
    report: Annotated[Path | None, typer.Option(help="Write a one-file HTML report.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the graph as JSON on stdout.")] = False,
) -> None:
    """Learn a graph from a file."""
    from ..discovery.dispatch import discover as learn
    from ..discovery.provenance import versions
    from ..discovery.register import get

    method = None if backend == "auto" else get(backend)
    params = parse_settings(settings := [*(set_ or []), *([] if lags is None else [f"lags={lags}"])])
    hard = read_knowledge(knowledge) if knowledge else None
    _check_paths(
        {"--out": out, "--report": report},
        {"FILE": file, "--topology": how.topology, "--knowledge": knowledge, "--targets": how.targets},
    )
    refuse_options(params)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        data = read_data(file, method, how)
        graph = learn(data, backend, knowledge=hard, seed=seed, max_seconds=max_seconds, progress=True, **params)
        backend = graph.meta["backend"]
        asked = Resamples(confidence, seed, jobs, engine, keep, max_seconds)
        graph = ask_resamples(graph, data, asked, knowledge=hard, **params)
    remarks = _remarks(graph, caught)
    given = {**how.written(), "--knowledge": knowledge, "--seed": seed or None, **asked.written()}
    record = {"file": file.name, "command": _repeat(file, backend, given, settings), "versions": versions(backend)}
    graph = graph.replace(meta={**record, **({"warnings": remarks} if remarks else {})})
    _write(graph, f"{file.name}: the graph learned by {backend}", data, out, report)
    _tell(graph, remarks, out, report, json_)


def _remarks(graph: Graph, caught: list[warnings.WarningMessage]) -> list[str]:
    """What the method and the reading of the file warn of, each once."""
    from ..report.values import texts

    told = [getattr(w.message, "in_shell", str(w.message)) for w in caught if issubclass(w.category, UserWarning)]
    return list(dict.fromkeys([*texts(graph.meta.get("warnings")), *told]))


def _write(graph: Graph, title: str, data: Any, out: Path | None, report: Path | None) -> None:
    """The graph's file, and its report, where they are wanted."""
    if out is not None:
        from ..graph import LaggedGraph

        flat = isinstance(graph, LaggedGraph) and out.suffix.lower() == ".csv"
        if flat:
            say(f"{out.name} holds one matrix and no lags: the summary graph", stderr=True)
        (graph.summary if flat else graph).save(out)  # type: ignore[attr-defined]
    if report is not None:
        from ..report import write_graph_report

        write_graph_report(graph, report, title=title, data=data)


def _check_paths(written: dict[str, Path | None], read: dict[str, Path | None]) -> None:
    """What is written can be, and must not replace what is read, or each other."""
    from ..graph.forms import form
    from ..storage.files import check_writable

    for path in written.values():
        if path is not None:
            check_writable(path)
    taken = {path.resolve(): option for option, path in read.items() if path is not None}
    for option, path in written.items():
        if path is not None:
            other = taken.setdefault(path.resolve(), option)
            if other != option:
                raise CausalnetError(f"{option} would overwrite {path}, which is also {other}; choose another file")
    if written.get("--out") is not None:
        form(written["--out"])  # type: ignore[arg-type]


def _repeat(file: Path, backend: str, options: Mapping[str, Any], settings: list[str]) -> str:
    """The line that learns the same graph again; an option that is None is left out."""
    words = ["causalnet", "discover", str(file), "--backend", backend]
    for option, value in (*options.items(), *(("--set", text) for text in settings)):
        words += [] if value is None else [option, str(value)]
    return shlex.join(words)


def _tell(graph: Graph, remarks: list[str], out: Path | None, report: Path | None, json_: bool) -> None:
    if "chosen" in graph.meta:
        say(graph.meta["chosen"], stderr=True)
    if json_:
        say_json(graph.to_dict())
    else:
        show_graph(graph)
        say_confidence(graph)
    for text in graph.meta.get("read", ()):
        say(f"read: {text}", stderr=True)
    for text in remarks:
        say(f"warning: {text}", style="yellow", stderr=True)
    if graph.meta.get("complete") is False:
        say("the time limit ended the search: this is the best graph so far", style="yellow", stderr=True)
    for what, path in (("graph", out), ("report", report)):
        if path is not None:
            say(f"{what} written to {path}", stderr=json_)


app.command("look")(look_at)

# ---- comparisons --------------------------------------------------------------------------------------------

app.command("compare")(compare_methods)
app.command()(quickstart)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="The folder of a comparison.")]) -> None:
    """Write report.html of a comparison again."""
    from ..comparison import Results
    from ..report import write_report

    say(f"report: {write_report(Results(folder), folder / 'report.html')}")


@app.command()
def score(
    truth: Annotated[Path, typer.Argument(help="The true graph, JSON.")],
    learned: Annotated[Path, typer.Argument(help="The learned graph, JSON.")],
    json_: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON on stdout.")] = False,
) -> None:
    """Score a learned graph against the truth; both are files that --out wrote."""
    from ..graph.metrics import DEFINITIONS
    from ..graph.metrics import score as measure

    found = measure(read_graph(truth), read_graph(learned))
    if json_:
        say_json(found)
        return
    values = {k: "-" if v is None else f"{v:g}" if isinstance(v, int) else f"{v:.3f}" for k, v in found.items()}
    show_table(["metric", "value", "meaning"], [(k, value, DEFINITIONS[k]) for k, value in values.items()])


# ---- policies -----------------------------------------------------------------------------------------------

app.command("train", epilog=FILES)(train_policy)


app.command("effect", epilog=EFFECT_CODES)(show_effect)
app.command("doctor")(examine)


# ---- incidents ----------------------------------------------------------------------------------------------

app.command("rca", epilog=CODES)(find_root_causes)
app.command("act", epilog=ACT_CODES)(decide_repair)
app.command("watch", epilog=WATCH_CODES)(watch_stream)


# ---- what there is ------------------------------------------------------------------------------------------

app.command("backends")(list_backends)
app.command("datasets")(list_datasets)


# ---- what a command ends with -------------------------------------------------------------------------------

ENDS = "Exit codes: 0 done; {}something unexpected; 2 the input or an option is wrong; 130 interrupted."
for _command in app.registered_commands:
    _fails = "1 nothing could be compared, or " if _command.callback in (compare_methods, quickstart) else "1 "
    if "Exit codes" not in (_command.epilog or ""):
        _command.epilog = "\n\n".join(filter(None, (_command.epilog, ENDS.format(_fails))))
    assert _command.callback is not None
    _command.callback = with_log_json(_command.callback)
