"""One graph, one meaning: construction, alignment, JSON, networkx and what a malformed file gets."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalnet import DataError, Graph, Knowledge, KnowledgeError, UnknownNameError
from causalnet.graph import ARROW, CIRCLE, TAIL, PairEvidence, find_cycle, is_acyclic, topological_order
from causalnet.graph.order import ancestry


def any_graph(d: int, seed: int, weighted: bool) -> Graph:
    rng = np.random.default_rng(seed)
    adj = (rng.random((d, d)) < 0.3) & ~np.eye(d, dtype=bool)
    return Graph(tuple(f"n{i}" for i in range(d)), adj, rng.normal(size=(d, d)) * adj if weighted else None)


@settings(max_examples=80)
@given(st.integers(1, 8), st.integers(0, 10**6), st.booleans())
def test_round_trips(d: int, seed: int, weighted: bool) -> None:
    g = any_graph(d, seed, weighted)
    back = Graph.from_json(g.to_json())
    assert back == g and (back.weight is None) == (g.weight is None)
    if g.weight is not None:
        np.testing.assert_allclose(back.weight, g.weight)
    assert Graph.from_networkx(g.to_networkx()) == g
    if g.weight is not None and g.adj.any():
        np.testing.assert_allclose(Graph.from_networkx(g.to_networkx()).weight, g.weight)
    assert pickle.loads(pickle.dumps(g)) == g
    names = list(np.random.default_rng(seed).permutation(g.nodes))
    moved = g.align(names)
    assert moved.align(g.nodes) == g and set(moved.edges) == set(g.edges)


def test_frozen_and_copied() -> None:
    adj = np.array([[0, 1], [0, 0]], dtype=bool)
    g = Graph(("a", "b"), adj)
    adj[1, 0] = True
    assert g.edges == (("a", "b"),)
    with pytest.raises(ValueError, match="read-only"):
        g.adj[1, 0] = True
    with pytest.raises(AttributeError):
        g.nodes = ("x", "y")  # type: ignore[misc]
    assert not pickle.loads(pickle.dumps(g)).adj.flags.writeable


def test_refusals() -> None:
    with pytest.raises(DataError, match=r"from_edges\(nodes, edges\) takes edges"):
        Graph([("a", "b")])
    with pytest.raises(DataError, match="self-loop at 'b'"):
        Graph(("a", "b"), np.array([[0, 0], [0, 1]]))
    with pytest.raises(DataError, match="repeated: a"):
        Graph(("a", "a"), np.zeros((2, 2)))
    with pytest.raises(DataError, match="shape"):
        Graph(("a", "b"), np.zeros((3, 3)))
    with pytest.raises(DataError, match="weight of a -> b is nan"):
        Graph(("a", "b"), np.array([[0, 1], [0, 0]]), np.full((2, 2), np.nan))
    with pytest.raises(UnknownNameError, match="Did you mean 'alpha'"):
        Graph.from_edges(["alpha", "beta"], [("alpa", "beta")])


def test_partial_ancestral_marks_are_kept_and_spelt_out() -> None:
    marks = np.zeros((4, 4), dtype=int)
    marks[0, 1], marks[1, 0] = ARROW, TAIL  # 0 -> 1
    marks[1, 2], marks[2, 1] = ARROW, CIRCLE  # 1 o-> 2
    marks[2, 3], marks[3, 2] = ARROW, ARROW  # 2 <-> 3
    g = Graph.from_marks("wxyz", marks)
    assert g.edges == (("w", "x"),) and g.undirected == (("x", "y"), ("y", "z"))
    assert [e["mark"] for e in g.to_dict()["edges"]] == ["->", "o->", "<->"]
    assert Graph.from_json(g.to_json()) == g == Graph(tuple("wxyz"), marks=marks)
    for odd in (marks, np.where(marks == CIRCLE, 7, marks), np.where(marks == ARROW, -1, marks)):
        with pytest.raises(DataError, match="from_marks"):
            Graph(tuple("wxyz"), odd > 0 if odd is not marks else np.zeros((4, 4)), marks=odd)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"format": "other"}', '{"format": "causalnet.graph/1"}', "\x80\x03}q", "[" * 100_000],
)
def test_malformed_files_get_a_sentence(text: str) -> None:
    with pytest.raises(DataError, match="not a causalnet graph"):
        Graph.from_json(text)


def test_tampered_files_get_a_sentence() -> None:
    good = json.loads(Graph.from_edges("abc", [("a", "b")]).to_json())
    there = {"from": "a", "to": "b", "mark": "->"}
    for change, said in (
        ({"nodes": ["a", "b", "b"]}, "node names must be distinct; repeated: b"),
        ({"nodes": None}, "a graph lacks 'nodes'"),
        ({"edges": 3}, "'edges' of a graph is 3"),
        ({"edges": ["a"]}, "an edge lacks 'from'"),
        ({"edges": [{**there, "to": "B"}]}, "an edge names 'B', no node. Did you mean 'b'?"),
        ({"edges": [{**there, "mark": "=>"}]}, "'=>' is no edge mark; write ->, --, <->, o->, o-o, ..."),
        ({"edges": [{"from": "a"}]}, "an edge lacks 'to'"),
        ({"edges": [there, {"from": "b", "to": "a", "mark": "->"}]}, "the pair b, a has two edges"),
        ({"edges": [there], "weighted": True}, "an edge lacks 'weight'"),
        ({"evidence": [{"p": 0.5}]}, "a piece of evidence lacks 'pair'"),
    ):
        with pytest.raises(DataError, match=f"^not a causalnet graph: {re.escape(said)}$"):
            Graph.from_json(json.dumps({**good, **change}))
    for end in range(0, len(json.dumps(good)) - 1, 7):
        with pytest.raises(DataError):
            Graph.from_json(json.dumps(good)[:end])


def test_lazy_evidence_and_explain() -> None:
    p = np.array([[0, 0.25], [0, 0]])
    g = Graph.from_edges(
        "ab", evidence=PairEvidence("ab", np.triu(np.ones((2, 2), dtype=bool), 1), lambda i, j: {"p": p[i, j]})
    )
    assert g.explain("b", "a") == {"p": 0.25}
    assert Graph.from_json(g.to_json()).explain("a", "b") == {"p": 0.25}
    with pytest.raises(UnknownNameError):
        g.explain("a", "zz")


@settings(max_examples=60)
@given(st.integers(1, 8), st.integers(0, 10**6))
def test_cycles_against_networkx(d: int, seed: int) -> None:
    adj = any_graph(d, seed, False).adj
    graph = nx.from_numpy_array(adj, create_using=nx.DiGraph)
    assert is_acyclic(adj) == nx.is_directed_acyclic_graph(graph)
    cycle = find_cycle(adj)
    assert (cycle is None) == is_acyclic(adj)
    if cycle is not None:
        assert all(adj[a, b] for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    else:
        order = topological_order(adj)
        assert order is not None and all(order.index(i) < order.index(j) for i, j in np.argwhere(adj))


def test_knowledge_compiles_and_checks() -> None:
    k = Knowledge(required=[("a", "b")], forbidden=[("b", "c")], tiers=[["a"], ["b", "c"]], roots=["a"], leaves=["c"])
    allowed, required = k.compile("abc")
    assert required.tolist() == [[False, True, False], [False] * 3, [False] * 3]
    assert not allowed[1, 0] and not allowed[2, 0] and not allowed[1, 2] and not allowed[2, 1] and allowed[0, 2]
    k.check(Graph.from_edges("abc", [("a", "b"), ("a", "c")]))
    with pytest.raises(KnowledgeError, match="lacks the required edge a -> b"):
        k.check(Graph.from_edges("abc"))
    with pytest.raises(KnowledgeError, match="b -> c is ruled out"):
        k.check(Graph.from_edges("abc", [("a", "b"), ("b", "c")]))


def test_a_name_with_a_star_stands_for_all_that_match() -> None:
    nodes = ["gene_1", "gene_[2]", "trait", "a*"]
    known = Knowledge(forbidden=[("trait", "gene_*"), ("gene_*", "gene_*")], tiers=[["a*"], ["gene_*"]], leaves=["t*t"])
    allowed, required = known.compile(nodes)
    named = Knowledge(
        forbidden=[("trait", "gene_1"), ("trait", "gene_[2]"), ("gene_1", "gene_[2]"), ("gene_[2]", "gene_1")],
        tiers=[["a*"], ["gene_1", "gene_[2]"]],
        leaves=["trait"],
    )
    assert (allowed == named.compile(nodes)[0]).all() and not required.any()
    assert (known.ends(nodes).arrow == named.ends(nodes).arrow).all() and known.names == {"trait"}
    wanted = Knowledge(required=[("gene_*", "trait")])
    assert wanted.compile(nodes)[1].sum() == 2
    with pytest.raises(KnowledgeError, match="lacks the required edge gene_1 -> trait"):
        wanted.check(Graph.from_edges(nodes, []))
    with pytest.raises(KnowledgeError, match=r"'gen\*x', which matches no variable here: gene_1, "):
        Knowledge(roots=["gen*x"]).compile(nodes)
    with pytest.raises(KnowledgeError, match="'gene_1' stands in tier 0 and in tier 1"):
        Knowledge(tiers=[["gene_1"], ["gene_*"]]).compile(nodes)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Knowledge(required=[("a", "b")], forbidden=[("a", "b")]), "required, but"),
        (lambda: Knowledge(required=[("a", "b"), ("b", "c"), ("c", "a")]), "cycle: "),
        (lambda: Knowledge(required=[("b", "a")], tiers=[["a"], ["b"]]), "required, but"),
        (lambda: Knowledge(tiers=[["a"], ["a", "b"]]), "tier 0 and in tier 1"),
        (lambda: Knowledge(required=[("a", "a")]), "cause itself"),
        (lambda: Knowledge(required=["ab"]), "takes pairs"),
        (lambda: Knowledge(roots="alpha"), "list of names"),
        (lambda: Knowledge(forbidden=[("alpha", "b")]).compile(["alpa", "b"]), "Did you mean 'alpa'"),
    ],
)
def test_contradictory_knowledge_is_refused_when_built(make, match: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(KnowledgeError, match=match):
        make()


ODD = Graph.from_edges(["<b>&", "c\x00\x1bd", 'e"'], [("<b>&", 'e"')], [("<b>&", "c\x00\x1bd")])


def test_a_notebook_shows_the_graph_with_its_names_escaped() -> None:
    shown = ODD._repr_html_()
    assert shown.startswith("<svg") and "<b>" not in shown and "&lt;b&gt;&amp; → e" in shown
    assert shown.count('class="n"') == 3 and shown.count('class="e plain"') == 2
    assert "<script" not in Graph(("<script>",), np.zeros((1, 1)))._repr_html_()
    assert Graph(tuple(f"n{i}" for i in range(61)), np.zeros((61, 61)))._repr_html_() is None
    marks = np.array([[0, ARROW], [CIRCLE, 0]])
    assert 'class="o"' in Graph.from_marks("ab", marks)._repr_html_()
    ids = [re.findall(r'id="([^"]+)"', g._repr_html_()) for g in (ODD, any_graph(4, 1, True))]
    assert len({*ids[0], *ids[1]}) == 4  # two graphs of one page keep their titles apart


def test_files_of_graphs(tmp_path: Path) -> None:
    weighted = any_graph(5, 3, True).replace(meta={"backend": "by-hand"})
    back = Graph.load(weighted.save(tmp_path / "g.json"))
    assert back == weighted and back.meta["backend"] == "by-hand"
    np.testing.assert_allclose(back.weight, weighted.weight)  # type: ignore[arg-type]
    root = ElementTree.fromstring(ODD.save(tmp_path / "g.SVG").read_text())
    assert root.tag.endswith("svg") and "Graph(3 nodes, 1 directed, 1 undirected)" in "".join(root.itertext())
    with pytest.raises(DataError, match=r"'g\.png' does not end in \.json or \.graphml or \.csv or \.dot or \.svg"):
        ODD.save(tmp_path / "g.png")
    with pytest.raises(DataError, match=r"'g\.svg' does not end in \.json or \.graphml or \.csv or \.dot or"):
        Graph.load(tmp_path / "g.svg")
    with pytest.raises(DataError, match=r"none\.json cannot be read as a graph: No such file or directory$"):
        Graph.load(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(DataError, match=r"bad\.json cannot be read as a graph: not a causalnet graph"):
        Graph.load(tmp_path / "bad.json")
    (tmp_path / "marked.json").write_text(weighted.to_json(), encoding="utf-8-sig")  # as editors on Windows save it
    assert Graph.load(tmp_path / "marked.json") == weighted
    for call in (ODD.save, Graph.load):
        with pytest.raises(DataError, match=r"^path is None; give the name of a file, such as 'graph\.json'"):
            call(None)  # type: ignore[arg-type]


def test_ancestry_against_networkx() -> None:
    for seed in range(20):
        adj = any_graph(7, seed, False).adj
        below = nx.transitive_closure(nx.from_numpy_array(adj, create_using=nx.DiGraph))
        np.testing.assert_array_equal(ancestry(adj), nx.to_numpy_array(below, dtype=bool))


@pytest.mark.parametrize("wrong", [{"required": [5]}, {"required": 5}, {"forbidden": None}])
def test_knowledge_that_is_no_pairs(wrong: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(KnowledgeError, match=r"write (required|forbidden)=\[\('A', 'B'\)\]"):
        Knowledge(**wrong)
