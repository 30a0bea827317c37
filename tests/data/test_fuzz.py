"""Whatever people bring in is read, or refused in a sentence: thousands of hostile inputs for every reader, by a seed.

``CAUSALNET_FUZZ=50000`` tries so many (5,000 a minute or so); by default some three thousand.
"""

from __future__ import annotations

import os
import re
import resource
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import hostile
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.base.npz import read_npy
from causalnet.cli.inputs import read_knowledge, read_targets
from causalnet.data.topology import read_topology
from causalnet.graph import from_causal_learn, from_pcalg
from causalnet.incidents import EventModel
from causalnet.representation.action_map import read_action_map
from causalnet.storage import checkpoint
from causalnet.storage.rows import read_rows

TOTAL = int(os.environ.get("CAUSALNET_FUZZ", "3200"))
SECONDS, MIB = 30.0, 1024.0  # that one input may take
READERS: dict[str, Callable[[Path], Any]] = {
    "look": cn.look,
    "table": cn.read_table,
    "log": partial(cn.read_events, skip_bad_rows=3),
    "lines": cn.look,
    "packed": cn.look,
    "parquet": cn.look,
    "links": read_topology,
    "links of arrays": read_topology,
    "links of nodes": partial(read_topology, devices=("d1", "d2")),
    "links of GraphML": read_topology,
    "graph": cn.Graph.load,
    "graph of GraphML": cn.Graph.load,
    "graph of cells": cn.Graph.load,
    "knowledge": read_knowledge,
    "targets": read_targets,
    "actions": read_action_map,
    "actions of cells": read_action_map,
    "model": EventModel.load,
    "weights": checkpoint.read,
    "rows": partial(read_rows, texts=("cell", "name")),
}
SHARES = {"look": 3, "table": 2, "log": 3}  # the others 1
FRAMES: dict[str, Callable[[Any], Any]] = {
    "look": cn.look,
    "table": cn.as_table,
    "log": cn.Events,
    "series": cn.Series,
    "table by names": partial(cn.as_table, discrete=["c0"], continuous=["c1"], missing=["?", -99]),
}
OBJECTS: dict[str, Callable[[Any], Any]] = {
    "table": cn.as_table,
    "look": cn.look,
    "log": cn.Events,
    "graph": lambda x: cn.Graph(("a", "b"), x),
    "nodes": lambda x: cn.Graph(x, np.zeros((2, 2))),
    "marks": lambda x: cn.Graph.from_marks(("a", "b"), x),
    "edges": lambda x: cn.Graph.from_edges(("a", "b"), x),
    "networkx": cn.Graph.from_networkx,
    "causal-learn": lambda x: from_causal_learn(x, ("a", "b")),
    "pcalg": lambda x: from_pcalg(x, ("a", "b"), code="pag"),
    "required": lambda x: cn.Knowledge(required=x),
    "tiers": lambda x: cn.Knowledge(tiers=x),
    "roots": lambda x: cn.Knowledge(roots=x),
    "score": lambda x: cn.score(x, cn.Graph.from_edges("ab", [])),
    "knowledge": lambda x: cn.discover(pd.DataFrame(np.eye(6)[:, :2] + 1.5), "empty", knowledge=x),
    "backend": lambda x: cn.discover(pd.DataFrame(np.eye(6)[:, :2]), x),
    "discrete": lambda x: cn.as_table(pd.DataFrame({"a": [1.5, 2, 3], "b": [1.5, 0, 1]}), discrete=x),
    "missing": lambda x: cn.as_table(pd.DataFrame({"a": [1.5, 2, 3], "b": [1.5, 0, 1]}), missing=x),
    "names": lambda x: cn.as_table(np.array([[1.5, 2], [0, 1], [3, 3.5]]), x),
    "regime": lambda x: cn.as_table(
        pd.DataFrame({"a": [1.5, 2, 3], "b": [1.5, 0, 1], "r": [0, 0, 1]}), regime="r", targets=x
    ),
    "data set": cn.load_dataset,
    "file": cn.read_table,
}


def answers(read: Callable[[Any], Any], given: Any, where: str) -> bool:
    """True where the input was read, False where it was refused in a sentence; anything else fails, naming the input."""
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            repr(read(given))
        return True
    except cn.CausalnetError as error:
        told = str(error)
        assert told and "Traceback" not in told and not re.match(r"[A-Z]\w+Error\b", told), (where, told)
        return False
    except Exception as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    finally:
        assert time.process_time() - began < SECONDS, where


def counted(cases: Iterator[bool]) -> tuple[int, int]:
    found = list(cases)
    return len(found), sum(found)


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.timeout(0 if TOTAL > 5000 else 300)
def test_every_reader_answers_hostile_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = sum(SHARES.get(reader, 1) for reader in READERS) + 8
    each, before, told = TOTAL // parts, peak_mib(), {}
    for reader, read in READERS.items():
        count = each * SHARES.get(reader, 1)
        cases = enumerate(hostile.files(reader, tmp_path, 11, count))
        told[reader] = counted(answers(read, path, f"{reader}, input {k}") for k, path in cases)
    for k, (name, read) in enumerate(FRAMES.items()):
        seeds = range(k * each, k * each + each)
        told[f"frame as {name}"] = counted(answers(read, hostile.frame(s), f"frame {s} as {name}") for s in seeds)
    share = 3 * each // len(OBJECTS) + 1
    for k, (name, read) in enumerate(OBJECTS.items()):
        seeds = range(k * share, k * share + share)
        told[f"object as {name}"] = counted(answers(read, hostile.anything(s), f"object {s} as {name}") for s in seeds)
    total, good = (sum(pair[k] for pair in told.values()) for k in (0, 1))
    with capsys.disabled():
        print(f"\n{total} hostile inputs over {len(told)} readers: {good} read, {total - good} refused in a sentence")
    assert total >= min(TOTAL, 3000) and all(pair[1] < pair[0] for name, pair in told.items() if name in READERS)
    assert peak_mib() - before < MIB


