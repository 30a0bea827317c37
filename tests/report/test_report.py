"""Reports: layouts without overlaps, edges told apart, one self-contained and escaped file, honest failures."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import sqlite3
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import causalnet as cn
import causalnet.report
from causalnet.comparison import Results
from causalnet.comparison.standing import choose_metric, place_methods, rank_over
from causalnet.comparison.store import FILE
from causalnet.errors import CausalnetError, DataError
from causalnet.graph import Graph
from causalnet.graph.chance import Chance, draw_chance
from causalnet.graph.metrics import DEFINITIONS, score
from causalnet.report import write_graph_report, write_report
from causalnet.report.diagrams import Point, chart_pareto, chart_ranks, find_front
from causalnet.report.figures import picture
from causalnet.report.html import edge_grid
from causalnet.report.layout import break_cycles, crossings, layered
from causalnet.report.leaderboard import columns_of, lines, troubles
from causalnet.report.plots import matrix, whisker
from causalnet.report.svg import arrow_text, box_widths, compare_edges, draw, edges_of, place, shorten
from causalnet.storage.files import check_writable, write_atomic

NASTY = '<script>alert("x")</script>&amp;\u202e'


class Page(HTMLParser):
    """Collects what a test wants to know about a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.mismatched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "br", "link", "img", "input", "hr"}:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "action", "data"}:
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.mismatched.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


class FakeResults:
    """What the report reads of a comparison."""

    def __init__(self, truths: dict[str, Graph | None], cells: list[dict[str, Any]], graphs: dict[Any, Graph]) -> None:
        self._truths, self._graphs = truths, graphs
        self.frame = pd.DataFrame(cells)
        self.settings = {
            "datasets": list(truths),
            "backends": list(dict.fromkeys(self.frame["backend"])),
            "seeds": [0, 1],
            "max_seconds": None,
            "command": "causalnet compare --data a,b",
            "commands": ["causalnet compare --data a,b"],
            "versions": {"causalnet": "0.1.0", "numpy": "2.4.6"},
            "created": "2026-01-01T00:00:00Z",
        }

    def truth(self, dataset: str, seed: int | None = None) -> Graph | None:
        return self._truths[dataset]

    def graph(self, dataset: str, backend: str, seed: int = 0) -> Graph | None:
        return self._graphs.get((dataset, backend, seed))

    def chance(self, dataset: str, backend: str, seed: int) -> Chance | None:
        truth, learned = self._truths[dataset], self._graphs.get((dataset, backend, seed))
        return None if truth is None or learned is None else draw_chance(truth, learned, np.random.default_rng(0))

    def claims(self, backend: str) -> str:
        return "dag"

    def edge_shares(self, dataset: str, backend: str) -> Any:
        return None

    @property
    def places(self) -> dict[str, Any]:
        return {name: place_methods(self, name) for name in dict.fromkeys(self.frame["dataset"])}

    @property
    def rules(self) -> dict[str, str]:
        return {name: choose_metric(self, name)[1] for name, found in self.places.items() if found}

    @property
    def ranks(self) -> Any:
        return rank_over(self, self.places)

    def data(self, dataset: str) -> dict[str, Any]:
        card = {"title": f"About {dataset}", "source": "a journal", "licence": "CC0", "truth": {"note": "by experts"}}
        return {"kind": "continuous", "text": "Table(9 rows x 3 variables)", "sampled": False, "card": card}

    def summary(self) -> pd.DataFrame:
        rows = []
        for (dataset, backend), cells in self.frame.groupby(["dataset", "backend"], sort=False):
            good = cells[cells["status"] == "ok"]
            row: dict[str, Any] = {"dataset": dataset, "backend": backend, "n": len(good), "of": "data"}
            for name in [*DEFINITIONS, "seconds"]:
                values = good[name].dropna() if name in good else pd.Series(dtype=float)
                mean = float(values.mean()) if len(values) else float("nan")
                row |= {f"{name}_mean": mean, f"{name}_low": mean - 0.1, f"{name}_high": mean + 0.1}
            for status in ("ok", "failed", "timeout", "not applicable", "not installed"):
                row[status] = int((cells["status"] == status).sum())
            row["incomplete"] = sum(value is False for value in good["complete"])
            rows.append(row)
        return pd.DataFrame(rows)


