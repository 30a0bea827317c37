"""The fault-alarm environment: its law against a slow second implementation, its contract, its files, bad input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import networkx as nx
import numpy as np
import pytest
from fault_alarm_reference import Reference
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from causalnet import DataError, Graph
from causalnet.envs import FaultAlarm, FaultAlarmEnv, Instance, Rules, generate_instance, load_instance, save_instance
from causalnet.envs.fault_alarm import table_3
from causalnet.envs.fault_alarm.instance import hop_weights
from causalnet.errors import CausalnetError

ID = "causalnet/FaultAlarm-v0"
MODES = ["counts", "ages", "paper"]


@pytest.fixture(scope="module")
def instance() -> Instance:
    return generate_instance(5)


@pytest.fixture(scope="module")
def official(request: pytest.FixtureRequest) -> Path:
    folder = request.getfixturevalue("outside_data") / "fault_alarm_official"
    if not folder.is_dir():
        pytest.skip("needs fault_alarm_official/ in CAUSALNET_DATA")
    return folder


def totals(info: dict[str, Any], name: str = "counts") -> np.ndarray:
    return info[name].sum(axis=(1, 2)).astype(float)


def absent(core: FaultAlarm) -> np.ndarray:
    """(E,) a cell without alarms: repairing it changes nothing."""
    return (core.counts_now().reshape(core.n_envs, -1) == 0).argmax(axis=1)


def earliest(core: FaultAlarm, rng: np.random.Generator) -> np.ndarray:
    """(E,) a random device of the earliest present type in the true order."""
    place = np.argsort(core.instance.order)
    key = np.where(core.counts_now() > 0, place + rng.random((core.n_envs, *core.shape)), np.inf)
    return key.reshape(core.n_envs, -1).argmin(axis=1)


def uniform(core: FaultAlarm, rng: np.random.Generator) -> np.ndarray:
    return np.where(core.action_masks(), rng.random((core.n_envs, core.n_actions)), -1.0).argmax(axis=1)


def play(core: FaultAlarm, policy: Any, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Returns and lengths of one episode in each copy."""
    core.reset(seed)
    total, length = np.zeros(core.n_envs), np.zeros(core.n_envs)
    while not core.finished.all():
        length += ~core.finished
        total += core.step(policy(core))[1]
    return total, length


# ---- the law --------------------------------------------------------------------------------------------------


