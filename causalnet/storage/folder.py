"""The folder of one run: claimed by one process at a time, with what the run was told and its newest whole checkpoint."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import CausalnetError, DataError
from .files import draft_of, sentence, sweep, write_atomic
from .locks import read_note, try_lock, write_note

LOCK = ".lock"


@contextlib.contextmanager
def alone_in(folder: str | Path, seconds: float = 0.0) -> Iterator[Path]:
    """Make a folder, keep all others out of it, and sweep what killed runs left half written.

    seconds: how long to wait for another one. The kernel lets go of the lock when a process ends, however it ends.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file; give the name of a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise CausalnetError(sentence(folder, error)) from error
    try:
        _lock(folder, descriptor, time.monotonic() + seconds)
        sweep(folder)
        yield folder
    finally:
        os.close(descriptor)


def _lock(folder: Path, descriptor: int, deadline: float) -> None:
    """Take the lock before the deadline (monotonic seconds), and leave a note for those who find it taken."""
    while True:
        try:
            if try_lock(descriptor):
                break
        except OSError as error:
            raise CausalnetError(sentence(folder / LOCK, error)) from error
        if time.monotonic() < deadline:
            time.sleep(0.05)
            continue
        who = read_note(descriptor)
        raise DataError(
            f"another run is writing to {folder}{f' ({who})' if who else ''}; wait until it ends, or choose another folder"
        )
    with contextlib.suppress(OSError):  # the lock itself does not need the note
        write_note(descriptor, f"process {os.getpid()} on {socket.gethostname()}, since {now()}")


def now() -> str:
    """UTC, to the second, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class RunFolder:
    """What a folder remembers of its run: a JSON file of settings, and checkpoints in folders of their own.

    form: name and version of what the settings describe, such as "causalnet.training/1", kept with them. unmarked: 0.1.0
    wrote such files without it. To be used within :func:`alone_in`.
    """

    def __init__(self, path: str | Path, note: str, form: str, *, unmarked: bool = False) -> None:
        self.path, self.note, self.form, self.unmarked = Path(path), Path(path) / note, form, unmarked

    def told(self) -> dict[str, Any] | None:
        """The settings of the run in the folder, None if there are none; DataError for what is no such run."""
        try:
            told = json.loads(self.note.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{self.note} cannot be read, or is damaged ({error}); choose another folder") from error
        form = told.get("format", self.form if self.unmarked and told else None) if isinstance(told, dict) else None
        kind, _, version = str(form).rpartition("/")
        known, _, reads = self.form.rpartition("/")
        if kind != known:
            raise DataError(f"{self.note} is no record of such a run ({known}); choose another folder")
        if version != reads:
            raise DataError(
                f"{self.note} has version {version}, and this causalnet reads version {reads}; go on with the release "
                "that wrote it, or choose another folder"
            )
        return dict(told)

    def holds(self, settings: Mapping[str, Any], foreign: Collection[str] | None = None) -> bool:
        """Is the run of these settings in the folder? False for a new folder; DataError for one of another run.

        foreign: files that are not to be there without the note; None: any file.
        """
        told, wanted = self.told(), json.loads(_text(settings))
        if told is None:
            names = {path.name for path in self.path.iterdir()} - {LOCK}
            odd = sorted(names if foreign is None else names.intersection(foreign))
            if odd:
                raise DataError(
                    f"{self.path} holds {', '.join(odd[:3])} without the {self.note.name} that says what it is; choose "
                    "an empty folder"
                )
            return False
        odd = [name for name in wanted if told.get(name) != wanted[name]]
        if odd and "format" not in told:
            raise DataError(
                f"{self.path} holds a run of an earlier release, which kept other {', '.join(odd)}; go on with the release "
                "that wrote it, or choose another folder"
            )
        if odd:
            there, here = (json.dumps(found.get(odd[0]))[:80] for found in (told, wanted))
            raise DataError(
                f"{self.path} holds a run with other {', '.join(odd)} ({odd[0]}: {there} there, {here} here); repeat what "
                "that run was told to go on with it, or choose another folder"
            )
        return True

    def tell(self, settings: Mapping[str, Any]) -> None:
        """Note what the run was told."""
        write_atomic(self.note, _text({"format": self.form, **settings}))

    def newest(self) -> tuple[int, Path] | None:
        """Number and folder of the newest checkpoint; each of them is whole."""
        found = self._checkpoints()
        return (int(found[-1].name.split("-")[1]), found[-1]) if found else None

    def keep(self, number: int, write: Callable[[Path], Any]) -> None:
        """Let ``write`` fill the folder of a checkpoint; only when it is whole it takes the place of the last one."""
        final = self.path / f"checkpoint-{number:06d}"
        with draft_of(final) as draft:
            try:
                draft.mkdir()
                write(draft)
                draft.rename(final)
            except OSError as error:
                if isinstance(error, CausalnetError):
                    raise
                raise CausalnetError(sentence(final, error)) from error
        for old in self._checkpoints()[:-1]:
            shutil.rmtree(old)

    def _checkpoints(self) -> list[Path]:
        found = [path for path in self.path.glob("checkpoint-*") if path.name[len("checkpoint-") :].isdigit()]
        return sorted(found, key=lambda path: int(path.name.split("-")[1]))


def _text(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, indent=1, default=str) + "\n"
