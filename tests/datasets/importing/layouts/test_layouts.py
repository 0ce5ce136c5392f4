"""Published layouts: what their names mean is known, and images show it."""

import numpy as np
import pytest

from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.imaging import acquisition_of
from musim.datasets.importing.layouts import LAYOUTS
from musim.datasets.importing.layouts.layout import PublishedLayout
from musim.datasets.importing.plausibility import Guess
from musim.datasets.importing.resolving import resolve
from musim.datasets.importing.stores import import_recordings
from musim.datasets.importing.survey import describe
from musim.simulator.imaging.acquisition import PixelGrid
from musim.simulator.imaging.beamforming import beamform
from musim.simulator.imaging.chain import Chain
from tests.datasets.importing.layouts.published_files import (
    ANGLES,
    CENTRE,
    ELEMENTS,
    PITCH,
    PLACES,
    POINT,
    SAMPLES,
    SPEED,
    START,
    echoes,
    write_picmus,
    write_uff,
    write_zea,
)

WRITERS = {"UFF": write_uff, "PICMUS": write_picmus, "zea": write_zea}
CURVE = 0.05 * np.stack([np.sin(PLACES / 0.05), 0 * PLACES, np.cos(PLACES / 0.05) - 1])


@pytest.fixture
def survey(tmp_path):
    """Describe a file of a layout; takes what differs."""

    def call(name, **changes):
        with open_file(WRITERS[name](tmp_path / "a.hdf5", **changes)) as file:
            return describe(file)

    return call


@pytest.mark.parametrize("name", WRITERS)
def test_a_point_is_where_it_was_in_front_of_the_array(name, tmp_path):
    with open_file(WRITERS[name](tmp_path / "a.hdf5")) as file:
        found = describe(file)
        assert (found.layout, found.missing, found.remarks) == (name, (), ())
        assert all(guess.reason for guess in found.guesses)
        recording = resolve(Description.parse(found.values), file)
        rf = recording.array(file).read()[0]
    assert rf.shape == (2, len(ANGLES), ELEMENTS, SAMPLES)
    assert recording.frame_rate == pytest.approx(3000)
    assert recording.centre_frequency == pytest.approx(5.208e6 if name == "PICMUS" else CENTRE)
    assert recording.pitch == pytest.approx(1000 * PITCH)
    assert recording.element_width == pytest.approx(0.3 if name == "PICMUS" else 0.25)
    assert recording.angles == pytest.approx(np.degrees(ANGLES))
    _see_the_point(rf, recording)


def _see_the_point(rf, recording, **options):
    depth, width = (1000 * place for place in POINT)
    near = np.arange(-20, 21) * 0.02
    grid = PixelGrid(depth + near, width + 2 * near)
    image = np.abs(beamform(rf, acquisition_of(recording), grid, **options)[0])
    assert np.unravel_index(image.argmax(), image.shape) == pytest.approx((20, 20), abs=1)
    # Waves of all angles meet in phase there.
    assert image[20, 20] == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("name", "removed", "key"),
    [
        ("UFF", 4.8e6, "modulation_frequency"),
        ("UFF", 0.0, "modulation_frequency"),
        ("PICMUS", 4.8e6, "modulation_frequency"),
        ("zea", 4.8e6, "scan/demodulation_frequency"),
    ],
)
def test_channel_data_that_are_demodulated_are_described_so(name, removed, key, tmp_path):
    iq = echoes(removed=removed)
    if name == "zea":
        iq = np.stack([iq.real, iq.imag], -1).transpose(0, 1, 3, 2, 4)
    rate = "scan/sampling_frequency" if name == "zea" else "sampling_frequency"
    changes = {key: [removed] if name == "PICMUS" else removed, rate: 1e7}
    with open_file(WRITERS[name](tmp_path / "a.hdf5", data=iq, **changes)) as file:
        found = describe(file)
        assert (found.missing, found.remarks) == ((), ())
        recording = resolve(found.description, file)
        data = recording.array(file).read()[0]
    assert data.dtype == np.complex64
    assert data.shape == (2, len(ANGLES), ELEMENTS, SAMPLES // 2)
    assert recording.demodulation_frequency == pytest.approx(removed)
    _see_the_point(data, recording, demodulation_frequency=recording.demodulation_frequency)


@pytest.mark.parametrize("name", WRITERS)
def test_one_frame_is_named_and_the_rest_described(name, survey):
    data = echoes()[:1]
    if name == "zea":
        data = data.transpose(0, 1, 3, 2)[..., None]
    found = survey(name, data=data)
    assert "time" not in found.values["axes"]
    assert set(found.values["axes"]) == {"transmit", "channel", "sample"}
    assert found.remarks[0].startswith("found one frame")
    assert found.to_toml().startswith(f"# laid out as {name}\n# found one frame")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("PICMUS", {"probe_geometry": CURVE}),
        ("zea", {"scan/probe_geometry": CURVE.T}),
        ("UFF", {"probe/geometry": np.concatenate([CURVE, 0 * CURVE, 0 * CURVE[:1]])}),
    ],
)
def test_a_curved_probe_has_no_pitch(name, changes, survey):
    found = survey(name, **changes)
    assert found.missing == ("pitch",)
    assert "no straight and even line" in found.remarks[0]


