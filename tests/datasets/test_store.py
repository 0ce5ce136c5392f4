import dataclasses
import json
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import fsspec
import numpy as np
import pytest
import xarray as xr
import zarr

from musim.datasets import generate, open_store, schema, verify
from musim.datasets.store_files import PLAN, ROOT
from musim.simulator import FailureError, Parameters, Range, Truth, draw, render
from musim.simulator.noise import NOISES, white

WINDOWS = [
    {},
    {"time": slice(0, 1)},
    {"time": slice(29, 30)},
    {"time": slice(3, 18)},
    {"time": slice(None, -7)},
    {"time": slice(-5, None)},
    {"depth": slice(2, 5)},
    {"width": slice(-3, -1)},
    {"time": slice(5, 6), "depth": slice(8, 9), "width": slice(6, 7)},
    {"time": slice(7, 25), "depth": slice(1, None), "width": slice(None, 4)},
    {"time": slice(10, 1000)},
]


def flip(path, position=-1, bit=1):
    content = bytearray(path.read_bytes())
    content[position] ^= bit
    path.write_bytes(content)


def chunks_in(folder):
    chunks = [path for path in folder.rglob("*") if path.is_file() and path.name != "zarr.json"]
    assert chunks
    return chunks


# A reader without musim


def test_xarray_opens_a_dense_store_lazily_with_all_it_needs(dense, tiny):
    dataset = xr.open_zarr(dense.location.path)
    sizes = {"sequence": 5, "time": 30, "depth": 9, "width": 7, "unit": 4, "word": 4}
    assert {name: dataset.sizes[name] for name in sizes} == sizes
    declared = {variable.name: variable for variable in schema.variables_of("dense")}
    assert set(dataset.data_vars) == set(declared)
    assert set(dataset.coords) == {"sequence", "time", "depth", "width"}
    for name, variable in declared.items():
        found = dataset[name]
        assert found.dims == variable.dims
        assert found.dtype == ("uint8" if name == "territory" else variable.dtype)
        assert found.attrs == {"long_name": variable.meaning, "units": variable.units or "1"}
        assert found.chunks is not None
    np.testing.assert_array_equal(dataset["sequence"], range(5))
    np.testing.assert_allclose(dataset["time"], np.arange(30) / 400, rtol=1e-14)
    np.testing.assert_allclose(dataset["depth"], np.arange(9) + 0.5)
    np.testing.assert_allclose(dataset["width"], np.arange(7) + 0.5)
    units = {name: dataset[name].attrs["units"] for name in ("time", "depth", "width")}
    assert units == {"time": "s", "depth": "mm", "width": "mm"}
    assert dataset["tvi"].data.chunksize == (1, 30, 9, 7)


def test_xarray_and_zarr_read_what_the_simulator_makes(dense, tiny):
    dataset, group = xr.open_zarr(dense.location.path), zarr.open_group(dense.location.path)
    for index in range(5):
        truth = draw(tiny, seed=7, index=index)
        units = truth.unit_count
        np.testing.assert_array_equal(dataset["tvi"][index], render(truth))
        np.testing.assert_array_equal(group["tvi"][index], render(truth))
        np.testing.assert_array_equal(group["territory"][index, :units], truth.territory)
        np.testing.assert_array_equal(dataset["snr"][index], truth.snr)
        assert dataset["unit_count"][index] == units


def test_units_beyond_the_count_are_padding(dense):
    group = zarr.open_group(dense.location.path, mode="r")
    counts = group["unit_count"][:]
    assert counts.min() < 4
    for index, count in enumerate(counts):
        for variable in schema.variables_of("dense"):
            if "unit" not in variable.dims:
                continue
            rest = group[variable.name][index, count:]
            if variable.name in ("territory", "twitch_train"):
                assert not rest.any()
            else:
                assert np.isnan(rest).all()
            assert not np.isnan(group[variable.name][index, :count]).all()


@pytest.mark.parametrize(
    "name", [v.name for v in (*schema.variables_of("dense"), *schema.COORDINATES)]
)
def test_a_flipped_bit_in_any_variable_is_an_error_for_any_reader(copy, dense, name):
    folder = copy(dense)
    flip(min(chunks_in(folder / name)), 0)
    with pytest.raises(ValueError, match="checksum"):
        zarr.open_group(folder, mode="r")[name][:]
    with pytest.raises(ValueError, match="checksum"):
        xr.open_zarr(folder)[name].load()


