"""How graphs are found: skeletons, orientation, search over orders, continuous descent, Hawkes search."""
