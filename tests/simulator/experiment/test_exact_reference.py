"""The fast images of speckle against echoes that each element hears from each scatterer.

The exact side: points that really move, a plane wave, spherical ways back to each element, RF
samples, demodulation, delay and sum. The fast side: scatterer cells, phases, a separable Gaussian
point-spread function. Both are some mm wide, and measured in the same way.
"""

import math

import numpy as np
import pytest

from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.motion import Motion
from musim.simulator.experiment.speckle import Scanner, draw_echoes, iq_blocks
from musim.simulator.experiment.tissue import Tissue
from musim.simulator.imaging.acquisition import Acquisition, PixelGrid, PlaneWaves, Probe
from musim.simulator.imaging.beamforming import beamform
from musim.simulator.imaging.velocimetry import Velocimetry, estimate_velocity

SPEED, CENTRE, BANDWIDTH, F_NUMBER = 1540.0, 7.7e6, 0.4, 1.5
TOP, SIZE = 8.0, (3.0, 3.0)
"""Depth at which the exact image begins and both images' size, mm."""

PIXELS = (30, 30)
DENSITY = 60
"""Scatterers a mm2: 10 a resolution cell of 0.22 x 0.36 mm (at half amplitude)."""

TAPER = 0.5
"""Share of the receiving aperture over which it fades, as scanners have it."""

ACQUISITION = Acquisition(
    probe=Probe(elements=32, pitch=0.3, element_width=0.25), waves=PlaneWaves(),
    sampling_frequency=24e6, centre_frequency=CENTRE, sound_speed=SPEED,
    first_sample_time=9.2e-6,
)  # fmt: skip
SAMPLES = 144


def _grid():
    return PixelGrid.spanning((TOP, TOP + SIZE[0]), (-SIZE[1] / 2, SIZE[1] / 2), PIXELS)


def _points(random):
    """Scatterers in the image and around it: (point, 3) of depth, width, amplitude."""
    margin = 0.6
    extent = SIZE[0] + 2 * margin, SIZE[1] + 2 * margin
    count = round(DENSITY * extent[0] * extent[1])
    depth = TOP - margin + extent[0] * random.random(count)
    width = -extent[1] / 2 + extent[1] * random.random(count)
    return np.column_stack([depth, width, random.choice([-1.0, 1.0], count)])


def _exact(exact_rf, scatterers):
    rf = exact_rf(ACQUISITION, scatterers, SAMPLES, BANDWIDTH)
    return beamform(rf, ACQUISITION, _grid(), f_number=F_NUMBER, taper=TAPER)


def _velocity(depth, width):
    """Shear and strain, mm/s towards the transducer, about the image's upper left corner."""
    return 3 * np.sin(2 * np.pi * width / 2.5) * np.cos(2 * np.pi * depth / 6)


def _scanner():
    return Scanner(Doses.off(image=PIXELS), SIZE, 0.0)


def _motion(courses):
    step = (0.05, 0.05)
    z, x = np.meshgrid((np.arange(60) + 0.5) * 0.05, (np.arange(60) + 0.5) * 0.05, indexing="ij")
    fields = np.stack([_velocity(z, x), 0 * z])[None]
    doses = Doses.off(image=PIXELS).draw(0, 0)
    tissue = Tissue(doses, 0.0, np.zeros(z.shape, np.int64), step, 0, 0)
    return Motion(fields, np.atleast_2d(courses), step, tissue)


@pytest.fixture(scope="module")
def still(exact_rf):
    """Independent images of tissue at rest: exact and fast, complex (image, depth, width)."""
    random = np.random.default_rng(1)
    exact = _exact(exact_rf, np.stack([_points(random) for _ in range(12)]))
    motion = _motion(np.zeros(2))
    fast = np.stack([
        next(iter(iq_blocks(draw_echoes(_scanner(), motion, 1, index), 2)))[0]
        for index in range(64)
    ])  # fmt: skip
    # The fast image ends where its scatterers do.
    return [(images / np.sqrt(np.mean(np.abs(images) ** 2)))[:, 4:-4, 3:-3]
            for images in (exact.astype(complex), fast.astype(complex))]  # fmt: skip


def test_speckle_is_fully_developed_in_both(still):
    for images in still:
        envelope = np.abs(images)
        # Rayleigh's ratio is 1.913; some 500 resolution cells tell it to 4 %.
        assert envelope.mean() / envelope.std() == pytest.approx(1.913, rel=0.1)
        median = np.median(envelope) / math.sqrt(np.mean(envelope**2))
        assert median == pytest.approx(math.sqrt(math.log(2)), rel=0.05)


def _distance(values, others):
    """Kolmogorov's and Smirnov's: the greatest distance of two distributions."""
    both = np.sort(np.concatenate([values, others]))
    shares = [np.searchsorted(np.sort(v), both, "right") / len(v) for v in (values, others)]
    return np.abs(shares[0] - shares[1]).max()


def test_envelopes_have_the_same_distribution(still):
    exact, fast = (np.abs(images).ravel() for images in still)
    # Of some 500 cells against many: 1.36 / sqrt(500) would be exceeded once in twenty.
    assert _distance(exact, fast) < 0.061
    # A distribution that is none of speckle is told apart.
    assert _distance(exact**2 / np.sqrt(np.mean(exact**4)), fast) > 0.15


def _correlation_width(images, axis, step):
    """Full width at half of the complex autocorrelation along depth (1) or width (2), mm."""
    moved = np.moveaxis(images, axis, -1)
    lags = [np.abs(np.mean(moved[..., : moved.shape[-1] - lag].conj() * moved[..., lag:]))
            for lag in range(10)]  # fmt: skip
    values = np.array(lags) / lags[0]
    below = int(np.argmax(values < 0.5))
    share = (values[below - 1] - 0.5) / (values[below - 1] - values[below])
    return 2 * step * (below - 1 + share)