def test_the_attributes_alone_make_the_store_again(store, make, tmp_path, assert_same_files):
    document = json.loads((store.location.path / ROOT).read_text())
    attributes = document["attributes"]
    shape = document["consolidated_metadata"]["metadata"]["unit_count"]["shape"]
    make(
        tmp_path / "again.zarr",
        Parameters.from_json(json.loads(attributes["musim_parameters"])),
        sequences=shape[0],
        seed=attributes["musim_seed"],
        part_size=attributes["musim_part_size"],
        kind=attributes["musim_kind"],
    )
    assert_same_files(tmp_path / "again.zarr", store.location.path)


# Opening


def test_a_store_tells_what_it_is(store, tiny):
    opened = open_store(store.location.path)
    assert len(opened) == 5
    assert opened.parameters == tiny
    assert opened.seed == 7
    assert opened.has_truth
    assert opened.kind == store.kind


def test_nothing_and_something_else_are_refused(tmp_path, refused):
    with refused("found nothing", "wanted a musim store"):
        open_store(tmp_path / "nothing.zarr")
    with refused("found something else", "wanted a musim store"):
        open_store(tmp_path)
    (tmp_path / "file").write_text("text")
    with refused("found something else"):
        open_store(tmp_path / "file")


def test_a_zarr_group_of_others_is_refused(tmp_path, refused):
    zarr.create_group(tmp_path / "other.zarr", attributes={"title": "other"})
    with refused("not musim's"):
        open_store(tmp_path / "other.zarr")


def test_an_unfinished_store_says_how_far_it_is(copy, dense, refused):
    folder = copy(dense)
    (folder / ROOT).unlink()
    (folder / ".musim/parts/000000.json").unlink()
    with refused(str(folder), "unfinished", "1 of 2 parts", "`resume=True`"):
        open_store(folder)


@pytest.mark.parametrize("files", [[ROOT], [PLAN], [ROOT, PLAN]])
def test_an_unknown_version_is_refused(copy, dense, refused, files):
    folder = copy(dense)
    for name in files:
        path = folder / name
        text = path.read_text()
        for key in ("musim_format_version", "format_version"):
            text = text.replace(f'"{key}": 1', f'"{key}": 2')
        assert text != path.read_text()
        path.write_text(text)
    with refused("format version 2", "wanted 1"):
        open_store(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"attributes": 5}', b'{"attributes": null}', b"\xff\xfe"],
)
def test_a_damaged_root_is_a_failure_of_one_line(copy, dense, fails, content):
    folder = copy(dense)
    (folder / ROOT).write_bytes(content)
    with fails(FailureError, str(folder), "damaged"):
        open_store(folder)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_root_is_a_failure_of_one_line(copy, dense, fails, share):
    folder = copy(dense)
    content = (folder / ROOT).read_bytes()
    (folder / ROOT).write_bytes(content[: int(share * len(content))])
    with fails(FailureError, str(folder), "damaged"):
        open_store(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"node_type": "group"', '"node_type": "gruop"'),
        ('"data_type": "float64"', '"data_type": "float65"'),
        ('"name": "crc32c"', '"name": "crc32d"'),
        ('"zarr_format": 3', '"zarr_format": 4'),
    ],
)
def test_a_root_that_zarr_cannot_read_is_a_failure_of_one_line(copy, dense, fails, old, new):
    folder = copy(dense)
    text = (folder / ROOT).read_text()
    assert old in text
    (folder / ROOT).write_text(text.replace(old, new, 1))
    with fails(FailureError, str(folder), "damaged"):
        open_store(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "sparse"},
        {"part_size": 0},
        {"part_size": None},
        {"sizes": {"sequence": 5}},
        {"variables": ["uvi"]},
        {"variables": None},
        {"sizes": 1},
    ],
)
def test_a_plan_that_makes_no_sense_is_a_failure_of_one_line(copy, dense, fails, change):
    folder = copy(dense)
    values = json.loads((folder / PLAN).read_text()) | change
    (folder / PLAN).write_text(json.dumps(values))
    with fails(FailureError, str(folder), "damaged"):
        open_store(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"1", b"\xff"])
def test_a_damaged_plan_is_a_failure_of_one_line(copy, dense, fails, content):
    folder = copy(dense)
    (folder / PLAN).write_bytes(content)
    with fails(FailureError, str(folder), "damaged"):
        open_store(folder)


def test_a_copy_without_hidden_files_is_a_failure(copy, dense, fails):
    folder = copy(dense)
    (folder / PLAN).unlink()
    with fails(FailureError, PLAN, "hidden files"):
        open_store(folder)


