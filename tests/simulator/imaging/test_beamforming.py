import dataclasses
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.simulator import InputError
from musim.simulator.imaging.acquisition import Acquisition, PixelGrid, PlaneWaves, Probe
from musim.simulator.imaging.beamforming import beamform, delay_and_sum, directivity_f_number
from musim.simulator.imaging.demodulation import demodulate

FC, SPEED = 5e6, 1500.0
WAVELENGTH = 0.3
PROBE = Probe(elements=64, pitch=0.3, element_width=0.25)
ANGLES = PlaneWaves(tuple(np.radians([-12.0, 0.0, 7.0])))
START = 20e-6
ACQUISITION = Acquisition(
    probe=PROBE, waves=PlaneWaves(), sampling_frequency=20e6, centre_frequency=FC,
    sound_speed=SPEED, first_sample_time=START,
)  # fmt: skip
DEPTH, WIDTH = 20.04, 1.52
POINT = np.array([[[DEPTH, WIDTH, 1.0]]])
SAMPLES = 400


def _with(**changes):
    return dataclasses.replace(ACQUISITION, **changes)


def _iq(exact_rf, acquisition, scatterers=POINT, samples=SAMPLES, bandwidth=0.5):
    rf = exact_rf(acquisition, scatterers, samples, bandwidth)
    return demodulate(rf, acquisition.sampling_frequency, FC)


def _noise(acquisition, frames, samples=200):
    shape = frames, len(acquisition.waves.angles), acquisition.probe.elements, samples
    parts = np.random.default_rng(0).standard_normal((2, *shape), np.float32)
    return parts[0] + 1j * parts[1]


def _slowly(iq, acquisition, grid, f_number, taper):
    """Delay and sum by the formulas, one pixel, angle and element after the other."""
    probe, speed, fc = acquisition.probe, 1000 * acquisition.sound_speed, FC
    places = [(e - (probe.elements - 1) / 2) * probe.pitch for e in range(probe.elements)]
    samples = iq.shape[-1]
    taps = np.arange(-1, 3)
    image = np.zeros((len(iq), grid.depth.size, grid.width.size), complex)
    for row, depth in enumerate(grid.depth):
        for column, width in enumerate(grid.width):
            weights = 0.0
            for wave, angle in enumerate(acquisition.waves.angles):
                # The wave starts at the element that it passes first.
                first = min(x * math.sin(angle) for x in places)
                out = depth * math.cos(angle) + width * math.sin(angle) - first
                for element, x in enumerate(places):
                    share = abs(width - x) / max(depth / (2 * f_number), probe.pitch)
                    time = (out + math.hypot(depth, width - x)) / speed
                    time -= acquisition.first_sample_times[wave]
                    place = time * acquisition.sampling_frequency
                    if share >= 1 or not 0 <= place <= samples - 1:
                        continue
                    weight = 1.0
                    if share > 1 - taper:
                        weight = (1 + math.cos(math.pi * (share - 1 + taper) / taper)) / 2
                    weights += weight
                    whole = math.floor(place)
                    for tap in taps:
                        if 0 <= whole + tap < samples:
                            others = taps[taps != tap]
                            factor = np.prod((place - whole - others) / (tap - others))
                            turned = iq[:, wave, element, whole + tap] * np.exp(
                                2j * math.pi * fc * (time - 2 * depth / speed)
                            )
                            image[:, row, column] += weight * factor * turned
            if weights > 0:
                image[:, row, column] /= weights
    return image


