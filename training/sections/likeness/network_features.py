"""Features of a network that finds aponeuroses, which Katakis et al. 2023 show in a plane."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .features import FeatureExtractor, filter_bank

if TYPE_CHECKING:
    from ..segmentation.segmenting import Segmenter

FILTERS = "filters"
NETWORK = "network"
"""Names of features that are no run: filters, and the network that comes with musim."""


def extractor_of(name: str | Path) -> FeatureExtractor:
    """Return the features of a name: filters, the network that comes with musim, or of a run.

    Parameters
    ----------
    name : str or path
        ``"filters"``, ``"network"``, or the folder of a run of ``musim train segment``.

    Raises
    ------
    InputError
        If there is no such run.
    """
    if str(name) == FILTERS:
        return filter_bank()
    from ..segmentation.segmenting import segmenter

    return network_features(segmenter(None if str(name) == NETWORK else name))


def network_features(network: "Segmenter") -> FeatureExtractor:
    """Return means of a network's deepest maps as features.

    Katakis et al. 2023 (doi:10.3390/biomedinformatics3020027, section 3.1) take the bottleneck of
    an Attention U-Net that was trained to find aponeuroses.
    """

    def features(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        return network.features(images).astype(np.float64)

    return FeatureExtractor(
        f"means of the deepest maps of the Attention U-Net {Path(network.name).name}", features
    )
