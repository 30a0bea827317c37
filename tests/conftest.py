"""Shared fixtures: where the data that cannot be shipped is looked for, and small random problems."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # every process that a test starts would compile the package anew
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how fast it draws is no property of what is tested


def pytest_collection_finish() -> None:
    """The thousands of tests and all modules stay: no search for garbage need look at them again, nor one for each few objects."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def outside_data() -> Path:
    """$CAUSALNET_DATA, or a skip with the reason."""
    folder = os.environ.get("CAUSALNET_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs data that is not shipped: set CAUSALNET_DATA to its folder")
    return Path(folder)


@pytest.fixture(scope="session")
def times() -> int:
    """How many times as many draws as usual a test of a rate takes: $CAUSALNET_TIMES, else 1."""
    return int(os.environ.get("CAUSALNET_TIMES", "1"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261121)


@pytest.fixture(autouse=True)
def _single_precision() -> None:
    """Every test begins with torch's own default: gcastle and causal-learn change it when they are imported."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_default_dtype(torch.float32)
