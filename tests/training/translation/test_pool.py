"""The pool of earlier translations."""

from io import BytesIO

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from musim.training.translation.pool import ImagePool


def batch(step, clips=2):
    """Return clips whose every value tells step and place in the batch."""
    values = torch.arange(clips, dtype=torch.float32) + 10 * step
    return values.reshape(-1, 1, 1, 1).repeat(1, 1, 2, 3)


def names(clips):
    return clips[:, 0, 0, 0].tolist()


def test_until_it_is_full_every_clip_is_shown_and_kept():
    pool = ImagePool(1, 0, size=5)
    for step in range(2):
        assert torch.equal(pool.query(batch(step), step), batch(step))
    assert names(pool.state_dict()["clips"]) == [0, 1, 10, 11]


@given(seed=st.integers(0, 2**63 - 1), size=st.integers(1, 6), clips=st.integers(1, 4))
def test_what_is_shown_and_what_is_kept_are_all_clips_so_far(seed, size, clips):
    pool = ImagePool(seed, 0, size)
    seen, shown = [], []
    for step in range(8):
        new = batch(step, clips)
        seen += names(new)
        answer = pool.query(new, step)
        assert answer.shape == new.shape
        shown += names(answer)
        kept = names(pool.state_dict()["clips"])
        assert len(kept) == len(pool) == min(size, len(seen))
        # While it fills, clips are both shown and kept; later each is one or the other.
        assert sorted(shown + kept) == sorted(seen + seen[:size])


def test_half_of_what_is_shown_is_earlier_and_all_of_the_pool_is_used():
    pool = ImagePool(3, 1, size=5)
    pool.query(batch(0, 5), 0)
    steps, places = 1000, []
    swapped = 0
    for step in range(1, steps + 1):
        before = pool.state_dict()["clips"]
        swapped += names(pool.query(batch(step, 1), step)) != [10 * step]
        after = pool.state_dict()["clips"]
        places += [i for i in range(5) if not torch.equal(before[i], after[i])]
    assert abs(swapped - steps / 2) < 5 * (steps / 4) ** 0.5
    counts = np.bincount(places, minlength=5)
    assert counts.sum() == swapped
    assert (abs(counts - swapped / 5) < 5 * (swapped * 0.16) ** 0.5).all()


def test_draws_follow_seed_place_and_step_alone():
    def run(seed, place):
        pool = ImagePool(seed, place, size=3)
        return [names(pool.query(batch(step), step)) for step in range(20)]

    assert run(1, 0) == run(1, 0)
    assert run(1, 0) != run(1, 1)
    assert run(1, 0) != run(2, 0)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    assert run(1, 0) == run(1, 0)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("stop", [0, 1, 3, 9])
def test_a_resumed_pool_goes_on_exactly(stop):
    whole = ImagePool(7, 1, size=4)
    expected = [whole.query(batch(step), step) for step in range(15)]
    first = ImagePool(7, 1, size=4)
    for step in range(stop):
        first.query(batch(step), step)
    file = BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = ImagePool(7, 1, size=4)
    second.query(batch(99), 99)
    second.load_state_dict(torch.load(file, weights_only=True))
    for step in range(stop, 15):
        assert torch.equal(second.query(batch(step), step), expected[step])
    assert torch.equal(second.state_dict()["clips"], whole.state_dict()["clips"])


def test_what_is_kept_is_a_copy_without_gradient():
    pool = ImagePool(1, 0, size=1)
    clips = batch(0, 1).requires_grad_()
    shown = pool.query(clips, 0)
    assert not shown.requires_grad
    shown.fill_(-1)
    with torch.no_grad():
        clips.fill_(-2)
    state = pool.state_dict()["clips"]
    assert names(state) == [0]
    state.fill_(-3)
    loaded = ImagePool(1, 0, size=1)
    loaded.load_state_dict(pool.state_dict())
    assert names(pool.state_dict()["clips"]) == names(loaded.state_dict()["clips"]) == [0]
    assert not pool.state_dict()["clips"].requires_grad


def test_what_takes_a_place_is_a_copy_too():
    pool = ImagePool(1, 0, size=1)
    for step in range(8):
        clips = batch(step, 1)
        shown = names(pool.query(clips, step))
        clips.fill_(-1)
        kept = names(pool.state_dict()["clips"])
        assert -1 not in kept
    assert shown != kept
    assert kept != [0]


def test_without_a_size_everything_is_shown_as_it_comes():
    pool = ImagePool(1, 0, size=0)
    for step in range(5):
        assert torch.equal(pool.query(batch(step), step), batch(step))
    assert len(pool) == 0
    assert pool.state_dict()["clips"].numel() == 0


def test_types_are_kept():
    pool = ImagePool(1, 0, size=1)
    for step in range(6):
        assert pool.query(batch(step).bfloat16(), step).dtype == torch.bfloat16


def test_what_does_not_fit_is_refused(refused):
    with refused("seed: found -1"):
        ImagePool(-1, 0)
    with refused("place of a pool: found -1"):
        ImagePool(0, -1)
    with refused("size of a pool: found 1.5"):
        ImagePool(0, 0, 1.5)  # pyright: ignore
    pool = ImagePool(0, 0, 4)
    pool.query(batch(0), 0)
    with refused("found a clip of (1, 2, 2) after one of (1, 2, 3)"):
        pool.query(batch(1)[..., :2], 1)
    with refused("found a state of 5 clips, wanted at most 4"):
        pool.load_state_dict({"clips": batch(0, 5)})
    for state in ({}, {"clips": batch(0), "more": batch(0)}):
        with refused("without its clips"):
            pool.load_state_dict(state)
    assert ImagePool(0, 0).size == 50
