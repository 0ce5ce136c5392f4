"""How images become noise in steps, and what a network's prediction says of the image before.

Equations are those of Ho et al. 2020 (arXiv:2006.11239), with the names that they have there; times
count from 0, so that time t here is t + 1 there.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SCHEDULES = ("linear", "cosine")
PREDICTIONS = ("noise", "v")

_LEAST, _GREATEST, _OF_STEPS = 1e-4, 0.02, 1000
"""Variances that the first and the last of 1000 steps add in Ho et al. 2020, section 4."""

_OFFSET, _MOST = 0.008, 0.999
"""s, and the most that a step may add, in Nichol and Dhariwal 2021 (arXiv:2102.09672), section
3.2."""


@dataclass(frozen=True)
class Schedule:
    """Variances of the noise that each step adds.

    Parameters
    ----------
    name : {"linear", "cosine"}
        Of Ho et al. 2020 or of Nichol and Dhariwal 2021. The linear one of other than 1000 steps
        adds as much noise in all as that of 1000: its variances are multiplied by 1000 / steps.
    steps : int
        T.
    prediction : {"noise", "v"}
        What a network predicts: the noise, or v of Salimans and Ho 2022 (arXiv:2202.00512).
    """

    name: str
    steps: int
    prediction: str = "noise"

    @cached_property
    def beta(self) -> NDArray[np.float64]:
        """Variance that each step adds, (steps,)."""
        if self.name == "linear":
            scale = _OF_STEPS / self.steps
            return np.minimum(np.linspace(scale * _LEAST, scale * _GREATEST, self.steps), _MOST)
        place = np.arange(self.steps + 1) / self.steps
        kept = np.cos((place + _OFFSET) / (1 + _OFFSET) * math.pi / 2) ** 2
        return np.minimum(1 - kept[1:] / kept[:-1], _MOST)

    @cached_property
    def kept(self) -> NDArray[np.float64]:
        """Share of the variance that is the image's after each step, (steps,): alpha bar."""
        return np.cumprod(1 - self.beta, dtype=np.float64)

    def noised(self, images: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """Return images after steps of noise, all at once (equation 4).

        Parameters
        ----------
        images, noise : tensors of shape (image, ...)
        times : int64 tensor of shape (image,)
            Steps done, less one.
        """
        signal, spread = self.scales(times, images)
        return signal * images + spread * noise

    def target(self, images: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """Return what a network ought to predict of noised images."""
        if self.prediction == "noise":
            return noise
        signal, spread = self.scales(times, images)
        return signal * noise - spread * images

    def image(self, noised: Tensor, times: Tensor, predicted: Tensor) -> Tensor:
        """Return the image that a prediction says was noised (equation 15)."""
        signal, spread = self.scales(times, noised)
        if self.prediction == "noise":
            return (noised - spread * predicted) / signal
        return signal * noised - spread * predicted

    def noise(self, noised: Tensor, times: Tensor, image: Tensor) -> Tensor:
        """Return the noise that there is, if this is the image."""
        signal, spread = self.scales(times, noised)
        return (noised - signal * image) / spread

    def posterior(self, time: int) -> tuple[float, float, float]:
        """Return what the step before `time` is like, given the image and the noised one.

        Returns
        -------
        image, noised : float
            Weights of both in the mean (equation 7).
        variance : float
        """
        beta, kept = float(self.beta[time]), float(self.kept[time])
        before = float(self.kept[time - 1]) if time > 0 else 1.0
        return (
            math.sqrt(before) * beta / (1 - kept),
            math.sqrt(1 - beta) * (1 - before) / (1 - kept),
            (1 - before) / (1 - kept) * beta,
        )

    def scales(self, times: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return what images and noise are multiplied by, in the shape of `like`."""
        kept = torch.from_numpy(self.kept)[times.cpu()]
        shape = (-1, *(1,) * (like.ndim - 1))
        signal, spread = kept.sqrt(), (1 - kept).sqrt()
        return signal.to(like).reshape(shape), spread.to(like).reshape(shape)