@given(
    elements=st.integers(1, 6),
    angles=st.lists(st.floats(-0.7, 0.7), min_size=1, max_size=3),
    frames=st.integers(1, 18),
    samples=st.integers(1, 60),
    starts=st.lists(st.floats(0, 2e-6), min_size=3, max_size=3),
    f_number=st.floats(0.2, 3),
    taper=st.sampled_from([0.0, 0.3, 1.0]),
    seed=st.integers(0, 2**32),
)
def test_images_are_those_of_the_formulas(
    elements, angles, frames, samples, starts, f_number, taper, seed
):
    random = np.random.default_rng(seed)
    acquisition = _with(
        probe=Probe(elements, 0.31, 0.3),
        waves=PlaneWaves(angles),
        first_sample_time=tuple(starts[: len(angles)]) if seed % 2 else starts[0],
    )
    grid = PixelGrid(
        np.sort(random.uniform(0, 3, random.integers(1, 5))),
        np.sort(random.uniform(-1.5, 1.5, random.integers(1, 12))),
    )
    iq = _noise(acquisition, frames, samples)
    image = delay_and_sum(iq, acquisition, grid, f_number=f_number, taper=taper)
    exact = _slowly(iq, acquisition, grid, f_number, taper)
    assert image.dtype == np.complex64
    np.testing.assert_allclose(image, exact, atol=2e-5)


@pytest.mark.parametrize("waves", [*(PlaneWaves((a,)) for a in ANGLES.angles), ANGLES])
def test_a_point_appears_where_it_is(exact_rf, waves):
    acquisition = _with(waves=waves)
    grid = PixelGrid(DEPTH + 0.02 * np.arange(-40, 41), WIDTH + 0.04 * np.arange(-40, 41))
    image = np.abs(delay_and_sum(_iq(exact_rf, acquisition), acquisition, grid)[0])
    row, column = np.unravel_index(image.argmax(), image.shape)
    assert abs(row - 40) <= 1
    assert abs(column - 40) <= 1
    # Weights sum to 1, so a point's brightness is its echoes' amplitude.
    assert image[40, 40] == pytest.approx(1, abs=0.02)


def test_waves_that_are_sampled_from_their_own_instants_on_fit_together(exact_rf):
    # As where time counts from when a wave passes the array's middle.
    late = [PROBE.positions[-1] * abs(math.sin(a)) / (1000 * SPEED) for a in ANGLES.angles]
    starts = tuple(START - 1e-6 + one for one in late)
    assert max(starts) - min(starts) > 5 / FC
    acquisition = _with(waves=ANGLES, first_sample_time=starts)
    grid = PixelGrid([DEPTH], [WIDTH])
    image = delay_and_sum(_iq(exact_rf, acquisition), acquisition, grid)
    assert abs(image[0, 0, 0]) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("removed", [0.0, 4.3e6, FC, 6e6])
def test_echoes_demodulated_at_any_frequency_make_the_same_image(exact_rf, removed):
    acquisition = _with(waves=ANGLES)
    rf = exact_rf(acquisition, POINT, SAMPLES)
    iq = demodulate(rf, acquisition.sampling_frequency, FC)
    times = np.arange(SAMPLES) / acquisition.sampling_frequency
    other = (iq * np.exp(2j * np.pi * (FC - removed) * times)).astype("c8")
    grid = PixelGrid(DEPTH + 0.1 * np.arange(-3, 4), WIDTH + 0.1 * np.arange(-3, 4))
    image = beamform(other, acquisition, grid, demodulation_frequency=removed)
    np.testing.assert_allclose(image, beamform(rf, acquisition, grid), atol=1e-4)


@pytest.mark.parametrize(("taper", "width"), [(0.0, 1.207), (1.0, 2.0)])
@pytest.mark.parametrize("f_number", [1.5, 2.5])
def test_a_points_width_is_that_of_the_aperture(exact_rf, taper, width, f_number):
    # Half-maximum widths of the Fourier transforms of a rectangle and of a raised cosine, which
    # are images of a point in a narrow band (Harris 1978, doi:10.1109/PROC.1978.10837).
    iq = _iq(exact_rf, ACQUISITION, bandwidth=0.15)
    grid = PixelGrid([DEPTH], WIDTH + 0.005 * np.arange(-400, 401))
    profile = np.abs(delay_and_sum(iq, ACQUISITION, grid, f_number=f_number, taper=taper)[0, 0])
    wide = (profile > profile.max() / 2).sum() * 0.005
    assert wide == pytest.approx(width * WAVELENGTH * f_number, rel=0.05)


