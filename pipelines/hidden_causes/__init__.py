"""Partial ancestral graphs from tables whose common causes are partly hidden, beside causal-learn's FCI."""
