"""Images that a unit of a network responds to most; Cunningham et al. 2017, section III.H.

Images begin as noise and climb the gradient of a unit's response. The paper writes an error that is
1 at the unit and 0 elsewhere, propagated back to the image: that is this gradient.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Response = Callable[[Tensor], Tensor]
"""Takes what a network is shown, (example, ...), returns one value an example."""

STEADY = 0.1
"""RMS of a gradient that is scaled. Where it stays the same, images of a rate of 0.5 and a decay of
0.05 come to 9.5 times that: to about the variance 1 of what networks are shown."""


@dataclass(frozen=True)
class Ascent:
    """How images climb; the defaults are the paper's.

    Parameters
    ----------
    iterations : int
    rate : float
        Of the gradient, that is added to the image.
    decay : float
        Share of the image that each iteration takes away: L2 regularisation as Yosinski et al. 2015
        have it (arXiv:1506.06579, section 3).
    scaled : bool
        Whether gradients are first scaled to :data:`STEADY`. Those of a deep unit are so small that
        an image fades to nothing unless they are, and networks respond to grey.
    """

    iterations: int = 100
    rate: float = 0.5
    decay: float = 0.05
    scaled: bool = False


def maximise(
    response: Response, shape: tuple[int, ...], ascent: Ascent, seeds: range
) -> tuple[Tensor, Tensor]:
    """Return images that something responds to most, one for each seed.

    Parameters
    ----------
    response : callable
        See :data:`Response`; no example may depend on another.
    shape : tuple of int
        Of an image, whatever its axes.
    ascent : Ascent
    seeds : range
        Of the noise that images begin as, of mean 0 and variance 1.

    Returns
    -------
    images : float Tensor of shape (seed, *shape)
    responses : float Tensor of shape (2, seed)
        To the noise, and to the images.
    """
    noise = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    images = torch.stack(noise)
    with torch.no_grad():
        begun = response(images)
    for _ in range(ascent.iterations):
        images.requires_grad_(True)
        (gradient,) = torch.autograd.grad(response(images).sum(), images)
        if ascent.scaled:
            size = gradient.flatten(1).square().mean(dim=1).sqrt()
            factor = torch.where(size > 0, STEADY / size, torch.zeros_like(size))
            gradient = gradient * factor.reshape(-1, *(1,) * len(shape))
        images = ((1 - ascent.decay) * (images.detach() + ascent.rate * gradient)).detach()
    with torch.no_grad():
        return images, torch.stack([begun, response(images)])


def response_of_output(network: Callable[[Tensor], Tensor], output: int) -> Response:
    """Return how an output of a network responds."""
    return lambda images: network(images)[:, output]


def response_of_filters(
    network: nn.Module, layer: nn.Module, filters: Sequence[int], *, everywhere: bool
) -> Response:
    """Return how filters of a layer respond, each to an example of its own, before rectification.

    Parameters
    ----------
    network, layer : Module
        The layer is one of the network's; it makes maps (example, filter, height, width).
    filters : sequence of int
        One for each example.
    everywhere : bool
        Whether responses of all places of the map are added up, or that of its middle is taken.
    """

    def respond(images: Tensor) -> Tensor:
        maps = _maps_of(network, layer, images)
        chosen = maps[range(len(filters)), filters]
        if everywhere:
            return chosen.sum(dim=(1, 2))
        return chosen[:, chosen.shape[1] // 2, chosen.shape[2] // 2]

    return respond


class _ReachedError(Exception):
    """A network is not gone through beyond the layer of interest."""


def _maps_of(network: nn.Module, layer: nn.Module, images: Tensor) -> Tensor:
    kept: list[Tensor] = []

    def keep(*call: Any) -> None:
        kept.append(call[-1])
        raise _ReachedError

    hook = layer.register_forward_hook(keep)
    try:
        with suppress(_ReachedError):
            network(images)
    finally:
        hook.remove()
    return kept[0]


def seen_by(response: Response, shape: tuple[int, ...], count: int = 1) -> tuple[slice, ...]:
    """Return the rows and columns of images that decide responses, as far as noise tells.

    Parameters
    ----------
    response : callable
    shape : tuple of int
        Of an image: channel, height, width.
    count : int
        Examples that it takes.

    Returns
    -------
    (slice, slice)
        Empty where nothing does.
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.randn((count, *shape), generator=generator).requires_grad_(True)
    (gradient,) = torch.autograd.grad(response(images).sum(), images)
    matters = (gradient != 0).any(dim=1).any(dim=0)
    return tuple(_span(matters.any(dim=1 - axis)) for axis in (0, 1))


def _span(matters: Tensor) -> slice:
    places = torch.nonzero(matters).ravel()
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)
