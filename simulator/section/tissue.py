"""What scatters in a section: each tissue's own scatterers, and sheets that reflect."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ..seeds import Stream, generator
from .anatomy import Anatomy
from .curves import Curve
from .fascicles import Fascicles
from .parameters import SectionParameters
from .sheaths import Sheaths

PATCH = (1.2, 4.0)
"""Extent of patches of one echo strength, depth and width, mm (an assumption)."""

SEEN = 4.0
"""SD of the echo strength of sheaths from patch to patch, dB (an assumption)."""

WAVER = 0.2
"""SD by which fascicles waver about their course together, mm (an assumption)."""

WAVERING = (3.0, 6.0)
"""Extent over which they do, depth and width, mm (an assumption)."""

LAMINA = 0.14
"""SD of the layers of an aponeurosis, whose faces reflect most, mm (an assumption)."""

UNEVEN = 2.0
"""Width over which an aponeurosis is alike, mm (an assumption)."""

CENTRAL = 0.7
"""Echoes of the aponeurosis in the muscle's middle over those of its borders (an assumption)."""

FINE = Sheaths(0.3, 0.5, 1.0, 3.0, 0.1)
"""Streaks inside fascicles, and in fat."""

FINE_ECHO = -8.0
"""Their echo strength over that of sheaths, dB (an assumption)."""

BENEATH = -5.0
"""Echo strength of the sheaths of what lies below, over that of its scatterers and against the
muscle's, dB (an assumption)."""

BONE_ECHO = 4.0
"""Echo strength of bone over that of aponeuroses, dB (an assumption)."""

BONE_LOSS = 40.0
"""What bone takes from all below its surface, dB (an assumption)."""

DRAWN = (
    "fascicle_size", "gaps", "sheath_echo", "aponeurosis_echo", "fat_echo", "skin_echo", "scatter",
    "attenuation", "fat_attenuation", "aponeurosis_loss",
)  # fmt: skip
"""Parameters that a section's tissue is drawn by."""


@dataclass(frozen=True)
class Scatterers:
    """What a section reflects where, before any scanner.

    Scatterers are many and small: each direction that looks at them sees other speckle. Sheets are
    larger than a wavelength: their echo is the same from all sides, and is heard about its normal.

    Parameters
    ----------
    small : complex128 array of shape (depth, width)
        Of the scatterers, which are in no order: normal numbers.
    aside : float32 array of shape (depth, width)
        Where these lie, to the right of the grid's places, mm.
    sheets : complex128 array of shape (depth, width)
        Of the sheets.
    tilt : float64 array of shape (depth, width)
        Direction of the sheets, rad; 0 is that of the skin.
    loss : float64 array of shape (depth, width)
        What the tissue above takes from echoes, there and back, dB, apart from attenuation.
    attenuation : float64 array of shape (depth, width)
        dB/(cm MHz), one way.
    level : float64 array of shape (depth, width)
        Amplitude of the small ones: what others in their place would have.
    """

    small: NDArray[np.complex128]
    aside: NDArray[np.float32]
    sheets: NDArray[np.complex128]
    tilt: NDArray[np.float64]
    loss: NDArray[np.float64]
    attenuation: NDArray[np.float64]
    level: NDArray[np.float64]

    def inner(self, depth: int, width: int) -> "Scatterers":
        """Return those of the first rows and the middle columns of the grid."""
        side = (self.small.shape[1] - width) // 2
        return Scatterers(**{
            name: values[:depth, side : side + width] for name, values in vars(self).items()
        })  # fmt: skip


def amplitude(decibels: float) -> float:
    """Return the amplitude of an echo strength in dB."""
    return 10 ** (decibels / 20)


