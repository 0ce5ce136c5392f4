import dataclasses
import math
import tracemalloc

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw
from musim.simulator.experiment.anatomy import ARTERY_RADIUS, FINEST
from musim.simulator.experiment.body import (
    BREATHS,
    DRIFT_BAND,
    MUSCLE_BAND,
    TREMOR_BAND,
    body_courses,
    body_fields,
)
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.motion import (
    draw_motion,
    draw_tissue,
    unit_courses,
)
from musim.simulator.twitch import twitch_length, twitch_velocity

SMALL = Parameters(
    units=Range(4, 4), snr=Range(math.inf, math.inf), pixels=(16, 12), size=(20.0, 15.0),
    diameter=Range(3, 6), frames=300, frame_rate=512.0,
)  # fmt: skip
RATE = Doses().pulse_repetition
TRUTH = draw(SMALL, seed=1)


def _doses(**doses):
    return Doses.off(**{name: Range(value, value) for name, value in doses.items()})


def _motion(doses, frames=1200, parameters=SMALL, seed=1, index=0):
    truth = draw(parameters, doses=doses, seed=seed, index=index)
    return draw_motion(parameters, doses, truth, seed, index, frames)


def _courses(crowding=0.0, truth=TRUTH, frames=1200, doses=None, parameters=SMALL):
    return unit_courses(parameters, doses or Doses.off(), crowding, truth, frames)


def _lone(firing, doses=None):
    """A truth of one unit that fires as told."""
    truth = draw(dataclasses.replace(SMALL, units=Range(1, 1)), doses=doses, seed=1)
    return dataclasses.replace(truth, firing=np.array([firing], np.float64))


def test_without_doses_the_units_move_as_in_the_analytic_sequence():
    motion = _motion(Doses.off())
    assert motion.fields.shape == (4, 2, 16 * 4, 12 * 4)
    assert max(motion.pixel_size) <= FINEST
    large = TRUTH.territory.repeat(4, 1).repeat(4, 2)
    np.testing.assert_array_equal(motion.fields[:, 0], large)
    np.testing.assert_array_equal(motion.fields[:, 1], 0)
    # Velocity midway between images 0 and 1 is that at time 0, and so on.
    velocity = np.diff(motion.courses, axis=1) * RATE
    times = np.arange(velocity.shape[1]) / RATE
    for unit in range(4):
        expected = np.zeros(len(times))
        for firing in TRUTH.firing[unit][np.isfinite(TRUTH.firing[unit])]:
            expected += twitch_velocity(
                times - firing, TRUTH.displacement[unit], TRUTH.contraction_time[unit],
                TRUTH.relaxation_ratio[unit],
            )  # fmt: skip
        np.testing.assert_allclose(velocity[unit], expected, atol=5e-4 * np.abs(expected).max())
    train = TRUTH.twitch_train
    found = np.stack([np.interp(np.arange(300) / 512, times, line) for line in velocity])
    np.testing.assert_allclose(found, train, atol=1e-3 * np.abs(train).max())


def test_displacement_is_the_sum_of_fields_times_courses():
    motion = _motion(Doses())
    for frame in (0, 700):
        expected = sum(
            course[frame] * field
            for course, field in zip(motion.courses, motion.fields, strict=True)
        )
        np.testing.assert_allclose(motion.displacement(frame), expected, atol=1e-15)


def test_units_add_up_where_they_do_not_crowd_one_another():
    doses = dataclasses.replace(Doses(), crowding=Range(0, 0))
    motion = _motion(doses)
    every = 3 * 4
    total = np.tensordot(motion.courses[:every, 500], motion.fields[:every, 0], 1)
    tissue, alone = motion.tissue, np.zeros_like(total)
    from musim.simulator.experiment.tissue import unit_fields

    for unit in range(4):
        truth = dataclasses.replace(TRUTH)
        courses = unit_courses(SMALL, doses, 0.0, truth, 1200)[unit]
        territory = TRUTH.territory[unit].repeat(4, 0).repeat(4, 1)
        alone += np.tensordot(courses[:, 500], unit_fields(tissue, territory, unit)[:, 0], 1)
    np.testing.assert_allclose(total, alone, rtol=0, atol=1e-15)


