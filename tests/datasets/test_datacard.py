import dataclasses
import math
import zipfile

import numpy as np
import pytest
from scipy.stats import kstest

from musim.datasets import generate, open_store
from musim.datasets.datacard import Tally, data_card, measured_snr
from musim.simulator import FailureError, Parameters, Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.territory import fat_thickness
from tests.datasets.format_1 import make as recorded


@pytest.fixture(scope="module")
def card(rendered):
    return {entry.name: entry for entry in data_card(rendered)}


@pytest.fixture(scope="module")
def truths(tiny):
    return [draw(tiny, seed=7, index=index) for index in range(5)]


@pytest.mark.parametrize("pieces", [1, 3, 50])
def test_a_tally_has_the_moments_of_all_that_passed_by(pieces):
    values = np.random.default_rng(0).normal(1e6, 1, 1000)
    values[::7] = np.nan
    tally = Tally(0, 0)
    for piece in np.array_split(values, pieces):
        tally.add(piece.reshape(-1, 1))
    known = values[~np.isnan(values)]
    assert tally.count == known.size
    assert tally.mean == pytest.approx(known.mean(), abs=1e-6)
    assert tally.sd == pytest.approx(known.std(), rel=1e-6)
    assert (tally.minimum, tally.maximum) == (known.min(), known.max())


def test_a_tally_of_nothing_is_empty():
    tally = Tally(0, 1)
    tally.add(np.array([]))
    tally.add(np.full(3, np.nan))
    assert tally.count == 0
    assert math.isnan(tally.mean)
    assert math.isnan(tally.sd)
    assert math.isnan(tally.p_value())


def test_equal_values_have_no_spread():
    tally = Tally(0, 1)
    for _ in range(3):
        tally.add(np.full(7, 0.1))
    assert tally.sd == 0


def test_infinite_values_are_counted():
    tally = Tally(0, 0)
    for _ in range(2):
        tally.add(np.full(3, np.inf))
    assert (tally.count, tally.mean, tally.sd) == (6, math.inf, 0)


@pytest.mark.parametrize("power", [1.0, 1.03, 1.1])
def test_the_fit_to_a_uniform_distribution_is_kolmogorovs(power):
    values = 8 + 5 * np.random.default_rng(1).random(2000) ** power
    tally = Tally(8, 13)
    for piece in np.array_split(values, 9):
        tally.add(piece)
    assert tally.p_value() == pytest.approx(kstest((values - 8) / 5, "uniform").pvalue, abs=0.05)


def test_a_wrong_distribution_has_no_chance():
    tally = Tally(0, 1)
    tally.add(np.linspace(0, 0.9, 2000))
    assert tally.p_value() < 1e-10


def test_the_card_has_one_line_for_each_quantity(card, rendered):
    assert len(card) == len(data_card(rendered))
    wanted = {"units", "diameter", "firing rate", "SNR", "measured SNR", "overlap", "synchrony"}
    assert wanted <= set(card)
    assert "axis ratio" not in card


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("diameter", "diameter"),
        ("centre depth", "centre_depth"),
        ("centre width", "centre_width"),
        ("firing rate", "firing_rate"),
        ("displacement", "displacement"),
        ("contraction time", "contraction_time"),
        ("visible share", "visible_share"),
        ("overlap", "overlap"),
        ("realised synchrony", "synchronised_share"),
    ],
)
def test_a_line_is_about_all_units_of_all_sequences(card, truths, name, field):
    values = np.concatenate([getattr(truth, field) for truth in truths])
    entry = card[name]
    assert entry.count == values.size
    assert entry.mean == pytest.approx(values.mean())
    assert entry.sd == pytest.approx(values.std(), abs=1e-12)
    assert (entry.minimum, entry.maximum) == (values.min(), values.max())


def test_lines_of_sequences_count_sequences(card, truths):
    assert card["units"].count == 5
    assert card["units"].mean == np.mean([truth.unit_count for truth in truths])
    assert card["SNR"].mean == pytest.approx(np.mean([truth.snr for truth in truths]))


