"""Block matching: displacements that were imposed are found, and what holds nothing is harmless."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from musim.training.state.matching import Matched, match_regions  # noqa: E402


def texture(seed, depth=40, width=80):
    """Return smooth noise, as grey levels of speckle are."""
    waves = np.fft.rfft2(np.random.default_rng(seed).normal(size=(depth, width)))
    z, x = np.fft.fftfreq(depth)[:, None], np.fft.rfftfreq(width)
    smooth = np.fft.irfft2(waves * np.exp(-60 * (z**2 + x**2)), (depth, width))
    return 128 + 30 * smooth / smooth.std()


def shifted(image, down, right):
    """Return an image moved by parts of pixels, round its edges."""
    depth, width = image.shape
    z, x = np.fft.fftfreq(depth)[:, None], np.fft.rfftfreq(width)
    turned = np.fft.rfft2(image) * np.exp(-2j * np.pi * (z * down + x * right))
    return np.fft.irfft2(turned, image.shape)


@pytest.mark.parametrize("moved", [(0, 0), (2, -5), (-1.3, 4.6), (0.25, 0.5)])
def test_displacements_that_were_imposed_are_found(moved):
    image = texture(0)
    pair = [torch.from_numpy(each).float()[None] for each in (image, shifted(image, *moved))]
    down, right, alike = match_regions(*pair, (2, 4), (3, 7))[0]
    inner = slice(1, 3)  # regions that do not leave the image
    np.testing.assert_allclose(down[:, inner], moved[0], atol=0.15)
    np.testing.assert_allclose(right[:, inner], moved[1], atol=0.15)
    assert (alike[:, inner] > 0.9).all()


def test_parts_that_move_apart_are_told_apart():
    image = texture(1)
    sheared = np.vstack([shifted(image, 0, 3)[:20], shifted(image, 0, -2)[20:]])
    pair = [torch.from_numpy(each).float()[None] for each in (image, sheared)]
    right = match_regions(*pair, (2, 4), (2, 6))[0, 1]
    np.testing.assert_allclose(right[0, 1:3], 3, atol=0.2)
    np.testing.assert_allclose(right[1, 1:3], -2, atol=0.2)


def test_correlations_are_those_of_numpy():
    image, other = texture(2), texture(3)
    pair = [torch.from_numpy(each).float()[None] for each in (image, other)]
    found = match_regions(*pair, (2, 2), (0, 0))[0, 2]
    wanted = np.corrcoef(image[:20, :40].ravel(), other[:20, :40].ravel())[0, 1]
    assert float(found[0, 0]) == pytest.approx(wanted, abs=1e-3)


def test_even_frames_move_nowhere():
    even = torch.full((1, 20, 40), 7.0)
    found = match_regions(even, even, (2, 2), (2, 3))
    assert torch.isfinite(found).all()
    assert (found[:, 2].abs() < 1e-6).all()


def test_displacements_of_frames_are_in_millimetres():
    # Pixels of the paper's region: 2 x 4 of them are matched as one.
    matched = Matched.of((120, 496), (0.12225, 0.11173))
    assert (matched.bins, matched.regions, matched.values) == ((2, 4), (4, 8), 96)
    assert matched.pixel == pytest.approx((0.2445, 0.44692))
    image = np.kron(texture(4, 60, 124), np.ones((2, 4)))
    frames = np.stack([image, np.roll(image, (4, 20), (0, 1))])
    frames = np.clip(frames, 0, 255).round().astype(np.uint8)
    found = matched.of_frames(frames[0], frames).reshape(2, 3, 4, 8)
    np.testing.assert_allclose(found[0, :2], 0, atol=0.04)
    np.testing.assert_allclose(found[1, 0, 1:3, 1:7], 4 * 0.12225, atol=0.05)
    np.testing.assert_allclose(found[1, 1, 1:3, 1:7], 20 * 0.11173, atol=0.05)


def test_small_frames_have_fewer_regions():
    assert Matched.of((12, 24), (0.25, 0.45)).regions == (2, 4)
    assert Matched.of((3, 3), (1.0, 1.0)).regions == (1, 1)


def test_frames_that_cannot_be_written_to_are_matched():
    frames = np.stack([texture(5), texture(6)]).astype(np.uint8)
    frames.flags.writeable = False
    matched = Matched.of((40, 80), (0.25, 0.45))
    assert matched.bins == (1, 1)
    assert matched.of_frames(frames[0], frames).shape == (2, matched.values)
