"""What tissue makes of a territory: forms of motion that spreads, fitted to a recording.

No form is taken for granted. A disc's motion may end at its border, blur, spread as a sheet does
that holds to what is around it, come with return flow on both sides at its depth (tissue that keeps
its volume) or all around: the form that explains the units' maps best is the recording's.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

RADII = tuple(np.arange(1.0, 6.6, 0.5).tolist())
"""Radii that are tried, mm: diameters of 2.5-10 mm and a little more (Ali et al. 2020,
doi:10.1109/ACCESS.2020.3023495)."""

FAR = 5.5
"""SD over which flow returns on all sides, mm."""

LEAST_INSIDE = 0.25
"""A disc whose response lies mostly outside the image is not preferred for what is not seen."""


@dataclass(frozen=True)
class Form:
    """One way in which motion spreads.

    Parameters
    ----------
    kind : {"screened", "gaussian"}
        A sheet that holds to what is around it spreads a force of wave number k as
        ``1 / (1 + k^2 spread^2)``; a blur as ``exp(-k^2 spread^2 / 2)``.
    spread : float
        mm; 0: motion ends where the territory does.
    back : float
        Share of the motion that returns: of a screened form the part along depth that tissue which
        keeps its volume takes away, ``1 - back kz^2 / k^2``; of a blur, to all sides.
    """

    kind: str
    spread: float
    back: float

    def transfer(self, shape: tuple[int, int], size: tuple[float, float]) -> NDArray[np.float64]:
        """Return the form's factor of each wave number, float64 (depth, width // 2 + 1)."""
        kz = 2 * math.pi * np.fft.fftfreq(shape[0], size[0])[:, None]
        kx = 2 * math.pi * np.fft.rfftfreq(shape[1], size[1])[None]
        square = kz**2 + kx**2
        if self.kind == "gaussian":
            back = self.back * np.exp(-square * FAR**2 / 2)
            return np.exp(-square * self.spread**2 / 2) - back
        along = np.divide(kz**2, square, out=np.full(square.shape, 0.5), where=square > 0)
        return (1 - self.back * along) / (1 + square * self.spread**2)


FORMS = (
    *(
        Form("screened", spread, back)
        for spread in (0.0, 0.6, 1.0, 1.4, 1.8, 2.4, 3.3, 4.5)
        for back in (0.0, 0.5, 0.9)
    ),
    *(
        Form("gaussian", spread, back)
        for spread in (0.5, 0.8, 1.2, 1.6)
        for back in (0.0, 0.3, 0.6)
    ),
)
"""The forms that are tried on every recording."""


@dataclass(frozen=True)
class Fit:
    """The discs whose responses explain some maps best.

    Parameters
    ----------
    form : Form
        Of all of them.
    places : float64 array of shape (unit, 3)
        Depth and width of the centre, and the radius, mm.
    explained : float64 array of shape (unit,)
        Share of the map's squares.
    """

    form: Form
    places: NDArray[np.float64]
    explained: NDArray[np.float64]


def fit(maps: NDArray[np.float64], size: tuple[float, float]) -> Fit:
    """Find the form of a recording and, for each map, the disc in that form.

    Parameters
    ----------
    maps : float64 array of shape (unit, depth, width)
        Positive where the unit is; one or more.
    size : (float, float)
        Of a block, mm.
    """
    shape = (maps.shape[1], maps.shape[2])
    responses, inside = _responses(shape, size)
    padded = (2 * shape[0], 2 * shape[1])
    shares, peaks = [], []
    for image in maps:
        spectrum = np.asarray(scipy.fft.rfft2(image.astype(np.float32), padded))
        product = np.asarray(scipy.fft.irfft2(spectrum * responses, padded))
        product = product[..., : shape[0], : shape[1]]
        gain = np.square(np.maximum(product, 0.0)) / np.maximum(inside, LEAST_INSIDE)
        flat = gain.reshape(*gain.shape[:2], -1)
        peaks.append(flat.argmax(axis=2))
        shares.append(flat.max(axis=2) / max(float(np.square(image).sum()), 1e-30))
    share = np.array(shares)  # (unit, form, radius)
    form = int(share.max(axis=2).sum(axis=0).argmax())
    radius = share[:, form].argmax(axis=1)
    units = np.arange(len(maps))
    rows, columns = np.divmod(np.array(peaks)[units, form, radius], shape[1])
    places = np.column_stack(
        [(rows + 0.5) * size[0], (columns + 0.5) * size[1], np.array(RADII)[radius]]
    )
    return Fit(FORMS[form], places, share[units, form, radius])


@lru_cache(maxsize=2)
def _responses(
    shape: tuple[int, int], size: tuple[float, float]
) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """Return the spectra of all discs' responses, of length 1, and their squares inside the image.

    They are complex64 (form, radius, wave number, wave number) and float32 (form, radius, depth,
    width): by where the disc's centre is.
    """
    padded = (2 * shape[0], 2 * shape[1])
    ones = np.zeros(padded)
    ones[: shape[0], : shape[1]] = 1.0
    image = np.fft.rfft2(ones)
    spectra = np.empty((len(FORMS), len(RADII), padded[0], padded[1] // 2 + 1), np.complex64)
    inside = np.empty((len(FORMS), len(RADII), *shape), np.float32)
    for j, radius in enumerate(RADII):
        disc = np.fft.rfft2(np.fft.ifftshift(centred_disc(radius, padded, size)))
        for i, form in enumerate(FORMS):
            spectrum = disc * form.transfer(padded, size)
            response = np.fft.irfft2(spectrum, padded)
            length = math.sqrt(float(np.square(response).sum()))
            spectra[i, j] = spectrum.conj() / length
            square = np.fft.rfft2(np.square(response / length)).conj()
            inside[i, j] = np.fft.irfft2(image * square, padded)[: shape[0], : shape[1]]
    return spectra, inside


def centred_disc(
    radius: float, shape: tuple[int, int], size: tuple[float, float]
) -> NDArray[np.float64]:
    """Return a disc's share of each block, its centre at that of the block (shape // 2)."""
    rows = (np.arange(shape[0]) - shape[0] // 2)[:, None] * size[0]
    columns = (np.arange(shape[1]) - shape[1] // 2)[None] * size[1]
    away = np.hypot(rows, columns)
    return np.clip((radius - away) / math.sqrt(math.prod(size)) + 0.5, 0.0, 1.0)


def field_of(
    territory: NDArray[np.float64], form: Form, size: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the motion of tissue in which a territory (depth, width) moves."""
    depth, width = territory.shape
    top, left = depth // 2, width // 2
    # A territory that the image cuts does not end there.
    padded = np.pad(territory, ((top, depth - top), (left, width - left)), mode="symmetric")
    spectrum = np.fft.rfft2(padded) * form.transfer((2 * depth, 2 * width), size)
    moved = np.fft.irfft2(spectrum, padded.shape)
    return np.asarray(moved[top : top + depth, left : left + width])
