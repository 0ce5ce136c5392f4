"""From noise to samples, step by step: the way of Ho et al. 2020 and that of Song et al. 2021."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ....simulator.errors import InputError
from .schedule import Schedule

SAMPLERS = ("ddim", "ddpm")

Predict = Callable[[Tensor, Tensor], Tensor]
"""Of noised samples and their times (sample,): what the schedule says that a network predicts."""

Noise = Callable[[], Tensor]
"""Gives new noise of all samples at each call."""


@dataclass(frozen=True)
class Sampler:
    """How samples are drawn.

    Parameters
    ----------
    name : {"ddim", "ddpm"}
        Denoising diffusion implicit models (arXiv:2010.02502), which may leave steps out, or
        probabilistic ones (arXiv:2006.11239), which go back through all of them.
    steps : int
        Steps of ``ddim``; those of the schedule, if it has no more. ``ddpm`` does not look at it.
    eta : float
        Share of noise that ``ddim`` adds in each step: 0 none, 1 as much as ``ddpm``.

    Raises
    ------
    InputError
        If a value is out of bounds.
    """

    name: str = "ddim"
    steps: int = 50
    eta: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in SAMPLERS:
            raise InputError(f"sampler: found {self.name!r}, wanted one of {', '.join(SAMPLERS)}")
        if self.steps < 1:
            raise InputError(f"steps: found {self.steps}, wanted 1 or more")
        if not 0 <= self.eta <= 1:
            raise InputError(f"eta: found {self.eta:g}, wanted 0 to 1")

    def draw(
        self, schedule: Schedule, predict: Predict, noise: Noise, bound: float | None = 1.0
    ) -> Tensor:
        """Return samples.

        Parameters
        ----------
        schedule : Schedule
        predict : callable
        noise : callable
            The first is where samples begin; each step that adds noise asks for more.
        bound : float, optional
            Greatest absolute value of samples, to which the image that a prediction stands for is
            held at each step; none, if None.
        """
        samples = noise()
        times = self.times(schedule)
        for time, before in zip(times, [*times[1:], -1], strict=True):
            now = torch.full((len(samples),), time, device=samples.device)
            image = schedule.image(samples, now, predict(samples, now))
            if bound is not None:
                image = image.clamp(-bound, bound)
            if self.name == "ddpm":
                samples = _step_back(schedule, samples, image, time, noise)
            else:
                samples = self._step(schedule, samples, image, now, before, noise)
        return samples

    def times(self, schedule: Schedule) -> list[int]:
        """Return the times at which a network is asked, the last one first."""
        count = schedule.steps if self.name == "ddpm" else min(self.steps, schedule.steps)
        # Evenly spaced, the noisiest among them: what samples begin with is noise alone.
        spaced = np.linspace(schedule.steps - 1, 0, count) if count > 1 else [schedule.steps - 1]
        return [int(time) for time in np.round(spaced)]

    def _step(
        self, schedule: Schedule, samples: Tensor, image: Tensor, now: Tensor, before: int,
        noise: Noise,
    ) -> Tensor:  # fmt: skip
        """Go from one time to another (equation 12 of Song et al. 2021, with 16 for its sigma)."""
        if before < 0:
            return image
        kept, kept_before = float(schedule.kept[int(now[0])]), float(schedule.kept[before])
        added = self.eta**2 * (1 - kept_before) / (1 - kept) * (1 - kept / kept_before)
        there = schedule.noise(samples, now, image)
        samples = kept_before**0.5 * image + max(1 - kept_before - added, 0.0) ** 0.5 * there
        return samples + added**0.5 * noise() if added > 0 else samples


def _step_back(
    schedule: Schedule, samples: Tensor, image: Tensor, time: int, noise: Noise
) -> Tensor:
    """Draw from the posterior of one step (equation 6 of Ho et al. 2020)."""
    of_image, of_samples, variance = schedule.posterior(time)
    mean = of_image * image + of_samples * samples
    return mean + variance**0.5 * noise() if time > 0 else mean
