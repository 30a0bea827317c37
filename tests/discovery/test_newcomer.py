"""A newcomer's task: a backend that takes a new kind of data is two new files, and not one changed."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import causalnet as cn
from causalnet.cli.app import app
from causalnet.data import KINDS, Data, as_data, data_kind
from causalnet.discovery.provenance import describe, fingerprint
from causalnet.discovery.register import kinds, registry

KIND = '''"""Spectra: the intensity of each line in each of n exposures."""

import numpy as np
from causalnet.data import data_kind

@data_kind
class Spectra:
    kind = "spectra"

    def __init__(self, lines, intensity):
        self.columns, self.intensity = tuple(lines), np.array(intensity, float)

    @property
    def n(self):
        return len(self.intensity)

    def resample(self, rng):
        return Spectra(self.columns, self.intensity[rng.integers(0, self.n, self.n)])

    def fingerprint_parts(self):
        return [self.intensity.astype(np.float32)]

    def __repr__(self):
        return f"Spectra({self.n} exposures, {len(self.columns)} lines)"
'''
BACKEND = '''"""Join lines whose intensities go together, the stronger one first."""

import numpy as np
from causalnet import Graph
import spectra

TAKES, GIVES, KNOWLEDGE = {"spectra"}, "dag", {"forbidden", "required"}

def learn(data, *, knowledge, rng, least=0.5):
    r = np.corrcoef(data.intensity.T)
    power = data.intensity.mean(axis=0)
    return Graph(data.columns, (abs(r) > least) & (power[:, None] > power))
'''


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """The two files, with the entry point that pip would lay beside them."""
    (tmp_path / "spectra.py").write_text(KIND)
    (tmp_path / "peaks.py").write_text(BACKEND)
    info = tmp_path / "peaks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: peaks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[causalnet.backends]\npeaks = peaks\n")
    sys.path.insert(0, str(tmp_path))
    importlib.invalidate_caches()
    registry.cache_clear()
    yield tmp_path
    sys.path.remove(str(tmp_path))
    for name in ("spectra", "peaks"):
        sys.modules.pop(name, None)
    KINDS.pop("spectra", None)
    registry.cache_clear()


def exposures() -> Data:
    rng = np.random.default_rng(0)
    strong = 9 + rng.normal(size=40)
    values = np.column_stack([strong, strong / 2, 3 + rng.normal(size=40)])
    return importlib.import_module("spectra").Spectra(["H", "He", "Li"], values)


def test_a_new_kind_of_data_is_learnt_from_everywhere(installed: Path) -> None:
    data = exposures()
    assert isinstance(data, Data) and as_data(data) is data
    truth = cn.Graph.from_edges(data.columns, [("H", "He")])
    assert cn.discover(data, "peaks") == truth
    dataset = cn.Dataset("stars", data, truth, knowledge=cn.Knowledge(forbidden=[("Li", "H")]))
    assert cn.discover(dataset, "peaks", least=0.8) == truth
    sure = cn.edge_confidence(data, "peaks", n=6)
    assert sure.directed[0, 1] == 1 and sure.nodes == data.columns
    assert cn.Discovery("peaks").fit(data).n_features_in_ == 3
    assert repr(dataset.resample(3)).startswith("Dataset('stars', Spectra(40 exposures, 3 lines)")


def test_a_new_kind_of_data_has_a_fingerprint_and_is_compared(installed: Path) -> None:
    data = exposures()
    truth = cn.Graph.from_edges(data.columns, [("H", "He")])
    dataset = cn.Dataset("stars", data, truth)
    assert fingerprint(dataset) == fingerprint(cn.Dataset("again", exposures(), truth))
    assert len({fingerprint(dataset.resample(seed)) for seed in range(5)}) == 5
    assert describe(dataset)["kind"] == "spectra" and describe(dataset)["text"] == repr(data)
    found = cn.compare([dataset], ["peaks", "pc"], seeds=2, out=installed / "run").frame.set_index(["backend", "seed"])
    assert found.loc["peaks", "f1"].tolist() == [1, 1] and set(found.loc["pc", "status"]) == {"not applicable"}


def test_a_new_kind_is_known_and_told_apart(installed: Path) -> None:
    assert "spectra" in kinds() and "spectra" in KINDS
    assert CliRunner().invoke(app, ["backends", "--kind", "spectra"]).output.count("peaks") == 1
    with pytest.raises(
        cn.NotApplicable, match=r"pc takes .* data, and this is spectra\. Backends for spectra data: peaks"
    ):
        cn.discover(exposures(), "pc")
    with pytest.raises(cn.NotApplicable, match="peaks takes spectra data, and this is continuous"):
        cn.discover(pd.DataFrame(np.random.default_rng(0).normal(size=(9, 2)), columns=["a", "b"]), "peaks")
    with pytest.raises(cn.DataError, match=r"'events' is declared by .*Events and again by .*Spectra"):
        data_kind(type("Spectra", (), {"kind": "events"}))
    with pytest.raises(cn.DataError, match=r"declares the kind None; write kind = 'a-word'"):
        data_kind(type("Spectra", (), {}))
    assert KINDS["events"] is cn.Events


def test_data_that_lacks_something_is_told_what(installed: Path) -> None:
    data = exposures()
    half = type("Half", (), {"kind": "spectra", "columns": data.columns, "n": 3})()
    with pytest.raises(cn.DataError, match=r"Half calls itself data of the kind 'spectra', but lacks resample, finger"):
        cn.discover(half, "peaks")


@pytest.mark.parametrize(("takes", "said"), [('{"spectre"}', "'spectra'"), ('{"continous"}', "'continuous'")])
def test_a_misspelt_kind_is_told(installed: Path, takes: str, said: str) -> None:
    (installed / "peaks.py").write_text(BACKEND.replace('{"spectra"}', takes))
    registry.cache_clear()
    with pytest.raises(cn.NotInstalled, match=rf"TAKES holds '{takes[2:-2]}'\. Did you mean {said}"):
        cn.discover(exposures(), "peaks")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("TAKES = ()", "TAKES is empty; name the kinds of data that it takes: .*events"),
        ("GIVES = 'dagg'", "GIVES='dagg' is unknown. Did you mean 'dag'. It is one of: dag, digraph, cpdag, pag"),
        ("GIVES = None", "GIVES=None is unknown"),
        ("ASSUMES = ['linarity (ols)']", "ASSUMES holds 'linarity'. Did you mean 'linearity'"),
        ("ASSUMES = 'linearity'", r"ASSUMES takes a list of names, not 'linearity'; write \['linearity'\]"),
        ("KNOWLEDGE = 'required'", r"KNOWLEDGE takes a list of names, not 'required'; write \['required'\]"),
    ],
)
def test_what_a_backend_says_of_itself_is_checked(installed: Path, line: str, said: str) -> None:
    (installed / "peaks.py").write_text(f"{BACKEND}\n{line}\n")
    registry.cache_clear()
    with pytest.raises(cn.NotInstalled, match=f"UnknownNameError: backend 'peaks': {said}"):
        cn.discover(exposures(), "peaks")


def test_assumptions_may_be_new(installed: Path) -> None:
    (installed / "peaks.py").write_text(f"{BACKEND}\nASSUMES = ['non-linearity', 'sharp lines', 'linearity (r)']\n")
    registry.cache_clear()
    assert registry()["peaks"].assumes == ("non-linearity", "sharp lines", "linearity (r)")


def test_a_kind_whose_class_is_not_loaded_is_taken_at_its_word(installed: Path) -> None:
    (installed / "peaks.py").write_text(BACKEND.replace("import spectra\n", ""))
    assert "spectra" not in KINDS and "spectra" in kinds()
    assert cn.discover(exposures(), "peaks").edges == (("H", "He"),)
    (installed / "peaks.py").write_text(BACKEND.replace('{"spectra"}', '"spectra"'))
    registry.cache_clear()
    sys.modules.pop("peaks")
    with pytest.raises(cn.NotInstalled, match=r"TAKES takes a list of names, not 'spectra'; write \['spectra'\]"):
        cn.discover(exposures(), "peaks")


def test_the_package_knows_nothing_of_it() -> None:
    root = Path(cn.__file__).parent
    found = subprocess.run(["grep", "-rliw", "spectra", str(root)], capture_output=True, text=True, check=False)
    assert {Path(line).name for line in found.stdout.split() if line.endswith(".py")} <= {"kinds.py"}
