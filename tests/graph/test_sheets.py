"""Graphs as sheets of cells, for pgmpy and as members of their class: what goes out comes back."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import causalnet as cn

HOSTILE = [
    "a,b",
    'c"d',
    "g\nh",
    "<k>&",
    "ü😀",
    "=1+1",
    "-x",
    "'q",
    "  sp ",
    "\\",
    "\x07",
    "--",
    "->",
    "node",
    "1",
    "@b",
]


@pytest.mark.parametrize("ending", ["csv", "json", "graphml"])
def test_hostile_names_come_back(ending: str, tmp_path: Path) -> None:
    names = [n for n in HOSTILE if ending != "graphml" or n.isprintable() or n == "g\nh"]
    pairs = list(pairwise(names))
    plain = cn.Graph.from_edges(names, pairs, undirected=[(names[0], names[-1])])
    weighed = plain.replace(weight=np.where(plain.adj, np.random.default_rng(0).normal(size=plain.adj.shape), 0))
    marks = np.zeros(plain.adj.shape, np.int8)
    for k, (right, left) in enumerate([(2, 2), (2, 3), (3, 3), (1, 2)]):
        marks[k, k + 1], marks[k + 1, k] = right, left
    for graph in (plain, weighed, cn.Graph.from_marks(names, marks)):
        found = cn.Graph.load(graph.save(tmp_path / f"g.{ending}"))
        assert found == graph
        assert graph.weight is None or np.array_equal(found.weight, graph.weight)  # type: ignore[arg-type]
    assert not any(line.startswith("=") for line in plain.save(tmp_path / "g.csv").read_text().split("\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (",a,b\na,0,-1\nb,1,0\n", "holds -1, and its entries"),
        (",a,b\na,0,x\nb,0,0\n", "'x', neither a number nor a mark"),
        (",a,b\na,0,1\nc,0,0\n", "no matrix whose rows"),
        (",a,b\na,0,1\nb,0\n", "another number of cells"),
        ("from,to\na\n", "another number of cells"),
        ("", "it is empty"),
        ("from,to,strength,direction\na,b,0.9,0.5\n", "has the column 'strength'"),
        ("from,to\na,\n", "names no node"),
        ("from,to,weight\na,b,0\n", "weight 0, which is no edge"),
        ("from,to,weight\na,b,x\n", "'x', neither a number nor a mark"),
        ("source,edge,target\na,=>,b\n", "no edge mark"),
    ],
)
def test_other_sheets_are_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text(text)
    with pytest.raises(cn.DataError, match=words):
        cn.Graph.load(tmp_path / "g.csv")


def test_a_list_of_edges_is_a_graph(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("cause,effect\na,b\nb,c\n")
    assert cn.Graph.load(tmp_path / "e.csv").edges == (("a", "b"), ("b", "c"))


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("from;to\na;b\n", [("a", "->", "b")]),
        ("from, to\na, b\n", [("a", "->", "b")]),
        (";a;b\na;0.0;1.0\nb;0;0.00\n", [("a", "->", "b")]),
        (",a,b\na,NaN,0.7\nb,NA,\n", [("a", "->", "b")]),
        (
            "source,interaction,target\na,-->,b\nb,<->,c\nc,---,d\n",
            [("a", "->", "b"), ("b", "<->", "c"), ("c", "--", "d")],
        ),
        ("source,interaction,target\na,-->,b\nb,---,c\n", [("a", "->", "b"), ("b", "--", "c")]),
    ],
)
@pytest.mark.filterwarnings("ignore:.* cells of the matrix")
def test_sheets_of_other_programs(text: str, edges: list[tuple[str, str, str]], tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text(text)
    found = cn.Graph.load(tmp_path / "g.csv").to_dict()
    assert [(edge["from"], edge["mark"], edge["to"]) for edge in found["edges"]] == edges


def test_weights_of_a_list_and_labels_of_an_editor(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("from,to,weight\na,b,0.5\nb,c,-2\n")
    found = cn.Graph.load(tmp_path / "g.csv")
    assert found.weight is not None and found.weight[0, 1] == 0.5 and found.weight[1, 2] == -2.0
    drawn = nx.DiGraph([("n0", "n1")])
    nx.set_node_attributes(drawn, {"n0": "rain", "n1": "wet"}, "label")
    nx.write_graphml(drawn, tmp_path / "g.graphml")
    with pytest.warns(UserWarning, match="called by their labels"):
        assert cn.Graph.load(tmp_path / "g.graphml").edges == (("rain", "wet"),)


def test_a_name_that_csv_would_change_is_refused(tmp_path: Path) -> None:
    with pytest.raises(cn.DataError, match="carriage return"):
        cn.Graph.from_edges(["a\rb", "c"], []).save(tmp_path / "g.csv")


def test_a_member_of_the_class() -> None:
    chain = cn.Graph.from_edges("abc", [], undirected=[("a", "b"), ("b", "c")])
    member = chain.dag()
    assert member.is_dag and np.array_equal(member.skeleton, chain.skeleton)
    assert member.dag() is member
    ring = cn.Graph.from_edges("abcd", [], undirected=[("a", "b"), ("b", "c"), ("c", "d"), ("d", "a")])
    with pytest.raises(cn.DataError, match="no directed acyclic graph"):
        ring.dag()
    with pytest.raises(cn.NotApplicable, match="hidden causes"):
        cn.Graph.from_marks("ab", [[0, 2], [2, 0]]).dag()


def test_pgmpy_takes_graphs_and_classes() -> None:
    pytest.importorskip("pgmpy")
    graph = cn.Graph.from_edges("abcd", [("a", "b"), ("b", "c")])
    assert set(graph.to_pgmpy().edges()) == {("a", "b"), ("b", "c")} and set(graph.to_pgmpy().nodes()) == set("abcd")
    half = cn.Graph.from_edges("abc", [("a", "b")], undirected=[("b", "c")]).to_pgmpy()
    assert ("a", "b") in half.edges() and half.has_edge("b", "c") and half.has_edge("c", "b")
    with pytest.raises(cn.NotApplicable, match="has a cycle"):
        cn.Graph.from_edges("abc", [("a", "b"), ("b", "c"), ("c", "a")]).to_pgmpy()
    assert "a\\nb" in cn.Graph.from_edges(["a\nb", "c"], []).to_dot()


def test_slips_are_sentences() -> None:
    graph = cn.Graph.from_edges("ab", [("a", "b")])
    assert cn.Knowledge(tiers={"a": 0, "b": 1, "c": 0}).tiers == (("a", "c"), ("b",))
    for call, words in (
        (lambda: graph.replace(foo=1), "a graph has no field 'foo'"),
        (lambda: graph.align(None), "nodes is None"),
        (lambda: cn.Graph("ab", [[0, 1], [0]]), "rows have different lengths"),
        (lambda: cn.Graph.from_marks("ab", [[0, 9], [1, 0]]), "marks is a square matrix"),
        (lambda: cn.discover("pc", np.eye(3)), "the data come first"),
        (lambda: cn.discover(np.eye(3), len), "backend is of type builtin_function_or_method"),
        (lambda: cn.load_dataset(None), "must be the name of a data set"),
        (lambda: cn.look(np.eye(3) + 0.5, drop=["zz"]), "drop names 'zz'"),
    ):
        with pytest.raises(cn.CausalnetError, match=words):
            call()


def test_a_list_of_edges_keeps_weights_beside_marks(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("from,to,mark,weight\na,b,-->,2.5\nb,c,---,-1\n")
    weight = cn.Graph.load(tmp_path / "g.csv").weight
    assert weight is not None and weight.tolist() == [[0, 2.5, 0], [0, 0, -1], [0, -1, 0]]
    (tmp_path / "g.csv").write_text(",a,b\na,0,e1\nb,.,0\n")
    with pytest.raises(cn.DataError, match="'e1', neither a number nor a mark"):
        cn.Graph.load(tmp_path / "g.csv")


def test_blank_cells_are_told_and_codes_are_refused_in_words_of_the_place(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(",a,b\na,,1\nb,nan,\n")
    with pytest.warns(UserWarning, match="1 cells of the matrix that are empty or not a number"):
        assert cn.Graph.load(tmp_path / "m.csv").edges == (("a", "b"),)
    (tmp_path / "m.csv").write_text(",a,b\na,False,True\nb,False,False\n")  # as frames of bools are written
    assert cn.Graph.load(tmp_path / "m.csv").edges == (("a", "b"),)
    (tmp_path / "m.csv").write_text(",a,b\na,0,2\nb,-1,0\n")
    with pytest.raises(cn.DataError, match="from_causal_learn") as told:
        cn.Graph.load(tmp_path / "m.csv")
    assert "from_causal_learn" not in told.value.in_shell and "write 1 where row acts on column" in told.value.in_shell


def test_a_tab_in_a_name_goes_through_dot(tmp_path: Path) -> None:
    graph = cn.Graph.from_edges(["a\tb", "c"], [("a\tb", "c")])
    assert cn.Graph.load(graph.save(tmp_path / "g.dot")) == graph
