"""PetShop's train faults, on which the rule was settled; the test faults were scored once (see the change log)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.incidents import petshop, runs


@pytest.mark.skipif(not petshop.systems(), reason="PetShop's metrics are not shipped; set CAUSALNET_DATA")
def test_the_roots_of_the_train_faults_come_first_and_no_later_than_by_the_simple_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = petshop.ranks("train")
    top = table[table["rank"] == 1].groupby("rule").size()
    assert top["graph"] == 8 and top["graph"] >= top.max()
    monkeypatch.setattr(petshop, "ranks", lambda *_, **__: table)  # a learned graph takes its time
    told = {(row.problem, row.value) for row in runs.petshop_faults("train", 0)}
    assert {(f"petshop low_traffic, {m}, call graph: graph top-1", 1.0) for m in ("latency", "availability")} <= told


def test_without_the_metrics_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(petshop, "FOLDER", tmp_path)
    assert list(runs.petshop_faults("train", 0)) == []
