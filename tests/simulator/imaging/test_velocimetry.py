import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.simulator.acceleration import kernel
from musim.simulator.imaging import velocimetry_kernels
from musim.simulator.imaging.velocimetry import (
    ESTIMATORS,
    Velocimetry,
    estimate_velocity,
    velocity_blocks,
)

SOUND_SPEED = 1540.0
CENTRE = 7.7e6
STEP = 0.1
PULSE = 0.075  # SD of the pulse's envelope in depth, mm: half an octave at 7.7 MHz
SETTINGS = Velocimetry(frame_rate=2000.0, centre_frequency=CENTRE, depth_step=STEP)


def _settings(**values):
    kept = {"frame_rate": 2000.0, "centre_frequency": CENTRE, "depth_step": STEP}
    return Velocimetry(**{**kept, **values})


def _speckle(
    seed,
    frames,
    depths,
    widths,
    move,
    *,
    frequency=CENTRE,
    removed=CENTRE,
    density=40,
    snr=math.inf,
):
    """Echoes of point scatterers: each a pulse, with the phase of its delay.

    `move(time, depth)` is how far, in mm towards the transducer, what was at `depth` mm has gone.
    """
    random = np.random.default_rng(seed)
    z = 5 + STEP * np.arange(depths)
    count = round(density * (STEP * depths + 8 * PULSE))
    places = random.uniform(z[0] - 4 * PULSE, z[-1] + 4 * PULSE, (widths, count))
    strengths = random.standard_normal((widths, count, 2)) @ np.array([1, 1j])
    delay = 2e-3 * z / SOUND_SPEED  # s
    mixed = np.exp(2j * np.pi * (frequency - removed) * delay)
    iq = np.empty((frames, depths, widths), np.complex128)
    for frame in range(frames):
        now = places - move(frame / SETTINGS.frame_rate, places)
        pulses = np.exp(-((z[:, None, None] - now) ** 2) / (2 * PULSE**2))
        phases = np.exp(-4e-3j * np.pi * frequency * now / SOUND_SPEED)
        iq[frame] = np.einsum("zxi,xi->zx", pulses, phases * strengths) * mixed[:, None]
    noise = random.standard_normal((*iq.shape, 2)) @ np.array([1, 1j]) / math.sqrt(2)
    power = np.mean(abs(iq) ** 2)
    return (iq + noise * math.sqrt(power / 10 ** (snr / 10))).astype(np.complex64)


def _steady(velocity):
    return lambda time, depth: velocity * time


def _independent_pairs(seed, frames, shape, turn, snr):
    """White speckle that only turns its phase, and white noise: no pixel knows its neighbour."""
    random = np.random.default_rng(seed)

    def white(*shape):
        return random.standard_normal((*shape, 2)) @ np.array([1, 1j]) / math.sqrt(2)

    turned = white(*shape) * np.exp(1j * turn * np.arange(frames))[:, None, None]
    return (turned + white(frames, *shape) * 10 ** (-snr / 20)).astype(np.complex64)


def _estimate_slowly(iq, settings):
    """Every sum of the estimate written out, in double precision."""
    iq = np.asarray(iq, np.complex128)
    frames, depths, widths = iq.shape
    pairs = frames - 1
    gate, half = settings.gate_samples // 2, settings.ensemble // 2 - 1
    removed = settings.demodulation_frequency
    removed = settings.centre_frequency if removed is None else removed
    rate = settings.sound_speed / (2e-3 * settings.depth_step)
    out = np.empty((pairs, depths, widths))
    for k, z, x in np.ndindex(pairs, depths, widths):
        across, along = 0j, 0j
        rows = [i for i in range(z - gate, z + gate + 1) if 0 <= i < depths]
        starts = rows[:-1] or [min(z, depths - 2)]
        for pair in range(max(k - half, 0), min(k + half + 1, pairs)):
            for i in rows:
                across += iq[pair + 1, i, x] * iq[pair, i, x].conjugate()
            for frame, i in itertools.product((pair, pair + 1), starts):
                along += iq[frame, i + 1, x] * iq[frame, i, x].conjugate()
        frequency = settings.centre_frequency
        if settings.estimator == "2d-autocorrelation":
            # The whole number of turns that brings it nearest to the nominal frequency.
            measured = removed + rate * np.angle(along) / (2 * np.pi)
            measured += rate * round((frequency - measured) / rate)
            frequency = min(max(measured, 0.5 * frequency), 1.5 * frequency)
        doppler = settings.frame_rate * np.angle(across) / (2 * np.pi)
        out[k, z, x] = 1e3 * settings.sound_speed / 2 * doppler / frequency
    return out


