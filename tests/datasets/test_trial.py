"""What a store is said to need, against what it then takes."""

import dataclasses
import functools
import subprocess
import sys
import time

import pytest

from musim.datasets import generate, production, trial, writer
from musim.datasets.location import Location
from musim.datasets.sections import generate_sections
from musim.datasets.store_files import MARK, ROOT
from musim.datasets.trial import LIBRARIES, try_out
from musim.simulator import Parameters
from musim.simulator.section.parameters import SectionParameters

TINY = Parameters(units=(2, 3), pixels=(16, 16), frames=20, frame_rate=200.0)


IMAGES = SectionParameters.of("biceps-brachii", pixels=(64, 48), looks=1)


@pytest.mark.parametrize(
    ("parameters", "settings"),
    [(TINY, {"kind": "dense"}), (TINY, {"kind": "rendered"}), (IMAGES, {})],
    ids=["dense", "rendered", "images"],
)
def test_the_size_told_is_the_size_that_the_store_has_however_many_were_tried(
    monkeypatch, parameters, settings
):
    sequences = 300 if parameters is TINY else 40
    taken = size_of(parameters, sequences=sequences, **settings)
    made = set()
    # As on machines of any speed: the fewest, several, and all.
    for seconds in (0, 0.3, 1e9):
        monkeypatch.setattr(trial, "LONG_ENOUGH", seconds)
        tried = try_out(parameters, sequences=sequences, **settings)
        assert tried.bytes == pytest.approx(taken, rel=0.15)
        made.add(tried.made)
    assert min(made) <= 16
    assert max(made) == sequences


@functools.cache
def size_of(parameters, **settings):
    """Make a store, and return the bytes of all its files."""
    make = generate if parameters is TINY else generate_sections
    place = make(parameters, "memory://sized.zarr", **settings, workers=1).location
    try:
        return sum(len(place.system.cat_file(name)) for name in place.system.find(place.root))
    finally:
        place.remove(first=ROOT, last=MARK)


@pytest.mark.parametrize(
    ("parameters", "settings"), [(TINY, {"kind": "dense"}), (IMAGES, {})], ids=["dense", "images"]
)
def test_a_first_sequence_that_takes_too_long_is_enough(monkeypatch, parameters, settings):
    monkeypatch.setattr(trial, "TOO_LONG", 0)
    monkeypatch.setattr(trial, "LONG_ENOUGH", 0)
    tried = try_out(parameters, sequences=40, **settings)
    assert tried.made == 1
    assert tried.bytes == pytest.approx(size_of(parameters, sequences=40, **settings), rel=0.15)


def test_the_time_told_is_of_sequences_and_not_of_what_a_store_has_once(monkeypatch):
    monkeypatch.setattr(trial, "LONG_ENOUGH", 0)
    ending = writer.finalise

    def slow(*arguments):
        until = time.process_time() + 0.5
        while time.process_time() < until:
            pass
        ending(*arguments)

    monkeypatch.setattr(production.writer, "finalise", slow)
    assert try_out(TINY, sequences=10, workers=1).seconds < 0.5


def test_time_and_memory_grow_with_the_store_and_the_workers(tmp_path, monkeypatch):
    few, many = (try_out(TINY, sequences=n, workers=1) for n in (100, 10_000))
    assert 30 < many.seconds / few.seconds < 300
    assert many.duration == many.seconds
    assert many.memory == pytest.approx(few.memory, rel=0.3)
    two = try_out(TINY, sequences=3_000, workers=2, kind="rendered")
    assert two.workers == 2
    assert two.duration == two.seconds / 2
    assert two.memory < 1.5 * many.memory
    of_processes = try_out(TINY, sequences=10_001, workers=2, kind="rendered")
    assert of_processes.memory > 2 * LIBRARIES > 300e6  # each with the libraries
    # No more workers than there are parts.
    assert try_out(TINY, sequences=1, workers=8).workers == 1


def test_memory_is_that_of_every_worker_but_not_the_store_that_the_trial_makes():
    parameters = dataclasses.replace(TINY, pixels=(128, 128), frames=100)
    voxels = 100 * 128 * 128 * 4
    try_out(parameters, sequences=1)  # what is compiled and loaded once is no sequence's
    one, two = (try_out(parameters, sequences=2, part_size=1, workers=n) for n in (1, 2))
    # Of each its voxels, as they are made and as they are packed; threads share the libraries.
    assert 1.5 * voxels < one.memory - LIBRARIES < 2.7 * voxels
    assert two.memory - LIBRARIES == pytest.approx(2 * (one.memory - LIBRARIES), rel=0.1)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try_out(TINY, sequences=3)
    assert not [*tmp_path.iterdir()]
    assert not [name for name in Location("memory://").system.find("/") if "trial-" in name]


def test_what_cannot_be_made_is_refused(refused):
    with refused("sequences: found 0", "wanted 1 to"):
        try_out(TINY, sequences=0)


def test_libraries_that_are_loaded_on_the_way_are_not_counted_twice():
    script = (
        "from musim.datasets.trial import try_out\n"
        "from musim.simulator import Parameters\n"
        "for _ in 'ab': print(try_out(Parameters(), sequences=1, workers=1).memory)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    fresh, warm = map(float, done.stdout.split())
    assert fresh - LIBRARIES == pytest.approx(warm - LIBRARIES, abs=10e6)
