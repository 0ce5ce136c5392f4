"""A sample: its window, flips, noise level and crops, drawn by sequence and epoch alone."""

import dataclasses

import numpy as np
import pytest
import torch

from musim.datasets.samples import Sampling, choose, crop
from musim.datasets.streaming import SequenceLoader
from musim.simulator import Range
from musim.simulator.rendering import render


def epoch_of(store, epoch=0, batch_size=4, **options):
    """Return the samples of an epoch, by sequence: name to values, without padding."""
    loader = SequenceLoader(store, batch_size=batch_size, **options)
    loader.set_epoch(epoch)
    samples = {}
    for batch in loader:
        for place, index in enumerate(batch["index"].tolist()):
            sample = {name: value[place].numpy() for name, value in batch.items()}
            if "unit_mask" in sample:
                there = sample["unit_mask"]
                for name, value in sample.items():
                    if name not in {"tvi", "noise_key"} and value.shape[:1] == there.shape:
                        sample[name] = value[there]
            samples[index] = sample
    return samples


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_whole_sequences_are_as_stored(request, kind):
    store = request.getfixturevalue(kind)
    samples = epoch_of(store)
    assert sorted(samples) == list(range(len(store)))
    for index, sample in samples.items():
        truth = store.truth(index)
        np.testing.assert_array_equal(sample["tvi"], store.tvi(index))
        assert sample["start"] == 0
        for name in ("territory", "twitch_train", "noise_key"):
            np.testing.assert_array_equal(sample[name], getattr(truth, name))
        for name in ("snr", "noise_sd", "centre_depth", "diameter", "firing_rate", "overlap"):
            np.testing.assert_array_equal(sample[name], np.float32(getattr(truth, name)))
        firing = sample["firing"]
        for row, wanted in zip(firing, truth.firing, strict=True):
            np.testing.assert_array_equal(row[~np.isnan(row)], wanted[~np.isnan(wanted)])


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_a_window_is_that_slice_of_the_whole(request, kind):
    store = request.getfixturevalue(kind)
    starts = set()
    for epoch in range(3):
        for index, sample in epoch_of(store, epoch, window=7).items():
            start = int(sample["start"])
            starts.add(start)
            window, truth = slice(start, start + 7), store.truth(index)
            np.testing.assert_array_equal(sample["tvi"], store.tvi(index)[window])
            np.testing.assert_array_equal(sample["twitch_train"], truth.twitch_train[:, window])
            for row, wanted in zip(sample["firing"], truth.firing, strict=True):
                np.testing.assert_allclose(
                    row[~np.isnan(row)] + start / store.layout.frame_rate,
                    wanted[~np.isnan(wanted)],
                    atol=1e-12,
                )
    assert len(starts) > 8


def test_windows_begin_at_every_frame_equally_often():
    starts = [choose(Sampling(window=7), 12, i, e).start for i in range(60) for e in range(20)]
    counts = np.bincount(starts)
    assert counts.size == 6
    # 1200 draws among 6: 200 each, SD 12.9.
    assert np.abs(counts - 200).max() < 4 * 12.9


def test_choices_follow_from_seed_epoch_and_index_alone():
    sampling = Sampling(window=5, flips=("depth", "width"), snr=Range(5, 30), seed=3)

    def drawn(sampling, index, epoch):
        choice = choose(sampling, 400, index, epoch)
        return choice.start, choice.flips, choice.snr, tuple(choice.key.tolist())

    assert drawn(sampling, 4, 2) == drawn(sampling, 4, 2)
    others = [(sampling, 5, 2), (sampling, 4, 3), (dataclasses.replace(sampling, seed=4), 4, 2)]
    for other in others:
        assert drawn(*other)[2:] != drawn(sampling, 4, 2)[2:]


def test_half_of_the_samples_are_turned_round_each_axis_independently():
    sampling = Sampling(flips=("depth", "width"))
    flips = [choose(sampling, 9, index, 0).flips for index in range(800)]
    for wanted in ((), ("depth",), ("width",), ("depth", "width")):
        assert abs(flips.count(wanted) - 200) < 4 * 12.3
    assert {choose(Sampling(flips=("width",)), 9, i, 0).flips for i in range(50)} == {
        (), ("width",),
    }  # fmt: skip


