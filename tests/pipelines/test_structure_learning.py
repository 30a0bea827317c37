"""The pipeline of structure learning: its quick form, its measures against small exact cases, what it asks."""

from __future__ import annotations

import csv
import itertools
import json
import time
from pathlib import Path

import numpy as np
import pytest

from causalnet import Graph
from causalnet.datasets import sem_table
from causalnet.graph.metrics import equivalence_class
from causalnet.graph.order import is_acyclic
from causalnet.stats.scores import local_score
from pipelines.structure_learning import contest, experiment, problems, report, runs
from pipelines.structure_learning.problems import Holed, Linear, Mixed


def test_quick_run_leaves_its_files_and_repeats_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pgmpy", reason="asia is sampled from a network inside pgmpy")
    wanted = ["--quick", "--seeds", "1", "--out", str(tmp_path)]
    experiment.main(wanted)
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["task"] for row in rows} >= set(experiment.TASKS) - {"lingam", "same order"}
    grid = [row for row in rows if row["task"] == "grid" and row["method"] == "order"]
    assert grid and all(float(row["cpu"]) > 0 and row["shd"] and row["score"] for row in grid)
    assert not any("died" in row["note"] for row in rows)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert all(set(item) == {"mean", "low", "high", "n", "published", "goal"} for item in summary.values())
    assert (tmp_path / "report.html").read_text().count("<svg") == 2
    experiment.main(wanted)
    with (tmp_path / "results.csv").open() as file:
        assert list(csv.DictReader(file)) == rows
    assert "reached" not in capsys.readouterr().out  # a quick run claims nothing


def test_an_unknown_task_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no such task: gird; there are grid"):
        experiment.main(["--only", "gird", "--out", str(tmp_path)])


def test_the_optimum_is_that_of_all_graphs() -> None:
    """Four variables have 543 DAGs."""
    table, _ = sem_table(np.random.default_rng(4), d=4, degree=2, n=100)
    pairs, least, count = [(i, j) for i in range(4) for j in range(i)], np.inf, 0
    for kinds in itertools.product(range(3), repeat=6):
        dag = np.zeros((4, 4), dtype=bool)
        for (i, j), kind in zip(pairs, kinds, strict=True):
            dag[i, j], dag[j, i] = kind == 1, kind == 2
        if is_acyclic(dag):
            count += 1
            scores = (local_score(table.correlation, 100, 2.0, v, np.flatnonzero(dag[:, v])) for v in range(4))
            least = min(least, sum(scores))
    assert count == 543 and runs.optimum(table.correlation, 100) == pytest.approx(least)


def test_an_answer_is_judged_between_the_classes() -> None:
    truth = Graph.from_edges("abc", [("a", "b"), ("b", "c")])
    assert contest.judge(truth, truth.adj) == (0.0, 1.0, 1.0)
    assert contest.judge(truth, truth.adj.T) == (0.0, 1.0, 1.0)  # the chain read backwards is in the same class
    collider = Graph.from_edges("abc", [("a", "b"), ("c", "b")]).adj
    assert contest.judge(truth, collider) == (2.0, 0.0, 1.0)
    assert contest.judge(truth, np.zeros((3, 3), dtype=bool)) == (2.0, 0.0, 0.0)
    assert contest.directed_f1(truth.adj, collider) == 0.5


def test_equivalent_graphs_have_one_score_and_a_cycle_has_none() -> None:
    table, truth = sem_table(np.random.default_rng(0), d=12, n=300)
    score = contest.penalised(table.correlation, table.n, truth.adj)
    assert contest.penalised(table.correlation, table.n, equivalence_class(truth)) == pytest.approx(score)
    cycle = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=bool)
    assert contest.penalised(np.eye(3), 100, cycle) is None


def test_a_method_that_takes_too_long_or_dies_is_told() -> None:
    slow = contest.within(0.1, lambda: contest.Answer(cpu=time.sleep(20)))
    assert slow.adj is None and slow.note == "over 0.1 s"
    assert contest.within(20.0, lambda: contest.Answer(cpu=1.5)).cpu == 1.5


