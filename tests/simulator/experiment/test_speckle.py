import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from musim.simulator import Range
from musim.simulator.acceleration import kernel
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.motion import Motion
from musim.simulator.experiment.speckle import (
    BRIGHTNESS,
    CELLS,
    ELEVATION,
    Echoes,
    Scanner,
    _at,
    draw_echoes,
    iq_blocks,
)
from musim.simulator.experiment.speckle_kernels import cosine_of_turn, sine_of_turn
from musim.simulator.experiment.tissue import Tissue
from musim.simulator.imaging.velocimetry import estimate_velocity
from musim.simulator.noise import standard_normal

SOUND_SPEED = 1540.0
STILL = np.zeros((1, 4))


def _doses(**values):
    return Doses.off(**values)


def _motion(courses, size=(10.0, 5.0), fields=None, fat=0.0, seed=0, index=0, **doses):
    """Tissue that moves as one, or by fields of its own."""
    courses = np.atleast_2d(courses)
    if fields is None:
        fields = np.ones((1, 2, 10, 5))
    step = size[0] / fields.shape[2], size[1] / fields.shape[3]
    drawn = _doses(**{name: Range(dose, dose) for name, dose in doses.items()}).draw(seed, index)
    cells = np.zeros(fields.shape[2:], np.int64)
    return Motion(fields, courses, step, Tissue(drawn, fat, cells, step, seed, index))


def _scanner(size=(10.0, 5.0), image=(64, 16), attenuation=0.0, **doses):
    return Scanner(_doses(image=image, **doses), size, attenuation)


def _images(scanner, motion, seed=0, index=0, length=1000, *, pulses_move=True):
    echoes = draw_echoes(scanner, motion, seed, index)
    if not pulses_move:
        echoes = dataclasses.replace(echoes, shift=np.zeros_like(echoes.shift))
    return np.concatenate(list(iq_blocks(echoes, length)))


def _slowly(echoes):
    """The images by complex exponentials and explicit sums, float64."""
    turns = np.einsum("fn,nzcx->fzcx", echoes.courses.astype(float), echoes.fields.astype(float))
    angle = 2 * np.arctan(echoes.exchange[:, None, None].astype(float) * turns)
    now, later = (
        echoes.scatterers[i].astype(float) + 1j * echoes.scatterers[i + 1] for i in (0, 2)
    )
    seen = (now * np.cos(angle) + later * np.sin(angle)) * np.exp(2j * np.pi * turns)
    moved = 2 * np.arctan(echoes.shift[:, None, None].astype(float) * turns)
    total = (seen * np.cos(moved)).sum(axis=2), (seen * np.sin(moved)).sum(axis=2)
    frames, depths, widths = total[0].shape
    out = np.zeros_like(total[0])
    half = echoes.axial.shape[2] // 2, echoes.lateral.shape[1] // 2
    for z in range(depths):
        for x in range(widths):
            for down in range(-half[0], half[0] + 1):
                for right in range(-half[1], half[1] + 1):
                    if 0 <= z + down < depths and 0 <= x + right < widths:
                        for axial, echo in zip(echoes.axial, total, strict=True):
                            weight = axial[z, down + half[0]].astype(complex)
                            weight *= echoes.lateral[z, right + half[1]]
                            out[:, z, x] += weight * echo[:, z + down, x + right]
    noise = standard_normal(echoes.key, (2 * frames, depths, widths)).astype(float)
    return out + echoes.noise[:, None] * (noise[::2] + 1j * noise[1::2])