# ---- nothing silently wrong: numbers and times whose right reading is known -----------------------------------------------

STYLES: dict[str, Callable[[float], str]] = {
    "plain": lambda v: f"{v:.3f}",
    "comma": lambda v: f"{v:.3f}".replace(".", ","),
    "thousands": lambda v: f"{v:,.2f}",
    "european": lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")),
    "spaces": lambda v: f"{v:,.2f}".replace(",", " "),
    "apostrophes": lambda v: f"{v:,.2f}".replace(",", "'"),
    "percent": lambda v: f"{v:.2f}%",
    "currency": lambda v: f"${v:,.2f}".replace("$-", "-$"),
    "unit": lambda v: f"{v:.2f} kg",
    "fortran": lambda v: f"{v:.6E}".replace("E", "D"),
    "arabic": lambda v: f"{v:.2f}".translate({48 + k: 0x660 + k for k in range(10)}),
    "minus": lambda v: f"{v:.2f}".replace("-", "−"),
    "whole": lambda v: f"{v:,.0f}",
}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_numbers_in_every_style_are_read_right_or_refused(separator: str, tmp_path: Path) -> None:
    rng, right, refused = np.random.default_rng(8), 0, 0
    for k in range(60):
        styles = rng.choice(list(STYLES), 2, replace=False)
        scale = 10.0 ** rng.integers(0, 7)
        truth = pd.DataFrame(rng.normal(size=(25, 2)) * scale, columns=["a", "b"]).round(2)
        cells = {c: truth[c].map(STYLES[s]) for c, s in zip(truth, styles, strict=True)}
        pd.DataFrame(cells).to_csv(tmp_path / "n.csv", index=False, sep=separator)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                table = cn.read_table(tmp_path / "n.csv")
            except cn.DataError:
                refused += 1
                continue
        for at, name in enumerate(table.columns):
            if table.discrete[at]:  # few whole numbers, told as categories
                assert len(table.levels[at] or ()) <= 10, (k, styles)
                continue
            doubtful = all(
                re.fullmatch(r"-?[1-9]\d{0,2},\d{3}", text) for text in cells[name]
            )  # 20,040: nobody can tell
            if doubtful and caught and f"'{name}' is read as numbers: commas" in str(caught[0].message):
                continue
            atol = 0.51 if styles[list(truth).index(name)] == "whole" else 1e-5 * scale
            np.testing.assert_allclose(table.values[:, at], truth[name], rtol=1e-5, atol=atol, err_msg=f"{k} {styles}")
        right += 1
    assert right >= 45 and right + refused == 60


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", "iso", "day first", "span", "arrow"])
def test_times_in_every_form_are_the_same_log(unit: str) -> None:
    rng = np.random.default_rng(9)
    steps = np.cumsum(rng.integers(1, 900, 40))
    base = 0 if unit == "span" else 1_700_000_000
    stamps = pd.Series(pd.to_datetime(base + steps, unit="s"))
    column: Any = {
        "iso": lambda: stamps.astype(str),
        "day first": lambda: stamps.dt.strftime("%d.%m.%Y %H:%M:%S"),
        "span": lambda: pd.to_timedelta(steps, unit="s"),
        "arrow": lambda: stamps.astype("timestamp[s][pyarrow]"),
    }.get(unit, lambda: (base + steps) * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit])()
    frame = pd.DataFrame({"event": ["a", "b"] * 20, "timestamp": column, "device": "d"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log = cn.Events(frame)
    np.testing.assert_allclose(log.time, base + steps, atol=1e-6)


def test_a_head_that_lies_and_a_bomb_take_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip
    import zipfile

    monkeypatch.setattr("causalnet.base.npz.MOST", 1 << 25)
    monkeypatch.setattr("causalnet.data.reading.SWOLLEN", 1 << 25)
    before = peak_mib()
    raw = np.lib.format.header_data_from_array_1_0(np.zeros(3))
    with (tmp_path / "l.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {**raw, "shape": (10**12,)})
    with pytest.raises(ValueError, match="head says"):
        read_npy(tmp_path / "l.npy")
    with (
        zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as bomb,
        bomb.open("x.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(6):
            member.write(bytes(1 << 24))
    with pytest.raises(cn.DataError, match="as no file of measured"):
        checkpoint.read(tmp_path / "b.npz")
    with gzip.open(tmp_path / "b.csv.gz", "wb", 1) as file:
        for _ in range(4):
            file.write(b"1.5,2.5,3.5\n" * (1 << 20) + b"\n")
    with pytest.raises(cn.DataError, match="unpacks to more than"):
        cn.look(tmp_path / "b.csv.gz")
    assert peak_mib() - before < 100
