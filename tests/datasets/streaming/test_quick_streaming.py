"""Quick recordings as batches: from stores and without end, by kernels and by torch."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
import torch

from musim.datasets import generate
from musim.datasets.streaming import EndlessLoader, SequenceLoader, endless, rendering
from musim.datasets.streaming.recordings import render_recordings
from musim.simulator import PRESETS, Parameters, Range, draw
from musim.simulator.errors import InputError
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.simulator.rendering import add_noise

PARAMETERS = Parameters(**{
    **PRESETS["experiment"], "units": Range(1, 3), "pixels": (9, 7), "size": (12.0, 10.0),
    "frames": 60, "fat": Range(1, 1), "diameter": Range(2.5, 5),
})  # fmt: skip
DOSES = Doses(image=(80, 40), thermal_noise=Range(0.02, 0.02))
COLOUR = colour(PARAMETERS, DOSES)
SEED = 5


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    out = tmp_path_factory.mktemp("quick") / "q.zarr"
    return generate(PARAMETERS, out, sequences=5, seed=SEED, part_size=2, doses=DOSES,
                    domain="quick", kind="rendered", workers=1)  # fmt: skip


def recording_of(index, parameters=PARAMETERS):
    truth = draw(parameters, doses=DOSES, seed=SEED, index=index)
    return draw_recording(parameters, DOSES, truth, seed=SEED, index=index)


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6 * np.abs(wanted).max())


@pytest.mark.parametrize("length", [60, 11])
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_torch_renders_what_the_kernels_render(length, shift):
    recordings = [recording_of(index) for index in range(3)]
    assert all((recording.noise_map > 0).mean() > 0.9 for recording in recordings)
    starts = [(shift + 17 * place) % (60 - length + 1) for place in range(3)]
    most = max(len(recording.motion_map) for recording in recordings)
    maps = torch.zeros(3, most, 9, 7)
    courses = torch.zeros(3, most, length)
    for place, (recording, start) in enumerate(zip(recordings, starts, strict=True)):
        count = len(recording.motion_map)
        maps[place, :count] = torch.from_numpy(recording.motion_map)
        window = recording.motion_course[:, start : start + length]
        courses[place, :count] = torch.from_numpy(window.copy())
    noise = torch.from_numpy(np.stack([recording.noise_map for recording in recordings]))
    keys = np.stack([recording.noise_key for recording in recordings]).astype(np.int64)
    asked = (maps, courses, noise, torch.from_numpy(keys), torch.tensor(starts), COLOUR)
    found = render_recordings(*asked)
    assert found.shape == (3, length, 9, 7)
    for recording, start, voxels in zip(recordings, starts, found.numpy(), strict=True):
        time = slice(start, start + length)
        close(voxels, render_recording(recording, COLOUR, time=time))
    still = render_recordings(*asked[:2], torch.zeros_like(noise), *asked[3:])
    assert float((still - found).std()) > 0.03 * float(found.std())


def test_little_memory_gives_the_same_noise(store, monkeypatch):
    wanted = list(SequenceLoader(store, batch_size=3, device="cpu", shuffle=False))
    monkeypatch.setattr(rendering, "CHUNK_BYTES", 1)
    for batch, other in zip(
        SequenceLoader(store, batch_size=3, device="cpu", shuffle=False), wanted, strict=True
    ):
        close(batch["tvi"].numpy(), other["tvi"].numpy())


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("window", [None, 13])
def test_batches_of_a_store_are_its_recordings(store, device, window):
    loader = SequenceLoader(store, batch_size=2, window=window, device=device,
                            flips=("depth", "width"), seed=3)  # fmt: skip
    plain = SequenceLoader(store, batch_size=2, window=window, seed=3)
    turned = 0
    for batch, upright in zip(loader, plain, strict=True):
        assert batch.keys() == upright.keys()
        for index, start, voxels, mask, straight in zip(
            batch["index"].tolist(), batch["start"].tolist(), batch["tvi"].numpy(),
            batch["territory"].numpy(), upright["territory"].numpy(), strict=True,
        ):  # fmt: skip
            time = slice(start, start + (window or 60))
            axes = [
                axes for axes in ((), (1,), (2,), (1, 2))
                if np.array_equal(np.flip(straight, axes), mask)
            ]  # fmt: skip
            turned += axes[0] != ()
            close(voxels, np.flip(store.tvi(index, time=time), axes[0]))
    assert turned


def test_standardised_voxels_are_so_on_devices_too(store):
    here = list(SequenceLoader(store, batch_size=5, standardise=True, shuffle=False))
    there = list(SequenceLoader(store, batch_size=5, standardise=True, shuffle=False, device="cpu"))
    close(there[0]["tvi"], here[0]["tvi"].numpy())
    assert float(here[0]["tvi"].std()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_noise_drawn_anew_is_added_to_the_scanners(store, device):
    (batch,) = SequenceLoader(store, batch_size=5, snr=0, shuffle=False, device=device)
    for place, index in enumerate(batch["index"].tolist()):
        wanted = store.tvi(index)
        key = batch["noise_key"][place].numpy().astype(np.uint32)
        sd = float(batch["noise_sd"][place])
        assert sd > 0
        add_noise(wanted, key, sd, wanted.shape)
        close(batch["tvi"][place].numpy(), wanted)


def test_noise_is_not_drawn_anew_where_voxels_are_written(tmp_path, refused):
    dense = generate(PARAMETERS, tmp_path / "d.zarr", sequences=1, doses=DOSES, domain="quick",
                     workers=1)  # fmt: skip
    with refused("snr: found recordings", "quick recordings that are rendered on read"):
        SequenceLoader(dense, batch_size=1, snr=10)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_endless_recordings_are_those_of_a_store(store, device):
    loader = EndlessLoader(PARAMETERS, doses=DOSES, batch_size=2, seed=SEED, device=device)
    for batch in itertools.islice(loader, 2):
        assert "motion_map" not in batch
        for index, voxels in zip(batch["index"].tolist(), batch["tvi"].numpy(), strict=True):
            if device is None:
                np.testing.assert_array_equal(voxels, store.tvi(index))
            else:
                close(voxels, store.tvi(index))


def test_trials_are_shuffled_among_some_subjects_and_go_on_exactly(same):
    trials = dataclasses.replace(PARAMETERS, trials=3)
    order = [endless.sequence_at(place, 3, SEED) for place in range(2 * 3 * endless.MIXED)]
    block = 3 * endless.MIXED
    assert sorted(order[:block]) == list(range(block))
    assert sorted(order[block:]) == list(range(block, 2 * block))
    assert order[:block] != list(range(block))
    assert order[block:] != [block + index for index in order[:block]]
    assert [endless.sequence_at(place, 1, SEED) for place in range(9)] == list(range(9))

    def loader():
        return EndlessLoader(trials, doses=DOSES, batch_size=4, seed=SEED)

    first = loader()
    batches = list(itertools.islice(first, 3))
    assert [int(index) for batch in batches for index in batch["index"]] == order[:12]
    one = recording_of(order[0], trials)
    np.testing.assert_array_equal(batches[0]["tvi"][0], render_recording(one, COLOUR))
    again = loader()
    list(itertools.islice(again, 1))
    resumed = loader()
    resumed.load_state_dict(json.loads(json.dumps(again.state_dict())))
    same(list(itertools.islice(resumed, 2)), batches[1:])


def test_doses_that_do_not_go_with_the_parameters_are_refused_at_once(refused):
    with refused("thermal_noise: found noise"):
        EndlessLoader(PARAMETERS, batch_size=1,
                      doses=dataclasses.replace(DOSES, thermal_noise=Range(5, 5)))  # fmt: skip
    with pytest.raises(InputError, match="coarser than the point-spread function"):
        EndlessLoader(PARAMETERS, doses=Doses(image=(8, 8)), batch_size=1)
