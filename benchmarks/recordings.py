"""Recordings that musim's own simulator did not make, with their truth.

A maker draws units, hands them to one of the tissues of :mod:`.tissues`, scans the tissue's
displacement as echoes of fully developed speckle with noise, and runs the images through the chain
that ``musim import --preset ali-2022`` uses. Twitches and firings are drawn here too.

    python -m benchmarks.recordings spread --seed 3 --out FOLDER

writes one as a file of IQ images with the description that ``musim import`` takes, its firings as
a table of events, and its outlines.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks.tissues import CELLS, SIZE, TISSUES, Drawn, Maps, pulse
from musim.simulator.imaging.chain import PRESETS, Axis, Imaging, run
from musim.simulator.imaging.velocimetry import Velocimetry

FRAME_RATE = 1000.0
"""IQ images a second."""

FREQUENCY = 7.8e6
"""Centre frequency, Hz."""

SOUND_SPEED = 1540.0

FRAMES = 2010
"""IQ images: the 2 s of the chain and what it needs besides."""

SPOT = (0.17, 0.30)
"""SD of the point-spread function in depth and width, mm."""

NOISE_AT_30_DB = 0.0083
"""SD of the chain's velocity where nothing moves and echoes are 30 dB above noise, mm/s; measured
by :func:`noise_of_velocity`."""

MAKERS = tuple(TISSUES)
"""Names of the makers."""

LOOKED_AT = ("discs", "spread", "lattice", "fibres")
"""Makers on which methods are chosen. `sheet` is kept unseen."""

UNSEEN_SEED = 1000
"""Seeds from here on are not looked at while a method is chosen."""


@dataclass(frozen=True)
class Scene:
    """What is asked of a recording.

    Parameters
    ----------
    units : (int, int)
        Least and most units.
    noise : (float, float)
        Echoes over noise, dB.
    unit_snr : (float, float)
        The median unit's power of velocity in its outline over that of the velocity's noise, dB.
        Displacements follow from it and from the noise; without it they are of some 10 um.
    apart : bool
        Whether outlines may not touch.
    artery, breathing : bool
        Whether a vessel beats, and all tissue drifts by 1 mm/s at 0.3 Hz.
    """

    units: tuple[int, int] = (4, 9)
    noise: tuple[float, float] = (15.0, 60.0)
    unit_snr: tuple[float, float] | None = (5.0, 5.0)
    apart: bool = False
    artery: bool = False
    breathing: bool = False


@dataclass(frozen=True)
class Made:
    """A recording and its truth.

    Parameters
    ----------
    tvi : float32 array of shape (time, depth, width)
        mm/s, positive towards the transducer.
    frame_rate : float
        Hz.
    pixel_size : (float, float)
        mm.
    territory : bool array of shape (unit, depth, width)
    train : float32 array of shape (unit, time)
        Velocity of a free unit, mm/s.
    firing : float64 array of shape (unit, pulse)
        s, padded with NaN.
    snr : float64 array of shape (unit,)
        Each unit's own, dB.
    noise : float
        Echoes over noise, dB.
    """

    tvi: NDArray[np.float32]
    frame_rate: float
    pixel_size: tuple[float, float]
    territory: NDArray[np.bool_]
    train: NDArray[np.float32]
    firing: NDArray[np.float64]
    snr: NDArray[np.float64]
    noise: float


@dataclass(frozen=True)
class Prepared:
    """A recording that is not scanned yet: what moves, how strong echoes are, and the truth.

    Parameters
    ----------
    maps : list of (map, course)
        Displacement, mm.
    noise : float
        Echoes over noise, dB.
    echoes : numpy.random.Generator
        Of speckle and noise.
    drawn : Drawn
    firing : float64 array of shape (unit, pulse)
    gain : float
        What the drawn courses were multiplied by.
    snr : float64 array of shape (unit,)
    """

    maps: Maps
    noise: float
    echoes: np.random.Generator
    drawn: Drawn
    firing: NDArray[np.float64]
    gain: float
    snr: NDArray[np.float64]


def prepare(maker: str, seed: int, scene: Scene | None = None) -> Prepared:
    """Draw a recording; see :func:`make`."""
    scene = scene or Scene(apart=maker == "discs")
    seeds = np.random.SeedSequence(seed, spawn_key=(MAKERS.index(maker),)).spawn(4)
    generator, tissue, echoes, extras = (np.random.default_rng(s) for s in seeds)
    drawn, firing = _draw(scene, generator)
    maps = TISSUES[maker](drawn, tissue)
    noise = generator.uniform(*scene.noise)
    masks = drawn.masks(CELLS)
    snr = np.array([
        _power(maps, mask, drawn, unit) for unit, mask in enumerate(masks)
    ])  # fmt: skip
    floor = np.square(NOISE_AT_30_DB * 10 ** ((30 - noise) / 20))
    gain = 1.0
    if scene.unit_snr is not None:
        wanted = generator.uniform(*scene.unit_snr)
        gain = math.sqrt(10 ** (wanted / 10) * floor / float(np.median(snr)))
    maps = [(gain * field, course) for field, course in maps]
    if scene.artery:
        maps += [(gain * field, course) for field, course in pulse(drawn, extras)]
    if scene.breathing:
        times = np.arange(FRAMES) / FRAME_RATE
        phase = extras.uniform(0, 2 * np.pi)
        drift = np.sin(2 * np.pi * 0.3 * times + phase) / (2 * np.pi * 0.3)
        maps += [(np.ones(CELLS), drift)]
    level = 10 * np.log10(np.maximum(snr * gain**2 / floor, 1e-12))
    return Prepared(maps, noise, echoes, drawn, firing, gain, level)


def make(maker: str, seed: int, scene: Scene | None = None) -> Made:
    """Make one recording.

    Parameters
    ----------
    maker : str
        One of :data:`MAKERS`.
    seed : int
    scene : Scene, optional
        ``discs`` asks for outlines apart if not given.
    """
    ready = prepare(maker, seed, scene)
    drawn = ready.drawn
    tvi = scan(ready.maps, ready.noise, ready.echoes)
    chain = PRESETS["ali-2022"]
    assert chain.pixels is not None
    assert chain.frame_rate is not None
    times = (np.arange(len(tvi)) + 0.5 * chain.frame_rate / FRAME_RATE) / chain.frame_rate
    at = np.arange(FRAMES) / FRAME_RATE
    velocity = np.gradient(drawn.courses, 1 / FRAME_RATE, axis=1)
    train = ready.gain * np.array([np.interp(times, at, one) for one in velocity])
    return Made(
        tvi=tvi,
        frame_rate=chain.frame_rate,
        pixel_size=(SIZE / chain.pixels[0], SIZE / chain.pixels[1]),
        territory=drawn.masks(chain.pixels),
        train=train.astype(np.float32),
        firing=ready.firing,
        snr=ready.snr,
        noise=ready.noise,
    )


def _power(maps: Maps, mask: NDArray[np.bool_], drawn: Drawn, unit: int) -> float:
    """Return the mean square of a unit's own velocity inside its outline, (mm/s)^2."""
    per_unit = len(maps) // len(drawn.courses)
    own = maps[unit * per_unit : (unit + 1) * per_unit]
    fields = np.array([field[mask] for field, _ in own])
    speeds = np.array([np.gradient(course, 1 / drawn.frame_rate) for _, course in own])
    return float(np.einsum("ip,jp,ij->", fields, fields, speeds @ speeds.T)) / (
        fields.shape[1] * speeds.shape[1]
    )


