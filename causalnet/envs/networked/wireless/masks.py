"""What truly acts on what in the wireless network, to score recovered masks against; and which place an action uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....base.arrays import Ints
from ....base.asked import asks
from ....base.checks import names
from ....errors import UnknownNameError
from ....graph.causal_masks import CausalMasks
from ..checks import networked
from .env import Wireless

VARYING = ("arrival", "success")


@asks("varying")
def true_masks(env: Wireless, varying: Sequence[str] = ("arrival",)) -> CausalMasks:
    """The causal masks of a wireless network whose domains differ in ``varying``: "arrival" p, "success" q, or both.

    p acts on the newest slot b_d alone; q acts on the reward and on every slot that a success may empty. Those are the two
    domain factors of arXiv 2510.21427, appendix H.1, which then lets only p vary. b_k' is b_{k+1} unless that packet was
    sent, so it hangs on b_{k+1}, on the packets that go first, on the own action, and through collisions on the neighbours'
    actions and (unless empty buffers collide too) packets. Needs no data and is never shown to a search.
    """
    networked(env, Wireless, "a Wireless network")
    for name in (varying := names("varying", varying)):
        if name not in VARYING:
            raise UnknownNameError(f"domains cannot differ in {name!r}; write one of {', '.join(VARYING)}")
    c, d, n = len(env.component_names), env.tables.deadline, env.n_agents
    own, domain = np.zeros((c + 1, c + 1), bool), np.zeros(c + 1, bool)
    other = np.zeros((c + 1, c + 1), bool)
    slots = bool((env.tables.slots[1:] != (1 << d) - 1).any())
    for k in (*range(d - 1), c):  # the slots that a success may empty, and the reward
        own[k, slice(0, d) if k == c else slice(k + 1 if slots else 0, k + 2)] = True
        own[k, c] = other[k, c] = True
        other[k, :d] = not env.tables.ghost
        domain[k] = "success" in varying
    domain[d - 1] = "arrival" in varying
    if c > d:  # the distractors act on themselves: z_1 is kept with some probability, z_2 for good
        own[d, d], own[d + 1, d + 1] = env.tables.stay > 0, True
    pairs = env.adjacency.nnz
    own, other, domain = (np.broadcast_to(x, (k, *x.shape)) for x, k in ((own, n), (other, pairs), (domain, n)))
    return CausalMasks(own, other, domain, env.adjacency, env.component_names)


def action_places(env: Wireless) -> Ints:
    """(n, A): the access point that each action uses, -1 for none; what ``own_frame`` needs."""
    networked(env, Wireless, "a Wireless network")
    used = env.tables.access_points[:, env.tables.port].astype(np.int64)
    return np.where(used < env.tables.n_places, used, -1)
