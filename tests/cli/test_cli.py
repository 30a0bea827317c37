"""The command line: what it prints, what it writes, its exit codes, and one sentence for every mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import causalnet.cli.inputs as inputs
from causalnet.cli import app, compare, own_data
from causalnet.comparison.plan import make_plan
from causalnet.errors import DataError, KnowledgeError
from causalnet.graph import Graph

RUN = CliRunner()


def call(*words: object, code: int = 0) -> Any:
    """Run a command and check its exit code; (stdout, stderr) with line breaks of the terminal taken out."""
    done = RUN.invoke(app.app, [str(word) for word in words])
    assert done.exit_code == code, f"{done.exit_code}: {done.stdout}\n{done.stderr}\n{done.exception!r}"
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    y = rng.normal(size=400)
    z = x + y + 0.3 * rng.normal(size=400)
    path = tmp_path / "my.csv"
    pd.DataFrame({"x": x, "y": y, "z [mm]": z}).to_csv(path, index=False)
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    rng = np.random.default_rng(2)
    time = np.sort(rng.uniform(0, 1000, 300))
    frame = pd.DataFrame(
        {"alarm_id": rng.integers(0, 4, 300), "device_id": rng.integers(0, 3, 300), "start_timestamp": time}
    )
    frame.to_csv(path, index=False)
    return path


# ---- discover -----------------------------------------------------------------------------------------------


def test_discover_writes_graph_and_report(table: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "new" / "g.json", tmp_path / "g.html"
    done = call("discover", table, "--backend", "pc", "--set", "alpha=0.05", "--out", out, "--report", page)
    assert "z [mm]" in done.stdout
    assert f"graph written to {out}" in done.stdout
    graph = Graph.from_json(out.read_text(encoding="utf-8"))
    assert graph.edges == (("x", "z [mm]"), ("y", "z [mm]"))
    assert graph.meta["params"] == {"alpha": 0.05}
    assert graph.meta["command"].endswith("--backend pc --set alpha=0.05")
    assert "z [mm]" in page.read_text(encoding="utf-8")
    assert "alpha=0.05" in page.read_text(encoding="utf-8")


def test_discover_json_is_pure(table: Path, tmp_path: Path) -> None:
    done = call("discover", table, "--json", "--out", tmp_path / "g.json")
    assert json.loads(done.stdout)["nodes"] == ["x", "y", "z [mm]"]
    assert "graph written" in done.stderr


def test_discover_tells_how_sure_each_edge_is(table: Path, tmp_path: Path) -> None:
    words = ("discover", table, "-b", "pc", "--confidence", "5", "--keep", tmp_path / "kept")
    done = call(*words, "--out", tmp_path / "g.json", "--report", tmp_path / "g.html")
    assert "confidence direction" in done.stdout and "by 5 resamples" in done.stdout
    graph = Graph.load(tmp_path / "g.json")
    assert all(0 <= graph.explain(a, b)["confidence"] <= 1 for a, b in graph.edges) and graph.edges
    assert "--confidence 5" in graph.meta["command"] and graph.meta["confidence"]["resamples"] == 5
    page = (tmp_path / "g.html").read_text(encoding="utf-8")
    assert "stroke-opacity:" in page.partition("</style>")[2] and "Confidence direction" in page
    told = json.loads(call(*words, "--json").stdout)["evidence"]
    assert {(a, b) for a, b in graph.edges} <= {tuple(item["pair"]) for item in told if "confidence" in item}


def test_discover_reads_an_event_log_where_the_method_takes_one(log: Path) -> None:
    done = call("discover", log, "--backend", "random", "--json")
    assert json.loads(done.stdout)["nodes"] == ["0", "1", "2", "3"]
    assert "is read as an event log" in done.stderr


def test_discover_honours_knowledge(table: Path, tmp_path: Path) -> None:
    known = tmp_path / "k.json"
    known.write_text(json.dumps({"required": [["z [mm]", "x"]], "tiers": [["z [mm]"], ["x"]]}))
    graph = json.loads(call("discover", table, "-b", "empty", "--knowledge", known, "--json").stdout)
    assert [(e["from"], e["mark"], e["to"]) for e in graph["edges"]] == [("z [mm]", "->", "x")]


def test_discover_takes_discrete_columns(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": rng.integers(0, 20, 200), "b": rng.integers(0, 15, 200)}).to_csv(path, index=False)
    assert (
        "discrete"
        in json.loads(call("discover", path, "-b", "empty", "--discrete", "a,b", "--json").stdout)["meta"]["data"]
    )
    assert "not a column" in call("discover", path, "--discrete", "a,bb", code=2).stderr


def test_the_remedies_of_an_error_are_those_of_the_command_line(table: Path) -> None:
    path = table.parent / "constant.csv"
    pd.read_csv(table).assign(same=1, gone=None).to_csv(path, index=False)
    assert "leave it out: --drop gone" in call("discover", path, "-b", "empty", code=2).stderr
    assert "leave it out: --drop same" in call("discover", path, "-b", "empty", "--drop", "gone", code=2).stderr
    done = call("discover", path, "-b", "empty", "--drop", "same,gone", "--json")
    assert "--drop same,gone" in json.loads(done.stdout)["meta"]["command"]
    assert "which is not a column" in call("discover", path, "--drop", "some", code=2).stderr


def test_auto_says_which_method_and_why(table: Path) -> None:
    done = call("discover", table, "--json")
    assert json.loads(done.stdout)["meta"]["backend"] == "order"
    assert "order was chosen" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["none.csv"], "no such file: none.csv"),
        (["sachs"], "causalnet compare --data sachs"),
        (["my.csv", "--backend", "pcc"], "Did you mean 'pc'?"),
        (["my.csv", "-b", "pc", "--set", "alfa=0.1"], "Did you mean 'alpha'?"),
        (["my.csv", "--set", "alpha"], "--set name=value"),
        (["my.csv", "--set", "alpha=1", "--set", "alpha=2"], "twice"),
        (["my.csv", "-b", "pc", "--topology", "t.csv"], "belongs to an event log"),
        (["my.csv", "--topology", "t.csv"], "has no event column"),
        (["my.csv", "--knowledge", "none.json"], "cannot be read"),
        (["my.csv", "--out", "/proc/none/g.json"], "cannot be written"),
        (["my.csv", "--out", "g.txt"], "'g.txt' does not end in .json or .graphml"),
        (["my.csv", "--report", "."], "is a folder"),
        (["my.csv", "--max-seconds", "-1"], "must be a finite number above 0"),
        (["broken.csv"], "row 2"),
        (["broken.pkl"], "pickles are never read"),
    ],
)
def test_a_mistake_is_one_sentence(
    words: list[str], sentence: str, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table.parent)
    Path("broken.csv").write_text("a,b\n1,2\nx,4\n5,7\n6,1\n9,3\n")
    Path("broken.pkl").write_bytes(b"\x80\x04.")
    done = call("discover", *words, code=2)
    assert sentence in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stdout == ""


def test_nothing_is_written_when_the_place_for_the_report_is_wrong(table: Path, tmp_path: Path) -> None:
    call("discover", table, "--out", tmp_path / "g.json", "--report", tmp_path, code=2)
    assert not (tmp_path / "g.json").exists()


def test_unexpected_errors_are_short_unless_debugged(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(*_: Any, **__: Any) -> None:
        secret = "a local that stays private"
        raise RuntimeError(f"burst {len(secret)}")

    monkeypatch.setattr(app, "read_data", burst)
    done = call("discover", table, code=1)
    assert "unexpected error: RuntimeError: burst 26" in done.stderr
    assert "--debug" in done.stderr
    assert "a local" not in done.stderr
    done = RUN.invoke(app.app, ["--debug", "discover", str(table)])
    assert isinstance(done.exception, RuntimeError)


def test_an_interrupt_exits_with_130(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "read_data", stop)
    assert "interrupted" in call("discover", table, code=130).stderr


# ---- options ------------------------------------------------------------------------------------------------


def test_settings_are_json_where_they_can_be() -> None:
    found = inputs.parse_settings(["alpha=0.05", "hops=[0,1]", "decay=null", "test=g2", "on=true", "text=a=b"])
    assert found == {"alpha": 0.05, "hops": [0, 1], "decay": None, "test": "g2", "on": True, "text": "a=b"}
    assert inputs.parse_backend_settings(["causal-learn/ges.score=bic", "pc.alpha=1"]) == {
        "causal-learn/ges": {"score": "bic"},
        "pc": {"alpha": 1},
    }
    with pytest.raises(DataError, match="names no backend"):
        inputs.parse_backend_settings(["alpha=1"])
    assert inputs.parse_seeds("3") == 3
    assert inputs.parse_seeds("4,1,") == [4, 1]
    with pytest.raises(DataError, match="how many"):
        inputs.parse_seeds("many")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "one JSON object"),
        ('{"requird": []}', "Did you mean 'required'"),
        ('{"required": "ab"}', "must be a list"),
        ('{"required": [1]}', "takes pairs (cause, effect), got 1"),
        ('{"required": [["a", "b"], ["b", "a"]]}', "forbid"),
    ],
)
def test_broken_knowledge_files(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    path.write_text(text)
    with pytest.raises(KnowledgeError, match=r"k\.json|required|cycle") as caught:
        inputs.read_knowledge(path)
    assert sentence in str(caught.value) or "cycle" in str(caught.value)


# ---- series and experiments ---------------------------------------------------------------------------------


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """x -> y at lag 1 in two runs, hours out of order, a gap in the first."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 300))
    y[1:] += x[:-1]
    when = pd.date_range("2024-01-01", periods=150, freq="h").repeat(2).to_numpy().reshape(150, 2).T.ravel()
    frame = pd.DataFrame({"when": when, "run": ["a"] * 150 + ["b"] * 150, "x": x, "y": y}).drop(range(40, 45))
    path = tmp_path / "series.csv"
    frame.sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


