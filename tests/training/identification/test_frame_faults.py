"""Frames that hold no image: which they are, what is filled in, and what is said of them."""

import dataclasses

import numpy as np
import pytest

from musim.simulator import Parameters, draw, render
from musim.training.identification.frame_faults import (
    LASTING,
    Span,
    frame_faults,
    in_words,
    spans_of,
    without_faults,
)
from musim.training.identification.methods import identify
from musim.training.identification.units import Recording

PARAMETERS = Parameters(
    units=(3, 3), snr=20, pixels=(32, 32), size=(20, 20), diameter=(4, 6), frames=400
)


@pytest.fixture(scope="module")
def truth():
    return draw(PARAMETERS, seed=4)


@pytest.fixture(scope="module")
def plain(truth):
    return Recording(render(truth), PARAMETERS.frame_rate, PARAMETERS.pixel_size)


def changed(recording, change):
    tvi = recording.tvi.copy()
    change(tvi)
    return dataclasses.replace(recording, tvi=tvi)


def zeroed(tvi):
    tvi[100:160] = 0


def filled_with_a_value(tvi):
    tvi[:, :, :6] = -50  # outside a mask, where the fill value is another
    tvi[100:160, :, 6:] = 7


def held(tvi):
    tvi[100:160] = tvi[99]


def one_spoilt(tvi):
    tvi[133] *= 100


def flash(tvi):
    tvi += 50
    tvi[0] = tvi[-1] = 1e5


def three_of_noise(tvi):
    tvi[200:203] = 100 * np.random.default_rng(0).standard_normal(tvi[:3].shape)


FOUND = {
    zeroed: (Span("lost", 100, 159),),
    filled_with_a_value: (Span("lost", 100, 159),),
    held: (Span("repeated", 100, 159),),
    one_spoilt: (Span("spoilt", 133, 133),),
    three_of_noise: (Span("spoilt", 200, 202),),
}


@pytest.mark.parametrize("change", FOUND)
def test_frames_without_an_image_are_found(plain, change):
    assert spans_of(frame_faults(changed(plain, change))) == FOUND[change]


def test_frames_of_one_value_are_lost_wherever_they_stand(plain):
    assert spans_of(frame_faults(changed(plain, flash))) == (
        Span("lost", 0, 0), Span("lost", 399, 399),
    )  # fmt: skip


def test_a_whole_recording_of_half_the_rate_is_found(plain):
    tvi = np.repeat(plain.tvi[::2], 2, axis=0)
    faults = frame_faults(dataclasses.replace(plain, tvi=tvi))
    np.testing.assert_array_equal(faults, np.tile([0, 2], 200))


@pytest.mark.parametrize("snr", [0, 20, 60, np.inf])
def test_frames_with_images_are_recorded(snr):
    for seed in range(3):
        truth = draw(dataclasses.replace(PARAMETERS, snr=snr), seed=seed)
        recording = Recording(render(truth), PARAMETERS.frame_rate, PARAMETERS.pixel_size)
        same, faults = without_faults(recording)
        assert same is recording
        assert not faults.any()


def test_coarse_values_agree_by_chance():
    tvi = np.random.default_rng(1).integers(0, 2, (4000, 2, 2)).astype(np.float32)
    assert (tvi[1:] == tvi[:-1]).all(axis=(1, 2)).any()
    assert not frame_faults(Recording(tvi, 1000.0, (1.0, 1.0))).any()
    coarse = np.random.default_rng(2).integers(-3, 4, (400, 16, 16)).astype(np.float32)
    coarse[50:60] = 0
    assert spans_of(frame_faults(Recording(coarse, 1000.0, (1.0, 1.0)))) == (
        Span("lost", 50, 59),
    )  # fmt: skip


def test_what_jerks_throughout_is_taken_as_it_is(plain):
    assert not frame_faults(changed(plain, lambda tvi: tvi[::8].__imul__(100))).any()


def test_motion_that_lasts_is_no_fault(plain):
    def jerk(tvi):
        tvi[200:220] += 100

    assert not frame_faults(changed(plain, jerk)).any()


