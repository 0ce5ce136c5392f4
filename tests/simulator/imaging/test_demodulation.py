import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.signal import hilbert

from musim.simulator import InputError
from musim.simulator.imaging.demodulation import demodulate, image_distance
from musim.simulator.imaging.demodulation_kernels import filter_and_mix

FC = 5e6
BAND_PASS = 4 / 3 * FC


def _pulse(times, delay, bandwidth=0.15 * FC, phase=0.0):
    """Return a Gaussian pulse and its exact envelope about FC."""
    spread = math.sqrt(2 * math.log(2)) / (math.pi * bandwidth)
    late = times - delay
    shape = np.exp(-((late / spread) ** 2) / 2)
    envelope = shape * np.exp(1j * (phase - 2 * np.pi * FC * delay))
    return shape * np.cos(2 * np.pi * FC * late + phase), envelope


@pytest.mark.parametrize(
    ("sampling", "distance"),
    [(4 / 3, 2 / 3), (4, 2), (10, 2), (3, 1), (2.5, 0.5), (2, 0), (1, 0), (0.8, 0.4), (1.6, 0.4)],
)
def test_the_image_lies_where_folding_puts_it(sampling, distance):
    assert image_distance(sampling * FC, FC) == pytest.approx(distance * FC, abs=1e-6 * FC)
    # By its definition: the lowest frequency, of either sign, that -2 fc looks like.
    aliases = -2 + sampling * np.arange(-10, 11)
    assert np.abs(aliases).min() == pytest.approx(distance, abs=1e-9)


@given(
    st.floats(0.4, 10), st.floats(-1, 1), st.floats(0, 2 * math.pi), st.floats(0.3, 0.8),
)  # fmt: skip
def test_a_tone_in_the_band_becomes_its_envelope(ratio, place, phase, share):
    fs = ratio * FC
    distance = image_distance(fs, FC)
    assume(distance > 0.05 * fs)
    bandwidth = share * distance
    offset = place * bandwidth / 2
    times = np.arange(1500) / fs
    rf = np.cos(2 * np.pi * (FC + offset) * times + phase)
    iq = demodulate(rf, fs, FC, bandwidth=bandwidth)
    exact = np.exp(1j * (2 * np.pi * offset * times + phase))
    middle = slice(600, 900)
    np.testing.assert_allclose(iq[middle], exact[middle], atol=3e-3)


@given(st.floats(30, 60), st.floats(0, 2 * math.pi))
def test_band_pass_sampled_pulses_have_the_envelope_of_densely_sampled_ones(delay, phase):
    dense, exact = _pulse(np.arange(3000) / (6 * BAND_PASS), delay / BAND_PASS, phase=phase)
    of_dense = demodulate(dense, 6 * BAND_PASS, FC)[::6]
    of_sparse = demodulate(dense[::6], BAND_PASS, FC)
    np.testing.assert_allclose(of_sparse, exact[::6], atol=4e-3)
    np.testing.assert_allclose(of_dense, exact[::6], atol=4e-3)
    assert np.abs(of_sparse).max() > 0.9


def test_dense_signals_have_the_envelope_that_a_hilbert_transform_gives():
    times = np.arange(2000) / 40e6
    echoes = [_pulse(times, d * 1e-6, 0.3 * FC, p)[0] for d, p in ((8, 0), (20, 1), (20.3, 2))]
    rf = sum(echoes)
    exact = hilbert(rf) * np.exp(-2j * np.pi * FC * times)
    np.testing.assert_allclose(demodulate(rf, 40e6, FC), exact, atol=5e-3)


def test_a_later_echo_has_a_lower_phase():
    times = np.arange(400) / BAND_PASS
    early, late = (demodulate(_pulse(times, d)[0], BAND_PASS, FC) for d in (30e-6, 30.01e-6))
    turn = np.angle(np.vdot(early, late))
    assert turn == pytest.approx(-2 * np.pi * FC * 0.01e-6, rel=1e-3)


@pytest.mark.parametrize("fs", [BAND_PASS, 4 * FC, 2.6 * FC])
def test_a_constant_offset_is_removed(fs):
    iq = demodulate(np.full(1000, 100.0), fs, FC)
    assert np.abs(iq[300:700]).max() < 0.3