def _draw(scene: Scene, generator: np.random.Generator) -> tuple[Drawn, NDArray[np.float64]]:
    """Draw outlines, firings and displacements."""
    count = int(generator.integers(scene.units[0], scene.units[1] + 1))
    centres: list[tuple[float, float]] = []
    radii: list[tuple[float, float]] = []
    tries = 0
    while len(centres) < count:
        tries += 1
        if tries > 2000:
            count = len(centres)
            break
        radius = generator.uniform(1.5, 4.5)
        stretch = generator.uniform(0.85, 1.18)
        centre = generator.uniform(3.0, SIZE - 3.0, 2)
        distance = 1.2 if scene.apart else 0.6  # units at one place are one to any instrument
        if any(
            math.dist(centre, other) < distance * (radius + max(both)) + (0.5 if scene.apart else 0)
            for other, both in zip(centres, radii, strict=True)
        ):
            continue
        centres.append((float(centre[0]), float(centre[1])))
        radii.append((radius * stretch, radius / stretch))
    times = np.arange(FRAMES) / FRAME_RATE
    courses, trains = [], []
    for _ in range(count):
        rate, variation = generator.uniform(8.0, 13.0), generator.uniform(0.1, 0.2)
        intervals = generator.normal(1 / rate, variation / rate, int(3 * rate * 3))
        instants = np.cumsum(np.maximum(intervals, 0.02)) - generator.uniform(0.5, 1.0)
        instants = instants[instants < times[-1]]
        rise, fall = generator.uniform(0.018, 0.032), generator.uniform(0.035, 0.06)
        since = times[None] - instants[:, None]
        twitches = np.where(
            since > 0,
            (1 - np.exp(-np.maximum(since, 0) / rise)) ** 3 * np.exp(-np.maximum(since, 0) / fall),
            0.0,
        )
        twitches /= _peak(rise, fall)
        sizes = generator.normal(1.0, 0.07, len(instants))[:, None]
        strength = math.exp(generator.normal(0.0, 0.3))
        courses.append(0.01 * strength * (twitches * sizes).sum(axis=0))
        # The chain's store counts from its first velocity frame.
        own = instants - 0.5 / FRAME_RATE
        trains.append(own[(own >= 0) & (own < 2.0)])
    firing = np.full((count, max(len(one) for one in trains)), np.nan)
    for unit, one in enumerate(trains):
        firing[unit, : len(one)] = one
    drawn = Drawn(np.array(centres), np.array(radii), np.array(courses), FRAME_RATE)
    return drawn, firing


