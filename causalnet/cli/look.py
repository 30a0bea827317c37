"""The command ``causalnet look``, and the options by which files are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..base.text import split
from .terminal import say, say_json, show_table

DiscreteOption = Annotated[
    str | None, typer.Option("--discrete", help="Names of the categorical columns, comma-separated.")
]
ContinuousOption = Annotated[
    str | None,
    typer.Option(
        "--continuous",
        help="Columns of numbers, comma-separated; else whole numbers with at most 10 levels are categories.",
    ),
]
MissingOption = Annotated[
    str | None, typer.Option("--missing", help="Values that mean a missing cell, comma-separated.")
]
DropOption = Annotated[str | None, typer.Option("--drop", help="Names of columns to leave out, comma-separated.")]
EventOption = Annotated[str | None, typer.Option("--event-column", help="The column of a log that names the event.")]
TimeOption = Annotated[str | None, typer.Option("--time-column", help="The column of a log that holds the time.")]
DeviceOption = Annotated[str | None, typer.Option("--device-column", help="The column of a log that names the device.")]
UnitOption = Annotated[str | None, typer.Option("--unit", help="Of times that are numbers: s, ms, us or ns.")]
SkipOption = Annotated[
    int | None, typer.Option("--skip-bad-rows", help="So many rows of a log that cannot be read are left out.")
]
RegimeOption = Annotated[
    str | None, typer.Option("--regime", help="The column that tells which experiment a row comes from.")
]
TargetsOption = Annotated[
    Path | None, typer.Option("--targets", help='JSON: {"regime": ["variable acted on there"]}; null: not known.')
]
TimesOption = Annotated[
    str | None, typer.Option("--time", help="The column of times, which makes the rows a series (pcmci, granger).")
]
SegmentOption = Annotated[
    str | None, typer.Option("--segment", help="The column that names the run or subject of a row of a series.")
]


def look_at(
    file: Annotated[Path, typer.Argument(help="A table or an event log; - for standard input.")],
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
    json_: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """Show how a file is read: every column, what was guessed, and what stands in the way of discovery."""
    from ..data.outlook import look, shown
    from .inputs import read_targets, require_file

    if str(file) != "-":
        require_file(file)
    roles = {"event": event_column, "timestamp": time_column, "device": device_column}
    found = look(
        file,
        discrete=None if discrete is None else split(discrete, ","),
        continuous=None if continuous is None else split(continuous, ","),
        missing=split(missing or "", ","),
        drop=split(drop or "", ","),
        columns={role: name for role, name in roles.items() if name is not None} or None,
        unit=unit,
        skip_bad_rows=skip_bad_rows or 0,
        regime=regime,
        targets=None if targets is None else read_targets(targets),
        time=time,
        segment=segment,
    )
    if json_:
        say_json(found.to_dict())
        return
    say(f"{found.source}: {found.n} {'events' if found.kind == 'events' else 'rows'}, {found.kind or 'not ready'}")
    cells = [(c.name, c.kind, *map(shown, (c.levels, c.low, c.high, c.missing or None)), c.unit) for c in found.columns]
    show_table(["column", "kind", "levels", "from", "to", "missing", "unit"], cells)
    for text in found.notes:
        say(f"read: {text}")
    for trouble in found.troubles:
        say(f"in the way: {trouble.text}" + (f"; {trouble.shell}" if trouble.shell else ""), style="yellow")