# Voxels


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_window_is_that_window_of_the_whole(store, tiny, window):
    whole = render(draw(tiny, seed=7, index=3))
    axes = tuple(window.get(name, slice(None)) for name in ("time", "depth", "width"))
    found = store.tvi(3, **window)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, whole[axes])


@pytest.mark.parametrize(
    "window",
    [
        {"time": slice(0, 20, 2)},
        {"time": slice(5, 5)},
        {"depth": slice(None, None, -1)},
        {"width": slice(9, 12)},
    ],
    ids=str,
)
def test_windows_with_steps_or_nothing_in_them_are_refused_by_both_kinds(store, refused, window):
    with refused(next(iter(window)), "wanted a window without steps"):
        store.tvi(0, **window)


@pytest.mark.parametrize("index", [-1, 5, 100])
def test_a_sequence_that_is_not_there_is_refused(store, refused, index):
    for call in (store.tvi, store.truth, lambda i: store.read("snr", i)):
        with refused(f"found sequence {index}", "wanted 0 to 4"):
            call(index)


def test_a_variable_that_is_not_there_is_refused(store, refused):
    with refused("'speed'", "wanted one of", "territory"):
        store.read("speed", 0)


@pytest.mark.parametrize("kind", ["dense", "rendered"])
@pytest.mark.parametrize("frames_a_chunk", [1, 3, 8])
def test_many_chunks_in_time_make_no_difference(
    make, tmp_path, monkeypatch, tiny, kind, frames_a_chunk
):
    monkeypatch.setattr(schema, "CHUNK_BYTES", 9 * 7 * 4 * frames_a_chunk)
    store = make(tmp_path / "set.zarr", kind=kind, sequences=2)
    wanted = np.stack([render(draw(tiny, seed=7, index=index)) for index in range(2)])
    lazy = store.dataset["tvi"]
    assert lazy.data.chunksize == (1, frames_a_chunk, 9, 7)
    np.testing.assert_array_equal(lazy.compute(scheduler="threads"), wanted)
    np.testing.assert_array_equal(store.tvi(1, time=slice(2, 11)), wanted[1, 2:11])


# The Dataset


def test_both_kinds_are_the_same_dataset(dense, rendered):
    xr.testing.assert_identical(
        dense.dataset.drop_attrs(deep=False).compute(),
        rendered.dataset.drop_attrs(deep=False).compute(),
    )
    assert dense.dataset["tvi"].attrs == rendered.dataset["tvi"].attrs
    assert dense.dataset["tvi"].chunks == rendered.dataset["tvi"].chunks


def test_a_part_of_the_dataset_is_that_part(store):
    whole = store.dataset["tvi"].compute().values
    some = store.dataset["tvi"].isel(sequence=[4, 1], time=slice(3, 9), width=2)
    np.testing.assert_array_equal(some.compute(), whole[[4, 1], 3:9, :, 2])
    at = store.dataset["tvi"].sel(sequence=2, time=0.01, depth=3.6, method="nearest")
    np.testing.assert_array_equal(at, whole[2, 4, 3])


def test_opening_reads_no_chunk(store, copy):
    folder = copy(store)
    for variable in schema.variables_of(store.kind):
        for path in chunks_in(folder / variable.name):
            path.unlink()
    opened = open_store(folder)
    assert opened.dataset["tvi"].shape == (5, 30, 9, 7)


@pytest.mark.timeout(120)
def test_a_dataset_is_computed_by_other_processes(rendered):
    found = rendered.dataset["tvi"].compute(scheduler="processes", num_workers=1)
    np.testing.assert_array_equal(found[4], rendered.tvi(4))


def test_a_store_can_be_sent_to_other_processes(store):
    again = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(again.tvi(4), store.tvi(4))
    assert again.truth(4).snr == store.truth(4).snr


def test_a_dataset_reads_the_store_that_it_was_opened_from(make, tmp_path, fails):
    # In one process, at one place, one store after another.
    out = tmp_path / "set.zarr"
    first = make(out, kind="rendered", seed=1)
    lazy = first.dataset["tvi"]
    before = lazy.compute()
    second = make(out, kind="rendered", seed=2, overwrite=True)
    after = second.dataset["tvi"].compute()
    np.testing.assert_array_equal(after[0], second.tvi(0))
    assert not np.array_equal(before, after)


