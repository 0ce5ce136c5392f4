"""The ends of the ranges that the method is said to work in."""

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw, render
from musim.training.identification.methods import identify
from musim.training.identification.methods.learned.judged import WIDEST
from musim.training.identification.metrics import match_trains
from musim.training.identification.units import Recording


@pytest.mark.parametrize(
    ("pixels", "pixel", "rate", "seconds", "units", "least"),
    [
        ((24, 24), (0.1, 0.1), 400.0, 1.0, 1, 1),  # the smallest image: 2.4 mm
        ((24, 24), (1.0, 1.0), 400.0, 1.0, 4, 4),
        ((96, 24), (0.2, 0.9), 400.0, 1.0, 4, 4),  # neither pixels nor image are square
        ((32, 32), (0.8, 0.8), 100.0, 0.5, 4, 2),  # 50 frames
        ((24, 24), (1.0, 1.0), 5000.0, 0.5, 4, 4),
    ],
    ids=["fine", "coarse", "unlike", "slow and short", "fast"],
)
def test_units_are_found_at_the_ends_of_ranges(pixels, pixel, rate, seconds, units, least):
    size = (pixels[0] * pixel[0], pixels[1] * pixel[1])
    parameters = Parameters(
        units=Range(units, units), snr=Range(12.0, 12.0), pixels=pixels, size=size,
        frame_rate=rate, frames=round(seconds * rate),
        diameter=Range(1.0, 1.5) if min(size) < 5 else Range(4.0, 6.0),
    )  # fmt: skip
    truth = draw(parameters, seed=3)
    found = identify(Recording(render(truth), rate, parameters.pixel_size))
    matching = match_trains(found.train, truth.twitch_train, rate)
    assert len(matching.true) == found.count  # none is made up
    assert found.count >= least


def test_an_image_that_is_wider_than_any_muscle_is_refused(refused):
    tvi = np.random.default_rng(0).standard_normal((30, 20, 40)).astype(np.float32)
    with refused("found an image of 70 x 140 mm", f"wanted {WIDEST:g} x {WIDEST:g} or less"):
        identify(Recording(tvi, 100.0, (3.5, 3.5)))
    assert identify(Recording(tvi, 100.0, (3.5, 3.25))).count == 0
