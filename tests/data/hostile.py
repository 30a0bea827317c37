"""Hostile input for every reader, by a seed: files of tables, logs, links, graphs, maps, weights and rows, and odd objects."""

from __future__ import annotations

import copy
import datetime
import decimal
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Rng = np.random.Generator
CELLS = [
    "1", "2.5", "-3", "1,5", "1.234,5", "1,234,567.8", "NA", "?", "*", ".", "-99", "-999", "abc", "é", "", " ", "12%", "$5", "3 kg",
    "4 g", "2020-01-01", "31.12.2020", "01/02/2003 10:00", "10:30", "1e5", "1D3", "inf", "-inf", "nan", "١٢", "１２", "True",
    "None", "[1]", "{", '"', "'", '""', "\x07", "\x1b[31m", "0x1F", "(5)", "9" * 400, "1e999", "a;b", "a,b", "a\tb", "=cmd|' /C calc'!A0",
    "\u202e", "\ufeff", "1_000", "1 000", "−5", "½", "1.7e12", "1700000000000", "1700000000000000000", "raised", "CLEARED", "01", "1.0",
    "\\", "|", "#", "%", "//", "0", "-0", "P1D", "1/3", "NaT", "a" * 3000,
]  # fmt: skip
NAMES = ["event", "timestamp", "device", "x", "y", "id", "", "Unnamed: 0", "x", "source", "target", "state", "date", "time", "end_time",
         "duration", "size (mm)", "größe", "=a", "a b", "\x1b", "severity", "AlarmName"]  # fmt: skip
SCALARS = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**70,
    1.5,
    1e308,
    "",
    "a",
    "->",
    "o->",
    "\ud800",
    [],
    {},
    [[]],
    {"a": 1},
    ["a"],
    [None],
    "9" * 50,
]


def text_of_table(rng: Rng) -> bytes:
    """A file of cells, most of them numbers, some of them anything; its bytes spoilt now and then."""
    width = int(rng.integers(1, 7))
    names = [str(rng.choice(NAMES)) for _ in range(width)]
    if rng.random() < 0.5:
        names[:3] = ["event", "timestamp", "device"][: len(names)]
    mark = str(rng.choice([",", ";", "\t", " ", "|"]))
    pools = [[str(c) for c in rng.choice(CELLS, 3)] + [_number(rng) for _ in range(9)] for _ in names]
    rows = [mark.join(str(rng.choice(pool)) for pool in pools) for _ in range(int(rng.integers(0, 25)))]
    lines = [mark.join(names), *rows]
    if rng.random() < 0.15:
        lines.insert(
            int(rng.integers(0, len(lines) + 1)),
            str(rng.choice(["# note", "", mark * 3, "a", '"', mark.join(CELLS[:9])])),
        )
    text = str(rng.choice(["\n", "\r\n", "\r"])).join(lines)
    code = str(rng.choice(["utf-8", "utf-8", "utf-8", "utf-16", "cp1252", "utf-8-sig", "utf-32"]))
    return spoilt(text.encode(code, errors="replace"), rng, 0.2)


def _number(rng: Rng) -> str:
    value = float(rng.normal() * 10.0 ** rng.integers(-3, 7))
    return str(
        rng.choice(
            [f"{value:.3f}", f"{value:.0f}", f"{value:,.2f}", f"{value:.3f}".replace(".", ","), f"{value:.1e}", "7"]
        )
    )


def spoilt(raw: bytes, rng: Rng, often: float) -> bytes:
    """Bytes as they are, or cut short, with a stretch written over, doubled, or with zeros between."""
    if rng.random() >= often or not raw:
        return raw
    at = int(rng.integers(0, len(raw)))
    kind = int(rng.integers(0, 5))
    if kind == 0:
        return raw[:at]
    if kind == 1:
        return raw[:at] + rng.bytes(int(rng.integers(1, 9))) + raw[at + 4 :]
    if kind == 2:
        return raw[:at] + b"\x00" + raw[at:]
    return raw[at:] + raw if kind == 3 else rng.bytes(int(rng.integers(0, 200)))


