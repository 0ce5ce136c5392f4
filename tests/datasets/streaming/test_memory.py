"""Memory of batches is used again when nothing holds it any more, and not a moment sooner."""

import copy
import gc
import pickle

import numpy as np
import pytest
import torch

from musim.datasets.streaming.memory import BatchMemory
from musim.datasets.voxels import ALIGNMENT

SHAPE = (3, 5, 7)


def test_memory_of_what_is_gone_is_used_again():
    memory = BatchMemory(kept=2)
    one, other = memory.lend(SHAPE), memory.lend(SHAPE)
    places = {one.ctypes.data, other.ctypes.data}
    assert len(places) == 2
    del one, other
    found = [memory.lend(SHAPE) for _ in range(3)]
    assert {array.ctypes.data for array in found[:2]} == places
    assert not any(np.may_share_memory(found[2], array) for array in found[:2])


@pytest.mark.parametrize(
    "hold",
    [
        lambda tensor: tensor,
        lambda tensor: tensor[1:, 2],
        lambda tensor: tensor.view(-1).numpy()[3:],
        lambda tensor: tensor.untyped_storage(),
        lambda tensor: torch.utils.data.TensorDataset(tensor.permute(2, 0, 1)),
        lambda tensor: (tensor * torch.ones((), requires_grad=True)).grad_fn,
        torch.from_dlpack,
        lambda tensor: memoryview(tensor.numpy()),
    ],
    ids=["tensor", "view", "array", "storage", "data set", "graph", "dlpack", "memoryview"],
)
def test_whatever_looks_into_a_tensor_holds_its_memory(hold):
    memory = BatchMemory(kept=1)
    lent = memory.lend(SHAPE)
    place, held = lent.ctypes.data, hold(torch.from_numpy(lent))
    del lent
    gc.collect()
    meanwhile = memory.lend(SHAPE)
    assert meanwhile.ctypes.data != place
    del meanwhile, held
    gc.collect()
    assert place in {array.ctypes.data for array in [memory.lend(SHAPE) for _ in range(2)]}


def test_no_more_is_kept_than_is_asked_for():
    memory = BatchMemory(kept=2)
    lent = [memory.lend(SHAPE) for _ in range(5)]
    del lent
    assert len(memory._free) == 2


def test_a_smaller_array_takes_part_of_the_memory_and_a_larger_one_gets_more():
    memory = BatchMemory(kept=3)
    whole = memory.lend(SHAPE)
    place = whole.ctypes.data
    del whole
    part = memory.lend((2, 5, 7))
    assert (part.ctypes.data, part.shape, part.dtype) == (place, (2, 5, 7), np.float32)
    assert part.flags.c_contiguous
    assert part.flags.writeable
    del part
    more = memory.lend((4, 5, 7), np.float64)
    more[:] = 3
    assert (more.shape, more.dtype) == ((4, 5, 7), np.float64)
    # From then on whatever is new is as large, so that it fits any batch of before.
    assert memory.lend((1,)).base.nbytes >= more.nbytes


def test_memory_begins_where_it_is_quickly_read_into():
    assert BatchMemory(kept=1).lend(SHAPE).ctypes.data % ALIGNMENT == 0


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_has_memory_of_its_own(again):
    memory = BatchMemory(kept=2)
    lent = memory.lend(SHAPE)
    place = lent.ctypes.data
    del lent
    other = again(memory)
    assert other.kept == 2
    assert other.lend(SHAPE).ctypes.data != place