def scatter(
    anatomy: Anatomy,
    parameters: SectionParameters,
    depths: NDArray[np.float64],
    widths: NDArray[np.float64],
    seed: int,
    index: int,
) -> Scatterers:
    """Fill a section with what scatters.

    Parameters
    ----------
    anatomy : Anatomy
    parameters : SectionParameters
    depths, widths : float64 arrays of shape (depth,) and (width,)
        Places of the grid, mm, in equal steps.
    seed, index : int

    Returns
    -------
    Scatterers
        Of muscle, the mean power of the small ones is 1 but for patches and streaks.
    """
    random = generator(seed, index, Stream.TEXTURE)
    drawn = {name: getattr(parameters, name).draw_one(random) for name in DRAWN}
    section = _Section(depths, widths, drawn, random)
    superficial = anatomy.superficial.at(widths)
    fat, below = section.z < superficial, section.z >= anatomy.deep.at(widths)
    muscle = ~fat & ~below
    if anatomy.central is None:
        section.add_muscle(muscle, anatomy.fascicles[0])
    else:
        above = section.z < anatomy.central.at(widths)
        section.add_muscle(muscle & above, anatomy.fascicles[0])
        section.add_muscle(muscle & ~above, anatomy.fascicles[1])
    section.add_muscle(below, anatomy.beneath, random.uniform(-3, 6), BENEATH)
    # Septa of fat lie along the muscle's border the more, the nearer they are to it.
    bent = (superficial - anatomy.superficial.depth) * np.clip(section.z / superficial, 0, 1)
    section.add_fat(fat, section.z - bent)
    section.add_skin(section.z < anatomy.skin)
    section.sheets *= 10 ** (SEEN / 20 * smooth_field(depths, widths, PATCH, random))

    fascia = anatomy.deep.moved(random.uniform(6, 14)), random.uniform(0.1, 0.4)
    for curve, strength in ((anatomy.superficial, 1.0), (anatomy.deep, 1.0), fascia):
        section.add_aponeurosis(curve, anatomy.sheet, strength)
    if anatomy.central is not None:
        section.add_aponeurosis(anatomy.central, anatomy.sheet, CENTRAL)
    section.add_bone(anatomy.bone)

    own = generator(seed, index, Stream.SCATTERERS)
    parts = own.standard_normal((2, *section.z.shape))
    return Scatterers(
        small=section.level * (parts[0] + 1j * parts[1]) / math.sqrt(2),
        aside=section.step * (own.random(section.z.shape, np.float32) - np.float32(0.5)),
        sheets=section.sheets,
        tilt=section.tilt,
        loss=section.loss,
        attenuation=np.where(fat, drawn["fat_attenuation"], drawn["attenuation"]),
        level=section.level,
    )


