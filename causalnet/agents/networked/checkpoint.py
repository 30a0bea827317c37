"""Save and restore the learners of networks: settings in the header, arrays of actor and critics beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...base.arrays import AnyArray
from ...base.checks import whole
from ...errors import DataError
from ...storage.checkpoint import flat, nested, read, write
from ..loop import Files
from .settings import LearningSettings, Rate, Settings

Arrays = dict[str, AnyArray]
Part = tuple[str, Any, Sequence[str]]  # a prefix in the file or "", an owner, and the names of its arrays


class Kept(NamedTuple):
    """What a checkpoint holds of a learner beside settings and counters."""

    header: dict[str, Any]
    given: Arrays
    "what its constructor takes"
    learnt: list[Part]
    "what is put back into a fresh learner"


_HEADER = ("network", "copies", "settings", "learners", "seed", "updates")


def damaged(path: str | Path, what: str) -> DataError:
    """The error of a file that is not as ``save`` left it."""
    return DataError(f"{path} is damaged: {what}; take an older copy, or learn anew")


def save_agent(path: str | Path, agent: Any) -> Path:
    """Everything that a networked learner has learnt as one npz file."""
    header = {name: getattr(agent, name) for name in ("seed", "updates", "learners", "copies", "network")}
    kept: Kept = agent.kept()
    header |= {"class": type(agent).__name__, "settings": dataclasses.asdict(agent.settings), **kept.header}
    arrays = dict(kept.given)
    for prefix, owner, names in kept.learnt:
        part = {name: getattr(owner, name) for name in names}
        arrays |= flat(prefix, part) if prefix else part
    return write(path, header, arrays)


def read_agent(
    path: str | Path, cls: type, needs: Sequence[str] = (), arrays: Sequence[str] = ("view",)
) -> tuple[dict[str, Any], Arrays]:
    """Header and arrays of a file that is for this class. needs: further keys that the header must have."""
    header, kept = read(path)
    if header.get("class") != cls.__name__:
        raise DataError(f"{path} holds a {header.get('class')}, not a {cls.__name__}")
    for what, there, wanted in (("header", header, (*_HEADER, *needs)), ("file", kept, ("theta", *arrays))):
        for name in wanted:
            if name not in there:
                raise damaged(path, f"its {what} lacks {name!r}")
    return header, kept


def restore(path: str | Path, agent: Any, header: Mapping[str, Any], arrays: Arrays) -> None:
    """Give a fresh agent the arrays of the file; learning goes on as if it had not stopped."""
    for prefix, owner, names in agent.kept().learnt:
        for name in names:
            _put(owner, name, nested(arrays, prefix) if prefix else arrays, path)
    agent.updates = whole(f"updates in {path}", header["updates"], 0)
    agent.files = Files(Path(path).resolve(), loaded=True)


def settings_of(path: str | Path, kept: Any, kind: type[LearningSettings] = Settings) -> Any:
    """The settings of a checkpoint's header; those of 0.1.0 held more than a kind of today may have."""
    known, needed = ([field.name for field in dataclasses.fields(cls)] for cls in (Settings, kind))
    if not isinstance(kept, dict):
        raise damaged(path, f"its settings are {kept!r}")
    for name in kept:
        if name not in known:
            raise DataError(f"{path} has a setting {name!r} unknown here; load it with the release that wrote it")
    rates = {field.name for field in dataclasses.fields(Rate)}
    for name in needed:
        if name not in kept:
            raise damaged(path, f"its settings lack {name!r}")
        if isinstance(kept[name], dict) and set(kept[name]) != rates:
            raise damaged(path, f"its {name} is {kept[name]!r}, not a rate")
    options: dict[str, Any] = {name: Rate(**x) if isinstance(x := kept[name], dict) else x for name in needed}
    return kind(**options)


def _put(owner: Any, name: str, arrays: Arrays, path: str | Path) -> None:
    """An array of a checkpoint in its place, if it is there, fits, and holds numbers."""
    want, found = getattr(owner, name), arrays.get(name)
    if found is None or found.shape != want.shape or found.dtype != want.dtype:
        there = "missing" if found is None else f"{found.dtype} of shape {found.shape}"
        raise damaged(path, f"its array {name!r} is {there}, and should be {want.dtype} of shape {want.shape}")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise DataError(
            f"{path} holds {found[~np.isfinite(found)].flat[0]} in the array {name!r}: the learning had diverged, or the file "
            "is damaged; take an older copy, or learn anew with smaller rates"
        )
    setattr(owner, name, found)
