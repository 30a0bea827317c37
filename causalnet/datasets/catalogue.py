"""Named data sets with their truth. Each has a card in ``datasets/``: source, licence, checksums, columns, truth.

A name may carry settings where its card allows them: ``alarm:n=2000``, ``linear-gaussian:d=50:degree=4:graph=sf``.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from ..base.asked import asks
from ..base.checks import flag, known
from ..base.text import read_value
from ..data import Data, Events, as_table, read_events
from ..data.reading import read_array
from ..data.topology import read_topology
from ..errors import DataError, NotInstalled
from ..graph import Graph
from .autoregression import lagged_series
from .categorical import categorical_table
from .dataset import Dataset
from .files import MissingFile, find_file, folder, verify
from .hawkes import fault_alarm_log, simulate_hawkes
from .interventional import interventional_table
from .mixed import mixed_table
from .sem import sem_table


def names() -> list[str]:
    """The names of all data sets that have a card."""
    return sorted(cards())


@cache
def cards() -> Mapping[str, Mapping[str, Any]]:
    """Every data card by name, as parsed TOML."""
    found = {}
    for path in sorted(folder().glob("*.toml")):
        found[path.stem] = {"name": path.stem, **tomllib.loads(path.read_text(encoding="utf-8"))}
    return found


def find_card(name: str) -> Mapping[str, Any]:
    """The card of a data set; UnknownNameError with the nearest name. Settings behind a colon are not looked at."""
    base = name.partition(":")[0]
    known(base, cards(), f"there is no data set {base!r}", " See `causalnet datasets`.")
    return cards()[base]


def load_dataset(name: str, seed: int = 0) -> Dataset:
    """Load a data set by name; ``seed`` draws the sample of a simulated one and is ignored by fixed data."""
    base, settings = _parse(name)
    card = copy.deepcopy(dict(find_card(base)))
    allowed = card.get("settings", {})
    for key, value in settings.items():
        known(key, allowed, f"data set {base!r} has no setting {key!r}", f" It has: {', '.join(allowed) or 'none'}.")
        numeric = isinstance(allowed[key], int | float) and not isinstance(allowed[key], bool)
        if numeric and not isinstance(value, int | float):
            raise DataError(f"data set {base!r}: the setting {key} takes a number, got {value!r}")
        if numeric and isinstance(allowed[key], int) and value < 1 and key != "degree":
            raise DataError(f"data set {base!r}: the setting {key} must be at least 1, got {value!r}")
    load = {"file": _shipped, "bayesian-network": _bayesian_network, "alarms": _alarm_log, "fault-alarm": _fault_alarm}
    maker = load.get(card["kind"], _simulated)
    try:
        return maker(name, card, {**allowed, **settings}, seed)
    except MemoryError as error:
        raise DataError(f"data set {name!r} does not fit into memory ({error}); give smaller settings") from error


@asks()
def draw(dataset: str | Dataset, seed: int) -> Dataset:
    """The data of one comparison cell: a fresh sample where a seed draws one, else the data or a resample of it."""
    if isinstance(dataset, str):
        dataset = load_dataset(dataset, seed)
    return dataset if dataset.sampled else dataset.resample(seed)


def _parse(name: str) -> tuple[str, dict[str, Any]]:
    if not isinstance(name, str):
        raise DataError(f"name is {name!r:.60}, and must be the name of a data set, such as 'sachs'")
    base, *parts = name.split(":")
    settings = {}
    for part in parts:
        key, equals, text = part.partition("=")
        if not equals:
            raise DataError(f"in the data set name {name!r}, {part!r} is no setting; write {base}:key=value")
        settings[key] = read_value(text)
    return base, settings


# ---- kinds of data sets -------------------------------------------------------------------------------------


def _shipped(name: str, card: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Dataset:
    """A table that travels with the package."""
    path = folder() / card["file"]
    verify(path, card["sha256"])
    frame = pd.read_csv(path)
    if "rows" in card:
        frame = frame.iloc[card["rows"][0] : card["rows"][1]]
    if flag("log", settings.get("log", card.get("log", False))):
        frame = frame.apply(np.log)
    truth = _edges(name, card["truth"], settings.get("truth"))
    frame, regimes = _with_regimes(frame.reset_index(drop=True), card, settings)
    table = as_table(frame, discrete=False, **regimes)
    return Dataset(name, table, Graph.from_edges(table.columns, truth), card=card)


def _edges(name: str, card: Mapping[str, Any], which: Any) -> list[tuple[str, str]]:
    """The true edges: those of the card, or of the column ``which`` of the file that it names."""
    if "file" not in card:
        return [(str(a), str(b)) for a, b in card["edges"]]
    told = pd.read_csv(folder() / card["file"])
    choices = [str(column) for column in told.columns[2:]]
    if str(which) not in choices:
        raise DataError(f"data set {name!r}: truth is {which!r}, and must be one of {', '.join(choices)}")
    kept = told[told[str(which)] == 1]
    return list(zip(kept["cause"], kept["effect"], strict=True))


def _with_regimes(
    frame: pd.DataFrame, card: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The frame with the column of its regimes, and what as_table is told of them; consecutive rows, as the card lists them."""
    if "regimes" not in card:
        return frame, {}
    labels = np.repeat([part["name"] for part in card["regimes"]], [part["rows"] for part in card["regimes"]])
    targets = {}
    for part in card["regimes"]:
        on = part["targets"] if "targets" in part else str(settings[part["setting"]])
        targets[part["name"]] = [] if on == "none" else [on] if isinstance(on, str) else on
    return frame.assign(**{card["regime"]: labels}), {"regime": card["regime"], "targets": targets}


