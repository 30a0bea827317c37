"""What makes two environments the same network, and what sets their domains apart.

Each environment says it itself: ``network_parts`` and ``domain_parts`` of :class:`Described`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from ...errors import DataError
from .checks import check_adjacency, check_sizes, networked
from .protocols import CodedEnv, Described

_PARTS = ("class", "agents", "most states", "most actions", "horizon")  # of a fingerprint, before its checksum
_HORIZON = _PARTS.index("horizon")


def network(env: Any, name: str = "env") -> CodedEnv:
    """A networked environment with states in codes as it is; anything else is refused, by the name of the argument and what it
    lacks, and one whose numbers do not fit together."""
    return check_sizes(networked(env, name=name), name)


def fingerprint(env: Any) -> list[Any]:
    """What makes two environments the same network: class, agents, most states, most actions, horizon, and a checksum.

    The checksum is of sizes, neighbours, components and ``network_parts`` (such as who reaches which access point).
    Real numbers, such as arrival probabilities or rewards, are the domain, and are left out; so is the law of first states.
    """
    adjacency = check_adjacency(sparse.csr_matrix(network(env).adjacency))
    arrays = [env.n_states, env.n_actions, adjacency.indptr, adjacency.indices]
    names = None
    if isinstance(env, Described):
        names = env.component_names
        arrays += [env.radices, *(part for _, part in env.network_parts())]
    digest = hashlib.sha256(repr(names).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array, dtype=np.int64).tobytes())
    sizes = [int(env.n_agents), int(np.max(env.n_states)), int(np.max(env.n_actions))]
    horizon = None if env.horizon is None else int(env.horizon)
    return [type(env).__name__, *sizes, horizon, digest.hexdigest()[:16]]


def domain(env: Any) -> str:
    """A checksum of the real numbers that set an environment apart on its network: arrivals, capacities, tables of a model."""
    digest = hashlib.sha256()
    for name, part in env.domain_parts() if isinstance(env, Described) else ():
        digest.update(name.encode() + np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:16]


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
    told = [(name, was, now) for name, was, now in zip(_PARTS, learnt, mine, strict=False) if was != now]
    parts = [f"{name} {was}, here {now}" for name, was, now in told if episodes or name != "horizon"]
    return "; ".join(parts) or "neighbours, or states and actions of single agents, differ"
