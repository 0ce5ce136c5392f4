"""Curves that TensorBoard reads, in files that follow one another."""

import errno
import os
import time

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from musim.training.runs.curves import EVENTS, Curves


def points(folder):
    events = EventAccumulator(str(folder)).Reload()
    return [(event.step, event.value) for event in events.Scalars("loss")]


@pytest.mark.parametrize("later", [60, -60])
def test_a_run_that_goes_on_makes_later_points_anew_whatever_the_clock(
    tmp_path, monkeypatch, later
):
    for now, first, steps in ((1e9, 0, range(1, 6)), (1e9 + later, 4, range(4, 8))):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        curves = Curves(tmp_path / "a", first)
        for step in steps:
            curves.add({"loss": step + 0.5 * bool(first)}, step)
        curves.close()
    assert points(tmp_path / "a") == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4.5),
        (5, 5.5),
        (6, 6.5),
        (7, 7.5),
    ]
    assert len(list((tmp_path / "a").glob(f"{EVENTS}*"))) == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk_is_told_where_a_point_is_added(tmp_path):
    curves = Curves(tmp_path)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, curves._file.fileno())
    os.close(full)
    with pytest.raises(OSError, match="No space") as caught:
        curves.add({"loss": 1.0}, 1)
    assert caught.value.errno == errno.ENOSPC
    curves.close()
