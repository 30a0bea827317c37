"""A stream in the forms that logs have: separators, and an object a line, however it is cut."""

from __future__ import annotations

import pytest

from causalnet.errors import DataError
from causalnet.incidents.stream_source import Lines

ROWS = [("LOS", 10.0, "n1"), ("AIS", 12.5, "n2")]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_values_are_separated_as_the_header_has_them(mark: str) -> None:
    text = "\n".join(
        mark.join(words) for words in [("event", "timestamp", "device"), *[tuple(map(str, r)) for r in ROWS]]
    )
    head, _, rest = text.encode().partition(b"\n")
    lines = Lines("log", {})
    first = lines.read(head + b"\n")
    assert first.empty and lines.read(rest + b"\n").to_numpy().tolist() == [list(row) for row in ROWS]
    again = Lines("log", {}, None, {"header": lines.header, "mark": lines.mark})
    assert again.read(rest).to_numpy().tolist() == [list(row) for row in ROWS]


def test_an_object_a_line_is_an_event() -> None:
    lines = Lines("log", {})
    first = lines.read(b'{"labels": {"alertname": "LOS"}, "startsAt": "1970-01-01T00:00:10Z", "host": "n1"}\n')
    assert first.to_numpy().tolist() == [["LOS", 10.0, "n1"]]
    more = lines.read(
        b'not JSON\n\n{"labels": {"alertname": "AIS"}, "startsAt": "1970-01-01T00:00:12.5Z", "host": "n2"}\n{"x": 1}\n'
    )
    assert more.to_numpy().tolist() == [["AIS", 12.5, "n2"]] and lines.spoilt == 2
    for odd in (
        b'{"x": 1}\n',
        b"not JSON\n",
        b'{"event": "LOS", "timestamp": 1, "device": "n1"}\n',
    ):  # in pieces of their own
        assert lines.read(odd).empty
    assert lines.spoilt == 5


def test_lines_without_the_columns_of_a_log_are_refused() -> None:
    with pytest.raises(DataError, match="has no event column"):
        Lines("log", {}).read(b'{"x": 1}\n')


def test_rows_that_clear_are_no_events_however_the_stream_is_cut() -> None:
    rows = [b"LOS,10.0,n1,raised", b"LOS,11.0,n1,acknowledged", b"LOS,12.0,n1, Cleared", b"AIS,12.5,n2,major"]
    for cuts in ([rows], [rows[:2], rows[2:]], [[row] for row in rows]):
        lines, kept = Lines("log", {}), []
        lines.read(b"event,timestamp,device,status\n")
        for part in cuts:
            kept += lines.read(b"\n".join(part) + b"\n").to_numpy().tolist()
        assert kept == [["LOS", 10.0, "n1"], ["AIS", 12.5, "n2"]] and (lines.cleared, lines.spoilt) == (2, 0)
    objects = Lines("log", {})
    text = b'{"event": "LOS", "time": 1, "host": "n1"}\n{"event": "LOS", "time": 2, "host": "n1", "state": "ok"}\n'
    assert len(objects.read(text)) == 1 and objects.cleared == 1


def test_a_row_that_tells_when_its_alarm_ended_is_a_whole_alarm() -> None:
    lines = Lines("log", {})
    text = b"event,timestamp,device,status,cleared_at\nLOS,10.0,n1,cleared,12.0\nLOS,20.0,n1,cleared,\n"
    assert lines.read(text).to_numpy().tolist() == [["LOS", 10.0, "n1"]]
