"""How fast musim is, as ratios measured in one run; see README.md."""
