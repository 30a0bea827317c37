"""Approximately compact representations: the components of a neighbourhood that can still matter to a reward.

Walk backwards from the rewarded components along the edges of the causal masks, one hop a step; what is never met is
dropped. Everything is a boolean product of sparse matrices, so a hundred thousand agents take seconds. A representation
is an (n, n c) bool CSR matrix: row i marks, as column j c + l, the components l of agents j that agent i keeps.

Definitions 1, 4, 5, 7 and Algorithms 2, 3 of arXiv 2510.21427. Two readings, both wider than the print and equal to it where the
reward is a function of the own state alone: r_i may depend on a neighbour's components, which then count as rewarded from
hop 1 on; and a component rewarded through a neighbour counts as rewarded for the policy. A value ACR supports the
bound 2 r gamma^(kappa+1) / (1 - gamma) (Proposition 1) only for policies that themselves read nothing but kept components:
an action is a path from state to reward that the masks of states do not show, so condition policies on the policy ACR.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ..base.arrays import AnyArray, Bools, Ints
from ..base.asked import asks
from ..base.checks import array_of, whole
from ..errors import DataError, NotApplicable
from ..graph.causal_masks import CausalMasks

MOST_ENTRIES = 200_000_000  # kept components over all agents; a fixpoint keeps whole networks for everyone


@asks("masks", "most_entries")
def value_acr(masks: CausalMasks, kappa: int | None, *, most_entries: int = MOST_ENTRIES) -> sparse.csr_matrix:
    """Def. 1: what the value of agent i can see within kappa hops; None: to the fixpoint (Def. 4). (n, n c) bool.

    Level 0 holds the own rewarded components; level l adds every component with an edge into level l - 1. A kappa beyond
    the diameter gives the fixpoint.
    """
    edges, rewarded = masks.state_to_state(), masks.state_to_reward()
    level = _own(masks, rewarded)  # A_0
    for hop in _up_to(kappa):
        wider = _bool(level + level @ edges if hop else level + level @ edges + rewarded)  # A_{l+1} = A_l or A_l C
        if wider.nnz > most_entries:
            raise NotApplicable(
                f"the representation holds {wider.nnz:,} components over all agents, more than {most_entries=:,}; "
                "take a smaller kappa, or raise most_entries"
            )
        if wider.nnz == level.nnz:
            break
        level = wider
    return level


@asks("masks")
def policy_acr(masks: CausalMasks, kappa: int | None = None) -> sparse.csr_matrix:
    """Algorithm 2 (kappa None, to the fixpoint) or 3 (kappa - 1 rounds): what the policy of i reads. (n, n c) bool.

    Every agent starts with its rewarded components, adds an own component with an edge into what it or a neighbour holds,
    once a round and all agents at once, and finally reads its own and its neighbours' sets.
    """
    into = masks.state_to_state().T.tocsr().astype(np.int32)
    held = np.asarray(masks.state_to_reward().sum(axis=0)).ravel() > 0  # (n c,), every agent's own set
    for _ in _up_to(kappa, least=1):
        grown = held | (into @ held.astype(np.int32) > 0)
        if (grown == held).all():
            break
        held = grown
    c, n = masks.n_components, masks.n_agents
    closed = masks.neighbours + sparse.identity(n, dtype=bool, format="csr")
    kept = np.flatnonzero(held)
    return _bool(closed @ _ones(kept // c, kept, (n, n * c)))  # agent j -> its held components


@asks("masks")
def domain_acr(masks: CausalMasks, state_acr: sparse.csr_matrix) -> sparse.csr_matrix:
    """Defs 5 and 7: whose domain factor matters to i. (n, n) bool: [i, j] keeps omega_j for agent i.

    omega_j is kept by i if it acts on a component of j in the state ACR of i, or if j = i and it acts on the reward.
    """
    n, c = masks.n_agents, masks.n_components
    shape = state_acr.shape if sparse.issparse(state_acr) else array_of("the state ACR", state_acr).shape
    if shape != (n, n * c):
        raise DataError(f"the state ACR has shape {shape}; the masks need {(n, n * c)}: use its network")
    agent, component = np.nonzero(masks.domain[:, :c])
    own = np.flatnonzero(masks.domain[:, c])
    return _bool(state_acr @ _ones(agent * c + component, agent, (n * c, n)) + _ones(own, own, (n, n)))


def kept_components(acr: sparse.csr_matrix, n_components: int) -> Bools:
    """(n, c) bool: the components of each agent that anyone keeps; what an agent has to tell its neighbours."""
    held = np.asarray(acr.sum(axis=0)).ravel() > 0
    return held.reshape(-1, n_components)


def sizes(acr: sparse.csr_matrix) -> Ints:
    """(n,): how many components each agent keeps."""
    return np.diff(acr.indptr).astype(np.int64)


def raw_sizes(neighbours: sparse.csr_matrix, n_components: int, kappa: int | None = 1) -> Ints:
    """(n,): how many components there are within kappa hops (None: any number), for comparison: |N_i^kappa| c.

    neighbours: as in masks, row i holds those who reach agent i.
    """
    ball = sparse.identity(neighbours.shape[0], dtype=bool, format="csr")
    closed = _bool(neighbours + ball)
    for _ in _up_to(kappa):
        wider = _bool(ball @ closed)
        if wider.nnz == ball.nnz:
            break
        ball = wider
    return sizes(ball) * n_components


def compact_codes(components: ArrayLike, keep: ArrayLike, levels: ArrayLike) -> tuple[Ints, Ints]:
    """State codes of the kept components alone: (..., n) codes and (n,) numbers of codes, little-endian mixed radix.

    components: (..., n, c) values; keep: (n, c) bool; levels: (c,) or (n, c), values that each component can take.
    """
    values, chosen = np.asarray(components), np.asarray(keep, dtype=bool)
    radix = np.broadcast_to(np.asarray(levels, dtype=np.int64), chosen.shape)
    if values.shape[-2:] != chosen.shape:
        raise DataError(f"components end in {values.shape[-2:]}, but keep is {chosen.shape}: agents x components")
    wrong = np.argwhere((values < 0) | (values >= radix))
    if len(wrong):
        where = tuple(int(k) for k in wrong[0])
        limit = int(radix[where[-2:]]) - 1
        raise DataError(f"component {where[-1]} of agent {where[-2]} is {values[where]}; it takes values 0 to {limit}")
    radix = np.where(chosen, radix, 1)
    stride = np.cumprod(np.column_stack([np.ones(len(radix), np.int64), radix[:, :-1]]), axis=1)
    return (np.where(chosen, values, 0) * stride).sum(axis=-1), radix.prod(axis=1)


def _own(masks: CausalMasks, rewarded: sparse.csr_matrix) -> sparse.csr_matrix:
    """The part of (n, n c) in which an agent looks at its own components."""
    found = rewarded.tocoo()
    mine = found.col // masks.n_components == found.row
    return _ones(found.row[mine], found.col[mine], rewarded.shape)


def _ones(rows: AnyArray, columns: AnyArray, shape: tuple[int, int]) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(rows), bool), (rows, columns)), shape=shape)


def _bool(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    result = sparse.csr_matrix(matrix, dtype=bool)
    result.eliminate_zeros()
    result.sort_indices()
    return result


def _up_to(kappa: int | None, least: int = 0) -> Iterable[int]:
    """The rounds of a walk: kappa less its least, or, for None, as many as it takes."""
    told = "kappa, a number of hops or None for no limit,"
    return count() if kappa is None else range(whole(told, kappa, least) - least)
