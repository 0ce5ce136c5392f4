import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import ndimage, signal

from musim.simulator.imaging.filtering import (
    MOST_MEDIAN,
    TAIL,
    BandPass,
    band_pass,
    band_pass_blocks,
    median_filter,
    median_size,
)
from tests.simulator.imaging.continuing import continued_for_long

PAPER = BandPass(low=5, high=50, frame_rate=2000)
QUICK = BandPass(low=40, high=150, frame_rate=1000, order=2)  # forgets within 100 frames
QUICKER = BandPass(low=100, high=400, frame_rate=1000, order=1)  # 15 frames, ends of 9
ROUNDING = 1e-7  # of the largest input: results are rounded to float32 once in each direction


def _walk(seed, frames, shape=(2, 3)):
    """Noise, an offset, and a drift: much of it outside any band."""
    random = np.random.default_rng(seed)
    noise = random.standard_normal((frames, *shape))
    return (noise + 10 + 0.3 * np.cumsum(noise[::-1], axis=0)).astype(np.float32)


def _cut(array, cuts):
    return np.split(array, sorted(min(cut, len(array)) for cut in cuts))


@pytest.mark.parametrize(
    ("low", "high", "rate", "order"),
    [(5, 50, 2000, 4), (5, 50, 512, 4), (8, 13, 512, 4), (20, 100, 1000, 1), (20, 100, 1000, 10),
     (0.5, 200, 512, 3), (5, 249, 500, 2)],
)  # fmt: skip
def test_a_short_recording_is_filtered_as_if_it_went_on_in_lines(low, high, rate, order):
    settings = BandPass(low=low, high=high, frame_rate=rate, order=order)
    for frames in (1, 2, 3, 29, settings.fitted + 1, 2 * settings.overlap - 1):
        velocity = _walk(frames, min(frames, 3000))
        found = band_pass(velocity, settings)
        assert found.dtype == np.float32
        limit = ROUNDING * abs(velocity).max()
        np.testing.assert_allclose(
            found, continued_for_long(velocity, settings), rtol=0, atol=limit
        )


@pytest.mark.parametrize(
    ("low", "high", "rate", "order"),
    [(5, 50, 2000, 4), (5, 50, 512, 4), (8, 13, 512, 4), (20, 100, 1000, 1), (20, 100, 1000, 10)],
)
def test_a_long_recording_is_filtered_as_if_it_went_on_in_lines(low, high, rate, order):
    # What the backward direction does not see of what follows lies below the tail.
    settings = BandPass(low=low, high=high, frame_rate=rate, order=order)
    velocity = _walk(1, 4 * settings.overlap + 57)
    limit = min(TAIL, 5e-7) * abs(velocity).max()
    expected = continued_for_long(velocity, settings)
    np.testing.assert_allclose(band_pass(velocity, settings), expected, rtol=0, atol=limit)


def test_more_pixels_than_are_filtered_together_make_no_difference():
    velocity = _walk(2, 60, (23, 47))  # 1081 pixels, two tiles of 512 and a rest
    found = band_pass(velocity, QUICK)
    limit = ROUNDING * abs(velocity).max()
    np.testing.assert_allclose(found, continued_for_long(velocity, QUICK), rtol=0, atol=limit)
    alone = band_pass(velocity[:, 22:, 46:], QUICK)  # the last pixel
    np.testing.assert_array_equal(alone, found[:, 22:, 46:])


def _response(settings, frequencies):
    """Measure the gain, complex, from what an impulse in mid-recording becomes."""
    half = 2 * settings.overlap
    impulse = np.zeros((2 * half + 1, 1, 1), np.float32)
    impulse[half] = 1
    response = band_pass(impulse, settings)[:, 0, 0].astype(np.float64)
    time = np.arange(-half, half + 1) / settings.frame_rate
    return np.exp(-2j * np.pi * np.outer(frequencies, time)) @ response


@pytest.mark.parametrize("settings", [PAPER, QUICK, BandPass(low=8, high=13, frame_rate=512)])
def test_the_corners_are_6_db_down_and_the_phase_is_nought(settings):
    centre = math.sqrt(settings.low * settings.high)
    corners = _response(settings, [settings.low, settings.high])
    np.testing.assert_allclose(20 * np.log10(abs(corners)), -6.02, atol=0.02)
    below, at, above = abs(_response(settings, [settings.low / 2, centre, 2 * settings.high]))
    assert at == pytest.approx(1, abs=0.01)
    # Twice 6 dB an octave and order, at the least, within the bend's 6 dB.
    for outside in (below, above):
        assert 20 * math.log10(outside) < -2 * 6.02 * settings.order + 6
    gains = _response(settings, np.linspace(settings.low, settings.high, 30))
    assert (gains.real > 0.49).all()
    assert abs(gains.imag).max() < 1e-5