@pytest.mark.parametrize("fields", [1, 2, 5])
@pytest.mark.parametrize("frames", [2, 6, 7])
def test_images_are_those_of_explicit_sums(fields, frames):
    random = np.random.default_rng(fields)
    motion = _motion(
        np.zeros((fields, frames)), (4.0, 4.0), random.standard_normal((fields, 2, 12, 12)),
        out_of_plane=30.0, thermal_noise=0.1,
    )  # fmt: skip
    # Depths at which attenuation and the aperture matter, on a few pixels.
    scanner = _scanner((4.0, 4.0), (32, 20), attenuation=3.0, aperture=1.0, f_number=1.0)
    # Ways of 0.05 mm: half a turn and more.
    courses = random.normal(0, 0.05, (frames, fields)).astype(np.float32)
    echoes = dataclasses.replace(draw_echoes(scanner, motion, 3, 1), courses=courses)
    assert np.ptp(echoes.lateral[:, echoes.lateral.shape[1] // 2]) > 0.05
    assert np.abs(echoes.axial.imag).max() > 0.01
    found = np.concatenate(list(iq_blocks(echoes, 100)))
    assert found.dtype == np.complex64
    assert found.shape == (frames, 32, 20)
    np.testing.assert_allclose(found, _slowly(echoes), rtol=0, atol=2e-5)


@kernel
def _circle(turns, sines, cosines):
    for i in range(turns.size):
        sines[i] = sine_of_turn(turns[i])
        cosines[i] = cosine_of_turn(turns[i])


def test_sines_and_cosines_are_right_to_single_precision():
    turns = np.linspace(-0.5, 0.5, 400_001, dtype=np.float32)
    sines, cosines = np.empty_like(turns), np.empty_like(turns)
    _circle(turns, sines, cosines)
    angle = 2 * np.pi * turns.astype(np.float64)
    assert np.abs(sines - np.sin(angle)).max() < 1e-6
    assert np.abs(cosines - np.cos(angle)).max() < 1e-6
    near = np.abs(turns) < 0.25
    assert np.abs(sines - np.sin(angle))[near].max() < 2e-7
    assert np.abs(cosines - np.cos(angle))[near].max() < 2e-7


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5).map(lambda n: [2 * i for i in n]))
def test_the_length_of_blocks_does_not_change_the_images(lengths):
    random = np.random.default_rng(0)
    motion = _motion(0.01 * random.standard_normal((1, 25)), thermal_noise=0.3, out_of_plane=1.0)
    echoes = draw_echoes(_scanner(image=(48, 16)), motion, 0, 0)
    whole = np.concatenate(list(iq_blocks(echoes, 26)))
    for length in lengths:
        blocks = list(iq_blocks(echoes, length))
        assert [len(block) for block in blocks[:-1]] == [length] * (len(blocks) - 1)
        np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_the_same_seed_gives_the_same_images_and_no_other_does():
    motion = _motion(np.linspace(0, 0.01, 4), thermal_noise=0.1)
    first = _images(_scanner(), motion, 5, 2)
    np.testing.assert_array_equal(_images(_scanner(), motion, 5, 2), first)
    for other in ((5, 3), (6, 2)):
        found = _images(_scanner(), motion, *other)
        assert abs(np.vdot(found[0], first[0])) < 0.3 * np.vdot(first[0], first[0]).real


def test_noise_comes_on_top_and_rises_with_depth():
    scanner = _scanner((30.0, 5.0), (192, 16), attenuation=0.5)
    quiet, loud = (
        _images(scanner, _motion(np.zeros((1, 200)), (30.0, 5.0), thermal_noise=dose))
        for dose in (0.0, 0.01)
    )
    assert np.abs(np.diff(quiet, axis=0)).max() == 0
    noise = loud - quiet
    power = np.mean(np.abs(noise) ** 2, axis=(0, 2))
    loss = 0.5 * 7.7 * 2 * scanner.depths / 10
    np.testing.assert_allclose(power, 1e-4 * 10 ** (loss / 10), rtol=6 / math.sqrt(3200))
    assert power[-1] / power[0] > 100
    # White: neither frames nor pixels nor parts are alike.
    flat = (noise / np.sqrt(power)[:, None]).astype(complex)
    assert abs(np.mean(flat)) < 0.01
    for axis in range(3):
        assert abs(np.mean(flat * np.roll(flat, 1, axis).conj())) < 0.01
    assert abs(np.mean(flat.real * flat.imag)) < 0.005


def test_speckle_has_a_power_of_1_and_a_rayleigh_envelope():
    scanner = _scanner((40.0, 40.0), (256, 128))
    image = _images(scanner, _motion(np.zeros((1, 2)), (40.0, 40.0)))[0]
    inner = image[8:-8, 8:-8]
    assert np.mean(np.abs(inner) ** 2) == pytest.approx(1, rel=0.05)
    envelope = np.abs(inner)
    assert envelope.mean() / envelope.std() == pytest.approx(1.913, rel=0.02)
    for share in (0.1, 0.5, 0.9, 0.99):
        expected = math.sqrt(-math.log(1 - share) * np.mean(envelope**2))
        assert np.quantile(envelope, share) == pytest.approx(expected, rel=0.05)


