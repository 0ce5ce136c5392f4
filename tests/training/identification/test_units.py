import numpy as np
import pytest

from musim.training.identification.units import Recording, Units, check, none


def _recording(tvi, frame_rate=400.0, pixel_size=(0.5, 0.5)):
    return Recording(tvi, frame_rate, pixel_size)


def _moving(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_a_sound_recording_passes():
    check(_recording(_moving(8, 2, 3)))


def test_masks_hold_more_than_half_of_each_pixel():
    territory = np.array([[[0.0, 0.5], [0.51, 1.0]]], np.float32)
    units = Units(territory, np.zeros((1, 9), np.float32), np.zeros((1, 0)), np.ones(1))
    assert units.count == 1
    np.testing.assert_array_equal(units.masks, [[[False, False], [True, True]]])


def test_outlines_are_certain_unless_it_is_said_that_they_are_not():
    parts = (np.ones((3, 2, 2), np.float32), np.zeros((3, 9), np.float32), np.zeros((3, 0)),
             np.ones(3))  # fmt: skip
    units = Units(*parts)
    np.testing.assert_array_equal(units.outline_confidence, np.ones(3))
    assert not units.uncertain.any()
    assert (units.remarks, units.residual_sd) == ((), None)
    assert np.isnan(units.explained_share)
    told = Units(*parts, outline_confidence=np.array([0.49, 0.5, 0.0]))
    np.testing.assert_array_equal(told.uncertain, [True, False, True])
    assert len(none(_recording(_moving(9, 3, 4))).outline_confidence) == 0


def test_none_has_the_recordings_shape_and_no_unit():
    units = none(_recording(_moving(9, 3, 4)))
    assert units.count == 0
    assert units.territory.shape == (0, 3, 4)
    assert units.train.shape == (0, 9)
    assert units.firing.shape[0] == units.confidence.shape[0] == 0
    assert units.territory.dtype == units.train.dtype == np.float32


def _with(value):
    tvi = _moving(9, 3, 4)
    tvi[4, 1, 2] = value
    return tvi


@pytest.mark.parametrize(
    ("tvi", "text"),
    [
        (_moving(9, 3), "time, depth, width"),
        ([[[0.0]]], "found list"),
        (_moving(9, 3, 4).astype(float), "found float64, wanted float32"),
        (_moving(0, 3, 4), "found 0 frames"),
        (_moving(1, 3, 4), "found 1 frames"),
        (_moving(7, 3, 4), "found 7 frames, wanted 8"),
        (_moving(9, 0, 4), "found 0 x 4 px"),
        (_moving(9, 3, 1), "found 3 x 1 px"),
        (_with(np.nan), "not finite"),
        (_with(np.inf), "not finite"),
        (_with(-np.inf), "not finite"),
        (np.zeros((9, 3, 4), np.float32), "same value in every frame"),
        (np.broadcast_to(_moving(1, 3, 4), (9, 3, 4)), "same value in every frame"),
    ],
)
def test_what_no_unit_can_be_sought_in_is_refused(tvi, text, refused):
    with refused(text) as caught:
        check(_recording(tvi))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_rates_and_sizes_are_positive_numbers(value, refused):
    for recording in (
        _recording(_moving(9, 3, 4), frame_rate=value),
        _recording(_moving(9, 3, 4), pixel_size=(value, 0.5)),
        _recording(_moving(9, 3, 4), pixel_size=(0.5, value)),
    ):
        with refused("wanted a positive number"):
            check(recording)
