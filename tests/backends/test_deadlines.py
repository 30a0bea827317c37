"""``max_seconds`` on data made to hold a method up, in small; :mod:`deadlines` has the whole."""

from __future__ import annotations

import sys

import numpy as np
import pytest

if sys.platform != "linux":
    pytest.skip("forks with limits", allow_module_level=True)

import deadlines

import causalnet as cn
from causalnet.base import memory
from causalnet.discovery.register import registry

SMALL = (  # data, size, method, settings: each would take five seconds and more
    ("hub", 0.2, "pc", {"max_cond": 8}),
    ("hub", 0.2, "pc", {"ci_test": "rcit"}),
    ("mixed hub", 0.2, "fci", {"max_cond": 8}),
    ("two factors", 1.0, "order", {}),
    ("two factors", 0.5, "notears", {"acyclicity": "expm"}),
    ("two factors", 1.0, "lingam", {}),
    ("200 series", 0.5, "pcmci", {"lags": 10}),
    ("200 series", 0.5, "granger", {"lags": 20}),
    ("repairs", 0.4, "att-bic", {}),
    ("500 types", 0.1, "thp", {}),
)


@pytest.mark.parametrize(("data", "size", "name", "settings"), SMALL)
def test_the_time_limit_is_kept(data: str, size: float, name: str, settings: dict[str, object]) -> None:
    made = deadlines.CASES[data][0](np.random.default_rng(0), size)
    deadlines.warm(name, made)
    told = deadlines.forked(lambda: deadlines.verdict(name, made, 0.2, settings))
    assert told.startswith("kept") and "cut short" in told, told


def test_every_native_method_has_a_limit() -> None:
    assert all(b.bounded for b in registry().values() if "/" not in b.name)


def test_what_cannot_fit_is_refused_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "room", lambda: 2000.0)
    table = cn.as_table(np.random.default_rng(0).normal(size=(20, 6)))
    with pytest.raises(cn.DataError, match=r"over 6 variables holds about .* keep at most 5 variables"):
        cn.discover(table, "order")