def test_a_series_is_read_looked_at_and_repeated(series: Path, tmp_path: Path) -> None:
    out = tmp_path / "g.json"
    done = call("discover", series, "--time", "when", "--segment", "run", "--lags", 2, "--out", out)
    assert "pcmci was chosen" in done.stderr and "1 gap between rows" in done.stderr and "1 ago" in done.stdout
    graph = Graph.load(out)
    assert ("x", 1, "y") in graph.lagged_edges and graph.lags == 2
    assert "--time when --segment run" in graph.meta["command"] and "--set lags=2" in graph.meta["command"]
    told = json.loads(call("look", series, "--time", "when", "--segment", "run", "--json").stdout)
    assert told["kind"] == "series" and [c["kind"] for c in told["columns"]] == [
        "time",
        "segment",
        "continuous",
        "continuous",
    ]
    assert any("3 stretches of 40 to 150 rows" in note for note in told["notes"])
    with pytest.warns(UserWarning, match="rows"):
        looked_over = call("doctor", series, "--time", "when", "--segment", "run").stdout
    assert "size: 295 rows for 2 variables" in looked_over
    assert "--time when" in call("look", series).stdout
    unsaid = call("discover", series, "--backend", "pcmci", "--drop", "run").stderr
    assert "--time when puts them" in unsaid and "--discrete when keeps it" in unsaid and "discrete=[" not in unsaid
    odd = json.loads(call("look", series, "--time", "when", "--json").stdout)
    assert not odd["ready"] and "repeat the time" in odd["troubles"][0]["what"]
    shown = call("look", series, "--time", "when").stdout
    assert shown.count("repeat the time") == 1 and "--segment" in shown and "segment=" not in shown


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--time", "whn"], "time='whn' is no column"),
        (["--time", "when", "-b", "pc"], "pc takes"),
        (["--time", "when", "--regime", "run"], "--regime belongs to a table"),
        (["--time", "when"], "name the column of runs with --segment"),
        (["--lags", "2", "-b", "order"], "has no parameter 'lags'"),
    ],
)
def test_what_a_series_cannot_be(options: list[str], says: str, series: Path) -> None:
    assert says in call("discover", series, *options, code=2).stderr


