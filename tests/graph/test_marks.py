"""End marks in scores, files and other packages' graphs."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import causalnet as cn
from causalnet.graph.marks import ARROW, CIRCLE

# a o-> b <-> c o-o d -> e
PAG = cn.Graph.from_marks(
    "abcde", [[0, 2, 0, 0, 0], [3, 0, 2, 0, 0], [0, 2, 0, 3, 0], [0, 0, 3, 0, 2], [0, 0, 0, 1, 0]]
)


def test_networkx_and_files_bring_the_marks_back(tmp_path: Path) -> None:
    assert cn.Graph.from_networkx(PAG.to_networkx()) == PAG
    for ending in ("graphml", "json"):
        assert cn.Graph.load(PAG.save(tmp_path / f"g.{ending}")) == PAG
    plain = cn.Graph.from_edges("abc", [("a", "b")], [("b", "c")])
    assert cn.Graph.load(plain.save(tmp_path / "p.graphml")) == plain
    dot = PAG.save(tmp_path / "g.dot").read_text()
    assert '"a" -> "b" [dir=both, arrowtail=odot, arrowhead=normal]' in dot
    assert '"b" -> "c" [dir=both, arrowtail=normal, arrowhead=normal]' in dot
    assert '"d" -> "e" [dir=both, arrowtail=none, arrowhead=normal]' in dot
    assert repr(PAG) == "Graph(5 nodes, 1 directed, 1 <->, 1 o->, 1 o-o)"


@pytest.mark.parametrize(
    ("arcs", "words"),
    [
        ([("a", "b", "=>")], "the mark of the arc a to b: '=>' is no edge mark"),
        ([("a", "b", "o->"), ("b", "a", "o->")], "marks that disagree"),
        ([("a", "b", "o->"), ("b", "c", None)], "the arc between b and c has no mark"),
    ],
)
def test_marks_that_do_not_fit_are_refused(arcs: list, words: str) -> None:  # type: ignore[type-arg]
    graph = nx.DiGraph()
    for u, v, mark in arcs:
        graph.add_edge(u, v, **({} if mark is None else {"mark": mark}))
    with pytest.raises(cn.DataError, match=words):
        cn.Graph.from_networkx(graph)


@pytest.mark.parametrize("text", ["", "{}", "<graph/>", "<!DOCTYPE x [<!ENTITY y 'z'>]><graphml/>"])
def test_what_is_no_graphml_gets_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "g.graphml").write_text(text)
    with pytest.raises(cn.DataError, match=r"g\.graphml cannot be read as a graph"):
        cn.Graph.load(tmp_path / "g.graphml")


def test_the_scores_of_ends() -> None:
    same = cn.score(PAG, PAG)
    assert (same["arrowhead_f1"], same["tail_f1"], same["pag_shd"]) == (1, 1, 0)
    open_ = cn.Graph.from_marks("abcde", np.where(PAG.marks == ARROW, CIRCLE, PAG.marks))  # type: ignore[operator]
    found = cn.score(PAG, open_)
    assert (found["arrowhead_recall"], found["tail_f1"], found["pag_shd"], found["skeleton_f1"]) == (0, 1, 4, 1)
    fewer = cn.score(PAG, cn.Graph.from_edges("abcde", [("d", "e"), ("a", "b")]))
    assert fewer["pag_shd"] == 3 and fewer["tail_precision"] == 0.5 and fewer["arrowhead_precision"] == 1
    loose = cn.score(PAG, cn.Graph.from_edges("abcde", [], [("c", "d")]))
    assert loose["pag_shd"] == 3 and loose["tail_precision"] == 0
    assert cn.score(*[cn.Graph.from_edges("ab", [("a", "b")])] * 2)["arrowhead_f1"] is None
