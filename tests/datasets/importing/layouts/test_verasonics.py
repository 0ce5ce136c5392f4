"""Workspaces of a Vantage: acquisitions along the rows of a frame, channels out of order."""

import numpy as np
import pytest
import scipy.io

from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.imaging import acquisition_of
from musim.datasets.importing.resolving import resolve
from musim.datasets.importing.stores import import_recordings
from musim.datasets.importing.survey import describe
from musim.simulator.imaging.acquisition import PixelGrid
from musim.simulator.imaging.beamforming import beamform
from musim.simulator.imaging.chain import Chain
from tests.datasets.importing.conftest import write_matlab73
from tests.datasets.importing.layouts.published_files import (
    ANGLES,
    CENTRE,
    ELEMENTS,
    PITCH,
    PLACES,
    POINT,
    SAMPLES,
    SAMPLING,
    SPEED,
    echoes,
)

FRAMES, REPEATS, COLUMNS, SPARE = 2, 3, 40, 37
WAVES = len(ANGLES)
CONNECTOR = 1 + np.random.default_rng(0).permutation(COLUMNS)[:ELEMENTS]
GAIN = 1000 * (1 + 0.1 * np.arange(FRAMES * REPEATS))  # tells the frames apart


def table(rows):
    """Return an array of structs of dicts, as scipy writes it."""
    result = np.empty((1, len(rows)), [(name, object) for name in rows[0]])
    for place, row in enumerate(rows):
        for name, value in row.items():
            result[0, place][name] = value
    return result


def cell(*values):
    result = np.empty((1, len(values)), object)
    for place, value in enumerate(values):
        result[0, place] = value
    return result


def workspace(paired=False, **changes):
    """Return a workspace whose first sample is 40 wavelengths after the first element fires.

    Of `paired` samples, two of four are kept.
    """
    fired = (np.sin(ANGLES)[:, None] * PLACES).min(axis=1) / SPEED
    waves = echoes(40 / CENTRE + fired)[0]
    if paired:
        waves = waves[..., np.arange(SAMPLES) % 4 < 2]
    samples = waves.shape[-1]
    buffer = np.full((WAVES * REPEATS * samples + SPARE, COLUMNS, FRAMES), -7, "i2")
    receive, event = [], []
    for frame in range(FRAMES):
        for repeat in range(REPEATS):
            for wave in range(WAVES):
                number = repeat * WAVES + wave
                rows = slice(number * samples, (number + 1) * samples)
                buffer[rows, CONNECTOR - 1, frame] = GAIN[frame * REPEATS + repeat] * waves[wave].T
                receive.append(
                    {
                        "bufnum": 1.0, "framenum": frame + 1.0, "acqNum": number + 1.0,
                        "startSample": rows.start + 1.0, "endSample": float(rows.stop),
                        "startDepth": 21.0, "decimSampleRate": SAMPLING / 1e6,
                        "quadDecim": 1.0 + paired, "demodFrequency": CENTRE / 1e6,
                        "sampleMode": "BS100BW" if paired else "NS200BW",
                    }
                )  # fmt: skip
                # Transmits stand in TX from the last to the first.
                control = [1.0, 2.0] if wave == 0 else [1.0]
                event.append({"tx": float(WAVES - wave), "rcv": float(len(receive)),
                              "seqControl": np.array([control])})  # fmt: skip
        event.append({"tx": 0.0, "rcv": 0.0, "seqControl": np.array([[2.0]])})
    return {
        "RcvData": cell(buffer),
        "Receive": table(receive),
        "Event": table(event),
        "SeqControl": table([
            {"command": "timeToNextAcq", "argument": 1e6 / 9000},
            {"command": "returnToMatlab", "argument": 0.0},
        ]),
        "TX": table([
            {"Steer": np.array([[angle, 0.0]]), "focus": 0.0, "Delay": np.zeros((1, ELEMENTS))}
            for angle in ANGLES[::-1]
        ]),
        "TW": {"peak": 1.0, "type": "parametric"},
        "Trans": {
            "frequency": CENTRE / 1e6, "units": "mm", "type": 0.0, "numelements": float(ELEMENTS),
            "spacingMm": 1000 * PITCH, "spacing": PITCH / SPEED * CENTRE, "elementWidth": 0.25,
            "lensCorrection": 0.5 * 1000 * SPEED / CENTRE, "Connector": CONNECTOR[:, None] * 1.0,
            "Bandwidth": np.array([[3.5, 6.5]]),
        },
        "Resource": {"Parameters": {"speedOfSound": SPEED}},
    } | changes  # fmt: skip