def test_flips_move_masks_centres_and_voxels_alike(noiseless):
    flips, seen = ("depth", "width"), set()
    for index, sample in epoch_of(noiseless, flips=flips).items():
        truth = noiseless.truth(index)
        # The sum of masks times trains is the voxels.
        wanted = np.einsum("kzx,kt->tzx", sample["territory"], sample["twitch_train"])
        np.testing.assert_allclose(sample["tvi"], wanted, atol=1e-5)
        turned = choose(Sampling(flips=flips), 22, index, 0).flips
        axes = [flips.index(axis) for axis in turned]
        seen.add(turned)
        mask = np.flip(truth.territory, axis=[axis + 1 for axis in axes])
        np.testing.assert_array_equal(sample["territory"], mask)
        for axis, size in (("depth", 6.0), ("width", 10.0)):
            centre = np.float32(getattr(truth, f"centre_{axis}"))
            np.testing.assert_allclose(
                sample[f"centre_{axis}"], size - centre if axis in turned else centre, rtol=1e-6
            )
    assert len(seen) > 2


def test_noise_is_turned_with_the_image_it_was_stored_in(dense):
    turned = [i for i in range(11) if choose(Sampling(flips=("depth",)), 22, i, 0).flips]
    samples = epoch_of(dense, flips=("depth",))
    assert 0 < len(turned) < 11
    for index, sample in samples.items():
        voxels = dense.tvi(index)
        np.testing.assert_array_equal(sample["tvi"], voxels[:, ::-1] if index in turned else voxels)


@pytest.mark.parametrize("kind", ["noiseless", "rendered"])
def test_the_noise_level_is_drawn_anew_each_epoch(request, kind):
    store = request.getfixturevalue(kind)
    first, second, again = (epoch_of(store, epoch, snr="5-15") for epoch in (0, 1, 0))
    levels = set()
    for index, sample in first.items():
        signal = render(store.truth(index), noise=False).astype(float)
        noises = [samples[index]["tvi"] - signal for samples in (first, second)]
        for noise, samples in zip(noises, (first, second), strict=True):
            measured = 10 * np.log10(np.mean(signal**2) / np.mean(noise**2))
            assert 5 <= samples[index]["snr"] <= 15
            # 2640 normals: the SD of their power in dB is 0.12.
            assert measured == pytest.approx(samples[index]["snr"], abs=0.5)
            levels.add(float(samples[index]["snr"]))
            assert samples[index]["noise_sd"] == pytest.approx(noise.std(), rel=0.06)
        assert abs(np.corrcoef(noises[0].ravel(), noises[1].ravel())[0, 1]) < 0.1
        for name, value in sample.items():
            np.testing.assert_array_equal(value, again[index][name])
    assert len(levels) == 2 * len(store)
    assert max(levels) - min(levels) > 5


def test_noise_of_a_window_has_the_level_over_the_whole_sequence(rendered):
    for index, sample in epoch_of(rendered, window=5, snr="10").items():
        truth = rendered.truth(index)
        power = np.mean(render(truth, noise=False).astype(float) ** 2)
        assert sample["noise_sd"] == pytest.approx(np.sqrt(power / 10), rel=1e-4)


def test_infinite_level_means_no_noise(rendered):
    for index, sample in epoch_of(rendered, snr="inf").items():
        wanted = render(rendered.truth(index), noise=False)
        np.testing.assert_allclose(sample["tvi"], wanted, atol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_stored_noise_is_kept_unless_another_level_is_asked(request, kind):
    store = request.getfixturevalue(kind)
    one, other = epoch_of(store, 0), epoch_of(store, 1)
    for index, sample in one.items():
        np.testing.assert_array_equal(sample["tvi"], other[index]["tvi"])
        assert sample["snr"] == np.float32(store.truth(index).snr)


@pytest.mark.parametrize("level", ["12", 12, 12.0, Range(12, 12)])
def test_a_level_may_be_a_text_a_number_or_a_range(rendered, level):
    assert {float(s["snr"]) for s in epoch_of(rendered, snr=level).values()} == {12}


def padded_crop(images, row, column, size):
    """The same by padding first."""
    margin = max(size) + abs(row) + abs(column) + max(images.shape)
    wide = np.pad(images, [(0, 0)] * (images.ndim - 2) + [(margin, margin)] * 2)
    z, x = row + margin - size[0] // 2, column + margin - size[1] // 2
    return wide[..., z : z + size[0], x : x + size[1]]


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (5, 3), (20, 30)])
@pytest.mark.parametrize("place", [(0, 0), (3, 4), (7, 5), (-9, 2), (2, 40), (-30, -30)])
def test_crops_are_zero_beyond_the_image(size, place):
    images = np.random.default_rng(0).normal(size=(3, 8, 6)).astype(np.float32)
    found = crop(images, *place, size)
    assert found.shape == (3, *size)
    np.testing.assert_array_equal(found, padded_crop(images, *place, size))


