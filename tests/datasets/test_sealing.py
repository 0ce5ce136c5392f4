"""What is added to a finished store is there at once, proven, or not at all."""

import json
import os

import pytest
import zarr

from musim.datasets import verify
from musim.datasets.location import Location
from musim.datasets.sealing import seal, set_attributes
from musim.datasets.store_files import MANIFEST, ROOT, SEAL
from musim.simulator import FailureError

ADDED = {"mean": 0.5, "spread": [1, None]}


def attributes(folder):
    return dict(zarr.open_group(folder, mode="r").attrs)


def test_attributes_added_later_are_proven_too(copy, dense, tree):
    folder = copy(dense)
    before = tree(folder)
    set_attributes(Location(folder), ADDED)
    assert attributes(folder).items() >= ADDED.items()
    assert attributes(folder)["musim_seed"] == 7
    verify(folder, remake=1)
    after = tree(folder)
    assert {name for name in before if before[name] != after[name]} == {ROOT}
    set_attributes(Location(folder), {"mean": 0.75})
    assert attributes(folder)["mean"] == 0.75
    assert attributes(folder)["spread"] == [1, None]
    verify(folder)


def test_a_store_is_whole_whenever_adding_is_cut_short(copy, dense, monkeypatch, tree):
    folder, renamed = copy(dense), []
    plain = os.replace

    def replace(*arguments):
        renamed.append(arguments)
        raise KeyboardInterrupt

    before = tree(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            set_attributes(Location(folder), ADDED)
    assert tree(folder) == before
    verify(folder)
    # It is all that there is to be cut short.
    monkeypatch.setattr(os, "replace", lambda *names: renamed.append(names) or plain(*names))
    set_attributes(Location(folder), ADDED)
    assert len(renamed) == 2


@pytest.mark.parametrize(
    "alter",
    [
        lambda text: text.replace(b"0.5", b"0.6"),
        lambda text: text.replace(b'"musim_seed": 7', b'"musim_seed": 8'),
        lambda text: text + b"\n",
        lambda text: text.replace(b"musim_sealed", b"musim_sealer"),
        lambda text: text[:-10],
        lambda text: b"[]",
    ],
)
def test_what_is_altered_after_it_was_added_is_found(copy, dense, alter):
    folder = copy(dense)
    set_attributes(Location(folder), ADDED)
    content = (folder / ROOT).read_bytes()
    assert alter(content) != content
    (folder / ROOT).write_bytes(alter(content))
    with pytest.raises(FailureError, match="damage"):
        verify(folder)


@pytest.mark.parametrize("key", [SEAL, MANIFEST])
def test_the_proof_is_of_one_store_alone(copy, dense, make, key):
    folder = copy(dense)
    set_attributes(Location(folder), ADDED)
    other = make(folder.with_name("other.zarr"), seed=8)
    (folder / key).write_bytes(other.location.read(key))
    with pytest.raises(FailureError, match="damage"):
        verify(folder)


def test_stores_that_were_sealed_anew_stay_whole(copy, dense):
    # As earlier versions did: the seal is that of the document with what was added.
    folder = copy(dense)
    document = json.loads((folder / ROOT).read_bytes())
    document["attributes"] |= ADDED
    content = json.dumps(document, indent=2).encode()
    (folder / ROOT).write_bytes(content)
    (folder / SEAL).write_bytes(seal(content, (folder / MANIFEST).read_bytes()))
    verify(folder)
    set_attributes(Location(folder), {"mean": 0.75})
    verify(folder)
    assert attributes(folder)["mean"] == 0.75