def test_what_was_asked_for_stands_beside(card, tiny):
    assert card["diameter"].requested == "2-4"
    assert card["diameter"].expected_mean == 3
    assert card["diameter"].units == "mm"
    assert card["units"].requested == "2-4"
    assert card["units"].expected_mean == 3
    assert card["centre depth"].requested == "0-9"
    assert card["centre depth"].expected_mean == 4.5
    assert card["centre width"].expected_mean == 3.5
    assert math.isnan(card["visible share"].expected_mean)


def test_realised_firings_are_those_of_the_sequences(make, tiny, tmp_path):
    parameters = dataclasses.replace(tiny, frames=4000, synchrony=Range(0, 0))
    store = make(tmp_path / "set.zarr", parameters, kind="rendered")
    card = {entry.name: entry for entry in data_card(store)}
    rates, intervals = [], []
    for index in range(5):
        truth = draw(parameters, seed=7, index=index)
        for times, rate in zip(truth.firing, truth.firing_rate, strict=True):
            inside = times[(times >= 0) & (times < 10)]
            rates.append(inside.size / 10)
            intervals.extend(np.diff(inside) * rate)
    assert card["realised rate"].mean == pytest.approx(np.mean(rates))
    variation = np.std(intervals) / np.mean(intervals)
    assert card["realised interval variation"].mean == pytest.approx(variation)
    assert card["realised interval variation"].mean == pytest.approx(0.2, rel=0.1)
    assert card["realised rate"].mean == pytest.approx(card["firing rate"].mean, rel=0.03)
    assert card["realised synchrony"].mean == 0


@pytest.mark.parametrize("kind", ["dense", "rendered"])
@pytest.mark.parametrize("snr", [0, 20])
def test_the_measured_snr_is_the_one_asked_for(make, tiny, tmp_path, kind, snr):
    parameters = dataclasses.replace(tiny, snr=Range(snr, snr), frames=400)
    store = make(tmp_path / "set.zarr", parameters, kind=kind)
    for index in range(5):
        measured = measured_snr(store, index)
        assert measured == pytest.approx(snr, abs=0.3)
        # That of the voxels that the kernels make.
        clean = render(store.truth(index), noise=False).astype(float)
        noise = store.tvi(index) - clean
        wanted = 10 * math.log10(np.square(clean).mean() / np.square(noise).mean())
        assert measured == pytest.approx(wanted, rel=1e-10)
    card = {entry.name: entry for entry in data_card(store)}
    assert card["measured SNR"].mean == pytest.approx(snr, abs=0.15)
    assert card["measured SNR"].count == 5


def test_without_noise_the_measured_snr_is_infinite(make, tiny, tmp_path):
    store = make(tmp_path / "set.zarr", dataclasses.replace(tiny, snr=Range(np.inf, np.inf)))
    card = {entry.name: entry for entry in data_card(store)}
    assert card["measured SNR"].mean == math.inf
    assert card["SNR"].mean == math.inf
    assert card["SNR"].requested == "inf"


def test_a_fair_draw_is_likely_and_ellipses_show_their_axes(make, tiny, tmp_path):
    parameters = dataclasses.replace(
        tiny, territory="ellipse", axis_ratio=Range(1, 2), snr=Range(10, 30)
    )
    store = make(tmp_path / "set.zarr", parameters, kind="rendered", sequences=60, part_size=20)
    seen = []
    entries = data_card(store, on_progress=lambda *numbers: seen.append(numbers))
    card = {entry.name: entry for entry in entries}
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert card["axis ratio"].expected_mean == 1.5
    for name in ("units", "diameter", "firing rate", "SNR", "axis ratio", "displacement"):
        assert 1e-3 < card[name].p_value <= 1, name
    assert math.isnan(card["relaxation ratio"].p_value)


def test_a_waveform_of_ones_own_has_no_twitch_parameters(make, tiny, tmp_path):
    waveform = ((0.0, 0.0), (0.01, 1.0), (0.02, -1.0), (0.03, 0.0))
    store = make(tmp_path / "set.zarr", dataclasses.replace(tiny, waveform=waveform))
    card = {entry.name: entry for entry in data_card(store)}
    assert card["contraction time"].requested == "of the waveform"
    assert math.isnan(card["contraction time"].expected_mean)


def test_a_damaged_part_is_a_failure(copy, rendered, fails):
    folder = copy(rendered)
    (key,) = rendered.layout.chunk_keys("diameter", 1)
    (folder / key).unlink()
    with fails(FailureError, str(folder), "part 1", "diameter"):
        data_card(open_store(folder))


