"""``causalnet doctor``: what in a table endangers discovery, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..base.checks import instance
from .inputs import read_data, read_graph
from .reading_options import AS_IT_IS, Options, reading
from .terminal import say, say_json


@reading("discrete", "continuous", "missing", "drop", "regime", "targets", "time", "segment")
def examine(
    data: Annotated[Path, typer.Argument(help="The table; - for standard input.")],
    graph: Annotated[
        Path | None,
        typer.Option(help="A graph, JSON: are its independences in the table? Best in rows it was not learned from."),
    ] = None,
    how: Options = AS_IT_IS,
    json_: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """Look a table over: size, copies, missing cells, order of the rows, Gaussianity, sortability; a graph beside it."""
    from ..data import Series, Table
    from ..discovery.checkup import doctor

    table = read_data(data, None, how)
    found = doctor(
        instance("data", table, (Table, Series), "a table that fits in memory, or a series"),
        None if graph is None else read_graph(graph),
    )
    if json_:
        say_json(found.to_dict())
        return
    for line, finding in zip(str(found).splitlines(), found.findings, strict=True):
        say(line, style="yellow" if finding.sick else "")
