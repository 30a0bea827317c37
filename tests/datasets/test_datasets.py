"""Data sets: cards complete, truth aligned, samples seeded, files verified, absence explained."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import causalnet as cn
from causalnet.data import Events, Table
from causalnet.datasets import catalogue, files
from causalnet.discovery.provenance import fingerprint

needs_pgmpy = pytest.mark.skipif(importlib.util.find_spec("pgmpy") is None, reason="needs pgmpy (extra: peers)")


def test_every_card_says_what_a_reader_needs() -> None:
    for name, card in catalogue.cards().items():
        for key in ("title", "kind", "source", "licence", "columns", "truth"):
            assert card.get(key), f"{name} lacks {key}"
        assert card["truth"]["note"]


def test_sachs_is_the_observational_condition_on_a_log_scale() -> None:
    ds = cn.load_dataset("sachs")
    assert isinstance(ds.data, Table) and (ds.data.n, ds.data.d) == (853, 11) and ds.truth is not None
    assert len(ds.truth.edges) == 18 and ("praf", "pmek") in ds.truth.edges and ds.truth.is_dag is False
    raw = cn.load_dataset("sachs:log=false").data
    assert isinstance(raw, Table)
    np.testing.assert_allclose(np.exp(ds.data.values), raw.values)
    assert cn.load_dataset("sachs-all").data.n == 7466


def test_seed_zero_is_the_data_and_other_seeds_resample() -> None:
    ds = cn.load_dataset("sachs")
    np.testing.assert_array_equal(catalogue.draw(ds, 0).data.values, ds.data.values)
    one, again, two = (catalogue.draw(ds, s).data.values for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, two) and len(one) == 853


@needs_pgmpy
@pytest.mark.parametrize(
    "name", ["asia", "child", "insurance", "alarm", "hailfinder", "hepar2", "win95pts", "sachs-bn"]
)
def test_bayesian_networks_are_sampled_with_a_seed(name: str) -> None:
    a, b, c = (cn.load_dataset(f"{name}:n=500", seed=s) for s in (0, 0, 1))
    assert isinstance(a.data, Table) and a.data.kind == "discrete" and a.data.n == 500 and a.sampled
    np.testing.assert_array_equal(a.data.values, b.data.values)
    assert not np.array_equal(a.data.values, c.data.values)
    assert a.truth is not None and a.truth.is_dag and a.truth == c.truth
    assert (a.data.values.max(axis=0) < a.data.cardinality).all()


@needs_pgmpy
def test_samples_follow_the_network() -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pgmpy.inference import VariableElimination
        from pgmpy.utils import get_example_model

        model = get_example_model("asia")
        exact = VariableElimination(model).query(["lung", "dysp"], show_progress=False)
    table = cn.load_dataset("asia:n=200000").data
    i, j = table.columns.index("lung"), table.columns.index("dysp")
    states = [exact.state_names["lung"], exact.state_names["dysp"]]
    values = np.moveaxis(exact.values, [exact.variables.index("lung"), exact.variables.index("dysp")], [0, 1])
    for a, x in enumerate(table.levels[i]):
        for b, y in enumerate(table.levels[j]):
            share = ((table.values[:, i] == a) & (table.values[:, j] == b)).mean()
            assert share == pytest.approx(values[states[0].index(x), states[1].index(y)], abs=0.004)


def test_simulated_families_and_their_settings() -> None:
    ds = cn.load_dataset("linear-uniform:d=8:degree=2:graph=sf:n=300:standardize=true", seed=4)
    assert (
        isinstance(ds.data, Table) and (ds.data.n, ds.data.d) == (300, 8) and ds.truth is not None and ds.truth.is_dag
    )
    np.testing.assert_allclose(ds.data.values.std(axis=0), 1)
    with pytest.raises(cn.UnknownNameError, match="Did you mean 'degree'"):
        cn.load_dataset("linear-uniform:degre=2")
    with pytest.raises(cn.DataError, match="write sachs:key=value"):
        cn.load_dataset("sachs:raw")
    with pytest.raises(cn.DataError, match="takes a number"):
        cn.load_dataset("linear-uniform:d=many")
    with pytest.raises(cn.UnknownNameError, match="Did you mean 'sachs'"):
        cn.load_dataset("sacks")
    with pytest.raises(cn.DataError, match="degree is 9, and must be a finite number from 0 to 3"):
        cn.load_dataset("linear-uniform:d=4:degree=9")


def test_linear_samples_have_the_covariance_of_their_equations() -> None:
    ds = cn.load_dataset("linear-gaussian:d=6:n=200000:degree=2", seed=2)
    assert isinstance(ds.data, Table) and ds.truth is not None and ds.truth.weight is not None
    inverse = np.linalg.inv(np.eye(6) - ds.truth.weight)
    np.testing.assert_allclose(ds.data.covariance, inverse.T @ inverse, rtol=0.05, atol=0.1)


def test_simulated_event_logs() -> None:
    one, again = (cn.load_dataset("hawkes:n_events=800:n_devices=10", seed=3) for _ in range(2))
    assert (
        isinstance(one.data, Events)
        and one.data.n == 800
        and one.sampled
        and one.truth is not None
        and one.truth.is_dag
    )
    np.testing.assert_array_equal(one.data.time, again.data.time)
    assert one.data.topology is not None and cn.load_dataset("hawkes:wired=false:n_events=300").data.topology is None


@pytest.mark.parametrize(("name", "n", "d", "edges"), [("pcic-18v", 34838, 18, 69), ("pcic-24v", 64598, 24, 137)])
def test_alarm_logs(outside_data: Path, name: str, n: int, d: int, edges: int) -> None:
    ds = cn.load_dataset(name)
    assert isinstance(ds.data, Events) and (ds.data.n, ds.data.d) == (n, d) and ds.truth is not None
    assert len(ds.truth.edges) == edges and ds.truth.is_dag
    assert (ds.data.topology is not None) == (name == "pcic-24v")
    assert ds.data.n != catalogue.draw(ds, 1).data.n


def test_fault_alarm_official_and_simulated(
    outside_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    official = cn.load_dataset("fault-alarm")
    assert official.card["used"] == "official sample" and official.data.n == 4000 and not official.sampled
    with pytest.raises(cn.DataError, match="leave out n="):
        cn.load_dataset("fault-alarm:n=100")
    monkeypatch.setattr(files, "search_path", lambda: iter([tmp_path]))
    made = cn.load_dataset("fault-alarm:n=1500", seed=1)
    assert made.card["used"] == "simulated" and made.sampled and made.truth == official.truth
    assert made.data.types == official.data.types and made.data.n == 1500
    (tmp_path / "fault_alarm_official").mkdir()
    (tmp_path / "fault_alarm_official/events_seed40.csv").write_text("device,timestamp,alarm_type\n1,2")
    with pytest.raises(cn.DataError, match="truncated"):
        cn.load_dataset("fault-alarm")


def test_absent_files_are_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def offline(*args: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(files, "search_path", lambda: iter([tmp_path / "nowhere", tmp_path]))
    monkeypatch.setattr(files, "_download", offline)
    with pytest.raises(cn.DataError) as caught:
        cn.load_dataset("pcic-24v")
    for word in (
        "1,257,470 bytes",
        "d91028f43d7c",
        str(tmp_path / "pcic_alarms/24V_439N_Microwave/Alarm.csv"),
        "CAUSALNET_DATA",
    ):
        assert word in str(caught.value)
    broken = tmp_path / "pcic_alarms/24V_439N_Microwave"
    broken.mkdir(parents=True)
    (broken / "Alarm.csv").write_text("alarm_id,device_id,start")
    with pytest.raises(cn.DataError, match="truncated"):
        cn.load_dataset("pcic-24v")


def test_the_shipped_log_is_the_published_one(
    outside_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    published = cn.load_dataset("pcic-18v")
    monkeypatch.setattr(files, "search_path", lambda: iter([tmp_path]))
    shipped = cn.load_dataset("pcic-18v")
    assert shipped.truth == published.truth
    assert fingerprint(shipped) == fingerprint(published)
    assert "Copyright (c) 2021 gcastle-hub" in (files.folder() / "pcic_alarms/LICENSE").read_text()


def test_sachs_has_its_conditions_and_three_truths() -> None:
    data = cn.load_dataset("sachs-interventional").data
    regimes = data.regimes  # type: ignore[attr-defined]
    assert data.n == regimes.sizes.sum() == 7466 and len(regimes.labels) == 9
    assert dict(zip(regimes.labels, regimes.targets, strict=True))["cd3cd28+ly"] == ("PIP3",)
    other = cn.load_dataset("sachs-interventional:ly294002=pakts473").data.regimes  # type: ignore[attr-defined]
    assert other.targets[regimes.labels.index("cd3cd28+ly")] == ("pakts473",)
    truths = {k: cn.load_dataset(f"sachs:truth={k}").truth for k in (17, 18, 20)}
    assert {k: len(t.edges) for k, t in truths.items()} == {k: k for k in truths}  # type: ignore[union-attr]
    assert truths[17].is_dag and not truths[18].is_dag  # type: ignore[union-attr]
    assert set(truths[20].edges) - set(truths[17].edges) == {("PIP2", "PKC"), ("plcg", "PKC"), ("PIP3", "pakts473")}  # type: ignore[union-attr]
    with pytest.raises(cn.errors.DataError, match="must be one of 17, 18, 20"):
        cn.load_dataset("sachs:truth=19")
