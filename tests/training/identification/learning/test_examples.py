"""Examples are drawn by index, of the kinds that are asked for."""

from dataclasses import replace

import numpy as np
import pytest

from musim.simulator import draw
from musim.training.identification.learning import examples
from musim.training.identification.learning.examples import WIDER, draw_example
from musim.training.identification.learning.settings import KINDS, JudgeSettings
from tests.training.identification.learning.tiny import tiny

SMALL = JudgeSettings(pixels=24, frames=120)


@pytest.mark.parametrize("index", range(len(KINDS)))
def test_of_every_kind_there_are_recordings_trains_and_territories(index):
    example, again = draw_example(index, SMALL), draw_example(index, SMALL)
    tvi, trains = example.recording.tvi, example.trains
    assert tvi.shape == (120, 24, 24)
    assert tvi.dtype == trains.dtype == example.territory.dtype == np.float32
    assert trains.shape[1] == 120
    assert example.territory.shape == (len(trains), 24, 24)
    assert np.isfinite(tvi).all()
    assert tvi.std() > 0
    assert (len(trains) == 0) == (KINDS[index] == "noise")
    np.testing.assert_array_equal(again.recording.tvi, tvi)
    np.testing.assert_array_equal(again.trains, trains)
    np.testing.assert_array_equal(again.territory, example.territory)
    other = draw_example(index, replace(SMALL, seed=32))
    assert not np.array_equal(other.recording.tvi, tvi)


def test_what_it_is_learned_with_does_not_change_an_example():
    one = draw_example(0, SMALL)
    other = draw_example(0, replace(SMALL, examples=99, networks=1, patience=1))
    np.testing.assert_array_equal(other.recording.tvi, one.recording.tvi)


def test_seeds_that_people_choose_draw_none_of_them(monkeypatch):
    asked = []

    def noted(parameters, **options):
        asked.append(options["seed"])
        return draw(parameters, **options)

    monkeypatch.setattr(examples, "draw", noted)
    for index in range(len(KINDS)):
        draw_example(index, SMALL)
    assert asked == [2**62 + 31] * 7  # of all but noise


def _silent(kind, count):
    """Return which of some examples hold nothing but their units."""
    settings = JudgeSettings(kinds=kind, faults=False, pixels=24, frames=120)
    silent = []
    for index in range(count):
        example = draw_example(index, settings)
        courses = example.recording.tvi.reshape(120, -1)
        rank = np.linalg.matrix_rank(courses, tol=1e-4 * np.linalg.norm(courses, 2))
        # Of units alone there is no more than one course for each.
        if rank <= len(example.trains):
            silent.append(index)
    return silent


@pytest.mark.parametrize("kind", ["analytic", "forms"])
def test_one_analytic_example_in_eight_has_no_noise(kind):
    assert _silent(kind, 16) == [7, 15]


def test_motion_of_forms_spreads_beyond_the_territories_as_their_trains_go():
    settings = JudgeSettings(kinds="forms", faults=False, pixels=48, frames=120)
    example = draw_example(7, settings)
    courses = example.recording.tvi.reshape(120, -1).T
    trains, flat = example.trains, example.territory.reshape(len(example.trains), -1)
    maps = courses @ np.linalg.pinv(trains)
    np.testing.assert_allclose(maps @ trains, courses, atol=1e-4 * np.abs(courses).max())
    inside, beyond = (np.square(maps[one]).mean() for one in (flat.any(axis=0), ~flat.any(axis=0)))
    assert 0.001 < beyond / inside < 1


def test_faults_are_left_out_where_they_are_not_wanted():
    for index in (KINDS.index("analytic"), KINDS.index("forms")):
        plain, spoilt = (
            draw_example(index, replace(SMALL, faults=False)),
            draw_example(index, SMALL),
        )
        np.testing.assert_array_equal(plain.trains, spoilt.trains)
        assert not np.array_equal(plain.recording.tvi, spoilt.recording.tvi)


def test_doses_of_wide_examples_are_doses():
    from musim.simulator.experiment.doses import Doses

    plain, wide = Doses.from_texts({}, "easy"), Doses.from_texts(WIDER, "easy")
    assert all(getattr(wide, name) != getattr(plain, name) for name in WIDER)


def test_rounds_are_kept_apart_whole():
    settings = tiny(examples=18, kinds="easy, noise,hard", apart_every=3)
    assert settings.in_turn == ("easy", "noise", "hard")
    assert [n for n in range(18) if settings.is_apart(n)] == [6, 7, 8, 15, 16, 17]
    assert JudgeSettings.from_json(settings.to_json()) == settings
    assert {name for name, *_ in settings.describe()} == set(settings.to_json())


@pytest.mark.parametrize("kinds", ["easy,faint", "", " , "])
def test_kinds_that_there_are_not_are_refused(kinds, refused):
    with refused("kinds: found", "wanted some of easy,many"):
        JudgeSettings(kinds=kinds)
