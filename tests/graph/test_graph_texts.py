"""Graphs that other programs wrote: DOT, DAGitty's text, GML and BIF; and our own DOT read back."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalnet.errors import DataError
from causalnet.graph import Graph
from causalnet.graph.foreign import fields_of_bif, fields_of_dot
from causalnet.graph.random_dags import random_dag

NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1),
    unique=True,
    min_size=3,
    max_size=3,
)


def dot(text: str) -> Graph:
    return Graph(**fields_of_dot(text))


@settings(max_examples=60, deadline=None)
@given(NAMES, st.integers(0, 10**6))
def test_what_is_saved_as_dot_comes_back(names: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    marks = np.triu(rng.integers(0, 4, (3, 3)), 1)
    marks = marks + np.where(marks > 0, rng.integers(1, 4, (3, 3)), 0).T * (marks.T > 0)
    graph = Graph.from_marks(names, marks)
    again = dot(graph.to_dot())
    assert again.nodes == graph.nodes and (again.adj == graph.adj).all()
    assert again == (graph if again.marks is not None else Graph(names, graph.adj))
    loose = Graph(names, random_dag(3, 1.5, rng) | np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], bool))
    assert dot(loose.to_dot()) == loose


@pytest.mark.parametrize(
    ("text", "nodes", "edges"),
    [
        ("digraph G { a -> b -> c; }", "abc", "a -> b, b -> c"),
        (
            'strict digraph "x y" {\n rankdir=LR; node [shape=box]\n a [label="A", pos="1,2"]\n {a b} -> c // so\n}',
            "abc",
            "a -> c, b -> c",
        ),
        ("graph { edge [color=red]; b -- a; subgraph cluster_1 { c } }", "bac", "b -- a"),
        (
            'dag {\nbb="0,0,1,1"\nU [latent,pos="0.1,-1"]\nX [exposure]\nU -> X\nX <- Z\nX <-> Y\n}',
            "UXZY",
            "U -> X, Z -> X, X <-> Y",
        ),
        ("pag { a @-> b @-@ c -- d }", "abcd", "a o-> b, b o-o c, c -- d"),
        ("digraph { a -> b [dir=back]; c -> b [dir=none] /* x */ }", "abc", "b -> a, b -- c"),
        ("# from a tool\ndigraph { a:n -> b:s:e }", "ab", "a -> b"),
        ("digraph { 1 -> 2.5; -1 }", ["1", "2.5", "-1"], "1 -> 2.5"),
        ("digraph {o -> b} // made by x", "ob", "o -> b"),
        ("digraph {a -> b} /* the end */ " + "/" * 99, "ab", "a -> b"),
    ],
)
def test_dot_of_others(text: str, nodes: str, edges: str) -> None:
    graph = dot(text)
    told = {" ".join((edge["from"], edge["mark"], edge["to"])) for edge in graph.to_dict()["edges"]}
    assert list(graph.nodes) == list(nodes) and told == set(edges.split(", "))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with digraph"),
        ("a -> b", "begins with digraph"),
        ("digraph { a -> b", "cut short"),
        ("digraph { a -> }", "a name belongs"),
        ("digraph { a -> b; b -> a }", "disagree"),
        ("digraph { a -> a }", "twice"),
        ("digraph { a } digraph { b }", "more than one"),
        ("digraph { a [label=<b>] }", "no DOT: '<b>] }' in line 1"),
        ("digraph {" + "{" * 99 + "}" * 100, "groups within groups"),
        ('digraph { "a }', "no DOT"),
        ("digraph { gene-A -> gene-B }", "no DOT"),
        ("pag { a o-> b }", "a circle as o"),
        ("pag { a o-o b }", "a circle as o|no DOT"),
        ("digraph { a -> b } " + "/" * 99 + "\n%", "no DOT"),  # a pattern that tried every reading would not end
        ("digraph { a -> b " + "/**/ " * 99 + "% }", "no DOT"),
    ],
)
def test_what_is_no_dot_is_refused(text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        dot(text)


def test_gml_and_bif_are_read_by_their_endings(tmp_path: Path) -> None:
    network = nx.DiGraph([("smoke", "tar"), ("tar", "cancer & co")])
    nx.write_gml(network, tmp_path / "g.gml")
    assert Graph.load(tmp_path / "g.gml") == Graph.from_networkx(network)
    (tmp_path / "g.gml").write_text("graph [ node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 ] ]")
    assert Graph.load(tmp_path / "g.gml").undirected == (("0", "1"),)
    bif = 'network x {\n}\nvariable A {\n type discrete [ 2 ] { a, b };\n}\nvariable "B c" {\n}\nprobability ( A ) {\n table 0.1, 0.9;\n}\nprobability ( "B c" | A ) {\n}\n'
    assert Graph(**fields_of_bif(bif)) == Graph.from_edges(["A", "B c"], [("A", "B c")])
    with pytest.raises(DataError, match="'B c' 0 times"):
        fields_of_bif(bif[: bif.index('probability ( "B')] + '/* probability ( "B c" | A ) */')
    (tmp_path / "g.gml").write_text(
        'graph [ directed 1 node [ id 0 label "A" ] node [ id 7 label "B" ]\nedge [ source 0 target 7\nlabel "x" ] ]'
    )
    assert Graph.load(tmp_path / "g.gml") == Graph.from_edges("AB", [("A", "B")])
    for name, text in (("g.gml", "graph [ node"), ("g.bif", "hello"), ("g.txt", "hello"), ("g.gml", "[" * 5000)):
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError, match="cannot be read as a graph: it is n"):
            Graph.load(tmp_path / name)
