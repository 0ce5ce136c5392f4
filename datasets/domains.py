"""What makes simulated voxels."""

ANALYTIC = "analytic"
"""The model itself: territories times twitch trains."""

EXPERIMENT = "experiment"
"""The virtual experiment, echo by echo."""

QUICK = "quick"
"""The same without its images: from the maps and courses that its scanner would show."""

DOMAINS = (ANALYTIC, EXPERIMENT, QUICK)
