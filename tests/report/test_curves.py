"""Charts: every line drawn where its numbers say, names kept apart, nothing drawn from nothing."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalnet.errors import DataError
from causalnet.report import Curve, chart
from causalnet.report.curves import _spread


def test_a_chart_is_valid_svg_with_bands_names_and_levels() -> None:
    x = np.arange(10.0)
    shown = chart(
        {"a < b": Curve(x, x, x - 1, x + 1), "c": Curve(x, 2 * x)}, "t & t", "episode", "return", levels={"best": 30.0}
    )
    root = ElementTree.fromstring(shown.svg)
    texts = [t.text for t in root.iter() if t.tag.endswith("text")]
    assert {"a < b", "c", "best", "t & t", "episode", "return"} <= set(texts)
    filled = [p for p in root.iter() if p.tag.endswith("path") and p.get("opacity") == ".16"]
    assert len(filled) == 1  # only the first has a band
    assert shown._repr_html_() == shown.svg


def test_heights_follow_the_values() -> None:
    shown = chart({"a": Curve([0, 1, 2], [0.0, 5.0, 10.0])}, "t", "x", "y")
    (line,) = re.findall(r'd="(M[^"]+)" fill="none" stroke="#', shown.svg)
    heights = [float(p.split()[1]) for p in line[1:].split("L")]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2) and heights[0] > heights[2]


@pytest.mark.parametrize(
    ("x", "labels"),
    [
        ((20, 80), ["20", "50"]),
        ((200, 1000), ["200", "500", "1000"]),
        ((1, 1000), ["1", "10", "100", "1000"]),
        ((250, 1500), ["250", "500", "1000"]),
    ],
)
def test_a_logarithmic_axis_has_ticks_however_short(x: tuple[int, int], labels: list[str]) -> None:
    shown = chart({"a": Curve(x, [1.0, 2.0])}, "t", "x", "y", log_x=True).svg
    assert re.findall(r'text-anchor="middle" fill="currentColor">(\d+)<', shown) == labels
    assert ">x (log)<" in shown and ">y<" in shown


def test_few_points_are_marked_and_a_name_keeps_its_colour() -> None:
    few, many = Curve([0, 1], [0.0, 1.0]), Curve(np.arange(13), np.arange(13.0))
    assert chart({"a": few}, "t", "x", "y").svg.count("<circle") == 2
    assert chart({"a": few}, "t", "x", "y", y_range=(-1.0, 0.5)).svg.count("<circle") == 1
    assert "<circle" not in chart({"a": many}, "t", "x", "y").svg
    colours = [
        re.findall(r'fill="(#\w+)">b<', chart(dict.fromkeys(shown, many), "t", "x", "y", names="abc").svg)
        for shown in ("abc", "cb", "b")
    ]
    assert colours[0] == colours[1] == colours[2] != []


@given(st.lists(st.floats(20, 300), min_size=1, max_size=20))
def test_names_never_cover_each_other(heights: list[float]) -> None:
    placed = [h for h, _, _ in _spread([(h, "n", "c") for h in heights])]
    assert all(b - a >= 13.4 for a, b in itertools.pairwise(placed))


@pytest.mark.parametrize("name", ["short", "published, 120,000 episodes", "x" * 34, "a & b, " * 10])
def test_names_at_the_ends_fit_the_picture(name: str) -> None:
    """6.2 pixels a character end inside the viewBox; longer names are shortened and kept whole in a <title>."""
    for shown in (
        chart({name: Curve([0, 1], [0.0, 1.0])}, "t", "x", "y"),
        chart({"a": Curve([0, 1], [0.0, 1.0])}, "t", "x", "y", levels={name: 0.5}),
    ):
        root = ElementTree.fromstring(shown.svg)
        right = float(root.get("viewBox", "").split()[2])
        texts = [t for t in root.iter() if t.tag.endswith("text")]
        told = {"".join(t.itertext()): t for t in texts}
        whole = name if len(name) <= 34 else name + name[:33].rstrip() + "…"
        said = whole if len(name) <= 34 else whole[len(name) :]
        assert float(told[whole].get("x", "nan")) + 6.2 * len(said) <= right and len(said) <= 34
        titles = [t.text for t in root.iter() if t.tag.endswith("title")]
        assert titles == ([name] if len(name) > 34 else [])
    assert 'viewBox="0 0 640 340"' in chart({"a": Curve([0, 1], [0.0, 1.0])}, "t", "x", "y").svg


def test_missing_points_are_left_out_and_nonsense_is_refused() -> None:
    assert "M" in chart({"a": Curve([1, 2, 3], [1.0, np.nan, 2.0])}, "t", "x", "y", log_x=True).svg
    with pytest.raises(DataError, match="no curve"):
        chart({}, "t", "x", "y")
    with pytest.raises(DataError, match="no finite point"):
        chart({"a": Curve([1.0], [np.nan])}, "t", "x", "y")
    with pytest.raises(DataError, match="one length"):
        chart({"a": Curve([1.0, 2.0], [1.0])}, "t", "x", "y")
    with pytest.raises(DataError, match="level 'goal' of the chart 't' is nan"):
        chart({"a": Curve([1.0, 2.0], [1.0, 2.0])}, "t", "x", "y", levels={"goal": np.nan})
    with pytest.raises(DataError, match="positive"):
        chart({"a": Curve([0.0, 2.0], [1.0, 2.0])}, "t", "x", "y", log_x=True)
