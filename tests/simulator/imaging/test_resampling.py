import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import ndimage

from musim.simulator.imaging.resampling import (
    CUTOFF,
    SINC_PERIODS,
    Resampler,
    resample_images,
    resample_time_blocks,
)


def _in_time(frames, rate, output_rate, cuts=()):
    blocks = np.split(frames, sorted(min(cut, len(frames)) for cut in cuts))
    return np.concatenate(list(resample_time_blocks(blocks, rate, output_rate)))


def _keys(x):
    """Keys' cubic convolution, doi:10.1109/TASSP.1981.1163711, equation 15."""
    x = abs(x)
    if x < 1:
        return 3 / 2 * x**3 - 5 / 2 * x**2 + 1
    return -1 / 2 * x**3 + 5 / 2 * x**2 - 4 * x + 2 if x < 2 else 0.0


def _cubic_slowly(values, first, step, output):
    """Each output as a weighted mean of all inputs about it, the ends going on."""
    widening = max((output[1] - output[0]) / step if len(output) > 1 else 1.0, 1.0)
    reach = math.ceil(2 * widening) + 2
    out = []
    for place in output:
        position = (place - first) / step
        near = range(math.floor(position) - reach, math.ceil(position) + reach + 1)
        weights = np.array([_keys((i - position) / widening) for i in near])
        taken = np.array([values[min(max(i, 0), len(values) - 1)] for i in near])
        out.append(weights @ taken / weights.sum())
    return np.array(out)


@given(
    st.integers(1, 30), st.integers(1, 40), st.floats(0.1, 3), st.floats(-2, 2),
    st.floats(0.3, 1.5), st.integers(0, 2**32),
)  # fmt: skip
@example(1, 5, 0.5, 0.0, 1.0, 1)
@example(5, 1, 0.5, 1.3, 1.0, 2)
def test_cubic_resampling_is_that_of_the_definition(count, wanted, step, shift, share, seed):
    values = np.random.default_rng(seed).standard_normal((count, 2)).astype(np.float32)
    output = 3.0 + shift + count * step * share / wanted * np.arange(wanted)
    found = Resampler.cubic(3.0, step, output)(values)
    expected = _cubic_slowly(values.astype(np.float64), 3.0, step, output)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


def test_images_are_resampled_along_both_axes():
    frames = np.random.default_rng(1).standard_normal((3, 12, 17)).astype(np.float32)
    depth = np.linspace(0.2, 10.4, 7)
    width = np.linspace(-1.0, 14.0, 40)
    maps = Resampler.cubic(0.0, 1.0, depth), Resampler.cubic(0.0, 0.9, width)
    found = resample_images(frames, *maps)
    assert found.shape == (3, 7, 40)
    assert found.dtype == np.float32
    expected = [
        _cubic_slowly(_cubic_slowly(frame, 0.0, 1.0, depth).T, 0.0, 0.9, width).T
        for frame in frames.astype(np.float64)
    ]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)
    fortran = resample_images(np.asfortranarray(frames), *maps)
    np.testing.assert_array_equal(fortran, found)
    np.testing.assert_array_equal(resample_images(frames.astype(np.float64), *maps), found)


def test_images_larger_than_a_tile_are_resampled_pixel_by_pixel():
    frames = np.random.default_rng(2).standard_normal((20, 50, 43)).astype(np.float32)
    output = np.linspace(0, 19, 11)
    found = Resampler.cubic(0.0, 1.0, output)(frames)
    alone = Resampler.cubic(0.0, 1.0, output)(frames[:, 49:, 42:])
    np.testing.assert_array_equal(found[:, 49:, 42:], alone)


@pytest.mark.parametrize(("first", "step"), [(0.0, 1.0), (0.15, 0.3), (-19.84375, 0.3125)])
def test_the_same_places_give_the_same_values(first, step):
    values = np.random.default_rng(3).standard_normal((31, 4)).astype(np.float32)
    found = Resampler.cubic(first, step, first + step * np.arange(31))(values)
    np.testing.assert_allclose(found, values, rtol=0, atol=1e-6)


@pytest.mark.parametrize("wanted", [5, 23, 40, 64, 200])
def test_constants_and_slopes_are_kept(wanted):
    positions = np.linspace(0, 63, wanted)
    resampler = Resampler.cubic(0.0, 1.0, positions)
    constant = resampler(np.full((64, 1), 7.0, np.float32))
    np.testing.assert_allclose(constant, 7, rtol=1e-6)
    slope = resampler(np.arange(64, dtype=np.float32)[:, None])[:, 0]
    # A kernel that is widened by no whole number keeps slopes to a hundredth of a sample.
    coarse = positions[1] > 1
    reach = 2 * max(positions[1], 1)
    inside = (positions >= reach) & (positions <= 63 - reach)
    assert inside.any()
    np.testing.assert_allclose(
        slope[inside], positions[inside], rtol=0, atol=0.02 if coarse else 1e-5
    )


