"""Recordings that the reach of a method is measured on, and that nothing else makes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks.identification import Simulated
from benchmarks.recordings import CELLS, FRAME_RATE, FRAMES, Made, imaging, scan
from benchmarks.tissues import SIZE, Drawn, Maps, pulse
from musim.simulator import PRESETS, Parameters, Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.own_maps import with_own_maps
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.simulator.experiment.recording import simulate
from musim.simulator.imaging.filtering import BandPass, band_pass

SOFT_EDGE = (1.0, 2.0)
"""Over which a soft territory rises from a tenth to nine tenths, mm."""

TENTHS = 2.563
"""Standard deviations from a tenth to nine tenths of a normal distribution."""

GAIN = 0.4
"""SD of the logarithm of the gain that varies inside a heterogeneous territory."""

GAIN_WIDTH = 1.5
"""SD of the Gaussian over which that gain is alike, mm."""

ECHOES = (20.0, 40.0)
"""Echoes over noise where no unit moves, dB."""

BODY_BAND, BODY_MOTION = (5.0, 15.0), (3e-4, 5e-3)
"""Frequencies of the body's motion, Hz, and its SD, mm."""

WAVES = 24
"""Sines of which that motion is made."""


def experiment(preset: str, units: tuple[int, int] | None, quick: bool, seed: int) -> Simulated:
    """Return a recording of the virtual experiment, quick or full, of as many units as wanted."""
    given = PRESETS[preset] | ({} if units is None else {"units": Range(*units)})
    parameters, doses = Parameters(**given), Doses.from_texts({}, preset)
    truth = draw(parameters, doses=doses, seed=seed)
    if quick:
        drawn = draw_recording(parameters, doses, truth, seed=seed, index=0)
        tvi = render_recording(drawn, colour(parameters, doses))
    else:
        tvi = simulate(parameters, doses, truth, seed=seed, index=0)
    return Simulated(
        tvi, parameters.frame_rate, parameters.pixel_size, truth.territory > 0.5,
        truth.twitch_train, truth.firing, np.zeros(truth.unit_count), np.inf,
        with_own_maps(truth, parameters, doses, seed=seed, index=0).own_maps,
    )  # fmt: skip