def test_a_lone_unit_peaks_at_its_displacement_and_returns_to_rest():
    truth = _lone([0.05])
    displacement, velocity, acceleration = _courses(truth=truth, frames=3000)[0]
    peak = displacement.argmax()
    assert displacement[peak] == pytest.approx(truth.displacement[0] / 1000, rel=1e-4)
    expected = 0.05 + truth.contraction_time[0] / 1000
    assert (peak - 0.5) / RATE == pytest.approx(expected, abs=0.001)
    assert np.abs(displacement[:100]).max() == 0
    over = round((0.05 + twitch_length(SMALL)) * RATE) + 2
    assert np.abs(displacement[over:]).max() < 1e-4 * displacement[peak]
    assert np.abs(velocity[over:]).max() == 0
    assert np.abs(acceleration[over:]).max() == 0
    np.testing.assert_allclose(velocity[1:-1], np.gradient(displacement, 1 / RATE)[1:-1],
                               atol=2e-3 * velocity.max())  # fmt: skip


def test_a_truth_without_doses_moves_in_no_tissue(refused):
    with refused("truth: found one without drawn doses"):
        draw_motion(SMALL, Doses(), TRUTH, 1, 0, 100)


def test_the_whole_field_returns_to_rest_after_a_twitch():
    doses = dataclasses.replace(
        Doses(), artery=Range(0, 0), drift=Range(0, 0), breathing=Range(0, 0)
    )
    motion = draw_motion(SMALL, doses, _lone([0.05], doses), 1, 0, 3000)
    largest = max(np.abs(motion.displacement(frame)).max() for frame in range(100, 600, 10))
    assert largest > 0.003
    for frame in (0, 50, 2700, 2999):
        assert np.abs(motion.displacement(frame)).max() < 1e-4 * largest


def test_twitches_before_the_start_are_under_way():
    truth = _lone([-0.05])
    displacement = _courses(truth=truth)[0, 0]
    before = _courses(truth=_lone([0.15]))[0, 0]
    np.testing.assert_allclose(displacement[:800], before[400:], atol=1e-6 * before.max())


def test_crowding_divides_by_what_the_others_do():
    free, crowded = _courses(), _courses(0.3)
    activity = np.abs(free[:, 0]) / (TRUTH.displacement[:, None] / 1000)
    for unit in range(4):
        others = np.delete(activity, unit, axis=0).sum(axis=0)
        expected = free[unit, 0] / (1 + 0.3 * others)
        np.testing.assert_allclose(crowded[unit, 0], expected, rtol=1e-12)
        for order in (1, 2):
            # The first and the last one are one-sided differences here.
            np.testing.assert_allclose(
                crowded[unit, order, 1:-1],
                np.gradient(crowded[unit, order - 1], 1 / RATE)[1:-1],
                rtol=1e-9,
                atol=0.01 * np.abs(crowded[unit, order]).max(),
            )
    assert np.abs(crowded[:, 0]).max() < np.abs(free[:, 0]).max()


def test_a_lone_unit_is_not_crowded():
    truth = _lone([0.05, 0.15])
    np.testing.assert_allclose(_courses(1.0, truth)[0, 0], _courses(0.0, truth)[0, 0], rtol=1e-12)


