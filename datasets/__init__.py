"""Store simulated sequences with their truth as Zarr, and read them back.

Importing this package imports neither torch nor Numba.
"""

from .generation import generate
from .store import Store, open_store
from .verification import verify

__all__ = ["Store", "generate", "open_store", "verify"]
