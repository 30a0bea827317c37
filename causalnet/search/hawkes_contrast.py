"""The graph of a Hawkes process from its sufficient sums: each type picks its causes by score tests, cycles are cut.

Of target i with the columns S in its fit, theta = G_SS^-1 b_S, a further column a would explain

    s_a = b_a - G_aS theta

and z_a is s_a in deviations, of all hops of a type together (:mod:`causalnet.search.score_tests`). In every fit are the
target's own effects and what events of any type raise alike, and a background of the target's own on every device, which
the sums have left out.

z^2 / 2 are the nats that an edge gains. The price of an edge follows the rule of :mod:`causalnet.search.label_null`, with
the law of a standard normal z a hop for the null, thinned where few events leave less of it: first FEW edges of noise in
a whole graph, then what the z of all pairs, each beside the causes that were found, say of how many edges there are. An
edge must also gain LEFT of what the causes of its target gain together, per event of the rarer type: a wrong shape of
the delays leaves a part of that to types that follow the same causes, however long the stream; what is below counts for
no edge there either. Where times are exact and enough edges clear, their strengths then tell which of the others are
joined (:mod:`causalnet.search.hawkes_strengths`). In a polled stream the pairs that are joined are then turned the way that earlier polls tell
(:mod:`causalnet.search.hawkes_polls`), and the graph is found again.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, comb

from ..base.arrays import Array, Bools
from ..stats.hawkes_sums import Moments
from .hawkes_polls import before
from .hawkes_search import ancestors
from .hawkes_strengths import log_odds
from .hawkes_target import Target, target_of
from .hazard_graph import closing
from .label_null import FEW, Null, price_of

LEFT = 0.02  # of what the causes of a type gain
FALSE_SHARE = 0.33  # of the edges, that the price admits
KEEP = 0.5  # of the z that lets an edge in, to stay when others joined
ROUNDS = 3  # of prices, and of odds
LIKELY = -math.log(2.0)  # log odds from which a pair is joined: to miss an edge is as bad as two false ones
LEAST = 1.0  # nats that an edge gains beside the others, whatever its odds
MOST_JOINED = 0.9  # share of pairs
SETTLED = 0.05  # relative change of the price
TURNS = 2  # of a polled stream's edges
BULK = 50.0  # pairs not joined that the law of chance lets gain most, by which it is judged
DRAWS, MOST = 100_000, 60.0  # quantiles of the null, nats


class Fitted(NamedTuple):
    """adj (V, V); z (V, V) of each pair beside the graph; theta (V, 1 + C): background and effects in 1/s, the common ones in every column; least (V, V): the nats that an edge must gain; odds (V, V): log odds of an edge, where they decided."""

    adj: Bools
    z: Array
    theta: Array
    least: Array
    odds: Array | None = None


def fit_graph(moments: Moments, hops: int, allowed: Bools, required: Bools, settled: bool = True) -> Fitted:
    """Causes of every type among ``allowed`` (V, V), acyclic, at the price that its own z tell; at the first one if not settled."""
    if not settled:
        return _at(moments, hops, allowed, required, np.full(allowed.shape, _first_price(len(allowed), hops)))
    found = _priced(moments, hops, allowed, required)
    if moments.polls is None:
        return _by_strengths(moments, hops, allowed, required, found)
    for _ in range(TURNS):
        z = before(moments.polls, found.adj, hops)
        old, found = found.adj, _priced(moments, hops, allowed & (z >= z.T), required)
        if np.array_equal(old, found.adj):
            break
    return found


def _first_price(v: int, hops: int) -> float:
    """Nats that FEW edges of noise gain in a whole graph."""
    return float(_by_chance(np.array([FEW / max(1, v * (v - 1))]), hops)[0])


def _priced(moments: Moments, hops: int, allowed: Bools, required: Bools) -> Fitted:
    v, price = len(allowed), _first_price(len(allowed), hops)
    found = _at(moments, hops, allowed, required, np.full((v, v), price))
    null = _normal(hops)
    for _ in range(ROUNDS):
        if v < 2 or not found.adj.any():
            break
        free, (gain, floor) = _free(found.adj), _gains(moments, found)
        here = np.where(gain >= floor, gain, 0.0)[free]
        law = _as_seen(null, gain[free & ~found.adj])
        last, price = price, price_of(law, here, int(free.sum()), int(found.adj.sum()), FALSE_SHARE)
        found = _at(moments, hops, allowed, required, np.maximum(price, floor))
        if abs(price - last) < SETTLED * last:
            break
    return found


def _by_strengths(moments: Moments, hops: int, allowed: Bools, required: Bools, found: Fitted) -> Fitted:
    """The graph again, of the pairs that the strengths of its clear edges say are joined; as it was where few are clear."""
    for _ in range(ROUNDS):
        share = min(float(found.adj.sum() / max(1, _free(found.adj).sum())), MOST_JOINED)
        odds = log_odds(moments, hops, found.adj, found.z, share, math.sqrt(2.0 * LEAST)) if found.adj.any() else None
        if odds is None:
            break
        likely, least = required | (allowed & (odds > LIKELY)), np.maximum(_gains(moments, found)[1], LEAST)
        old, found = found.adj, _at(moments, hops, likely, required, least)._replace(odds=odds)
        if np.array_equal(old, found.adj):
            break
    return found


def _free(adj: Bools) -> Bools:
    """(V, V) the pairs that close no cycle."""
    return ~ancestors(adj).T & ~np.eye(len(adj), dtype=bool)


def _gains(moments: Moments, found: Fitted) -> tuple[Array, Array]:
    """(V, V) nats that each pair gains beside the graph, and the least that LEFT lets count."""
    gain, size = np.maximum(found.z, 0.0) ** 2 / 2.0, np.maximum(moments.events, 1e-12)
    return gain, LEFT * np.where(found.adj, gain, 0.0).sum(axis=0) / size * np.minimum(size[:, None], size)


def _normal(hops: int) -> Null:
    """What chance gains."""
    return Null(_by_chance(1.0 - (np.arange(DRAWS) + 0.5) / DRAWS, hops), DRAWS)


def _as_seen(null: Null, seen: Array) -> Null:
    """The law of chance, its tail thinned to what the gains of pairs that are not joined, ``seen`` (P,), show of it.

    Where events of a pair are few its z hardly ever gets as far as the normal law has it. So the law is held against its
    BULK largest gains of P, which are noise nearly all; weak effects among them make it err upwards.
    """
    n = math.ceil(null.tried * min(1.0, BULK / max(len(seen), 1)))
    tail = null.gains[-n:]
    share = (seen > tail[0]).sum() / (len(seen) * n / null.tried) if len(seen) and tail[0] > 0 else 1.0
    kept = math.ceil(n * min(share, 1.0))
    thin = np.append(np.full(n - kept, tail[0]), tail[np.linspace(0, n - 1, kept).astype(np.int64)])
    return null._replace(gains=np.append(null.gains[:-n], thin))


def _by_chance(p: Array, hops: int) -> Array:
    """(P,) the nats that chance gains with probability p (P,): half the sum of the squares of the ``hops`` standard normal
    z that are positive."""
    nats, k = np.linspace(0.0, MOST, DRAWS)[1:], np.arange(1, hops + 1)
    above = (comb(hops, k) / 2.0**hops) @ chdtrc(k[:, None], 2.0 * nats)
    return np.interp(-np.log(p), -np.log(above), nats, left=0.0)


def _at(moments: Moments, hops: int, allowed: Bools, required: Bools, least: Array) -> Fitted:
    """The graph where an edge must gain ``least`` (V, V) nats; the weakest edge of a cycle is cut, its target fitted again."""
    v = len(allowed)
    may, z, theta = allowed.copy(), np.zeros((v, v)), np.zeros((v, 1 + v * hops))
    adj, todo = required.copy(), list(range(v))
    while todo:
        for i in todo:
            target = target_of(moments, i, hops)
            adj[:, i], z[:, i], own = _causes(target, may[:, i], required[:, i], np.sqrt(2.0 * least[:, i]))
            effects = own[: v * hops] + np.tile(own[v * hops :], v)
            ground = moments.events[i] - moments.ground[i] @ effects
            theta[i] = np.append(max(ground / moments.room, 1e-12), effects)
        banned = closing(adj, z, required)
        may &= ~banned
        todo = np.flatnonzero(banned.any(axis=0)).tolist()
    return Fitted(adj, z, theta, least)


def _causes(target: Target, may: Bools, must: Bools, least: Array) -> tuple[Bools, Array, Array]:
    """Causes (V,), z (V,) of what each type adds to the others, and theta over all columns of the target."""
    chosen, v = must.copy(), len(may)

    def worth(j: int) -> float:
        """z of type j on top of the others."""
        return float(target.z(*target.fit(chosen & (np.arange(v) != j)))[j])

    for _ in range(2 * v):
        each = np.where(chosen | ~may, -np.inf, target.z(*target.fit(chosen)))
        each[target.own] = -np.inf
        new = int(np.argmax(each - least))
        if each[new] < least[new]:
            break
        chosen[new] = True
        for j in np.flatnonzero(chosen & ~must).tolist():  # those that the new one explains go again
            if j != new and worth(j) < KEEP * least[j]:
                chosen[j] = may[j] = False
    use, theta = target.fit(chosen)
    found = target.z(use, theta)
    for j in np.flatnonzero(chosen).tolist():
        found[j] = max(worth(j), 0.0)
    whole = np.zeros(len(target.b))
    whole[use] = theta
    return chosen, found, whole
