"""What the environments of this folder share: a network of variables that may be in trouble, and one repair a step, or none."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import Any, ClassVar

import gymnasium
import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from ...base.arrays import Array, Bools, Floats, Ints
from ...base.asked import asks
from ...base.checks import array_of, shown, whole
from ...errors import DataError
from ...graph import Graph
from ..networked.checks import check_topology
from ..networked.neighbourhoods import adjacency_of

UNIT = "all"  # the one place where the variables live


class Operations(gymnasium.Env[Floats, int]):
    """V variables, the nodes of a network whose edge i -> j says that trouble at i brings trouble to j.

    Action a < V acts on variable a, action V on none. Observations (V f,) float32: first which variables are in trouble, (V,) zeros
    and ones, then what else is seen of each. As :mod:`causalnet.envs.protocols` has it, for ``causalnet.CausalMask`` and
    ``learn_by_doing``: ``variables`` (V,), ``action_variables`` (V + 1,) with -1 for none, ``action_units``, ``counts(obs)`` (1, V), one
    unit. ``true_graph``: the network as a Graph (edges both ways are an undirected one, which says nothing about order); for
    controls, not for learners. info: "started" and "cleared" (1, V), what began and what ended in the step.
    Episodes are truncated after ``max_steps``.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}
    step_seconds = 1.0

    def __init__(self, network: nx.Graph, features: int, max_steps: int) -> None:
        nodes = check_topology(network, directed=None, what="network")
        self.variables = tuple(map(str, nodes))
        if len(set(self.variables)) < len(nodes):
            raise DataError("two nodes of the network have the same name as text; rename one")
        self.influences: Bools = adjacency_of(network).toarray()  # (V, V): [i, j], i brings trouble to j
        v = len(self.variables)
        self.max_steps = whole("max_steps", max_steps, 1)
        self.units, self.topology = (UNIT,), nx.empty_graph([UNIT])
        self.action_variables: Ints = np.append(np.arange(v), -1)
        self.action_units: Ints = np.zeros(v + 1, np.int64)
        self.true_graph = Graph(self.variables, self.influences)
        self.action_space = gymnasium.spaces.Discrete(v + 1)
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (v * features,), np.float32)
        self.taken: int | None = None

    # ---- what a subclass adds ---------------------------------------------------------------------------------------

    @abstractmethod
    def _begin(self) -> None:
        """Draw the first state."""

    @abstractmethod
    def _repair(self, variable: int) -> None:
        """Act on a variable."""

    @abstractmethod
    def _go_on(self) -> float:
        """One step of everything; what it is worth, a repair's cost left out."""

    @abstractmethod
    def _price(self) -> float:
        """What a repair costs."""

    @abstractmethod
    def trouble(self) -> Bools:
        """(V,): which variables are in trouble now."""

    @abstractmethod
    def _more(self) -> list[Array]:
        """What is seen beside trouble: (V,) each, from 0 to 1."""

    # ---- Gymnasium --------------------------------------------------------------------------------------------------

    @asks()
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Start an episode; ``seed`` restarts the random stream. There are no options."""
        super().reset(seed=seed)
        if options:
            raise DataError(f"the environment's reset has no options, got {', '.join(map(str, options))}")
        self._begin()
        self.taken = 0
        return self._look(), self._told(self.trouble(), np.zeros(len(self.variables), bool))

    def step(self, action: int) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Act on variable ``action``, or on none (V), and let a step pass."""
        if self.taken is None or self.taken >= self.max_steps:
            raise DataError("no episode is running; call reset first")
        given = action[()] if isinstance(action, np.ndarray) and action.ndim == 0 else action
        v = len(self.variables)
        chosen = whole(f"the action, the number of a variable or {v} for none,", given, 0, v)
        before = self.trouble().copy()
        if chosen < v:
            self._repair(chosen)
        ended = before & ~self.trouble()
        reward = self._go_on() - (self._price() if chosen < v else 0.0)
        self.taken += 1
        now = self.trouble()
        told = self._told(now & (~before | ended), ended | (before & ~now))
        return self._look(), float(reward), False, self.taken >= self.max_steps, told

    def counts(self, obs: ArrayLike) -> Ints:
        """(..., 1, V): which variables are in trouble, from observations (..., V f)."""
        given = array_of("obs", obs)
        if given.ndim == 0 or given.shape[-1] < len(self.variables) or given.dtype.kind not in "biuf":
            raise DataError(f"obs is {shown(obs)}, and must be observations of this environment")
        return given[..., None, : len(self.variables)].astype(np.int64)

    @property
    def fingerprint(self) -> str:
        """What two environments share iff they behave alike."""
        text = repr((type(self).__name__, self.variables, self.max_steps, sorted(self._settings().items())))
        return hashlib.sha256(text.encode() + self.influences.tobytes()).hexdigest()[:16]

    def _settings(self) -> dict[str, Any]:
        """The numbers that set this environment apart on its network."""
        return {}

    def _look(self) -> Floats:
        return np.concatenate([self.trouble(), *self._more()]).astype(np.float32)

    def _told(self, started: Bools, cleared: Bools) -> dict[str, Any]:
        return {"started": started[None].astype(np.int64), "cleared": cleared[None].astype(np.int64)}


def layered_names(prefix: str, n: int) -> list[str]:
    """``n`` names that sort as they count: "service 00", "service 01", ..."""
    width = len(str(n - 1))
    return [f"{prefix} {k:0{width}d}" for k in range(n)]
