"""Torch renders what the kernels render."""

import dataclasses

import numpy as np
import pytest
import torch

from musim.datasets import generate
from musim.datasets.streaming import EndlessLoader, SequenceLoader, rendering
from musim.datasets.streaming.loader import flip_where
from musim.datasets.streaming.rendering import render_batch
from musim.simulator import draw, render
from musim.simulator.noise import NOISES, white
from musim.simulator.rendering import render_arrays


def truths_of(scene):
    return [draw(scene, seed=4, index=index) for index in range(5)]


def batch_of(truths, starts, frames):
    units = max(truth.unit_count for truth in truths)
    territory = torch.zeros(len(truths), units, *truths[0].territory.shape[1:])
    trains = torch.zeros(len(truths), units, frames)
    for place, (truth, start) in enumerate(zip(truths, starts, strict=True)):
        territory[place, : truth.unit_count] = torch.from_numpy(truth.territory)
        window = truth.twitch_train[:, start : start + frames]
        trains[place, : truth.unit_count] = torch.from_numpy(window.copy())
    keys = torch.from_numpy(np.stack([truth.noise_key for truth in truths]).astype(np.int64))
    sd = torch.tensor([truth.noise_sd for truth in truths], dtype=torch.float32)
    return territory, trains, keys, sd, torch.tensor(starts)


@pytest.mark.parametrize("starts", [(0, 0, 0, 0, 0), (0, 1, 2, 3, 4), (11, 10, 9, 6, 5)])
def test_a_batch_is_what_the_kernels_render(scene, starts):
    truths = truths_of(scene)
    found = render_batch(*batch_of(truths, starts, 11))
    assert found.shape == (5, 11, 12, 10)
    for truth, start, voxels in zip(truths, starts, found.numpy(), strict=True):
        wanted = render_arrays(
            truth.territory, truth.twitch_train, truth.noise_key, truth.noise_sd,
            time=slice(start, start + 11),
        )  # fmt: skip
        np.testing.assert_allclose(voxels, wanted, rtol=0, atol=1e-6 * max(1, abs(wanted).max()))


def test_little_memory_gives_the_same_noise(scene, monkeypatch):
    arrays = batch_of(truths_of(scene), (0, 3, 1, 2, 5), 9)
    wanted = render_batch(*arrays)
    monkeypatch.setattr(rendering, "CHUNK_BYTES", 2 * 64 * 9 * 120)
    assert torch.equal(render_batch(*arrays), wanted)
    monkeypatch.setattr(rendering, "CHUNK_BYTES", 1)
    assert torch.equal(render_batch(*arrays), wanted)


def test_noise_is_for_those_that_have_it(scene):
    territory, trains, keys, sd, start = batch_of(truths_of(scene), (0,) * 5, 11)
    sd[[1, 3]] = 0
    found = render_batch(territory, trains, keys, sd, start)
    quiet = render_batch(territory, trains, keys, torch.zeros(5), start)
    assert torch.equal(found[[1, 3]], quiet[[1, 3]])
    for place in (0, 2, 4):
        noise = found[place] - quiet[place]
        assert noise.std() == pytest.approx(float(sd[place]), rel=0.1)


def test_images_are_turned_where_it_is_asked():
    images = torch.arange(4 * 2 * 3 * 5).reshape(4, 2, 3, 5)
    before = images.clone()
    flips = torch.tensor([[False, False], [True, False], [False, True], [True, True]])
    found = flip_where(images, flips)
    for place, axes in enumerate([(), (1,), (2,), (1, 2)]):
        np.testing.assert_array_equal(found[place], np.flip(before[place].numpy(), axes))
    assert torch.equal(images, before)
    assert torch.equal(flip_where(found, flips), before)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"window": 9, "flips": ("depth", "width"), "snr": "5-15"},
        {"window": 5, "flips": ("width",), "standardise": True},
        {"snr": "inf"},
    ],
)
def test_a_device_gets_the_batches_that_kernels_make(build, options):
    store = build(kind="rendered")
    wanted = list(SequenceLoader(store, batch_size=4, seed=2, **options))
    found = list(SequenceLoader(store, batch_size=4, seed=2, device="cpu", **options))
    assert len(found) == len(wanted) == 3
    for one, other in zip(found, wanted, strict=True):
        assert sorted(one) == sorted(other)
        for name, value in one.items():
            np.testing.assert_allclose(
                value.numpy(), other[name].numpy(), rtol=0, atol=1e-5, err_msg=name
            )
            assert value.dtype == other[name].dtype


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gets_the_batches_that_kernels_make(rendered):
    options = {"batch_size": 4, "window": 9, "flips": ("depth", "width"), "snr": "5-15"}
    for one, other in zip(
        SequenceLoader(rendered, device="cuda", **options),
        SequenceLoader(rendered, **options),
        strict=True,
    ):
        assert one["tvi"].is_cuda
        np.testing.assert_allclose(one["tvi"].cpu(), other["tvi"], rtol=0, atol=1e-5)


def test_a_device_makes_white_noise_alone(scene, tmp_path, monkeypatch, refused):
    def flat(key, shape, window):
        frames, depth, width = (each.stop - each.start for each in window)
        return white(key, (shape[0], 1, 1), (window[0], slice(0, 1), slice(0, 1))) * np.ones(
            (frames, depth, width), np.float32
        )

    monkeypatch.setitem(NOISES, "flat", flat)
    parameters = dataclasses.replace(scene, noise="flat")
    store = generate(parameters, tmp_path / "r.zarr", sequences=2, kind="rendered", pool="threads")
    for make in (
        lambda: SequenceLoader(store, batch_size=1, device="cpu"),
        lambda: EndlessLoader(parameters, batch_size=1, device="cpu"),
    ):
        with refused("device: found sequences with noise 'flat'"):
            make()
    batch = next(iter(SequenceLoader(store, batch_size=2)))
    for index, voxels in zip(batch["index"].tolist(), batch["tvi"].numpy(), strict=True):
        wanted = render(draw(parameters, index=index))
        np.testing.assert_array_equal(voxels.reshape(wanted.shape), wanted)
    endless = next(iter(EndlessLoader(parameters, batch_size=1)))["tvi"].numpy()
    wanted = render(draw(parameters))
    np.testing.assert_array_equal(endless.reshape(wanted.shape), wanted)
