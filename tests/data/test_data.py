"""Tables and event logs: what is accepted, and the sentence that each kind of bad input gets."""

from __future__ import annotations

import pickle
import re
import warnings
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalnet import (
    DataError,
    Events,
    NotApplicable,
    UnknownNameError,
    as_table,
    discover,
    edge_confidence,
    read_events,
    read_table,
)
from causalnet.data.topology import read_topology

GOOD = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)), columns=["a", "b", "c"])


def changed(column: str, row: int, value: object) -> pd.DataFrame:
    frame = GOOD.astype(object)
    frame.loc[row, column] = value
    return frame if isinstance(value, str) else frame.astype(float)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (GOOD.assign(b=np.nan), ["'b'", "no value in any row", "drop(columns=['b'])"]),
        (changed("c", 2, np.inf), ["'c'", "infinite", "row 3"]),
        (changed("a", 4, -np.inf), ["'a'", "infinite", "row 5"]),
        (changed("a", 4, "n/a?"), ["'a'", "row 5", "n/a?", "discrete=['a']"]),
        (GOOD.assign(b=3.0), ["'b'", "constant", "drop(columns=['b'])"]),
        (GOOD.assign(c=GOOD["a"]), ["'a' and 'c'", "identical", "drop"]),
        (GOOD.set_axis(["a", "b", "a"], axis=1), ["'a'", "twice", "columns 1 and 3"]),
        (GOOD.set_axis(["a", " ", "c"], axis=1), ["column 2 has no name"]),
        (GOOD.head(0), ["empty"]),
        (GOOD[[]], ["empty"]),
        (GOOD.assign(b=GOOD["b"] + 1j), ["'b'", "complex"]),
    ],
)
def test_bad_tables_get_a_sentence(frame: pd.DataFrame, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        as_table(frame)
    for word in words:
        assert word in str(caught.value)


def test_kinds_are_decided_by_stated_rules() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "real": rng.normal(size=50),
            "few": rng.integers(0, 3, 50),
            "many": rng.permutation(50),
            "flag": rng.random(50) < 0.5,
            "text": rng.choice(["hi", "lo", "mid"], 50),
        }
    )
    table = as_table(frame)
    assert table.discrete.tolist() == [False, True, False, True, True] and table.kind == "mixed"
    assert table.levels[4] == ("hi", "lo", "mid") and table.cardinality.tolist() == [0, 3, 0, 2, 3]
    assert table.frame(labels=True)["text"].tolist() == frame["text"].tolist()
    assert as_table(frame[["few", "many"]], discrete=False).kind == "continuous"
    assert as_table(frame, discrete=["few", "flag", "text", "many"]).discrete[2]
    with pytest.raises(UnknownNameError, match="Did you mean 'many'"):
        as_table(frame, discrete=["manny"])
    with pytest.raises(DataError, match="holds text"):
        as_table(frame, discrete=False)
    with pytest.raises(DataError, match="'real' is continuous"):
        _ = table.codes


def test_tables_are_frozen_copies() -> None:
    array = GOOD.to_numpy().copy()
    table = as_table(array, names=["a", "b", "c"])
    array[:] = 0
    np.testing.assert_array_equal(table.values, GOOD.to_numpy())
    with pytest.raises(ValueError, match="read-only"):
        table.values[0, 0] = 1
    np.testing.assert_allclose(table.correlation, np.corrcoef(GOOD.to_numpy().T))
    again = pickle.loads(pickle.dumps(table))
    assert again.columns == table.columns and not again.values.flags.writeable


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"a,b,a\n1,2,3\n2,3,5\n", ["'a'", "twice"]),
        ("a.csv", b"", ["cannot be read"]),
        ("a.csv", b"a,b\n", ["no rows"]),
        ("a.csv", b"a,b\n1,2,3\n4,5,6\n", ["2 columns", "3 cells"]),
        ("a.csv", b"\x80\x03cnumpy\nndarray\n\x00.", ["not text"]),
        ("a.csv", b"a,b\n\xff\xfe1,2\n", ["cannot be read"]),
        ("a.pkl", b"\x80\x03}q\x00.", [".csv", "pickles are never read"]),
        ("a.parquet", b"PAR1 not really", ["cannot be read"]),
    ],
)
def test_bad_files_get_a_sentence(tmp_path: Path, name: str, content: bytes, words: list[str]) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / name)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such file: .*nothing\.csv"):
        read_table(tmp_path / "nothing.csv")