def bent(value: Any, rng: Rng, often: float = 0.15) -> Any:
    """A JSON value with parts of it left out, doubled, renamed, or replaced by something else."""
    if rng.random() < often:
        return copy.deepcopy(SCALARS[int(rng.integers(len(SCALARS)))])
    if isinstance(value, dict):
        kept = {k: bent(v, rng, often) for k, v in value.items() if rng.random() > often / 3}
        return {**kept, **({"zzz": 1} if rng.random() < often / 3 else {})}
    if isinstance(value, list):
        found = [bent(v, rng, often) for v in value]
        return found + found[:1] if rng.random() < often else found
    return value


def json_of(value: Any, rng: Rng) -> bytes:
    """Text of a bent value, or of nothing that is JSON."""
    if rng.random() < 0.03:
        return b"[" * 100_000 if rng.random() < 0.5 else b'{"a":' * 5000 + b"1" + b"}" * 5000
    return spoilt(json.dumps(bent(value, rng, float(rng.choice([0.02, 0.1, 0.3])))).encode(), rng, 0.15)


# ---- files, by the reader that is to answer -------------------------------------------------------------------------

GRAPH = {
    "format": "causalnet.graph/1", "nodes": ["a", "b", "c"], "weighted": True, "pag": False,
    "edges": [{"from": "a", "to": "b", "mark": "->", "weight": 1.5}, {"from": "b", "to": "c", "mark": "--", "weight": 1, "weight_back": 2}],
    "evidence": [{"pair": ["a", "b"], "p_value": 0.5}], "meta": {"backend": "pc"},
}  # fmt: skip
LAGGED = {
    "format": "causalnet.lagged_graph/1",
    "nodes": ["a", "b"],
    "links": [{"from": "a", "to": "b", "lag": 1, "mark": "->"}],
    "lags": 1,
}
LINKS = {"nodes": [{"id": "d1"}, {"id": "d2", "name": "x"}], "links": [{"source": "d1", "target": "d2"}]}
ACTIONS = {"actions": ["power", "link", None], "observation": ["power", "link"], "entries": [0, 1, None]}
KNOWN = {
    "required": [["a", "b"]],
    "forbidden": [["b", "c"]],
    "tiers": [["a"], ["b", "c"]],
    "roots": ["a"],
    "leaves": ["c"],
}
MODEL = {
    "format": "causalnet.event-model/1", "types": ["a", "b"], "devices": ["d", "e"], "hops": [0, 1], "edges": [["a", "b"]],
    "alpha": [[0.5, 0.1]], "delay": [2.0], "background": [0.1, 0.2], "share": [1.0, 1.0], "links": [["d", "e"]],
}  # fmt: skip
GRAPHML = (
    "<?xml version='1.0'?><graphml xmlns='http://graphml.graphdrawing.org/xmlns'><key id='d0' for='edge' attr.name='weight' "
    "attr.type='double'/><graph edgedefault='directed'><node id='d1'/><node id='d2'/><edge source='d1' target='d2'><data key='d0'>1.5"
    "</data></edge></graph></graphml>"
)


def sheet_of_graph(rng: Rng) -> bytes:
    """A labelled matrix, or a list of edges."""
    if rng.random() < 0.3:
        rows = [["from", "to"], *([str(rng.choice(["a", "b", "=c", ""])) for _ in range(2)] for _ in range(4))]
    else:
        names = [str(n) for n in rng.choice(["a", "b", "c", "=x", "d e", "a"], 3)]
        cells = ["0", "1", "1.5", "-1", "", "o->", "<->", "'->", "'--", "x"]
        rows = [["", *names], *([name, *map(str, rng.choice(cells, 3))] for name in names)]
    return spoilt("\n".join(",".join(row) for row in rows).encode(), rng, 0.2)


def array_file(rng: Rng) -> bytes:
    """A .npy file: a matrix of 0 and 1, or of something else, or one whose head lies."""
    out = io.BytesIO()
    shape = tuple(int(k) for k in rng.integers(0, 5, int(rng.integers(0, 4))))
    kind = str(rng.choice(["f8", "i8", "?", "U3", "c16", "O", "M8[s]"]))
    if kind == "O":
        np.save(out, np.array([{}, None], dtype=object), allow_pickle=True)
    else:
        np.save(out, rng.integers(0, 2, shape).astype(kind))
    raw = out.getvalue()
    if rng.random() < 0.3:
        raw = raw.replace(b"'shape': (", b"'shape': (99999999999, ", 1)
    return spoilt(raw, rng, 0.3)


