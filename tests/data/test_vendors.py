"""Numbers, dates and logs in the ways that other programs write them: read and told, or refused in a sentence."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import causalnet as cn

RNG = np.random.default_rng(0)
A = RNG.normal(1500.0, 300.0, 60).round(2)
B = (0.4 * A + RNG.normal(0.0, 40.0, 60)).round(2)


def written(folder: Path, cells: list[str], name: str = "a", separator: str = ",", encoding: str = "utf-8") -> Path:
    """A table of two columns, the first as given."""
    lines = [separator.join([name, "b"]), *(f"{cell}{separator}{b}" for cell, b in zip(cells, B, strict=True))]
    (folder / "t.csv").write_text("\n".join(lines) + "\n", encoding=encoding)
    return folder / "t.csv"


@pytest.mark.parametrize(
    "form",
    ["{:.2f}×10^0", "'{:.2f}'", '"=""{:.2f}"""', "{:.2f}+000"],
    ids=["power", "quoted", "spreadsheet", "fortran"],
)
@pytest.mark.filterwarnings("ignore:column 'a' is read as numbers")
def test_numbers_in_odd_dress_are_numbers(form: str, tmp_path: Path) -> None:
    table = cn.read_table(written(tmp_path, [form.format(x) for x in A]))
    np.testing.assert_allclose(table.values[:, 0], A)


@pytest.mark.filterwarnings("ignore:t.csv is read as utf-32")
@pytest.mark.parametrize(("separator", "encoding"), [("^", "utf-8"), ("~", "utf-8"), (":", "utf-8"), (",", "utf-32")])
def test_rare_separators_and_wide_letters(separator: str, encoding: str, tmp_path: Path) -> None:
    table = cn.read_table(written(tmp_path, [str(x) for x in A], separator=separator, encoding=encoding))
    np.testing.assert_allclose(table.values, np.column_stack([A, B]))


@pytest.mark.parametrize(
    ("name", "cells", "told"),
    [
        ("nr", [str(60 - k) for k in range(60)], "counts the rows"),
        ("day", [day.strftime("%Y%m%d") for day in pd.date_range("2020", periods=60)], "holds dates as numbers"),
        ("date", [str(43831 + k) for k in range(60)], "holds dates as numbers"),
        ("tel", [f"+49 30 {100_000 + 37 * k}" for k in range(60)], "another text in every row"),
    ],
)
def test_what_is_no_variable_is_left_out(name: str, cells: list[str], told: str, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=told):
        assert cn.read_table(written(tmp_path, cells, name)).columns == ("b",)


def test_spellings_and_short_rows_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, [["Yes", "yes", "no"][k % 3] for k in range(60)])
    path.write_text(path.read_text() + "no\n")
    with pytest.warns(UserWarning, match="'Yes' and 'yes'") as caught:
        cn.read_table(path)
    said = " ".join(str(warning.message) for warning in caught)
    assert "'Yes' and 'yes'" in said and "row 61 with fewer cells" in said


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04", "spreadsheet"),
        (b"%PDF-1.4", "PDF"),
        (b"<HTML><table>", "web page"),
        (gzip.compress(b"a", mtime=0), "gzip"),
    ],
)
def test_files_of_another_kind_are_called_by_name(content: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(cn.DataError, match=what):
        cn.read_table(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("raised", "cleared"), [("firing", "resolved"), ("PROBLEM", "OK"), ("down", "up"), ("begin", "end")]
)
def test_pairs_of_other_monitors_are_one_event(raised: str, cleared: str, tmp_path: Path) -> None:
    lines = ["signature,@timestamp,MO Name,status"]
    lines += [f"T{k // 2 % 3},{1000 + 60 * k},d{k // 2 % 2},{cleared if k % 2 else raised}" for k in range(24)]
    (tmp_path / "log.csv").write_text("\n".join(lines))
    with pytest.warns(UserWarning, match="12 events were raised, 12 cleared"):
        log = cn.read_events(tmp_path / "log.csv")
    assert log.n == 12


def test_states_that_tell_nothing_and_ends_in_the_year_9999_are_told(tmp_path: Path) -> None:
    rows = "\n".join(f"T{k % 3},2024-01-01 00:{k:02d}:00,d,{k % 2}" for k in range(12))
    (tmp_path / "log.csv").write_text(f"event,timestamp,device,state\n{rows}\n")
    with pytest.warns(UserWarning, match="write raised and cleared"):
        cn.read_events(tmp_path / "log.csv")
    rows = "\n".join(f"T{k % 3},2024-01-01 00:{k:02d}:00,d,9999-12-31 23:59:59" for k in range(12))
    (tmp_path / "log.csv").write_text(f"event,start,device,end\n{rows}\n")
    with pytest.warns(UserWarning, match="12 events have no end"):
        cn.read_events(tmp_path / "log.csv")
