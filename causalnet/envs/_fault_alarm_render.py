"""A picture of the fault-alarm network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._fault_alarm_core import FaultAlarm


def draw_frame(core: FaultAlarm, action: int | None, copy: int = 0) -> NDArray[np.uint8]:
    """A frame (H, W, 3) of one copy of the batch; ``action`` is the cell repaired last."""
    counts = core.counts_now()[copy]
    frame = np.full((*counts.shape, 3), 255, np.uint8)
    frame[counts > 0] = (200, 40, 40)
    return np.kron(frame, np.ones((8, 8, 1), np.uint8))
