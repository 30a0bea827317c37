"""Traffic lights of real road networks in SUMO: lights that learn beside fixed time, greedy and max-pressure.

``kappa``: NetworkedPPO on grid4x4 from max-pressure's logits, 30 episodes, 2 seeds, 3 judging episodes each: mean delay 27.1 s at kappa 0
(IPPO), 29.5 at 1, 31.6 at 2, 32.5 (31.4, 33.7) at all (MAPPO); max-pressure 35.0. Kappa 0 still fell by 4 % at the end. Each hop
adds the rewards of more lights to what an advantage has to tell apart, and learns slower. From random weights (one run) kappa 0 began at
107 s and stood at 32 s after ten episodes, from max-pressure at 29.

``demand``: one seed, 45 episodes, 15 on each of .6, 1 and 1.6 times the demand, three simulations an update. Untrained at 1.3 and 1.8 the team
is at 37.6 and 55.4 s, the same learner trained there in as many updates at 37.1 and 55.1, max-pressure at 44.7 and 60.6: shares of the
return .98 and 1.00. Trained at 1.3 in one simulation, an update an episode, it is at 35.1 s, and the share .90: NOT the .95 asked. Told
the least level instead of the one counted, the team does as well (37.5, 53.9), and so do lights trained at .6 alone (37.2, 53.4): what
a light sees says what it has to know of the demand.
"""
