"""Comparison cells run in worker processes that can be killed: the parent's side of :mod:`causalnet.comparison.worker`."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..base.arrays import AnyArray
from . import warden
from .wire import FRAME, pack
from .worker import IDLE_SECONDS

SCORE_SECONDS = 600.0  # for the metrics, once the graph is there
MOST_BYTES = 1 << 30  # of one message
KEPT_BYTES = 16384  # of what a worker prints
GRACE = (2.0, 0.10)  # a method that stops itself gets these seconds, and this share of the limit, to hand over
Blob = AnyArray | None  # a pickled data set of our own, as uint8; None where it is known by its name
Done = tuple[dict[str, Any], dict[str, Any]]  # task, outcome
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")


class Garbled(Exception):
    """Something that is no message came from a worker."""


@dataclass(frozen=True)
class Limits:
    """Seconds a cell may take: to load its data and compile, and to learn (None: no bound, ``hard`` the kill)."""

    load: float = 600.0
    learn: float | None = None
    hard: float | None = None


def hard_limit(max_seconds: float | None, bounded: bool) -> float | None:
    """When a learning method is killed: at the limit, or a little after it if the method stops itself."""
    if max_seconds is None:
        return None
    return max_seconds + (GRACE[0] + GRACE[1] * max_seconds if bounded else 0.0)


class Worker:
    """One worker process below its warden, the pipes, and the end of what it printed. process: the warden, which ends as it did."""

    def __init__(self) -> None:
        self.process, self._line, self.pid = _start()
        self._frame = ""
        self.given: set[str] = set()
        self.last_used = time.monotonic()
        self._buffer = bytearray()
        self._printed = b""
        self._drainer = threading.Thread(target=self._drain, daemon=True)
        self._drainer.start()

    def _drain(self) -> None:
        assert self.process.stderr is not None
        with contextlib.suppress(OSError, ValueError), self.process.stderr as pipe:
            while part := os.read(pipe.fileno(), 1 << 16):
                self._printed = (self._printed + part)[-KEPT_BYTES:]

    @property
    def printed(self) -> str:
        """The last lines that the process printed; waits a moment for what a dead one has left in the pipe."""
        if self.process.poll() is not None:
            self._drainer.join(timeout=1.0)
        lines = self._printed.decode(errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.startswith("Extension modules:"))[-4000:]

    @property
    def usable(self) -> bool:
        """Alive, and not about to end by itself for want of work."""
        return self.process.poll() is None and time.monotonic() - self.last_used < IDLE_SECONDS / 2

    def send(self, task: dict[str, Any], blob: Blob) -> None:
        """Hand over a task; a data set travels only the first time."""
        assert self.process.stdin is not None
        data = b"" if blob is None or task["key"] in self.given else blob.tobytes()
        self._printed, self._frame = b"", uuid.uuid4().hex
        with contextlib.suppress(BrokenPipeError):  # a dead process shows when its answer is awaited
            self.process.stdin.write(pack({**task, "frame": self._frame}, data))
            self.process.stdin.flush()
        self.given.add(task["key"])

    def receive(self, deadline: float | None) -> dict[str, Any] | None:
        """The next message; None when the deadline (monotonic seconds) passes. EOFError when the process has died."""
        assert self.process.stdout is not None
        pipe = self.process.stdout.fileno()
        poller = select.poll()
        poller.register(pipe, select.POLLIN)
        while True:
            message = self._take()
            if message is not None:
                return message
            left = 1.0 if deadline is None else min(1.0, deadline - time.monotonic())
            if left <= 0:
                return None
            if poller.poll(left * 1000):
                part = os.read(pipe, 1 << 20)
                if not part:
                    raise EOFError
                self._buffer += part
            elif self.process.poll() is not None:  # dead, but a process it left behind holds the pipe open
                raise EOFError

    def _take(self) -> dict[str, Any] | None:
        """The next message of the task at hand by the process itself; others are left out. Garbled for what is none."""
        while len(self._buffer) >= FRAME.size:
            n_header, n_blob = FRAME.unpack(self._buffer[: FRAME.size])
            if n_header > MOST_BYTES or n_blob:
                raise Garbled
            end = FRAME.size + n_header
            if len(self._buffer) < end:
                return None
            try:
                message = json.loads(self._buffer[FRAME.size : end])
            except (ValueError, RecursionError):
                raise Garbled from None
            del self._buffer[:end]
            if not isinstance(message, dict):
                raise Garbled
            if message.pop("frame", None) == self._frame and message.pop("writer", None) == self.pid:
                return message
        return None

    def kill(self) -> None:
        """End the worker and every process of its group, now; its warden ends those that left the group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill, wait, and free the pipes."""
        self.kill()
        self._line.close()
        self.process.wait()
        self._drainer.join(timeout=1.0)  # where the system does not list what left the group, that may hold the pipe
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def cause_of_death(self) -> str:
        """'signal 11 (SIGSEGV)' or 'exit code 3'."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)
        code = self.process.returncode
        if code is None or code >= 0:
            return f"exit code {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else "unknown"
        return f"signal {-code} ({name}{', perhaps out of memory' if name == 'SIGKILL' else ''})"


