"""Named data sets with their truth. Each has a card in ``datasets/``: source, licence, checksums, columns, truth.

A name may carry settings where its card allows them: ``alarm:n=2000``, ``linear-gaussian:d=50:degree=4:graph=sf``.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from ..base.checks import known
from ..base.text import read_value
from ..data import Data, Events, as_table, read_events
from ..data.reading import read_array
from ..data.topology import read_topology
from ..errors import DataError, NotInstalled
from ..graph import Graph
from .dataset import Dataset
from .files import MissingFile, find_file, folder, verify


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
        if isinstance(allowed[key], int | float) and not isinstance(value, int | float):
            raise DataError(f"data set {base!r}: the setting {key} takes a number, got {value!r}")
        if isinstance(allowed[key], int) and not isinstance(allowed[key], bool) and value < 1 and key != "degree":
            raise DataError(f"data set {base!r}: the setting {key} must be at least 1, got {value!r}")
    load = {"file": _shipped, "bayesian-network": _bayesian_network, "alarms": _alarm_log, "fault-alarm": _fault_alarm}
    maker = load.get(card["kind"], _simulated)
    return maker(name, card, {**allowed, **settings}, seed)


def draw(dataset: str | Dataset, seed: int) -> Dataset:
    """The data of one comparison cell: a fresh sample where a seed draws one, else the data or a resample of it."""
    if isinstance(dataset, str):
        dataset = load_dataset(dataset, seed)
    return dataset if dataset.sampled else dataset.resample(seed)


def _parse(name: str) -> tuple[str, dict[str, Any]]:
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
    if settings.get("log", card.get("log", False)):
        frame = frame.apply(np.log)
    edges = [tuple(edge) for edge in card["truth"]["edges"]]
    table = as_table(frame.reset_index(drop=True), discrete=False)
    return Dataset(name, table, Graph.from_edges(table.columns, edges), card=card)


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
        from .hawkes import fault_alarm_log

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
    """A structural equation model, or a Hawkes process on a topology, drawn by the seed."""
    rng = np.random.default_rng([seed, 0x5EED])
    data: Data
    if card["kind"] == "sem":
        from .sem import sem_table

        data, truth = sem_table(rng, **{**card.get("fixed", {}), **settings})
    elif card["kind"] == "hawkes":
        from .hawkes import simulate_hawkes

        data, truth = simulate_hawkes(rng=rng, **settings)
    else:
        raise DataError(f"the card of {name!r} has the unknown kind {card['kind']!r}")
    return Dataset(name, data, truth, card=card, sampled=True)
