"""What the networked agents refuse, in sentences: numbers out of range, foreign networks, damaged checkpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from .settings import Rate, Settings


def settings(value: Any, otherwise: Settings) -> Settings:
    """Settings as given; None: the usual ones."""
    if value is not None and not isinstance(value, Settings):
        raise DataError(f"settings is {value!r}; write Settings(...), or None for the usual ones")
    return otherwise if value is None else value


def lasting(o: Settings, env: Any) -> Settings:
    """The settings with a number of steps, the environment's horizon where they give none; more than it is refused."""
    horizon, wanted = env.horizon, "trajectories without end" if o.continuing else o.steps
    if horizon is not None and (o.continuing or (o.steps or 0) > horizon):
        raise DataError(
            f"the environment ends episodes after {horizon} steps, and the settings ask for {wanted}; "
            f"make the environment with a longer horizon (None: without end)"
        )
    if o.steps is None and horizon is None:
        raise DataError("the environment has no horizon, so say how long an episode is: write Settings(steps=...)")
    return o if o.steps is not None else dataclasses.replace(o, steps=int(horizon))


def converging(theta: NDArray[np.float64], update: int) -> NDArray[np.float64]:
    """New parameters, or DataError where their squares are beyond all numbers; ``update`` counts from 0."""
    if not np.isfinite(np.vdot(theta, theta)):
        raise DataError(
            f"the learning diverged in update {update + 1}; the policy is as before it, the critic is not: learn anew with "
            "smaller rates"
        )
    return theta


def damaged(path: str | Path, header: Mapping[str, Any], arrays: Mapping[str, Any], names: Sequence[str], kept: Sequence[str]) -> None:  # fmt: skip
    """Refuse a checkpoint whose header lacks one of ``names``, or that lacks one of the arrays ``kept``."""
    for what, there, wanted in (("header", header, names), ("file", arrays, kept)):
        for name in wanted:
            if name not in there:
                raise DataError(f"{path} is damaged: its {what} lacks {name!r}; take an older copy, or learn anew")


def settings_of(path: str | Path, kept: Any) -> Settings:
    """The Settings of a checkpoint's header."""
    known = [field.name for field in dataclasses.fields(Settings)]
    if not isinstance(kept, dict):
        raise DataError(f"{path} is damaged: its settings are {kept!r}; take an older copy, or learn anew")
    for name in kept:
        if name not in known:
            raise DataError(f"{path} has a setting {name!r} that this causalnet does not know; load it with the release that wrote it")  # fmt: skip
    for name in known:
        if name not in kept:
            raise DataError(f"{path} is damaged: its settings lack {name!r}; take an older copy, or learn anew")
    rates = {field.name for field in dataclasses.fields(Rate)}
    for name, value in kept.items():
        if isinstance(value, dict) and set(value) != rates:
            raise DataError(
                f"{path} is damaged: its {name} is {value!r}, not a rate; take an older copy, or learn anew"
            )
    options: dict[str, Any] = {k: Rate(**v) if isinstance(v, dict) else v for k, v in kept.items()}
    return Settings(**options)


def put(owner: Any, name: str, arrays: Mapping[str, NDArray[Any]], path: str | Path) -> None:
    """An array of a checkpoint in its place, if it is there, fits, and holds numbers."""
    want = getattr(owner, name)
    if name not in arrays or arrays[name].shape != want.shape or arrays[name].dtype != want.dtype:
        there = f"{arrays[name].dtype} of shape {arrays[name].shape}" if name in arrays else "missing"
        raise DataError(
            f"{path} is damaged: its array {name!r} is {there}, and should be {want.dtype} of shape {want.shape}; "
            "take an older copy, or learn anew"
        )
    found = arrays[name]
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise DataError(
            f"{path} holds {found[~np.isfinite(found)].flat[0]} in the array {name!r}: the learning had diverged, or the file "
            "is damaged; take an older copy, or learn anew with smaller rates"
        )
    setattr(owner, name, found)