def test_a_dataset_outlives_a_change_of_folder(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = make("set.zarr", kind="rendered")
    lazy = store.dataset["tvi"]
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    np.testing.assert_array_equal(lazy[4].compute(), store.tvi(4))


# Sequences one by one


@pytest.mark.parametrize("index", [0, 4, -1, -5, np.int64(2)])
def test_a_sequence_is_that_of_the_dataset_without_padding(store, index):
    found = store[index]
    number = int(index) % 5
    truth = store.truth(number)
    count = int(store.read("unit_count", number))
    assert found.sizes["unit"] == count <= store.dataset.sizes["unit"]
    assert found.sizes["pulse"] == truth.firing.shape[1]
    assert np.array_equal(found.tvi, store.tvi(number))
    assert np.array_equal(found.territory, truth.territory)
    assert np.array_equal(found.firing, truth.firing, equal_nan=True)
    assert int(found.sequence) == number
    assert found.tvi.chunks is not None  # nothing is read before it is asked for


def test_sequences_follow_one_another(store):
    found = [(int(one.sequence), one.sizes["unit"]) for one in store]
    assert found == [(i, int(store.read("unit_count", i))) for i in range(5)]
    assert [int(i) for i in store[-2:].sequence] == [3, 4]
    assert store[1:4:2].identical(store.dataset.isel(sequence=[1, 3]))


@pytest.mark.parametrize("index", [5, -6, 100])
def test_there_is_no_sequence_beyond_the_ends(store, index):
    with pytest.raises(IndexError, match=f"found sequence {index}, wanted one of 5"):
        store[index]


@pytest.mark.parametrize("index", ["tvi", 1.0, None, (0, 1)])
def test_what_is_no_number_is_no_index(store, index):
    with pytest.raises(TypeError, match=r"wanted the number of a sequence .* store.dataset"):
        store[index]


def test_an_open_store_is_opened_as_it_is(store):
    assert open_store(store) is store


def test_a_store_says_what_it_is(store):
    assert repr(store) == f"<musim.Store {store.location}: 5 sequences of {store.layout.grid}>"


# The truth


@pytest.mark.parametrize("mask", ["hard", "soft"])
@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_the_truth_is_what_was_drawn(make, tmp_path, tiny, kind, mask):
    parameters = dataclasses.replace(tiny, mask=mask, territory="ellipse")
    store = open_store(make(tmp_path / "set.zarr", parameters, kind=kind).location)
    for index in range(5):
        found, drawn = store.truth(index), draw(parameters, seed=7, index=index)
        for field in dataclasses.fields(Truth):
            one, other = getattr(found, field.name), getattr(drawn, field.name)
            if other is None:
                assert one is None
                continue
            if isinstance(other, float | str):
                assert type(one) is type(other)
                assert one == other or np.isnan([one, other]).all()
                continue
            assert one.dtype == other.dtype, field.name
            if field.name == "firing":  # its padding may be shorter
                assert np.isnan(other[:, one.shape[1] :]).all()
                other = other[:, : one.shape[1]]
            np.testing.assert_array_equal(one, other, err_msg=field.name)
        assert found.unit_count == drawn.unit_count
        np.testing.assert_array_equal(render(found), render(drawn))


def test_noise_free_sequences_come_back_so(make, tmp_path, tiny):
    parameters = dataclasses.replace(tiny, snr=Range(np.inf, np.inf))
    store = make(tmp_path / "set.zarr", parameters, kind="rendered", sequences=1)
    assert store.parameters == parameters
    assert store.truth(0).snr == np.inf
    assert store.truth(0).noise_sd == 0
    np.testing.assert_array_equal(store.tvi(0), render(store.truth(0), noise=False))


def test_what_is_read_cannot_be_changed_for_the_next_reader(rendered):
    with pytest.raises(ValueError, match="read-only"):
        rendered.read("twitch_train", 0)[:] = 0


# Damage


@pytest.fixture(params=["missing", "flipped", "short", "empty"])
def damage(request):
    """Damage a file."""

    def call(path):
        if request.param == "missing":
            path.unlink()
        elif request.param == "flipped":
            flip(path, path.stat().st_size // 2)
        else:
            path.write_bytes(path.read_bytes()[:-3] if request.param == "short" else b"")

    return call


def test_damaged_voxels_are_a_failure_that_names_the_part(copy, dense, fails, damage):
    folder = copy(dense)
    damage(folder / "tvi/c.4.0.0.0")
    opened = open_store(folder)
    with fails(FailureError, str(folder), "part 1", "tvi"):
        opened.tvi(4)
    with fails(FailureError, str(folder), "part 1", "tvi"):
        opened.dataset["tvi"].compute(scheduler="threads")
    np.testing.assert_array_equal(opened.tvi(3), dense.tvi(3))
    np.testing.assert_array_equal(opened.truth(4).firing, dense.truth(4).firing)


def test_a_damaged_truth_is_a_failure_that_names_the_part(copy, rendered, fails, damage):
    folder = copy(rendered)
    damage(folder / "twitch_train/c.1.0.0")
    opened = open_store(folder)
    for call in (opened.tvi, opened.truth):
        with fails(FailureError, str(folder), "part 1", "twitch_train"):
            call(4)
    for name in ("tvi", "twitch_train"):
        with fails(FailureError, str(folder), "part 1", "twitch_train"):
            opened.dataset[name].compute(scheduler="threads")
    np.testing.assert_array_equal(opened.tvi(0), rendered.tvi(0))


# Other places


def test_a_store_in_memory_is_like_any_other(make, memory, dense, rendered, refused):
    for kind, wanted in (("dense", dense), ("rendered", rendered)):
        url = memory(kind)
        with refused(url, "found nothing"):
            open_store(url)
        make(url, kind=kind, workers=2, part_size=2)
        opened = open_store(url)
        np.testing.assert_array_equal(opened.dataset["tvi"].compute(), wanted.dataset["tvi"])
        np.testing.assert_array_equal(opened.truth(4).firing, wanted.truth(4).firing)
        with refused(url, "found a store there"):
            make(url, kind=kind, part_size=2)
        make(url, kind=kind, part_size=2, resume=True)
        make(url, kind=kind, part_size=2, seed=9, overwrite=True)
        assert not np.array_equal(open_store(url).tvi(0), wanted.tvi(0))


def test_a_store_in_memory_is_overwritten_whole(make, memory):
    make(memory("set"), sequences=5)
    make(memory("set"), sequences=1, part_size=1, overwrite=True)
    files = fsspec.filesystem("memory").find("set.zarr/tvi")
    assert len([file for file in files if not file.endswith("zarr.json")]) == 1


def test_readers_of_one_store_may_be_many_threads(rendered):
    wanted = [rendered.tvi(index) for index in range(5)]
    opened = open_store(rendered.location.path)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(opened.tvi, [index % 5 for index in range(40)]))
    for index, voxels in enumerate(found):
        np.testing.assert_array_equal(voxels, wanted[index % 5])


def test_xarray_is_all_that_plain_reading_needs(dense, tmp_path):
    # In a process where musim cannot be imported.
    code = (
        "import sys, xarray; sys.modules['musim'] = None\n"
        f"dataset = xarray.open_zarr({str(dense.location.path)!r})\n"
        "print(float(dataset.tvi[4].sum()), dataset.attrs['musim_seed'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    total, seed = result.stdout.split()
    assert float(total) == pytest.approx(float(dense.tvi(4).sum()), rel=1e-5)
    assert int(seed) == 7


def test_a_model_of_noise_is_that_of_every_way_to_the_voxels(monkeypatch):
    def lines(key, shape, window):
        row = white(key, (*shape[:2], 1), (*window[:2], slice(0, 1)))
        return row.repeat(window[2].stop - window[2].start, axis=2)

    monkeypatch.setitem(NOISES, "lines", lines)
    parameters = Parameters(noise="lines", units=2, pixels=(12, 10), frames=24)
    dense, rendered = (
        generate(parameters, f"memory://{kind}-lines.zarr", sequences=2, kind=kind, workers=1,
                 pool="threads")
        for kind in ("dense", "rendered")
    )  # fmt: skip
    wanted = draw(parameters, index=1)
    assert dense.truth(1).noise == "lines"
    for store in (dense, rendered):
        np.testing.assert_array_equal(store.tvi(1), render(wanted))
        np.testing.assert_array_equal(render(store.truth(1)), render(wanted))


def test_whoever_opens_a_rendered_store_elsewhere_is_told_where_its_voxels_are(tmp_path):
    parameters = Parameters(units=(1, 1), pixels=(8, 8), frames=10)
    for kind, told in (("rendered", True), ("dense", False)):
        generate(parameters, tmp_path / kind, sequences=1, kind=kind, workers=1, pool="threads")
        elsewhere = xr.open_zarr(tmp_path / kind)
        assert ("tvi" in elsewhere) is not told
        assert ("musim.open_store(...).dataset.tvi" in elsewhere.attrs.get("comment", "")) is told
        assert "tvi" in open_store(tmp_path / kind).dataset
        verify(tmp_path / kind)
