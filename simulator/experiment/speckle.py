"""What the scanner sees: IQ images of scatterers that are fixed to moving tissue.

Each pixel holds six scatterer cells, each the sum of many scatterers (a complex normal number:
fully developed speckle) that moves as the tissue does at its own place. Its echo's phase is that of
its exact displacement, and its pulse moves with it in first order: by that the phase follows the
speckle's own local frequency, which 2-D autocorrelation measures. A separable point-spread function
turns echoes into images.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..imaging.velocimetry import Velocimetry
from ..seeds import Stream, generator, noise_key
from .clutter import reverberation, reverberation_profile, side_lobes, still_image
from .contact import Contact, draw_contact
from .doses import Doses, quantised
from .motion import Motion
from .tissue import Tissue

CELLS = (3, 2)
"""Scatterer cells of a pixel in depth and width. Pixels are no coarser than the point-spread
function (that is checked), so a resolution cell, (integral h)^2 / integral h^2, holds 13 or more:
speckle is fully developed."""

ELEVATION = 1.5
"""Motion across the image plane after which other scatterers are seen, mm: the thickness of the
plane of a linear array with a lens (an assumption)."""

BRIGHTNESS = 3.0
"""Amplitude of an aponeurosis' echoes over those of muscle, less 1, at a dose of 1."""

FAINT = 1e-3
"""Share of bright echoes below which nothing leaks."""

REACH = 3.0
"""The point-spread function ends at this many SD."""

NEPER = 20 / math.log(10)
"""dB."""


