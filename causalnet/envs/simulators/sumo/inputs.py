"""The files that a simulation is made of, looked at before a simulator is: a missing one is a sentence, not a crash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ....base.checks import file_name
from ....errors import DataError
from .scenarios import resco, resco_scenarios
from .settings import Signals

NEEDED = {
    "net-file": "n",
    "route-files": "r",
    "additional-files": "a",
}  # what a configuration names, and SUMO's short forms


def command_line(config: Any, net: Any, routes: Any, signals: Signals) -> list[str]:
    """SUMO's options for a ``.sumocfg`` (or the name of a RESCO scenario), or for a network with one or more route files."""
    if (config is None) == (net is None):
        raise DataError("say which network: a .sumocfg, or net=... with routes=..., and not both")
    if config is not None:
        if routes is not None:
            raise DataError("routes goes with net=...; a .sumocfg names its own")
        options = ["-c", str(_configuration(config))]
    else:
        given = [routes] if isinstance(routes, str | os.PathLike) else list(routes or ())
        if not given:
            raise DataError("net has no demand beside it; write routes=... with one or more route files")
        files = [_present(file_name(one, "net.rou.xml"), "route") for one in given]
        options = ["-n", str(_present(file_name(net, "net.net.xml"), "network")), "-r", ",".join(map(str, files))]
    for name in ("begin", "end"):
        if getattr(signals, name) is not None:
            options += [f"--{name}", f"{getattr(signals, name):g}"]
    return [*options, "--time-to-teleport", f"{signals.teleport:g}", *signals.options]


def _configuration(config: Any) -> Path:
    path = file_name(config, "town.sumocfg")
    if isinstance(config, str) and not path.suffix and not path.exists():
        if "/" not in config and (config in resco_scenarios() or not resco_scenarios()):
            return resco(config)
        raise DataError(
            f"there is no file {config!r}; name a .sumocfg, or a RESCO scenario: {', '.join(resco_scenarios()) or 'none is here'}"
        )
    path = _present(path, "configuration")
    for what, name in _named_files(path):
        _present(path.parent / name, f"{what} of {path.name}", names="it names")
    return path.resolve()


def _named_files(path: Path) -> list[tuple[str, str]]:
    """(kind, file) of all that a configuration names."""
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise DataError(f"{path} is not a configuration of SUMO: {error}") from None
    kinds = {key: key for key in NEEDED} | {short: key for key, short in NEEDED.items()}
    found = [(kinds[e.tag], e.get("value", "")) for e in root.iter() if e.tag in kinds]
    if not any(kind == "net-file" for kind, _ in found):
        raise DataError(f"{path} names no network; it needs <net-file value=...>")
    return [(kind, name.strip()) for kind, names in found for name in names.split(",") if name.strip()]


def _present(path: Path, what: str, names: str = "") -> Path:
    if not path.is_file():
        raise DataError(f"the {what} is missing: {f'{names} ' if names else ''}{path}, and there is no such file")
    return path.resolve()
