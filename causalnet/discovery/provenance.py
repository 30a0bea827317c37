"""What a result rests on: fingerprints of the data, and the versions of the packages that took part."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import platform
from functools import cache
from typing import Any

import numpy as np

from ..datasets import Dataset
from .register import registry


def describe(dataset: Dataset) -> dict[str, Any]:
    """What the store keeps of a draw: a fingerprint of all that decides a score, the truth, the card."""
    return {
        "fingerprint": fingerprint(dataset),
        "truth": None if dataset.truth is None else dataset.truth.replace(evidence={}).to_json(),
        "card": json.loads(json.dumps(dict(dataset.card), default=str)),
        "kind": dataset.data.kind,
        "text": repr(dataset.data),
        "sampled": dataset.sampled,
    }


def fingerprint(dataset: Dataset) -> str:
    """A digest of data, truth and knowledge. Numbers count to single precision: machines differ in the last bits."""
    digest = hashlib.sha256()

    def add(*parts: Any) -> None:
        for part in parts:
            raw = np.ascontiguousarray(part).tobytes() if isinstance(part, np.ndarray) else repr(part).encode()
            digest.update(len(raw).to_bytes(8, "big") + raw)

    data, truth = dataset.data, dataset.truth
    add(data.kind, tuple(data.columns), *data.fingerprint_parts())
    if truth is not None:
        add(truth.nodes, truth.adj, *(() if truth.marks is None else (truth.marks,)))
    if dataset.knowledge:
        add(dataset.knowledge)
    return digest.hexdigest()[:32]


def versions(backend: str | None = None) -> dict[str, str]:
    """Versions of causalnet, Python, numpy, and of the packages that the method comes from."""
    found = {"python": platform.python_version()}
    for package in ("causalnet", "numpy", *(packages_of(backend) if backend else ())):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


@cache
def packages_of(backend: str) -> tuple[str, ...]:
    """Distributions behind a method: those that hold what it requires, and its own if it is a plug-in."""
    method = registry().get(backend)
    if method is None:
        return ()
    modules = {name.partition(".")[0] for name in (*method.requires, method.learn.__module__)} - {"causalnet"}
    if not modules:
        return ()
    held = importlib.metadata.packages_distributions()
    return tuple(sorted({name for module in modules for name in held.get(module, [])}))
