"""The arrays of the house by their entries: a name says one width everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]  # real numbers
Floats = NDArray[np.float32]  # what networks compute with
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]  # levels and states by number
AnyArray = NDArray[Any]