@pytest.mark.parametrize("bandwidth", [0.2, 0.4])
def test_a_points_depth_is_that_of_the_pulse(exact_rf, bandwidth):
    iq = _iq(exact_rf, ACQUISITION, bandwidth=bandwidth)
    grid = PixelGrid(DEPTH + 0.005 * np.arange(-400, 401), [WIDTH])
    profile = np.abs(delay_and_sum(iq, ACQUISITION, grid, f_number=4)[0, :, 0])
    deep = (profile > profile.max() / 2).sum() * 0.005
    # A Gaussian of half-maximum bandwidth B lasts 4 ln 2 / (pi B); the way counts twice.
    exact = 4 * math.log(2) / (math.pi * bandwidth * FC) * 1000 * SPEED / 2
    assert deep == pytest.approx(exact, rel=0.03)


def test_angles_are_compounded_coherently(exact_rf):
    acquisition = _with(waves=ANGLES)
    iq = _iq(exact_rf, acquisition)
    grid = PixelGrid(DEPTH + 0.1 * np.arange(-5, 6), WIDTH + 0.2 * np.arange(-5, 6))
    single = [
        delay_and_sum(iq[:, [wave]], _with(waves=PlaneWaves((angle,))), grid)
        for wave, angle in enumerate(ANGLES.angles)
    ]
    together = delay_and_sum(iq, acquisition, grid)
    np.testing.assert_allclose(together, np.mean(single, axis=0), atol=1e-6)
    # In phase at the point, out of phase beside it.
    assert np.abs(together[0, 5, 5]) > 0.99 * np.mean(np.abs(single), axis=0)[0, 5, 5]
    assert np.abs(together[0, 5, -1]) < 0.7 * np.mean(np.abs(single), axis=0)[0, 5, -1]


@pytest.mark.parametrize("f_number", [0.9, 2.0])
def test_only_elements_in_the_aperture_are_heard(f_number):
    iq = _noise(ACQUISITION, 1)
    grid = PixelGrid([17.0], [1.07])
    image = delay_and_sum(iq, ACQUISITION, grid, f_number=f_number, taper=0.0)
    outside = np.abs(PROBE.positions - 1.07) > 17 / (2 * f_number)
    assert 0 < outside.sum() < 64
    changed = iq.copy()
    changed[:, :, outside] = 1e9
    np.testing.assert_array_equal(
        delay_and_sum(changed, ACQUISITION, grid, f_number=f_number, taper=0.0), image
    )
    for element in np.flatnonzero(~outside):
        changed = iq.copy()
        changed[:, :, element] *= 2
        assert delay_and_sum(changed, ACQUISITION, grid, f_number=f_number, taper=0.0) != image


def test_pixels_at_the_probes_face_hear_the_elements_beside_them():
    acquisition = _with(first_sample_time=0.0)
    iq = np.ones_like(_noise(acquisition, 1))
    face = PixelGrid([0.0], PROBE.positions + 0.11)
    assert (np.abs(delay_and_sum(iq, acquisition, face)) > 0.5).all()
    beside = PixelGrid([0.0], [-12.0, 12.0])
    assert (delay_and_sum(iq, acquisition, beside) == 0).all()


def test_pixels_beyond_the_record_are_zero():
    grid = PixelGrid([1.0, 17.0, 40.0], [0.0])
    image = delay_and_sum(_noise(ACQUISITION, 2), ACQUISITION, grid)
    assert (image[:, [0, 2]] == 0).all()
    assert (image[:, 1] != 0).all()


@pytest.mark.parametrize("nearer", [0.01, -0.03])
def test_phase_rises_as_a_point_comes_nearer(exact_rf, nearer):
    acquisition = _with(waves=ANGLES)
    points = POINT + np.array([[[0.0, 0.0, 0.0]], [[-nearer, 0.0, 0.0]], [[0.0, 0.03, 0.0]]])
    iq = _iq(exact_rf, acquisition, points, bandwidth=0.2)
    pixel = delay_and_sum(iq, acquisition, PixelGrid([DEPTH], [WIDTH]), f_number=4)[:, 0, 0]
    towards, sideways = np.angle(pixel[1:] / pixel[0])
    assert towards == pytest.approx(4 * math.pi * nearer / WAVELENGTH, rel=0.015)
    # Aslant waves see a little of a movement along the width: the mean of theirs.
    aslant = np.sin(ANGLES.angles).mean()
    assert sideways == pytest.approx(-2 * math.pi * 0.03 * aslant / WAVELENGTH, abs=0.002)


