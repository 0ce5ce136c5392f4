"""A section that moves: every scatterer at its own place in each frame, and what a scanner sees.

A scatterer that lies at a place at rest has moved by ``sum_m fields_m(place) courses[m]``, of any
size. Its echo is laid there on a grid as a cubic B-spline (Unser 1999, doi:10.1109/79.799930), its
phase turned by the way that it has moved towards the probe, and the grid is filtered by what is
left of the point-spread function: so speckle moves with the tissue, and changes as tissue is
deformed within the resolution cell. Losses above go along with the tissue; poor contact, the gain's
error and noise stay with the probe.

Motion across the image's plane exchanges small scatterers (:mod:`.planes`); sheets are taken to
reach through all of it.

A sheet's phase follows one point of it: as it turns it stays a sheet, and is heard by how far off
its normal it is then looked at.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..experiment.doses import quantised
from ..experiment.speckle import REACH, Scanner
from ..seeds import Stream, noise_key
from ..vectors import LANES
from .anatomy import Anatomy
from .imaging import SOUND_SPEED, Probe
from .parameters import SectionParameters
from .planes import Planes
from .scene import Display, Scene

Fields = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""Takes depth and width of places at rest, mm, arrays of one shape; returns (mode, 2, ...): axial
displacement, towards the probe, and lateral one, to the right, for courses of 1, mm."""

NARROWEST = 1.0, 1.2
"""SD of the pulse and of the beam in steps of the grid that echoes are laid on, or more: so
B-splines make them within a hundredth."""

STEP = 1e-3
"""Over which gradients of motion are taken, mm."""

EDGE, TURNS = 33, 8
"""Points of an edge where :func:`margin_of` looks, and how often."""

BORDER = 0.3, 1.5
"""Beyond what comes into the image: what pulses and beams at its edges reach, mm."""

LOOKS = 4
"""Directions that are rendered together."""


