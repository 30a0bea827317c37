"""Traffic lights of real road networks in SUMO: lights that learn beside fixed time, greedy and max-pressure."""
