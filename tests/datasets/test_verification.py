import dataclasses
import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musim.datasets import verify, writer
from musim.datasets.generation import plan
from musim.datasets.location import Location, checksum
from musim.datasets.sealing import seal
from musim.datasets.store_files import MANIFEST, PLAN, ROOT, SEAL
from musim.simulator import FailureError, MusimError, Range


@pytest.fixture(scope="module")
def victim(dense, tmp_path_factory):
    """A store to damage, and its files as they were; whoever damages it restores it."""
    folder = tmp_path_factory.mktemp("victim") / "set.zarr"
    shutil.copytree(dense.location.path, folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return folder, {path: path.read_bytes() for path in files}


def assert_found(folder):
    """Verification fails with one line that names the store."""
    with pytest.raises(MusimError) as caught:
        verify(folder)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert str(folder) in text or "format version" in text
    return text


# Whole stores


def test_a_whole_store_passes(store):
    seen = []
    found = verify(store.location.path, on_progress=lambda *numbers: seen.append(numbers))
    assert len(found) == 5
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize("remake", [1, 2, 5, 100])
def test_a_whole_store_can_be_made_again(store, remake):
    verify(store.location.path, remake=remake)


def test_a_moved_store_is_still_whole(copy, store):
    verify(copy(store, "elsewhere"), remake=5)


def test_what_is_no_store_is_refused(tmp_path, copy, dense, refused):
    with refused("found nothing"):
        verify(tmp_path / "nothing.zarr")
    with refused("found something else"):
        verify(tmp_path)
    folder = copy(dense)
    (folder / ROOT).unlink()
    with refused("unfinished"):
        verify(folder)


# Damaged ones


def test_a_bit_flipped_in_any_file_is_found(victim):
    folder, files = victim
    random = np.random.default_rng(0)
    for path, content in files.items():
        for position in {0, len(content) - 1, random.integers(0, max(len(content), 1))}:
            if content:
                altered = bytearray(content)
                altered[position] ^= 1 << random.integers(8)
                path.write_bytes(altered)
                assert_found(folder)
        path.write_bytes(content)
    verify(folder)


def test_a_file_that_is_cut_or_empty_is_found(victim):
    folder, files = victim
    for path, content in files.items():
        for altered in (content[:-1], b""):
            if altered != content:
                path.write_bytes(altered)
                assert_found(folder)
        path.write_bytes(content)
    verify(folder)


def test_a_missing_file_is_found(victim):
    folder, files = victim
    for path, content in files.items():
        path.unlink()
        assert_found(folder)
        path.write_bytes(content)
    verify(folder)


def test_a_file_that_became_a_folder_is_found(victim):
    folder, files = victim
    for path, content in files.items():
        path.unlink()
        path.mkdir()
        assert_found(folder)
        path.rmdir()
        path.write_bytes(content)
    verify(folder)


def test_chunks_that_changed_places_are_found(victim):
    # Each is sound by its own checksum, as after a mistake with a copying tool.
    folder, files = victim
    chunks = {path: content for path, content in files.items() if path.name.startswith("c")}
    pairs = [
        (one, other)
        for one in chunks
        for other in chunks
        if one < other and len(chunks[one]) == len(chunks[other]) and chunks[one] != chunks[other]
    ]
    assert len(pairs) > 10
    for one, other in pairs[:: len(pairs) // 10]:
        one.write_bytes(chunks[other])
        other.write_bytes(chunks[one])
        text = assert_found(folder)
        assert one.relative_to(folder).as_posix() in text
        one.write_bytes(chunks[one])
        other.write_bytes(chunks[other])
    verify(folder)


def test_a_chunk_of_another_store_is_found(copy, dense, make, tmp_path):
    make(tmp_path / "other.zarr", seed=8)
    folder = copy(dense)
    for key in ("tvi/c.0.0.0.0", "territory/c.0.0.0.0", "unit_count/c.0"):
        mine = (folder / key).read_bytes()
        (folder / key).write_bytes((tmp_path / "other.zarr" / key).read_bytes())
        assert (folder / key).read_bytes() != mine
        assert key in assert_found(folder)
        (folder / key).write_bytes(mine)


@pytest.mark.parametrize(
    ("key", "content"),
    [
        (PLAN, b"null"),
        (PLAN, b"[]"),
        (MANIFEST, b"null"),
        (MANIFEST, b'{"files": {}, "parts": {}}'),
        (SEAL, b""),
        (SEAL, b"\xff"),
        (".musim/parts/000000.json", b"[]"),
        (".musim/parts/000000.json", b'{"files": null}'),
        (".musim/parts/000001.json", b'{"files": {"tvi/c.3.0.0.0": 1}}'),
        (ROOT, b"[]"),
        (ROOT, b'{"attributes": {"musim_format_version": 1}}'),
    ],
)
def test_files_of_the_wrong_sort_are_found(copy, dense, key, content):
    folder = copy(dense)
    (folder / key).write_bytes(content)
    assert_found(folder)


@settings(max_examples=150)
@given(data=st.data())
def test_any_damage_to_any_files_is_found(victim, data):
    folder, files = victim
    several = st.lists(st.sampled_from(sorted(files)), min_size=1, max_size=4, unique=True)
    paths = data.draw(several)
    changed = False
    try:
        for path in paths:
            content = files[path]
            at = data.draw(st.integers(0, len(content)))
            end = data.draw(st.integers(at, min(len(content), at + 50)))
            new = data.draw(st.one_of(st.none(), st.binary(max_size=50)))
            if new is None:
                path.unlink()
                changed = True
            else:
                altered = content[:at] + new + content[end:]
                path.write_bytes(altered)
                changed |= altered != content
        if changed:
            assert_found(folder)
        else:
            verify(folder)
    finally:
        for path in paths:
            path.write_bytes(files[path])


def test_the_damage_is_named_with_its_part(copy, dense, fails):
    folder = copy(dense)
    (folder / "tvi/c.4.0.0.0").unlink()
    with fails(FailureError, str(folder), "part 1", "tvi/c.4.0.0.0 is missing", "make it again"):
        verify(folder)
    (folder / "snr/c.0").write_bytes(bytes((folder / "snr/c.0").stat().st_size))
    with fails(FailureError, "part 0: snr/c.0 is altered", "part 1: tvi/c.4.0.0.0 is missing"):
        verify(folder)
    (folder / "firing/c.0.0.0").write_bytes(b"123")
    with fails(FailureError, "part 0: firing/c.0.0.0 has 3 bytes instead of"):
        verify(folder)


def test_much_damage_is_still_one_line(copy, dense, fails):
    folder = copy(dense)
    for path in folder.glob("*/c*"):
        if path.is_file():
            path.write_bytes(b"")
    with fails(FailureError, "and more"):
        verify(folder)


def test_damage_beyond_what_is_shown_is_told_of_wherever_it_lies(copy, dense, fails):
    folder = copy(dense)
    for index in range(3):
        (folder / f"tvi/c.{index}.0.0.0").unlink()
    with fails(FailureError, "c.0.0.0.0 is missing; ", "c.2.0.0.0 is missing), wanted"):
        verify(folder)
    (folder / "tvi/c.4.0.0.0").unlink()
    with fails(FailureError, "c.2.0.0.0 is missing and more)"):
        verify(folder)


# Stores that are sound file by file, but do not hold what they say


def sealed_again(folder):
    """Bring manifest and seal in line with changed metadata, as no accident does."""
    location = Location(folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    for group in ("files", "parts"):
        for key in manifest[group]:
            content = (folder / key).read_bytes()
            manifest[group][key] = [len(content), checksum(content)]
    content = location.write_json(MANIFEST, manifest)
    (folder / SEAL).write_bytes(seal((folder / ROOT).read_bytes(), content))


def sealed_with(folder, part, contents):
    """Replace files of a part, and bring its manifest, and the store's, in line with them."""
    location, key = Location(folder), writer.manifest_key(part)
    notes = json.loads(location.read(key))
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        notes["files"][name] = [len(content), checksum(content)]
    location.write_json(key, notes)
    sealed_again(folder)


def damage(folder, remake):
    """Return what verification says of a store; nothing if it finds it whole."""
    try:
        verify(folder, remake=remake)
    except FailureError as error:
        return str(error)
    return ""


def test_sealing_again_is_what_the_writer_does(copy, store, assert_same_files):
    folder = copy(store)
    sealed_again(folder)
    assert_same_files(folder, store.location.path)


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_another_seed_than_was_used_is_found_by_making_again(
    make, tiny, copy, request, fails, kind
):
    folder = copy(request.getfixturevalue(kind))
    layout = plan(tiny, sequences=5, part_size=3, seed=8, kind=kind)
    location = Location(folder)
    location.write_json(PLAN, layout.to_json())
    (folder / ROOT).unlink()
    writer.finalise(location, layout)
    assert verify(folder).seed == 8
    with fails(FailureError, str(folder), "sequence 0", "not what its parameters give"):
        verify(folder, remake=1)


def test_other_parameters_than_were_used_are_found_by_making_again(make, tiny, copy, dense, fails):
    # Another SNR changes nothing but the noise.
    other = dataclasses.replace(tiny, snr=Range(11, 11))
    folder = copy(dense)
    layout = plan(other, sequences=5, part_size=3, seed=7)
    location = Location(folder)
    location.write_json(PLAN, layout.to_json())
    (folder / ROOT).unlink()
    writer.finalise(location, layout)
    verify(folder)
    with fails(FailureError, "sequence 0: snr is not what its parameters give"):
        verify(folder, remake=1)


def test_voxels_that_are_not_the_truths_are_found_by_making_again(copy, dense, fails):
    # The voxels of sequences 0 and 1 changed places, and all checksums with them.
    folder = copy(dense)
    keys = [f"tvi/c.{index}.0.0.0" for index in range(2)]
    contents = [(folder / key).read_bytes() for key in keys]
    sealed_with(folder, 0, dict(zip(keys, reversed(contents), strict=True)))
    verify(folder)
    with fails(FailureError, "sequence 0: tvi is not what its truth gives"):
        verify(folder, remake=5)


@pytest.mark.parametrize(
    ("remake", "made_again"), [(1, {0}), (2, {0, 4}), (3, {0, 2, 4}), (4, {0, 1, 2, 4})]
)
def test_what_is_made_again_is_spread_evenly(dense, copy, remake, made_again):
    # Each sequence in turn gets the voxels of another, sound by all checksums.
    found = set()
    for index in range(5):
        folder = copy(dense, f"{index}.zarr")
        other = (folder / f"tvi/c.{(index + 1) % 5}.0.0.0").read_bytes()
        sealed_with(folder, index // 3, {f"tvi/c.{index}.0.0.0": other})
        verify(folder)
        if f"sequence {index}: tvi is not what its truth gives" in damage(folder, remake):
            found.add(index)
    assert found == made_again


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("musim_seed", 8),
        ("musim_part_size", 2),
        ("musim_kind", "rendered"),
        ("musim_frame_rate", 1.0),
    ],
)
def test_attributes_that_differ_from_the_plan_are_found(copy, dense, name, value):
    # Who reads the store without musim goes by the attributes.
    folder = copy(dense)
    root = json.loads((folder / ROOT).read_text())
    root["attributes"][name] = value
    (folder / ROOT).write_text(json.dumps(root))
    sealed_again(folder)
    assert_found(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shape", [6, 30, 9, 7]),
        ("data_type", "float16"),
        ("dimension_names", ["sequence", "time", "width", "depth"]),
        ("chunk_grid", {"name": "regular", "configuration": {"chunk_shape": [1, 15, 9, 7]}}),
    ],
)
def test_arrays_that_do_not_follow_the_schema_are_found(copy, dense, fails, key, value):
    folder = copy(dense)
    root = json.loads((folder / ROOT).read_text())
    root["consolidated_metadata"]["metadata"]["tvi"][key] = value
    (folder / ROOT).write_text(json.dumps(root))
    sealed_again(folder)
    with fails(FailureError, "tvi does not follow the schema"):
        verify(folder)


def test_a_part_that_leaves_out_a_chunk_is_found(copy, dense, fails):
    folder = copy(dense)
    part = folder / ".musim/parts/000001.json"
    notes = json.loads(part.read_text())
    del notes["files"]["tvi/c.4.0.0.0"]
    part.write_text(json.dumps(notes))
    sealed_again(folder)
    with fails(FailureError, "part 1: tvi/c.4.0.0.0 is not in its manifest"):
        verify(folder)