def test_csv_and_parquet_read_the_same(tmp_path: Path) -> None:
    GOOD.to_csv(tmp_path / "t.csv", index=False)
    GOOD.to_parquet(tmp_path / "t.parquet")
    np.testing.assert_allclose(read_table(tmp_path / "t.csv").values, read_table(tmp_path / "t.parquet").values)


LOG = pd.DataFrame({"event": ["x", "y", "x", "z"], "timestamp": [0.0, 1.0, 1.0, 5.0], "device": ["m", "n", "m", "n"]})


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (LOG.drop(columns="device"), ["'device'", "missing"]),
        (LOG.head(0), ["empty"]),
        (LOG.assign(timestamp=[0, 1, np.inf, 2]), ["'timestamp'", "infinite", "row 3"]),
        (LOG.assign(timestamp=["0", "1", "noon", "2"]), ["row 3", "noon", "to_datetime"]),
        (LOG.assign(event=["x", None, "x", "z"]), ["'event'", "row 2"]),
        (LOG.assign(duration=[1, 2, -3, 4]), ["row 3", "negative duration -3"]),
    ],
)
def test_bad_event_logs_get_a_sentence(frame: pd.DataFrame, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        Events(frame)
    for word in words:
        assert word in str(caught.value)


def test_unknown_devices_and_types_are_named() -> None:
    with pytest.raises(DataError, match="row 1 has the device 'm', which is not in the topology"):
        Events(LOG, nx.Graph([("q", "k")]))
    with pytest.warns(UserWarning, match="1 devices are not in the topology and are taken to have no link: 'n'"):
        log = Events(LOG, nx.Graph([("m", "k")]))
    assert log.devices == ("m", "k", "n") and not log.adjacency[2].any() and log.adjacency[0, 1]
    with pytest.raises(DataError, match="row 4 has the event type 'z', which is not in event_types"):
        Events(LOG, event_types=["x", "y"])
    with pytest.raises(DataError, match="directed"):
        Events(LOG, nx.DiGraph([("m", "n")]))


def test_a_type_that_never_occurs_keeps_its_row_and_order_is_declared() -> None:
    events = Events(LOG, nx.Graph([("n", "m"), ("m", "far")]), ["z", "never", "y", "x"])
    assert events.types == ("z", "never", "y", "x") and events.counts.tolist() == [1, 0, 1, 2]
    assert events.devices == ("n", "m", "far") and events.adjacency.sum() == 4


def test_unsorted_time_is_sorted_with_a_word_and_ties_are_kept_in_order() -> None:
    with pytest.warns(UserWarning, match=r"row 3 lies before row 2.*sorted"):
        events = Events(LOG.iloc[[0, 3, 1, 2]])
    assert events.time.tolist() == [0, 1, 1, 5] and [events.types[i] for i in events.type_index] == ["x", "y", "x", "z"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Events(LOG).n == 4  # identical timestamps alone are nothing to warn about


def test_datetimes_numbers_and_frames_round_trip() -> None:
    stamps = pd.to_datetime(
        ["2024-01-01 00:00:00", "2024-01-01 00:00:01", "2024-01-01 00:00:01.5", "2024-01-02"], format="ISO8601"
    )
    events = Events(LOG.assign(timestamp=stamps, event=[10, 9, 10, 2]))
    assert events.types == ("2", "9", "10")
    np.testing.assert_allclose(np.diff(events.time), [1, 0.5, 86398.5])
    pd.testing.assert_frame_equal(Events(events.frame()).frame(), events.frame().sort_values("timestamp"))
    again = pickle.loads(pickle.dumps(events))
    assert again.types == events.types and np.array_equal(again.time, events.time) and not again.time.flags.writeable
    with pytest.raises(AttributeError, match="frozen"):
        again.time = events.time


def test_binned_counts_and_resamples() -> None:
    events = Events(LOG)
    assert events.binned(2.0).to_numpy().tolist() == [[2, 1, 0], [0, 0, 0], [0, 0, 1]]
    with pytest.raises(DataError, match="width is 0, and must be a finite number above 0"):
        events.binned(0)
    twice = events.take_devices(np.array([0, 0]))
    assert twice.n == 4 and len(twice.devices) == 2 and set(twice.type_index) == {0}
    blocks = events.take_blocks(np.array([1, 0, 0]), 3)
    assert (np.diff(blocks.time) >= 0).all() and blocks.types == events.types


def test_event_files_in_other_tools_spelling(tmp_path: Path) -> None:
    frame = LOG.rename(columns={"event": "alarm_id", "timestamp": "start_timestamp", "device": "device_id"})
    frame.assign(end_timestamp=[2, 2, 2, 6]).to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "wires.csv").write_text("u,v\nm,n\nlonely,\n")
    events = read_events(tmp_path / "log.csv", tmp_path / "wires.csv")
    assert events.devices == ("m", "n", "lonely") and events.duration is not None and events.duration[0] == 2
    frame.assign(end_timestamp=[2, 0, 2, 6]).to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(DataError, match=r"row 2 has the negative duration"):
        read_events(tmp_path / "bad.csv")
    frame.drop(columns="device_id").to_csv(tmp_path / "less.csv", index=False)
    with pytest.raises(DataError, match=re.escape("less.csv has no device column")):
        read_events(tmp_path / "less.csv")


def test_numbers_as_device_names_survive_a_float_column(tmp_path: Path) -> None:
    LOG.assign(device=[1, 2, 1, 3]).to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "wires.csv").write_text("u,v\n1,2\n3,\n")
    events = read_events(tmp_path / "log.csv", tmp_path / "wires.csv")
    assert set(events.devices) == {"1", "2", "3"} and events.adjacency.sum() == 2


