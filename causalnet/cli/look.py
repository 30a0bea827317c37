"""The command ``causalnet look``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..base.text import split
from .reading_options import AS_IT_IS, EVERY, Options, reading
from .terminal import say, say_json, show_table


@reading(*EVERY)
def look_at(
    file: Annotated[Path, typer.Argument(help="A table or an event log; - for standard input.")],
    how: Options = AS_IT_IS,
    json_: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """Show how a file is read: every column, what was guessed, and what stands in the way of discovery."""
    from ..data.outlook import look, shown
    from .inputs import read_targets, require_file

    if str(file) != "-":
        require_file(file)
    found = look(
        file,
        discrete=None if how.discrete is None else split(how.discrete, ","),
        continuous=None if how.continuous is None else split(how.continuous, ","),
        missing=split(how.missing or "", ","),
        drop=split(how.drop or "", ","),
        columns=how.roles or None,
        unit=how.unit,
        duration_unit=how.duration_unit,
        skip_bad_rows=how.skip_bad_rows or 0,
        regime=how.regime,
        targets=None if how.targets is None else read_targets(how.targets),
        time=how.time,
        segment=how.segment,
        topology=how.topology,
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
