"""Scalable Actor-Critic on the wireless network of Lin et al.: return against episodes, and cost against agents.

``python -m pipelines.scalable_actor_critic`` (about twenty minutes on one core). Curves for kappa = 0, 1, 2 beside localised
ALOHA, the uniform policy and the literal algorithm; the critic and the gradient against exact solutions of small
networks, and how both errors fall with the number of samples; process CPU time of one whole update for 100 to 100,000 agents, with PettingZoo's dictionaries beside it; SysAdmin on networks
with hubs, beside NetworkedPPO and two rules.
Every finished run is kept: start it again to finish or extend it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from causalnet.agents import Rate, Settings
from causalnet.storage.rows import Row
from pipelines.common import Cells, complete, open_table, options
from pipelines.scalable_actor_critic import complexity, report, runs
from pipelines.scalable_actor_critic.machines import machines
from pipelines.scalable_actor_critic.runs import GAMMA, Variant

SIZES = ((10, 10), (25, 40), (100, 100), (250, 400))
_loads = Settings(gamma=GAMMA, critic="counts", gradient="score", baseline_rate=0.02, actor_rate=Rate(0.5))
MACHINES = [*((50, seed) for seed in range(5)), (1000, 0)]  # SysAdmin: machines, seed
VARIANTS = (
    Variant("kappa = 1", Settings(kappa=1, gamma=GAMMA), 60_000),
    Variant("kappa = 2", Settings(kappa=2, gamma=GAMMA), 60_000),
    Variant("kappa = 0 (independent)", Settings(kappa=0, gamma=GAMMA), 60_000),
    Variant("kappa = 1, loads", _loads, 60_000),
    Variant("kappa = 1, linear", Settings(gamma=GAMMA, critic="linear"), 60_000),
    Variant("Algorithm 1, eta = 1", Settings.paper(gamma=GAMMA), 120_000, 1, 3),
    Variant("Algorithm 1, eta = 30", Settings.paper(gamma=GAMMA, eta=30.0), 120_000, 1, 3),
    Variant("follow-up, table kept", Settings.restarting(gamma=GAMMA, capacity=2**19), 120_000, 1, 1),
)


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is not yet there; write results.csv, episodes.csv, summary.json and report.html."""
    args = options(__doc__, "runs/scalable_actor_critic").parse_args(argv)
    table = open_table(args.out, runs.Result, args.quick)
    complete(table, _cells(args.seeds or (2 if args.quick else 10), args.quick), "runs")
    return report.write(args.out, table, [v.name for v in VARIANTS])


def _cells(seeds: int, quick: bool) -> Cells:
    """Every run by name, in the order that they are done."""
    # cost first: the peak memory is the process's
    cells = {
        f"cost {n * m}": partial(runs.cost, n, m, 10_000 if quick else 100_000)
        for n, m in SIZES[: 2 if quick else None]
    }
    cells |= {f"controls {seed}": partial(runs.controls, seed, 500 if quick else 4000) for seed in range(seeds)}
    for v in VARIANTS:
        length = 500 if quick else v.episodes
        for seed in range(min(seeds, v.seeds or seeds)):
            cells[f"{v.name} {seed} {length}"] = partial(runs.curve, v, seed, length, quick)
    sizes = [(n, kappa) for n in range(2, 3 if quick else 6) for kappa in (0, 1, 2)]
    for seed in range(min(seeds, 10)):
        many = 6 if quick else 11
        cells[f"critic rate {seed} {many}"] = partial(complexity.critic_errors, seed, many)
        cells[f"gradient rate {seed} {many}"] = partial(complexity.gradient_norms, seed, many)
    hubs = {f"machines {n} {seed}": partial(machines, n, seed, quick) for n, seed in ([(6, 0)] if quick else MACHINES)}
    return cells | hubs | {f"exact {n} {kappa}": partial(runs.exact_answers, n, kappa) for n, kappa in sizes}