def test_compare_reads_series_and_experiments(series: Path, table: Path, tmp_path: Path) -> None:
    how = ["--time", "when", "--segment", "run"]
    words = ["compare", "--data", series, *how, "-b", "granger,pc", "--seeds", "1", "--out", tmp_path / "s", "--json"]
    found = json.loads(call(*words).stdout)
    assert sorted(cell["status"] for cell in found["cells"]) == ["not applicable", "ok"]
    assert "--time when --segment run" in (tmp_path / "s" / "report.html").read_text()
    pd.read_csv(table).assign(condition=["a", "b"] * 200).to_csv(table, index=False)
    (tmp_path / "t.json").write_text('{"b": ["y"]}')
    [dataset] = inputs.read_sets([str(table)], inputs.Options(regime="condition", targets=tmp_path / "t.json"))
    assert not isinstance(dataset, str) and dataset.data.regimes.targets == ((), ("y",))
    assert dataset.card["options"] == {"--regime": "condition", "--targets": str(tmp_path / "t.json")}
    how = ["--regime", "condition", "--targets", tmp_path / "t.json"]
    done = call("compare", "--data", "sachs", *how, "-b", "pc", "--out", tmp_path / "q", code=2)
    assert "says how a file is read" in done.stderr


# ---- compare, report ----------------------------------------------------------------------------------------