def _lone(scanner, row, column, turns=0.0):
    """One scatterer cell that is seen, and its image."""
    depth, width = scanner.doses.image
    cells = CELLS[0] * CELLS[1]
    scatterers = np.zeros((4, depth, cells, width), np.float32)
    scatterers[0, row, 3, column] = 1
    nothing = np.zeros(depth, np.float32)
    echoes = Echoes(
        fields=np.ones((1, depth, cells, width), np.float32),
        courses=np.full((1, 1), turns, np.float32),
        scatterers=scatterers,
        exchange=nothing,
        shift=nothing,
        axial=scanner.axial_taps(),
        lateral=scanner.lateral_taps(),
        noise=nothing,
        key=np.zeros(4, np.uint32),
        clutter=None,
    )
    return next(iter(iq_blocks(echoes, 2)))[0]


def _full_width(amplitude, step):
    """Full width at half of a peak, by straight lines between samples."""
    top = amplitude.argmax()
    half = amplitude[top] / 2
    right = top + int(np.argmax(amplitude[top:] < half))
    left = top - int(np.argmax(amplitude[top::-1] < half))
    share_right = (amplitude[right - 1] - half) / (amplitude[right - 1] - amplitude[right])
    share_left = (amplitude[left + 1] - half) / (amplitude[left + 1] - amplitude[left])
    return step * (right - 1 + share_right - (left + 1 - share_left))


def test_a_point_is_as_wide_as_bandwidth_frequency_and_f_number_say():
    scanner = _scanner((6.0, 6.0), (512, 512), aperture=3.0)
    image = np.abs(_lone(scanner, 100, 250))
    assert np.unravel_index(image.argmax(), image.shape) == (100, 250)
    dz, dx = scanner.pixel_size
    # A pulse of bandwidth B (at half amplitude) is 2 ln 2 c / (pi B) long.
    pulse = 1000 * 2 * math.log(2) * SOUND_SPEED / (math.pi * 0.4 * 7.7e6)
    assert _full_width(image[:, 250], dz) == pytest.approx(pulse, rel=0.005)
    assert scanner.axial_width == pytest.approx(pulse, rel=1e-9)
    wavelength = 1000 * SOUND_SPEED / 7.7e6
    assert _full_width(image[100], dx) == pytest.approx(1.2 * wavelength * 1.5, rel=0.005)
    # Below three times 1.5 mm the aperture of 3 mm holds the f-number down no more.
    deep = np.abs(_lone(scanner, 499, 250))
    depth = scanner.depths[499]
    assert depth / 3 > 1.9
    found = _full_width(deep[499], dx)
    assert found == pytest.approx(1.2 * wavelength * depth / 3, rel=0.005)
    assert _full_width(deep[:, 250], dz) == pytest.approx(pulse, rel=0.005)


def test_a_point_s_phase_is_that_of_its_displacement():
    scanner = _scanner()
    still = _lone(scanner, 30, 8)
    for turns in (0.1, -0.3, 0.5, 7.25, -1000.125):
        moved = _lone(scanner, 30, 8, turns)
        np.testing.assert_allclose(moved, still * np.exp(2j * np.pi * turns), atol=2e-6)


def test_tissue_turns_the_phase_by_twice_its_way_over_the_wavelength():
    # A wavelength is 0.2 mm: 0.01 mm towards the transducer is a tenth of a turn.
    images = _images(_scanner(), _motion([0.0, 0.01, -0.02]), pulses_move=False)
    np.testing.assert_allclose(images[1], images[0] * np.exp(0.2j * np.pi), atol=1e-4)
    np.testing.assert_allclose(images[2], images[0] * np.exp(-0.4j * np.pi), atol=1e-4)