def z_score(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Difference of the means over the first axis in standard errors."""
    return (a.mean(0) - b.mean(0)) / np.sqrt(a.var(0) / len(a) + b.var(0) / len(b) + 1e-12)


def grow(instance: Instance, seed: int, slow: int, fast: int, steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(total, started, cleared, per type at the end) without repair, from the reference and from the kernel."""
    v = instance.n_types
    ref = {name: np.zeros((slow, steps + 1)) for name in ("counts", "started", "cleared")}
    kinds = np.zeros((slow, v))
    simulator = Reference(instance, seed)
    for i in range(slow):
        ref["counts"][i, 0] = len(simulator.reset())
        for s in range(1, steps + 1):
            taken = {a["cell"] for a in simulator.alarms}
            nothing = next(c for c in range(instance.n_cells) if divmod(c, v) not in taken)
            _, ref["started"][i, s], ref["cleared"][i, s] = simulator.step(nothing)
            ref["counts"][i, s] = len(simulator.alarms)
        kinds[i] = np.bincount([a["cell"][1] for a in simulator.alarms], minlength=v)
    core = FaultAlarm(instance, n_envs=fast, max_steps=steps + 1)
    _, info = core.reset(seed)
    ker = {name: np.zeros((fast, steps + 1)) for name in ref}
    ker["counts"][:, 0] = totals(info)
    for s in range(1, steps + 1):
        info = core.step(absent(core))[4]
        for name in ref:
            ker[name][:, s] = totals(info, name)
    return [*((ref[name], ker[name]) for name in ref), (kinds, info["counts"].sum(axis=1).astype(float))]


@pytest.mark.parametrize("hard", [False, True])
def test_alarms_grow_as_in_a_second_implementation(instance: Instance, hard: bool) -> None:
    for slow, fast in grow(instance.harden() if hard else instance, 11, 70, 1500, 6):
        assert np.abs(z_score(slow, fast)).max() < 4.2


def test_alarms_grow_as_on_the_official_instance(official: Path) -> None:
    for slow, fast in grow(load_instance(official), 12, 70, 1500, 8):
        assert np.abs(z_score(slow, fast)).max() < 4.2


def test_repairs_reward_and_ends_as_in_a_second_implementation(instance: Instance) -> None:
    """One uniformly drawn repair after reset: reward, alarms started and cleared."""
    slow = np.zeros((250, 3))
    simulator, rng = Reference(instance, 4), np.random.default_rng(4)
    for row in slow:
        cells = sorted({a["cell"] for a in simulator.reset()})
        device, kind = cells[rng.integers(len(cells))]
        row[:] = simulator.step(device * instance.n_types + kind)
    core = FaultAlarm(instance, n_envs=4000)
    core.reset(4)
    _, reward, _, _, info = core.step(uniform(core, rng))
    fast = np.stack([reward + 0.01, totals(info, "started"), totals(info, "cleared")], axis=1)
    assert np.abs(z_score(slow, fast)).max() < 4.0


def test_first_arrivals_have_the_exact_law() -> None:
    """One root, two effects with strong rates: P(effect) = 1 - exp(-rate * window) each, independently."""
    graph = Graph.from_edges(["a", "b", "c"], [("a", "b"), ("a", "c")])
    base = generate_instance(0, n_devices=2, graph=graph)
    alpha = np.zeros((2, 3, 3))
    alpha[0, 0, 1], alpha[1, 0, 2] = 0.02, 0.05
    rules = Rules(root_probability=0.0, noise_probability=0.0, initial_roots=1, initial_alarms=1)
    lonely = replace(
        base, alpha=alpha, transient=np.zeros((2, 3)), root_cells=np.array([0]), order=np.arange(3), rules=rules
    )
    core = FaultAlarm(lonely, n_envs=5000)
    core.reset(0)
    started = core.step(np.full(5000, 5))[4]["started"]
    same, near = started[:, 0, 1], started[:, 1, 2]
    assert started.sum() == same.sum() + near.sum() and started.max() == 1
    for fired, rate in ((same, 0.02), (near, 0.05)):
        p = 1.0 - np.exp(-50.0 * rate)
        assert abs(fired.mean() - p) < 4 * np.sqrt(p * (1 - p) / 5000)
    assert abs(np.corrcoef(same, near)[0, 1]) < 4 / np.sqrt(5000)


def test_reset_has_one_fault_of_each_root_type_and_20_to_25_alarms(official: Path) -> None:
    core = FaultAlarm(official, n_envs=3000)
    _, info = core.reset(0)
    n = totals(info)
    assert n.min() == 20 and n.max() <= 26 and abs(n.mean() - 20.8) < 0.1
    of_type = info["counts"].sum(axis=1)
    roots = {int(c) % 18 for c in core.instance.root_cells}
    assert all((of_type[:, kind] >= 1).all() for kind in roots)


def test_controls_score_what_they_score_on_the_official_simulator(official: Path) -> None:
    """Published controls (mean, standard error) within 4 joint errors; the spread of uniform within a fifth."""
    core, rng = FaultAlarm(official, n_envs=400), np.random.default_rng(0)
    published = {
        "oracle": (lambda c: c.oracle(), 1.22, 1.0 / 5),
        "oldest": (lambda c: c.oldest(), 1.19, 0.10),
        "earliest": (lambda c: earliest(c, rng), 1.14, 0.07),
        "uniform": (lambda c: uniform(c, rng), -27.2, 23.6 / 5),
    }
    for policy, mean, error in published.values():
        got, length = play(core, policy)
        assert abs(got.mean() - mean) < 4 * np.hypot(error, got.std() / 20)
        assert length.max() <= 100
    assert abs(got.std() - 23.6) < 5


def test_on_hard_instances_age_gives_nothing_away(instance: Instance) -> None:
    core, rng = FaultAlarm(instance, n_envs=150, hard=True), np.random.default_rng(0)
    by_age, by_order, oracle = (
        play(core, p)[0].mean() for p in (lambda c: c.oldest(), lambda c: earliest(c, rng), lambda c: c.oracle())
    )
    assert by_order > 0.4 and oracle > 0.1 and by_age < by_order - 1.5 and by_age < oracle - 1.5


def test_on_hard_instances_alarms_of_one_poll_have_one_age(instance: Instance) -> None:
    core = FaultAlarm(instance, n_envs=50, observation="ages", hard=True)
    obs, _ = core.reset(0)
    assert (obs[:, 0::2] == 0).all()
    for _ in range(5):
        obs = core.step(absent(core))[0]
    assert set(np.unique(obs[:, 0::2])) <= {0.0, 50.0, 100.0, 150.0, 200.0, 250.0}
    assert core.instance.hard and len(core.instance.root_cells) == core.n_actions


# ---- the contract ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_the_checkers_of_gymnasium_and_stable_baselines3_pass(instance: Instance, mode: str) -> None:
    env = gymnasium.make(ID, instance=instance, observation=mode, render_mode="rgb_array")
    check_env(env.unwrapped)
    pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.env_checker import check_env as check_for_sb3

    check_for_sb3(FaultAlarmEnv(instance, observation=mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("hard", [False, True])
def test_started_and_cleared_account_for_every_alarm(instance: Instance, mode: str, hard: bool) -> None:
    core = FaultAlarm(instance, n_envs=40, observation=mode, hard=hard)
    rng = np.random.default_rng(1)
    obs, info = core.reset(1)
    high = core.obs_high()
    while not core.finished.all():
        before, done = info["counts"].astype(int), core.finished
        obs, reward, terminated, truncated, info = core.step(uniform(core, rng))
        assert obs.dtype == np.float32 and (obs >= 0).all() and (obs <= high).all()
        assert (before + info["started"] - info["cleared"] == info["counts"]).all()
        assert (info["started"] >= 0).all() and (info["cleared"] >= 0).all() and (info["counts"] >= 0).all()
        assert (core.counts(obs) == info["counts"]).all()
        assert (terminated[~done] == ((totals(info) == 0) | (totals(info) > 1000))[~done]).all()
        assert not (terminated & truncated).any() and (core.finished == (done | terminated | truncated)).all()
        assert (reward[done] == 0).all() and (info["started"][done] == 0).all()


def test_the_reward_is_the_published_one(instance: Instance) -> None:
    core, rng = FaultAlarm(instance, n_envs=60), np.random.default_rng(3)
    _, info = core.reset(3)
    for step in range(1, 12):
        acted, done, before = uniform(core, rng), core.finished, info["counts"].reshape(60, -1).astype(int)
        _, reward, _, _, info = core.step(acted)
        m = before.sum(axis=1) - before[np.arange(60), acted]
        n = totals(info)
        ratio = np.where((n == 0) | (m == 0), 1.0, (m - n) / np.maximum(m, 1))
        assert reward[~done] == pytest.approx((ratio - step / 100)[~done], abs=0.00501)
        assert reward * 100 == pytest.approx(np.round(reward * 100), abs=1e-9)


def test_a_batch_of_streams_is_reproducible(instance: Instance) -> None:
    batch, single = FaultAlarm(instance, n_envs=3), FaultAlarm(instance)
    first = batch.reset(9)[0]
    batch.step(absent(batch))
    assert (batch.reset(9)[0] == first).all() and not (first[0] == first[1]).all()
    assert (single.reset(9)[0][0] == first[0]).all()
    own = batch.reset([4, 9, 5])[0]
    assert (own[1] == first[0]).all()
    assert not (batch.reset()[0] == own).all()
    assert not (FaultAlarm(instance).reset()[0] == FaultAlarm(instance).reset()[0]).all()


def test_finished_copies_wait_for_their_reset(instance: Instance) -> None:
    core = FaultAlarm(instance, n_envs=4, max_steps=3)
    core.reset(0)
    for _ in range(3):
        _, _, _, truncated, _ = core.step(absent(core))
    assert truncated.all()
    with pytest.raises(CausalnetError, match="every episode is over"):
        core.step(absent(core))
    core.reset(which=np.array([True, False, False, True]))
    before = core.counts_now()
    obs, reward, _, truncated, _ = core.step(absent(core))
    assert core.finished.tolist() == [False, True, True, False] and not truncated.any()
    assert (core.counts(obs)[1:3] == before[1:3]).all() and (reward[1:3] == 0).all()


def test_masks_actions_and_names_line_up(instance: Instance) -> None:
    env = gymnasium.make(ID, instance=instance).unwrapped
    obs, info = env.reset(seed=3)
    mask, (d, v) = env.action_masks(), env.counts(obs).shape
    assert mask.dtype == bool and (mask == (info["counts"].ravel() > 0)).all()
    assert len(env.variables) == v == 18 and len(env.action_variables) == len(env.action_units) == d * v
    actions = np.arange(d * v)
    assert (env.action_units * v + env.action_variables == actions).all()
    assert mask[env.oracle()] and mask[env.oldest()]
    for _ in range(100):
        _, _, terminated, _, info = env.step(env.oracle())
        if terminated:
            break
    assert info["counts"].sum() == 0 and env.action_masks().all()


def test_observations_agree_with_each_other(instance: Instance) -> None:
    cores = {mode: FaultAlarm(instance, n_envs=30, observation=mode) for mode in MODES}
    for core in cores.values():
        core.reset(2)
    for _ in range(4):
        seen = {mode: core.step(core.oldest())[0] for mode, core in cores.items()}
        counts = seen["counts"]
        ages, starts = seen["ages"][:, 0::2], seen["paper"][:, 0::2]
        assert (seen["ages"][:, 1::2] == counts).all() and (seen["paper"][:, 1::2] == counts).all()
        assert (ages[counts == 0] == 0).all() and (starts[counts == 0] == 0).all()
        clock = np.broadcast_to(cores["ages"].clock[:, None], ages.shape)
        one = counts == 1
        assert (ages[one] == np.maximum(clock - starts, 0)[one]).all() and (starts == np.floor(starts)).all()
        assert (ages[counts > 0] >= np.maximum(clock - starts, 0)[counts > 0]).all()


def test_the_state_is_saved_and_goes_on_to_the_bit(instance: Instance) -> None:
    core, twin = FaultAlarm(instance, n_envs=5), FaultAlarm(instance, n_envs=5)
    core.reset(1)
    core.step(core.oldest())
    twin.load_state_dict(core.state_dict())
    for _ in range(5):
        a, b = core.step(core.oldest()), twin.step(twin.oldest())
        assert all((x == y).all() for x, y in zip(a[:4], b[:4], strict=True))
    assert (core.reset()[0] == twin.reset()[0]).all()
    held = core.state_dict()
    core.step(core.oldest())
    assert not (held["clock"] == core.state_dict()["clock"]).any()


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6), n_devices=st.integers(2, 80), hard=st.booleans())
def test_instances_of_any_size_work_and_survive_a_file(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n_devices: int, hard: bool
) -> None:
    made = generate_instance(seed, n_devices=n_devices, hard=hard)
    assert made.graph == table_3() and nx.is_connected(made.topology) and made.hard == hard
    rates = made.alpha[made.alpha > 0]
    assert len(rates) == 94 and rates.min() >= 1e-4 and rates.max() <= 13e-4
    assert made.mu.min() >= 5e-4 and made.mu.max() <= 8e-4
    back = load_instance(save_instance(made, tmp_path_factory.mktemp("instance")))
    assert back.graph == made.graph and back.rules == made.rules and back.name == made.name
    assert all((a == b).all() for a, b in zip(made.tables, back.tables, strict=True))
    obs = FaultAlarm(back, n_envs=2).reset(seed)[0]
    assert (obs == FaultAlarm(made, n_envs=2).reset(seed)[0]).all() and (obs.sum(axis=1) >= 20).all()


def test_the_fingerprint_tells_instances_apart_and_not_copies(instance: Instance, tmp_path: Path) -> None:
    copy = load_instance(save_instance(instance, tmp_path))
    assert copy.fingerprint == instance.fingerprint == replace(instance, name="mine").fingerprint
    faster = instance.alpha * 1.001
    nearer = tuple(w * 0.9 for w in instance.hop_weights)
    others = [
        generate_instance(1),
        instance.harden(),
        replace(instance, alpha=faster),
        replace(instance, hop_weights=nearer),
        replace(instance, transient=~instance.transient),
        replace(instance, mu=instance.mu * 1.1),
    ]
    assert len({one.fingerprint for one in (instance, *others)}) == 7


def test_five_thousand_devices(tmp_path: Path) -> None:
    core = FaultAlarm(0, n_devices=5000)
    core.reset(0)
    obs = core.step(core.oldest())[0]
    assert obs.shape == (1, 90_000)
    save_instance(core.instance, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 5e6


def test_rendering_shows_the_state(instance: Instance) -> None:
    env = gymnasium.make(ID, instance=instance, render_mode="rgb_array")
    env.reset(seed=0)
    first = env.render()
    env.step(env.unwrapped.oracle())
    second = env.render()
    assert first.shape == (760, 1120, 3) and first.dtype == np.uint8
    assert (first != second).any() and (first == env.unwrapped.render()).mean() > 0.9
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 8  # several alarm colours
    with pytest.raises(CausalnetError, match="render_mode='rgb_array'"):
        FaultAlarmEnv(instance).render()


def test_pictures_of_a_network_in_parts_are_the_same_in_every_process() -> None:
    code = (
        "from dataclasses import replace; import networkx as nx, zlib; from causalnet.envs import *; "
        "made = generate_instance(0, n_devices=12); parts = nx.Graph(made.topology); "
        "parts.remove_edges_from(list(parts.edges)[:3]); "
        "env = FaultAlarmEnv(replace(made, topology=parts), render_mode='rgb_array'); env.reset(seed=0); "
        "print(zlib.crc32(env.render().tobytes()))"
    )
    seen = set()
    for salt in "12":
        environment = {**os.environ, "PYTHONHASHSEED": salt}
        seen.add(subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True).stdout)
    assert len(seen) == 1


def test_importing_the_package_compiles_nothing() -> None:
    code = (
        "import sys, causalnet.envs, gymnasium; "
        f"heavy = {{'numba', 'torch', 'pandas', 'PIL'}} & set(sys.modules); print(heavy); "
        f"sys.exit(bool(heavy) or {ID!r} not in gymnasium.registry)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_steps_are_fast(instance: Instance) -> None:
    """A generous bound (the published simulator takes 7300 microseconds a step): a lost compilation would show."""
    core = FaultAlarm(instance, n_envs=64)
    core.reset(0)
    core.step(absent(core))
    begin = time.process_time()
    for _ in range(50):
        core.step(core.oldest())
        if core.finished.any():
            core.reset(which=core.finished)
    assert (time.process_time() - begin) / (50 * 64) < 73e-6


# ---- nonsense -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [-1, 900, 1.0, np.float64(2.0), "3", None, True, np.array([1]), np.array(1.5)])
def test_odd_actions_are_refused(instance: Instance, action: Any) -> None:
    env = FaultAlarmEnv(instance)
    env.reset(seed=0)
    with pytest.raises(DataError, match="action"):
        env.step(action)
    env.step(np.int64(4))
    env.step(np.array(4))


@pytest.mark.parametrize("actions", [[1], [[1, 2]], [1.0, 2.0], [1, 900], [-1, 0], ["a", "b"], [True, False]])
def test_odd_batches_of_actions_are_refused(instance: Instance, actions: Any) -> None:
    core = FaultAlarm(instance, n_envs=2)
    core.reset(0)
    with pytest.raises(DataError, match="action"):
        core.step(actions)


def test_odd_arguments_are_refused(instance: Instance, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="observation is 'count'; write one of counts, ages, paper"):
        FaultAlarm(instance, observation="count")  # type: ignore[arg-type]
    for bad in ({"n_envs": 0}, {"max_steps": 0}, {"max_steps": 2.5}, {"n_envs": True}):
        with pytest.raises(DataError, match="whole number from 1 "):
            FaultAlarm(instance, **bad)  # type: ignore[arg-type]
    for odd in (-1, True):
        with pytest.raises(DataError, match="seed of an instance"):
            FaultAlarm(odd)
    with pytest.raises(DataError, match="hard is 'no'; write True or False"):
        FaultAlarm(instance, hard="no")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="leave it out"):
        FaultAlarm(instance, n_devices=4)
    with pytest.raises(DataError, match="seed, a folder or an Instance"):
        FaultAlarm(3.5)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="render_mode"):
        FaultAlarmEnv(instance, render_mode="human")
    with pytest.raises(DataError, match="cannot be read"):
        FaultAlarm(tmp_path / "nowhere")
    core = FaultAlarm(instance, n_envs=2)
    with pytest.raises(CausalnetError, match="reset the environment first"):
        core.step([1, 2])
    with pytest.raises(DataError, match="first reset starts every copy"):
        core.reset(which=np.array([True, False]))
    for seed in (-3, 1.5, [1, 2, 3]):
        with pytest.raises(DataError, match="seed"):
            core.reset(seed)  # type: ignore[arg-type]
    core.reset(0)
    with pytest.raises(DataError, match="which is a boolean per copy"):
        core.reset(which=[1, 0])
    with pytest.raises(DataError, match="900 entries"):
        core.counts(np.zeros(1800))
    with pytest.raises(DataError, match="not a finite number"):
        core.counts(np.full(900, np.nan))
    with pytest.raises(DataError, match="no options"):
        FaultAlarmEnv(instance).reset(options={"a": 1})


