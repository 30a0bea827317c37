"""What the networked agents refuse, in sentences: numbers out of range, foreign networks, damaged checkpoints."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..envs.networked.neighbourhoods import check_adjacency
from ..errors import DataError
from ._sac_settings import Rate, Settings

_HORIZON = 4  # its place in a fingerprint
_PARTS = ("class", "agents", "most states", "most actions", "horizon")


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


def network(env: Any) -> Any:
    """A networked environment as it is; anything else is refused."""
    if not all(hasattr(env, name) for name in ("n_agents", "n_states", "n_actions", "adjacency", "n_envs", "horizon")):
        raise DataError(f"env is {type(env).__name__}, and must be a networked environment, such as gsac_grid(3)")
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
