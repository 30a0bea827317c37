"""One simulation of SUMO in a process of its own: libsumo holds one a process, and a crash in it takes the process along.

Run as a file by :mod:`.process`; it imports nothing but the standard library and libsumo, reads requests as JSON from its
standard input and answers on its standard output with a line of JSON and the measured numbers as 32-bit floats. When
the input ends, because its parent closed it or died, it ends as well.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from array import array
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from xml.etree import ElementTree


class Simulation:
    """What a parent may ask for; every answer is a dictionary and, where vehicles were counted, their numbers."""

    def __init__(self, folder: str) -> None:
        import libsumo

        self.sumo = libsumo
        self.trips = Path(folder) / "trips.xml"
        self.loaded = False
        self.lanes: list[str] = []
        self.edges: list[str] = []
        self.waiting = False

    def load(self, options: list[str], seed: int) -> None:
        """Read the network and the demand; vehicles drive from the first step on."""
        self.unload()
        outputs = ["--tripinfo-output", str(self.trips)]
        outputs += ["--tripinfo-output.write-unfinished", "true", "--tripinfo-output.write-undeparted", "true"]
        quiet = ["--no-step-log", "true", "--no-warnings", "true", "--duration-log.disable", "true"]
        self.sumo.start(["sumo", *options, *outputs, *quiet, "--random", "false", "--seed", str(seed)])
        self.loaded = True

    def unload(self) -> None:
        if self.loaded:
            self.loaded = False
            self.sumo.close()

    def describe(self, options: list[str]) -> tuple[dict[str, Any], array[float]]:
        """The road network as it is: times, lights with their programs, lanes with what follows them."""
        self.load(options, 0)
        sumo = self.sumo
        facts = {
            "version": sumo.getVersion()[1],
            "begin": sumo.simulation.getTime(),
            "end": sumo.simulation.getEndTime(),
            "lights": [self._light(name) for name in sorted(sumo.trafficlight.getIDList())],
            "lanes": {name: self._lane(name) for name in sumo.lane.getIDList() if not name.startswith(":")},
        }
        self.unload()
        return facts, array("f")

    def _light(self, name: str) -> dict[str, Any]:
        lights = self.sumo.trafficlight
        running = lights.getProgram(name)
        logic = next(one for one in lights.getAllProgramLogics(name) if one.programID == running)
        return {
            "name": name,
            "phases": [[phase.state, phase.duration] for phase in logic.phases],
            "links": [[list(link[:2]) for link in links] for links in lights.getControlledLinks(name)],
        }

    def _lane(self, name: str) -> dict[str, Any]:
        lane = self.sumo.lane
        return {
            "edge": lane.getEdgeID(name),
            "length": lane.getLength(name),
            "speed": lane.getMaxSpeed(name),
            "next": [link[0] for link in lane.getLinks(name)],
            "shape": [list(point[:2]) for point in lane.getShape(name)],
        }

    def start(
        self, options: list[str], seed: int, lanes: list[str], edges: list[str], waiting: bool, states: dict[str, str]
    ) -> tuple[dict[str, Any], array[float]]:
        """Begin an episode: the lights show ``states``; from now on these lanes and edges are measured."""
        self.lanes, self.edges, self.waiting = lanes, edges, waiting
        self.load(options, seed)
        self._show(states)
        return {"time": self.sumo.simulation.getTime()}, self._measure()

    def advance(
        self, yellow: dict[str, str], green: dict[str, str], change: float, until: float, last: bool
    ) -> tuple[dict[str, Any], array[float]]:
        """Show ``yellow`` up to the time ``change``, then ``green`` up to ``until``; after the last step, the trips' delays."""
        if yellow:
            self._show(yellow)
            self.sumo.simulationStep(min(change, until))
        self._show(green)
        self.sumo.simulationStep(until)
        numbers = self._measure()
        answer: dict[str, Any] = {"time": self.sumo.simulation.getTime()}
        if last:
            self.unload()
            answer["trips"] = delays(self.trips)
        return answer, numbers

    def _show(self, states: dict[str, str]) -> None:
        for name, state in states.items():
            self.sumo.trafficlight.setRedYellowGreenState(name, state)

    def _measure(self) -> array[float]:
        lane = self.sumo.lane
        numbers = array("f", map(lane.getLastStepVehicleNumber, self.lanes))
        numbers.extend(map(lane.getLastStepHaltingNumber, self.lanes))
        numbers.extend(map(lane.getLastStepMeanSpeed, self.lanes))
        if self.waiting:
            numbers.extend(map(lane.getWaitingTime, self.lanes))
        numbers.extend(len(self.sumo.edge.getPendingVehicles(edge)) for edge in self.edges)
        return numbers


def delays(path: Path) -> dict[str, float]:
    """Sums over all vehicles whose departure was due, of SUMO's trip file: also those on their way, and those never let in."""
    found = {"vehicles": 0, "arrived": 0, "kept_out": 0, "time_loss": 0.0, "depart_delay": 0.0, "travel_time": 0.0}
    for _, element in ElementTree.iterparse(path):
        if element.tag == "tripinfo":
            found["vehicles"] += 1
            found["arrived"] += float(element.get("arrival", -1)) >= 0
            found["kept_out"] += float(element.get("depart", -1)) < 0
            found["time_loss"] += max(0.0, float(element.get("timeLoss", 0)))
            found["depart_delay"] += max(0.0, float(element.get("departDelay", 0)))
            found["travel_time"] += max(0.0, float(element.get("duration", 0)))
        element.clear()
    return found


def serve(requests: Connection, answers: Connection) -> None:
    """Answer until the requests end."""
    with tempfile.TemporaryDirectory(prefix="causalnet-sumo-") as folder:
        simulation = Simulation(folder)
        while True:
            try:
                request = json.loads(requests.recv_bytes())
            except EOFError:
                break
            command = request.pop("do")
            try:
                found, numbers = getattr(simulation, command)(**request)
            except Exception as error:  # SUMO raises what it likes; the parent makes a sentence of it
                found, numbers = {"error": " ".join(str(error).split()) or type(error).__name__}, array("f")
            answers.send_bytes(json.dumps(found).encode())
            answers.send_bytes(numbers.tobytes())
        simulation.unload()


if __name__ == "__main__":
    channel = os.dup(1)
    os.dup2(2, 1)  # what the simulator prints is no answer
    try:
        serve(Connection(os.dup(0), writable=False), Connection(channel, readable=False))
    except OSError:  # the parent is gone
        sys.exit(1)
