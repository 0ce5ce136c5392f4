import dataclasses
import json
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import ndimage, signal

from musim.simulator import InputError, Parameters, Range, draw, render
from musim.simulator.imaging.chain import (
    BLOCK_BYTES,
    PRESETS,
    Axis,
    Chain,
    Imaging,
    block_length,
    run,
)
from musim.simulator.imaging.velocimetry import Velocimetry, estimate_velocity
from tests.simulator.imaging.continuing import continued_for_long

PAPER = PRESETS["ali-2022"]
SOUND_SPEED = 1540.0
CENTRE = 7.7e6
PULSE = 0.075  # SD of the pulse's envelope in depth, mm
SMALL = Axis(0.5, 1.0, 6), Axis(-2.0, 1.0, 5)


def _imaging(chain, axes=SMALL, rate=1000.0, velocimetry=None):
    return Imaging(chain, *axes, rate, velocimetry)


def _iq_imaging(chain, axes, rate=2000.0):
    settings = Velocimetry(
        frame_rate=rate,
        centre_frequency=CENTRE,
        depth_step=axes[0].step,
        gate=chain.gate,
        ensemble=chain.ensemble,
        estimator=chain.estimator,
    )
    return Imaging(chain, *axes, rate, settings)


def _whole(imaging, blocks):
    return np.concatenate(list(run(imaging, blocks)))


def _cut(array, cuts):
    return np.split(array, sorted(min(cut, len(array)) for cut in cuts))


def _band_power(signals, rate, low=8.0, high=13.0):
    """Mean power of signals of shape (frame, ...) within a band, ends tapered."""
    frequencies, density = signal.welch(
        signals, rate, nperseg=min(len(signals), round(rate)), axis=0
    )
    inside = (frequencies >= low) & (frequencies <= high)
    return density[inside].sum(axis=0).mean() * frequencies[1]


def _by_scipy(velocity, imaging):
    """The chain in whole arrays, float64, but for what resamples."""
    filtered = continued_for_long(velocity, imaging.band_pass)
    return ndimage.median_filter(filtered, size=(1, *imaging.median), mode="nearest")


def test_a_chain_of_nothing_hands_velocity_through():
    velocity = np.random.default_rng(1).standard_normal((9, 6, 5)).astype(np.float32)
    imaging = _imaging(Chain())
    np.testing.assert_allclose(_whole(imaging, [velocity]), velocity, rtol=0, atol=1e-6)
    assert imaging.output_frames(9) == 9
    assert imaging.offset == 0


def test_iq_alone_makes_velocity():
    random = np.random.default_rng(2)
    iq = (random.standard_normal((12, 40, 5, 2)) @ np.array([1, 1j])).astype(np.complex64)
    imaging = _iq_imaging(Chain(gate=0.5), (Axis(5.0, 0.1, 40), Axis(0.0, 0.3, 5)))
    expected = estimate_velocity(iq, imaging.velocimetry)
    scale = imaging.velocimetry.nyquist_velocity
    np.testing.assert_allclose(_whole(imaging, [iq]), expected, rtol=0, atol=1e-6 * scale)
    assert imaging.output_frames(12) == 11
    # Half a frame late: midway between the first two images.
    assert imaging.offset == pytest.approx(0.00025)


def test_the_preset_is_the_paper_s():
    assert PAPER.band == (5, 50)
    assert (PAPER.order, PAPER.median, PAPER.frame_rate, PAPER.frames) == (4, 1, 512, 1024)
    assert (PAPER.pixels, PAPER.size) == ((128, 128), (40, 40))


@pytest.mark.parametrize("chain", [PAPER, Chain(), Chain(top=5.0, estimator="one-lag", ensemble=8)])
def test_a_chain_comes_back_from_json(chain):
    assert Chain.from_json(json.loads(json.dumps(chain.to_json()))) == chain


def test_a_chain_is_given_as_users_write_it():
    written = Chain(band="5-50", pixels="64x32", size=[40, 30], top="1.5", frames=10.0, gate=1)
    held = Chain(band=(5.0, 50.0), pixels=(64, 32), size=(40.0, 30.0), top=1.5, frames=10)
    assert written == held
    assert json.dumps(written.to_json()) == json.dumps(held.to_json())


@pytest.mark.parametrize("name", Chain().to_json())
def test_json_without_a_step_is_refused(name):
    values = PAPER.to_json()
    del values[name]
    with pytest.raises(InputError, match=f"chain: found none called '{name}'"):
        Chain.from_json(values)


