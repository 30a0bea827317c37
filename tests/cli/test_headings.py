"""What a first line says of the columns below it is believed: truths, call graphs, links, alarms."""

from __future__ import annotations

from pathlib import Path

import pytest

from causalnet.cli.act import _of_file
from causalnet.cli.own_data import read_truth
from causalnet.cli.rca import _read_model
from causalnet.data.topology import read_topology
from causalnet.errors import DataError
from causalnet.graph import Graph

COLUMNS = ["x", "y", "z", "w"]
TRUTH = Graph.from_edges(COLUMNS, [("x", "z"), ("y", "z")])


def written(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "x,z\ny,z\n",
        "cause,effect\nx,z\ny,z\n",
        "effect,cause\nz,x\nz,y\n",
        "target;source\nz;x\nz;y\n",
        "from,to,mark\nx,z,->\ny,z,-->\n",
        ",x,y,z,w\nx,0,0,1,0\ny,0,0,1,0\nz,0,0,0,0\nw,0,0,0,0\n",
    ],
)
def test_a_truth_is_read_by_its_heading(text: str, tmp_path: Path) -> None:
    assert read_truth(written(tmp_path, text), COLUMNS).align(COLUMNS) == TRUTH


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "or it has none"),
        ("x,z,1\n", "more than two columns"),
        ("from,to,present\nx,z,0\n", "'present'"),
        ("from,to,mark\nx,z,<-\n", "no edge mark"),
    ],
)
def test_a_truth_that_says_something_else_is_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        read_truth(written(tmp_path, text), COLUMNS)


def test_calls_and_links_are_read_by_their_heading(tmp_path: Path) -> None:
    for text in ("caller,callee\na,b\nb,c\n", "callee,caller\nb,a\nc,b\n", "one,two\na,b\nb,c\n"):
        assert sorted(_read_model(written(tmp_path, text)).edges) == [("a", "b"), ("b", "c")]  # type: ignore[union-attr]
    path = written(tmp_path, "a,b\nb,c\n")
    with pytest.raises(DataError, match="first line is a call"):
        _read_model(path)
    with pytest.raises(DataError, match="first line names a device"):
        read_topology(path)


@pytest.mark.parametrize("row", [",LOS,1", "d1,,1", "d1,LOS,1.5", "d1,LOS,-1"])
def test_a_row_of_present_alarms_is_whole(row: str, tmp_path: Path) -> None:
    assert _of_file(written(tmp_path, "device,event,count\nd1,LOS,2\nd1,LOS,1\n")) == {"d1": {"LOS": 3}}
    with pytest.raises(DataError, match="row 2 of"):
        _of_file(written(tmp_path, f"device,event,count\nd1,LOS,2\n{row}\n"))
