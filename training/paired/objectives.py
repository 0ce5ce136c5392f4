"""What the three models are trained to: losses of those that make images, then of those that judge.

All losses are means over elements, in float32, so that weights mean the same at any size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..translation.losses import LeastSquaresLoss, distance
from ..translation.networks.layers import Key
from .networks.models import CycleGan, Pix2Pix, Unit


@dataclass(frozen=True)
class Made:
    """What was made of a batch.

    Parameters
    ----------
    losses : dict of tensor
        Of the networks that made it, by name, weighted.
    real, fake : dict of tensor
        What each critic is to tell from what: by its name, without gradient.
    """

    losses: dict[str, Tensor]
    real: dict[str, Tensor]
    fake: dict[str, Tensor]


class Objective(Protocol):
    """Losses of a model."""

    def make(self, model: Any, a: Tensor, b: Tensor, keys: Sequence[Key]) -> Made:
        """Return what is made of images of both kinds, (B, 1, (T,) H, W)."""
        ...

    def judge(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the loss of a critic by its scores of real images and of made ones."""
        ...


def cross_entropy(scores: Tensor, real: bool) -> Tensor:
    """Return the mean cross entropy of scores, before a sigmoid, with what they ought to be.

    A critic that cannot tell has ln 2 = 0.69: what Grant-Jacob et al. 2021 report at the end of
    training, of both sides.
    """
    scores = scores.float()
    return functional.binary_cross_entropy_with_logits(scores, torch.full_like(scores, float(real)))


