"""Memory of batches, used again as soon as nobody holds the batch that lies in it any more.

Memory that comes fresh from the operating system costs as much time as what is read into it: every
page of it is found, zeroed and entered first, and given back when the batch goes.
"""

import math
import weakref
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..voxels import aligned_empty


class BatchMemory:
    """Lends arrays, and takes their memory back when they are gone.

    Whoever holds a lent array, or a tensor made of it, or anything that looks into that tensor,
    keeps the memory; a view of the array alone (``array[0]``) does not.

    Parameters
    ----------
    kept : int
        How many pieces of memory are kept while nobody uses them.
    """

    def __init__(self, kept: int) -> None:
        self.kept, self._largest = kept, 0
        # No lock: arrays may go at any moment, also within what holds it. These calls are atomic.
        self._free: deque[NDArray[np.uint8]] = deque(maxlen=kept)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the memory behind: a copy has its own."""
        return BatchMemory, (self.kept,)

    def lend(self, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return an array of any content, C-contiguous, in memory that nobody else uses."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        try:
            memory = self._free.pop()
        except IndexError:
            memory = None
        if memory is None or memory.size < size:
            self._largest = max(self._largest, size)
            memory = aligned_empty((self._largest,), np.uint8)
        lent = memory[:size].view(dtype).reshape(shape)
        # Views of it refer to `memory`, not to it: it goes when nothing but such views is left.
        weakref.finalize(lent, self._free.append, memory).atexit = False
        return lent
