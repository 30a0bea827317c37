"""What ends a command from outside: a signal is told in a sentence, and the exit code is the one that shells expect."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from types import FrameType

from .terminal import say

SIGNALS = ("SIGTERM", "SIGHUP", "SIGBREAK")  # those that this system has


def run(app: Callable[[], None]) -> None:
    """Run the command line; SIGTERM and SIGHUP end it as Ctrl-C does, with exit code 143 or 129."""
    met: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        met.append(number)
        with contextlib.suppress(OSError, ValueError):  # the terminal may be gone
            say(f"ended by {signal.Signals(number).name}", style="red", stderr=True)
        raise KeyboardInterrupt

    for name in SIGNALS:
        number = getattr(signal, name, None)
        with contextlib.suppress(OSError, ValueError):
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:  # nohup has SIGHUP ignored
                signal.signal(number, end)
    try:
        app()
    except (KeyboardInterrupt, SystemExit) as error:
        if not met:
            raise
        raise SystemExit(128 + met[0]) from error
