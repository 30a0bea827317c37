"""Runnable experiments: ``python -m pipelines.NAME [--quick] [--seeds N] [--out DIR]``. Composition only."""
