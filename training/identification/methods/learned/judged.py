"""Units as learned judgement tells them from all that windows of a recording hold."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .....simulator.errors import InputError
from ...noise import Whitened
from ...units import Recording
from ..blocks import Blocks, blocks_of, signal_directions
from ..evidence import UNIT_RADII
from ..pulsation import is_pulse
from ..repeats import are_beside, chosen
from ..spread import LEAST, Spread, maps_of
from .judgement import Judgement
from .recurrence import gathered
from .traits import NAMES, Seen, traits_of
from .weights import Learned, learned_of
from .windows import KINDS, Windows, trains_of_windows

WEAKEST = -2.3
"""Strength (logarithm) below which nothing is a unit: of units in simulated recordings 2 % were
below -2.1 where they were faintest, and what windows find in noise is at -2.6 to -4."""

FAINT, LEAST_OF_FAINT = -1.4, 0.95
"""Strength below which a train has to be surer, and how sure. In noise that is alike over many
pixels and frames, 28 recordings held two trains above 0.73, the surest 0.92; of the units of 560
examples less than one in a hundred is as faint and less sure."""

WIDEST = 130.0
"""Images are no wider or deeper, mm: no muscle is, and each window takes its time."""

BEATING_SHARE = 0.3
"""Of the motion in its place, from which what beats as a heart does is worth a word."""


def seen_in(
    recording: Recording, found: Whitened, ways: Sequence[Windows] = KINDS
) -> tuple[Seen, Blocks, NDArray[np.float64]]:
    """Return what may be units in a recording, and what is seen of each.

    Parameters
    ----------
    recording : Recording
    found : Whitened
        Of it.
    ways : sequence of Windows
        To look at windows of it.

    Returns
    -------
    seen : Seen
    blocks : Blocks
    directions : float64 array of shape (direction, component)
        In which the recording holds more than noise.

    Raises
    ------
    InputError
        If the image is larger than any muscle.
    """
    blocks = blocks_of(found, recording.pixel_size)
    extent = np.multiply(found.shape[1:], recording.pixel_size)
    if extent.max() > WIDEST:
        raise InputError(
            f"recording: found an image of {extent[0]:.4g} x {extent[1]:.4g} mm, wanted "
            f"{WIDEST:g} x {WIDEST:g} or less for `method` learned; check the pixel size, cut the "
            "image, or choose refine"
        )
    directions, noise = signal_directions(blocks)
    trains, kind = trains_of_windows(found, blocks, ways)
    # Components are correlated over time; coefficients of the cosine transform are not.
    coefficients = found.noise.coefficients(trains)
    seen = traits_of(found, blocks, gathered(coefficients, kind), noise, recording.frame_rate)
    return seen, blocks, directions


def judged_units(recording: Recording, found: Whitened, learned: Learned | None = None) -> Spread:
    """Find trains that learned judgement takes for units', and their maps.

    Parameters
    ----------
    recording : Recording
    found : Whitened
        Of it.
    learned : Learned, optional
        That which comes with musim, if not given.

    Returns
    -------
    Spread
        Its signs are the traits by :data:`.traits.NAMES`.
    """
    learned = learned or learned_of()
    units = units_among(recording, *seen_in(recording, found), learned.judgement)
    return replace(units, outliner=learned.outliner)


def units_among(
    recording: Recording,
    seen: Seen,
    blocks: Blocks,
    directions: NDArray[np.float64],
    judgement: Judgement,
) -> Spread:
    """Return what is taken for units of what :func:`seen_in` returned for a recording."""
    sure = judgement.probability(seen.traits)
    if not len(directions):
        # Nothing stands out from noise, which windows would find patterns in.
        sure = np.zeros(len(sure))
    fitting = (seen.radii >= UNIT_RADII[0]) & (seen.radii <= UNIT_RADII[1])
    strength = seen.traits[:, NAMES.index("strength")]
    least = np.where(strength < FAINT, LEAST_OF_FAINT, LEAST)
    likely = np.flatnonzero((sure >= least) & fitting & (strength >= WEAKEST))
    beside = are_beside(seen.centres[likely], seen.radii[likely])
    rate = recording.frame_rate
    taken, copies = chosen(sure[likely], seen.courses[likely], rate, LEAST, beside=beside)
    beats = [one for one in taken if is_pulse(seen.courses[likely[one]], rate)]
    kept = likely[[one for one in taken if one not in beats]]
    beating = np.concatenate([likely[beats], _unlikely_beats(seen, sure, rate)])
    trains = seen.trains[kept]
    maps = maps_of(blocks, trains)
    remarks = ["pulsation-left-out"] if len(beating) else []
    if _lie_apart(seen, likely[copies], kept):
        remarks.append("copies-left-out")
    return Spread(
        blocks, directions, trains, maps, sure[kept], seen.traits[kept], tuple(remarks),
        maps_of(blocks, seen.trains[beating]),
    )  # fmt: skip


def _unlikely_beats(seen: Seen, sure: NDArray[np.float64], frame_rate: float) -> NDArray[np.int64]:
    """Return what beats as a heart does and was not taken for a unit: at each place, once."""
    share, strength = (seen.traits[:, NAMES.index(name)] for name in ("share", "strength"))
    strong = np.flatnonzero((sure < LEAST) & (share > BEATING_SHARE) & (strength > 0))
    beats = strong[[is_pulse(seen.courses[one], frame_rate) for one in strong]]
    if not len(beats):
        return beats
    beside = are_beside(seen.centres[beats], seen.radii[beats])
    once, _ = chosen(share[beats], seen.courses[beats], frame_rate, 0.0, beside=beside)
    return beats[once]


def _lie_apart(seen: Seen, copies: NDArray[np.int64], kept: NDArray[np.int64]) -> bool:
    """Tell whether a copy's centre lies in no unit: in the same place it is the unit once more."""
    away = np.linalg.norm(seen.centres[copies][:, None] - seen.centres[kept][None], axis=2)
    return bool((away > seen.radii[copies][:, None] + seen.radii[kept]).all(axis=1).any())
