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

LEAST_SHARE = 1e-8
"""Responses are sums of those few that hold more than this share of the largest one's squares."""

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
    responses = _responses(shape, size)
    padded = (2 * shape[0], 2 * shape[1])
    shares, peaks = [], []
    for image in maps:
        spectrum = np.asarray(scipy.fft.rfft2(image.astype(np.float32), padded))
        products = np.asarray(scipy.fft.irfft2(spectrum * responses.spectra, padded))
        products = products[:, : shape[0], : shape[1]].reshape(len(products), -1)
        best = [_best(weights @ products, inside) for weights, inside in responses.by_radius]
        peaks.append(np.stack([place for place, _ in best], axis=1))
        share = np.stack([gain for _, gain in best], axis=1)
        shares.append(share / max(float(np.square(image).sum()), 1e-30))
    share = np.array(shares)  # (unit, form, radius)
    form = int(share.max(axis=2).sum(axis=0).argmax())
    radius = share[:, form].argmax(axis=1)
    units = np.arange(len(maps))
    rows, columns = np.divmod(np.array(peaks)[units, form, radius], shape[1])
    places = np.column_stack(
        [(rows + 0.5) * size[0], (columns + 0.5) * size[1], np.array(RADII)[radius]]
    )
    return Fit(FORMS[form], places, share[units, form, radius])


def _best(
    product: NDArray[np.float32], inside: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return where each of some responses explains most, by products (response, block), and it."""
    gain = np.maximum(product, 0.0, out=product)
    gain *= gain
    gain /= inside
    place = gain.argmax(axis=1)
    return place, gain[np.arange(len(gain)), place]


@dataclass(frozen=True)
class _Responses:
    """The responses of all discs in all forms, of length 1, as sums of a few.

    Parameters
    ----------
    spectra : float32 array of shape (few, wave number, wave number)
        Real, as discs and forms are symmetric.
    by_radius : list of (float32 array (form, few), float32 array (form, block))
        For each radius the weights of these in each form's response, and what part of its squares
        lies in the image, by where the disc's centre is; :data:`LEAST_INSIDE` or more.
    """

    spectra: NDArray[np.float32]
    by_radius: list[tuple[NDArray[np.float32], NDArray[np.float32]]]


@lru_cache(maxsize=1)
def _responses(shape: tuple[int, int], size: tuple[float, float]) -> _Responses:
    padded = (2 * shape[0], 2 * shape[1])
    upper = shape[0] + 1  # waves along depth that are no other's negative
    discs = [
        np.fft.rfft2(np.fft.ifftshift(centred_disc(radius, padded, size))).real[:upper]
        for radius in RADII
    ]
    forms = [form.transfer(padded, size)[:upper] for form in FORMS]
    # How often each of these waves is there among all.
    times = np.multiply.outer(*(np.r_[1.0, np.full(each - 1, 2.0), 1.0] for each in shape))
    all_of = np.array([[disc * form for form in forms] for disc in discs])  # (radius, form, ...)
    flat = all_of.reshape(len(RADII) * len(FORMS), -1)
    flat *= np.sqrt(times.ravel() / math.prod(padded))
    flat /= np.sqrt(np.square(flat).sum(axis=1))[:, None]
    energy, vectors = np.linalg.eigh(flat @ flat.T)
    kept = energy > LEAST_SHARE * energy[-1]
    weights = vectors[:, kept]
    few = (weights.T @ flat).reshape(-1, *times.shape) / np.sqrt(times / math.prod(padded))
    spectra = np.concatenate([few, few[:, -2:0:-1]], axis=1).astype(np.float32)
    # Symmetric as well: one quarter tells all. A window of the image about a centre holds each
    # distance from it twice, once or never.
    quarter = np.asarray(scipy.fft.irfft2(spectra, padded))[:, : shape[0], : shape[1]]
    quarter = quarter.reshape(len(quarter), -1)
    rows, columns = (_held(each).astype(np.float32) for each in shape)
    by_radius = []
    for part in np.split(weights.astype(np.float32), len(RADII)):
        square = np.square(part @ quarter).reshape(-1, *shape)
        inside = (rows @ square @ columns.T).reshape(len(part), -1)
        by_radius.append((part, np.maximum(inside, LEAST_INSIDE)))
    return _Responses(spectra, by_radius)


def _held(count: int) -> NDArray[np.int64]:
    """Return how often each distance from each of some places is among them, (place, distance)."""
    places, distances = np.arange(count)[:, None], np.arange(count)
    before = (places >= distances) & (distances > 0)
    return before.astype(np.int64) + (places + distances < count)


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