@dataclass(frozen=True)
class Scanner:
    """The scanner's image: its grid and its point-spread function.

    Parameters
    ----------
    doses : Doses
        Their scanner's part.
    size : (float, float)
        Depth and width of the image, mm.
    attenuation : float
        dB/(cm MHz), one way.
    sound_speed : float
        m/s.

    Raises
    ------
    InputError
        If pixels are coarser than the point-spread function, or attenuation shifts echoes to
        frequencies that cannot be measured.
    """

    doses: Doses
    size: tuple[float, float]
    attenuation: float
    sound_speed: float = 1540.0

    def __post_init__(self) -> None:
        finest = self.axial_width, float(self.lateral_width.min())
        names = ("depth", "width")
        for name, pixel, width in zip(names, self.pixel_size, finest, strict=True):
            if pixel > width:
                raise InputError(
                    f"image: found pixels of {pixel:.3g} mm in {name}, coarser than the "
                    f"point-spread function ({width:.3g} mm), wanted finer ones; use more pixels "
                    "or a smaller size"
                )
        # Half of the depth axis' sampling rate, and what velocimetry takes for an echo's frequency.
        limit = min(
            self.doses.centre_frequency / 2, 1e3 * self.sound_speed / (4 * self.pixel_size[0])
        )
        lowest = float(self.frequency_shift[-1])
        if lowest > limit:
            raise InputError(
                f"attenuation: found echoes {lowest / 1e6:.3g} MHz below the centre frequency at "
                f"{self.size[0]:g} mm, wanted less than {limit / 1e6:.3g} MHz; use less "
                "attenuation, bandwidth or depth"
            )

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Depth and width of a pixel, mm."""
        return self.size[0] / self.doses.image[0], self.size[1] / self.doses.image[1]

    @property
    def depths(self) -> NDArray[np.float64]:
        """Depth of each row, mm."""
        return (np.arange(self.doses.image[0], dtype=np.float64) + 0.5) * self.pixel_size[0]

    @property
    def widths(self) -> NDArray[np.float64]:
        """Width coordinate of each column, mm."""
        return (np.arange(self.doses.image[1], dtype=np.float64) + 0.5) * self.pixel_size[1]

    @property
    def spectrum_sd(self) -> float:
        """SD of the echoes' Gaussian spectrum, whose width at half amplitude is given, Hz."""
        full_width = self.doses.bandwidth * self.doses.centre_frequency
        return full_width / (2 * math.sqrt(2 * math.log(2)))

    @property
    def axial_sd(self) -> float:
        """SD of the pulse's Gaussian envelope in depth, mm: c / (4 pi SD of the spectrum)."""
        return 1000 * self.sound_speed / (4 * math.pi * self.spectrum_sd)

    @property
    def axial_width(self) -> float:
        """Full width of the envelope at half amplitude, mm."""
        return 2 * math.sqrt(2 * math.log(2)) * self.axial_sd

    @property
    def lateral_width(self) -> NDArray[np.float64]:
        """Full width of the beam at half amplitude at each depth, mm, float64 (depth,).

        1.2 wavelengths times the f-number, of the aperture that the depth allows (a rectangular
        aperture's sinc; Szabo 2014, Diagnostic Ultrasound Imaging, section 6.4).
        """
        wavelength = 1000 * self.sound_speed / self.doses.centre_frequency
        f_number = np.maximum(self.doses.f_number, self.depths / self.doses.aperture)
        return 1.2 * wavelength * f_number

    @property
    def frequency_shift(self) -> NDArray[np.float64]:
        """How much lower echoes of each depth are than the centre frequency, Hz, float64 (depth,).

        Attenuation of a(f) = a0 f takes a Gaussian spectrum down by its variance times the loss in
        neper a Hz, there and back.
        """
        per_hertz = self.attenuation * 1e-6 / NEPER * 2 * self.depths / 10
        return self.spectrum_sd**2 * per_hertz

    @property
    def turns(self) -> NDArray[np.float64]:
        """Turns of an echo's phase for a displacement of 1 mm, float64 (depth,).

        There and back: 2 f / c turns a m.
        """
        frequency = self.doses.centre_frequency - self.frequency_shift
        return 2e-3 * frequency / self.sound_speed

    @property
    def noise_gain(self) -> NDArray[np.float64]:
        """By how much noise is raised at each depth, as the loss of echoes is made up for."""
        loss = self.attenuation * 1e-6 * self.doses.centre_frequency * 2 * self.depths / 10
        return 10 ** (loss / 20)

    def velocimetry(self, **settings: float) -> Velocimetry:
        """Return how velocity is estimated from the images."""
        return Velocimetry(
            frame_rate=self.doses.pulse_repetition,
            centre_frequency=self.doses.centre_frequency,
            depth_step=self.pixel_size[0],
            sound_speed=self.sound_speed,
            **settings,  # type: ignore[arg-type]
        )

    def axial_taps(self) -> NDArray[np.complex64]:
        """Return the pulse at each depth, and its slope, complex64 (2, depth, tap).

        Both have unit energy. A pulse p that moves by d is ``p(z) + d z / sd^2 p(z)`` in first
        order; the second one is ``sqrt(2) z / sd p(z)``.
        """
        step = self.pixel_size[0]
        half = max(math.ceil(REACH * self.axial_sd / step), 1)
        distance = step * np.arange(-half, half + 1)
        # The carrier is taken off; what attenuation shifted it by stays along depth. A tap's echo
        # comes from its distance below the pixel.
        phase = 4 * np.pi * 1e-3 * self.frequency_shift[:, None] * distance / self.sound_speed
        pulse = np.exp(-((distance / self.axial_sd) ** 2) / 2)
        taps = np.stack([pulse, math.sqrt(2) * distance / self.axial_sd * pulse])
        taps /= np.sqrt((taps[0] ** 2).sum())
        turned = taps[:, None] * np.exp(1j * phase)
        return (quantised(turned.real) + 1j * quantised(turned.imag)).astype(np.complex64)

    def lateral_taps(self) -> NDArray[np.float32]:
        """Return the beam at each depth, float32 (depth, tap), of unit energy."""
        step, sd = self.pixel_size[1], self.lateral_width / (2 * math.sqrt(2 * math.log(2)))
        half = max(math.ceil(REACH * sd.max() / step), 1)
        distance = step * np.arange(-half, half + 1)
        taps = np.exp(-((distance / sd[:, None]) ** 2) / 2)
        taps /= np.sqrt((taps**2).sum(axis=1, keepdims=True))
        return quantised(taps)


@dataclass(frozen=True)
class Speckle:
    """What a scanner sees of tissue that stands still, before its echoes are summed.

    Parameters
    ----------
    scatterers : float32 array of shape (4, depth, cell, width)
        Real and imaginary parts of what is seen, and of what replaces it as tissue moves across the
        image plane.
    exchange : float32 array of shape (depth,)
        Half the angle by which these are mixed for a turn of phase, rad.
    shift : float32 array of shape (depth,)
        Half the angle by which the pulse and its slope are mixed for a turn of phase, rad.
    axial : complex64 array of shape (2, depth, tap)
    lateral : float32 array of shape (depth, tap)
    noise : float32 array of shape (depth,)
        SD of the noise in each part.
    clutter : complex64 array of shape (depth, width), optional
        Still image that lies over that of the tissue; none where no dose asks for it.
    """

    scatterers: NDArray[np.float32]
    exchange: NDArray[np.float32]
    shift: NDArray[np.float32]
    axial: NDArray[np.complex64]
    lateral: NDArray[np.float32]
    noise: NDArray[np.float32]
    clutter: NDArray[np.complex64] | None


