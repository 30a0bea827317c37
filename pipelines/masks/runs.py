"""What masks are worth to a policy that repairs any allowed variable, all alike: no training, so that the mask alone is judged."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from causalnet import CausalMask, Graph
from causalnet.base.arrays import Bools, Ints
from causalnet.data import collect
from causalnet.envs import Inventory, MachineRoom, Services, machine_network
from causalnet.graph.metrics import score
from causalnet.graph.posterior import GraphPosterior
from causalnet.representation import Gate, RootCauseMask, learn_posterior
from causalnet.representation.gate import Choice
from causalnet.training import random_graph
from causalnet.training.evaluation import FIRST_SEED

NETWORKS: dict[str, Callable[[int], Any]] = {  # name -> environment of a seed, which draws the network
    "services 16": lambda seed: Services(16, seed=seed),
    "machines, ring of 30": lambda seed: MachineRoom(machine_network("ring", 30, seed=seed)),
    "machines, star of 30": lambda seed: MachineRoom(machine_network("star", 30, seed=seed)),
    "machines, hubs of 30": lambda seed: MachineRoom(machine_network("hubs", 30, seed=seed)),
    "inventory 20": lambda seed: Inventory(20, seed=seed),
    "services 50": lambda seed: Services(50, seed=seed),
}
SIZES = (0, 100, 500, 2_000, 10_000)
POINT_SIZE = 2_000  # at which the same graph is used without its doubt
NONE, PRESENCE, TRUE, RANDOM, TURNED, DOUBT = (
    "no mask",
    "presence",
    "true graph",
    "random graph",
    "turned graph",
    "doubt",
)
WRONG = (RANDOM, TURNED)
POINT = {"point, k=1": 1, "point, roots": "roots"}
GATED = ", gate"

Keep = Callable[[Bools], Bools]  # which variables are present -> which may be repaired


@dataclass
class Run:
    """What a policy earned under one mask.

    value: mean return of an episode over ``judged`` episodes. size: interactions that the graph was learned from.
    f1, edges: of the graph of edges more probable than not. arm: which one a gate plays in the end. steps: interactions in
    training, discovery's among them. curve: steps and mean return of blocks of training episodes.
    """

    task: str = field(default="", kw_only=True)
    problem: str
    mask: str
    size: int = 0
    seed: int = field(default=0, kw_only=True)
    value: float | None = None
    f1: float | None = None
    edges: int | None = None
    arm: str = ""
    steps: int = 0
    cpu: float | None = None
    curve: str = ""


class Problem(NamedTuple):
    """A network, the sizes at which its graph is learned, and how long is played.

    judged: episodes that judge. gated: episodes in which a gate learns, where the policy does not. steps: of training.
    """

    network: str
    sizes: tuple[int, ...] = SIZES
    judged: int = 200
    gated: int = 200
    steps: int = 12_000

    def __str__(self) -> str:
        return self.network

    def make(self, seed: int) -> Any:
        """The environment; "services 6" is that of quick runs."""
        if self.network in NETWORKS:
            return NETWORKS[self.network](seed)
        return Services(int(self.network.split()[-1]), fault=0.05, max_steps=30, seed=seed)


class Seen(NamedTuple):
    """What interactions leave to learn a graph from: before, after (T, V), and the variable acted on (T,), -1 for none."""

    before: Bools
    after: Bools
    acted: Ints

    def posterior(self, env: Any, size: int) -> GraphPosterior:
        """The graphs that the first ``size`` of them leave possible."""
        return learn_posterior(*(part[:size] for part in self), env.variables)


def uniform(problem: Problem, seed: int) -> Iterator[Run]:
    """Every mask under the policy that draws an allowed variable, and repairs nothing only where nothing is in trouble."""
    env = problem.make(seed)
    v = len(env.variables)
    seen, truth = explore(env, max(problem.sizes), seed), env.true_graph
    values: dict[Any, float] = {}

    def judge(keep: Keep) -> float:
        return float(np.mean([play(env, keep, FIRST_SEED + k) for k in range(problem.judged)]))

    def pair(name: str, keep: Keep, **told: Any) -> Iterator[Run]:
        """A mask, and the same behind a gate that has learned: then it plays one arm, whose value is known."""
        begun = time.process_time()
        values[name] = judge(keep)
        yield Run(str(problem), name, value=values[name], cpu=time.process_time() - begun, **told)
        gate = learned_gate(env, keep, problem.gated, seed, name == DOUBT)
        value = values[name if gate.best == "causal" else PRESENCE]
        yield Run(str(problem), name + GATED, value=value, arm=gate.best, **told)

    for name, keep in ((NONE, lambda here: np.ones(v, bool)), (PRESENCE, present)):
        values[name] = judge(keep)
        yield Run(str(problem), name, value=values[name])
    yield Run(str(problem), TRUE, value=judge(keeper(env, truth)))
    for name, graph in wrong_graphs(truth, seed).items():
        yield from pair(name, keeper(env, graph))
    for size in problem.sizes:
        begun = time.process_time()
        posterior = seen.posterior(env, size)
        told = {"size": size, **quality(truth, posterior.graph())}
        keep = keeper(env, posterior) if posterior.samples.any() else present
        for run in pair(DOUBT, keep, **told):
            run.cpu = time.process_time() - begun
            yield run
        if size == min(POINT_SIZE, max(problem.sizes)):
            for name, k in POINT.items():
                yield Run(str(problem), name, value=judge(keeper(env, posterior.graph(), k)), **told)


def wrong_graphs(truth: Graph, seed: int) -> dict[str, Graph]:
    """A random DAG of as many edges, and the truth with every arrow turned."""
    return {RANDOM: random_graph(truth, seed), TURNED: Graph(truth.nodes, truth.adj.T)}


def quality(truth: Graph, graph: Graph) -> dict[str, Any]:
    """F1 over directed edges, and their number; an undirected truth has none to find."""
    found = score(truth, graph)
    return {"f1": found["f1"], "edges": int(graph.directed.sum())}


# ---- playing -------------------------------------------------------------------------------------------------


def present(here: Bools) -> Bools:
    """Presence alone."""
    return here


def keeper(env: Any, graph: Any, k: Any = "roots") -> Keep:
    """The rule of ``CausalMask(env, graph, k)`` at its default cost, on presence itself; states met before are remembered."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cycles, which a ring has
        rule = RootCauseMask(
            graph, k, variables=env.variables, action_variables=env.action_variables, present=lambda obs: obs
        )
    known: dict[bytes, Bools] = {}

    def keep(here: Bools) -> Bools:
        name = here.tobytes()
        if name not in known:
            known[name] = rule.kept(here)
        return known[name]

    return keep


