"""What panels draw with."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from musim.cli.pictures.panels import SOFTENING, Page, softened


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (30, 20)])
def test_territories_are_softened_as_by_scipy(shape):
    random = np.random.default_rng(0)
    values = random.random(shape)
    for territory in (values.astype(np.float32), (values < 0.3).astype(np.float32)):
        wanted = gaussian_filter(territory, SOFTENING, mode="nearest")
        found = softened(territory)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("length", [10, 90, 118, 125, 140, 200])
def test_titles_end_on_the_page(length):
    page = Page(11, 2, 150)
    page.title(0.6, 0.26, "m" * (length // 2) + "1 " * (length // 4), font_size=10)
    (title,) = page.figure.texts
    assert title.get_window_extent().x1 <= (11 - 0.1) * 150 + 1e-6
    assert title.get_fontsize() <= 10
    if length < 50:
        assert title.get_fontsize() == 10
