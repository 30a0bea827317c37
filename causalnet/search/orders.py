from __future__ import annotations
import numpy as np
from ..stats.scores.gaussian import gaussian_score
from .order_kernels import State, Rules, fit_order, descend, wander, first_order

def new_state(d, seed):
    table = np.zeros((6, d), np.int64)
    table[0] = table[1] = np.arange(d)
    return State(table, np.zeros((d, d), np.uint8), np.zeros(d), np.array([0, 0, 0, 0, 1 << 40]), np.zeros(1), np.array([seed], np.uint64))

def run(corr, n, penalty=2.0, rounds=0, kind=0, size=4, seed=0, most=None):
    d = len(corr)
    most = most or max(1, min(d - 1, n - 3))
    score, slots = gaussian_score(corr, n, penalty, most)
    st = new_state(d, seed)
    rules = Rules(np.zeros(1, bool), np.zeros((1, 1)), np.zeros((1, d), bool))
    fit_order(score, slots, st, rules, first_order(corr, rules.required, False))
    descend(score, slots, st, rules, np.inf)
    wander(score, slots, st, rules, rounds, kind, size, np.inf)
    adj = np.zeros((d, d), bool)
    for v in range(d):
        adj[slots.parents[v, :slots.size[v]], v] = True
    return adj, (st.total[0], st.count[3]), st.table[0].copy()