@pytest.mark.parametrize("angle", [-0.2, 0.0, 0.1])
def test_phase_is_that_of_the_way_to_the_point_and_back(exact_rf, angle):
    acquisition = _with(waves=PlaneWaves((angle,)))
    pixel = delay_and_sum(_iq(exact_rf, acquisition), acquisition, PixelGrid([DEPTH], [WIDTH]))
    exact = np.exp(-4j * math.pi * DEPTH / WAVELENGTH)
    assert np.angle(pixel[0, 0, 0] / exact) == pytest.approx(0, abs=0.02)


def test_the_carrier_along_depth_is_taken_off(exact_rf):
    iq = _iq(exact_rf, ACQUISITION, bandwidth=0.2)
    grid = PixelGrid(DEPTH + 0.05 * np.arange(-4, 5), [WIDTH])
    image = delay_and_sum(iq, ACQUISITION, grid, f_number=4)[0, :, 0]
    # What is left is the lower depth frequency of echoes that come in aslant: below 1 percent.
    assert np.abs(np.angle(image[1:] / image[:-1])).max() < 0.01 * 4 * math.pi * 0.05 / WAVELENGTH


def test_band_pass_sampled_echoes_give_the_image_of_densely_sampled_ones(exact_rf):
    grid = PixelGrid(DEPTH + 0.1 * np.arange(-15, 16), WIDTH + 0.2 * np.arange(-15, 16))
    images = []
    for ratio, samples in ((4 / 3, 133), (8, 800)):
        acquisition = _with(waves=ANGLES, sampling_frequency=ratio * FC)
        rf = exact_rf(acquisition, POINT, samples, 0.15)
        images.append(beamform(rf, acquisition, grid))
    np.testing.assert_allclose(images[0], images[1], atol=0.005)


