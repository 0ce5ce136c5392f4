"""One image of the longitudinal section with its truth, of a seed and an index."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..seeds import Stream, generator
from .anatomy import Anatomy, draw_anatomy
from .grey import GREY_MAPS, compress, grey_levels, to_pixels
from .imaging import Probe, draw_probe, envelopes
from .parameters import SectionParameters
from .tissue import Scatterers, amplitude, scatter

SECTION_REVISION = 2
"""Of what images and their truth are; raised when a seed gives others. Up to 1, pennation was that
between tangents where a fascicle leaves its aponeurosis."""


@dataclass(frozen=True)
class Scene:
    """What an image is made of: it can be moved, and looked at otherwise.

    Parameters
    ----------
    anatomy : Anatomy
    scatterers : Scatterers
    probe : Probe
    """

    anatomy: Anatomy
    scatterers: Scatterers
    probe: Probe


@dataclass(frozen=True)
class Section:
    """An image with its truth.

    Parameters
    ----------
    image : uint8 array of shape (depth, width)
        Grey levels.
    aponeurosis : bool array of shape (2, depth, width)
        The superficial one and the deep one.
    thickness : float
        Mean of five perpendicular chords between the aponeuroses' middle lines, mm.
    pennation : float
        Angle between a fascicle and the aponeurosis that it leaves, both as straight lines, of the
        fascicle in the image's middle, rad (:func:`.fascicles.measure`).
    fascicle_length : float
        Its length, mm; NaN where it does not meet both aponeuroses near the image.
    """

    image: NDArray[np.uint8]
    aponeurosis: NDArray[np.bool_]
    thickness: float
    pennation: float
    fascicle_length: float


def draw_scene(parameters: SectionParameters, seed: int, index: int) -> Scene:
    """Draw what scatters in subject `index`, and the probe above it.

    Raises
    ------
    InputError
        If aponeuroses have no place in the image, or the scanner cannot show it.
    """
    anatomy = draw_anatomy(parameters, seed, index)
    probe = draw_probe(parameters, seed, index)
    depths, widths = probe.scanner.depths, probe.scanner.widths
    return Scene(anatomy, scatter(anatomy, parameters, depths, widths, seed, index), probe)


def show(
    envelope: NDArray[np.float64],
    parameters: SectionParameters,
    divisions: tuple[int, int],
    seed: int,
    index: int,
) -> NDArray[np.uint8]:
    """Return an envelope as the scanner shows it.

    Parameters
    ----------
    envelope : float64 array of shape (rows * depth, columns * width)
        Muscle's own scatterers have a mean power of 1.
    parameters : SectionParameters
    divisions : (int, int)
        Rows and columns of the envelope in a pixel.
    seed, index : int

    Returns
    -------
    uint8 array of shape (depth, width)
    """
    random = generator(seed, index, Stream.DISPLAY)
    dynamic_range, gain = (
        parameters.dynamic_range.draw_one(random),
        parameters.gain.draw_one(random),
    )
    maps, chosen = list(GREY_MAPS), int(random.integers(len(GREY_MAPS)))
    grey_map = maps[chosen] if parameters.grey_map == "mixed" else parameters.grey_map
    level = compress(envelope, amplitude(-gain), dynamic_range)
    return grey_levels(to_pixels(level, divisions), grey_map)


def draw_section(parameters: SectionParameters, seed: int, index: int) -> Section:
    """Make image `index` with its truth, a function of the three arguments alone.

    Raises
    ------
    InputError
        As :func:`draw_scene` does.
    """
    scene = draw_scene(parameters, seed, index)
    envelope = envelopes(scene.scatterers, scene.probe)[0]
    anatomy, fascicle = scene.anatomy, scene.anatomy.fascicle
    return Section(
        image=show(envelope, parameters, scene.probe.divisions, seed, index),
        aponeurosis=anatomy.masks(parameters.pixels, parameters.pixel_size),
        thickness=anatomy.thickness,
        pennation=fascicle.pennation,
        fascicle_length=fascicle.length,
    )
