"""Files that are rather streamed than read, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from causalnet.cli.app import app

RNG = np.random.default_rng(2)
FRAME = pd.DataFrame(RNG.normal(size=(800, 3)) @ np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1.0]]), columns=list("abc"))


def answer(*words: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["discover", *words])
    return found.exit_code, found.stdout, found.stderr


def test_a_large_file_is_streamed_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FRAME.to_parquet(tmp_path / "t.parquet")
    code, whole, err = answer(str(tmp_path / "t.parquet"), "--json")
    assert code == 0 and "streamed" not in err
    monkeypatch.setattr("causalnet.data.streaming.STREAMED_FROM", 1000)
    monkeypatch.setattr("causalnet.cli.inputs.LARGE", 1000)
    code, streamed, err = answer(str(tmp_path / "t.parquet"), "--json")
    assert code == 0 and "takes about 0.0 GiB as a table, so it is streamed" in " ".join(err.split())
    one, other = json.loads(whole), json.loads(streamed)
    assert one["edges"] == other["edges"] and "streamed" in other["meta"]["data"]


def test_folders_of_parts_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for k in range(2):
        FRAME[400 * k : 400 * k + 400].assign(d=1.5, word="x").to_csv(folder / f"{k}.csv", index=False)
    code, _, err = answer(str(folder))
    told = " ".join(err.split())
    assert code == 2 and "'d' (always 1.5), 'word' (always 'x')" in told and "--drop leaves columns out" in told
    code, _, err = answer(str(folder), "--drop", "d,word")
    assert code == 0 and "the parts in parts are streamed" in " ".join(err.split())
    assert answer(str(folder), "--drop", "dd")[0] == 2
