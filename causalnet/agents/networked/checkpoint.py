"""Save and restore agents built on Scalable Actor-Critic: settings in the header, arrays of actor and critic beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...base import checks
from ...envs.networked import identity
from ...errors import DataError
from ...storage.checkpoint import read, write
from . import checks as given
from .actor_kernels import cumulate
from .settings import Settings

_HEADER = ("network", "copies", "settings", "learners", "seed", "updates")
_ACTOR, _CRITIC = ("theta", "baseline", "view"), ("weights", "visits", "keys", "mu")


def save_agent(path: str | Path, agent: Any, more: dict[str, Any], arrays: Sequence[str] = ()) -> Path:
    """Everything learnt as one npz file; ``more`` goes into the header, ``arrays`` names further arrays of the agent."""
    header = {
        "class": type(agent).__name__, "settings": dataclasses.asdict(agent.settings), "seed": agent.seed,
        "updates": agent.updates, "learners": agent.learners, "copies": agent.copies, "network": identity.fingerprint(agent.env),
        "domain": identity.domain(agent.env), **more,
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
    given.damaged(path, header, arrays, (*_HEADER, *needs), (*_ACTOR, *_CRITIC))
    identity.same(path, header, env)
    options = {"learners": header["learners"], "seed": header["seed"], "view": arrays["view"]}
    return header, arrays, given.settings_of(path, header["settings"]), options


def put_back(
    path: str | Path, agent: Any, header: dict[str, Any], arrays: dict[str, NDArray[Any]],
    more: Sequence[str] = (),
) -> None:  # fmt: skip
    """Give a fresh agent the arrays of the file; learning goes on as if it had not stopped."""
    for owner, names in _owners(agent, more):
        for name in names:
            given.put(owner, name, arrays, path)
    agent.updates = checks.whole(f"updates in {path}", header["updates"], 0)
    cumulate(agent.theta, agent.n_actions, agent.settings.temperature, agent._cumulative)


def _owners(agent: Any, more: Sequence[str]) -> list[tuple[Any, tuple[str, ...]]]:
    return [(agent, (*_ACTOR, *more)), (agent.critic, _CRITIC)]
