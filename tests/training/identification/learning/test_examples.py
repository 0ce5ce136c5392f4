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
def test_of_every_kind_there_are_recordings_and_trains(index):
    recording, trains = draw_example(index, SMALL)
    again, same = draw_example(index, SMALL)
    assert recording.tvi.shape == (120, 24, 24)
    assert recording.tvi.dtype == trains.dtype == np.float32
    assert trains.shape[1] == 120
    assert np.isfinite(recording.tvi).all()
    assert recording.tvi.std() > 0
    assert (len(trains) == 0) == (KINDS[index] == "noise")
    np.testing.assert_array_equal(again.tvi, recording.tvi)
    np.testing.assert_array_equal(same, trains)
    other, _ = draw_example(index, replace(SMALL, seed=32))
    assert not np.array_equal(other.tvi, recording.tvi)


def test_what_it_is_learned_with_does_not_change_an_example():
    recording, _ = draw_example(0, SMALL)
    other, _ = draw_example(0, replace(SMALL, examples=99, networks=1, patience=1))
    np.testing.assert_array_equal(other.tvi, recording.tvi)


def test_seeds_that_people_choose_draw_none_of_them(monkeypatch):
    asked = []

    def noted(parameters, **options):
        asked.append(options["seed"])
        return draw(parameters, **options)

    monkeypatch.setattr(examples, "draw", noted)
    for index in range(len(KINDS)):
        draw_example(index, SMALL)
    assert asked == [2**62 + 31] * 6  # of all but noise


def test_one_analytic_example_in_eight_has_no_noise():
    settings = JudgeSettings(kinds="analytic", faults=False, pixels=24, frames=120)
    clean = []
    for index in range(16):
        recording, trains = draw_example(index, settings)
        courses = recording.tvi.reshape(120, -1)
        rank = np.linalg.matrix_rank(courses, tol=1e-4 * np.linalg.norm(courses, 2))
        # Of units alone there is no more than one course for each.
        clean.append(rank <= len(trains))
    assert np.flatnonzero(clean).tolist() == [7, 15]


def test_faults_are_left_out_where_they_are_not_wanted():
    plain, trains = draw_example(5, replace(SMALL, faults=False))
    spoilt, same = draw_example(5, SMALL)
    np.testing.assert_array_equal(trains, same)
    assert not np.array_equal(plain.tvi, spoilt.tvi)


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
