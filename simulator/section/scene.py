"""One image of the longitudinal section with its truth, of a seed and an index."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..seeds import Stream, generator
from .anatomy import Anatomy, draw_anatomy
from .grey import GREY_MAPS, compress, grey_levels, to_pixels
from .imaging import Probe, draw_probe, envelopes
from .parameters import SectionParameters
from .tissue import Scatterers, amplitude, scatter


@dataclass(frozen=True)
class Scene:
    """What an image is made of: it can be moved, and looked at otherwise.

    Parameters
    ----------
    anatomy : Anatomy
    scatterers : Scatterers
        On the grid of the probe's scanner, and as far below and to both sides of it as was asked.
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


def draw_scene(
    parameters: SectionParameters, seed: int, index: int, margin: tuple[float, float] = (0.0, 0.0)
) -> Scene:
    """Draw what scatters in subject `index`, and the probe above it.

    Parameters
    ----------
    parameters : SectionParameters
    seed, index : int
    margin : (float, float)
        How far scatterers go on below the image and to each side of it, mm: what moves into it. The
        anatomy and the probe do not depend on it, speckle does.

    Raises
    ------
    InputError
        If aponeuroses have no place in the image, or the scanner cannot show it.
    """
    anatomy = draw_anatomy(parameters, seed, index)
    probe = draw_probe(parameters, seed, index)
    steps = probe.scanner.pixel_size
    below, aside = (math.ceil(far / step) for far, step in zip(margin, steps, strict=True))
    rows, columns = probe.scanner.doses.image
    depths = (np.arange(rows + below, dtype=np.float64) + 0.5) * steps[0]
    widths = (np.arange(-aside, columns + aside, dtype=np.float64) + 0.5) * steps[1]
    return Scene(anatomy, scatter(anatomy, parameters, depths, widths, seed, index), probe)


@dataclass(frozen=True)
class Display:
    """How a scanner shows envelopes: the same in all images of a sequence.

    Parameters
    ----------
    gain : float
        How far below white muscle's own scatterers are, dB.
    dynamic_range : float
        From black to white, dB.
    grey_map : str
        A name in :data:`.grey.GREY_MAPS`.
    """

    gain: float
    dynamic_range: float
    grey_map: str

    def show(self, envelope: NDArray[np.floating], divisions: tuple[int, int]) -> NDArray[np.uint8]:
        """Return an envelope as the scanner shows it.

        Parameters
        ----------
        envelope : float array of shape (rows * depth, columns * width)
            Muscle's own scatterers have a mean power of 1.
        divisions : (int, int)
            Rows and columns of the envelope in a pixel.

        Returns
        -------
        uint8 array of shape (depth, width)
        """
        level = compress(envelope, amplitude(-self.gain), self.dynamic_range)
        return grey_levels(to_pixels(level, divisions), self.grey_map)


def draw_display(parameters: SectionParameters, seed: int, index: int) -> Display:
    """Draw how the scanner shows image `index`."""
    random = generator(seed, index, Stream.DISPLAY)
    dynamic_range = parameters.dynamic_range.draw_one(random)
    gain = parameters.gain.draw_one(random)
    maps, chosen = list(GREY_MAPS), int(random.integers(len(GREY_MAPS)))
    grey_map = maps[chosen] if parameters.grey_map == "mixed" else parameters.grey_map
    return Display(gain, dynamic_range, grey_map)


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
        image=draw_display(parameters, seed, index).show(envelope, scene.probe.divisions),
        aponeurosis=anatomy.masks(parameters.pixels, parameters.pixel_size),
        thickness=anatomy.thickness,
        pennation=fascicle.pennation,
        fascicle_length=fascicle.length,
    )
