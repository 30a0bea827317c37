"""The problems of ``pipelines.locality``: each task yields the rows of one problem and seed, solved exactly where it is small."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import networkx as nx
import numpy as np

from causalnet import locality
from causalnet.envs.networked import TabularNetwork, exact
from causalnet.locality import LocalPolicy
from pipelines.common import peak_memory
from pipelines.locality.ring import ring


@dataclass(frozen=True)
class Result:
    """One line of results.csv; what a task does not measure stays empty. cpu in process seconds."""

    task: str = field(default="", kw_only=True)
    problem: str
    seed: int = field(default=0, kw_only=True)
    kappa: int | None = None
    temperature: float | None = None
    measured: float | None = None
    bound: float | None = None
    classical: float | None = None
    rho: float | None = None
    radius_c: float | None = None
    least_norm: float | None = None
    value: float | None = None
    cost: int | None = None
    cpu: float | None = None
    memory_mb: float | None = None


def copy_chain(case: str, gamma: float = 0.7) -> tuple[TabularNetwork, LocalPolicy]:
    """Deterministic chains that attain the decay bound of their information pattern with equality.

    s_j' = s_{j+1}, the last stays, agent 0 alone is rewarded. a: r_0 = a_0 = s_0; b: r_0 = a_0 = s_1; c: r_0 = s_1;
    d: s_j' = a_{j+1}, a_j = s_{j+1}, r_0 = a_1.
    """
    copy, ahead, none = np.eye(2), [(min(j + 1, 4),) for j in range(5)], [()] * 5
    policy, seen = [np.full((2, 2), 0.5)] * 5, [(j,) for j in range(5)]
    parents, moved, states, actions = ahead, none, list(none), list(none)
    if case == "c":
        states[0] = (1,)
    elif case == "d":
        policy, seen, actions[0] = [copy] * 5, ahead, (1,)
        parents, moved = [*none[:4], (4,)], [*ahead[:4], ()]
    else:
        actions[0], policy = (0,), [copy, *policy[1:]]
        seen[0] = (0,) if case == "a" else (1,)
    rewards = [np.array([0.0, 1.0]), *[np.zeros(())] * 4]
    graph = {"state_parents": parents, "action_parents": moved, "reward_states": states, "reward_actions": actions}
    model = TabularNetwork(nx.path_graph(5), [copy] * 5, rewards, gamma, n_actions=2, **graph)  # type: ignore[arg-type]
    return model, LocalPolicy(policy, seen)


def balls(graph: nx.Graph, kappa: int) -> list[list[int]]:
    """N_i^kappa of every agent i."""
    return [sorted(nx.single_source_shortest_path_length(graph, i, cutoff=kappa)) for i in graph]


def gap(model: TabularNetwork, policy: LocalPolicy, kappa: int, agents: range | None = None) -> float:
    """Largest |Q_j(x) - Q_j(x')| over agents j and pairs that agree within kappa hops, by enumeration."""
    process = exact.joint(model, policy.tables, policy.observes)
    q, around = exact.q_values(process), balls(model.graph, kappa)
    even = np.ones(q.shape[1:])
    return max(exact.truncated(q[j], exact.keys(process, around[j]), even)[1] for j in agents or range(model.n_agents))


# ---- tasks: each yields the rows of one problem and seed ---------------------------------------------------------


def copy_chains(case: str, seed: int) -> Iterator[Result]:
    """The corrected exponents are attained: measured = bound."""
    model, policy = copy_chain(case)
    bounds = locality.decay_bound(locality.analyse(model, policy), range(4))
    for kappa, bound in enumerate(bounds):
        yield Result(case, kappa, measured=gap(model, policy, kappa, range(1)), bound=bound)


def ring_temperatures(temperature: float, seed: int) -> Iterator[Result]:
    """rho(H), rho(C) and the least of the norm tests of the ring at one temperature."""
    model, policy = ring(temperature)
    found = locality.certificate(model, policy)
    c = locality.spectral_radius(locality.exact_interdependence(model, policy)).high
    norms = {"least_norm": min(found.norms.values()), "bound": found.norms["max row sum"]}
    yield Result("ring", temperature=temperature, rho=found.rho.high, radius_c=c, **norms)


def bound_by_kappa(coupling: str, seed: int) -> Iterator[Result]:
    """A path of six agents: error measured, bounded by the spectrum, bounded classically, and the critic's table."""
    model = TabularNetwork.random(nx.path_graph(6), seed, gamma=0.9, coupling=coupling, concentration=100.0)
    policy = LocalPolicy.softmax(list(np.random.default_rng([seed, 1]).normal(size=(6, 2, 2))), 1.0)
    here = locality.analyse(model, policy)
    for kappa in range(5):
        bound, classical = locality.truncation_error(here, [kappa])[0], locality.decay_bound(here, [kappa])[0]
        found = {"measured": gap(model, policy, kappa), "bound": bound, "classical": classical, "rho": here.radius.high}
        yield Result(coupling, kappa, **found, cost=sum(4 ** len(ball) for ball in balls(model.graph, kappa)))


def random_networks(first: int, seed: int) -> Iterator[Result]:
    """Random networks of 2 to 5 agents: by how much C exceeds H, and measured errors their bounds (at most 0)."""
    for k in range(first, first + 20):
        rng = np.random.default_rng([k, 8])
        n = int(rng.integers(2, 6))
        graph = nx.gnp_random_graph(n, 0.5, seed=k)
        coupling = "actions" if k % 2 and n < 5 else "states"
        model = TabularNetwork.random(graph, rng, coupling=coupling, concentration=float(rng.choice([1, 10, 50])))
        policy = LocalPolicy.softmax(list(rng.normal(size=(n, 2, 2))), float(rng.choice([0.3, 1, 3])))
        here = locality.analyse(model, policy)
        over = float((locality.exact_interdependence(model, policy) - here.h).max())
        for kappa in range(2):
            over = max(over, gap(model, policy, kappa) - float(locality.truncation_error(here, [kappa])[0]))
        yield Result(f"network {k}", measured=over, rho=here.radius.high)


def trade_off(temperature: float, seed: int) -> Iterator[Result]:
    """What a smooth policy loses: soft policy iteration at one temperature, its return, rho(H) and kappa.

    pi_k is proportional to exp(A_k / temperature), A_k(s_k, a_k) the mean over the occupancy of sum_j Q_j, one agent
    after the other; the value is the return beyond that of uniform play.
    """
    model = TabularNetwork.random(nx.cycle_graph(4), seed, gamma=0.9, coupling="actions", concentration=30.0)
    policy = LocalPolicy([np.full((2, 2), 0.5)] * 4)
    uniform = exact.objective(exact.joint(model, policy.tables))
    for _ in range(15):
        tables = list(policy.tables)
        for k in range(4):
            process = exact.joint(model, tables)
            even = exact.joint(model, [*tables[:k], np.full((2, 2), 0.5), *tables[k + 1 :]]).policy
            weight = exact.occupancy(process).sum(1)[:, None] * even  # the other agents' actions as they are
            at = (process.local_states[:, None, k], process.local_actions[None, :, k])
            mean, mass = np.zeros((2, 2)), np.zeros((2, 2))
            np.add.at(mean, at, weight * exact.q_values(process).sum(0))
            np.add.at(mass, at, weight)
            tables[k] = exact.softmax(mean / mass / temperature)
        policy = LocalPolicy(tables)
    found = locality.certificate(model, policy, errors=[0.1])
    gain = exact.objective(exact.joint(model, policy.tables)) - uniform
    bound = locality.truncation_error(locality.analyse(model, policy), [1])[0]
    told = {"measured": gap(model, policy, 1), "bound": bound, "rho": found.rho.high, "value": gain}
    yield Result("soft policy iteration", found.kappa[0][1], temperature, **told)


def scale(problem: tuple[str, int], seed: int) -> Iterator[Result]:
    """CPU seconds of certificate and kappa advice, and the process's memory, the model's tables included.

    n agents on a ring, a grid, or a random 3-regular graph where neighbours' actions matter as well.
    """
    name, n = problem
    if name == "grid":
        graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(round(n**0.5), round(n**0.5)))
    else:
        graph = nx.cycle_graph(n) if name == "ring" else nx.random_regular_graph(3, n, seed=seed)
    n, coupling = graph.number_of_nodes(), "actions" if name == "shared actions" else "states"
    model = TabularNetwork.random(graph, seed, coupling=coupling, concentration=40.0)
    for temperature in (0.3, 2.0):
        policy = LocalPolicy.softmax(list(np.random.default_rng([seed, 2]).normal(size=(n, 2, 2))), temperature)
        start = time.process_time()
        found = locality.certificate(model, policy)
        cpu = time.process_time() - start
        width = found.rho.high - found.rho.low
        made = {"bound": width, "rho": found.rho.high, "cost": n, "cpu": cpu, "memory_mb": 1024 * peak_memory()}
        yield Result(f"{name} {problem[1]}", found.kappa[1][1], temperature, **made)
