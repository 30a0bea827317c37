"""Scalable Actor-Critic on the wireless network of Lin et al.: return against episodes, and cost against agents.

95 % intervals over 5 to 10 seeds: 24 users on 6 access points .2755 [.2740, .2771] after 60,000 episodes, .2414 after 12,400
(published .2414 after 120,000; ALOHA .180). One update of 100,000 agents takes 70 to 90 ns an agent and step; environment and
policy 51 M agent-steps a second (PettingZoo's dictionaries .41 M).
"""