def test_stepping_a_finished_environment_is_refused(instance: Instance) -> None:
    env = FaultAlarmEnv(instance, max_steps=1)
    env.reset(seed=0)
    assert env.step(0)[3]
    with pytest.raises(CausalnetError, match="every episode is over"):
        env.step(0)


def test_odd_instances_are_refused(instance: Instance) -> None:
    types = instance.types
    cycle = instance.graph.adj.copy()
    i, j = np.argwhere(cycle)[0]
    cycle[j, i] = True
    nan = instance.alpha.copy()
    nan[0, 0, 1] = np.nan
    more = instance.alpha.copy()
    more[0, 4, 4] = 1e-3
    for change, words in [
        ({"alpha": instance.alpha[:, :-1]}, "alpha of an instance has the shape"),
        ({"alpha": nan}, "alpha of an instance holds something"),
        ({"alpha": more}, "HARD_BAD -> HARD_BAD has a rate but no edge"),
        ({"alpha": -instance.alpha}, "rates are positive"),
        ({"mu": np.zeros(18)}, "rates are positive"),
        ({"order": instance.order[::-1]}, "before its cause"),
        ({"order": np.zeros(18)}, "each alarm type once"),
        ({"root_cells": []}, "root_cells"),
        ({"root_cells": [900]}, "root_cells must lie between 0 and 899"),
        ({"transient": np.zeros((3, 18))}, "transient"),
        ({"noise_types": [0.5]}, "whole numbers"),
        ({"graph": Graph(types[::-1], np.zeros((18, 18), bool))}, "not the alarm types in their order"),
        ({"topology": nx.path_graph(50)}, "topology's nodes"),
        ({"rules": Rules(window=0.0)}, "rules: window is 0.0, and must be a finite number above 0"),
        ({"rules": Rules(root_probability=1.5)}, "root_probability is 1.5, and must be a finite number from 0 to 1"),
        ({"rules": Rules(max_alarms=10**6)}, "max_alarms is 1000000, and must be a whole number"),
        ({"rules": Rules(initial_alarms=2000)}, "above max_alarms"),
        ({"hop_weights": instance.hop_weights[:1]}, "alpha"),
        ({"hop_weights": tuple(-w for w in instance.hop_weights)}, "negative weight"),
        ({"hop_weights": tuple(np.ones(w.shape[0]) for w in instance.hop_weights)}, "has the shape"),
    ]:
        with pytest.raises(DataError, match=words):
            replace(instance, **change)
    with pytest.raises(DataError, match="cycle"):
        replace(instance, graph=Graph(types, cycle))
    with pytest.raises(DataError, match="acyclic"):
        generate_instance(0, graph=Graph(types, cycle))
    with pytest.raises(DataError, match="n_devices"):
        generate_instance(0, n_devices=1)


