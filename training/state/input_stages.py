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
from .convolutional import ConvolutionalNetwork, MatchedNetwork
from .frame_binning import binned, binned_size
from .matching import Matched
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
    compared : int
        Values that tell of a frame by one at rest; 0 of a stage that sees what changed and no
        state.
    """

    span: int
    shape: tuple[int, ...]
    row_dtype: str
    compared: int = 0

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

    def reversed(self, rows: Tensor) -> Tensor:
        """Return rows of pairs of frames as they would be in the opposite order.

        Parameters
        ----------
        rows : Tensor of shape (example, span, *shape)
        """
        raise NotImplementedError

    def compare(self, rest: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return what tells of frames by one at rest, of their rows.

        Parameters
        ----------
        rest : array of `shape`
        rows : array of shape (row, *shape)

        Returns
        -------
        float32 array of shape (row, compared)
            About as large as 1.
        """
        raise NotImplementedError

    def describe(self) -> str:
        """Return in words all that decides what rows are, but for what was learned."""
        raise NotImplementedError

    def network(self, settings: StateSettings, outputs: int) -> nn.Module:
        """Return a new network that takes standardised examples and gives `outputs` values.

        Examples are float Tensors of shape (example, span, *shape); where states are told, a second
        argument follows, of shape (example, compared), of their last frames.
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
    """Frames themselves, or means over their pixels; Cunningham et al. 2017, section III.F.

    Of a frame at rest, regions are looked for in the others.
    """

    span = 2
    row_dtype = "uint8"

    def __init__(self, settings: StateSettings, grid: Grid) -> None:
        super().__init__()
        self.binning = (settings.binning[0], settings.binning[1])
        _, depth, width = grid.shape
        self.image = binned_size((depth, width), self.binning)
        self.shape = self.image
        size = (grid.pixel_size[0] * self.binning[0], grid.pixel_size[1] * self.binning[1])
        self.matched = Matched.of(self.image, size)
        self.compared = self.matched.values

    def rows_of(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return frames, binned."""
        return binned(images, self.binning)

    def reversed(self, rows: Tensor) -> Tensor:
        """Return the frames of pairs, exchanged."""
        return rows.flip(1)

    def compare(self, rest: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return where regions of the frame at rest have gone."""
        return self.matched.of_frames(rest, rows)

    def describe(self) -> str:
        """Return how frames are binned and matched."""
        return f"binning {self.binning}, {self.matched}"

    def network(self, settings: StateSettings, outputs: int) -> nn.Module:
        """Return convolutions over the frames of an example."""
        if settings.target == "changes":
            return ConvolutionalNetwork(self.span, self.image, outputs, settings.layers)
        return MatchedNetwork(self.span, self.image, self.compared, outputs, settings.layers)

    def scales(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Return one mean and one SD of all pixels."""
        middle = mean.mean()
        return middle, (variance + (mean - middle) ** 2).mean().sqrt()
