"""How much memory there is to be had, so that what cannot fit is refused before it is taken."""

from __future__ import annotations

import math
import os
from pathlib import Path

from ..errors import DataError


def room() -> float:
    """Bytes that this process may still take; inf where the system does not tell."""
    return min(_available(), _limit())


def _available() -> float:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    except (OSError, ValueError, IndexError):
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return math.inf


def _limit() -> float:
    """What ``ulimit -v`` leaves."""
    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError, ValueError):
        return math.inf
    return math.inf if most == resource.RLIM_INFINITY else max(0.0, most - float(pages) * resource.getpagesize())


def size(n_bytes: float) -> str:
    """So many bytes in words: 1.2 GiB."""
    return f"{n_bytes / 2**30:.3g} GiB" if n_bytes >= 2**30 else f"{n_bytes / 2**20:.3g} MiB"


def require(what: str, n_bytes: float, instead: str) -> None:
    """DataError where ``what`` takes more than there is; instead: what to do then."""
    there = room()
    if n_bytes > there:
        raise DataError(f"{what} take about {size(n_bytes)}, and {size(there)} of memory are free; {instead}")
