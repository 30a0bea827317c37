"""Frames of other libraries, and files as other programs write them: read as the same table, or told."""

from __future__ import annotations

import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import causalnet as cn

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(60, 3)), columns=["a", "b", "c"]).round(4)
WORDED = FRAME.assign(
    season=["winter", "summer", "spring"] * 20, few=RNG.integers(0, 3, 60), gap=[1.5, None, 2.25] * 20
)


def test_polars_frames_and_their_plans_are_the_same_table() -> None:
    pl = pytest.importorskip("polars", reason="polars is no dependency: 180 MB")
    eager = pl.from_pandas(WORDED)
    same(eager)
    same(eager.lazy())
    more = eager.with_columns(day=pl.lit(datetime.time(1, 2)), kind=pl.col("season").cast(pl.Categorical))
    assert "'season' and 'kind' are identical" in repr(cn.look(more))
    with pytest.raises(cn.DataError, match="one column is no table"):
        cn.as_table(eager["a"])


def test_relations_of_duckdb_are_the_same_table() -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is no dependency: 70 MB")
    frame = WORDED  # noqa: F841 - named in the query
    relation = duckdb.sql("SELECT * FROM frame")
    same(relation)
    assert cn.as_table(relation.select("a", "b")).columns == ("a", "b")


def same(other: Any) -> None:
    table, plain = cn.as_table(other), cn.as_table(WORDED)
    assert table.columns == plain.columns and table.kind == plain.kind == "mixed"
    np.testing.assert_array_equal(table.values, plain.values)


def test_arrow_tables_masks_and_exact_numbers() -> None:
    import pyarrow as pa

    same(pa.table(WORDED))
    hours = pa.table({"a": [1.5, 2.5, 0.0], "t": pa.array([1, 2, 3], pa.time64("ns"))})
    assert cn.look(hours).columns[-1].name == "t"
    masked = np.ma.masked_array(FRAME.to_numpy(), FRAME.to_numpy() > 1)
    assert cn.as_table(masked).missing.sum() == (FRAME.to_numpy() > 1).sum()
    exact = cn.as_table(FRAME.assign(f=[Fraction(k, 7) for k in range(60)]))
    np.testing.assert_allclose(exact.values[:, 3], np.arange(60) / 7)
    for odd, words in (
        (FRAME["a"], "one column is no table"),
        (pa.table([[1, 2], [1, 2]], names=["a", "a"]), "cannot be read as a table"),
        (np.zeros(2, dtype=[("x", float), ("y", float, 2)]), "'y' of the array holds several"),
    ):
        with pytest.raises(cn.DataError, match=words):
            cn.as_table(odd)
    log = pa.table({"event": ["a", "b"], "timestamp": [1, 2], "device": ["d", "d"]})
    assert cn.Events(log).n == 2


BODY = FRAME.to_csv(index=False, header=False)


