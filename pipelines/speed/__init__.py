"""Speed beside the peer: native against causal-learn, gcastle and DAGMA on the same problem in the same run.

On a two-core virtual machine (geometric means, 95 % intervals; causal-learn 0.1.4.8, gcastle 1.0.4, dagma 1.1.1), ratios of
process CPU time, one thread, validation of the input included:

* PC to the CPDAG, Gaussian, ER degree 4, n = 1000, d = 50 / 100 / 200, causal-learn: 860x / 2,200x / 6,700x, same skeleton,
  also on 200 random problems. ALARM, n = 5000, chi-square / G-square: 134x / 120x, same skeleton.
* NOTEARS, ER degree 4, d = 10 / 20, gcastle: 1,470x / 1,200x, SHD 0.0 / 0.0 against 4.8 / 6.2; DAGMA, d = 10 / 20 / 50:
  470x / 154x / 33x, SHD 0.0 / 0.0 / 0.0 against 0.0 / 0.8 / 4.0; scale-free degree 8, d = 50: 24x, 1.6 against 9.0. Ours is
  the default, with its search over orders; the peers' are theirs. Most of its accuracy on raw simulated data is owed to that
  search and to equal noise variances, which give the order away; on standardised data it is no better than its peers.
* THP, 1,500 events, 12 types, gcastle's TTPM: 1,550x [1,290, 1,860], same graph.
* The fault-alarm environment steps about 370 times faster than the published simulator (19.7 against 7,300 microseconds; the
  latter is quoted, not measured in the same run), in batches of 256 about 3,000 times; masked PPO learns 3.4 times as many
  steps a CPU second as sb3-contrib's MaskablePPO on alarm-like inputs, 2.0 times on dense ones
  (``python -m pipelines.speed.learning``).
"""
