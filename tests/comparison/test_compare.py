"""Comparisons: every cell accounted for, limits that hold, failures told, folders resumed, extended and defended."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from compare_plugin import chain, environment, installed
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import causalnet as cn
from causalnet.base.progress import watcher
from causalnet.base.text import split
from causalnet.comparison import Progress, Results
from causalnet.comparison.functions import digest, read_answer
from causalnet.comparison.labels import label, parse
from causalnet.comparison.plan import make_plan
from causalnet.comparison.store import FILE
from causalnet.errors import CausalnetError, DataError, NotInstalled, UnknownNameError
from causalnet.graph.chance import draw_chance
from causalnet.report.publish import escape_latex

SEM = "linear-gaussian:d=6:n=80"  # a seed draws the graph and the sample


@pytest.fixture(scope="module", autouse=True)
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installed(tmp_path_factory.mktemp("plugin")) as folder:
        yield folder


# ---- what comes out -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Results:
    out = tmp_path_factory.mktemp("small") / "deep" / "run"
    return cn.compare([chain(), SEM], ["empty", "random:density=0.5"], seeds=3, out=out, params={"empty": {}})


def test_one_row_for_each_cell_with_the_metrics_of_its_graph(small: Results) -> None:
    frame = small.frame
    assert list(zip(frame["dataset"], frame["backend"], frame["seed"], strict=True)) == [
        (d, b, s) for d in ("chain", SEM) for b in ("empty", "random:density=0.5") for s in range(3)
    ]
    assert (frame["status"] == "ok").all()
    assert frame["complete"].all()
    for row in frame.itertuples():
        learned, truth = small.graph(row.dataset, row.backend, row.seed), small.truth(row.dataset, row.seed)
        assert cn.score(truth, learned)["f1"] == row.f1
        assert row.shd == cn.score(truth, learned)["shd"]
    assert frame.loc[frame["method"] == "random", "params"].unique().tolist() == ['{"density": 0.5}']


def test_seeds_differ_and_a_cell_can_be_repeated_by_hand(small: Results) -> None:
    graphs = [small.graph("chain", "random:density=0.5", seed) for seed in range(3)]
    drawn = [
        cn.discover(chain().resample(s), "random", seed=np.random.default_rng([s, 0xCE11]), density=0.5)
        for s in range(3)
    ]
    assert graphs == drawn
    drawn = [small.graph(SEM, "random:density=0.5", seed) for seed in range(3)]
    assert len(set(drawn)) > 1


def test_files_and_settings(small: Results) -> None:
    names = {path.name for path in small.out.iterdir()}
    assert {"results.sqlite", "results.csv", "summary.json"} <= names
    assert not [name for name in names if "part" in name or "journal" in name]
    csv = pd.read_csv(small.out / "results.csv")
    assert len(csv) == 12
    figures = json.loads((small.out / "summary.json").read_text())
    row = figures[f"{SEM}/random:density=0.5/f1"]
    assert set(row) == {"mean", "low", "high", "n", "published", "goal"}
    assert row["n"] == 3
    assert row["mean"] == pytest.approx(csv[(csv.dataset == SEM) & (csv.method == "random")]["f1"].mean())
    assert {"causalnet", "python", "numpy"} <= set(small.settings["versions"])
    assert small.settings["seeds"] == [0, 1, 2]
    assert "in Python" in small.command  # a data set of one's own has no name in the shell
    with sqlite3.connect(small.out / FILE) as db:
        assert db.execute("SELECT COUNT(f1) FROM results").fetchone() == (12,)
    db.close()


def test_summary_is_student_t_over_seeds(small: Results) -> None:
    summary = small.summary()
    assert len(summary) == 4
    row = summary[(summary.dataset == SEM) & (summary.backend == "random:density=0.5")].iloc[0]
    shd = small.frame.query("dataset == @SEM and method == 'random'")["shd"]
    low, high = stats.t.interval(0.95, 2, loc=shd.mean(), scale=stats.sem(shd))
    assert row["shd_mean"] == pytest.approx(shd.mean())
    assert row["shd_low"] == pytest.approx(max(low, 0))
    assert row["shd_high"] == pytest.approx(high)
    assert (row["n"], row["ok"], row["failed"]) == (3, 3, 0)


def test_the_command_repeats_a_comparison_of_named_data(tmp_path: Path) -> None:
    out = tmp_path / "with space"
    result = cn.compare(SEM, [("random", {"density": 0.3}), "empty"], seeds=[2, 5], out=out, max_seconds=30)
    assert result.command == (
        f"causalnet compare --data {SEM} --backend random:density=0.3,empty --seeds 2,5 --out '{out}' --max-seconds 30"
    )
    wider = cn.compare(SEM, ["empty", "random:density=0.3"], seeds=[2, 5, 6], out=out, max_seconds=30)
    assert len(wider.settings["commands"]) == 1  # the second command covers the first


def test_unknown_names_of_results_are_refused(small: Results, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'chain'"):
        small.graph("chains", "empty")
    with pytest.raises(UnknownNameError, match="no method 'empti'"):
        small.graph("chain", "empti")
    assert small.graph("chain", "empty", seed=99) is None
    with pytest.raises(DataError, match="there are no results"):
        Results(tmp_path)


# ---- who stands where -----------------------------------------------------------------------------------------------


def along_columns(threshold: float = 0.25) -> Callable[..., np.ndarray]:
    """A method as a notebook writes one: a closure that returns an array."""

    def earlier_columns_first(data: cn.Table, power: float = 1.0) -> np.ndarray:
        """An edge from every earlier column that is correlated."""
        return np.triu(np.abs(np.corrcoef(data.values.T)) ** power > threshold, 1)

    return earlier_columns_first


def needs_more(data: cn.Table, level: float) -> None:
    """No method: called with data alone it fails."""


def open_pairs(data: cn.Table, rng: np.random.Generator) -> cn.Graph:
    found = np.abs(np.corrcoef(data.values.T)) > 0.25 + 0.01 * rng.random()
    return cn.Graph(data.columns, found & ~np.eye(len(found), dtype=bool))


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Results:
    data = dataclasses.replace(chain(), name="fixed")
    methods = [(along_columns(), {"power": 1.0}), open_pairs, "random:density=0.5"]
    return cn.compare([data, SEM], methods, seeds=6, out=tmp_path_factory.mktemp("placed"))


def test_functions_are_methods_and_their_answers_tell_what_they_claim(placed: Results) -> None:
    name = "earlier_columns_first:power=1.0"
    assert (placed.frame["status"] == "ok").all(), placed.frame["reason"].tolist()
    assert placed.graph("fixed", name).edges == (("a", "b"), ("a", "c"), ("b", "c"))
    assert [placed.claims(b) for b in (name, "open_pairs", "random:density=0.5")] == ["dag", "cpdag", "dag"]
    assert "[<Dataset 'fixed'>" in placed.command
    assert "[earlier_columns_first:power=1.0, open_pairs, 'random:density=0.5']" not in placed.command
    assert "open_pairs, " in placed.command
    again = [(along_columns(), {"power": 1.0}), open_pairs]
    states: list[Progress] = []
    cn.compare(SEM, again, seeds=6, out=placed.out, progress=states.append)
    assert not states
    with pytest.raises(DataError, match="another version of the function earlier_columns_first"):
        cn.compare(SEM, (along_columns(0.3), {}), seeds=1, out=placed.out)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (lambda data: None, "has none; write it as"),
        (needs_more, "must be callable with the data alone"),
        ([open_pairs, (open_pairs, {"rnge": 1})], "has no parameter 'rnge'"),
        ([along_columns(), along_columns()], "two functions are called"),
    ],
)
def test_functions_that_cannot_be_methods(method: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(CausalnetError, match=words):
        cn.compare(SEM, method, seeds=1, out=tmp_path)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "returned NoneType"),
        (np.zeros((2, 3)), r"an array of shape \(2, 3\)"),
        (cn.Graph.from_edges("ab"), "over other variables"),
        (pd.DataFrame(np.zeros((3, 3))), "are not the variables"),
    ],
)
def test_answers_that_are_no_graph(answer: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_answer("mine", answer, chain().data)
    frame = pd.DataFrame(np.triu(np.ones((3, 3)), 1), index=list("cba"), columns=list("cba"))
    assert read_answer("mine", frame, chain().data).edges == (("b", "a"), ("c", "a"), ("c", "b"))
    assert read_answer("mine", nx.DiGraph([("a", "b")]), chain().data).edges == (("a", "b"),)


def test_what_ranks_is_claimed_by_all_and_a_control_is_never_ranked(placed: Results) -> None:
    table = placed.ranking()
    assert len(table) == 6
    assert set(table["metric"]) == {"cpdag_f1"}  # one method leaves directions open
    assert "open_pairs claims a class" in placed.rules[SEM]
    control = table["backend"].str.startswith("random")
    assert table[control]["rank"].isna().all()
    assert not table[control]["better"].any()
    assert sorted(table[~control & (table["dataset"] == SEM)]["rank"]) == [1, 2]
    for row in table.itertuples():
        assert row.chance_low - 1e-9 <= row.chance <= row.chance_high + 1e-9
        assert 0 < row.p <= 1
        values = placed.frame.query("dataset == @row.dataset and backend == @row.backend").set_index("seed")["cpdag_f1"]
        fixed = row.dataset == "fixed"
        assert row.value == pytest.approx(values[0] if fixed else values.mean())
        assert (row.n, math.isnan(row.low)) == ((1, True) if fixed else (6, False))
        assert math.isnan(row.resampled) != fixed
        if fixed:
            assert row.resampled == pytest.approx(values.drop(0).mean())
    chance = placed.chance(SEM, "open_pairs", 2)
    again = draw_chance(placed.truth(SEM, 2), placed.graph(SEM, "open_pairs", 2), np.random.default_rng([2, 0xC4A1CE]))
    assert chance == again  # as the worker drew it, and as it is drawn for a folder that has none
    summary = placed.summary().set_index(["dataset", "backend"])
    assert summary.loc["fixed", "of"].unique().tolist() == ["data"]
    assert summary.loc[SEM, "of"].unique().tolist() == ["samples"]
    figures = json.loads((placed.out / "summary.json").read_text())
    assert figures["fixed/open_pairs/f1"]["n"] == 1
    assert figures["fixed/open_pairs/cpdag_f1, p"]["mean"] == pytest.approx(
        table.query("dataset == 'fixed' and backend == 'open_pairs'")["p"].item()
    )


def test_a_folder_of_an_older_version_is_read(placed: Results, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes((placed.out / FILE).read_bytes())
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE cells SET metrics = json_remove(metrics, '$.chance')")
    db.close()
    pd.testing.assert_frame_equal(Results(tmp_path).ranking(), placed.ranking())
    with sqlite3.connect(
        tmp_path / FILE
    ) as db:  # scored as a class of experiments: what chance does there is not known
        db.execute("UPDATE cells SET metrics = json_set(metrics, '$.cpdag_f1', 0.123)")
    db.close()
    assert Results(tmp_path).ranking()["p"].isna().all()


def test_tables_for_papers_and_pages(placed: Results) -> None:
    text, page = placed.to_latex(), placed.to_markdown()
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 2
    assert "open\\_pairs" in text
    assert text.isascii()
    rows = [line for line in text.splitlines() if line.endswith("\\\\")]
    assert {row.count(" & ") for row in rows} == {8}
    assert escape_latex("a_b & 50 % {x} ★ 日") == "a\\_b \\& 50 \\% \\{x\\} $\\ast$ U+65E5"
    assert escape_latex('«"ð') == "$\\ll${\\ttfamily\\char34}U+00F0"  # what the fonts that LaTeX starts with can show
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.count("|") - line.count("\\|") for line in lines} == {10}
    assert "control" in page
    assert "no method is asked for directions" in page


# ---- limits and failures --------------------------------------------------------------------------------------------

BAD = [
    "native-loop",
    "segfault",
    "leave",
    "stop",
    "fail",
    "chatty",
    "polite",
    "picky",
    "late",
    "rude",
    "absent",
    "tables",
]


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Results:
    out = tmp_path_factory.mktemp("trouble")
    names = [f"bad/{name}" for name in BAD]
    return cn.compare(chain(), [*names, "empty"], seeds=1, out=out, n_jobs=2, max_seconds=1.0)


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("native-loop", "timeout", "no graph after max_seconds = 1 s; stopped"),
        ("segfault", "failed", "worker process died while learning: signal 11 (SIGSEGV)"),
        ("leave", "failed", "worker process died while learning: exit code 3"),
        ("stop", "failed", "SystemExit: enough"),
        ("fail", "failed", "ValueError: no luck"),
        ("chatty", "ok", ""),
        ("polite", "ok", ""),
        ("picky", "not applicable", "picky wants other data"),
        ("late", "timeout", "late found nothing in time"),
        ("rude", "failed", "backend bad/rude returned nodes"),
        ("absent", "not installed", "bad/absent needs no_such_package: not installed: pip install no_such_package"),
        ("tables", "not applicable", "bad/tables takes discrete data, and this is continuous"),
    ],
)
def test_each_way_to_fail_is_told_and_the_rest_goes_on(trouble: Results, name: str, status: str, reason: str) -> None:
    row = trouble.frame.set_index("backend").loc[f"bad/{name}"]
    assert row["status"] == status
    assert row["reason"].startswith(reason)
    assert "\n" not in row["reason"]
    assert trouble.frame.set_index("backend").loc["empty", "status"] == "ok"


def test_what_misbehaves_beside_them_changes_no_other_cell(tmp_path: Path, plugin: Path) -> None:
    every = int(os.environ.get("CAUSALNET_KILLS", "0")) >= 100  # the long run
    good, seeds = ["empty", "random:density=0.5", "bad/globally-random"], 3 if every else 1
    bad: list[Any] = [("bad/forks", {"way": way}) for way in ("return", "deep", "exit", "stay")[: 4 if every else 2]]
    bad += [("bad/forges", {"what": what}) for what in ("frame", "noise", "close")]
    bad += [("bad/shouts", {"mib": 300 if every else 5})]
    alone = cn.compare(chain(), good, seeds=seeds, out=tmp_path / "alone").frame
    beside = cn.compare(chain(), [*bad[:3], *good, *bad[3:]], seeds=seeds, out=tmp_path / "beside").frame
    names = ["backend", "seed", "status", "reason", "f1", "shd"]
    ours = beside["method"].isin([name for name, _ in bad])
    pd.testing.assert_frame_equal(
        beside.loc[~ours, names].sort_values(["backend", "seed"], ignore_index=True),
        alone[names].sort_values(["backend", "seed"], ignore_index=True),
    )
    told = beside[ours].set_index("backend")
    assert len(told) == seeds * len(bad) and not (told["reason"] == "forged").any()
    for part, status in {"forks": "ok", "frame": "ok", "shouts": "ok", "noise": "failed", "close": "failed"}.items():
        assert (told.filter(like=part, axis=0)["status"] == status).all(), told[["status", "reason"]]
    left = [p for p in Path("/proc").glob("[0-9]*/cmdline") if _is_worker(p)] if sys.platform == "linux" else []
    assert not left


def _is_worker(cmdline: Path) -> bool:
    """Is a process one that runs cells for this one, its warden, or a copy of one?"""
    try:
        words = cmdline.read_bytes().split(b"\0")
        return b"causalnet.comparison.worker" in words and words[-2] == str(os.getpid()).encode()
    except OSError:
        return False


def test_a_limit_bounds_native_code(trouble: Results) -> None:
    row = trouble.frame.set_index("backend").loc["bad/native-loop"]
    assert 1.0 <= row["seconds"] < 5.0


def test_best_so_far_counts_as_incomplete(trouble: Results) -> None:
    assert trouble.frame.set_index("backend").loc["bad/polite", "complete"] is False
    summary = trouble.summary().set_index("backend")
    assert summary.loc["bad/polite", ["n", "incomplete"]].tolist() == [1, 1]
    assert summary.loc["bad/fail", ["n", "ok", "failed"]].tolist() == [0, 0, 1]


def test_what_a_crashed_method_printed_is_kept(trouble: Results) -> None:
    assert "Segmentation fault" in trouble.log("chain", "bad/segfault")
    assert 'raise ValueError("no' in trouble.log("chain", "bad/fail")
    assert trouble.log("chain", "empty") == ""


def test_a_table_for_a_paper_names_the_methods_without_a_value(trouble: Results) -> None:
    said = "Without a value (failed, refused or out of time): "
    (line,) = [line for line in trouble.to_markdown().splitlines() if said in line]
    named = line.partition(said)[2].rstrip(".").split(", ")
    good = trouble.frame["status"] == "ok"
    assert sorted(named) == sorted(trouble.frame["backend"][~good]) and "bad/segfault" in named
    assert "Without a value" in trouble.to_latex()


def test_versions_name_the_package_of_a_plugin(trouble: Results) -> None:
    assert trouble.settings["versions"]["bad-backends"] == "1.5"
    assert "bad-backends" not in trouble.frame.set_index("backend").loc["empty", "versions"]


def test_failures_stay_unless_retried_and_time_out_again_only_under_a_longer_limit(tmp_path: Path) -> None:
    flag = tmp_path / "luck"
    methods = [("bad/fail", {"unless": str(flag)}), "bad/polite", "bad/native-loop"]

    def run(**more: object) -> list[str]:
        frame = cn.compare(chain(), methods, seeds=1, out=tmp_path / "run", **more).frame
        return list(frame["status"] + frame["complete"].map({True: "", False: " incomplete"}).fillna(""))

    assert run(max_seconds=0.5) == ["failed", "ok incomplete", "timeout"]
    flag.touch()
    before = (tmp_path / "run" / FILE).read_bytes()
    assert run(max_seconds=0.5) == ["failed", "ok incomplete", "timeout"]
    assert (tmp_path / "run" / FILE).read_bytes() == before or _cells(tmp_path / "run") == _cells_of(before, tmp_path)
    assert run(max_seconds=0.5, retry_failed=True)[0] == "ok"
    methods.pop()  # the endless one
    assert run(max_seconds=10.0)[1] == "ok"


def test_the_clock_leaves_out_compiling_and_starts_alike_each_time(tmp_path: Path) -> None:
    result = cn.compare(chain(), ["bad/compiled", "bad/globally-random", "bad/pair:both=[2, 3]"], seeds=2, out=tmp_path)
    compiled = result.frame[result.frame["backend"] == "bad/compiled"]
    assert compiled["seconds"].max() < 1.3  # warm_up and an import inside learn sleep 1.5 s each
    assert all(
        result.graph("chain", "bad/compiled", s).meta["warm"] == [1] for s in range(2)
    )  # one worker, warmed once
    draws = [result.graph("chain", "bad/globally-random", s).meta["draw"] for s in range(2)]
    assert draws == [np.random.RandomState(s).random_sample() for s in range(2)]
    assert result.graph("chain", "bad/pair:both=[2, 3]", 0).meta["got"] == "tuple"  # as the default is


def test_data_sets_may_be_named_by_a_dict() -> None:
    named = make_plan({"one": chain().data, "two": chain()}, "empty", 1, "runs", 1, None, "local", None, 60.0).datasets
    assert [(name, data.name, data.truth is None) for name, data in named.items()] == [
        ("one", "one", True),
        ("two", "two", False),
    ]


def test_knowledge_that_a_method_cannot_honour_makes_it_not_applicable(tmp_path: Path) -> None:
    told = dataclasses.replace(chain(), knowledge=cn.Knowledge(required=[("a", "b")]))
    frame = cn.compare(told, ["bad/log", "empty"], seeds=1, out=tmp_path, params={"bad/log": {"file": "x"}}).frame
    assert frame["status"].tolist() == ["not applicable", "ok"]
    assert "cannot honour required edges" in frame["reason"][0]


# ---- refused before anything runs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"datasets": "asiaa"}, UnknownNameError, "no data set 'asiaa'. Did you mean 'asia'"),
        ({"datasets": "asia:m=3"}, UnknownNameError, "has no setting 'm'"),
        ({"datasets": []}, DataError, "no data set"),
        ({"datasets": [pd.DataFrame({"a": [1]})]}, DataError, "the DataFrame is none: .*write causalnet.Dataset"),
        ({"datasets": {"my": "asia"}}, DataError, "a text under 'my'"),
        ({"datasets": __file__}, DataError, "is a file; read it first"),
        ({"datasets": [chain(), chain(70)]}, DataError, "two data sets are called 'chain'"),
        ({"datasets": dataclasses.replace(chain(), sampled=True)}, DataError, "one sample that was drawn already"),
        ({"backends": "emty"}, UnknownNameError, "no backend 'emty'. Did you mean 'empty'"),
        ({"backends": []}, DataError, "no method"),
        ({"backends": "random:densty=1"}, UnknownNameError, "no parameter 'densty'. Did you mean 'density'"),
        ({"backends": "random:density"}, DataError, "write random:name=value"),
        ({"backends": ("random", {"density": print})}, DataError, "cannot be written down"),
        ({"backends": ("random", {"density": math.nan})}, DataError, "cannot be written down"),
        ({"params": {"randm": {}}}, UnknownNameError, "params has an entry for 'randm'"),
        ({"seeds": 0}, DataError, "seeds is 0, and must be a whole number from 1 to"),
        ({"seeds": [0, -1]}, DataError, "a seed is -1, and must be a whole number from 0 up"),
        ({"seeds": "3"}, DataError, "got '3'"),
        ({"max_seconds": 0}, DataError, "max_seconds is 0, and must be a finite number above 0"),
        ({"max_seconds": "10"}, DataError, "max_seconds is '10'"),
        ({"n_jobs": 0}, DataError, "n_jobs is 0, and must be a number of processes"),
        ({"engine": "spark"}, DataError, "write 'local', or 'dask:ADDRESS'"),
    ],
)
def test_what_cannot_be_right_is_refused(change: dict, error: type, words: str, tmp_path: Path) -> None:
    call = {"datasets": chain(), "backends": "random", "seeds": 2, "out": tmp_path / "run", **change}
    with pytest.raises(error, match=words.replace("(", r"\(").replace("?", r"\?")):
        cn.compare(**call)
    if (tmp_path / "run" / FILE).exists():  # data is checked by a worker, once the folder is there
        assert _cells(tmp_path / "run") == []


def test_a_missing_dask_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NotInstalled, match=r"pip install 'causalnet\[dask\]'"):
        cn.compare(chain(), "empty", out=tmp_path, engine="dask:tcp://127.0.0.1:1")


def test_data_that_is_missing_is_refused_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CAUSALNET_DATA", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing is downloaded in tests
    with pytest.raises(DataError, match="'pcic-24v' cannot be used: pcic-24v needs the file"):
        cn.compare("pcic-24v", "empty", seeds=1, out=tmp_path / "run")
    assert _cells(tmp_path / "run") == []


def test_a_bar_is_drawn_on_stderr_alone_and_only_when_asked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cn.compare(chain(), "empty", seeds=2, out=tmp_path)
    assert capfd.readouterr() == ("", "")
    cn.compare(chain(), ["empty", "bad/fail"], seeds=2, out=tmp_path, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "4/4" in err
    assert "2 failed" in err


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.text()),
        max_size=3,
    )
)
def test_a_label_reads_back_as_the_method_it_stands_for(params: dict) -> None:
    text = label("some/method", params)
    assert parse(text) == ("some/method", params)
    assert split(f"pc,{text},thp", ",") == ["pc", text, "thp"]


# ---- the folder -----------------------------------------------------------------------------------------------------


def test_a_folder_is_extended_and_nothing_runs_twice(tmp_path: Path) -> None:
    log = tmp_path / "log"
    method = ("bad/log", {"file": str(log)})
    cn.compare(chain(), method, seeds=2, out=tmp_path / "run")
    states: list[Progress] = []
    both = cn.compare([chain(), SEM], [method, "empty"], seeds=3, out=tmp_path / "run", progress=states.append)
    assert len(both.frame) == 12
    assert len(log.read_text().split()) == 6
    assert [state.done for state in states] == list(range(2, 13))
    assert states[-1].total == 12
    assert states[-1].remaining == 0.0
    assert states[0].remaining is not None  # estimated from the cells of the first run
    cn.compare([chain(), SEM], [method, "empty"], seeds=3, out=tmp_path / "run")
    assert len(log.read_text().split()) == 6


def test_other_data_under_the_same_name_is_refused(tmp_path: Path) -> None:
    cn.compare(chain(), "empty", seeds=1, out=tmp_path)
    for other in (chain(seed=2), chain(n=61), dataclasses.replace(chain(), truth=cn.Graph.from_edges("abc"))):
        with pytest.raises(DataError, match=r"'chain' is not the one that .* holds results for"):
            cn.compare(other, "empty", seeds=1, out=tmp_path)
    again = cn.compare(chain(), "empty", seeds=2, out=tmp_path)
    assert len(again.frame) == 2


@pytest.mark.parametrize("keep", [1, 50, 100, 4096, 5000, 20000])
def test_a_truncated_file_is_a_sentence(keep: int, small: Results, tmp_path: Path) -> None:
    whole = (small.out / FILE).read_bytes()
    assert keep < len(whole)
    (tmp_path / FILE).write_bytes(whole[:keep])
    with pytest.raises(CausalnetError, match=r"damaged|another program"):
        Results(tmp_path)
    with pytest.raises(CausalnetError, match=r"damaged|another program"):
        cn.compare(chain(), "empty", out=tmp_path)
    assert (tmp_path / FILE).read_bytes() == whole[:keep]


def test_garbage_and_other_peoples_databases_are_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all" * 500)
    with pytest.raises(DataError, match="damaged or is no results file"):
        cn.compare(chain(), "empty", out=tmp_path)
    (tmp_path / FILE).unlink()
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("CREATE TABLE photos (name)")
    db.commit()
    db.close()
    with pytest.raises(DataError, match="database of another program"):
        cn.compare(chain(), "empty", out=tmp_path)


def test_a_row_that_was_tampered_with_is_a_sentence(small: Results, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes((small.out / FILE).read_bytes())
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE cells SET metrics = 'gASV' WHERE seed = 1")
    db.close()
    with pytest.raises(DataError, match="a row that causalnet did not write"):
        Results(tmp_path)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "run", Path("/proc/causalnet-run")):
        with pytest.raises(CausalnetError, match=r"cannot be written|is a file"):
            cn.compare(chain(), "empty", out=out)


def test_a_second_writer_is_told_who_is_writing(tmp_path: Path) -> None:
    def nested(state: object) -> None:
        with pytest.raises(CausalnetError, match=f"another run is writing .*process {os.getpid()}"):
            cn.compare(chain(), "empty", out=tmp_path)

    assert len(cn.compare(chain(), "empty", seeds=1, out=tmp_path, progress=nested).frame) == 1


DISK_FULL = """
import resource, sys
sys.path.insert(0, {tests!r})
from compare_plugin import chain
import causalnet as cn
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
cn.compare(chain(), ["empty", "random"], seeds={seeds}, out={out!r})
"""


def test_a_full_disk_keeps_what_is_finished(tmp_path: Path, plugin: Path) -> None:
    script = DISK_FULL.format(tests=str(Path(__file__).parents[1]), limit=80_000, seeds=40, out=str(tmp_path / "run"))
    done = subprocess.run([sys.executable, "-c", script], env=environment(plugin), capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "cannot" in last
    assert "every cell finished so far is kept: make room and run the same command again" in last
    kept = _cells(tmp_path / "run")
    assert 0 < len(kept) < 80
    again = cn.compare(chain(), ["empty", "random"], seeds=40, out=tmp_path / "run")
    assert len(again.frame) == 80
    assert set(kept) <= set(_cells(tmp_path / "run"))  # the same rows with the same times: not run again


def test_an_interrupted_comparison_keeps_its_cells_and_leaves_no_worker(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    method = ("bad/log", {"file": str(tmp_path / "log"), "pid": str(pids), "seconds": 0.05})

    def interrupt(state: Progress) -> None:
        if state.done == 3:
            raise KeyboardInterrupt

    for jobs in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            cn.compare(chain(), method, seeds=50, out=tmp_path / str(jobs), n_jobs=jobs, progress=interrupt)
        assert 3 <= len(kept := _cells(tmp_path / str(jobs))) < 50
        assert all(row[4] == "ok" for row in kept)  # none was recorded as failed because it was cut short
    assert not [pid for pid in set(pids.read_text().split()) if _alive(int(pid))]


def _alive(pid: int) -> bool:
    for _ in range(20):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    return True


def _cells(out: Path) -> list[tuple[object, ...]]:
    db = sqlite3.connect(out / FILE)
    try:
        return db.execute("SELECT dataset, backend, params, seed, status, seconds, finished FROM cells").fetchall()
    finally:
        db.close()


def _cells_of(content: bytes, folder: Path) -> list[tuple[object, ...]]:
    (folder / "copy").mkdir(exist_ok=True)
    (folder / "copy" / FILE).write_bytes(content)
    return _cells(folder / "copy")


def test_a_bar_shows_no_count_before_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="no data"), watcher(True):
        raise OSError("no data")
    assert "cells" not in capsys.readouterr().err
    with watcher(True) as tell:
        tell(Progress(2, 3, 1, 1.0, 4.0, "pc on sachs"))
    shown = capsys.readouterr().err
    assert "2/3 cells" in shown and "1 failed" in shown


def test_methods_vote(tmp_path: Path) -> None:
    def first(data: Any) -> np.ndarray:
        return np.triu(np.ones((data.d, data.d)), 1)

    def second(data: Any) -> np.ndarray:
        return np.eye(data.d, k=1)

    results = cn.compare(chain(), [first, second, "random", "empty"], seeds=1, out=tmp_path)
    half, all_of = results.consensus("chain"), results.consensus("chain", 1.0)
    assert half.skeleton.sum() == 6 and all_of.edges == (("a", "b"), ("b", "c")) and half.weight[0, 2] == 0.5  # type: ignore[index]
    alone = cn.compare(chain(), "empty", seeds=1, out=tmp_path / "none")
    with pytest.raises(DataError, match="nothing to vote"):
        alone.consensus("chain")


def test_comparisons_without_a_folder_lie_beside_those_of_other_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    frames = [pd.DataFrame(rng.normal(size=(30, 2)), columns=list("ab")) for _ in range(2)]
    first = cn.compare(cn.Dataset("d", frames[0]), "empty", seeds=1)
    assert first.out == Path("runs/compare") == cn.compare(cn.Dataset("d", frames[0]), "empty", seeds=1).out
    for _ in range(2):
        with pytest.warns(UserWarning, match="holds a comparison of other inputs .* so this one is kept in"):
            assert cn.compare(cn.Dataset("d", frames[1]), "empty", seeds=1).out == Path("runs/compare-2")
    assert (
        set(first.frame["dataset"]) == {"d"}
        and len(cn.compare(cn.Dataset("e", frames[1]), "empty", seeds=1).frame) == 2
    )
    with pytest.raises(DataError, match="is not the one that"):
        cn.compare(cn.Dataset("d", frames[1]), "empty", seeds=1, out="runs/compare")


def test_a_changed_helper_is_another_version_of_a_function() -> None:
    def made(text: str) -> Any:
        space: dict[str, Any] = {"__name__": "mine"}
        exec(text, space)
        return digest(space["learn"])

    text = (
        "LEVEL = {}\nclass Cut:\n    def at(self): return {}\ndef helper(x): return x > LEVEL\n"
        "def learn(data): return helper(data) or Cut().at() or learn"
    )
    same = made(text.format(1, 2))
    assert made(text.format(1, 2)) == same
    assert made(text.format(3, 2)) != same and made(text.format(1, 3)) != same
    assert made(text.format(1, 2).replace("x >", "x <")) != same