def test_two_columns_that_may_be_the_event_are_not_guessed_at(tmp_path: Path) -> None:
    LOG.rename(columns={"event": "alarm_id"}).assign(type="x").to_csv(tmp_path / "log.csv", index=False)
    with pytest.raises(DataError, match=r"several columns that may hold the event: alarm_id, type; rename"):
        read_events(tmp_path / "log.csv")


def test_other_separators_and_dates_get_a_sentence(tmp_path: Path) -> None:
    GOOD.to_csv(tmp_path / "semi.csv", index=False, sep=";")
    semi = read_table(tmp_path / "semi.csv")
    assert semi.columns == ("a", "b", "c") and [note.text for note in semi.notes] == [
        "semi.csv separates its columns by semicolons"
    ]
    with pytest.raises(DataError, match="'b' holds dates"):
        as_table(GOOD.assign(b=pd.date_range("2024-01-01", periods=len(GOOD))))
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + GOOD.to_csv(index=False).encode())
    assert read_table(tmp_path / "bom.csv").columns == ("a", "b", "c")


def test_what_looks_like_data_is_not_taken_for_a_header(tmp_path: Path) -> None:
    GOOD.to_csv(tmp_path / "bare.csv", index=False, header=False)
    with pytest.raises(DataError, match="first line holds numbers only"):
        read_table(tmp_path / "bare.csv")
    (tmp_path / "blank.csv").write_text("\n\n" + GOOD.to_csv(index=False))
    assert read_table(tmp_path / "blank.csv").n == len(GOOD)
    LOG.to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "wires.csv").write_text("m,n\nn,far\n")
    with pytest.raises(DataError, match="first line is a link"):
        read_events(tmp_path / "log.csv", tmp_path / "wires.csv")
    (tmp_path / "three.csv").write_text("w,p,q\n1,x,y\n")
    with pytest.raises(DataError, match="3 columns"):
        read_events(tmp_path / "log.csv", tmp_path / "three.csv")


@pytest.mark.parametrize("scale", [1e300, 1e-200])
def test_numbers_that_cannot_be_squared_are_refused(scale: float) -> None:
    with pytest.raises(DataError, match=r"'b' holds numbers too large or too close.*rescale"):
        as_table(GOOD.assign(b=GOOD["b"] * scale))
    as_table(GOOD * 1e30)


def test_names_that_are_lists_are_refused() -> None:
    with pytest.raises(DataError, match=r"a name of a column is \[1, 2\]"):
        as_table(np.eye(4)[:, :2], names=[[1, 2], [3]])  # type: ignore[list-item]


