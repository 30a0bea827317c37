"""SysAdmin: machines in a network that run jobs, wear out, and wear out faster beside machines that have failed.

Guestrin, Koller and Parr (NIPS 2001), in the form with nine states a machine that the multi-agent literature uses (Guestrin, Lagoudakis
and Parr, ICML 2002): status good, faulty or dead; load idle, loaded or success. An agent reboots its machine, or lets it be.
With x_i the share of failed machines among those that influence machine i, a faulty one counting half:
    status'  good -> faulty with fail + spread x_i;   faulty -> dead with die + spread x_i;   dead stays;   rebooted: good
    load'    loaded -> success with done (good) or slow (faulty);   idle, success -> loaded with load, else idle;
             dead or rebooted: idle, and the job is lost
    r_i      1 when a job is finished, less ``cost`` for a reboot
Shares, not sums: a hub does not fail for its degree alone. The structure is the literature's, the default numbers are not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numba import njit
from scipy import sparse

from ...base.arrays import AnyArray, Array, Codes, Ints
from ...base.checks import instance, number, whole
from ...errors import DataError
from .base import CodedNetwork
from .checks import check_adjacency
from .neighbourhoods import adjacency_of, influencers
from .policies import as_states
from .streams import Seed, Words, uniform

STATUS = ("good", "faulty", "dead")
LOAD = ("idle", "loaded", "success")


@dataclass(frozen=True)
class Machines:
    """How machines wear and work: probabilities a step, and the cost of a reboot."""

    fail: float = 0.05
    "of a good machine to become faulty, none that influences it having failed"
    die: float = 0.1
    "of a faulty machine to die, likewise"
    spread: float = 0.4
    "what is added to either when all that influence it are dead"
    load: float = 0.6
    "of an idle machine to get a job"
    done: float = 0.6
    "of a good machine to finish its job"
    slow: float = 0.3
    "of a faulty one"
    cost: float = 0.0
    "of a reboot, in finished jobs"

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            object.__setattr__(self, name, number(name, value, 0, np.inf if name == "cost" else 1))
        for name, value in (("fail", self.fail), ("die", self.die)):
            if value + self.spread > 1:
                raise DataError(f"{name} + spread is {value + self.spread:g}, and must be a probability: 1 at most")


USUAL = Machines()


class SysAdminTables(NamedTuple):
    """Who influences whom, row i those who influence machine i (CSR); the probabilities of the module's equations; the cost."""

    indptr: Codes
    indices: Codes
    fail: float
    die: float
    spread: float
    load: float
    done: float
    slow: float
    cost: float


@njit(cache=True)
def sysadmin_step(net: SysAdminTables, states: AnyArray, actions: Ints, rewards: Array, streams: Words) -> None:
    """One step of every environment, in place: states, actions, rewards (E, n), streams (E, 2)."""
    for e in range(states.shape[0]):
        before, action, stream = states[e].copy(), actions[e], streams[e]
        for i in range(before.size):
            status, load = before[i] % 3, before[i] // 3
            first, last = net.indptr[i], net.indptr[i + 1]
            failed = 0
            for k in range(first, last):
                failed += before[net.indices[k]] % 3
            share = failed / (2.0 * (last - first)) if last > first else 0.0
            wear, work = uniform(stream), uniform(stream)  # two numbers a machine, whatever happens
            rewards[e, i] = -net.cost * action[i]
            if action[i]:
                states[e, i] = 0
            elif status == 2:
                states[e, i] = 2
            else:
                chance = (net.fail if status == 0 else net.die) + net.spread * share
                new = status + (wear < chance)
                if load == 1:
                    finished = work < (net.done if status == 0 else net.slow)
                    rewards[e, i] += finished
                    states[e, i] = new + 3 * (1 + finished)
                else:
                    states[e, i] = new + 3 * (work < net.load)


