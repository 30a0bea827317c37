"""Lights that learn in SUMO: where they start, and the pipeline's quick form, which needs the simulator."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from causalnet.envs.simulators.sumo.scenarios import resco_scenarios
from pipelines.traffic_signals.experiment import main
from pipelines.traffic_signals.networked import ADAPTED, THERE, FromPressure

installed = importlib.util.find_spec("libsumo") is not None and "cologne3" in resco_scenarios()


def test_networks_start_from_the_pressures_in_vehicles() -> None:
    names = ["queue of lane 0", "pressure of phase 0", "pressure of phase 1"]
    policy = FromPressure(names, 0, 5, 2)  # two numbers of neighbours
    x = torch.tensor([[3.0, 9.0, 1.0, 0.0, 0.0], [0.0, -4.0, 6.0, 1.0, 1.0]])
    assert torch.allclose(policy(x), 2 * x[:, 1:3], atol=0.2)
    mean, scale = torch.tensor([1.0, 5.0, -2.0]), torch.tensor([1.0, 0.1, 4.0])
    policy.reader = SimpleNamespace(mean=mean, scale=scale)
    scaled = torch.cat(((x[:, :3] - mean) * scale, x[:, 3:]), dim=1)
    assert torch.allclose(policy(scaled), 2 * x[:, 1:3], atol=0.2)


@pytest.mark.skipif(not installed, reason="needs libsumo and the road networks of sumo-rl")
def test_quick_and_not_repeated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = main(["--quick", "--only", "kappa,demand", "--out", str(tmp_path)])
    assert first["cologne3, NetworkedPPO: mean delay, all (MAPPO), s"]["n"] == 1
    for team in ("several levels", "levels in turns"):
        assert first[f"cologne3, demand x 1.3: {team}{ADAPTED}, share of the return, {THERE}"]["mean"] is not None
    assert "reached" not in capsys.readouterr().out  # a quick run claims nothing
    rows = (tmp_path / "results.csv").read_text()
    assert main(["--quick", "--only", "kappa,demand", "--out", str(tmp_path)]) == first
    assert (tmp_path / "results.csv").read_text() == rows
