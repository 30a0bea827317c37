"""Learning by doing on the fault-alarm network: Table 1 and Figure 3 of arXiv 2402.04869, and every control beside them.

``python -m pipelines.fault_alarm`` runs masks x learners x starts x modes over seeds and writes tables and curves,
published and measured side by side. Every finished run is kept: start it again to finish or extend it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from causalnet.storage.rows import Row, RowFile, read_rows
from pipelines.common import complete, open_table, options, positive
from pipelines.fault_alarm import report, speed
from pipelines.fault_alarm.runs import EARLY, JUDGED, LEARNERS, PLAYED, RULES, SCORES, Run, make, official, play

MODES = ("default", "paper")
MASKS, INITS = ("causal", "none", "presence", "random", "true"), ("thp", "random", "empty")
EVALUATION = 200  # fresh episodes played by the policy that came out of training
SPENT = ("trained_episodes", "trained_steps", "train_return", "cpu_seconds")
MEASURED = [*PLAYED, *SCORES, "f1_judged", *(f"f1_{episode}" for episode in EARLY), *SPENT]


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run what is asked and not yet there; write results.csv, episodes.csv, summary.json and report.html."""
    args = _arguments(argv)
    table, plan = open_table(args.out, Run, args.quick, MEASURED), _runs(args)
    complete(table, {run.key: partial(play, run, args.out) for run in plan}, "runs", args.jobs)
    alike = {(run.episodes, run.evaluation) for run in plan}  # other lengths are other experiments
    table.rows = [r for r in table.rows if (r["episodes"], r["evaluation"]) in alike]
    fast = {} if args.no_speed else speed.measure(args.out, make(args.instance[0]), 1 if args.quick else 5)
    return report.write(args.out, table, fast, _join_episodes(args.out, alike))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = options(__doc__, "runs/fault_alarm")
    add = parser.add_argument
    where = "official, official-logs, a seed, or a folder; hard or hard:NAME for its hard form; several with commas"
    add("--instance", default=None, help=where)
    for name, known in (("learner", LEARNERS), ("mask", MASKS), ("init", INITS), ("mode", MODES)):
        add(f"--{name}", type=partial(_choices, known=known), default=known, help=f"of {', '.join(known)}")
    add("--episodes", type=positive, default=600, help="training episodes a run (default 600)")
    add("--evaluation", type=positive, default=EVALUATION, help="fresh episodes that judge the result")
    add("--no-speed", action="store_true", help="leave the measurement of speeds out")
    add("--jobs", type=positive, default=1, help="processes at a time")
    args = parser.parse_args(argv)
    args.instance = (args.instance or ("official,hard" if official() else "0,hard:0")).split(",")
    args.seeds = args.seeds or (2 if args.quick else 4)
    if args.quick:
        args.learner, args.init, args.mode = args.learner[:1], args.init[1:2] or args.init[:1], args.mode[:1]
        args.episodes, args.evaluation = min(args.episodes, 12), min(args.evaluation, 5)
    return args


def _choices(text: str, known: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(part.strip() for part in text.split(","))
    odd = [part for part in chosen if part not in known]
    if odd:
        raise argparse.ArgumentTypeError(f"there is no {odd[0]!r}; choose of {', '.join(known)}")
    return chosen


def _runs(args: argparse.Namespace) -> list[Run]:
    """Every run that is asked for; a mask without a learned graph has neither start nor mode."""
    found, n = [], args.evaluation
    short = min(args.episodes, JUDGED)
    for seed in range(args.seeds):
        for instance in args.instance:
            found += [Run(instance, rule, "", "", "", seed, 0, n) for rule in RULES]
            found += [Run(instance, "start", "", init, "", seed, 0, n) for init in args.init]
            for learner in args.learner:
                for mask in args.mask:
                    if mask != "causal":
                        found.append(Run(instance, learner, mask, "", "", seed, short, n))
                        if mask == "none" and "paper" in args.mode:
                            found.append(Run(instance, learner, mask, "", "paper", seed, short, n))
                        continue
                    found += [
                        Run(instance, learner, mask, init, mode, seed, args.episodes, n)
                        for mode in args.mode
                        for init in args.init
                        if init != "empty" or mode == "default"  # the paper has two starts
                    ]
    return found


def _join_episodes(out: Path, alike: set[tuple[int, int]]) -> list[Row]:
    """episodes.csv: the episodes of every run of these lengths, a row a run and episode; its rows."""
    names, columns, rows = ("instance", "learner", "mask", "init", "mode", "seed"), [], []
    for path in sorted((out / "runs").glob("*/run.json")):
        key = json.loads(path.read_text(encoding="utf-8"))
        if (key["episodes"], key["evaluation"]) in alike:
            columns, played, _ = read_rows(path.parent / "episodes.csv")
            rows += [{**{n: key[n] for n in names}, **row} for row in played]
    RowFile(out / "episodes.csv", [*names, *columns], names[:-1]).replace(rows)
    return rows
