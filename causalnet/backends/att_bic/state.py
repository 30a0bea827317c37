"""The explicit state of att_bic: what was set, what was counted, what was fitted; saved as plain arrays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import networkx as nx
import numpy as np
import pandas as pd

from ...base.arrays import AnyArray, Array, Bools, Ints
from ...base.asked import asks
from ...base.checks import distinct, number, one_of
from ...data import Events
from ...data.topology import checked_topology, links
from ...errors import DataError
from ...graph import Knowledge
from ...search.hawkes_search import Scorer
from ...stats.hawkes import Exposure, Normalization, Reach, distances, expose, hop_weights, reach_of
from ...stats.parent_evidence import GROUND, Rows
from ...stats.treatment_effect import Counterfactual, Sums, nothing
from ...storage import checkpoint

if TYPE_CHECKING:
    from ...discovery.online import OnlineBackend

Mode = Literal["default", "paper"]
SAVED = checkpoint.Kind("causalnet.att_bic", 3, "att_bic.save", shrink=True)
STEADY = 5e-5  # 1/s, the forgetting of an earlier log whose alarms have no end: next to none
MOST_UNITS = 10_000  # hop weights are dense while they are set up: 8 D^2 bytes, four times over (3 GB)
PRUNE_TOL = 1e-3  # nats at which EM stops in mode "paper": far below its price of an edge
RUN = ("before", "started", "cleared", "after", "unit", "variable", "seconds", "reads")
PER_START = {"target", "phi", "unit"}  # fields of Rows with an entry for each start
COUNTS = ("steps", "due", "fitted")
FITTED = ("start", "adj", "chosen", "theta", "loss", "share")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the graph is learned: what ``init`` takes as keywords. 0.6 and 0.1 were settled on generated instances with other
    random graphs and lie on flat ground there (F1 within .04 for penalties of 0.3 to 1.1, within .02 for leaks of 0.03 to
    0.25); scores on the official instance were seen meanwhile."""

    mode: Mode = "default"
    "constant hazards and BIC, or Algorithm 1 of the paper"
    hops: Sequence[int] = (0, 1)
    "distinct topology distances at which a cause acts, as in the backend thp"
    normalization: Normalization = "degree"
    """D^-1 A D^-1, what the published simulator does; "symmetric" is D^-1/2 A D^-1/2, as the text of the paper has it"""
    penalty_scale: float | None = None
    "times log(events) / 2 nats for each (cause, hop) coefficient; None: 0.6, or 0.005 in the paper's mode"
    leak: float = 0.1
    "share of vanished alarms that vanish for another reason than the repair"
    refresh: float = 0.05
    "the graph is fitted anew when the number of actions has grown by this share"
    counterfactual: Counterfactual = "control"
    """what an effect is measured against (:mod:`causalnet.stats.treatment_effect`): "control" and "before" for repairs,
    "others" for actions that set a variable. It decides in mode "paper", and is evidence otherwise"""
    capacity: float = math.inf
    "a cell that holds so many cannot start another; 1 for variables that are on or off"

    def __post_init__(self) -> None:
        scale = {"default": 0.6, "paper": 0.005}[one_of("mode", self.mode, get_args(Mode))]
        one_of("normalization", self.normalization, get_args(Normalization))
        one_of("counterfactual", self.counterfactual, get_args(Counterfactual))
        checked = {
            "hops": distances(self.hops),
            "penalty_scale": scale if self.penalty_scale is None else number("penalty_scale", self.penalty_scale, 0.0),
            "leak": number("leak", self.leak, 0.0, 1.0),
            "refresh": number("refresh", self.refresh, 0.0),
            "capacity": math.inf if self.capacity == math.inf else number("capacity", self.capacity, 1.0),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)


SETTINGS = tuple(field.name for field in fields(Settings))


