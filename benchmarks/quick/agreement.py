"""What maps times courses explain of full recordings, and whether the noise is the same.

The noise of a full recording is what the same subject's recording without noise lacks of it; that
of a quick one is what is added to maps times courses.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quick.recordings import Kind, Voxels, predicted

TRANSIENT = 2 / 5
"""Ends of a recording that depend on what is beyond, s: two periods of the band's lower corner."""

OUTERMOST = 0.05
"""Ends of a recording that depend on it most, s."""

BANDS = ((5.0, 12.0), (12.0, 25.0), (25.0, 40.0), (40.0, 55.0))
"""Hz, within what the chain passes."""

NEIGHBOURS = {
    "1 px in depth": (1, 0), "2 px in depth": (2, 0),
    "1 px in width": (0, 1), "2 px in width": (0, 2),
}  # fmt: skip


@dataclass(frozen=True)
class Agreement:
    """How alike a subject's quick and full recordings are.

    Parameters
    ----------
    explained, explained_silent : float
        Share of the energy of the full recording, and of that without noise, that maps times
        courses explain.
    ratios : dict of str to float
        Power of the quick recording's noise over that of the full one's, by part.
    correlations : dict of str to (float, float)
        Of the noise of neighbouring pixels: in the full recording, and in the quick one.
    """

    explained: float
    explained_silent: float
    ratios: dict[str, float]
    correlations: dict[str, tuple[float, float]]


def agreement(
    full: Voxels, silent: Voxels, quick: Voxels, noiseless: Voxels, frame_rate: float
) -> Agreement:
    """Compare recordings of the same subject.

    Parameters
    ----------
    full, silent : float32 arrays of shape (time, depth, width)
        Of the full experiment, with noise and without.
    quick, noiseless : float32 arrays of shape (time, depth, width)
        Of the quick one.
    frame_rate : float
        Hz.
    """
    noises = full - silent, quick - noiseless
    inner = inner_part(noises[0], frame_rate), inner_part(noises[1], frame_rate)
    outer = (outer_part(noises[0], frame_rate), outer_part(noises[1], frame_rate))
    ratios = {
        "whole": _ratio(*noises),
        "first and last 50 ms": _ratio(*outer),
        "away from the ends": _ratio(*inner),
    }
    rows = np.array_split(np.arange(full.shape[1]), 3)
    for name, third in zip(("upper", "middle", "lower"), rows, strict=True):
        ratios[f"{name} third"] = _ratio(*(noise[:, third] for noise in inner))
    (hertz, one), (_, other) = (spectrum(noise, frame_rate) for noise in inner)
    for low, high in BANDS:
        band = (low <= hertz) & (hertz < high)
        ratios[f"{low:g}-{high:g} Hz"] = float(other[band].sum() / one[band].sum())
    return Agreement(
        explained(full, noiseless),
        explained(silent, noiseless),
        ratios,
        {
            name: (neighbours(inner[0], move), neighbours(inner[1], move))
            for name, move in NEIGHBOURS.items()
        },
    )


def inner_part(voxels: Voxels, frame_rate: float) -> Voxels:
    """Return the frames that are away from the ends: the middle half, of short recordings."""
    end = min(math.ceil(TRANSIENT * frame_rate), len(voxels) // 4)
    return voxels[end : len(voxels) - end]


def outer_part(voxels: Voxels, frame_rate: float) -> Voxels:
    """Return the outermost frames of both ends."""
    end = math.ceil(OUTERMOST * frame_rate)
    return np.concatenate([voxels[:end], voxels[-end:]])


def explained(recording: Voxels, noiseless: Voxels) -> float:
    """Return the share of a recording's energy that another one explains."""
    return 1 - _power(recording - noiseless) / _power(recording)


def _power(voxels: Voxels) -> float:
    return float(np.square(voxels, dtype=np.float64).mean())


def _ratio(full: Voxels, quick: Voxels) -> float:
    return _power(quick) / _power(full)


def spectrum(noise: Voxels, frame_rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies (Hz) and the mean power over pixels at each, under a Hann window."""
    window = np.hanning(len(noise)).astype(np.float32)[:, None, None]
    power = np.square(np.abs(np.fft.rfft(noise * window, axis=0))).mean(axis=(1, 2))
    return np.fft.rfftfreq(len(noise), 1 / frame_rate), power


def neighbours(noise: Voxels, move: tuple[int, int]) -> float:
    """Return the mean correlation in time of pixels that lie some pixels apart."""
    standard = noise - noise.mean(axis=0)
    standard = standard / np.maximum(np.sqrt(np.square(standard).mean(axis=0)), 1e-12)
    down, right = move
    moved = standard[:, down:, right:]
    return float((moved * standard[:, : -down or None, : -right or None]).mean())


def compared(kind: Kind, count: int, folder: Path) -> list[Agreement]:
    """Compare the first subjects of a kind."""
    found = []
    for index in range(count):
        recording = kind.quick(index)
        found.append(
            agreement(
                kind.full(index, folder),
                kind.silent.full(index, folder),
                kind.rendered(recording),
                predicted(recording),
                kind.parameters.frame_rate,
            )
        )
    return found


def table(found: Mapping[str, Sequence[Agreement]]) -> list[str]:
    """Return a table, a column a kind: medians over subjects (10th to 90th percentile)."""

    def row(name: str, values: list[list[float]]) -> str:
        cells = (
            f"{np.median(each):.3f} ({np.percentile(each, 10):.3f}-{np.percentile(each, 90):.3f})"
            for each in values
        )
        return f"| {name} | " + " | ".join(cells) + " |"

    kinds = list(found.values())
    first = kinds[0][0]
    heads = [f"{name}, {len(each)} subjects" for name, each in found.items()]
    return [
        "| | " + " | ".join(heads) + " |",
        "|---|" + "---:|" * len(heads),
        row("energy explained", [[a.explained for a in each] for each in kinds]),
        row("without noise", [[a.explained_silent for a in each] for each in kinds]),
        *(
            row(f"power of noise, quick over full: {name}",
                [[a.ratios[name] for a in each] for each in kinds])
            for name in first.ratios
        ),
        *(
            row(f"likeness of noise {name}: {which}",
                [[a.correlations[name][number] for a in each] for each in kinds])
            for name in first.correlations
            for number, which in enumerate(("full", "quick"))
        ),
    ]  # fmt: skip