@dataclass(frozen=True)
class MovingSection:
    """A section with its fields of motion, ready for the kernels.

    Parameters
    ----------
    scene : Scene
    fields : callable
        See :data:`Fields`.
    moved : float32 array of shape (row, mode, 4, padded column)
        For a course of 1: axial and lateral displacement, mm, the axial one of the sheet's point,
        mm, and how far the sheet turns, rad.
    at_rest : float32 array of shape (row, 4, padded column)
        Place of small scatterers across (mm), sheets (real, imaginary) and their direction (rad).
    planes : Planes
        Small scatterers, in the image's plane and beside it.
    rows : (int, int)
        First and last but one row of the scanner's grid that are rendered; all of it as a rule.
    first_row : int
        Of scatterers that are held: where `moved`, `at_rest` and `planes` begin.
    """

    scene: Scene
    fields: Fields
    moved: NDArray[np.float32]
    at_rest: NDArray[np.float32]
    planes: Planes
    rows: tuple[int, int]
    first_row: int = 0

    def window(self, depth: slice, reach: float) -> "MovingSection":
        """Return what renders some rows of pixels alone, equal to those of the whole to the bit.

        Parameters
        ----------
        depth : slice
            In pixels.
        reach : float
            mm: no scatterer may have moved farther up or down, in any frame.
        """
        divisions, step = self.scene.probe.divisions[0], self.scene.probe.scanner.pixel_size[0]
        pixels = self.scene.probe.scanner.doses.image[0] // divisions
        first, stop, _ = depth.indices(pixels)
        grid = _Grid(self.scene.probe, self.scene.scatterers.small.shape, (0, 1))
        around = math.ceil(reach / step) + grid.origin[0] // grid.every[0] + 1
        low = max(self.first_row, first * divisions - around)
        high = min(self.first_row + len(self.moved), stop * divisions + around)
        held = slice(low - self.first_row, high - self.first_row)
        return dataclasses.replace(
            self,
            moved=self.moved[held].copy(),  # so that the whole need not stay in memory
            at_rest=self.at_rest[held].copy(),
            planes=self.planes.part(held),
            rows=(first * divisions, stop * divisions),
            first_row=low,
        )

    def envelopes(
        self,
        courses: NDArray[np.floating],
        first: int = 0,
        across: NDArray[np.floating] | None = None,
    ) -> NDArray[np.float32]:
        """Return what the scanner sees in some frames.

        Parameters
        ----------
        courses : float array of shape (mode, frame)
        first : int
            Number of the first of these frames, by which noise is drawn.
        across : float array of shape (frame,), optional
            Motion across the image's plane, mm; none without.

        Returns
        -------
        float32 array of shape (frame, depth, width)
            On the scanner's grid, of the rows that are rendered. A frame is a function of its
            courses and its number alone.

        Raises
        ------
        InputError
            If shapes do not go together.
        """
        modes = self.moved.shape[1]
        if courses.ndim != 2 or len(courses) != modes:
            raise InputError(
                f"courses: found shape {courses.shape}, wanted ({modes}, frame), a row for each "
                "mode of fields"
            )
        across = np.zeros(courses.shape[1]) if across is None else across
        if across.shape != courses.shape[1:]:
            raise InputError(
                f"across: found shape {across.shape}, wanted ({courses.shape[1]},), as many "
                "frames as courses has"
            )
        from .moving_kernels import render_frame

        probe = self.scene.probe
        scanner, looks = probe.scanner, len(probe.looks)
        top, bottom = self.rows
        grid = _Grid(probe, self.scene.scatterers.small.shape, self.rows, self.first_row)
        depths = grid.depths[self.first_row : self.first_row + len(self.moved)]
        out = np.zeros((len(across), bottom - top, scanner.doses.image[1]), np.float32)
        noise = quantised(probe.noise * scanner.noise_gain / math.sqrt(2))[top:bottom]
        directions, small = _directions(probe), np.empty_like(self.planes.given)
        for frame, image in enumerate(out):
            self.planes.seen_at(float(across[frame]), small)
            for begin in range(0, looks, LOOKS):
                render_frame(
                    self.moved,
                    small,
                    self.at_rest,
                    courses[:, frame].astype(np.float32),
                    depths,
                    _carrier(scanner),
                    directions[begin : begin + LOOKS],
                    grid.origin,
                    self.scene.scatterers.small.shape[1],
                    grid.every,
                    grid.per_mm,
                    grid.held,
                    grid.axial,
                    grid.lateral[top:bottom],
                    noise,
                    top * out.shape[2],
                    probe.key,
                    (first + frame) * looks + begin,
                    np.float32(1 / looks),
                    image,
                )
        return out

    def images(
        self,
        display: Display,
        courses: NDArray[np.floating],
        first: int = 0,
        across: NDArray[np.floating] | None = None,
    ) -> NDArray[np.uint8]:
        """Return frames in grey levels, uint8 (frame, depth, width); see :meth:`envelopes`."""
        envelopes, divisions = self.envelopes(courses, first, across), self.scene.probe.divisions
        return np.stack([display.show(envelope, divisions) for envelope in envelopes])

    def masks(
        self, courses: NDArray[np.floating], parameters: SectionParameters
    ) -> NDArray[np.bool_]:
        """Return where the aponeuroses have moved to, bool (frame, 2, depth, width) in pixels.

        Points of their middle lines are moved; they keep their thickness.
        """
        anatomy = self.scene.anatomy
        half, middle = 2 * anatomy.superficial.half, anatomy.superficial.middle
        along = middle + half * np.linspace(-1, 1, 4 * parameters.pixels[1] + 1)
        depth, width = (
            (np.arange(n) + 0.5) * step
            for n, step in zip(parameters.pixels, parameters.pixel_size, strict=True)
        )
        masks = np.empty((courses.shape[1], 2, *parameters.pixels), bool)
        for number, curve in enumerate((anatomy.superficial, anatomy.deep)):
            rest = curve.at(along)
            axial, lateral = np.tensordot(self.fields(rest, along), courses, (0, 0))
            for frame in range(courses.shape[1]):
                place, lies = along + lateral[:, frame], rest - axial[:, frame]
                slope = np.interp(width, place, np.gradient(lies, place))
                down = anatomy.sheet * np.hypot(1, slope)
                thick = np.maximum(down, parameters.pixel_size[0]) / 2
                offset = depth[:, None] - np.interp(width, place, lies)
                masks[frame, number] = (offset >= -thick) & (offset < thick)
        return masks