@dataclass(frozen=True, kw_only=True)
class Setup(Settings):
    """What ``init`` was told, checked. allowed, required: (V, V) bool; reach: sparse hop weights by receiving unit."""

    variables: tuple[str, ...]
    units: tuple[str, ...]
    near: Bools  # (D, D) neighbours
    hops: tuple[int, ...]  # without those that do not exist here
    penalty_scale: float
    allowed: Bools
    required: Bools
    reach: Reach = field(repr=False)

    @classmethod
    def of(
        cls,
        variables: Sequence[Any],
        units: Sequence[Any],
        topology: nx.Graph | None,
        knowledge: Knowledge | None,
        settings: Settings,
    ) -> Setup:
        """Check the names, and prepare the arrays that depend on names and settings alone."""
        names, places = distinct("variables", variables), distinct("units", units)
        if len(places) > MOST_UNITS:
            raise DataError(
                f"{len(places)} units need hop weights of {8e-9 * len(places) ** 2:.1f} GB each; at most {MOST_UNITS} "
                "are taken: give the parts of the network that are not linked one by one"
            )
        near = links(checked_topology(topology, places), places)
        hops = distances(settings.hops, linked=bool(near.any()))
        allowed, required = (knowledge or Knowledge()).compile(names)
        reach = _reach(near, hops, settings.normalization)
        prepared = {"near": near, "allowed": allowed, "required": required, "reach": reach}
        return cls(**{**vars(settings), "variables": names, "units": places, "hops": hops, **prepared})

    @property
    def told(self) -> dict[str, Any]:
        """Names and settings, as ``init`` took them."""
        return {name: getattr(self, name) for name in ("variables", "units", *SETTINGS)}

    @property
    def columns(self) -> int:
        """P: backgrounds, then (type, hop)."""
        return GROUND + len(self.variables) * len(self.hops)


def _reach(near: Bools, hops: tuple[int, ...], normalization: Normalization) -> Reach:
    """Row k * D + v: the units whose alarms reach v at hop k, and how strongly."""
    weights = [w.T for w in hop_weights(near, hops, normalization)]
    return reach_of(weights, np.ones(len(near), dtype=bool))


@dataclass(frozen=True)
class Run:
    """An episode under way: (D, V) counts of each action so far, the last ``after``, and the cells acted on."""

    before: tuple[Ints, ...] = ()
    started: tuple[Ints, ...] = ()
    cleared: tuple[Ints, ...] = ()
    after: Ints | None = None
    unit: tuple[int, ...] = ()
    variable: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    reads: tuple[bool, ...] = ()  # whether what vanished went with the cell acted on


@dataclass(frozen=True)
class State:
    """All that the learner knows. rows: one entry a closed run; adj (V, V), theta (V, P) hazards, loss (V, V)."""

    setup: Setup
    start: Bools  # (V, V) the graph before any action
    log: Events | None
    rows: tuple[Rows, ...]
    sums: Sums
    adj: Bools
    chosen: Bools  # (V, P) columns chosen for each target
    theta: Array  # (V, P) hazards per second
    loss: Array  # (V, V) nats lost without the edge
    share: Array  # (D, V) how the background of each variable falls on the units; 1 where evenly
    scorer: Scorer | None = field(default=None, repr=False, compare=False)  # mode "paper": Eq. 6 on the log
    run: Run = field(default_factory=Run)
    steps: int = 0
    due: float = 1.0  # number of actions at which the next fit is due
    fitted: int = 0  # number of actions at the last fit

    @property
    def backend(self) -> OnlineBackend:
        """The functions that take this state."""
        from .. import att_bic

        return att_bic


def open_state(setup: Setup, start: Bools, log: Events | None, rows: tuple[Rows, ...] = ()) -> State:
    """The state before the first action; rows: what an earlier log says."""
    v, p = len(setup.variables), setup.columns
    return State(
        setup=setup,
        start=start,
        log=log,
        rows=rows,
        sums=nothing(v),
        adj=start,
        chosen=columns_of(start, len(setup.hops)),
        theta=np.zeros((v, p)),
        loss=np.zeros((v, v)),
        share=np.ones((len(setup.units), v)),
        scorer=_scorer(setup, log),
    )


def columns_of(adj: Bools, hops: int) -> Bools:
    """(V, P) for each target the columns of all its causes in ``adj`` (V, V), at every hop."""
    return np.concatenate([np.zeros((len(adj), GROUND), dtype=bool), np.repeat(adj.T, hops, axis=1)], axis=1)


def _scorer(setup: Setup, log: Events | None) -> Scorer | None:
    """The score of Eq. 6 on the earlier log, which mode "paper" prunes by."""
    if setup.mode == "default" or log is None:
        return None
    seen = log_exposure(setup, log)
    price = setup.penalty_scale * math.log(max(log.n, 2)) / 2.0
    return Scorer(seen, price, tol=PRUNE_TOL)


