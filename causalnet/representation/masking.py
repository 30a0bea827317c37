"""What a causal mask allows in one state, and what it keeps of a running episode; one environment has one, a vector many."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..base.arrays import Bools
from ..base.checks import array_of, distinct, function, number, one_of, whole
from ..envs.actions import Parts, expanded
from ..envs.masks import as_mask
from ..envs.protocols import ActsOnVariables, HasUnits, counted
from ..errors import DataError, NotApplicable
from .gate import Choice, Gate, packed, unpacked
from .root_causes import EMPTY, Doubtful, RootCauseMask, instead

MaskFunction = Callable[[Any, Any, Any], Any]  # (obs, info, env) -> (A,) bool
STREAM = 0x6D61736B  # keeps the draws of eta apart from other streams of the same seed


@dataclass
class Turn:
    """A running episode of one environment: the arm of the gate, the draws of eta, and the mask of the state it is in."""

    rng: np.random.Generator
    arm: str = "causal"
    taken: int = 0
    fallback: bool = False
    mask: Bools | None = None
    choices: list[Choice] = field(default_factory=list)  # for a gate; the last is the one that is to be made

    def to_json(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        allowed = None if self.mask is None else np.flatnonzero(self.mask).tolist()
        told = {"arm": self.arm, "taken": self.taken, "fallback": self.fallback, "choices": packed(self.choices)}
        return {**told, "rng": self.rng.bit_generator.state, "allowed": allowed}

    def from_json(self, told: dict[str, Any], n: int) -> None:
        """Take back what ``to_json`` gave, of a mask of n columns."""
        self.arm, self.taken = str(told["arm"]), int(told["taken"])
        self.fallback, self.choices = bool(told["fallback"]), unpacked(told["choices"])
        self.rng.bit_generator.state = told["rng"]
        self.mask = None if told["allowed"] is None else np.isin(np.arange(n), told["allowed"])


@dataclass
class Masker:
    """The rule of a mask. mask: that of a graph, or None beside a function; preferred: (A,) actions of the top units."""

    parts: Parts
    mask: RootCauseMask | None
    function: MaskFunction
    empty: Any
    preferred: Bools | None = None
    gate: Gate | None = None
    eta: float = 0.0
    settled: bool = False
    n_empty: int = 0
    n_invalid: int = 0
    turns: list[Turn] = field(default_factory=list)

    @staticmethod
    def of(core: Any, space: Any, graph: Doubtful | MaskFunction, k: Any, settings: dict[str, Any]) -> Masker:
        """From the arguments of CausalMask; core: the unwrapped environment that is asked where they are silent."""
        parts = Parts.of(space)
        empty: Any = one_of("empty", settings["empty"], EMPTY)
        told = {name: settings[name] for name in ("variables", "action_variables", "present", "cells")}
        if callable(graph):
            _refuse_facts(graph, told)
            function("the mask function", graph, "obs, info, env", "one bool for every action")
            rule, decides = graph if isinstance(graph, RootCauseMask) else None, graph
        else:
            rule = decides = RootCauseMask(graph, k, empty=empty, cost=settings["cost"], **_facts(core, told, parts))
        if rule is not None and len(rule.action_variables) != parts.n:
            raise DataError(
                f"action_variables names the variables of {len(rule.action_variables)} actions, and the "
                f"environment has {parts.n}"
            )
        gate = settings["gate"]
        gate = Gate() if gate is True else gate or None
        if gate is not None and not isinstance(gate, Gate):
            raise DataError(f"gate is True, False or a Gate, got {gate!r}")
        top = settings["top_units"]
        preferred = None if top is None else _preferred(core, top, parts.n)
        made = Masker(parts, rule, decides, empty, preferred, gate, number("eta", settings["eta"], 0.0, 1.0))
        made._inform()
        return made

    # ---- episodes -------------------------------------------------------------------------------------------------

    def begin(self, turn: Turn, seed: int | None) -> None:
        """A new episode."""
        if seed is not None:
            turn.rng = np.random.default_rng([STREAM, seed])
        turn.taken, turn.choices = 0, []
        if self.gate is not None:
            turn.arm = self.gate.best

    def went(self, turn: Turn, columns: Any, reward: float, terminated: bool, truncated: bool) -> None:
        """A step of an episode."""
        turn.taken += 1
        if self.gate is None or self.settled or not turn.choices:
            turn.choices = []
            return
        over, acted = terminated or truncated, self._variables(columns)
        turn.choices[-1] = turn.choices[-1]._replace(acted=acted, reward=reward, over=over, terminated=terminated)
        if over:
            self.gate.see(turn.arm, turn.choices)
            turn.choices = []

    def look(self, turn: Turn, obs: Any, info: Any, env: Any, own: Bools | None, last: bool) -> Bools:
        """Set the mask of this state; after the last one of an episode no action follows, and none is missed."""
        gate = None if self.settled or last else self.gate
        share = self.eta if gate is None else max(self.eta, gate.explore)
        turn.fallback = turn.arm == "presence" or (share > 0.0 and bool(turn.rng.random() < share))
        mask = self._presence(obs) if turn.fallback else self._causal(turn, obs, info, env)
        if own is not None:
            mask &= own
        if gate is not None:
            here, kept = self._seen(turn, obs, info, env, own)
            turn.choices.append(Choice(here, kept, np.zeros_like(here), turn.fallback, 0.0))
        if self.preferred is not None and not turn.fallback:
            narrowed = mask & self.preferred
            mask = narrowed if self.parts.choosable(narrowed) else mask
        if not self.parts.choosable(mask):
            mask = self._filled(mask, obs, own, last)
        turn.mask = mask
        return mask

    def _filled(self, mask: Bools, obs: Any, own: Bools | None, last: bool) -> Bools:
        """The mask with what ``empty`` says in every part of the action that it leaves nothing."""
        legal = np.ones(self.parts.n, dtype=bool) if own is None else own
        if self.mask is None and self.empty == "present" and not last and not self.n_empty:
            warnings.warn(
                'the mask function allows no action here, so every legal action is allowed; write empty="all" if '
                'that is meant, or empty="raise" for an error (n_empty counts such states)',
                UserWarning,
                stacklevel=5,
            )
        rule = "present" if last else self.empty
        self.n_empty += not last
        if len(self.parts.sizes) == 1:
            mask = instead(rule, self._presence(obs) & legal) & legal
            return mask if mask.any() else np.ones(self.parts.n, dtype=bool)
        blocks = zip(
            *(np.split(a, self.parts.begins[1:]) for a in (mask, self._presence(obs) & legal, legal)), strict=True
        )
        out = []
        for block, here, allowed in blocks:
            filled = block if block.any() else instead(rule, here) & allowed
            out.append(filled if filled.any() else np.ones(len(block), dtype=bool))
        return np.concatenate(out)

    def _causal(self, turn: Turn, obs: Any, info: Any, env: Any) -> Bools:
        if self.mask is None:
            return as_mask(self.function(obs, info, env), self.parts.n, "the mask function's answer")
        try:
            return self.mask.allowed(obs)
        except DataError as error:
            raise DataError(f"state {turn.taken} after the reset of {env.unwrapped}: {error}") from error

    def _seen(self, turn: Turn, obs: Any, info: Any, env: Any, own: Bools | None) -> tuple[Bools, Bools]:
        """(V,) the variables that are present, and those whose actions the graph, or the function, keeps."""
        if self.mask is not None:
            here = self.mask.present(obs)
            return here, self.mask.kept(here)
        here = np.ones(self.parts.n, dtype=bool) if own is None else own
        return here, here & self._causal(turn, obs, info, env)

    def _variables(self, columns: Any) -> Bools:
        """(V,) the variables that these columns of the actions act on; a function's are the columns."""
        of = np.arange(self.parts.n) if self.mask is None else self.mask.action_variables
        found = np.zeros((self.parts.n if self.mask is None else len(self.mask.variables)) + 1, dtype=bool)
        found[of[columns]] = True  # -1, none, is the last
        return found[:-1]

    def _presence(self, obs: Any) -> Bools:
        return np.ones(self.parts.n, dtype=bool) if self.mask is None else self.mask.presence(obs)

    def update(self, graph: Doubtful) -> None:
        """Mask by another graph from the next state on."""
        if self.mask is None:
            raise NotApplicable("this mask is a plain function and has no graph to replace; give the wrapper a Graph")
        self.mask.update(graph)
        self._inform()

    def _inform(self) -> None:
        """Tell the gate which graph it is about."""
        if self.gate is not None and self.mask is not None and self.mask.posterior is not None:
            self.gate.update(self.mask.kept, not self.mask.posterior.certain)

    def invalid(self, turn: Turn, columns: Any) -> bool:
        """Is some part of the action outside the mask?"""
        return turn.mask is not None and not turn.mask[columns].all()

    def told(self, turn: Turn) -> dict[str, Any]:
        """What a mask adds to the info of a state."""
        assert turn.mask is not None
        told: dict[str, Any] = {"action_mask": turn.mask.astype(np.int8)}
        if self.eta > 0.0 or turn.fallback:
            told["mask_fallback"] = turn.fallback
        if self.gate is not None:
            told["mask_arm"] = turn.arm
        if self.preferred is not None:
            told["privileged_mask"] = True
        return told

    # ---- checkpoints ----------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """What the mask has learned and drawn: the gate's choices, the counters and the running episodes."""
        gate = None if self.gate is None else self.gate.to_json()
        counts = [self.n_empty, self.n_invalid]
        return {"gate": gate, "counts": counts, "turns": [turn.to_json() for turn in self.turns]}

    def from_json(self, told: dict[str, Any]) -> None:
        """Take back what ``to_json`` gave; the running episodes only of as many copies."""
        self.n_empty, self.n_invalid = map(int, told["counts"])
        if self.gate is not None and told["gate"] is not None:
            self.gate.from_json(told["gate"])
            self._inform()
        if len(told["turns"]) == len(self.turns):
            for turn, one in zip(self.turns, told["turns"], strict=True):
                turn.from_json(one, self.parts.n)


