"""Examples of what may be a unit: recordings whose units are known, and what is seen in them.

They are drawn by musim's own simulator, by index: quick recordings of the virtual experiment, some
with doses wider than plausible, analytic sequences that are blurred, drift, and lack pixels and
frames, some of them in tissue of any form, and noise alone.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from ....simulator.parameters import PRESETS, Parameters
from ....simulator.ranges import Range
from ....simulator.rendering import render
from ....simulator.sequence import Truth, draw
from ..methods.responses import Form, field_of
from ..units import Recording
from .settings import JudgeSettings

FIRST_SEED = 2**62
"""Added to the seed of all that is drawn, so that no store or measurement that somebody seeds with
a number of their own holds an example."""

WIDER: dict[str, str] = {
    "spread": "0.3-4",
    "incompressibility": "0-1",
    "wave_speed": "1.5-6",
    "layer": "0-1",
    "artery": "0-300",
    "thermal_noise": "0-0.002",
    "fusion": "0-0.5",
    "tremor": "0-1",
    "muscle_motion": "0-1.2",
    "noise_at_depth": "0-0.25",
}
"""Doses of the kind `wide`, by their names as options."""

WITHOUT_NOISE = 8
"""Each so many-th analytic example has none."""


@dataclass(frozen=True)
class Example:
    """A recording and its truth.

    Parameters
    ----------
    recording : Recording
    trains : float32 array of shape (unit, time)
        mm/s.
    territory : float32 array of shape (unit, depth, width)
        0..1.
    """

    recording: Recording
    trains: NDArray[np.float32]
    territory: NDArray[np.float32]


def draw_example(index: int, settings: JudgeSettings) -> Example:
    """Return an example.

    Parameters
    ----------
    index : int
        0 or more; it says of which kind the example is.
    settings : JudgeSettings
        Its seed, kinds, faults and sizes count, and nothing else does.
    """
    kind = settings.in_turn[index % len(settings.in_turn)]
    rng = np.random.default_rng([FIRST_SEED + settings.seed, index])
    if kind == "noise":
        return _noise(settings, rng)
    if kind in ("analytic", "forms"):
        return _analytic(index, settings, rng, spread=kind == "forms")
    return _quick(kind, index, settings, rng)


def _quick(kind: str, index: int, settings: JudgeSettings, rng: np.random.Generator) -> Example:
    """Return a quick recording of the virtual experiment."""
    from ....simulator.experiment.doses import Doses
    from ....simulator.experiment.quick import colour, draw_recording, render_recording

    preset = kind if kind in ("typical", "hard") else "easy"
    given = dict(PRESETS[preset])
    if kind in ("many", "wide"):
        given["units"] = Range(*((12, 30) if kind == "many" else (3, 25)))
    if kind == "wide":
        given["firing_rate"] = Range(6.0, 25.0)
        given["strength_ratio"] = Range(1.0, 10.0)
    if rng.uniform() < 0.4:
        # Coarser, shorter: as many recordings are.
        frames = int(rng.integers(350, 800))
        given |= {"pixels": (64, 64), "frames": frames, "frame_rate": 400.0}
    parameters = _within(Parameters(**given), settings)
    doses = Doses.from_texts(WIDER if kind == "wide" else {}, preset)
    drawn = {"seed": FIRST_SEED + settings.seed, "index": index}
    truth = draw(parameters, doses=doses, **drawn)
    recording = draw_recording(parameters, doses, truth, **drawn)
    tvi = render_recording(recording, colour(parameters, doses))
    seen = Recording(tvi, parameters.frame_rate, parameters.pixel_size)
    return Example(seen, truth.twitch_train, truth.territory)


def _within(parameters: Parameters, settings: JudgeSettings) -> Parameters:
    """Return parameters with no more pixels and frames than settings allow."""
    depth, width = parameters.pixels
    return replace(
        parameters,
        pixels=(min(depth, settings.pixels), min(width, settings.pixels)),
        frames=min(parameters.frames, settings.frames),
    )


def _noise(settings: JudgeSettings, rng: np.random.Generator) -> Example:
    """Return noise alone: white or alike over pixels, over frames, or in a band of frequencies."""
    from ....simulator.imaging.filtering import BandPass, band_pass

    side = min(int(rng.choice([40, 64, 96])), settings.pixels)
    frames = min(int(rng.integers(300, 900)), settings.frames)
    noise = rng.standard_normal((frames, side, side))
    over = rng.choice([0.0, 0.7, 1.5, 3.0], 3) * rng.integers(0, 2, 3)
    noise = _smoothed(noise, (2 * over[0], over[1], over[2]))
    if rng.uniform() < 0.4:
        noise = band_pass(noise.astype(np.float32), BandPass(low=5.0, high=25.0, frame_rate=400.0))
    size = float(rng.choice([0.3, 0.625]))
    tvi = np.asarray(noise / noise.std(), np.float32)
    return Example(
        Recording(tvi, 400.0, (size, size)),
        np.zeros((0, frames), np.float32),
        np.zeros((0, side, side), np.float32),
    )


def _analytic(
    index: int, settings: JudgeSettings, rng: np.random.Generator, *, spread: bool
) -> Example:
    """Return a sequence of the analytic model whose motion may spread, with faults if asked for."""
    rate = float(rng.choice([8.0, 12.0, 20.0]))
    silent = settings.round_of(index) % WITHOUT_NOISE == WITHOUT_NOISE - 1
    drawn = Parameters(
        units=Range(3, 28),
        snr=Range(math.inf, math.inf) if silent else Range(-5.0, 25.0),
        firing_rate=Range(rate, 1.5 * rate),
        territory="ellipse" if rng.uniform() < 0.5 else "disc",
        frames=int(rng.integers(350, 900)),
    )
    parameters = _within(drawn, settings)
    truth = draw(parameters, seed=FIRST_SEED + settings.seed, index=index)
    clean, tvi = render(truth, noise=False), render(truth)
    if spread:
        moved = _spread(truth, parameters.pixel_size, rng)
        louder = np.sqrt(np.mean(np.square(moved)) / max(np.mean(np.square(clean)), 1e-30))
        clean, tvi = moved, moved + louder * (tvi - clean)
    if settings.faults:
        tvi = _spoilt(clean, tvi, parameters.frame_rate, rng)
    recording = Recording(tvi.astype(np.float32), parameters.frame_rate, parameters.pixel_size)
    return Example(recording, truth.twitch_train, truth.territory)


def _spread(
    truth: Truth, pixel_size: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the velocity of tissue in which motion spreads in a form by chance."""
    gaussian = rng.uniform() < 0.4
    kind, widest, most = ("gaussian", 2.0, 0.6) if gaussian else ("screened", 4.5, 0.9)
    spread, back = rng.uniform(0.3, widest), rng.uniform(0.0, most)
    fields = []
    for territory in truth.territory:
        form = Form(kind, spread * rng.uniform(0.8, 1.25), back)
        fields.append(field_of(territory.astype(np.float64), form, pixel_size))
    flat = np.array(fields, np.float32).reshape(truth.unit_count, -1)
    return (truth.twitch_train.T @ flat).reshape(-1, *truth.territory.shape[1:])


