"""``causalnet effect``: what setting one variable does to another, by a graph and a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .inputs import read_data, read_graph
from .reading_options import AS_IT_IS, Options, reading
from .terminal import say, say_json

UNDECIDED = 3  # exit code
CODES = f"Exit codes: 0 the graph identifies the effect; {UNDECIDED} it does not, the possible values are shown; 2 a file, a name or an option is wrong; 1 something unexpected."


@reading("discrete", "continuous", "missing", "drop", "regime", "targets")
def show_effect(
    graph: Annotated[Path, typer.Argument(help="A graph, JSON, as discover --out writes it.")],
    data: Annotated[Path, typer.Argument(help="The table; - for standard input.")],
    cause: Annotated[str, typer.Argument(help="The variable that is set.")],
    outcome: Annotated[str, typer.Argument(help="The variable whose change is asked for.")],
    start: Annotated[str | None, typer.Option("--from", help="The state of a category that is set, before.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The state of a category that is set, after.")] = None,
    state: Annotated[str | None, typer.Option(help="The state of a category whose probability is meant.")] = None,
    level: Annotated[float, typer.Option(help="Level of the interval.")] = 0.95,
    how: Options = AS_IT_IS,
    json_: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """What setting CAUSE does to OUTCOME: the effect with its interval and what it is adjusted for, or why there is none."""
    from ..effects import effect

    table = read_data(data, None, how)
    found = effect(read_graph(graph), cause, outcome, table, start=start, end=end, state=state, level=level)
    if json_:
        say_json(found.to_dict())
    else:
        say(str(found))
    if not found.identified:
        raise typer.Exit(UNDECIDED)
