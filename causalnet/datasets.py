"""Named data sets with their truth. Each has a card in ``datasets/``: source, licence, checksums, columns, truth.

A name may carry settings where its card allows them: ``alarm:n=2000``, ``linear-gaussian:d=50:degree=4:graph=sf``.
"""

from __future__ import annotations

import copy
import hashlib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .base.text import read_value
from .data import Events, Table, as_table
from .data.events import read_topology
from .errors import DataError, NotInstalled, UnknownNameError, nearest
from .graph import Graph, Knowledge

VARIABLE = "CAUSALNET_DATA"


class MissingFile(DataError):
    """A data file that is neither on this machine nor to be downloaded; the message says where to put it."""


@dataclass(frozen=True)
class Dataset:
    """Data with what is known about it.

    data: a Table or Events. truth: the causal graph if known. knowledge: constraints that any method may use.
    card: source, licence and remarks. sampled: a seed draws the sample (otherwise the data is fixed).
    """

    name: str
    data: Table | Events
    truth: Graph | None = None
    knowledge: Knowledge | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    sampled: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.data, Table | Events):
            object.__setattr__(self, "data", as_table(self.data))
        if self.truth is not None and sorted(self.truth.nodes) != sorted(self.data.columns):
            odd = sorted(set(self.truth.nodes) ^ set(self.data.columns))
            raise DataError(f"data set {self.name!r}: the truth and the data differ in the variables {', '.join(odd)}")
        if self.truth is not None:
            object.__setattr__(self, "truth", self.truth.align(self.data.columns))

    def resample(self, seed: int) -> Dataset:
        """Seed 0 is the data itself; any other seed is a bootstrap resample.

        Rows are resampled for a table; whole devices for a log without topology (they are independent copies of
        the process); 20 consecutive time blocks for a log with one (devices depend on each other).
        """
        if seed == 0:
            return self
        rng = np.random.default_rng([seed, 0xB007])
        data: Table | Events
        if isinstance(self.data, Table):
            data = self.data.take(rng.integers(0, self.data.n, self.data.n))
        elif self.data.topology is None and len(self.data.devices) > 1:
            m = len(self.data.devices)
            data = self.data.take_devices(rng.integers(0, m, m))
        else:
            data = self.data.take_blocks(rng.integers(0, 20, 20), 20)
        return replace(self, data=data)

    def __repr__(self) -> str:
        truth = "truth unknown" if self.truth is None else f"truth: {len(self.truth.edges)} edges"
        return f"Dataset({self.name!r}, {self.data!r}, {truth})"


def names() -> list[str]:
    """The names of all data sets that have a card."""
    return sorted(cards())


@cache
def cards() -> Mapping[str, Mapping[str, Any]]:
    """Every data card by name, as parsed TOML."""
    found = {}
    for path in sorted(_folder().glob("*.toml")):
        found[path.stem] = {"name": path.stem, **tomllib.loads(path.read_text(encoding="utf-8"))}
    return found


def load_dataset(name: str, seed: int = 0) -> Dataset:
    """Load a data set by name; ``seed`` draws the sample of a simulated one and is ignored by fixed data."""
    base, settings = _parse(name)
    known = cards()
    if base not in known:
        raise UnknownNameError(f"there is no data set {base!r}.{nearest(base, known) or ' See `causalnet datasets`.'}")
    card = copy.deepcopy(dict(known[base]))
    allowed = card.get("settings", {})
    for key, value in settings.items():
        if key not in allowed:
            hint = nearest(key, allowed) or f" It has: {', '.join(allowed) or 'none'}."
            raise UnknownNameError(f"data set {base!r} has no setting {key!r}.{hint}")
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
    path = _folder() / card["file"]
    _verify(path, card["sha256"])
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
        from ._bayesian_networks import sample
    except ImportError as error:
        raise NotInstalled(
            f"{name} is sampled from a network inside pgmpy: not installed: pip install pgmpy"
        ) from error
    table, truth = sample(card["network"], int(settings["n"]), seed)
    return Dataset(name, table, truth, card=card, sampled=True)