@dataclass(frozen=True)
class Echoes(Speckle):
    """Everything that a sequence's IQ images depend on, ready for the kernel.

    Parameters
    ----------
    fields : float32 array of shape (field, depth, cell, width)
        Axial displacement of each cell for a course of 1, in turns of the echo's phase for mm.
    courses : float32 array of shape (frame, field)
        mm.
    key : uint32 array of shape (4,)
        Of the noise.
    """

    fields: NDArray[np.float32]
    courses: NDArray[np.float32]
    key: NDArray[np.uint32]


def draw_speckle(scanner: Scanner, tissue: Tissue, seed: int, index: int) -> Speckle:
    """Scatter the tissue of a subject.

    Parameters
    ----------
    scanner : Scanner
    tissue : Tissue
    seed : int
    index : int
        The subject's number.

    Returns
    -------
    Speckle
    """
    depth, width = scanner.doses.image
    cells = CELLS[0] * CELLS[1]
    turns = scanner.turns
    random = generator(seed, index, Stream.SCATTERERS)
    scatterers = random.standard_normal((4, depth, cells, width), np.float32)
    scatterers *= np.float32(1 / math.sqrt(2 * cells))
    drawn, contact = tissue.doses, draw_contact(tissue)
    sheet = _sheet(scanner, tissue, contact)
    scatterers *= (1 + BRIGHTNESS * sheet).astype(np.float32)[:, None]
    if contact.loss > 0:
        gain = contact.gain(scanner.depths, scanner.widths, scanner.doses.f_number,
                            scanner.doses.aperture)  # fmt: skip
        scatterers *= quantised(gain)[:, None]
    else:
        gain = np.ones((depth, width))
    axial, lateral = scanner.axial_taps(), scanner.lateral_taps()
    still = np.zeros((depth, width), np.complex128)
    if drawn["reverberation"] > 0:
        profile = reverberation_profile(scanner.depths, tissue, BRIGHTNESS)
        still += gain * reverberation(profile, width, seed, index)
    if drawn["side_lobes"] > 0:
        share = BRIGHTNESS * sheet / (1 + BRIGHTNESS * sheet)
        seen = scatterers[:2].sum(axis=2, dtype=np.float64)
        bright = np.where(share > FAINT, share, 0) * (seen[0] + 1j * seen[1])
        still += side_lobes(
            bright, scanner.depths, scanner.lateral_width, scanner.pixel_size, drawn["side_lobes"]
        )
    exchange = drawn["out_of_plane"] / (turns * ELEVATION) / 2
    shift = 1 / (turns * math.sqrt(2) * scanner.axial_sd) / 2
    return Speckle(
        scatterers=scatterers,
        exchange=quantised(exchange),
        shift=quantised(shift),
        axial=axial,
        lateral=lateral,
        noise=quantised(_noise(scanner, drawn)),
        clutter=still_image(still, axial, lateral) if still.any() else None,
    )


def _sheet(scanner: Scanner, tissue: Tissue, contact: Contact) -> NDArray[np.float64]:
    """Return how much of an aponeurosis each pixel is, 0..1, float64 (depth, width or 1)."""
    if contact.warp > 0:
        return tissue.sheet_at(scanner.depths[:, None] - contact.deeper(scanner.widths))
    rows = np.minimum((scanner.depths / tissue.pixel_size[0]).astype(int), len(tissue.depths) - 1)
    return tissue.sheet[rows, None]


