"""Save a neural learner, and go on from the file to the bit: weights, optimiser, scales, counters, random states, and the
episode under way, which is played again action by action."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ....base.arrays import AnyArray
from ....errors import DataError
from ....storage.checkpoint import flat, nested, read, write
from ...loop import Files
from ..conditioning import Conditioning
from ..rollout import seeds
from .settings import settings_of
from .world import as_actions

_COUNTS = ("updates", "steps", "episodes", "starts")
_NEEDS = (*_COUNTS, "seed", "settings", "network", "copies", "horizon", "rng", "worth", "last", "own", "conditioning")


def save_learner(path: str | Path, agent: Any) -> Path:
    """One npz file."""
    header = {name: getattr(agent, name) for name in (*_COUNTS, "seed")}
    told: Conditioning | None = agent.conditioning
    header |= {
        "class": type(agent).__name__,
        "settings": dataclasses.asdict(agent.settings),
        "network": agent.world.fingerprint(),
        "copies": agent.world.copies,
        "horizon": agent.world.horizon,
        "rng": [rng.bit_generator.state for rng in agent.streams],
        "worth": dataclasses.asdict(agent.worth),
        "last": [agent.last_return(), agent.told],
        "own": agent.own,
        "conditioning": None if told is None else told.kind,
    }
    arrays = flat("reader", agent.sight.reader.arrays()) | flat("optimiser", agent.optimiser.to_arrays())
    arrays |= {
        f"{name}.{k}": w.cpu().numpy()
        for name in ("policy", "critic")
        for k, w in getattr(agent, name).state_dict().items()
    }
    if told is not None:
        arrays["factors"] = told.factors
    return write(path, header, arrays | flat("now", agent.under_way()))


def load_learner(cls: type, path: str | Path, env: Any, changes: Mapping[str, Any], **options: Any) -> Any:
    """A learner of this class from a file."""
    header, arrays = read(path)
    if header.get("class") != cls.__name__:
        raise DataError(f"{path} holds a {header.get('class')}, not a {cls.__name__}")
    missing = [name for name in _NEEDS if name not in header]
    if missing:
        raise DataError(f"{path} is damaged: its header lacks {missing[0]!r}; take an older copy, or learn anew")
    settings = settings_of(path, header["settings"], changes)
    for name, own in header["own"].items():
        if own != (options[name] is not None):
            raise DataError(
                f"{path} was learnt with {'a' if own else 'no'} {name} of its caller's; give {name}={'...' if own else 'None'}"
            )
    try:
        view, factors = nested(arrays, "reader").get("view"), None
        if header["conditioning"] is not None:
            given = arrays["factors"]
            factors = Conditioning.of(header["conditioning"], given, len(given), int(env[0].n_agents))
        agent = cls(env, seed=header["seed"], view=view, factors=factors, **options, **settings.given())
        agent.world.require(header["network"], f"{path}: it")
        if (agent.world.copies, agent.world.horizon) != (header["copies"], header["horizon"]):
            raise DataError(
                f"{path} was learnt on {header['copies']} copies that end after {header['horizon']} steps, and here are "
                f"{agent.world.copies} that end after {agent.world.horizon}"
            )
        _restore(agent, header, arrays)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} lacks a part, or has a foreign one ({error}); take an older copy") from error
    agent.files = Files(Path(path).resolve(), loaded=True)
    return agent


def _restore(agent: Any, header: dict[str, Any], arrays: dict[str, AnyArray]) -> None:
    for name in _COUNTS:
        setattr(agent, name, int(header[name]))
    agent.worth = type(agent.worth)(**header["worth"])
    for rng, state in zip(agent.streams, header["rng"], strict=True):
        rng.bit_generator.state = state
    for name in ("policy", "critic"):
        network = getattr(agent, name)
        found = {k: torch.tensor(a) for k, a in nested(arrays, name).items()}
        if not all(bool(torch.isfinite(w).all()) for w in found.values() if w.is_floating_point()):
            raise DataError("a weight is no number: the learning had diverged")
        network.load_state_dict(found)
    agent.optimiser.from_arrays(nested(arrays, "optimiser"))
    agent.sight.reader.fill(nested(arrays, "reader"))
    agent.resume(nested(arrays, "now"), *header["last"])


def replay(world: Any, seed: int, start: int, played: AnyArray) -> Any:
    """The environment again as it was after the actions (t, E, n, ...) of the episode that was the ``start``-th to begin."""
    now = world.reset(seeds(seed, start))
    for action in played:
        obs, *_, masks = world.step(as_actions(world, action))
        now = (obs, masks)
    return now


def weights_of(memory: torch.Tensor | None) -> AnyArray:
    """A memory for a file; none is of size 0."""
    return np.zeros(0, np.float32) if memory is None else memory.cpu().numpy()
