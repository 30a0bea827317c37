"""Learning by doing with an online backend that is nobody's: what it is asked, and that a folder resumes it to the bit."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

pytest.importorskip("torch")

import causalnet as cn
import causalnet.envs
from causalnet.backends import att_bic
from causalnet.discovery.online import OnlineState
from causalnet.training import learn_by_doing


@dataclass(frozen=True)
class Tally:
    """How often a repair of i took alarms of j along; an edge i -> j where that was often, and more often than j -> i."""

    variables: tuple[str, ...]
    units: tuple[str, ...]
    often: int
    fell: tuple[tuple[int, ...], ...]
    seconds: float = 0.0

    @property
    def backend(self) -> Any:
        return sys.modules[__name__]


def init(variables: Any, units: Any, often: int = 2) -> Tally:
    v = len(variables)
    return Tally(tuple(variables), tuple(units), often, ((0,) * v,) * v)


def step(
    state: Tally, *, before: Any, after: Any, unit: Any, variable: Any, seconds: float = 1.0, **rest: Any
) -> Tally:
    fell = np.array(state.fell)
    fell[variable] += (np.asarray(before) > np.asarray(after)).any(axis=0)
    return replace(state, fell=tuple(map(tuple, fell.tolist())), seconds=state.seconds + seconds)


def graph(state: Tally) -> cn.Graph:
    fell = np.array(state.fell)
    adj = (fell > fell.T) & (fell >= state.often)
    places = np.argsort(-fell.sum(axis=1), kind="stable")
    adj &= np.argsort(places)[:, None] < np.argsort(places)
    return cn.Graph(state.variables, adj)


def setup(state: Tally) -> dict[str, Any]:
    return {"variables": state.variables, "units": state.units, "often": state.often}


def save(state: Tally, path: str | Path) -> None:
    Path(path).write_text(json.dumps([state.variables, state.units, state.often, state.fell, state.seconds]))


def load(path: str | Path) -> Tally:
    variables, units, often, fell, seconds = json.loads(Path(path).read_text())
    return Tally(tuple(variables), tuple(units), often, tuple(map(tuple, fell)), seconds)


def play(episodes: int, folder: Path | None = None, often: int = 2) -> Any:
    env = gymnasium.make("causalnet/FaultAlarm-v0", instance=3, n_devices=6)
    core: Any = env.unwrapped
    state = init(core.variables, core.units, often)
    return learn_by_doing(
        env, "dqn", discovery=state, episodes=episodes, checkpoint_every=2, folder=folder, random_steps=30
    )


def test_a_backend_of_ones_own_learns_by_doing(tmp_path: Path) -> None:
    whole = play(6)
    assert isinstance(whole.state, Tally) and whole.graph == graph(whole.state) and whole.graph.adj.any()
    steps = sum(row.interventions for row in whole.rows)
    assert whole.state.seconds == 50.0 * steps, "the environment says what a step takes"
    play(3, tmp_path)
    parts = play(6, tmp_path)
    assert parts.rows == whole.rows and parts.state == whole.state
    with pytest.raises(cn.DataError, match="other discovery"):
        play(7, tmp_path, often=3)
    assert set(json.loads((tmp_path / "settings.json").read_text())["discovery"]) == {"often"}


def test_a_state_knows_its_backend() -> None:
    for state in (init(["a"], ["u"]), att_bic.init(["a"], ["u"])):
        assert isinstance(state, OnlineState)
        told = state.backend.setup(state)
        assert tuple(told["variables"]) == ("a",) and tuple(told["units"]) == ("u",)
    assert att_bic.init(["a"]).backend is att_bic
    assert not isinstance("att-bic", OnlineState)


def test_learning_by_doing_imports_no_backend() -> None:
    import causalnet.training.by_doing as by_doing
    import causalnet.training.episodes as episodes

    for module in (by_doing, episodes):
        assert "backends" not in Path(module.__file__).read_text()
