"""Trials: what tells activity from rotation, and what depends on what."""

import dataclasses

import numpy as np
import pytest

from musim.simulator.calf.motion import MODES, displacement, fascicle
from musim.simulator.calf.tasks import TASKS, Protocol
from musim.simulator.calf.trial import run_trial

SHORT = Protocol(rest=2, duration=40)


def test_a_trial_is_recorded_as_the_paper_says(participant_of):
    trial = run_trial(participant_of(), "combined")
    for name, values in vars(trial).items():
        samples = 4750 if values.shape[-1] == 4750 else 190_000
        assert values.shape == ((len(MODES), 4750) if name == "courses" else (samples,))
        assert values.dtype == (np.float64 if "times" in name else np.float32)
        if name != "shown":
            assert np.isfinite(values).all()
    np.testing.assert_array_equal(trial.frame_times, trial.times[::40])
    # Nothing is shown, and nothing is done, in the first ten seconds.
    resting = trial.times < 0
    assert np.isnan(trial.shown[resting]).all()
    assert not np.isnan(trial.shown[~resting]).any()
    assert not trial.active_torque[resting].any()
    assert not trial.true_angle[resting].any()
    # SD of the change from frame to frame: 0.139 deg / sqrt(1 - 0.705), of Table 4.
    assert np.diff(trial.true_angle[::40]).std() == pytest.approx(0.256, rel=0.05)


def test_the_same_seed_gives_the_same_bytes(participant_of):
    trials = [run_trial(participant_of(3), "combined", SHORT) for _ in range(2)]
    for first, second in zip(*(dataclasses.astuple(trial) for trial in trials), strict=True):
        assert first.tobytes() == second.tobytes()


def test_participants_and_tasks_are_independent(participant_of):
    emg = [
        run_trial(participant_of(index, seed=seed), task, SHORT).emg[:2000]
        for seed in (0, 1)
        for index in (0, 1)
        for task in TASKS
    ]
    alike = np.corrcoef(emg) - np.eye(len(emg))
    assert np.abs(alike).max() < 0.1


def test_a_longer_trial_begins_as_a_shorter_one(participant_of):
    participant = participant_of()
    long, short = (
        run_trial(participant, "combined", Protocol(rest=2, duration=seconds))
        for seconds in (40, 10)
    )
    # The amplitude of EMG looks ahead, and sees the end.
    for name in ("excitation", "emg", "torque", "angle", "courses", "out_of_plane"):
        kept = getattr(short, name)
        np.testing.assert_array_equal(getattr(long, name)[..., : kept.shape[-1]], kept)


def test_isometric_motion_follows_torque_alone(participant_of):
    participant = participant_of(probe_drift=0, torque_noise=0)
    trial = run_trial(participant, "isometric", SHORT)
    assert not trial.true_angle.any()
    assert trial.angle.std() == pytest.approx(participant.drawn["angle_noise"], rel=0.05)
    named = dict(zip(MODES, trial.courses, strict=True))
    assert not named["sliding"].any()
    order = np.argsort(trial.active_torque[::40])
    assert (np.diff(named["shear"][order]) >= 0).all()
    assert np.ptp(named["shear"]) > 0.5
    assert np.ptp(trial.passive_torque) == 0
    assert np.corrcoef(trial.emg_amplitude[::40], trial.torque[::40])[0, 1] > 0.8


def test_passive_motion_follows_the_angle_alone(participant_of):
    participant = participant_of(probe_drift=0)
    trial = run_trial(participant, "passive", SHORT)
    assert np.isnan(trial.shown).all()
    assert not trial.active_torque.any()
    assert trial.emg.std() == pytest.approx(participant.drawn["emg_noise"], rel=0.02)
    named = dict(zip(MODES, trial.courses, strict=True))
    sliding = participant.drawn["sliding"] * trial.true_angle[::40]
    np.testing.assert_allclose(named["sliding"], sliding, atol=2e-6)
    assert np.ptp(named["sliding"]) > 4 * np.ptp(named["shear"])
    assert np.corrcoef(trial.true_angle, trial.passive_torque)[0, 1] > 0.9


def test_the_combined_task_spans_what_the_others_do_alone(participant_of):
    participant = participant_of(2, probe_drift=0)
    # Displacement over some places, as a picture has it.
    share, along = (each.ravel() for each in np.meshgrid(np.linspace(0, 1, 5), [-15, 0.0, 15]))
    moved = {
        task: displacement(
            participant, share, along, run_trial(participant, task, SHORT).courses
        ).reshape(2 * 15, -1)
        for task in TASKS
    }
    values = {task: np.linalg.svd(each)[1] for task, each in moved.items()}
    assert values["isometric"][1] < 0.1 * values["isometric"][0]
    assert values["passive"][1] < 0.1 * values["passive"][0]
    assert values["combined"][1] > 0.2 * values["combined"][0]
    assert values["combined"][2] < 0.1 * values["combined"][0]
    # And activity pulls the deep and the superficial part apart, rotation does not.
    for task, apart in (("isometric", True), ("passive", False)):
        pattern = np.linalg.svd(moved[task])[0][:, 0].reshape(2, 3, 5)[1, 1]
        assert (np.sign(pattern[0]) != np.sign(pattern[-1])) == apart


