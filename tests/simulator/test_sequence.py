import dataclasses
import doctest
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from musim.simulator import PRESETS, InputError, Parameters, Range, Truth, draw, render, sequence
from musim.simulator.firing import draw_firings
from musim.simulator.noise import standard_normal
from musim.simulator.seeds import Stream, generator, noise_key
from musim.simulator.sequence import noise_sd, signal_power
from musim.simulator.territory import overlap_of
from musim.simulator.twitch import Twitches, twitch_length, twitch_trains

FIELDS = [field.name for field in dataclasses.fields(Truth)]
NOISE = {"snr", "noise_sd"}


OF_A_SEQUENCE = {
    "synchrony", "snr", "noise_sd", "noise_key", "noise", "fat", "doses", "strength_ratio",
    "amplitude_variation", "duration_variation", "artery_depth", "artery_width", "artery_radius",
}  # fmt: skip
WHERE_THEY_VARY = {"firing_amplitude", "firing_duration", "own_maps"}


def _bytes(truth, *names):
    return b"".join(np.asarray(getattr(truth, name)).tobytes() for name in names or FIELDS)


def test_a_truth_has_one_row_for_each_unit():
    truth = draw(Parameters(), seed=3, index=5)
    units = truth.unit_count
    assert 5 <= units <= 30
    for name in FIELDS:
        value = getattr(truth, name)
        if name in WHERE_THEY_VARY:
            assert value is None
        elif name not in OF_A_SEQUENCE:
            assert len(value) == units, name
            assert value.dtype == (
                np.float32 if name in {"territory", "twitch_train"} else np.float64
            ), name
    assert truth.territory.shape == (units, 64, 64)
    assert truth.twitch_train.shape == (units, 400)
    assert np.isfinite(truth.twitch_train).all()


def test_a_truth_is_put_together_from_its_parts():
    parameters = Parameters()
    truth = draw(parameters, seed=3, index=5)
    count = parameters.units.draw_integer(generator(3, 5, Stream.UNIT_COUNT))
    assert truth.unit_count == count
    firings = draw_firings(parameters, count, twitch_length(parameters), 3, 5)
    np.testing.assert_array_equal(truth.firing, firings.times)
    twitches = Twitches(truth.displacement, truth.contraction_time, truth.relaxation_ratio)
    trains = twitch_trains(parameters, twitches, truth.firing)
    np.testing.assert_array_equal(truth.twitch_train, trains)
    np.testing.assert_array_equal(truth.overlap, overlap_of(truth.territory))
    np.testing.assert_array_equal(truth.noise_key, noise_key(3, 5))
    assert truth.noise_sd == noise_sd(truth.territory, trains, truth.snr)


def test_the_synchronised_share_is_that_of_the_firings_inside():
    parameters = Parameters(synchrony=Range(0.3, 0.3), frames=4000)
    truth = draw(parameters, seed=1)
    alone = draw(dataclasses.replace(parameters, synchrony=Range(0, 0)), seed=1)
    assert not alone.synchronised_share.any()
    assert truth.synchrony == 0.3
    for unit in range(truth.unit_count):
        inside = truth.firing[unit][truth.firing[unit] >= 0]
        moved = ~np.isin(inside, alone.firing[unit])
        assert truth.synchronised_share[unit] == pytest.approx(moved.mean(), abs=2 / inside.size)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_arguments_give_the_same_bytes(preset):
    parameters = Parameters.from_texts({}, preset)
    assert _bytes(draw(parameters, seed=7, index=3)) == _bytes(draw(parameters, seed=7, index=3))


def test_no_two_sequences_are_alike():
    parameters = Parameters(units=Range(10, 10), pixels=(32, 32))
    truths = [draw(parameters, seed=0, index=index) for index in range(100)]
    truths += [draw(parameters, seed=seed, index=0) for seed in range(1, 101)]
    for name in ("territory", "firing", "twitch_train", "noise_key", "diameter", "centre_depth"):
        assert len({_bytes(truth, name) for truth in truths}) == 200, name