def test_pulses_move_with_their_scatterers():
    # A Gaussian pulse that moves by d is like itself by exp(-d^2 / 4 sd^2).
    size, ways = (20.0, 20.0), np.array([0.0, 0.02, 0.05, 0.1])
    scanner = _scanner(size, (160, 64), pulse_repetition=20_000.0)
    images = _images(scanner, _motion(ways, size)).astype(complex)
    images *= np.exp(-4e-3j * np.pi * 7.7e6 * ways / SOUND_SPEED)[:, None, None]
    found = np.mean(images * images[0].conj(), axis=(1, 2)) / np.mean(np.abs(images[0]) ** 2)
    expected = np.exp(-(ways**2) / (4 * scanner.axial_sd**2))
    np.testing.assert_allclose(np.abs(found), expected, atol=0.05)
    np.testing.assert_allclose(np.angle(found), 0, atol=0.05)
    # The image itself moves up, by that much.
    shallower = np.abs(images[3])[:-1] ** 2
    assert (
        np.corrcoef(shallower.ravel(), (np.abs(images[0])[1:] ** 2).ravel())[0, 1]
        > np.corrcoef(shallower.ravel(), (np.abs(images[0])[:-1] ** 2).ravel())[0, 1]
    )


@pytest.mark.parametrize("attenuation", [0.0, 0.6])
def test_attenuation_deceives_one_lag_but_not_2d_autocorrelation(attenuation):
    size, image = (40.0, 20.0), (256, 64)
    scanner = _scanner(size, image, attenuation)
    velocity = 3.0  # mm/s
    images = _images(scanner, _motion(velocity * np.arange(4) / 2000, size))
    deep = slice(200, 250)
    shift = scanner.frequency_shift[deep].mean()
    if attenuation:
        # 0.6 dB/(cm MHz), there and back, in neper; times the spectrum's variance.
        sd = 0.4 * 7.7e6 / (2 * math.sqrt(2 * math.log(2)))
        expected = sd**2 * 2 * scanner.depths[deep].mean() * 0.6e-7 / 8.685889638
        assert shift == pytest.approx(expected, rel=1e-6)
        assert shift > 7e5
    one, both = (
        estimate_velocity(images, scanner.velocimetry(estimator=name))[1, deep].mean()  # type: ignore[arg-type]
        for name in ("one-lag", "2d-autocorrelation")
    )
    assert one == pytest.approx(velocity * (1 - shift / 7.7e6), rel=5e-3)
    assert both == pytest.approx(velocity, rel=0.01)


@pytest.mark.parametrize("dose", [0.0, 1.0, 3.0])
def test_motion_across_the_plane_exchanges_the_scatterers(dose):
    size = (20.0, 20.0)
    ways = np.linspace(0, 0.5, 51)  # mm
    motion = _motion(ways, size, out_of_plane=dose)
    scanner = _scanner(size, (128, 64), pulse_repetition=20_000.0)
    images = _images(scanner, motion, pulses_move=False).astype(complex)
    images *= np.exp(-4e-3j * np.pi * 7.7e6 * ways / SOUND_SPEED)[:, None, None]
    power = np.mean(np.abs(images) ** 2, axis=(1, 2))
    np.testing.assert_allclose(power, power[0], rtol=0.1)
    found = np.mean(images * images[0].conj(), axis=(1, 2)) / power[0]
    t = dose * ways / ELEVATION / 2
    np.testing.assert_allclose(found, (1 - t**2) / (1 + t**2), atol=0.06 if dose else 5e-4)


def test_an_aponeurosis_is_bright():
    size = (20.0, 20.0)
    plain, bright = (
        _images(
            _scanner(size, (128, 64)),
            _motion(STILL, size, np.ones((1, 2, 80, 20)), fat=8.0, aponeurosis=dose),
        )[0]
        for dose in (0.0, 0.5)
    )
    power = np.mean(np.abs(bright) ** 2, axis=1) / np.mean(np.abs(plain) ** 2, axis=1)
    depths = (np.arange(128) + 0.5) * 20 / 128
    assert depths[power.argmax()] == pytest.approx(8, abs=0.4)
    assert 0.6 * (1 + 0.5 * BRIGHTNESS) ** 2 < power.max() < 1.2 * (1 + 0.5 * BRIGHTNESS) ** 2
    np.testing.assert_allclose(power[np.abs(depths - 8) > 3], 1, atol=1e-3)