@pytest.mark.parametrize(
    ("name", "changes", "count"),
    [
        ("zea", {"scan/focus_distances": np.array([np.inf, 0.03, 0.0])}, "1 of 3"),
        ("UFF", {"waves": [{}, *[{"wavefront": 1, "source/distance": 0.03}] * 2]}, "2 of 3"),
        ("UFF", {"waves": [{}, {}, {"source/elevation": 0.1}]}, "1 of 3"),
    ],
)
def test_waves_that_are_not_plane_have_no_angles(name, changes, count, survey):
    found = survey(name, **changes)
    assert found.missing == ("angles",)
    assert found.remarks == (found.remarks[0],)
    assert found.remarks[0].startswith(f"found {count}")
    assert "beamform them first" in found.remarks[0]


@pytest.mark.parametrize("removed", [None, 4.8e6])
def test_a_point_that_comes_nearer_has_its_velocity(removed, tmp_path):
    depths = POINT[0] - 20e-3 * np.arange(8) / 3000
    frames = [echoes(removed=removed, depth=depth)[0] for depth in depths]
    changes = {"modulation_frequency": removed, "sampling_frequency": 1e7} if removed else {}
    path = write_uff(tmp_path / "a.uff", data=np.stack(frames), **changes)
    with open_file(path) as file:
        description = describe(file).description
    store = import_recordings([path], tmp_path / "a.zarr", description, Chain())
    # Images begin a wavelength below the depth of the first sample.
    row = round((1000 * POINT[0] - 1000 * START * SPEED / 2 - 0.375) / 0.15)
    column = round(POINT[1] / PITCH + (ELEMENTS - 1) / 2)
    assert store.dataset["tvi"].values[0, :, row, column] == pytest.approx(20, abs=0.3)


def test_uff_of_before_says_plane_waves_by_their_distance(survey):
    waves = [{"wavefront": 1, "delay": 1e-6 * n} for n in range(3)]
    values = survey("UFF", waves=waves).values
    assert values["angles"] == pytest.approx(np.degrees(ANGLES), abs=1e-4)
    edge = PLACES[-1] * np.abs(np.sin(ANGLES)) / SPEED
    assert values["first_sample"] == pytest.approx(START + edge + [0, 1e-6, 2e-6], abs=1e-10)


def test_uff_with_one_wave_and_with_a_pitch(survey):
    linear = {"probe/geometry": None, "probe/pitch": PITCH, "probe/N": ELEMENTS}
    found = survey("UFF", data=echoes()[:, :1], waves=[{}], **linear)
    assert found.values["axes"] == ["time", "channel", "sample"]
    assert found.values["pitch"] == "channel_data/probe/pitch [m]"
    assert found.values["angles"] == pytest.approx([-12])
    assert found.values["frame_rate"] == pytest.approx(9000)
    assert found.missing == ()
    assert survey("UFF", waves=[]).missing == ("angles",)


def test_zea_with_tracks_and_a_probe_of_its_own(survey):
    places = np.stack([PLACES, 0 * PLACES, 0 * PLACES], 1)
    found = survey(
        "zea",
        place="tracks/track_0/",
        **{"scan/probe_geometry": None, "probe/probe_geometry": places, "tracks/track_1/data/x": 1},
    )
    assert found.values["variable"] == "tracks/track_0/data/raw_data"
    assert (found.values["pitch"], found.missing) == (pytest.approx(0.3), ())
    assert found.remarks == ("found 1 more tracks (track_1), not taken",)


def test_frames_of_zea_that_are_uneven_are_named(survey):
    steps = np.array([[1e-4, 1e-4, 1e-4], [1e-4, 1e-4, 4e-4]])
    found = survey("zea", **{"scan/time_to_next_transmit": steps})
    assert found.values["frame_rate"] == pytest.approx(1 / 4.5e-4)
    assert found.remarks[0].startswith("found frames that take 0.0003 to 0.0006 s")


class OtherLayout(PublishedLayout):
    name = "other"

    @classmethod
    def recognises(cls, file):
        return any(info.name == "other/frames" for info in file.variables)

    def guesses(self):
        yield Guess("kind", "velocity", "so it is")


def test_a_layout_is_added_in_one_place(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", **{"other/frames": np.ones((4, 5, 6), "i2")})
    with open_file(tmp_path / "a.npz") as file:
        assert (describe(file).layout, describe(file).values["kind"]) == ("", "rf")
        monkeypatch.setitem(LAYOUTS, "other", OtherLayout)
        assert (describe(file).layout, describe(file).values) == ("other", {"kind": "velocity"})
