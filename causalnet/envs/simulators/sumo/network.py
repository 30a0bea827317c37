"""The road network around the lights, in arrays: phases, the lanes that they open, who feeds whom. No simulator is asked here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from ....base.arrays import Array, Bools, Ints
from ....errors import DataError

OPEN = "Gg"  # SUMO's letters for a link that may go: first, or after those that may go first
CLOSING = "rs"  # letters at which a link that went must have shown yellow


@dataclass(frozen=True)
class Light:
    """One set of lights: its green phases as SUMO writes them (a letter a link), their seconds in the network's own program,
    and the lanes that it stops, each with the lanes beyond."""

    name: str
    phases: tuple[str, ...]
    seconds: tuple[float, ...]
    lanes: tuple[str, ...]
    beyond: tuple[tuple[str, ...], ...]
    links: tuple[int, ...]  # the lane (by number) that each letter of a phase stands for; -1: none

    def opens(self) -> Bools:
        """(phases, lanes): which lanes may go in a phase."""
        table = np.zeros((len(self.phases), len(self.lanes)), bool)
        for row, state in zip(table, self.phases, strict=True):
            for letter, lane in zip(state, self.links, strict=False):
                row[lane] |= lane >= 0 and letter in OPEN
        return table


@dataclass(frozen=True)
class RoadNetwork:
    """n lights with at most P phases and m lanes each; L lanes and R roads are measured. Lane tables have n * m rows, light by light.

    near (n * m, L): the measured lanes that end at a light's lane, a lane that feeds several counted in equal shares.
    beyond (n * m, L): the mean of the lanes that follow. entering (n, R): roads on which vehicles wait to enter the network.
    green (n, P, m): lanes that a phase opens. allowed (n, P): the phases that there are.
    adjacency (n, n): [i, j] where a road leads from light i to light j without another light between.
    """

    lights: tuple[Light, ...]
    lanes: tuple[str, ...]
    roads: tuple[str, ...]
    speed: Array  # (L,), m/s allowed
    near: sparse.csr_matrix
    beyond: sparse.csr_matrix
    entering: sparse.csr_matrix
    adjacency: sparse.csr_matrix
    shapes: Mapping[str, Array]  # of every lane of the network: points (k, 2) in metres

    @property
    def n(self) -> int:
        return len(self.lights)

    @cached_property
    def width(self) -> int:
        """m, the most lanes at a light."""
        return max(len(light.lanes) for light in self.lights)

    @cached_property
    def n_phases(self) -> Ints:
        return np.array([len(light.phases) for light in self.lights], np.int64)

    @cached_property
    def green(self) -> Bools:
        table = np.zeros((self.n, int(self.n_phases.max()), self.width), bool)
        for i, light in enumerate(self.lights):
            table[i, : len(light.phases), : len(light.lanes)] = light.opens()
        return table

    @cached_property
    def allowed(self) -> Bools:
        return np.arange(self.n_phases.max()) < self.n_phases[:, None]

    @cached_property
    def program(self) -> Array:
        """(n, P): seconds of each phase in the network's own program; 0 where there is no such phase."""
        table = np.zeros(self.allowed.shape)
        for i, light in enumerate(self.lights):
            table[i, : len(light.seconds)] = light.seconds
        return table


