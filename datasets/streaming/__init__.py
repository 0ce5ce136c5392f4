"""Stream stores into PyTorch: the only part of ``musim.datasets`` that imports torch."""

from .collate import collate_sequences, collate_units
from .endless import EndlessLoader
from .loader import SequenceLoader
from .unpaired import UnpairedLoader

__all__ = [
    "EndlessLoader",
    "SequenceLoader",
    "UnpairedLoader",
    "collate_sequences",
    "collate_units",
]
