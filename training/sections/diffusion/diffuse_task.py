"""Training of a diffusion model of images (Katakis et al. 2023, section 2.2.2)."""

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim import Optimizer

from ....datasets.grid import Grid
from ....simulator.errors import InputError
from ...runs.memory_format import arrange
from ...runs.settings import Settings
from ...runs.sources import Batch
from ...runs.task import register
from ..averaging import Averaged
from ..image_sets import ImageSet
from ..image_source import ImageSource
from .channels import to_channels
from .diffuse_settings import MODELS, DiffuseSettings
from .sampling import Sampler

ORDER, DRAWS, VALIDATION, SAMPLES = 1, 2, 3, 4
"""What is drawn at random stands in the keys of generators after the seed."""


@register
class DiffuseTask:
    """Train a network to tell noise from images and their masks; see :class:`...runs.task.Task`.

    Parameters
    ----------
    settings : DiffuseSettings
    grid : Grid
        Of the images that it is trained on, which are made `settings.size` large.
    """

    name: ClassVar[str] = "diffuse"
    settings_class: ClassVar[type[Settings]] = DiffuseSettings
    models: ClassVar[Mapping[str, Mapping[str, Any]]] = MODELS
    source_class: ClassVar[Any] = ImageSource
    score: ClassVar[str] = "error"
    higher_is_better: ClassVar[bool] = False

    def __init__(self, settings: DiffuseSettings, grid: Grid) -> None:
        self.settings, self.grid = settings, grid
        self.noising = settings.noising
        self.networks = Averaged(settings.network(), settings.average)
        arrange(self.networks.network, settings.memory_format)

    def check(self, source: ImageSource) -> None:
        """Raise InputError unless there are images, with masks if they are made too."""
        for share in (source.train, source.validation):
            self._usable(share)

    def optimisers(self) -> dict[str, Optimizer]:
        """Return Adam for the network; after its steps the average follows."""
        return {"adam": self.networks.adam(self.settings.learning_rate)}

    def prepare(self, step: int, optimisers: Mapping[str, Optimizer]) -> None:
        """Set the step size of a step, and the network to training."""
        self.networks.train()
        for optimiser in optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate(step)

    def learning_rate(self, step: int) -> float:
        """Return Adam's step size: it rises over the warm-up, and may fall as a cosine to 0."""
        settings = self.settings
        if step < settings.warm_up:
            return settings.learning_rate * (step + 1) / (settings.warm_up + 1)
        if settings.decay == "constant":
            return settings.learning_rate
        done = (step - settings.warm_up) / max(settings.steps - settings.warm_up, 1)
        return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1)))

    def batches(
        self, source: ImageSource, step: int, *, rank: int, ranks: int, device: torch.device
    ) -> Iterator[Batch]:
        """Yield this process's share of noised images, from step `step` on, for ever.

        Every image is seen once before any is seen again, in an order of its own each time.

        Yields
        ------
        dict of tensors
            ``images``, ``noise`` (image, channel, depth, width) and ``times`` (image,).

        Raises
        ------
        InputError
            If the batch cannot be shared out among the processes.
        """
        settings = self.settings
        size = settings.batch_size // ranks
        if size * ranks != settings.batch_size:
            raise InputError(
                f"batch_size: found {settings.batch_size}, wanted a multiple of the {ranks} "
                "processes"
            )
        images = self._channels(source.train)
        while True:
            first = step * settings.batch_size + rank * size
            which = [_shuffled(settings.seed, len(images), first + i) for i in range(size)]
            random = np.random.default_rng((settings.seed, DRAWS, step, rank))
            flipped = random.random(size) < (0.5 if settings.flips else 0)
            chosen = images[which]
            chosen[flipped] = chosen[flipped, ..., ::-1]
            yield self._noised(chosen, random)
            step += 1

    def losses(self, optimiser: str, batch: Batch, step: int, rank: int) -> dict[str, Tensor]:
        """Return the mean absolute error of what the network predicts."""
        return {"loss": self._error(self.networks.network, batch)}

    def clip(self, optimiser: str) -> float:
        """Return the norm to which gradients are clipped."""
        return self.settings.clip

    def extra(self) -> dict[str, Any]:
        """Nothing but the networks has to be saved."""
        return {}

    def load_extra(self, state: Mapping[str, Any]) -> None:
        """There is nothing to take."""

    def validate(self, source: ImageSource, device: torch.device) -> dict[str, float]:
        """Return the error of the averaged weights on held-out images.

        Images, times, evenly spread, and noise are the same at every validation.
        """
        settings = self.settings
        images = self._channels(source.validation)
        count = settings.validation_batches * settings.batch_size
        times = (np.arange(count) + 0.5) * settings.noise_steps / count
        # Neighbours in time would be noised images of one batch.
        order = np.random.default_rng((settings.seed, VALIDATION)).permutation(count)
        errors = []
        for number in range(settings.validation_batches):
            which = np.arange(number * settings.batch_size, (number + 1) * settings.batch_size)
            random = np.random.default_rng((settings.seed, VALIDATION, number))
            batch = self._noised(
                images[which % len(images)], random, times[order[which]].astype(np.int64)
            )
            batch = {name: value.to(device) for name, value in batch.items()}
            errors.append(self._error(self.networks.average, batch).item())
        return {"error": float(np.mean(errors))}

    def sample(self, sampler: Sampler, seed: int, indices: Sequence[int]) -> Tensor:
        """Make samples of noise with the averaged weights.

        Parameters
        ----------
        sampler : Sampler
        seed : int
        indices : sequence of int
            Of the samples: each has noise of its own, whichever others are made with it.

        Returns
        -------
        float32 tensor of shape (sample, channel, depth, width)
            Between -1 and 1.
        """
        network = self.networks.average.eval()
        device = next(network.parameters()).device
        streams = [np.random.default_rng((seed, SAMPLES, index)) for index in indices]
        shape = (self.settings.channels, *self.settings.size)

        def noise() -> Tensor:
            drawn = [stream.standard_normal(shape, dtype=np.float32) for stream in streams]
            return torch.from_numpy(np.stack(drawn)).to(device)

        with torch.no_grad():
            return sampler.draw(self.noising, network, noise)

    def _error(self, network: torch.nn.Module, batch: Batch) -> Tensor:
        images, times, noise = batch["images"], batch["times"], batch["noise"]
        predicted = network(self.noising.noised(images, times, noise), times)
        return functional.l1_loss(predicted.float(), self.noising.target(images, times, noise))

    def _noised(
        self, images: NDArray[np.float32], random: np.random.Generator,
        times: NDArray[np.int64] | None = None,
    ) -> Batch:  # fmt: skip
        if times is None:
            times = random.integers(self.settings.noise_steps, size=len(images))
        noise = random.standard_normal(images.shape, dtype=np.float32)
        values = {"images": images, "times": times, "noise": noise}
        return {name: torch.from_numpy(value) for name, value in values.items()}

    def _usable(self, images: ImageSet) -> ImageSet:
        if not self.settings.masks:
            return images
        try:
            return images.with_masks()
        except InputError as error:
            raise InputError(f"{error}, or make none: `masks=no`") from error

    def _channels(self, images: ImageSet) -> NDArray[np.float32]:
        depth, width = self.settings.size
        return to_channels(self._usable(images), (depth, width), self.settings.masks)


def _shuffled(seed: int, count: int, place: int) -> int:
    """Return which of `count` images has a place in the endless order of them."""
    epoch, within = divmod(place, count)
    return int(_order(seed, count, epoch)[within])


@functools.lru_cache(maxsize=4)
def _order(seed: int, count: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, ORDER, epoch)).permutation(count)
