"""What other programs write and a table's reader would take for something else: read for what it is, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.data.headers import found_separator

RNG = np.random.default_rng(0)
N = 40
X = RNG.normal(size=(N, 3)).round(3)
G = RNG.choice(["lo", "mid", "hi"], N)
T = 1_700_000_000 + np.cumsum(RNG.integers(1, 600, N))
EVENT, DEVICE = RNG.choice(["LinkDown", "Fan"], N), RNG.choice(["r1", "r2"], N)
Line = Callable[[int], str]


def written(folder: Path, head: str, line: Line, name: str = "t.csv") -> Path:
    (folder / name).write_text(head + "".join(f"{line(k)}\n" for k in range(N)), encoding="utf-8")
    return folder / name


def stamp(k: int, form: str = "%Y-%m-%d %H:%M:%S", later: int = 0) -> str:
    return str(pd.Timestamp(int(T[k]) + later, unit="s").strftime(form))


@pytest.mark.parametrize(
    ("head", "line", "words"),
    [
        ("", lambda k: f"{X[k, 0]},{X[k, 1]},{G[k]}", "the first line seems to be a row"),
        ("", lambda k: f"{G[k]},{G[-k]}", "the first line seems to be a row"),
        ("% made\n@relation t\n@data\n", lambda k: f"{X[k, 0]},{G[k]}", "the first line seems to be a row"),
        ("@relation t\n@data\n", lambda k: f"{X[k, 0]},{G[k]}", "a Weka file"),
        ("", lambda k: f"{stamp(k, '%b %d %H:%M:%S')} {DEVICE[k]} kernel: {EVENT[k]} up", "begins with a time"),
        ("", lambda k: f"[{T[k]}] SERVICE ALERT: {DEVICE[k]};{EVENT[k]};OK;text, and more", "begins with a time"),
        ("", lambda k: f"<165>1 {stamp(k, '%Y-%m-%dT%H:%M:%SZ')} {DEVICE[k]} app - {EVENT[k]}", "begins with a time"),
        ("/Covariance\n500\n", lambda k: "a\tb", "a covariance matrix"),
        ("sizes\n", lambda k: f"{X[k, 0]};{X[k, 1]}", "the rows hold several cells"),
    ],
)
def test_a_file_without_names_is_refused(head: str, line: Line, words: str, tmp_path: Path) -> None:
    with pytest.raises(cn.DataError, match=words):
        cn.look(written(tmp_path, head, line))


def test_names_that_are_numbers_stay_names(tmp_path: Path) -> None:
    waves = ",".join(f"{400.5 + 2 * k}" for k in range(6))
    spectrum = written(tmp_path, f"kind,{waves}\n", lambda k: ",".join([G[k], *(f"{v}" for v in RNG.normal(size=6))]))
    assert cn.look(spectrum).kind == "mixed"
    years = written(tmp_path, "land,2001,2002\n", lambda k: f"C{k % 9},{X[k, 0]},{X[k, 1]}")
    assert [c.name for c in cn.look(years).columns] == ["land", "2001", "2002"]
    assert found_separator(["Nov 14 22:18:04 r2 kernel", "Nov 14 22:18:05 r2 kernel"]) != ":"


def test_quoted_names_between_spaces(tmp_path: Path) -> None:
    path = written(tmp_path, '"my a" "b" "g"\n', lambda k: f'"{k + 1}" {X[k, 0]} {X[k, 1]} "{G[k]}"', "t.txt")
    assert [c.name for c in cn.look(path).columns][:3] == ["my a", "b", "g"]


@pytest.mark.filterwarnings("ignore")
def test_a_total_is_no_row_and_other_last_rows_are(tmp_path: Path) -> None:
    path = written(tmp_path, "place,a,b\n", lambda k: f"p{k},{X[k, 0]},{X[k, 1]}")
    rows = path.read_text()
    for last, n in ((X[:, :2].sum(axis=0), N), (X[:, :2].mean(axis=0), N), (np.array([9.0, 9.0]), N + 1)):
        path.write_text(f"{rows}Total,{last[0]:.3f},{last[1]:.3f}\n")
        seen = cn.look(path)
        assert seen.n == n and any("'Total'" in note for note in seen.notes)


@pytest.mark.parametrize("matrix", ["labelled", "mirrored", "half"])
def test_a_matrix_is_no_table(matrix: str) -> None:
    corr = np.corrcoef(RNG.normal(size=(50, 5)).T)
    frame = pd.DataFrame(
        np.where(np.triu(np.ones((5, 5)), 1) > 0, np.nan, corr) if matrix == "half" else corr, columns=list("pqrst")
    )
    frame = pd.DataFrame(RNG.normal(size=(5, 5)), list("pqrst"), list("pqrst")) if matrix == "labelled" else frame
    with pytest.raises(cn.DataError, match="it is a matrix"):
        cn.as_table(frame)
    assert cn.as_table(pd.DataFrame(RNG.normal(size=(5, 5)))).n == 5


@pytest.mark.filterwarnings("ignore")
def test_points_between_thousands_and_zeros_before_numbers_are_told(tmp_path: Path) -> None:
    grouped = written(tmp_path, "a;b\n", lambda k: f"{1000 + 37 * k:,};{k % 12}".replace(",", "."))
    np.testing.assert_array_equal(cn.read_table(grouped).values[:, 0], 1000 + 37 * np.arange(N))
    plain = written(tmp_path, "a;b\n", lambda k: f"{1 + k / 1000:.3f};{k / 8}")
    np.testing.assert_allclose(cn.read_table(plain).values[:, 0], 1 + np.arange(N) / 1000)
    codes = written(tmp_path, "zip,b\n", lambda k: f"0{1234 + k % 3},{X[k, 0]}")
    assert any("zeros before them (01234)" in note for note in cn.look(codes).notes)


@pytest.mark.filterwarnings("ignore")
def test_marks_of_other_programs_mean_missing(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a,b\n", lambda k: f"{['.a', '#NULL!', ':', '—'][k // 5 % 4] if k % 5 == 0 else X[k, 0]},{X[k, 1]}"
    )
    assert int(cn.read_table(path).missing[:, 0].sum()) == N // 5


def test_rows_of_json_by_their_number(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=list("abc"))
    for orient in ("index", "columns"):
        frame.to_json(tmp_path / "t.json", orient=orient)  # type: ignore[call-overload]
        np.testing.assert_allclose(cn.read_table(tmp_path / "t.json").values, X)


# ---- logs ----------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.* events have no end")
def test_a_row_with_a_status_and_an_end_is_a_whole_alarm(tmp_path: Path) -> None:
    def line(k: int) -> str:
        return f"{stamp(k)},{stamp(k, later=100) if k % 3 else ''},{'RESOLVED' if k % 3 else 'PROBLEM'},{DEVICE[k]},{EVENT[k]}"

    path = written(tmp_path, "Time,Recovery time,Status,Host,Problem\n", line)
    with pytest.warns(UserWarning, match="every row is one alarm"):
        log = cn.read_events(path)
    assert log.n == N and log.duration is not None and np.sum(log.duration == 100.0) == N - len(range(0, N, 3))


@pytest.mark.filterwarnings("ignore:every event is called", "ignore:column .state. says")
def test_rows_that_acknowledge_are_no_events(tmp_path: Path) -> None:
    path = written(
        tmp_path, "event,timestamp,device,state\n", lambda k: f"E,{T[k]},d,{['raised', 'acked', 'cleared'][k % 3]}"
    )
    with pytest.warns(UserWarning, match="13 rows that do neither are left out"):
        log = cn.read_events(path)
    assert log.n == 14
    path.write_text(path.read_text().replace("acked", "odd"))
    with pytest.warns(UserWarning, match="every row is read as an event of its own"):
        assert cn.read_events(path).n == N


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (lambda k: (int(T[k]) + 11644473600) * 10**7, "file times of Windows"),
        (lambda k: (int(T[k]) + 62135596800) * 10**7, r"ticks of \.NET"),
        (lambda k: int(T[k]) * 10**7, "steps of 100 ns"),
        (lambda k: stamp(k, "%y%m%d%H%M%S"), "dates without a century"),
        (lambda k: stamp(k) + ("+01:00" if k % 2 else ""), "times with a zone .* and times without one"),
        (lambda k: f"{(22 + k // 10) % 24:02d}:{k:02d}:00", "goes back from 23:19:00 to 00:20:00 in row 21"),
    ],
)
def test_times_of_other_clocks_are_refused(time: Callable[[int], object], words: str, tmp_path: Path) -> None:
    path = written(tmp_path, "event,timestamp,device\n", lambda k: f"{EVENT[k]},{time(k)},{DEVICE[k]}")
    with pytest.raises(cn.DataError, match=words):
        cn.read_events(path)


@pytest.mark.filterwarnings("ignore")
def test_columns_of_other_programs(tmp_path: Path) -> None:
    zero = "0001-01-01T00:00:00Z"
    for head in (
        "reason,startsAt,endsAt,instance,alertname",
        "x,time:timestamp,endsAt,org:resource,concept:name",
        "s,_time,endsAt,host,alert_name",
    ):
        log = cn.read_events(
            written(
                tmp_path, f"{head}\n", lambda k: f"r,{stamp(k, '%Y-%m-%dT%H:%M:%SZ')},{zero},{DEVICE[k]},{EVENT[k]}"
            )
        )
        assert log.types == ("Fan", "LinkDown") and log.devices == ("r1", "r2")
    half = cn.look(written(tmp_path, "Timestamp,AlarmName,x\n", lambda k: f"{stamp(k)},{EVENT[k]},{X[k, 0]}"))
    assert any("are called as in an event log" in note for note in half.notes)


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    for name in ("t.json", "t.jsonl"):
        (tmp_path / name).write_text('{"event": "a\\ud800", "timestamp": "\\ud83d", "device": "d"}\n')
        with pytest.raises(cn.DataError, match=r"not valid JSON .*surrogates not allowed"):
            cn.look(tmp_path / name)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # of rows that are sorted
def test_hours_of_one_day_may_be_sorted_by_device(tmp_path: Path) -> None:
    hours = [f"{h:02d}:10:00" for h in range(0, 24, 4)]
    rows = [f"{kind},{hour},{device}" for device in ("d1", "d2") for kind, hour in zip("ababab", hours, strict=True)]
    (tmp_path / "l.csv").write_text("event,timestamp,device\n" + "\n".join(rows) + "\n")
    assert cn.read_events(tmp_path / "l.csv").n == 12
    (tmp_path / "l.csv").write_text("event,timestamp,device\n" + "\n".join([*rows[:6], "a,00:11:00,d1"]) + "\n")
    with pytest.raises(cn.DataError, match="hours without a day, and goes back from 20:10:00 to 00:11:00"):
        cn.read_events(tmp_path / "l.csv")