def cell(
    dataset: str, backend: str, seed: int, truth: Graph | None, learned: Graph | None, **more: Any
) -> dict[str, Any]:
    base = {"dataset": dataset, "backend": backend, "params": "{}", "seed": seed, "status": "ok", "reason": ""}
    scores = score(truth, learned) if truth is not None and learned is not None else dict.fromkeys(DEFINITIONS)
    return {**base, "seconds": 0.5, "cpu_seconds": 0.5, "complete": True, **scores, **more}


@pytest.fixture
def results() -> FakeResults:
    nodes = ("A", NASTY, "sehr langer Name einer Variablen mit Umlauten äöü", "日本語の変数")
    truth = Graph.from_edges(nodes, [(nodes[0], nodes[1]), (nodes[1], nodes[2]), (nodes[2], nodes[3])])
    other = Graph.from_edges(nodes, [(nodes[0], nodes[1]), (nodes[2], nodes[1]), (nodes[0], nodes[3])])
    none = Graph.from_edges(nodes)
    cells, graphs = [], {}
    for seed in (0, 1):
        for backend, learned in (("good", truth), ("fair", other), ("empty", none)):
            cells.append(cell("first", backend, seed, truth, learned))
            cells.append(cell("no truth", backend, seed, None, learned, complete=backend != "fair"))
            graphs["first", backend, seed] = graphs["no truth", backend, seed] = learned
        bad = {"seconds": float("nan"), "complete": None}
        cells.append(cell("first", "broken", seed, truth, None, status="failed", reason=f"boom {NASTY}", **bad))
        cells.append(cell("first", "slow", seed, truth, None, status="timeout", reason="no graph after 5 s", **bad))
        cells.append(cell("first", "thp", seed, truth, None, status="not applicable", reason="takes events", **bad))
        cells.append(cell("no truth", "thp", seed, None, None, status="not installed", reason="pip install x", **bad))
    return FakeResults({"first": truth, "no truth": None}, cells, graphs)


# ---- layout -------------------------------------------------------------------------------------------------


@st.composite
def adjacencies(draw: Any) -> np.ndarray:
    d = draw(st.integers(1, 14))
    bits = draw(st.lists(st.booleans(), min_size=d * d, max_size=d * d))
    adj = np.array(bits, dtype=bool).reshape(d, d) & (np.random.default_rng(d).random((d, d)) < 0.5)
    np.fill_diagonal(adj, False)
    return adj


@settings(max_examples=60)
@given(adjacencies(), st.floats(30.0, 120.0))
def test_no_two_boxes_overlap_and_the_layout_repeats(adj: np.ndarray, width: float) -> None:
    """Cycles, undirected edges, isolated nodes and one node: boxes are apart, inside the drawing, and stay put."""
    d = len(adj)
    first, second = (layered(adj, [width] * d) for _ in range(2))
    assert np.array_equal(first.x, second.x)
    assert np.array_equal(first.y, second.y)
    for i in range(d):
        assert first.x[i] - width / 2 >= 0
        assert first.x[i] + width / 2 <= first.size[0] + 1e-6
        assert first.y[i] - first.height / 2 >= 0
        assert first.y[i] + first.height / 2 <= first.size[1] + 1e-6
        for j in range(i):
            apart = abs(first.x[i] - first.x[j]) >= width + 1 or abs(first.y[i] - first.y[j]) >= first.height + 1
            assert apart, (i, j)


