"""``causalnet act``: what a trained agent would repair now, without its environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DataError
from .inputs import require_file
from .terminal import say, say_json

if TYPE_CHECKING:
    from ..agents import Decider, Decision

NOTHING = 3  # exit code
CODES = f"Exit codes: 0 a repair is named; {NOTHING} there is no alarm; 2 a file or an option is wrong; 1 something unexpected."


def decide_repair(
    policy: Annotated[Path, typer.Argument(help="A policy (.safetensors), as `train --policy` writes it.")],
    alarms: Annotated[
        Path,
        typer.Argument(
            help="The alarms of now: .csv with device, event and perhaps count; or - for JSON lines on standard input, "
            'each {"device": {"event": count}}, each answered by one.'
        ),
    ],
    json_: Annotated[bool, typer.Option("--json", help="Print the decision as JSON on stdout.")] = False,
) -> None:
    """Name the repair of a trained agent for the alarms of now, with its reason and probability."""
    from ..agents import Decider

    decider = Decider.load(policy)
    if str(alarms) == "-":
        _serve(decider)
        return
    found = _decide(decider, _of_file(alarms))
    if json_:
        say_json(None if found is None else found.to_dict())
    elif found is None:
        say("there is no alarm, so there is nothing to repair")
    else:
        say(f"repair {found.variable} at {found.unit} (probability {found.probability:.2f}): {found.because}")
    for note in () if found is None else found.notes:
        say(f"note: {note}", style="yellow", stderr=True)
    if found is None:
        raise typer.Exit(NOTHING)


def _decide(decider: Decider, alarms: dict[str, dict[str, int]]) -> Decision | None:
    counts, units = decider.counts_of(alarms)
    return decider.decide(counts, None if units == decider.units else units)


def _of_file(path: Path) -> dict[str, dict[str, int]]:
    """{device: {event: count}} of a file with a row an alarm, or a row a cell with its count."""
    from ..data.logs import event_columns
    from ..data.reading import read_frame

    require_file(path)
    if path.suffix == ".csv" and len(path.read_bytes().split()) == 1:  # a header, and no alarm
        return {}
    frame = read_frame(path, as_text=lambda name: name != "count")
    names = [str(name) for name in frame.columns]
    try:
        took = event_columns([*names, "timestamp"], path.name)  # an incident needs none
    except DataError as error:
        raise DataError(
            f"{path.name} needs the columns device and event, and perhaps count, and has {', '.join(names)}"
        ) from error
    found: dict[str, dict[str, int]] = {}
    counts = frame["count"] if "count" in frame.columns else [1] * len(frame)
    for row, (device, event, n) in enumerate(zip(frame[took["device"]], frame[took["event"]], counts, strict=True), 1):
        if not (isinstance(device, str) and isinstance(event, str) and 0 <= n < 1 << 53 and n == int(n)):
            raise DataError(f"row {row} of {path.name} lacks the device, the event, or a whole number of them")
        cell = found.setdefault(str(device), {})
        cell[str(event)] = cell.get(str(event), 0) + n
    return found


def _serve(decider: Decider) -> None:
    """One decision a line, until standard input ends; a line that cannot be read is answered by {"error": ...}."""
    for line in sys.stdin:
        if not line.strip():
            continue
        answer: Any
        try:
            alarms = json.loads(line)
            if not isinstance(alarms, dict) or not all(isinstance(cells, dict) for cells in alarms.values()):
                raise DataError('a line is {"device": {"event": count}}')
            found = _decide(decider, alarms)
            answer = None if found is None else found.to_dict()
        except (ValueError, TypeError, RecursionError) as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