@pytest.mark.parametrize("piece", [1, 5, 16, 33])
def test_pieces_equal_the_whole(piece):
    acquisition = _with(waves=ANGLES)
    grid = PixelGrid.spanning((14, 19), (-3, 3), (7, 5))
    rf = (100 * _noise(acquisition, 37).real).astype(np.int16)
    whole = beamform(rf, acquisition, grid)
    pieces = [beamform(rf[i : i + piece], acquisition, grid) for i in range(0, 37, piece)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_layouts_and_steps_have_no_influence():
    acquisition = _with(waves=ANGLES)
    grid = PixelGrid.spanning((14, 19), (-3, 3), (7, 5))
    rf = _noise(acquisition, 18).real
    whole = beamform(rf, acquisition, grid)
    assert np.abs(whole).min() > 0
    iq = demodulate(rf, acquisition.sampling_frequency, FC)
    np.testing.assert_array_equal(delay_and_sum(iq, acquisition, grid), whole)
    np.testing.assert_array_equal(delay_and_sum(np.asfortranarray(iq), acquisition, grid), whole)
    np.testing.assert_array_equal(beamform(rf[::-2], acquisition, grid), whole[::-2])
    rf.flags.writeable = False
    np.testing.assert_array_equal(beamform(rf, acquisition, grid), whole)


def test_beamforming_hands_its_options_on():
    grid = PixelGrid.spanning((14, 19), (-3, 3), (7, 5))
    rf = _noise(ACQUISITION, 2).real
    options = {"f_number": 2.2, "taper": 0.3}
    iq = demodulate(rf, ACQUISITION.sampling_frequency, FC, bandwidth=1e6)
    image = delay_and_sum(iq, ACQUISITION, grid, **options)
    np.testing.assert_array_equal(beamform(rf, ACQUISITION, grid, bandwidth=1e6, **options), image)


def test_a_frame_does_not_disturb_its_neighbours():
    grid = PixelGrid.spanning((14, 19), (-3, 3), (7, 5))
    iq = _noise(ACQUISITION, 18)
    image = delay_and_sum(iq, ACQUISITION, grid)
    iq[3] = np.nan
    spoiled = delay_and_sum(iq, ACQUISITION, grid)
    assert np.isnan(spoiled[3]).all()
    np.testing.assert_array_equal(np.delete(spoiled, 3, axis=0), np.delete(image, 3, axis=0))


def test_no_frames_give_no_images():
    grid = PixelGrid.spanning((14, 19), (-3, 3), (7, 5))
    assert beamform(np.zeros((0, 1, 64, 200)), ACQUISITION, grid).shape == (0, 7, 5)


def test_memory_does_not_grow_with_the_frames():
    grid = PixelGrid.spanning((14, 19), (-3, 3), (7, 5))

    def scratch(frames):
        rf = np.zeros((frames, 1, 64, 200), np.int16)
        tracemalloc.start()
        result = beamform(rf, ACQUISITION, grid)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak - result.nbytes

    few = scratch(32)  # compiled before it is counted
    few = scratch(32)
    assert few > 16 * 64 * 200 * 8
    assert scratch(256) < 1.05 * few


def test_the_f_number_follows_the_elements_directivity():
    for width in (0.05, 0.2, 0.25, 0.3):
        acquisition = _with(probe=Probe(8, 0.3, width))
        angle = math.atan(1 / (2 * directivity_f_number(acquisition)))
        heard = math.cos(angle) * np.sinc(width / WAVELENGTH * math.sin(angle))
        assert heard == pytest.approx(math.sqrt(0.5))
    # A point hears by the cosine alone: 45 degrees; one of many wavelengths hears straight ahead.
    assert directivity_f_number(_with(probe=Probe(8, 0.3, 1e-6))) == pytest.approx(0.5)
    wide = directivity_f_number(_with(probe=Probe(8, 30.0, 30.0)))
    # sinc is 1 / sqrt 2 at 0.4430 (half the -3 dB width of a rectangle's beam).
    assert wide == pytest.approx(100 / (2 * 0.4430), rel=1e-3)


def test_the_default_aperture_is_that_of_the_directivity():
    grid = PixelGrid.spanning((14, 19), (-3, 3), (7, 5))
    iq = _noise(ACQUISITION, 1)
    given_it = delay_and_sum(iq, ACQUISITION, grid, f_number=directivity_f_number(ACQUISITION))
    np.testing.assert_array_equal(delay_and_sum(iq, ACQUISITION, grid), given_it)


@pytest.mark.parametrize(
    ("shape", "dtype", "options", "message"),
    [
        ((2, 2, 64, 50), "c8", {}, r"echoes: found shape .*, wanted \(frame, 1, 64, sample\)"),
        ((2, 1, 63, 50), "c8", {}, "for 1 angles and 64 elements; move the axes"),
        ((1, 64, 50), "c8", {}, "echoes: found shape"),
        ((2, 1, 64, 0), "c8", {}, "echoes: found shape"),
        ((2, 1, 64, 50), "f4", {}, "IQ: found float32, wanted complex64; demodulate"),
        ((2, 1, 64, 50), "c16", {}, "IQ: found complex128"),
        ((2, 1, 64, 50), "c8", {"f_number": 0.0}, "f-number: found 0, wanted more than 0"),
        ((2, 1, 64, 50), "c8", {"f_number": math.nan}, "f-number: found nan"),
        ((2, 1, 64, 50), "c8", {"taper": 1.1}, "taper: found 1.1, wanted 0"),
        ((2, 1, 64, 50), "c8", {"taper": math.nan}, "taper: found nan"),
    ],
)
def test_what_cannot_be_beamformed_is_refused(shape, dtype, options, message):
    with pytest.raises(InputError, match=message):
        delay_and_sum(np.zeros(shape, dtype), ACQUISITION, PixelGrid([15.0], [0.0]), **options)


def test_recordings_that_do_not_fit_are_refused_before_any_work(refused):
    grid = PixelGrid([15.0], [0.0])
    with refused("echoes: found shape"):
        beamform(np.zeros((3, 64, 50)), ACQUISITION, grid)
    sampled_too_slowly = _with(sampling_frequency=2 * FC)
    with refused("sampling: found the band's mirror image 0 Hz"):
        beamform(np.zeros((1, 1, 64, 50)), sampled_too_slowly, grid)
