"""OpenCV and scikit-learn, which not everybody has installed."""

from importlib import import_module
from typing import Any

from ....simulator.errors import InputError

EXTRA = "musim[tracking]"


def opencv() -> Any:
    """Return OpenCV.

    Raises
    ------
    InputError
        If it is not installed.
    """
    return _library("cv2", "OpenCV", "follow features")


def clustering() -> Any:
    """Return scikit-learn's module of clustering.

    Raises
    ------
    InputError
        If it is not installed.
    """
    return _library("sklearn.cluster", "scikit-learn", "find places")


def _library(module: str, name: str, purpose: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(
            f"found no {name}, wanted it to {purpose}; pip install '{EXTRA}'"
        ) from error