def test_fascicles_and_thickness_are_those_of_the_courses(participant_of):
    participant = participant_of(1)
    trial = run_trial(participant, "combined", SHORT)
    length, pennation = fascicle(participant, trial.courses)
    np.testing.assert_allclose(trial.fascicle_length, length, rtol=1e-5)
    np.testing.assert_allclose(trial.pennation, pennation, rtol=1e-5)
    top, foot = displacement(participant, np.array([0.0, 1.0]), 0.0, trial.courses)[0]
    np.testing.assert_allclose(trial.thickness, participant.thickness + top - foot, rtol=1e-5)
    # Contraction makes them shorter and steeper than they were.
    assert length[trial.frame_times < 0].min() > length.min() + 1
    assert pennation[trial.frame_times < 0].max() < pennation.max() - 0.5


def test_the_probe_drifts_and_the_muscle_leaves_its_plane(participant_of):
    still = {"probe_drift": 0, "out_of_plane_drift": 0}
    trial = run_trial(participant_of(**still, out_of_plane=0.5), "combined", SHORT)
    named = dict(zip(MODES, trial.courses, strict=True))
    assert not named["probe_shift"].any()
    across = 0.5 * (named["sliding"] + named["shear"])
    np.testing.assert_allclose(trial.out_of_plane, across, atol=3e-6)
    participant = participant_of(probe_drift=0.2, out_of_plane_drift=0.1, out_of_plane=0)
    slow = run_trial(participant, "passive", Protocol(rest=0, duration=300))
    shift = slow.courses[list(MODES).index("probe_shift")]
    assert shift.std() == pytest.approx(0.2, rel=0.2)
    assert slow.out_of_plane.std() == pytest.approx(0.1, rel=0.2)
    assert abs(np.corrcoef(shift, slow.out_of_plane)[0, 1]) < 0.2


@pytest.mark.parametrize("delay", [0, 0.012, 0.06])
def test_the_electromechanical_delay_is_found_again(participant_of, delay):
    participant = participant_of(
        electromechanical_delay=delay, torque_noise=0, rise=0.001, fall=0.001
    )
    trial = run_trial(participant, "isometric", Protocol(rest=1, duration=20))
    lags = np.arange(-20, 101)

    def found(course):
        steps = np.diff(course.astype(np.float64))
        wanted = np.diff(trial.torque.astype(np.float64))[200:-200]
        earlier = (steps[200 - n : len(steps) - 200 - n] for n in lags)
        agree = [np.corrcoef(each, wanted)[0, 1] for each in earlier]
        return lags[int(np.argmax(agree))] / 1000

    # By samples, activation of 0.001 s is 1 / (1 - exp(-1)) of them late; EMG tells with noise.
    assert found(trial.excitation) == pytest.approx(delay + 0.0016, abs=0.0006)
    assert found(trial.activation) == pytest.approx(delay, abs=0.0005)
    assert found(trial.emg_amplitude) == pytest.approx(delay, abs=0.02)


def test_drive_comes_late_by_the_delay_of_tracking(participant_of):
    quick, late = (
        run_trial(participant_of(tracking_delay=delay, tracking_noise=0), "isometric", SHORT)
        for delay in (0, 0.3)
    )
    assert np.ptp(quick.excitation) > 0.05
    np.testing.assert_allclose(late.excitation[300:], quick.excitation[:-300], atol=1e-6)


def test_emg_is_of_the_drive_whatever_the_muscle_makes_of_it(participant_of):
    quick, slow = (
        run_trial(participant_of(rise=tau, fall=tau), "isometric", SHORT) for tau in (0.005, 0.1)
    )
    np.testing.assert_array_equal(slow.emg, quick.emg)
    assert np.abs(slow.torque - quick.torque).max() > 1


def test_torque_is_the_sum_of_both_and_of_noise(participant_of):
    participant = participant_of(torque_noise=0.05, force_length=0.02)
    trial = run_trial(participant, "combined", SHORT)
    rest = trial.torque - trial.active_torque - trial.passive_torque
    assert rest.std() == pytest.approx(0.05, rel=0.02)
    # Each sensor has noise of its own.
    assert abs(np.corrcoef(rest, trial.angle - trial.true_angle)[0, 1]) < 0.03
    force = trial.active_torque / (1 + 0.02 * trial.true_angle)
    delay = participant.drawn["electromechanical_delay"]
    wanted = participant.drawn["maximal_torque"] * np.interp(
        trial.times - delay, trial.times, trial.activation
    )
    np.testing.assert_allclose(force, wanted, atol=1e-3)


def test_unknown_tasks_are_refused(participant_of, refused):
    with refused("task: found 'eccentric'", "wanted one of isometric, passive, combined"):
        run_trial(participant_of(), "eccentric")
