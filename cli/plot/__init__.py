"""Figures of sequences, units and evaluations, for notebooks and scripts: ``musim.plot``.

Everything that pictures of the command line show is drawn by the same panels.
"""
