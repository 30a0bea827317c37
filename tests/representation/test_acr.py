"""Compact representations against a search of the unrolled graph, and their properties on random networks."""

from __future__ import annotations

import time
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from causalnet.envs.networked.wireless import gsac_grid, true_masks
from causalnet.errors import DataError, NotApplicable
from causalnet.graph.causal_masks import CausalMasks
from causalnet.representation.acr import (
    compact_codes,
    domain_acr,
    kept_components,
    policy_acr,
    raw_sizes,
    sizes,
    value_acr,
)


def random_masks(seed: int, n: int, c: int, directed: bool, own_reward: bool = False) -> CausalMasks:
    rng = np.random.default_rng(seed)
    adjacency = rng.random((n, n)) < 0.35
    adjacency |= adjacency.T if not directed else False
    np.fill_diagonal(adjacency, False)
    neighbours = sparse.csr_matrix(adjacency)
    own = rng.random((n, c + 1, c + 1)) < 0.25
    other = rng.random((neighbours.nnz, c + 1, c + 1)) < 0.2
    if own_reward:
        other[:, c, :] = False
    names = tuple(f"x{k}" for k in range(c))
    return CausalMasks(own, other, rng.random((n, c + 1)) < 0.4, neighbours, names)


def edge(m: CausalMasks, j: int, source: int, i: int, target: int) -> bool:
    """Does component ``source`` of j act on ``target`` of i?"""
    if i == j:
        return bool(m.own[i, target, source])
    start, stop = m.neighbours.indptr[i : i + 2]
    where = np.flatnonzero(m.neighbours.indices[start:stop] == j)
    return bool(len(where) and m.other[start + where[0], target, source])


def searched_value(m: CausalMasks, i: int, kappa: int) -> set[tuple[int, int]]:
    """Components from which a path of the unrolled graph reaches r_i while the walk backwards stays within reach."""
    n, c = m.n_agents, m.n_components
    everything = [(j, s) for j in range(n) for s in range(c)]
    distance = nx.single_source_shortest_path_length(
        nx.from_scipy_sparse_array(m.neighbours.T, create_using=nx.DiGraph).reverse(), i
    )
    held = {(i, s) for s in range(c) if m.own[i, c, s]}
    for hop in range(1, kappa + 1):
        before = set(held)
        for j, s in everything:
            near = distance.get(j, n + 1) <= hop
            acts = any(edge(m, j, s, j2, s2) for j2, s2 in before)
            if near and (acts or edge(m, j, s, i, c)):
                held.add((j, s))
    return held


def as_sets(acr: sparse.csr_matrix, c: int) -> list[set[tuple[int, int]]]:
    return [{divmod(int(k), c) for k in acr.indices[a:b]} for a, b in zip(acr.indptr, acr.indptr[1:], strict=False)]


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 3), st.booleans(), st.integers(0, 9))
def test_value_acr_is_the_search(seed: int, n: int, c: int, directed: bool, kappa: int) -> None:
    m = random_masks(seed, n, c, directed)
    assert as_sets(value_acr(m, kappa), c) == [searched_value(m, i, kappa) for i in range(n)]


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 3), st.booleans(), st.integers(1, 8))
def test_policy_acr_is_the_message_passing_of_algorithm_3(
    seed: int, n: int, c: int, directed: bool, kappa: int
) -> None:
    m = random_masks(seed, n, c, directed, own_reward=True)
    closed = [{i, *map(int, m.neighbours[i].indices)} for i in range(n)]
    held = [{s for s in range(c) if m.own[i, c, s]} for i in range(n)]
    for _ in range(kappa - 1):
        before = [set(h) for h in held]
        for j in range(n):
            for i in range(n):
                if j in closed[i]:
                    held[j] |= {s for s in range(c) if any(edge(m, j, s, i, t) for t in before[i])}
    expected = [{(j, s) for j in closed[i] for s in held[j]} for i in range(n)]
    assert as_sets(policy_acr(m, kappa), c) == expected
    if kappa == 8:
        assert as_sets(policy_acr(m, n * c + 1), c) == as_sets(policy_acr(m), c)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 3))
def test_monotone_in_kappa_up_to_the_fixpoint(seed: int, n: int, c: int) -> None:
    m = random_masks(seed, n, c, False)
    levels = [value_acr(m, k) for k in range(n * c + 2)]
    for small, large in pairwise(levels):
        assert (small > large).nnz == 0
    fixpoint = value_acr(m, None)
    assert (fixpoint != levels[-1]).nnz == 0 and (fixpoint != value_acr(m, 10**9)).nnz == 0
    assert (sparse.csr_matrix(fixpoint + fixpoint @ m.state_to_state(), dtype=bool) != fixpoint).nnz == 0
    ball = np.array([raw_sizes(m.neighbours, c, k) for k in range(3)])
    assert all((sizes(levels[k]) <= ball[k]).all() for k in range(3))


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 7), st.integers(1, 3))
def test_numbering_of_agents_does_not_matter(seed: int, n: int, c: int) -> None:
    m = random_masks(seed, n, c, True)
    order = np.random.default_rng(seed).permutation(n)  # new agent k is old agent order[k]
    back = np.argsort(order)
    first, second = m.pairs
    number = sparse.csr_matrix((np.arange(1, first.size + 1), (back[first], back[second])), shape=(n, n))
    number.sort_indices()
    moved = CausalMasks(m.own[order], m.other[number.data - 1], m.domain[order], number.astype(bool), m.components)
    columns = (order[:, None] * c + np.arange(c)).ravel()
    for build in (lambda x: value_acr(x, 2), policy_acr):
        assert (build(moved) != build(m)[order][:, columns]).nnz == 0
    old, new = domain_acr(m, value_acr(m, 1)), domain_acr(moved, value_acr(moved, 1))
    assert (new != old[order][:, order]).nnz == 0


