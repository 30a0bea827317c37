"""Causes of alarms from event logs: thp by events, types, devices, clock and noise, beside controls and peers."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

from .experiment import main  # noqa: E402

main()
