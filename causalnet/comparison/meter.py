"""Seconds, CPU seconds and peak memory of a stretch of work, children included."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def clock(outcome: dict[str, Any]) -> Iterator[None]:
    """Wall and CPU seconds of the block, also when it raises."""
    wall, cpu, children = time.perf_counter(), time.process_time(), children_cpu()
    try:
        yield
    finally:
        outcome["seconds"], outcome["cpu_seconds"] = time.perf_counter() - wall, time.process_time() - cpu
        outcome["children_cpu_seconds"] = children_cpu() - children


def children_cpu() -> float:
    """CPU seconds of processes that this one started and that have ended."""
    use = os.times()
    return use.children_user + use.children_system


def reset_peak() -> None:
    """Restart the kernel's high-water mark of resident memory, where it can be."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def peak_mb() -> float | None:
    """Peak resident memory in MiB since :func:`reset_peak`, None where the system does not tell."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return None
