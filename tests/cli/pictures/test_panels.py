"""What panels draw with."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from musim.cli.pictures.panels import SOFTENING, softened


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (30, 20)])
def test_territories_are_softened_as_by_scipy(shape):
    random = np.random.default_rng(0)
    values = random.random(shape)
    for territory in (values.astype(np.float32), (values < 0.3).astype(np.float32)):
        wanted = gaussian_filter(territory, SOFTENING, mode="nearest")
        found = softened(territory)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)
