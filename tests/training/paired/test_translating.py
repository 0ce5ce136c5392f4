"""Stores of slices are translated whole."""

import numpy as np

from musim.datasets import open_store, verify
from musim.datasets.origin import TranslatedSlices
from musim.datasets.volumes.slices import Slice, slices_of
from musim.training.paired.applying import load
from musim.training.paired.translating import plan, translate_slices
from tests.pairs import drawn
from tests.slices import store_of_slices


def test_a_store_is_translated_slice_by_slice(trained, pairs_store, tmp_path):
    made = translate_slices(pairs_store, trained, tmp_path / "made.zarr", workers=1)
    translate = load(trained, "cpu")
    assert len(made) == len(pairs_store)
    for before, after in zip(slices_of(pairs_store), slices_of(made), strict=True):
        assert (after.plane, after.position) == (before.plane, before.position)
        assert np.array_equal(after.image, before.image)
        np.testing.assert_allclose(after.image_b, translate(before.image), rtol=1e-4, atol=1e-2)
    origin = open_store(made.location.address).origin
    assert isinstance(origin, TranslatedSlices)
    assert origin.run == str(trained)
    assert (
        TranslatedSlices.from_attributes(
            {**origin.to_attributes(), "musim_software": "{}"}
        ).settings
        == origin.settings
    )
    verify(made.location.address)


def test_other_intensities_are_refused(trained, tmp_path, refused):
    def scaled(factor):
        some = [Slice(one.index, one.plane, one.position, one.image * factor, one.image_b,
                      (1.0, 1.0)) for one in drawn(6)]  # fmt: skip
        return store_of_slices(some, tmp_path / f"{factor}.zarr")

    for factor, greatest in ((0.01, "6"), (5, "3000")):
        store = scaled(factor)
        with refused(f"found intensities of 0 to {greatest}, wanted about 0 to 600"):
            translate_slices(store, trained, tmp_path / "made.zarr")
    assert plan(scaled(3), trained).sequences == 6
