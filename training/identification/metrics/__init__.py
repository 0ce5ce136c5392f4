"""Scores of identified units against true ones, in NumPy and one kernel.

Ali et al. 2020, whose scores these are in part, is doi:10.1109/ACCESS.2020.3023495.
"""

from .sequence import SequenceScore, score
from .summary import summarise
from .trains import TrainMatching, match_trains

__all__ = ["SequenceScore", "TrainMatching", "match_trains", "score", "summarise"]