def test_domain_acr_is_its_definition() -> None:
    m = random_masks(3, 6, 2, False)
    acr = value_acr(m, 1)
    found = domain_acr(m, acr).toarray()
    for i, held in enumerate(as_sets(acr, 2)):
        for j in range(6):
            assert found[i, j] == any(m.domain[j, s] for a, s in held if a == j) or (i == j and m.domain[i, 2])
    with pytest.raises(DataError, match="use its network"):
        domain_acr(m, value_acr(random_masks(0, 4, 2, False), 1))
    with pytest.raises(DataError, match=r"the state ACR has shape \(\)"):
        domain_acr(m, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [3, 4, 5])
def test_wireless_halves_the_state(size: int) -> None:
    """The paper's example: |N_i| (2 + 2) raw features, half of them kept (its |N_i| = 5 is 20 and 10)."""
    env = gsac_grid(size, distractors=True)
    m = true_masks(env)
    raw = raw_sizes(env.adjacency, 4)
    assert set(raw) == {16, 24, 36}
    for acr in (value_acr(m, 1), policy_acr(m, 1), policy_acr(m)):
        assert np.array_equal(2 * sizes(acr), raw)
    assert np.array_equal(kept_components(value_acr(m, 1), 4), np.tile([True, True, False, False], (size**2, 1)))
    assert np.array_equal(domain_acr(m, value_acr(m, 1)).indptr, (env.neighbourhoods(1)).indptr)


def test_five_in_a_neighbourhood_go_from_20_to_10() -> None:
    star = sparse.csr_matrix(nx.to_scipy_sparse_array(nx.star_graph(4), dtype=bool))
    one = true_masks(gsac_grid(2, distractors=True))
    own, other = one.own[0], one.other[0]
    m = CausalMasks(
        np.tile(own, (5, 1, 1)), np.tile(other, (8, 1, 1)), one.domain[:1].repeat(5, 0), star, one.components
    )
    assert (raw_sizes(star, 4, None) == raw_sizes(star, 4, 9)).all()
    assert raw_sizes(star, 4)[0] == 20 and sizes(value_acr(m, 1))[0] == 10 and sizes(policy_acr(m))[0] == 10


def test_isolated_agents_keep_their_own() -> None:
    m = random_masks(1, 4, 2, False)
    alone = CausalMasks(m.own, np.zeros((0, 3, 3), bool), m.domain, sparse.csr_matrix((4, 4), dtype=bool), m.components)
    for i, held in enumerate(as_sets(value_acr(alone, 5), 2)):
        assert {j for j, _ in held} <= {i}


def test_compact_codes_number_the_kept_components() -> None:
    keep = np.array([[True, False, True], [False, False, False]])
    values = np.array([[[1, 2, 1], [0, 1, 2]], [[0, 0, 2], [1, 0, 0]]])
    codes, count = compact_codes(values, keep, [2, 3, 3])
    assert codes.tolist() == [[3, 0], [4, 0]] and count.tolist() == [6, 1]
    with pytest.raises(DataError, match="component 2 of agent 0 is 3; it takes values 0 to 2"):
        compact_codes(np.full((2, 3), 3) * [0, 0, 1], keep, [2, 3, 3])


@pytest.mark.parametrize("kappa", [-1, 1.5, True, "2"])
def test_kappa_counts_hops(kappa: object) -> None:
    m = random_masks(0, 3, 1, False)
    for call in (value_acr, policy_acr):
        with pytest.raises(DataError, match=r"kappa, a number of hops .*, and must be a whole number"):
            call(m, kappa)  # type: ignore[operator]
    with pytest.raises(DataError, match="from 1 up"):
        policy_acr(m, 0)
    with pytest.raises(NotApplicable, match="take a smaller kappa"):
        value_acr(true_masks(gsac_grid(4)), None, most_entries=100)


def test_a_hundred_thousand_agents_in_seconds() -> None:
    m = true_masks(gsac_grid(316, distractors=True))
    start = time.process_time()
    kept, read = value_acr(m, 1), policy_acr(m)
    factors = domain_acr(m, kept)
    assert time.process_time() - start < 10.0
    assert kept.nnz == read.nnz and factors.nnz == m.neighbours.nnz + m.n_agents
