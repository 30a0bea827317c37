"""Reference policies of wireless networks, and the return that no policy can pass where nobody collides."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import maximum_bipartite_matching

from ....base.arrays import Array
from ....base.checks import number, whole
from ....errors import NotApplicable
from ..checks import networked
from .env import Wireless


def localized_aloha(env: Wireless, x: float) -> Array:
    """With probability x, send the earliest packet to access point k drawn in proportion to q_k / (users of k).

    The benchmark of arXiv 1912.02906 and arXiv 2006.06555, as a policy table (n, S, A) for ``policy_returns``.
    """
    networked(env, Wireless, "a Wireless network")
    net = env.tables
    rate = number("x", x, 0, 1)
    users = np.bincount(net.access_points[:, 1:].ravel(), minlength=net.n_places + 1)
    weight = np.where(net.access_points < net.n_places, net.link / np.maximum(users, 1)[net.access_points], 0.0)
    total = weight.sum(1, keepdims=True)
    share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return _send(env, rate * share)


def dedicated_access_points(env: Wireless) -> Array:
    """Every user sends to an access point of its own whenever it holds a packet: nobody ever collides, (n, S, A).

    Users and access points are matched; where that is impossible there is no such policy.
    """
    networked(env, Wireless, "a Wireless network")
    net, n = env.tables, env.n_agents
    rows, columns = np.nonzero(net.access_points < net.n_places)
    reach = sparse.csr_matrix(
        (np.ones(rows.size, bool), (rows, net.access_points[rows, columns])), shape=(n, net.n_places)
    )
    mine = maximum_bipartite_matching(reach, perm_type="column")
    if (mine < 0).any():
        raise NotApplicable(
            f"there is no access point left for user {int(np.argmin(mine))}: {n} users cannot each have one of "
            f"{net.n_places} access points to themselves"
        )
    return _send(env, (net.access_points == mine[:, None]).astype(np.float64))


def _send(env: Wireless, chance: Array) -> Array:
    """Send the earliest packet by column of the access-point table with ``chance`` (n, 1 + m), else stay idle."""
    net = env.tables
    policy = np.zeros((env.n_agents, int(env.n_states.max()), int(env.n_actions.max())))
    packets = np.arange(policy.shape[1]) & ((1 << net.deadline) - 1)
    first = packets & -packets  # (S,) the bit of the earliest packet
    for a in range(1, policy.shape[2]):
        # the one action for this packet: the slot is named, or any packet may go
        fits = (net.slots[a] & packets > 0) & ((net.slots[a] == first) | (net.slots[a] == (1 << net.deadline) - 1))
        policy[:, fits, a] = chance[:, [net.port[a]]]
    policy[:, :, 0] = 1 - policy.sum(2)
    return policy.clip(0, 1)


def collision_free_ceiling(p: float, q: float, horizon: int, *, deadline: int = 2) -> float:
    """Most packets a lone user delivers in ``horizon`` steps, on average, from one fresh Bernoulli(p) packet.

    For d = 2: success_t = q [1 - (1 - x_t)(1 - p)], x_{t+1} = x_t p + (1 - x_t) p (1 - q), x_0 = 0, where x_t is the
    chance of a packet in the earliest slot; for any d the same as a Markov chain over the 2^d buffers.
    """
    p, q = number("p", p, 0, 1), number("q", q, 0, 1)
    d = whole("deadline", deadline, 1, 16)
    buffers = np.arange(1 << d)
    law = np.where(buffers == 1 << (d - 1), p, np.where(buffers == 0, 1 - p, 0.0))
    total = 0.0
    for _ in range(whole("horizon", horizon, 1, 10**9)):
        sends = buffers > 0
        total += q * law[sends].sum()
        after = np.zeros_like(law)
        for left, chance in ((buffers & (buffers - 1), np.where(sends, q, 0.0)), (buffers, np.where(sends, 1 - q, 1))):
            np.add.at(after, left >> 1, law * chance * (1 - p))
            np.add.at(after, (left >> 1) | 1 << (d - 1), law * chance * p)
        law = after
    return total
