"""Put the methods of identification to recordings in which something went wrong.

    python -m benchmarks.faulty_recordings             # recordings that handling was chosen on
    python -m benchmarks.faulty_recordings --unseen    # seeds and makers that were not looked at

A fault is put into recordings of several makers, the same for each method. Units are told by their
trains; those that no fault hides have to be found, and nothing besides.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from benchmarks.identification import analytic, experiment
from benchmarks.recordings import LOOKED_AT, UNSEEN_SEED, Made, Scene, make
from musim.training.identification.methods import identify
from musim.training.identification.metrics import match_trains, score
from musim.training.identification.units import Recording, Units

Tvi = NDArray[np.float32]
Fault = Callable[[Tvi, np.random.Generator], Tvi]
"""Gives back a recording (time, depth, width) in which something went wrong, mm/s."""


def sector(tvi: Tvi) -> NDArray[np.bool_]:
    """Return the pixels of a fan from the top's middle."""
    depth, width = np.mgrid[: tvi.shape[1], : tvi.shape[2]] / np.array(tvi.shape[1:])[:, None, None]
    return np.abs(width - 0.5) < 0.15 + 0.45 * depth


def _dead_rows(tvi: Tvi, random: np.random.Generator) -> Tvi:
    tvi[:, 3::4] = 0
    return tvi


def _sector(tvi: Tvi, random: np.random.Generator) -> Tvi:
    return np.where(sector(tvi), tvi, np.float32(0))


def _faded_sector(tvi: Tvi, random: np.random.Generator) -> Tvi:
    """Let pixels at the edge be shares of what is inside, as interpolation makes them."""
    weight = gaussian_filter(sector(tvi).astype(np.float32), 1.0, truncate=2)
    return tvi * weight


def _fan(tvi: Tvi, random: np.random.Generator) -> Tvi:
    """Take the recording for lines of a curved probe, and convert it to a square image."""
    return converted(tvi)


def converted(images: NDArray[np.floating]) -> NDArray[np.float32]:
    """Convert lines (image, depth, line) over 60 degrees to a square image, 0 outside the fan."""
    rows, columns = images.shape[1:]
    radius, half = 0.35, np.deg2rad(30)
    z, x = np.mgrid[:rows, :columns]
    z = radius * np.cos(half) + z / (rows - 1) * (1 + radius * (1 - np.cos(half)))
    x = (x / (columns - 1) - 0.5) * 2 * (1 + radius) * np.sin(half)
    place = np.array([
        (np.hypot(z, x) - radius) * (rows - 1),
        (np.arctan2(x, z) / half + 1) / 2 * (columns - 1),
    ])  # fmt: skip
    return np.array([map_coordinates(one, place, order=1) for one in images], np.float32)


def _hot(tvi: Tvi, random: np.random.Generator, where: tuple[slice, slice], size: float) -> Tvi:
    part = tvi[(slice(None), *where)]
    part[:] = size * tvi.std() * random.standard_normal(part.shape)
    return tvi


def _common_offset(tvi: Tvi, random: np.random.Generator) -> Tvi:
    return tvi + np.float32(50)


def _offsets(tvi: Tvi, random: np.random.Generator) -> Tvi:
    return tvi + 50 * random.standard_normal(tvi.shape[1:]).astype(np.float32)


def _ramp(tvi: Tvi, random: np.random.Generator) -> Tvi:
    return tvi + np.linspace(0, 20, len(tvi), dtype=np.float32)[:, None, None] * tvi.std()


def _uneven_ramp(tvi: Tvi, random: np.random.Generator) -> Tvi:
    slope = gaussian_filter(random.standard_normal(tvi.shape[1:]), 8)
    slope *= 20 * tvi.std() / slope.std()
    return tvi + (np.linspace(0, 1, len(tvi))[:, None, None] * slope).astype(np.float32)