def weights_file(rng: Rng) -> bytes:
    """A checkpoint: its header bent, an array missing, swollen or spoilt."""
    header = {"format": str(rng.choice(["causalnet-agent", "other"])), "version": 1, "class": "PPO"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in {"header": None, "w": np.zeros(3), "b": array_file(rng)}.items():
            told = np.frombuffer(json_of(header, rng), np.uint8) if raw is None else raw
            if isinstance(told, np.ndarray):
                part = io.BytesIO()
                np.save(part, told)
                told = part.getvalue()
            if rng.random() > 0.1:
                file.writestr(f"{name}.npy", told)
    return spoilt(out.getvalue(), rng, 0.4)


def rows_file(rng: Rng) -> bytes:
    """A CSV file of rows as a run keeps them."""
    lines = ["cell,seed,name,value"] + [
        f"c{k},{rng.choice(CELLS)},{rng.choice(CELLS)},{rng.normal()}" for k in range(4)
    ]
    return spoilt("\n".join(lines).encode(errors="replace") + b"\n", rng, 0.4)


def parquet_file(rng: Rng) -> bytes:
    """A Parquet file with bytes written over."""
    out = io.BytesIO()
    pd.DataFrame({"a": rng.normal(size=9), "b": list("xyzxyzxyz")}).to_parquet(out)
    return spoilt(out.getvalue(), rng, 0.9)


def lines_file(rng: Rng) -> bytes:
    """JSON lines."""
    rows = [{"event": "A", "timestamp": k, "device": "01", "x": float(rng.normal())} for k in range(5)]
    return b"\n".join(json_of(row, rng) for row in rows)


FILES: dict[str, tuple[tuple[str, ...], Callable[[Rng], bytes]]] = {  # reader: endings, bytes
    "look": ((".csv", ".tsv", ".txt", ".dat"), text_of_table),
    "table": ((".csv", ".dat"), text_of_table),
    "log": ((".csv", ".tsv"), text_of_table),
    "lines": ((".jsonl",), lines_file),
    "packed": ((".csv.gz",), lambda rng: spoilt(gzip.compress(text_of_table(rng), 1), rng, 0.5)),
    "parquet": ((".parquet",), parquet_file),
    "links": ((".csv", ".tsv"), text_of_table),
    "links of arrays": ((".npy",), array_file),
    "links of nodes": ((".json",), lambda rng: json_of(LINKS, rng)),
    "links of GraphML": ((".graphml",), lambda rng: spoilt(GRAPHML.encode(), rng, 0.8)),
    "graph": ((".json",), lambda rng: json_of(GRAPH if rng.random() < 0.8 else LAGGED, rng)),
    "graph of GraphML": ((".graphml",), lambda rng: spoilt(GRAPHML.encode(), rng, 0.8)),
    "graph of cells": ((".csv",), sheet_of_graph),
    "knowledge": ((".json",), lambda rng: json_of(KNOWN, rng)),
    "targets": ((".json",), lambda rng: json_of({"1": ["a"], "2": None}, rng)),
    "actions": ((".json",), lambda rng: json_of(ACTIONS, rng)),
    "actions of cells": ((".csv",), lambda rng: spoilt(b"action,variable,entry\n0,power,0\n1,link,1\n2,,\n", rng, 0.8)),
    "model": ((".json",), lambda rng: json_of(MODEL, rng)),
    "weights": ((".npz",), weights_file),
    "rows": ((".csv",), rows_file),
}


def files(reader: str, folder: Path, seed: int, count: int) -> Iterator[Path]:
    """``count`` hostile files for a reader, one after the other under few names."""
    endings, make = FILES[reader]
    for k in range(count):
        rng = np.random.default_rng([seed, k, sum(reader.encode())])
        path = folder / f"h{endings[k % len(endings)]}"
        path.write_bytes(make(rng))
        yield path


# ---- objects ----------------------------------------------------------------------------------------------------------


def column(rng: Rng, n: int) -> Any:
    """n values of some type, some of them missing, mixed or no values at all."""
    base = rng.normal(size=n)
    makers: list[Callable[[], Any]] = [
        lambda: base,
        lambda: rng.integers(0, 4, n),
        lambda: [str(rng.choice(CELLS)) for _ in range(n)],
        lambda: pd.array(rng.choice([1, 2, None], n), dtype="Int64"),
        lambda: pd.array(rng.choice([True, False, None], n), dtype="boolean"),
        lambda: pd.Categorical(rng.choice(["u", "v"], n)),
        lambda: pd.date_range("2020", periods=n),
        lambda: pd.Series(pd.date_range("1500-01-01", periods=n, unit="s")).astype("timestamp[ms][pyarrow]").array,
        lambda: pd.to_timedelta(np.arange(n), unit="min"),
        lambda: pd.period_range("2020", periods=n, freq="D"),
        lambda: [datetime.date(2020, 1, 1 + k % 28) for k in range(n)],
        lambda: [decimal.Decimal(k) / 3 for k in range(n)],
        lambda: [Fraction(k, 7) for k in range(n)],
        lambda: [[k] for k in range(n)],
        lambda: [{} for _ in range(n)],
        lambda: [None] * n,
        lambda: base + 1j,
        lambda: np.where(base > 0, np.inf, base),
        lambda: base * 1e200,
        lambda: np.arange(n, dtype="uint64") + 2**63,
        lambda: [2**70 + k for k in range(n)],
        lambda: [b"x"] * n,
        lambda: [object() for _ in range(n)],
        lambda: [1, "x", None, 2.5, (1,), pd.NaT][:n] + [0] * max(0, n - 6),
        lambda: base.astype("float16"),
        lambda: pd.arrays.SparseArray(rng.integers(0, 2, n)),
        lambda: 1_700_000_000_000 + np.arange(n),
    ]
    return makers[int(rng.integers(len(makers)))]()


def frame(seed: int) -> pd.DataFrame:
    """A data frame of odd columns, with odd names and an odd index."""
    rng = np.random.default_rng([seed, 1])
    n, d = int(rng.integers(0, 30)), int(rng.integers(0, 5))
    found = pd.DataFrame({f"c{k}": pd.Series(column(rng, n)) for k in range(d)})
    if rng.random() < 0.4:
        found = found.set_axis([str(rng.choice(NAMES)) if rng.random() < 0.6 else k for k in range(d)], axis=1)
    if rng.random() < 0.3:
        found["event"], found["timestamp"] = pd.Series(column(rng, n)), pd.Series(column(rng, n))
        found["device"] = pd.Series(column(rng, n))
    if rng.random() < 0.1 and d:
        found.columns = pd.MultiIndex.from_tuples([(k, str(name)) for k, name in enumerate(found.columns)])
    return found


def anything(seed: int) -> Any:
    """Something that is no table, no graph and no knowledge, or only nearly."""
    rng = np.random.default_rng([seed, 2])
    odd: list[Any] = [
        None, 5, "sachs", b"x", [], {}, [1, 2], [[1, 2], [3]], [[0, 1], [0, 0]], np.zeros((2, 2)), np.zeros(3), np.zeros((2, 2, 2)),
        np.array([["a", "b"]]), np.array([{}]), np.eye(3) * np.nan, {"a": [1]}, {"a": 0, "b": 1}, {0: ["a"]}, [("a", "b")], [("a", "b", "c")],
        ("a",), {"a"}, range(3), iter([1]), lambda: 1, object(), int, np.int64(3), float("nan"), pd.Series([1, 2]), pd.DataFrame(),
        np.array([(1, 2.0)], dtype=[("x", int), ("y", float)]), np.ma.masked_array([[1, 2]], [[True, False]]), -np.eye(2), np.full((2, 2), 2),
        [["a", "b"], "c"], [None, None], [["a"]], "ab", True, 2**80, datetime.date(2020, 1, 1), Path("x.csv"), [[float("inf")] * 2] * 2,
    ]  # fmt: skip
    return odd[int(rng.integers(len(odd)))]