def _cut(array, cuts):
    return np.split(array, sorted(min(cut, len(array)) for cut in cuts))


@kernel
def _angles(y, x, out):
    for i in range(y.size):
        out[i] = velocimetry_kernels.arctan2(y[i], x[i])


def test_the_angle_is_right_in_all_quadrants_and_at_the_extremes():
    random = np.random.default_rng(1)
    angles = np.linspace(-np.pi, np.pi, 200_001)[1:]
    y = np.sin(angles).astype(np.float32) * random.uniform(0.1, 10, angles.size).astype(np.float32)
    x = (y.astype(np.float64) / np.tan(angles)).astype(np.float32)
    tiny, huge = np.float32(1e-45), np.float32(3e38)
    special = [0, 1, -1, tiny, -tiny, huge, -huge, np.float32(1e-38), 0.5, -3]
    pairs = np.array(list(itertools.product(special, special)), np.float32)
    y, x = (np.concatenate([a, b]) for a, b in ((y, pairs[:, 0]), (x, pairs[:, 1])))
    out = np.empty_like(y)
    _angles(y, x, out)
    expected = np.arctan2(y.astype(np.float64), x.astype(np.float64))
    assert np.max(abs(out - expected) / np.maximum(abs(expected), 1e-30)) < 3e-7
    seen = abs(expected) > 1e-30  # what float32 tells from 0
    np.testing.assert_array_equal(np.sign(out[seen]), np.sign(expected[seen]))


def test_the_angle_of_nothing_is_nought():
    out = np.full(1, 9, np.float32)
    _angles(np.zeros(1, np.float32), np.zeros(1, np.float32), out)
    assert out[0] == 0