def _zeroed(tvi: Tvi, random: np.random.Generator) -> Tvi:
    tvi[len(tvi) // 4 : len(tvi) // 4 + 60] = 0
    return tvi


def _zeroed_runs(tvi: Tvi, random: np.random.Generator) -> Tvi:
    for start in random.choice(len(tvi) - 20, 6, replace=False):
        tvi[start : start + random.integers(3, 20)] = 0
    return tvi


def _zeroed_frames(tvi: Tvi, random: np.random.Generator) -> Tvi:
    tvi[random.random(len(tvi)) < 0.1] = 0
    return tvi


def _held(tvi: Tvi, random: np.random.Generator) -> Tvi:
    tvi[len(tvi) // 4 : len(tvi) // 4 + 60] = tvi[len(tvi) // 4]
    return tvi


def _repeated_frames(tvi: Tvi, random: np.random.Generator) -> Tvi:
    for frame in np.flatnonzero(random.random(len(tvi) - 1) < 0.1) + 1:
        tvi[frame] = tvi[frame - 1]
    return tvi


def _all_repeated(tvi: Tvi, random: np.random.Generator) -> Tvi:
    return np.repeat(tvi[::2], 2, axis=0)[: len(tvi)]


def _clipped(tvi: Tvi, random: np.random.Generator, at: float) -> Tvi:
    most = at * tvi.std()
    return tvi.clip(-most, most)


def _spike(tvi: Tvi, random: np.random.Generator) -> Tvi:
    tvi[len(tvi) // 3] *= 100
    return tvi


def _flash(tvi: Tvi, random: np.random.Generator) -> Tvi:
    tvi[len(tvi) // 3] = 1e4 * tvi.std()
    return tvi


def _noisy_frames(tvi: Tvi, random: np.random.Generator) -> Tvi:
    for frame in random.choice(len(tvi), 3, replace=False):
        tvi[frame] = 100 * tvi.std() * random.standard_normal(tvi.shape[1:])
    return tvi


SHORT = slice(100, 112)


def _short(tvi: Tvi, random: np.random.Generator) -> Tvi:
    return tvi[SHORT]


def _tiny(tvi: Tvi, random: np.random.Generator) -> Tvi:
    middle = tvi.shape[1] // 2, tvi.shape[2] // 2
    return tvi[:, middle[0] - 2 : middle[0] + 2, middle[1] - 2 : middle[1] + 2]


ROW, COLUMN = (slice(20, 21), slice(None)), (slice(None), slice(20, 21))
PIXEL, BLOCK, PATCH = (tuple(slice(20, 20 + n) for _ in range(2)) for n in (1, 2, 3))

FAULTS: dict[str, Fault] = {
    "none": lambda tvi, random: tvi,
    "dead rows": _dead_rows,
    "sector": _sector,
    "sector that fades": _faded_sector,
    "fan, interpolated": _fan,
    **{
        f"{name}, {size:g} SD": partial(_hot, where=where, size=size)
        for name, where in (
            ("hot pixel", PIXEL), ("hot 2 x 2", BLOCK), ("hot 3 x 3", PATCH), ("hot row", ROW),
            ("hot column", COLUMN),
        )
        for size in (10, 100, 1e4)
    },
    "offset": _common_offset,
    "offsets of pixels": _offsets,
    "ramp": _ramp,
    "ramps of places": _uneven_ramp,
    "60 frames zero": _zeroed,
    "6 runs zero": _zeroed_runs,
    "10 % zero": _zeroed_frames,
    "60 frames held": _held,
    "10 % repeated": _repeated_frames,
    "all repeated": _all_repeated,
    "clipped at 2 SD": partial(_clipped, at=2),
    "clipped at 0.5 SD": partial(_clipped, at=0.5),
    "frame 100 times": _spike,
    "flash": _flash,
    "3 frames of noise": _noisy_frames,
    "12 frames": _short,
    "4 x 4 px": _tiny,
}  # fmt: skip


def recordings(unseen: bool, many: int) -> dict[str, Callable[[], Made]]:
    """Return the makers of recordings: those that were looked at, or others."""
    made: dict[str, Callable[[], Made]] = {}
    for seed in range(many):
        first = UNSEEN_SEED if unseen else 0
        for maker in ("sheet", "spread") if unseen else LOOKED_AT:
            scene = Scene(unit_snr=(10.0, 10.0), apart=maker == "discs")
            made[f"{maker} {first + seed}"] = partial(make, maker, first + 20 + seed, scene)
        made[f"analytic {seed}"] = partial(analytic, first + 650 + seed, 10, 15.0)
        if unseen:
            made[f"experiment {seed}"] = partial(experiment, 800, seed)
    return made


@dataclass(frozen=True)
class Faulty:
    """A recording with a fault, and what of the truth is left in it.

    Parameters
    ----------
    recording : Recording
    territory, train, firing
        As of :class:`benchmarks.recordings.Made`.
    shown : bool array of shape (unit,)
        Units of which half or more is still seen.
    """

    recording: Recording
    territory: NDArray[np.bool_]
    train: NDArray[np.float32]
    firing: NDArray[np.float64]
    shown: NDArray[np.bool_]


def faulty(made: Made, name: str) -> Faulty:
    """Put a fault into a recording."""
    random = np.random.default_rng(len(name))
    tvi = np.ascontiguousarray(FAULTS[name](made.tvi.copy(), random), np.float32)
    territory, train, firing = made.territory, made.train, made.firing
    whole = territory.sum(axis=(1, 2))
    if name == "fan, interpolated":
        territory = converted(territory.astype(np.float32)) > 0.5
        whole = territory.sum(axis=(1, 2))
    if "sector" in name:
        territory = territory & sector(made.tvi)
    if name == "12 frames":
        train, begin = train[:, SHORT], SHORT.start / made.frame_rate
        firing = firing - begin
        firing[(firing < 0) | (firing > train.shape[1] / made.frame_rate)] = np.nan
    if name == "4 x 4 px":
        territory = np.array([_tiny(mask[None], random)[0] for mask in territory])
        whole = np.full(len(territory), 16)
    shown = territory.sum(axis=(1, 2)) >= 0.5 * whole
    recording = Recording(tvi, made.frame_rate, made.pixel_size)
    return Faulty(recording, territory, train, firing, shown)


def counted(given: Faulty, units: Units) -> tuple[int, int, float]:
    """Return the units found of those shown, how many are no unit's, and how firings agree."""
    matching = match_trains(units.train, given.train, given.recording.frame_rate)
    marks = score(
        units.masks, units.train, units.firing, units.confidence, given.territory[given.shown],
        given.train[given.shown], given.firing[given.shown], given.recording.frame_rate,
    )  # fmt: skip
    assert marks.trains is not None
    agreement = float(marks.trains.to_row()["firing_agreement"])
    return int(given.shown[matching.true].sum()), units.count - matching.matches, agreement


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--unseen", action="store_true", help="recordings that were not looked at")
    parser.add_argument("--methods", nargs="+", default=["refine"])
    parser.add_argument("--faults", nargs="+", default=[""], help="faults whose names begin so")
    parser.add_argument("--seeds", type=int, default=1, help="recordings of each maker")
    arguments = parser.parse_args()
    kept = {name: maker() for name, maker in recordings(arguments.unseen, arguments.seeds).items()}
    for method in arguments.methods:
        print(f"\n| `{method}`: found / true (false) | {' | '.join(kept)} | firings | remarks |")
        print("|---|" + "---:|" * (len(kept) + 1) + "---|")
        for name in FAULTS:
            if not name.startswith(tuple(arguments.faults)):
                continue
            cells, remarks, agreements = [], dict[str, int](), []
            for made in kept.values():
                given = faulty(made, name)
                units = identify(given.recording, method)
                found, false, agreement = counted(given, units)
                agreements.append(agreement)
                cells.append(f"{found} / {given.shown.sum()} ({false})")
                for remark in units.remarks:
                    remarks[remark] = remarks.get(remark, 0) + 1
            said = ", ".join(f"{name} {count}" for name, count in remarks.items())
            agree = "" if np.isnan(agreements).all() else f"{np.nanmean(agreements):.2f}"
            print(f"| {name} | {' | '.join(cells)} | {agree} | {said} |", flush=True)


if __name__ == "__main__":
    main()
