"""Speed beside the peer: native against causal-learn, gcastle and DAGMA on the same problem in the same run."""
