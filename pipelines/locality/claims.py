"""What the papers say of networks and locality, on networks small enough to be solved and large enough to be one.

The compact representation (ACR) of arXiv 2510.21427 on a 4 x 4 grid; certificate and advice (arXiv 2602.16966) from transitions
alone, on the marriage network of the Florentine families (Padgett and Ansell 1993), which nobody made for the purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import networkx as nx
import numpy as np
import scipy.sparse as sp

from causalnet import locality
from causalnet.base.arrays import Array
from causalnet.envs.networked import TabularEnv, TabularNetwork, exact
from causalnet.graph.causal_masks import CausalMasks, directed_pairs
from causalnet.locality import LocalPolicy
from causalnet.representation.acr import value_acr
from pipelines.locality.runs import Result, balls

GAMMA = 0.7
CONTAGION = (0.15, 0.4, 0.5, 0.2, 0.1)  # beta, delta, e, the price of effort, infection from outside


def sparse_grid(rows: int, seed: int) -> tuple[TabularNetwork, list[Array]]:
    """A grid of binary agents, each moved by itself and by two neighbours drawn at random, and a random policy of own states."""
    rng = np.random.default_rng([seed, 16])
    graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(rows, rows))
    sees = [sorted([i, *rng.choice(sorted(graph[i]), 2, replace=False).tolist()]) for i in graph]
    kernels = [rng.dirichlet([0.5, 0.5], size=(2,) * (len(row) + 1)) for row in sees]
    model = TabularNetwork(graph, kernels, [*rng.random((len(graph), 2, 2))], GAMMA, state_parents=sees)
    return model, [*rng.dirichlet([1.0, 1.0], size=(len(graph), 2))]


def masks_of(model: TabularNetwork) -> CausalMasks:
    """The causal masks that the tables name: one component, moved by its parents; the own state and action are rewarded."""
    near = sp.csr_matrix(nx.to_scipy_sparse_array(model.graph, dtype=bool, format="csr"))
    i, j = directed_pairs(near)
    own, other = np.ones((model.n_agents, 2, 2), dtype=bool), np.zeros((len(i), 2, 2), dtype=bool)
    other[:, 0, 0] = [b in model.state_parents[a] for a, b in zip(i.tolist(), j.tolist(), strict=True)]  # type: ignore[index]
    return CausalMasks(own, other, np.zeros((model.n_agents, 2), dtype=bool), near, ("state",))


def compact_values(rows: int, seed: int) -> Iterator[Result]:
    """Largest error of V_i as a function of the ACR alone, the rest averaged over, and 2 rbar gamma^(kappa + 1) / (1 - gamma)
    (Proposition 1); cost: components kept, over all agents."""
    model, policy = sparse_grid(rows, seed)
    values, masks = exact.state_values(model, policy), masks_of(model)
    most = max(float(r.max()) for r in model.rewards)
    for kappa in range(2 * rows - 1):
        kept = value_acr(masks, kappa).toarray()
        error = max(lost(values[..., i], np.flatnonzero(kept[i])) for i in range(model.n_agents))
        bound = 2 * most * GAMMA ** (kappa + 1) / (1 - GAMMA)
        yield Result("ACR", kappa, measured=error, bound=bound, cost=int(kept.sum()))


def lost(value: Array, agents: Sequence[int] | Array) -> float:
    """sup |V - V~|, V~ the mean of V over all agents but these."""
    outside = tuple(sorted({*range(value.ndim)} - {*np.asarray(agents).tolist()}))
    return float(np.abs(value - value.mean(axis=outside, keepdims=True)).max())


def widest(value: Array, agents: Sequence[int]) -> float:
    """sup |V(s) - V(s')| over states that agree on these agents."""
    outside = tuple(sorted({*range(value.ndim)} - {*agents}))
    return float(np.ptp(value, axis=outside).max()) if outside else 0.0


def contagion(
    graph: nx.Graph, infection: float, recovery: float, protection: float, cost: float, abroad: float
) -> TabularNetwork:
    """SIS on a contact graph where effort protects oneself: P(ill' | well) = 1 - (1 - abroad)
    (1 - beta (1 - e a_i))^(ill neighbours)."""
    order = {
        v: k for k, v in enumerate(nx.utils.reverse_cuthill_mckee_ordering(graph))
    }  # neighbours stand near each other
    contacts, graph = nx.relabel_nodes(graph, order), nx.empty_graph(len(order))
    graph.add_edges_from(contacts.edges)
    kernels, sees = [], [sorted([i, *graph[i]]) for i in graph]
    for i, row in enumerate(sees):
        at = np.indices((2,) * (len(row) + 1))
        own, action = at[row.index(i)], at[-1]
        healthy = (1 - abroad) * (1 - infection * (1 - protection * action)) ** (at[:-1].sum(0) - own)
        ill = np.where(own == 1, 1 - recovery, 1 - healthy)
        kernels.append(np.stack([1 - ill, ill], axis=-1))
    state, effort = np.indices((2, 2))
    reward = (1 - state + cost * (1 - effort)) / (1 + cost)
    return TabularNetwork(graph, kernels, [reward] * len(graph), GAMMA, state_parents=sees)


def from_data(transitions: int, seed: int) -> Iterator[Result]:
    """What a critic that sees kappa hops misses: measured exactly, told by the estimate of transitions, certified by them.

    Situations never seen are left out. radius_c: rho(H) of the model itself.
    """
    model = contagion(nx.florentine_families_graph(), *CONTAGION)
    n = model.n_agents
    policy = LocalPolicy.softmax([*np.random.default_rng([seed, 3]).normal(size=(n, 2, 2))], 1.0)
    seen = played(TabularEnv(model, n_envs=100, horizon=None, seed=seed), policy, transitions // 100, seed)
    alone, sizes = [[i] for i in range(n)], {"n_states": 2, "n_actions": 2}
    found = locality.estimate_sensitivities(*seen, model.state_parents, alone, **sizes, on_support=True)  # type: ignore[arg-type]
    told, sure = (locality.analyse((e, found.adjacency), policy, GAMMA) for e in (found.estimate, found.high))
    known, values = locality.analyse(model, policy).radius.high, exact.state_values(model, policy.tables, 1e-6)
    for kappa in range(told.diameter + 1):
        missed = max(widest(values[..., i], ball) for i, ball in enumerate(balls(model.graph, kappa)))
        by = [float(locality.truncation_error(each, [kappa], of="value")[0]) for each in (told, sure)]
        name = f"{transitions} transitions"
        yield Result(name, kappa, measured=missed, bound=by[0], classical=by[1], rho=told.radius.high, radius_c=known)


def played(env: TabularEnv, policy: LocalPolicy, steps: int, seed: int) -> tuple[Array, Array, Array]:
    """s, a, s' (T, n) of ``steps`` steps of every copy."""
    rng, chance = np.random.default_rng([seed, 4]), np.stack([t[:, 1] for t in policy.tables])
    state, _ = env.reset(seed=seed)
    parts = []
    for _ in range(steps):
        before = state.copy()
        act = (rng.random(before.shape) < chance[np.arange(len(chance)), before]).astype(np.int64)
        state, *_ = env.step(act)
        parts.append((before, act, state.copy()))
    s, a, after = (np.concatenate(part) for part in zip(*parts, strict=True))
    return s, a, after
