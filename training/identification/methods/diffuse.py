"""Units whose motion spreads: territories where tissue carries a unit's motion beyond its border.

Where each pixel moves as it belongs to units, a unit's map (how much of its train each pixel holds)
ends at its territory. In tissue it does not: motion spreads over a few millimetres, what lies
beside a unit moves the other way, skin and fat hardly move, and the scanner blurs what is left. A
map is then what a response makes of the territory, and the territory is the disc whose response is
most like the map.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter
from scipy.optimize import minimize

from ..firing import firings
from ..noise import Features
from ..units import Recording, Units, none
from .model import Model

SMOOTH = 4.75
"""Mean squared differences of pixels three apart over those of neighbours: 3 where maps have hard
edges, 4.6 where edges are a pixel wide, 9 where maps are smooth; noise lowers it."""

COARSE = 0.65
"""Where pixels are smaller, discs are fitted to maps of blocks no larger than this, mm."""

SPREADS = (1.0, 1.4, 1.8, 2.2)
"""Lengths over which motion may spread, mm."""

USUAL_SPREAD = 1.4

DIVERGENCE = 0.9
"""Share of divergence that tissue does not allow: it keeps its volume, but not all in the image."""

RADII = (1.0, 6.5)
"""Least and largest radius of a disc, mm: diameters of 2.5-10 mm and a little more (Ali et al.
2020, doi:10.1109/ACCESS.2020.3023495)."""

STARTS = (1.5, 2.5, 4.0)
"""Radii from which discs are fitted, mm."""

EVALUATIONS = 120

MISFIT = 0.3
"""Share of a map's squares that its disc may leave over."""

SAME_TRAIN = 0.7
"""Correlation, at some lag, of trains that may be one unit's."""

LAG = 0.05
"""Largest lag that waves take to cross a unit's surroundings, s."""

DEEPEST_LAYER = 15.0
"""Skin and fat end above this depth, mm, if they are seen at all."""

STEP = 2.0
"""Ratio by which motion rises over the border of fat and muscle."""

WALL = 0.5
"""Depth over which it does, mm."""

FOLLOWS = 0.15
"""Share of the motion that skin and fat follow."""