def _spoilt(
    clean: NDArray[np.float32], noisy: NDArray[np.float32], frame_rate: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:  # fmt: skip
    """Return motion that is blurred and weighted, before its noise; and drift and faults after."""
    blur = float(rng.choice([0.0, 0.7, 1.5, 3.0]))
    tvi = _smoothed(clean, (0, blur, blur)) if blur else clean
    gain = np.exp(_smoothed(rng.standard_normal(tvi.shape[1:]), (8, 8)) * 8 * rng.uniform(0, 0.8))
    tvi = tvi * gain.astype(np.float32) + (noisy - clean)
    time = np.arange(len(tvi)) / frame_rate
    drift = rng.uniform(0, 2) * tvi.std() * np.sin(2 * np.pi * rng.uniform(0.2, 1.5) * time)
    tvi += drift.astype(np.float32)[:, None, None]
    tvi[:, rng.random(tvi.shape[1:]) < rng.choice([0.0, 0.01])] = 0
    if rng.uniform() < 0.3:
        lost = np.flatnonzero(rng.random(len(tvi)) < 0.02)
        tvi[lost[lost > 0]] = tvi[lost[lost > 0] - 1]
    return tvi


def _smoothed(values: NDArray[np.floating], sizes: tuple[float, ...]) -> NDArray[np.float32]:
    return np.asarray(scipy.ndimage.gaussian_filter(values, sizes))
