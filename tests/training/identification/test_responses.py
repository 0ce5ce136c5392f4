"""Forms in which motion spreads, and the discs whose responses are most like given maps."""

import math

import numpy as np
import pytest

from musim.training.identification.methods.responses import (
    FAR,
    FORMS,
    LEAST_INSIDE,
    RADII,
    Form,
    _responses,
    centred_disc,
    field_of,
    fit,
)

SIZE = (0.625, 0.625)
SHAPE = (40, 36)


def _disc(depth, width, radius, shape=SHAPE, size=SIZE):
    """Return a disc's share of each block; places in mm from the image's corner."""
    rows = (np.arange(shape[0]) + 0.5)[:, None] * size[0]
    columns = (np.arange(shape[1]) + 0.5)[None] * size[1]
    away = np.hypot(rows - depth, columns - width)
    return np.clip((radius - away) / math.sqrt(math.prod(size)) + 0.5, 0.0, 1.0)


def _cut_field(disc_of, form, shape=SHAPE, size=SIZE, margin=30):
    """Return the field of a disc that may lie beyond the image, on the image alone."""
    large = tuple(n + 2 * margin for n in shape)
    field = field_of(disc_of(large, (margin * size[0], margin * size[1])), form, size)
    return field[margin:-margin, margin:-margin]


def test_the_plain_form_leaves_all_as_it_is():
    np.testing.assert_array_equal(Form("screened", 0.0, 0.0).transfer((8, 10), SIZE), 1.0)


