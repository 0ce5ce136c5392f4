"""Networks learn what tells trains of units, as well as it can be told, and the same every time."""

from typing import Any

import numpy as np
import pytest
import torch

from musim.training.identification.learning.fitting import Scaling, fit_network
from musim.training.identification.learning.measures import Measures, logistic_regression
from musim.training.identification.learning.traits import (
    Trains,
    name_of,
    read_trains,
    write_example,
)
from musim.training.identification.methods.learned.traits import NAMES
from tests.training.identification.learning.tiny import tiny


def trains(count, seed, bent=False):
    """Return trains of which the third trait tells whether they are units', or two traits do."""
    random = np.random.default_rng(seed)
    traits = random.standard_normal((count, len(NAMES))) * 3 + 5
    odds = traits[:, 2] - 5
    if bent:
        odds = 3 * np.sign(odds) * np.sign(traits[:, 4] - 5)
    return Trains(traits, (random.random(count) < 1 / (1 + np.exp(-odds))).astype(float))


def fitted(learned, apart, settings, rows=None):
    """Return the judgement of all networks."""
    scaling = Scaling.of(learned.traits)
    note = (lambda row: None) if rows is None else rows.append
    networks = [
        fit_network(number, learned, apart, scaling, settings, note)
        for number in range(settings.networks)
    ]
    return scaling.judgement(networks)


def test_what_can_be_told_is_learned_and_what_bends_only_by_networks():
    settings = tiny(hidden=(16,), patience=8, jitter=0.1, dropout=0.0, learning_rate=0.02)
    learned, apart, unseen = (trains(2000, seed, bent=True) for seed in range(3))
    rows = []
    judgement = fitted(learned, apart, settings, rows)
    sure = Measures.of(judgement.probability(unseen.traits), unseen.true)
    plain = logistic_regression(learned, Scaling.of(learned.traits)).probability(unseen.traits)
    # The truth itself, 0.95 or 0.05, has an area of 0.95.
    assert sure.area_under_curve > 0.9
    assert sure.log_loss < 0.35
    assert Measures.of(plain, unseen.true).area_under_curve < 0.6
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert min(row["loss_apart"] for row in rows) < 0.35


def test_a_logistic_regression_finds_what_is_straight():
    learned, unseen = trains(4000, 0), trains(4000, 1)
    sure = logistic_regression(learned, Scaling.of(learned.traits)).probability(unseen.traits)
    true = 1 / (1 + np.exp(-(unseen.traits[:, 2] - 5)))
    assert np.abs(sure - true).mean() < 0.03
    assert Measures.of(sure, unseen.true).calibration_error < 0.03


def test_the_same_seed_gives_the_same_and_leaves_torch_as_it_was():
    learned, apart, settings = trains(300, 0), trains(300, 1), tiny()
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    first, again = (fitted(learned, apart, settings).to_json() for _ in range(2))
    assert first == again
    assert torch.rand(1) == wanted
    assert torch.get_num_threads() == threads
    assert fitted(learned, apart, tiny(seed=32)).to_json() != first
    (weight, _), *_ = fitted(learned, apart, settings).layers
    assert not np.array_equal(weight[0], weight[1])


def test_the_best_is_kept_and_not_the_last():
    # Of trains apart that tell the opposite, the first epochs are the best.
    learned, apart = trains(500, 0), trains(500, 1)
    apart = Trains(apart.traits, 1 - apart.true)
    rows = []
    settings = tiny(networks=1, patience=5, learning_rate=0.05)
    judgement = fitted(learned, apart, settings, rows)
    loss = Measures.of(judgement.probability(apart.traits), apart.true).log_loss
    losses = [row["loss_apart"] for row in rows]
    assert loss == pytest.approx(min(losses), rel=1e-3)
    assert losses[-1] > min(losses) + 0.1
    assert len(losses) == losses.index(min(losses)) + 1 + 5


def test_traits_are_brought_into_the_range_that_is_not_rare():
    values = np.arange(10_001.0)[:, None] * np.ones(3)
    scaling = Scaling.of(values)
    assert scaling.low == pytest.approx([10] * 3)
    assert scaling.high == pytest.approx([9990] * 3)
    np.testing.assert_allclose(scaling(np.full((1, 3), 1e9)), scaling(np.full((1, 3), 9990.0)))
    np.testing.assert_allclose(scaling(values).std(axis=0), 1, atol=1e-6)


def test_examples_are_written_once_and_read_apart(tmp_path):
    settings = tiny()
    for index in range(settings.examples):
        write_example(tmp_path, index, settings)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [name_of(index) for index in range(4)]
    learned, apart = (read_trains(tmp_path, settings, apart=kept) for kept in (False, True))
    for each in (learned, apart):
        assert each.traits.shape == (len(each.true), len(NAMES))
        assert 0 < each.true.mean() < 1
    before = (tmp_path / name_of(0)).read_bytes()
    (tmp_path / name_of(0)).unlink()
    (tmp_path / name_of(1)).write_bytes(b"kept")
    for index in range(2):
        write_example(tmp_path, index, settings)
    assert (tmp_path / name_of(0)).read_bytes() == before
    assert (tmp_path / name_of(1)).read_bytes() == b"kept"


def test_examples_that_cannot_be_read_are_refused(tmp_path, refused):
    settings = tiny()
    with refused("00000.npz: found an example missing or damaged", "remove it"):
        read_trains(tmp_path, settings, apart=False)
    for content in (
        {"traits": np.zeros((3, 2)), "likeness": np.zeros((3, 1))},
        {"traits": np.zeros((3, len(NAMES))), "likeness": np.zeros((2, 1))},
        {"traits": np.full((3, len(NAMES)), np.nan), "likeness": np.zeros((3, 1))},
        {"traits": np.array([{"a": 1}], dtype=object), "likeness": np.zeros((1, 1))},
        {"likeness": np.zeros((1, 1))},
    ):
        arrays: dict[str, Any] = content
        np.savez(tmp_path / name_of(0), **arrays)
        with refused("00000.npz: found an example missing or damaged"):
            read_trains(tmp_path, settings, apart=False)
    (tmp_path / name_of(0)).write_bytes(b"PK\x03\x04 no archive")
    with refused("00000.npz: found an example missing or damaged"):
        read_trains(tmp_path, settings, apart=False)


def test_trains_of_one_kind_alone_are_too_few(tmp_path, refused):
    settings = tiny()
    traits = np.zeros((3, len(NAMES)))
    for index in range(settings.examples):
        likeness = np.full((3, 1), 1.0 - settings.is_apart(index))
        np.savez(tmp_path / name_of(index), traits=traits, likeness=likeness)
    with refused("found 6 trains of units among 6 to learn from",
                 "wanted some and others", "take more examples"):  # fmt: skip
        read_trains(tmp_path, settings, apart=False)
    with refused("found 0 trains of units among 6 kept apart"):
        read_trains(tmp_path, settings, apart=True)