def _bayesian_network(name: str, card: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Dataset:
    """n rows of forward samples from a network that ships inside pgmpy; every state keeps its code, seen or not."""
    try:
        from .bayesian_networks import sample
    except ImportError as error:
        raise NotInstalled(
            f"{name} is sampled from a network inside pgmpy: not installed: pip install pgmpy"
        ) from error
    table, truth = sample(card["network"], int(settings["n"]), seed)
    return Dataset(name, table, truth, card=card, sampled=True)


def _alarm_log(name: str, card: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Dataset:
    """A telecom alarm log of the PCIC 2021 competition, found on disk or downloaded."""
    paths = {entry["name"]: find_file(name, entry, card.get("archive")) for entry in card["files"]}
    matrix = read_array(paths["DAG.npy"])
    types = [str(i) for i in range(len(matrix))]
    topology = read_topology(paths["Topology.npy"]) if "Topology.npy" in paths else None
    events = read_events(paths["Alarm.csv"], topology, types)
    return Dataset(name, events, Graph(tuple(types), matrix > 0), card=card)


def _fault_alarm(name: str, card: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Dataset:
    """The fault-alarm network: the official sample if it is on disk, else one simulated on the same 94 edges."""
    import networkx as nx

    truth_file = folder() / card["truth_file"]
    pairs = pd.read_csv(truth_file)
    types = sorted({*pairs["cause"], *pairs["effect"]})
    truth = Graph.from_edges(types, list(zip(pairs["cause"], pairs["effect"], strict=True)))
    try:
        paths = {entry["name"]: find_file(name, entry) for entry in card["files"]}
    except MissingFile:
        events = fault_alarm_log(truth, np.random.default_rng([seed, 0xA1A2]), n_events=int(settings["n"]))
        return Dataset(name, events, truth, card={**card, "used": "simulated"}, sampled=True)
    if settings["n"] != card["settings"]["n"]:
        raise DataError(f"{name}: the official sample on disk has {card['settings']['n']} events; leave out n=")
    log = pd.read_csv(paths["events_seed40.csv"])
    topology = nx.from_numpy_array(read_array(paths["model.npz"], "topology"))
    frame = pd.DataFrame(
        {"event": [types[i] for i in log["alarm_type"]], "timestamp": log["timestamp"], "device": log["device"]}
    )
    return Dataset(name, Events(frame, topology, types), truth, card={**card, "used": "official sample"})


def _simulated(name: str, card: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Dataset:
    """A structural equation model, a Bayesian network, or a Hawkes process on a topology, drawn by the seed."""
    rng = np.random.default_rng([seed, 0x5EED])
    simulators: Mapping[str, Callable[..., tuple[Data, Graph]]] = {
        "sem": sem_table,
        "categorical": categorical_table,
        "mixed": mixed_table,
        "hawkes": simulate_hawkes,
        "interventional": interventional_table,
        "series": lagged_series,
    }
    if card["kind"] not in simulators:
        raise DataError(f"the card of {name!r} has the unknown kind {card['kind']!r}")
    data, truth = simulators[card["kind"]](rng=rng, **{**card.get("fixed", {}), **settings})
    return Dataset(name, data, truth, card=card, sampled=True)
