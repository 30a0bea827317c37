"""What a discovery method is: ``learn(data, *, knowledge, rng, **params) -> Graph`` and what it says of itself."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ..errors import UnknownNameError, nearest
from ..graph import Graph


@dataclass(frozen=True)
class Backend:
    """One discovery method. ``learn(data, *, knowledge, rng, **params) -> Graph``.

    assumes: what must hold for its answer to be the truth, in the field's terms ("sufficiency", "faithfulness",
    "linearity", ...), each with the choice that brings it in brackets where only that one does.
    handles: what it can take of data that ask for more than their kind (``Table.demands``: "missing", "few rows", "streamed").
    warm_up: compiles what it needs for data of a kind (``Data.kind``, or "regimes": a table that has some), off the clock.
    """

    name: str
    learn: Callable[..., Graph]
    takes: frozenset[str]
    gives: str
    summary: str
    knowledge: frozenset[str] = frozenset()
    requires: tuple[str, ...] = ()
    install: str = ""
    caveat: str = ""
    assumes: tuple[str, ...] = ()
    handles: frozenset[str] = frozenset()
    warm_up: Callable[[str], None] | None = None

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Parameter names with their defaults."""
        found = inspect.signature(self.learn).parameters.values()
        fixed = {"knowledge", "rng", "max_seconds"}
        return {p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY and p.name not in fixed}

    def check_names(self, given: Iterable[str]) -> None:
        """UnknownNameError for a name that is none of its parameters."""
        known = self.parameters
        for name in given:
            if name not in known:
                hint = nearest(name, known) or f" It takes: {', '.join(known) or 'no parameters'}."
                raise UnknownNameError(f"{self.name} has no parameter {name!r}.{hint}")

    @property
    def bounded(self) -> bool:
        """True when the method stops itself at ``max_seconds`` and returns its best so far."""
        return "max_seconds" in inspect.signature(self.learn).parameters

    @property
    def in_time(self) -> bool:
        """True when the method reads the rows of a table as consecutive times; a control, which takes anything, does not."""
        return "series" in self.takes and "mixed" not in self.takes

    @property
    def installed(self) -> bool:
        """True when every package it requires can be imported."""
        return not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """The required packages that are not there."""
        return tuple(name for name in self.requires if importlib.util.find_spec(name) is None)

    @property
    def needs(self) -> str:
        """What is missing and how to bring it, as a sentence."""
        return f"{self.name} needs {', '.join(self.missing)}: not installed: {self.how_to_install}"

    @property
    def how_to_install(self) -> str:
        """The command that brings the missing packages."""
        return f"pip install {self.install or ' '.join(self.missing)}"


class BackendInfo(NamedTuple):
    """A line of ``cn.backends()``."""

    name: str
    takes: tuple[str, ...]
    gives: str
    summary: str
    installed: bool
    caveat: str
    assumes: tuple[str, ...]
    handles: tuple[str, ...]
    knowledge: tuple[str, ...]
    parameters: dict[str, Any]
    how_to_install: str
