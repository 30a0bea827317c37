"""A trained agent without its environment: counts in, repair out, with the reason and the probability.

``export_policy(agent, path)`` writes weights, scaling, graph and names to one file (safetensors with a JSON schema);
``Decider.load(path).decide(counts)`` takes the action that ``agent.predict`` takes. The scorer of network "cells" is
shared by all units and knows none by name, so units may come and go: their cells are scored like all others. What does
not carry over by itself is the summary of the whole network, a sum over units: a note says so where there are more
units than in training. A plain network ("mlp") is bound to its units.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...base.arrays import AnyArray, Array, Bools
from ...base.asked import asks
from ...base.checks import array_of, distinct, instance, known, number
from ...errors import CausalnetError, DataError, NotApplicable
from ...graph import Graph
from ...representation.root_causes import RootCauseMask
from ...storage.tensors import read_tensors, write_tensors
from .agent import Agent
from .cells import CellActionValues, CellActorCritic, Layout
from .networks import ActionValues, ActorCritic
from .reader import Scaler

FORMAT, VERSION = "causalnet.policy", 1


@dataclass(frozen=True)
class Decision:
    """One repair. probability: that the policy, as it learned to act, takes this one. roots: the variables present that
    the graph holds for roots, all present ones without a graph. because: the same in words. notes: what is uncertain."""

    unit: str
    variable: str
    probability: float
    roots: tuple[str, ...]
    because: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able form."""
        return asdict(self)


def export_policy(agent: Agent, path: str | Path) -> Path:
    """Write what an agent of PPO, DQN or D3QN decides by; NotApplicable where its actions are not cells of its counts."""
    instance("agent", agent, Agent, "a PPO, DQN or D3QN")
    env, network = agent.env, agent.network
    try:
        core = env.unwrapped
        variables, units = tuple(map(str, core.variables)), tuple(map(str, core.units))
        kind, unit = np.asarray(core.action_variables), np.asarray(core.action_units)
    except AttributeError as error:
        raise NotApplicable(
            f"{env.unwrapped} does not name variables and units ({error}), so a repair has no name"
        ) from None
    d, v = len(units), len(variables)
    channels, odd = divmod(agent.reader.n_obs, d * v)
    if odd or not np.array_equal(unit * v + kind, np.arange(d * v)):
        raise NotApplicable(
            "a policy is exported where each action is a cell, unit * variables + variable, that is observed"
        )
    mask = env.get_wrapper_attr("mask") if env.has_wrapper_attr("mask") else None
    if mask is not None and not isinstance(mask, RootCauseMask):
        raise NotApplicable(
            "the mask of this agent is a function of your own; export takes that of a graph, or of presence"
        )
    cells = isinstance(network, CellActorCritic | CellActionValues)
    schema = {
        "format": FORMAT,
        "version": VERSION,
        "learner": type(agent).__name__,
        "network": "cells" if cells else "mlp",
        "hidden": list(agent.settings.hidden),
        "dueling": bool(getattr(agent.settings, "dueling", False)),
        "inputs": agent.scaler.kind,
        "epsilon": None if agent.DETERMINISTIC is False else float(agent.settings.epsilon),
        "variables": list(variables),
        "units": list(units),
        "channels": channels,
        "masked": agent.reader.masked,
        "k": None if mask is None else mask.k,
        "graph": None if mask is None or mask.graph is None else json.loads(mask.graph.to_json()),
    }
    arrays = {f"network.{name}": np.asarray(a) for name, a in network.arrays.items()}
    arrays |= {f"scaler.{name}": np.asarray(a) for name, a in agent.scaler.to_arrays().items()}
    return write_tensors(path, arrays, {FORMAT: json.dumps(schema)})