def read_network(facts: Mapping[str, Any], reach: float) -> RoadNetwork:
    """From what a simulator says of its network: the lights that have a choice, and the lanes up to ``reach`` metres before them.

    facts: "lights", each with "name", "phases" [[state, seconds]] and "links" [[[lane, lane beyond], ...]] by letter; "lanes"
    by name, each with "edge", "length", "speed", "next" and "shape".
    """
    lights = tuple(light for fact in facts["lights"] if len((light := _light(fact)).phases) > 1)
    if not lights:
        raise DataError(
            f"the network has {len(facts['lights'])} traffic lights, and none with two green phases or more; there is nothing to choose"
        )
    lanes: Mapping[str, Any] = facts["lanes"]
    owner = {lane: i for i, light in enumerate(lights) for lane in light.lanes}
    width = max(len(light.lanes) for light in lights)
    number: dict[str, int] = {}
    near, beyond, entering = [], [], {}
    before = _before(lanes)
    for i, light in enumerate(lights):
        for j, lane in enumerate(light.lanes):
            row = i * width + j
            for name, part in _upstream(lane, lanes, before, owner, reach).items():
                near.append((row, number.setdefault(name, len(number)), part))
                entering[i, lanes[name]["edge"]] = True
            follow = light.beyond[j]
            beyond += [(row, number.setdefault(name, len(number)), 1 / len(follow)) for name in follow]
    roads = {road: k for k, road in enumerate(dict.fromkeys(road for _, road in entering))}
    waits = [(i, roads[road], 1.0) for i, road in entering]
    size = len(lights) * width
    return RoadNetwork(
        lights,
        tuple(number),
        tuple(roads),
        np.array([lanes[name]["speed"] for name in number]),
        _matrix(near, (size, len(number))),
        _matrix(beyond, (size, len(number))),
        _matrix(waits, (len(lights), len(roads))),
        _adjacency(lights, lanes, owner),
        {name: np.array(lane["shape"], float) for name, lane in lanes.items()},
    )


def through_yellow(now: str, then: str) -> str:
    """What a light shows between two phases: yellow where a link that may go will have to stop."""
    return "".join("y" if a in OPEN and b in CLOSING else a for a, b in zip(now, then, strict=True))


def _light(fact: Mapping[str, Any]) -> Light:
    links = [[pair for pair in pairs if pair[0]] for pairs in fact["links"]]
    lanes = tuple(dict.fromkeys(pair[0] for pairs in links for pair in pairs))
    beyond = {lane: dict.fromkeys(pair[1] for pairs in links for pair in pairs if pair[0] == lane) for lane in lanes}
    seconds: dict[str, float] = {}
    for state, duration in fact["phases"]:
        if re.search("[Gg]", state) and not re.search("[yYu]", state):  # a green phase; u: red and yellow before green
            seconds[state] = seconds.get(state, 0.0) + float(duration)
    number = {lane: k for k, lane in enumerate(lanes)}
    return Light(
        fact["name"],
        tuple(seconds),
        tuple(seconds.values()),
        lanes,
        tuple(tuple(beyond[lane]) for lane in lanes),
        tuple(number[pairs[0][0]] if pairs else -1 for pairs in links),
    )


def _before(lanes: Mapping[str, Any]) -> dict[str, list[str]]:
    """The lanes from which a vehicle comes to a lane."""
    before: dict[str, list[str]] = {}
    for name, lane in lanes.items():
        for following in dict.fromkeys(lane["next"]):
            before.setdefault(following, []).append(name)
    return before


def _upstream(
    lane: str, lanes: Mapping[str, Any], before: Mapping[str, Sequence[str]], owner: Mapping[str, int], reach: float
) -> dict[str, float]:
    """The lane and those that lead to it without a light, as long as they start within reach; with the share of their vehicles."""
    share = {lane: 1.0}
    front = [(lane, lanes[lane]["length"])]
    while front:
        name, distance = front.pop()
        if distance < reach:
            for further in before.get(name, ()):
                if further not in owner and further not in share:
                    share[further] = share[name] / len(set(lanes[further]["next"]))
                    front.append((further, distance + lanes[further]["length"]))
    return share


def _adjacency(lights: Sequence[Light], lanes: Mapping[str, Any], owner: Mapping[str, int]) -> sparse.csr_matrix:
    """Follow the roads from each light until they reach the next one."""
    pairs = set()
    for i, light in enumerate(lights):
        front = [name for follow in light.beyond for name in follow]
        seen = set(front)
        while front:
            name = front.pop()
            if name in owner:
                pairs.add((i, owner[name]))
                continue
            new = [following for following in lanes[name]["next"] if following in lanes and following not in seen]
            seen.update(new)
            front += new
    found = [(i, j, True) for i, j in sorted(pairs) if i != j]
    return _matrix(found, (len(lights), len(lights))).astype(bool)


def _matrix(entries: Sequence[tuple[int, int, float]], shape: tuple[int, int]) -> sparse.csr_matrix:
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    return sparse.csr_matrix((np.asarray(values, float), (rows, columns)), shape=shape)