def test_two_seconds_of_plane_waves_make_1024_frames_of_128_by_128():
    imaging = _iq_imaging(PAPER, (Axis(0.1, 0.16, 256), Axis(-19.84, 0.3125, 128)))
    assert imaging.output_frames(4000) == 1024
    assert imaging.output_rate == 512
    assert imaging.median == (7, 3)
    depth, width = imaging.output_axes
    assert (depth.count, width.count) == (128, 128)
    assert depth.step == width.step == 0.3125


def test_the_result_begins_at_the_top_and_stands_about_the_middle():
    # 50 mm from 2 mm on, 46 mm about 3 mm.
    axes = Axis(2.25, 0.5, 100), Axis(3 - 23 + 0.2, 0.4, 115)
    depth, width = _imaging(Chain(pixels=(80, 50), size=(40.0, 30.0)), axes).output_axes
    assert (depth.start, depth.length) == pytest.approx((2.0, 40.0))
    assert (width.start, width.length) == pytest.approx((-12.0, 30.0))
    assert width.positions.mean() == pytest.approx(3.0)
    assert depth.positions[0] == pytest.approx(2.25)
    assert (depth.count, width.count) == (80, 50)


def test_a_size_alone_keeps_the_pixels_and_pixels_alone_keep_the_size():
    axes = Axis(0.25, 0.5, 100), Axis(0.0, 0.4, 115)
    depth, width = _imaging(Chain(size=(40.0, 30.0)), axes).output_axes
    assert (depth.count, width.count) == (80, 75)
    assert (depth.step, width.step) == pytest.approx((0.5, 0.4))
    depth, width = _imaging(Chain(pixels=(10, 23)), axes).output_axes
    assert (depth.step, width.step) == pytest.approx((5.0, 2.0))
    assert (depth.start, width.start) == pytest.approx((0.0, -0.2))


def test_a_result_may_begin_deeper():
    # 50 mm from 2 mm on; the image ends at 52 mm.
    axes = Axis(2.25, 0.5, 100), Axis(0.0, 0.4, 115)
    depth, _ = _imaging(Chain(top=10.0, size=(40.0, 30.0), pixels=(80, 50)), axes).output_axes
    assert (depth.start, depth.length, depth.count) == (10.0, 40.0, 80)
    depth, _ = _imaging(Chain(top=12.0), axes).output_axes  # all that is below
    assert (depth.start, depth.length, depth.count) == pytest.approx((12.0, 40.0, 80))
    ramp = np.broadcast_to(axes[0].positions[:, None], (100, 115)).astype(np.float32)
    found = _whole(_imaging(Chain(top=12.0, pixels=(160, 5)), axes), [ramp[None]])
    expected = 12 + 0.25 * (np.arange(160) + 0.5)
    np.testing.assert_allclose(found[0, :-5, 2], expected[:-5], rtol=0, atol=1e-4)


def test_pixels_stand_where_the_axes_say():
    # A slope in depth and width comes out as the positions' values.
    axes = Axis(1.0, 0.5, 60), Axis(-10.0, 0.4, 60)
    imaging = _imaging(Chain(pixels=(40, 50), size=(20.0, 16.0)), axes)
    z, x = np.meshgrid(axes[0].positions, axes[1].positions, indexing="ij")
    frames = np.stack([z, x]).astype(np.float32)
    depth, width = imaging.output_axes
    found = _whole(imaging, [frames])
    inside = np.s_[3:-3, 3:-3]
    expected = np.stack(np.meshgrid(depth.positions, width.positions, indexing="ij"))
    np.testing.assert_allclose(found[0][inside], expected[0][inside], rtol=0, atol=1e-4)
    np.testing.assert_allclose(found[1][inside], expected[1][inside], rtol=0, atol=1e-4)


CHAINS = [
    Chain(),
    Chain(frame_rate=400.0),
    Chain(frame_rate=1000.0),
    Chain(frame_rate=512.0, pixels=(4, 9)),
    Chain(frame_rate=1700.0),
    Chain(band=(50.0, 200.0), order=2),
    Chain(band=(50.0, 200.0), order=2, median=3.0, frame_rate=512.0, pixels=(3, 3)),
]


