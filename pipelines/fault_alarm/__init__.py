"""Learning by doing on the fault-alarm network: Table 1 and Figure 3 of arXiv 2402.04869, and every control beside them."""