@pytest.mark.parametrize("fs", [BAND_PASS, 4 * FC, 12 * FC])
def test_what_lies_beside_the_band_is_stopped(fs):
    bandwidth = 0.1 * FC
    tones = FC + bandwidth * np.array([-1.05, 1.05, 1.5])
    for tone in tones:
        iq = demodulate(np.cos(2 * np.pi * tone / fs * np.arange(3000)), fs, FC, bandwidth=0.1 * FC)
        assert np.abs(iq[1200:1800]).max() < 2.5e-3


def test_filtering_equals_a_plain_convolution():
    random = np.random.default_rng(0)
    rf = random.standard_normal((3, 50)).astype(np.float32)
    for half in (0, 1, 7, 60):
        taps = random.standard_normal((2, half + 1)).astype(np.float32)
        taps[1, 0] = 0
        mixing = np.exp(1j * random.uniform(0, 6, 50)).astype(np.complex64)
        out = np.empty((3, 50), np.complex64)
        filter_and_mix(rf, taps[0], taps[1], mixing, out)
        later = taps[0] + 1j * taps[1]
        whole = np.concatenate([later[:0:-1].conj(), later])
        for signal, result in zip(rf, out, strict=True):
            exact = np.convolve(signal, whole)[half : half + 50] * mixing
            np.testing.assert_allclose(result, exact, atol=2e-5)


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.int32, np.float32, np.float64])
def test_all_real_types_and_layouts_give_the_same(dtype):
    rf = np.random.default_rng(0).integers(0, 200, (2, 3, 4, 90)).astype(dtype)
    iq = demodulate(rf, BAND_PASS, FC)
    assert iq.dtype == np.complex64
    assert iq.flags.c_contiguous
    alone = np.stack([demodulate(s, BAND_PASS, FC) for s in rf.reshape(-1, 90)])
    np.testing.assert_array_equal(iq, alone.reshape(iq.shape))
    for axis in range(4):
        turned = demodulate(np.moveaxis(rf, 3, axis), BAND_PASS, FC, axis=axis)
        np.testing.assert_array_equal(np.moveaxis(turned, axis, 3), iq)
    np.testing.assert_array_equal(demodulate(np.asfortranarray(rf), BAND_PASS, FC), iq)
    np.testing.assert_array_equal(demodulate(rf[::-1, :, ::2], BAND_PASS, FC), iq[::-1, :, ::2])


def test_no_signals_give_no_envelopes():
    assert demodulate(np.zeros((0, 4, 90)), BAND_PASS, FC).shape == (0, 4, 90)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sampling_frequency": 2 * FC}, "sampling: found the band's mirror image 0 Hz"),
        ({"sampling_frequency": FC}, "sampling: .* overlaps"),
        ({"bandwidth": 0.67 * FC}, "sampling: .* overlaps a bandwidth of 3.35e"),
        ({"sampling_frequency": 0.0}, "sampling frequency: found 0 Hz"),
        ({"sampling_frequency": math.nan}, "sampling frequency: found nan Hz"),
        ({"centre_frequency": -1.0}, "centre frequency: found -1 Hz"),
        ({"bandwidth": 0.0}, "bandwidth: found 0 Hz"),
        ({"bandwidth": math.inf}, "bandwidth: found inf Hz"),
        ({"bandwidth": 0.666 * FC}, "samples: found 90 a signal, wanted"),
        ({"rf": np.zeros(90, np.complex64)}, "RF: found complex64, wanted real"),
        ({"rf": np.zeros(90, bool)}, "RF: found bool"),
        ({"rf": np.zeros(3)}, "samples: found 3 a signal"),
        ({"axis": 1}, "axis of the samples: found 1, wanted one of the 1"),
    ],
)
def test_what_cannot_be_demodulated_is_refused(changes, message):
    arguments = {"rf": np.zeros(90), "sampling_frequency": BAND_PASS, "centre_frequency": FC}
    arguments |= changes
    with pytest.raises(InputError, match=message):
        demodulate(**arguments)
