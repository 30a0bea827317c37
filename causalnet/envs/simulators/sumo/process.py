"""The parent's end of a simulation: start its process, ask, wait no longer than patience allows, and end it for certain."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from ....base.arrays import Floats
from ....errors import Crashed, NotApplicable, NotInstalled

WORKER = Path(__file__).with_name("worker.py")
LAST_WORDS = 2000  # bytes of what a simulator printed that are looked through for its error
GRACE = 5.0  # seconds that a process has to end by itself


def require_sumo() -> None:
    """NotInstalled where libsumo is absent; it is not imported here, since a process holds one simulation only."""
    if importlib.util.find_spec("libsumo") is None:
        raise NotInstalled("the environment Sumo needs the simulator: pip install 'causalnet[sumo]'")
    if os.name != "posix":
        raise NotApplicable(
            "the environment Sumo talks to its simulators by pipes, which it does on Linux and macOS only"
        )


class Simulator:
    """One process with one simulation; ``ask`` and ``hear`` are apart, so that several work at once."""

    def __init__(self, patience: float) -> None:
        from multiprocessing.connection import Connection

        require_sumo()
        self.patience = patience
        self.said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        path = os.pathsep.join(dict.fromkeys(entry or os.getcwd() for entry in sys.path))
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # an interrupt of the terminal is the parent's to handle
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.requests = Connection(os.dup(self.process.stdin.fileno()), readable=False)
        self.answers = Connection(os.dup(self.process.stdout.fileno()), writable=False)
        self.process.stdin.close()
        self.process.stdout.close()

    def ask(self, do: str, **what: Any) -> None:
        """Send a request; :meth:`hear` has the answer."""
        try:
            self.requests.send_bytes(json.dumps({"do": do, **what}).encode())
        except OSError:
            raise self._crashed() from None

    def hear(self) -> tuple[dict[str, Any], Floats]:
        """The answer, and the numbers measured. Crashed where the process ended, is silent too long, or reports an error."""
        try:
            if not self.answers.poll(self.patience):
                self.kill()
                raise Crashed(
                    f"SUMO did not answer for {self.patience:g} s and was stopped; give it more patience, in Signals(patience=...)"
                )
            found = json.loads(self.answers.recv_bytes())
            numbers = np.frombuffer(self.answers.recv_bytes(), np.float32)
        except (EOFError, OSError):
            raise self._crashed() from None
        if "error" in found:
            words = self.last_words()
            self.kill()
            raise Crashed(f"SUMO reports: {words or found['error']}")
        return found, numbers

    def _crashed(self) -> Crashed:
        words = self.last_words()
        self.kill()
        code = self.process.returncode
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return Crashed(f"SUMO ended {how} in the middle of an episode" + (f"; it last said: {words}" if words else ""))

    def last_words(self) -> str:
        """What the simulator printed about an error, as one line without its full stop."""
        if self.said.closed:
            return ""
        size = self.said.seek(0, os.SEEK_END)
        self.said.seek(max(0, size - LAST_WORDS))
        lines = self.said.read().decode(errors="replace").splitlines()
        errors = [line.removeprefix("Error: ") for line in lines if line.startswith("Error")]
        told = [" ".join(line.split()).rstrip(".") for line in errors or lines[-1:]]
        return "; ".join(dict.fromkeys(line for line in told if line and not line.startswith("Quitting")))

    @property
    def alive(self) -> bool:
        return self.process.poll() is None and not self.requests.closed

    def close(self) -> None:
        """Let the process end by itself, as it does when nobody can ask it any more; kill it where it does not."""
        with contextlib.suppress(OSError):
            self.requests.close()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """End the process now, and wait for it: none is left behind."""
        self.process.kill()
        self.process.wait()
        for end in (self.requests, self.answers, self.said):
            with contextlib.suppress(OSError):
                end.close()
