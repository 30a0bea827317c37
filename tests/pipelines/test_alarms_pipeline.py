"""``pipelines.alarms``: rows of every task with a stand-in for the learner, the row of real logs, peers that are absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import causalnet as cn
from causalnet import Events, Graph
from pipelines.alarms import experiment, report, runs
from pipelines.alarms.families import FAMILIES, family_log, polled_log


@pytest.fixture(autouse=True)
def learner(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A learner whose answer is set: the graph of the log that was drawn last, with its first edge turned round."""
    seen: dict[str, Any] = {}
    draw = runs.drawn

    def drawn(size: runs.Size, seed: int) -> Any:
        seen["log"], seen["truth"], _ = found = draw(size, seed)
        return found

    def discover(log: Events, backend: str) -> Graph:
        adj = seen["truth"].align(log.types).adj.copy() if "truth" in seen else np.zeros((log.d, log.d), dtype=bool)
        if adj.any():
            cause, effect = np.argwhere(adj)[0]
            adj[cause, effect], adj[effect, cause] = False, True
        return Graph(log.types, adj)

    monkeypatch.setattr(runs, "drawn", drawn)
    monkeypatch.setattr(runs, "discover", discover)
    monkeypatch.setattr(runs, "CONTROLS", 20)
    return seen


def test_a_quick_run_leaves_figures_and_never_scores_a_real_log_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "RIVALS", {})
    some = ("events", "noise", "ancestors", "cost", "stream", "peers", "real", "official")
    tasks = {k: v for k, v in experiment.TASKS.items() if k in some}
    monkeypatch.setattr(experiment, "TASKS", tasks)
    monkeypatch.setattr(runs, "load_dataset", lambda *_: pytest.fail("a real log was read"))
    found = experiment.main(["--quick", "--seeds", "1", "--out", str(tmp_path)])
    assert {"results.csv", "summary.json", "report.html"} <= {p.name for p in tmp_path.iterdir()}
    assert set(report.GOALS) <= set(json.loads((tmp_path / "summary.json").read_text()))
    f1 = found["events, 1500 events, 8 types, 20 devices: f1 of thp"]["mean"]
    assert 0.5 < f1 < 1.0, "one edge is the wrong way round"
    assert found["ancestors, 1500 events, 8 types, 20 devices: false edges of thp"]["mean"] == 1
    assert found["stream, 1500 events, 8 types, 20 devices: precision of thp online"]["mean"] > 0.5
    chance = found["events, 1500 events, 8 types, 20 devices: f1 of random order"]["mean"]
    assert 0.1 < chance < 0.7
    with pytest.raises(SystemExit, match="no such task: reel"):
        experiment.main(["--quick", "--only", "reel", "--out", str(tmp_path)])


def test_the_row_of_a_real_log_on_a_simulated_one(learner: dict[str, Any]) -> None:
    log, truth, rng = runs.drawn(runs.Size(300, 6, 5), 3)
    rows = {(r.method, r.what): r for r in runs.scored("a log", log, truth, rng)}
    n = int(truth.adj.sum())
    told = rows["thp", "directions right"]
    assert told.note == f"{n - 1} of {n}" and told.value == pytest.approx((n - 1) / n)
    assert rows["thp", "directions: p by coin flips"].value == pytest.approx((n + 1) / 2**n)
    assert {"f1", "deviation"} <= {what for method, what in rows if method == "random order"}
    assert ("granger", "f1") in rows


def test_what_is_absent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "load_dataset", _missing)
    (row,) = runs.real("pcic-18v", 0)
    assert row.value is None and "put it there" in row.note
    monkeypatch.setattr(runs, "RIVALS", {"none": ("no_such_module_at_all", None)})
    from pipelines.alarms import rivals

    monkeypatch.setitem(rivals.RIVALS, "none", ("no_such_module_at_all", None))
    rows = list(runs.peers(runs.Size(300, 6, 5), 0))
    assert rows[-1].note == "none is not installed" and rows[-1].value is None


def _missing(*_: Any) -> Any:
    raise runs.MissingFile("put it there")


def test_a_log_like_those_of_real_networks_tells_more_than_an_order_drawn_at_random() -> None:
    log, truth = family_log(FAMILIES["chains"], 0)
    share = truth.adj.sum() / (truth.d * (truth.d - 1) / 2)
    chance = share / (1 + share)  # mean F1 of complete orders, with a deviation of .06
    every, openings = (cn.score(truth, cn.discover(log, "thp", repeats=repeats))["f1"] for repeats in (0.0, None))
    assert every > chance + 0.18 and every > openings + 0.1, "what comes back brings its effects back"


def test_events_of_one_type_in_one_poll_count_once() -> None:
    log, truth = polled_log("bursty", 900.0, 0)
    once, all_of_them = (cn.score(truth, cn.discover(log, "thp", repeats=repeats))["f1"] for repeats in (None, 0.0))
    assert once >= 0.9 and once > all_of_them + 0.1