def test_the_firing_rates_of_the_paper_pass():
    gains = abs(_response(PAPER, np.linspace(8, 13, 30)))
    assert gains.min() > 0.99
    assert gains.max() < 1.0001


def test_what_is_constant_vanishes_from_the_first_frame_to_the_last():
    velocity = np.full((700, 2, 2), 123.0, np.float32)
    assert abs(band_pass(velocity, QUICK)).max() < 1e-4
    np.testing.assert_array_equal(band_pass(0 * velocity, QUICK), 0)


def _profile(noise):
    """Power at 0, 10, 25, 50 and 100 to 200 ms from the ends, over that within."""
    power = (band_pass(noise, PAPER).astype(np.float64) ** 2).mean(axis=(1, 2))
    folded = (power[:400] + power[:-401:-1]) / 2
    return np.array([part.mean() for part in np.split(folded, [20, 50, 100, 200])]) / (
        power[600:-600].mean()
    )


def test_noise_of_velocity_is_as_strong_at_the_ends_as_within():
    noise = np.random.default_rng(6).standard_normal((2200, 60, 60)).astype(np.float32)
    np.testing.assert_allclose(_profile(noise), 1, atol=0.25)


def test_noise_of_displacement_sets_off_no_transient():
    # Its velocity is nearly all beyond the band: a thousandth of it passes.
    noise = np.random.default_rng(6).standard_normal((2201, 60, 60)).astype(np.float32)
    first, second, *others = _profile(np.diff(noise, axis=0))
    # For some ms the outermost displacement is taken for one that stays.
    assert first < 4
    assert second < 1.5
    np.testing.assert_allclose(others, 1, atol=0.1)


def test_a_drift_does_not_ring():
    time = np.arange(2000) / PAPER.frame_rate
    slope = (7 * time - 3)[:, None, None].astype(np.float32)
    assert abs(band_pass(slope, PAPER)).max() < 1e-4
    # A course of 0.3 Hz, in all phases: at its own frequency nothing passes.
    phases = np.arange(12) / 12
    slow = np.cos(2 * np.pi * (0.3 * time[:, None, None] + phases)).astype(np.float32)
    assert abs(band_pass(slow, PAPER)).max() < 0.03


def test_what_moves_within_the_band_is_hardly_spoilt_at_the_ends():
    # Filtered as part of a longer recording, it is known there.
    random = np.random.default_rng(7)
    noise = random.standard_normal((9000, 8, 8))
    sections = signal.butter(2, (7, 20), "bandpass", fs=2000, output="sos")
    motion = np.asarray(signal.sosfilt(sections, noise, axis=0), np.float32)
    wanted = band_pass(motion, PAPER)[3000:-3000]
    error = ((band_pass(motion[3000:-3000], PAPER) - wanted) ** 2).mean(axis=(1, 2))
    power = (wanted**2).mean()
    assert error[[0, -1]].mean() < 0.6 * power
    for end in (error[:200], error[:-201:-1]):  # 0.1 s
        assert end.mean() < 0.25 * power
    assert error[800:-800].max() < 1e-4 * power


@given(
    st.sampled_from([QUICK, QUICKER]), st.integers(1, 5 * QUICK.overlap),
    st.lists(st.integers(0, 5 * QUICK.overlap), max_size=12), st.integers(0, 2**32),
)  # fmt: skip
@example(QUICK, 4 * QUICK.overlap, list(range(QUICK.overlap, 4 * QUICK.overlap, QUICK.overlap)), 1)
@example(QUICK, 2 * QUICK.overlap, list(range(2 * QUICK.overlap)), 2)
@example(QUICK, 2 * QUICK.overlap + 1, [2 * QUICK.overlap], 3)
@example(QUICK, 2 * QUICK.overlap - QUICK.fitted, [], 4)
@example(QUICKER, 2 * QUICKER.overlap - QUICKER.fitted, [], 5)
@example(QUICKER, 2 * QUICKER.overlap - QUICKER.fitted - 1, [3, 4], 6)
@example(QUICKER, QUICKER.overlap, list(range(QUICKER.overlap)), 7)
def test_however_frames_are_cut_the_result_is_the_same(settings, frames, cuts, seed):
    velocity = _walk(seed, frames)
    whole = band_pass(velocity, settings)
    assert whole.shape == velocity.shape
    pieces = list(band_pass_blocks(_cut(velocity, cuts), settings))
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    limit = TAIL * abs(velocity).max()
    np.testing.assert_allclose(whole, continued_for_long(velocity, settings), rtol=0, atol=limit)


def test_every_length_of_recording_comes_out_whole():
    # Ends and overlaps fall together in all ways.
    for frames in range(1, 5 * QUICKER.overlap):
        velocity = _walk(frames, frames)
        found = band_pass(velocity, QUICKER)
        limit = TAIL * abs(velocity).max()
        np.testing.assert_allclose(found, continued_for_long(velocity, QUICKER), rtol=0, atol=limit)


