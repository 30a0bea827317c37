"""Online discovery: what it learns, that its state is explicit and resumes to the bit, and what it refuses."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.backends import att_bic
from causalnet.backends.att_bic.state import SAVED
from causalnet.data import Interactions
from causalnet.discovery.dispatch import discover
from causalnet.envs.fault_alarm import FaultAlarm
from causalnet.envs.fault_alarm.generate import generate_instance
from causalnet.envs.fault_alarm.log import observational_log
from causalnet.graph import topological_order
from causalnet.graph.random_dags import sized_dag
from causalnet.storage import checkpoint

SECONDS = 50.0


def f1(graph: cn.Graph, truth: cn.Graph) -> float:
    a, b = graph.adj, truth.align(graph.nodes).adj
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def play(core: FaultAlarm, state: Any, episodes: int, explore: int, seed: int, k: int = 2):  # type: ignore[no-untyped-def]
    """Episodes of a random policy over the first k present types of the learned order; all types while exploring."""
    rng = np.random.default_rng(seed)
    v = len(core.variables)
    records = []
    for episode in range(episodes):
        _, info = core.reset(seed=int(rng.integers(2**31)))
        over = False
        while not over:
            before = info["counts"][0].copy()
            open_ = before > 0
            if episode >= explore:
                order = topological_order(att_bic.graph(state).adj)
                first = [i for i in order if open_[:, i].any()][:k]
                open_ &= np.isin(np.arange(v), first)
            cells = np.flatnonzero(open_)
            action = int(cells[rng.integers(len(cells))]) if len(cells) else 0
            _, _, ended, cut, info = core.step(np.array([action]))
            over = bool(ended[0] or cut[0])
            record = {
                "before": before,
                "after": info["counts"][0].copy(),
                "started": info["started"][0].copy(),
                "cleared": info["cleared"][0].copy(),
                "unit": action // v,
                "variable": action % v,
            }
            records.append(record)
            if state is not None:
                state = att_bic.step(state, seconds=SECONDS, **record)
    return state, records


def begin(core: FaultAlarm, **options: Any) -> att_bic.State:
    inst = core.instance
    options = {"refresh": 0.2, **options}
    return att_bic.init(core.variables, inst.devices, topology=inst.topology, **options)


@cache
def explored() -> tuple[FaultAlarm, list[dict[str, Any]]]:
    core = FaultAlarm(3)
    return core, play(core, None, 6, 6, 1)[1]


def interactions(core: FaultAlarm, records: list[dict[str, Any]]) -> Interactions:
    parts = {name: np.array([r[name] for r in records]) for name in records[0]}
    inst = core.instance
    before, after = parts.pop("before"), parts.pop("after")
    return Interactions(core.variables, inst.devices, before, after, seconds=SECONDS, topology=inst.topology, **parts)


def test_default_mode_learns_while_a_masked_policy_plays() -> None:
    core = FaultAlarm(3)
    state, _ = play(core, begin(core), 25, 8, 0)
    graph = att_bic.graph(state)
    assert f1(graph, core.instance.graph) >= 0.85
    assert graph.is_dag and np.isfinite(graph.weight).all()
    a, b = graph.edges[0]
    record = graph.explain(a, b)
    assert record["log_likelihood_gain"] > 0 and sum(record["hazard_by_hop"]) > 0 and record["treated"] > 0
    true = core.instance.alpha.sum(axis=0)
    found = graph.weight[graph.adj & core.instance.graph.adj]
    assert np.median(found / true[graph.adj & core.instance.graph.adj]) == pytest.approx(1.0, abs=0.3), "hazards in 1/s"


def test_paper_mode_orients_by_effects_and_prunes_on_the_log() -> None:
    core = FaultAlarm(3)
    log = observational_log(core.instance, 2000, seed=0)
    state, _ = play(core, begin(core, mode="paper", start="random", log=log, rng=4), 20, 10, 0)
    assert f1(att_bic.graph(state), core.instance.graph) >= 0.7
    assert att_bic.graph(state).is_dag
    assert not (att_bic.graph(state).adj & ~att_bic.fitting.oriented(state)).any(), "pruning only takes away"


def test_paper_mode_without_a_log_prunes_on_the_interactions() -> None:
    core, records = explored()
    graph = discover(interactions(core, records), "att-bic", mode="paper")
    assert f1(graph, core.instance.graph) >= 0.6


def test_learn_is_the_fold_of_step() -> None:
    core, records = explored()
    data = interactions(core, records)
    graph = discover(data, "att-bic")
    state = begin(core, refresh=1e9)
    for record in records:
        state = att_bic.step(state, seconds=SECONDS, **record)
    assert att_bic.graph(state, fresh=True) == graph
    assert graph.meta["actions"] == data.n and graph.meta["backend"] == "att-bic"
    assert f1(graph, core.instance.graph) >= 0.75


def test_a_state_is_a_value() -> None:
    core, records = explored()
    state = begin(core)
    for record in records[:40]:
        state = att_bic.step(state, seconds=SECONDS, **record)
    before = att_bic.graph(state, fresh=True)
    copies = {name: value.copy() for name, value in records[40].items() if isinstance(value, np.ndarray)}
    one = att_bic.step(state, seconds=SECONDS, **records[40])
    two = att_bic.step(state, seconds=SECONDS, **records[40])
    assert att_bic.graph(one, fresh=True) == att_bic.graph(two, fresh=True)
    assert att_bic.graph(state, fresh=True) == before and state.steps == 40 and one.steps == 41
    assert all(np.array_equal(records[40][name], copy) for name, copy in copies.items())


@pytest.mark.parametrize("mode", ["default", "paper"])
def test_saved_and_resumed_to_the_bit(tmp_path: Path, mode: str) -> None:
    core, records = explored()
    log = observational_log(core.instance, 500, seed=0)
    state = begin(core, mode=mode, log=log, start="thp")
    for record in records[:70]:
        state = att_bic.step(state, seconds=SECONDS, **record)
    att_bic.save(state, tmp_path / "state.npz")
    again = att_bic.load(tmp_path / "state.npz")
    assert att_bic.graph(again) == att_bic.graph(state)
    for record in records[70:110]:
        state, again = (att_bic.step(s, seconds=SECONDS, **record) for s in (state, again))
    one, two = att_bic.graph(state, fresh=True), att_bic.graph(again, fresh=True)
    assert one == two and np.array_equal(one.weight, two.weight)
    assert state.steps == again.steps == 110 and state.due == again.due
    for name in ("theta", "loss", "chosen"):
        assert np.array_equal(getattr(state, name), getattr(again, name))


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    core, records = explored()
    state = att_bic.step(begin(core), seconds=SECONDS, **records[0])
    path = tmp_path / "state.npz"
    att_bic.save(state, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(cn.DataError, match="cut short"):
        att_bic.load(path)
    path.write_text("hello")
    with pytest.raises(cn.DataError, match="no whole checkpoint"):
        att_bic.load(path)
    np.savez(path, header=np.array('{"format": "causalnet.att_bic/99"}'))
    with pytest.raises(cn.DataError, match="version 99, and this causalnet reads version 3"):
        att_bic.load(path)
    with pytest.raises(cn.DataError, match="no checkpoint"):
        att_bic.load(tmp_path / "nowhere.npz")
    with pytest.raises(cn.CausalnetError, match="cannot be written"):
        att_bic.save(state, path / "no folder" / "state.npz")


def test_a_state_of_0_1_0_is_read(tmp_path: Path) -> None:
    core, records = explored()
    state = begin(core)
    for record in records[:60]:
        state = att_bic.step(state, seconds=SECONDS, **record)
    att_bic.save(state, tmp_path / "new.npz")
    header, arrays = checkpoint.read(tmp_path / "new.npz", SAVED)
    del header["version"]
    header["net"] = False
    arrays = {
        k: a for k, a in arrays.items() if k not in {"share", "run.reads", "rows.unit", "rows.alone", "rows.span"}
    }
    text = json.dumps({**header, "format": "causalnet.att_bic/1"})
    np.savez_compressed(tmp_path / "old.npz", header=np.array(text), **arrays)
    again = att_bic.load(tmp_path / "old.npz")
    assert again.steps == 60 and np.array_equal(again.theta, state.theta) and np.array_equal(again.adj, state.adj)


def test_where_it_starts() -> None:
    core = FaultAlarm(3)
    assert not att_bic.graph(begin(core)).adj.any()
    random = att_bic.graph(begin(core, start="random", rng=1))
    assert len(random.edges) == 36 and random.is_dag
    assert random == att_bic.graph(begin(core, start="random", rng=1))
    assert random != att_bic.graph(begin(core, start="random", rng=2))
    given = cn.Graph.from_edges(core.variables[::-1], [(core.variables[0], core.variables[1])])
    assert att_bic.graph(begin(core, start=given)).edges == given.edges
    log = observational_log(core.instance, 1500, seed=0)
    thp = att_bic.graph(begin(core, start="thp", log=log))
    assert thp.is_dag and f1(thp, core.instance.graph) > 0.3


def test_the_start_stays_until_a_variable_was_seen_to_start() -> None:
    core, records = explored()
    state = begin(core, start="random", rng=1)
    for record in records[:40]:
        state = att_bic.step(state, seconds=SECONDS, **record)
    starts = sum(record["started"].sum(axis=0) for record in records[:40])
    rare = starts < att_bic.fitting.STARTS_NEEDED
    now = att_bic.graph(state, fresh=True).adj
    assert state.start[:, rare].any() and (now[:, rare] == state.start[:, rare]).all()
    busy = starts.argmax()
    assert state.start[:, busy].any() and (now[:, busy] != state.start[:, busy]).any()


@pytest.mark.parametrize("edges", [[], [("a", "b")]])
def test_paper_mode_keeps_the_start_where_the_control_arm_saw_nothing(edges: list[tuple[str, str]]) -> None:
    """b goes with each repair of a: that says nothing before b was seen out of reach, staying or going as well."""
    start = cn.Graph.from_edges(["a", "b", "c"], edges)
    fresh = att_bic.init(["a", "b", "c"], ["u", "v"], mode="paper", start=start, refresh=1e9)

    def repaired(state: Any, times: int, far_b: int, goes: int) -> Any:
        before = np.array([[1, 1, 0], [0, far_b, 1]])
        gone = np.array([[1, 1, 0], [0, goes, 0]])
        arrays = {"before": before, "after": before - gone, "started": 0 * gone, "cleared": gone}
        for _ in range(times):
            state = att_bic.step(state, unit="u", variable="a", **arrays)
        return state

    blind = repaired(fresh, 20, 0, 0)
    assert (att_bic.fitting.oriented(blind) == start.adj).all()
    assert np.argwhere(att_bic.fitting.oriented(repaired(blind, 5, 1, 0))).tolist() == [[0, 1]]
    assert not att_bic.fitting.oriented(repaired(blind, 5, 1, 1)).any()


@pytest.mark.parametrize("mode", ["default", "paper"])
def test_knowledge_is_honoured(mode: str) -> None:
    core, records = explored()
    free = discover(interactions(core, records), "att-bic", mode=mode)
    a, b = free.edges[0]
    c, d = next((x, y) for x in free.nodes for y in free.nodes if x != y and (x, y) not in free.edges and x != b)
    known = cn.Knowledge(forbidden=[(a, b)], required=[(c, d)])
    bound = discover(interactions(core, records), "att-bic", mode=mode, knowledge=known)
    known.check(bound)
    assert bound.is_dag


def switches(seed: int, steps: int = 1500) -> Interactions:
    """One unit, four lamps: a lights b, b lights c, d lights alone; lamps go out by themselves; an action lights one."""
    rng = np.random.default_rng(seed)
    on = np.zeros(4, dtype=int)
    before, after, variable = [], [], []
    for _ in range(steps):
        acted = int(rng.integers(4))
        before.append(on.copy())
        now = on.copy()
        now[acted] = 1
        new = now.copy()
        new[1] |= now[0] and rng.random() < 0.5
        new[2] |= now[1] and rng.random() < 0.5
        new[3] |= rng.random() < 0.1
        stays = (rng.random(4) < 0.5) | (new > on)
        on = new * stays
        after.append(on.copy())
        variable.append(acted)
    unit = np.zeros(steps, dtype=int)
    return Interactions(list("abcd"), ["room"], np.array(before), np.array(after), unit=unit, variable=variable)


@pytest.mark.parametrize("mode", ["default", "paper"])
def test_any_environment_with_states_before_and_after(mode: str) -> None:
    graph = discover(switches(0), "att-bic", mode=mode, counterfactual="others", capacity=1)
    assert {("a", "b"), ("b", "c")} <= set(graph.edges)
    assert not {("b", "a"), ("c", "b"), ("c", "a")} & set(graph.edges)
    assert not [edge for edge in graph.edges if "d" in edge]


def repairs(seed: int, steps: int) -> tuple[FaultAlarm, dict[str, Any]]:
    """Repairs drawn uniformly over the present cells of a network of 12 devices and 12 types, 20 edges."""
    rng = np.random.default_rng(seed)
    types = [f"t{i:02d}" for i in range(12)]
    core = FaultAlarm(generate_instance(seed, n_devices=12, graph=cn.Graph(types, sized_dag(12, 20, rng))), seed=seed)
    _, info = core.reset(seed=seed)
    rows: dict[str, list[Any]] = {name: [] for name in ("before", "after", "started", "cleared", "unit", "variable")}
    for _ in range(steps):
        before = info["counts"][0]
        cells = np.flatnonzero(before)
        action = int(rng.choice(cells)) if len(cells) else 0
        _, _, ended, cut, info = core.step(np.array([action]))
        row = (before, info["counts"][0], info["started"][0], info["cleared"][0], *divmod(action, 12))
        for name, value in zip(rows, row, strict=True):
            rows[name].append(value)
        if ended[0] or cut[0]:
            _, info = core.reset()
    return core, {name: np.array(values) for name, values in rows.items()}


def test_counts_before_and_after_say_nearly_as_much_as_starts_and_ends() -> None:
    core, rows = repairs(1, 3000)
    found = {}
    for n in (200, 3000):
        for net in (True, False):
            some = {name: values[:n] for name, values in rows.items() if not (net and name in ("started", "cleared"))}
            before, after = some.pop("before"), some.pop("after")
            told = {"seconds": SECONDS, "topology": core.instance.topology, **some}
            graph = discover(Interactions(core.variables, core.instance.devices, before, after, **told), "att-bic")
            found[n, net] = f1(graph, core.instance.graph)
    assert found[3000, True] >= max(0.95, found[3000, False] - 0.03, found[200, True]), found


def test_faults_that_keep_to_some_devices_are_no_edges() -> None:
    """Types a, b, c start on one unit of eight, each on its own: nothing but the place joins them."""
    rng = np.random.default_rng(0)
    start = (rng.random((3000, 8, 3)) < np.where(np.arange(8) == 0, 0.3, 0.003)[:, None]).astype(int)
    held, rows = np.zeros((8, 3), dtype=int), []
    for fresh in start:
        cells = np.argwhere(held)
        unit, variable = cells[rng.integers(len(cells))] if len(cells) else (0, 0)
        gone = np.zeros_like(held)
        gone[unit, variable] = held[unit, variable]
        now = held - gone + fresh
        rows.append((held, now, fresh, gone, unit, variable))
        held = np.where(now > 2, 0, now)
    before, after, started, cleared, unit, variable = map(np.array, zip(*rows, strict=True))
    told = {"started": started, "cleared": cleared, "unit": unit, "variable": variable}
    assert not discover(Interactions(list("abc"), range(8), before, after, **told), "att-bic").edges


def test_days_without_an_action_count() -> None:
    """b follows a, and nobody acts: the hazards are those of the log, whether steps or rows tell it."""
    rng = np.random.default_rng(1)
    state, rows, held = att_bic.init(["a", "b"], ["u", "v"], refresh=1e9), [], np.zeros((2, 2), dtype=int)
    for _ in range(1500):
        chance = np.stack([np.full(2, 0.1), 0.01 + 0.3 * (held[:, 0] > 0)], axis=1)
        gone, fresh = held * (rng.random((2, 2)) < 0.5), (rng.random((2, 2)) < chance).astype(int)
        row = {"before": held, "after": held - gone + fresh, "started": fresh, "cleared": gone}
        state = att_bic.step(state, **row)
        held = row["after"]
        rows.append(row)
    graph = att_bic.graph(state, fresh=True)
    assert list(graph.edges) == [("a", "b")] and state.sums.n.sum() == 0 and state.sums.far_held.sum() > 0
    told = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    nobody = np.full(len(rows), -1)
    data = Interactions(
        ["a", "b"], ["u", "v"], told.pop("before"), told.pop("after"), unit=nobody, variable=nobody, **told
    )
    assert discover(data, "att-bic") == graph and not data.frame()["acted"].any()


def row(**changes: Any) -> dict[str, Any]:
    before = np.array([[1, 0], [2, 1]])
    return {"before": before, "after": before, "unit": 0, "variable": 0} | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"before": np.array([[np.nan, 0], [2, 1]])},
            r"row 0: before of unit 0, variable 0 is nan, which is no number",
        ),
        ({"before": np.array([[0.5, 0], [2, 1]])}, "no whole number"),
        ({"after": np.array([[1, 0], [-2, 1]])}, "is negative; counts start at 0"),
        ({"after": np.array([[1, 0]])}, r"expected \(rows, 2, 2\)"),
        ({"before": np.array([["x", "y"], ["z", "w"]])}, "write counts"),
        ({"unit": 2}, "no unit with code 2; they are 0 to 1"),
        ({"variable": -2}, "no variable with code -2"),
        ({"variable": -1}, "row 0 names a unit without a variable"),
        ({"variable": "bb"}, r"there is no variable 'bb'\. Did you mean 'b'"),
        ({"unit": 0.5}, "write codes 0 to 1 or names"),
        ({"seconds": 0.0}, "must be a positive number"),
        ({"seconds": float("nan")}, "must be a positive number"),
        ({"started": np.zeros((2, 2))}, "come together"),
        ({"started": np.ones((2, 2)), "cleared": np.zeros((2, 2))}, r"1 \+ 1 - 0 and not 1"),
    ],
)
def test_bad_rows_are_refused_in_a_sentence(changes: dict[str, Any], message: str) -> None:
    state = att_bic.init(["a", "b"], ["u", "v"])
    with pytest.raises(cn.DataError, match=message):
        att_bic.step(state, **row(**changes))


def test_bad_settings_are_refused_in_a_sentence() -> None:
    log = cn.Events(pd.DataFrame({"event": ["a", "z"], "timestamp": [0, 1], "device": ["u", "u"]}))
    for options, error, message in (
        ({"mode": "papr"}, cn.DataError, "mode is .papr.; write one of default, paper"),
        ({"start": "randm"}, cn.DataError, "start is .randm., and must be"),
        ({"start": "thp"}, cn.DataError, "earlier event log"),
        ({"start": cn.Graph.from_edges(["a", "c"])}, cn.UnknownNameError, "different nodes"),
        ({"log": log}, cn.DataError, "do not match: 'z'"),
        ({"leak": 2.0}, cn.DataError, "leak is 2.0, and must be a finite number from 0 to 1"),
        ({"leak": float("nan")}, cn.DataError, "leak is nan"),
        ({"penalty_scale": -1.0}, cn.DataError, "penalty_scale"),
        ({"capacity": 0}, cn.DataError, "capacity is 0, and must be a finite number from 1 up"),
        ({"hops": (0, 0)}, cn.DataError, "distinct"),
        ({"hops": (1,)}, cn.DataError, "no distance that exists"),
        ({"counterfactual": "other"}, cn.DataError, "counterfactual is .other.; write one of control, others, before"),
        ({"topology": nx.path_graph(["u", "w"])}, cn.DataError, "'w', which is not a unit"),
        ({"topology": nx.DiGraph([("u", "v")])}, cn.DataError, "directed"),
        ({"knowledge": cn.Knowledge(roots=["q"])}, cn.KnowledgeError, "not a variable"),
    ):
        with pytest.raises(error, match=message):
            att_bic.init(["a", "b"], ["u", "v"], **options)
    with pytest.raises(cn.DataError, match="variables names 'a' twice"):
        att_bic.init(["a", "a"])
    with pytest.raises(cn.DataError, match="units is empty; name at least one"):
        att_bic.init(["a"], [])
    with pytest.raises(cn.DataError, match="at most 10000 are taken"):
        att_bic.init(["a"], range(10_001))
    with pytest.raises(cn.DataError, match="not one interaction"):
        Interactions(["a"], ["u"], np.zeros((0, 1, 1)), np.zeros((0, 1, 1)), unit=[], variable=[])
    with pytest.raises(AttributeError, match="frozen"):
        switches(0, 3).before = np.zeros(3)
    with pytest.raises(cn.NotApplicable, match="this is interactions"):
        discover(switches(0, 3), "pc")


@pytest.mark.skipif(
    "CAUSALNET_DATA" not in os.environ, reason="CAUSALNET_DATA names no folder with the official instance"
)
@pytest.mark.parametrize(("mode", "goal"), [("default", 0.85), ("paper", 0.7)])
def test_the_official_instance(mode: str, goal: float) -> None:
    folder = Path(os.environ["CAUSALNET_DATA"]) / "fault_alarm_official"
    core = FaultAlarm(folder)
    rows = pd.read_csv(folder / "events_seed40.csv")
    names, devices = np.array(core.variables), np.array(core.instance.devices)
    frame = {"event": names[rows["alarm_type"]], "timestamp": rows["timestamp"], "device": devices[rows["device"]]}
    log = cn.Events(pd.DataFrame(frame), core.instance.topology, core.variables)
    state, _ = play(core, begin(core, mode=mode, start="thp", log=log), 20, 10, 0)
    assert f1(att_bic.graph(state), core.instance.graph) >= goal