@given(
    st.sampled_from(CHAINS), st.booleans(), st.integers(1, 400),
    st.lists(st.integers(0, 400), max_size=6), st.integers(0, 2**32),
)  # fmt: skip
@example(CHAINS[6], True, 400, list(range(400)), 1)
@example(CHAINS[1], False, 6, [], 1)
def test_however_a_recording_is_cut_the_frames_told_come_out_the_same(
    chain, has_iq, frames, cuts, seed
):
    random = np.random.default_rng(seed)
    images = random.standard_normal((frames, 6, 5)).astype(np.float32)
    if has_iq:
        images = images * np.exp(0.5j * images[::-1]).astype(np.complex64)
    imaging = _iq_imaging(chain, SMALL, 1000.0) if has_iq else _imaging(chain)
    try:
        count = imaging.output_frames(frames)
    except InputError:
        if has_iq or chain.band:
            with pytest.raises(InputError):
                _whole(imaging, [images])
        return
    depth, width = imaging.output_axes
    whole = _whole(imaging, [images])
    assert whole.shape == (count, depth.count, width.count)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(_whole(imaging, _cut(images, cuts)), whole)


def test_pieces_of_large_blocks_make_no_difference():
    axes = Axis(0.2, 0.4, 128), Axis(0.2, 0.4, 256)
    imaging = _imaging(Chain(median=1.2), axes)
    assert imaging.median == (3, 3)
    velocity = np.random.default_rng(3).standard_normal((140, 128, 256)).astype(np.float32)
    assert velocity.nbytes > BLOCK_BYTES
    found = list(run(imaging, [velocity]))
    assert max(block.nbytes for block in found) <= BLOCK_BYTES
    expected = ndimage.median_filter(velocity, size=(1, 3, 3), mode="nearest")
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=0, atol=1e-5)


def test_work_is_done_on_a_few_frames_at_once():
    assert block_length(BLOCK_BYTES) == 2
    assert block_length(10 * BLOCK_BYTES) == 2
    assert block_length(1 << 20) == BLOCK_BYTES >> 20
    assert block_length(0) == BLOCK_BYTES


def _sequence(pixels, frames, rate=2000.0, size=(40.0, 40.0), index=0):
    parameters = Parameters(
        units=Range(4, 10), snr=Range(math.inf, math.inf), synchrony=Range(0.1, 0.1),
        pixels=pixels, size=size, frames=frames, frame_rate=rate,
    )  # fmt: skip
    return render(draw(parameters, seed=1, index=index))


def test_a_simulated_sequence_keeps_its_firing_rates_through_the_paper_s_chain():
    frames = 2200
    velocity = _sequence((80, 80), frames)
    axes = Axis(0.25, 0.5, 80), Axis(-19.75, 0.5, 80)
    imaging = _imaging(PAPER, axes, 2000.0)
    assert imaging.median == (3, 3)
    found = _whole(imaging, _cut(velocity, range(0, frames, 400)))
    assert found.shape == (imaging.output_frames(frames), 128, 128) == (563, 128, 128)
    # Every third pixel's power, and the reference in some columns alone, are enough.
    depth, width = imaging.output_axes
    near = (width.positions > -9) & (width.positions < 4)
    seen = found[:, ::3, near][:, :, ::3]
    window = slice(18, 52)  # -10.75 .. 5.75 mm
    expected = _by_scipy(velocity[:, :, window], imaging)
    core = slice(3, 30)  # -9.25 .. 4.25 mm
    power = _band_power(seen, 512.0)
    assert power == pytest.approx(_band_power(expected[:, ::2, core], 2000.0), rel=0.03)
    # The band-pass keeps 99 % or more; medians take some of a territory's rim.
    assert power == pytest.approx(
        _band_power(velocity[:, ::2, window][:, :, core], 2000.0), rel=0.05
    )
    # What lies outside the band goes.
    for low, high in ((0.5, 2.0), (90.0, 250.0)):
        assert _band_power(seen, 512.0, low, high) < 0.02 * power
    # Value by value, SciPy's splines at the same places and times.
    inside = slice(30, -30, 5)
    grid = np.meshgrid(
        np.arange(563)[inside] / 512 * 2000,
        (depth.positions[::3] - 0.25) / 0.5,
        (width.positions[near][::3] + 10.75) / 0.5,
        indexing="ij",
    )
    splines = ndimage.map_coordinates(expected, grid, order=3, mode="nearest")
    assert np.corrcoef(seen[inside].ravel(), splines.ravel())[0, 1] > 0.995
    assert np.polyfit(splines.ravel(), seen[inside].ravel(), 1)[0] == pytest.approx(1, abs=0.02)


