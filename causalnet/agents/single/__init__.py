"""One agent in one environment, whose actions a mask narrows: PPO, DQN, D3QN."""
