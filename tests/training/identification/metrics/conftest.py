"""Fixtures that tests of metrics share."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def strips():
    """Return a function that makes masks, one pixel high, of strings: `#` is in, all else out."""

    def masks(*texts, width=0):
        width = max(width, *map(len, texts), 0)
        rows = [[letter == "#" for letter in text.ljust(width)] for text in texts]
        return np.array(rows, bool).reshape(len(texts), 1, width)

    return masks
