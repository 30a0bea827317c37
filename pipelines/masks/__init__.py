"""Masks from graphs that were learned, and how far they are from presence alone and from the true graph."""
