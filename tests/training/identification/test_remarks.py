"""Remarks: as bits that never change their place, and as sentences."""

import itertools

import pytest

from musim.training.identification.remarks import REMARKS, from_bits, joined, to_bits


def test_bits_never_change():
    # Stores that were written keep them; a new remark is added at the end.
    assert {name: to_bits([name]) for name in REMARKS} == {
        "slow-motion-removed": 1,
        "no-motion": 2,
        "motion-unexplained": 4,
        "copies-left-out": 8,
        "pulsation-left-out": 16,
        "nothing-recorded": 32,
        "blind-pixels": 64,
        "frames-lost": 128,
        "frames-spoilt": 256,
        "too-short": 512,
        "saturated": 1024,
        "too-wide": 2048,
        "unlike-firings": 4096,
        "too-short-to-repeat": 8192,
        "whole-motion-left-out": 16384,
        "searched-in-part": 32768,
    }
    assert len(REMARKS) <= 31  # an int32 has so many


def test_there_and_back():
    for count in range(len(REMARKS) + 1):
        for names in itertools.combinations(REMARKS, count):
            assert from_bits(to_bits(reversed(names))) == names
    assert to_bits([]) == 0
    assert from_bits(1 << 30 | 2) == ("no-motion",)
    assert joined("no-motion", "slow-motion-removed", "no-motion") == (
        "slow-motion-removed", "no-motion",
    )  # fmt: skip
    with pytest.raises(ValueError, match="best"):
        to_bits(["best"])


@pytest.mark.parametrize("remark", REMARKS.values(), ids=list(REMARKS))
def test_each_says_what_was_seen_and_what_to_try(remark):
    assert REMARKS[remark.name] is remark
    assert remark.words == remark.name.replace("-", " ")
    for text in (remark.sentence, remark.advice):
        assert text[0].isupper()
        assert text.endswith(".")
        assert "\n" not in text
