"""Training of a translator: settings of Ali et al. 2022, steps, and what a validation scores."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ...datasets.grid import Grid
from ...simulator.errors import InputError
from ..runs.memory_format import arrange
from ..runs.settings import Settings
from ..runs.task import register
from .domains import Domains, batches_from
from .losses import CycleLoss, IdentityLoss, LeastSquaresLoss, RecurrentLoss, RecycleLoss
from .networks.generators import ResNetGenerator
from .networks.layers import Key
from .networks.models import TranslationModel, build
from .objectives import CycleObjective, Generated, Objective, RecycleObjective, judge
from .pool import ImagePool
from .sequences import Scale, check_frames, translate
from .translation_settings import MODELS, TranslateSettings
from .validation import HeldOut, check_held_out

GENERATORS, DISCRIMINATORS = "generators", "discriminators"

IN_USE = 2**32
"""Stands in the keys of noise where training has its step, which never comes so far."""


class Trained(nn.Module):
    """All that a run saves: the networks, and the scales of both domains.

    Parameters
    ----------
    model : TranslationModel
    """

    scale_a: Tensor
    scale_b: Tensor

    def __init__(self, model: TranslationModel) -> None:
        super().__init__()
        self.model = model
        # Mean and SD, mm/s, of the stores that the run was trained on. Not every device has
        # doubles.
        self.register_buffer("scale_a", torch.tensor([0.0, 1.0]))
        self.register_buffer("scale_b", torch.tensor([0.0, 1.0]))


@register
class TranslateTask:
    """Two generators and two discriminators against one another; see :class:`..runs.task.Task`.

    Parameters
    ----------
    settings : TranslateSettings
    grid : Grid
        Of both domains. Networks are convolutional: other sizes of image can be translated.
    """

    name: ClassVar[str] = "translate"
    settings_class: ClassVar[type[Settings]] = TranslateSettings
    models: ClassVar[Mapping[str, Mapping[str, Any]]] = MODELS
    source_class: ClassVar[Any] = Domains
    score: ClassVar[str] = "score"
    higher_is_better: ClassVar[bool] = True

    def __init__(self, settings: TranslateSettings, grid: Grid) -> None:
        self.settings, self.grid = settings, grid
        self.networks = Trained(build(settings.networks, settings.seed))
        arrange(self.networks, settings.memory_format)
        self.objective = _objective(settings)
        self.adversarial = LeastSquaresLoss()
        self.pools = {name: ImagePool(settings.seed, place, settings.pool_size)
                      for place, name in enumerate("ab")}  # fmt: skip
        self._made: Generated | None = None
        self._held_out: HeldOut | None = None

    @property
    def model(self) -> TranslationModel:
        """The networks."""
        return self.networks.model

    def check(self, source: Domains) -> None:
        """Raise InputError unless the domains fit one another and the networks."""
        frames = self.settings.networks.frames
        source.check_clips(frames)
        source.check_ready()
        _, depth, width = source.grid.shape
        clip = (depth, width) if self.settings.networks.dimensions == 2 else (frames, depth, width)
        try:
            self.model.check_size(clip)
        except InputError as error:
            raise InputError(f"{source.stores[0].location}: {error}") from error
        check_held_out(source)

    def optimisers(self) -> dict[str, Optimizer]:
        """Return Adam for the generators (with predictors) and for the discriminators."""
        model = self.model
        groups = {
            GENERATORS: (model.generator_a2b, model.generator_b2a, model.predictor_a,
                         model.predictor_b),
            DISCRIMINATORS: (model.discriminator_a, model.discriminator_b),
        }  # fmt: skip
        betas = (self.settings.beta1, self.settings.beta2)
        return {
            name: Adam(
                [value for one in networks if one is not None for value in one.parameters()],
                lr=self.settings.learning_rate,
                betas=betas,
            )
            for name, networks in groups.items()
        }

    def prepare(self, step: int, optimisers: Mapping[str, Optimizer]) -> None:
        """Put the networks into training mode; the rate stays as it is."""
        self.networks.train()

    def batches(
        self, source: Domains, step: int, *, rank: int, ranks: int, device: torch.device
    ) -> Iterator[dict[str, Any]]:
        """Yield unpaired clips of both domains, each standardised over its store."""
        settings = self.settings
        size = settings.batch_size // ranks
        options: dict[str, Any] = {"frames": settings.networks.frames, "batch_size": size,
                                   "seed": settings.seed, "rank": rank, "ranks": ranks,
                                   "flips": settings.axes}  # fmt: skip
        loader = source.loader(**options)
        self.networks.scale_a.copy_(torch.tensor(loader.a.scale))
        self.networks.scale_b.copy_(torch.tensor(loader.b.scale))
        with closing(batches_from(loader, step)) as pairs:  # type: ignore[type-var]
            for pair in pairs:
                yield {name: {"tvi": batch["tvi"], "index": batch["index"]}
                       for name, batch in pair.items()}  # fmt: skip

    def losses(
        self, optimiser: str, batch: dict[str, Any], step: int, rank: int
    ) -> dict[str, Tensor]:
        """Return the generators' losses, then the discriminators' on what was made there."""
        model = self.model
        critics = (model.discriminator_a, model.discriminator_b)
        if optimiser == GENERATORS:
            for critic in critics:
                critic.requires_grad_(False)
            a, b = batch["a"]["tvi"], batch["b"]["tvi"]  # (B, T, H, W)
            keys: list[Key] = [(self.settings.seed, step, rank, place) for place in range(len(a))]
            self._made = self.objective(model, a, b, keys)
            return self._made.losses
        for critic in critics:
            critic.requires_grad_(True)
        made, self._made = self._made, None
        if made is None:
            raise RuntimeError("discriminators were asked for before generators")
        # Each process has pools of its own: its draws are of other steps.
        place = step * 2**16 + rank
        # In the main memory, where a resumed run finds its pools too.
        shown_a, shown_b = (
            self.pools[name].query(fake.cpu(), place).to(fake.device)
            for name, fake in (("a", made.fake_a), ("b", made.fake_b))
        )
        return judge(model, made, shown_a, shown_b, self.adversarial)

    def clip(self, optimiser: str) -> float:
        """Gradients are not clipped."""
        return 0.0

    def extra(self) -> dict[str, Any]:
        """Return the pools, without which a resumed run would differ.

        Of several processes, the first one's are saved, and all of them go on with these.
        """
        return {name: pool.state_dict() for name, pool in self.pools.items()}

    def load_extra(self, state: Mapping[str, Any]) -> None:
        """Take the pools of a checkpoint."""
        for name, pool in self.pools.items():
            pool.load_state_dict(state[name])

    def validate(self, source: Domains, device: torch.device) -> dict[str, float]:
        """Translate held-out sequences and score them as Table 1 does; see :class:`HeldOut`."""
        if self._held_out is None:
            self._held_out = HeldOut(source, self.settings.validation_batches)
        return self._held_out.score(self.translate, self.settings.least_correlation)

    @property
    def scales(self) -> tuple[Scale, Scale]:
        """Scales of domains A and B."""
        a, b = self.networks.scale_a, self.networks.scale_b
        return Scale(float(a[0]), float(a[1])), Scale(float(b[0]), float(b[1]))

    def check_sequences(self, shape: tuple[int, int, int]) -> None:
        """Raise InputError unless sequences of so many frames and pixels can be translated."""
        frames, depth, width = shape
        generator = self.model.generator_a2b
        check_frames(generator, frames)
        generator.check_size((generator.least[0], depth, width)[-generator.dimensions :])

    def translate(self, tvi: np.ndarray, index: int) -> np.ndarray:
        """Return a sequence of domain A as one of domain B.

        Parameters
        ----------
        tvi : float32 array of shape (time, depth, width)
            mm/s.
        index : int
            Tells its noise from that of others.

        Returns
        -------
        float32 array of the shape of `tvi`
            mm/s.
        """
        generator: ResNetGenerator = self.model.generator_a2b
        return translate(
            generator, tvi, *self.scales, key=(self.settings.seed, IN_USE, index),
            statistics_frames=self.settings.networks.frames,
        )  # fmt: skip


def _objective(settings: TranslateSettings) -> Objective:
    adversarial = LeastSquaresLoss()
    identity_a, identity_b = (
        IdentityLoss(settings.identity_weight, kind)
        for kind in (settings.identity_a, settings.identity_b)
    )
    architecture = settings.networks
    if architecture.temporal_predictor:
        return RecycleObjective(
            adversarial, RecurrentLoss(settings.recurrent_weight),
            RecycleLoss(settings.recycle_weight), identity_a, identity_b,
        )  # fmt: skip
    cycle = CycleLoss(settings.cycle_weight)
    return CycleObjective(
        adversarial, cycle, cycle, identity_a, identity_b, frames=architecture.dimensions == 2
    )
