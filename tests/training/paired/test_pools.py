"""Images of every size have a pool of their own, which goes on exactly."""

import torch

from musim.training.paired.pools import Pools


def images(number, side):
    return torch.full((1, 1, side, side), float(number))


def test_each_size_is_shown_its_own():
    pools = Pools(0, 0, 2)
    for step in range(40):
        side = (2, 3, 5)[step % 3]
        shown = pools.query(images(step, side), step)
        assert shown.shape == (1, 1, side, side)
        assert int(shown.mean()) % 3 == step % 3


def test_a_pool_that_is_restored_goes_on_exactly():
    pools, other = Pools(0, 0, 2), Pools(0, 0, 2)
    for step in range(9):
        pools.query(images(step, 2 + step % 2), step)
    other.load_state_dict(pools.state_dict())
    for step in range(9, 30):
        given = images(step, 2 + step % 2)
        assert torch.equal(pools.query(given, step), other.query(given, step))


def test_without_a_pool_all_are_shown_as_they_come():
    pools = Pools(0, 0, 0)
    given = images(1, 2)
    assert pools.query(given, 0) is given
    assert pools.state_dict() == {}