@given(
    st.integers(2, 5), st.integers(2, 6), st.integers(1, 3), st.sampled_from([2, 4, 6]),
    st.sampled_from([0.01, 0.1, 0.25, 0.3, 0.5, 5.0]), st.sampled_from(ESTIMATORS),
    st.sampled_from([None, 0.0, 5e6]), st.integers(0, 2**32),
)  # fmt: skip
def test_sums_are_those_of_the_definition(
    more, depths, widths, ensemble, gate, estimator, removed, seed
):
    random = np.random.default_rng(seed)
    # Phases that turn by less than half a turn, so that no rounding tips one over.
    steps = random.uniform(-0.4, 0.4, (ensemble + more, depths, widths))
    offset = 2 * np.pi * (CENTRE - (CENTRE if removed is None else removed)) * 2e-3 * STEP
    offset = offset / SOUND_SPEED * np.arange(depths)[:, None]
    iq = np.exp(1j * (np.cumsum(steps, axis=0) + offset)) * random.uniform(0.5, 2, steps.shape)
    settings = _settings(
        gate=gate, ensemble=ensemble, estimator=estimator, demodulation_frequency=removed
    )
    found = estimate_velocity(iq.astype(np.complex64), settings)
    assert found.dtype == np.float32
    scale = settings.nyquist_velocity
    np.testing.assert_allclose(found, _estimate_slowly(iq, settings), rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize(
    ("gate", "samples"),
    [(0.01, 1), (0.1, 1), (0.21, 3), (0.35, 3), (0.39, 3), (0.5, 5), (0.7, 7), (1.0, 11)],
)
def test_a_gate_is_the_odd_number_of_samples_nearest_to_its_length(gate, samples):
    assert _settings(gate=gate).gate_samples == samples


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("velocity", [10.0, -10.0, 30.0])
def test_what_comes_nearer_moves_at_positive_velocity(estimator, velocity):
    iq = _speckle(2, 12, 60, 24, _steady(velocity))
    found = estimate_velocity(iq, _settings(estimator=estimator))
    columns = found[:, 8:-8].mean(axis=(0, 1))  # each of its own scatterers
    error = columns.std(ddof=1) / math.sqrt(columns.size)
    assert error < 0.02 * abs(velocity)
    assert abs(columns.mean() - velocity) < 4 * error + 1e-3 * abs(velocity)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_carrier_that_is_still_there_changes_nothing(estimator):
    found = [
        estimate_velocity(
            _speckle(3, 8, 40, 6, _steady(12.0), removed=removed),
            _settings(demodulation_frequency=removed, estimator=estimator),
        )
        for removed in (CENTRE, 0.0, 6e6)
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=2e-3)
    np.testing.assert_allclose(found[2], found[0], rtol=0, atol=2e-3)


@pytest.mark.parametrize("share", [0.8, 0.9, 1.1])
def test_only_a_measured_frequency_corrects_one_that_is_off_the_nominal_one(share):
    velocity = 15.0
    iq = _speckle(4, 12, 80, 32, _steady(velocity), frequency=share * CENTRE)
    inside = np.s_[:, 8:-8]
    measured = estimate_velocity(iq, SETTINGS)[inside].mean()
    nominal = estimate_velocity(iq, _settings(estimator="one-lag"))[inside].mean()
    assert nominal == pytest.approx(share * velocity, rel=0.02)
    assert measured == pytest.approx(velocity, rel=0.02)


def test_a_measured_frequency_lowers_the_spread_that_speckle_makes():
    # The mean frequency of the echoes in a gate differs from gate to gate.
    iq = _speckle(5, 12, 80, 32, _steady(60.0))
    inside = np.s_[:, 8:-8]
    measured = estimate_velocity(iq, SETTINGS)[inside].std()
    nominal = estimate_velocity(iq, _settings(estimator="one-lag"))[inside].std()
    assert measured < 0.5 * nominal


def test_a_measured_frequency_stays_near_the_nominal_one():
    # A pure tone whose frequency along depth says 0.3 and 1.8 times the nominal one.
    for share, kept in ((0.3, 0.5), (1.8, 1.5)):
        turn = 2 * np.pi * share * CENTRE * 2e-3 * 0.05 / SOUND_SPEED * np.arange(12)
        iq = np.exp(1j * (0.2 * np.arange(6)[:, None, None] + turn[:, None])).astype(np.complex64)
        settings = _settings(depth_step=0.05, demodulation_frequency=0.0)
        expected = 0.2 / np.pi * settings.nyquist_velocity / kept
        np.testing.assert_allclose(estimate_velocity(iq, settings), expected, rtol=1e-5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_aliasing_begins_at_the_nyquist_velocity_and_nowhere_below(estimator):
    settings = _settings(estimator=estimator)
    limit = settings.nyquist_velocity
    assert limit == pytest.approx(1e3 * SOUND_SPEED * 2000 / (4 * CENTRE))
    frames = np.arange(6)[:, None, None]
    shares = np.concatenate([np.linspace(-0.999, 0.999, 401), [1.001, 1.5, -1.001, 1.999, 2.5]])
    # Motion of one scatterer, far from where its pulse ends: its delay turns the phase.
    nearer = shares * limit * frames / settings.frame_rate  # mm
    phase = 4e-3 * np.pi * CENTRE * nearer / SOUND_SPEED
    iq = np.broadcast_to(np.exp(1j * phase), (6, 4, shares.size)).astype(np.complex64)
    found = estimate_velocity(iq, settings) / limit
    wrapped = (shares + 1) % 2 - 1
    np.testing.assert_allclose(found, np.broadcast_to(wrapped, found.shape), rtol=0, atol=1e-5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_speckle_that_moves_at_nine_tenths_of_the_nyquist_velocity_is_not_aliased(estimator):
    settings = _settings(estimator=estimator, gate=2.0)
    velocity = 0.9 * settings.nyquist_velocity
    found = estimate_velocity(_speckle(6, 6, 80, 16, _steady(velocity)), settings)[:, 12:-12]
    columns = np.median(found, axis=(0, 1))
    np.testing.assert_allclose(columns, velocity, rtol=0.1)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_sinusoid_is_followed(estimator):
    peak, frequency = 5.0, 40.0
    angular = 2 * np.pi * frequency

    def move(time, depth):
        return peak / angular * (1 - math.cos(angular * time))

    found = estimate_velocity(_speckle(7, 110, 50, 8, move), _settings(estimator=estimator))
    times = (np.arange(109) + 0.5) / SETTINGS.frame_rate  # midway between two images
    expected = peak * np.sin(angular * times)
    mean = found[:, 8:-8].mean(axis=(1, 2))
    # Gain and delay: the projections on the sinusoid and on what is a quarter of a period off.
    basis = np.stack([np.sin(angular * times), np.cos(angular * times)], axis=1)
    gain, quadrature = np.linalg.lstsq(basis, mean, rcond=None)[0]
    assert gain == pytest.approx(peak, rel=0.02)
    assert abs(quadrature) < 0.005 * peak  # less than 0.02 ms
    # At the ends the ensemble is cut on one side.
    np.testing.assert_allclose(mean[1:-1], expected[1:-1], rtol=0, atol=0.01 * peak)
    np.testing.assert_allclose(mean, expected, rtol=0, atol=angular / 2000 * peak)


def test_a_step_at_a_boundary_is_as_sharp_as_the_gate():
    boundary, above, below = 9.0, 10.0, -5.0

    def move(time, depth):
        return np.where(depth < boundary, above, below) * time

    settings = _settings(gate=0.5)
    found = estimate_velocity(_speckle(8, 6, 80, 48, move), settings)
    profile = found.mean(axis=(0, 2))
    depth = 5 + STEP * np.arange(80)
    reach = 0.5 / 2 + 3 * PULSE
    np.testing.assert_allclose(profile[depth < boundary - reach], above, rtol=0, atol=0.5)
    np.testing.assert_allclose(profile[depth > boundary + reach], below, rtol=0, atol=0.5)
    middle = profile[np.argmin(abs(depth - boundary))]
    assert below + 3 < middle < above - 3
    crossing = np.interp(0, -profile[35:46], depth[35:46])
    assert crossing == pytest.approx(boundary, abs=0.12)


def test_a_step_in_time_is_as_sharp_as_the_ensemble():
    def move(time, depth):
        return 10.0 * max(time - 10 / SETTINGS.frame_rate, 0)  # starts at image 10

    found = estimate_velocity(_speckle(9, 22, 40, 16, move), SETTINGS).mean(axis=(1, 2))
    # Pair k lies between images k and k + 1, an ensemble of 4 images has 3 pairs.
    np.testing.assert_allclose(found[:9], 0, rtol=0, atol=1e-3)
    np.testing.assert_allclose(found[11:], 10, rtol=0.03)
    np.testing.assert_allclose(found[9:11], [10 / 3, 20 / 3], rtol=0.05)


@pytest.mark.parametrize("snr", [0, 10, 20, 40])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_noise_makes_no_bias(estimator, snr):
    velocity = 0.1 * SETTINGS.nyquist_velocity
    iq = _speckle(10, 8, 60, 48, _steady(velocity), snr=snr)
    found = estimate_velocity(iq, _settings(estimator=estimator))[:, 8:-8]
    columns = found.mean(axis=(0, 1))
    error = columns.std(ddof=1) / math.sqrt(columns.size)
    assert error < {0: 0.25, 10: 0.04, 20: 0.02, 40: 0.02}[snr] * velocity
    assert abs(columns.mean() - velocity) < 4 * error


def _spread_of_pairs(snr, cells):
    """SD of the phase of pairs, rad: the Cramer-Rao bound, which their sum's phase attains.

    Rodriguez and Martin 1992, doi:10.1049/ip-f-2.1992.0018: (1 - r^2) / (2 n r^2), r the pairs'
    correlation.
    """
    correlation = 1 / (1 + 10 ** (-snr / 10))
    return math.sqrt((1 - correlation**2) / (2 * cells * correlation**2))


@pytest.mark.parametrize("snr", [0, 10, 20, 40])
def test_the_spread_of_independent_pairs_is_at_the_cramer_rao_bound(snr):
    settings = _settings(estimator="one-lag", ensemble=2, gate=2.1)
    iq = _independent_pairs(11, 2, (21, 6000), 0.3, snr)
    found = estimate_velocity(iq, settings)[0, 10] / settings.nyquist_velocity * np.pi
    assert settings.gate_samples == 21
    bound = _spread_of_pairs(snr, 21)
    assert found.mean() == pytest.approx(0.3, abs=4 * bound / math.sqrt(found.size))
    # 6000 values: the SD is known to 1 %; the bound is that of many cells, 21 are 3 % above it.
    assert 0.97 * bound < found.std() < 1.09 * bound


@pytest.mark.parametrize("snr", [20, 40])
def test_an_ensemble_lowers_the_spread_by_its_pairs(snr):
    # With little noise the errors of neighbouring pairs cancel: only the outer images' are left.
    spread = {}
    for ensemble in (2, 4, 6):
        settings = _settings(estimator="one-lag", ensemble=ensemble, gate=2.1)
        iq = _independent_pairs(12, ensemble, (21, 4000), 0.3, snr)
        spread[ensemble] = estimate_velocity(iq, settings)[ensemble // 2 - 1, 10].std()
    assert spread[2] / spread[4] == pytest.approx(3, rel=0.08)
    assert spread[2] / spread[6] == pytest.approx(5, rel=0.1)


def _cramer_rao(snr, settings, velocity):
    """Bound of the SD of velocity from a gate and an ensemble of Gaussian speckle, mm/s.

    The samples are a Gaussian vector whose covariance is known but for the velocity; their Fisher
    information is tr(C^-1 C' C^-1 C').
    """
    images, depths = settings.ensemble, settings.gate_samples
    time = np.repeat(np.arange(images), depths) / settings.frame_rate
    depth = np.tile(np.arange(depths), images) * STEP
    wave = 4e-3 * np.pi * CENTRE / SOUND_SPEED

    def covariance(velocity):
        # Two samples show the same scatterer if they are as far apart as it has moved.
        shift = velocity * (time[:, None] - time)
        apart = depth[:, None] - depth + shift
        signal = np.exp(-(apart**2) / (4 * PULSE**2) + 1j * wave * shift)
        return signal + 10 ** (-snr / 10) * np.eye(time.size)

    small = 1e-3
    change = (covariance(velocity + small) - covariance(velocity - small)) / (2 * small)
    half = np.linalg.solve(covariance(velocity), change)
    return 1 / math.sqrt(np.trace(half @ half).real)


@pytest.mark.slow
@pytest.mark.parametrize("velocity", [0.0, 30.0])
@pytest.mark.parametrize("snr", [0, 10, 20, 30, 40])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_spread_in_speckle_keeps_the_cramer_rao_bound(estimator, snr, velocity, scaled):
    settings = _settings(estimator=estimator)
    middle = []
    for seed in range(scaled(40)):
        iq = _speckle(
            (13, seed), settings.ensemble, settings.gate_samples, 100, _steady(velocity), snr=snr
        )
        middle.append(estimate_velocity(iq, settings)[1, settings.gate_samples // 2])
    found = np.concatenate(middle)
    error = found.std() / math.sqrt(found.size)
    bound = _cramer_rao(snr, settings, velocity)
    assert found.std() > bound * (1 - 3 / math.sqrt(2 * found.size))
    if snr >= 10 and velocity == 0:
        assert found.std() < 1.5 * bound
    # Where there is more noise than gates can average, the frequency in the denominator is rough.
    assert abs(found.mean() - velocity) < 4 * error + (0.1 if snr < 10 else 0.01) * velocity


@given(
    st.sampled_from(ESTIMATORS), st.sampled_from([2, 4, 8]),
    st.lists(st.integers(0, 16), max_size=8), st.integers(0, 2**32),
)  # fmt: skip
def test_however_frames_are_cut_the_velocities_are_the_same(estimator, ensemble, cuts, seed):
    random = np.random.default_rng(seed)
    iq = (random.standard_normal((16, 5, 9, 2)) @ np.array([1, 1j])).astype(np.complex64)
    settings = _settings(estimator=estimator, ensemble=ensemble, gate=0.3)
    whole = estimate_velocity(iq, settings)
    assert whole.shape == (15, 5, 9)
    pieces = list(velocity_blocks(_cut(iq, cuts), settings))
    assert all(len(piece) for piece in pieces)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_where_there_is_no_echo_there_is_no_velocity(estimator):
    found = estimate_velocity(np.zeros((6, 8, 5), np.complex64), _settings(estimator=estimator))
    np.testing.assert_array_equal(found, 0)


def test_a_bad_sample_spoils_its_gate_and_ensemble_alone():
    random = np.random.default_rng(14)
    iq = (random.standard_normal((12, 20, 3, 2)) @ np.array([1, 1j])).astype(np.complex64)
    settings = _settings(gate=0.5)
    whole = estimate_velocity(iq, settings)
    iq[6, 10, 1] = np.nan
    found = estimate_velocity(iq, settings)
    spoiled = np.isnan(found)
    # Pairs 5 and 6 hold the image, ensembles reach one further; gates two samples each way.
    expected = np.zeros_like(spoiled)
    expected[4:8, 8:13, 1] = True
    np.testing.assert_array_equal(spoiled, expected)
    np.testing.assert_array_equal(found[~spoiled], whole[~spoiled])


def test_layout_and_precision_of_the_input_do_not_matter():
    random = np.random.default_rng(15)
    iq = (random.standard_normal((7, 6, 4, 2)) @ np.array([1, 1j])).astype(np.complex64)
    expected = estimate_velocity(iq, SETTINGS)
    for same in (
        iq.astype(np.complex128),
        np.asfortranarray(iq),
        np.repeat(iq, 2, axis=2)[..., ::2],
    ):
        np.testing.assert_array_equal(estimate_velocity(same, SETTINGS), expected)
    alone = estimate_velocity(iq[:, :, :1], SETTINGS)  # one column
    np.testing.assert_array_equal(alone, expected[:, :, :1])


def test_the_input_is_left_alone():
    random = np.random.default_rng(16)
    iq = (random.standard_normal((7, 6, 4, 2)) @ np.array([1, 1j])).astype(np.complex64)
    before = iq.copy()
    estimate_velocity(iq, SETTINGS)
    np.testing.assert_array_equal(iq, before)


def test_a_gate_beyond_the_image_takes_in_all_of_it():
    random = np.random.default_rng(17)
    iq = (random.standard_normal((5, 6, 2, 2)) @ np.array([1, 1j])).astype(np.complex64)
    found = estimate_velocity(iq, _settings(gate=1e4))
    np.testing.assert_array_equal(found, np.broadcast_to(found[:, :1], found.shape))


def test_memory_does_not_grow_with_the_recording():
    block = np.ones((50, 8, 8), np.complex64)

    def peak(blocks):
        tracemalloc.start()
        for _ in velocity_blocks((block for _ in range(blocks)), SETTINGS):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)
    assert peak(200) < 1.2 * peak(10)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"frame_rate": 0.0}, "frame_rate: found 0.0"),
        ({"frame_rate": math.nan}, "frame_rate: found nan"),
        ({"centre_frequency": -1.0}, "centre_frequency"),
        ({"depth_step": math.inf}, "depth_step"),
        ({"sound_speed": 0.0}, "sound_speed"),
        ({"gate": 0.0}, "gate"),
        ({"demodulation_frequency": -1.0}, "demodulation_frequency: found -1.0"),
        ({"demodulation_frequency": math.nan}, "demodulation_frequency"),
        ({"ensemble": 3}, "ensemble: found 3, wanted an even number"),
        ({"ensemble": 0}, "ensemble"),
        ({"estimator": "phase"}, "estimator: found 'phase', wanted one of 2d-autocorrelation"),
    ],
)
def test_settings_out_of_bounds_are_refused(values, text, refused):
    with refused(text):
        _settings(**values)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((3, 5, 5), "found 3 frames, wanted 4 or more"),
        ((1, 5, 5), "found 1 frames, wanted 4"),
        ((0, 5, 5), "found 0 frames"),
        ((8, 1, 5), "found shape"),
        ((8, 5), "found shape"),
        ((8, 5, 0), "found shape"),
    ],
)
def test_too_few_or_too_small_images_are_refused(shape, text, refused):
    with refused(text):
        estimate_velocity(np.ones(shape, np.complex64), SETTINGS)


def test_no_images_at_all_are_refused(refused):
    with refused("found 0 frames, wanted 4"):
        list(velocity_blocks([], SETTINGS))