def test_fused_twitches_are_compressed_beyond_the_peak_of_one():
    # 40 firings a second: some three peaks in all, hardly rippled.
    truth = _lone(np.arange(-0.5, 1.0, 0.025))
    free = _courses(truth=truth, frames=2000)[0]
    peak = truth.displacement[0] / 1000
    level = free[0, 1000:].mean() / peak
    assert level > 2.5
    for fusion in (0.25, 2.0):
        fused = _courses_fused(truth, fusion)
        expected = peak * (1 + (level - 1) / (1 + fusion * (level - 1)))
        assert fused[0, 1000:].mean() == pytest.approx(expected, rel=1e-3)
        # Ripples are scaled by the compression's slope.
        slope = 1 / (1 + fusion * (level - 1)) ** 2
        assert np.ptp(fused[0, 1000:]) == pytest.approx(slope * np.ptp(free[0, 1000:]), rel=0.05)
        np.testing.assert_allclose(fused[1, 1:-1], np.gradient(fused[0], 1 / RATE)[1:-1], rtol=1e-9)
    lone = _lone([0.05])
    np.testing.assert_allclose(
        _courses_fused(lone, 2.0)[0], _courses(truth=lone, frames=2000)[0, 0], atol=1e-4 * peak
    )


def _courses_fused(truth, fusion):
    return unit_courses(SMALL, Doses.off(), 0.0, truth, 2000, fusion=fusion)[0]


def test_amplitude_falls_as_more_units_are_active():
    peaks = []
    for units in (1, 4, 16):
        parameters = dataclasses.replace(SMALL, units=Range(units, units))
        truth = draw(parameters, seed=2)
        ratio = _courses(0.05, truth)[:, 0].std(axis=1) / _courses(0.0, truth)[:, 0].std(axis=1)
        peaks.append(ratio.mean())
    assert peaks[0] == pytest.approx(1)
    assert 0.7 < peaks[1] < 0.95
    assert peaks[2] < peaks[1] - 0.15


def test_long_sequences_of_many_pixels_are_no_obstacle():
    # 2000 images a second of them would be more voxels than a sequence may have.
    parameters = Parameters(
        units=Range(1, 1), frames=60_000, frame_rate=256.0, pixels=(180, 180), diameter=Range(9, 9)
    )
    truth = _lone([0.05])
    courses = _courses(truth=truth, frames=70_000, parameters=parameters)
    assert courses.shape == (1, 3, 70_000)


