"""Parameters whose values are sound alone, but do not go together."""

import itertools
import math
from typing import TYPE_CHECKING

from .errors import InputError
from .ranges import format_pair
from .shapes import SHAPES

if TYPE_CHECKING:
    from .parameters import Parameters

MAXIMUM_VOXELS = 2**31
"""Largest sequence, in voxels: 8 GiB as float32."""

LONGEST_WAVEFORM = 10.0
"""Longest twitch, s."""


def check_combinations(parameters: "Parameters") -> None:
    """Raise InputError if values that are sound alone do not go together."""
    masks = int(parameters.units.high) * parameters.pixels[0] * parameters.pixels[1]
    if masks > MAXIMUM_VOXELS:
        raise InputError(
            f"units and pixels: found {masks:.3g} pixels in all units' territories, wanted "
            f"{MAXIMUM_VOXELS:.3g} at most; use fewer units or pixels"
        )
    voxels = parameters.frames * parameters.pixels[0] * parameters.pixels[1]
    if voxels > MAXIMUM_VOXELS:
        raise InputError(
            f"frames and pixels: found {voxels:.3g} voxels a sequence, wanted {MAXIMUM_VOXELS:.3g} "
            "at most; make several shorter sequences"
        )
    largest = SHAPES[parameters.territory].longest(parameters)
    smallest_side = min(parameters.muscle_size)
    if largest > smallest_side:
        raise InputError(
            f"diameter: found a territory of up to {largest:g} mm, wanted one no larger than the "
            f"muscle ({format_pair(parameters.muscle_size)} mm); reduce diameter or axis_ratio, or "
            "enlarge muscle"
        )
    (image, _), (muscle, _) = parameters.size, parameters.muscle_size
    left = (image + muscle) / 2 - max(parameters.fat.high, (image - muscle) / 2)
    if parameters.fat.high > 0 and (left < largest or parameters.fat.high >= image):
        raise InputError(
            f"fat: found up to {parameters.fat.high:g} mm in an image of {image:g} mm above a "
            f"muscle that ends at {(image + muscle) / 2:g} mm, wanted room below it for a "
            f"territory of {largest:g} mm; "
            "use less fat, smaller diameters or a deeper image"
        )
    shortest = 1000 / parameters.firing_rate.high
    if parameters.refractory_period >= shortest:
        raise InputError(
            f"refractory_period: found {parameters.refractory_period:g} ms, wanted less than the "
            f"mean interval at the highest firing rate ({shortest:g} ms)"
        )
    if parameters.doublets.high > 0 and parameters.doublet_interval >= shortest:
        raise InputError(
            f"doublet_interval: found {parameters.doublet_interval:g} ms, wanted less than the "
            f"mean interval at the highest firing rate ({shortest:g} ms)"
        )
    if parameters.waveform is not None:
        _check_waveform(parameters.waveform)


def _check_waveform(samples: tuple[tuple[float, float], ...]) -> None:
    times = [sample[0] for sample in samples]
    if len(samples) < 3 or not all(math.isfinite(n) for sample in samples for n in sample):
        raise InputError(
            f"waveform: found {len(samples)} samples, wanted 3 or more, all of them finite"
        )
    if times[0] != 0 or any(a >= b for a, b in itertools.pairwise(times)):
        raise InputError("waveform: found times that do not rise from 0, wanted rising times in s")
    if times[-1] > LONGEST_WAVEFORM:
        raise InputError(
            f"waveform: found one of {times[-1]:g} s, wanted {LONGEST_WAVEFORM:g} s at most; are "
            "its times in ms?"
        )
    peak = max(abs(sample[1]) for sample in samples)
    if peak == 0:
        raise InputError("waveform: found velocities that are all 0, wanted a twitch")
    if samples[0][1] != 0 or abs(samples[-1][1]) > 0.01 * peak:
        raise InputError(
            f"waveform: found velocities that start at {samples[0][1]:g} and end at "
            f"{samples[-1][1]:g}, wanted 0 at the start and within 1 % of the peak at the end"
        )