def test_a_reset_that_cannot_end_says_so(instance: Instance) -> None:
    quiet = replace(instance, rules=Rules(root_probability=0.0, noise_probability=0.0, warmup=0.0))
    with pytest.raises(CausalnetError, match="lower initial_alarms"):
        FaultAlarm(quiet).reset(0)


def test_damaged_folders_are_refused(instance: Instance, tmp_path: Path) -> None:
    good = save_instance(instance, tmp_path / "good")

    def damaged(name: str, change: Any) -> Path:
        folder = tmp_path / name
        shutil.copytree(good, folder)
        if name.startswith("json"):
            raw = json.loads((folder / "model.json").read_text())
            change(raw)
            (folder / "model.json").write_text(json.dumps(raw))
        else:
            arrays = dict(np.load(folder / "model.npz", allow_pickle=False))
            change(arrays)
            np.savez(folder / "model.npz", **arrays)
        return folder

    cases = [
        ("json1", lambda raw: raw.pop("alarm_types"), "model.json lacks 'alarm_types'"),
        ("json2", lambda raw: raw["alarm_types"].append("LTI"), "repeats LTI"),
        (
            "json3",
            lambda raw: raw.update(possible_root_alarms=[[0, 40]]),
            "type in possible_root_alarms must lie between 0 and 17; found 40 to 40",
        ),
        (
            "json4",
            lambda raw: raw.update(time_range="long"),
            "rules: window is 'long', and must be a finite number above 0",
        ),
        ("json5", lambda raw: raw.update(max_alarms=2.5), "max_alarms is 2.5, and must be a whole number"),
        ("json6", lambda raw: raw.update(node_num=-1), "node_num"),
        ("json7", lambda raw: raw.update(possible_root_alarms=[[0, 1], [2]]), "has rows of different lengths"),
        ("json8", lambda raw: raw.update(possible_root_alarms=[[-1, 3]]), "root_cells must lie between 0 and 899"),
        ("json9", lambda raw: raw.update(causal_order=3), r"causal_order of an instance has the shape \(\)"),
        ("json10", lambda raw: raw.update(root_events_num="five"), "root_events_num is 'five', and must be a whole"),
        ("json11", lambda raw: raw.update(polled=1), "rules: polled is 1; write True or False"),
        ("json12", lambda raw: raw.update(node_num=49), "devices has 50 names, and node_num is 49"),
        ("npz0", lambda arrays: arrays.update(alpha=np.array(0.1)), "alpha of an instance has the shape"),
        ("npz1", lambda arrays: arrays.pop("mu"), "model.npz lacks 'mu'; it has: alpha"),
        ("npz2", lambda arrays: arrays.update(mu=np.full(18, np.nan)), "mu of an instance holds something"),
        ("npz3", lambda arrays: arrays.update(causal_graph=np.zeros((3, 3))), "causal_graph"),
        (
            "npz4",
            lambda arrays: arrays.update(links=np.array([[0, 99]])),
            "links must lie between 0 and 49; found 0 to 99",
        ),
        ("npz5", lambda arrays: arrays.update(causal_graph=np.zeros((18, 18))), "a rate but no edge"),
        ("npz6", lambda arrays: arrays.update(hop_pair=arrays["hop_pair"] + 60), "hop_pair"),
    ]
    for name, change, words in cases:
        with pytest.raises(DataError, match=words):
            load_instance(damaged(name, change))
    (good / "model.npz").write_bytes((good / "model.npz").read_bytes()[:300])
    with pytest.raises(DataError, match="plain numpy arrays"):
        load_instance(good)
    (good / "model.json").write_text("[1")
    with pytest.raises(DataError, match="not JSON"):
        load_instance(good)


