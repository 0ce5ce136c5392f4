"""Recordings of the quick experiment: superposition, windows and seeds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musim.simulator import PRESETS, Parameters, Range, draw
from musim.simulator.errors import InputError
from musim.simulator.experiment.doses import PRESETS as DOSE_PRESETS
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import (
    MOST_ACROSS,
    Recording,
    check_quick,
    colour,
    draw_recording,
    noise_grid,
    render_recording,
)
from musim.simulator.experiment.recording import simulate

PARAMETERS = Parameters(**{
    **PRESETS["experiment"], "units": Range(2, 3), "pixels": (13, 11), "size": (12.0, 10.0),
    "frames": 150, "fat": Range(1, 1), "diameter": Range(2.5, 5),
})  # fmt: skip
DOSES = Doses(image=(80, 40))
COLOUR = colour(PARAMETERS, DOSES)


def _recording(seed=1, index=0, doses=DOSES):
    truth = draw(PARAMETERS, doses=doses, seed=seed, index=index)
    return draw_recording(PARAMETERS, doses, truth, seed=seed, index=index)


RECORDING = _recording()
WHOLE = render_recording(RECORDING, COLOUR)


def _slowly(recording):
    """The sums of the module's first lines, in float64."""
    frames = recording.motion_course.shape[1]
    shape = recording.motion_map.shape[1:]
    total = np.einsum(
        "mt,mzx->tzx", recording.motion_course.astype(float), recording.motion_map.astype(float)
    )
    reach, step = COLOUR.reach, COLOUR.step
    points = (frames + 2 * reach) // step + 1
    grid = noise_grid(recording.noise_key, COLOUR, 0, points, shape).astype(float)
    for frame in range(frames):
        for point in range(points):
            place = frame - (point * step - reach) + reach
            if 0 <= place <= 2 * reach:
                for order in range(2):
                    factor = COLOUR.responses[order, place]
                    total[frame] += factor * recording.noise_map[order] * grid[point]
    return total


def test_a_recording_is_maps_times_courses_and_coloured_noise():
    assert RECORDING.noise_map.all()
    np.testing.assert_allclose(WHOLE, _slowly(RECORDING), atol=2e-6 * np.abs(WHOLE).max())


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_window_equals_that_window_of_the_whole(data):
    window = []
    for length in WHOLE.shape:
        start = data.draw(st.integers(0, length - 1))
        window.append(slice(start, data.draw(st.integers(start + 1, length))))
    time, depth, width = window
    found = render_recording(RECORDING, COLOUR, time=time, depth=depth, width=width)
    np.testing.assert_array_equal(found, WHOLE[time, depth, width])


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    again = _recording()
    for name in Recording.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(again, name), getattr(RECORDING, name))
    other = _recording(index=1)
    assert not np.array_equal(other.noise_key, RECORDING.noise_key)
    assert other.motion_map.shape != RECORDING.motion_map.shape or (
        not np.allclose(other.motion_map, RECORDING.motion_map)
    )


def test_a_recording_without_noise_is_maps_times_courses():
    recording = _recording(doses=Doses(image=(80, 40), thermal_noise=Range(0, 0)))
    wanted = np.einsum("mt,mzx->tzx", recording.motion_course, recording.motion_map)
    np.testing.assert_allclose(render_recording(recording, COLOUR), wanted, atol=1e-6)


def test_noise_at_the_edges_is_like_noise_inside():
    grid = noise_grid(RECORDING.noise_key, COLOUR, 0, 400, (13, 11))
    sd = grid.std(axis=0)
    assert sd.mean() == pytest.approx(1, abs=0.02)
    assert sd[[0, -1]].mean() == pytest.approx(1, abs=0.05)
    assert sd[:, [0, -1]].mean() == pytest.approx(1, abs=0.05)
    later = noise_grid(RECORDING.noise_key, COLOUR, 7, 33, (13, 11))
    np.testing.assert_array_equal(later, grid[7:33])


def test_motion_that_aliases_is_refused():
    fast = Parameters.from_json({**PARAMETERS.to_json(), "displacement": [90_000, 90_000]})
    truth = draw(fast, doses=DOSES, seed=1)
    with pytest.raises(InputError, match="displacement: found tissue that moves"):
        draw_recording(fast, DOSES, truth, seed=1)


def test_tissue_that_leaves_the_plane_is_refused():
    check_quick(PARAMETERS, Doses())
    # SDs of 30, 40 and 120 um: 130 in all. Breathing is a sine: its SD is its amplitude over 1.414.
    doses = {"tremor": 30, "muscle_motion": 40, "drift": 0, "breathing": 120 * np.sqrt(2)}
    moving = {name: Range(0, dose) for name, dose in doses.items()}
    most = MOST_ACROSS / 0.13
    check_quick(PARAMETERS, Doses(**moving, out_of_plane=Range(1, 0.99 * most)))
    for name in ("tremor", "muscle_motion", "drift", "breathing", "out_of_plane"):
        more = {**moving, "out_of_plane": Range(1, 0.99 * most)}
        more[name] = Range(0, 1.3 * more[name].high + 20)
        with pytest.raises(InputError, match="moves across the plane"):
            check_quick(PARAMETERS, Doses(**more))
    with pytest.raises(InputError, match=r"found tissue that moves across .* 2\.6 mm \(SD\)"):
        check_quick(PARAMETERS, Doses(
            drift=Range(0, 100), breathing=Range(0, 240 * np.sqrt(2)), out_of_plane=Range(1, 10),
        ))  # fmt: skip


@pytest.mark.parametrize("preset", ["easy", "typical", "hard"])
def test_maps_times_courses_are_what_the_images_show_whatever_the_doses(preset):
    # All doses but noise, which is random: clutter, contact, warp, tremor, saturation.
    still = {"noise_at_depth": Range(0, 0), "thermal_noise": Range(0, 0)}
    doses = Doses(**{**DOSE_PRESETS[preset], **still, "image": (80, 40)})
    parameters = Parameters(**{
        **PRESETS[preset], "units": Range(3, 3), "pixels": (26, 22), "size": (12.0, 10.0),
        "frames": 300, "fat": Range(1.5, 1.5), "diameter": Range(2.5, 4),
        "axis_ratio": Range(1, 1.5),
    })  # fmt: skip
    for index in range(2):
        truth = draw(parameters, doses=doses, seed=5, index=index)
        full = simulate(parameters, doses, truth, seed=5, index=index).astype(float)
        recording = draw_recording(parameters, doses, truth, seed=5, index=index)
        quick = np.tensordot(recording.motion_course.T, recording.motion_map, 1)
        inner = np.s_[40:-40]
        left = ((full - quick)[inner] ** 2).sum() / (full[inner] ** 2).sum()
        assert left < 0.01  # found: 0.001 to 0.002


@pytest.mark.parametrize("out", [
    np.empty((150, 13, 10), np.float32), np.empty((150, 13, 11)),
    np.empty((150, 13, 22), np.float32)[:, :, ::2],
])  # fmt: skip
def test_memory_that_does_not_fit_is_refused(out):
    with pytest.raises(InputError, match=r"out: found .*, wanted a writeable, C-contiguous"):
        render_recording(RECORDING, COLOUR, out=out)
