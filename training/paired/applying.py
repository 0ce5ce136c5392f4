"""Applying what was trained: images of kind A become images of kind B, in intensities of stores."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ...datasets.volumes.slices import PLANES
from ...simulator.errors import InputError
from ..translation.networks.layers import Key

if TYPE_CHECKING:
    from .networks.models import PairedModel
    from .paired_task import PairedTask

IN_USE = 2**32
"""Stands in keys of noise where training has its step, which never comes so far."""

AT_ONCE = 2**19
"""Pixels that go through a network together: it bounds memory."""


def scaled(images: Tensor, scale: Tensor) -> Tensor:
    """Return intensities so that the first of `scale` becomes -1 and the second 1."""
    low, high = scale.unbind()
    return (images - low) * (2 / (high - low)) - 1


def unscaled(images: Tensor, scale: Tensor) -> Tensor:
    """Return what :func:`scaled` was given."""
    low, high = scale.unbind()
    return (images + 1) * ((high - low) / 2) + low


def fitted(images: Tensor, size: Sequence[int]) -> Tensor:
    """Return images (..., (T,) H, W) in the middle of zeros of another size."""
    pads: list[int] = []
    for side, wanted in zip(reversed(images.shape[-len(size) :]), reversed(size), strict=True):
        before = (wanted - side) // 2
        pads += [before, wanted - side - before]
    return functional.pad(images, pads)


def unfitted(images: Tensor, size: Sequence[int]) -> Tensor:
    """Return the middle of images: what :func:`fitted` was given, of such a size."""
    for axis, side in enumerate(size, start=images.ndim - len(size)):
        images = images.narrow(axis, (images.shape[axis] - side) // 2, side)
    return images


@torch.no_grad()
def apply(
    model: "PairedModel", images: Tensor, key: Key, canvas: Sequence[int] | None = None
) -> Tensor:
    """Return images of kind B, each as if it were alone.

    Parameters
    ----------
    model : PairedModel
    images : float32 tensor of shape (n, (T,) depth, width)
        In intensities of kind A. Sides that the networks cannot take are filled up with zeros.
    key : int or tuple of int
        Of the noise, which all images share.
    canvas : sequence of int, optional
        Size of the images of training, ((T,) depth, width): smaller ones are brought onto it, as
        norms depend on how much is around a picture.

    Returns
    -------
    float32 tensor of the shape of `images`
        In intensities of kind B.
    """
    size = tuple(images.shape[1:])
    whole = model.size_for([max(sides) for sides in zip(size, canvas or size, strict=True)])
    most = max(1, AT_ONCE // int(np.prod(whole)))
    device = model.scale_a.device
    found = []
    for some in images.split(most):
        given = scaled(fitted(some.to(device), whole), model.scale_a)[:, None]
        made = model.translate(given, [key] * len(some))[:, 0].float()
        found.append(unfitted(unscaled(made, model.scale_b), size).to(images.device))
    return torch.cat(found)


def apply_to_sequence(
    model: "PairedModel", tvi: NDArray[np.float32], frames: int, key: Key
) -> NDArray[np.float32]:
    """Return a sequence of kind B.

    Networks of two dimensions take every frame by itself. Those of three take clips as long as in
    training, of which each overlaps the next by half; where two meet, one fades into the other.

    Parameters
    ----------
    model : PairedModel
    tvi : float32 array of shape (time, depth, width)
    frames : int
        Of a clip.
    key : int or tuple of int
        Of the noise.
    """
    whole = torch.tensor(np.asarray(tvi, np.float32))
    if model.architecture.dimensions == 2:
        return apply(model, whole, key).numpy()
    length = min(frames, len(whole))
    steps = max(1, length // 2)
    starts = sorted({*range(0, len(whole) - length, steps), len(whole) - length})
    fade = torch.minimum(torch.arange(1, length + 1), torch.arange(length, 0, -1))
    weight = fade.float()[:, None, None]
    total, weights = torch.zeros_like(whole), torch.zeros(len(whole), 1, 1)
    for first in starts:
        clip = slice(first, first + length)
        total[clip] += weight * apply(model, whole[None, clip], key)[0]
        weights[clip] += weight
    return (total / weights).numpy()


class Translator:
    """Makes images of kind B of images of kind A, such as T2 of T1, with a trained model.

    What is made of an image depends on it alone: not on others of a batch, up to rounding.

    Parameters
    ----------
    model : PairedModel
    seed : int
        Of the run, for its noise: one image of it, in use for all.
    canvas : tuple of int, optional
        Depth and width of the canvas of training, onto which images are brought. Without one an
        image is filled up to what the networks take, no more: it ought to be a slice without what
        is around it in its store, as :func:`...datasets.volumes.slices.slices_of` gives it.
    """

    def __init__(
        self, model: "PairedModel", seed: int, canvas: tuple[int, int] | None = None
    ) -> None:
        self.model, self.key, self.canvas = model.eval(), (seed, IN_USE), canvas

    @property
    def alone(self) -> bool:
        """Whether slices are to be given without what is around them in their store."""
        return self.canvas is None

    def __call__(self, image: NDArray[Any], plane: str = "") -> NDArray[np.float32]:
        """Return an image, float32 of shape (depth, width), in intensities of its kind.

        Parameters
        ----------
        image : array of shape (depth, width)
            In the intensities of the store that was trained on.
        plane : str
            One of :data:`...datasets.volumes.slices.PLANES`, or empty. These networks do not look
            at it.

        Raises
        ------
        InputError
            If it is no image, has values that are not finite, or there is no such plane.
        """
        if plane and plane not in PLANES:
            raise InputError(f"plane: found {plane!r}, wanted one of {', '.join(PLANES)}")
        return self.batch(np.asarray(image)[None])[0]

    def batch(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Return several images, (n, depth, width), as :meth:`__call__` returns each.

        Raises
        ------
        InputError
            If they are no images of one size, or have values that are not finite.
        """
        given = np.array(images, np.float32)
        if given.ndim != 3 or 0 in given.shape:
            raise InputError(
                f"image: found the shape {given.shape[1:]}, wanted (depth, width); reshape it"
            )
        if not np.isfinite(given).all():
            raise InputError("image: found values that are not finite, wanted numbers")
        return apply(self.model, torch.from_numpy(given), self.key, self.canvas).numpy()


def load(run: str | Path, accelerator: str = "auto") -> Translator:
    """Return what a run of ``musim train translate --paired`` on slices has learned.

    Parameters
    ----------
    run : path
    accelerator : {"auto", "cpu", "cuda", "mps"}
        Where it computes.

    Raises
    ------
    InputError
        If there is no such run, it was trained on sequences, or there is no such device.
    """
    from ..runs.devices import device_of

    task = open_slice_run(run)
    networks = task.networks.to(device_of(accelerator))
    return Translator(networks, task.settings.seed, task.canvas)


def open_slice_run(run: str | Path) -> "PairedTask":
    """Return the task of a run on paired slices; see :func:`load`."""
    from ..runs.folder import RunFolder
    from ..tasks import open_run
    from .paired_task import PairedTask

    if RunFolder(run).describe(PairedTask.name)["source"].get("b"):
        raise InputError(
            f"{run}: found a translator of sequences, wanted one of paired slices; translate a "
            "store of sequences with it"
        )
    return open_run(run, PairedTask)[0]