def new_turns(n: int, seed: int) -> list[Turn]:
    """The episodes of n copies before their first reset."""
    first = whole("seed", seed, 0)
    return [Turn(np.random.default_rng([STREAM, first + i])) for i in range(n)]


def _facts(env: Any, told: dict[str, Any], parts: Parts) -> dict[str, Any]:
    """What RootCauseMask needs, from the arguments first and the environment second."""
    found = dict(told)
    for name in ("variables", "action_variables"):
        found[name] = getattr(env, name, None) if found[name] is None else found[name]
        if found[name] is None:
            raise DataError(
                f"{type(env).__name__} has no attribute {name!r}, so give it: variables=[names], "
                "action_variables=[for every action the index of the variable it acts on]"
            )
    kinds = array_of("action_variables", found["action_variables"])
    if kinds.ndim == 1 and len(kinds) != parts.n:  # one for each switch
        found["action_variables"] = expanded(kinds, parts, "action_variables")
    if found["present"] is None and found["cells"] is None:
        if not isinstance(env, ActsOnVariables):
            raise DataError(
                f"{type(env).__name__} does not tell which variables are present: give present=, a function from an "
                "observation to (V,) bools, or cells=, one to (A,) bools"
            )
        found["cells"] = _Cells(env, parts)
    return found