@pytest.mark.parametrize(
    ("head", "names", "told"),
    [
        ("a,b,c\nmm,kg,s\n", ("a (mm)", "b (kg)", "c (s)"), "in 2 lines"),
        ("x,x,y\nlatency,load,load\n", ("x.latency", "x.load", "y.load"), "in 2 lines"),
        ("# by a probe\n# twice\na,b,c\n", ("a", "b", "c"), "3 lines of comments"),
        ("# a b c\n".replace(" ", ",").replace("#,", "# "), ("a", "b", "c"), ""),
        ("\ufeffa,b,c\n", ("a", "b", "c"), ""),
        ('"a\nb",b,c\n', ("a\nb", "b", "c"), ""),
    ],
)
def test_headers_of_several_lines(head: str, names: tuple[str, ...], told: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(head + BODY)
    seen = cn.look(tmp_path / "t.csv")
    assert tuple(column.name for column in seen.columns) == names and seen.n == 60
    assert seen.kind == "continuous" and (told in repr(seen) or told.startswith("3"))


def test_a_header_as_pandas_writes_three_levels(tmp_path: Path) -> None:
    levels = pd.MultiIndex.from_product(
        [["web", "db"], ["latency", "load"], ["mean"]], names=["service", "metric", "stat"]
    )
    wide = pd.DataFrame(
        RNG.normal(size=(30, 4)), columns=levels, index=pd.Index(1.7e9 + 300 * np.arange(30), name="unix")
    )
    wide.to_csv(tmp_path / "m.csv")
    with pytest.warns(UserWarning, match="column 'unix' labels the rows and is left out"):
        table = cn.read_table(tmp_path / "m.csv")
    assert table.columns == ("web.latency.mean", "web.load.mean", "db.latency.mean", "db.load.mean")
    np.testing.assert_allclose(table.values, wide.to_numpy())


@pytest.mark.filterwarnings("ignore")
def test_encodings_separators_at_the_end_and_keys(tmp_path: Path) -> None:
    text = FRAME.set_axis(["größe", "b", "c"], axis=1).to_csv(index=False)
    for code in ("utf-16", "cp1252", "utf-8-sig"):
        (tmp_path / "e.csv").write_bytes(text.encode(code))
        assert cn.read_table(tmp_path / "e.csv").columns == ("größe", "b", "c")
    (tmp_path / "t.csv").write_text(text.replace("\n", ",\n"))
    assert cn.read_table(tmp_path / "t.csv").d == 3
    keyed = FRAME.assign(customer_id=RNG.permutation(60) + 100)
    seen = cn.look(keyed)
    assert [c.kind for c in seen.columns] == ["continuous"] * 3 + ["left out"]
    assert cn.look(keyed, continuous=["customer_id"]).columns[3].kind == "continuous"
    far = FRAME.assign(
        d=np.where(RNG.random(60) < 0.2, -999.0, FRAME["a"]), e=np.where(RNG.random(60) < 0.2, 9999.0, FRAME["b"])
    )
    looked = cn.look(far)
    assert looked.columns[3].missing > 1 and "far above all others: does it mean missing?" in repr(looked)


def test_one_column_tells_the_sign_of_decimals_for_all(tmp_path: Path) -> None:
    rows = [f"{1 + k},{100 + 7 * k};{k},5;{k % 9 + 1}.{100 + k}" for k in range(30)]
    (tmp_path / "d.csv").write_text("a;b;c\n" + "\n".join(rows))
    with pytest.warns(UserWarning, match="commas before decimals"):
        table = cn.read_table(tmp_path / "d.csv", continuous=["c"])
    assert table.values[0, 0] == 1.1 and table.values[1, 1] == 1.5
    rows = [f'"{1 + k},{100 + k}","{k},000,{100 + k}"' for k in range(1, 30)]
    (tmp_path / "t.csv").write_text("a,b\n" + "\n".join(rows))
    with pytest.warns(UserWarning, match="commas between thousands"):
        assert cn.read_table(tmp_path / "t.csv").values[0].tolist() == [2101.0, 1000101.0]


def test_all_rows_that_are_wrong_are_named_at_once() -> None:
    column = FRAME["a"].astype(object).copy()
    column[[3, 9, 20]] = ["oops", "x1", "oops"]
    with pytest.raises(cn.DataError, match=r"row 4 has the text 'oops' \(3 such rows; also rows 10, 21\)"):
        cn.as_table(FRAME.assign(a=column))
    log = pd.DataFrame({"event": ["a", None, "b"], "timestamp": [1.0, 2.0, None], "device": ["d"] * 3})
    with pytest.raises(cn.DataError, match="'event' is empty in row 2; column 'timestamp' is empty in row 3"):
        cn.Events(log)


@pytest.mark.filterwarnings("ignore:the times are those of the columns")
def test_slips_of_logs_are_sentences(tmp_path: Path) -> None:
    log = pd.DataFrame({"event": ["a", "b"], "timestamp": [1.0, 2.0], "device": ["d", "e"]})
    for given, words in (([3], "topology is of type list"), ("x.csv", "no such file: x.csv")):
        with pytest.raises(cn.DataError, match=words):
            cn.Events(log, given)
    with pytest.raises(cn.DataError, match="nothing tells the day from the month"):
        cn.Events(log.assign(timestamp=["01/02/2024", "03/04/2024"]))
    with pytest.raises(cn.DataError, match="not bool values"):
        cn.Events(log.assign(timestamp=[True, False]))
    text = "event,date,time,device,severity\nA,2024-01-31,10:00:00,1e5,Major\nA,2024-01-31,10:00:05,1e5,Cleared\n"
    (tmp_path / "l.csv").write_text(text + "B,2024-01-31,10:00:09, 100000 ,Minor\n")
    with pytest.warns(UserWarning, match="2 events were raised, 1 cleared"):
        found = cn.read_events(tmp_path / "l.csv")
    assert found.devices == ("100000", "1e5") and found.duration is not None and found.duration.tolist() == [5.0, 0.0]
    assert found.time[0] == pd.Timestamp("2024-01-31 10:00").timestamp()


def test_whole_numbers_that_float64_rounds_are_told() -> None:
    start, x = 2**53, np.random.default_rng(0).normal(size=40)
    for column in (start + np.arange(40) // 8, pd.array(start + np.arange(40) // 8, dtype="Int64")):
        with pytest.warns(UserWarning, match=r"'n' holds whole numbers beyond 2\^53, which numbers of 64 bits round"):
            cn.as_table(pd.DataFrame({"n": column, "x": x}))
    told = cn.as_table(pd.DataFrame({"n": start - 5 + np.arange(40) // 8, "x": x})).notes
    assert not any("2^53" in note.text for note in told)
