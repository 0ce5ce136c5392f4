"""Stores of quick recordings: both kinds, what they hold, and what is refused."""

import dataclasses

import numpy as np
import pytest

from musim.datasets import generate, open_store, verify
from musim.datasets.datacard import data_card
from musim.datasets.generation import Generation, plan
from musim.datasets.origin import Simulated, from_attributes, to_attributes
from musim.datasets.origins.attributes import DOSES, REVISION
from musim.datasets.statistics import standardisation
from musim.datasets.store_files import ROOT
from musim.simulator import PRESETS, FailureError, Parameters, Range, draw
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import (
    colour,
    draw_recording,
    most_components,
    render_recording,
)
from musim.simulator.rendering import add_noise

PARAMETERS = Parameters(**{
    **PRESETS["experiment"], "units": Range(1, 3), "pixels": (9, 7), "size": (12.0, 10.0),
    "frames": 60, "fat": Range(1, 1), "diameter": Range(2.5, 5),
})  # fmt: skip
DOSES_OF_ALL = Doses(image=(80, 40))
QUICK = {"sequences": 3, "seed": 5, "doses": DOSES_OF_ALL, "domain": "quick", "workers": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quick")


@pytest.fixture(scope="module")
def rendered(folder):
    return generate(PARAMETERS, folder / "r.zarr", **QUICK, kind="rendered", part_size=2)


@pytest.fixture(scope="module")
def dense(folder):
    return generate(PARAMETERS, folder / "d.zarr", **QUICK)


def drawn(index):
    truth = draw(PARAMETERS, doses=DOSES_OF_ALL, seed=5, index=index)
    return truth, draw_recording(PARAMETERS, DOSES_OF_ALL, truth, seed=5, index=index)


def test_both_kinds_hold_the_recordings_of_the_simulator(rendered, dense):
    for index in range(3):
        _, recording = drawn(index)
        wanted = render_recording(recording, colour(PARAMETERS, DOSES_OF_ALL))
        np.testing.assert_array_equal(rendered.tvi(index), wanted)
        np.testing.assert_array_equal(dense.tvi(index), wanted)
    assert "motion_map" not in dense.layout.variables
    assert "tvi" not in rendered.layout.variables


def test_a_rendered_store_holds_maps_courses_and_noise_without_padding(rendered):
    for index in range(3):
        _, recording = drawn(index)
        sequence = rendered[index]
        np.testing.assert_array_equal(sequence.motion_map, recording.motion_map)
        np.testing.assert_array_equal(sequence.motion_course, recording.motion_course)
        np.testing.assert_array_equal(sequence.noise_map, recording.noise_map)
        np.testing.assert_array_equal(sequence.scanner_noise_key, recording.noise_key)
        assert sequence.tvi.dims == ("time", "depth", "width")
    counts = [int(rendered.read("component_count", index)) for index in range(3)]
    assert min(counts) < rendered.layout.sizes["component"]
    for index, count in enumerate(counts):
        assert not rendered.read("motion_map", index)[count:].any()


def test_windows_are_windows_of_the_whole(rendered):
    window = {"time": slice(7, 31), "depth": slice(2, 6), "width": slice(3, 7)}
    np.testing.assert_array_equal(rendered.tvi(1, **window), rendered.tvi(1)[7:31, 2:6, 3:7])
    np.testing.assert_array_equal(rendered.dataset.tvi[1].isel(**window), rendered.tvi(1, **window))


def test_a_store_opens_as_what_it_is_and_is_made_again(rendered, dense):
    for store in (rendered, dense):
        opened = open_store(store.location.path)
        assert (opened.domain, opened.origin.doses) == ("quick", DOSES_OF_ALL)
        assert opened.origin.made_by == "quick recordings drawn with seed 5"
        assert len(verify(opened, remake=3)) == 3
        assert "measured SNR" not in {entry.name for entry in data_card(opened)}


@pytest.mark.parametrize("name", ["motion_map", "noise_map", "scanner_noise_key"])
def test_what_is_not_what_the_seed_gives_is_found(rendered, name, monkeypatch):
    read = type(rendered).read

    def other(self, asked, index):
        values = read(self, asked, index)
        return values + 1 if asked == name else values

    monkeypatch.setattr(type(rendered), "read", other)
    with pytest.raises(FailureError, match=f"sequence 0: {name} is not what its parameters give"):
        verify(rendered, remake=1)


def test_noise_that_is_asked_for_is_added_to_the_scanners(tmp_path):
    noisy = dataclasses.replace(PARAMETERS, snr=Range(3, 3))
    store = generate(noisy, tmp_path / "n.zarr", **QUICK, kind="rendered")
    truth = store.truth(2)
    wanted = render_recording(drawn(2)[1], colour(PARAMETERS, DOSES_OF_ALL))
    add_noise(wanted, truth.noise_key, truth.noise_sd, wanted.shape)
    np.testing.assert_array_equal(store.tvi(2), wanted)
    np.testing.assert_array_equal(store.tvi(2, time=slice(5, 9)), wanted[5:9])
    half = generate(noisy, tmp_path / "h.zarr", **QUICK, kind="rendered", dtype="float16")
    np.testing.assert_array_equal(half.tvi(2), wanted.astype(np.float16))


def test_mean_and_spread_are_those_of_the_voxels(rendered):
    voxels = np.stack([rendered.tvi(index) for index in range(3)]).astype(float)
    mean, sd = standardisation(rendered, keep=False)
    assert (mean, sd) == (pytest.approx(voxels.mean(), abs=1e-6), pytest.approx(voxels.std()))


def test_there_is_room_for_what_parameters_and_doses_can_need():
    assert most_components(PARAMETERS, DOSES_OF_ALL) == 3 * 3 + 3
    still = Doses.off(image=(80, 40), tremor=Range(0, 5), warp=Range(1, 1))
    assert most_components(PARAMETERS, still) == 3 + 1
    largest = dataclasses.replace(PARAMETERS, units=Range(3, 3))
    shaken = Doses(image=(80, 40), tremor=Range(5, 5), muscle_motion=Range(5, 5))
    for doses in (still, shaken):
        layout = plan(largest, sequences=1, doses=doses, domain="quick", kind="rendered")
        maker = Generation(layout=layout)
        arrays = maker.pack([0], [maker.draw(0)])
        assert arrays["component_count"][0] <= layout.sizes["component"]
    assert arrays["component_count"][0] == 3 * 3 + 5


def test_trials_of_a_subject_share_its_maps(tmp_path):
    trials = dataclasses.replace(PARAMETERS, trials=2)
    store = generate(trials, tmp_path / "t.zarr", **QUICK, kind="rendered")
    first, second, other = (store[index].load() for index in range(3))
    np.testing.assert_array_equal(first.motion_map, second.motion_map)
    assert not np.array_equal(first.motion_course, second.motion_course)
    assert not np.array_equal(first.scanner_noise_key, second.scanner_noise_key)
    assert first.motion_map.shape != other.motion_map.shape or (
        not np.array_equal(first.motion_map, other.motion_map)
    )
    assert len(verify(store, remake=3)) == 3


def test_stores_of_other_domains_say_what_they_said_before():
    plain = to_attributes(Simulated(parameters=PARAMETERS, seed=1))
    recorded = to_attributes(Simulated(parameters=PARAMETERS, seed=1, doses=Doses()))
    quick = to_attributes(Simulated(parameters=PARAMETERS, seed=1, doses=Doses(), quick=True))
    assert recorded.keys() - plain.keys() == {DOSES, REVISION}
    assert quick.keys() - recorded.keys() == {"musim_domain"}
    # Who knows the first version alone would render its units, and is kept from it.
    versions = [one["musim_origin_version"] for one in (plain, recorded, quick)]
    assert versions == [1, 1, 2]
    assert [from_attributes(one).domain for one in (plain, recorded, quick)] == [
        "analytic", "experiment", "quick"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "doses", "asked", "words"),
    [
        ({}, {}, {"domain": "slow"}, ["domain: found 'slow'", "analytic, experiment, quick"]),
        ({}, {}, {"domain": "analytic"}, ["domain: found 'analytic' with doses"]),
        ({}, {}, {"domain": "experiment", "kind": "rendered"}, ["wanted dense", "domain='quick'"]),
        ({}, {"image": (8, 8)}, {}, ["coarser than the point-spread function"]),
        ({}, {"thermal_noise": "2"}, {}, ["thermal_noise: found noise of up to", "1 or less"]),
        ({}, {"noise_at_depth": "0.5-1.5"}, {}, ["found noise of up to 1.5 times"]),
        (
            {"displacement": "90000"},
            {},
            {},
            ["found tissue that moves", "pulse_repetition"],
        ),
        ({}, {"pulse_repetition": 80.0}, {}, ["band: found 50 Hz in frames at 80 Hz"]),
        ({"frames": 1}, {}, {}, ["frames: found 2"]),
    ],
)
def test_what_a_quick_recording_cannot_be_is_refused_before_anything_is_written(
    tmp_path, refused, change, doses, asked, words
):
    parameters = dataclasses.replace(PARAMETERS, **change)
    given = dataclasses.replace(DOSES_OF_ALL, **doses)
    with refused(*words):
        generate(parameters, tmp_path / "no.zarr", **{**QUICK, "doses": given, **asked})
    assert not (tmp_path / "no.zarr" / ROOT).exists()


def test_recordings_have_the_usual_doses_if_none_are_given():
    usual = Parameters(**PRESETS["experiment"])
    for domain in ("experiment", "quick"):
        layout = plan(usual, sequences=1, domain=domain)
        assert layout.origin.domain == domain
        assert layout.origin.doses == Doses()
