"""What filters of a network's convolutions respond to most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ..convolutional import ConvolutionalNetwork
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
    network: ConvolutionalNetwork, shape: Sequence[int], ascent: Ascent, most: int, seed: int
) -> list[MaximisedFilters]:
    """Return what filters of each convolution respond to most.

    Parameters
    ----------
    network : ConvolutionalNetwork
    shape : sequence of int
        Of what it is shown: channel, height, width.
    ascent : Ascent
    most : int
        Filters of a layer, drawn by chance.
    seed : int
        Of the draw.
    """
    found = []
    for number, layer in enumerate(network.convolutions):
        count = _count(layer)
        random = np.random.default_rng((seed, number))
        filters = sorted(int(each) for each in random.permutation(count)[:most])
        images = {}
        for everywhere in (False, True):
            response = response_of_filters(network, layer, filters, everywhere=everywhere)
            made, _ = maximise(response, tuple(shape), ascent, range(len(filters)))
            rows, columns = seen_by(response, tuple(shape), len(filters))
            cut = made if everywhere else made[:, :, rows, columns]
            images[everywhere] = cut[:, -2:].numpy()
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