@pytest.mark.parametrize("shape", [(16, 12), (9, 7)])
def test_transfers_are_their_closed_forms_wave_by_wave(shape):
    size = (0.6, 0.5)
    screened = Form("screened", 1.4, 0.9).transfer(shape, size)
    blur = Form("gaussian", 0.8, 0.3).transfer(shape, size)
    assert screened.shape == blur.shape == (shape[0], shape[1] // 2 + 1)
    for i in range(shape[0]):
        # Cycles an image, as signed numbers.
        cycles = i if i < (shape[0] + 1) // 2 else i - shape[0]
        kz = 2 * math.pi * cycles / (shape[0] * size[0])
        for j in range(shape[1] // 2 + 1):
            kx = 2 * math.pi * j / (shape[1] * size[1])
            k2 = kz**2 + kx**2
            along = kz**2 / k2 if k2 else 0.5  # the mean over all directions
            assert screened[i, j] == pytest.approx((1 - 0.9 * along) / (1 + k2 * 1.4**2))
            expected = math.exp(-k2 * 0.8**2 / 2) - 0.3 * math.exp(-k2 * FAR**2 / 2)
            assert blur[i, j] == pytest.approx(expected)


def test_a_screened_force_decays_as_it_should():
    # Along one axis the response to a line is exp(-|x| / spread) / (2 spread).
    field = np.fft.irfft2(Form("screened", 1.8, 0.0).transfer((4, 4096), (0.1, 0.1))[:1], (1, 4096))
    x = np.arange(5, 60)
    expected = np.exp(-x * 0.1 / 1.8) / (2 * 1.8) * 0.1
    np.testing.assert_allclose(field[0, x], expected, rtol=0.02)


def test_return_flow_lies_beside_a_unit_in_tissue_that_keeps_its_volume():
    shape = (64, 64)
    disc = _disc(20.3, 20.3, 2.5, shape)
    middle, away = 32, 8  # blocks
    beside = [(middle, middle - away), (middle, middle + away)]
    above_and_below = [(middle - away, middle), (middle + away, middle)]

    def at(form, places):
        field = field_of(disc, form, SIZE)
        return np.array([field[place] for place in places])

    plain = field_of(disc, Form("screened", 1.0, 0.0), SIZE)
    assert plain.min() > -1e-4
    kept = Form("screened", 0.0, 0.9)
    # As of a dipole: of a disc of radius R, R^2 / 2 r^2 where r is the distance.
    dipole = 0.9 * 2.5**2 / (2 * (away * 0.625) ** 2)
    np.testing.assert_allclose(at(kept, beside), -dipole, rtol=0.15)
    np.testing.assert_allclose(at(kept, above_and_below), dipole, rtol=0.15)
    assert (at(Form("gaussian", 0.8, 0.6), beside + above_and_below) < 0).all()


@pytest.mark.parametrize("form", [Form("screened", 1.4, 0.9), Form("gaussian", 1.2, 0.3)])
def test_fields_add_up_and_move_with_their_territories(form):
    random = np.random.default_rng(0)
    one, two = random.random((2, *SHAPE))
    both = field_of(2 * one - 3 * two, form, SIZE)
    np.testing.assert_allclose(
        both, 2 * field_of(one, form, SIZE) - 3 * field_of(two, form, SIZE), atol=1e-12
    )
    inside = np.zeros((96, 96))
    inside[44:52, 40:47] = random.random((8, 7))
    moved = field_of(np.roll(inside, (5, -4), (0, 1)), form, SIZE)
    still = np.roll(field_of(inside, form, SIZE), (5, -4), (0, 1))
    # Not at the edges, where images of the territory begin.
    np.testing.assert_allclose(moved[30:66, 30:66], still[30:66, 30:66], atol=2e-3 * still.max())


def test_a_territory_that_the_image_cuts_goes_on_beyond_it():
    form = Form("gaussian", 1.2, 0.0)
    half = np.zeros(SHAPE)
    half[:10] = 1.0
    field = field_of(half, form, SIZE)
    # Far from its own edge nothing tells where the image ends.
    np.testing.assert_allclose(field[:3], 1.0, atol=1e-3)
    np.testing.assert_allclose(field[20:], 0.0, atol=1e-3)


def test_centred_discs_have_their_areas():
    for radius in RADII:
        disc = centred_disc(radius, (60, 48), (0.6, 0.5))
        assert disc.max() == 1.0
        assert disc[30, 24] == 1.0
        assert disc.sum() * 0.3 == pytest.approx(math.pi * radius**2, rel=0.06)
        np.testing.assert_array_equal(disc[1:], disc[1:][::-1])


# One of each kind, and with and without return flow.
TRUE_FORMS = (
    Form("screened", 0.0, 0.0),
    Form("screened", 1.0, 0.5),
    Form("screened", 2.4, 0.0),
    Form("screened", 1.8, 0.9),
    Form("gaussian", 0.8, 0.0),
    Form("gaussian", 1.2, 0.6),
)

PLACES = np.array([[7.0, 7.3, 2.5], [13.1, 15.2, 4.0], [18.0, 8.4, 3.0]])


@pytest.mark.parametrize("form", TRUE_FORMS, ids=str)
def test_the_form_and_all_discs_are_recovered(form):
    assert form in FORMS
    maps = np.array([
        _cut_field(
            lambda shape, corner, place=place: _disc(
                corner[0] + place[0], corner[1] + place[1], place[2], shape
            ),
            form,
        )
        for place in PLACES
    ])  # fmt: skip
    maps += 0.02 * maps.max() * np.random.default_rng(0).standard_normal(maps.shape)
    found = fit(maps, SIZE)
    assert found.form == form
    assert (np.abs(found.places[:, :2] - PLACES[:, :2]) <= 0.625).all()
    assert (np.abs(found.places[:, 2] - PLACES[:, 2]) <= 0.5).all()
    assert ((found.explained > 0.9) & (found.explained <= 1 + 1e-5)).all()


@pytest.mark.parametrize("form", TRUE_FORMS[:4], ids=str)
@pytest.mark.parametrize("place", [(1.0, 11.0, 4.0), (24.0, 10.0, 3.5), (12.0, 0.9, 3.0)])
def test_discs_are_recovered_that_the_image_cuts(form, place):
    field = _cut_field(
        lambda shape, corner: _disc(corner[0] + place[0], corner[1] + place[1], place[2], shape),
        form,
    )
    found = fit(field[None], SIZE)
    assert (np.abs(found.places[0, :2] - place[:2]) <= 0.65).all()
    assert abs(found.places[0, 2] - place[2]) <= 0.5
    assert 0.95 < found.explained[0] <= 1 + 1e-5


def test_oblong_blocks_are_told_by_their_sizes():
    size, shape = (0.4, 0.6), (50, 36)
    disc = _disc(11.0, 9.0, 3.5, shape, size)
    found = fit(field_of(disc, Form("screened", 1.0, 0.0), size)[None], size)
    assert abs(found.places[0, 0] - 11.0) <= 0.4
    assert abs(found.places[0, 1] - 9.0) <= 0.6
    assert abs(found.places[0, 2] - 3.5) <= 0.5


def test_noise_and_nothing_are_explained_no_further_than_they_can_be():
    maps = np.random.default_rng(1).standard_normal((3, *SHAPE))
    maps[2] = 0.0
    found = fit(maps, SIZE)
    assert (found.explained[:2] < 0.2).all()
    assert found.explained[2] == 0.0
    assert np.isfinite(found.places).all()
    upside_down = fit(-_disc(12.0, 12.0, 3.0)[None], SIZE)
    assert upside_down.explained[0] < 0.2


@pytest.mark.parametrize(("shape", "size"), [((9, 14), (0.6, 0.5)), ((12, 7), (1.0, 0.3))])
def test_responses_are_sums_of_few(shape, size):
    few = _responses(shape, size)
    assert len(few.spectra) < len(FORMS) * len(RADII) / 4
    padded = (2 * shape[0], 2 * shape[1])
    for (weights, inside), radius in list(zip(few.by_radius, RADII, strict=True))[::5]:
        disc = np.fft.rfft2(np.fft.ifftshift(centred_disc(radius, padded, size)))
        for form, weight, held in list(zip(FORMS, weights, inside, strict=True))[::7]:
            response = np.fft.irfft2(disc * form.transfer(padded, size), padded)
            response /= np.sqrt(np.square(response).sum())
            whole = np.fft.irfft2(np.tensordot(weight, few.spectra, 1), padded)
            np.testing.assert_allclose(whole, response, atol=2e-4)
            for block in (0, 5, math.prod(shape) - 1):
                row, column = divmod(block, shape[1])
                moved = np.roll(response, (row, column), (0, 1))[: shape[0], : shape[1]]
                assert held[block] == pytest.approx(
                    max(np.square(moved).sum(), LEAST_INSIDE), abs=2e-4
                )
