"""A ring where smoothing the policy buys locality: at temperature 1 the spectrum certifies it, and no norm does.

Its figures are those of a seeded random ring of five binary agents, an illustration of arXiv 2602.16966 of which nothing but
these figures is known. This instance was fitted to them: least squares on rho(H), ||H||_inf and rho(C) over logistic kernels
and softmax policies of the own state. So rho(H) agrees to the last digit by construction; that one instance has all of
the figures together, and that no norm is below 1 where rho(H) is .933, is what it shows.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from causalnet.envs.networked import TabularNetwork
from causalnet.locality import LocalPolicy

TEMPERATURES = (0.5, 1.0, 2.0, 5.0, 20.0)
RHO_H = (1.055, 0.933, 0.772, 0.608, 0.506)  # the figures it was fitted to, by temperature
ROW_SUM = (1.41, 1.18, 0.98, 0.82, 0.72)  # ||H||_inf
RHO_C = (0.77, 0.67, 0.57, 0.46, 0.47)
RHO_E = 0.47
# a row an agent: weights of s_{j-1}, s_j, s_{j+1}, a_j in the log odds of s_j' = 1, their constant, and the log odds of
# a_j = 1 at temperature 1 in s_j = 0 and 1
_AGENTS = np.array(
    [
        [0.696, 0.530, 0.065, 4.225, -1.605, 2.053, -2.484],
        [0.550, 0.132, 0.205, 3.554, -0.479, -2.752, 0.120],
        [-0.832, 1.801, 0.000, 0.791, -0.378, -2.921, 1.032],
        [-0.589, 0.990, 1.369, 4.790, -2.229, 0.978, -1.995],
        [0.663, -0.058, 2.376, 3.357, -1.647, 5.425, 0.424],
    ]
)


def ring(temperature: float) -> tuple[TabularNetwork, LocalPolicy]:
    """The ring, with rewards of its own (none are known)."""
    inputs, n = np.indices((2, 2, 2, 2)), len(_AGENTS)
    one = [1 / (1 + np.exp(-(np.tensordot(row[:4], inputs, 1) + row[4]))) for row in _AGENTS]
    kernels = [np.stack([1 - p, p], axis=-1) for p in one]
    parents = [[(j - 1) % n, j, (j + 1) % n] for j in range(n)]
    rewards = list(np.random.default_rng(0).random((n, 2, 2)))
    policy = LocalPolicy.softmax([np.stack([np.zeros(2), row[5:]], axis=1) for row in _AGENTS], temperature)
    return TabularNetwork(nx.cycle_graph(n), kernels, rewards, 0.9, state_parents=parents), policy
