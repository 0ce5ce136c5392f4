"""What a network that finds aponeuroses lowers, and what it is measured by."""

import torch
from torch import Tensor


def weighted_dice_loss(logits: Tensor, masks: Tensor, weight: float) -> Tensor:
    """Return 1 less the weighted mean of the Dice coefficients of what is drawn and what is not.

    Dice's coefficient of soft masks p and g is 2 sum(p g) / (sum p + sum g) (Bertels et al. 2019,
    doi:10.1007/978-3-030-32245-8_11), over all pixels of a batch.

    Parameters
    ----------
    logits, masks : tensors of the same shape
        Masks lie between 0 and 1.
    weight : float
        Of what is drawn; what is not has the rest of 1.
    """
    found = torch.sigmoid(logits.float())
    drawn = _soft_dice(found, masks)
    empty = _soft_dice(1 - found, 1 - masks)
    return 1 - weight * drawn - (1 - weight) * empty


def _soft_dice(found: Tensor, true: Tensor) -> Tensor:
    # One pixel stands beside both, so that nothing found where nothing is is right.
    return (2 * (found * true).sum() + 1) / (found.sum() + true.sum() + 1)


def overlaps(found: Tensor, true: Tensor) -> dict[str, Tensor]:
    """Return precision, recall, Dice coefficient and intersection over union of each image.

    Parameters
    ----------
    found, true : (images, ...) tensors of bool

    Returns
    -------
    dict of (images,) tensors of float64
        Precision where nothing is found, and all where nothing is true either, is 1.
    """
    found, true = found.flatten(1), true.flatten(1)
    both = (found & true).sum(dim=1).double()
    found_in_all, true_in_all = found.sum(dim=1).double(), true.sum(dim=1).double()
    either = found_in_all + true_in_all - both
    return {
        "precision": _ratio(both, found_in_all),
        "recall": _ratio(both, true_in_all),
        "dice": _ratio(2 * both, found_in_all + true_in_all),
        "iou": _ratio(both, either),
    }


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    return torch.where(below > 0, above / below.clamp(min=1), torch.ones_like(above))
