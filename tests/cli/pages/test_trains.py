"""Decimated trains: few points, every peak."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musim.cli.pages.trains import decimate


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=300), st.integers(8, 100))
def test_decimation_keeps_ends_and_extremes(values, most):
    signal = np.array(values, np.float32)
    frames = decimate(signal, most)
    assert len(frames) <= most or len(frames) == len(signal) <= most
    assert (np.diff(frames) > 0).all()
    assert frames[0] == 0
    assert frames[-1] == len(signal) - 1
    assert signal[frames].min() == signal.min()
    assert signal[frames].max() == signal.max()


def test_decimation_keeps_every_peak_of_a_train():
    train = np.zeros(10_000, np.float32)
    peaks = np.arange(50, 10_000, 100)
    train[peaks] = 1
    assert np.isin(peaks, decimate(train)).all()