def play(env: Any, keep: Keep, seed: int | None) -> float:
    """The return of an episode of uniform play over what is kept."""
    return sum(step.reward for step in episode(env, keep, seed, np.random.default_rng(seed)))


def episode(env: Any, keep: Keep, seed: int | None, luck: np.random.Generator, free: float = 0.0) -> Iterator[Choice]:
    """The steps of uniform play over what is kept, a share ``free`` of them over all that is present."""
    env.reset(seed=seed)
    n, v = env.max_steps, len(env.variables)
    for u, other in zip(luck.random(n), luck.random(n) if free else np.ones(n), strict=True):
        here = env.trouble().copy()
        kept = keep(here) if here.any() else here
        allowed = np.flatnonzero(here if other < free else kept) if here.any() else np.array([v])
        chosen = int(allowed[int(u * allowed.size)])
        _, reward, _, over, _ = env.step(chosen)
        yield Choice(here, kept, np.arange(v) == chosen, other < free, reward, over)
        if over:
            break


def explore(env: Any, steps: int, seed: int) -> Seen:
    """So many interactions of uniform play over what presence allows, no repair among it, from episodes that judge nobody."""
    data = collect(CausalMask(env, None), steps=steps, seed=seed)
    return Seen(data.before[:, 0] > 0, data.after[:, 0] > 0, data.variable)


def seen_in(rows: list[tuple[Bools, Bools, int]]) -> Seen:
    """Rows (before, after, acted) as arrays."""
    before, after, acted = zip(*rows, strict=True)
    return Seen(np.array(before, bool), np.array(after, bool), np.array(acted, np.int64))


def learned_gate(env: Any, keep: Keep, episodes: int, seed: int, doubted: bool) -> Gate:
    """A gate that has seen so many episodes of its own choice; between presence and presence there is nothing to learn."""
    gate, rng = Gate(), np.random.default_rng([seed, 2])
    gate.update(keep, doubted)
    for _ in range(0 if keep is present else episodes):
        arm, start = gate.best, int(rng.integers(FIRST_SEED))
        gate.see(arm, list(episode(env, keep, start, rng, gate.explore if arm == "causal" else 1.0)))
    return gate
