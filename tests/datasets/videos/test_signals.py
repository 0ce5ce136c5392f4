"""Tables of signals: their columns, units and rates; on frames, as they are or interpolated."""

import numpy as np
import pytest

from musim.datasets.videos.signal_tables import read_signals
from musim.datasets.videos.signals import on_frames, samples_a_frame
from musim.simulator.calf.electromyography import amplitude

from .films import SIGNALS, TIMES, write_table


@pytest.fixture
def table(tmp_path):
    def write(mark=",", name="a.csv", **changes):
        columns = {**SIGNALS, **changes}
        kept = {key: values for key, values in columns.items() if values is not None}
        return write_table(tmp_path / name, kept, mark)

    return write


def test_columns_come_with_their_rate(table):
    found = read_signals(table())
    assert (found.rate, found.first, found.samples) == (1000, 0, 1600)
    assert list(found.values) == ["emg", "torque", "angle"]
    np.testing.assert_allclose(found.values["torque"], SIGNALS["torque"], rtol=1e-8)
    untimed = read_signals(table(time=None), 1000.0)
    assert (untimed.rate, untimed.first) == (1000, 0)
    np.testing.assert_array_equal(untimed.values["emg"], found.values["emg"])


def test_raw_emg_is_rectified_and_smoothed_once(table):
    found = read_signals(table()).with_amplitude(6.0)
    np.testing.assert_allclose(
        found.values["emg_amplitude"], amplitude(SIGNALS["emg"], 6.0, 1000), atol=1e-9
    )
    # The mean of a rectified sine is 2 / pi of its amplitude.
    assert found.values["emg_amplitude"][500:1100].mean() == pytest.approx(2e-3 / np.pi, rel=0.01)
    ready = read_signals(table(emg_amplitude=TIMES)).with_amplitude(6.0)
    np.testing.assert_allclose(ready.values["emg_amplitude"], TIMES, atol=1e-9)
    alone = read_signals(table(emg=None)).with_amplitude(6.0)
    assert "emg_amplitude" not in alone.values


def test_units_marks_and_comments_are_understood(tmp_path, table):
    plain = read_signals(table())
    heading = "# trial 3\nTime [ms];EMG (mV);Torque [N m];angle"
    text = table(mark=";").read_text().replace("time;emg;torque;angle", heading)
    odd = tmp_path / "b.csv"
    odd.write_text(text.replace(".", ","), encoding="utf-8-sig")
    found = read_signals(odd)
    assert found.rate == pytest.approx(1e6)
    for name, worth in (("emg", 1e-3), ("torque", 1), ("angle", 1)):
        np.testing.assert_allclose(found.values[name], plain.values[name] * worth, atol=1e-12)


@pytest.mark.parametrize(
    ("heading", "name", "worth"),
    [
        ("emg [uV]", "emg", 1e-6),
        ("EMG (µV)", "emg", 1e-6),
        ("emg_amplitude [mV]", "emg_amplitude", 1e-3),
        ("EMG amplitude [uV]", "emg_amplitude", 1e-6),
        ("torque [mN m]", "torque", 1e-3),
        ("torque [N*m]", "torque", 1),
        ("angle [rad]", "angle", 57.29577951),
        ("angle [°]", "angle", 1),
    ],
)
def test_every_unit_has_its_worth(tmp_path, heading, name, worth):
    path = write_table(tmp_path / "a.csv", {"time": TIMES, heading: TIMES})
    np.testing.assert_allclose(read_signals(path).values[name], worth * TIMES, rtol=1e-6)


def test_one_row_that_is_missing_or_there_twice_is_found(tmp_path, refused):
    for rows in (np.delete(TIMES, 500), np.insert(TIMES, 500, TIMES[500])):
        path = write_table(tmp_path / "a.csv", {"time": rows, "angle": rows})
        with refused("a.csv, line 50", "wanted even ones of 0.001 s"):
            read_signals(path)


def test_times_in_ms_make_the_rate(tmp_path):
    path = write_table(tmp_path / "a.csv", {"time [ms]": 1000 * TIMES + 4, "angle": TIMES})
    found = read_signals(path)
    assert found.rate == 1000
    assert found.first == pytest.approx(0.004)


def test_a_unit_of_something_else_is_refused_with_those_that_are_known(tmp_path, refused):
    path = write_table(tmp_path / "a.csv", {"time": TIMES, "torque [lbf ft]": TIMES})
    with refused("found torque in lbf ft, wanted it in N m or mN m"):
        read_signals(path)


def test_rounded_times_have_the_rate_that_is_meant(tmp_path):
    times = np.arange(3000) / 1500
    path = write_table(tmp_path / "a.csv", {"time": np.round(times, 4), "angle": times})
    assert read_signals(path).rate == pytest.approx(1500, abs=1e-6)