class CrossEntropyJudge:
    """The adversarial losses of Goodfellow et al. 2014, as Isola and Liu et al. 2017 use them."""

    def fool(self, scores: Tensor) -> Tensor:
        """Return the loss of what made images with such scores (its non-saturating form)."""
        return cross_entropy(scores, True)

    def judge(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return half of both losses together: the critic is to learn more slowly (Isola 2017)."""
        return 0.5 * (cross_entropy(real, True) + cross_entropy(fake, False))


@dataclass(frozen=True)
class Pix2PixObjective(CrossEntropyJudge):
    """The critic's opinion of the pair, and the distance from the actual image.

    Isola et al. 2017 (arXiv:1611.07004), equation 4.

    Parameters
    ----------
    l1_weight : float
        Theirs is 100.
    """

    l1_weight: float = 100.0

    def make(self, model: Pix2Pix, a: Tensor, b: Tensor, keys: Sequence[Key]) -> Made:
        """Return what is made of images that belong together."""
        fake = model.translate(a, keys)
        scores = model.discriminator(torch.cat([a, fake], dim=1))
        losses = {"adversarial": self.fool(scores), "l1": self.l1_weight * distance(fake, b, "l1")}
        real, made = torch.cat([a, b], dim=1), torch.cat([a, fake.detach()], dim=1)
        return Made(losses, {"discriminator": real}, {"discriminator": made})


@dataclass(frozen=True)
class CycleGanObjective:
    """Likeness to the other kind, and the way back; images need not belong together.

    Zhu et al. 2017 (doi:10.1109/ICCV.2017.244), equation 3, with least squares.

    Parameters
    ----------
    cycle_weight : float
        Theirs is 10, each way.
    identity_weight : float
        Of an image of B that is given to what makes B, and likewise of A. They add it where colours
        are to stay (half the cycle's weight); here intensities are to change: 0.
    """

    cycle_weight: float = 10.0
    identity_weight: float = 0.0

    def make(self, model: CycleGan, a: Tensor, b: Tensor, keys: Sequence[Key]) -> Made:
        """Return what is made of images of both kinds."""
        adversarial = LeastSquaresLoss()
        fake_b, fake_a = model.generator_a2b(a), model.generator_b2a(b)
        back_a, back_b = model.generator_b2a(fake_b), model.generator_a2b(fake_a)
        losses = {
            "adversarial_b": adversarial.generator(model.discriminator_b(fake_b)),
            "adversarial_a": adversarial.generator(model.discriminator_a(fake_a)),
            "cycle_a": self.cycle_weight * distance(back_a, a, "l1"),
            "cycle_b": self.cycle_weight * distance(back_b, b, "l1"),
        }
        if self.identity_weight > 0:
            same_b, same_a = model.generator_a2b(b), model.generator_b2a(a)
            losses["identity_b"] = self.identity_weight * distance(same_b, b, "l1")
            losses["identity_a"] = self.identity_weight * distance(same_a, a, "l1")
        return Made(losses, *_both(a, b, fake_a, fake_b))

    def judge(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return half of both squared errors together."""
        return LeastSquaresLoss().discriminator(real, fake)


@dataclass(frozen=True)
class UnitObjective(CrossEntropyJudge):
    """An image comes back through the shared code, and through the other kind; codes stay normal.

    Liu et al. 2017 (arXiv:1703.00848), equations 2 to 6. Codes are normal with a variance of 1
    about what the encoder gives, so that the divergence from a standard normal is half its square;
    images are Laplacian about what the decoder gives: the absolute difference.

    Parameters
    ----------
    adversarial_weight : float
        Theirs is 10 (lambda 0).
    kl_weight : float
        0.1, of codes of an image and of its translation (lambda 1 and 3).
    likelihood_weight : float
        100, of what comes back from either code (lambda 2 and 4).
    """

    adversarial_weight: float = 10.0
    kl_weight: float = 0.1
    likelihood_weight: float = 100.0

    def make(self, model: Unit, a: Tensor, b: Tensor, keys: Sequence[Key]) -> Made:
        """Return what is made of images of both kinds."""
        random = _generator(keys)
        mean_a = model.shared_encoder(model.encoder_a(a))
        mean_b = model.shared_encoder(model.encoder_b(b))
        code_a = model.shared_decoder(_drawn(mean_a, random))
        code_b = model.shared_decoder(_drawn(mean_b, random))
        same_a, fake_b = model.decoder_a(code_a), model.decoder_b(code_a)
        same_b, fake_a = model.decoder_b(code_b), model.decoder_a(code_b)
        cycled_a = model.shared_encoder(model.encoder_b(fake_b))  # what was an image of a
        cycled_b = model.shared_encoder(model.encoder_a(fake_a))
        back_a = model.decoder_a(model.shared_decoder(_drawn(cycled_a, random)))
        back_b = model.decoder_b(model.shared_decoder(_drawn(cycled_b, random)))
        fool, likelihood = self.adversarial_weight, self.likelihood_weight
        losses = {
            "adversarial_b": fool * self.fool(model.discriminator_b(fake_b)),
            "adversarial_a": fool * self.fool(model.discriminator_a(fake_a)),
            "kl": self.kl_weight * (divergence(mean_a) + divergence(mean_b)),
            "likelihood_a": likelihood * distance(same_a, a, "l1"),
            "likelihood_b": likelihood * distance(same_b, b, "l1"),
            "cycle_kl": self.kl_weight * (divergence(cycled_a) + divergence(cycled_b)),
            "cycle_a": likelihood * distance(back_a, a, "l1"),
            "cycle_b": likelihood * distance(back_b, b, "l1"),
        }
        return Made(losses, *_both(a, b, fake_a, fake_b))

    def judge(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the cross entropy of both, with the weight that they have for what is made."""
        return self.adversarial_weight * super().judge(real, fake)


def divergence(mean: Tensor) -> Tensor:
    """Return that of normal codes of variance 1 from the standard normal, a mean over elements.

    KL(N(m, 1) || N(0, 1)) = m² / 2 (Kingma and Welling 2014, arXiv:1312.6114, appendix B).
    """
    return 0.5 * mean.float().square().mean()


def _drawn(mean: Tensor, random: torch.Generator) -> Tensor:
    """Return codes drawn about their mean; on a CPU, so that all devices draw the same."""
    return mean + torch.randn(mean.shape, generator=random).to(mean.device, mean.dtype)


def _generator(keys: Sequence[Key]) -> torch.Generator:
    key = keys[0]
    seed, *purpose = key if isinstance(key, tuple) else (key,)
    words = np.random.SeedSequence(seed, spawn_key=tuple(purpose)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(words[0]))


def _both(
    a: Tensor, b: Tensor, fake_a: Tensor, fake_b: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    real = {"discriminator_a": a, "discriminator_b": b}
    return real, {"discriminator_a": fake_a.detach(), "discriminator_b": fake_b.detach()}
