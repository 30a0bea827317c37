"""SysAdmin with one administrator: one machine is rebooted a step, or none (the network of agents is ``causalnet.envs.SysAdmin``)."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from ...base.arrays import Array, Bools
from ...base.checks import one_of, whole
from ..networked.streams import spawn
from ..networked.sysadmin import Machines, SysAdmin, reboot_worst
from .base import Operations, layered_names

KINDS = ("ring", "star", "hubs")
USUAL = Machines(fail=0.02, spread=0.3)  # so few failures that one administrator can keep up


def machine_network(kind: str = "ring", n: int = 30, *, seed: int = 0) -> nx.DiGraph:
    """n machines whose failures spread along arrows: "ring", each to the next one; "star", from one to all; "hubs", a Barabasi-Albert
    network of 2 links a machine, from the older to the younger. Nodes are in a random order."""
    kind, n = one_of("kind", kind, KINDS), whole("n", n, 3, 100_000)
    links = {
        "ring": lambda: [(i, (i + 1) % n) for i in range(n)],
        "star": lambda: [(0, i) for i in range(1, n)],
        "hubs": lambda: [(min(e), max(e)) for e in nx.barabasi_albert_graph(n, 2, seed=seed).edges],
    }
    names = layered_names("machine", n)
    order = np.random.default_rng(whole("seed", seed, 0)).permutation(n)
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from((names[order[i]], names[order[j]]) for i, j in links[kind]())
    return graph


class MachineRoom(Operations):
    """Reward: the share of machines that finish a job in the step, less ``machines.cost`` / n for a reboot.

    network: as of :class:`SysAdmin`, whose dynamics it has. In trouble are machines that are faulty or dead; beside that it is seen
    which are dead, loaded, and just successful.
    """

    def __init__(self, network: nx.Graph | None = None, machines: Machines = USUAL, *, max_steps: int = 60) -> None:
        graph = machine_network() if network is None else network
        super().__init__(graph, 4, max_steps)
        self.room = SysAdmin(graph, machines, horizon=None)
        self._act = np.zeros(self.room.n_agents, np.int64)
        self._codes = np.zeros(self.room.n_agents, np.int64)

    def trouble(self) -> Bools:
        """(V,): the faulty and the dead."""
        return self._codes % 3 > 0

    def worst(self) -> int:
        """The hand rule, as an action: the failed machine with most failed neighbours; none where none has failed."""
        chosen = np.flatnonzero(reboot_worst(self.room, self._codes))
        return int(chosen[0]) if chosen.size else len(self.variables)

    def _begin(self) -> None:
        self._codes = self.room.reset(spawn(self.np_random, 1))[0]
        self._act[:] = 0

    def _repair(self, variable: int) -> None:
        self._act[variable] = 1
        self._codes = np.where(self._act == 1, 0, self._codes)

    def _go_on(self) -> float:
        self._codes, r, *_ = self.room.step(self._act)
        rebooted = int(self._act.sum())
        self._act[:] = 0
        return float(r.mean()) + rebooted * self._price()

    def _price(self) -> float:
        return self.room.machines.cost / self.room.n_agents

    def _more(self) -> list[Array]:
        status, load = self._codes % 3, self._codes // 3
        return [status == 2, load == 1, load == 2]

    def _settings(self) -> dict[str, Any]:
        return dict(vars(self.room.machines))
