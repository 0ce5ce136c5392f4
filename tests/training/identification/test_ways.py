"""Which way a method took, in numbers and in words."""

import math

import pytest

from musim.training.identification.ways import WAYS, Way, from_code, in_words, to_code, told


def test_a_way_says_what_was_seen_and_what_was_done():
    spread = Way("spread", 0.8149, 0.97)
    assert not spread.together
    assert spread.words == (
        "units' motion spreads (sharp territories explain 0.81 of it, 0.97 wanted), "
        "so each got an outline of its own"
    )
    sharp = Way("sharp", 0.981, 0.97)
    assert sharp.together
    assert sharp.words == (
        "units move alike inside sharp territories (which explain 0.98 of the motion seen, "
        "0.97 wanted), so trains and territories were fitted together"
    )
    assert Way("unseen").words.startswith("too little was found to tell")
    assert "(43 units, at most 33 wanted)" in Way("too-many", 43, 33.0).words
    assert "(0.25 of them, at most 0.10 wanted)" in Way("repeated", 0.25, 0.1).words


def test_what_falls_short_is_not_rounded_up_to_what_was_wanted():
    assert (
        "(sharp territories explain 0.96 of it, 0.97 wanted)" in Way("spread", 0.9699, 0.97).words
    )
    assert "0.97 wanted" in Way("spread", 0.0, 0.97).words


def test_recordings_of_one_way_are_told_with_their_range():
    ways = [Way("spread", 0.88, 0.97), Way("spread", 0.722, 0.85), Way("spread", 0.8, 0.97)]
    assert "(sharp territories explain 0.72-0.88 of it, 0.85-0.97 wanted)" in in_words(ways)
    counts = [Way("too-many", found, 33) for found in (9, 101)]
    assert "(9-101 units, at most 33 wanted)" in in_words(counts)


def test_the_method_is_told_with_why_and_the_recordings_of_each_way():
    spread, sharp = Way("spread", 0.8, 0.97), Way("sharp", 0.98, 0.97)
    assert told("learned", True, [spread]) == (
        "learned, the usual method (it found most units in simulated recordings of several "
        f"makers); {spread.words}"
    )
    many = told("learned", True, [spread, sharp, spread, None])
    assert many.split("; ")[1:] == [
        f"in 1 of 4 recordings {sharp.words}", f"in 2 of 4 recordings {spread.words}"
    ]  # fmt: skip
    # Who asked for a method knows why, and is told the way alone.
    assert told("refine", False, [sharp]) == f"refine; {sharp.words}"
    assert told("stica", False, [None, None]) == ""
    assert told("network", True, [None]) == (
        "network, the usual method (runs of musim train were given)"
    )


@pytest.mark.parametrize("name", WAYS)
def test_a_way_comes_back_from_a_store(name):
    way = Way(name, 0.5, 0.97)
    assert from_code(to_code(way), 0.5, 0.97) == way


def test_no_way_and_one_of_a_later_version():
    assert to_code(None) == 0
    assert from_code(0, math.nan, math.nan) is None
    assert from_code(len(WAYS) + 1, 0.5, 0.97) is None


def test_stores_keep_ways_by_their_places():
    assert list(WAYS) == ["sharp", "unseen", "spread", "too-many", "repeated"]
