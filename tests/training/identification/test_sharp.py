"""Whether units move as they are, and when a model of such units is believed."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from musim.simulator import PRESETS, Parameters, Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.training.identification.methods.blocks import Blocks
from musim.training.identification.methods.model import Model
from musim.training.identification.methods.sharp import (
    SHARP,
    SPARE_UNITS,
    TRIED,
    judged,
    plateau,
    reduced,
    sharpness,
    why_untried,
    without_echoes,
    worth_reducing,
)
from musim.training.identification.methods.spread import Spread, spread_units
from musim.training.identification.noise import Noise, Whitened, whiten
from musim.training.identification.units import Recording


def _sequence(units, snr, seed, blur=0.0):
    """Return a recording whose noise is not blurred, whitened, and the true trains' values."""
    parameters = Parameters(
        units=Range(units, units), snr=Range(snr, snr), pixels=(40, 40), size=(25.0, 25.0)
    )
    truth = draw(parameters, seed=seed)
    clean = render(truth, noise=False)
    noise = render(truth) - clean
    tvi = (gaussian_filter(clean, (0, blur, blur)) if blur else clean) + noise
    recording = Recording(tvi, parameters.frame_rate, parameters.pixel_size)
    found = whiten(recording)
    return recording, found, found.values_of(truth.twitch_train)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("units", "snr"), [(3, 10.0), (6, 20.0), (8, np.inf)])