def test_samples_belong_to_frames(table):
    recorded = read_signals(table())
    found = on_frames(recorded, 25.0, 40)
    assert found["angle"].shape == (1600,)
    np.testing.assert_array_equal(found["angle"], SIGNALS["angle"].astype(np.float32))
    # A recording that began before the video, and one that ends with its last frame.
    early = read_signals(table(time=TIMES - 0.1))
    np.testing.assert_array_equal(
        on_frames(early, 25.0, 37)["angle"], SIGNALS["angle"][100:1580].astype(np.float32)
    )
    tight = read_signals(table(time=TIMES - 0.02))
    found = on_frames(tight, 25.0, 40)["angle"]
    assert np.isnan(found).sum() == 20
    assert np.isnan(found[1580:]).all()


def test_other_rates_are_interpolated(table):
    recorded = read_signals(table())
    rate = 30000 / 1001
    found = on_frames(recorded, rate, 40, resample=20 * rate)
    at = np.arange(800) / (20 * rate)
    inside = (at > 0.05) & (at < 1.25)
    np.testing.assert_allclose(found["torque"][inside], 5 * np.sin(at[inside]), atol=1e-4)
    np.testing.assert_allclose(
        found["emg"][inside], 1e-3 * np.sin(160 * np.pi * at[inside]), atol=2e-6
    )
    # A recording that began 0.1 s before the video.
    early = on_frames(read_signals(table(time=TIMES - 0.1)), rate, 40, resample=20 * rate)
    np.testing.assert_allclose(early["torque"][inside], 5 * np.sin(at[inside] + 0.1), atol=1e-4)
    # What a lower rate cannot hold is taken out, and does not come back as something else.
    slow = on_frames(recorded, 25.0, 40, resample=50)
    assert np.abs(slow["emg"][16:-16]).max() < 2e-6


def test_rates_that_do_not_divide_are_one_line(table, refused):
    recorded = read_signals(table())
    assert samples_a_frame(recorded, 25.0, 4750) == 40
    with refused("a.csv: found 1000 samples a second and 29.97 frames", "`resample=989.010989"):
        on_frames(recorded, 30000 / 1001, 40)
    with refused("`resample`: found 990 Hz for 29.97 frames", "as 989.010989"):
        on_frames(recorded, 30000 / 1001, 40, resample=990)
    with refused("found 1000 samples a second and 3000 frames", "`resample=3000`"):
        on_frames(recorded, 3000.0, 40)


def test_signals_that_are_shorter_than_the_video_are_one_line(table, refused):
    short, late = read_signals(table()), read_signals(table(time=TIMES + 0.2))
    with refused("found signals from 0 to 1.599 s", "to the last, 1.64 s"):
        on_frames(short, 25.0, 42)
    with refused("found signals from 0.2 to 1.799 s, wanted them from the first frame"):
        on_frames(late, 25.0, 40)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"force": TIMES}, ("found a column force", "wanted time, emg")),
        ({"time": None}, ("found columns emg, torque, angle", "wanted time", "`sample_rate`")),
        ({"torque": np.where(TIMES == 0.5, np.nan, 1)}, ("line 502: found torque 'nan'",)),
        ({"emg": None, "torque": None, "angle": None}, ("found columns time, wanted signals",)),
        ({"time": TIMES + (TIMES > 0.7) * 0.1}, ("found a step of 0.101 s", "line 703")),
        ({"time": TIMES[::-1]}, ("found times from 1.599 to 0 s, wanted them to rise",)),
        ({"angle [grad]": TIMES, "angle": None}, ("found angle in grad, wanted it in deg or rad",)),
        ({"Angle": TIMES}, ("found two columns angle",)),
    ],
)
def test_what_is_wrong_with_a_table_is_one_line(table, refused, changes, words):
    path = table(**changes)
    with refused("a.csv", *words):
        read_signals(path)


def test_cells_that_are_no_numbers_are_one_line(tmp_path, table, refused):
    path = table()
    lines = path.read_text().splitlines()
    for broken, words in (
        ("0.008,,1,2", "line 10: found emg ''"),
        ("0.008,1,2", "line 10: found 3 cells, wanted 4"),
        ("0.008,one,1,2", "line 10: found emg 'one', wanted a number"),
    ):
        path.write_text("\n".join([*lines[:9], broken, *lines[10:]]))
        with refused(words):
            read_signals(path)
    path.write_text("time,angle\n0,1\n")
    with refused("found 1 rows, wanted 2"):
        read_signals(path)
    path.write_bytes(b"\xff\xfe\x00")
    with refused("found it unreadable (UnicodeDecodeError)"):
        read_signals(path)
    path.write_text("\n\n")
    with refused("found nothing in it"):
        read_signals(path)


def test_rates_and_cutoffs_that_cannot_be_are_one_line(table, refused):
    path = table()
    with refused("found a column time and `sample_rate`"):
        read_signals(path, 1000.0)
    with refused("`emg_cutoff`: found 600 Hz", "half of the 1000 Hz"):
        read_signals(path).with_amplitude(600.0)
    bare = table(time=None, name="b.csv")
    with refused("`sample_rate`: found -1 Hz"):
        read_signals(bare, -1.0)