def change(values, name, **fields):
    """Change fields of a struct, or of all elements of an array of them; None takes one away."""
    old = values[name]
    if isinstance(old, dict):
        new = {k: v for k, v in (old | fields).items() if v is not None}
    else:
        rows = [{f: row[f] for f in old.dtype.names} | fields for row in old[0]]
        new = table([{k: v for k, v in row.items() if v is not None} for row in rows])
    return values | {name: new}


@pytest.fixture
def survey(tmp_path):
    def call(values):
        scipy.io.savemat(tmp_path / "a.mat", values)
        with open_file(tmp_path / "a.mat") as file:
            return describe(file)

    return call


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("write", [scipy.io.savemat, write_matlab73])
def test_a_point_is_where_it_was_in_front_of_the_array(write, paired, tmp_path):
    write(tmp_path / "a.mat", workspace(paired))
    with open_file(tmp_path / "a.mat") as file:
        found = describe(file)
        assert (found.layout, found.missing) == ("Verasonics", ())
        assert found.values["variable"] == "RcvData{1} by Receive"
        recording = resolve(Description.parse(found.values), file)
        data = recording.array(file)
        rf = data.read()[0]
        piece = data.read((slice(0, 1), slice(2, 5), slice(1, 3), slice(4, 9), slice(30, 50)))
    samples = SAMPLES // 4 if paired else SAMPLES
    assert rf.shape == (FRAMES * REPEATS, WAVES, ELEMENTS, samples)
    assert rf.dtype == (np.complex64 if paired else np.int16)
    assert recording.demodulation_frequency == (pytest.approx(CENTRE) if paired else None)
    np.testing.assert_array_equal(piece[0], rf[2:5, 1:3, 4:9, 30:50])
    assert recording.frame_rate == pytest.approx(3000)
    assert recording.centre_frequency == pytest.approx(CENTRE)
    assert recording.sampling_frequency == pytest.approx(CENTRE if paired else SAMPLING)
    assert recording.pitch == pytest.approx(1000 * PITCH)
    assert recording.element_width == pytest.approx(0.25)
    assert recording.bandwidth == pytest.approx(0.6)
    assert recording.angles == pytest.approx(np.degrees(ANGLES))
    depth, width = (1000 * place for place in POINT)
    near = np.arange(-20, 21) * 0.02
    images = beamform(
        rf if paired else rf.astype("f4"),
        acquisition_of(recording),
        PixelGrid(depth + near, width + 2 * near),
        demodulation_frequency=recording.demodulation_frequency or 0,
    )
    peaks = np.abs(images).max(axis=(1, 2))
    np.testing.assert_allclose(peaks / peaks[0], GAIN / GAIN[0], rtol=0.01)
    place = np.unravel_index(np.abs(images[0]).argmax(), images[0].shape)
    assert place == pytest.approx((20, 20), abs=1)


def test_what_is_described_is_imported(survey, tmp_path):
    found = survey(workspace())
    assert [line for line in found.remarks if "3 repetitions" in line]
    (tmp_path / "a.toml").write_text(found.to_toml())
    description = Description.load(tmp_path / "a.toml")
    store = import_recordings(
        tmp_path / "a.mat", tmp_path / "a.zarr", description, Chain(ensemble=2)
    )
    assert store[0]["tvi"].shape[0] == FRAMES * REPEATS - 1


def test_one_acquisition_a_frame_needs_no_parting(survey):
    buffer = np.zeros((SAMPLES, ELEMENTS, 5), "i2")
    receive = [
        {"framenum": k + 1.0, "startSample": 1.0, "endSample": float(SAMPLES), "bufnum": 1.0}
        for k in range(5)
    ]
    values = workspace(RcvData=cell(buffer, buffer[:100]), Receive=table(receive))
    values = change(values, "Trans", Connector=np.arange(1.0, ELEMENTS + 1)[:, None])
    del values["Event"], values["TX"]
    values["P"] = {"PRF": 500.0}
    found = survey(values)
    assert found.values["variable"] == "RcvData{1}"
    assert found.values["axes"] == ["sample", "channel", "time"]
    assert found.values["frame_rate"] == "P/PRF"
    assert "angles" not in found.values
    assert any("RcvData{2}" in line for line in found.remarks)


def test_without_events_transmits_follow_in_the_order_of_tx(survey):
    values = workspace()
    del values["Event"]
    found = survey(values)
    assert found.values["angles"] == pytest.approx(np.degrees(ANGLES[::-1]))
    assert found.values["axes"] == ["sample", "channel", "transmit", "time"]