def test_compare_resumes_reports_and_repeats(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["compare", "--data", f"sachs,{table}", "--backend", "pc,empty,pc:alpha=0.1", "--seeds", "2", "--out", out]
    done = call(*words)
    for text in ("sachs", "my.csv", "pc:alpha=0.1", "precision", "SHD", "2 ok", "report.html", "f1: harmonic mean"):
        assert text in done.stdout
    assert sorted(p.name for p in out.iterdir() if not p.name.startswith(".")) == [
        "report.html",
        "results.csv",
        "results.sqlite",
        "summary.json",
    ]
    found = json.loads(call(*words, "--json").stdout)
    assert len(found["cells"]) == 12
    assert {row["dataset"] for row in found["summary"]} == {"sachs", "my.csv"}
    assert f"sachs,{table}" in found["settings"]["command"]
    page = out / "report.html"
    assert "my.csv" in page.read_text(encoding="utf-8")
    page.unlink()
    call("report", out)
    assert "pc:alpha=0.1" in page.read_text(encoding="utf-8")


TRUTHS = {
    "graph.json": Graph.from_edges(("c", "b", "a"), [("a", "b"), ("b", "c")]).to_json(),
    "pairs.csv": "cause,effect\na,b\nb,c\n",
    "tabs.tsv": "a\tb\nb\tc\n",
}


@pytest.mark.parametrize("name", TRUTHS)
def test_a_truth_is_read_by_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TRUTHS[name])
    assert own_data.read_truth(tmp_path / name, list("abc")).edges in (
        (("a", "b"), ("b", "c")),
        (("b", "c"), ("a", "b")),
    )


