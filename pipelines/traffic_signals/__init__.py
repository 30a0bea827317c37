"""Traffic lights of real road networks in SUMO: lights that learn beside fixed time, greedy and max-pressure.

``kappa``: NetworkedPPO from max-pressure's logits, 3 judging episodes a seed, mean delay. On grid4x4 (30 episodes, 5 seeds) 26.9 s at
kappa 0 (IPPO), 29.5 at 1, 31.4 at 2, 32.5 at all (MAPPO); max-pressure 35.2. Kappa 0 still fell by 4 % at the end. Each hop
adds the rewards of more lights to what an advantage has to tell apart, and learns slower. From random weights (one run) kappa 0 began at
107 s and stood at 32 s after ten episodes, from max-pressure at 29.
On cologne8 (decisions every 10 s, 90 episodes, 5 seeds) 20.2 s at kappa 0, no seed above 20.3, max-pressure 28.2; on arterial4x4 (100 episodes,
2 seeds) 745 and 724 s, max-pressure 890, greedy 915 (one seed), and no 650, to which others came in 1,400 episodes.

``demand``: one seed, 45 episodes on .6, 1 and 1.6 times the demand in turns, an update after each; then untrained at 1.3: 36.2 s. The same learner
trained there in as many episodes and updates: 35.1 s, so .96 of its return; max-pressure 44.7. At 1.8: 52.1 s, max-pressure 60.6, training
there in three simulations at once (15 updates) 55.1, in one not measured. The levels side by side (15 updates) come to 37.6 and 55.4 s,
.98 and 1.00 of training there so, .90 of the better one at 1.3. What the factor adds is little: told the least level the teams are at 36.3 and
53.7, 37.5 and 53.9 s; what a light sees tells the demand. Training there still fell by 4 % at the end.
"""
