"""What more source domains bring: the return in domains never seen, and how far the sources' mean return is from it.

A policy trained on M domains drawn from a distribution is judged by their mean return, which is a sample of the return that the
distribution promises: the meta-training term of arXiv 2510.21427, bounded by C / sqrt(M).
"""

from __future__ import annotations

import numpy as np

from causalnet.agents import GSAC
from pipelines.gsac.networks import NETS
from pipelines.gsac.runs import Point, points, quiet

NET = "contention"
RANGE = (0.2, 0.8)  # arrival rates are drawn uniformly in between
UNSEEN = 13  # rates that stand for the distribution


@quiet()
def by_sources(sizes: list[int], seeds: int, budget: int) -> list[Point]:
    """Return over the distribution, and |mean return of the M sources - that return|, for M iid domains and a fixed budget."""
    net, found = NETS[NET], []
    grid = np.linspace(*RANGE, 2 * UNSEEN + 1)[1::2]
    for many in sizes:
        returns, errors = np.empty(seeds), np.empty(seeds)
        for seed in range(seeds):
            drawn = np.random.default_rng([seed, many]).uniform(*RANGE, many)
            kind = "polynomial" if many > 1 else "none"
            agent = GSAC([net.make(float(p), 1) for p in drawn], drawn, net.settings, conditioning=kind, seed=seed)
            agent.learn(budget)
            told = [agent.evaluate(net.make(float(p), 20), float(p), 200).mean() for p in grid]
            returns[seed] = np.mean(told)
            errors[seed] = abs(np.interp(drawn, grid, told).mean() - returns[seed])
        found += points("sources", NET, "return in unseen domains", [many], returns)
        found += points("sources", NET, "generalization error", [many], errors)
    return found
