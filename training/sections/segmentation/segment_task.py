"""Training of the network that finds aponeuroses; Katakis et al. 2023, section 2.3.2."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from ....datasets.grid import Grid
from ....simulator.errors import InputError
from ...runs.memory_format import arrange
from ...runs.settings import Settings
from ...runs.task import register
from ...tasks import open_run
from ..averaging import Averaged
from ..image_sets import ImageSet
from ..image_source import ImageSource
from .attention_unet import AttentionUNet
from .augmenting import augment
from .segment_losses import overlaps, weighted_dice_loss
from .segment_settings import MODELS, SegmentSettings
from .segmenting import PROBABILITY, prepared


@register
class SegmentTask:
    """One network, from grey levels to aponeuroses; see :class:`..runs.task.Task`.

    Parameters
    ----------
    settings : SegmentSettings
    grid : Grid
        Of the images. The network is convolutional: other sizes go through it.

    Raises
    ------
    InputError
        If images of that size do not go through the network.
    """

    name: ClassVar[str] = "segment"
    settings_class: ClassVar[type[Settings]] = SegmentSettings
    models: ClassVar[Mapping[str, Mapping[str, Any]]] = MODELS
    source_class: ClassVar[Any] = ImageSource
    score: ClassVar[str] = "dice"
    higher_is_better: ClassVar[bool] = True

    def __init__(self, settings: SegmentSettings, grid: Grid) -> None:
        self.settings, self.grid = settings, grid
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.networks = Averaged(settings.network(), settings.average)
        self.network.check_size((grid.shape[1], grid.shape[2]))
        arrange(self.networks.network, settings.memory_format)

    @property
    def network(self) -> AttentionUNet:
        """The network that is used: its weights are averages over steps."""
        return cast(AttentionUNet, self.networks.average)

    def check(self, source: ImageSource) -> None:
        """Raise InputError unless there are images with masks, to train on and to validate on.

        Then begin with the weights that the settings name, if they do.
        """
        source.train.with_masks()
        source.validation.with_masks()
        if self.settings.start:
            self._begin_with(self.settings.start)

    def _begin_with(self, run: str) -> None:
        trained, _ = open_run(run, SegmentTask)
        sizes = [(each.maps, each.levels, each.fold) for each in (trained.settings, self.settings)]
        if sizes[0] != sizes[1]:
            raise InputError(
                f"start: found a network of {sizes[0]} maps, levels and folded pixels in {run}, "
                f"wanted {sizes[1]}; change one to the other"
            )
        weights = trained.network.state_dict()
        self.networks.network.load_state_dict(weights)
        self.networks.average.load_state_dict(weights)

    def optimisers(self) -> dict[str, Optimizer]:
        """Return Adam for the whole network; after its steps the average follows."""
        return {"adam": self.networks.adam(self.settings.learning_rate)}

    def prepare(self, step: int, optimisers: Mapping[str, Optimizer]) -> None:
        """Set the step size of a step, and the network to training."""
        self.networks.train()
        for optimiser in optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate(step)

    def learning_rate(self, step: int) -> float:
        """Return Adam's step size, which falls stepwise."""
        settings = self.settings
        stretch = step * settings.drops // max(settings.steps, 1)
        return settings.learning_rate * settings.drop_to ** min(stretch, settings.drops - 1)

    def batches(
        self, source: ImageSource, step: int, *, rank: int, ranks: int, device: torch.device
    ) -> Iterator[dict[str, Any]]:
        """Yield this process's share of images, masks and what is done to them, for ever.

        Images are gone through in an order drawn anew for each epoch.
        """
        settings = self.settings
        size = settings.batch_size // ranks
        if size * ranks != settings.batch_size:
            raise InputError(
                f"batch_size: found {settings.batch_size}, wanted a multiple of the {ranks} "
                "processes"
            )
        own, beside = source.own.with_masks(), source.beside
        if beside is not None:
            beside = beside.with_masks()
        while True:
            chosen = _chosen(own, beside, settings, step)[rank * size : (rank + 1) * size]
            images = np.stack([images.images[index] for images, index in chosen])
            masks = np.stack([images.masks[index] for images, index in chosen])
            random = np.random.default_rng((settings.seed, step, rank))
            yield {
                "images": torch.from_numpy(images)[:, None],
                "masks": torch.from_numpy(masks)[:, None],
                **settings.augmentation.draw(size, random),
            }
            step += 1

    def losses(
        self, optimiser: str, batch: dict[str, Tensor], step: int, rank: int
    ) -> dict[str, Tensor]:
        """Return the weighted Dice loss of a batch."""
        images, masks = augment(batch["images"].float() / 255, batch["masks"].float(), batch)
        logits = self.networks.network(prepared(images))
        return {"dice_loss": weighted_dice_loss(logits, masks, self.settings.dice_weight)}

    def clip(self, optimiser: str) -> float:
        """Return 0: gradients are left as they are."""
        return 0.0

    def extra(self) -> dict[str, Any]:
        """Return nothing: all is in the networks."""
        return {}

    def load_extra(self, state: Mapping[str, Any]) -> None:
        """Take nothing."""

    def validate(self, source: ImageSource, device: torch.device) -> dict[str, float]:
        """Return means over images of the validation share."""
        settings = self.settings
        held = source.validation.with_masks()
        most = min(len(held), settings.validation_batches * settings.batch_size)
        found = []
        for begin in range(0, most, settings.batch_size):
            some = slice(begin, min(begin + settings.batch_size, most))
            images = torch.from_numpy(held.images[some])[:, None].to(device)
            logits = self.network(prepared(images.float() / 255))
            true = torch.from_numpy(held.masks[some])[:, None].to(device)
            found.append(overlaps(torch.sigmoid(logits.float()) > PROBABILITY, true))
        return {name: float(torch.cat([each[name] for each in found]).mean()) for name in found[0]}


def _chosen(
    own: ImageSet, beside: ImageSet | None, settings: SegmentSettings, step: int
) -> list[tuple[ImageSet, int]]:
    """Return the images of a whole batch, by their sets and numbers."""
    batch = settings.batch_size
    if beside is None:
        return _walk(own, batch, step, (settings.seed, 0))
    share = settings.beside or len(beside) / (len(own) + len(beside))
    # Whole numbers that come to the share over many steps.
    of_beside = round(share * batch * (step + 1)) - round(share * batch * step)
    begun = round(share * batch * step)
    return [
        *_walk(own, batch - of_beside, None, (settings.seed, 0), begin=step * batch - begun),
        *_walk(beside, of_beside, None, (settings.seed, 1), begin=begun),
    ]


def _walk(
    images: ImageSet, count: int, step: int | None, seed: tuple[int, ...], begin: int = 0
) -> list[tuple[ImageSet, int]]:
    """Return the next images of a walk through all of them, in an order of each epoch's own."""
    first = begin if step is None else step * count
    return [(images, _in_order(len(images), place, seed)) for place in range(first, first + count)]


def _in_order(count: int, place: int, seed: tuple[int, ...]) -> int:
    epoch, within = divmod(place, count)
    return int(np.random.default_rng((*seed, epoch)).permutation(count)[within])
