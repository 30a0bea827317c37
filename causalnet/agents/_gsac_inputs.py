"""What GSAC refuses, in sentences: sources that do not fit together, flags and codes of a wrong shape, foreign networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, NotApplicable
from ._sac_settings import Settings
from .scalable_ac import fingerprint

Array = NDArray[np.float64]


def whole(name: str, value: Any, least: int) -> int:
    """A whole number from ``least`` up."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise DataError(f"{name} is {value!r}, and must be a whole number from {least} up")
    return int(value)


def one_of(name: str, value: Any, known: Sequence[str]) -> None:
    """A word of a list."""
    if value not in known:
        raise DataError(f"{name} is {value!r}; write one of {', '.join(known)}")


def sources(envs: Sequence[Any], learners: int, settings: Settings) -> tuple[int, list[Any]]:
    """Copies of each environment, and the fingerprint of their network; they must be alike but for the domain."""
    if not envs:
        raise DataError("there are no source domains; give at least one environment to learn in")
    copies, network = envs[0].n_envs or 1, fingerprint(envs[0])
    for m, env in enumerate(envs):
        if fingerprint(env) != network:
            raise DataError(f"source {m} is another network than source 0; sources differ in their domain factor alone")
        if (env.n_envs or 1) != copies:
            raise DataError(
                f"source {m} has {env.n_envs or 1} copies and source 0 has {copies}; give all the same n_envs"
            )
        if env.horizon is not None and env.horizon < settings.steps:
            raise DataError(
                f"source {m} ends episodes after {env.horizon} steps, and the settings ask for {settings.steps}; "
                "make the environments with a longer horizon"
            )
    if settings.continuing or settings.objective != "discounted":
        raise NotApplicable(
            "GSAC learns from discounted episodes; use ScalableActorCritic for trajectories without end"
        )
    if copies % learners:
        raise DataError(f"{copies} copies cannot be shared by {learners} learners; use a multiple of {learners}")
    return copies, network


def flags(value: Any, n: int) -> NDArray[np.bool_]:
    """(n,) bool; None: all True."""
    array = np.ones(n, bool) if value is None else np.asarray(value)
    if array.shape != (n,) or array.dtype != bool:
        raise DataError(f"conditioned says yes or no for each of {n} agents; got {array.dtype} of shape {array.shape}")
    return array.copy()


def codes(value: Any, domains: int, n: int, width: int) -> Array:
    """f(omega) of the domains learnt in, (M, n, F)."""
    array = np.array(value, dtype=np.float64)
    if array.shape != (domains, n, width) or not np.isfinite(array).all():
        raise DataError(
            f"codes has shape {array.shape}; {domains} domains of {n} agents need ({domains}, {n}, {width})"
        )
    return array


def require(env: Any, network: list[Any]) -> None:
    """Refuse a policy that was learnt on another network."""
    mine = fingerprint(env)
    if mine != list(network):
        raise DataError(
            f"this policy was learnt on another network ({network}), and the environment's is {mine}: agents, most states, "
            "most actions, and a checksum of all sizes and neighbours"
        )


def put(owner: Any, name: str, arrays: dict[str, NDArray[Any]], path: str | Path) -> None:
    """An array of a checkpoint in its place, if it is there and fits."""
    want = getattr(owner, name)
    if name not in arrays or arrays[name].shape != want.shape or arrays[name].dtype != want.dtype:
        raise DataError(f"{path} lacks the array {name!r}, {want.dtype} of shape {want.shape}")
    setattr(owner, name, arrays[name])
