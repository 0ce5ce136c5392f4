"""Training of a translator from pairs; Grant-Jacob et al. 2021."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Adam, Optimizer

from ...datasets.grid import Grid
from ...simulator.errors import InputError
from ..runs.memory_format import arrange
from ..runs.settings import Settings
from ..runs.task import register
from ..translation.networks.layers import Key
from .applying import IN_USE, apply, apply_to_sequence, fitted, scaled
from .metrics import normalised_error
from .networks.models import PairedModel, build
from .objectives import Made
from .paired_settings import MODELS, PairedSettings
from .pools import Pools
from .source import Pairs

GENERATORS, DISCRIMINATORS = "generators", "discriminators"

MOST_FILLED = 4
"""Most that images are filled up with zeros to what networks take, in sides of theirs: with more,
nearly all of the work would be on nothing."""


@register
class PairedTask:
    """Networks that make images against networks that judge; see :class:`..runs.task.Task`.

    Parameters
    ----------
    settings : PairedSettings
    grid : Grid
        Of images of kind A. Networks are convolutional: other sizes can be translated.
    """

    name: ClassVar[str] = "translate-paired"
    settings_class: ClassVar[type[Settings]] = PairedSettings
    models: ClassVar[Mapping[str, Mapping[str, Any]]] = MODELS
    source_class: ClassVar[Any] = Pairs
    score: ClassVar[str] = "nrmse"
    higher_is_better: ClassVar[bool] = False

    def __init__(self, settings: PairedSettings, grid: Grid) -> None:
        self.settings, self.grid = settings, grid
        self.networks: PairedModel = build(settings.networks, settings.seed)
        arrange(self.networks, settings.memory_format)
        self.objective = settings.objective
        size = settings.pool_size if settings.architecture == "cyclegan" else 0
        self.pools = {name: Pools(settings.seed, place, size)
                      for place, name in enumerate(self.networks.critics)}  # fmt: skip
        self._made: Made | None = None

    @property
    def canvas(self) -> tuple[int, int] | None:
        """Depth and width that images are brought onto; None: each is by itself."""
        whole = self.settings.canvas == "store" and self.settings.dimensions == 2
        return self.grid.shape[1:] if whole else None

    def check(self, source: Pairs) -> None:
        """Raise InputError unless there are pairs that these networks can learn from."""
        source.examples_of.check(self.settings)
        clip = (self.settings.frames,) if self.settings.dimensions == 3 else ()
        sides = self.grid.shape[1:]
        filled = max(self.networks.size_for((*clip, *sides))[-2:])
        most = MOST_FILLED * max(sides)
        if filled > most:
            raise InputError(
                f"levels: found {self.settings.levels}, for which images of {sides[0]} x "
                f"{sides[1]} px are filled up to {filled}, wanted {most} px at most; set fewer"
            )

    def optimisers(self) -> dict[str, Optimizer]:
        """Return Adam for what makes images and for what judges them."""
        settings = self.settings
        sides = {GENERATORS: self.networks.makers, DISCRIMINATORS: self.networks.judges}
        return {
            name: Adam(
                [value for network in networks for value in network.parameters()],
                lr=settings.learning_rate, betas=(settings.beta1, settings.beta2),
            )
            for name, networks in sides.items()
        }  # fmt: skip

    def prepare(self, step: int, optimisers: Mapping[str, Optimizer]) -> None:
        """Put the networks into training mode; the rate stays as it is."""
        self.networks.train()

    def batches(
        self, source: Pairs, step: int, *, rank: int, ranks: int, device: torch.device
    ) -> Iterator[dict[str, Tensor]]:
        """Yield images of both kinds, in their stores' intensities; see :meth:`.Pairs.batches`."""
        for name, scale in zip("ab", source.examples_of.scales, strict=True):
            getattr(self.networks, f"scale_{name}").copy_(torch.tensor(scale))
        yield from source.batches(
            step, self.settings, unpaired=self.networks.unpaired, rank=rank, ranks=ranks
        )

    def losses(
        self, optimiser: str, batch: dict[str, Tensor], step: int, rank: int
    ) -> dict[str, Tensor]:
        """Return the losses of what makes images, then of what judges those that were made."""
        model = self.networks
        for judge in model.judges:
            judge.requires_grad_(optimiser == DISCRIMINATORS)
        if optimiser == GENERATORS:
            a, b = (
                scaled(fitted(batch[name], model.size_for(batch[name].shape[2:])), scale)
                for name, scale in (("a", model.scale_a), ("b", model.scale_b))
            )
            keys: list[Key] = [(self.settings.seed, step, rank, place) for place in range(len(a))]
            self._made = self.objective.make(model, a, b, keys)
            return self._made.losses
        made, self._made = self._made, None
        if made is None:
            raise RuntimeError("discriminators were asked for before generators")
        return {
            name: self.objective.judge(
                critic(made.real[name]), critic(self._shown(name, made.fake[name], step, rank))
            )
            for name, critic in model.named_children()
            if name in model.critics
        }

    def _shown(self, name: str, fake: Tensor, step: int, rank: int) -> Tensor:
        """Return what a critic is shown: of cycleGAN, also what was made earlier."""
        return self.pools[name].query(fake, step * 2**16 + rank)  # each process for itself

    def clip(self, optimiser: str) -> float:
        """Gradients are not clipped."""
        return 0.0

    def extra(self) -> dict[str, Any]:
        """Return the pools, without which a resumed run would differ."""
        return {name: pool.state_dict() for name, pool in self.pools.items()}

    def load_extra(self, state: Mapping[str, Any]) -> None:
        """Take the pools of a checkpoint."""
        for name, pool in self.pools.items():
            pool.load_state_dict(state[name])

    def validate(self, source: Pairs, device: torch.device) -> dict[str, float]:
        """Return errors of pairs that validate, also of models that are trained without pairs.

        ``nrmse`` is that of Grant-Jacob et al. 2021, a mean over images; ``l1`` the mean absolute
        error where intensities go from -1 to 1, which they report too.
        """
        pairs = source.examples_of
        errors, distances = [], []
        low, high = self.networks.scale_b.tolist()
        for index in _spread(pairs.validated, self.settings.validation_batches):
            given, actual = pairs.pair(index, self.settings)
            made = self._made_of(given)
            errors.append(normalised_error(actual, made))
            distances.append(float(np.abs(made - actual).mean()) * 2 / (high - low))
        known = [error for error in errors if math.isfinite(error)]
        return {"nrmse": float(np.mean(known)) if known else math.nan,
                "l1": float(np.mean(distances))}  # fmt: skip

    def _made_of(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return images (T, depth, width) of kind B, of slices on the canvas of training."""
        key = (self.settings.seed, IN_USE)
        if self.settings.dimensions == 3:
            return apply_to_sequence(self.networks, images, self.settings.frames, key)
        given = torch.tensor(images)
        return apply(self.networks, given, key, self.canvas).numpy()

    def check_sequences(self, shape: tuple[int, int, int]) -> None:
        """Raise InputError unless sequences of so many frames and pixels can be translated."""
        frames = shape[0]
        if self.settings.dimensions == 3 and frames < self.settings.frames:
            raise InputError(
                f"sequence: found {frames} frames, wanted {self.settings.frames} or more, those of "
                "a clip in training; translate longer sequences"
            )

    def translate(self, tvi: NDArray[np.float32], index: int) -> NDArray[np.float32]:
        """Return a sequence of kind B; all share one image of noise.

        Parameters
        ----------
        tvi : float32 array of shape (time, depth, width)
            mm/s.
        index : int
            Of the sequence.
        """
        self.networks.eval()
        key = (self.settings.seed, IN_USE)
        return apply_to_sequence(self.networks, tvi, self.settings.frames, key)


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """Return up to `most` of some indices, evenly from among them."""
    count = min(most, len(indices))
    places = np.linspace(0, len(indices) - 1, count).round().astype(int)
    return [indices[place] for place in places]
