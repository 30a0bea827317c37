"""Agents of a network: each sees and shares what lies kappa hops around it."""
