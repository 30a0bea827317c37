"""Masks: what a learned graph with its doubt is worth to a policy, at every number of interactions."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

from .experiment import main  # noqa: E402

main()
