"""Series: order in time, gaps, runs, blocks, clocks; and what pcmci makes of them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import causalnet as cn


def frame(n: int = 400) -> pd.DataFrame:
    """x -> y at lag 1, hourly."""
    rng = np.random.default_rng(0)
    x, y = np.zeros((2, n))
    for t in range(1, n):
        x[t] = 0.5 * x[t - 1] + rng.normal()
        y[t] = 0.3 * y[t - 1] + 0.8 * x[t - 1] + rng.normal()
    return pd.DataFrame({"x": x, "y": y}, index=pd.date_range("2020", periods=n, freq="h"))


def test_shuffled_and_backward_times_are_sorted_and_told() -> None:
    data = frame()
    for mixed, says in ((data.sample(frac=1, random_state=0), "not ascending"), (data[::-1], "runs backwards")):
        with pytest.warns(UserWarning, match=says):
            series = cn.Series(mixed)
        np.testing.assert_array_equal(series.values, data.to_numpy())


def test_shuffled_row_numbers_are_told() -> None:
    with pytest.warns(UserWarning, match="numbers that index the rows do not ascend"):
        cn.Series(frame(40).reset_index(drop=True).sample(frac=1, random_state=0))


def test_repeated_times_and_lags_longer_than_the_series_are_refused() -> None:
    data = frame(30)
    with pytest.raises(cn.DataError, match=r"3 rows repeat.*daylight"):
        cn.Series(pd.concat([data, data[:3]]))
    with pytest.raises(cn.DataError, match=r"1 row repeats.* segment=.*tz_localize") as told:
        cn.Series(pd.concat([data, data[:1]]))
    assert "with --segment," in told.value.in_shell and "tz_localize" not in told.value.in_shell
    with pytest.raises(cn.DataError, match=r"81 consecutive rows are needed.*has 30"):
        cn.discover(data, "pcmci", lags=40)
    with pytest.raises(cn.DataError, match=r"time is .*, and must be the name of a column"):
        cn.Series(data, time=data.index)
    with pytest.raises(cn.DataError, match="holds lists or other objects, not labels"):
        cn.Series(data.assign(run=[[1]] * 30), segment="run")
    with pytest.raises(cn.DataError, match=r"'site' holds text .*frame.drop.* segment=") as told:
        cn.Series(data.assign(site=["north", "south"] * 15))
    assert "--drop" in told.value.in_shell and "discrete" not in str(told.value)
    dates = list(pd.date_range("2024-01-01", periods=30).astype(str))
    with pytest.raises(cn.DataError, match=r"but row 3 has 'soon'; convert"):
        cn.Series(data.assign(when=[*dates[:2], "soon", *dates[3:]]), time="when")
    with pytest.raises(cn.DataError, match="1 row has no time in 'when'"):
        cn.Series(data.assign(when=[np.inf, *range(29)]), time="when")


def test_no_lag_crosses_a_gap_a_run_or_a_missing_cell() -> None:
    data = frame(60)
    with pytest.warns(UserWarning, match=r"1 gap .* of 21600 s after 2020-01-01 19"):
        gap = cn.Series(data.drop(data.index[20:25]))
    assert gap.rows(3).tolist() == [*range(3, 20), *range(23, 55)]
    assert cn.Series([data[:10], data[:5]]).rows(4).tolist() == [*range(4, 10), 14]
    data.iloc[7, 0] = np.nan
    assert cn.Series(data).rows(2).tolist() == [*range(2, 7), *range(10, 60)]


def test_clocks_are_named_and_get_no_edges() -> None:
    data = frame().assign(clock=np.arange(400.0) ** 2)
    with pytest.warns(UserWarning, match="'clock' only rises or falls"):
        graph = cn.discover(data, "pcmci")
    assert graph.edges == (("x", "y"),)
    assert cn.Series(data, monotone=True).clocks == ()


def test_resamples_hold_each_row_once_with_its_own_past() -> None:
    series = cn.Series(frame())
    drawn = series.resample(np.random.default_rng(1))
    assert len(np.unique(drawn.at)) == drawn.n and 180 < drawn.n < 320
    assert set(drawn.rows(5)) <= set(series.rows(5))
    assert cn.edge_confidence(frame(1000), "granger", n=20).frame()["p_a_to_b"][0] >= 0.9
    told = cn.edge_confidence(frame(), "pcmci", n=20)
    sure = told.lagged_frame().query("p >= 0.9")
    assert {*zip(sure["cause"], sure["lag"], sure["effect"], strict=True)} == {
        ("x", 1, "x"),
        ("x", 1, "y"),
        ("y", 1, "y"),
    }
    with pytest.raises(cn.NotApplicable, match="no graphs over lags"):
        cn.edge_confidence(frame(60), "granger", n=2).lagged_frame()


def test_a_season_is_removed_and_recorded() -> None:
    data = frame() + 50 * np.sin(np.arange(400) * 2 * np.pi / 24)[:, None]
    series = cn.Series(data, season=24, trend=True)
    assert "season of 24 steps removed" in cn.discover(series, "pcmci").meta["data"]
    assert series.values.std() < 3


def test_links_come_back_from_files_and_are_scored(rng: np.random.Generator, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = cn.discover(frame(), "pcmci")
    assert graph.lagged_edges == (("x", 1, "x"), ("x", 1, "y"), ("y", 1, "y"))
    again = cn.Graph.from_json(graph.to_json())
    assert isinstance(again, cn.LaggedGraph) and again == graph and again.align(["y", "x"]).align(["x", "y"]) == graph
    assert set(cn.score_lags(graph, again).values()) == {1.0}
    links = rng.random((3, 4, 4)) < 0.4
    np.fill_diagonal(links[0], False)
    more = cn.LaggedGraph.from_links(["a b", "b", "c", "d"], links, np.where(links, rng.normal(size=links.shape), 0.0))
    for one in (graph, more, cn.LaggedGraph.from_links("abcd", links)):
        back = cn.Graph.load(one.save(tmp_path / "g.graphml"))
        assert isinstance(back, cn.LaggedGraph) and back == one and cn.Graph.from_networkx(one.to_networkx()) == one
        assert (back.strength is None) == (one.strength is None) and np.array_equal(back.strength, one.strength)
    (tmp_path / "odd.graphml").write_text((tmp_path / "g.graphml").read_text().replace(">1 2<", ">1 7<"))
    with pytest.raises(cn.DataError, match=r"odd\.graphml cannot be read.*are not from 0 to 2"):
        cn.Graph.load(tmp_path / "odd.graphml")
    with pytest.raises(cn.DataError, match="not a graph with lags"):
        cn.Graph.from_json(graph.to_json().replace('"lag": 1', '"lag": 9'))


def test_copies_and_sums_have_an_answer() -> None:
    data = frame()
    data["copy"] = data["x"] * 2 + 1e-9 * np.random.default_rng(1).normal(size=400)
    data["sum"] = data["x"] + data["y"]
    for backend in ("granger", "pcmci"):
        assert cn.discover(data, backend).nodes == ("x", "y", "copy", "sum")


def test_a_run_is_several_rows() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 0.5], "run": [0.1, 0.2, 0.3]})
    with pytest.raises(cn.DataError, match="names a run of its own for every row"):
        cn.Series(frame, segment="run")