def test_own_files_with_their_truths(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = table.read_text().splitlines()[0].split(",")
    truth, ring = tmp_path / "truth.csv", tmp_path / "ring.csv"
    truth.write_text(f"from,to\n{columns[0]},{columns[1]}\n")
    ring.write_text(f"{columns[0]},{columns[1]}\n{columns[1]},{columns[2]}\n{columns[2]},{columns[0]}\n")
    other = tmp_path / "other" / table.name
    other.parent.mkdir()
    other.write_text(table.read_text())
    one, two = own_data.read_data_sets([str(table), str(other)], [truth, ring])
    assert one.name != two.name
    assert one.truth.edges == ((columns[0], columns[1]),)
    assert len(two.truth.edges) == 3
    assert "has no class" in capsys.readouterr().err  # what a cycle leaves unscored is told
    plan = make_plan([one, two], ["pc"], 2, tmp_path / "run", 1, None, "local", None, 60.0)
    assert f"--truth {truth} --truth {ring}" in plan.command
    for given, words in (
        ([truth] * 3, "is given 3 times for 2 files"),
        ([tmp_path / "none.csv"], "no such file"),
    ):
        with pytest.raises(DataError, match=words):
            own_data.read_data_sets([f"{table},{other}"], given)
    truth.write_text("x,y\nq,r\n")
    with pytest.raises(DataError, match="names 'q', no column of the data"):
        own_data.read_truth(truth, columns)
    truth.write_text("x\n")
    with pytest.raises(DataError, match="fewer than two columns"):
        own_data.read_truth(truth, columns)
    graph = tmp_path / "g.json"
    graph.write_text(Graph.from_edges(("a", "zz"), [("a", "zz")]).to_json())
    with pytest.raises(DataError, match=r"only in the truth: .*zz"):
        own_data.read_truth(graph, columns)


def test_compare_without_any_success_exits_with_1(log: Path, tmp_path: Path) -> None:
    done = call("compare", "-d", log, "-b", "pc", "--seeds", "1", "--out", tmp_path / "run", code=1)
    assert "not applicable" in done.stdout
    assert "no cell succeeded" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data", "sach", "--backend", "pc"], "Did you mean 'sachs'?"),
        (["--data", "sachs", "--backend", "pcc"], "Did you mean 'pc'?"),
        (["--data", "sachs", "--backend", "pc", "--set", "alpha=1"], "names no backend"),
        (["--data", "sachs", "--backend", "pc", "--set", "pc.alfa=1"], "Did you mean 'alpha'?"),
        (["--data", "sachs", "--backend", "pc", "--seeds", "x"], "--seeds takes"),
        (["--data", "sachs", "--backend", "pc", "--engine", "dusk:1"], "dusk"),
        (["--data", "none.csv", "--backend", "pc"], "no such file"),
    ],
)
def test_compare_mistakes(words: list[str], sentence: str, tmp_path: Path) -> None:
    assert sentence in call("compare", *words, "--out", tmp_path / "run", code=2).stderr


def test_report_of_a_folder_without_results(tmp_path: Path) -> None:
    assert "there are no results" in call("report", tmp_path, code=2).stderr