def test_pickles_in_a_folder_are_not_opened(instance: Instance, tmp_path: Path) -> None:
    save_instance(instance, tmp_path)
    np.savez(tmp_path / "model.npz", alpha=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="plain numpy arrays"):
        load_instance(tmp_path)


def test_states_of_another_environment_are_refused(instance: Instance) -> None:
    core = FaultAlarm(instance, n_envs=2)
    core.reset(0)
    state = core.state_dict()
    with pytest.raises(DataError, match="this environment has"):
        FaultAlarm(instance, n_envs=3).load_state_dict(state)
    with pytest.raises(DataError, match="missing or unknown"):
        core.load_state_dict({k: v for k, v in state.items() if k != "clock"})
    for name, value, words in [
        ("cell", 900, "cells that the instance does not have"),
        ("father", 500, "before its father"),
        ("start", np.nan, "finite"),
        ("n", 10_000, "more alarms than it holds"),
    ]:
        odd = {k: v.copy() for k, v in state.items()}
        odd[name].flat[0] = value
        with pytest.raises(DataError, match=words):
            core.load_state_dict(odd)
    assert (core.state_dict()["cell"] == state["cell"]).all()


def test_the_official_instance_is_read_as_described(official: Path) -> None:
    made = load_instance(official)
    assert made.graph == table_3() and made.n_devices == 50 and made.rules == Rules()
    assert len(made.root_cells) == 50 and len(made.noise_devices) == 40 and len(made.noise_types) == 13
    assert made.transient.sum() == 101 and (made.alpha[0] > 0).sum() == 54 and (made.alpha[1] > 0).sum() == 40
    again = hop_weights(made.topology, 2)
    assert all(abs(a - b).max() < 1e-12 for a, b in zip(again, made.hop_weights, strict=True))