def test_units_that_move_as_they_are_are_sharp(units, snr, seed):
    _, found, trains = _sequence(units, snr, seed)
    assert sharpness(found, trains) == pytest.approx(1.0, abs=0.015)
    # The size of the trains does not matter.
    scale = np.linspace(0.1, 5, units)[:, None]
    assert sharpness(found, scale * trains) == pytest.approx(sharpness(found, trains), rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_the_wider_the_blur_the_less_sharp(seed):
    values = [
        sharpness(found, trains)
        for _, found, trains in (_sequence(5, 20.0, seed, blur) for blur in (0.0, 1.0, 3.0))
    ]
    assert values[0] > SHARP > TRIED + 0.01
    assert values[0] - 0.04 > values[1] > values[2] + 0.02
    assert values[1] < SHARP


def test_what_else_moves_in_the_same_place_makes_nothing_sharp():
    random = np.random.default_rng(0)
    disc = np.hypot(*(np.indices((24, 24)) - 12)) < 7
    own, other = np.eye(6)[:2] * 20
    spread = gaussian_filter(disc.astype(float), 3)[..., None] * own
    noise = random.standard_normal((24, 24, 6))
    shares = []
    for size in (0.0, 3.0):
        values = (spread + size * other + noise).reshape(-1, 6).astype(np.float32)
        found = Whitened(values, Noise(np.eye(6), np.ones((24, 24)), 1.0), (7, 24, 24))
        shares.append(sharpness(found, own[None]))
    assert shares[0] == pytest.approx(shares[1], abs=0.01)
    assert shares[1] < TRIED


def test_without_trains_there_is_no_sharpness():
    _, found, trains = _sequence(3, 10.0, 0)
    assert sharpness(found, trains[:0]) == 0.0


def test_a_plateau_is_the_level_where_the_unit_is():
    random = np.random.default_rng(0)
    values = 0.1 * random.standard_normal(2000)
    values[:300] += 4.0
    assert plateau(values) == pytest.approx(4.0, rel=0.02)
    assert plateau(np.full(50, -1.0)) == 1.0
    assert plateau(np.zeros(50)) == 1.0


def _whiten(values, size):
    noise = Noise(np.eye(values.shape[1]), np.ones(size), 1.0)
    return Whitened(values.astype(np.float32), noise, (values.shape[1] + 1, *size))


def _spread(directions, trains, shape=(12, 12)):
    count = len(trains)
    return Spread(
        Blocks(np.zeros((shape[0] * shape[1], directions.shape[1])), shape, (0.6, 0.6)),
        directions, trains, np.zeros((count, *shape)), np.ones(count), np.zeros((count, 5)), (),
    )  # fmt: skip


@pytest.fixture
def squares():
    """Return three squares in noise as whitened components, memberships, trains and directions."""
    random = np.random.default_rng(0)
    trains = 15 * random.standard_normal((3, 20))
    image = np.zeros((3, 12, 12))
    image[0, 1:7, 1:7] = image[1, 4:10, 3:9] = image[2, 5:11, 7:11] = 1
    membership = image.reshape(3, -1).T
    values = membership @ trains + random.standard_normal((144, 20))
    directions = np.linalg.svd(trains, full_matrices=False)[2]
    return _whiten(values, (12, 12)), membership, trains, directions


def _model(found, membership, trains):
    model = Model.of(found, trains)
    model.membership = membership.copy()
    return model


def test_the_true_model_holds_and_one_that_explains_less_does_not(squares):
    found, membership, trains, directions = squares
    spread = _spread(directions, trains)
    assert judged(found, spread, _model(found, membership, trains)).together
    assert not judged(found, spread, _model(found, membership[:, :2], trains[:2])).together
    assert not judged(found, spread, _model(found, 0 * membership, trains)).together
    image = membership.T.reshape(3, 12, 12)
    blurred = gaussian_filter(image, (0, 1.0, 1.0)).reshape(3, -1).T
    spreading = _whiten(blurred @ trains, (12, 12))
    spreading.noise.sd[:] = 1e-3
    assert not judged(spreading, spread, _model(spreading, membership, trains)).together


@pytest.mark.slow
def test_subjects_of_many_units_are_not_taken_for_sharp():
    # So weak a signal in so many directions that memberships of 0 and 1, fitted to the noise as
    # well, explain all of it.
    parameters = Parameters(**{**PRESETS["easy"], "pixels": (64, 64), "units": Range(20, 25)})
    doses = Doses.from_texts({}, "easy")
    drawn = {"seed": 52001, "index": 1}
    truth = draw(parameters, doses=doses, **drawn)
    recording = draw_recording(parameters, doses, truth, **drawn)
    tvi = render_recording(recording, colour(parameters, doses))
    given = Recording(tvi, parameters.frame_rate, parameters.pixel_size)
    found = whiten(given)
    spread = spread_units(given, found)
    trains = found.values_of(truth.twitch_train)
    model = Model.of(found, trains)
    model.fit_memberships()
    model.fit_trains()
    way = judged(found, spread, model)
    assert (way.name, way.wanted) == ("spread", TRIED)
    assert way.found == pytest.approx(sharpness(found, model.trains))


def test_a_model_of_too_many_units_does_not_hold(squares):
    found, membership, trains, directions = squares
    spread = _spread(directions, trains)
    most = int(SPARE_UNITS * len(directions) + 1)
    random = np.random.default_rng(1)
    for count, held in ((most, True), (most + 1, False)):
        surplus = random.standard_normal((count - 3, 20))
        model = _model(
            found,
            np.column_stack([membership, np.zeros((144, count - 3))]),
            np.concatenate([trains, surplus]),
        )
        assert judged(found, spread, model).together is held


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_model_of_discs_inside_rings_does_not_hold(squares, sign):
    found, membership, trains, directions = squares
    spread = _spread(directions, trains)
    inner = np.zeros((12, 12))
    inner[2:6, 2:6] = 1
    parts = np.column_stack([membership[:, 0] - inner.ravel(), inner.ravel(), membership[:, 1:]])
    ring, disc = trains[0] * 0.7, trains[0] * sign
    assert not judged(
        found, spread, _model(found, parts, np.array([ring, disc, *trains[1:]]))
    ).together
    # Nor does it matter which of them comes first.
    back = np.arange(3, -1, -1)
    model = _model(found, parts[:, back], np.array([ring, disc, *trains[1:]])[back])
    assert not judged(found, spread, model).together
    # What two trains have in common by chance is no reason.
    alike = trains[:2].copy()
    alike[1] += np.linalg.norm(alike[1]) / np.linalg.norm(alike[0]) * alike[0] * 0.8
    values = membership[:, :2] @ alike
    known = _whiten(values, (12, 12))
    known.noise.sd[:] = 1e-3
    assert judged(known, spread, _model(known, membership[:, :2], alike)).together


def test_a_spot_that_moves_more_than_the_rest_of_a_unit_is_no_other_unit(squares):
    found, membership, trains, _ = squares
    first = np.flatnonzero(membership[:, 0])
    spot = np.zeros(144)
    spot[first[:3]] = 1
    far = np.zeros(144)
    far[np.flatnonzero(membership.max(axis=1) == 0)[-1]] = 1
    other = np.random.default_rng(7).standard_normal(20)
    evidence, needed = np.array([9.0, 8.0, 7.0, 3.0]), np.ones(4)

    def kept(place, train, evidence=evidence):
        model = _model(found, np.column_stack([membership, place]), np.vstack([trains, train]))
        left, least = without_echoes(model, evidence, needed)
        assert len(left) == len(least) == model.count
        return left.tolist()

    assert kept(spot, 0.4 * trains[0]) == kept(spot, -0.4 * trains[0]) == [9, 8, 7]
    # What moves otherwise is a unit, and what moves likewise elsewhere is not told by this.
    assert kept(spot, other) == [9, 8, 7, 3]
    assert kept(far, 0.4 * trains[0]) == [9, 8, 7, 3]
    # The stronger of two stays.
    assert kept(spot, 0.4 * trains[0], np.array([2.0, 8.0, 7.0, 3.0])) == [8, 7, 3]
    # A spot that two units share moves as both.
    both = np.column_stack([membership[:, :2].max(axis=1), membership[:, 0], membership[:, 2]])
    model = _model(found, np.column_stack([both, spot]),
                   np.vstack([trains, 0.3 * trains[0] + 0.4 * trains[1]]))  # fmt: skip
    assert without_echoes(model, evidence, needed)[0].tolist() == [9, 8, 7]


def test_where_nothing_was_found_any_model_is_tried_and_held(squares):
    found, membership, trains, directions = squares
    nothing = _spread(directions[:0], trains[:0])
    assert why_untried(found, nothing) is None
    way = judged(found, nothing, _model(found, membership, trains))
    assert (way.name, way.together) == ("unseen", True)
    assert not worth_reducing(found, nothing)


def test_where_motion_stands_out_and_no_unit_was_found_a_model_has_to_explain_it(squares):
    found, membership, trains, directions = squares
    none = _spread(directions, trains[:0])
    assert why_untried(found, none) is None
    assert judged(found, none, _model(found, membership, trains)).name == "sharp"
    assert judged(found, none, _model(found, membership[:, :2], trains[:2])).name == "spread"


def test_what_decided_is_told_with_its_number(squares):
    found, membership, trains, directions = squares
    spread = _spread(directions, trains)
    way = judged(found, spread, _model(found, membership, trains))
    assert (way.name, way.wanted) == ("sharp", SHARP)
    assert way.found == pytest.approx(1.0, abs=0.01)
    way = judged(found, spread, _model(found, membership[:, :2], trains[:2]))
    values = found.values.astype(float)
    left = np.square(values - membership[:, :2] @ trains[:2]).sum()
    assert way.found == pytest.approx(1 - left / np.square(values).sum(), abs=0.01)
    assert 0.2 < way.found < 0.9
    twice = _model(found, np.column_stack([membership, membership[:, 0] * 0.5]),
                   np.concatenate([trains, trains[:1]]))  # fmt: skip
    way = judged(found, spread, twice)
    assert (way.name, way.found, way.wanted) == ("repeated", 0.25, 0.1)
    many = _model(found, np.zeros((144, 9)), np.eye(20)[:9])
    way = judged(found, spread, many)
    assert (way.name, way.found, way.wanted) == ("too-many", 9, SPARE_UNITS * 3 + 1)
    uneven = np.random.default_rng(3).exponential(1, (144, 3))
    spreading = _whiten(uneven @ trains, (12, 12))
    spreading.noise.sd[:] = 1e-3
    coarse, fine = (why_untried(spreading, _spread(directions, trains, *size))
                    for size in ((), ((6, 6),)))  # fmt: skip
    assert coarse.found == fine.found == sharpness(spreading, trains) < 0.82
    assert (coarse.wanted, fine.wanted) == (TRIED, SHARP)


def test_doubt_is_enough_where_trying_costs_little(squares):
    _, membership, trains, directions = squares
    found = _whiten(membership @ trains, (12, 12))
    found.noise.sd[:] = 1e-3
    image = membership.T.reshape(3, 12, 12)
    for sd in np.arange(0.3, 1.5, 0.05):
        blurred = gaussian_filter(image, (0, sd, sd)).reshape(3, -1).T
        found = _whiten(blurred @ trains, (12, 12))
        found.noise.sd[:] = 1e-3
        if TRIED < sharpness(found, trains) < SHARP:
            break
    else:
        raise AssertionError("no blur is in doubt")
    assert why_untried(found, _spread(directions, trains)) is None
    # Blocks of 2 x 2 px: trying costs four times as much and more.
    assert why_untried(found, _spread(directions, trains, (6, 6))) is not None


def test_reduced_features_keep_the_products_and_trains_come_back(squares):
    found, membership, trains, directions = squares
    less = reduced(found, directions)
    assert less.values.shape == (144, 3)
    assert less.values.dtype == np.float32
    np.testing.assert_allclose(
        less.values @ directions, found.values @ directions.T @ directions, atol=1e-4
    )
    products = membership.T @ found.values.astype(float)
    np.testing.assert_allclose(
        (membership.T @ less.values.astype(float)) @ (trains @ directions.T).T,
        products @ trains.T, rtol=1e-4,
    )  # fmt: skip
    np.testing.assert_allclose((trains @ directions.T) @ directions, trains, atol=1e-9)
    courses = found.trains(trains)
    np.testing.assert_allclose(less.values_of(courses), trains @ directions.T, atol=1e-4)
    # Noise is as it was, since directions have length 1.
    assert less.noise.sd is found.noise.sd
    assert worth_reducing(
        _whiten(np.zeros((144, 60)), (12, 12)), _spread(np.eye(60)[:3], np.eye(60)[:3])
    )
    assert not worth_reducing(found, _spread(np.eye(20)[:10], np.eye(20)[:3]))


def test_analytic_sequences_are_as_sharp_by_the_trains_found():
    recording, found, trains = _sequence(5, 20.0, 1)
    spread = spread_units(recording, found)
    assert len(spread.trains) == 5
    assert sharpness(found, spread.trains) == pytest.approx(sharpness(found, trains), abs=0.01)
    assert why_untried(found, spread) is None
    recording, found, _ = _sequence(5, 20.0, 1, blur=4.0)
    spread = spread_units(recording, found)
    assert why_untried(found, spread) is not None
