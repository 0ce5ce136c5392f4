import pytest

from musim.simulator import Parameters, Range


def _message(error):
    text = str(error.value)
    assert len(text.splitlines()) == 1
    return text


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("diameter", {"diameter": Range(5, 30), "muscle": (50.0, 20.0)}),
        ("diameter", {"territory": "ellipse", "diameter": Range(5, 30), "axis_ratio": Range(1, 4)}),
        ("refractory_period", {"refractory_period": 50.0, "firing_rate": Range(8, 20)}),
        ("doublet_interval", {"doublet_interval": 90.0, "doublets": Range(0, 0.1)}),
        ("frames", {"frames": 2**20, "pixels": (64, 64)}),
    ],
)
def test_values_that_do_not_go_together_are_refused(name, values, refused):
    with refused() as error:
        Parameters(**values)
    assert name in _message(error).partition(": found ")[0]


@pytest.mark.parametrize(
    "values",
    [
        {"fat": Range(41, 41)},
        {"fat": Range(3, 35)},
        {"fat": Range(40, 40), "diameter": Range(1, 2)},
        # A muscle that goes on below the image does not help units to show.
        {"fat": Range(45, 45), "muscle": (60.0, 60.0), "diameter": Range(2, 3)},
        {"fat": Range(25, 25), "muscle": (20.0, 20.0)},
    ],
)
def test_fat_that_leaves_no_room_for_muscle_is_refused(values, refused):
    with refused() as error:
        Parameters(**values)
    assert _message(error).startswith(f"fat: found up to {values['fat'].high:g} mm")


def test_masks_that_no_memory_holds_are_refused(refused):
    with refused("pixels"):
        Parameters(pixels=(40_000, 40_000), frames=1)


def test_a_waveform_in_milliseconds_is_refused(refused):
    # It would be a twitch of minutes, and a train of that length before every sequence.
    with refused("waveform"):
        Parameters.from_texts({"waveform": "0,0\n80,1\n400,0"})
