"""Scores of identified units against true ones, in plain NumPy."""
