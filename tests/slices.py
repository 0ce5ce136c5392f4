"""Slices and stores of them for the tests, made without any file."""

import numpy as np

from musim.datasets.origin import ImportedVolume, ImportedVolumes
from musim.datasets.production import Work, produce
from musim.datasets.volumes.slices import PLANES, Slice, canvas_for, packed, slices_layout
from tests.makers import GivenMaker

SIZES = {"axial": (40, 31), "coronal": (20, 31), "sagittal": (20, 40)}
PIXELS = {"axial": (1.0, 1.5), "coronal": (2.0, 1.5), "sagittal": (2.0, 1.0)}


def drawn_slices():
    """Return seven slices of noise, of all planes, each plane of another size."""
    random = np.random.default_rng(3)
    made = []
    for index, plane in enumerate([*PLANES, *PLANES, "axial"]):
        a, b = random.normal(300, 900, (2, *SIZES[plane])).astype(np.float32)
        tissue = random.integers(0, 12, SIZES[plane]).astype(np.uint8)
        made.append(Slice(index, plane, 2.0 * index - 3, a, b, PIXELS[plane], tissue))
    return tuple(made)


def store_of_slices(slices, out, *, tissue=False, part_size=None):
    """Write slices into a store as though they had been imported."""
    volume = ImportedVolume(
        name="t1.nii", format="NIfTI", files=(("t1.nii", "0" * 64),), shape=(31, 40, 20),
        voxel_size=(1.5, 1.0, 2.0),
    )  # fmt: skip
    origin = ImportedVolumes(
        first=volume, second=volume, planes=PLANES, half="", resampled=False,
        left_out={"axial": 2},
    )  # fmt: skip
    layout = slices_layout(
        origin, sequences=len(slices), canvas=canvas_for(one.image.shape for one in slices),
        pixel_sizes=[one.pixel_size for one in slices], part_size=part_size, tissue=tissue,
    )  # fmt: skip

    def given(part):
        return packed([slices[index] for index in layout.sequences_of(part)], layout), ()

    return produce(GivenMaker(layout=layout, given=given), out, Work(workers=1))
