"""How far tissue may move, and how strong noise may be, for quick recordings to be right."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.quick.agreement import explained, inner_part
from benchmarks.quick.recordings import MOVING, SEED, SHORT, Kind, moved, noisier, predicted
from musim.simulator.errors import InputError
from musim.simulator.experiment.motion import draw_motion
from musim.simulator.experiment.recording import images_needed
from musim.simulator.experiment.speckle import Scanner

TIMES = (1, 3, 10, 30, 100)


def travel(kind: Kind, index: int) -> float:
    """Return the SD of tissue's displacement over the image and in time, in wavelengths."""
    images = images_needed(kind.parameters, kind.doses)
    motion = draw_motion(
        kind.parameters, kind.doses, kind.truth(index), SEED, index, images, lateral=False
    )
    fields = motion.fields[:, 0].reshape(len(motion.fields), -1)
    square = np.einsum("ap,ab,bp->p", fields, np.cov(motion.courses), fields)
    return float(np.sqrt(square.mean()) / wavelength(kind))


def wavelength(kind: Kind) -> float:
    """Return the wavelength at the centre frequency, mm."""
    return 1000 * 1540 / kind.doses.centre_frequency


def noise_at_bottom(kind: Kind, index: int) -> float:
    """Return the noise over the echoes at the image's bottom, in amplitude."""
    drawn = kind.truth(index).doses
    assert drawn is not None
    scanner = Scanner(kind.doses, kind.parameters.size, drawn["attenuation"])
    return float(np.hypot(drawn["thermal_noise"] * scanner.noise_gain[-1], drawn["noise_at_depth"]))


def motion_table(count: int, folder: Path) -> Iterator[str]:
    """Yield rows: what moves how far, and the energy of recordings without noise explained."""
    yield "| what moves farther | times | displacement, SD in wavelengths | energy explained |"
    yield "|---|---:|---:|---:|"
    for name in MOVING:
        for times in TIMES:
            kind = moved(name, times)
            try:
                shares = [
                    explained(kind.full(index, folder), predicted(kind.quick(index)))
                    for index in range(count)
                ]
            except InputError:
                yield f"| {name} | {times} | | refused |"
                continue
            apart = np.median([travel(kind, index) for index in range(count)])
            yield f"| {name} | {times} | {apart:.2f} | {np.median(shares):.4f} |"


def noise_table(count: int, folder: Path) -> Iterator[str]:
    """Yield rows: how strong noise is, and its power in quick recordings over that in full ones."""
    yield "| noise, times | noise over echoes at the bottom | power, quick over full |"
    yield "|---:|---:|---:|"
    for times in TIMES:
        kind = noisier(times)
        ratios = []
        for index in range(count):
            recording = kind.quick(index)
            noises = [
                kind.full(index, folder) - SHORT.silent.full(index, folder),
                kind.rendered(recording) - predicted(recording),
            ]
            powers = [
                np.square(inner_part(noise, kind.parameters.frame_rate)).mean(dtype=np.float64)
                for noise in noises
            ]
            ratios.append(powers[1] / powers[0])
        level = np.median([noise_at_bottom(kind, index) for index in range(count)])
        yield f"| {times} | {level:.2f} | {np.median(ratios):.2f} |"
