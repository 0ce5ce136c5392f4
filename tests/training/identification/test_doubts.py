"""What is unlike motor units is said to be, by its width and by its firings."""

import numpy as np
import pytest

from musim.training.identification.doubts import doubts, variation_of
from musim.training.identification.methods import identify
from musim.training.identification.units import Recording, Units

PIXEL = (0.5, 0.25)


def unit(area=20.0, intervals=(0.1,) * 5 + (0.12,) * 5):
    """Return a territory of some area, mm2, and firings."""
    pixels = round(area / (PIXEL[0] * PIXEL[1]))
    territory = np.zeros(60 * 60, np.float32)
    territory[:pixels] = 1
    return territory.reshape(60, 60), np.cumsum([0.0, *intervals])


def units(*given):
    """Return units as a method gives them."""
    longest = max(len(firing) for _, firing in given)
    firings = np.full((len(given), longest), np.nan)
    for row, (_, firing) in zip(firings, given, strict=True):
        row[: len(firing)] = firing
    territories = np.stack([territory for territory, _ in given])
    trains = np.zeros((len(given), 10), np.float32)
    return Units(territories, trains, firings, np.ones(len(given)))


def test_usual_units_are_not_doubted():
    assert doubts(units(unit(), unit(80)), PIXEL) == ()


@pytest.mark.parametrize(("area", "told"), [(179.5, ()), (181, ("too-wide",))])
def test_one_territory_wider_than_any_is_told(area, told):
    assert doubts(units(unit(), unit(area)), PIXEL) == told
    half, firing = unit(area)
    assert doubts(units((half * 0.49, firing)), PIXEL) == ()  # outside of its outline


@pytest.mark.parametrize(
    ("intervals", "odd"),
    [
        ((0.1,) * 10, True),  # a vibration
        ((0.1, 0.107) * 5, False),  # 0.034
        ((0.1, 0.101) * 5, True),
        ((0.02, 0.2) * 5, True),  # 0.82
        ((0.05, 0.2) * 5, False),  # 0.6
        ((0.1,) * 7, False),  # too few to tell
    ],
)
def test_firings_that_no_unit_has_are_told_where_most_are_so(intervals, odd):
    told = ("unlike-firings",) if odd else ()
    assert doubts(units(unit(intervals=intervals)), PIXEL) == told
    assert doubts(units(unit(intervals=intervals), unit()), PIXEL) == ()  # half of them


def test_variation_is_that_of_known_intervals():
    firing = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0, np.nan])
    intervals = np.diff(firing[:-1])
    assert variation_of(firing) == pytest.approx(intervals.std() / intervals.mean())


def test_a_probe_that_shakes_is_no_unit():
    random = np.random.default_rng(0)
    spectrum = np.fft.rfft(random.normal(size=800))
    frequency = np.fft.rfftfreq(800, 1 / 400)
    shake = np.fft.irfft(np.where((frequency > 8) & (frequency < 25), spectrum, 0), 800)
    tvi = shake[:, None, None] * (1 + 0.1 * np.arange(40) / 40) + 0.02 * random.normal(
        size=(800, 32, 40)
    )
    found = identify(Recording(tvi.astype(np.float32), 400.0, (0.625, 0.625)), "ica")
    assert found.count == 0
    assert "whole-motion-left-out" in found.remarks


def test_a_vibration_that_passes_through_is_doubted():
    random = np.random.default_rng(0)
    time, width = np.arange(800)[:, None, None] / 400, np.arange(24)
    tvi = np.sin(2 * np.pi * 15 * time - 0.2 * width) + 0.05 * random.normal(size=(800, 20, 24))
    found = identify(Recording(tvi.astype(np.float32), 400.0, (0.625, 0.625)), "ica")
    assert "unlike-firings" in found.remarks
