"""``causalnet rca``: root causes of the alarms, or metrics, of now."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DataError
from .inputs import read_graph
from .terminal import say, say_json, show_table

if TYPE_CHECKING:
    import networkx as nx

    from ..graph import Graph
    from ..incidents import EventModel, RootCauses
    from ..search.stream_state import State

NOTHING = 3  # exit code
CODES = f"Exit codes: 0 somebody stands out; {NOTHING} nothing stands out; 2 a file or an option is wrong; 1 something unexpected."
SHOWN = 10


def find_root_causes(
    model: Annotated[
        Path,
        typer.Argument(
            help="A fitted model or a graph (.json), or the state of a watch (.npz); for metrics also a call graph "
            "(.csv: caller, callee)."
        ),
    ],
    alarms: Annotated[Path, typer.Argument(help="The alarms, or metrics: first column time, then one a component.")],
    topology: Annotated[Path | None, typer.Option(help="Links between devices: .csv (two columns) or .npy.")] = None,
    skew: Annotated[float, typer.Option(help="Seconds by which two devices' clocks differ (deviation).")] = 30.0,
    start: Annotated[str | None, typer.Option(help="Metrics: when the incident began, as in the first column.")] = None,
    alarmed: Annotated[str | None, typer.Option(help="Metrics: the component whose alarm was seen.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Metrics: show the simple rules too.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the ranking as JSON on stdout.")] = False,
) -> None:
    """Rank the root causes of an incident, with the reason for each."""
    import networkx as nx

    from ..data.logs import is_log
    from ..data.reading import read_frame
    from ..data.topology import read_topology
    from ..incidents import root_causes

    frame = read_frame(alarms)
    known = _read_model(model)
    if not is_log(frame.columns):
        frame = frame.set_index(frame.columns[0])
        if topology is not None:
            raise DataError(
                f"--topology belongs to alarms, and {alarms.name} is read as metrics; give the call graph as MODEL"
            )
    elif isinstance(known, nx.DiGraph):
        raise DataError(
            f"{model.name} is read as a call graph, which goes with metrics, and {alarms.name} is an event log; give the graph "
            "of `causalnet discover --out`, or the state of a watch"
        )
    links = None if topology is None else read_topology(topology)
    began: Any = start if start is None or frame.index.dtype.kind not in "iuf" else _number(start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # told below
        found = root_causes(known, frame, links, skew=skew, start=began, alarmed=alarmed, compare=compare)
    for note in found.notes:
        say(f"warning: {note}", style="yellow", stderr=True)
    if json_:
        say_json(found.to_dict())
    else:
        _show(found)
    if not found.causes:
        raise typer.Exit(NOTHING)


def _read_model(path: Path) -> EventModel | Graph | State | nx.DiGraph:
    """What the file holds, by its ending and its "format"."""
    import networkx as nx

    from ..data.reading import read_frame
    from ..graph.sheets import ENDS
    from ..incidents import EventModel

    if path.suffix.lower() == ".npz":
        from ..backends import thp

        return thp.load(path)
    if path.suffix.lower() != ".json":
        calls = read_frame(path)
        if calls.shape[1] != 2:
            raise DataError(f"{path.name} has {calls.shape[1]} columns; a call graph has two, caller and callee")
        heads = [str(column).strip().lower() for column in calls.columns]
        if set(map(str, calls.columns)) & set(calls.astype(str).to_numpy().ravel()):
            raise DataError(f"{path.name}: its first line is a call; write the header caller,callee above it")
        pairs = next((pair for pair in (("caller", "callee"), *ENDS) if set(pair) == set(heads)), None)
        both = calls.iloc[:, [0, 1] if pairs is None else [heads.index(name) for name in pairs]]
        return nx.DiGraph([(str(caller), str(callee)) for caller, callee in both.itertuples(index=False)])
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig")).get("format", "")
    except (OSError, ValueError, AttributeError, RecursionError):
        told = ""
    return EventModel.load(path) if str(told).startswith("causalnet.event-model") else read_graph(path)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(f"--start is {text!r}, and the metrics count their time in numbers; give one") from None


def _show(found: RootCauses) -> None:
    if not found.causes:
        say(f"nothing stands out among {found.seen} alarms")
    rows = [
        (one.rule, one.device, one.type, f"{one.probability:.2f}", f"{one.explains:.1f}", one.because)
        for group in (found.ranked[:SHOWN], found.others)
        for one in group
    ]
    dim = [k for k, one in enumerate(found.ranked[:SHOWN]) if not one.stands_out]
    show_table(["rule", "device", "type", "P(root)", "explains", "because"], rows, right=(3, 4), dim=dim)
    if len(found) > SHOWN:
        say(f"... and {len(found) - SHOWN} more; --json has all of them")