def test_a_category_called_none_stays_one(tmp_path: Path) -> None:
    text = "a,b\n" + "None,1.5\nyes,2.5\n" * 20
    (tmp_path / "t.csv").write_text(text)
    assert read_table(tmp_path / "t.csv").levels[0] == ("None", "yes")
    (tmp_path / "t.csv").write_text(text.replace("None", "NA"))
    with pytest.raises(DataError, match="always 'yes'"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
def test_missing_cells_are_kept_and_counted(gap: object) -> None:
    frame = GOOD.assign(b=["no", "yes"] * 20, count=pd.array([1, 2, 2, 1] * 10, dtype="Int64")).astype({"b": object})
    frame.loc[[3, 5], "b"] = gap
    frame.loc[7, "count"] = pd.NA
    frame.loc[0, "a"] = np.nan
    table = as_table(frame)
    assert table.discrete.tolist() == [False, True, False, True]
    assert np.argwhere(table.missing).tolist() == [[0, 0], [3, 1], [5, 1], [7, 3]]
    assert table.levels[1] == ("no", "yes")
    assert table.incomplete
    assert "1 in 'a', 2 in 'b', 1 in 'count'" in table.demands["missing"]
    assert table.frame(labels=True)["b"][2:6].isna().tolist() == [False, True, False, True]
    assert not as_table(frame.dropna()).demands
    with pytest.raises(DataError, match="missing cells"):
        _ = table.covariance


def test_codes_of_missing_categories_are_minus_one() -> None:
    table = as_table(pd.DataFrame({"a": [1, 0, None] * 4, "b": ["x", None, "y"] * 4, "c": [0, 1, 1, 0] * 3}))
    assert table.codes[:3].tolist() == [[1, 0, 0], [0, -1, 1], [-1, 1, 1]]


def test_a_method_that_cannot_take_missing_cells_or_few_rows_says_which_can() -> None:
    gap = GOOD.mask(GOOD > 2)
    with pytest.raises(NotApplicable, match=r"missing cells .NaN.*These can:.* random.*dropna"):
        discover(gap, "notears")
    with pytest.raises(NotApplicable, match=r"it has 4 rows for 3 variables, and needs 5.*These can: "):
        discover(GOOD.head(4), "notears")
    assert discover(gap, "random").nodes == ("a", "b", "c")


def test_iso_dates_in_a_log_are_read(tmp_path: Path) -> None:
    LOG.assign(timestamp=["2024-01-01", "2024-01-01 00:00:01", "2024-01-01T00:00:02", "2024-01-02"]).to_csv(
        tmp_path / "l.csv"
    )
    frame = pd.read_csv(tmp_path / "l.csv", index_col=0)
    np.testing.assert_allclose(np.diff(Events(frame).time), [1, 1, 86398])


def test_a_column_that_a_resample_made_constant_is_named() -> None:
    frame = GOOD.assign(b=[1.5] + [0.0] * (len(GOOD) - 1))
    again = as_table(frame, discrete=False).take(np.arange(1, len(GOOD)))
    with pytest.raises(DataError, match="'b' is constant in this sample"):
        _ = again.correlation


@pytest.mark.filterwarnings("ignore::UserWarning")  # of resamples that are nearly sure of the state
def test_a_rare_state_ends_no_study() -> None:
    """One row of another state is in three of four parts; a sample without it says nothing of its column, and is drawn anew."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"]).assign(rare=["no"] * 59 + ["yes"])
    table = as_table(frame)
    for seed in range(20):
        for sample in (table.part(np.random.default_rng(seed), 0.5), table.resample(np.random.default_rng(seed))):
            assert len(np.unique(sample.values[:, 2])) == 2
    assert edge_confidence(table, "order", n=8).n == 8
    many = as_table(
        pd.DataFrame(np.eye(40)[:, :30]).assign(a=rng.normal(size=40)), discrete=False
    )  # as many rare states as parts lose
    part = many.part(np.random.default_rng(0), 0.5)
    assert 20 < part.n <= 40 + 20 and not (part.values == part.values[0]).all(axis=0).any()


def test_topology_files(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.array([[0, 1], [1, 0]]))
    assert list(read_topology(tmp_path / "t.npy").edges) == [(0, 1)]
    np.save(tmp_path / "skew.npy", np.array([[0, 1], [0, 0]]))
    with pytest.raises(DataError, match=r"row 0, column 1 breaks the symmetry"):
        read_topology(tmp_path / "skew.npy")
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read as a plain numpy array"):
        read_topology(tmp_path / "evil.npy")