@dataclass(frozen=True)
class Response:
    """What tissue makes of a territory, on a grid of depth and width.

    Parameters
    ----------
    shape : (depth, width)
    pixel_size : (float, float)
        mm.
    spread : float
        Length over which motion spreads, mm.
    border : float
        Depth where skin and fat end, mm; 0 without.
    """

    shape: tuple[int, int]
    pixel_size: tuple[float, float]
    spread: float
    border: float = 0.0

    def __post_init__(self) -> None:
        """Work out what all discs share."""
        (depth, width), (dz, dx) = self.shape, self.pixel_size
        kz = 2 * math.pi * np.fft.fftfreq(2 * depth, dz)[:, None]
        kx = 2 * math.pi * np.fft.rfftfreq(2 * width, dx)[None]
        square = kz**2 + kx**2
        square[0, 0] = 1.0
        along = kz**2 / square
        along[0, 0] = 0.5
        transfer = (1 - DIVERGENCE * along) / (1 + square * self.spread**2)
        rows = (np.arange(depth) + 0.5) * dz
        follows = np.ones(depth)
        if self.border > 0:
            inside = 0.5 * (1 + np.tanh((rows - self.border) / WALL))
            follows = FOLLOWS + (1 - FOLLOWS) * inside
        object.__setattr__(self, "_transfer", transfer)
        object.__setattr__(self, "_follows", follows[:, None])
        object.__setattr__(self, "_rows", rows[:, None])
        object.__setattr__(self, "_columns", (np.arange(width)[None] + 0.5) * dx)

    def disc(self, depth: float, width: float, radius: float) -> NDArray[np.float64]:
        """Return a disc's share of each pixel; what lies in skin and fat is cut away.

        Parameters
        ----------
        depth, width, radius : float
            Centre and radius, mm.
        """
        rows, columns = self._rows, self._columns  # type: ignore[attr-defined]
        away = np.sqrt(np.square(rows - depth) + np.square(columns - width))
        share = np.clip((radius - away) / math.sqrt(math.prod(self.pixel_size)) + 0.5, 0.0, 1.0)
        if self.border > 0:
            share *= np.clip((rows - self.border) / self.pixel_size[0] + 0.5, 0.0, 1.0)
        return share

    def of(self, territory: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the axial motion of tissue in which a territory (depth, width) moves.

        A sheet that holds to what is around it spreads a force of wave number k as
        ``1 / (1 + k^2 spread^2)``, and tissue that keeps its volume takes the part along its wave
        number away: ``1 - kz^2 / k^2`` of axial motion is left.
        """
        depth, width = self.shape
        top, left = depth // 2, width // 2
        padded = np.pad(
            territory, ((top, depth - top), (left, width - left)), mode="symmetric"
        )  # a territory that the image cuts does not end there
        spectrum = np.asarray(fft.rfft2(padded)) * self._transfer  # type: ignore[attr-defined]
        moved = np.asarray(fft.irfft2(spectrum, padded.shape))
        return moved[top : top + depth, left : left + width] * self._follows  # type: ignore[attr-defined]


def is_diffuse(values: NDArray[np.floating], shape: tuple[int, int]) -> bool:
    """Tell whether maps have no edges, so that units move what is around them.

    Across a hard edge, pixels three apart differ no more than neighbours do, but three times as
    many pairs lie across it. In a smooth map, differences grow with the distance, their squares
    ninefold.

    Parameters
    ----------
    values : float array of shape (pixel, component)
        The components that stand out from noise.
    shape : (depth, width)
    """
    return smoothness(values, shape) > SMOOTH


def smoothness(values: NDArray[np.floating], shape: tuple[int, int]) -> float:
    """Return the mean squared difference of pixels three apart over that of neighbours."""
    if values.shape[1] == 0 or min(shape) < 4:
        return 0.0
    image = values.reshape(*shape, -1)
    near, far = (
        float(np.mean(np.square(image[step:] - image[:-step], dtype=np.float64)))
        + float(np.mean(np.square(image[:, step:] - image[:, :-step], dtype=np.float64)))
        for step in (1, 3)
    )
    return far / near if near > 0 else 0.0


@dataclass(frozen=True)
class Disc:
    """A territory and how well it explains a unit's map.

    Parameters
    ----------
    place : (float, float, float)
        Depth and width of the centre, and the radius, mm.
    amplitude : float
        Of the response, in the map's unit.
    misfit : float
        Share of the map's squares that is left over.
    """

    place: tuple[float, float, float]
    amplitude: float
    misfit: float


def coarse(maps: NDArray[np.float64], factors: tuple[int, int]) -> NDArray[np.float64]:
    """Average blocks of pixels of maps (unit, depth, width); the last are filled up."""
    (rows, columns), (down, right) = maps.shape[1:], factors
    maps = np.pad(maps, ((0, 0), (0, -rows % down), (0, -columns % right)), mode="edge")
    shape = (len(maps), maps.shape[1] // down, down, maps.shape[2] // right, right)
    return maps.reshape(shape).mean(axis=(2, 4))


def fit_disc(image: NDArray[np.float64], response: Response, start: Disc | None = None) -> Disc:
    """Find the disc whose response is most like a map.

    Parameters
    ----------
    image : float64 array of shape (depth, width)
        On the response's grid; positive where the unit is.
    response : Response
    start : Disc, optional
        What to begin with; the map's highest place and some radii if not given.
    """
    dz, dx = response.pixel_size
    whole = float(np.square(image).sum())
    if whole <= 0:
        return Disc((0.0, 0.0, RADII[0]), 0.0, 1.0)

    def explained(place: NDArray[np.float64]) -> tuple[float, float]:
        field = response.of(response.disc(*place))
        product, square = float((field * image).sum()), float(np.square(field).sum())
        amplitude = max(product, 0.0) / max(square, 1e-30)
        return amplitude, amplitude * product / whole

    def cost(place: NDArray[np.float64]) -> float:
        beyond = max(RADII[0] - place[2], place[2] - RADII[1], 0.0)
        if beyond > 0:
            return 1.0 + beyond
        return 1 - explained(place)[1]

    if start is None:
        smooth = gaussian_filter(image, (0.8 / dz, 0.8 / dx))
        row, column = np.unravel_index(int(smooth.argmax()), smooth.shape)
        starts = [np.array([(row + 0.5) * dz, (column + 0.5) * dx, radius]) for radius in STARTS]
    else:
        starts = [np.array(start.place)]
    best, least = starts[0], math.inf
    for first in starts:
        simplex = np.concatenate([first[None], first + np.diag([1.0, 1.0, 0.7])])
        options = {
            "initial_simplex": simplex, "xatol": 0.05, "fatol": 1e-4, "maxfev": EVALUATIONS
        }  # fmt: skip
        result = minimize(cost, first, method="Nelder-Mead", options=options)
        if result.fun < least:
            best, least = result.x, float(result.fun)
    return Disc((float(best[0]), float(best[1]), float(best[2])), explained(best)[0], least)


def border_of(values: NDArray[np.floating], shape: tuple[int, int], pixel_depth: float) -> float:
    """Return the depth where skin and fat end, mm; 0 if that is not seen.

    Motion rises there at the same depth at most places across the image.

    Parameters
    ----------
    values : float array of shape (pixel, component)
        The components that stand out from noise.
    shape : (depth, width)
    pixel_depth : float
        mm.
    """
    power = np.square(values).sum(axis=1, dtype=np.float64).reshape(shape)
    level = np.log(np.maximum(power, 1e-12 * power.max())) / 2
    reach = max(round(1.2 / pixel_depth), 1)
    last = min(int(DEEPEST_LAYER / pixel_depth), shape[0] - reach - 1)
    if last <= reach:
        return 0.0
    rise = np.array([
        np.median(level[row + reach - 1] - level[row - reach]) for row in range(reach, last)
    ])  # fmt: skip
    if rise.max() < math.log(STEP):
        return 0.0
    # The rise of the logarithm is steepest above where half of the motion is reached.
    return (int(rise.argmax()) + reach) * pixel_depth + WALL / 2


def duplicates(
    trains: NDArray[np.float32], discs: list[Disc], energy: NDArray[np.float64], frame_rate: float
) -> NDArray[np.bool_]:
    """Tell which units are others seen once more, bool (unit,).

    Waves that leave a unit's territory move what is around it later and differently: its train
    appears again, delayed, in territories that touch the unit's.
    """
    count, frames = trains.shape
    centred = trains - trains.mean(axis=1, keepdims=True)
    spectra = np.fft.rfft(centred, 2 * frames, axis=1)
    length = np.sqrt(np.square(centred, dtype=np.float64).sum(axis=1))
    reach = max(int(LAG * frame_rate), 1)
    again = np.zeros(count, bool)
    order = np.argsort(-energy, kind="stable")
    for rank, unit in enumerate(order):
        for other in order[:rank]:
            if again[other]:
                continue
            one, two = discs[unit].place, discs[other].place
            if math.hypot(one[0] - two[0], one[1] - two[1]) > one[2] + two[2]:
                continue
            course = np.fft.irfft(spectra[unit] * spectra[other].conj(), 2 * frames)
            near = np.concatenate([course[: reach + 1], course[-reach:]])
            if np.abs(near).max() > SAME_TRAIN * length[unit] * length[other]:
                again[unit] = True
                break
    return again


def diffuse_units(
    recording: Recording,
    found: Features,
    values: NDArray[np.floating],
    trains: NDArray[np.float64],
    rounds: int,
) -> Units:
    """Find the discs whose motion spreads as the maps of trains do.

    Parameters
    ----------
    recording : Recording
    found : Features
        Of the recording.
    values : float array of shape (pixel, component)
        The components that stand out from noise.
    trains : float64 array of shape (unit, component)
        As a method without discs finds them, of any size and sign.
    rounds : int
        Times that trains are fitted anew to what the discs move, and discs to them.

    Returns
    -------
    Units
        Their trains are those of the mean over the territory.
    """
    shape = (recording.tvi.shape[1], recording.tvi.shape[2])
    border = border_of(values, shape, recording.pixel_size[0])
    model = Model.of(found, trains)
    model.weight = 1 / np.square(found.noise.sd.ravel())
    spread = USUAL_SPREAD
    discs = discs_of(model, recording, spread, border)
    _drop(model, discs, recording)
    if not discs:
        return none(recording)
    spread = _spread_of(model, recording, discs, border)
    response = Response(shape, recording.pixel_size, spread, border)
    discs = discs_of(model, recording, spread, border, discs)
    territory, fields = _territories(response, discs)
    for _ in range(rounds):
        model.membership = np.ascontiguousarray(fields.reshape(len(fields), -1).T)
        model.fit_trains()
        discs = discs_of(model, recording, spread, border, discs)
        territory, fields = _territories(response, discs)
    for unit, disc in enumerate(discs):
        inside = territory[unit] > 0.5
        mean = float(fields[unit][inside].mean()) if inside.any() else 0.0
        model.trains[unit] *= mean * disc.amplitude
    return _units_of(recording, model, discs, territory)


def discs_of(
    model: Model,
    recording: Recording,
    spread: float,
    border: float,
    before: list[Disc] | None = None,
) -> list[Disc]:
    """Fit a disc to the map of each train, least-squares weights of all trains at each pixel.

    Trains whose map is negative where it is largest are turned round.
    """
    shape, pixel_size = recording.tvi.shape[1:], recording.pixel_size
    if model.count == 0:
        return []
    maps = (model.features.values.astype(np.float64) @ np.linalg.pinv(model.trains)).T
    down, right = (max(int(COARSE / size), 1) for size in pixel_size)
    images = coarse(maps.reshape(-1, *shape), (down, right))
    size = (down * pixel_size[0], right * pixel_size[1])
    response = Response((images.shape[1], images.shape[2]), size, spread, border)
    discs = []
    for unit, image in enumerate(images):
        smooth = gaussian_filter(image, (1.0 / size[0], 1.0 / size[1]))
        sign = -1.0 if -smooth.min() > smooth.max() else 1.0
        model.trains[unit] *= sign
        discs.append(fit_disc(sign * image, response, before[unit] if before else None))
    return discs


def _territories(
    response: Response, discs: list[Disc]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what share of each pixel the discs cover, and their responses.

    Both are float64 (unit, depth, width).
    """
    shares = [response.disc(*disc.place) for disc in discs]
    fields = [response.of(share) for share in shares]
    return (
        np.array(shares).reshape(-1, *response.shape),
        np.array(fields).reshape(-1, *response.shape),
    )


def _drop(model: Model, discs: list[Disc], recording: Recording) -> None:
    """Leave out, in place, trains whose maps are no unit's, and units that are found again."""
    area = np.array([disc.amplitude * disc.place[2] for disc in discs])
    energy = np.square(area) * np.square(model.trains).sum(axis=1)
    alike = np.array([disc.misfit < MISFIT for disc in discs], bool)
    energy = np.where(alike, energy, 0.0)
    courses = model.features.trains(model.trains)
    chosen = alike & ~duplicates(courses, discs, energy, recording.frame_rate)
    model.keep(chosen)
    discs[:] = [disc for disc, kept in zip(discs, chosen, strict=True) if kept]


def _spread_of(model: Model, recording: Recording, discs: list[Disc], border: float) -> float:
    """Return the length over which motion spreads, mm, that explains all maps best."""
    if not discs:
        return USUAL_SPREAD
    misfits = [
        sum(disc.misfit for disc in discs_of(model, recording, spread, border, discs))
        for spread in SPREADS
    ]
    return SPREADS[int(np.argmin(misfits))]


def _units_of(
    recording: Recording, model: Model, discs: list[Disc], territory: NDArray[np.float64]
) -> Units:
    """Return discs and their trains in the recording's terms, the most certain first.

    The confidence is the share of its map that a disc explains.
    """
    if not discs:
        return none(recording)
    confidence = np.clip([1 - disc.misfit for disc in discs], 0.0, 1.0)
    order = np.argsort(-confidence, kind="stable")
    trains = model.features.trains(model.trains[order])
    return Units(
        territory=territory[order].astype(np.float32),
        train=trains,
        firing=firings(trains, recording.frame_rate),
        confidence=confidence[order],
    )