def test_parabolas_are_kept_where_pixels_get_finer():
    # Keys' kernel reproduces polynomials up to the second degree.
    positions = np.linspace(2, 29, 100)
    values = (np.arange(32) - 15.0).astype(np.float32)[:, None] ** 2
    found = Resampler.cubic(0.0, 1.0, positions)(values)[:, 0]
    np.testing.assert_allclose(found, (positions - 15) ** 2, rtol=0, atol=1e-4)


def test_a_smooth_image_is_as_a_cubic_spline_has_it():
    z, x = np.meshgrid(np.arange(64), np.arange(48), indexing="ij")
    image = (np.sin(2 * np.pi * z / 16) * np.cos(2 * np.pi * x / 20)).astype(np.float32)
    depth, width = np.linspace(8, 55, 128), np.linspace(8, 39, 100)
    maps = Resampler.cubic(0.0, 1.0, depth), Resampler.cubic(0.0, 1.0, width)
    found = resample_images(image[None], *maps)[0]
    spline = ndimage.map_coordinates(image, np.meshgrid(depth, width, indexing="ij"), order=3)
    np.testing.assert_allclose(found, spline, rtol=0, atol=0.01)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_details_too_fine_for_coarser_pixels_are_averaged_not_aliased(factor):
    count = 240
    positions = (np.arange(count // factor) + 0.5) * factor - 0.5
    resampler = Resampler.cubic(0.0, 1.0, positions)
    inside = slice(4, -4)

    def gain(frequency):  # cycles an output pixel
        wave = np.exp(2j * np.pi * frequency / factor * np.arange(count))
        parts = np.stack([wave.real, wave.imag], axis=1).astype(np.float32)
        return np.sqrt((resampler(parts)[inside] ** 2).sum(axis=1).mean())

    assert gain(0.1) > 0.95
    assert gain(1.0) < 0.05  # would come out as a constant
    assert gain(0.9) < 0.1
    # Without widening it would come through whole.
    assert gain(0.75) < 0.3


@given(
    st.integers(1, 200), st.sampled_from([0.3, 0.7, 1.0, 1.5, 2.0, 2000 / 512, 5.0]),
    st.lists(st.integers(0, 200), max_size=8), st.integers(0, 2**32),
)  # fmt: skip
@example(200, 0.7, list(range(200)), 1)
def test_however_frames_are_cut_the_result_is_the_same(frames, ratio, cuts, seed):
    values = np.random.default_rng(seed).standard_normal((frames, 2, 3)).astype(np.float32)
    whole = _in_time(values, ratio * 100.0, 100.0)
    np.testing.assert_array_equal(_in_time(values, ratio * 100.0, 100.0, cuts), whole)
    assert len(whole) == math.floor((frames - 1) / ratio + 1e-9) + 1


def _sinc_slowly(values, ratio):
    """Each output as a weighted mean of all inputs about it: a windowed sinc, the ends going on."""
    widening = max(ratio, 1.0)
    reach = SINC_PERIODS * widening
    out = []
    for k in range(math.floor((len(values) - 1) / ratio + 1e-9) + 1):
        position = k * ratio
        near = np.arange(math.ceil(position - reach), math.floor(position + reach) + 1)
        x = (near - position) / widening
        window = np.i0(8.0 * np.sqrt(np.clip(1 - (x / SINC_PERIODS) ** 2, 0, None)))
        weights = np.sinc(2 * CUTOFF * x) * window
        out.append(weights @ values[np.clip(near, 0, len(values) - 1)] / weights.sum())
    return np.array(out)


@pytest.mark.parametrize("frames", [1, 2, 50, 300])
@pytest.mark.parametrize("ratio", [0.4, 1.0, 2000 / 512, 3.0])
def test_resampling_in_time_is_that_of_the_definition(frames, ratio):
    values = np.random.default_rng(4).standard_normal((frames, 3)).astype(np.float32)
    found = _in_time(values[:, None], ratio * 512, 512.0, range(0, frames, 37))[:, 0]
    expected = _sinc_slowly(values.astype(np.float64), ratio)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


def test_a_recording_of_two_seconds_makes_1024_frames():
    frames = np.arange(3999, dtype=np.float32)[:, None, None] / 2000  # its own time
    found = _in_time(frames, 2000.0, 512.0, range(0, 3999, 100))[:, 0, 0]
    assert len(found) == 1024
    inside = slice(17, -17)
    np.testing.assert_allclose(found[inside], (np.arange(1024) / 512)[inside], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("frames", "rate", "output_rate", "wanted"),
    [(4000, 2000, 512, 1024), (101, 100, 10, 11), (100, 100, 10, 10), (7, 3, 0.3, 1),
     (31, 3, 0.3, 4), (1, 100, 10, 1), (11, 10, 100, 101),
     # Where 1000 / (2000 / 30) comes out a rounding error below 15.
     (1001, 2000, 30, 16), (126, 500, 120, 31)],
)  # fmt: skip
def test_there_are_as_many_frames_as_lie_between_first_and_last(frames, rate, output_rate, wanted):
    assert len(_in_time(np.zeros((frames, 1, 1), np.float32), rate, output_rate)) == wanted


def _gain(frequency, rate, output_rate):
    """RMS of what a wave of amplitude 1 becomes, away from the ends."""
    count = 4000
    wave = np.exp(2j * np.pi * frequency / rate * np.arange(count))
    parts = np.stack([wave.real, wave.imag], axis=1).astype(np.float32)[:, None]
    found = _in_time(parts, rate, output_rate)[:, 0]
    away = math.ceil(17 * max(1, output_rate / rate))
    found = found[away:-away]
    return found, np.sqrt((found**2).sum(axis=1).mean())


@pytest.mark.parametrize(("rate", "output_rate"), [(2000, 512), (1000, 400), (3000, 512)])
def test_what_would_alias_is_80_db_down(rate, output_rate):
    for frequency in np.linspace(0.5, 0.99 * rate / output_rate / 2, 25) * output_rate:
        assert 20 * math.log10(_gain(frequency, rate, output_rate)[1]) < -80


@pytest.mark.parametrize(
    ("rate", "output_rate"), [(2000, 512), (1000, 400), (400, 1000), (512, 2000)]
)
def test_below_a_third_of_the_lower_rate_waves_pass_as_they_are(rate, output_rate):
    lower = min(rate, output_rate)
    for share in (0.01, 0.1, 0.2, 0.3, 0.34):
        found, gain = _gain(share * lower, rate, output_rate)
        assert gain == pytest.approx(1, abs=1.5e-4)
        # In phase too: the first output stands at the first input's time.
        away = math.ceil(17 * max(1, output_rate / rate))
        time = (away + np.arange(len(found))) / output_rate
        expected = np.exp(2j * np.pi * share * lower * time)
        np.testing.assert_allclose(found @ np.array([1, 1j]), expected, rtol=0, atol=5e-4)


def test_the_ends_go_on():
    # A constant stays one up to the first and the last frame.
    found = _in_time(np.full((90, 2, 2), 3.0, np.float32), 2000.0, 512.0)
    np.testing.assert_allclose(found, 3, rtol=1e-6)


def test_other_layouts_give_the_same():
    values = np.random.default_rng(5).standard_normal((150, 4, 6)).astype(np.float32)
    expected = _in_time(values, 2000.0, 512.0)
    np.testing.assert_array_equal(_in_time(np.asfortranarray(values), 2000.0, 512.0), expected)
    np.testing.assert_array_equal(_in_time(values.astype(np.float64), 2000.0, 512.0), expected)
    np.testing.assert_array_equal(_in_time(values[..., ::2], 2000.0, 512.0), expected[..., ::2])


def test_memory_does_not_grow_with_the_recording():
    block = np.ones((100, 6, 6), np.float32)

    def peak(blocks):
        tracemalloc.start()
        for _ in resample_time_blocks((block for _ in range(blocks)), 2000.0, 512.0):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(5)
    assert peak(100) < 1.2 * peak(10)


@pytest.mark.parametrize(
    ("rate", "output_rate", "text"),
    [
        (0.0, 512.0, "frame_rate: found 0 Hz"),
        (math.nan, 512.0, "frame_rate: found nan Hz"),
        (2000.0, -1.0, "output frame_rate: found -1 Hz"),
        (2000.0, math.inf, "output frame_rate: found inf Hz"),
    ],
)
def test_rates_that_cannot_be_are_refused(rate, output_rate, text, refused):
    with refused(text):
        _in_time(np.zeros((9, 1, 1), np.float32), rate, output_rate)