def log_exposure(setup: Setup, log: Events) -> Exposure:
    """The earlier log under hazards that last: every earlier event nearby is a possible parent."""
    type_of = np.array([setup.variables.index(name) for name in log.types], dtype=np.int32)
    unit_of = np.array([setup.units.index(name) for name in log.devices], dtype=np.int32)
    weights = hop_weights(setup.near, setup.hops, setup.normalization)
    kind, device = type_of[log.type_index], unit_of[log.device_index]
    return expose(log.time, kind, device, weights, np.array([STEADY]), len(setup.variables))


@asks("state")
def save(state: State, path: str | Path) -> None:
    """Write the state to one .npz of plain arrays with a JSON header; ``load`` reads it back to the bit."""
    setup, run, log = state.setup, state.run, state.log
    header = setup.told | {name: getattr(state, name) for name in COUNTS}
    header |= {"open": len(run.unit), "log": log is not None}
    arrays: dict[str, Any] = {f"setup.{name}": getattr(setup, name) for name in ("near", "allowed", "required")}
    arrays |= {name: getattr(state, name) for name in FITTED}
    arrays |= {f"sums.{name}": array for name, array in state.sums._asdict().items()}
    arrays["rows.ends"] = np.cumsum([len(r.target) for r in state.rows], dtype=np.int64)
    for name in Rows._fields if state.rows else ():
        join = np.concatenate if name in PER_START else np.stack
        arrays[f"rows.{name}"] = join([getattr(r, name) for r in state.rows])
    if run.unit:
        arrays |= {f"run.{name}": np.asarray(getattr(run, name)) for name in RUN}
    if log is not None:
        arrays |= {"log.time": log.time, "log.type": log.type_index, "log.device": log.device_index}
        arrays |= {"log.types": np.array(log.types), "log.devices": np.array(log.devices)}
    checkpoint.write(path, header, arrays, SAVED)


def load(path: str | Path) -> State:
    """Read what ``save`` wrote; DataError when it is something else, cut short, or of another version."""
    return checkpoint.restore(path, SAVED, "state of att-bic", _restored)


def _restored(header: dict[str, Any], arrays: dict[str, AnyArray]) -> State:
    names, units, hops = tuple(header["variables"]), tuple(header["units"]), tuple(header["hops"])
    if "share" not in arrays:
        arrays = _grown(header, arrays, (len(units), len(names)))
    near = arrays["setup.near"]
    setup = Setup(
        variables=names,
        units=units,
        near=near,
        allowed=arrays["setup.allowed"],
        required=arrays["setup.required"],
        reach=_reach(near, hops, header["normalization"]),
        **{**{name: header[name] for name in SETTINGS}, "hops": hops},
    )
    log = None
    if header["log"]:
        types, devices = arrays["log.types"], arrays["log.devices"]
        frame = {"event": types[arrays["log.type"]], "timestamp": arrays["log.time"]}
        log = Events(pd.DataFrame({**frame, "device": devices[arrays["log.device"]]}), None, types.tolist())
    ends = arrays["rows.ends"]
    rows = []
    for r, (a, b) in enumerate(itertools.pairwise([0, *ends.tolist()])):
        rows.append(Rows(**{n: arrays[f"rows.{n}"][slice(a, b) if n in PER_START else r] for n in Rows._fields}))
    run = Run()
    if header["open"]:
        part = {name: arrays[f"run.{name}"] for name in RUN}
        several = {n: tuple(part[n]) for n in ("before", "started", "cleared")}
        cells = {n: tuple(part[n].tolist()) for n in ("unit", "variable", "seconds", "reads")}
        run = Run(after=part["after"], **several, **cells)
    sums = Sums(*(arrays[f"sums.{name}"] for name in Sums._fields))
    learned = {name: arrays[name] for name in FITTED} | {name: header[name] for name in COUNTS}
    return State(setup=setup, log=log, rows=tuple(rows), run=run, sums=sums, scorer=_scorer(setup, log), **learned)


def _grown(header: dict[str, Any], arrays: dict[str, AnyArray], shape: tuple[int, int]) -> dict[str, AnyArray]:
    """The arrays of a state that was written before starts knew their unit: their background falls evenly on the units."""
    grown = {**arrays, "share": np.ones(shape)}
    if "rows.target" in arrays:
        runs = len(arrays["rows.ends"])
        grown |= {"rows.unit": np.full(len(arrays["rows.target"]), -1)}
        grown |= {"rows.alone": np.zeros((runs, *shape)), "rows.span": np.zeros((runs, *shape))}
    if header["open"]:
        grown["run.reads"] = np.full(header["open"], not header["net"])
    return grown
