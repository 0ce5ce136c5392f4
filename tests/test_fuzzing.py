"""A few damaged files of every format; `python -m benchmarks.fuzzing` takes thousands."""

import pytest

from benchmarks.fuzzing import Fault, examine
from benchmarks.fuzzing_seeds import SEEDS
from benchmarks.mutations import damaged
from musim.datasets.importing.formats import FORMATS, open_file

NAMES = {seed.name: seed for seed in SEEDS}


def test_there_is_a_sound_file_of_every_format(tmp_path):
    formats = set()
    for seed in SEEDS:
        if seed.target == "recording":
            seed.damage(-1, tmp_path / seed.name)
            with open_file(tmp_path / seed.name) as file:
                formats.add(file.format)
    assert formats == {*FORMATS}


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_end_in_a_store_or_in_one_line(name, tmp_path):
    assert examine(NAMES[name], -1, tmp_path) == NAMES[name].outcome
    for index in range(2):
        assert not isinstance(examine(NAMES[name], index, tmp_path), Fault)


def test_damage_is_drawn_by_name_and_index():
    content = bytes(range(256)) * 8
    made = {damaged(content, key, index) for key in "ab" for index in range(50)}
    assert len(made) > 95
    assert damaged(content, "a", 7) == damaged(content, "a", 7)


def test_what_ends_otherwise_is_a_fault(tmp_path, monkeypatch):
    def raising(error):
        def describe(file):
            raise error

        return describe

    seed = NAMES["a.npy"]
    for error in (NameError("x"), ZeroDivisionError(), MemoryError(), UserWarning("deep")):
        monkeypatch.setattr("benchmarks.fuzzing.describe", raising(error))
        found = examine(seed, -1, tmp_path)
        assert isinstance(found, Fault)
        assert type(error).__name__ in found.what
    monkeypatch.undo()
    monkeypatch.setattr("benchmarks.fuzzing.SECONDS", 0.2)

    def forever(file):
        while True:
            pass

    monkeypatch.setattr("benchmarks.fuzzing.describe", forever)
    found = examine(seed, -1, tmp_path)
    assert isinstance(found, Fault)
    assert "0.2 s" in found.what
    monkeypatch.setattr(
        "benchmarks.fuzzing.describe", lambda file: file.path.with_suffix(".left").touch()
    )
    found = examine(seed, -1, tmp_path)
    assert isinstance(found, Fault)
    assert list(tmp_path.iterdir()) == []
