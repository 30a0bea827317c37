"""What people bring in is read right and told, or refused in a sentence: tables, logs, and what ``look`` says of them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.data.headers import found_separator
from causalnet.data.numerals import read_numerals
from causalnet.data.topology import read_topology

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(60, 3)), columns=["a", "b", "c"]).round(4)
WHOLE = RNG.integers(1000, 9_000_000, 60)


@pytest.mark.parametrize(
    ("name", "separator"),
    [("t.txt", " "), ("t.dat", "\t"), ("t.csv", ";"), ("t.csv", "|"), ("t.csv", "\t"), ("t.tsv", ","), ("t.csv", " ")],
)
def test_the_separator_is_found(tmp_path: Path, name: str, separator: str) -> None:
    FRAME.to_csv(tmp_path / name, index=False, sep=separator)
    table = cn.read_table(tmp_path / name)
    assert table.columns == ("a", "b", "c")
    np.testing.assert_array_equal(table.values, FRAME.to_numpy())
    assert "separates its columns" in table.notes[0].text


def test_a_line_that_names_the_separator_is_no_header(tmp_path: Path) -> None:
    for line, mark in (("sep=;", ";"), ('"sep=|"', "|"), ("SEP=\\t", "\t")):
        (tmp_path / "t.csv").write_text(f"{line}\n{FRAME.to_csv(index=False, sep=mark)}")
        np.testing.assert_array_equal(cn.read_table(tmp_path / "t.csv").values, FRAME.to_numpy())


def test_columns_without_a_value_are_told_together() -> None:
    found = cn.look(FRAME.assign(d=np.nan, e=None))
    assert [t.shell for t in found.troubles] == ["leave them out: --drop d,e"]


def test_durations_have_a_unit_of_their_own() -> None:
    stamps = 1_700_000_000_000 + 60_000 * np.arange(20)
    log = pd.DataFrame({"event": ["a", "b"] * 10, "timestamp": stamps, "device": "d", "duration": 500})
    with pytest.warns(
        UserWarning, match=r"'duration' is read as seconds, beside times in milliseconds; .*--duration-unit ms"
    ):
        assert cn.Events(log, unit="ms").duration.max() == 500
    with pytest.warns(UserWarning, match="'duration' is read as milliseconds"):  # in seconds they would outlast the log
        assert cn.Events(log.assign(duration=50_000), unit="ms").duration.max() == 50
    assert cn.Events(log, unit="ms", duration_unit="ms").duration.max() == 0.5
    spans = log.assign(duration=pd.to_timedelta(3, unit="s"))
    assert cn.Events(spans, unit="ms", duration_unit="ms").duration.max() == 3


def test_separators_in_quotes_or_in_cells_do_not_mislead() -> None:
    assert found_separator(["a,b;c", "1,2;3", "4,5;6"]) == ","
    assert found_separator(["a;b", "1,5;2,5", "2,25;1"]) == ";"
    assert found_separator(['"x;y",z', '"1;1",2']) == ","
    assert found_separator(["first name", "John Smith", "Ada L"]) == ","
    assert found_separator(["x  y", "1   2", " 3 4"]) == " "


def test_lines_of_json_compressed_text_and_row_names(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps(row) for row in FRAME.to_dict("records")))
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(FRAME.to_csv(index=False, sep="\t").encode()))
    (tmp_path / "r.txt").write_text("a b c\n" + FRAME.to_csv(header=False, sep=" ", index_label=False))
    for name in ("t.jsonl", "t.txt.gz"):
        np.testing.assert_array_equal(cn.read_table(tmp_path / name).values, FRAME.to_numpy())
    FRAME.set_axis([f"r{k}" for k in range(60)]).to_csv(tmp_path / "r.csv", header=False)
    (tmp_path / "r.csv").write_text("a,b,c\n" + (tmp_path / "r.csv").read_text())
    rows = FRAME.set_axis([f'"r{k}"' for k in range(60)]).to_csv(header=False, sep=" ", quoting=3)
    (tmp_path / "q.txt").write_text(f"a b c\n{rows}")
    for name in ("r.csv", "q.txt"):
        with pytest.warns(UserWarning, match="unnamed first column labels the rows"):
            assert cn.read_table(tmp_path / name).columns == ("a", "b", "c")
    for text, words in (
        ("[1]\n", "no JSON object"),
        ("{a}\n", "not valid JSON"),
        ('{"a": [1]}\n', "list"),
        ("\n", "no row"),
    ):
        (tmp_path / "bad.jsonl").write_text(text)
        with pytest.raises(cn.DataError, match=words):
            cn.read_table(tmp_path / "bad.jsonl")


@pytest.mark.parametrize(
    ("write", "how"),
    [
        (lambda v: f"{v:,}", "commas between thousands"),
        (lambda v: f"{v:,}".replace(",", " "), "spaces or apostrophes"),
        (lambda v: f"{v:,}".replace(",", "'"), "spaces or apostrophes"),
        (lambda v: f"{v:,}".replace(",", "\u202f"), "spaces or apostrophes"),
        (lambda v: f"{v:,}.00".replace(",", "_").replace(".", ",").replace("_", "."), "commas before decimals"),
        (lambda v: f"{v},0", "commas before decimals"),
        (lambda v: f"{v}%", "'%' left off"),
        (lambda v: f"${v:,}.50", "'\\$' left off"),
        (lambda v: f"{v} kg", "'kg' left off"),
        (lambda v: f"{v}€", "'€' left off"),
        (lambda v: f"{v / 1e4:.4f}D+04", "Fortran"),
        (lambda v: "".join(chr(0x660 + int(c)) for c in str(v)), "another script"),
    ],
)
def test_numbers_written_as_texts_are_read_and_told(write: Any, how: str) -> None:
    frame = pd.DataFrame({"x": [write(int(v)) for v in WHOLE], "y": FRAME["a"]})
    with pytest.warns(UserWarning, match=f"'x' is read as numbers: .*{how}"):
        table = cn.as_table(frame)
    half = 0.5 if ".50" in frame["x"][0] else 0.0
    np.testing.assert_allclose(table.values[:, 0], WHOLE + half, rtol=1e-4)
    assert cn.as_table(frame, discrete=["x"]).discrete[0]


def test_negative_numbers_in_brackets_and_what_is_no_number() -> None:
    assert read_numerals(["(1,234.5)", "−3", "+2"]).numbers.tolist() == [-1234.5, -3, 2]
    assert read_numerals(["1.234.567", "1.234"]).numbers.tolist() == [1234567, 1234]
    for text in ("a1", "1-2", "12:30", "1,2,3", "", "v1.2.3"):
        assert np.isnan(read_numerals([text]).numbers).all(), text


def test_units_that_differ_are_refused_by_name() -> None:
    texts = [f"{v} kg" if k % 3 else f"{v} g" for k, v in enumerate(WHOLE)]
    with pytest.raises(cn.DataError, match="'x' holds numbers of different units \\('g' and 'kg'\\)"):
        cn.as_table(FRAME.assign(x=texts))


def test_marks_of_missing_cells_are_told_and_more_are_declared() -> None:
    odd = [*map(str, FRAME["a"])]
    odd[3], odd[9] = "*", "?"
    with pytest.warns(UserWarning, match="2 cells of 'a' hold '\\*', '\\?' and are read as missing"):
        table = cn.as_table(FRAME.assign(a=odd))
    assert table.missing[:, 0].nonzero()[0].tolist() == [3, 9]
    coded = FRAME.abs()
    coded.loc[[2, 5], "b"] = -99
    with pytest.warns(UserWarning, match="2 cells of 'b' hold -99"):
        assert cn.as_table(coded).missing[:, 1].sum() == 2
    assert not cn.as_table(coded - 100.0).incomplete  # -199 among negative numbers is a number
    declared = cn.as_table(FRAME.assign(a=[*FRAME["a"][:-1], 777.0]), missing=[777])
    assert declared.missing[-1, 0] and declared.missing.sum() == 1
    words = ["yes", "no", "?"] * 20
    with pytest.warns(UserWarning, match="20 cells of 'w'"):
        assert cn.as_table(FRAME.assign(w=words)).levels[3] == ("no", "yes")


def test_what_labels_the_rows_is_left_out_unless_it_is_named() -> None:
    frame = FRAME.assign(day=pd.date_range("2020", periods=60).strftime("%Y-%m-%d"), who=[f"n{k}" for k in range(60)])
    frame.insert(0, "Unnamed: 0", range(60))
    with pytest.warns(
        UserWarning, match="counts the rows.*'day' holds dates as text.*'who' has another text in every row"
    ):
        table = cn.as_table(frame)
    assert table.columns == ("a", "b", "c")
    with pytest.warns(UserWarning, match="'day'"):
        kept = cn.as_table(frame.drop(columns="Unnamed: 0"), discrete=["who"], continuous=["a"])
    assert kept.columns == ("a", "b", "c", "who")


def test_all_that_is_wrong_is_said_at_once() -> None:
    frame = FRAME.assign(
        d=np.nan,
        e=1.0,
        f=np.inf,
        g=FRAME["a"],
        h=[*map(str, FRAME["b"][:-1]), "oops"],
        i=pd.date_range("2020", periods=60),
    )
    with pytest.raises(cn.DataError) as caught:
        cn.as_table(frame)
    for words in (
        "'d' has no value",
        "'e' is constant",
        "'f' has the infinite",
        "'a' and 'g'",
        "row 60 has the text 'oops'",
        "'i' holds dates",
    ):
        assert words in str(caught.value)
    seen = cn.look(frame)
    assert not seen.ready and len(seen.troubles) == 6 and len(seen.frame()) == 9


def test_few_whole_numbers_are_categories_unless_named() -> None:
    frame = FRAME.assign(q=RNG.integers(3, 9, 60))
    table = cn.as_table(frame)
    assert table.kind == "mixed" and "6 whole numbers" in table.notes[0].text
    assert cn.as_table(frame, continuous=["q"]).kind == "continuous"
    with pytest.raises(cn.NotApplicable, match=r"as_table\(frame, continuous=\['q'\]\)") as caught:
        cn.discover(frame, "notears")
    assert "--continuous q" in caught.value.in_shell
    with pytest.raises(cn.DataError, match="'q' stands in discrete and in continuous"):
        cn.as_table(frame, discrete=["q"], continuous=["q"])


def test_frames_of_other_make_are_the_same_table() -> None:
    import pyarrow as pa

    class Relation:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return pa.table(frame).__arrow_c_stream__(requested_schema)

    frame = FRAME.assign(season=["winter", "summer", "spring"] * 20)
    plain = cn.as_table(frame)
    for other in (pa.table(frame), frame.convert_dtypes(), frame.convert_dtypes(dtype_backend="pyarrow"), Relation()):
        table = cn.as_table(other)
        assert table.levels == plain.levels
        np.testing.assert_array_equal(table.values, plain.values)
    records = np.array([(1.5, 2.0), (2.5, 1.0), (0.0, 7.5)], dtype=[("x", float), ("y", float)])
    assert cn.as_table(records).columns == ("x", "y")


def test_more_cells_than_rows_and_times_out_of_order_are_warned_of() -> None:
    k = RNG.integers(0, 60, 400)
    with pytest.warns(UserWarning, match="degrees of freedom for 400 rows"):
        cn.as_table(pd.DataFrame({"p": [f"P{v}" for v in k], "q": [f"Q{v // 2}" for v in k]}))
    frame = FRAME.set_index(pd.date_range("2020", periods=60))
    cn.as_table(frame)
    with pytest.warns(UserWarning, match="not ascending"):
        cn.as_table(frame.iloc[::-1])


# ---- logs ---------------------------------------------------------------------------------------------------------

START = 1_700_000_000
LOG = pd.DataFrame(
    {"timestamp": START + np.arange(40) * 7, "event": ["A", "B"] * 20, "device": ["d1", "d1", "d2", "d2"] * 10}
)


@pytest.mark.parametrize(("factor", "unit"), [(10**3, "milli"), (10**6, "micro"), (10**9, "nano")])
def test_epochs_of_every_unit_are_the_same_log(factor: int, unit: str) -> None:
    with pytest.warns(UserWarning, match=f"read as {unit}seconds since 1970"):
        log = cn.Events(LOG.assign(timestamp=LOG["timestamp"] * factor))
    np.testing.assert_array_equal(log.time, cn.Events(LOG).time)
    assert cn.Events(LOG.assign(timestamp=LOG["timestamp"] * factor), unit="s").time[0] == START * factor


def test_nanoseconds_far_dates_and_spans() -> None:
    close = START * 10**9 + np.arange(40) * 3
    with pytest.warns(UserWarning, match="counted from the first one"):
        log = cn.Events(LOG.assign(timestamp=close), unit="ns")
    np.testing.assert_allclose(np.diff(log.time), 3e-9)
    far = pd.Series(np.array(["1500-01-01", "3000-01-01"] * 20, dtype="M8[s]")).sort_values(ignore_index=True)
    assert np.ptp(cn.Events(LOG.assign(timestamp=far)).time) == (far.iloc[-1] - far.iloc[0]).total_seconds()
    spans = pd.to_timedelta(np.arange(40) * 90, unit="s")
    assert cn.Events(LOG.assign(timestamp=spans)).time[-1] == 39 * 90
    with pytest.raises(cn.DataError, match="mixes times of different units"):
        cn.Events(LOG.assign(timestamp=[START * 10**9, *[START * 10**3] * 39]))


def test_columns_of_vendors_and_columns_that_are_named(tmp_path: Path) -> None:
    vendor = LOG.set_axis(["First Occurrence", "AlarmName", "NE Name"], axis=1)
    vendor.to_csv(tmp_path / "v.csv", index=False)
    assert cn.read_events(tmp_path / "v.csv").n == 40
    LOG.set_axis(["TimeStamp", "Event", "DEVICE"], axis=1).to_csv(tmp_path / "c.csv", index=False)
    assert cn.read_events(tmp_path / "c.csv").types == ("A", "B")
    LOG.set_axis(["when", "what", "where"], axis=1).to_csv(tmp_path / "o.csv", index=False)
    named = {"timestamp": "when", "event": "what", "device": "where"}
    assert cn.read_events(tmp_path / "o.csv", columns=named).devices == ("d1", "d2")
    with pytest.raises(cn.DataError, match="no event column"):
        cn.read_events(tmp_path / "o.csv")
    with pytest.raises(cn.UnknownNameError, match="'whn'"):
        cn.read_events(tmp_path / "o.csv", columns={**named, "timestamp": "whn"})


def test_pairs_open_alarms_and_bad_rows(tmp_path: Path) -> None:
    rows = [(0, "A", "d", "RAISED"), (1, "B", "d", "raised"), (4, "A", "d", "CLEARED"), (9, "A", "d", "RAISED")]
    pd.DataFrame(rows, columns=["timestamp", "event", "device", "state"]).to_csv(tmp_path / "p.csv", index=False)
    with pytest.warns(UserWarning, match="3 events were raised, 1 cleared"):
        log = cn.read_events(tmp_path / "p.csv")
    assert log.duration is not None and log.duration.tolist() == [4, 8, 0]
    LOG.assign(end=[*(LOG["timestamp"] + 1)[:-1], np.nan]).to_csv(tmp_path / "o.csv", index=False)
    with pytest.warns(UserWarning, match="1 events have no end"):
        assert cn.read_events(tmp_path / "o.csv").n == 40
    text = LOG.to_csv(index=False) + "5,A\nsoon,A,d1\n7,A,d1,x,y\n,B,d1\n"
    (tmp_path / "bad.csv").write_text(text)
    with pytest.warns(UserWarning, match="4 rows that cannot be read were left out"):
        assert cn.read_events(tmp_path / "bad.csv", skip_bad_rows=10).n == 40
    with pytest.raises(cn.DataError, match="4 rows lack an event, a time or a device"):
        cn.read_events(tmp_path / "bad.csv", skip_bad_rows=3)


def test_devices_with_leading_zeros_stay_apart(tmp_path: Path) -> None:
    LOG.assign(device=["01", "1", "2", "10"] * 10).to_csv(tmp_path / "z.csv", index=False)
    assert set(cn.read_events(tmp_path / "z.csv").devices) == {"01", "1", "2", "10"}
    LOG.assign(device=[3, 1, 2, 10] * 10).to_csv(tmp_path / "n.csv", index=False)
    assert cn.read_events(tmp_path / "n.csv").devices == ("1", "2", "3", "10")


# ---- look -----------------------------------------------------------------------------------------------------------


def test_look_says_how_each_column_is_read(tmp_path: Path) -> None:
    frame = FRAME.assign(**{"id": range(60), "size (mm)": RNG.integers(0, 3, 60), "w": ["x", "y"] * 30})
    frame.to_csv(tmp_path / "t.csv", index=False, sep=";")
    seen = cn.look(tmp_path / "t.csv")
    kinds = dict(zip(seen.frame()["name"], seen.frame()["kind"], strict=True))
    assert kinds == {**dict.fromkeys("abc", "continuous"), "size (mm)": "discrete", "w": "discrete", "id": "left out"}
    assert seen.ready and seen.kind == "mixed" and seen.n == 60 and "separates its columns by semicolons" in repr(seen)
    assert seen.frame().set_index("name").loc["size (mm)", "unit"] == "mm"
    json.dumps(seen.to_dict())
    LOG.to_csv(tmp_path / "log.csv", index=False)
    log = cn.look(tmp_path / "log.csv")
    assert log.kind == "events" and log.n == 40 and log.frame()["name"].tolist() == ["event", "timestamp", "device"]
    assert cn.look(cn.as_table(FRAME)).kind == "continuous" and cn.look(cn.Events(LOG)).kind == "events"


def test_topologies_of_every_form_are_the_same(tmp_path: Path) -> None:
    links = [("d1", "d2"), ("d2", "d3")]
    LOG.to_csv(tmp_path / "log.csv", index=False)
    wide = pd.DataFrame(links, columns=["Source", "Target"]).assign(speed=10)
    wide[["speed", "Source", "Target"]].to_csv(tmp_path / "w.csv", index=False)
    pd.DataFrame(links, columns=["x", "y"]).to_csv(tmp_path / "n.tsv", index=False, sep="\t")
    nx.write_graphml(nx.DiGraph(links), tmp_path / "g.graphml")
    labelled = nx.relabel_nodes(nx.Graph(links), {"d1": "n0", "d2": "n1", "d3": "n2"})
    nx.set_node_attributes(labelled, {"n0": "d1", "n1": "d2", "n2": "d3"}, "label")
    nx.write_graphml(labelled, tmp_path / "l.graphml")
    (tmp_path / "j.json").write_text(json.dumps(nx.node_link_data(nx.Graph(links), edges="links")))
    (tmp_path / "e.json").write_text(json.dumps(nx.node_link_data(nx.Graph(links), edges="edges")))
    for name in ("w.csv", "n.tsv", "g.graphml", "l.graphml", "j.json", "e.json"):
        log = cn.read_events(tmp_path / "log.csv", tmp_path / name)
        assert log.devices == ("d1", "d2", "d3") and log.adjacency.sum() == 4, name
    zeros = pd.DataFrame([("01", "1"), ("1", "10")], columns=["u", "v"])
    zeros.to_csv(tmp_path / "z.csv", index=False)
    assert sorted(read_topology(tmp_path / "z.csv").nodes) == ["01", "1", "10"]
    for name, text in (
        ("b.graphml", "<graphml"),
        ("b.json", "{"),
        ("c.json", "[1]"),
        ("d.json", '{"nodes": [{}], "links": []}'),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(cn.DataError, match=name):
            read_topology(tmp_path / name)


CELLS = [
    "1", "2.5", "-3", "1,5", "1.234,5", "NA", "?", "*", ".", "-99", "abc", "é", "", "12%", "$5", "3 kg", "4 g", "2020-01-01",
    "1e5", "1D3", "inf", "nan", "١٢", "True", "None", "[1]", "{", '"', "'", "\x07", "0x1F", "(5)", "9" * 400, "1e999", "a;b",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_hostile_files_are_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    answered = 0
    for _ in range(120):
        names = ["event", "timestamp", "device", "x"] if rng.random() < 0.4 else [str(rng.choice(CELLS)), "a", "b"]
        pools = [[str(c) for c in rng.choice(CELLS, 3)] + [f"{v:.3f}" for v in rng.normal(size=9)] for _ in names]
        mark = str(rng.choice([",", ";", "\t", " ", "|"]))
        rows = [mark.join(str(rng.choice(pool)) for pool in pools) for _ in range(int(rng.integers(0, 25)))]
        path = tmp_path / f"t{rng.choice(['.csv', '.dat', '.tsv', '.jsonl'])}"
        path.write_text("\n".join([mark.join(names), *rows]))
        for read in (cn.look, cn.read_table, cn.read_events):
            try:
                repr(read(path))
                answered += 1
            except cn.CausalnetError:
                continue
    assert answered > 60


def test_ends_of_links_that_stand_twice_are_refused(tmp_path: Path) -> None:
    (tmp_path / "links.csv").write_text("source,target,target\nd1,d2,d3\n")
    with pytest.raises(cn.DataError, match="several columns called source or target"):
        read_topology(tmp_path / "links.csv")


def test_texts_beside_the_named_categories_are_categories(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.integers(0, 3, 60), "city": rng.choice(["a", "b"], 60), "k": rng.integers(0, 4, 60)})
    assert cn.as_table(frame, discrete=["x"]).discrete.tolist() == [True, True, False]
    frame["text"], frame["object"] = rng.choice(["1", "2"], 60), rng.integers(0, 2, 60).astype(object)  # numbers
    assert cn.as_table(frame, discrete=["x"]).discrete.tolist() == [True, True, False, False, False]
    frame[["x", "city"]].to_csv(tmp_path / "t.csv", index=False)
    assert cn.stream_table(tmp_path / "t.csv", discrete=["x"]).kind == "discrete"
    with pytest.raises(cn.DataError, match="holds text"):
        cn.as_table(frame, discrete=False)
