"""PetShop's train faults, on which the rule was settled; the test faults were scored once (see the change log)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("petshop", Path(__file__).with_name("petshop.py"))
assert spec is not None and spec.loader is not None
petshop = importlib.util.module_from_spec(spec)
spec.loader.exec_module(petshop)


@pytest.mark.skipif(not petshop.FOLDER.exists(), reason="PetShop's metrics are not shipped; set CAUSALNET_DATA")
def test_the_roots_of_the_train_faults_come_first_and_no_later_than_by_the_simple_rules() -> None:
    table = petshop.ranks("train")
    top = table[table["rank"] == 1].groupby("rule").size()
    assert top["graph"] == 8 and top["graph"] >= top.max()