@pytest.mark.parametrize("size", [(5, 5), (4, 8), (15, 15)])
def test_units_come_in_crops_about_their_centres(dense, size):
    loader = SequenceLoader(dense, batch_size=4, crop=size)
    seen = []
    for batch in loader:
        items = len(batch["index"])
        assert {len(value) for value in batch.values()} == {items}
        assert batch["tvi"].shape == (items, 22, *size)
        for item in range(items):
            index, unit = int(batch["index"][item]), int(batch["unit"][item])
            truth = dense.truth(index)
            seen.append((index, unit))
            row = int(truth.centre_depth[unit] // 0.5)
            column = int(truth.centre_width[unit] // 1.0)
            wanted = padded_crop(dense.tvi(index), row, column, size)
            np.testing.assert_array_equal(batch["tvi"][item].numpy(), wanted)
            mask = padded_crop(truth.territory[unit], row, column, size)
            np.testing.assert_array_equal(batch["territory"][item].numpy(), mask)
            if 0 <= row < 12 and 0 <= column < 10:
                middle = batch["territory"][item, size[0] // 2, size[1] // 2]
                assert middle == truth.territory[unit, row, column]
            train = batch["twitch_train"][item].numpy()
            np.testing.assert_array_equal(train, truth.twitch_train[unit])
            firing = batch["firing"][item].numpy()
            known = truth.firing[unit][~np.isnan(truth.firing[unit])]
            np.testing.assert_array_equal(firing[~np.isnan(firing)], known)
            assert batch["diameter"][item] == np.float32(truth.diameter[unit])
    wanted = [(i, k) for i in range(11) for k in range(dense.truth(i).unit_count)]
    assert sorted(seen) == wanted


def test_crops_follow_flips_and_windows(noiseless):
    options = {"flips": ("depth", "width"), "window": 6, "snr": "10", "seed": 4}
    whole = epoch_of(noiseless, **options)
    for batch in SequenceLoader(noiseless, batch_size=4, crop=(5, 5), **options):
        for item, (index, unit) in enumerate(
            zip(batch["index"].tolist(), batch["unit"].tolist(), strict=True)
        ):
            sample = whole[index]
            row = int(sample["centre_depth"][unit] // 0.5)
            column = int(sample["centre_width"][unit] // 1.0)
            wanted = padded_crop(sample["tvi"], row, column, (5, 5))
            np.testing.assert_array_equal(batch["tvi"][item].numpy(), wanted)
            assert torch.equal(batch["start"][item], torch.tensor(sample["start"]))


@pytest.mark.parametrize(
    ("kind", "sampling", "words"),
    [
        ("dense", Sampling(window=23), ["window", "23", "22"]),
        ("dense", Sampling(window=0), ["window", "0"]),
        ("dense", Sampling(flips=("time",)), ["flips", "time", "depth, width"]),
        ("dense", Sampling(snr=Range(5, 9)), ["snr", "`snr=inf`"]),
        ("dense", Sampling(crop=(0, 3)), ["crop", "(0, 3)"]),
        ("dense", Sampling(crop=(3,)), ["crop", "(3,)"]),
    ],
)
def test_samples_that_a_store_cannot_give_are_refused(request, refused, kind, sampling, words):
    with refused(*words):
        sampling.check(request.getfixturevalue(kind))