class _Cells:
    """Observation -> (A,) bool, the actions whose unit and variable have a positive count; reads ``env.counts``."""

    def __init__(self, env: ActsOnVariables, parts: Parts) -> None:
        self._env = env
        kinds = expanded(env.action_variables, parts, "action_variables")
        units = expanded(env.action_units, parts, "action_units")
        self._acts = kinds >= 0  # an action on no variable always has something to do
        if (units[self._acts] < 0).any():
            raise DataError(
                "action_units holds a number below 0 for an action on a variable; give the index of its unit"
            )
        self._units = int(units[self._acts].max(initial=-1)) + 1
        self._flat = np.where(self._acts, units * len(distinct("variables", env.variables)) + kinds, 0)
        self._in_order = np.array_equal(self._flat, np.arange(len(kinds)))

    def __call__(self, obs: Any) -> Bools:
        positive: Bools = (counted(self._env, obs, self._units) > 0).ravel()
        return positive if self._in_order else positive[self._flat] | ~self._acts


def _preferred(env: Any, top: int, n: int) -> Bools:
    """(A,) bool: the actions on the ``top`` units of highest degree; of equal degrees the higher index comes first."""
    if not isinstance(env, HasUnits) or not isinstance(env, ActsOnVariables):
        raise NotApplicable(
            f"top_units ranks units by degree, and {type(env).__name__} lacks units with a topology, or action_units; "
            "leave top_units out"
        )
    degree = np.array([env.topology.degree(name) for name in env.units])
    first = np.lexsort((-np.arange(len(degree)), -degree))[: whole("top_units", top, 1, len(degree))]
    return as_mask(np.isin(np.asarray(env.action_units), first), n, "action_units")


def _refuse_facts(function: Any, told: dict[str, Any]) -> None:
    """Refuse what belongs to a graph beside a mask function."""
    if any(value is not None for value in told.values()):
        raise DataError(
            f"{type(function).__name__} decides the mask alone: {', '.join(told)} belong to a graph; leave them out"
        )