class SysAdmin(CodedNetwork):
    """Machines on any networkx graph, directed (i -> j: machine i influences machine j) or not, or a sparse adjacency.

    Everybody begins good and idle. machines: how they wear and work. The component "status" counts from good up
    (:data:`STATUS`), "load" from idle (:data:`LOAD`); a state's code is status + 3 load.
    """

    component_names = ("status", "load")

    def __init__(
        self,
        network: nx.Graph | sparse.csr_matrix,
        machines: Machines = USUAL,
        *,
        horizon: int | None = 50,
        n_envs: int | None = None,
        seed: Seed = None,
    ) -> None:
        labels = None if sparse.issparse(network) else [*instance("the network", network, nx.Graph, "a networkx graph")]
        self.adjacency = check_adjacency(network) if labels is None else adjacency_of(network)
        self.machines: Machines = instance("machines", machines, Machines, "Machines(...)")
        n = whole("the number of machines", self.adjacency.shape[0], 1)
        both = {"radices": np.full((n, 2), 3), "n_actions": np.full(n, 2)}
        super().__init__(**both, horizon=horizon, n_envs=n_envs, seed=seed, labels=labels)
        near = influencers(self.adjacency)
        rows = near.indptr.astype(np.int32), near.indices.astype(np.int32)
        self.tables = SysAdminTables(*rows, **asdict(machines))

    def _start(self) -> None:
        self.state[:] = 0

    def _advance(self, actions: Ints) -> None:
        sysadmin_step(self.tables, self.state, actions, self.reward, self.streams)

    def _initial(self, agent: int) -> Array:
        return np.eye(9)[0]

    def _outcomes(self, agent: int, neighbours: Ints, s: Ints, a: Ints) -> tuple[Array, Array]:
        net, mine = self.tables, neighbours == agent
        status, load, reboot = s[:, mine][:, 0] % 3, s[:, mine][:, 0] // 3, a[:, mine][:, 0] == 1
        share = (s[:, ~mine] % 3).sum(1) / (2 * max(int((~mine).sum()), 1))
        worn = np.where(status == 2, 0.0, np.where(status == 0, net.fail, net.die) + net.spread * share)
        finish = np.where(load == 1, np.where(status == 0, net.done, net.slow), 0.0)
        up = np.where(load == 1, finish, net.load)  # to the higher of the two loads that may follow
        low = np.where(load == 1, 1, 0)
        law, rows = np.zeros((len(s), 9)), np.arange(len(s))
        for wear, p in ((1, worn), (0, 1 - worn)):
            for rise, q in ((1, up), (0, 1 - up)):
                law[rows, np.minimum(status + wear, 2) + 3 * (low + rise)] += p * q
        law[status == 2], law[reboot] = np.eye(9)[2], np.eye(9)[0]
        lost = reboot | (status == 2)
        return law, np.where(lost, 0.0, finish) - net.cost * reboot


def reboot_worst(env: SysAdmin, s: Any, most: int | None = 1) -> Ints:
    """The hand rule: reboot the failed machine with most failed neighbours, (E, n) actions for the state codes (E, n).

    Neighbours are those who influence the machine, failed is faulty or dead; of equal ones a dead machine goes first, then the
    lower number. most: reboot so many; None: everyone who has failed.
    """
    instance("env", env, SysAdmin, "a SysAdmin network")
    most = env.n_agents if most is None else whole("most", most, 0)
    status = as_states(env, s) % 3
    failed = status > 0
    around = (influencers(env.adjacency).astype(np.int64) @ failed.T.astype(np.int64)).T  # (E, n)
    rank = np.where(failed, 2.0 * around + (status == 2), -1.0)
    first = np.argsort(-rank, axis=1, kind="stable")[:, :most]
    actions = np.zeros(status.shape, np.int64)
    np.put_along_axis(actions, first, np.take_along_axis(failed, first, axis=1).astype(np.int64), axis=1)
    return actions if env.n_envs is not None else actions[0]
