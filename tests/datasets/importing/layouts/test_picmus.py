"""PICMUS: channel data of plane waves, in SI units and rad."""

import h5py
import numpy as np
import pytest

from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.resolving import resolve
from musim.datasets.importing.survey import describe

ELEMENTS = 8


def write_picmus(path, shape, **changes):
    """Write a file as the challenge has them; `shape` ends with (transmit, channel, sample)."""
    places = np.zeros((3, ELEMENTS), "f4")
    places[0] = (np.arange(ELEMENTS) - (ELEMENTS - 1) / 2) * 3e-4
    values = {
        "data/real": np.ones(shape, "f4"), "data/imag": np.zeros(shape, "f4"),
        "angles": np.radians([-5, 0, 5]).astype("f4"), "initial_time": [1e-6],
        "modulation_frequency": [0.0], "PRF": [9000.0], "sampling_frequency": [20.8e6],
        "sound_speed": [1540.0], "probe_geometry": places,
    } | changes  # fmt: skip
    with h5py.File(path, "w") as file:
        for name, value in values.items():
            file[f"US/US_DATASET0000/{name}"] = np.asarray(value)
    return path


@pytest.fixture
def survey(tmp_path):
    def call(*shape, **changes):
        with open_file(write_picmus(tmp_path / "a.hdf5", shape, **changes)) as file:
            return describe(file)

    return call


def test_frames_of_plane_waves_are_described_whole(tmp_path):
    path = write_picmus(tmp_path / "a.hdf5", (4, 3, ELEMENTS, 50))
    with open_file(path) as file:
        survey = describe(file)
        assert (survey.layout, survey.missing, survey.remarks) == ("PICMUS", (), ())
        recording = resolve(Description.parse(survey.values), file)
    assert recording.shape == (1, 4, 3, ELEMENTS, 50)
    assert recording.angles == pytest.approx((-5, 0, 5))
    assert recording.pitch == pytest.approx(0.3)
    assert (recording.frame_rate, recording.centre_frequency) == (3000, 5.208e6)
    assert recording.sampling_frequency == pytest.approx(20.8e6)


def test_one_frame_is_named_and_its_axes_too(survey):
    found = survey(3, ELEMENTS, 50)
    assert found.values["axes"] == ["transmit", "channel", "sample"]
    assert found.remarks[0].startswith("found one frame")
    assert found.to_toml().startswith("# laid out as PICMUS\n# found one frame")


def test_demodulated_channel_data_are_no_rf(survey):
    (remark,) = survey(4, 3, ELEMENTS, 50, modulation_frequency=[5.208e6]).remarks
    assert "demodulated" in remark


def test_a_curved_probe_has_no_pitch(survey):
    turn = np.linspace(-0.3, 0.3, ELEMENTS)
    places = 0.05 * np.stack([np.sin(turn), 0 * turn, np.cos(turn) - 1])
    assert survey(4, 3, ELEMENTS, 50, probe_geometry=places).missing == ("pitch",)
