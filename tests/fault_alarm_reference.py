"""The fault-alarm dynamics once more, slowly: one dictionary an alarm, one exponential a pair, in the published order.

Written from the description of the environment, not from the kernel, and used to check the kernel's distributions.
"""

from __future__ import annotations

import numpy as np

from causalnet.envs import Instance

LASTING = 999_999


class Reference:
    def __init__(self, instance: Instance, seed: int) -> None:
        self.instance, self.rules = instance, instance.rules
        self.rng = np.random.default_rng(seed)
        self.weights = [matrix.toarray() for matrix in instance.hop_weights]
        v = instance.n_types
        self.roots = [(int(cell) // v, int(cell) % v) for cell in instance.root_cells]
        self.ids = 0

    def exponential(self, rate: float) -> float:
        return float(self.rng.exponential(1.0 / rate))

    def alarm(self, device: int, kind: int, start: float, father: int, lasting: bool) -> dict:
        self.ids += 1
        length = LASTING if lasting else max(self.rules.shortest, self.exponential(1.0 / self.rules.mean_length))
        return {"id": self.ids, "cell": (device, kind), "start": start, "length": length, "father": father}

    def is_lasting(self, device: int, kind: int) -> bool:
        return not self.instance.transient[device, kind]

    def reset(self) -> list[dict]:
        self.alarms: list[dict] = []
        pool = list(self.roots)
        while len(self.alarms) < self.rules.initial_roots:
            device, kind = pool[self.rng.integers(len(pool))]
            start = self.exponential(self.instance.mu[kind])
            if start < self.rules.root_window:
                pool = [pair for pair in pool if pair[1] != kind] or list(self.roots)
                self.alarms.append(self.alarm(device, kind, int(start), -1, True))
        self.clock = max(a["start"] for a in self.alarms) + 1
        while len(self.alarms) < self.rules.initial_alarms:
            self.alarms = self.window(self.alarms, self.alarms, warm=True)
            self.clock += self.rules.window
        return self.alarms

    def step(self, action: int) -> tuple[float, int, int]:
        """Ratio part of the reward, alarms started, alarms cleared."""
        cell = divmod(action, self.instance.n_types)
        before = self.alarms
        acted = sum(a["cell"] == cell for a in before)
        left = self.without(before, {a["id"] for a in before if a["cell"] == cell})
        after = self.window(left, before, warm=False) if left else []
        self.clock += self.rules.window
        self.alarms = after
        m, kept = len(before) - acted, {a["id"] for a in before} & {a["id"] for a in after}
        ratio = 1.0 if m == 0 or not after else (m - len(after)) / m
        return ratio, len(after) - len(kept), len(before) - len(kept)

    def without(self, alarms: list[dict], gone: set[int]) -> list[dict]:
        """The alarms without those in ``gone`` and all their descendants."""
        while True:
            more = {a["id"] for a in alarms if a["father"] in gone} - gone
            if not more:
                return [a for a in alarms if a["id"] not in gone]
            gone = gone | more

    def window(self, old: list[dict], seen: list[dict], warm: bool) -> list[dict]:
        rules, t = self.rules, self.clock
        end = rules.warmup if warm else t + rules.window
        new: list[dict] = []
        if self.rng.random() < rules.root_probability:
            while True:
                device, kind = self.roots[self.rng.integers(len(self.roots))]
                start = t + self.exponential(self.instance.mu[kind])
                if start < t + rules.window:
                    break
            new.append(self.alarm(device, kind, int(start), -1, True))
        if self.rng.random() < rules.noise_probability:
            found = []
            for device in self.rng.choice(self.instance.noise_devices, rules.noise_draws):
                for kind in self.instance.noise_types:
                    start = (0 if warm else t) + self.exponential(self.instance.mu[kind])
                    if start <= end and not self.full(seen, device, kind):
                        found.append(self.alarm(device, kind, int(start), -1, self.is_lasting(device, kind)))
            if found:
                new.append(found[self.rng.integers(len(found))])
                new[-1]["length"] = int(new[-1]["length"])
        new += self.children(old + new, seen, end, warm)
        for a in new:
            a["start"], a["length"] = int(a["start"]), int(a["length"])
        ended = {a["id"] for a in old if a["start"] + a["length"] < t}
        return self.without(old, ended) + new

    def full(self, seen: list[dict], device: int, kind: int) -> bool:
        live = [a for a in seen if a["cell"] == (device, kind) and a["start"] + a["length"] > self.clock]
        return len(live) > self.rules.cell_limit

    def children(self, parents: list[dict], seen: list[dict], end: float, warm: bool) -> list[dict]:
        most = self.rules.initial_alarms if warm else self.rules.max_alarms
        total, born, alpha = len(parents), [], self.instance.alpha
        while parents:
            level: list[dict] = []
            for device in self.rng.permutation(self.instance.n_devices):
                for k, weights in enumerate(self.weights):
                    for father_device in np.flatnonzero(weights[device]):
                        for p in parents:
                            if p["cell"][0] != father_device:
                                continue
                            if total > most:
                                break
                            begin = p["start"] if warm else self.clock
                            limit = end if p["length"] == LASTING else p["start"] + p["length"]
                            for kind in np.flatnonzero(alpha[k, p["cell"][1]]):
                                rate = weights[device, father_device] * alpha[k, p["cell"][1], kind]
                                start = begin + self.exponential(rate)
                                if start > limit or self.full(seen, device, kind):
                                    continue
                                lasting = self.is_lasting(device, kind)
                                level.append(self.alarm(int(device), int(kind), start, p["id"], lasting))
                                total += 1
                if total > most:
                    return born + level
            born += level
            parents = level
        return born