def test_a_network_written_by_hand_is_read(tmp_path: Path) -> None:
    header = {
        "alarm_types": ["a", "b"],
        "node_num": 3,
        "causal_order": [0, 1],
        "possible_root_alarms": [[0, 0], [2, 0]],
    }
    (tmp_path / "model.json").write_text(json.dumps(header))
    alpha = np.zeros((2, 2, 2))
    alpha[1, 0, 1] = 1e-3
    edge = alpha.any(axis=0)
    arrays = {"causal_graph": edge, "alpha": alpha, "mu": np.full(2, 1e-4), "transient_cells": np.zeros((3, 2))}
    np.savez(tmp_path / "model.npz", links=[[0, 1], [1, 2]], **arrays)
    read = load_instance(tmp_path)
    assert read.graph.edges == (("a", "b"),) and read.devices == ("0", "1", "2")
    again = load_instance(save_instance(read, tmp_path / "copy"))
    assert np.array_equal(again.alpha, alpha) and again.root_cells.tolist() == [0, 4]
    assert FaultAlarm(tmp_path, seed=0).reset()[0].shape == (1, 6)


@pytest.mark.parametrize("size", [0, 1, 2.5, True])
def test_no_network_without_devices(size: object) -> None:
    with pytest.raises(DataError, match=r"n_devices is .*, and must be a whole number from 2 to 100000"):
        FaultAlarm(0, n_devices=size)
