"""Finding units in a sequence, against an independent component analysis written by hand."""

import warnings
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import GROUPS, Measured
from benchmarks.measure import in_turns
from musim.simulator import Parameters, Range, draw, render
from musim.training.identification.methods import identify
from musim.training.identification.units import Recording

FIGURES = GROUPS["finding"]

SEQUENCES = 2
UNITS = 15


def figures(folder: Path, rounds: int) -> Iterator[Measured]:
    """Measure the usual method; nothing is written to the folder."""
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    parameters = Parameters(units=Range(UNITS, UNITS))
    recordings = [
        Recording(render(draw(parameters, seed=600, index=index)), parameters.frame_rate,
                  parameters.pixel_size)
        for index in range(SEQUENCES)
    ]  # fmt: skip

    def musim() -> None:
        for recording in recordings:
            identify(recording)

    def by_hand() -> None:
        for recording in recordings:
            pixels = recording.tvi.reshape(len(recording.tvi), -1).T
            with warnings.catch_warnings():
                # Of pixels that are mostly noise it seldom converges within its 200 iterations.
                warnings.simplefilter("ignore", ConvergenceWarning)
                FastICA(2 * UNITS, random_state=0).fit(pixels)

    yield FIGURES["refine"].of(in_turns(musim, by_hand, rounds), SEQUENCES)
