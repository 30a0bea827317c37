"""Edges that a chain of others explains as well, and where they are told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.backends import thp
from causalnet.discovery.dispatch import discover
from causalnet.graph import by_chain


def test_the_widest_chain_is_told_and_held_against_the_edge() -> None:
    gain = np.zeros((5, 5))
    for j, i, nats in ((0, 1, 9.0), (1, 4, 5.0), (0, 2, 8.0), (2, 3, 7.0), (3, 4, 6.0), (0, 4, 5.5)):
        gain[j, i] = nats
    adj = gain > 0
    assert by_chain(tuple("abcde"), adj, gain, 0, 4) == {"chain": ["a", "c", "d", "e"], "ancestor": True}
    assert by_chain(tuple("abcde"), adj, np.where(gain == 5.5, 50.0, gain), 0, 4)["ancestor"] is False
    assert by_chain(tuple("abcde"), adj, gain, 0, 1) == {}, "no other way"
    assert by_chain(tuple("abcde"), adj, gain, 1, 3) == {}, "no edge"


def chain_of_three() -> cn.Events:
    """a causes b after some 30 s, b causes c after some 30 s."""
    rng = np.random.default_rng(0)
    first = np.sort(rng.uniform(0.0, 1e6, 600))
    second = first + rng.exponential(30.0, 600)
    third = second + rng.exponential(30.0, 600)
    rows = pd.DataFrame({"event": np.repeat(list("abc"), 600), "timestamp": np.concatenate([first, second, third])})
    return cn.Events(rows.assign(device="d").sort_values("timestamp"))


@pytest.mark.parametrize("online", [False, True], ids=["at once", "online"])
def test_an_ancestor_that_was_made_a_parent_is_flagged(online: bool) -> None:
    log, known = chain_of_three(), cn.Knowledge(required=[("a", "c")])
    if online:
        g = thp.graph(thp.step(thp.init(knowledge=known), log))
    else:
        g = discover(log, "thp", knowledge=known)
    assert set(g.edges) == {("a", "b"), ("b", "c"), ("a", "c")}
    assert g.explain("a", "c")["ancestor"] is True and g.explain("a", "c")["chain"] == ["a", "b", "c"]
    assert "ancestor" not in g.explain("a", "b") and "ancestor" not in g.explain("b", "c")
