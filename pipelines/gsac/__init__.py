"""GSAC from data to deployment (arXiv 2510.21427): masks, compact states, training across domains, adaptation without training."""