def _image_motion(velocity, depth, widths, rate, seed, frames, snr):
    """Plane-wave IQ of scatterers that move as velocity (frame, depth) of each column says."""
    random = np.random.default_rng(seed)
    z = depth.positions
    places = np.sort(
        random.uniform(z[0] - 4 * PULSE, z[-1] + 4 * PULSE, (widths, round(30 * depth.length)))
    )
    strengths = random.standard_normal((*places.shape, 2)) @ np.array([1, 1j])
    gone = np.concatenate([np.zeros((1, *velocity.shape[1:])), np.cumsum(velocity, axis=0) / rate])
    iq = np.zeros((frames, depth.count, widths), np.complex128)
    for x in range(widths):
        rows = np.clip(np.searchsorted(z, places[x]), 0, depth.count - 1)
        now = places[x] - gone[:frames, rows, x]  # (frame, scatterer)
        echoes = np.exp(-4e-3j * np.pi * CENTRE * now / SOUND_SPEED) * strengths[x]
        for i, place in enumerate(z):
            near = abs(places[x] - place) < 5 * PULSE
            pulses = np.exp(-((place - now[:, near]) ** 2) / (2 * PULSE**2))
            iq[:, i, x] = (pulses * echoes[:, near]).sum(axis=1)
    noise = random.standard_normal((*iq.shape, 2)) @ np.array([1, 1j]) / math.sqrt(2)
    noise *= math.sqrt(np.mean(abs(iq) ** 2) / 10 ** (snr / 10))
    return (iq + noise).astype(np.complex64)


def test_a_sequence_imaged_as_speckle_comes_back_with_its_firing_rates():
    rate, frames = 2000.0, 2200
    depth, width = Axis(5.0, 0.1, 60), Axis(-1.5, 1.0, 4)
    # Territories much larger than the image: what a column shows moves as one, or nearly so.
    parameters = Parameters(
        units=Range(6, 6), snr=Range(math.inf, math.inf), pixels=(60, 4), size=(6.0, 4.0),
        muscle=(40.0, 40.0), diameter=Range(20, 30), frames=frames - 1, frame_rate=rate,
    )  # fmt: skip
    velocity = render(draw(parameters, seed=3))
    assert (velocity.std(axis=0) > 0.01).mean() > 0.9
    iq = _image_motion(velocity, depth, 4, rate, 4, frames, snr=30)
    chain = dataclasses.replace(PAPER, pixels=None, size=None)
    imaging = _iq_imaging(chain, (depth, width), rate)
    found = _whole(imaging, _cut(iq, range(0, frames, 150)))
    assert found.shape == (imaging.output_frames(frames), 60, 4)
    expected = _by_scipy(velocity, imaging)
    power = _band_power(found, 512.0)
    assert power == pytest.approx(_band_power(expected, rate), rel=0.04)
    assert power == pytest.approx(_band_power(velocity, rate), rel=0.05)
    times = np.arange(len(found)) / 512 * rate
    inside = (times > 60) & (times < frames - 60)
    true = np.stack(
        [np.interp(times[inside], np.arange(frames - 1), line)
         for line in expected.reshape(frames - 1, -1).T]
    )  # fmt: skip
    assert np.corrcoef(found[inside].reshape(-1, 240).ravel(), true.T.ravel())[0, 1] > 0.98


def test_nothing_stays_nothing():
    imaging = _iq_imaging(CHAINS[6], SMALL, 1000.0)
    found = _whole(imaging, [np.zeros((200, 6, 5), np.complex64)])
    np.testing.assert_array_equal(found, 0)


def test_one_column_is_enough():
    axes = Axis(0.5, 1.0, 6), Axis(0.0, 1.0, 1)
    random = np.random.default_rng(5)
    iq = (random.standard_normal((200, 6, 1, 2)) @ np.array([1, 1j])).astype(np.complex64)
    chain = dataclasses.replace(CHAINS[6], pixels=(12, 3))
    found = _whole(_iq_imaging(chain, axes, 1000.0), [iq])
    assert found.shape[1:] == (12, 3)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:, :, 1:], found[:, :, :2], rtol=0, atol=1e-3)


