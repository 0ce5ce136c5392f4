import dataclasses
import math

import pytest

from musim.datasets import schema
from musim.datasets.schema import COORDINATES, VARIABLES, chunks_of, default_part_size, describe
from musim.simulator.experiment.doses import Doses

DIMS = {dim for variable in VARIABLES for dim in variable.dims}
SIZES = dict.fromkeys(DIMS, 50) | {"time": 400, "depth": 64, "width": 64, "unit": 30}
ALL = (*VARIABLES, *schema.coordinates_of(schema.VIDEO))
BY_NAME = {variable.name: variable for variable in ALL}


def test_names_are_declared_once():
    assert len(BY_NAME) == len(VARIABLES) + len(COORDINATES) + 1


def test_every_variable_runs_over_sequences_first():
    assert {variable.dims[0] for variable in VARIABLES} == {"sequence"}


def test_no_variable_has_a_dimension_of_its_own_name_but_coordinates():
    # xarray would take it for a coordinate, and such a one of several dimensions for a mistake.
    assert [v.name for v in VARIABLES if v.name in v.dims] == []
    assert [v.name for v in ALL[len(VARIABLES) :] if v.dims != (v.name,)] == []


def test_the_documentation_lists_every_variable_once():
    rows = [line for line in describe().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [v.name for v in ALL]
    for row, variable in zip(rows, ALL, strict=True):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        wanted = [", ".join(variable.dims), variable.dtype, variable.units or "-", variable.meaning]
        assert cells[1:] == wanted


def test_counts_and_images_are_filled_with_zero_and_parameters_with_nan():
    zero = (
        "territory", "twitch_train", "unit_count", "noise_key", "remarks", "frame_fault",
        "motion_map", "motion_course", "component_count", "scanner_noise_key",
        "cut_count", "other_motion", "way", "by_hand", "bmode", "aponeurosis_mask",
        "aponeurosis_drawn", "image_group", "frame_count", "participant", "task", "first_row",
        "distal",
        "image", "image_b", "plane", "slice_size", "tissue",
    )  # fmt: skip
    for variable in VARIABLES:
        if variable.name in zero:
            assert variable.fill_value == 0
        else:
            assert math.isnan(variable.fill_value)


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_only_voxels_tell_the_kinds_apart(kind):
    names = {
        v.name for v in schema.variables_of(kind, experiment=True, strengths=True, variation=True)
    }
    found = {  # what identification adds
        "confidence", "velocity_sd", "outline_confidence", "explained_share", "residual_sd",
        "remarks", "frame_fault", "method_confidence", "map_repeatability", "train_repeatability",
        "firing_repeatability", "pulse_to_noise", "local_share", "local_share_of_all",
        "mixture_share", "stronger_likeness", "epoch_jaccard", "epoch_agreement", "cut_count",
        "other_motion", "way", "way_found", "way_wanted", "by_hand",
    }  # fmt: skip
    recorded = {"motion_map", "motion_course", "component_count", "noise_map", "scanner_noise_key"}
    quick = {v.name for v in schema.variables_of(kind, experiment=True, quick=True)}
    assert quick & recorded == (set() if kind == "dense" else recorded)
    images = {variable.name for variable in schema.variables_of(schema.SECTION)}
    assert images == {
        "bmode", "aponeurosis_mask", "muscle_thickness", "pennation", "fascicle_length"
    }  # fmt: skip
    of_files = {
        "aponeurosis_drawn", "pixel_depth", "pixel_shape", "image_group", "region_depth",
        "region_width", "region_angle",
    }  # fmt: skip
    videos = {variable.name for variable in schema.variables_of(schema.VIDEO)}
    assert videos.isdisjoint(images | names)
    assert {"frame_count", "participant", "task", "emg_amplitude", "torque", "angle"} <= videos
    slices = {variable.name for variable in schema.variables_of(schema.SLICES)}
    assert slices.isdisjoint(images | names | videos)
    assert slices == {
        "image", "image_b", "plane", "slice_position", "slice_size", "pixel_depth", "pixel_width",
        "tissue",
    }  # fmt: skip
    coordinates = {"sequence", "time", "depth", "width", "sample"}
    others = coordinates | found | recorded | images | of_files | videos | slices
    assert names ^ set(BY_NAME) - others == (set() if kind == "dense" else {"tvi"})
    analytic = {variable.name for variable in schema.variables_of(kind)}
    drawn = {name for name in names if name.startswith(schema.DOSE)}
    varied = {"amplitude_variation", "duration_variation", "firing_amplitude", "firing_duration"}
    artery = {"artery_depth", "artery_width", "artery_radius"}
    assert analytic == names - drawn - artery - varied - {"strength_ratio"}
    varying = {variable.name for variable in schema.variables_of(kind, variation=True)}
    assert varying - analytic == varied
    assert drawn == {schema.DOSE + name for name in Doses().draw(0, 0)}


@pytest.mark.parametrize(
    ("frames", "pixels", "wanted"),
    [
        (400, 64, 400),
        (1024, 128, 128),
        (512, 128, 128),
        (100, 128, 100),
        (7, 2048, 1),
        (7, 1024, 2),
    ],
)
def test_voxels_are_cut_into_sequences_and_at_8_mib_in_time(frames, pixels, wanted):
    sizes = SIZES | {"time": frames, "depth": pixels, "width": pixels}
    assert chunks_of(BY_NAME["tvi"], sizes, 16) == (1, wanted, pixels, pixels)


def test_half_precision_voxels_fit_twice_as_many_frames():
    half = dataclasses.replace(BY_NAME["tvi"], dtype="float16")
    sizes = SIZES | {"time": 1024, "depth": 128, "width": 128}
    assert chunks_of(half, sizes, 16)[1] == 256


@pytest.mark.parametrize("variable", [v for v in VARIABLES if v.name != "tvi"])
def test_every_other_variable_has_one_chunk_a_part(variable):
    sizes = dict(SIZES)
    if variable.name == "bmode":  # of images
        del sizes["sample"]
    wanted = (16, *(SIZES[dim] for dim in variable.dims[1:]))
    assert chunks_of(variable, sizes, 16) == wanted


def test_videos_are_cut_as_voxels_are():
    sizes = SIZES | {"time": 4750, "depth": 120, "width": 496}
    assert chunks_of(BY_NAME["bmode"], sizes, 16) == (1, 2**23 // (120 * 496), 120, 496)


@pytest.mark.parametrize("variable", COORDINATES)
def test_a_coordinate_is_one_chunk(variable):
    assert chunks_of(variable, SIZES, 16) == (SIZES[variable.name],)


@pytest.mark.parametrize(
    ("kind", "units", "pixels", "wanted"),
    [
        ("dense", 30, 64, 16),
        ("rendered", 30, 64, 128),
        ("rendered", 30, 256, 34),
        ("dense", 100, 512, 2),
        ("dense", 1000, 4096, 1),
    ],
)
def test_parts_are_smaller_where_territories_are_large(kind, units, pixels, wanted):
    sizes = SIZES | {"unit": units, "depth": pixels, "width": pixels}
    del sizes["component"]
    assert default_part_size(kind, sizes) == wanted


@pytest.mark.parametrize(
    ("components", "pixels", "wanted"), [(33, 64, 15), (3, 8, 128), (33, 128, 3), (33, 512, 1)]
)
def test_parts_are_smaller_where_maps_are_large(components, pixels, wanted):
    sizes = SIZES | {"component": components, "depth": pixels, "width": pixels, "unit": 10}
    assert default_part_size("rendered", sizes) == wanted