@pytest.mark.parametrize(("axis", "within"), [(1, 0.1), (2, 0.15)])
def test_speckle_is_as_coarse_in_both(still, axis, within):
    exact, fast = (_correlation_width(images, axis, 0.1) for images in still)
    assert fast == pytest.approx(exact, rel=within)
    # That of a Gaussian is sqrt 2 times as wide as the point-spread function itself.
    scanner = _scanner()
    width = scanner.axial_width if axis == 1 else float(scanner.lateral_width[0])
    assert fast == pytest.approx(math.sqrt(2) * width, rel=0.08)


def test_velocity_errors_are_of_the_same_size(exact_rf):
    # Tissue that shears within a gate: each estimate is weighted by its speckle.
    times = np.arange(4) / 2000
    settings = Velocimetry(frame_rate=2000.0, centre_frequency=CENTRE, depth_step=0.1, gate=0.5)
    z, x = np.meshgrid(*((np.arange(30) + 0.5) * 0.1,) * 2, indexing="ij")
    true = _velocity(z, x)
    gate = settings.gate_samples
    mean = np.stack([true[max(row - gate // 2, 0) : row + gate // 2 + 1].mean(axis=0)
                     for row in range(30)])  # fmt: skip
    random = np.random.default_rng(2)
    exact, fast = [], []
    for _ in range(6):
        points = _points(random)
        moved = points[None].repeat(4, 0)
        way = _velocity(points[:, 0] - TOP, points[:, 1] + SIZE[1] / 2)
        moved[:, :, 0] -= times[:, None] * way
        exact.append(estimate_velocity(_exact(exact_rf, moved), settings)[1])
    for index in range(40):
        echoes = draw_echoes(_scanner(), _motion(times), 2, index)
        fast.append(estimate_velocity(np.concatenate(list(iq_blocks(echoes, 4))), settings)[1])
    inner = np.s_[:, 5:-5, 4:-4]
    exact_error, fast_error = ((np.stack(found) - mean)[inner] for found in (exact, fast))
    scale = true.std()
    assert exact_error.std() < 0.5 * scale
    # Both see the same: the velocity, smoothed by the beam.
    both = [np.stack(found)[inner].mean(axis=0).ravel() for found in (exact, fast)]
    assert np.corrcoef(*both)[0, 1] > 0.97
    assert 0.65 < fast_error.std() / exact_error.std() < 1.4
    # And scatter alike about their own means, from one speckle to another.
    scatter = [np.stack(found)[inner].std(axis=0).mean() for found in (exact, fast)]
    assert 0.7 < scatter[1] / scatter[0] < 1.4


def test_errors_of_tissue_that_moves_as_one_are_of_the_same_size(exact_rf):
    # 2-D autocorrelation divides by the speckle's own frequency, which Doppler's phase follows.
    times, velocity = np.arange(4) / 2000, 2.0
    settings = Velocimetry(frame_rate=2000.0, centre_frequency=CENTRE, depth_step=0.1)
    random = np.random.default_rng(2)
    exact, fast = [], []
    for _ in range(3):
        moved = _points(random)[None].repeat(4, 0)
        moved[:, :, 0] -= times[:, None] * velocity
        exact.append(estimate_velocity(_exact(exact_rf, moved), settings)[1])
    motion = _motion(times * velocity)
    motion.fields[:, 0] = 1.0
    for index in range(20):
        echoes = draw_echoes(_scanner(), motion, 2, index)
        fast.append(estimate_velocity(np.concatenate(list(iq_blocks(echoes, 4))), settings)[1])
    inner = np.s_[:, 6:-6, 4:-4]
    exact_sd, fast_sd = (np.stack(found)[inner].std() / velocity for found in (exact, fast))
    assert exact_sd < 0.02
    assert 0.67 < fast_sd / exact_sd < 1.5


def test_a_rectangular_aperture_s_point_is_as_wide_as_the_fast_one(exact_rf):
    rf = exact_rf(ACQUISITION, np.array([[[TOP + 1.55, 0.05, 1.0]]]), SAMPLES, BANDWIDTH)
    fine = PixelGrid.spanning((TOP + 1.05, TOP + 2.05), (-1.0, 1.1), (50, 105))
    image = np.abs(beamform(rf, ACQUISITION, fine, f_number=F_NUMBER, taper=0.0))[0]
    row, column = np.unravel_index(image.argmax(), image.shape)

    def width(line, step):
        above = np.flatnonzero(line > line.max() / 2)
        return step * (above[-1] - above[0] + 1)

    scanner = _scanner()
    assert width(image[:, column], 0.02) == pytest.approx(scanner.axial_width, rel=0.15)
    assert width(image[row], 0.02) == pytest.approx(scanner.lateral_width[0], rel=0.1)


def test_a_point_s_phase_turns_alike(exact_rf):
    ways = np.array([0.0, 0.005, 0.02])  # mm towards the transducer
    points = np.array([[[TOP + 1.55 - way, 0.05, 1.0]] for way in ways])
    images = _exact(exact_rf, points)
    row = int(np.abs(_grid().depth - (TOP + 1.55)).argmin())
    column = int(np.abs(_grid().width - 0.05).argmin())
    turned = np.angle(images[:, row, column] / images[0, row, column])
    expected = 4e-3 * np.pi * CENTRE * ways / SPEED
    np.testing.assert_allclose(turned, expected, atol=0.06)
