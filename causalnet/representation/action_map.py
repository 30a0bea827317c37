"""Files that say which variable each action of an environment acts on, and which observation entries show it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.arrays import AnyArray, Bools
from ..base.checks import known
from ..errors import DataError, nearest

EXAMPLE = (
    'write {"actions": ["power", "link", null], "observation": ["power", "link"]}: for every action the variable it '
    "acts on (null: none), for every observation entry the variable it shows; or a CSV file with the columns action, "
    "variable and, if you like, entry"
)
TESTS: dict[str, Callable[[AnyArray], Bools]] = {
    "nonzero": lambda entries: entries != 0,
    "positive": lambda entries: entries > 0,
}


@dataclass(frozen=True)
class ActionMap:
    """actions: for every action the name of its variable, or None. observation: for every observation entry likewise,
    or None where the file is silent. entries: for every action the observation entry that shows whether it has
    something to act on, or None."""

    actions: tuple[str | None, ...]
    observation: tuple[str | None, ...] | None = None
    entries: tuple[int | None, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The variables in order of appearance."""
        return tuple(dict.fromkeys(name for name in self.actions if name is not None))


def read_action_map(path: Path) -> ActionMap:
    """An ActionMap from a JSON or CSV file; errors name the entry that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the action map {path} cannot be read ({error}); {EXAMPLE}") from error
    if path.suffix.lower() == ".csv":
        return _from_csv(text, path.name)
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the action map {path.name} is not valid JSON ({error}); {EXAMPLE}") from error
    if not isinstance(raw, dict) or "actions" not in raw:
        raise DataError(f'the action map {path.name} has no "actions"; {EXAMPLE}')
    keys = ("actions", "observation", "entries")
    for key in raw:
        if key not in keys:
            raise DataError(f"the action map {path.name} has the unknown key {key!r}.{nearest(key, keys)}")
    actions, observation, entries = (_listed(raw.get(key), key, path.name) for key in keys)
    for key, values, kind in (("actions", actions, str), ("observation", observation, str), ("entries", entries, int)):
        for i, value in enumerate(values or ()):
            if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
                raise DataError(f"the action map {path.name} has {value!r} at {key}[{i}]; {EXAMPLE}")
    return _checked(ActionMap(actions or (), observation, entries), path.name)


def _listed(value: Any, key: str, name: str) -> tuple[Any, ...] | None:
    """A list as it is; an object {"0": ..., "1": ...} in the order of its numbers, which must be complete."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        numbers = [str(i) for i in range(len(value))]
        absent = [i for i in numbers if i not in value]
        if absent:
            raise DataError(f"the action map {name} leaves out number {absent[0]} of {key}; count from 0 without gaps")
        return tuple(value[i] for i in numbers)
    if not isinstance(value, list):
        raise DataError(f"the action map {name} has no list at {key!r}; {EXAMPLE}")
    return tuple(value)


def _from_csv(text: str, name: str) -> ActionMap:
    rows = csv.DictReader(text.splitlines())
    try:
        return _from_rows(rows, name)
    except csv.Error as error:
        raise DataError(f"the action map {name} is no CSV ({error}); {EXAMPLE}") from error


def _from_rows(rows: csv.DictReader[str], name: str) -> ActionMap:
    if not {"action", "variable"} <= set(rows.fieldnames or ()):
        raise DataError(f"the action map {name} has the columns {rows.fieldnames}; it needs action and variable")
    actions: dict[str, str | None] = {}
    entries: dict[str, int | None] = {}
    for row in rows:
        try:
            action = str(int(row["action"]))
            entry = int(row["entry"]) if row.get("entry") else None
        except (TypeError, ValueError):
            raise DataError(f"the action map {name}, line {rows.line_num}: action, entry are whole numbers") from None
        if action in actions:
            raise DataError(f"the action map {name}, line {rows.line_num}: action {action} stands there twice")
        actions[action], entries[action] = row["variable"] or None, entry
    shown = _listed(entries, "entries", name) if "entry" in (rows.fieldnames or ()) else None
    return _checked(ActionMap(_listed(actions, "actions", name) or (), None, shown), name)


def _checked(found: ActionMap, name: str) -> ActionMap:
    if not found.names:
        raise DataError(f"the action map {name} gives no action a variable; {EXAMPLE}")
    if found.entries is not None and len(found.entries) != len(found.actions):
        raise DataError(f"the action map {name} has {len(found.actions)} actions and {len(found.entries)} entries")
    return found


class Presence:
    """Reads flat observations by an ActionMap: which variables are present, which actions have something to act on.

    A variable is present iff one of the observation entries that show it passes the test. Where the map does not say
    what the entries show, entry a belongs to action a.
    """

    def __init__(self, told: ActionMap, variables: Sequence[str], n_obs: int, test: str = "nonzero") -> None:
        known(test, TESTS, f"presence is tested by {', '.join(TESTS)}, not {test!r}")
        self._test, self._n = TESTS[test], n_obs
        index = {name: i for i, name in enumerate(variables)}
        for name in (*told.actions, *(told.observation or ())):
            if name is not None:
                known(name, index, f"the action map has {name!r}, no variable of the graph")
        self.action_variables = _numbers(told.actions, index)
        entries = told.entries
        if told.observation is None and entries is None:
            entries = tuple(range(len(told.actions)))
            if n_obs != len(entries):
                raise DataError(
                    f"the observation has {n_obs} entries and the action map {len(entries)} actions, so it must say "
                    f'what shows what: give "observation" or "entries"; {EXAMPLE}'
                )
        if told.observation is not None and len(told.observation) != n_obs:
            raise DataError(f"the action map describes {len(told.observation)} observation entries of {n_obs}")
        odd = [e for e in entries or () if e is not None and not 0 <= e < n_obs]
        if odd:
            raise DataError(f"the action map points at observation entry {odd[0]}; there are 0 to {n_obs - 1}")
        self._shown, self._v = None if told.observation is None else _numbers(told.observation, index), len(index)
        self._entries = None if entries is None else np.array([-1 if e is None else e for e in entries])

    @property
    def functions(self) -> dict[str, Callable[[Any], Bools] | None]:
        """What RootCauseMask takes as ``present`` and ``cells``."""
        return {
            "present": None if self._shown is None else self.present,
            "cells": None if self._entries is None else self.cells,
        }

    def present(self, obs: Any) -> Bools:
        """(V,) bool."""
        here = np.zeros(self._v + 1, dtype=bool)
        assert self._shown is not None
        here[self._shown[self._test(self._flat(obs))]] = True
        return here[:-1]

    def cells(self, obs: Any) -> Bools:
        """(A,) bool; an action without an entry always has something to act on."""
        return np.append(self._test(self._flat(obs)), True)[self._entries]

    def _flat(self, obs: Any) -> AnyArray:
        flat = np.ravel(obs)
        if flat.size != self._n:
            raise DataError(f"the observation has {flat.size} entries, and the action map describes {self._n}")
        return flat


def _numbers(names: Sequence[str | None], index: Mapping[str, int]) -> NDArray[np.intp]:
    return np.array([-1 if name is None else index[name] for name in names], dtype=np.intp)