def move(scene: Scene, fields: Fields, seed: int, index: int) -> MovingSection:
    """Prepare a scene to be moved.

    Parameters
    ----------
    scene : Scene
        With as much margin as scatterers move.
    fields : callable
        See :data:`Fields`.
    seed, index : int
        Of the scene; other planes are drawn by them.
    """
    scatterers, probe = scene.scatterers, scene.probe
    scanner = probe.scanner
    z, x = places(scene)
    shape = z.shape
    padded = -(-shape[1] // LANES) * LANES

    cosine, sine = np.cos(scatterers.tilt), np.sin(scatterers.tilt)
    ends = [fields(z + w * STEP * sine, x + w * STEP * cosine) for w in (-0.5, 0.5)]
    along = (ends[1] - ends[0]) / STEP
    found = fields(z, x)
    moved = np.zeros((shape[0], len(found), 4, padded), np.float32)
    for part, field in enumerate(
        (
            found[:, 0],
            found[:, 1],
            fields(*anchors(scene.anatomy, z, x))[:, 0],
            -along[:, 0] * cosine - along[:, 1] * sine,
        )
    ):
        moved[:, :, part, : shape[1]] = quantised(field.transpose(1, 0, 2))

    gain = 10 ** (probe.lost(scatterers) / 20)
    # Attenuation's lower frequency is a phase along depth; once it is taken off, pulses are real.
    turn = 2 * np.pi * (_carrier(scanner)[1] / 2) * (z[:, :1] ** 2)
    unwound = gain * np.exp(1j * turn)
    small, at_rest = (np.zeros((shape[0], n, padded), np.float32) for n in (2, 4))
    seen, sheets = unwound * scatterers.small, unwound * scatterers.sheets
    for part, values in enumerate((seen.real, seen.imag)):
        small[:, part, : shape[1]] = quantised(values)
    across = x + scatterers.aside
    for part, values in enumerate((across, sheets.real, sheets.imag, scatterers.tilt)):
        at_rest[:, part, : shape[1]] = quantised(values)
    strength = (unwound * scatterers.level).astype(np.complex64)
    planes = Planes(small, strength, noise_key(seed, index, Stream.SCATTERERS))
    return MovingSection(scene, fields, moved, at_rest, planes, rows=(0, scanner.doses.image[0]))


def places(scene: Scene) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return depth and width of a scene's scatterers, mm, float64 (depth, width) each."""
    step, shape = scene.probe.scanner.pixel_size, scene.scatterers.small.shape
    side = (shape[1] - scene.probe.scanner.doses.image[1]) // 2
    depths = (np.arange(shape[0]) + 0.5) * step[0]
    widths = (np.arange(shape[1]) - side + 0.5) * step[1]
    z, x = np.meshgrid(depths, widths, indexing="ij")
    return z, x


def anchors(
    anatomy: Anatomy, z: NDArray[np.float64], x: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the point that the phase of the sheet at each place follows: depth and width, mm.

    Of a fascicle it lies halfway to the other aponeurosis, of an aponeurosis in the image's middle.
    """
    middle = anatomy.superficial.middle
    superficial, deep = anatomy.superficial.at(x), anatomy.deep.at(x)
    down, right = z.copy(), np.full_like(x, middle)
    fat, below = z < superficial, z >= deep
    bent = (superficial - anatomy.superficial.depth) * np.clip(z / superficial, 0, 1)
    down[fat] -= bent[fat]
    regions = [(~fat & ~below, anatomy.fascicles[0]), (below, anatomy.beneath)]
    if anatomy.central is not None:
        above = z < anatomy.central.at(x)
        regions[0] = ~fat & above, anatomy.fascicles[0]
        regions.append((~above & ~below, anatomy.fascicles[1]))
    for region, fascicles in regions:
        number, _ = fascicles.coordinates(z[region], x[region])
        down[region], right[region] = fascicles.crossing(number, fascicles.height / 2)
    curves = [anatomy.superficial, anatomy.deep, anatomy.bone]
    if anatomy.central is not None:
        curves.append(anatomy.central)
    for curve in curves:
        offset = z - curve.at(x)
        about = np.abs(offset) < anatomy.sheet
        down[about], right[about] = curve.depth + offset[about], middle
    return down, right


def margin_of(
    fields: Fields, courses: NDArray[np.floating], parameters: SectionParameters
) -> tuple[float, float]:
    """Return how far a scene must go on beyond its image to have what moves into it.

    Parameters
    ----------
    fields : callable
        See :data:`Fields`.
    courses : float array of shape (mode, frame)
    parameters : SectionParameters

    Returns
    -------
    (float, float)
        Below and to each side, mm; :func:`.scene.draw_scene` takes it.
    """
    depth, width = parameters.size
    down, along = np.linspace(0, depth, EDGE), np.linspace(0, width, EDGE)
    below, aside = 0.0, 0.0
    # What comes from farther away may move farther; a strain's few tenths settle in some turns.
    for _ in range(TURNS):
        up = np.tensordot(fields(np.full(EDGE, depth + below), along)[:, 0], courses, (0, 0))
        left = np.tensordot(fields(down, np.full(EDGE, -aside))[:, 1], courses, (0, 0))
        right = np.tensordot(fields(down, np.full(EDGE, width + aside))[:, 1], courses, (0, 0))
        below = max(0.0, float(up.max()))
        aside = max(0.0, float(left.max()), float(-right.min()))
    return below + BORDER[0], aside + BORDER[1]


class _Grid:
    """The grid that echoes are laid on: the scanner's, or a finer one, and beyond its borders."""

    def __init__(
        self, probe: Probe, shape: tuple[int, int], image: tuple[int, int], first_row: int = 0
    ) -> None:
        scanner = probe.scanner
        depth, width = scanner.doses.image
        step = scanner.pixel_size
        beams = scanner.lateral_width / (2 * math.sqrt(2 * math.log(2)))
        sds = np.array([scanner.axial_sd]), beams
        rows, columns = self.every = tuple(
            math.ceil(least * size / float(sd.min()))
            for least, size, sd in zip(NARROWEST, step, sds, strict=True)
        )
        self.axial = _taps(sds[0], step[0], rows)[0]
        self.lateral = _taps(sds[1], step[1], columns)
        above, aside = len(self.axial) // 2 + 4, self.lateral.shape[1] // 2
        side = (shape[1] - width) // 2
        top, bottom = image
        self.origin = above + (first_row - top) * rows, aside - side * columns, above
        self.depths = (np.arange(shape[0], dtype=np.float32) + np.float32(0.5)) * np.float32(
            step[0]
        )
        self.per_mm = np.array([rows / step[0], columns / step[1], columns], np.float32)
        held = probe.seen * 10 ** (probe.slope / 20)[:, None]
        down = top + (np.arange((bottom - top - 1) * rows + 1 + 2 * above) - above) // rows
        right = (np.arange(-(-((width - 1) * columns + 1 + 2 * aside) // 8) * 8) - aside) // columns
        inside = np.clip(down, 0, depth - 1)[:, None], np.clip(right, 0, width - 1)
        self.held = quantised(held[inside])


def _taps(sds: NDArray[np.float64], step: float, every: int) -> NDArray[np.float32]:
    """Return what makes Gaussians of cubic B-splines, float32 (Gaussian, tap).

    In the sense of least squares. Gaussians have unit energy on the grid before it is divided.
    """
    half = math.ceil(REACH * sds.max() / step * every)
    at = np.arange(-8 * (half + 2), 8 * (half + 2) + 1) / 8
    splines = _cubic(at[:, None] - np.arange(-half, half + 1))
    gaussians = np.exp(-((at[:, None] * step / every / sds) ** 2) / 2)
    coarse = np.arange(-200, 201) * step
    energy = np.exp(-((coarse[:, None] / sds) ** 2)).sum(axis=0)
    return quantised(np.linalg.lstsq(splines, gaussians / np.sqrt(energy))[0].T.copy())


def _cubic(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cubic B-spline."""
    far = np.abs(at)
    return np.where(far < 1, 2 / 3 - far**2 * (1 - far / 2), np.clip(2 - far, 0, None) ** 3 / 6)


def _carrier(scanner: Scanner) -> NDArray[np.float32]:
    """Return turns of an echo's phase a mm at the surface, and how many fewer for a mm of depth."""
    turns, depths = scanner.turns, scanner.depths
    fewer = (turns[0] - turns[-1]) / (depths[-1] - depths[0])
    return quantised(np.array([turns[0] + fewer * depths[0], fewer]))


def _directions(probe: Probe) -> NDArray[np.float32]:
    """Return each direction's turns for a mm to the right, angle and 1 / SD, float32 (look, 3)."""
    turns = 2e-3 * probe.scanner.doses.centre_frequency / SOUND_SPEED
    return quantised(
        np.array([[turns * math.sin(a), a, 1 / probe.directivity] for a in probe.looks])
    )
