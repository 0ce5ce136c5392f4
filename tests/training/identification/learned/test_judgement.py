"""The network that judges, and the weights that come with it."""

import json

import numpy as np
import pytest

from musim.simulator.errors import InputError
from musim.training.identification.methods.learned.judgement import (
    FURTHEST,
    WEIGHTS,
    Judgement,
    learned,
)
from musim.training.identification.methods.learned.traits import NAMES

TRAITS = len(NAMES)


def _made(seed=0, networks=2, widths=(5, 1)):
    random = np.random.default_rng(seed)
    layers, before = [], TRAITS
    for width in widths:
        layers.append(
            (random.standard_normal((networks, width, before)),
             random.standard_normal((networks, width)))
        )  # fmt: skip
        before = width
    return Judgement(random.standard_normal(TRAITS), random.uniform(0.5, 2, TRAITS), tuple(layers))


def test_is_what_each_network_says_on_average_one_train_at_a_time():
    judgement = _made()
    traits = np.random.default_rng(1).standard_normal((7, TRAITS)) * 9
    for row, probability in zip(traits, judgement.probability(traits), strict=True):
        odds = []
        for network in range(2):
            values = np.clip((row - judgement.mean) / judgement.scale, -FURTHEST, FURTHEST)
            (first, bias), (last, offset) = judgement.layers
            hidden = np.maximum(first[network] @ values + bias[network], 0)
            odds.append(float((last[network] @ hidden + offset[network])[0]))
        assert probability == pytest.approx(1 / (1 + np.exp(-np.mean(odds))))


def test_trains_are_judged_by_themselves():
    judgement = _made()
    traits = np.random.default_rng(2).standard_normal((5, TRAITS))
    np.testing.assert_allclose(
        judgement.probability(traits[2:3])[0], judgement.probability(traits)[2]
    )
    assert judgement.probability(traits[:0]).shape == (0,)


def test_goes_through_text():
    judgement = _made()
    again = Judgement.from_json(json.loads(json.dumps(judgement.to_json())))
    traits = np.random.default_rng(3).standard_normal((9, TRAITS))
    np.testing.assert_allclose(again.probability(traits), judgement.probability(traits), atol=1e-3)


def test_weights_for_other_traits_are_refused(refused):
    found = _made().to_json()
    found["traits"] = found["traits"][1:]
    with refused("found weights for the traits", "wanted support", "learn them anew"):
        Judgement.from_json(found)


def test_what_comes_with_musim_is_small_and_prefers_what_looks_like_units():
    assert WEIGHTS.stat().st_size < 5e6
    judgement = learned()
    typical = dict(zip(NAMES, judgement.mean, strict=True))
    good = typical | {"support": 4.0, "ways": 4.0, "share": 0.9, "halves": 0.95, "likeness": 0.95,
                      "halves-near": 0.97, "halves-ratio": 0.1, "thirds": 0.9, "pulses": 0.9,
                      "variation": 0.15, "rate": 10.0}  # fmt: skip
    bad = typical | {"support": 0.7, "ways": 1.0, "share": 0.05, "halves": 0.0, "likeness": 0.8,
                     "halves-near": 0.0, "halves-ratio": 2.5, "thirds": -0.5, "pulses": 0.1,
                     "variation": 1.2, "rate": 3.0}  # fmt: skip
    rows = np.array([[each[name] for name in NAMES] for each in (good, bad)])
    sure = judgement.probability(rows)
    assert sure[0] > 0.9
    assert sure[1] < 0.05


def test_errors_are_the_librarys():
    with pytest.raises(InputError):
        Judgement.from_json({})
