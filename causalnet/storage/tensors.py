"""Weights in one file of the safetensors form, whole or not at all, with texts beside them; nothing in the file is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..base.arrays import AnyArray
from ..base.checks import file_name
from ..errors import DataError
from .files import target, whole_file

EXAMPLE = "policy.safetensors"


def write_tensors(path: str | Path, arrays: Mapping[str, AnyArray], told: Mapping[str, str]) -> Path:
    """Write arrays, and texts beside them."""
    from safetensors.numpy import save

    raw = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata=dict(told))
    with whole_file(file_name(path, EXAMPLE)) as file:
        file.write(raw)
    return target(path)


def read_tensors(path: str | Path) -> tuple[dict[str, AnyArray], dict[str, str]]:
    """Arrays, and the texts beside them; DataError for a file that is cut short or of another kind."""
    from safetensors import SafetensorError, safe_open

    path = file_name(path, EXAMPLE)
    if not path.is_file():
        raise DataError(f"there is no file {path}; give one that export_policy has written")
    try:
        with safe_open(path, framework="np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"{path} is no whole file of weights ({error}): it was cut short or damaged, or is another kind of file"
        ) from error