@settings(max_examples=40)
@given(adjacencies())
def test_causes_stand_above_their_effects_in_a_dag(adj: np.ndarray) -> None:
    dag = np.triu(adj, 1)
    layout = layered(dag, [40.0] * len(dag))
    for i, j in np.argwhere(dag):
        assert layout.y[i] < layout.y[j]


def test_rows_are_wrapped_to_the_width() -> None:
    adj = np.zeros((41, 41), dtype=bool)
    adj[0, 1:] = True
    layout = layered(adj, [60.0] * 41, max_width=500)
    assert layout.size[0] <= 540
    assert layered(np.zeros((30, 30), dtype=bool), [60.0] * 30, max_width=500).size[0] <= 540


def test_breaking_cycles_keeps_a_topological_order_and_reverses_few_edges() -> None:
    assert break_cycles(np.triu(np.ones((5, 5), dtype=bool), 1)) == [0, 1, 2, 3, 4]
    ring = np.roll(np.eye(6, dtype=bool), 1, axis=1)
    order = break_cycles(ring)
    rank = np.argsort(order)
    assert sum(rank[i] > rank[j] for i, j in np.argwhere(ring)) == 1


def test_crossings_are_counted_and_removed() -> None:
    assert crossings([[0, 1], [2, 3]], [(0, 3), (1, 2)]) == 1
    adj = np.zeros((4, 4), dtype=bool)
    adj[0, 3] = adj[1, 2] = True
    layout = layered(adj, [40.0] * 4)
    assert (layout.x[0] < layout.x[1]) == (layout.x[3] < layout.x[2])


# ---- drawings -----------------------------------------------------------------------------------------------