def _noise(scanner: Scanner, drawn: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the SD of the noise in each part at each depth, float64 (depth,)."""
    noise = drawn["thermal_noise"] * scanner.noise_gain / math.sqrt(2)
    if drawn["noise_at_depth"] == 0:
        return noise
    gain = scanner.noise_gain / scanner.noise_gain[-1]
    return np.hypot(noise, drawn["noise_at_depth"] * gain / math.sqrt(2))


def draw_echoes(
    scanner: Scanner, motion: Motion, seed: int, index: int, subject: int | None = None
) -> Echoes:
    """Scatter the tissue and prepare its motion for the scanner's frames.

    Parameters
    ----------
    scanner : Scanner
    motion : Motion
    seed, index : int
    subject : int, optional
        The subject's number; `index`, if not given.

    Returns
    -------
    Echoes

    Raises
    ------
    InputError
        If motion is faster than the images can follow.
    """
    check_motion(scanner, motion.largest, motion.courses)
    subject = index if subject is None else subject
    speckle = draw_speckle(scanner, motion.tissue, seed, subject)
    depth, width = scanner.doses.image
    cells = CELLS[0] * CELLS[1]
    places = [
        (np.arange(n * parts) + 0.5) / parts * pixel
        for n, parts, pixel in zip(scanner.doses.image, CELLS, scanner.pixel_size, strict=True)
    ]
    fields = np.empty((len(motion.fields), depth, cells, width), np.float32)
    for number, field in enumerate(motion.fields[:, 0]):
        at_cells = _at(field, motion.pixel_size, *places)
        arranged = at_cells.reshape(depth, CELLS[0], width, CELLS[1]).transpose(0, 1, 3, 2)
        arranged = arranged.reshape(depth, cells, width) * scanner.turns[:, None, None]
        fields[number] = quantised(arranged)
    return Echoes(
        **vars(speckle),
        fields=fields,
        courses=quantised(motion.courses.T * 2.0**10) * np.float32(2.0**-10),
        key=noise_key(seed, index, Stream.THERMAL),
    )


def iq_blocks(echoes: Echoes, length: int) -> Iterator[NDArray[np.complex64]]:
    """Make the IQ images, block by block.

    Parameters
    ----------
    echoes : Echoes
    length : int
        Frames in a block, an even number: the images do not depend on it.

    Yields
    ------
    complex64 array of shape (frame, depth, width)
        The mean power of muscle's echoes is 1; the carrier is taken off along depth.
    """
    from .speckle_kernels import render_frames

    _, depth, _, width = echoes.fields.shape
    for first in range(0, len(echoes.courses), length):
        courses = echoes.courses[first : first + length]
        out = np.empty((len(courses), depth, width), np.complex64)
        render_frames(
            echoes.fields,
            courses,
            echoes.scatterers,
            echoes.exchange,
            echoes.shift,
            echoes.axial.view(np.float32).reshape(2, depth, -1, 2),
            echoes.lateral,
            echoes.noise,
            echoes.key,
            first,
            out.view(np.float32).reshape(*out.shape, 2),
        )
        if echoes.clutter is not None:
            out += echoes.clutter
        yield out


def check_motion(
    scanner: Scanner, largest: NDArray[np.float64], courses: NDArray[np.float64]
) -> None:
    """Raise InputError if tissue may move faster than images can tell (the Nyquist velocity).

    Parameters
    ----------
    scanner : Scanner
    largest : float64 array of shape (field,)
        Largest axial displacement of each field.
    courses : float64 array of shape (field, frame)
    """
    speed = np.abs(np.diff(courses, axis=1)) * scanner.doses.pulse_repetition
    fastest = float((largest @ speed).max())
    limit = scanner.velocimetry().nyquist_velocity
    if fastest > limit:
        raise InputError(
            f"displacement: found tissue that moves at up to {fastest:.3g} mm/s, wanted less than "
            f"{limit:.3g} mm/s, the Nyquist velocity of {scanner.doses.pulse_repetition:g} images "
            f"a second at {scanner.doses.centre_frequency / 1e6:g} MHz; raise pulse_repetition, or "
            "lower centre_frequency or displacement"
        )


def _at(
    field: NDArray[np.float64],
    step: tuple[float, float],
    depth: NDArray[np.float64],
    width: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return a field at other places, linearly between its points."""
    # By hand, an axis at a time: scipy.ndimage.map_coordinates gives other last bits (in a quarter
    # of the values). Rounding hid them all in 7 million values of three sequences, but it need not;
    # and it took five times as long.
    for axis, (pixel, places) in enumerate(zip(step, (depth, width), strict=True)):
        position = np.clip(places / pixel - 0.5, 0, field.shape[axis] - 1)
        low = np.minimum(position.astype(int), max(field.shape[axis] - 2, 0))
        high = np.minimum(low + 1, field.shape[axis] - 1)
        share = position - low
        share = share[:, None] if axis == 0 else share
        field = field.take(low, axis) * (1 - share) + field.take(high, axis) * share
    return field