def _alarm_log(name: str, card: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Dataset:
    """A telecom alarm log of the PCIC 2021 competition, found on disk or downloaded."""
    from .data import read_events

    paths = {entry["name"]: find_file(name, entry, card.get("archive")) for entry in card["files"]}
    matrix = _plain_array(paths["DAG.npy"])
    types = [str(i) for i in range(len(matrix))]
    topology = read_topology(paths["Topology.npy"]) if "Topology.npy" in paths else None
    events = read_events(paths["Alarm.csv"], topology, types)
    return Dataset(name, events, Graph(tuple(types), matrix > 0), card=card)


def _fault_alarm(name: str, card: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Dataset:
    """The fault-alarm network: the official sample if it is on disk, else one simulated on the same 94 edges."""
    import networkx as nx

    truth_file = _folder() / card["truth_file"]
    pairs = pd.read_csv(truth_file)
    types = sorted({*pairs["cause"], *pairs["effect"]})
    truth = Graph.from_edges(types, list(zip(pairs["cause"], pairs["effect"], strict=True)))
    try:
        paths = {entry["name"]: find_file(name, entry) for entry in card["files"]}
    except MissingFile:
        from .simulate_events import fault_alarm_log

        events = fault_alarm_log(truth, np.random.default_rng([seed, 0xA1A2]), n_events=int(settings["n"]))
        return Dataset(name, events, truth, card={**card, "used": "simulated"}, sampled=True)
    if settings["n"] != card["settings"]["n"]:
        raise DataError(f"{name}: the official sample on disk has {card['settings']['n']} events; leave out n=")
    log = pd.read_csv(paths["events_seed40.csv"])
    topology = nx.from_numpy_array(_plain_array(paths["model.npz"], "topology"))
    frame = pd.DataFrame(
        {"event": [types[i] for i in log["alarm_type"]], "timestamp": log["timestamp"], "device": log["device"]}
    )
    return Dataset(name, Events(frame, topology, types), truth, card={**card, "used": "official sample"})


def _simulated(name: str, card: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Dataset:
    """A structural equation model, or a Hawkes process on a topology, drawn by the seed."""
    rng = np.random.default_rng([seed, 0x5EED])
    data: Table | Events
    if card["kind"] == "sem":
        from .simulate import sem_table

        data, truth = sem_table(rng, **{**card.get("fixed", {}), **settings})
    elif card["kind"] == "hawkes":
        from .simulate_events import simulate_hawkes

        data, truth = simulate_hawkes(rng=rng, **settings)
    else:
        raise DataError(f"the card of {name!r} has the unknown kind {card['kind']!r}")
    return Dataset(name, data, truth, card=card, sampled=True)


# ---- files ----------------------------------------------------------------------------------------------------


def find_file(name: str, entry: Mapping[str, Any], archive: Mapping[str, str] | None = None) -> Path:
    """A data file, by its card entry: in $CAUSALNET_DATA, then in the user's cache, then downloaded and verified."""
    wanted = Path(entry["path"])
    folders = list(_search_path())
    for folder in folders:
        path = folder / wanted
        if path.is_file():
            _verify(path, entry.get("sha256"))
            return path
    target, failure = folders[-1] / wanted, ""
    if archive or (entry.get("url") and entry.get("sha256")):
        try:
            _download(entry, archive, target)
            return target
        except (OSError, ValueError) as error:
            failure = f" (the download failed: {type(error).__name__})"
    size = f"{entry['bytes']:,} bytes" if "bytes" in entry else "size not recorded"
    digest = f"sha256 {entry['sha256']}" if entry.get("sha256") else "checksum not recorded"
    if archive:
        digest += f", in the archive {archive['url'].rpartition('/')[2]} with md5 {archive['md5']}"
    raise MissingFile(
        f"{name} needs the file {wanted} ({size}, {digest}), which is not on this machine{failure}. "
        f"Get it from {entry.get('url') or entry['source']} and put it at {target}, "
        f"or set {VARIABLE} to the folder that holds {wanted.parts[0]}/"
    )


def _download(entry: Mapping[str, Any], archive: Mapping[str, str] | None, target: Path) -> None:
    """Fetch ``target`` with its checksum, alone or out of an archive whose top folder is the target's own."""
    import logging

    import pooch

    get, log = pooch.HTTPDownloader(timeout=20), pooch.get_logger()
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        if archive is None:
            pooch.retrieve(entry["url"], entry["sha256"], fname=target.name, path=target.parent, downloader=get)
            return
        base = target.parent.parent
        unpack = pooch.Untar(extract_dir=str(base))
        pooch.retrieve(archive["url"], f"md5:{archive['md5']}", path=base, downloader=get, processor=unpack)
    finally:
        log.setLevel(level)
    if not target.is_file():
        raise OSError(f"the archive does not hold {target.name}")


def _search_path() -> Iterator[Path]:
    if os.environ.get(VARIABLE):
        yield Path(os.environ[VARIABLE]).expanduser()
    from platformdirs import user_cache_path

    yield user_cache_path("causalnet") / "data"


def _verify(path: Path, sha256: str | None) -> None:
    if sha256 is None:
        return
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != sha256:
        raise DataError(
            f"{path} is not the file this data set was built on: sha256 {digest[:12]}..., expected {sha256[:12]}...; "
            "it may be truncated: fetch it again"
        )


def _plain_array(path: Path, key: str | None = None) -> np.ndarray:
    try:
        loaded = np.load(path, allow_pickle=False)
        return np.asarray(loaded if key is None else loaded[key])
    except (ValueError, OSError, EOFError, KeyError) as error:
        raise DataError(f"{path.name} cannot be read as a plain numpy array: {error}") from error


def _folder() -> Path:
    """``datasets/`` of a checkout, or its copy inside an installed package."""
    packaged = Path(__file__).parent / "_datasets"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "datasets"