def test_quickstart_shows_a_graph_with_its_confidence_and_an_effect(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The command with its light methods alone: what it compares, writes and tells."""
    monkeypatch.setattr(compare, "QUICKSTART", ("pc", "random", "empty"))
    monkeypatch.setattr(compare, "EFFECT_OF", ("sachs:truth=17", "sachs"))
    seen: dict[str, Any] = {}

    def watch(datasets: list[str], backends: list[str], out: Path, **more: Any) -> Any:
        seen.update(datasets=datasets, backends=backends, **more)
        return real(["sachs:truth=17"], backends, out, **more)

    real = compare._compare
    monkeypatch.setattr(compare, "_compare", watch)
    done = call("quickstart", "--out", tmp_path / "run")
    kinds = [name.partition(":")[0] for name in seen["datasets"]]
    assert kinds == ["asia", "random-mixed", "sachs", "sachs-interventional", "pcic-18v"]
    assert seen["seeds"] == 3
    assert "95 % interval" in done.stdout
    assert "confidence direction" in done.stdout and "by 50 resamples" in done.stdout
    assert "against the truth" in (tmp_path / "run" / "graph.html").read_text(encoding="utf-8")
    assert "what the graph says would happen" in done.stdout
    assert (tmp_path / "run" / "report.html").is_file()


# ---- lists and scores ---------------------------------------------------------------------------------------


def test_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Control" in call("backends").stdout
    found = json.loads(call("backends", "--json", "--kind", "events").stdout)
    assert all("events" in info["takes"] for info in found)
    assert {"random", "empty"} <= {info["name"] for info in found}
    assert "Did you mean 'events'?" in call("backends", "--kind", "event", code=2).stderr
    assert "sachs" in call("datasets").stdout
    cards = {card["name"]: card for card in json.loads(call("datasets", "--json").stdout)}
    assert cards["sachs"]["available"] == "yes"


def test_score(tmp_path: Path) -> None:
    one, two = tmp_path / "truth.json", tmp_path / "learned.json"
    one.write_text(Graph.from_edges(("a", "b", "c"), [("a", "b"), ("b", "c")]).to_json())
    two.write_text(Graph.from_edges(("c", "b", "a"), [("a", "b")]).to_json())
    found = json.loads(call("score", one, two, "--json").stdout)
    assert (found["precision"], found["recall"], found["shd"]) == (1.0, 0.5, 1)
    assert "directed edges" in call("score", one, two).stdout
    two.write_text("{}")
    assert "not a causalnet graph" in call("score", one, two, code=2).stderr
    two.write_bytes(b"\xff\xfe\x00")
    call("score", one, two, code=2)
    assert "no such file" in call("score", one, tmp_path / "x.json", code=2).stderr


# ---- the process --------------------------------------------------------------------------------------------


def test_help_and_version_are_quick_and_light() -> None:
    code = (
        "import sys, time; t = time.process_time(); sys.argv = ['causalnet', '--help']\n"
        "from causalnet.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'torch', 'pandas', 'numba', 'castle', 'pgmpy', 'causallearn', 'matplotlib'} & set(sys.modules)\n"
        "spent = time.process_time() - t; print(spent, heavy, file=sys.stderr); sys.exit(spent > 1.0 or bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in ("discover", "compare", "backends", "datasets", "quickstart", "report", "score", "train"):
        assert command in done.stdout
    assert call("--version").stdout.startswith("causalnet ")


def test_as_a_process(table: Path) -> None:
    words = [sys.executable, "-m", "causalnet.cli", "discover"]
    done = subprocess.run([*words, str(table), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["format"] == "causalnet.graph/1"
    done = subprocess.run([*words, "none.csv"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "no such file" in done.stderr


def test_nothing_that_is_read_is_overwritten(table: Path, tmp_path: Path) -> None:
    before = table.read_bytes()
    assert "would overwrite" in call("discover", table, "--out", table, code=2).stderr
    assert (
        "would overwrite" in call("discover", table, "--out", tmp_path / "x", "--report", tmp_path / "x", code=2).stderr
    )
    assert table.read_bytes() == before
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "not a plain file" in call("discover", table, "--out", pipe, code=2).stderr
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "real.json")
    call("discover", table, "--out", link)
    assert link.is_symlink() and json.loads((tmp_path / "real.json").read_text())["format"] == "causalnet.graph/1"
    assert "use the option --seed" in call("discover", table, "--set", "seed=3", code=2).stderr


def test_look_and_discover_read_through_the_same_door(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(1000, 90_000, 80)
    frame = pd.DataFrame(
        {"id": range(80), "price": [f"{v:,}" for v in x], "tax": x * 0.1 + rng.normal(size=80), "q": x % 3}
    )
    frame.to_csv(tmp_path / "t.txt", index=False, sep=";")
    found = json.loads(call("look", tmp_path / "t.txt", "--json").stdout)
    assert {c["name"]: c["kind"] for c in found["columns"]} == {
        "price": "continuous", "tax": "continuous", "q": "discrete", "id": "left out",
    }  # fmt: skip
    told = call("look", tmp_path / "t.txt", "--continuous", "q")
    assert "commas between thousands" in told.stdout.replace("\n", " ") and "continuous" in told.stdout
    done = call("discover", tmp_path / "t.txt", "--backend", "empty")
    assert "counts the rows and is left out" in done.stderr.replace("\n", " ")
    log = pd.DataFrame({"when": [1, 2, 3], "what": list("aba"), "where": ["m", "m", "n"]})
    log.to_csv(tmp_path / "log.csv", index=False)
    roles = ("--event-column", "what", "--time-column", "when", "--device-column", "where")
    assert "events" in call("look", tmp_path / "log.csv", *roles).stdout


def test_discover_and_look_take_regimes(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=400)
    b = np.where(np.arange(400) < 250, 0.9 * a + rng.normal(size=400), rng.normal(2, 1, 400))
    frame = pd.DataFrame({"a": a, "b": b, "what": np.repeat(["seen", "done"], [250, 150])})
    frame.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "on.json").write_text('{"done": ["b"]}')
    options = ["--regime", "what", "--targets", str(tmp_path / "on.json")]
    done = call("discover", tmp_path / "t.csv", *options, "--json")
    assert [(e["from"], e["to"]) for e in json.loads(done.stdout)["edges"]] == [("a", "b")]
    assert "--targets" in json.loads(done.stdout)["meta"]["command"]
    assert "found" not in call("discover", tmp_path / "t.csv", *options).stdout  # what was told is not found
    assert "regime 'done' acts on b" in call("discover", tmp_path / "t.csv", *options[:2]).stdout
    assert "the regimes act on b" in call("discover", tmp_path / "t.csv", *options[:2], "--backend", "pc").stdout
    assert "what" in call("look", tmp_path / "t.csv", *options).stdout
    (tmp_path / "on.json").write_text('{"done": "b"}')
    assert "JSON object of lists" in call("discover", tmp_path / "t.csv", *options, code=2).stderr
    assert "cannot be read" in call("look", tmp_path / "t.csv", "--targets", tmp_path / "no.json", code=2).stderr


def test_every_command_tells_its_exit_codes() -> None:
    for command in app.app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        assert "Exit codes: 0 " in " ".join(call(name, "--help").stdout.split()), name


def test_a_graph_is_read_from_graphml(tmp_path: Path) -> None:
    graph = Graph.from_edges(["a", "b"], [("a", "b")])
    graph.save(tmp_path / "g.json"), graph.save(tmp_path / "g.graphml")
    found = json.loads(call("score", tmp_path / "g.json", tmp_path / "g.graphml", "--json").stdout)
    assert found["f1"] == 1.0
    (tmp_path / "g.graphml").write_text("<graphml")
    assert "cannot be read as a graph" in " ".join(
        call("score", tmp_path / "g.json", tmp_path / "g.graphml", code=2).stderr.split()
    )


def test_long_names_squeeze_no_number(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(50, 2)).round(6) + 1000.0
    pd.DataFrame(values, columns=["a" * 130, "b"]).to_csv(tmp_path / "t.csv", index=False)
    told = call("look", tmp_path / "t.csv").stdout
    assert f" {values[:, 1].min():g} " in told and " continuous " in told


def test_a_matrix_holds_the_summary_of_lags(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"]).to_csv(tmp_path / "s.csv", index=False)
    done = call("discover", tmp_path / "s.csv", "--backend", "pcmci", "--out", tmp_path / "g.csv")
    assert "no lags" in done.stderr and Graph.load(tmp_path / "g.csv").nodes == ("a", "b")


def test_an_environment_without_a_name_is_a_sentence() -> None:
    assert "is no environment that can be made" in call("train", "", code=2).stderr


def test_what_is_wrong_is_told_in_words_of_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": rng.choice(list("xyz"), 60), "b": rng.normal(size=60)}).to_csv("t.csv", index=False)
    Graph.from_edges("ab", [("a", "b")]).save("g.json")
    assert "--from x --to y" in call("effect", "g.json", "t.csv", "a", "b", code=2).stderr
    pd.DataFrame({"time": range(60), "m": rng.normal(size=60)}).to_csv("m.csv", index=False)
    assert "--start TIME" in call("rca", "g.json", "m.csv", code=2).stderr
    assert "n_jobs is -5" in call("discover", "t.csv", "--confidence", 2, "--jobs", -5, code=2).stderr
    log = pd.DataFrame({"event": rng.choice(["A", "B"], 60), "timestamp": rng.normal(size=60)})
    log.to_csv("log.csv", index=False)
    assert "are called as in an event log" in " ".join(call("discover", "log.csv").stderr.split())
    told = call("train", "causalnet/FaultAlarm-v0", "--graph", "g.json", "--out", "r", code=2).stderr
    assert "--make instance=FOLDER" in told and not Path("r").exists()
