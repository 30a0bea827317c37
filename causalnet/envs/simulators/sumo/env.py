"""Traffic lights that choose their next green phase, in SUMO; each copy is a simulation in a process of its own."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from scipy import sparse

from ....base.arrays import AnyArray, Array, Bools, Floats, Ints
from ....base.checks import choose, instance, numbers, whole
from ....errors import CausalnetError, DataError
from ....report.curves import Chart
from ...networked.checks import check_codes
from .inputs import command_line
from .network import RoadNetwork, read_network, through_yellow
from .picture import draw_roads
from .process import Simulator
from .settings import Signals
from .traffic import REWARDS, Traffic, names_of, observe, read_traffic

PATH = str | Path
USUAL = Signals()


@dataclass(frozen=True)
class Episode:
    """A finished episode. Over all ``vehicles`` whose departure was due, those on their way and those ``kept_out`` included:
    mean_delay = time_loss + depart_delay, in seconds a vehicle."""

    copy: int
    seed: int
    demand: float
    vehicles: int
    arrived: int
    kept_out: int
    time_loss: float
    depart_delay: float

    @property
    def mean_delay(self) -> float:
        return self.time_loss + self.depart_delay


class Sumo:
    """Every light of a road network is an agent; its action is the next green phase of its own program (NetworkedEnv).

    config: a ``.sumocfg``, or the name of a RESCO scenario where sumo-rl is installed ("grid4x4"); or net=, routes=: a network
    and its route files. n_envs: copies that step together, each in a process. reward: "delay" (vehicles, each with the share of
    its allowed speed that it lacks, and those waiting to enter), "queue", "waiting" or "pressure", minus each, before a
    light's lines. demand: times the vehicles of the route files, one number or one a copy. signals: how lights switch, and how
    SUMO is set. Lights with a single green phase are no agents.

    obs (E, n, d) float32, components in ``feature_names``: the phase, its minutes, vehicles standing, approaching and beyond for each
    lane, each phase's pressure, vehicles waiting to enter. info["action_mask"] (E, n, P); after the last step of an episode
    info["mean_delay"] (E,), in seconds a vehicle. ``episodes`` holds every finished one, whatever happens later.
    Close it, or use it in ``with``; its processes end with this one in any case.
    """

    def __init__(
        self,
        config: PATH | None = None,
        *,
        net: PATH | None = None,
        routes: PATH | Sequence[PATH] | None = None,
        n_envs: int | None = None,
        seed: int = 0,
        reward: str = "delay",
        demand: float | Sequence[float] = 1.0,
        signals: Signals = USUAL,
    ) -> None:
        self.signals = instance("signals", signals, Signals, "Signals(...)")
        self._cost = choose("reward", reward, REWARDS)
        self.reward, self.n_envs = reward, n_envs
        copies = 1 if n_envs is None else whole("n_envs", n_envs, 1)
        self.demand: Array = numbers("demand", demand, (copies,), least=0)
        self._options = command_line(config, net, routes, signals)
        self._rng = np.random.default_rng(whole("seed", seed, 0))
        self.episodes: list[Episode] = []
        self.time: Ints = np.zeros(copies, np.int64)  # decisions since reset
        self._running = False
        self._numbers: Floats = np.empty(0, np.float32)
        self._simulators: list[Simulator | None] = [None] * copies
        self._end = weakref.finalize(self, _close, self._simulators)
        try:
            facts, _ = self._tell(0, "describe", options=self._options)
            self.network: RoadNetwork = read_network(facts, signals.reach)
            self.horizon = self._steps(facts["begin"], facts["end"])
        except CausalnetError:
            self.close()
            raise
        self.begin, self.version = float(facts["begin"]), str(facts["version"])
        self._until = float(facts["end"])
        self.n_agents, self.n_actions = self.network.n, self.network.n_phases
        self.labels = tuple(light.name for light in self.network.lights)
        self.phase: Ints = np.zeros((copies, self.n_agents), np.int64)
        self.age: Array = np.zeros((copies, self.n_agents))  # seconds that a phase has been shown

    @property
    def adjacency(self) -> sparse.csr_matrix:
        """(n, n) bool: [i, j] where a road leads from light i to light j without another light between; directed."""
        return self.network.adjacency

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The d components of a local state."""
        return names_of(self.network)

    def reset(self, seed: int | None = None) -> tuple[Floats, dict[str, Any]]:
        """A new episode in every copy; with a seed every later episode is fixed as well. A copy that crashed starts afresh."""
        if seed is not None:
            self._rng = np.random.default_rng(whole("seed", seed, 0))
        self._seeds = self._rng.integers(2**31 - 1, size=len(self._simulators)).tolist()
        self.phase[:], self.age[:], self.time[:] = 0, 0.0, 0
        first = {light.name: light.phases[0] for light in self.network.lights}
        waits = self.reward == "waiting"
        for copy, number in enumerate(self._seeds):
            options = [*self._options, "--scale", f"{self.demand[copy]:g}"]
            lanes, roads = list(self.network.lanes), list(self.network.roads)
            start = {
                "options": options,
                "seed": number,
                "lanes": lanes,
                "edges": roads,
                "waiting": waits,
                "states": first,
            }
            self._ask(copy, "start", **start)
        self._hear()
        self._running = True
        return self.batched(self._observe()), {"action_mask": self.action_masks()}

    def step(self, actions: Any) -> tuple[Floats, Array, Any, Any, dict[str, Any]]:
        """actions (E, n): the phases to show next -> obs (E, n, d), rewards (E, n), terminated, truncated (E,), info."""
        if not self._running:
            raise DataError("no episode is running; call reset first")
        shape = (self.n_agents,) if self.n_envs is None else self.phase.shape
        chosen = check_codes("action", actions, self.n_actions, shape).reshape(self.phase.shape)
        over = bool(self.time[0] + 1 >= self.horizon)
        began = self.begin + self.signals.interval * float(self.time[0])
        until = min(began + self.signals.interval, self._until)
        for copy in range(len(chosen)):
            yellow, green = self._switches(copy, chosen[copy])
            what = {
                "yellow": yellow,
                "green": green,
                "change": began + self.signals.yellow,
                "until": until,
                "last": over,
            }
            self._ask(copy, "advance", **what)
        answers = self._hear()
        self.age = np.where(chosen == self.phase, self.age + self.signals.interval, self.signals.interval)
        self.phase, self.time = chosen.copy(), self.time + 1
        info: dict[str, Any] = {"action_mask": self.action_masks()}
        if over:
            self._running = False
            ended = [self._episode(copy, answer["trips"]) for copy, answer in enumerate(answers)]
            self.episodes += ended
            info["mean_delay"] = self.batched(np.array([episode.mean_delay for episode in ended]))
        out, flags = self.batched, np.ones(len(chosen), bool)
        return out(self._observe()), out(self._cost(self.traffic)), out(flags & False), out(flags & over), info

    @property
    def traffic(self) -> Traffic:
        """What is seen of the traffic now, with the axis E."""
        if not self.time.size or not self._numbers.size:
            raise DataError("there is no traffic yet; call reset first")
        return read_traffic(self.network, self._numbers, self.reward == "waiting")

    def action_masks(self) -> Bools:
        """(E, n, P): the phases that each light has."""
        return self.batched(np.repeat(self.network.allowed[None], len(self._simulators), axis=0))

    def batched(self, x: AnyArray) -> AnyArray:
        """x (E, ...) as it leaves: without the axis E where n_envs is None."""
        return x if self.n_envs is not None else x[0]

    def draw(self, copy: int = 0) -> Chart:
        """The road network now: queues as thick lines back from the stop lines, open lanes in green."""
        copy = whole("copy", copy, 0, len(self._simulators) - 1)
        traffic = self.traffic
        minutes = self.signals.interval * int(self.time[copy]) / 60
        delay = f", {traffic.queue[copy].sum():.0f} vehicles stand at {self.n_agents} lights"
        return draw_roads(self.network, traffic.queue[copy], self.phase[copy], f"After {minutes:.1f} minutes{delay}")

    def close(self) -> None:
        """End every simulation; ``episodes`` stays, and reset starts new ones."""
        self._running = False
        _close(self._simulators)

    def __enter__(self) -> Sumo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    # ---- simulations ------------------------------------------------------------------------------------------------

    def _ask(self, copy: int, do: str, **what: Any) -> None:
        simulator = self._simulators[copy]
        if simulator is None or not simulator.alive:
            if do == "advance":
                self._running = False
            else:
                simulator = self._simulators[copy] = Simulator(self.signals.patience)
        assert simulator is not None
        try:
            simulator.ask(do, **what)
        except CausalnetError:
            self.close()
            raise

    def _hear(self) -> list[dict[str, Any]]:
        """Everybody's answer; where one fails the others are ended too, since their episode cannot be finished."""
        try:
            heard = [simulator.hear() for simulator in self._simulators if simulator is not None]
        except CausalnetError:
            self.close()
            raise
        self._numbers = np.stack([found for _, found in heard])
        return [answer for answer, _ in heard]

    def _tell(self, copy: int, do: str, **what: Any) -> tuple[dict[str, Any], Floats]:
        self._ask(copy, do, **what)
        simulator = self._simulators[copy]
        assert simulator is not None
        return simulator.hear()

    def _steps(self, begin: float, end: float) -> int:
        if end <= begin:
            raise DataError(
                f"an episode begins at {begin:g} s and has no end after it; write one, in Signals(end=...), in seconds"
            )
        return int(np.ceil((end - begin) / self.signals.interval - 1e-9))

    def _switches(self, copy: int, chosen: Ints) -> tuple[dict[str, str], dict[str, str]]:
        """What the lights that change show first, and then."""
        yellow, green = {}, {}
        for i in np.flatnonzero(chosen != self.phase[copy]):
            light = self.network.lights[i]
            now, then = light.phases[self.phase[copy, i]], light.phases[chosen[i]]
            yellow[light.name], green[light.name] = through_yellow(now, then), then
        return yellow if self.signals.yellow else {}, green

    def _observe(self) -> Floats:
        return observe(self.network, self.traffic, self.phase, self.age)

    def _episode(self, copy: int, trips: dict[str, float]) -> Episode:
        many = int(trips["vehicles"])
        losses = [trips[name] / max(many, 1) for name in ("time_loss", "depart_delay")]
        people = (many, int(trips["arrived"]), int(trips["kept_out"]))
        return Episode(copy, self._seeds[copy], float(self.demand[copy]), *people, *losses)


def _close(simulators: list[Simulator | None]) -> None:
    """End all; first every pipe, so that they end side by side."""
    for simulator in simulators:
        if simulator is not None:
            simulator.requests.close()
    for simulator in simulators:
        if simulator is not None:
            simulator.close()
    simulators[:] = [None] * len(simulators)