def test_kinds_of_edges_against_the_truth() -> None:
    nodes = ("a", "b", "c", "d", "e")
    truth = Graph.from_edges(nodes, [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")])
    learned = Graph.from_edges(nodes[::-1], [("a", "b"), ("c", "b"), ("a", "e")], [("c", "d")])
    kinds = {(nodes[e.i], nodes[e.j]): e.kind for e in compare_edges(truth, learned)}
    assert kinds == {
        ("a", "b"): "true",
        ("c", "b"): "reversed",
        ("c", "d"): "unoriented",
        ("d", "e"): "missing",
        ("a", "e"): "extra",
    }


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_counted_edges_agree_with_the_metrics(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, learned = (Graph(tuple("abcdef"), np.triu(rng.random((6, 6)) < 0.4, 1)) for _ in range(2))
    flipped = Graph(learned.nodes, learned.adj.T) if seed % 2 else learned
    kinds = [e.kind for e in compare_edges(truth, flipped)]
    found = score(truth, flipped)
    assert kinds.count("true") == round((found["precision"] or 0) * flipped.directed.sum()) or not flipped.edges
    assert sum(kind != "true" for kind in kinds) == found["shd"]


def test_end_marks_of_a_pag_are_drawn() -> None:
    marks = np.zeros((3, 3), dtype=np.int8)
    marks[0, 1], marks[1, 0] = 2, 3  # 0 o-> 1
    marks[1, 2], marks[2, 1] = 2, 2  # 1 <-> 2
    pag = Graph.from_marks(("a", "b", "c"), marks)
    edges = edges_of(pag)
    assert [arrow_text(e) for e in edges] == ["o→", "↔"]
    svg = draw(pag.nodes, edges, place(pag), uid="p", title="t", desc="d")
    assert svg.count('class="o"') == 1
    assert svg.count('class="a"') == 3


def test_kinds_differ_by_more_than_colour() -> None:
    style = (Path(causalnet.report.__file__).parent / "style.css").read_text(encoding="utf-8")
    dashes = {
        kind: re.search(rf"\.{kind} \.l,.*?stroke-dasharray: ([^;]+);", style)
        for kind in ("reversed", "extra", "missing")
    }
    assert all(dashes.values())
    assert len({match.group(1) for match in dashes.values() if match}) == 3
    truth = Graph.from_edges("abcde", [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")])
    learned = Graph.from_edges("abcde", [("a", "b"), ("c", "b"), ("a", "e")], [("c", "d")])
    svg = picture(truth, learned, "u", "m").views[0].figures[1][1]
    for badge in ("?", "R", "+", "−"):
        assert f">{badge}</text>" in svg


@pytest.mark.parametrize("d", [1, 2, 24, 70])
def test_every_size_is_drawn_with_unique_ids_and_names(d: int) -> None:
    rng = np.random.default_rng(d)
    truth = Graph(tuple(f"node {k}" for k in range(d)), np.triu(rng.random((d, d)) < 0.1, 1))
    shown = picture(truth, Graph(truth.nodes, truth.adj.T), "u", "m")
    page = Page("".join(svg for view in shown.views for _, svg in view.figures))
    assert len(page.ids) == len(set(page.ids))
    assert not page.mismatched
    for name in truth.nodes:
        assert name in page.text


def test_a_dense_graph_shows_the_matrix_first() -> None:
    d = 24
    full = Graph(tuple(map(str, range(d))), np.triu(np.ones((d, d), dtype=bool), 1))
    assert picture(full, full, "u", "m").views[0].name.startswith("Matrix")
    assert picture(None, full, "u", "m").views[0].name.startswith("Matrix")
    chain = Graph(full.nodes, np.eye(d, k=1, dtype=bool))
    assert picture(chain, chain, "u", "m").views[0].name == "Drawing"


def test_matrix_puts_causes_in_rows() -> None:
    graph = Graph.from_edges(("a", "b"), [("a", "b")])
    svg = matrix(graph.nodes, edges_of(graph), uid="m", title="t", desc="d")
    match = re.search(r'class="m plain"><title>a → b</title><rect x="([\d.]+)" y="([\d.]+)"', svg)
    assert match
    assert float(match.group(1)) > float(match.group(2))  # right of the diagonal: row a, column b


def test_labels_and_whiskers() -> None:
    assert shorten("short") == "short"
    assert len(shorten("x" * 500)) == 14
    assert "\u202e" not in shorten(NASTY)
    assert box_widths(["日本語の変数"])[0] > box_widths(["abcdef"])[0]
    assert whisker(float("nan"), 0, 1, "x") == ""
    assert 'class="w"' not in whisker(0.5, float("nan"), float("nan"), "x")
    assert "&lt;b&gt;" in whisker(0.5, 0.4, 0.6, "<b>")


# ---- the comparison report ----------------------------------------------------------------------------------


def check_page(path: Path) -> Page:
    """One file, nothing fetched, well formed, no id twice, no script but our own."""
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert all(link.startswith("#") for link in page.links)
    assert "@import" not in text
    assert not re.search(r"url\s*\(", text)
    assert not set(page.tags) & {"link", "img", "iframe", "object", "embed"}
    assert not page.mismatched
    assert not page.open
    assert len(page.ids) == len(set(page.ids))
    assert "<script>alert" not in text
    assert page.tags.count("script") - text.count('<script type="application/json"') <= 1
    return page


def test_comparison_report(results: FakeResults, tmp_path: Path) -> None:
    path = write_report(results, tmp_path / "deep" / "report.html")
    page = check_page(path)
    text = path.read_text(encoding="utf-8")
    truth = results.truth("first")
    assert truth is not None
    for name in truth.nodes:
        assert name.replace("\u202e", "") in page.text.replace("\u202e", "")
    for words in (
        "out of time",
        "no graph after 5 s",
        "not applicable",
        "takes events",
        "pip install x",
        "boom",
        "causalnet compare --data a,b",
        "numpy 2.4.6",
        "CC0",
        "a journal",
        "by experts",
        "No truth is known",
        "stopped by the time limit: 2 of 2",
        "control",
        "prefers-color-scheme",
        *(DEFINITIONS[key] for key in ("f1", "cpdag_f1", "skeleton_f1", "shd")),
    ):
        assert words.replace("'", "&#39;").replace(">", "&gt;").replace("<", "&lt;") in text or words in page.text, (
            words
        )
    assert text.count("<th scope=") == text.count("<th ")
    assert [line.backend for line in lines(results, "first", True)] == ["good", "fair", "empty"]
    assert {t.backend: t.bad for t in troubles(results, "first")} == {"broken": True, "slow": True, "thp": False}


def test_a_report_without_any_success(results: FakeResults, tmp_path: Path) -> None:
    results.frame = results.frame[results.frame["status"] == "failed"]
    page = check_page(write_report(results, tmp_path / "r.html"))
    assert "No method finished" in page.text


def test_each_drawing_is_of_a_seed_that_ran_beside_the_truth_of_that_seed(tmp_path: Path) -> None:
    """On sampled data the truth differs by seed, and a comparison need not hold seed 0."""
    results = cn.compare("linear-uniform:d=4:degree=2:n=100", ["empty", "random"], seeds=[7, 3], out=tmp_path / "run")
    name = results.settings["datasets"][0]
    page = check_page(results.out / "report.html")
    section = page.text[page.text.index("Learned graphs beside the truth") :]
    truths = {seed: results.truth(name, seed) for seed in (3, 7)}
    assert truths[3] != truths[7]
    for backend in ("empty", "random"):
        learned = results.graph(name, backend, 3)
        assert learned is not None
        assert f"seed 3: {picture(truths[3], learned, 'u', backend).counts}" in section
    with sqlite3.connect(results.out / FILE) as db:
        db.execute("UPDATE cells SET graph = NULL, status = 'failed' WHERE seed = 3 AND backend = 'random'")
    db.close()
    page = check_page(write_report(Results(results.out), tmp_path / "again.html"))
    learned = results.graph(name, "random", 7)
    assert learned is not None
    assert f"seed 7: {picture(truths[7], learned, 'u', 'random').counts}" in page.text


def test_the_page_holds_the_graphs_as_data_within_bounds(results: FakeResults, tmp_path: Path) -> None:
    text = write_report(results, tmp_path / "r.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="graphs">(.*?)</script>', text, re.S)
    assert found
    parts = json.loads(found[1])
    assert list(parts["data-0"]["graphs"]) == ["truth", "good", "fair", "empty"]
    assert parts["data-0"]["nodes"] == list(results.truth("first").nodes)  # type: ignore[union-attr]
    assert parts["data-0"]["graphs"]["good"] == parts["data-0"]["graphs"]["truth"]
    assert [edge[:4] for edge in parts["data-0"]["graphs"]["fair"]] == [[0, 1, 1, 2], [0, 3, 1, 2], [2, 1, 1, 2]]
    assert text.count('class="viewer"') == len(parts) == 2
    d = 1600  # 1.3 million edges
    full = Graph(tuple(map(str, range(d))), np.triu(np.ones((d, d), dtype=bool), 1))
    shown = picture(None, full, "u", "m")
    assert not shown.views
    assert "1,279,200 edges: too many to draw" in shown.counts
    with pytest.raises(DataError, match="would show nothing"):
        full.save(tmp_path / "g.svg")
    assert len(edge_grid(full, most=7).rows) == 7


def test_charts_place_points_and_ranks() -> None:
    points = [
        Point("fast", 0.01, 0.5, (0.1, 0.3)),
        Point("slow", 1.0, 0.9, (0.2, 0.4)),
        Point("<worse>", 2.0, 0.6, (0.2, 0.4)),
        Point("random", 0.001, 0.95, (math.nan, math.nan), control=True),
    ]
    assert [p.name for p in find_front(points)] == ["fast", "slow"]
    svg = chart_pareto(points, "F1", "u")
    ElementTree.fromstring(svg)
    assert svg.count('class="c"') == 3
    assert svg.count('class="hollow"') == 1
    assert "&lt;worse&gt;" in svg
    assert chart_pareto([], "F1", "u") == ""
    svg = chart_ranks(["a", "b", "<c>"], [1.2, 1.9, 2.9], 1.0, [(0, 1)], "r")
    ElementTree.fromstring(svg)
    assert svg.count('class="tie"') == 1


# ---- the report of one graph --------------------------------------------------------------------------------


def test_graph_report(tmp_path: Path) -> None:
    nodes = ("a", NASTY, "c")
    evidence = {
        ("a", NASTY): {"test": "fisher-z", "p_value": 1e-9, "rule": "collider <b>"},
        ("a", "c"): {"test": "fisher-z", "p_value": 0.4, "given": [NASTY]},
    }
    meta = {"backend": "pc", "warnings": ["mind the <gap>"], "complete": False, "command": "causalnet discover x.csv"}
    weight = np.array([[0, 1.5, 0], [0, 0, 0], [0, 0, 0.0]])
    graph = Graph.from_edges(nodes, [("a", NASTY)], weight=weight, evidence=evidence, meta=meta)
    page = check_page(write_graph_report(graph, tmp_path / "g.html", title=NASTY))
    for words in (
        "mind the <gap>",
        "collider <b>",
        "1e-09",
        "1.5",
        "best graph so far",
        "causalnet discover x.csv",
        "0.4",
    ):
        assert words in page.text, words
    truth = Graph.from_edges(nodes[::-1], [("a", "c")])
    page = check_page(write_graph_report(graph, tmp_path / "t.html", truth=truth))
    assert "skeleton_f1" in page.text
    assert "1 extra, 1 missing" in page.text
    with pytest.raises(DataError, match="different variables"):
        write_graph_report(graph, tmp_path / "t.html", truth=Graph.from_edges(("a", "b"), []))


@pytest.mark.parametrize("d", [1, 3])
def test_graph_report_of_a_graph_without_edges(d: int, tmp_path: Path) -> None:
    graph = Graph.from_edges(tuple("abc"[:d]))
    text = check_page(write_graph_report(graph, tmp_path / "g.html")).text
    assert "The graph has no edges" in text
    assert "Versions" not in text  # none were recorded
    told = graph.replace(meta={"versions": {"causalnet": "0.0.9"}})
    assert "causalnet 0.0.9" in check_page(write_graph_report(told, tmp_path / "g.html")).text


def test_graph_report_of_a_cycle_and_undirected_edges(tmp_path: Path) -> None:
    graph = Graph.from_edges(tuple("abcd"), [("a", "b"), ("b", "c"), ("c", "a")], [("c", "d")])
    check_page(write_graph_report(graph, tmp_path / "g.html"))


# ---- files --------------------------------------------------------------------------------------------------


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.html"
    write_atomic(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CausalnetError, match="make room"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_places_that_cannot_be_written_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for bad in (tmp_path, tmp_path / "file" / "r.html", Path("/proc/none/r.html")):
        for act in (check_writable, lambda p: write_atomic(p, "x")):
            with pytest.raises(CausalnetError, match=r"cannot be written|is a folder"):
                act(bad)
    check_writable(tmp_path / "new" / "r.html")
    assert not list((tmp_path / "new").iterdir())


def test_ends_of_edges_have_columns_where_a_graph_has_some(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((200, 3))
    table, truth = cn.as_table(rows, ["a", "b", "c"]), cn.Graph.from_edges(["a", "b", "c"], [("a", "b")])
    pag = cn.Graph.from_marks(["a", "b", "c"], [[0, 2, 0], [3, 0, 0], [0, 0, 0]])
    for known, shown in ((truth, False), (pag, True)):
        results = cn.compare([cn.Dataset("mine", table, known)], ["empty", "random"], out=tmp_path / str(shown))
        assert [key for key, *_ in columns_of(results.summary()) if key == "pag_shd"] == ["pag_shd"] * shown
        assert (">PAG SHD</th>" in (tmp_path / str(shown) / "report.html").read_text()) is shown