def test_half_a_minute_takes_some_times_the_memory_of_its_courses():
    doses = Doses.from_texts({}, "hard")
    truth = draw(SMALL, doses=doses, seed=1)
    tracemalloc.start()
    motion = draw_motion(SMALL, doses, truth, 1, 0, 60_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert motion.courses.shape == (12 + 5, 60_000)
    assert peak < 6 * motion.courses.nbytes


def _body(frames=20_000, seed=1, index=0, **doses):
    chosen = _doses(**doses)
    parameters = dataclasses.replace(SMALL, fat=Range(4, 4))
    tissue = draw_tissue(parameters, chosen.draw(seed, index), 4.0, seed, index)
    courses = body_courses(tissue, chosen, frames, index)
    return tissue, list(zip(body_fields(tissue), courses, strict=True))


def test_a_body_without_doses_is_still():
    assert _body(heart_rate=70.0)[1] == []


@pytest.mark.parametrize("name", ["artery", "drift", "breathing", "tremor", "muscle_motion"])
def test_one_of_the_body_s_motions_leaves_the_others_as_they_were(name):
    all_of = {
        "artery": 50.0, "drift": 20.0, "breathing": 40.0, "tremor": 3.0, "muscle_motion": 5.0,
    }  # fmt: skip
    _, together = _body(500, heart_rate=70.0, **all_of)
    _, alone = _body(500, heart_rate=70.0, **{name: all_of[name]})
    assert len(together) == 5
    assert len(alone) == 1
    for found, expected in zip(alone[0], together[list(all_of).index(name)], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_an_artery_moves_its_surroundings_as_one_over_distance():
    tissue, ((field, _),) = _body(100, artery=50.0, heart_rate=70.0)
    size = np.hypot(*field)
    dx = tissue.pixel_size[1]
    # The centre, by the direction of motion all around it.
    z, x = np.meshgrid(tissue.depths, (np.arange(size.shape[1]) + 0.5) * dx, indexing="ij")
    up, right = field / size
    a = np.array([[(right**2).sum(), (up * right).sum()], [(up * right).sum(), (up**2).sum()]])
    b = np.array([(right * (right * z + up * x)).sum(), (up * (right * z + up * x)).sum()])
    centre = np.linalg.solve(a, b)
    distance = np.hypot(z - centre[0], x - centre[1])
    far, near = distance > ARTERY_RADIUS[1], distance < ARTERY_RADIUS[0]
    radius = size[far] * distance[far]
    assert radius.std() < 1e-6
    assert ARTERY_RADIUS[0] <= radius.mean() <= ARTERY_RADIUS[1]
    np.testing.assert_allclose(size[near], distance[near] / radius.mean(), atol=1e-6)
    # It widens: up above it, to the right on its right.
    above = (z < centre[0] - 1) & (np.abs(x - centre[1]) < 0.5)
    assert (field[0][above] > 0).all()
    assert (field[1][(x > centre[1] + 1)] > 0).all()
    assert 0.5 * SMALL.size[0] < centre[0] < 0.9 * SMALL.size[0]
    # Which is where the truth says.
    truth = draw(SMALL, doses=_doses(artery=50.0, heart_rate=70.0), seed=1)
    told = truth.artery_depth, truth.artery_width, truth.artery_radius
    assert told == pytest.approx((*centre, radius.mean()), abs=1e-6)
    assert math.isnan(draw(SMALL, doses=_doses(drift=50.0), seed=1).artery_depth)
    assert math.isnan(TRUTH.artery_radius)


@pytest.mark.parametrize("rate", [55.0, 85.0])
def test_an_artery_beats_at_heart_rate(rate):
    _, ((_, course),) = _body(60_000, artery=50.0, heart_rate=rate)
    assert course.max() == pytest.approx(0.05, rel=0.1)
    spectrum = np.abs(np.fft.rfft(course - course.mean()))
    frequency = np.fft.rfftfreq(60_000, 1 / RATE)
    assert frequency[spectrum.argmax()] == pytest.approx(rate / 60, rel=0.03)
    rising = np.flatnonzero((course[1:] > 0.025) & (course[:-1] <= 0.025))
    assert np.diff(rising).mean() / RATE == pytest.approx(60 / rate, rel=0.03)
    assert 0.01 < np.diff(rising).std() / np.diff(rising).mean() < 0.05


def test_beats_are_under_way_from_the_start():
    for index in range(5):
        _, ((_, course),) = _body(2000, index=index, artery=50.0, heart_rate=60.0)
        # One beat, wherever it begins: as much as any other.
        _, ((_, longer),) = _body(6000, index=index, artery=50.0, heart_rate=60.0)
        np.testing.assert_array_equal(longer[:2000], course)
        assert course.max() == pytest.approx(longer.max(), rel=0.1)


def test_the_probe_drifts_slowly_and_tilts():
    sds = []
    for index in range(6):
        _, ((field, course),) = _body(200_000, index=index, drift=20.0)
        sds.append(course.std())
        spectrum = np.abs(np.fft.rfft(course)) ** 2
        frequency = np.fft.rfftfreq(len(course), 1 / RATE)
        inside = (frequency > 0.8 * DRIFT_BAND[0]) & (frequency < 1.1 * DRIFT_BAND[1])
        assert spectrum[inside].sum() > 0.97 * spectrum.sum()
        assert np.ptp(field[0], axis=0).max() == 0
        slope = np.diff(field[0, 0])
        np.testing.assert_allclose(slope, slope[0], atol=1e-12)
        assert np.abs(field[0] - 1).max() <= 0.31
        np.testing.assert_array_equal(field[1], 0)
    np.testing.assert_allclose(sds, 0.02, rtol=0.25)


def test_breathing_grows_with_depth():
    tissue, ((field, course),) = _body(40_000, breathing=40.0)
    np.testing.assert_allclose(field[0, :, 0], tissue.depths / tissue.depths[-1])
    assert np.ptp(field[0], axis=1).max() == 0
    assert course.max() == pytest.approx(0.04, rel=1e-3)
    assert course.min() == pytest.approx(-0.04, rel=1e-3)
    crossings = np.flatnonzero(np.diff(np.sign(course)))
    frequency = RATE / (2 * np.diff(crossings).mean())
    assert BREATHS[0] - 0.01 <= frequency <= BREATHS[1] + 0.01


def _share_in_band(course, band):
    spectrum = np.abs(np.fft.rfft(course * np.hanning(len(course)))) ** 2
    frequency = np.fft.rfftfreq(len(course), 1 / RATE)
    inside = (frequency > band[0] - 0.1) & (frequency < band[1] + 0.1)
    return spectrum[inside].sum() / spectrum.sum()


def test_tremor_shakes_what_is_deep_at_8_to_12_hz():
    for index in range(3):
        tissue, ((field, course),) = _body(200_000, index=index, tremor=3.0)
        assert course.std() == pytest.approx(0.003, rel=0.05)
        assert _share_in_band(course, TREMOR_BAND) > 0.999
        depths = 0.5 + 0.5 * tissue.depths / tissue.depths[-1]
        np.testing.assert_allclose(field[0].mean(axis=1), depths, rtol=0.02)
        np.testing.assert_allclose(field[0] / field[0, :1], np.outer(depths / depths[0],
                                   np.ones(field.shape[2])), rtol=1e-12)  # fmt: skip
        np.testing.assert_array_equal(field[1], 0)


def test_the_whole_muscle_moves_below_fat_that_holds_it_back():
    shapes = []
    for index in range(3):
        tissue, ((field, course),) = _body(200_000, index=index, muscle_motion=5.0, layer=0.8)
        assert course.std() == pytest.approx(0.005, rel=0.05)
        assert _share_in_band(course, MUSCLE_BAND) > 0.999
        # The imaging chain passes what is above 5 Hz: most of the velocity.
        assert _share_in_band(np.diff(course), (5, 50)) > 0.6
        shapes.append(field[0, -1])
        np.testing.assert_allclose(field[0], np.outer(tissue.follows, shapes[-1]), rtol=1e-6)
        assert 0 <= shapes[-1].min() < shapes[-1].max() <= 2
    assert np.ptp([shape.argmax() for shape in shapes]) > 0


def test_fat_holds_the_artery_back_and_the_probe_s_drift_does_not():
    _, still = _body(10, artery=50.0, drift=20.0, layer=1.0)
    _, free = _body(10, artery=50.0, drift=20.0)
    shallow = slice(0, 6)  # less than 2 mm of 4
    assert np.abs(still[0][0][:, shallow]).max() < 0.02 * np.abs(free[0][0][:, shallow]).max()
    np.testing.assert_array_equal(still[1][0], free[1][0])


def test_the_same_subject_moves_alike_and_another_does_not():
    first, same, other = (_motion(Doses(), 100, index=index) for index in (0, 0, 1))
    np.testing.assert_array_equal(first.fields, same.fields)
    np.testing.assert_array_equal(first.courses, same.courses)
    assert first.tissue.doses != other.tissue.doses
    assert (first.tissue.fascicles.shape != other.tissue.fascicles.shape) or (
        first.tissue.fascicles != other.tissue.fascicles
    ).any()


def test_longer_recordings_begin_as_shorter_ones_do():
    short, long = _motion(Doses(), 300), _motion(Doses(), 900)
    np.testing.assert_array_equal(short.fields, long.fields)
    # Differences at the end of a course are one-sided.
    np.testing.assert_allclose(long.courses[:, :298], short.courses[:, :298], rtol=1e-9, atol=1e-15)


def test_effects_change_motion_alone_and_each_its_own():
    base = _motion(Doses())
    for name in ("artery", "drift", "breathing"):
        without = _motion(dataclasses.replace(Doses(), **{name: Range(0, 0)}))
        assert len(without.fields) == len(base.fields) - 1
        np.testing.assert_array_equal(without.fields[:12], base.fields[:12])
        np.testing.assert_array_equal(without.courses[:12], base.courses[:12])
