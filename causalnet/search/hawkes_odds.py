"""The graph of a Hawkes process whose weak edges no price tells from noise: the odds of each pair, by all pairs together.

Beside the fit of target i, whose rate at its events is lambda_e, a cause of strength a (by hop k) raises the likelihood by

    l(a) = sum_k sum_e log(1 + a_k phi_ek / lambda_e) - a_k int phi_k
         ~ sum_k X_k log(1 + a_k r_k) - a_k int phi_k,      X = S1^2 / S2,  r = S2 / S1,  S_q = sum_e (phi_ek / lambda_e)^q

a Poisson count that has its first two derivatives. A share pi of the pairs is joined, either way round alike, by strengths whose
logarithm is normal(mu, sigma), split over the hops like those of the edges at hand. All (pi, mu, sigma) of a grid count by
how likely they make the log, so weak edges are believed to be many where the clear ones fade into noise, and to be none where a
gap lies between (Efron, Large-Scale Inference, 2010). The edges are then those whose probability is at least half the F1 that
may be expected, which is what the best F1 asks for (Lipton, Elkan, Naryanaswamy, ECML 2014), times HELD.

What a wrong shape of the delays may gain a pair (``misfit`` of the scorer, beyond the price) is taken off its ratios. What knowledge
forbids says nothing of pi: each pair counts given that. Constants were settled on simulated logs, dense and sparse, and noise.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools
from .hawkes_search import Found, Limits, Scorer, ancestors, lead, members
from .label_null import over

MOST = 40_000  # pairs of types; where more, an edge is what its price lets in
FEWEST = 5  # edges by which strengths are told
STRENGTHS, SPAN, LARGEST = 25, 1000.0, 1.5  # how many, over what range, up to what times the largest of the edges,
USUAL = 20.0  # of those of no more than so many times the median
SMALL = math.log(1e-9)  # weight of a law that is left out
TOLD = 10.0  # nats by which edges of any law make the log likelier than none
SPLITS = 12  # of a strength over hops
SHARES = np.linspace(0.02, 0.98, 25)  # of the pairs that are joined
CENTRES, WIDTHS = 14, np.array([0.5, 1.0, 1.5, 2.0])  # of the logarithm of strengths
CLOSE, LEAST_LEFT = (0.1, 30.0), 0.01  # nats; the least share
HELD = 0.5  # of the F1 that is promised: what is left of it where a log breaks what the model assumes


class Counts(NamedTuple):
    """Pairs as counts, (V, V, K) by cause, effect and slot: X, r and int phi; and the nats that each gains (V, V).

    Where the others of a fit give way to a new cause it gains more than while they stay, 1 / left times as much: l(a left) / left.
    """

    seen: Array
    per_strength: Array
    integral: Array
    gained: Array


def by_odds(scorer: Scorer, found: Found, limits: Limits) -> tuple[Found, Array | None]:
    """``found`` with the edges that the odds of all pairs beside it add, and the pairs' probabilities (V, V).

    As it was, and None, where too few edges tell strengths, pairs are too many, or changes are limited; incomplete where time is over.
    """
    v = len(found.adj)
    if v * v > MOST or found.adj.sum() < FEWEST or limits.max_changes is not None:
        return found, None
    counts, known = _counts(scorer, found.parents, limits.deadline), _strengths(scorer, found)
    if counts is None or over(limits.deadline):
        return found._replace(complete=False), None
    if known is None:
        return found, None
    sizes, splits = known
    size = scorer.exposure.size
    least = scorer.misfit * np.minimum.outer(size, size)  # what a wrong shape of the delays may gain
    wrong = np.minimum(counts.gained, np.maximum(least - (scorer.floor or 0.0), 0.0))
    ratios = _likelihoods(counts, sizes, splits) - wrong[..., None]
    joined = probabilities(ratios, np.log(sizes), limits)
    if joined is None:
        return found._replace(complete=found.complete and not over(limits.deadline)), None
    adj = best_f1(joined, found.adj, limits)
    parents = [(1 << i) | sum(1 << int(j) for j in np.flatnonzero(adj[:, i])) for i in range(v)]
    for i in range(v):  # what explains nothing beside the others is no cause
        for j, alpha in zip(members(parents[i]), _by_type(scorer, i, parents[i]), strict=True):
            if not (alpha.any() or j == i or found.adj[j, i]):
                adj[j, i], parents[i] = False, parents[i] ^ 1 << j
    score = sum(scorer.score(i, parents[i]) for i in range(v))
    changes = found.changes + int((adj != found.adj).sum())
    return Found(adj, parents, score, changes, found.complete), joined


def _by_type(scorer: Scorer, target: int, parents: int) -> Array:
    """(p, K) alpha of the parents, one of which is the target itself."""
    k = scorer.exposure.slots
    return scorer.fit(target, parents).alpha[: parents.bit_count() * k].reshape(-1, k)


def _counts(scorer: Scorer, parents: list[int], deadline: float | None) -> Counts | None:
    """Each pair beside the causes of its target, without itself."""
    v, k = len(parents), scorer.exposure.slots
    sums = np.zeros((2, v, v, k))
    for i, mask in enumerate(parents):
        if over(deadline):
            return None
        if scorer.exposure.size[i]:
            sums[:, :, i] = scorer.moments(i, mask)
            for j in members(mask & ~(1 << i)):
                sums[:, j, i] = scorer.moments(i, mask & ~(1 << j))[:, j]
    first, second = sums
    integral = np.broadcast_to(scorer.exposure.integral[: v * k].reshape(v, 1, k), first.shape)
    felt = (first > 0) & (integral > 0)
    seen = np.divide(first**2, second, out=np.zeros_like(first), where=felt)
    per_strength = np.divide(second, first, out=np.zeros_like(first), where=felt)
    times = np.divide(first, integral, out=np.ones_like(first), where=felt & (first > integral))
    alone = (seen * (np.log(times) - 1.0 + 1.0 / times)).sum(axis=2)  # the largest l(a), by hop
    gained = _gained(scorer, parents, alone, deadline)
    if gained is None:
        return None
    left = np.clip(np.divide(alone, gained, out=np.ones((v, v)), where=gained > 0), LEAST_LEFT, 1.0)[..., None]
    return Counts(seen / left, per_strength * left, integral, gained)


def _gained(scorer: Scorer, parents: list[int], alone: Array, deadline: float | None) -> Array | None:
    """(V, V) nats that a cause gains where it gains ``alone`` while the others stay: fitted with them, where CLOSE."""
    gained, close = alone.copy(), (alone > CLOSE[0]) & (alone < CLOSE[1])
    np.fill_diagonal(close, False)
    for i, mask in enumerate(parents):
        if over(deadline):
            return None
        there = np.isin(np.arange(len(parents)), members(mask))
        source = np.flatnonzero(close[:, i] & ~there)
        gained[source, i] = scorer.joined(i, mask, source) - scorer.fit(i, mask).value
        for j in np.flatnonzero(close[:, i] & there).tolist():
            gained[j, i] = scorer.fit(i, mask).value - scorer.fit(i, mask & ~(1 << j)).value
    return gained


def _strengths(scorer: Scorer, found: Found) -> tuple[Array, Array] | None:
    """Strengths (S,) that edges may have, and how one may be split over the slots (P, K), by the edges at hand; None where few tell."""
    there = [_by_type(scorer, i, mask)[[j != i for j in members(mask)]] for i, mask in enumerate(found.parents)]
    alpha = np.concatenate(there)
    total = alpha.sum(axis=1)
    alpha, total = alpha[total > 0], total[total > 0]
    if len(total) < FEWEST:
        return None
    splits = alpha / total[:, None]
    ranked = np.lexsort(splits.T[::-1])
    some = np.unique(np.linspace(0, len(ranked) - 1, SPLITS).astype(np.int64))
    largest = total[total <= USUAL * np.median(total)].max()
    return LARGEST * largest * np.geomspace(1.0, 1.0 / SPAN, STRENGTHS), splits[ranked[some]]


def _likelihoods(counts: Counts, sizes: Array, splits: Array) -> Array:
    """(V, V, S) log-likelihood ratio of each pair at each strength, to none."""
    found = np.empty((*counts.seen.shape[:2], len(sizes)))
    for s, size in enumerate(sizes):
        each = [_ratio(counts, size * split) for split in splits]
        found[..., s] = np.logaddexp.reduce(each) - math.log(len(each))
    return found


def _ratio(counts: Counts, a: Array) -> Array:
    """(V, V) l(a) at strengths a (K,)."""
    value: Array = (counts.seen * np.log1p(a * counts.per_strength) - a * counts.integral).sum(axis=2)
    return value


def probabilities(ratios: Array, strengths: Array, limits: Limits) -> Array | None:
    """(V, V) probability that j -> i: the mean over the laws of strengths and shares, by how likely they make all pairs.

    None where edges are not TOLD: weak ones between all pairs make noise as likely as none do; or where time is over.

    ratios (V, V, S): log-likelihood ratios of each pair at the logarithms of strengths (S,).
    """
    j, i = np.triu_indices(len(ratios), 1)
    top = ratios.max(axis=2)
    scaled, may = np.exp(ratios - top[..., None]), np.where(limits.allowed, top, -np.inf)
    centre, width = (part.ravel() for part in np.meshgrid(np.linspace(strengths[0], strengths[-1], CENTRES), WIDTHS))
    laws = np.exp(-0.5 * ((strengths - centre[:, None]) / width[:, None]) ** 2)

    def mixed(law: Array) -> tuple[Array, Array]:
        """(V, V) log-likelihood ratio of each pair, and (shares, pairs) of each unordered one, joined or not."""
        ratio = may + np.log(scaled @ (law / law.sum()))
        either = np.logaddexp(ratio[j, i], ratio[i, j]) - math.log(2.0)
        return ratio, np.logaddexp(np.log1p(-SHARES)[:, None], np.log(SHARES)[:, None] + either)

    ways = limits.allowed[j, i].astype(int) + limits.allowed[i, j]
    possible = np.log1p(-SHARES[:, None] * (2 - ways) / 2.0).sum(axis=1)  # that no pair is joined as is forbidden
    likely = np.array([mixed(law)[1].sum(axis=1) - possible for law in laws if not over(limits.deadline)])
    if len(likely) < len(laws):
        return None
    whole = np.logaddexp.reduce(likely, axis=None)
    if whole - math.log(likely.size) < TOLD:
        return None
    found = np.zeros(top.shape)
    for law, weight in zip(laws, likely - whole, strict=True):
        if weight.max() > SMALL:
            ratio, pairs = mixed(law)
            each = np.logaddexp.reduce(weight[:, None] + np.log(SHARES / 2.0)[:, None] - pairs, axis=0)
            found[j, i] += np.exp(each + ratio[j, i])
            found[i, j] += np.exp(each + ratio[i, j])
    return found


def best_f1(joined: Array, adj: Bools, limits: Limits) -> Bools:
    """(V, V) ``adj`` and further edges, likeliest first, of at least HELD times half the best F1 to expect; none closes a cycle or turns another round."""
    ranked = np.sort(joined, axis=None)[::-1]
    f1 = 2.0 * np.cumsum(ranked) / (np.arange(1, len(ranked) + 1) + ranked.sum())
    more, adj, reach = joined >= max(HELD * f1.max() / 2.0, 1e-12), adj.copy(), ancestors(adj)
    order = np.argsort(-joined, axis=None, kind="stable")
    for j, i in zip(*np.unravel_index(order[(more & ~adj).ravel()[order]], adj.shape), strict=True):
        full = limits.max_parents is not None and adj[:, i].sum() >= limits.max_parents
        if not (full or adj[i, j] or (limits.acyclic and reach[i, j])):
            adj[j, i] = True
            lead(reach, int(j), int(i))
    return adj
