"""A scan of whatever volume of labels one has."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .exposure import Exposure, Placed, expose
from .parameters import Phantom
from .scan import MOST_VOXELS, Scan
from .tissues import BRAIN_TISSUES, HAND_TISSUES

TISSUES = {"brain": BRAIN_TISSUES, "hand": HAND_TISSUES}
"""What the numbers of labels stand for, by the names that ``tissues`` has for these tables."""


def scan_labels(
    labels: NDArray[np.uint8],
    voxel_size: tuple[float, float, float],
    tissues: str = "brain",
    scan: Scan | None = None,
    *,
    seed: int = 0,
    index: int = 0,
) -> Exposure:
    """Return a volume of labels as both sequences show it.

    Parameters
    ----------
    labels : uint8 array of shape (x, y, z)
        A voxel's tissue holds up to its faces; beyond the volume is air. A single layer is taken
        to go on in its normal's direction, and moves within its plane alone.
    voxel_size : tuple of float
        Of the labels, mm.
    tissues : {"brain", "hand"}
        What labels stand for, see :data:`TISSUES`.
    scan : Scan, optional
        Its `extent` is that of the labels, whatever it says. That of Grant-Jacob et al. 2021, if
        not given.
    seed, index : int
        Of what is drawn: noise, motion, densities from place to place.

    Returns
    -------
    Exposure
        Read along z; layers across z along y.

    Raises
    ------
    InputError
        If a label is none of the tissues', or the volume would be too large.

    Examples
    --------
    >>> head = np.ones((20, 20, 20), np.uint8)
    >>> scan_labels(head, (1.0, 1.0, 1.0), scan=Scan(voxel=2)).image.shape
    (10, 10, 10)
    """
    scan = scan or Phantom().scan
    if tissues not in TISSUES:
        raise InputError(f"tissues: found {tissues!r}, wanted one of {', '.join(TISSUES)}")
    known = len(TISSUES[tissues]) - 1
    if int(labels.max(initial=0)) > known:
        raise InputError(
            f"labels: found {int(labels.max())}, wanted 0 to {known}, the tissues of a {tissues}; "
            "use other tissues, or number the labels as they are"
        )
    flat = labels.shape[2] == 1
    if flat:  # across z: what lies along y is read, in z's place
        across, through, along = voxel_size
        labels, voxel_size = labels.transpose(0, 2, 1), (across, along, through)
    sides = np.array(labels.shape) * voxel_size
    shape = [max(1, round(side / scan.voxel)) for side in sides]
    for axis, count in enumerate(labels.shape):
        if count == 1:
            shape[axis] = 1
    if np.prod(shape, dtype=float) > MOST_VOXELS:
        raise InputError(
            f"voxel: found {scan.voxel:g} mm in {' x '.join(f'{side:g}' for side in sides)} mm, "
            f"wanted {MOST_VOXELS} voxels at most; use larger ones"
        )
    source, size = np.ascontiguousarray(labels), np.array(voxel_size, np.float64)

    def look_up(
        origin: NDArray[np.float64], step: float, points: tuple[int, int, int], motion: Placed
    ) -> NDArray[np.uint8]:
        from .label_kernels import nearest_labels

        found = np.empty(points, np.uint8)
        back = np.ascontiguousarray(motion[0].T)
        nearest_labels(found, source, size, back, motion[1], origin, step)
        return found

    found = expose(look_up, TISSUES[tissues], scan, (shape[0], shape[1], shape[2]), seed, index)
    if not flat:
        return found
    turned = {name: getattr(found, name).transpose(0, 2, 1)
              for name in ("image", "image_b", "tissue")}  # fmt: skip
    return dataclasses.replace(found, **turned)
