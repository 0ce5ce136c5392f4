"""What filters of a network's convolutions respond to most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ..convolutional import ConvolutionalNetwork, MatchedNetwork
from ..state_networks import StateNetworks
from .maximising import Ascent, maximise, response_of_filters, seen_by


@dataclass(frozen=True)
class MaximisedFilters:
    """Some filters of a convolution, each with what it responds to most.

    Parameters
    ----------
    layer : int
        Number of the convolution, from 1.
    filters : tuple of int
        Which of them, from 0.
    count : int
        Of all filters of the layer.
    at_a_place : float32 array of shape (filter, 2, height, width)
        Standardised frames that the middle of the filter's map responds to, cut to what it sees.
    everywhere : float32 array of shape (filter, 2, height, width)
        Those that the whole map responds to.
    """

    layer: int
    filters: tuple[int, ...]
    count: int
    at_a_place: NDArray[np.float32]
    everywhere: NDArray[np.float32]


def maximised_filters(
    networks: StateNetworks, ascent: Ascent, most: int, seed: int
) -> list[MaximisedFilters]:
    """Return what filters of each convolution respond to most.

    Parameters
    ----------
    networks : StateNetworks
    ascent : Ascent
    most : int
        Filters of a layer, drawn by chance.
    seed : int
        Of the draw.

    Returns
    -------
    list of MaximisedFilters
        Empty of a network without convolutions.
    """
    learned, stage = networks.learned.average, networks.stage
    network = learned.frames if isinstance(learned, MatchedNetwork) else learned
    if not isinstance(network, ConvolutionalNetwork):
        return []
    shape = (stage.span, *stage.shape)
    found = []
    for number, layer in enumerate(network.convolutions):
        count = _count(layer)
        random = np.random.default_rng((seed, number))
        filters = sorted(int(each) for each in random.permutation(count)[:most])
        images = {}
        for everywhere in (False, True):
            response = response_of_filters(network, layer, filters, everywhere=everywhere)
            made, _ = maximise(response, shape, ascent, range(len(filters)))
            rows, columns = seen_by(response, shape, len(filters))
            frames = networks.rows_given(made)
            images[everywhere] = (frames if everywhere else frames[:, :, rows, columns]).numpy()
        found.append(
            MaximisedFilters(
                number + 1, tuple(filters), count, images[False], images[True]
            )
        )  # fmt: skip
    return found


def _count(layer: nn.Module) -> int:
    """Return the number of filters of a layer that holds one convolution."""
    (convolution,) = (each for each in layer.modules() if isinstance(each, nn.Conv2d))
    return convolution.out_channels