class Pool:
    """Workers started when needed and used again; ``run`` may be called from many threads."""

    def __init__(self) -> None:
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._lock = threading.Lock()
        self.closed = False

    def run(
        self, task: dict[str, Any], blob: Blob, limits: Limits, prepared: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        """The outcome of one task; ``prepared`` is called once, when all is compiled or the task has ended.

        Whatever happens to the process, an outcome comes back.
        """
        started = time.perf_counter()
        worker = self._acquire()
        with contextlib.ExitStack() as loading:
            loading.callback(prepared)
            outcome = _supervise(worker, task, blob, limits, loading)
        worker.last_used = time.monotonic()
        with self._lock:
            spent = outcome.pop("spent") or self.closed
            if not spent:
                self._idle.append(worker)
        if spent:
            self._discard(worker)
        outcome["elapsed"] = time.perf_counter() - started
        return outcome

    def _acquire(self) -> Worker:
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                break
            if worker.usable:
                return worker
            self._discard(worker)
        worker = Worker()
        with self._lock:
            self._all.add(worker)
            if self.closed:
                worker.kill()
        return worker

    def _discard(self, worker: Worker) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.close()

    def stop(self) -> None:
        """Kill every worker; tasks that are running end at once, as failures."""
        with self._lock:
            self.closed = True
            for worker in self._all:
                worker.kill()

    def close(self) -> None:
        """Kill every worker and free its pipes; the thread that runs a task frees those of its own worker."""
        self.stop()
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            self._discard(worker)


def _supervise(
    worker: Worker, task: dict[str, Any], blob: Blob, limits: Limits, loading: contextlib.ExitStack
) -> dict[str, Any]:
    """Follow one task through loading, which is closed then, learning and scoring, each with its own deadline."""
    phase, since = "loading", time.monotonic()
    deadline: float | None = since + limits.load
    worker.send(task, blob)
    try:
        while True:
            message = worker.receive(deadline)
            if message is None:
                return _late(worker, phase, limits, time.monotonic() - since)
            if message["phase"] == "done":
                left = message.pop("left", 0)  # processes of the method: a worker of its own for the next cell
                return {**message, "spent": bool(left), "log": message.get("log", "")}
            loading.close()
            phase, since = message["phase"], time.monotonic()
            allowed = limits.hard if phase == "learning" else SCORE_SECONDS
            deadline = None if allowed is None else since + allowed
    except Garbled:
        reason = f"the method wrote into the pipe of its worker while {phase}; stopped"
        return {"status": "failed", "reason": reason, "log": worker.printed, "spent": True}
    except EOFError:
        reason = f"worker process died while {phase}: {worker.cause_of_death()}"
        return {"status": "failed", "reason": reason, "log": worker.printed, "spent": True}


def _late(worker: Worker, phase: str, limits: Limits, waited: float) -> dict[str, Any]:
    worker.kill()
    late: dict[str, Any] = {"log": worker.printed, "spent": True}
    if phase == "learning":
        reason = f"no graph after max_seconds = {limits.learn:g} s; stopped"
        return {**late, "status": "timeout", "reason": reason, "seconds": waited}
    doing = "loading the data and compiling" if phase == "loading" else "scoring the graph"
    return {**late, "status": "failed", "reason": f"{doing} took more than {waited:.0f} s; stopped"}


# ---- starting processes -----------------------------------------------------------------------------------------


def _start() -> tuple[subprocess.Popen[bytes], socket.socket, int]:
    """A warden with a worker below it, the line that holds them alive, and the worker's process id."""
    path = os.pathsep.join(dict.fromkeys(entry or os.getcwd() for entry in sys.path))
    environment = {**os.environ, **dict.fromkeys(ONE_THREAD, "1"), "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-P", "-m", "causalnet.comparison.worker", str(os.getpid())]
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", warden.SCRIPT, str(theirs.fileno()), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            pass_fds=[theirs.fileno()],
        )
    return process, ours, int(ours.recv(32) or process.pid)


# ---- on a cluster -----------------------------------------------------------------------------------------------

_REMOTE: dict[str, Pool] = {}  # pools in this process by the run they belong to
_REMOTE_LOCK = threading.Lock()


def run_remote(run: str, task: dict[str, Any], blob: Blob, limits: Limits) -> Done:
    """Run a task in this process's pool for the given run: what a cluster's node is asked to do. (task, outcome)."""
    with _REMOTE_LOCK:
        pool = _REMOTE.setdefault(run, Pool())
    return task, pool.run(task, blob, limits)


def stop_remote(run: str) -> None:
    """Kill the workers that this process holds for the given run, and free their pipes."""
    with _REMOTE_LOCK:
        pool = _REMOTE.pop(run, None)
    if pool is not None:
        pool.close()