class _Section:
    """A section while it is filled, tissue by tissue: arrays of :class:`Scatterers`.

    `level` is the amplitude of small scatterers.
    """

    def __init__(
        self,
        depths: NDArray[np.float64],
        widths: NDArray[np.float64],
        drawn: Mapping[str, float],
        random: np.random.Generator,
    ) -> None:
        self.z, self.x = np.broadcast_arrays(depths[:, None], widths[None])
        self.widths, self.step = widths, float(widths[1] - widths[0])
        self.drawn, self.random = drawn, random
        self.level = 10 ** (drawn["scatter"] / 20 * smooth_field(depths, widths, PATCH, random))
        self.waver = WAVER * smooth_field(depths, widths, WAVERING, random)
        self.sheets = np.zeros(self.z.shape, np.complex128)
        self.tilt, self.loss = np.zeros(self.z.shape), np.zeros(self.z.shape)

    def add_muscle(
        self,
        region: NDArray[np.bool_],
        fascicles: Fascicles,
        echo: float = 0.0,
        sheath_echo: float = 0.0,
    ) -> None:
        """Fill a region with a muscle, whose echo strengths are that many dB higher."""
        drawn = self.drawn
        number, along = fascicles.coordinates(self.z[region], self.x[region])
        number += self.waver[region]
        coarse = Sheaths(drawn["fascicle_size"], drawn["gaps"], amplitude(drawn["sheath_echo"]))
        sheets = coarse.seen_at(number, along, self.random)
        # Small scatterers are many where fine sheaths are.
        streaks = FINE.seen_at(number, along, self.random)
        self.level[region] *= amplitude(echo) * (0.7 + 0.6 * np.abs(streaks))
        sheets += amplitude(drawn["sheath_echo"] + FINE_ECHO) * streaks
        self.sheets[region] = amplitude(echo + sheath_echo) * sheets
        self.tilt[region] = np.arctan(fascicles.tilt(self.z[region], self.x[region]))

    def add_fat(self, region: NDArray[np.bool_], flat: NDArray[np.float64]) -> None:
        """Fill a region with fat, whose septa lie where `flat` (mm) is the same."""
        drawn = self.drawn
        self.level[region] *= amplitude(drawn["fat_echo"])
        septa = Sheaths(2.2, min(drawn["gaps"] + 0.1, 1), amplitude(drawn["sheath_echo"]), 9, 0.3)
        sheets = septa.seen_at(flat[region], self.x[region], self.random)
        streaks = FINE.seen_at(flat[region], self.x[region], self.random)
        sheets += 0.5 * amplitude(drawn["sheath_echo"] + FINE_ECHO) * streaks
        self.sheets[region] = sheets

    def add_skin(self, region: NDArray[np.bool_]) -> None:
        """Fill a region with skin: bright, in layers."""
        echo = amplitude(self.drawn["skin_echo"])
        self.level[region] = echo
        layers = Sheaths(0.3, 0.2, 1.6 * echo, 12, 0.03)
        self.sheets[region] = layers.seen_at(self.z[region], self.x[region], self.random)

    def add_aponeurosis(self, curve: Curve, thick: float, strength: float) -> None:
        """Lay an aponeurosis of a thickness (mm) over the rest; what is below is darker."""
        drawn, lies = self.drawn, curve.at(self.widths)
        echo = amplitude(drawn["aponeurosis_echo"]) * strength
        self.sheets += echo * self.faces(curve, thick)
        inside = np.abs(self.z - lies) < thick / 2
        self.level[inside] = np.maximum(self.level[inside], 0.25 * echo)
        about = np.abs(self.z - lies) < thick
        slope = np.broadcast_to(np.arctan(curve.slope_at(self.widths)), self.z.shape)
        self.tilt[about] = slope[about]
        self.loss += np.where(self.z > lies, drawn["aponeurosis_loss"] * strength, 0.0)

    def add_bone(self, surface: Curve) -> None:
        """Lay a bone, that throws a shadow."""
        echo = amplitude(self.drawn["aponeurosis_echo"] + BONE_ECHO)
        self.sheets += echo * self.faces(surface, 0.4)
        self.loss += np.where(self.z > surface.at(self.widths) + 0.5, BONE_LOSS, 0.0)

    def faces(self, curve: Curve, thick: float) -> NDArray[np.complex128]:
        """Return the echoes of a sheet's middle and two faces, of about 1, uneven along it."""
        echoes = np.zeros(self.z.shape, np.complex128)
        offset = self.z - curve.at(self.widths)
        near = np.flatnonzero((np.abs(offset) < thick / 2 + 4 * LAMINA).any(axis=1))
        if near.size == 0:
            return echoes
        rows, sd = slice(near[0], near[-1] + 1), UNEVEN / self.step
        for face in (-1, 0, 1):
            white = self.random.standard_normal((3, len(self.widths)))
            smooth = scipy.ndimage.gaussian_filter1d(white, sd, axis=1, mode="wrap")
            # Of variance 1 again: a Gaussian of SD s keeps 1 / (2 sqrt(pi) s) of it.
            uneven, turn, warp = smooth * math.sqrt(2 * math.sqrt(math.pi) * sd)
            rough = self.random.standard_normal((2, len(self.widths))) / math.sqrt(2)
            echo = np.exp(1j * turn) + 0.6 * (rough[0] + 1j * rough[1])
            echo *= np.exp(0.5 * uneven) * (1.0 if face == 0 else 0.6)
            middle = face * max(thick / 2 - LAMINA, 0) + 0.06 * warp
            echoes[rows] += echo * np.exp(-(((offset[rows] - middle) / LAMINA) ** 2) / 2)
        return echoes


def smooth_field(
    depths: NDArray[np.float64],
    widths: NDArray[np.float64],
    extent: tuple[float, float],
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw a smooth normal field of mean 0 and variance 1 everywhere.

    Parameters
    ----------
    depths, widths : float64 arrays of shape (depth,) and (width,)
        Places, mm.
    extent : (float, float)
        SD of the bumps that it is the sum of, depth and width, mm: values sqrt(2) of it apart agree
        by exp(-1/2).
    random : numpy.random.Generator

    Returns
    -------
    float64 array of shape (depth, width)
    """
    bases = []
    for places, sd in zip((depths, widths), extent, strict=True):
        centres = np.arange(places[0] - 3 * sd, places[-1] + 4 * sd, sd)
        base = np.exp(-(((places[:, None] - centres) / sd) ** 2) / 2)
        bases.append(base / np.sqrt((base**2).sum(axis=1, keepdims=True)))
    bumps = random.standard_normal((bases[0].shape[1], bases[1].shape[1]))
    return bases[0] @ bumps @ bases[1].T
