import errno
import os
import zlib
from pathlib import Path

import google_crc32c
import numpy as np
import pytest

from musim.datasets.location import Batch, Location, checksum, checksums
from musim.simulator import FailureError, InputError


@pytest.fixture(params=["local", "memory", "file"])
def location(request, tmp_path, memory):
    """An empty place of each sort."""
    places = {
        "local": tmp_path / "set",
        "memory": memory("set"),
        "file": f"file://{tmp_path}/set",
    }
    return Location(places[request.param])


def refuse(number):
    def call(*_, **__):
        raise OSError(number, os.strerror(number))

    return call


def test_nothing_is_at_a_new_location(location, fails):
    assert not location.exists()
    assert not location.exists("a")
    assert location.list_files("") == []
    with pytest.raises(FileNotFoundError, match=r"^a/b$"):
        location.read("a/b")


def test_a_key_holds_what_was_written_last(location):
    location.write("a/b", b"old and long")
    location.write("a/b", np.arange(3, dtype=np.uint8))
    assert location.read("a/b") == bytes([0, 1, 2])
    assert location.exists()
    assert location.exists("a/b")


def test_files_are_listed_by_name_without_folders(location):
    for key in ("a/c", "a/b", "a/d/e", "f"):
        location.write(key, b"1")
    assert location.list_files("a") == ["b", "c"]
    assert location.list_files("nothing") == []


def test_json_is_sorted_and_returned_as_written(location):
    content = location.write_json("a", {"b": 1, "a": [1, None]})
    assert location.read("a") == content
    assert content.index(b'"a"') < content.index(b'"b"')


def test_a_local_path_is_the_same_with_file_and_a_slash_at_its_end(tmp_path):
    Location(tmp_path / "set").write("a", b"1")
    assert Location(f"file://{tmp_path}/set/").read("a") == b"1"
    assert Location(f"{tmp_path}/set/").read("a") == b"1"
    assert Location(f"{tmp_path}/other/../set").read("a") == b"1"


@pytest.mark.parametrize(
    "name", ["./~set.zarr", "~set.zarr", "a/~", "~no-one-of-that-name/set.zarr"]
)
def test_a_tilde_in_a_name_is_a_character_like_any_other(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for url in (name, Path(name)):
        assert Location(url).path == tmp_path / Path(name)


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    Location("~/set").write("a", b"1")
    assert (tmp_path / "set" / "a").read_bytes() == b"1"


@pytest.mark.parametrize("url", ["unheard://a/b", "unheard://"])
def test_an_unknown_protocol_is_refused(url, refused):
    with refused(url, "unheard", "wanted a path or an fsspec URL"):
        Location(url)


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, FailureError, "no space is left"),
        (errno.EDQUOT, FailureError, "`resume=True`"),
        (errno.EIO, FailureError, "Input/output error"),
        (errno.EACCES, InputError, "use another location"),
        (errno.EROFS, InputError, "use another location"),
        (errno.EPERM, InputError, "use another location"),
    ],
)
def test_a_write_that_fails_leaves_the_old_content_and_no_leftover(
    tmp_path, monkeypatch, fails, number, kind, words
):
    location = Location(tmp_path)
    location.write("a", b"old")
    monkeypatch.setattr(os, "fsync", refuse(number))
    with fails(kind, str(tmp_path), words):
        location.write("a", b"new")
    assert os.listdir(tmp_path) == ["a"]  # noqa: PTH208
    assert location.read("a") == b"old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_noticed_while_a_file_is_filled(tmp_path, monkeypatch, fails):
    location, plain = Location(tmp_path), Path.open

    def full(path, mode="r", *arguments, **options):
        if "w" not in mode:
            return plain(path, mode, *arguments, **options)
        path.touch()
        return plain(Path("/dev/full"), mode)

    monkeypatch.setattr(Path, "open", full)
    with fails(FailureError, "no space is left"):
        location.write("a", b"new")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_looked_at_is_reported(tmp_path, monkeypatch, refused):
    monkeypatch.setattr(Path, "exists", refuse(errno.EACCES))
    with refused(str(tmp_path), "Permission denied", "another location"):
        Location(tmp_path).exists("a")


def test_a_name_that_is_too_long_is_reported(tmp_path, refused):
    with refused("File name too long"):
        Location(tmp_path / ("a" * 300)).exists("zarr.json")


def test_a_folder_in_place_of_a_file_is_a_reported_failure(tmp_path, refused):
    (tmp_path / "a").mkdir()
    with refused("a", "Is a directory"):
        Location(tmp_path).read("a")


def test_free_space_is_that_of_the_nearest_folder_there_is(tmp_path):
    status = os.statvfs(tmp_path)
    free = Location(tmp_path / "a" / "b").free_bytes()
    assert free == pytest.approx(status.f_bavail * status.f_frsize, rel=0.2)


def test_free_space_of_a_url_is_unknown(memory):
    assert Location(memory("set")).free_bytes() == float("inf")


def test_a_batch_settles_all_its_files_and_notes_them(location, tree):
    batch = Batch(location)
    content = np.arange(100, dtype=np.uint8)
    batch.write("a/b", content)
    content[:] = 0  # the caller's array is its own again
    batch.write("c", b"1")
    batch.settle()
    batch.close()
    assert location.read("a/b") == bytes(range(100))
    assert location.read("c") == b"1"
    assert batch.files == checksums(location, ["a/b", "c"])
    assert batch.files["a/b"][0] == 100
    if location.is_local:
        assert set(tree(location.path)) == {"a/b", "c"}


def test_a_batch_reports_what_its_threads_could_not_do(tmp_path, monkeypatch, fails, tree):
    batch = Batch(Location(tmp_path))
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    for name in "abc":
        batch.write(name, b"1")
    with fails(FailureError, "no space is left"):
        batch.settle()
    batch.close()
    assert tree(tmp_path) == {}


def test_the_checksum_tells_chunks_of_one_size_apart():
    # A CRC-32C over content that ends with its own CRC-32C is one number for all contents.
    crcs = {content: int(google_crc32c.value(content)) for content in (b"one", b"two")}
    chunks = [content + crc.to_bytes(4, "little") for content, crc in crcs.items()]
    assert checksum(chunks[0]) != checksum(chunks[1])


def test_the_checksum_is_one_for_bytes_arrays_and_views():
    array = np.arange(10, dtype=np.uint8)
    assert checksum(array) == checksum(array.tobytes()) == checksum(memoryview(array))
    assert checksum(b"") != checksum(b"\0")


def test_errors_that_musim_raised_pass_through(tmp_path):
    error = InputError("as it was")
    assert Location(tmp_path).failure("be read", error) is error


def test_the_checksum_is_that_of_zlib_whoever_counts_it():
    content = np.random.default_rng(0).integers(0, 256, 10_007, np.uint8)
    assert checksum(content) == zlib.crc32(content)
    assert checksum(content[5000:], checksum(content[:5000])) == zlib.crc32(content)