def test_the_order_and_the_thread_of_a_draw_have_no_influence(tiny):
    forward = [_bytes(draw(tiny, seed=2, index=index)) for index in range(20)]
    backward = [_bytes(draw(tiny, seed=2, index=index)) for index in reversed(range(20))]
    assert backward[::-1] == forward
    with ThreadPoolExecutor(4) as threads:
        by_thread = list(
            threads.map(lambda index: _bytes(draw(tiny, seed=2, index=index)), range(20))
        )
    assert by_thread == forward


def test_other_frames_of_the_same_grid_are_drawn_with_the_same_territories(tiny):
    longer = draw(dataclasses.replace(tiny, frames=60), seed=1)
    assert _bytes(longer, "territory") == _bytes(draw(tiny, seed=1), "territory")


@pytest.mark.parametrize("snr", [Range(-5, -5), Range(20, 30), Range(np.inf, np.inf)])
def test_the_noise_changes_nothing_but_the_noise(snr):
    one = draw(Parameters(units=Range(8, 8)), seed=1)
    other = draw(Parameters(units=Range(8, 8), snr=snr), seed=1)
    same = [name for name in FIELDS if name not in NOISE]
    assert _bytes(one, *same) == _bytes(other, *same)
    assert one.noise_sd != other.noise_sd
    assert render(one, noise=False).tobytes() == render(other, noise=False).tobytes()


def test_the_synchrony_changes_nothing_but_the_firings():
    one = draw(Parameters(synchrony=Range(0, 0)), seed=1)
    other = draw(Parameters(synchrony=Range(0.4, 0.4)), seed=1)
    same = ["territory", "diameter", "displacement", "firing_rate", "noise_key", "snr"]
    assert _bytes(one, *same) == _bytes(other, *same)
    assert _bytes(one, "firing") != _bytes(other, "firing")


def test_variation_changes_nothing_but_the_trains():
    plain, varying = (
        draw(Parameters(amplitude_variation=each, duration_variation=each), seed=1)
        for each in (Range(0, 0), Range(0.2, 0.2))
    )
    changed = {"twitch_train", "noise_sd", "amplitude_variation", "duration_variation"}
    same = [name for name in FIELDS if name not in changed | WHERE_THEY_VARY]
    assert _bytes(plain, *same) == _bytes(varying, *same)
    np.testing.assert_array_equal(np.isnan(varying.firing_amplitude), np.isnan(varying.firing))
    assert not np.array_equal(plain.twitch_train, varying.twitch_train)
    alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(plain.twitch_train, varying.twitch_train,
                                                     strict=True)]  # fmt: skip
    assert 0.5 < np.mean(alike) < 0.95


def test_strengths_change_nothing_but_the_displacement():
    plain, spread = (draw(Parameters(strength_ratio=each), seed=1) for each in (1, 50))
    same = ["territory", "firing", "contraction_time", "relaxation_ratio", "snr", "noise_key"]
    assert _bytes(plain, *same) == _bytes(spread, *same)
    factors = spread.displacement / plain.displacement
    assert (np.abs(np.log(factors)) <= np.log(50) / 2).all()
    assert np.ptp(np.log(factors)) > 2
    np.testing.assert_allclose(
        spread.twitch_train, factors[:, None] * plain.twitch_train, rtol=1e-5, atol=1e-6
    )


def test_twitches_under_way_at_the_start_are_there():
    parameters = Parameters(units=Range(30, 30), synchrony=Range(0, 0))
    truth = draw(parameters, seed=1)
    assert (truth.firing[:, 0] < 0).all()
    assert (truth.firing[:, 0] > -twitch_length(parameters)).all()
    # A moving average of 25 ms is as large at the start as anywhere.
    power = (truth.twitch_train**2).mean(axis=0)
    assert power[:10].mean() > 0.3 * power.mean()


