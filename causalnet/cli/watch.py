"""``causalnet watch``: a stream of events, a graph that follows it, and an alarm when it no longer does."""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..base.checks import number
from ..errors import DataError
from .inputs import require_file
from .reading_options import AS_IT_IS, Options, reading
from .terminal import say

if TYPE_CHECKING:
    import networkx as nx

    from ..incidents.stream_source import Lines, Piece
    from ..search.stream_state import State

DRIFT, STALLED = 3, 4  # exit codes
CODES = (
    "Exit codes: 0 the stream ended, or SIGTERM came, and the state is saved; 3 the same, and the stream drifted; "
    "4 nothing came for --stall seconds; 2 a file or an option is wrong; 130 interrupted, and the state is saved; "
    "1 something unexpected."
)
SAVE_EVERY = 60.0  # seconds


@reading("topology", "event_column", "time_column", "device_column", "unit")
def watch_stream(
    source: Annotated[Path, typer.Argument(help="A log that grows (.csv, .tsv, .jsonl), or - for standard input.")],
    state: Annotated[Path, typer.Option(help="The file that remembers; an existing one is gone on with.")] = Path(
        "watch.npz"
    ),
    out: Annotated[Path | None, typer.Option(help="Write the graph, with every report: g.json.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more when the file ends.")] = False,
    every: Annotated[float, typer.Option(help="Seconds between reports.")] = 10.0,
    stall: Annotated[float | None, typer.Option(help="Stop when nothing came for so many seconds.")] = None,
    decay: Annotated[
        float | None, typer.Option(help="1 / mean delay in 1/s; by default from the first events.")
    ] = None,
    poll: Annotated[
        float | None, typer.Option(help="Seconds between polls, 0: times are exact; by default from the first events.")
    ] = None,
    half_life: Annotated[float | None, typer.Option(help="Seconds after which what was seen counts half.")] = None,
    patience: Annotated[float, typer.Option(help="Seconds that an event may come late.")] = 0.0,
    how: Options = AS_IT_IS,
    log_json: Annotated[bool, typer.Option("--log-json", help="Reports as JSON on stdout, one a line.")] = False,
) -> None:
    """Watch a stream of events: learn its graph as it comes, and say when it drifts."""
    from ..backends import thp
    from ..data.topology import read_topology
    from ..incidents.stream_source import Lines, pieces

    _check(source, state, out, every, stall)
    settings = {"decay": decay, "poll": poll, "half_life": half_life, "patience": patience}
    now = _begin(state, None if how.topology is None else read_topology(how.topology), source, settings)
    lines = Lines(source.name, how.roles, how.unit, now.place)
    before, ended, code = now.drift.alarms, [], 0
    previous = signal.signal(signal.SIGTERM, lambda *_: ended.append("stopped by SIGTERM"))
    reported = saved = heard = time.monotonic()
    try:
        for piece in pieces(source, now.place.get("offset", 0), follow, lambda: bool(ended)):
            clock = time.monotonic()
            if piece.lines:
                now, heard = _taken(now, lines, piece, source, log_json), clock
            if clock - reported > every:
                reported = clock
                _report("progress", now, log_json)
                _write(now, out)
            if clock - saved > SAVE_EVERY:
                saved = clock
                thp.save(now, state)
            if stall is not None and clock - heard > stall:
                code = STALLED
                ended.append(f"nothing came for {stall:g} s")
    except KeyboardInterrupt:
        ended.append("interrupted")
        code = 130
    finally:
        signal.signal(signal.SIGTERM, previous)
        thp.save(now, state)
    _write(now, out)
    _report(ended[0] if ended else "the stream ended", now, log_json)
    _heard(lines, now, source)
    if code or now.drift.alarms > before:
        raise typer.Exit(code or DRIFT)


def _heard(lines: Lines, now: State, source: Path) -> None:
    """Was any line of the stream an event?"""
    if now.n or len(now.waiting.time) or not lines.spoilt + lines.cleared:
        return
    if lines.cleared:
        raise DataError(
            f"no line of {source.name} raises an alarm ({lines.cleared:,} say cleared, {lines.spoilt:,} are spoilt)"
        )
    raise DataError(
        f"no line of {source.name} could be read as an event (all {lines.spoilt:,} are spoilt): a stream is read line by line, "
        "and its times are numbers or ISO dates (2024-01-31 12:00:00) in one column; `causalnet discover` reads other dates"
    )


