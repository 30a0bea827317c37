"""What GSAC refuses, in sentences: sources that do not fit together, flags and codes of a wrong shape, foreign networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...base.arrays import Array, Bools
from ...base.checks import array_of, entries
from ...envs.networked.identity import differences, domain, fingerprint, network
from ...errors import DataError, NotApplicable
from .settings import Settings


def environments(value: Any) -> list[Any]:
    """The source domains as a list of environments."""
    given = entries("sources", value, "environments, one a domain")
    return [network(env, f"source {m}") for m, env in enumerate(given)]


def sources(envs: Sequence[Any], settings: Settings) -> tuple[int, list[Any]]:
    """Copies of each environment, and the fingerprint of their network; they must be alike but for the domain."""
    if not envs:
        raise DataError("there are no source domains; give at least one environment to learn in")
    copies, first = int(envs[0].n_envs or 1), fingerprint(envs[0])
    for m, env in enumerate(envs):
        mine = fingerprint(env)
        if mine != first:
            raise DataError(
                f"source {m} is another network than source 0 ({differences(first, mine)}); sources differ in their domain "
                "factor alone"
            )
        if (env.n_envs or 1) != copies:
            raise DataError(f"source {m} has {env.n_envs or 1} copies and source 0 {copies}; give all the same n_envs")
    if settings.continuing or settings.objective != "discounted":
        raise NotApplicable("GSAC learns from discounted episodes; ScalableActorCritic takes trajectories without end")
    return copies, first


def flags(value: Any, n: int) -> Bools:
    """(n,) bool; None: all True."""
    array = np.ones(n, bool) if value is None else array_of("conditioned", value)
    if array.shape != (n,) or array.dtype != bool:
        raise DataError(f"conditioned says yes or no for each of {n} agents; got {array.dtype} of shape {array.shape}")
    return array.copy()


def same_domains(path: Any, header: dict[str, Any], factors: Array, envs: Sequence[Any]) -> None:
    """Refuse to go on learning in other domains, or in the same ones in another order."""
    learnt, mine = header["domains"], [domain(env) for env in envs]
    if not isinstance(learnt, list) or len(learnt) != len(mine):
        count = len(learnt) if isinstance(learnt, list) else repr(learnt)
        raise DataError(f"{path} was learnt in {count} domains; give that many, not {len(mine)}")
    for m, env in enumerate(envs):
        if fingerprint(env) != header["network"]:
            other = differences(header["network"], fingerprint(env))
            raise DataError(f"source {m} is another network than {path} was learnt on: {other}")
        if mine[m] != learnt[m]:
            was = f"was source {learnt.index(mine[m])}" if mine[m] in learnt else "was none of the sources"
            told = f" had the factor {factors[m].squeeze().tolist()}" if len(factors) == len(mine) else " was another"
            raise DataError(
                f"source {m} {was} when {path} was learnt, and source {m}{told}: arrivals, capacities or rewards differ; give "
                "the same environments in the same order"
            )
