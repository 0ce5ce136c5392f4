"""How well the masks of matched units agree, pixel by pixel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .detection import Matching
from .masks import areas, check_masks


@dataclass(frozen=True)
class Segmentation:
    """Agreement of matched masks; arrays are float64 of shape (match,), in the matching's order.

    Parameters
    ----------
    precision : array
        Share of the predicted mask's pixels that are the true unit's.
    recall : array
        Share of the true unit's pixels that are the predicted mask's.
    iou : array
        Shared pixels over those of either: Jaccard's index.
    dice : array
        Twice the shared pixels over the sum of both: the harmonic mean of precision and recall.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    iou: NDArray[np.float64]
    dice: NDArray[np.float64]


def segmentation(
    predicted: NDArray[np.bool_], true: NDArray[np.bool_], matching: Matching
) -> Segmentation:
    """Compare the masks of matched units (Ali et al. 2020, section III.B and Fig. 5).

    Only units that were found count: what was missed or made up is detection's matter.

    Parameters
    ----------
    predicted : bool array of shape (prediction, depth, width)
    true : bool array of shape (unit, depth, width)
    matching : Matching
        Which prediction is which unit; matched masks share a pixel at least.

    Returns
    -------
    Segmentation

    Raises
    ------
    InputError
        If they are not bool masks of one image.
    """
    predicted, true = check_masks(predicted, true)
    first, second = predicted[matching.predicted], true[matching.true]
    shared = areas(first & second)
    first_area, second_area = areas(first), areas(second)
    return Segmentation(
        precision=shared / first_area,
        recall=shared / second_area,
        iou=shared / (first_area + second_area - shared),
        dice=2 * shared / (first_area + second_area),
    )