def test_a_store_without_truth_has_no_card(rendered, monkeypatch, refused):
    monkeypatch.setattr(type(rendered), "has_truth", False)
    with refused("without truth", "wanted a simulated one"):
        data_card(rendered)


def test_depths_are_uniform_in_each_subject_s_muscle(tmp_path):
    parameters = Parameters(
        units=Range(20, 20), fat=Range(3, 12), pixels=(32, 32), frames=8, snr=Range(20, 20)
    )
    store = generate(parameters, tmp_path / "fat.zarr", sequences=60, kind="rendered", workers=1)
    entries = {entry.name: entry for entry in data_card(store)}
    depth, place = entries["centre depth"], entries["centre depth in muscle"]
    assert depth.requested == "3-40"
    assert depth.expected_mean == pytest.approx((7.5 + 40) / 2)
    assert abs(depth.mean - depth.expected_mean) < 4 * depth.sd / depth.count**0.5
    assert math.isnan(depth.p_value)
    assert place.minimum >= 0
    assert place.maximum <= 1
    assert place.p_value > 0.01
    assert "centre depth in muscle" not in {
        entry.name
        for entry in data_card(
            generate(
                dataclasses.replace(parameters, fat=Range(5, 5)),
                tmp_path / "same.zarr",
                sequences=2,
                kind="rendered",
                workers=1,
            )
        )
    }


def test_what_was_drawn_of_the_experiment_is_on_the_card_and_in_the_store(tmp_path):
    store = generate(
        Parameters.from_texts(recorded.EXPERIMENT, "experiment"), tmp_path / "set.zarr",
        sequences=2, seed=12, doses=Doses(**recorded.DOSES), workers=1,
    )  # fmt: skip
    card = {entry.name: entry for entry in data_card(store)}
    for index in range(2):
        truth = store.truth(index)
        assert truth.doses == Doses(**recorded.DOSES).draw(12, index)
        assert truth.artery_depth == store.dataset.artery_depth.values[index] > 0
        assert truth.fat == fat_thickness(store.parameters, 12, index)
        assert store.dataset.dose_spread.values[index] == truth.doses["spread"]
    fats = [store.truth(index).fat for index in range(2)]
    spreads = [store.truth(index).doses["spread"] for index in range(2)]
    assert (card["skin and fat"].requested, card["skin and fat"].units) == ("3-8", "mm")
    assert card["skin and fat"].mean == pytest.approx(np.mean(fats))
    assert card["dose of spread"].mean == pytest.approx(np.mean(spreads))
    assert card["dose of spread"].expected_mean == 1.5
    assert store.dataset.fat.attrs["units"] == store.dataset.dose_spread.attrs["units"] == "mm"


def test_subjects_of_stores_without_a_dose_had_none_of_it(tmp_path):
    store = generate(
        Parameters.from_texts(recorded.EXPERIMENT, "experiment"), tmp_path / "set.zarr",
        sequences=1, seed=12, doses=Doses(**recorded.DOSES, tremor=(1, 2)), workers=1,
    )  # fmt: skip
    drawn = store.truth(0).doses
    assert 1 < drawn["tremor"] < 2
    kept = tuple(name for name in store.layout.variables if name != "dose_tremor")
    store.layout = dataclasses.replace(store.layout, variables=kept)
    assert store.truth(0).doses == {**drawn, "tremor": 0}


def test_stores_from_before_they_were_kept_know_them_too(tmp_path):
    for name in ("fibres", "experiment_revision_1"):
        with zipfile.ZipFile(recorded.FOLDER / f"{name}.zip") as archive:
            archive.extractall(tmp_path / name)
        store = open_store(tmp_path / name)
        assert "fat" not in store.layout.variables
        truth = store.truth(1)
        assert truth.fat == fat_thickness(store.parameters, store.seed, 1) > 0
        doses = store.origin.doses
        assert truth.doses == (None if doses is None else doses.draw(store.seed, 1))
        drawn = draw(store.parameters, doses=doses, seed=store.seed, index=1)
        np.testing.assert_equal(truth.artery_radius, drawn.artery_radius)
        assert np.isnan(truth.artery_radius) == (doses is None)
        assert "skin and fat" in {entry.name for entry in data_card(store)}
