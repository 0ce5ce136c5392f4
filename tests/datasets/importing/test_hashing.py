"""Digests are those of the bytes, and of the names within a folder."""

import hashlib
import io
import os

from musim.datasets.importing.hashing import sha256_of


def test_hashes_are_those_of_the_bytes(tmp_path, refused):
    content, seen = os.urandom(3_000_000), []
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a", seen.append) == hashlib.sha256(content).hexdigest()
    assert sum(seen) == len(content)
    folder = tmp_path / "s.zarr"
    (folder / "x").mkdir(parents=True)
    (folder / "x" / "c").write_bytes(b"abc")
    (folder / ".zgroup").write_bytes(b"{}")
    wanted = io.BytesIO(b".zgroup\0" + b"2\0{}" + b"x/c\0" + b"3\0abc")
    assert sha256_of(folder) == hashlib.sha256(wanted.getvalue()).hexdigest()
    (folder / "x" / "c").rename(folder / "x" / "d")
    assert sha256_of(folder) != hashlib.sha256(wanted.getvalue()).hexdigest()
    # Two files side by side are as a folder of the two.
    (folder / "x" / "a").write_bytes(b"de")
    pair = [folder / "x" / "d", folder / "x" / "a"]
    assert sha256_of(pair) == sha256_of(folder / "x") != sha256_of(pair[:1])
    with refused("nothing"):
        sha256_of(tmp_path / "nothing")
