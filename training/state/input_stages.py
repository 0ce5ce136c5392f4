"""What a network is shown of successive frames: the stage before it.

A stage makes rows of frames, which are kept while a run lasts, and a network is shown some of them
at a time. So whatever takes long is done once a frame.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ...datasets.grid import Grid
from .convolutional import ConvolutionalNetwork
from .frame_binning import binned
from .state_settings import StateSettings

if TYPE_CHECKING:
    from ...datasets.videos.trials import MuscleTrial


class InputStage(nn.Module):
    """Base of stages; what they learn lies in buffers, so that checkpoints hold it.

    Attributes
    ----------
    span : int
        Successive rows that tell of a pair of frames: 2 of a stage with a row for each frame, 1 of
        one with a row for each pair.
    shape : tuple of int
        Of a row.
    row_dtype : str
        That of rows, as NumPy names it.
    tells_states : bool
        Whether frames can be seen in rows, not only what changed between them.
    """

    span: int
    shape: tuple[int, ...]
    row_dtype: str
    tells_states: bool = False

    def learn(self, trials: "Sequence[MuscleTrial]", seed: int) -> None:
        """Learn from the frames of trials that are trained on whatever the stage needs."""

    def rows_of(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the rows of successive frames.

        Parameters
        ----------
        images : uint8 array of shape (frame, depth, width)

        Returns
        -------
        array of shape (frame - 2 + span, *shape)
            Of `row_dtype`.
        """
        raise NotImplementedError

    def describe(self) -> str:
        """Return in words all that decides what rows are, but for what was learned."""
        raise NotImplementedError

    def network(self, settings: StateSettings, outputs: int) -> nn.Module:
        """Return a new network that takes standardised examples and gives `outputs` values.

        Examples are float Tensors of shape (example, span, *shape), of states with one row more, at
        the beginning, of a frame at rest.
        """
        raise NotImplementedError

    def scales(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Return what rows are standardised by, of their values' means and variances over examples.

        Parameters
        ----------
        mean, variance : float64 Tensors of `shape`

        Returns
        -------
        mean, SD : float64 Tensors that broadcast to `shape`
        """
        return mean, variance.sqrt()


class Frames(InputStage):
    """Frames themselves, or means over their pixels; Cunningham et al. 2017, section III.F."""

    span = 2
    row_dtype = "uint8"
    tells_states = True

    def __init__(self, settings: StateSettings, grid: Grid) -> None:
        super().__init__()
        rows, columns = settings.binning
        self.binning = (rows, columns)
        _, depth, width = grid.shape
        self.image = (-(-depth // rows), -(-width // columns))
        self.shape = self.image

    def rows_of(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return frames, binned."""
        return binned(images, self.binning)

    def describe(self) -> str:
        """Return how frames are binned."""
        return f"binning {self.binning}"

    def network(self, settings: StateSettings, outputs: int) -> nn.Module:
        """Return convolutions over the frames of an example."""
        channels = self.span + (settings.target == "absolute")
        return ConvolutionalNetwork(channels, self.image, outputs, settings.layers)

    def scales(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Return one mean and one SD of all pixels."""
        middle = mean.mean()
        return middle, (variance + (mean - middle) ** 2).mean().sqrt()
