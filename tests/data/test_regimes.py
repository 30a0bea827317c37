"""Rows of several experiments in one table: how they are told, drawn again, and refused."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.data.outlook import look
from causalnet.discovery.stability import edge_confidence
from causalnet.errors import CausalnetError, NotApplicable


def frame(sizes: tuple[int, ...] = (40, 30, 20)) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = sum(sizes)
    labels = np.repeat(["calm", "hot", "wet"], sizes)
    return pd.DataFrame({"x": rng.normal(size=n), "how": labels, "y": rng.normal(size=n), "z": rng.normal(size=n)})


def test_a_column_tells_the_regimes_and_is_no_variable() -> None:
    table = cn.as_table(frame(), regime="how", targets={"hot": ["x", "z"], "wet": None})
    regimes = table.regimes
    assert table.columns == ("x", "y", "z") and regimes is not None
    assert regimes.labels == ("calm", "hot", "wet") and regimes.sizes.tolist() == [40, 30, 20]
    assert regimes.targets == ((), ("x", "z"), None) and regimes.unknown == ("wet",)
    assert regimes.acted_on(table.columns).tolist() == [[False] * 3, [True, False, True], [False] * 3]
    assert cn.as_table(frame(), regime="how").regimes.unknown == regimes.labels  # type: ignore[union-attr]
    assert "3 regimes" in repr(table) and set(table.demands) == {"regimes"}
    assert any("says nothing of 'calm'" in note.text for note in table.notes)
    again = pickle.loads(pickle.dumps(table))
    assert again.regimes.targets == regimes.targets and not again.regimes.code.flags.writeable
    shown = {c.name: c.kind for c in look(frame(), regime="how").columns}
    assert shown == {"x": "continuous", "y": "continuous", "z": "continuous", "how": "regime"}


def test_resamples_keep_the_size_of_every_regime() -> None:
    mixed = frame().sample(frac=1.0, random_state=1)
    table = cn.as_table(mixed, regime="how", targets={"hot": ["x"]})
    place = {row.tobytes(): k for row, k in zip(table.values, table.regimes.code, strict=True)}  # type: ignore[union-attr]
    drawn = table.resample(np.random.default_rng(0))
    assert drawn.regimes.sizes.tolist() == table.regimes.sizes.tolist()  # type: ignore[union-attr]
    assert [place[row.tobytes()] for row in drawn.values] == drawn.regimes.code.tolist()  # type: ignore[union-attr]
    part = table.take(np.flatnonzero(table.regimes.code != table.regimes.labels.index("calm")))  # type: ignore[union-attr]
    assert set(part.regimes.labels) == {"hot", "wet"} and sum(part.regimes.sizes) == 50  # type: ignore[union-attr]


def test_what_decides_a_score_is_in_the_fingerprint() -> None:
    parts = [
        [repr(p) for p in cn.as_table(frame(), regime="how", targets=on).fingerprint_parts()]
        for on in ({"hot": ["x"]}, {"hot": ["y"]}, None)
    ]
    assert parts[0] != parts[1] != parts[2] != parts[0]
    assert len(list(cn.as_table(frame().drop(columns="how")).fingerprint_parts())) == 3  # as before there were regimes


BAD = {
    "one row": (lambda: frame((40, 30, 1)), {}, "'wet' of 'how' has one row"),
    "one row each": (lambda: frame((40, 1, 1)), {}, "of 'how' have one row each"),
    "no such column": (frame, {"regime": "hwo"}, "names 'hwo', no column of the table. Did you mean 'how'"),
    "target no column": (frame, {"targets": {"hot": ["xx"]}}, "the target 'xx' of regime 'hot' is no variable"),
    "target the regime": (frame, {"targets": {"hot": ["how"]}}, "the target 'how' of regime 'hot' is no variable"),
    "regime no row has": (frame, {"targets": {"hut": ["x"]}}, "names the regime 'hut', which no row has"),
    "a text": (frame, {"targets": {"hot": "x"}}, "takes a list of names"),
    "a list": (frame, {"targets": [["x"]]}, "must be a dict"),
    "gaps": (lambda: frame().assign(how=[None] + ["a", "b"] * 44 + ["a"]), {}, "is empty in 1 of the rows"),
    "many": (lambda: pd.concat([frame()] * 30).assign(how=np.arange(2700) // 2), {}, "has 1350 values"),
    "1 and '1'": (lambda: frame().assign(how=[1] * 45 + ["1"] * 45), {}, "as a text and as a number"),
    "always a target": (frame, {"targets": {"calm": ["x"], "hot": ["x"], "wet": ["x"]}}, "acted on in every regime"),
    "always two targets": (
        frame,
        {"targets": {"calm": ["x", "y"], "hot": ["x", "y"], "wet": ["x", "y"]}},
        "^acted on in every regime: 'x', 'y'; no row",
    ),
    "a column itself": (frame, {"regime": frame()["how"]}, "regime is .*and must be the name of a column"),
    "lists": (lambda: frame().assign(how=[[1]] * 90), {}, "'how' holds lists or other objects, not labels"),
    "never varies": (lambda: frame().assign(x=np.repeat([1.5, 2.5, 4.5], [40, 30, 20])), {}, "'x' never varies within"),
    "never varies alone": (
        lambda: frame().assign(x=np.r_[np.full(70, 1.5), np.arange(20) / 7]),
        {"targets": {"wet": ["x"]}},
        "'x' never varies within a regime in which it is left alone",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_regimes_are_refused_in_a_sentence(name: str) -> None:
    make, settings, sentence = BAD[name]
    with pytest.raises(CausalnetError, match=sentence):
        cn.as_table(make(), **{"regime": "how", **settings})


def test_targets_need_a_regime_column() -> None:
    with pytest.raises(CausalnetError, match="write regime='column'"):
        cn.as_table(frame().drop(columns="how"), targets={"hot": ["x"]})


def test_a_method_without_regimes_says_so() -> None:
    table = cn.as_table(frame(), regime="how")
    with pytest.raises(
        NotApplicable, match=r"its rows come from 3 regimes.*These can: .*order.*pools the rows"
    ) as told:
        cn.discover(table, "notears")
    assert "regime= " not in told.value.in_shell and "--drop COLUMN" in told.value.in_shell
    gaps = frame().assign(x=[np.nan, *np.arange(89.0) ** 1.5])
    found = cn.discover(cn.as_table(gaps, regime="how"), "auto")
    assert found.meta["backend"] == "pc" and "with missing cells" in found.meta["chosen"]
    assert edge_confidence(table, "order", n=2).directed.shape == (3, 3)


def test_blanks_make_no_regime_of_their_own() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(6, 2)), columns=["a", "b"]).assign(
        how=["x", "x ", "y"] * 2
    )
    with pytest.raises(cn.DataError, match="'x ' with and without blanks around it"):
        cn.as_table(frame, regime="how")
