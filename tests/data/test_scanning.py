"""The one pass over a table, and the codes of texts, against their definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalnet import DataError, as_table
from causalnet.data import scanning
from causalnet.data.scanning import equal_columns, few_levels, scan

CELLS = st.sampled_from([0.0, -0.0, 1.0, 2.0, -3.5, 7.25, np.nan, np.inf, -np.inf])


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    n, d = draw(st.integers(1, 60)), draw(st.integers(1, 5))
    return np.array(draw(st.lists(CELLS, min_size=n * d, max_size=n * d))).reshape(n, d)


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "ROWS", 7)
    monkeypatch.setattr(scanning, "WIDE", 12)


@settings(max_examples=200)
@given(tables())
def test_a_scan_is_what_numpy_says_of_the_whole(values: np.ndarray) -> None:
    found = scan(values)
    gaps = np.isnan(values)
    np.testing.assert_array_equal(found.missing, gaps.sum(axis=0))
    np.testing.assert_array_equal(found.infinite, np.isinf(values).sum(axis=0))
    np.testing.assert_array_equal(found.low, np.where(gaps, np.inf, values).min(axis=0))
    np.testing.assert_array_equal(found.high, np.where(gaps, -np.inf, values).max(axis=0))
    np.testing.assert_array_equal(found.whole, ((values == np.rint(values)) | gaps).all(axis=0))
    assert found.clean == np.isfinite(values).all()


@settings(max_examples=200)
@given(tables())
def test_equal_columns_are_those_of_equal_bits(values: np.ndarray) -> None:
    groups = equal_columns(values)
    alike = {(i, j) for group in groups for i in group for j in group if i < j}
    bits = [values[:, j].tobytes() for j in range(values.shape[1])]
    assert alike == {(i, j) for j in range(len(bits)) for i in range(j) if bits[i] == bits[j]}


@pytest.mark.parametrize("k", [1, 9, 10, 11])
def test_few_levels_are_counted_to_the_last_row(k: int) -> None:
    column = np.r_[np.full(500, np.nan), np.zeros(2000), np.arange(k)]
    assert (few_levels(column, 10) is not None) == (k <= 10)
    assert few_levels(np.r_[np.zeros(2000), 0.5], 10) is None


def as_stored(words: pd.Series) -> dict[str, pd.Series]:
    """The same texts in every make of column."""
    return {
        "object": words.astype(object),
        "str": words.astype("str"),
        "string": words.astype("string"),
        "arrow": words.astype(pd.ArrowDtype(pa.string())),
        "category": words.astype("category"),
    }


@pytest.mark.parametrize("kind", ["object", "str", "string", "arrow", "category"])
@pytest.mark.parametrize("gaps", [False, True])
def test_texts_have_sorted_labels_in_every_make_of_column(kind: str, gaps: bool) -> None:
    rng = np.random.default_rng(4)
    words = pd.Series(rng.choice(["lo", "mid", "hi", "é", ""], 300), dtype=object)
    words[rng.random(300) < 0.2 * gaps] = None
    table = as_table(pd.DataFrame({"a": as_stored(words)[kind], "b": rng.normal(size=300)}))
    labels = sorted(words.dropna().unique())
    assert table.levels[0] == tuple(labels)
    wanted = [np.nan if word is None else labels.index(word) for word in words]
    np.testing.assert_array_equal(table.values[:, 0], wanted)


@pytest.mark.parametrize("kind", ["object", "str", "string", "arrow"])
def test_numbers_as_texts_are_numbers_in_every_make_of_column(kind: str) -> None:
    rng = np.random.default_rng(4)
    numbers = rng.normal(size=60)
    few = rng.integers(1, 4, 60)
    frame = pd.DataFrame(
        {"a": as_stored(pd.Series(numbers).astype(str))[kind], "b": as_stored(pd.Series(few).astype(str))[kind]}
    )
    table = as_table(frame)
    np.testing.assert_array_equal(table.values[:, 0], numbers)
    assert table.levels == (None, (1, 2, 3)) and isinstance(table.levels[1][0], int)
    frame.loc[7, "a"] = "seven"
    with pytest.raises(DataError, match="'a' holds numbers, but row 8 has the text 'seven'"):
        as_table(frame)


def test_all_columns_concerned_are_named() -> None:
    values = np.random.default_rng(0).normal(size=(30, 4))
    frame = pd.DataFrame(values, columns=list("abcd"))
    for bad, words in (
        (frame.assign(a=1.0, c="x"), r"'a' \(always 1.0\), 'c' \(always 'x'\).*drop\(columns=\['a', 'c'\]\)"),
        (frame.assign(b=frame["a"], d=frame["c"]), r"'a' and 'b' are identical; columns 'c' and 'd'.*\['b', 'd'\]"),
        (frame.assign(b=1e200 * frame["b"], c=1e-150 * frame["c"]), r"columns 'b', 'c' hold numbers too large"),
    ):
        with pytest.raises(DataError, match=words):
            as_table(bad)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_table_is_one_copy_that_nobody_else_writes(order: str) -> None:
    array = np.array(np.random.default_rng(0).normal(size=(50, 3)), order=order)  # type: ignore[call-overload]
    table = as_table(array)
    before = table.values.copy()
    array[:] = 0.0
    np.testing.assert_array_equal(table.values, before)
    assert table.values.flags.c_contiguous and not table.values.flags.writeable and table.values.base is None


@pytest.mark.parametrize("kind", ["int64", "float64", "Int64"])
def test_whole_numbers_of_few_levels_are_categories_alike_in_every_type(kind: str) -> None:
    codes = pd.Series(np.random.default_rng(3).choice([3, -1, 7], 5000))
    frame = pd.DataFrame({"a": codes.astype(kind), "b": np.random.default_rng(4).normal(size=5000)})
    table = as_table(frame)
    assert table.levels == ((-1, 3, 7), None) and table.notes[0].shell == "--continuous a reads it as numbers"
    assert [type(level) for level in table.levels[0] or ()] == [float if kind == "float64" else int] * 3
    np.testing.assert_array_equal(np.take([-1, 3, 7], table.values[:, 0].astype(int)), codes)
    if kind != "int64":
        frame.loc[5, "a"] = None
        assert np.isnan(as_table(frame).values[5, 0])
