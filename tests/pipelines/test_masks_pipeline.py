"""``pipelines.masks`` in its quick form, and its uniform play against the mask as the environment offers it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import causalnet as cn
from causalnet.envs import Services
from pipelines.masks import experiment, report, runs
from pipelines.masks.runs import Problem


def test_quick_leaves_its_files_and_repeats_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["--quick", "--out", str(tmp_path)]
    experiment.main(wanted)
    rows = (tmp_path / "results.csv").read_text()
    found = json.loads((tmp_path / "summary.json").read_text())
    assert found["services 6, uniform: doubt of 0 - presence, share"]["mean"] == 0
    assert found["services 6, ppo: doubt of 0 - presence, share"]["mean"] == 0  # trained alike to the last number
    assert (
        found["services 6, uniform: return, true graph"]["mean"] > found["services 6, uniform: return, no mask"]["mean"]
    )
    assert not any(item["goal"] for item in found.values()) and "reached" not in capsys.readouterr().out
    assert all(item["high"] is None or item["high"] <= 0 for name, item in found.items() if ": return" in name)
    assert (tmp_path / "report.html").read_text().count("<svg") >= 1
    experiment.main(wanted)
    assert (tmp_path / "results.csv").read_text() == rows


def test_what_is_kept_is_what_the_mask_allows() -> None:
    env = Services(8, fault=0.05, seed=1)
    seen = runs.explore(env, 400, 0)
    for graph in (seen.posterior(env, 400), env.true_graph, None):
        masked, keep = cn.CausalMask(env, graph), runs.keeper(env, graph)
        masked.reset(seed=0)
        for a in np.random.default_rng(0).integers(0, 9, 60):
            assert (masked.action_masks()[:-1] == keep(env.trouble())).all() or not env.trouble().any()
            masked.step(int(a))


def test_a_mask_takes_over_where_its_interactions_end() -> None:
    from pipelines.masks.training import Trained

    problem = Problem("services 6", sizes=(0, 60), judged=2, steps=120)
    start = Trained(cn.CausalMask(problem.make(0), None), 0).go_on(60)
    turned = start.branch(cn.Graph(start.agent.env.unwrapped.variables, start.agent.env.unwrapped.influences.T))
    assert turned.agent.env.mask.graph is not None and start.agent.env.mask.graph is None
    run = turned.run(problem, "turned")
    assert run.steps == 120 and len(turned.rows) == 120 and len(start.rows) == 60


def test_steps_to_a_level_are_of_the_mean_curve() -> None:
    line = np.arange(1.0, 9.0), np.array([np.arange(8.0), np.arange(8.0)])
    assert report.steps_to(line, 3.0) == 4 and np.isnan(report.steps_to(line, 7.5))
    assert report.settled(line) == (6.5, 2 / 6.5)
