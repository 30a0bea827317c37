"""The command ``causalnet train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..base import log_lines
from .inputs import parse_settings, read_graph
from .terminal import say, say_json, show_training

if TYPE_CHECKING:
    from ..training.environment import Plan

FILES = (
    "The graph is what causalnet discover writes: causalnet discover data.csv --out g.json\n\n"
    "The action map says for every action which variable it acts on (none: null, or nothing). JSON, for an action on "
    "power, one on link, and one that does nothing, where observation entry 0 shows power and entry 1 shows link:\n\n"
    '{"actions": ["power", "link", null],\n"observation": ["power", "link"],\n"entries": [0, 1, null]}\n\n'
    "observation: for each entry the variable that it shows. entries: for each action the entry that shows whether "
    "there is something to act on. Either will do; with neither, entry number a shows action number a. As CSV:\n\n"
    "action,variable,entry\n0,power,0\n1,link,1\n2,,"
)


def train_policy(
    env: Annotated[str, typer.Argument(help="A Gymnasium id, or module:Name-v0 for an environment of your own.")],
    graph: Annotated[
        Path | None,
        typer.Option(help="The graph whose root causes may be acted on: the JSON file of causalnet discover --out."),
    ] = None,
    actions: Annotated[
        Path | None,
        typer.Option(
            help="JSON or CSV: the variable that each action acts on, and what shows it; see the end of this text."
        ),
    ] = None,
    k: Annotated[str, typer.Option("--k", "-k", help="Earliest present variables to allow, or roots.")] = "1",
    eta: Annotated[float, typer.Option(help="Probability of ignoring the graph for a step.")] = 0.0,
    present: Annotated[
        str, typer.Option(help="What shows presence: nonzero or positive entries, or module:function.")
    ] = "nonzero",
    learner: Annotated[str, typer.Option("--learner", "-l", help="ppo, dqn or d3qn.")] = "ppo",
    episodes: Annotated[int, typer.Option(help="How many in all; run again with more to go on.")] = 300,
    seed: Annotated[int, typer.Option(help="Decides all randomness.")] = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting of the learner: --set lr=0.001.")] = None,
    make: Annotated[
        list[str] | None, typer.Option("--make", help="An argument of the environment: --make n_devices=8.")
    ] = None,
    import_: Annotated[list[str] | None, typer.Option("--import", help="A module to import first.")] = None,
    evaluate: Annotated[
        int,
        typer.Option(
            help="Episodes to evaluate the agent and its controls on; ppo draws its actions, dqn and d3qn take the best."
        ),
    ] = 20,
    out: Annotated[Path, typer.Option(help="Folder of the results; run again to resume.")] = Path("runs/train"),
    policy: Annotated[Path | None, typer.Option(help="Write what `causalnet act` decides by: p.safetensors.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")] = False,
) -> None:
    """Train an agent on an environment, restricted to the likely root causes of a graph."""
    import sys

    from ..representation.action_map import read_action_map
    from ..training.environment import Plan
    from ..training.session import train as run

    if not {"", str(Path.cwd())} & set(sys.path):
        sys.path.insert(0, str(Path.cwd()))  # for an environment of the user's own
    plan = Plan(
        env,
        learner,
        seed,
        None if graph is None else read_graph(graph),
        int(k) if k.isdecimal() else k,
        eta,
        None if actions is None else read_action_map(actions),
        present,
        parse_settings(make or [], "--make"),
        parse_settings(set_ or []),
        tuple(import_ or ()),
    )
    try:
        summary = run(plan, episodes, out, evaluate_episodes=evaluate, progress=not json_ or log_lines.asked())
    except KeyboardInterrupt:
        say(f"interrupted; run the same command again to go on in {out}", style="red", stderr=True)
        raise typer.Exit(130) from None
    if policy is not None:
        _export(plan, out, policy)
    if json_:
        say_json(summary)
    else:
        show_training(summary)
        say(f"episodes: {out / 'episodes.csv'}   agent: {out / 'agent.npz'}")


def _export(plan: Plan, out: Path, policy: Path) -> None:
    """Write the trained agent of ``out`` as a policy."""
    from ..agents import export_policy
    from ..training.environment import build, learner_class

    export_policy(learner_class(plan.learner).load(out / "agent.npz", build(plan)), policy)