def test_lengths_in_wavelengths_are_converted(survey):
    values = change(
        workspace(), "Trans", units="wavelengths", elementWidth=0.8, lensCorrection=0.5,
        spacingMm=None,
    )  # fmt: skip
    found = survey(values).values
    assert found["pitch"] == pytest.approx(1000 * PITCH)
    assert found["element_width"] == pytest.approx(0.8 * 1000 * SPEED / CENTRE)
    assert found["first_sample"] == pytest.approx(40 / CENTRE)


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("Trans", {"type": 1.0}, "no straight"),
        ("TX", {"focus": 20.0}, "3 transmits that are no plane waves"),
        ("Receive", {"startSample": None}, "which VSX adds"),
    ],
)
def test_what_cannot_be_imported_is_said(name, fields, words, survey):
    found = survey(change(workspace(), name, **fields))
    assert [line for line in found.remarks if words in line], found.remarks
    missing = {"type": "pitch", "focus": "angles"}
    assert [key for field, key in missing.items() if field in fields and key in found.values] == []


def test_apertures_of_a_multiplexer_choose_the_channels(survey, tmp_path):
    both = np.stack([1.0 + np.arange(ELEMENTS), CONNECTOR], axis=1)
    values = change(change(workspace(), "Receive", aperture=2.0), "Trans", Connector=both)
    assert not [line for line in survey(values).remarks if "aperture" in line]
    with open_file(tmp_path / "a.mat") as file:
        rf = file.array("RcvData{1} by Receive").read()
    scipy.io.savemat(tmp_path / "a.mat", workspace())
    with open_file(tmp_path / "a.mat") as file:
        assert np.array_equal(rf, file.array("RcvData{1} by Receive").read())
    values["Receive"][0, 1]["aperture"] = 1.0
    assert [line for line in survey(values).remarks if "2 receive apertures" in line]


def test_acquisitions_that_differ_are_refused_in_one_line(tmp_path, refused):
    for place, value, words in ((2, 700.0, "of 220 to 240 samples"), (9, 1e5, "of 240 to")):
        values = workspace()
        values["Receive"][0, place]["endSample"] = value
        scipy.io.savemat(tmp_path / "a.mat", values)
        with open_file(tmp_path / "a.mat") as file:
            assert any(words in line for line in describe(file).remarks)
            with refused("a.mat", "RcvData{1} by Receive", words):
                file.array("RcvData{1} by Receive")
    short = workspace(RcvData=cell(np.zeros((900, COLUMNS, 2), "i2")))
    scipy.io.savemat(tmp_path / "a.mat", short)
    with open_file(tmp_path / "a.mat") as file:
        assert any("2160 rows" in line for line in describe(file).remarks)
        with refused("a.mat", "2160 rows", "(900, 40, 2)"):
            file.array("RcvData{1} by Receive")
        for name, word in (("RcvData{2}", "up to RcvData{1}"), ("Receive", "no variable")):
            with refused("a.mat", word):
                file.array(f"{name} by Receive")


def test_images_are_described_by_pdata(survey):
    images = np.ones((12, 10, 1, 1, 6), "c8")
    images[0] = 1j
    other = np.array([[9.0, 9, 1]])
    size, steps, origin = (np.array([row]) for row in ([12.0, 10, 1], [1.0, 0, 0.5], [-4.5, 0, 20]))
    grids = [
        {"Size": other, "PDelta": other, "Origin": other},
        {"Size": size, "PDelta": steps, "Origin": origin},
    ]
    values = workspace(IQData=cell(images), PData=table(grids), P={"PRF": 400.0})
    del values["RcvData"]
    found = survey(values)
    wavelength = 1000 * SPEED / CENTRE
    assert (found.layout, found.missing) == ("Verasonics", ())
    assert found.values["axes"] == ["depth", "width", "time"]
    assert found.values["variable"] == "IQData{1}"
    assert found.values["depth_step"] == pytest.approx(0.5 * wavelength)
    assert found.values["width_step"] == pytest.approx(wavelength)
    assert found.values["depth_start"] == pytest.approx(20 * wavelength)
    assert found.values["width_start"] == pytest.approx(-4.5 * wavelength)
    assert found.values["demodulation_frequency"] == pytest.approx(CENTRE)
    parts = values | {"IData": images.real, "QData": images.imag}
    del parts["IQData"]
    found = survey(parts)
    assert (found.values["real"], found.values["imaginary"]) == ("IData", "QData")
