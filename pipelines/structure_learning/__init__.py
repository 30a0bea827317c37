"""Structure learning: native methods and peers on the same problems in the same run.

Quality first, then process CPU seconds of one thread. *raw*: variances follow the order; *fair*: every variance is 1 and tells
nothing. One draw a problem, a look and no result (SHD between CPDAGs / CPU seconds; degree 4, n = 1000; flopsearch 0.3.0 with 20
restarts, andrey-core 0.10.0):

| | order | pc | notears | flopsearch | andrey BOSS | andrey XGES |
|---|---|---|---|---|---|---|
| ER raw, d = 50 | 0 / .08 | 72 / .003 | 0 / .31 | 0 / .30 | 10 / 2.8 | 9 / 1.5 |
| ER fair, d = 50 | 4 / .04 | 22 / .002 | 77 / .06 | 4 / .21 | 19 / .62 | 23 / .71 |
| scale-free fair, d = 50 | 2 / .04 | 52 / .004 | 83 / .08 | 2 / .27 | 50 / .74 | 21 / .73 |
| ER raw, d = 100 | 4 / .21 | 115 / .004 | 0 / 1.9 | 4 / 1.6 | 54 / 4.5 | 64 / 1.3 |
| ER fair, d = 100 | 9 / .10 | 37 / .004 | 135 / .78 | 9 / .94 | 79 / 1.5 | 73 / 2.1 |

Over six seeds a cell the score of ``order`` is nowhere above flopsearch's in the mean, and its SHD at most 1 above.

The score for categories (``auto`` is fNML) was settled on random networks, but after a look at single draws of alarm, hepar2,
win95pts and hailfinder, so those networks say nothing about it. How ``pc`` ranks colliders was chosen on the simulated seeds on
which it was then set beside andrey-core, and its rule for tables without degrees of freedom after two draws of the benchmark
networks had been seen: on ``alarm`` with 1,000 rows its SHD is 20.5, where it was 13.5 before.

Calibration error of ``edge_confidence`` (``--only confidence``): pairs / directions, with ``order`` on 60 tables a family, with
``pc`` on 240, 60 series and 20 logs, beside what numbers that are calibrated perfectly would show with as few pairs:

| | Gaussian | discrete | mixed (additive) | mixed (conditional) | regimes | series (``pcmci``) | log (``thp``) |
|---|---|---|---|---|---|---|---|
| ``order`` | .007 / .032 | .003 / .009 | .011 / .040 | .028 / .037 | .006 / .009 | .031 / .026 | .011 / .011 |
| by luck | .006 / .016 | .002 / .007 | .003 / .014 | .012 / .019 | .003 / .011 | .014 / .014 | .009 / .009 |
| ``pc`` | .007 / .041 | .006 / .035 | .011 / .048 | .037 / .026 | .004 / .035 | | |
| by luck | .002 / .010 | .004 / .015 | .002 / .010 | .004 / .011 | .002 / .010 | | |

What frequencies, and the graph of the whole table beside them, are worth was settled on 400 tables a family of other sizes (9 to
19 columns, 300 to 2,000 rows, mean degrees 2 to 4); earlier runs of this task, with other settings, had been seen.
"""
