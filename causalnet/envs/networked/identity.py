"""What makes two environments the same network, and what sets their domains apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...errors import DataError
from .neighbourhoods import check_adjacency

_HORIZON = 4  # its place in a fingerprint


_PARTS = ("class", "agents", "most states", "most actions", "horizon")


def network(env: Any, name: str = "env") -> Any:
    """A networked environment as it is; anything else is refused, by the name of the argument."""
    if not all(hasattr(env, name) for name in ("n_agents", "n_states", "n_actions", "adjacency", "n_envs", "horizon")):
        raise DataError(f"{name} is {type(env).__name__}, and must be a networked environment, such as gsac_grid(3)")
    return env


def fingerprint(env: Any) -> list[Any]:
    """What makes two environments the same network: class, agents, most states, most actions, horizon, and a checksum.

    The checksum is of sizes, neighbours, components and all whole-number tables (such as who reaches which access point).
    Real numbers, such as arrival probabilities or rewards, are the domain, and are left out; so is the law of first states.
    """
    adjacency = check_adjacency(sparse.csr_matrix(network(env).adjacency))
    digest = hashlib.sha256(repr(getattr(env, "component_names", None)).encode())
    arrays = [env.n_states, env.n_actions, adjacency.indptr, adjacency.indices, getattr(env, "radices", ())]
    arrays += [array for name, array in _tables(env) if array.dtype.kind in "iub" and name != "start"]
    for array in arrays:
        digest.update(np.ascontiguousarray(array, dtype=np.int64).tobytes())
    sizes = [int(env.n_agents), int(np.max(env.n_states)), int(np.max(env.n_actions))]
    horizon = None if env.horizon is None else int(env.horizon)
    return [type(env).__name__, *sizes, horizon, digest.hexdigest()[:16]]


def domain(env: Any) -> str:
    """A checksum of the real numbers that set an environment apart on its network: arrivals, capacities, tables of a model."""
    digest = hashlib.sha256()
    given = [(name, np.asarray(getattr(env, name))) for name in ("arrival", "capacity") if hasattr(env, name)]
    model = getattr(env, "model", None)  # of a TabularEnv
    for name in ("kernels", "rewards", "initial"):
        given += [(name, np.asarray(table)) for table in getattr(model, name, None) or ()]
    for name, array in [*given, *_tables(env)]:
        if array.dtype.kind == "f":
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _tables(env: Any) -> list[tuple[str, NDArray[Any]]]:
    tables: Any = getattr(env, "tables", None)
    fields = tables._asdict() if hasattr(tables, "_asdict") else {}
    return [(name, np.asarray(value)) for name, value in fields.items()]


def require(env: Any, learnt_on: Any) -> None:
    """Refuse a policy that was learnt on another network; episodes may be of another length."""
    mine, learnt = fingerprint(env), list(learnt_on) if isinstance(learnt_on, (list, tuple)) else [learnt_on]
    if mine[:_HORIZON] + mine[_HORIZON + 1 :] != learnt[:_HORIZON] + learnt[_HORIZON + 1 :]:
        raise DataError(f"this policy was learnt on another network: {differences(learnt, mine, episodes=False)}")


def same(path: str | Path, header: Mapping[str, Any], env: Any) -> None:
    """Refuse to go on learning from a checkpoint on another network, with other episodes, or with other copies."""
    mine = fingerprint(env)
    if header["network"] != mine:
        raise DataError(f"{path} was learnt on another network: {differences(header['network'], mine)}")
    if header["copies"] != (env.n_envs or 1):
        raise DataError(f"{path} was learnt on {header['copies']} copies, and this environment has {env.n_envs or 1}")
    if header.get("domain", domain(env)) != domain(env):  # older files do not say
        raise DataError(
            f"{path} was learnt in another domain: arrivals, capacities or rewards differ; give the same environment"
        )


def differences(learnt: Any, mine: list[Any], episodes: bool = True) -> str:
    """In words, where two fingerprints differ."""
    if not isinstance(learnt, (list, tuple)) or len(learnt) != len(mine):
        return f"its description is {learnt!r}, which this causalnet cannot read"
    parts = [
        f"{name} {was}, here {now}" for name, was, now in zip(_PARTS, learnt, mine, strict=False)
        if was != now and (episodes or name != "horizon")
    ]  # fmt: skip
    return "; ".join(parts) or "neighbours, or states and actions of single agents, differ"