@asks()
class Decider:
    """Decides by an exported policy; ``load`` it once, ``decide`` as often as there is something to repair."""

    def __init__(self, schema: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> None:
        if lost := [name for name in ("variables", "units", "channels", "graph") if name not in schema]:
            raise DataError(f"the schema of the policy lacks {lost[0]!r}; export it with export_policy")
        try:
            self._open(schema, arrays)
        except CausalnetError:
            raise
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise DataError(f"the policy lacks a part, or has a foreign one ({error}); export it again") from error

    def _open(self, schema: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> None:
        """Take over what was exported."""
        self.schema = dict(schema)
        self.variables, self.units = tuple(schema["variables"]), tuple(schema["units"])
        self.channels = int(schema["channels"])
        self._weights = {n.removeprefix("network."): a for n, a in arrays.items() if n.startswith("network.")}
        self._moments = {n.removeprefix("scaler."): a for n, a in arrays.items() if n.startswith("scaler.")}
        self.graph = None if schema["graph"] is None else Graph.from_json(json.dumps(schema["graph"]))
        self._built: dict[int, tuple[Any, Scaler, RootCauseMask]] = {}
        self._for(len(self.units))

    @classmethod
    def load(cls, path: str | Path) -> Decider:
        """Read what ``export_policy`` wrote; DataError for another schema or version, or a file cut short."""
        arrays, told = read_tensors(path)
        if FORMAT not in told:
            raise DataError(
                f"{path} holds weights, but no policy of causalnet; give a file that export_policy has written"
            )
        try:
            schema = instance("its schema", json.loads(told[FORMAT]), dict, "a JSON object")
            if (version := schema.get("version")) != VERSION:
                raise DataError(
                    f"its schema has version {version}, and this causalnet reads version {VERSION}; export it again, "
                    "or use the release that wrote it"
                )
            return cls(schema, arrays)
        except ValueError as error:
            raise DataError(f"{path}: {error}") from error

    def decide(
        self, counts: ArrayLike, units: Sequence[str] | None = None, mask: ArrayLike | None = None
    ) -> Decision | None:
        """The repair for counts (D, V), or (D, V, channels) as observed; None where nothing is present.

        units: (D,) names, where they are not those of training. mask: (D, V) bool, cells that may be acted on besides.
        """
        names = self.units if units is None else distinct("units", units)
        seen = self._checked(counts, len(names), units is None)
        network, scaler, rule = self._for(len(names))
        x = seen.astype(np.float32).ravel()
        present = (seen[..., -1] > 0).ravel()
        if not present.any():
            return None
        allowed = rule(present) if self.schema["masked"] else np.ones(len(present), dtype=bool)
        allowed = self._narrowed(allowed, mask)
        open_ = np.flatnonzero(allowed)
        scores = network.single(scaler(x), None if not self.schema["masked"] and mask is None else open_)
        best = int(scores.argmax())
        unit, variable = divmod(int(open_[best]), len(self.variables))
        kept = rule.kept(present.reshape(len(names), -1).any(axis=0))
        roots = tuple(name for name, is_root in zip(self.variables, kept, strict=True) if is_root)
        why = f"{', '.join(roots)} held for {'roots' if len(roots) > 1 else 'the root'} among {int(present.sum())} cells in alarm"
        if self.graph is None:
            why = f"no graph: the best of all {int(present.sum())} cells in alarm"
        chance = self._probability(scores.astype(np.float64), best)
        return Decision(names[unit], self.variables[variable], chance, roots, why, self._notes(names))

    def counts_of(
        self, alarms: Mapping[str, Mapping[str, int]], units: Sequence[str] = ()
    ) -> tuple[Array, tuple[str, ...]]:
        """Counts (D, V) and the units' names of {unit: {variable: count}}; units: those without an alarm, too."""
        if self.channels != 1:
            raise NotApplicable(
                f"this policy sees {self.channels} numbers a cell, such as ages, and alarms are counts alone; call "
                "decide with all of them, or train on counts"
            )
        told = 'a dict such as {"unit": {"variable": 2}}'
        cells = {str(name): one for name, one in instance("alarms", alarms, Mapping, told).items()}
        known_units = self.units if isinstance(units, tuple | list) and not units else distinct("units", units)
        names = tuple(dict.fromkeys([*known_units, *cells]))
        at = {name: i for i, name in enumerate(self.variables)}
        counts = np.zeros((len(names), len(at)))
        for d, name in enumerate(names):
            for variable, n in instance(f"alarms of {name!r}", cells.get(name, {}), Mapping, told).items():
                known(variable, at, f"unit {name!r} has an alarm {variable!r}, which the policy does not know")
                counts[d, at[variable]] += number(f"the count of {variable!r} at {name!r}", n, 0.0)
        return counts, names

    def _for(self, d: int) -> tuple[Any, Scaler, RootCauseMask]:
        """Network, scaling and mask for d units."""
        if d not in self._built:
            v, told = len(self.variables), self.schema
            rng, widths = np.random.default_rng(0), tuple(told["hidden"])
            cells = told["network"] == "cells"
            if d != len(self.units) and (not cells or told["inputs"] == "standard"):
                why = (
                    "a plain network has an input for each of them"
                    if not cells
                    else "its inputs are scaled cell by cell"
                )
                raise NotApplicable(
                    f"this policy is bound to its {len(self.units)} units, and {d} were given: {why}; train it anew"
                )
            layout = Layout(d, v, self.channels, np.arange(d * v))
            values = told["learner"] != "PPO"
            network: Any
            if cells:
                network = (
                    CellActionValues(layout, widths, told["dueling"], rng)
                    if values
                    else CellActorCritic(layout, widths, rng)
                )
            else:
                sizes = (d * v * self.channels, d * v, widths)
                network = ActionValues(*sizes, told["dueling"], rng) if values else ActorCritic(*sizes, rng)
            network.fill(dict(self._weights))
            scaler = Scaler(told["inputs"], d * v * self.channels)
            if told["inputs"] == "standard":
                scaler.from_arrays(self._moments)
            kinds = np.tile(np.arange(v), d)
            k = v if told["k"] is None else told["k"]
            rule = RootCauseMask(
                self.graph, k, variables=self.variables, action_variables=kinds, cells=lambda cells: cells
            )
            self._built[d] = network, scaler, rule
        return self._built[d]

    def _checked(self, counts: ArrayLike, d: int, trained: bool) -> Array:
        """(D, V, channels) finite numbers from 0 on."""
        array = array_of("counts", counts)
        if array.dtype.kind not in "biuf":
            raise DataError(f"counts holds {array.dtype} values; write numbers from 0 on, (units, variables)")
        array = array.astype(np.float64)
        array = array[..., None] if array.ndim == 2 else array
        v = len(self.variables)
        if array.shape != (d, v, self.channels):
            named = "" if not trained else "; give units= where they are not those of training"
            raise DataError(
                f"counts has the shape {np.shape(counts)}, and {d} units with {v} variables need ({d}, {v}, {self.channels}){named}"
            )
        if not np.isfinite(array).all() or (array < 0).any():
            raise DataError("counts holds a value that is negative or no finite number; what is absent is 0")
        return array

    def _narrowed(self, allowed: Bools, mask: ArrayLike | None) -> Bools:
        if mask is None:
            return allowed
        given = array_of("mask", mask).astype(bool).ravel()
        if given.shape != allowed.shape or not given.any():
            raise DataError(
                f"mask is (units, variables) bools with one True at least, {allowed.size} in all; got {given.size}"
            )
        return allowed & given if (allowed & given).any() else given

    def _probability(self, scores: Array, best: int) -> float:
        epsilon = self.schema["epsilon"]
        if epsilon is not None:  # the best action, but for a share of random ones
            return float(1.0 - epsilon + epsilon / len(scores))
        p = np.exp(scores - scores.max())
        return float(p[best] / p.sum())

    def _notes(self, names: tuple[str, ...]) -> tuple[str, ...]:
        if names == self.units:
            return ()
        new, gone = len(set(names) - set(self.units)), len(set(self.units) - set(names))
        told = (
            f"{new} units are new and {gone} are gone: the scorer is shared by all units, so each is scored as before"
        )
        if len(names) > len(self.units):
            told += f"; the sums over units go beyond the {len(self.units)} of training, where nothing was checked"
        return (told,)
