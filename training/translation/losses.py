"""The losses of translation without pairs: small callables that know nothing of the networks.

All are means over elements, and all are computed in float32, whatever the networks computed in.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ...simulator.errors import InputError

DISTANCES = ("l1", "l2")
"""How far two clips are apart: the mean absolute, or the mean squared difference."""

CYCLE_WEIGHT = 10.0
"""Weight of the cycle losses beside the adversarial ones (Zhu et al. 2017)."""

IDENTITY_SHARE = 0.5
"""Weight of an identity loss over that of its domain's cycle loss (Zhu et al. 2017)."""

REAL, FAKE = 1.0, 0.0
"""What a discriminator's score ought to be."""


def distance(found: Tensor, wanted: Tensor, kind: str) -> Tensor:
    """Return the mean absolute ("l1") or mean squared ("l2") difference of two tensors of a shape.

    Raises
    ------
    InputError
        If the shapes differ, which would otherwise be stretched to one another.
    """
    if found.shape != wanted.shape:
        raise InputError(
            f"loss: found the shapes {tuple(found.shape)} and {tuple(wanted.shape)}, "
            "wanted one shape"
        )
    difference = found.float() - wanted.float()
    return difference.abs().mean() if kind == "l1" else difference.square().mean()


@dataclass(frozen=True)
class LeastSquaresLoss:
    """The adversarial losses of Mao et al. 2017 (doi:10.1109/ICCV.2017.304)."""

    def generator(self, fake_scores: Tensor) -> Tensor:
        """Return how far the scores of translated clips are from those of real ones.

        Parameters
        ----------
        fake_scores : tensor of any shape
            The discriminator's, with a gradient to the generator.

        Returns
        -------
        float32 tensor of shape ()
        """
        return (fake_scores.float() - REAL).square().mean()

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """Return how far the scores are from the truth.

        The two halves' mean, not their sum: the discriminator learns at half the generator's pace
        (Zhu et al. 2017, doi:10.1109/ICCV.2017.244).

        Parameters
        ----------
        real_scores, fake_scores : tensor of any shape
            Of real clips, and of translated ones without a gradient to the generator.

        Returns
        -------
        float32 tensor of shape ()
        """
        real = (real_scores.float() - REAL).square().mean()
        fake = (fake_scores.float() - FAKE).square().mean()
        return 0.5 * (real + fake)


@dataclass(frozen=True)
class WeightedDistance:
    """A weight times the distance between what was found and what was wanted.

    Parameters
    ----------
    weight : float
        Factor, 0 or more.
    kind : {"l1", "l2"}
        Mean absolute or mean squared difference.

    Raises
    ------
    InputError
        If the weight is negative or not a number, or the kind is none of these.
    """

    weight: float = CYCLE_WEIGHT
    kind: str = "l1"

    def __post_init__(self) -> None:
        if not 0 <= self.weight < torch.inf:
            raise InputError(f"weight of a loss: found {self.weight!r}, wanted 0 or more")
        if self.kind not in DISTANCES:
            raise InputError(
                f"kind of a loss: found {self.kind!r}, wanted one of {', '.join(DISTANCES)}"
            )

    def __call__(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return the loss, float32 of shape ().

        Parameters
        ----------
        found, wanted : tensor of one shape

        Raises
        ------
        InputError
            If the shapes differ.
        """
        return self.weight * distance(found, wanted, self.kind)


@dataclass(frozen=True)
class CycleLoss(WeightedDistance):
    """Between a clip that was translated to the other domain and back, and the clip itself.

    The L1 distance, with a weight of 10 for each domain: Zhu et al. 2017
    (doi:10.1109/ICCV.2017.244); Ali et al. 2022 (BioMedical Engineering OnLine), equations 3 and 4.
    """


@dataclass(frozen=True)
class IdentityLoss(WeightedDistance):
    """Between a clip "translated" to the domain that it is from, and the clip itself.

    It keeps contraction from turning into relaxation (Ali et al. 2022, BioMedical Engineering
    OnLine, equation 5, after Taigman et al. 2017, arXiv:1611.02200). The equation has an L1 norm
    for domain A and an L2 norm for B, of which the text says nothing; the code that it builds on
    has L1 for both, the default here, with half the weight of the cycle loss.
    """

    weight: float = IDENTITY_SHARE * CYCLE_WEIGHT


@dataclass(frozen=True)
class RecurrentLoss(WeightedDistance):
    """Between the frame that a predictor expects after two real ones, and the real one.

    ``||x_{t+1} - P_X(x_{t-1}, x_t)||²`` of Bansal et al. 2018
    (doi:10.1007/978-3-030-01228-1_8), with their weight of 10. Their equation is squared (L2),
    the default here; their published code takes the absolute difference, which is "l1".
    """

    kind: str = "l2"


@dataclass(frozen=True)
class RecycleLoss(WeightedDistance):
    """Between a frame, and the one that comes back from a prediction in the other domain.

    ``||x_{t+1} - G_X(P_Y(G_Y(x_{t-1}), G_Y(x_t)))||²`` of Bansal et al. 2018
    (doi:10.1007/978-3-030-01228-1_8): two frames are translated, the third is predicted there and
    translated back. Weight and kind as in :class:`RecurrentLoss`.
    """

    kind: str = "l2"