def soft(
    territory: NDArray[np.float64], pixel: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return territories with edges over :data:`SOFT_EDGE`, each its own."""
    widths = rng.uniform(*SOFT_EDGE, len(territory)) / TENTHS / pixel
    return np.array([gaussian_filter(one, sd) for one, sd in zip(territory, widths, strict=True)])


def uneven(
    territory: NDArray[np.float64], pixel: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return territories inside which the gain varies, by :data:`GAIN`."""
    fields = gaussian_filter(
        rng.standard_normal(territory.shape), (0, GAIN_WIDTH / pixel, GAIN_WIDTH / pixel)
    )
    return territory * np.exp(GAIN * fields / fields.std(axis=(1, 2), keepdims=True))


SHAPES: dict[str, tuple[str, Callable[..., NDArray[np.float64]] | None]] = {
    "soft edges": ("disc", soft),
    "ellipses": ("ellipse", None),
    "fibres": ("fibres", None),
    "uneven": ("disc", uneven),
}
"""Analytic sequences whose territories are no even discs: their shape, and what is done to them."""


def shaped(name: str, units: int, snr: float, seed: int) -> Made:
    """Return an analytic sequence of one of :data:`SHAPES`."""
    shape, change = SHAPES[name]
    parameters = Parameters(units=Range(units, units), snr=Range(snr, snr), territory=shape)
    truth = draw(parameters, seed=seed)
    tvi = render(truth)
    if change is not None:
        # Superposition is linear: what the change adds is added, and the noise stays as it was.
        before = truth.territory.astype(np.float64)
        more = change(before, parameters.pixel_size[0], np.random.default_rng(seed)) - before
        tvi = tvi + np.tensordot(truth.twitch_train.T, more.astype(np.float32), 1)
    return Made(
        tvi.astype(np.float32), parameters.frame_rate, parameters.pixel_size,
        truth.territory > 0.5, truth.twitch_train, truth.firing, np.zeros(units), snr,
    )  # fmt: skip


NOISES: dict[str, tuple[tuple[float, float, float], BandPass | None]] = {
    "white": ((0, 0, 0), None),
    "alike over 3 px": ((0, 1.5, 1.5), None),
    "alike over 6 frames": ((3, 0, 0), None),
    "band-passed": ((0, 0, 0), BandPass(low=5.0, high=25.0, frame_rate=400.0)),
}
"""Noise alone: SD of the Gaussian that it is smoothed with, in frames and px, and its band."""


def noise_alone(name: str, seed: int) -> Made:
    """Return one of :data:`NOISES`: 400 frames of 64 x 64 px."""
    over, band = NOISES[name]
    noise = np.random.default_rng(seed).standard_normal((400, 64, 64))
    noise = gaussian_filter(noise, over).astype(np.float32)
    noise = noise if band is None else band_pass(noise, band)
    return nothing(noise / noise.std(), 400.0, (0.625, 0.625))


def nothing(tvi: NDArray[np.float32], rate: float, size: tuple[float, float]) -> Made:
    """Return a recording in which there is no unit."""
    frames, depth, width = tvi.shape
    return Made(
        np.asarray(tvi, np.float32), rate, size, np.zeros((0, depth, width), bool),
        np.zeros((0, frames), np.float32), np.zeros((0, 0)), np.zeros(0), np.nan,
    )  # fmt: skip


def artery_alone(seed: int) -> Made:
    """Return speckle in which a vessel beats."""
    empty = Drawn(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, FRAMES)), FRAME_RATE)
    return _scanned(lambda rng: pulse(empty, rng), seed)


def drift_alone(seed: int) -> Made:
    """Return speckle that drifts as a whole by 1 mm/s at 0.3 Hz, as :mod:`.recordings` does."""

    def drifting(rng: np.random.Generator) -> Maps:
        at = 2 * np.pi * 0.3 * np.arange(FRAMES) / FRAME_RATE
        return [(np.ones(CELLS), np.sin(at + rng.uniform(0, 2 * np.pi)) / (2 * np.pi * 0.3))]

    return _scanned(drifting, seed)


def body_alone(seed: int) -> Made:
    """Return speckle that moves as a body does, more at one side: sines of :data:`BODY_BAND`."""
    return _scanned(_body, seed)


def _body(rng: np.random.Generator) -> Maps:
    """Return two modes, the whole muscle's and a tilt, each with a course of its own."""
    time = np.arange(FRAMES) / FRAME_RATE
    size = np.exp(rng.uniform(*np.log(BODY_MOTION)))
    rows, columns = np.mgrid[-1 : 1 : CELLS[0] * 1j, -1 : 1 : CELLS[1] * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    modes: Maps = []
    for field, share in (
        (np.ones(CELLS), 1.0),
        (np.cos(angle) * rows + np.sin(angle) * columns, 0.5),
    ):
        waves = np.sin(
            2 * np.pi * rng.uniform(*BODY_BAND, WAVES)[:, None] * time
            + rng.uniform(0, 2 * np.pi, WAVES)[:, None]
        ).sum(axis=0)
        modes.append((share * field, size * waves / waves.std()))
    return modes


def _scanned(motion: Callable[[np.random.Generator], Maps], seed: int) -> Made:
    """Return what the chain makes of a motion in fully developed speckle."""
    motions, echoes = (np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(2))
    level = motions.uniform(*ECHOES)
    chain = imaging().chain
    assert chain.pixels is not None
    assert chain.frame_rate is not None
    tvi = scan(motion(motions), level, echoes)
    return nothing(tvi, chain.frame_rate, (SIZE / chain.pixels[0], SIZE / chain.pixels[1]))
