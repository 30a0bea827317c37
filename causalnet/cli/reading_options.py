"""The options by which files are read: defined once, and given to a command as one ``how``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from ..base import log_lines

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Options:
    """How a file is to be read, as the options say; None where one was not given."""

    topology: Annotated[
        Path | None, typer.Option(help="Links between the devices of a log: a list (.csv), .npy, .graphml or .json.")
    ] = None
    discrete: Annotated[str | None, typer.Option(help="Names of the categorical columns, comma-separated.")] = None
    continuous: Annotated[
        str | None,
        typer.Option(
            help="Columns of numbers, comma-separated; else whole numbers with at most 10 levels are categories."
        ),
    ] = None
    missing: Annotated[str | None, typer.Option(help="Values that mean a missing cell, comma-separated.")] = None
    drop: Annotated[str | None, typer.Option(help="Names of columns to leave out, comma-separated.")] = None
    event_column: Annotated[str | None, typer.Option(help="The column of a log that names the event.")] = None
    time_column: Annotated[str | None, typer.Option(help="The column of a log that holds the time.")] = None
    device_column: Annotated[str | None, typer.Option(help="The column of a log that names the device.")] = None
    unit: Annotated[str | None, typer.Option(help="Of times that are numbers: s, ms, us or ns.")] = None
    duration_unit: Annotated[
        str | None, typer.Option(help="Of durations that are numbers, where not seconds: ms, us or ns.")
    ] = None
    skip_bad_rows: Annotated[
        int | None, typer.Option(help="So many rows of a log that cannot be read are left out.")
    ] = None
    regime: Annotated[str | None, typer.Option(help="The column that tells which experiment a row comes from.")] = None
    targets: Annotated[
        Path | None, typer.Option(help='JSON: {"regime": ["variable acted on there"]}; null: not known.')
    ] = None
    time: Annotated[
        str | None, typer.Option(help="The column of times, which makes the rows a series (pcmci, granger).")
    ] = None
    segment: Annotated[
        str | None, typer.Option(help="The column that names the run or subject of a row of a series.")
    ] = None

    @property
    def roles(self) -> dict[str, str]:
        """The columns of a log that are named."""
        given = {"event": self.event_column, "timestamp": self.time_column, "device": self.device_column}
        return {role: name for role, name in given.items() if name is not None}

    def given(self, *names: str) -> list[str]:
        """Those of the options that were given, as they are written."""
        return [f"--{name.replace('_', '-')}" for name in names if getattr(self, name) is not None]

    def written(self) -> dict[str, Any]:
        """All that were given, for the line that repeats the command."""
        return {f"--{name.replace('_', '-')}": value for name, value in vars(self).items() if value is not None}


AS_IT_IS = Options()  # no option was given
EVERY = tuple(one.name for one in fields(Options))
OF_TABLES = ("discrete", "continuous", "missing", "drop", "regime", "targets")
OF_SERIES = ("time", "segment")
NOT_OF_SERIES = ("discrete", "continuous", "regime", "targets")
OF_LOGS = ("topology", "event_column", "time_column", "device_column", "unit", "duration_unit", "skip_bad_rows")


def reading(*names: str) -> Callable[[Command], Command]:
    """A command whose parameter ``how`` stands for these options of :class:`Options`, in the place where it stands."""

    def with_options(command: Command) -> Command:
        own = inspect.signature(command, eval_str=True)
        kinds = get_type_hints(Options, include_extras=True)
        options = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kinds[name])
            for name in names
        ]

        @wraps(command)
        def called(**given: Any) -> Any:
            return command(
                **{k: v for k, v in given.items() if k not in names}, how=Options(**{k: given[k] for k in names})
            )

        laid = []
        for parameter in own.parameters.values():
            laid += options if parameter.name == "how" else [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
        called.__signature__ = own.replace(parameters=laid)  # type: ignore[attr-defined]
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in laid}
        return called  # type: ignore[return-value]

    return with_options


LogJson = Annotated[bool, typer.Option("--log-json", help="What is told on stderr, as JSON, one object a line.")]


def with_log_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with an option by which it tells on stderr in JSON; one that has such an option is left as it is."""
    own = inspect.signature(command, eval_str=True)
    if "log_json" in own.parameters:
        return command

    @wraps(command)
    def called(log_json: bool, **given: Any) -> Any:
        log_lines.ask(log_json)
        return command(**given)

    option = inspect.Parameter("log_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=LogJson)
    laid = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own.parameters.values()]
    called.__signature__ = own.replace(parameters=[*laid, option])  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in [*laid, option]}
    return called