def test_problems_are_what_their_names_say() -> None:
    one, again = (problems.draw_linear(Linear("sf", "fair", 12), 3)[0] for _ in range(2))
    np.testing.assert_array_equal(one.values, again.values)
    assert (
        str(Linear("sf", "fair", 12)) == "SF fair d=12 degree 4 n=1000"
        and report._size(str(Linear("er", "raw", 7))) == 7
    )
    whole, holed, dropped = (
        problems.draw_holed(Holed(s, k), 1)[0] for s, k in ((0.0, False), (0.1, False), (0.1, True))
    )
    gone = np.isnan(holed.values)
    np.testing.assert_array_equal(holed.values[~gone], whole.values[~gone])
    assert 0.08 < gone.mean() < 0.12 and dropped.n < 30 and not np.isnan(dropped.values).any()
    assert problems.draw_mixed(Mixed("degenerate", 6), 0)[0].kind == "mixed"


@pytest.mark.parametrize("kind", ["continuous", "discrete"])
def test_a_shuffled_table_holds_the_same_columns(kind: str) -> None:
    if kind == "continuous":
        table = problems.draw_linear(Linear("er", "raw", 6), 0)[0]
    else:
        table = problems.draw_mixed(Mixed("degenerate", 6), 0)[0]
    moved, place = runs.shuffled(table, np.random.default_rng(0))
    assert sorted(moved.columns) != sorted(table.columns) and len(set(moved.columns)) == 6
    corr = np.corrcoef(table.values, rowvar=False)[np.ix_(place, place)]
    np.testing.assert_allclose(np.corrcoef(moved.values, rowvar=False), corr, atol=1e-9)


def test_every_real_table_can_be_loaded() -> None:
    pytest.importorskip("statsmodels")
    assert all(len(runs.load_real(name)) > 10 for name in runs.REAL) and len(runs.REAL) == 16


def test_figures_pair_by_seed(tmp_path: Path) -> None:
    from pipelines.common import open_table

    table = open_table(tmp_path, contest.Run)
    problem = str(Linear("er", "raw", 100))
    for method, shds in (("order", (1, 2, 3)), ("FLOP 20", (2, 2)), ("FLOP 0", (9, 9, 9))):
        rows = [
            contest.Run(
                problem,
                method,
                shd=float(s),
                score=-float(s),
                cpu=0.1 * (1 + 9 * (method != "order")),
                task="grid",
                seed=k,
            )
            for k, s in enumerate(shds)
        ]
        table.add(method, [vars(row) for row in rows])
    report.write(tmp_path, table)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary[f"{problem}: SHD of order - FLOP's best setting"]["mean"] == -0.5
    assert summary[f"{problem}: score of order - FLOP 20"]["mean"] == 0.5
    assert summary[f"{problem}: FLOP 20 CPU / order"]["mean"] == pytest.approx(10)
    assert summary[f"{problem}: SHD of order"]["goal"] == "<= 2"


def test_calibration_is_pooled_over_runs() -> None:
    """Pairs of confidence .3 of which half are true, and .9 of which all are; what is hardly ever joined does not count."""
    one = runs.binned(np.array([0.3, 0.3, 0.9, 0.01]), np.array([True, False, True, True]))
    assert one.split()[3] == "2:0.600:1" and one.split()[9] == "1:0.900:1" and one.split()[0] == "0:0.000:0"
    assert runs.calibration_error([one]) == pytest.approx((0.4 + 0.1) / 3)
    sure = runs.binned(np.array([0.35, 1.0]), np.array([False, True]))
    assert runs.calibration_error([one, sure]) == pytest.approx((0.05 + 0.1) / 5)
    assert np.isnan(runs.calibration_error([])) and np.isnan(
        runs.calibration_error([runs.binned(np.zeros(3), np.zeros(3, bool))])
    )


def test_rows_are_written_part_by_part(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    _, weight, deviation, rng = runs.fair_model(5, 0)
    runs.write_rows(tmp_path / "rows.parquet", weight, deviation, 2500, rng, part=1000)
    frame = parquet.read_table(tmp_path / "rows.parquet").to_pandas()
    assert frame.shape == (2500, 5)
    np.testing.assert_allclose(frame.var(), 1.0, atol=0.15)