def test_fields_are_read_between_their_points():
    field = np.random.default_rng(1).standard_normal((9, 7))
    depth, width = np.linspace(0, 9, 40), np.linspace(0, 3.5, 30)
    rows, columns = depth / 1.0 - 0.5, width / 0.5 - 0.5
    grid = np.meshgrid(rows, columns, indexing="ij")
    expected = ndimage.map_coordinates(field, grid, order=1, mode="nearest")
    np.testing.assert_allclose(_at(field, (1.0, 0.5), depth, width), expected, atol=1e-12)
    np.testing.assert_allclose(_at(field[:1], (1.0, 0.5), depth, width)[0], expected[0] * 0
                               + _at(field[:1], (1.0, 0.5), depth[:1], width)[0])  # fmt: skip


def test_each_cell_moves_as_the_tissue_at_its_own_place():
    size, image = (6.0, 4.0), (48, 24)
    z, x = np.meshgrid((np.arange(60) + 0.5) / 10, (np.arange(40) + 0.5) / 10, indexing="ij")
    fields = np.stack([np.stack([z, x]), np.stack([x, z])])
    scanner = _scanner(size, image)
    echoes = draw_echoes(scanner, _motion(np.zeros((2, 2)), size, fields), 0, 0)
    depth, width = image
    for cell in range(6):
        down, right = divmod(cell, CELLS[1])
        rows = (np.arange(depth) + (down + 0.5) / 3) * size[0] / depth
        columns = (np.arange(width) + (right + 0.5) / 2) * size[1] / width
        inner = np.s_[2:-2, 2:-2]
        per_mm = 2e-3 * 7.7e6 / SOUND_SPEED
        for field, expected in ((0, rows[:, None] + 0 * columns), (1, 0 * rows[:, None] + columns)):
            found = echoes.fields[field, :, cell] / per_mm
            np.testing.assert_allclose(found[inner], expected[inner], atol=1e-5)


def test_a_resolution_cell_holds_enough_scatterers():
    # The coarsest pixels that there may be: as wide as the point-spread function.
    scanner = _scanner()
    coarsest = scanner.axial_width * scanner.lateral_width.min()
    area = coarsest * math.pi / (2 * math.log(2))
    assert area / coarsest * CELLS[0] * CELLS[1] >= 10


def _message(error):
    text = str(error.value)
    assert text
    assert len(text.splitlines()) == 1
    return text


@pytest.mark.parametrize(
    ("size", "image", "way"), [((60.0, 5.0), (64, 16), "depth"), ((10.0, 40.0), (64, 16), "width")]
)
def test_pixels_coarser_than_the_point_spread_function_are_refused(size, image, way, refused):
    with refused() as error:
        _scanner(size, image)
    assert _message(error).startswith("image: found pixels of ")
    assert f"mm in {way}, coarser than the point-spread function" in _message(error)


def test_echoes_shifted_beyond_what_can_be_measured_are_refused(refused):
    with refused() as error:
        _scanner((40.0, 5.0), (256, 16), attenuation=3.0)
    assert _message(error).startswith("attenuation: found echoes 4.7")
    _scanner((40.0, 5.0), (256, 16), attenuation=1.0)


def test_motion_beyond_the_nyquist_velocity_is_refused(refused):
    scanner = _scanner()
    limit = scanner.velocimetry().nyquist_velocity
    assert limit == pytest.approx(100)
    fields = np.ones((2, 2, 10, 5))
    fields[0, 0, 3, 2] = -2.0
    still = np.zeros(4)
    slow, fast = (np.arange(4) * share * limit / 2000 for share in (0.98, 1.02))
    draw_echoes(scanner, _motion(np.stack([slow / 2, still]), fields=fields), 0, 0)
    draw_echoes(scanner, _motion(np.stack([still, slow]), fields=fields), 0, 0)
    for courses in ((fast / 2, still), (still, fast)):
        with refused() as error:
            draw_echoes(scanner, _motion(np.stack(courses), fields=fields), 0, 0)
        assert _message(error).startswith("displacement: found tissue that moves at up to 102 mm/s")
        assert "the Nyquist velocity of 2000 images a second at 7.7 MHz" in _message(error)


def test_as_many_images_a_second_as_motion_needs_are_taken(refused):
    fast = np.arange(4) * 0.06  # mm an image: 120 mm/s at 2000 Hz
    with refused("raise pulse_repetition"):
        draw_echoes(_scanner(), _motion(fast), 0, 0)
    draw_echoes(dataclasses.replace(_scanner(centre_frequency=5e6)), _motion(fast), 0, 0)
