"""GSAC from data to deployment (arXiv 2510.21427): masks, compact states, training across domains, adaptation without training.

Measured over 5 to 10 seeds, 95 % intervals in the report: the first 30 episodes in an unseen domain, untrained, give .982 of
the collision-free ceiling (g = 3), .993, .994 (g = 4, 5); the paper 1.00 to 1.02 (g = 3), .89 to .91 (g = 4, 5). That is above
the start of SAC-FT after 6,000 source episodes by .024, .031, .059, after 600 by .23; SAC-FT with GSAC's compact state ties.
Causal masks from 20 trajectories a domain, pooled over agents: distractors out, domain, own and actions' edges found in 100 of
100 seeds, where p varies (.2, .5, .8) and where p and q do (.2, .8 each); weak effects of neighbours' packets need 60 to 100.

What more source domains bring where users contend (M rates drawn from .2 to .8, 12 draws, 3,000 source episodes in all, M = 1, 2, 4,
8, 16, 32): the sources' mean return errs as an estimate of the return over the range by .62, .35, .27, .28, .08, .09, log-log
slope -.60 (the bound's: -1/2); the return there is 2.23, 2.40, 2.47, 2.42, 2.36, 2.32: one budget has to serve them all.

On the papers' wireless grids the best policy is the same at every arrival rate: what sets GSAC apart there is its compact
state. Where users contend for few access points, knowing the domain pays with little traffic (2.07 against 1.70 at p = .35) and
not with more (notebook 03). The scale of the factor in GSAC's policy was chosen by returns on source domains, with the target's
in sight.
"""
