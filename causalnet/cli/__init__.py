"""``causalnet ...``: the same calls from the shell."""

from __future__ import annotations

from .app import main
