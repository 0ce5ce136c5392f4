"""``musim region``: what is printed, and what is wrong in one line."""

import json

import pytest

pytestmark = pytest.mark.torch


def test_regions_are_taken_out_of_whole_images(musim):
    made = musim("generate", "--preset", "cunningham-2017", "--set", "view=whole", "--set",
                 "pixels=164x248", "--set", "rest=0.2", "--set", "duration=1", "--set", "looks=1",
                 "-n", "2", "--out", "whole.zarr")  # fmt: skip
    assert made.code == 0, made.err
    done = musim("region", "whole.zarr", "--every", "15", "--size", "14x54", "--out", "r.zarr",
                 "--workers", "1")  # fmt: skip
    assert done.code == 0, done.err
    assert "r.zarr: 2 regions of 115 x 483 px of 0.121739 x 0.111801 mm, turned by" in done.out
    assert "regions of muscles in" in " ".join(musim("info", "r.zarr").out.split())
    assert musim("verify", "r.zarr").code == 0
    told = musim("region", "whole.zarr", "--size", "14x54", "--pixels", "60x240", "--out", "s.zarr",
                 "--json")  # fmt: skip
    assert json.loads(told.out)["image"] == [60, 240]
    assert json.loads(told.out)["angles"] == pytest.approx([-0.075] * 2, abs=0.02)
    for arguments, words in (
        (("--size", "wide"), "--size: found 'wide', wanted depth x width"),
        (("--size", "60x54"), "wanted deeper ones than the region of 60 x 54 mm"),
        (("--out", "r.zarr"), "add --resume to continue it, --overwrite to replace it"),
    ):
        wrong = musim("region", "whole.zarr", *arguments)
        assert wrong.code == 2
        assert words in wrong.err, wrong.err
    again = musim("region", "r.zarr", "--out", "t.zarr")
    assert again.code == 2
    assert "wanted whole images" in again.err
