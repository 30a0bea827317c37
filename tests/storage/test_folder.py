"""Run folders and whole files: one writer at a time, nothing half written, nothing foreign touched, whoever is killed."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from causalnet.errors import CausalnetError, DataError
from causalnet.storage import checkpoint
from causalnet.storage.files import check_writable, sweep, whole_file, write_atomic
from causalnet.storage.folder import RunFolder, alone_in
from causalnet.storage.rows import Table

WRITING = """
import sys, time
from pathlib import Path
from causalnet.storage.files import whole_file
with whole_file(sys.argv[1]) as file:
    file.write(b"half of it")
    file.flush()
    print("written", flush=True)
    time.sleep(60)
"""
HOLDING = """
import sys, time
from causalnet.storage.folder import alone_in
with alone_in(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""
ADDING = """
import sys
from pathlib import Path
from causalnet.storage.rows import Table
table = Table(Path(sys.argv[1]), ["a"])
for i in range(15):
    table.add(f"{sys.argv[2]} {i}", [{"a": i}])
"""


def started(code: str, *words: str) -> subprocess.Popen[str]:
    """A process that runs the code, once it has said its first word."""
    process = subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline()
    return process


def killed(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


# ---- files ----------------------------------------------------------------------------------------------------------


def test_a_process_killed_while_writing_leaves_the_old_file_and_a_draft_that_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_atomic(path, "old")
    process = started(WRITING, str(path))
    with alone_in(tmp_path):
        assert len([p for p in tmp_path.iterdir() if p.suffix == ".part"]) == 1  # its writer lives: not swept
    killed(process)
    assert path.read_text() == "old"
    with alone_in(tmp_path):
        assert {p.name for p in tmp_path.iterdir()} == {"x.json", ".lock"}
    write_atomic(path, b"new")
    assert path.read_text() == "new"


def test_two_threads_write_one_file_and_one_of_them_wins_whole(tmp_path: Path) -> None:
    path, trouble = tmp_path / "x", []

    def write(letter: str) -> None:
        try:
            for _ in range(40):
                write_atomic(path, letter * 50_000)
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            text = path.read_text()
            assert len(text) == 50_000 and len(set(text)) == 1
        sweep(tmp_path)  # takes no draft that is being written
    assert not trouble and [p.name for p in tmp_path.iterdir()] == ["x"]


def test_stale_drafts_of_dead_processes_never_block_and_are_swept(tmp_path: Path) -> None:
    stale = [f".x.json.{os.getpid()}.part", f".x.json.{os.getpid()}.{'0' * 32}.part", ".x.json.4194305.part"]
    for name in stale:  # of a dead process that had our number, as 0.1.0 and this release name them
        (tmp_path / name).write_text("half")
    (tmp_path / "checkpoint.part").mkdir()
    (tmp_path / "checkpoint.part" / "agent.npz").write_text("half")
    (tmp_path / "mine.part").write_text("precious")
    (tmp_path / ".hidden.part").write_text("precious")
    check_writable(tmp_path / "x.json")
    write_atomic(tmp_path / "x.json", "{}")
    with alone_in(tmp_path):
        assert {p.name for p in tmp_path.iterdir()} == {".lock", "x.json", "mine.part", ".hidden.part"}


def test_a_block_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    write_atomic(tmp_path / "x", "old")
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "x") as file:
        file.write(b"half"[: 1 // (file.write(b"half") - 4)])
    assert (tmp_path / "x").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


# ---- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_is_claimed_by_one_process_and_free_when_that_is_killed(tmp_path: Path) -> None:
    process = started(HOLDING, str(tmp_path))
    words = rf"another run is writing to .*\(process {process.pid} on .*\); wait until"
    with pytest.raises(DataError, match=words), alone_in(tmp_path):
        raise AssertionError
    since = time.monotonic()
    with pytest.raises(DataError, match="another run"), alone_in(tmp_path, seconds=0.3):
        raise AssertionError
    assert time.monotonic() - since > 0.25
    killed(process)
    with alone_in(tmp_path), pytest.raises(DataError, match="another run"), alone_in(tmp_path):
        raise AssertionError  # not twice in one process either


def test_two_processes_lose_none_of_each_others_cells(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ADDING, str(tmp_path)]
    both = [subprocess.Popen([*command, name]) for name in ("one", "two")]
    assert [process.wait(120) for process in both] == [0, 0]
    table = Table(tmp_path, ["a"])
    assert len(table.rows) == 30 and all(table.has(f"{name} {i}") for name in ("one", "two") for i in range(15))


def folder_of(path: Path, settings: dict[str, object], **more: object) -> RunFolder:
    folder = RunFolder(path, "run.json", "causalnet.test/2", **more)  # type: ignore[arg-type]
    if not folder.holds(settings):
        folder.tell(settings)
    return folder


def test_a_folder_goes_on_with_its_own_run_alone(tmp_path: Path) -> None:
    settings = {"k": 1, "names": ("a", "b"), "path": Path("x")}
    assert folder_of(tmp_path, settings).told() == {
        "format": "causalnet.test/2",
        "k": 1,
        "names": ["a", "b"],
        "path": "x",
    }
    assert folder_of(tmp_path, settings).holds(settings)
    with pytest.raises(DataError, match=r"holds a run with other k, names \(k: 1 there, 2 here\)"):
        folder_of(tmp_path, {**settings, "k": 2, "names": ["b"]})


def test_foreign_files_and_other_versions_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(DataError, match=r"holds thesis.txt without the run.json that says what it is"):
        folder_of(tmp_path, {"k": 1})
    assert not RunFolder(tmp_path, "run.json", "causalnet.test/2").holds({"k": 1}, foreign=("agent.npz",))
    note = tmp_path / "run.json"
    for text, words in (
        ('{"format": "causalnet.test/3", "k": 1}', "version 3, and this causalnet reads version 2"),
        ('{"format": "other/2", "k": 1}', "no record of such a run"),
        ('{"k": 1}', "no record of such a run"),
        ("[]", "no record of such a run"),
        ('{"format": "causal', "damaged"),
    ):
        note.write_text(text)
        with pytest.raises(DataError, match=words):
            folder_of(tmp_path, {"k": 1})
        assert note.read_text() == text
    note.write_text('{"k": 1}')
    assert folder_of(tmp_path, {"k": 1}, unmarked=True).told() == {"k": 1}  # of 0.1.0
    assert {p.name for p in tmp_path.iterdir()} == {"thesis.txt", "run.json"}


def test_the_newest_checkpoint_is_whole_and_the_last_one_stays_until_it_is(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"k": 1})
    assert folder.newest() is None
    folder.keep(9, lambda path: (path / "a").write_text("nine"))
    with pytest.raises(ZeroDivisionError):
        folder.keep(10, lambda path: (path / "a").write_text(str(1 / 0)))
    with pytest.raises(CausalnetError, match="cannot be written"):
        folder.keep(10, lambda path: (path / "no" / "such").write_text(""))
    assert folder.newest() == (9, tmp_path / "checkpoint-000009")
    folder.keep(1_000_000, lambda path: (path / "a").write_text("more"))
    assert folder.newest() == (1_000_000, tmp_path / "checkpoint-1000000")
    assert {p.name for p in tmp_path.iterdir()} == {"run.json", "checkpoint-1000000"}


# ---- checkpoints ----------------------------------------------------------------------------------------------------

STATE = checkpoint.Kind("causalnet.test", 2, "a test", shrink=True)


def test_checkpoints_come_back_and_those_of_another_kind_or_version_are_refused(tmp_path: Path) -> None:
    arrays = {"x": np.arange(5000.0), "s": np.array(["a", "bc"]), "b": np.zeros((70, 70), bool)}
    path = checkpoint.write(tmp_path / "a.npz", {"n": 1}, arrays, STATE)
    header, found = checkpoint.read(path, STATE)
    assert header["n"] == 1 and all(np.array_equal(found[name], array) for name, array in arrays.items())
    with pytest.raises(DataError, match="was not written by an agent of causalnet"):
        checkpoint.read(path)
    np.savez(path, header=np.array(json.dumps({"format": "causalnet.test/1", "n": 2})))  # as att-bic did in 0.1.0
    assert checkpoint.read(path, STATE)[0]["n"] == 2
    np.savez(path, header=np.array(json.dumps({"format": "causalnet.test/3"})))
    with pytest.raises(DataError, match="has checkpoint version 3, and this causalnet reads version 2"):
        checkpoint.read(path, STATE)
    for text in ("[]", "{}", "{", '{"format": 3}'):
        np.savez(path, header=np.array(text))
        with pytest.raises(DataError, match=r"was not written by|no whole checkpoint"):
            checkpoint.read(path, STATE)


def test_a_checkpoint_file_is_claimed_by_the_run_that_goes_on_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    a = type("A", (), {"load": lambda path, sources: None})
    assert checkpoint.claim(path, None, a) == path.resolve()
    home = checkpoint.write(path, {"class": "A"}, {})
    assert checkpoint.claim(path, home, a) == home
    with pytest.raises(
        DataError, match=r"does not continue it; go on with A\.load\('.*a\.npz', sources\), or give another"
    ):
        checkpoint.claim(path, None, a)
    checkpoint.write(path, {"class": "B"}, {})
    for _ in range(2):  # of another class, and no checkpoint at all: A.load would refuse it
        with pytest.raises(DataError, match=r"exists, and this agent does not continue it; give another name$"):
            checkpoint.claim(path, None, a)
        path.write_text("my thesis")
    with pytest.raises(DataError, match="path is 3; give the name of a file"):
        checkpoint.claim(3, None, a)  # type: ignore[arg-type]


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    path = checkpoint.write(tmp_path / "a.npz", {"n": 1}, {"x": np.zeros(10)})
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
    try:
        with pytest.raises(CausalnetError, match="make room"):
            checkpoint.write(path, {"n": 2}, {"x": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert checkpoint.read(path)[0]["n"] == 1 and [p.name for p in tmp_path.iterdir()] == ["a.npz"]
