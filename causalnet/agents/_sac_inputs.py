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

from .._checks import number, whole
from ..envs._network import check_adjacency
from ..errors import DataError
from ._sac_settings import Rate, Settings

__all__ = [
    "damaged", "domain", "fingerprint", "function", "generator", "network", "number", "one_of", "put", "require", "same", "settings",
    "settings_of", "whole",
]  # fmt: skip

_HORIZON = 4  # its place in a fingerprint
_WORDS = "class, agents, most states, most actions, horizon, and a checksum of neighbours, sizes, components and codes"


def one_of(name: str, value: Any, known: Sequence[str]) -> None:
    """A word of a list."""
    if not isinstance(value, str) or value not in known:
        raise DataError(f"{name} is {value!r}; write one of {', '.join(known)}")


def settings(value: Any, otherwise: Settings) -> Settings:
    """Settings as given; None: the usual ones."""
    if value is not None and not isinstance(value, Settings):
        raise DataError(f"settings is {value!r}; write Settings(...), or None for the usual ones")
    return otherwise if value is None else value


def function(name: str, value: Any) -> None:
    """Something that can be called, or None."""
    if value is not None and not callable(value):
        raise DataError(f"{name} is {value!r}, and must be a function, or None")


def generator(rng: Any) -> np.random.Generator:
    """A numpy Generator as it is, or the one of a seed."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(whole("the seed of rng", rng, 0))


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
        raise DataError(
            f"this policy was learnt on another network ({learnt}), and the environment's is {mine}: {_WORDS}"
        )


def same(path: str | Path, header: Mapping[str, Any], env: Any) -> None:
    """Refuse to go on learning from a checkpoint on another network, with other episodes, or with other copies."""
    mine = fingerprint(env)
    if header["network"] != mine:
        raise DataError(f"{path} was learnt on another network ({header['network']}), and this one is {mine}: {_WORDS}")
    if header["copies"] != (env.n_envs or 1):
        raise DataError(f"{path} was learnt on {header['copies']} copies, and this environment has {env.n_envs or 1}")


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
        raise DataError(f"{path} lacks the array {name!r}, {want.dtype} of shape {want.shape}")
    found = arrays[name]
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise DataError(
            f"{path} holds {found[~np.isfinite(found)].flat[0]} in the array {name!r}: the learning had diverged, or the file "
            "is damaged; take an older copy, or learn anew with smaller rates"
        )
    setattr(owner, name, found)
