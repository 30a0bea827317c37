"""Methods x data sets x seeds: what to run, where it runs, what is kept of it, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.doors import door

__getattr__, __dir__, __all__ = door(  # a worker runs cells without what plans and reports them
    __name__, {".base.progress": "Progress", "grid": "compare", "results": "Results"}
)

if TYPE_CHECKING:
    from ..base.progress import Progress
    from .grid import compare
    from .results import Results
