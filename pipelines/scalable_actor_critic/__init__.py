"""Scalable Actor-Critic on the wireless network of Lin et al.: return against episodes, and cost against agents."""