def test_what_is_filled_in_is_the_likeliest():
    """A process that forgets exponentially: its mean, given all that was recorded."""
    frames, rate = 60, 200.0
    tvi = np.random.default_rng(3).standard_normal((frames, 3, 4)).astype(np.float32) + 5
    tvi[:2] = tvi[20:33] = tvi[59] = 0
    recording, faults = without_faults(Recording(tvi, rate, (1.0, 1.0)))
    kept = np.flatnonzero(faults == 0)
    assert len(kept) == frames - 16
    np.testing.assert_array_equal(recording.tvi[kept], tvi[kept])
    times = np.arange(frames) / rate
    alike = np.exp(-np.abs(times[:, None] - times) / LASTING)
    mean = tvi[kept].mean(axis=0)
    away = (tvi[kept] - mean).reshape(len(kept), -1).astype(float)
    wanted = alike[:, kept] @ np.linalg.solve(alike[np.ix_(kept, kept)], away)
    np.testing.assert_allclose(
        recording.tvi, wanted.reshape(tvi.shape) + mean, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("method", ["refine", "ica", "edges+refine"])
@pytest.mark.parametrize("change", [zeroed, held, one_spoilt, three_of_noise])
def test_faults_of_frames_hide_no_units(plain, truth, method, change):
    units = identify(changed(plain, change), method)
    alike = np.abs(np.corrcoef(np.concatenate([units.train, truth.twitch_train])))
    alike = alike[: units.count, units.count :]
    assert units.count == 3
    assert sorted(alike.argmax(axis=1)) == [0, 1, 2]
    assert alike.max(axis=1).min() > 0.7
    assert spans_of(units.frame_fault) == FOUND[change]
    spoilt = FOUND[change][0].fault == "spoilt"
    assert units.remarks == ("frames-spoilt" if spoilt else "frames-lost",)


def test_few_frames_are_no_recording(plain):
    def mostly_lost(tvi):
        tvi[7:] = 0

    units = identify(changed(plain, mostly_lost))
    assert (units.count, units.remarks) == (0, ("frames-lost", "too-short"))
    assert spans_of(units.frame_fault) == (Span("lost", 7, 399),)


def test_what_is_shorter_than_a_twitch_has_no_units(plain):
    for frames in (12, 19, 20):
        units = identify(dataclasses.replace(plain, tvi=plain.tvi[:frames].copy()))
        assert ("too-short" in units.remarks) == (frames < 20)
        assert frames == 20 or units.count == 0


def test_what_is_said():
    assert spans_of(np.zeros(9, np.uint8)) == ()
    assert in_words(()) == ""
    assert spans_of(np.array([9, 1, 2, 2], np.uint8)) == (  # 9: of a later version
        Span("lost", 1, 1), Span("repeated", 2, 3),
    )  # fmt: skip
    many = [Span("repeated", 10 * n, 10 * n + n % 2) for n in range(8)]
    assert in_words([*many, Span("lost", 3, 4)]) == (
        "2 frames lost (3-4), 12 frames repeated (0, 10-11, 20, 30-31, 40 and 3 more)"
    )


def noise(frames, *image, seed=6):
    return np.random.default_rng(seed).standard_normal((frames, *image)).astype(np.float32)


@pytest.mark.parametrize(("times", "spoilt"), [(8, False), (13, True)])
def test_a_frame_is_spoilt_from_a_hundred_times_the_energy_about_it(times, spoilt):
    tvi = noise(100, 24, 24)
    tvi[40] *= times
    assert spans_of(frame_faults(Recording(tvi, 400.0, (1.0, 1.0)))) == (
        (Span("spoilt", 40, 40),) if spoilt else ()
    )


@pytest.mark.parametrize(("times", "spoilt"), [(13, False), (20, True)])
def test_a_frame_is_spoilt_from_ten_times_what_lasts_anywhere(times, spoilt):
    tvi = noise(200, 24, 24)
    tvi[100:140] *= 5  # as long as a twitch
    tvi[40] *= times
    assert frame_faults(Recording(tvi, 400.0, (1.0, 1.0))).any() == spoilt


@pytest.mark.parametrize("rate", [400.0, 800.0])
def test_frames_are_spoilt_for_a_hundredth_of_a_second_at_most(rate):
    most = int(0.01 * rate)
    for frames in (most, most + 1):
        tvi = noise(200, 16, 16)
        tvi[60 : 60 + frames] *= 30
        found = spans_of(frame_faults(Recording(tvi, rate, (1.0, 1.0))))
        assert found == ((Span("spoilt", 60, 59 + most),) if frames == most else ())


@pytest.mark.parametrize(("every", "spoilt"), [(12, True), (9, False)])
def test_up_to_a_tenth_of_all_frames_are_spoilt(every, spoilt):
    tvi = noise(216, 16, 16)
    tvi[5::every] *= 30
    places = np.flatnonzero(frame_faults(Recording(tvi, 400.0, (1.0, 1.0))))
    np.testing.assert_array_equal(places, np.arange(5, 216, every) if spoilt else [])


@pytest.mark.parametrize("axis", [1, 2])
def test_noise_of_a_few_lines_of_an_image_spoils_no_frame(axis):
    tvi = noise(100, 24, 24)
    few = [slice(None)] * 3
    few[0], few[axis] = 40, slice(10, 14)
    tvi[tuple(few)] *= 1000
    assert not frame_faults(Recording(tvi, 400.0, (1.0, 1.0))).any()


def test_coarse_values_tell_from_a_number_of_pixels_on():
    # Two values in 16 pixels are the same again by chance once in 65,536 frames, in 36 never.
    for side, told in ((4, False), (6, True)):
        tvi = np.random.default_rng(3).integers(0, 2, (300, side, side)).astype(np.float32)
        tvi[100] = tvi[99]
        tvi[200] = 1
        assert spans_of(frame_faults(Recording(tvi, 1000.0, (1.0, 1.0)))) == (
            (Span("repeated", 100, 100), Span("lost", 200, 200)) if told else ()
        )


def test_a_frame_that_differs_in_one_pixel_is_recorded():
    for change in (lambda tvi: tvi[29], lambda tvi: np.float32(0)):
        for place in np.ndindex(16, 16):  # whichever pixels are looked at first
            tvi = noise(60, 16, 16)
            tvi[30] = change(tvi)
            tvi[30, *place] += 1
            assert not frame_faults(Recording(tvi, 400.0, (1.0, 1.0))).any()


def test_frames_lost_one_after_another_are_lost_and_not_repeated():
    tvi = noise(60, 16, 16)
    tvi[20:25] = 0
    tvi[25] = tvi[26] = tvi[27]
    assert spans_of(frame_faults(Recording(tvi, 400.0, (1.0, 1.0)))) == (
        Span("lost", 20, 24), Span("repeated", 26, 27),
    )  # fmt: skip


def test_spoilt_frames_are_told_beside_lost_ones_and_at_both_ends():
    tvi = noise(100, 16, 16)
    tvi[20:25] = 0
    tvi[[0, 40, 99]] *= 30
    assert spans_of(frame_faults(Recording(tvi, 400.0, (1.0, 1.0)))) == (
        Span("spoilt", 0, 0), Span("lost", 20, 24), Span("spoilt", 40, 40), Span("spoilt", 99, 99),
    )  # fmt: skip


def test_without_noise_tissue_at_rest_is_not_lost():
    tvi = np.zeros((100, 16, 16), np.float32)
    for half, first in ((slice(8), 10), (slice(8, 16), 40)):
        course = np.sin(np.arange(40) / 7)
        tvi[first : first + 40, :, half] = course[:, None, None]
    assert not frame_faults(Recording(tvi, 400.0, (1.0, 1.0))).any()


def test_most_frames_may_be_lost():
    tvi = noise(200, 16, 16)
    tvi[5:] = 0
    assert spans_of(frame_faults(Recording(tvi, 400.0, (1.0, 1.0)))) == (Span("lost", 5, 199),)