def test_memory_does_not_grow_with_the_recording():
    imaging = _iq_imaging(CHAINS[6], (Axis(0.5, 1.0, 8), Axis(0.0, 1.0, 8)), 1000.0)
    block = np.ones((100, 8, 8), np.complex64)

    def peak(blocks):
        tracemalloc.start()
        for _ in run(imaging, (block for _ in range(blocks))):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(5)
    assert peak(100) < 1.2 * peak(10)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"median": 0.0}, "median: found 0 mm"),
        ({"median": math.nan}, "median: found nan mm"),
        ({"pixels": (0, 5)}, "pixels: found"),
        ({"size": (40.0, -1.0)}, "size: found"),
        ({"size": (math.inf, 40.0)}, "size: found"),
        ({"frame_rate": 0.0}, "frame_rate: found 0 Hz, wanted more than 0"),
        ({"frame_rate": math.nan}, "frame_rate: found nan Hz"),
        ({"frames": 0}, "frames: found 0, wanted 1 or more"),
        ({"frames": 1.5}, "frames: found 1.5, wanted a whole number"),
        ({"frames": True}, "frames: found True"),
        ({"gate": -1}, "gate: found -1 mm, wanted more than 0"),
        ({"band": (5,)}, "band: found"),
        ({"band": "50"}, r"band: found '50', wanted two numbers \(low, high\), such as 5-50"),
        ({"top": math.inf}, "top: found inf mm, wanted finite numbers"),
        ({"estimator": "two-lag"}, "estimator: found 'two-lag', wanted one of 2d-auto"),
        ({"gates": 1}, r"chain: found 'gates', wanted gate \(or one of ensemble"),
    ],
)
def test_chains_that_cannot_be_are_refused(values, text):
    with pytest.raises(InputError, match=text):
        Chain(**values)


@pytest.mark.parametrize(
    ("chain", "axes", "text"),
    [
        (Chain(band=(5.0, 500.0)), SMALL, "band: found 500 Hz in frames at 1000 Hz"),
        (Chain(band=(50.0, 5.0)), SMALL, "band: found 50-5 Hz"),
        (Chain(band=(5.0, 50.0), order=0), SMALL, "order: found 0"),
        (Chain(median=33.0), SMALL, r"median: found 33 mm of pixels of 1 mm \(33\)"),
        (Chain(size=(8.0, 3.0)), SMALL, "found an image of 6 x 5 mm, wanted 8 x 3 mm or more"),
        (Chain(top=-1.5), SMALL, "top: found -1.5 mm, wanted a depth inside the image, 0 to 6 mm"),
        (Chain(top=5.5), SMALL, "top: found 5.5 mm"),
        (Chain(top=3.0, size=(5.0, 5.0)), SMALL, "found an image of 3 x 5 mm, wanted 5 x 5 mm"),
        (Chain(size=(3.0, 7.0)), SMALL, "found an image of 6 x 5 mm, wanted 3 x 7 mm or more"),
    ],
)
def test_chains_that_a_recording_cannot_serve_are_refused(chain, axes, text):
    with pytest.raises(InputError, match=text):
        _imaging(chain, axes)


def test_an_image_a_little_smaller_than_asked_for_is_taken_whole(refused):
    # What is called 40 mm are often the 38 or 39 mm of a linear array.
    axes = Axis(0.15, 0.3, 133), Axis(0.0, 0.3, 128)
    depth, width = _imaging(Chain(size=(40.0, 40.0), pixels=(100, 64)), axes).output_axes
    assert (depth.count, width.count) == (100, 64)
    assert (depth.length, width.length) == pytest.approx((39.9, 38.4))
    assert width.positions.mean() == pytest.approx(axes[1].positions.mean())
    with refused("wanted 40 x 41 mm or more"):
        _ = _imaging(Chain(size=(40.0, 41.0), pixels=(100, 64)), axes)


def test_images_stay_as_they_are_where_nothing_else_is_asked_for():
    axes = Axis(0.1, 0.3, 7), Axis(0.7, 0.1, 11)
    assert _imaging(Chain(band=None), axes).output_axes == axes


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (np.zeros((3, 6, 4), np.float32), "shape"),
        (np.zeros((3, 6, 5), np.complex64), "complex64"),
        (np.zeros((6, 5), np.float32), "shape"),
    ],
)
def test_blocks_must_be_what_the_chain_was_fitted_to(block, text, refused):
    imaging = _imaging(Chain(), (Axis(0.5, 1.0, 6), Axis(0.5, 1.0, 5)))
    with refused(text):
        list(run(imaging, [block]))


@pytest.mark.parametrize(
    ("chain", "has_iq", "least"),
    [
        (Chain(), False, 1),
        (Chain(), True, 4),
        (Chain(ensemble=8), True, 8),
        (Chain(band=(50.0, 200.0)), False, 1),
        (Chain(band=(50.0, 200.0)), True, 4),
        (Chain(band=(50.0, 200.0), ensemble=40), True, 40),
    ],
)
def test_recordings_too_short_are_refused_before_any_work(chain, has_iq, least):
    imaging = _iq_imaging(chain, SMALL, 1000.0) if has_iq else _imaging(chain)
    with pytest.raises(InputError, match=f"frames: found {least - 1}, wanted {least} or more"):
        imaging.output_frames(least - 1)
    images = np.ones((least, 6, 5), np.complex64 if has_iq else np.float32)
    assert len(_whole(imaging, [images])) == imaging.output_frames(least)