def test_the_input_is_left_alone_whatever_its_layout():
    velocity = _walk(4, 500)
    before = velocity.copy()
    expected = band_pass(velocity, QUICK)
    np.testing.assert_array_equal(velocity, before)
    for same in (velocity.astype(np.float64), np.asfortranarray(velocity)):
        np.testing.assert_array_equal(band_pass(same, QUICK), expected)
    np.testing.assert_array_equal(band_pass(velocity[..., ::2], QUICK), expected[..., ::2])


def test_a_bad_value_spoils_its_own_pixel_alone():
    velocity = _walk(5, 300)
    expected = band_pass(velocity, QUICK)
    velocity[100, 1, 1] = np.nan
    found = band_pass(velocity, QUICK)
    assert np.isnan(found[:, 1, 1]).any()
    found[:, 1, 1] = expected[:, 1, 1]
    np.testing.assert_array_equal(found, expected)


def test_memory_does_not_grow_with_the_recording():
    block = np.ones((100, 6, 6), np.float32)

    def peak(blocks):
        tracemalloc.start()
        for _ in band_pass_blocks((block for _ in range(blocks)), QUICK):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(5)
    assert peak(150) < 1.2 * peak(15)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"low": 0}, "found 0-50 Hz"),
        ({"low": 50}, "found 50-50 Hz"),
        ({"low": math.nan}, "found nan-50 Hz"),
        ({"high": math.inf}, "found 5-inf Hz"),
        ({"frame_rate": 100}, "found 50 Hz in frames at 100 Hz, wanted a frame rate above 100 Hz"),
        ({"frame_rate": 60}, "found 50 Hz in frames at 60 Hz"),
        ({"frame_rate": math.nan}, "found 50 Hz in frames at nan"),
        ({"order": 0}, "order: found 0"),
        ({"order": 11}, "order: found 11"),
    ],
)
def test_bands_that_cannot_be_are_refused(values, text, refused):
    with refused(text):
        BandPass(**{"low": 5, "high": 50, "frame_rate": 2000, **values})


def test_no_recording_is_refused(refused):
    with refused("found 0 frames, wanted 1 or more"):
        list(band_pass_blocks([np.zeros((0, 2, 2), np.float32)], PAPER))


@given(
    st.integers(0, 7), st.integers(0, 7), st.integers(1, 3), st.integers(1, 20),
    st.integers(1, 20), st.booleans(), st.integers(0, 2**32),
)  # fmt: skip
@example(15, 15, 1, 33, 40, False, 1)
@example(15, 0, 2, 5, 4, False, 2)
@example(0, 15, 2, 4, 5, True, 3)
def test_the_median_is_that_of_scipy(above, left, frames, depths, widths, ties, seed):
    random = np.random.default_rng(seed)
    shape = (frames, depths, widths)
    values = random.integers(-2, 3, shape) if ties else random.standard_normal(shape)
    velocity = values.astype(np.float32)
    size = (2 * above + 1, 2 * left + 1)
    before = velocity.copy()
    found = median_filter(velocity, size)
    assert found.dtype == np.float32
    expected = ndimage.median_filter(velocity, size=(1, *size), mode="nearest")
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(velocity, before)


def test_the_median_takes_other_layouts():
    velocity = np.random.default_rng(6).standard_normal((3, 8, 10)).astype(np.float32)
    expected = median_filter(velocity, (3, 5))
    np.testing.assert_array_equal(median_filter(np.asfortranarray(velocity), (3, 5)), expected)
    doubled = np.repeat(velocity, 2, axis=1).astype(np.float64)[:, ::2]
    np.testing.assert_array_equal(median_filter(doubled, (3, 5)), expected)


def test_outliers_fewer_than_half_a_window_vanish():
    velocity = np.zeros((1, 30, 30), np.float32)
    velocity[0, ::3, ::3] = 1e9
    velocity[0, 1::3, 1::3] = -1e9
    np.testing.assert_array_equal(median_filter(velocity, (3, 3)), 0)


@pytest.mark.parametrize(
    ("length", "pixel", "size"),
    [(1, 0.3125, 3), (1, 1, 1), (1, 5, 1), (1, 0.25, 5), (1, 0.21, 5), (1, 0.19, 5), (1, 0.15, 7)],
)
def test_a_median_is_an_odd_number_of_pixels(length, pixel, size):
    assert median_size(length, pixel) == size


def test_a_median_of_too_many_pixels_is_refused(refused):
    assert median_size(31, 1) == MOST_MEDIAN
    with refused("found 33 mm of pixels of 1 mm (33), wanted up to 31"):
        median_size(33, 1)
    for size in ((2, 3), (3, 0), (33, 1), (1, -1)):
        with refused("wanted an odd number up to 31"):
            median_filter(np.zeros((1, 4, 4), np.float32), size)
