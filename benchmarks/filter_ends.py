"""Compare what a zero-phase band-pass may take a recording for beyond its ends.

    python -m benchmarks.filter_ends

Motion of simulated subjects is filtered as part of a longer recording, which is taken for the
truth, and alone. Noise is that of velocity, and that of displacement, which is what a scanner's
noise mostly is. Drifts are filtered alone: none of them passes.
"""

import argparse
import os
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from musim.simulator import PRESETS, Parameters, draw
from musim.simulator.experiment.doses import PRESETS as DOSES
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.motion import draw_motion
from musim.simulator.experiment.recording import images_needed
from musim.simulator.imaging.filtering import BandPass, band_pass

BAND = BandPass(low=5, high=50, frame_rate=2000)
SECTIONS = np.array(BAND.sections)
LONG, SHORT = 6600, 2500
STARTS = (1000, 2000, 3000)
PIXELS = 15

Signals = NDArray[np.float64]
"""Of shape (frame, pixel)."""


def by_lines(x: Signals) -> Signals:
    """Filter as musim does."""
    return band_pass(x.astype(np.float32)[:, :, None], BAND)[:, :, 0].astype(np.float64)


def by_default(x: Signals) -> Signals:
    """Continue oddly about the outermost frame, as SciPy does if it is not told otherwise."""
    return np.asarray(signal.sosfiltfilt(SECTIONS, x, axis=0))


def by_gustafsson(x: Signals) -> Signals:
    """Begin so that the order of the two directions makes no difference."""
    b, a = signal.butter(BAND.order, (BAND.low, BAND.high), "bandpass", fs=BAND.frame_rate)
    return np.asarray(signal.filtfilt(b, a, x, axis=0, method="gust", irlen=1200))


def continued(beyond: Callable[[Signals], Signals]) -> Callable[[Signals], Signals]:
    """Filter what is continued at both ends, by what `beyond` makes of the frames from an end on.

    It gives the frames beyond the first one, the outermost first.
    """

    def way(x: Signals) -> Signals:
        whole = np.concatenate([beyond(x), x, beyond(x[::-1])[::-1]])
        found = np.asarray(signal.sosfiltfilt(SECTIONS, whole, axis=0, padlen=0))
        room = (len(whole) - len(x)) // 2
        return found[room:-room]

    return way


def mean_of(x: Signals, seconds: float) -> Signals:
    """Return the mean over the first frames."""
    return x[: round(seconds * BAND.frame_rate)].mean(axis=0)


def line_of(x: Signals, seconds: float) -> Signals:
    """Return what lies before the first frames on the line that is fitted to them."""
    frames = round(seconds * BAND.frame_rate)
    slope, value = np.polyfit(np.arange(frames), x[:frames], 1)
    return value + np.arange(-SHORT, 0)[:, None] * slope


WAYS: dict[str, Callable[[Signals], Signals]] = {
    "lines fitted to 0.3 s (musim)": by_lines,
    "lines fitted to 0.15 s": continued(lambda x: line_of(x, 0.15)),
    "lines fitted to 0.6 s": continued(lambda x: line_of(x, 0.6)),
    "the mean over 0.1 s": continued(lambda x: np.repeat(mean_of(x, 0.1)[None], SHORT, axis=0)),
    "mirrored": continued(lambda x: x[::-1]),
    "mirrored oddly about the mean over 50 ms": continued(lambda x: 2 * mean_of(x, 0.05) - x[::-1]),
    "oddly about the outermost frame, 27 frames (SciPy's default)": by_default,
    "Gustafsson 1996": by_gustafsson,
}


def motion(preset: str, subjects: int, seed: int) -> Signals:
    """Return velocities of all that moves, at some pixels of some subjects, mm/s."""
    parameters = Parameters(**{**PRESETS[preset], "frames": 1700, "pixels": (64, 64)})
    doses, found = Doses(**DOSES.get(preset, {})), []
    for index in range(subjects):
        truth = draw(parameters, doses=doses, seed=seed, index=index)
        images = images_needed(parameters, doses)
        moved = draw_motion(parameters, doses, truth, seed, index, images, lateral=False)
        fields = moved.fields[:, 0].reshape(len(moved.fields), -1)
        pixels = np.random.default_rng(index).permutation(fields.shape[1])[:PIXELS]
        velocity = np.diff(moved.courses, axis=1)[:, :LONG] * doses.pulse_repetition
        found.append(velocity.T @ fields[:, pixels])
    return np.concatenate(found, axis=1)


def folded(x: Signals) -> NDArray[np.float64]:
    """Return the mean power by the distance from either end, for half of the frames."""
    power = np.square(x).mean(axis=1)
    half = len(power) // 2
    return (power[:half] + power[: -half - 1 : -1]) / 2


def row(name: str, way: Callable[[Signals], Signals], moving: list[Signals], noise: Signals) -> str:
    """Return a row of the table."""
    cells = []
    for x in moving:
        true, errors = by_lines(x), []
        for start in STARTS:
            window = slice(start, start + SHORT)
            errors.append(folded(way(x[window]) - true[window]))
        error = np.mean(errors, axis=0) / np.square(true[1000:-1000]).mean()
        cells.append(f"{error[:40].mean():.2f}, {error[:200].mean():.3f}")
    for x in (noise[1:], np.diff(noise, axis=0)):
        power = folded(way(x))
        parts = np.split(power[:100], [20, 50])
        cells.append(", ".join(f"{part.mean() / power[-600:].mean():.1f}" for part in parts))
    time = np.arange(SHORT)[:, None] / BAND.frame_rate
    drift = np.cos(2 * np.pi * (0.3 * time + np.arange(12) / 12))
    cells.append(f"{np.sqrt(folded(way(drift))[:40].mean()):.3f}")
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--subjects", type=int, default=20)
    parser.add_argument("--seed", type=int, default=4000)
    arguments = parser.parse_args()
    presets = ("experiment", "typical")
    moving = [motion(preset, arguments.subjects, arguments.seed) for preset in presets]
    noise = np.random.default_rng(arguments.seed).standard_normal((SHORT + 1, 1000))
    heads = [
        *(f"error of motion, {preset}: 20 ms, 100 ms" for preset in presets),
        "noise of velocity: 0-10, 10-25, 25-50 ms", "noise of displacement", "drift of 0.3 Hz",
    ]  # fmt: skip
    print("| beyond the ends | " + " | ".join(heads) + " |")
    print("|---|" + "---:|" * len(heads))
    for name, way in WAYS.items():
        print(row(name, way, moving, noise), flush=True)


if __name__ == "__main__":
    main()
