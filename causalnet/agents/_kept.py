"""Save and restore agents built on Scalable Actor-Critic: settings in the header, arrays of actor and critic beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._checkpoint import read, write
from ._local_policy import cumulate
from .scalable_ac import Rate, ScalableActorCritic, Settings, fingerprint

_ACTOR, _CRITIC = ("theta", "baseline", "view"), ("weights", "visits", "keys", "mu")


def save_agent(path: str | Path, agent: ScalableActorCritic, more: dict[str, Any], arrays: Sequence[str] = ()) -> Path:
    """Everything learnt as one npz file; ``more`` goes into the header, ``arrays`` names further arrays of the agent."""
    header = {
        "class": type(agent).__name__, "settings": dataclasses.asdict(agent.settings), "seed": agent.seed,
        "updates": agent.updates, "learners": agent.learners, "copies": agent.copies, "network": fingerprint(agent.env), **more,
    }  # fmt: skip
    kept = {name: getattr(owner, name) for owner, names in _owners(agent, arrays) for name in names}
    return write(path, header, kept)


def open_agent(
    path: str | Path, cls: type, env: Any, needs: Sequence[str] = ()
) -> tuple[dict[str, Any], dict[str, NDArray[Any]], Settings, dict[str, Any]]:
    """Header, arrays, settings and the options of the constructor, of a file that is for this class and this network.

    needs: further keys that the header must have.
    """
    header, arrays = read(path)
    if header.get("class") != cls.__name__:
        raise DataError(f"{path} holds a {header.get('class')}, not a {cls.__name__}")
    missing = [
        key for key in ("network", "copies", "settings", "learners", "seed", "updates", *needs) if key not in header
    ]
    if missing:
        raise DataError(
            f"the header of {path} lacks {', '.join(missing)}: it was written by another version; learn anew"
        )
    if header["network"] != fingerprint(env) or header["copies"] != (env.n_envs or 1):
        raise DataError(
            f"{path} was learnt on another network or number of copies: {header['network']}, {header['copies']} copies; this "
            f"one is {fingerprint(env)}, {env.n_envs or 1} copies"
        )
    try:
        kept: dict[str, Any] = {k: Rate(**v) if isinstance(v, dict) else v for k, v in header["settings"].items()}
        settings = Settings(**kept)
    except (AttributeError, TypeError) as error:
        raise DataError(
            f"the settings in the header of {path} are not those of this version: {error}; learn anew"
        ) from error
    options = {"learners": header["learners"], "seed": header["seed"], "view": arrays.get("view")}
    return header, arrays, settings, options


def put_back(
    path: str | Path, agent: ScalableActorCritic, header: dict[str, Any], arrays: dict[str, NDArray[Any]],
    more: Sequence[str] = (),
) -> None:  # fmt: skip
    """Give a fresh agent the arrays of the file; learning goes on as if it had not stopped."""
    for owner, names in _owners(agent, more):
        for name in names:
            want = np.asarray(getattr(owner, name))
            if name not in arrays or arrays[name].shape != want.shape or arrays[name].dtype != want.dtype:
                raise DataError(f"{path} lacks the array {name!r}, {want.dtype} of shape {want.shape}")
            setattr(owner, name, arrays[name])
    agent.updates = header["updates"]
    cumulate(agent.theta, agent.n_actions, agent.settings.temperature, agent._cumulative)


def _owners(agent: ScalableActorCritic, more: Sequence[str]) -> list[tuple[Any, tuple[str, ...]]]:
    return [(agent, (*_ACTOR, *more)), (agent.critic, _CRITIC)]
