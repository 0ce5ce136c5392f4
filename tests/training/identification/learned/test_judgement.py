"""The network that judges, and the weights that come with it."""

import copy
import json

import numpy as np
import pytest

from musim.training.identification.methods.learned.judgement import Judgement
from musim.training.identification.methods.learned.traits import NAMES
from musim.training.identification.methods.learned.weights import JUDGEMENT, OURS, learned_of

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
    low, high = random.uniform(-3, -1, TRAITS), random.uniform(1, 3, TRAITS)
    mean, scale = random.standard_normal(TRAITS), random.uniform(0.5, 2, TRAITS)
    return Judgement(low, high, mean, scale, tuple(layers))


def test_is_what_each_network_says_on_average_one_train_at_a_time():
    judgement = _made()
    traits = np.random.default_rng(1).standard_normal((7, TRAITS)) * 9
    for row, probability in zip(traits, judgement.probability(traits), strict=True):
        odds = []
        for network in range(2):
            values = (
                np.clip(row, judgement.low, judgement.high) - judgement.mean
            ) / judgement.scale
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
    assert (OURS / JUDGEMENT).stat().st_size < 5e6
    judgement = learned_of().judgement
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
    assert sure[1] < 0.1


def test_beyond_what_was_seen_nothing_is_more_telling():
    judgement = _made()
    inside = np.stack([judgement.low, judgement.high])
    np.testing.assert_array_equal(
        judgement.probability(inside + np.array([[-9.0], [9.0]])), judgement.probability(inside)
    )
    assert (judgement.probability(inside) != judgement.probability(inside * 0.9)).all()


def test_is_sure_without_a_warning_however_large_weights_are():
    judgement = _made()
    (first, bias), (last, offset) = judgement.layers
    sure = Judgement(judgement.low, judgement.high, judgement.mean, judgement.scale,
                     ((first, bias), (last * 1e6, offset)))  # fmt: skip
    traits = np.random.default_rng(4).standard_normal((20, TRAITS))
    assert set(sure.probability(traits)) == {0.0, 1.0}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found.pop("low"),
        lambda found: found.update(mean=found["mean"][1:]),
        lambda found: found["mean"].__setitem__(3, float("nan")),
        lambda found: found["high"].__setitem__(0, found["low"][0] - 1),
        lambda found: found["scale"].__setitem__(0, 0.0),
        lambda found: found["scale"].__setitem__(0, "1.0"),
        lambda found: found["scale"].__setitem__(0, None),
        lambda found: found.update(layers=[]),
        lambda found: found.update(layers=5),
        lambda found: found["layers"].pop(),
        lambda found: found["layers"][0]["weight"][0].pop(),
        lambda found: found["layers"][0]["weight"].pop(),
        lambda found: found["layers"][1].pop("bias"),
        lambda found: found["layers"][1]["weight"][0][0].__setitem__(0, float("inf")),
        lambda found: found["layers"].__setitem__(0, [1, 2]),
    ],
)
def test_damaged_weights_are_refused(spoil, refused):
    found = copy.deepcopy(_made().to_json())
    spoil(found)
    with refused("judgement: found weights that are damaged", "learn them anew"):
        Judgement.from_json(found)


@pytest.mark.parametrize("found", [{}, [], None, "traits", 7])
def test_what_is_no_judgement_is_refused(found, refused):
    with refused("judgement: found weights for the traits None", "wanted support"):
        Judgement.from_json(found)