def _check(source: Path, state: Path, out: Path | None, every: float, stall: float | None) -> None:
    """What is read is there and what is written can be, before a state is begun."""
    from ..graph.forms import form
    from ..storage.files import check_writable

    if source.exists() and not source.is_file():
        raise DataError(f"{source} is no file; give one, or pipe the stream in and write -")
    if str(source) != "-":
        require_file(source)
    if source.suffix.lower() in (".gz", ".parquet"):
        raise DataError(
            f"{source.name} is no log that grows: a stream is read line by line (.csv, .tsv, .jsonl); `causalnet discover` reads it whole"
        )
    if out is not None:
        form(out)
        check_writable(out)
    check_writable(state)
    number("every", every, 0.0)
    if stall is not None:
        number("stall", stall, above=0.0)


def _begin(path: Path, links: nx.Graph | None, source: Path, settings: dict[str, Any]) -> State:
    """A new state, or the one in the file if it fits what was asked for."""
    from ..backends import thp

    fresh = thp.init(topology=links, **settings)
    if not path.exists():
        say(
            f"what is read is remembered in {path}, and the same command goes on from there; --state names another",
            stderr=True,
        )
        return fresh
    known = thp.load(path)
    if links is not None and known.links != fresh.links:
        come, gone = len(set(fresh.links) - set(known.links)), len(set(known.links) - set(fresh.links))
        raise DataError(
            f"the topology is not that of {path.name}: {come} links came and {gone} went; what was counted over the old "
            "links does not hold over the new ones: give another --state, or leave --topology out"
        )
    for name, value in settings.items():
        if value not in (None, 0.0) and value != getattr(known.settings, name):
            raise DataError(
                f"--{name.replace('_', '-')} is {value:g}, and {path.name} was begun with "
                f"{getattr(known.settings, name)}; leave it out, or give another --state"
            )
    if str(source) != "-" and known.place.get("source") not in (None, str(source)):
        say(
            f"goes on from {path.name}, which has read {known.place['source']}; --state names another",
            style="yellow",
            stderr=True,
        )
        return replace(known, place={})  # another file: from its beginning
    return known if str(source) != "-" else replace(known, place={})


def _taken(now: State, lines: Lines, piece: Piece, source: Path, log_json: bool) -> State:
    """The state with what the lines say, and where they end; an alarm is told at once."""
    from ..backends import thp

    alarms = now.drift.alarms
    now = thp.step(now, lines.read(piece.lines))
    place = {
        "source": str(source),
        "offset": piece.offset,
        "header": lines.header,
        "mark": lines.mark,
        "spoilt": lines.spoilt,
        "cleared": lines.cleared,
    }
    now = replace(now, place=place)
    if now.drift.alarms > alarms:
        _report("drift", now, log_json)
    return now


def _write(now: State, out: Path | None) -> None:
    from ..backends import thp

    if out is not None and now.origin is not None and (now.decay is not None or len(now.waiting.time) > 1):
        thp.graph(now).save(out)


def _report(what: str, now: State, log_json: bool) -> None:
    """One line: on stdout as JSON, or on stderr in words."""
    from ..search.hawkes_stream import told
    from ..search.stream_order import remarks

    found, says = told(now) | {name: now.place.get(name, 0) for name in ("spoilt", "cleared")}, remarks(now)
    if log_json:
        level = "warning" if what == "drift" else "info"
        line = {"time": time.time(), "level": level, "message": what, **found, "remarks": says}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        return
    if found["coarse"] and what != "progress":
        say(
            "warning: many events share their times: was the stream polled? say how often with --poll",
            style="yellow",
            stderr=True,
        )
    for remark in says if what != "progress" else ():
        say(f"warning: {remark}", style="yellow", stderr=True)
    odd = ", ".join(
        f"{found[name]} {name}" for name in ("late", "ahead", "duplicates", "spoilt", "cleared") if found[name]
    )
    text = f"{what}: {found['events']:,} events counted and {found['waiting']:,} waiting, of {found['types']} types on {found['devices']} devices, drift {found['drift']:.1f}"
    say(text + (f" ({odd})" if odd else ""), style="red" if what == "drift" else "", stderr=True)