@pytest.mark.parametrize("shape", [(5, 7, 9, 11), (1, 1, 1, 1), (3, 64, 64, 30)])
def test_the_signal_power_is_the_mean_square_of_the_rendered_sequence(shape):
    units, *grid, frames = shape
    random = np.random.default_rng(0)
    territory = random.random((units, *grid), np.float32) * (random.random((units, *grid)) < 0.5)
    trains = random.standard_normal((units, frames)).astype(np.float32)
    sequence = np.einsum("kt,kzx->tzx", trains.astype(float), territory)
    found = signal_power(territory.astype(np.float32), trains)
    assert found == pytest.approx((sequence**2).mean(), rel=1e-9)


@pytest.mark.parametrize("snr", [-10, 0, 10, 30])
def test_the_noise_is_as_strong_as_the_snr_says(truth, snr):
    power = np.mean(render(truth, noise=False).astype(float) ** 2)
    sd = noise_sd(truth.territory, truth.twitch_train, snr)
    assert 10 * np.log10(power / sd**2) == pytest.approx(snr, abs=1e-5)


@pytest.mark.parametrize("snr", [-10.0, 10.0, 30.0])
def test_the_measured_snr_is_the_one_asked_for(snr):
    parameters = Parameters(snr=Range(snr, snr))
    measured = []
    for index in range(8):
        truth = draw(parameters, seed=1, index=index)
        clean = render(truth, noise=False).astype(float)
        noise = render(truth) - clean
        assert truth.snr == snr
        measured.append(10 * np.log10(np.mean(clean**2) / np.mean(noise**2)))
    assert np.mean(measured) == pytest.approx(snr, abs=0.05)
    assert np.ptp(measured) < 0.1


def test_a_range_of_snr_is_drawn_from():
    drawn = [draw(Parameters(snr=Range(10, 30), frames=1), index=i).snr for i in range(200)]
    assert 10 <= min(drawn) < 11
    assert 29 < max(drawn) <= 30


def test_no_noise_is_exactly_none():
    truth = draw(Parameters(snr=Range(np.inf, np.inf)), seed=1)
    assert truth.snr == np.inf
    assert truth.noise_sd == 0
    assert render(truth).tobytes() == render(truth, noise=False).tobytes()


def test_noise_is_white_and_that_of_the_key(truth):
    shape = (30, 9, 7)
    noise = render(truth).astype(float) - render(truth, noise=False)
    expected = truth.noise_sd * standard_normal(truth.noise_key, shape)
    np.testing.assert_allclose(noise, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(
    "values",
    [
        {"territory": "ellipse", "mask": "soft"},
        {"territory": "fibres", "mask": "soft", "muscle": (60.0, 50.0)},
        {"doublets": Range(0.1, 0.3), "synchrony_jitter": Range(1, 3)},
        {"waveform": ((0.0, 0.0), (0.03, 2.0), (0.1, -1.0), (0.2, 0.0))},
        {"frames": 1, "pixels": (1, 1)},
        {"contraction_time": Range(20, 200), "relaxation_ratio": Range(1.05, 2.6)},
        {"interval_variation": Range(0, 1), "firing_rate": Range(1, 100)},
    ],
)
def test_every_kind_of_sequence_can_be_drawn_and_rendered(values):
    truth = draw(Parameters(**values), seed=1)
    assert np.isfinite(render(truth)).all()
    assert truth.twitch_train.any()
    again = draw(Parameters.from_json(Parameters(**values).to_json()), seed=1)
    assert _bytes(again) == _bytes(truth)


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", -1), ("seed", 2**63), ("seed", 1.5), ("seed", "1"), ("index", -1), ("index", 1.5),
     ("index", "1")],
)  # fmt: skip
def test_a_wrong_seed_or_index_is_refused(tiny, name, value):
    with pytest.raises(InputError, match=f"{name}: found .*, wanted"):
        draw(tiny, **{name: value})


def test_far_seeds_and_indices_are_as_good_as_near_ones(tiny):
    truths = [draw(tiny, seed=2**63 - 1, index=index) for index in (0, 2**32, 2**32 + 1, 2**48)]
    assert len({_bytes(truth, "noise_key") for truth in truths}) == 4


def test_the_examples_in_the_documentation_run():
    assert doctest.testmod(sequence).attempted > 0
    assert doctest.testmod(sequence).failed == 0
