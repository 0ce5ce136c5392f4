"""Translating simulated sequences into the likeness of experimental ones, without pairs of them."""
