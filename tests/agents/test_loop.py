"""The one training loop, as the networked learners use it: rows, checkpoints, going on to the bit, and what it refuses."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from causalnet.agents import (
    GSAC,
    Constraint,
    Cooling,
    Determinism,
    Entropy,
    GeneralUtility,
    LocalizedPolicyImprovement,
    ProximalSettings,
    Rate,
    ScalableActorCritic,
    Settings,
)
from causalnet.envs.networked.wireless import gsac_grid, lin_grid, utility_grid
from causalnet.errors import DataError, NotApplicable
from causalnet.storage.checkpoint import read, write

ARRIVALS = (0.3, 0.7)
CODE: dict[str, Any] = {"utility": Entropy(), "constraints": Constraint(Determinism(), 0.01)}


def sources() -> list[Any]:
    return [gsac_grid(2, arrival=p, n_envs=4) for p in ARRIVALS]


def grid() -> Any:
    return utility_grid(n_envs=4)


SHORT = Settings(gamma=0.7, steps=12)
LEARNERS: dict[str, tuple[Callable[[], Any], Callable[[Path], Any]]] = {
    "sac": (
        lambda: ScalableActorCritic(lin_grid(n_envs=4), Settings(gamma=0.7), learners=2),
        lambda path: ScalableActorCritic.load(path, lin_grid(n_envs=4)),
    ),
    "gsac": (
        lambda: GSAC(sources(), ARRIVALS, learners=2, schedule="one"),
        lambda path: GSAC.load(path, sources()),
    ),
    "general utility": (
        lambda: GeneralUtility(grid(), SHORT, learners=2, **CODE),
        lambda path: GeneralUtility.load(path, grid(), **CODE),
    ),
    "lpi": (
        lambda: LocalizedPolicyImprovement(
            grid(), ProximalSettings(gamma=0.7, steps=12), learners=2, cooling=Cooling()
        ),
        lambda path: LocalizedPolicyImprovement.load(path, grid()),
    ),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_rows_and_checkpoints_and_going_on_to_the_bit(name: str, tmp_path: Path) -> None:
    make, load = LEARNERS[name]
    kept, log, whole = tmp_path / "agent.npz", tmp_path / "log.csv", make()
    whole.learn(12, log=tmp_path / "whole.csv", on_update=lambda a: {"mine": 2.0 * a.updates})
    part = make().learn(4, log=log, checkpoint=kept)
    part.learn(2, log=log)  # as a run that was killed two updates after its checkpoint
    again = load(kept)
    assert again.updates == 2 and again.episodes == 4
    assert make().learn(steps=3 * whole.settings.length).updates == 2  # two episodes an update: rounded up
    again.learn(8, log=log, checkpoint=kept, checkpoint_every=3)
    assert np.array_equal(again.theta, whole.theta) and load(kept).updates == 6
    first, second = (list(csv.DictReader(path.read_text().splitlines())) for path in (tmp_path / "whole.csv", log))
    assert [row["mine"] for row in first] == [f"{2.0 * k}" for k in range(1, 7)]
    for row in (*first, *second):
        row.pop("time/fps"), row.pop("mine", None)
    assert first == second and [int(row["time/episodes"]) for row in first] == [2, 4, 6, 8, 10, 12]
    steps = whole.settings.length
    assert [int(row["time/total_timesteps"]) for row in first] == [steps * k for k in (2, 4, 6, 8, 10, 12)]
    assert float(first[-1]["rollout/return"]) == pytest.approx(whole.last_return())


def test_the_return_that_is_logged_is_what_the_environment_paid(tmp_path: Path) -> None:
    """A general utility pays its learner in shadow rewards; its log is about the same thing as that of the others."""
    make, rows = LEARNERS["general utility"][0], []
    for agent in (make(), ScalableActorCritic(grid(), SHORT, learners=2)):
        agent.learn(2, log=tmp_path / "log.csv")
        (row,) = csv.DictReader((tmp_path / "log.csv").read_text().splitlines())
        rows.append(row)
        (tmp_path / "log.csv").unlink()
    assert rows[0]["rollout/return"] == rows[1]["rollout/return"] and "train/multiplier_0" in rows[0]


def test_the_files_of_another_run_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, load = LEARNERS["sac"]
    make().learn(2, log=tmp_path / "log.csv", checkpoint=tmp_path / "agent.npz", progress=True)
    assert "learning" in capsys.readouterr().err
    before = (tmp_path / "agent.npz").read_bytes(), (tmp_path / "log.csv").read_bytes()
    with pytest.raises(DataError, match=r"go on with ScalableActorCritic\.load"):
        make().learn(2, checkpoint=tmp_path / "agent.npz")
    with pytest.raises(DataError, match="the episodes of another run"):
        make().learn(2, log=tmp_path / "log.csv")
    assert before == ((tmp_path / "agent.npz").read_bytes(), (tmp_path / "log.csv").read_bytes())
    load(tmp_path / "agent.npz").learn(2, log=tmp_path / "log.csv", checkpoint=tmp_path / "agent.npz")
    assert load(tmp_path / "agent.npz").episodes == 4


def test_only_a_file_of_the_same_class_is_one_to_go_on_from(tmp_path: Path) -> None:
    gsac = LEARNERS["gsac"][0]
    gsac().save(tmp_path / "gsac.npz")
    LEARNERS["sac"][0]().save(tmp_path / "sac.npz")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"go on with GSAC\.load\('.*gsac\.npz', sources\), or give another name$"):
        gsac().learn(2, checkpoint=tmp_path / "gsac.npz")
    for name in ("sac.npz", "notes.txt"):
        with pytest.raises(DataError, match=r"this agent does not continue it; give another name$"):
            gsac().learn(2, checkpoint=tmp_path / name)


@pytest.mark.parametrize("critic", ["own", "linear"])
def test_localized_policy_improvement_has_settings_of_its_own(critic: Any, tmp_path: Path) -> None:
    """Settings of Scalable Actor-Critic do as well, and what plays no part is not kept; so do checkpoints of 0.1.0."""
    given = Settings(gamma=0.7, steps=12, critic=critic, critic_rate=Rate(0.5), actor_rate=Rate(1.0), over_n=True)
    mine = ProximalSettings(gamma=0.7, steps=12, critic=critic)
    first, second = (LocalizedPolicyImprovement(grid(), o, learners=2) for o in (given, mine))
    assert first.settings == second.settings == mine
    assert np.array_equal(first.learn(4).theta, second.learn(4).theta)
    header, arrays = read(first.save(tmp_path / "new.npz"))
    assert {"gradient", "baseline_rate", "over_n", "temperature", "capacity"}.isdisjoint(header["settings"])
    old = write(tmp_path / "old.npz", {**header, "settings": dataclasses.asdict(given)}, arrays)
    again = LocalizedPolicyImprovement.load(old, grid())
    assert again.settings == mine and np.array_equal(again.learn(2).theta, second.learn(2).theta)
    with pytest.raises(NotApplicable, match="critic 'table' lacks; use 'own' or 'linear'"):
        ProximalSettings(critic="table")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="gradient"):
        ProximalSettings(gradient="score")  # type: ignore[call-arg]
    with pytest.raises(DataError, match=r"must be Settings\("):
        ScalableActorCritic(grid(), mine)  # type: ignore[arg-type]
