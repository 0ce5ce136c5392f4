"""Store simulated sequences with their truth as Zarr, and read them back.

Importing this package imports neither torch nor Numba.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .generation import generate
    from .store import Store, open_store
    from .verification import verify

__all__ = ["Store", "generate", "open_store", "verify"]

_MODULES = {
    "Store": "store", "generate": "generation", "open_store": "store", "verify": "verification",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import what this package gives when it is used: Zarr and all it needs are not quick."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
