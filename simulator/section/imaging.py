"""From scatterers, and how far they have moved, to envelopes: what a scanner makes of a section.

The point-spread function, its frequency that falls with depth, the noise that gain raises, and the
kernels that move scatterers are those of the virtual experiment (:mod:`..experiment.speckle`).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..experiment.contact import BUBBLE, LIFTED, Contact
from ..experiment.doses import Doses, quantised
from ..experiment.speckle import Scanner
from ..seeds import Stream, generator, noise_key
from .parameters import SectionParameters
from .tissue import Scatterers

FINEST = 0.6, 0.9
"""Steps of the scatterers' grid are at most these shares of the width of the pulse, in depth, and
of the narrowest beam."""

SOUND_SPEED = 1540.0
"""m/s."""


@dataclass(frozen=True)
class Probe:
    """A scanner, as it is set and held for one image.

    Parameters
    ----------
    scanner : Scanner
        Its point-spread function, on the scatterers' grid.
    divisions : (int, int)
        Rows and columns of that grid in a pixel.
    looks : tuple of float
        Directions from which it looks, rad: images of all are compounded.
    directivity : float
        SD of the angle off its normal at which a sheet is heard, rad.
    gain_error : float
        Of the gain in time at the image's bottom, dB.
    noise : float
        Over the echoes of muscle at the surface, in amplitude.
    contact : Contact
        What of it touches the skin.
    key : uint32 array of shape (4,)
        Of the noise.
    """

    scanner: Scanner
    divisions: tuple[int, int]
    looks: tuple[float, ...]
    directivity: float
    gain_error: float
    noise: float
    contact: Contact
    key: NDArray[np.uint32]

    def gain(self, scatterers: Scatterers) -> NDArray[np.float64]:
        """Return the amplitude at which echoes of each place are seen, float64 (depth, width).

        What tissue above has taken of them, times the gain in time that makes up for what is
        expected, where the probe has contact.
        """
        decibels = self.lost(scatterers) + self.slope[:, None]
        return self.seen * 10 ** (decibels / 20)

    def lost(self, scatterers: Scatterers) -> NDArray[np.float64]:
        """Return by how much less than expected tissue takes, dB, float64 (depth, width)."""
        scanner = self.scanner
        step = scanner.pixel_size[0] / 10  # cm
        there_and_back = 2e-6 * scanner.doses.centre_frequency * step
        beyond = np.cumsum(scanner.attenuation - scatterers.attenuation, axis=0)
        # To the middle of a row, not to its end.
        beyond -= (scanner.attenuation - scatterers.attenuation) / 2
        return there_and_back * beyond - scatterers.loss

    @property
    def slope(self) -> NDArray[np.float64]:
        """Error of the gain in time at each depth, dB, float64 (depth,)."""
        return self.gain_error * self.scanner.depths / self.scanner.size[0]

    @property
    def seen(self) -> NDArray[np.float64]:
        """Share of the amplitude that comes through where contact is poor, (depth, width)."""
        scanner, doses = self.scanner, self.scanner.doses
        return self.contact.gain(scanner.depths, scanner.widths, doses.f_number, doses.aperture)


def draw_probe(parameters: SectionParameters, seed: int, index: int) -> Probe:
    """Set the scanner for image `index`, and lay its probe on the skin.

    Raises
    ------
    InputError
        If attenuation takes echoes to frequencies that images cannot show.
    """
    random = generator(seed, index, Stream.PROBE)
    names = ("centre_frequency", "f_number", "gain_error", "thermal_noise", "contact")
    drawn = {name: getattr(parameters, name).draw_one(random) for name in names}
    held = generator(seed, index, Stream.CONTACT)
    lifted = held.uniform(*LIFTED) * (1 if held.random() < 0.5 else -1)
    bubble = held.random(), held.uniform(*BUBBLE)
    scanner, divisions = scanner_of(parameters, drawn["centre_frequency"], drawn["f_number"])
    angles = np.linspace(-1, 1, parameters.looks) if parameters.looks > 1 else np.zeros(1)
    return Probe(
        scanner=scanner,
        divisions=divisions,
        looks=tuple(math.radians(parameters.steering) * angles),
        directivity=math.radians(parameters.directivity),
        gain_error=drawn["gain_error"],
        noise=drawn["thermal_noise"],
        contact=Contact(drawn["contact"], 0.0, parameters.size, lifted, bubble, 0.0, 0.0, 0.0),
        key=noise_key(seed, index, Stream.THERMAL),
    )


def scanner_of(
    parameters: SectionParameters, frequency: float, f_number: float
) -> tuple[Scanner, tuple[int, int]]:
    """Return the scanner on the scatterers' grid, and how many rows and columns of it a pixel has.

    Parameters
    ----------
    parameters : SectionParameters
    frequency : float
        Centre frequency, Hz.
    f_number : float
    """
    # Widths at half amplitude: Scanner.axial_width and lateral_width, which need a grid first.
    pulse = 2000 * math.log(2) * SOUND_SPEED / (math.pi * parameters.bandwidth * frequency)
    beam = 1200 * SOUND_SPEED / frequency * f_number
    rows, columns = (
        math.ceil(pixel / (share * width))
        for pixel, share, width in zip(parameters.pixel_size, FINEST, (pulse, beam), strict=True)
    )
    doses = Doses(
        centre_frequency=frequency,
        bandwidth=parameters.bandwidth,
        f_number=f_number,
        aperture=parameters.aperture,
        image=(rows * parameters.pixels[0], columns * parameters.pixels[1]),
    )
    scanner = Scanner(doses, parameters.size, parameters.expected_attenuation, SOUND_SPEED)
    return scanner, (rows, columns)


def envelopes(
    scatterers: Scatterers,
    probe: Probe,
    fields: NDArray[np.float64] | None = None,
    courses: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return what the scanner sees of scatterers that have moved.

    Displacement is ``sum_m fields[m] courses[m]``, along depth, towards the probe, as in the
    virtual experiment. Each direction of the probe sees small scatterers with other phases, so
    with other speckle, and sheets by how far off their normal it looks; the envelopes of all
    directions are averaged.

    Parameters
    ----------
    scatterers : Scatterers
        On the grid of the probe's scanner.
    probe : Probe
    fields : float64 array of shape (field, depth, width), optional
        Displacement for a course of 1; nothing moves without.
    courses : float64 array of shape (field, frame), optional
        mm.

    Returns
    -------
    float64 array of shape (frame, depth, width)
        The mean power of muscle's own scatterers is 1, as bright as expected.
    """
    from ..experiment.speckle_kernels import render_frames

    scanner = probe.scanner
    depth, width = scanner.doses.image
    if fields is None or courses is None:
        fields, courses = np.zeros((1, depth, width)), np.zeros((1, 1))
    frames = courses.shape[1]
    turns = quantised(fields * scanner.turns[:, None])[:, :, None]
    moved = quantised(courses.T)
    axial, lateral = scanner.axial_taps(), scanner.lateral_taps()
    taps = axial.view(np.float32).reshape(2, depth, -1, 2)
    shift = quantised(1 / (scanner.turns * math.sqrt(2) * scanner.axial_sd) / 2)
    noise = quantised(probe.noise * scanner.noise_gain / math.sqrt(2))
    gain = probe.gain(scatterers)
    total = np.zeros((frames, depth, width))
    out = np.empty((frames, depth, width, 2), np.float32)
    seen = np.zeros((4, depth, 1, width), np.float32)
    for number, angle in enumerate(probe.looks):
        real, imaginary = _echoes(scatterers, probe, angle)
        seen[0, :, 0], seen[1, :, 0] = quantised(gain * real), quantised(gain * imaginary)
        render_frames(
            turns,
            moved,
            seen,
            np.zeros(depth, np.float32),  # nothing is exchanged across the image's plane
            shift,
            taps,
            lateral,
            noise,
            probe.key,
            2 * number * math.ceil(frames / 2),  # noise of other frames
            out,
        )
        total += np.hypot(out[..., 0], out[..., 1])
    return total / len(probe.looks)


def _echoes(
    scatterers: Scatterers, probe: Probe, angle: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the echoes that a probe hears from a direction: real and imaginary parts.

    Small scatterers have the phase of their place across the beam.
    """
    small, scanner = scatterers.small, probe.scanner
    real, imaginary = small.real, small.imag
    if angle != 0:
        turn = 4e-3 * np.pi * scanner.doses.centre_frequency / SOUND_SPEED * math.sin(angle)
        phase = turn * (scanner.widths + scatterers.aside)
        # By parts: a complex exponential takes three times as long.
        cosine, sine = np.cos(phase), np.sin(phase)
        real, imaginary = real * cosine - imaginary * sine, real * sine + imaginary * cosine
    heard = np.exp(-(((scatterers.tilt - angle) / probe.directivity) ** 2) / 2)
    sheets = scatterers.sheets
    return real + sheets.real * heard, imaginary + sheets.imag * heard
