"""What generators and discriminators are trained to: the losses of a step, network by network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from .losses import (
    CycleLoss,
    IdentityLoss,
    LeastSquaresLoss,
    RecurrentLoss,
    RecycleLoss,
)
from .networks.layers import Key
from .networks.models import TranslationModel
from .networks.unet import UNetPredictor

Keys = Sequence[Key]


@dataclass(frozen=True)
class Generated:
    """What the generators made of a batch, for their losses and for the discriminators.

    Parameters
    ----------
    losses : dict of tensor
        The generators', by name.
    fake_a, fake_b : tensor
        Translations without gradient, as discriminators see them.
    real_a, real_b : tensor
        What they are compared with.
    """

    losses: dict[str, Tensor]
    fake_a: Tensor
    fake_b: Tensor
    real_a: Tensor
    real_b: Tensor


class Objective(Protocol):
    """The generators' losses of a batch of both domains."""

    def __call__(self, model: TranslationModel, a: Tensor, b: Tensor, keys: Keys) -> Generated:
        """Translate clips (B, T, H, W) of both domains; `keys` are those of the noise."""
        ...


def purposes(keys: Keys, purpose: int) -> list[Key]:
    """Return keys of other noise for another use of the same clips."""
    return [(*(key if isinstance(key, tuple) else (key,)), purpose) for key in keys]


@dataclass(frozen=True)
class CycleObjective:
    """Adversarial, cycle and identity losses (Ali et al. 2022, equations 1 to 5).

    Parameters
    ----------
    adversarial : LeastSquaresLoss
    cycle_a, cycle_b : CycleLoss
    identity_a, identity_b : IdentityLoss
    frames : bool
        Whether the networks see frames: each frame of a clip is then an item.
    """

    adversarial: LeastSquaresLoss
    cycle_a: CycleLoss
    cycle_b: CycleLoss
    identity_a: IdentityLoss
    identity_b: IdentityLoss
    frames: bool = False

    def __call__(self, model: TranslationModel, a: Tensor, b: Tensor, keys: Keys) -> Generated:
        """Return losses and translations of clips (B, T, H, W)."""
        if self.frames:
            keys = [(*_words(key), frame) for key in keys for frame in range(a.shape[1])]
            a, b = (x.reshape(-1, 1, *x.shape[2:]) for x in (a, b))  # (B T, 1, H, W)
        else:
            a, b = a[:, None], b[:, None]  # (B, 1, T, H, W)
        fake_b = model.generator_a2b(a, purposes(keys, 0))
        fake_a = model.generator_b2a(b)
        losses = {
            "adversarial_b": self.adversarial.generator(model.discriminator_b(fake_b)),
            "adversarial_a": self.adversarial.generator(model.discriminator_a(fake_a)),
            "cycle_a": self.cycle_a(model.generator_b2a(fake_b), a),
            "cycle_b": self.cycle_b(model.generator_a2b(fake_a, purposes(keys, 1)), b),
        }
        if self.identity_a.weight > 0:
            losses["identity_a"] = self.identity_a(model.generator_b2a(a), a)
        if self.identity_b.weight > 0:
            found = model.generator_a2b(b, purposes(keys, 2))
            losses["identity_b"] = self.identity_b(found, b)
        return Generated(losses, fake_a.detach(), fake_b.detach(), a, b)


@dataclass(frozen=True)
class RecycleObjective:
    """Adversarial, recurrent, recycle and identity losses of Bansal et al. 2018.

    doi:10.1007/978-3-030-01228-1_8. Of every three frames two are translated; the third follows
    from them through the other domain's predictor and comes back as its own domain's frame.

    Parameters
    ----------
    adversarial : LeastSquaresLoss
    recurrent : RecurrentLoss
    recycle : RecycleLoss
    identity_a, identity_b : IdentityLoss
    """

    adversarial: LeastSquaresLoss
    recurrent: RecurrentLoss
    recycle: RecycleLoss
    identity_a: IdentityLoss
    identity_b: IdentityLoss

    frames: ClassVar[int] = UNetPredictor.inputs + 1
    """Frames of the clips."""

    def __call__(self, model: TranslationModel, a: Tensor, b: Tensor, keys: Keys) -> Generated:
        """Return losses and translations of clips of three frames (B, 3, H, W)."""
        if model.predictor_a is None or model.predictor_b is None:
            raise TypeError("this objective needs temporal predictors")
        losses: dict[str, Tensor] = {}
        fakes: dict[str, Tensor] = {}
        for name, x, there, back, own, other, critic in (
            ("a", a, model.generator_a2b, model.generator_b2a, model.predictor_a,
             model.predictor_b, model.discriminator_b),
            ("b", b, model.generator_b2a, model.generator_a2b, model.predictor_b,
             model.predictor_a, model.discriminator_a),
        ):  # fmt: skip
            two, third = x[:, :2], x[:, 2:3]  # (B, 2, H, W), (B, 1, H, W)
            fake = there(two.reshape(-1, 1, *x.shape[2:])).reshape(two.shape)
            expected = other(fake)  # (B, 1, H, W)
            shown = torch.cat([fake.reshape(-1, 1, *fake.shape[2:]), expected])
            side = "b" if name == "a" else "a"
            losses[f"adversarial_{side}"] = self.adversarial.generator(critic(shown))
            losses[f"recurrent_{name}"] = self.recurrent(own(two), third)
            losses[f"recycle_{name}"] = self.recycle(back(expected), third)
            fakes[side] = shown.detach()
        real_a, real_b = (x.transpose(0, 1).reshape(-1, 1, *x.shape[2:]) for x in (a, b))
        for name, loss, generator, frames in (
            ("a", self.identity_a, model.generator_b2a, real_a),
            ("b", self.identity_b, model.generator_a2b, real_b),
        ):
            if loss.weight > 0:
                losses[f"identity_{name}"] = loss(generator(frames), frames)
        return Generated(losses, fakes["a"], fakes["b"], real_a, real_b)


def judge(model: TranslationModel, made: Generated, shown_a: Tensor, shown_b: Tensor,
          loss: LeastSquaresLoss) -> dict[str, Tensor]:  # fmt: skip
    """Return the discriminators' losses.

    Parameters
    ----------
    model : TranslationModel
    made : Generated
    shown_a, shown_b : tensor
        Translations that they are shown, from pools.
    loss : LeastSquaresLoss
    """
    return {
        "discriminator_a": loss.discriminator(
            model.discriminator_a(made.real_a), model.discriminator_a(shown_a)
        ),
        "discriminator_b": loss.discriminator(
            model.discriminator_b(made.real_b), model.discriminator_b(shown_b)
        ),
    }


def _words(key: Key) -> tuple[int, ...]:
    return key if isinstance(key, tuple) else (key,)
