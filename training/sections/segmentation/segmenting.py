"""Finding aponeuroses with a network that is trained, in images of any size."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..image_sets import SIZE
from .attention_unet import AttentionUNet

SHIPPED = Path(__file__).parent / "weights" / "segment"
"""The run that comes with musim; the page beside it tells what it was trained on."""

FLATTEST = 1e-3
"""Images of a smaller SD, of grey levels from 0 to 1, are not made any stronger."""

PROBABILITY = 0.5
"""Above which a pixel belongs to an aponeurosis."""

BATCH = 8
"""Images that go through a network together."""


def prepared(images: Tensor) -> Tensor:
    """Return images as a network takes them: each about 0, with an SD of 1.

    Parameters
    ----------
    images : (images, 1, depth, width) tensor
        Grey levels from 0 to 1.
    """
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    spread = images.std(dim=(1, 2, 3), keepdim=True)
    return (images - mean) / spread.clamp(min=FLATTEST)


class Segmenter:
    """Finds aponeuroses.

    Parameters
    ----------
    network : AttentionUNet
        Trained; it is put into evaluation.
    size : tuple of int
        Depth and width of the images that it was trained on [px]; others are made that size, and
        what is found is brought back.
    name : str
        What it is, for those who read what it found.
    """

    def __init__(
        self, network: AttentionUNet, size: tuple[int, int] = SIZE, name: str = ""
    ) -> None:
        self.network, self.size, self.name = network.eval(), size, name

    def find(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return where aponeuroses are in an image.

        Parameters
        ----------
        image : (depth, width) array of uint8

        Returns
        -------
        (depth, width) array of bool
        """
        return self.probabilities(image[None])[0] > PROBABILITY

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return how sure it is of each pixel, from 0 to 1.

        Parameters
        ----------
        images : (images, depth, width) array of uint8

        Returns
        -------
        (images, depth, width) array of float32
        """
        size = (images.shape[1], images.shape[2])
        found = [
            _resized(torch.sigmoid(self.network(some)), size)[:, 0].numpy()
            for some in self._batches(images)
        ]
        return np.concatenate(found)

    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the network makes of whole images: means of its deepest maps.

        Parameters
        ----------
        images : (images, depth, width) array of uint8

        Returns
        -------
        (images, maps) array of float32
        """
        found = [self.network.features(some)[-1].mean(dim=(2, 3)).numpy()
                 for some in self._batches(images)]  # fmt: skip
        return np.concatenate(found)

    def _batches(self, images: NDArray[np.uint8]) -> Iterator[Tensor]:
        """Yield images as the network takes them."""
        with torch.inference_mode():
            for begin in range(0, len(images), BATCH):
                some = torch.tensor(images[begin : begin + BATCH])  # a copy: stores' are not ours
                yield prepared(_resized(some[:, None].float() / 255, self.size))


def _resized(values: Tensor, size: tuple[int, int]) -> Tensor:
    if values.shape[-2:] == size:
        return values
    return functional.interpolate(
        values, size=size, mode="bilinear", antialias=True, align_corners=False
    )


def segmenter_of_run(folder: str | Path) -> Segmenter:
    """Return what a run of ``musim train segment`` has learned.

    Raises
    ------
    InputError
        If there is no such run, or its checkpoint cannot be used.
    """
    from ...tasks import open_run
    from .segment_task import SegmentTask

    task, grid = open_run(folder, SegmentTask)
    return Segmenter(task.network, (grid.shape[1], grid.shape[2]), str(folder))


def segmenter(run: str | Path | None = None) -> Segmenter:
    """Return the network of a run, or the one that comes with musim.

    Parameters
    ----------
    run : str or path, optional

    Raises
    ------
    InputError
        As :func:`segmenter_of_run` does.
    """
    return segmenter_of_run(SHIPPED if run is None else run)
