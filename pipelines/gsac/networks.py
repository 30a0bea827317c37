"""The networks of ``pipelines.gsac``, their domains, and phase 1 on them: masks from random trajectories in the sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from scipy.stats import poisson

from causalnet.agents import Settings
from causalnet.agents.networked.gsac import DEFAULTS
from causalnet.base.arrays import Array
from causalnet.data.rollouts import collect
from causalnet.data.transitions import Transitions, pool
from causalnet.envs.networked import traffic_grid
from causalnet.envs.networked.wireless import action_places, gsac_grid, lin_grid
from causalnet.graph.causal_masks import CausalMasks, own_frame
from causalnet.representation.domain import DomainFactor, bernoulli_factor, maximum_likelihood
from causalnet.representation.mask_search import learn_masks

EPISODES = 20  # T_e, trajectories a domain in phase 1


@dataclass(frozen=True)
class Net:
    """A network and its domains. make(factor, copies) gives an environment, estimate the factor of transitions."""

    name: str
    make: Callable[[Any, int], Any]
    sources: tuple[Any, ...]
    estimate: Callable[[Transitions], DomainFactor]
    settings: Settings = DEFAULTS


def _arrivals(data: Transitions) -> DomainFactor:
    return bernoulli_factor(data, "b_2")


def _capacity_terms(omega: Array, data: Transitions) -> Array:
    """log P(x_k' | x_k, y_k, capacity) for the turns of link 0, which only outside arrivals enter: P(min(C, x) = x - x' + a)."""
    out = np.zeros((data.rows, data.n_agents, data.n_components + 1))
    turns = data.n_components
    for k in range(turns):
        x, after, is_open = data.states[:, 0, k], data.next_states[:, 0, k], (data.actions[:, 0] >> k) & 1
        held = np.where(is_open == 1, x, 0)
        chance = np.zeros(data.rows)
        for a, weight in ((0, 1 - 0.3 / turns), (1, 0.3 / turns)):
            flow = x - after + a
            below = np.where(flow >= held, 1.0, poisson.cdf(flow, omega[0]))
            p = below - poisson.cdf(flow - 1, omega[0])
            chance += weight * np.where((flow < 0) | (flow > held), 0.0, p)
        out[:, 0, k] = np.log(np.maximum(chance, 1e-12))
    return out


def _capacity(data: Transitions) -> DomainFactor:
    return maximum_likelihood(data, _capacity_terms, [(0.2, 8.0)])


def grid(size: int) -> Net:
    """GSAC's wireless grid with both distractors."""
    make = partial(gsac_grid, size, distractors=True)
    return Net(f"grid{size}", lambda p, e: make(arrival=p, n_envs=e), (0.2, 0.5, 0.8), _arrivals)


def traffic(size: int) -> Net:
    """A grid of crossings whose links hold more or fewer cars."""
    make, settings = partial(traffic_grid, size), dataclasses.replace(DEFAULTS, steps=50)
    return Net(f"traffic{size}", lambda c, e: make(capacity=c, n_envs=e), (1.0, 2.0, 3.0), _capacity, settings)


# nine users share four access points: who should send depends on how much there is to send
_shared = partial(lin_grid, 3, 3, 1, slots=False, ghost=False, place_success=1.0)
CONTENTION = Net("contention", lambda p, e: _shared(arrival=p, n_envs=e), (0.2, 0.5, 0.8), _arrivals)
NETS = {net.name: net for net in (*map(grid, (3, 4, 5)), CONTENTION, *map(traffic, (3, 4, 5)))}

# both factors of the 3 x 3 grid vary, over the paper's outer sources: (p, q)
_both = partial(gsac_grid, 3, distractors=True)
BOTH = Net(
    "grid3 p, q",
    lambda w, e: _both(arrival=w[0], success=w[1], n_envs=e),
    tuple(product((0.2, 0.8), repeat=2)),
    _arrivals,
)


def explored(net: Net, seed: int, episodes: int = EPISODES) -> Transitions:
    """``episodes`` uniformly random trajectories in each source domain."""
    domains = enumerate(net.sources)
    return pool([collect(net.make(p, episodes), seed=1000 * seed + k, domain=f"omega={p}") for k, p in domains])


def phase_one(net: Net, data: Transitions) -> CausalMasks:
    """Masks of every agent, pooled over agents: neighbours and access points are named as each agent sees them."""
    env = net.make(net.sources[0], 1)
    return learn_masks(data, frame=own_frame(env.adjacency, action_places(env)))
