"""Rows come back as what they were written as, whole, also from a file whose last line was torn."""

from __future__ import annotations

import csv
import math
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from causalnet.errors import CausalnetError, DataError
from causalnet.storage.rows import RowFile, Table, read_rows

NUMBERS = [0, 1, -7, 10**20, 1.0, -0.0, 0.1 + 0.2, 1e-300, math.inf, -math.inf, True, False, None]
TEXTS = ["", "a", "kappa = 1", "12", "1.50", "True", "None", "nan", "1e5", " 7", 'say "so"', '"', "a, b", "two\nlines"]
TEXTS += ["a\r\nb", "été", "0:0.5 1:0.7", ""]


@pytest.mark.parametrize(("values", "texts"), [(NUMBERS, ()), (TEXTS, ("value", "again"))])
def test_values_come_back_as_what_they_were(tmp_path: Path, values: list[Any], texts: tuple[str, ...]) -> None:
    file = RowFile(tmp_path / "x.csv", ["i", "value", "again"], texts)
    file.replace({"i": i, "value": v, "again": v} for i, v in enumerate(values[:9]))
    for i, v in enumerate(values[9:], 9):
        file.append({"i": i, "value": v, "again": v})
    found = file.read()
    assert not found.torn and [r["i"] for r in found.rows] == list(range(len(values)))
    for row, value in zip(found.rows, values, strict=True):
        for name in ("value", "again"):
            assert type(row[name]) is type(value) and row[name] == value
    assert texts or math.copysign(1, found.rows[5]["value"]) == -1
    with file.path.open(newline="", encoding="utf-8") as raw:  # any other reader sees the same texts
        assert [r["value"] for r in csv.DictReader(raw)] == ["" if v is None else str(v) for v in values]


def test_one_column_of_nothing_is_rows_all_the_same(tmp_path: Path) -> None:
    file = RowFile(tmp_path / "x.csv", ["a"])
    file.append({})
    file.append({"a": None})
    assert file.read().rows == [{"a": None}] * 2


def test_numbers_of_numpy_are_numbers_and_other_things_are_refused(tmp_path: Path) -> None:
    file = RowFile(tmp_path / "x.csv", ["a", "b", "c", "d"])
    file.replace([{"a": np.int64(3), "b": np.float64(0.1), "c": np.bool_(True), "d": np.float64("nan")}])
    (row,) = file.read().rows
    assert row["a"] == 3 and row["b"] == 0.1 and row["c"] is True and math.isnan(row["d"])
    assert pd.read_csv(file.path)["b"][0] == 0.1
    with pytest.raises(DataError, match=r"a row holds \[1\]; a cell is"):
        file.append({"a": [1]})
    with pytest.raises(DataError, match="a row holds the text '12' as a, which is no column of text"):
        file.append({"a": "12"})
    with pytest.raises(DataError, match="a text with a carriage return"):
        RowFile(tmp_path / "y.csv", ["a"], ["a"]).replace([{"a": "a\rb"}])
    assert len(file.read().rows) == 1 and not (tmp_path / "y.csv").exists()


@pytest.mark.parametrize("tail", ["3,", "3,4.2", '3,"half a te', '3,"half\na te', '3,"a""', "3,é"])
def test_a_torn_last_line_is_left_out_and_never_glued_to_the_next(tmp_path: Path, tail: str) -> None:
    file = RowFile(tmp_path / "x.csv", ["a", "b"], ["b"])
    file.replace([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
    with file.path.open("ab") as raw:
        raw.write(tail.encode()[:-1] if tail.endswith("é") else tail.encode())
    found = file.read()
    assert found.torn and [r["a"] for r in found.rows] == [1, 2]
    file.append({"a": 3, "b": "z"})
    assert file.read() == ([*"ab"], [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}], False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1\n2,3\n", "line 2 has 1 cells for 2 columns"),
        ('a,b\n1,x"y\n2,3\n', "line 2: could not convert"),
        ('a,b\n1,"x"y\n2,3\n', "line 2: ',' expected after"),
    ],
)
def test_a_damaged_file_is_refused_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_rows(tmp_path / "x.csv")


def test_what_is_no_text_or_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\n1\n")
    with pytest.raises(DataError, match="is damaged, or is no table of rows"):
        read_rows(tmp_path / "x.csv")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_rows(tmp_path / "y.csv")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="other columns than a, c"):
        RowFile(tmp_path / "x.csv", ["a", "c"]).read()


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = RowFile(tmp_path / "x.csv", ["a"], ["a"])
    file.replace([{"a": "x" * 1000}])
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, old[1]))
    try:
        with pytest.raises(CausalnetError, match="make room"):
            file.append({"a": "y" * 3000})
        with pytest.raises(CausalnetError, match="make room"):
            file.replace([{"a": "y" * 3000}])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert [r["a"] for r in file.read().rows] == ["x" * 1000] and [p.name for p in tmp_path.iterdir()] == ["x.csv"]


def test_results_of_0_1_0_are_read_with_the_texts_that_they_do_not_mark(tmp_path: Path) -> None:
    with (tmp_path / "results.csv").open("w", newline="", encoding="utf-8") as raw:
        writer = csv.writer(raw)  # as 0.1.0 wrote: line ends \r\n, numbers and texts alike
        writer.writerows([["cell", "name", "mode", "f1"], ["0", "0", "", "0.5"], ["1e5", "hard:0", "paper", ""]])
    table = Table(tmp_path, ["name", "mode", "f1"], texts=("name", "mode"))
    assert table.rows[0] == {"cell": "0", "name": "0", "mode": "", "f1": 0.5}
    assert table.rows[1] == {"cell": "1e5", "name": "hard:0", "mode": "paper", "f1": None}
    table.add("two", [{"name": "0", "mode": "", "f1": 1}])
    again = Table(tmp_path, ["name", "mode", "f1"], texts=("name", "mode"))
    assert again.rows == table.rows and again.has("1e5") and again.numbers("f1", name="0", mode="") == [0.5, 1.0]


def test_the_cell_that_another_program_has_torn_is_run_again(tmp_path: Path) -> None:
    table = Table(tmp_path, ["a"])
    table.add("one", [{"a": 1}])
    table.add("two", [{"a": 2}, {"a": 3}])
    table.path.write_text(table.path.read_text()[:-1])
    again = Table(tmp_path, ["a"])
    assert again.has("one") and not again.has("two")
