"""Scores of translated sequences, in plain NumPy and SciPy.

Most are those of Ali et al. 2022 ("Modelling intra-muscular contraction dynamics using in silico to
in vivo domain translation", BioMedical Engineering OnLine); whether labels survive, and two alarms,
are added to them.
"""

from .alarms import AlarmSettings, checkerboard, inverted_share
from .consistency import cross_correlate
from .features import Features, FeatureSettings, measure
from .similarity import similarity_map
from .survival import label_survival
from .table import METRICS, PAPER, Row, Score, compare

__all__ = [
    "METRICS",
    "PAPER",
    "AlarmSettings",
    "FeatureSettings",
    "Features",
    "Row",
    "Score",
    "checkerboard",
    "compare",
    "cross_correlate",
    "inverted_share",
    "label_survival",
    "measure",
    "similarity_map",
]
