"""Numbers, dates and logs in the ways that other programs write them: read and told, or refused in a sentence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

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


MOMENTS = pd.Timestamp("2023-11-14 10:00:00") + pd.to_timedelta(np.cumsum(RNG.integers(20, 400, 24)), unit="s")
KINDS = [f"Kind {k % 3}" for k in range(24)]
PLACES = [f"R{k % 2}" for k in range(24)]
SHEET = pd.Timestamp("1899-12-30")


def same_log(log: cn.Events, lasts: bool = False) -> None:
    """The log of above, its events lasting half a minute each or not told to last."""
    np.testing.assert_allclose(log.time - log.time[0], (MOMENTS - MOMENTS[0]).total_seconds(), atol=0.01)
    assert log.types == ("Kind 0", "Kind 1", "Kind 2") and log.devices == ("R0", "R1")
    if lasts:
        np.testing.assert_allclose(log.duration, 30.0, atol=0.01)


def logged(folder: Path, names: str, form: str = "%Y-%m-%d %H:%M:%S", separator: str = ",") -> Path:
    """A file of that log, its columns called as given: the event, its begin, the device, and perhaps its end."""
    heads = names.split(",")
    columns = [KINDS, MOMENTS.strftime(form), PLACES, (MOMENTS + pd.Timedelta("30s")).strftime(form)][: len(heads)]
    quoted = [[f'"{cell}"' for cell in row] for row in zip(*columns, strict=True)]
    lines = [separator.join(row) for row in (heads, *quoted)]
    (folder / "log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "log.csv"


@pytest.mark.parametrize(
    "names",
    [
        "Name,Occurred On (NT),Alarm Source,Cleared On (NT)",
        "告警名称,发生时间,网元,清除时间",
        "Alarm,Beginn,Gerät,Ende",
        "Alarme,Début,Équipement,Fin",
        "Alarma,Inicio,Equipo,Fin",
        "Авария,Время начала,Устройство,Время окончания",
        "アラーム名,発生日時,装置名,復旧日時",
        "경보명,발생시간,장비명,해제시간",
        "alertname,startsAt,instance,endsAt",
        "Alarm Name,First Time Detected,Site Name,Last Time Cleared",
        "specificProblem,eventTime,objectOfReference,ceaseTime",
        "short_description,opened_at,cmdb_ci,resolved_at",
    ],
)
def test_columns_are_known_in_other_words(names: str, tmp_path: Path) -> None:
    same_log(cn.read_events(logged(tmp_path, names)), lasts=True)


@pytest.mark.filterwarnings("ignore:column 'Time'")
@pytest.mark.parametrize(
    "form",
    [
        "%b %d %Y %H:%M:%S",
        "%b %d %H:%M:%S",
        "%b %d, %Y @ %H:%M:%S.000",
        "%a, %d %b %Y %H:%M:%S +0000",
        "%d/%b/%Y:%H:%M:%S +0000",
        "%d-%b-%y %I.%M.%S.000000 %p",
        "%d.%m.%y %H:%M:%S",
        "%Y年%m月%d日 %H:%M:%S",
        "%Y%m%d%H%M%S",
        "%Y-%m-%d %H:%M:%S UTC",
        "%Y-%m-%d %H:%M:%S DST",
    ],
)
def test_dates_as_programs_write_them(form: str, tmp_path: Path) -> None:
    same_log(cn.read_events(logged(tmp_path, "Alarm,Time,Device", form)))


def test_days_of_a_spreadsheet(tmp_path: Path) -> None:
    def days(cell: object) -> str:
        return f"{(pd.Timestamp(str(cell)) - SHEET) / pd.Timedelta('1D'):.8f}"

    frame = pd.read_csv(logged(tmp_path, "Alarm,Start,Device,End"), converters={"Start": days, "End": days})
    frame.to_csv(tmp_path / "days.csv", index=False)
    with pytest.warns(UserWarning, match=r"days of a spreadsheet \(the first is 2023-11-14"):
        same_log(cn.read_events(tmp_path / "days.csv"), lasts=True)
    noon = pd.DataFrame({"event": KINDS, "timestamp": 40_000.0 + 600.3 * np.arange(24), "device": PLACES})
    with pytest.warns(UserWarning, match="is read as seconds; pass unit='d'"):
        assert cn.Events(noon).time[1] == 40_600.3
    assert cn.Events(noon, unit="d").time[1] == pytest.approx(40_600.3 * 86_400)


def test_alerts_in_json(tmp_path: Path) -> None:
    alerts = [
        {"labels": {"alertname": kind, "instance": place}, "status": {"silencedBy": []}, "startsAt": at, "endsAt": end}
        for kind, place, at, end in zip(
            KINDS, PLACES, map(str, MOMENTS), map(str, MOMENTS + pd.Timedelta("30s")), strict=True
        )
    ]
    lines = "\n".join(map(json.dumps, alerts))
    for name, text in (
        ("a.json", json.dumps(alerts)),
        ("b.json", json.dumps({"receiver": "x", "alerts": alerts})),
        ("c.json", lines),
        ("d.jsonl", lines),
    ):
        (tmp_path / name).write_text(text)
        same_log(cn.read_events(tmp_path / name), lasts=True)
    for text, words in (("{", "not valid"), ('{"a": 1}', "no list of objects"), ("[1]", "no list of objects")):
        (tmp_path / "e.json").write_text(text)
        with pytest.raises(cn.DataError, match=words):
            cn.read_table(tmp_path / "e.json")


@pytest.mark.parametrize(
    "dress",
    [
        lambda lines: ["Alarm export", "User: admin", "", *lines],
        lambda lines: ["Alarm export,,", "Created,2024-01-01,", ",,", *lines],
        lambda lines: [*lines[:9], lines[0], *lines[9:]],
        lambda lines: [lines[0], "-----,-----,-----", *lines[1:]],
        lambda lines: [line + "," for line in lines],
        lambda lines: [lines[0], *(line + ",," for line in lines[1:])],
        lambda lines: ["|---|---|---|", *("|" + line.replace(",", "|") + "|" for line in lines)],
        lambda lines: [f"| {line.replace(',', ' | ')} |" if line else "+--+--+--+" for line in ("", *lines, "")],
    ],
    ids=["title", "table title", "names again", "ruled", "ends in commas", "rows end in commas", "bars", "box"],
)
def test_what_stands_around_a_table(dress: Callable[[list[str]], list[str]], tmp_path: Path) -> None:
    path = logged(tmp_path, "Alarm,Time,Device")
    path.write_text("\n".join(dress(path.read_text().replace('"', "").splitlines())) + "\n")
    same_log(cn.read_events(path))


@pytest.mark.parametrize(
    "links",
    [
        [("R0", "R1")],
        {("R0", "R1")},
        {"R0": ["R1"]},
        {"R0": "R1", "R1": {"R0"}},
        np.array([["R0", "R1"]]),
        pd.DataFrame({"Quelle": ["R0"], "w": [3], "Ziel": ["R1"]}),
        pd.DataFrame([[0, 1, 0], [1, 0, 0], [0, 0, 0]], ["R0", "R1", "R2"], ["R0", "R1", "R2"]),
        ("t.csv", "here,port,there\nR0,1,R1\n"),
        ("t.csv", "d,R1,R0,R2\nR0,1,0,0\nR1,0,1,0\nR2,0,0,0\n"),
        ("t.json", '{"R0": ["R1"]}'),
        ("t.json", '[["R0", "R1"]]'),
        ("t.json", '[{"from": "R0", "to": "R1"}]'),
    ],
    ids=[
        "pairs",
        "set",
        "lists",
        "dict",
        "array",
        "frame",
        "matrix",
        "file",
        "file of a matrix",
        "json dict",
        "json pairs",
        "json links",
    ],
)
def test_links_in_any_form(links: object, tmp_path: Path) -> None:
    if isinstance(links, tuple):
        (tmp_path / links[0]).write_text(links[1])
        links = tmp_path / links[0]
    log = cn.read_events(logged(tmp_path, "event,timestamp,device"), links)
    assert {frozenset(link) for link in log.topology.edges} == {frozenset(("R0", "R1"))}


@pytest.mark.parametrize(
    "links", [3, ["R0-R1"], sp.eye_array(2), np.zeros((3, 3)), nx.Graph([("R0", np.nan)]), [(1, [])]]
)
def test_what_is_no_topology_is_told(links: object, tmp_path: Path) -> None:
    with pytest.raises(cn.DataError, match="topology"):
        cn.read_events(logged(tmp_path, "event,timestamp,device"), links)


def test_names_that_are_missing_are_no_names() -> None:
    two = np.array([[0, 1], [0, 0]])
    assert cn.Graph(["a", "b"], sp.csr_array(two)).edges == (("a", "b"),)
    for nodes in (["a", None], ["a", np.nan], {"a", "b"}):
        with pytest.raises(cn.DataError, match="nodes"):
            cn.Graph(nodes, two)
    with pytest.raises(cn.DataError, match="column 2 has no name"):
        cn.as_table(pd.DataFrame(RNG.normal(size=(9, 2)), columns=["a", None]))


def test_dates_with_points_tell_nothing_of_decimals(tmp_path: Path) -> None:
    rows = [f"{20 + i * 0.137:.3f};{40 - i * 0.211:.3f}".replace(".", ",") for i in range(60)]
    dated = [f"{i % 28 + 1:02d}.01.2024;{row}" for i, row in enumerate(rows)]
    (tmp_path / "t.csv").write_text("day;x;y\n" + "\n".join(dated))
    with pytest.warns(UserWarning, match="commas before decimals"):
        assert cn.read_table(tmp_path / "t.csv").frame().x.iloc[1] == pytest.approx(20.137)


def test_days_written_as_one_number_are_days(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("time,event,device\n20240101,A,d\n20240102,B,d\n20240202,A,d\n")
    assert np.diff(cn.read_events(tmp_path / "log.csv").time).tolist() == [86_400.0, 31 * 86_400.0]


def test_a_column_called_active_is_asked_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("time,event,device,active\n1,A,d,1\n3,A,d,0\n9,B,d,1\n")
    with pytest.warns(UserWarning, match="write raised and cleared"):
        cn.read_events(tmp_path / "log.csv")


def test_a_data_set_larger_than_memory_is_a_sentence() -> None:
    with pytest.raises(cn.DataError, match="does not fit into memory"):
        cn.load_dataset("asia:n=1000000000000")