def _peak(rise: float, fall: float) -> float:
    """Return the largest value of a twitch, (1 - exp(-t / rise))^3 exp(-t / fall)."""
    kept = rise / (rise + 3 * fall)
    return (1 - kept) ** 3 * kept ** (rise / fall)


def images(
    maps: Maps, noise: float, generator: np.random.Generator, frames: int = FRAMES
) -> Iterator[NDArray[np.complex64]]:
    """Yield blocks of IQ images, complex64 (frame, depth, width), of tissue that moves.

    Every cell holds scatterers of random strength and phase; moving towards the transducer turns
    their echoes' phase by 4 pi f / c a mm. Displacements are far below the point-spread function.
    """
    depth, width = CELLS
    still = generator.standard_normal((*CELLS, 2)).astype(np.float32) @ np.array([1, 1j])
    still = still.astype(np.complex64)
    blur = [_blur(cells, SIZE / cells, spot) for cells, spot in zip(CELLS, SPOT, strict=True)]
    echo = blur[0] @ still @ blur[1].T
    level = math.sqrt(float(np.square(np.abs(echo)).mean()) / 2 * 10 ** (-noise / 10))
    turn = 4 * np.pi * FREQUENCY / SOUND_SPEED * 1e-3
    fields = np.array([field.ravel() for field, _ in maps], np.float32) if maps else None
    courses = np.array([course for _, course in maps], np.float32) if maps else None
    for first in range(0, frames, 100):
        last = min(first + 100, frames)
        block = np.empty((last - first, depth, width), np.complex64)
        for place, frame in enumerate(range(first, last)):
            moved = still
            if fields is not None and courses is not None:
                phase = (turn * (courses[:, frame] @ fields)).reshape(CELLS)
                moved = still * (np.cos(phase) + 1j * np.sin(phase)).astype(np.complex64)
            block[place] = blur[0] @ moved @ blur[1].T
        parts = generator.standard_normal((*block.shape, 2), np.float32)
        block += level * parts.view(np.complex64)[..., 0]
        yield block


def _blur(cells: int, step: float, spot: float) -> NDArray[np.float32]:
    """Return the matrix that blurs along an axis, float32 (cells, cells)."""
    return gaussian_filter(np.eye(cells), (spot / step, 0), mode="constant").astype(np.float32)


def imaging() -> Imaging:
    """Return the chain of ``musim import --preset ali-2022`` for these images."""
    (rows, columns), (dz, dx) = CELLS, (SIZE / CELLS[0], SIZE / CELLS[1])
    velocimetry = Velocimetry(
        frame_rate=FRAME_RATE, centre_frequency=FREQUENCY, depth_step=dz, sound_speed=SOUND_SPEED,
        demodulation_frequency=FREQUENCY,
    )  # fmt: skip
    return Imaging(
        PRESETS["ali-2022"], Axis(dz / 2, dz, rows), Axis(dx / 2, dx, columns), FRAME_RATE,
        velocimetry,
    )  # fmt: skip


def scan(maps: Maps, noise: float, generator: np.random.Generator) -> NDArray[np.float32]:
    """Return what the chain makes of moving tissue, float32 (time, depth, width) in mm/s."""
    chain = imaging()
    frames = chain.chain.frames
    return np.concatenate(list(run(chain, images(maps, noise, generator))))[:frames]


def noise_of_velocity(noise: float = 30.0, seed: int = 0) -> float:
    """Return the SD of the chain's velocity where nothing moves, mm/s."""
    return float(scan([], noise, np.random.default_rng(seed)).std())


DESCRIPTION = """kind = "iq"
axes = ["time", "depth", "width"]
frame_rate = {rate:g}
centre_frequency = {frequency:g}
sound_speed = {speed:g}
size = [{size:g}, {size:g}]
"""


def main() -> None:
    """Write a recording as a scanner's file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("maker", choices=MAKERS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path())
    arguments = parser.parse_args()
    ready = prepare(arguments.maker, arguments.seed)
    place = arguments.out / f"{arguments.maker}-{arguments.seed}"
    arguments.out.mkdir(parents=True, exist_ok=True)
    np.save(
        place.with_suffix(".npy"),
        np.concatenate(list(images(ready.maps, ready.noise, ready.echoes))),
    )
    place.with_suffix(".toml").write_text(
        DESCRIPTION.format(rate=FRAME_RATE, frequency=FREQUENCY, speed=SOUND_SPEED, size=SIZE)
    )
    # Onsets count from the first image here, from the first velocity frame in a store.
    rows = [
        f"{instant + 0.5 / FRAME_RATE:.6f}\t0\tunit-{unit}"
        for unit, instants in enumerate(ready.firing)
        for instant in instants[np.isfinite(instants)]
    ]
    table = place.with_name(place.name + "_events.tsv")
    table.write_text("\n".join(["onset\tduration\ttrial_type", *rows]) + "\n")
    np.save(place.with_name(place.name + "_outlines.npy"), ready.drawn.masks((128, 128)))


if __name__ == "__main__":
    main()
