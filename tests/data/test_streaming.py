"""Tables larger than memory: the same answers as from the whole table, and a sentence for every stream that breaks."""

from __future__ import annotations

import contextlib
import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import causalnet as cn
from causalnet.data import Counts, Moments, as_table, load_table, read_table, stream_table
from causalnet.data import batches as batches_module
from causalnet.data import streaming as streaming_module
from causalnet.data.counts import Tally, put_together
from causalnet.data.moments import Sums, add_up, merge

RNG = np.random.default_rng(5)
MIXING = np.array([[1, 0.8, 0, 0], [0, 1, 0.5, 0], [0, 0, 1, -0.7], [0, 0, 0, 1.0]])
REAL = pd.DataFrame(RNG.normal(size=(5000, 4)) @ MIXING + [0, 5, -3, 100], columns=list("abcd"))
CODES = pd.DataFrame(
    {
        "word": RNG.choice(["lo", "mid", "hi"], 3000),
        "number": RNG.integers(-1, 3, 3000),
        "flag": RNG.random(3000) < 0.3,
        "half": RNG.choice([0.0, 2.0], 3000),
    }
)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 256 rows and blocks of 4 KiB, so that small files have many."""
    monkeypatch.setattr(batches_module, "ROWS", 256)
    monkeypatch.setattr(batches_module, "BLOCK", 1 << 12)


def written(frame: pd.DataFrame, path: Path, **how: Any) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path, **{"index": False, "row_group_size": 700, **how})
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",", **how)
    return path


def in_parts(frame: pd.DataFrame, folder: Path, suffix: str = ".parquet", n: int = 3) -> Path:
    folder.mkdir()
    for k, rows in enumerate(np.array_split(np.arange(len(frame)), n)):
        written(frame.iloc[rows], folder / f"part-{k}{suffix}")
    return folder


FORMS = ["t.parquet", "t.csv", "t.tsv", "t.csv.gz", "parts.parquet", "parts.csv"]


def laid_down(frame: pd.DataFrame, tmp_path: Path, form: str) -> Path:
    if form.startswith("parts"):
        return in_parts(frame, tmp_path / "parts", Path(form).suffix)
    return written(frame, tmp_path / form)


@pytest.mark.parametrize("form", FORMS)
def test_numbers_have_the_moments_of_the_whole_table(tmp_path: Path, form: str) -> None:
    found, whole = stream_table(laid_down(REAL, tmp_path, form)), as_table(REAL)
    assert isinstance(found, Moments) and found.columns == whole.columns and found.n == whole.n and found.d == 4
    np.testing.assert_allclose(found.covariance, whole.covariance, rtol=1e-12)
    np.testing.assert_allclose(found.correlation, whole.correlation, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found.mean, REAL.mean())


@pytest.mark.parametrize("form", FORMS)
def test_categories_have_the_counts_of_the_whole_table(tmp_path: Path, form: str) -> None:
    found, whole = stream_table(laid_down(CODES, tmp_path, form)), as_table(CODES)
    assert isinstance(found, Counts) and found.n == whole.n
    levels = [tuple(map(type, level)) for level in found.levels]
    assert found.levels == whole.levels and found.cardinality.tolist() == whole.cardinality.tolist()
    if "csv" not in form and "tsv" not in form:  # in a text, 0.0 and 2.0 are floats as well
        assert levels == [tuple(map(type, level)) for level in whole.levels]
    rows, times = np.unique(whole.codes, axis=0, return_counts=True)
    np.testing.assert_array_equal(found.distinct, rows)
    np.testing.assert_array_equal(found.times, times)


def test_columns_are_chosen_and_kinds_decided_as_in_a_table(tmp_path: Path) -> None:
    path = written(pd.concat([REAL[:3000], CODES], axis=1), tmp_path / "t.parquet")
    with pytest.raises(
        cn.NotApplicable, match=r"numbers \('a', 'b', 'c', 'd'\) and categories \('word', 'number', 'flag'"
    ):
        stream_table(path)
    assert stream_table(path, ["c", "a"]).columns == ("c", "a")
    assert isinstance(stream_table(path, ["number", "a", "flag"], discrete=False), Moments)
    assert isinstance(stream_table(path, ["number", "half"]), Counts)
    with pytest.raises(cn.NotApplicable, match=r"numbers \('number'\) and categories \('half'\).*discrete=False"):
        stream_table(path, ["number", "half"], discrete=["half"])
    with pytest.raises(cn.UnknownNameError, match=r"'wrd', which is not a column\. Did you mean 'word'"):
        stream_table(path, ["wrd"])
    with pytest.raises(cn.UnknownNameError, match="discrete names 'b', which is not a column"):
        stream_table(path, ["a", "c"], discrete=["b"])
    with pytest.raises(cn.DataError, match="'word' holds text, not numbers"):
        stream_table(path, discrete=False)


def test_whole_numbers_turn_continuous_when_a_later_batch_says_so(tmp_path: Path) -> None:
    late = REAL.assign(a=RNG.integers(0, 3, len(REAL)).astype(float), b=RNG.integers(0, 10, len(REAL)))
    late.loc[4990, "a"] = 0.5
    late.loc[4991, "b"] = 10
    found = stream_table(written(late, tmp_path / "t.parquet"))
    assert isinstance(found, Moments)
    np.testing.assert_allclose(found.covariance, as_table(late).covariance, rtol=1e-10)


@pytest.mark.parametrize("backend", ["order", "pc", "notears"])
def test_moments_give_the_graph_of_the_table(tmp_path: Path, backend: str) -> None:
    found = stream_table(written(REAL, tmp_path / "t.parquet"))
    params = {"standardize": True} if backend == "notears" else {}
    streamed, whole = cn.discover(found, backend, **params), cn.discover(as_table(REAL), backend, **params)
    np.testing.assert_array_equal(streamed.adj, whole.adj)
    assert streamed.meta["data"] == "Moments(5000 rows x 4 continuous variables, streamed)"
    assert streamed.explain("a", "b")["joined" if backend != "notears" else "kept"] is not None


@pytest.mark.parametrize("backend", ["order", "pc"])
def test_counts_give_the_graph_of_the_table(tmp_path: Path, backend: str) -> None:
    x = RNG.integers(0, 3, 2000)
    y = np.where(RNG.random(2000) < 0.7, x, RNG.integers(0, 3, 2000))
    frame = pd.DataFrame({"x": x, "y": y, "z": np.where(RNG.random(2000) < 0.6, y, 1), "w": RNG.integers(0, 2, 2000)})
    found = stream_table(written(frame, tmp_path / "t.parquet"))
    streamed, whole = cn.discover(found, backend), cn.discover(as_table(frame), backend)
    np.testing.assert_array_equal(streamed.adj, whole.adj)
    assert cn.edge_confidence(found, backend, n=5).directed.shape == (4, 4)


def test_auto_takes_what_was_streamed(tmp_path: Path) -> None:
    for frame in (REAL, CODES):
        assert cn.discover(stream_table(written(frame, tmp_path / "t.parquet"))).meta["backend"] == "order"


def test_codes_are_written_out_within_bounds_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = stream_table(written(CODES, tmp_path / "t.parquet"))
    rows = as_table(CODES).codes
    np.testing.assert_array_equal(found.codes, rows[np.lexsort(rows.T[::-1])])
    monkeypatch.setattr("causalnet.data.counts.MOST_CODES", 100)
    with pytest.raises(cn.DataError, match=r"codes of 3000 rows and 4 columns take .* GiB"):
        cn.discover(found, "order")


def test_methods_that_need_rows_refuse_moments(tmp_path: Path) -> None:
    found = stream_table(written(REAL, tmp_path / "t.parquet"))
    with pytest.raises(
        cn.NotApplicable, match=r"granger cannot take this table: it was streamed.* These can: .*order.*read_table"
    ):
        cn.discover(found, "granger")
    with pytest.raises(cn.NotApplicable, match=r"a streamed table has none; .*read the table whole"):
        cn.discover(found, "pc", ci_test=lambda x, y, z, table: table.values[0, 0])


@pytest.mark.parametrize("form", ["t.parquet", "t.csv", "t.csv.gz"])
def test_no_batch_is_larger_than_said(tmp_path: Path, form: str) -> None:
    """One row group of all rows is read in batches too, of the wanted columns only."""
    path = written(REAL, tmp_path / form, **({"row_group_size": len(REAL)} if form == "t.parquet" else {}))
    sizes = [(batch.num_rows, batch.schema.names) for batch in batches_module.Part(path).batches(["d", "b"])]
    assert sum(n for n, _ in sizes) == len(REAL) and max(n for n, _ in sizes) <= 256
    assert all(names == ["d", "b"] for _, names in sizes)


# ---- exactness -----------------------------------------------------------------------------------------------


def test_sums_of_far_away_numbers_lose_nothing() -> None:
    """Unit variance about 1e8: the textbook sum of squares would leave no digit."""
    values = RNG.normal(size=(20000, 3)) + 1e8
    total = None
    for part in np.array_split(values, 77):
        sums = add_up(np.ascontiguousarray(part.T))
        total = sums if total is None else merge(total, sums)
    assert isinstance(total, Sums)
    centred = values.astype(np.longdouble) - values.astype(np.longdouble).mean(axis=0)
    np.testing.assert_allclose(total.products, (centred.T @ centred).astype(float), rtol=1e-7, atol=1e-3)


def test_order_of_parts_does_not_matter() -> None:
    one, two = (add_up(RNG.normal(size=(3, m))) for m in (5, 900))
    for a, b in zip(merge(one, two), merge(two, one), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_equal_rows_are_put_together_whatever_the_number_of_states() -> None:
    codes = RNG.integers(0, 60000, (9, 400)).astype(np.uint16)
    codes = codes[:, RNG.integers(0, 400, 5000)]
    found, times = put_together(codes, np.ones(5000, np.int64))
    rows, counts = np.unique(codes.T, axis=0, return_counts=True)
    order = np.lexsort(found[::-1])
    np.testing.assert_array_equal(found[:, order].T, rows)
    np.testing.assert_array_equal(times[order], counts)


def test_too_many_distinct_rows_are_told() -> None:
    tally = Tally(2, most=100)
    tally.add(np.arange(300).reshape(2, 150))
    with pytest.raises(cn.DataError, match=r"more than 100 different rows.*columns=\[...\]"):
        tally.rows()


def test_resamples_vary_as_resamples_of_rows_do(tmp_path: Path) -> None:
    table = as_table(REAL[:400])
    moments = stream_table(written(REAL[:400], tmp_path / "t.parquet"))
    draws = [[data.resample(np.random.default_rng(s)).covariance for s in range(400)] for data in (table, moments)]
    rows, law = (np.std(draw, axis=0) for draw in draws)
    np.testing.assert_allclose(law, rows, rtol=0.25)
    np.testing.assert_allclose(np.mean(draws[1], axis=0), moments.covariance, rtol=0.05, atol=0.05)
    counts = stream_table(written(CODES, tmp_path / "c.parquet"))
    again = counts.resample(np.random.default_rng(1))
    assert again.n == counts.n and (again.times > 0).all() and again.levels == counts.levels


def test_moments_and_counts_are_frozen(tmp_path: Path) -> None:
    for frame in (REAL, CODES):
        found = stream_table(written(frame, tmp_path / "t.parquet"))
        kept = found.correlation if isinstance(found, Moments) else found.cardinality
        again = pickle.loads(pickle.dumps(found))
        for array in (again.covariance, found.covariance) if isinstance(found, Moments) else (again.times, found.times):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1
        restored = again.correlation if isinstance(found, Moments) else again.cardinality
        assert not kept.flags.writeable and not restored.flags.writeable
        assert repr(again) == repr(found) and isinstance(found, cn.data.Data)


# ---- what is wrong with a table ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["t.parquet", "t.csv", "parts.csv"])
def test_all_that_is_wrong_is_told_at_once(tmp_path: Path, form: str) -> None:
    bad = REAL.assign(e=REAL["b"], f=7.5, g=REAL["a"] * 1e300, h=REAL["c"] + 1)
    bad.loc[[11, 4000], ["a", "g"]] = np.nan
    bad.loc[3, "c"] = np.inf
    bad.loc[4999, "h"] = -np.inf
    with pytest.raises(cn.DataError) as caught:
        stream_table(laid_down(bad, tmp_path, form))
    for words in (
        "cells are missing: 'a' 2 (the first in row 12), 'g' 2",
        "numbers are infinite: 'c' 1 (the first in row 4), 'h' 1 (the first in row 5000)",
        "'f' (always 7.5)",
        "too large or too close together to compute with: 'g'",
        "'b' and 'e' are identical",
        "drop_missing=True",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize("frame", [REAL, CODES], ids=["numbers", "categories"])
@pytest.mark.parametrize("form", ["t.parquet", "t.csv"])
def test_rows_with_gaps_are_left_out_on_request_only(tmp_path: Path, form: str, frame: pd.DataFrame) -> None:
    holes = frame.astype({"flag": object}) if "flag" in frame else frame.copy()
    holes.iloc[5, 0] = holes.iloc[900, 1] = holes.iloc[900, 0] = None
    path = laid_down(holes, tmp_path, form)
    first, second = frame.columns[:2]
    with pytest.raises(
        cn.DataError, match=rf"'{first}' 2 \(the first in row 6\), '{second}' 1 \(the first in row 901\)"
    ):
        stream_table(path)
    with pytest.warns(UserWarning, match=rf"2 of {len(frame)} rows have a missing cell and were left out"):
        found = stream_table(path, drop_missing=True)
    whole = as_table(frame.drop(index=[5, 900]))
    assert found.n == whole.n
    if isinstance(found, Moments):
        np.testing.assert_allclose(found.covariance, whole.covariance, rtol=1e-10)
    else:
        np.testing.assert_array_equal(found.times, np.unique(whole.codes, axis=0, return_counts=True)[1])


def test_a_column_without_any_cell_is_named(tmp_path: Path) -> None:
    for form in ("t.parquet", "t.csv"):
        path = laid_down(REAL.assign(c=None), tmp_path, form)
        with pytest.raises(cn.DataError, match=r"'c' 5000 \(the first in row 1\)"):
            stream_table(path)
        with pytest.raises(cn.DataError, match=r"'c' 5000"):
            stream_table(path, drop_missing=True)


def test_types_that_no_method_takes_are_named_before_reading(tmp_path: Path) -> None:
    frame = REAL[:50].assign(when=pd.date_range("2024-01-01", periods=50), many=[[1, 2]] * 50, day="x")
    path = written(frame, tmp_path / "t.parquet")
    with pytest.raises(cn.DataError, match=r"'when' holds dates: .*; 'many' holds lists or bytes: leave them out"):
        stream_table(path)
    assert stream_table(path, list("abcd")).n == 50


def test_texts_that_are_numbers_are_read_as_in_a_table(tmp_path: Path) -> None:
    few = pd.DataFrame({"a": RNG.integers(1, 4, 500), "b": RNG.integers(8, 12, 500)}).astype(str)
    found, whole = stream_table(written(few, tmp_path / "t.parquet")), as_table(few)
    assert isinstance(found, Counts) and found.levels == whole.levels == ((1, 2, 3), (8, 9, 10, 11))
    with pytest.raises(cn.DataError, match="numbers written as texts: 'a', 'b'"):
        stream_table(written(REAL[["a", "b"]].astype(str), tmp_path / "u.parquet"))
    asked = stream_table(written(few, tmp_path / "v.parquet"), discrete=True)
    assert asked.levels == as_table(few, discrete=True).levels


def test_labels_of_categories_keep_their_order(tmp_path: Path) -> None:
    kind = pd.CategoricalDtype(["low", "mid", "high", "never"], ordered=True)
    frame = CODES[["flag"]].assign(size=pd.Series(RNG.choice(["high", "low", "mid"], 3000)).astype(kind))
    found = stream_table(written(frame, tmp_path / "t.parquet"))
    assert found.levels == as_table(frame).levels and found.levels[1] == ("low", "mid", "high")


def test_too_many_categories_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("causalnet.data.stream_columns.MOST_LEVELS", 100)
    path = written(CODES.assign(word=[f"w{i}" for i in range(3000)]), tmp_path / "t.parquet")
    with pytest.raises(cn.DataError, match=r"'word' has more than 100 categories; leave it out"):
        stream_table(path)


def test_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(cn.DataError, match="5 rows for 4 variables: at least 6"):
        stream_table(written(REAL[:5], tmp_path / "t.csv"))


# ---- streams that break --------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_parquet_file_that_ends_early(tmp_path: Path, share: float) -> None:
    path = written(REAL, tmp_path / "t.parquet")
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(cn.DataError, match=r"t\.parquet cannot be read.*footer"):
        stream_table(path)


def test_a_parquet_file_with_a_spoilt_page_tells_how_far_it_was_read(tmp_path: Path) -> None:
    path = written(REAL, tmp_path / "t.parquet", use_dictionary=False)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 4000] = b"\x00" * 4000
    path.write_bytes(raw)
    with pytest.raises(cn.DataError, match=r"cannot be read after row \d+: .*write it again"):
        stream_table(path)


def test_a_text_that_ends_early(tmp_path: Path) -> None:
    raw = written(REAL, tmp_path / "t.csv").read_bytes()
    (tmp_path / "t.csv").write_bytes(raw[: raw.rindex(b",", 0, raw.rindex(b","))])
    with pytest.raises(cn.DataError, match=r"names 4 columns but row 5000 has 2 cells.*ends early"):
        stream_table(tmp_path / "t.csv")
    packed = gzip.compress(raw)
    for share in (0.001, 0.5, 0.99):
        (tmp_path / "t.csv.gz").write_bytes(packed[: int(share * len(packed))])
        with pytest.raises(cn.DataError, match=r"t\.csv\.gz cannot be read"):
            stream_table(tmp_path / "t.csv.gz")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("x,1,1,1", [r"'a' holds numbers at first, but row 3001 has 'x'", r"discrete=\['a'\]"]),
        ("1,1,1", ["names 4 columns but row 3001 has 3 cells"]),
        ("1,1,1,1,1", ["names 4 columns but row 3001 has 5 cells; quote"]),
        ("1,1,\xff,1", ["'c'", "row 3001", "'\\\\xff'|UTF-8|holds numbers"]),
    ],
)
def test_a_text_that_changes_on_the_way(tmp_path: Path, row: str, words: list[str]) -> None:
    lines = written(REAL, tmp_path / "t.csv").read_bytes().splitlines()
    lines.insert(3001, row.encode("latin-1"))
    (tmp_path / "t.csv").write_bytes(b"\n".join(lines))
    for word in words:
        with pytest.raises(cn.DataError, match=word):
            stream_table(tmp_path / "t.csv")


def test_whole_numbers_that_become_fractions_and_codes_that_become_words(tmp_path: Path) -> None:
    lines = ["a,b", *["1,2", "2,3", "3,1"] * 1000, "1.5,x", "2,3"]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(cn.DataError, match=r"'b' holds numbers at first, but row 3001 has 'x'"):
        stream_table(tmp_path / "t.csv")
    found = stream_table(tmp_path / "t.csv", ["a", "b"], discrete=["a", "b"])
    assert isinstance(found, Counts) and found.levels == ((1.0, 1.5, 2.0, 3.0), ("1", "2", "3", "x"))


def test_parts_whose_columns_change(tmp_path: Path) -> None:
    folder = in_parts(REAL, tmp_path / "parts")
    written(REAL[:50].rename(columns={"c": "z"}).assign(a="text"), folder / "part-9.parquet")
    with pytest.raises(
        cn.DataError, match=r"change in part-9\.parquet: it has no 'c'; it has 'z' besides; 'a' holds text"
    ):
        stream_table(folder)
    written(REAL[["d", "c", "b", "a"]].astype("float32"), folder / "part-9.parquet")  # another order, other widths
    assert stream_table(folder).n == 10000
    written(REAL[:50].assign(c="x"), folder / "part-9.parquet")
    with pytest.raises(cn.DataError, match=r"'c' holds text there and numbers before"):
        stream_table(folder)


def test_folders_that_are_no_table(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(cn.DataError, match=r"no \.parquet or \.csv file"):
        stream_table(tmp_path / "none")
    folder = in_parts(REAL, tmp_path / "parts")
    (folder / "_SUCCESS").write_text("")
    (folder / ".crc").write_text("")
    assert stream_table(folder).n == len(REAL)
    written(REAL, folder / "more.csv")
    with pytest.raises(cn.DataError, match=r"different formats \(csv, parquet\)"):
        stream_table(folder)
    (tmp_path / "by" / "year=2024").mkdir(parents=True)
    with pytest.raises(cn.DataError, match=r"holds folders \(year=2024\).*would be lost"):
        stream_table(tmp_path / "by")
    with pytest.raises(cn.DataError, match=r"no such file: .*partz\. Did you mean 'parts'"):
        stream_table(tmp_path / "partz")
    (tmp_path / "t.pkl").write_bytes(b"\x80\x03}q\x00.")
    with pytest.raises(cn.DataError, match="pickles are never read"):
        stream_table(tmp_path / "t.pkl")


@pytest.mark.parametrize("content", ["a,b\n", "", "\n\n", "a,b,a\n1,2,3\n", "1,2\n3,4\n", "a;b\n1;2\n"])
def test_empty_and_odd_texts(tmp_path: Path, content: str) -> None:
    for name in ("t.csv", "t.csv.gz"):
        raw = content.encode()
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
        with pytest.raises(cn.DataError) as streamed:
            stream_table(tmp_path / name)
        with pytest.raises(cn.DataError):
            read_table(tmp_path / name)
        assert len(str(streamed.value)) > 20


def test_an_empty_parquet_file(tmp_path: Path) -> None:
    with pytest.raises(cn.DataError, match="no rows"):
        stream_table(written(REAL[:0], tmp_path / "t.parquet"))
    pq.write_table(pa.table({"a": [1.0, 2.5], "b": [2.5, 1.0]}).rename_columns(["a", "a"]), tmp_path / "u.parquet")
    with pytest.raises(cn.DataError, match="'a' occurs twice"):
        stream_table(tmp_path / "u.parquet")


@pytest.mark.parametrize("form", ["t.parquet", "t.csv", "t.csv.gz"])
@pytest.mark.parametrize("frame", [REAL[:300], CODES[:300]], ids=["numbers", "categories"])
@pytest.mark.filterwarnings(
    "ignore:t.csv is read as cp1252:UserWarning", "ignore:t.csv. rows? .*fewer cells:UserWarning"
)
def test_spoilt_bytes_are_read_or_told_never_a_crash(tmp_path: Path, form: str, frame: pd.DataFrame) -> None:
    raw = written(frame, tmp_path / form).read_bytes()
    rng = np.random.default_rng(7)
    for _ in range(60):
        spoilt = bytearray(raw)
        at = int(rng.integers(len(raw)))
        if rng.random() < 0.5:
            spoilt[at] = int(rng.integers(256))
        else:
            spoilt[at:at] = bytes(rng.choice([0, 10, 44, 34, 46, 255], 3).astype(np.uint8))
        (tmp_path / form).write_bytes(spoilt)
        for read in (stream_table, read_table):
            with contextlib.suppress(cn.DataError, cn.NotApplicable):
                read(tmp_path / form)


def test_checksums_are_looked_at_where_a_file_has_them(tmp_path: Path) -> None:
    how = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}
    raw = bytearray(written(REAL, tmp_path / "t.parquet", **how).read_bytes())
    raw[len(raw) // 3] ^= 1
    (tmp_path / "t.parquet").write_bytes(raw)
    with pytest.raises(cn.DataError, match=r"cannot be read after row \d+: .*(CRC|crc)"):
        stream_table(tmp_path / "t.parquet")


def test_numbers_and_texts_of_every_width(tmp_path: Path) -> None:
    whole = RNG.integers(0, 1000, 900)
    real = np.round(RNG.normal(size=900), 2)
    columns = {
        "decimal": pa.array([f"{x:.2f}" for x in real]).cast(pa.decimal128(9, 2)),
        "short": pa.array(whole.astype(np.int16)),
        "wide": pa.array(whole.astype(np.uint64) * 3),
        "half": pa.array(RNG.normal(size=900).astype(np.float16)),
        "single": pa.array(RNG.normal(size=900).astype(np.float32)),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    found = stream_table(tmp_path / "t.parquet")
    values = np.array([np.asarray(c.to_pandas(), dtype=float) for c in columns.values()])
    np.testing.assert_allclose(found.covariance, np.cov(values, ddof=0), rtol=1e-10)
    words = RNG.choice(["x", "y"], (3, 900)).tolist()
    makes = {"a": pa.array(words[0], pa.large_string()), "b": pa.array(words[1]).dictionary_encode()}
    pq.write_table(pa.table({**makes, "c": pa.array(words[2], pa.string_view())}), tmp_path / "u.parquet")
    levels = stream_table(tmp_path / "u.parquet").levels
    assert levels == read_table(tmp_path / "u.parquet").levels and set(map(len, levels)) == {2}


def test_row_names_of_pandas_are_no_column(tmp_path: Path) -> None:
    named = REAL.set_axis([f"r{i}" for i in range(len(REAL))])
    named.to_parquet(tmp_path / "t.parquet")
    assert stream_table(tmp_path / "t.parquet").columns == tuple("abcd")


def test_compressed_texts_are_read_whole_as_well(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_table(written(REAL, tmp_path / "t.csv.gz")).values, REAL.to_numpy())


def test_large_files_are_streamed_with_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(REAL, tmp_path / "t.parquet")
    assert isinstance(load_table(path), cn.Table) and load_table(path, ["c", "a"]).columns == ("c", "a")
    monkeypatch.setattr(streaming_module, "STREAMED_FROM", 100_000)
    with pytest.warns(UserWarning, match=r"t\.parquet takes about 0\.0 GiB as a table, so it is streamed"):
        assert isinstance(load_table(path), Moments)
